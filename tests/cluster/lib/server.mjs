// SPDX-License-Identifier: Apache-2.0
// server.mjs - a Valkey or Redis of the test's own, in memory alone, and a line to it that can be slow
// or cut.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../../broker/lib/port.mjs';
import { within } from '../../broker/lib/wait.mjs';

const SERVER = process.env.INVIG_VALKEY_SERVER ?? 'redis-server';
const READY = /Ready to accept connections/;
const TAKEN = /Address already in use/;

/** Starts one. `kill()` ends it as a crash would, with all that it had; `start()` may follow, on the same
 *  port. */
export class Server {
    child = null;

    async open() {
        for (;;) {
            this.port = await freePort();
            if (await this.start()) {
                return this;
            }
        }
    }

    /** Resolves to whether it took the port. */
    async start() {
        const args = ['--port', this.port, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
        this.child = spawn('setpriv', ['--pdeathsig', 'KILL', SERVER, ...args.map(String)],
            { stdio: ['ignore', 'pipe', 'inherit'], cwd: '/' });
        this.child.unref();
        this.child.stdout.unref();
        const lines = createInterface({ input: this.child.stdout });
        const ready = new Promise((resolve) => {
            lines.on('line', (line) => {
                if (READY.test(line) || TAKEN.test(line)) {
                    resolve(READY.test(line));
                }
            });
        });
        const isReady = await within(10000, 'the server of state', ready);
        if (!isReady) {
            await this.kill();
        }
        return isReady;
    }

    async kill() {
        const ended = once(this.child, 'exit');
        this.child.kill('SIGKILL');
        await ended;
    }

    get url() {
        return `valkey://127.0.0.1:${this.port}`;
    }
}

/** A line to `port` with a port of its own. `cut()` ends all connections and takes no new ones until
 *  `mend()`; `delay` is in milliseconds, of what comes from there. */
export class Line {
    #pairs = new Set();
    #isCut = false;
    delay = 0;

    async open(port) {
        this.server = net.createServer({ noDelay: true }, (near) => this.#join(near, port));
        this.server.listen(0, '127.0.0.1');
        await once(this.server, 'listening');
        this.server.unref();
        this.url = `valkey://127.0.0.1:${this.server.address().port}`;
        return this;
    }

    #join(near, port) {
        if (this.#isCut) {
            near.destroy();
            return;
        }
        const far = net.connect({ host: '127.0.0.1', port, noDelay: true });
        const pair = [near, far];
        this.#pairs.add(pair);
        near.pipe(far);
        far.on('data', async (data) => {
            if (this.delay > 0) {
                await pause(this.delay);
            }
            near.write(data);
        });
        pair.forEach((socket) => {
            socket.unref();
            socket.on('error', () => {});
            socket.on('close', () => {
                pair.forEach((each) => each.destroy());
                this.#pairs.delete(pair);
            });
        });
    }

    cut() {
        this.#isCut = true;
        this.#pairs.forEach(([near]) => near.destroy());
    }

    mend() {
        this.#isCut = false;
    }

    close() {
        this.cut();
        this.server.close();
    }
}
