// SPDX-License-Identifier: Apache-2.0
// files.mjs - the pages, the module and MQTT.js, from a list of names: a path never reaches the disk.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PUBLIC = fileURLToPath(new URL('public/', import.meta.url));
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };
const SHORT = { '/': '/student.html', '/professor': '/professor.html' };

function mqttFile() {
    const { resolve } = createRequire(import.meta.url);
    return join(dirname(resolve('mqtt/package.json')), 'dist/mqtt.esm.js');
}

/** The import map stands in the page, so the policy names it by its hash. */
function importMapHashes(html) {
    const maps = html.matchAll(/<script type="importmap">(.*?)<\/script>/gs);
    return [...maps].map(([, text]) => ` 'sha256-${createHash('sha256').update(text).digest('base64')}'`).join('');
}

/** MQTT.js keeps its timers in a worker made from a blob: there they run on time in hidden tabs too. */
function policyOf(html, brokerOrigin) {
    return [
        "default-src 'self'", `script-src 'self'${importMapHashes(html)}`, `connect-src 'self'${brokerOrigin}`,
        'worker-src blob:', "object-src 'none'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'",
    ].join('; ');
}

/** Maps a path to {body, headers}. `brokerUrl` is what the pages connect to. */
export function readFiles(brokerUrl) {
    const brokerOrigin = brokerUrl.startsWith('/') ? '' : ` ${new URL(brokerUrl).origin}`;
    const files = new Map();
    const add = (path, file) => {
        const body = readFileSync(file);
        const type = TYPES[extname(file)];
        const policy = type === 'text/html'
            ? { 'content-security-policy': policyOf(body.toString(), brokerOrigin) } : {};
        const headers = { 'content-type': `${type}; charset=utf-8`, 'cache-control': 'no-cache', ...policy };
        files.set(path, { body, headers });
    };
    readdirSync(PUBLIC).filter((name) => TYPES[extname(name)])
        .forEach((name) => add(`/${name}`, join(PUBLIC, name)));
    add('/vendor/mqtt.esm.js', mqttFile());
    files.set('/favicon.ico', { body: '', headers: { 'content-type': 'image/x-icon' } }); // browsers ask for it
    Object.entries(SHORT).forEach(([path, name]) => files.set(path, files.get(name)));
    return files;
}
