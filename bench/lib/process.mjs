// SPDX-License-Identifier: Apache-2.0
// process.mjs - processes that end with this one, and what they cost.
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, rmSync } from 'node:fs';
import net from 'node:net';

const children = new Set();
const directories = new Set();

process.on('exit', () => {
    children.forEach((child) => child.kill('SIGKILL'));
    directories.forEach((path) => rmSync(path, { recursive: true, force: true }));
});
// Not once(): timeout(1) and terminals signal twice, and the second would end this process amid the first.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => process.exit(1));
}

/** Sees to it that a directory is gone when this process is. */
export function removeAtExit(path) {
    directories.add(path);
}

/** Starts a process that dies with this one (setpriv covers SIGKILL); `ended` resolves to its exit
 *  code or signal. `files` is how many files it may have open. */
export function start(command, args, { stdio, files, env } = {}) {
    const limits = files ? ['prlimit', `--nofile=${files}`] : [];
    const [first, ...rest] = [...limits, 'setpriv', '--pdeathsig', 'KILL', command, ...args.map(String)];
    const child = spawn(first, rest, { stdio, env: { ...process.env, ...env } });
    children.add(child);
    child.ended = new Promise((resolve, reject) => {
        child.once('error', reject);
        child.once('close', (code, signal) => {
            children.delete(child);
            resolve(code ?? signal);
        });
    });
    child.ended.catch(() => {});
    return child;
}

export function isRunning(child) {
    return child.exitCode === null && child.signalCode === null;
}

/** Runs a program to its end and returns what it printed; throws where it fails. */
export function run(command, args, options = {}) {
    const made = spawnSync(command, args.map(String), { encoding: 'utf8', maxBuffer: 64 << 20, ...options });
    if (made.status !== 0) {
        throw new Error(`${command}: ${made.error?.message ?? `${made.stdout}${made.stderr}`.slice(-4000)}`);
    }
    return made.stdout;
}

/** Nanoseconds on a processor, of all threads. */
export function cpuNs(pid) {
    let sum = 0;
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
        sum += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
    }
    return sum;
}

/** Resident memory in bytes; undefined when the process has ended and nobody has looked yet. */
export function residentBytes(pid) {
    const found = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return found ? Number(found[1]) * 1024 : undefined;
}

/** Resolves to whether somebody listens on a loopback port. */
export function answers(port) {
    return new Promise((resolve) => {
        const socket = net.connect(port, '127.0.0.1');
        socket.once('error', () => resolve(false));
        socket.once('connect', () => {
            socket.destroy();
            resolve(true);
        });
    });
}
