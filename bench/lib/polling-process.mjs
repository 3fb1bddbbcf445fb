// SPDX-License-Identifier: Apache-2.0
// polling-process.mjs - a rival as a process: started, ready, measured, ended.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const RIVALS = fileURLToPath(new URL('../rival/', import.meta.url));

/** Starts bench/rival/NAME.mjs, which dies with this process; resolves when it listens. `stop()`
 *  resolves to its exit code. */
export async function startRival(name, args) {
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', process.execPath, `${RIVALS}${name}.mjs`, ...args.map(String)],
        { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = new Promise((resolve, reject) => {
        child.once('error', reject);
        child.once('close', (code, signal) => resolve(signal ?? code));
    });
    const ready = new Promise((resolve) => {
        createInterface({ input: child.stdout }).on('line', (line) => line === 'ready' && resolve());
    });
    await Promise.race([ready, ended.then((code) => {
        throw new Error(`${name} ended with ${code}`);
    })]);
    const stop = () => {
        child.kill('SIGTERM');
        return ended;
    };
    return { pid: child.pid, ended, stop, kill: () => child.kill('SIGKILL') };
}

/** Milliseconds that a process was on a processor, all threads, to the nanosecond. */
export function cpuMs(pid) {
    const nanoseconds = readdirSync(`/proc/${pid}/task`)
        .map((thread) => Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]));
    return nanoseconds.reduce((sum, each) => sum + each, 0) / 1e6;
}

export function median(values) {
    const sorted = [...values].sort((a, b) => a - b);
    const middle = sorted.length >> 1;
    return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The bytes that a socket has moved, and what was added to them. */
export const bytesOf = (socket) => ({ up: socket.bytesWritten, down: socket.bytesRead });
export const less = (after, before) => ({ up: after.up - before.up, down: after.down - before.down });
