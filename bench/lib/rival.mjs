// SPDX-License-Identifier: Apache-2.0
// rival.mjs - the servers of bench/rival, which do a part of the same job.
import { fileURLToPath } from 'node:url';
import { cpuNs, freePort, start } from './process.mjs';

const FILES = 19000;

/** Starts bench/rival/<name>.mjs with a key file; it prints "ready" when it takes connections. */
export async function startRival(name, keyFile, algorithm) {
    const port = await freePort();
    const script = fileURLToPath(new URL(`../rival/${name}.mjs`, import.meta.url));
    const child = start(process.execPath, [script, '--port', port, '--key', keyFile, '--algorithm', algorithm],
        { stdio: ['pipe', 'pipe', 'inherit'], files: FILES });
    child.stdin.on('error', () => {});
    await new Promise((resolve, reject) => {
        let text = '';
        child.stdout.on('data', (bytes) => {
            text += bytes;
            if (/^ready/m.test(text)) {
                resolve();
            }
        });
        child.ended.then((code) => reject(new Error(`${name}.mjs ended with ${code}`)), reject);
    });
    return {
        child,
        port: () => port,
        cpuNs: () => cpuNs(child.pid),
        stop: () => {
            child.kill('SIGTERM');
            return child.ended;
        },
    };
}
