// SPDX-License-Identifier: Apache-2.0
// nginx.mjs - nginx with the example's site, on loopback and in a directory of its own, as an ordinary
// child process that ends with the test.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { freePort } from '../broker/lib/port.mjs';
import { within } from '../broker/lib/wait.mjs';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const SITE = readFileSync(join(ROOT, 'examples/nginx/exam.conf'), 'utf8');
export const NAME = 'exam.example.org';

const NGINX = process.env.INVIG_NGINX ?? 'nginx';
const PORT_TAKEN = /Address already in use/;
const CERTIFICATE = '/etc/letsencrypt/live/exam.example.org';

const leftovers = new Set();

process.on('exit', () => leftovers.forEach((nginx) => nginx.discard()));

/** Makes a certificate for the example's name in `dir`: fullchain.pem and privkey.pem. */
export function makeCertificate(dir) {
    const files = { cert: join(dir, 'fullchain.pem'), key: join(dir, 'privkey.pem') };
    execFileSync('openssl', [
        'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
        '-subj', `/CN=${NAME}`, '-addext', `subjectAltName=DNS:${NAME}`,
        '-keyout', files.key, '-out', files.cert,
    ], { stdio: ['ignore', 'ignore', 'pipe'] });
    return { ...files, ca: readFileSync(files.cert, 'utf8') };
}

/** `text` with each [from, to, count] of `replacements` done; the example must have `from` exactly so
 *  often (1 by default) outside its comments. */
export function substitute(text, replacements) {
    return replacements.reduce((before, [from, to, count = 1]) => {
        let seen = 0;
        const lines = before.split('\n').map((line) => {
            if (line.trimStart().startsWith('#') || !line.includes(from)) {
                return line;
            }
            seen++;
            return line.replace(from, to);
        });
        assert.equal(seen, count, `"${from}" is ${seen} times in the example, not ${count}`);
        return lines.join('\n');
    }, text);
}

/** What Debian's nginx.conf has around a site. */
function mainConfig() {
    const temps = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
    return [
        ...(process.getuid() === 0 ? ['user root;'] : []),
        'worker_processes 2;',
        'pid nginx.pid;',
        'error_log stderr notice;',
        'events { worker_connections 768; }',
        'http {',
        '    access_log off;',
        ...temps.map((name) => `    ${name}_temp_path ${name};`),
        '    include site.conf;',
        '}',
        '',
    ].join('\n');
}

class Nginx {
    #watchers = new Set();
    lines = [];

    constructor(dir, ports) {
        Object.assign(this, { dir, port: ports.tls, httpPort: ports.http, child: null });
        this.url = `wss://${NAME}:${ports.tls}/mqtt`;
        this.pageUrl = `https://${NAME}:${ports.tls}/`;
        leftovers.add(this);
    }

    args(...more) {
        return ['-p', this.dir, '-c', join(this.dir, 'nginx.conf'), '-e', 'stderr', ...more];
    }

    /** The configuration as nginx itself reads it. */
    effectiveConfig() {
        return execFileSync(NGINX, this.args('-T'), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    }

    #onLine(line) {
        this.lines.push(line);
        if (process.env.INVIG_ECHO) {
            console.error(line);
        }
        this.#watchers.forEach(({ regex, resolve }) => regex.test(line) && resolve(line));
    }

