// SPDX-License-Identifier: Apache-2.0
// life.mjs - one life of the broker's process, from its start to its death: what memory and which
// descriptors it has, as /proc says.
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const SAMPLE_MS = 3000;
const SETTLED_S = 60;
const JUDGED_S = 100; // a shorter life says nothing of growth
const GROWTH_PART = 0.05;
const GROWTH_KB = 1024;

function readRss(pid) {
    return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
}

/** How many descriptors the process has open. */
export function countDescriptors(pid) {
    return readdirSync(`/proc/${pid}/fd`).length;
}

function median(numbers) {
    return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
}

export class Life {
    samples = [];
    #timer;

    constructor(pid) {
        this.pid = pid;
        this.began = Date.now();
        this.startFds = countDescriptors(pid);
        this.mostFds = this.startFds;
        this.sample();
        this.startRss = this.samples[0].rss;
        this.#timer = setInterval(() => this.sample(), SAMPLE_MS);
    }

    sample() {
        try {
            const fds = countDescriptors(this.pid);
            this.samples.push({ at: (Date.now() - this.began) / 1000, rss: readRss(this.pid), fds });
            this.mostFds = Math.max(this.mostFds, fds);
        } catch {
            // It has just died.
        }
    }

    get seconds() {
        return (Date.now() - this.began) / 1000;
    }

    get endRss() {
        return median(this.samples.slice(-3).map(({ rss }) => rss));
    }

    get endFds() {
        return this.samples.at(-1).fds;
    }

    get minuteRss() {
        const near = this.samples.filter(({ at }) => Math.abs(at - SETTLED_S) < 2 * SAMPLE_MS / 1000);
        return this.seconds > JUDGED_S ? median(near.map(({ rss }) => rss)) : undefined;
    }

    /** The last look, before the process is killed. Reports what grew. */
    end(report) {
        this.sample();
        clearInterval(this.#timer);
        const ended = this.seconds;
        const { minuteRss, endRss } = this;
        Object.defineProperty(this, 'seconds', { value: ended });
        const limit = Math.max(minuteRss * (1 + GROWTH_PART), minuteRss + GROWTH_KB);
        if (minuteRss !== undefined && endRss > limit) {
            report.fault('memory', `RSS was ${minuteRss} kB after a minute and ${endRss} kB after ${ended.toFixed(0)} s`, this.series());
        }
    }

    series() {
        const step = Math.max(1, Math.floor(this.samples.length / 20));
        return this.samples.filter((_, i) => i % step === 0).map(({ at, rss, fds }) => `${at.toFixed(0)} s: ${rss} kB, ${fds} descriptors`);
    }

    /** All clients are gone: no descriptor of theirs may stay. */
    async expectNoneLeft(report, others, limitMs) {
        const end = Date.now() + limitMs;
        let count;
        while ((count = countDescriptors(this.pid)) > this.startFds + others) {
            if (Date.now() > end) {
                report.fault('descriptors', `${count} are open with ${others} clients there; ${this.startFds} were before any came`, this.series());
                return;
            }
            await sleep(100);
        }
    }
}
