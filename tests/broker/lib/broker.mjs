// SPDX-License-Identifier: Apache-2.0
// broker.mjs - starts a real Mosquitto on free loopback ports in a directory of its own, and sees
// to it that nothing of it is left, whatever becomes of the test.
import { spawn, spawnSync } from 'node:child_process';
import { accessSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { makeKeys, sign } from './keys.mjs';
import { freePort, turnAt } from './port.mjs';
import { patience, within } from './wait.mjs';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const MOSQUITTO = process.env.INVIG_MOSQUITTO ?? '/usr/sbin/mosquitto';
const WRAPPER = (process.env.INVIG_WRAPPER ?? '').split(' ').filter(Boolean);
const RUNNING = /^mosquitto version (\d+)\.(\d+)\S* running$/;
const PORT_TAKEN = /Address already in use/;
const REPORT = /ERROR: \w*Sanitizer|runtime error: |^==\d+== (Invalid|Conditional jump|Use of un)/;

const ACL = `
user backend
topic readwrite users/#
topic readwrite evaluations/#
topic readwrite $CONTROL/#
topic read $SYS/#
`;

const leftovers = new Set();

// 'exit' handlers run for a test that throws or is told to end; setpriv covers SIGKILL.
process.on('exit', () => {
    for (const { child, dir } of leftovers) {
        child?.kill('SIGKILL');
        rmSync(dir, { recursive: true, force: true });
    }
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => process.exit(1)); // not once: timeout(1) and terminals signal twice
}

// A test that failed before its stop() leaves a broker and clients that would keep this process
// alive: once all tests are through, and nobody is stopping a broker, what is left is ended.
let stopping = 0;
if (process.env.NODE_TEST_CONTEXT) {
    after(() => {
        setInterval(() => {
            if (stopping === 0) {
                leftovers.forEach((broker) => broker.discard());
            }
        }, patience(3000)).unref();
    });
}

function modulePath() {
    const path = process.env.INVIG_MODULE ?? join(ROOT, 'build-release/mosquitto_invigilator.so');
    accessSync(path);
    return resolve(path);
}

function pluginLines(options) {
    const lines = Object.entries(options)
        .filter(([, value]) => value !== null)
        .map(([word, value]) => `plugin_opt_${word} ${value}`);
    return [`plugin ${modulePath()}`, ...lines];
}

function makePasswordFile(path, users) {
    writeFileSync(path, '', { mode: 0o600 });
    for (const [name, password] of Object.entries(users)) {
        const made = spawnSync('mosquitto_passwd', ['-b', path, name, password]);
        if (made.status !== 0) {
            throw new Error(`mosquitto_passwd: ${made.error ?? made.stderr}`);
        }
    }
}

function configText(broker, settings) {
    const { dir, tcpPort, wsPort } = broker;
    return [
        'user root',
        'log_dest stderr',
        'log_timestamp false',
        ...settings.logTypes.map((type) => `log_type ${type}`),
        `allow_anonymous ${settings.allowAnonymous}`,
        `password_file ${join(dir, 'passwd')}`,
        `acl_file ${join(dir, 'acl')}`,
        'persistence false',
        'set_tcp_nodelay true',
        'allow_duplicate_messages true',
        settings.extraConf,
        ...(settings.plugin ? pluginLines(settings.options) : []),
        `listener ${tcpPort} 127.0.0.1`,
        ...(settings.listeners.includes('ws')
            ? [`listener ${wsPort} 127.0.0.1`, 'socket_domain ipv4', 'protocol websockets']
            : []),
        '',
    ].join('\n');
}

function commandLine(config) {
    // setpriv: the broker dies with this process, even when that is killed.
    return ['setpriv', '--pdeathsig', 'KILL', ...WRAPPER, MOSQUITTO, '-c', config];
}

class Broker {
    #exit = null;
    #wanted = false; // it runs, and is to go on
    #watchers = new Set();
    lines = [];

    constructor(dir, keys, tcpPort, wsPort) {
        Object.assign(this, { dir, keys, tcpPort, wsPort, child: null });
        this.tcpUrl = `mqtt://127.0.0.1:${tcpPort}`;
        this.wsUrl = `ws://127.0.0.1:${wsPort}`;
        this.configFile = join(dir, 'mosquitto.conf');
        leftovers.add(this);
    }

    get pid() {
        return this.child.pid;
    }

    /** All lines of the log so far, over restarts. */
    log() {
        return this.lines;
    }

    /** The first line from index `from` on that matches; waits for it. */
    waitForLog(regex, { timeout = 10000, from = 0 } = {}) {
        const known = this.lines.slice(from).find((line) => regex.test(line));
        if (known !== undefined) {
            return Promise.resolve(known);
        }
        const watcher = { regex };
        const found = new Promise((resolve, reject) => Object.assign(watcher, { resolve, reject }));
        this.#watchers.add(watcher);
        const what = () => `${regex} in the log:\n${this.lines.slice(-60).join('\n')}`;
        return within(timeout, what, found).finally(() => this.#watchers.delete(watcher));
    }

    #onLine(line) {
        this.lines.push(line);
        if (process.env.INVIG_ECHO) {
            console.error(line);
        }
        for (const { regex, resolve } of this.#watchers) {
            if (regex.test(line)) {
                resolve(line);
            }
        }
    }

    /** Starts the process and resolves when it takes connections. Rejects with `code` when it ends
     *  instead; that is also how a refused configuration shows. */
    async start(env = {}) {
        const from = this.lines.length;
        const [command, ...args] = commandLine(this.configFile);
        this.child = spawn(command, args, {
            stdio: ['ignore', 'pipe', 'pipe'],
            env: { ...process.env, ...env },
        });
        // A test that failed before it came to stop() must still be able to end.
        this.child.unref();
        for (const stream of [this.child.stdout, this.child.stderr]) {
            stream.unref();
            createInterface({ input: stream }).on('line', (line) => this.#onLine(line));
        }
        this.#exit = new Promise((resolve, reject) => {
            this.child.once('error', reject);
            this.child.once('close', (code, signal) => {
                resolve({ code, signal });
                this.#watchers.forEach(({ reject }) => reject(new Error('the broker has ended')));
            });
        });
        this.#exit.catch(() => {});
        const ended = this.#exit.then(({ code }) => {
            const text = this.lines.slice(from).join('\n');
            throw Object.assign(new Error(`the broker ended with ${code}:\n${text}`), { code });
        });
        await Promise.race([this.waitForLog(RUNNING, { from, timeout: 20000 }), ended]);
        this.#wanted = true;
        this.#exit.then(() => this.#wanted && this.#show());
        return this;
    }

    // A test that fails because the broker died says little of it: this does.
    #show() {
        const report = this.lines.findIndex((line) => REPORT.test(line));
        const lines = this.lines.slice(report >= 0 ? report : -60);
        console.error(['the broker ended by itself:', ...lines].join('\n'));
    }

    /** Whether it is Mosquitto 2.1 or later. */
    get isNewer() {
        const [, major, minor] = this.lines.map((line) => line.match(RUNNING)).find(Boolean).map(Number);
        return major > 2 || (major === 2 && minor >= 1);
    }

    /** Waits until the broker has gone through its loop. */
    async turn() {
        if (this.tcpUrl) {
            const { hostname, port } = new URL(this.tcpUrl);
            await turnAt(Number(port), hostname);
        }
    }

    /** Sends SIGHUP; resolves when the broker has begun to act on it. */
    async sighup() {
        const from = this.lines.length;
        this.child.kill('SIGHUP');
        await this.waitForLog(/^Reloading config\.$/, { from });
    }

    /** Kills the process as a crash would; the directory stays, and start() may follow. */
    async kill9() {
        this.#wanted = false;
        this.child.kill('SIGKILL');
        await this.#exit;
    }

    /** Ends the broker, removes its directory and resolves to the exit code. Rejects when the
     *  broker crashed, did not end, or a sanitizer or valgrind had something to say. */
    async stop() {
        this.#wanted = false;
        stopping++;
        await this.turn();
        this.child.kill('SIGTERM');
        try {
            const { code, signal } = await within(15000, 'the broker to end', this.#exit);
            const report = this.lines.findIndex((line) => REPORT.test(line));
            if (code !== 0 || report >= 0) {
                const text = this.lines.slice(report >= 0 ? report : -60).join('\n');
                throw new Error(`the broker ended with ${signal ?? code}:\n${text}`);
            }
            return code;
        } finally {
            stopping--;
            this.discard();
        }
    }

    discard() {
        this.#wanted = false;
        this.child?.kill('SIGKILL');
        rmSync(this.dir, { recursive: true, force: true });
        leftovers.delete(this);
    }
}