    /** The first line of the error log from index `from` on that matches; waits for it. */
    waitForLog(regex, from = 0) {
        const known = this.lines.slice(from).find((line) => regex.test(line));
        if (known !== undefined) {
            return Promise.resolve(known);
        }
        const watcher = { regex };
        const found = new Promise((resolve, reject) => Object.assign(watcher, { resolve, reject }));
        this.#watchers.add(watcher);
        const what = () => `${regex} in nginx's log:\n${this.lines.join('\n')}`;
        return within(10000, what, found).finally(() => this.#watchers.delete(watcher));
    }

    /** Resolves when it takes connections: the listening sockets are there before the workers are. */
    async start() {
        // setpriv: it ends, with its workers, when this process does, even when that is killed.
        const args = ['--pdeathsig', 'TERM', NGINX, ...this.args('-g', 'daemon off;')];
        this.child = spawn('setpriv', args, { stdio: ['ignore', 'ignore', 'pipe'] });
        this.child.unref();
        this.child.stderr.unref();
        createInterface({ input: this.child.stderr }).on('line', (line) => this.#onLine(line));
        this.ended = new Promise((resolve, reject) => {
            this.child.once('error', reject);
            this.child.once('close', (code) => {
                resolve(code);
                const error = new Error(`nginx ended with ${code}:\n${this.lines.join('\n')}`);
                this.#watchers.forEach(({ reject: fail }) => fail(error));
            });
        });
        this.ended.catch(() => {});
        await this.waitForLog(/ start worker process \d+$/);
        return this;
    }

    /** Sends SIGHUP; resolves when no old worker takes connections any more. */
    async reload() {
        const workers = this.lines.map((line) => line.match(/ start worker process (\d+)$/)?.[1]).filter(Boolean);
        this.child.kill('SIGHUP');
        await Promise.all(workers.map((pid) => this.waitForLog(new RegExp(` ${pid}#\\d+: gracefully shutting down$`))));
    }

    /** Ends it and its workers; rejects when it had something serious to say. (A worker that a reload
     *  had told to go names the connections it still has when it is ended; that is not.) */
    async stop() {
        this.child.kill('SIGTERM');
        const code = await within(10000, 'nginx to end', this.ended).finally(() => this.discard());
        assert.equal(code, 0);
        const isSerious = (line) => / \[(alert|emerg|crit)\] /.test(line) && !/ open socket #\d+ left | aborting$/.test(line);
        assert.deepEqual(this.lines.filter(isSerious), []);
    }

    discard() {
        this.child?.kill('SIGTERM');
        rmSync(this.dir, { recursive: true, force: true });
        leftovers.delete(this);
    }
}

async function prepareNginx({ brokerPort, appPort, changes, text }) {
    const dir = mkdtempSync(join(tmpdir(), 'invigilator-nginx-'));
    const ports = { tls: await freePort(), http: await freePort() };
    const nginx = new Nginx(dir, ports);
    nginx.tls = makeCertificate(dir);
    const site = substitute(text, [
        [CERTIFICATE, dir, 2],
        // The second of each pair is for IPv6, which not every machine has.
        ['listen 80;', `listen 127.0.0.1:${ports.http};`],
        ['listen [::]:80;', `listen 127.0.0.2:${ports.http};`],
        ['listen 443 ', `listen 127.0.0.1:${ports.tls} `],
        ['listen [::]:443 ', `listen 127.0.0.2:${ports.tls} `],
        ['server 127.0.0.1:3000;', `server 127.0.0.1:${appPort};`],
        ['server 127.0.0.1:9001;', `server 127.0.0.1:${brokerPort};`],
        ...changes,
    ]);
    writeFileSync(join(dir, 'site.conf'), site);
    writeFileSync(join(dir, 'nginx.conf'), mainConfig());
    return nginx;
}

/** Starts nginx with examples/nginx/exam.conf in front of the two ports, changed in ports and paths;
 *  `changes` are further replacements, as substitute() takes them. */
export async function startNginx({ brokerPort, appPort = 1, changes = [], text = SITE }) {
    for (let attempt = 1; ; attempt++) {
        const nginx = await prepareNginx({ brokerPort, appPort, changes, text });
        try {
            return await nginx.start();
        } catch (error) {
            nginx.discard();
            if (attempt >= 5 || !PORT_TAKEN.test(error.message)) {
                throw error;
            }
        }
    }
}

/** The version of a broker, as "2.0.21". */
export function versionOf(broker) {
    return broker.log().find((line) => /^mosquitto version /.test(line)).split(' ')[2];
}

/** The example's name is no host's; this leads to loopback, as /etc/hosts would. */
export function lookup(host, options, callback) {
    const address = { address: '127.0.0.1', family: 4 };
    return options.all ? callback(null, [address]) : callback(null, address.address, 4);
}
