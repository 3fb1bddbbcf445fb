// SPDX-License-Identifier: Apache-2.0
// load.mjs - drives bench_load: one line of JSON for each phase, and a pause before each but the first.
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { start } from './process.mjs';

const FILES = 19000;
/** The most that are connecting at a time. Over TCP Mosquitto's own queue holds no more; over WebSockets
 *  libwebsockets ends a handshake that takes five seconds. */
const IN_FLIGHT = { tcp: 100, ws: 2000, sse: 2000 };
const LIMIT_S = 30;
const END_MS = 10000;
const WINDOW_MS = 250;
const WINDOWS_MAX = 40;

function phaseOptions({ phases, fanout, seconds }) {
    if (!fanout) {
        return ['--phases', phases.join(','), ...(seconds ? ['--seconds', seconds] : [])];
    }
    return ['--phases', phases.join(','), '--publisher-file', fanout.publisherFile, '--publisher-port', fanout.port,
        '--publish', fanout.topic, '--payload-file', fanout.payloadFile, '--messages', fanout.messages,
        '--qos', fanout.qos ?? 1, ...(fanout.isRetained ? ['--retain'] : []), '--interval-ms', fanout.intervalMs];
}

function commandLine(settings) {
    const { port, file, transport, users, subscribe } = settings;
    return ['--port', port, '--file', file, '--limit', LIMIT_S, '--in-flight', Math.min(users, IN_FLIGHT[transport]),
        ...(transport === 'ws' ? ['--ws'] : []), ...(transport === 'sse' ? ['--sse'] : ['--mqtt', '3']),
        ...(subscribe && transport !== 'sse' ? ['--subscribe', subscribe] : []), ...phaseOptions(settings)];
}

class Load {
    #lines = [];
    #readers = [];

    constructor(child, settings) {
        Object.assign(this, { child, settings });
        createInterface({ input: child.stdout }).on('line', (line) => this.#onLine(line));
        child.stdin.on('error', () => {});
        child.ended.then((code) => this.#onEnd(`bench_load ended with ${code}`), (error) => this.#onEnd(error.message));
    }

    #onLine(line) {
        const reader = this.#readers.shift();
        reader ? reader.resolve(line) : this.#lines.push(line);
    }

    #onEnd(message) {
        this.endMessage = message;
        this.#readers.splice(0).forEach(({ reject }) => reject(new Error(message)));
    }

    #line() {
        if (this.#lines.length > 0) {
            return Promise.resolve(this.#lines.shift());
        }
        if (this.endMessage) {
            return Promise.reject(new Error(this.endMessage));
        }
        return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
    }

    /** What the phase that is under way gives. Rejects where anything of it failed: what was refused
     *  would be fast. */
    async result() {
        const result = JSON.parse(await this.#line());
        const { phase, count, failures, reasons, publisher, received, expected } = result;
        if (failures > 0 || publisher) {
            const why = `${JSON.stringify(reasons ?? {})} ${publisher ?? ''}`;
            throw new Error(`${phase}: ${failures} of ${count} failed ${why}`);
        }
        if (received !== expected) {
            throw new Error(`${phase}: ${received} deliveries instead of ${expected}`);
        }
        return result;
    }

    /** Begins the next phase. */
    next() {
        this.child.stdin.write('\n');
    }

    /** Lets the clients say good-bye. */
    async end() {
        this.child.stdin.end();
        const timer = setTimeout(() => this.child.kill('SIGKILL'), END_MS);
        await this.child.ended;
        clearTimeout(timer);
    }

    /** Ends it amid a phase. */
    async cut() {
        this.child.kill('SIGTERM');
        await this.child.ended;
    }
}

/** Starts the clients; the first phase begins at once. Settings:
 *
 *  port, transport   of the server: 'tcp', 'ws' or 'sse'
 *  file, users       credentials, and how many there are
 *  subscribe         a filter; event streams need none
 *  phases            ['storm'] and what follows: 'fanout', 'idle'
 *  seconds           of 'idle'
 *  fanout            { publisherFile, port, topic, payloadFile, messages, intervalMs, qos, isRetained } */
export function startLoad(context, settings) {
    const child = start(join(context.build, 'bench/bench_load'), commandLine(settings),
        { stdio: ['pipe', 'pipe', 'inherit'], files: FILES });
    return new Load(child, settings);
}

/** Resolves to what `work` gives and what the server spent on it, in nanoseconds. */
export async function withCpu(server, work) {
    const before = server.cpuNs();
    const result = await work();
    return { result, cpu: server.cpuNs() - before };
}

/** Waits until the server has done what it does by itself after a storm: until its use of the processor
 *  stays the same for three windows. */
export async function settle(server) {
    const used = [];
    for (let i = 0; i < WINDOWS_MAX; i++) {
        const before = server.cpuNs();
        await pause(WINDOW_MS);
        used.unshift((server.cpuNs() - before) / 1e6);
        const last = used.slice(0, 3);
        if (last.length === 3 && Math.max(...last) - Math.min(...last) < Math.max(3, Math.min(...last) * 0.2)) {
            return;
        }
    }
}
