// SPDX-License-Identifier: Apache-2.0
// report.mjs - what was done, what went wrong, and the table at the end.

const SHOWN_MAX = 10;
const EVENTS_MAX = 25;

export const KINDS = [
    'lost notice', 'wrong notice', 'lost delivery', 'wrong delivery', 'unexpected answer', 'wrong state', 'memory', 'descriptors', 'other',
];

// What is done, as opposed to what came of it.
const OPERATIONS = ['connects', 'subscribes', 'publishes', 'commands', 'closes', 'phases', 'SIGHUPs', 'kill -9', 'orderly ends'];
const OUTCOMES = ['deliveries', ...['IN', 'SUPERSEDED', 'REVOKED', 'BLOCKED', 'REFUSED', 'DONE', 'ERROR', 'HELD', 'TAKEN', 'CLOSED', 'KEPT OUT']
    .map((answer) => `answers ${answer}`), ...['SUPERSEDED', 'REVOKED', 'BLOCKED', 'EXPIRED', 'TAKEN OVER'].map((reason) => `told ${reason}`)];

export class Report {
    counts = new Map();
    faults = new Map();
    shown = 0;
    started = Date.now();

    count(what, more = 1) {
        this.counts.set(what, (this.counts.get(what) ?? 0) + more);
    }

    get total() {
        return OPERATIONS.reduce((sum, name) => sum + (this.counts.get(name) ?? 0), 0);
    }

    /** A run in which something never came about proves nothing of it. */
    expectAll() {
        const missing = [...OPERATIONS, ...OUTCOMES].filter((name) => !this.counts.get(name));
        if (missing.length > 0) {
            this.fault('other', `never in this run: ${missing.join(', ')}`);
        }
    }

    get hasFaults() {
        return this.faults.size > 0;
    }

    /** `events`: the last of the user concerned. */
    fault(kind, text, events = []) {
        this.faults.set(kind, (this.faults.get(kind) ?? 0) + 1);
        if (++this.shown <= SHOWN_MAX) {
            console.log([`FAULT (${kind}): ${text}`, ...events.slice(-EVENTS_MAX)].join('\n    '));
        } else if (this.shown === SHOWN_MAX + 1) {
            console.log('More faults are counted, but not shown.');
        }
    }

    table(lives) {
        const seconds = (Date.now() - this.started) / 1000;
        const line = (name, value) => console.log(`${name.padEnd(34)}${String(value).padStart(12)}`);
        console.log('\noperations');
        OPERATIONS.forEach((name) => line(`  ${name}`, this.counts.get(name) ?? 0));
        line('  all', this.total);
        line('  a second', (this.total / seconds).toFixed(1));
        console.log('\nwhat came of them');
        [...this.counts].filter(([name]) => !OPERATIONS.includes(name)).sort().forEach(([name, count]) => line(`  ${name}`, count));
        console.log('\nlife     seconds   RSS kB: start   1 min     end    descriptors: start   most    end');
        lives.forEach((life, i) => {
            const number = (value, width) => String(value ?? '-').padStart(width);
            console.log(number(i + 1, 4) + number(life.seconds.toFixed(0), 12) + number(life.startRss, 16) + number(life.minuteRss, 8) +
                number(life.endRss, 8) + number(life.startFds, 22) + number(life.mostFds, 7) + number(life.endFds, 7));
        });
        console.log('\nfaults');
        KINDS.forEach((kind) => line(`  ${kind}`, this.faults.get(kind) ?? 0));
    }
}
