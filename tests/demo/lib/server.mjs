// SPDX-License-Identifier: Apache-2.0
// server.mjs - the demo's backend as a process of its own, and browsers that talk to it.
import { spawn } from 'node:child_process';
import http from 'node:http';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { within } from '../../broker/lib/wait.mjs';

const SERVER = fileURLToPath(new URL('../../../examples/exam/server.mjs', import.meta.url));

/** Starts it on a free port against `broker`. `env` and `args` on top.
 *
 *  url; stop() resolves to the exit code */
export async function startServer(broker, { args = [], env = {} } = {}) {
    const key = join(broker.dir, 'es-private.pem');
    writeFileSync(key, broker.keys.es.key.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    const child = spawn(process.execPath, [
        SERVER, '--port', '0', '--mqtt', broker.tcpUrl, '--ws', broker.wsUrl, '--key', key, ...args,
    ], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...env } });
    process.once('exit', () => child.kill('SIGKILL'));
    const [line] = await within(10000, 'the server to start', Promise.race([
        once(createInterface({ input: child.stdout }), 'line'),
        once(child, 'close').then(([code]) => { throw new Error(`the server ended with ${code}`); }),
    ]));
    return {
        url: /http:\/\/127\.0\.0\.1:\d+/.exec(line)[0],
        stop: async () => {
            child.kill('SIGTERM');
            const [code] = await within(10000, 'the server to end', once(child, 'close'));
            return code;
        },
    };
}

/** One request, with the path as it is: fetch would tidy it. Resolves to {status, headers, text}. */
export async function request(url, path, { method = 'GET', headers = {}, body } = {}) {
    const { hostname, port } = new URL(url);
    const sent = http.request({ hostname, port, path, method, headers, agent: false });
    sent.end(body);
    const [response] = await once(sent, 'response');
    let text = '';
    for await (const part of response) {
        text += part;
    }
    return { status: response.statusCode, headers: response.headers, text };
}

/** A browser as far as the server knows: keeps cookies, posts JSON. */
export class Browser {
    cookies = new Map();

    constructor(url) {
        this.url = url;
    }

    /** Resolves to {status, headers, json}. */
    async post(path, value = {}, more = {}) {
        const cookie = [...this.cookies].map(([name, text]) => `${name}=${text}`).join('; ');
        const { status, headers, text } = await request(this.url, path, {
            method: 'POST', body: JSON.stringify(value), ...more,
            headers: { 'content-type': 'application/json', ...(cookie && { cookie }), ...more.headers },
        });
        for (const line of headers['set-cookie'] ?? []) {
            const [, name, content] = /^([^=]+)=([^;]*)/.exec(line);
            this.cookies.set(name, content);
        }
        return { status, headers, json: JSON.parse(text) };
    }

    /** Resolves to what the token says, with the answer that it came in as `answer`. */
    async claims(more = {}) {
        const { status, json } = await this.post('/token', more);
        if (status !== 200) {
            throw new Error(`${status} ${json.error}`);
        }
        return { ...JSON.parse(Buffer.from(json.token.split('.')[1], 'base64url')), answer: json };
    }
}
