// SPDX-License-Identifier: Apache-2.0
// rival.mjs - the servers of bench/rival, which do a part of the same job.
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../tests/broker/lib/port.mjs';
import { cpuNs, start } from './process.mjs';

const RIVALS = fileURLToPath(new URL('../rival/', import.meta.url));
const FILES = 19000;

/** Starts bench/rival/<name>.mjs on a free port; resolves when it listens. `stop()` resolves to its
 *  exit code. */
export async function startRival(name, args = []) {
    const port = await freePort();
    const child = start(process.execPath, [`${RIVALS}${name}.mjs`, '--port', port, ...args],
        { stdio: ['ignore', 'pipe', 'inherit'], files: FILES });
    const ready = new Promise((resolve) => {
        createInterface({ input: child.stdout }).on('line', (line) => line === 'ready' && resolve());
    });
    await Promise.race([ready, child.ended.then((code) => {
        throw new Error(`${name}.mjs ended with ${code}`);
    })]);
    return {
        pid: child.pid,
        port: () => port,
        cpuNs: () => cpuNs(child.pid),
        kill: () => child.kill('SIGKILL'),
        stop: () => {
            child.kill('SIGTERM');
            return child.ended;
        },
    };
}

/** The arguments of those that check tokens. */
export const withKey = (keyFile, algorithm) => ['--key', keyFile, '--algorithm', algorithm];