/** Starts a broker with the plugin. Settings, all optional:
 *
 *  options         plugin options; jwt_jwks_file (all keys) is there by default, null removes one
 *  plugin          false: plain Mosquitto
 *  extraConf       further lines of mosquitto.conf
 *  listeners       ['tcp', 'ws'] by default; 'tcp' is always there
 *  allowAnonymous  false by default
 *  users, acl      the password file ({backend: 'secret'}) and the text of the ACL file
 *  logTypes        error, warning, notice and information by default
 *  prepare(dir, keys)  called before the start; may write files and return further options
 *  env             of the broker's process
 *  config({dir, tcpPort, wsPort, module})  returns the whole mosquitto.conf instead
 *
 *  Rejects with `code` and the log as text when the broker refuses to start. */
export async function startBroker(settings = {}) {
    const full = {
        plugin: true,
        extraConf: '',
        listeners: ['tcp', 'ws'],
        allowAnonymous: false,
        users: { backend: 'secret' },
        acl: ACL,
        logTypes: ['error', 'warning', 'notice', 'information'],
        ...settings,
    };
    for (let attempt = 1; ; attempt++) {
        const broker = await prepareBroker(full);
        try {
            return await broker.start(full.env);
        } catch (error) {
            broker.discard();
            // Another test took the port between the look and the start.
            if (attempt >= 5 || !PORT_TAKEN.test(error.message)) {
                throw error;
            }
        }
    }
}

async function prepareBroker(settings) {
    const dir = mkdtempSync(join(tmpdir(), 'invigilator-'));
    const keys = makeKeys(dir);
    const tcpPort = await freePort();
    const broker = new Broker(dir, keys, tcpPort, await freePort(tcpPort));
    broker.sign = (claims, { key = 'rs', header } = {}) =>
        sign(claims, typeof key === 'string' ? keys[key] : key, header);
    makePasswordFile(join(dir, 'passwd'), settings.users);
    writeFileSync(join(dir, 'acl'), settings.acl, { mode: 0o600 });
    const more = (await settings.prepare?.(dir, keys)) ?? {};
    const options = { jwt_jwks_file: keys.jwksFile, ...settings.options, ...more };
    const text = settings.config
        ? settings.config({ ...broker, module: modulePath() })
        : configText(broker, { ...settings, options });
    writeFileSync(broker.configFile, text);
    return broker;
}
