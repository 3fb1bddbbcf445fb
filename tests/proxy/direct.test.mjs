// SPDX-License-Identifier: Apache-2.0
// direct.test.mjs - examples/nginx/mosquitto-wss.conf: TLS by Mosquitto itself, and what its comments say
// of it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http2 from 'node:http2';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import tls from 'node:tls';
import { freePort } from '../broker/lib/port.mjs';
import { within } from '../broker/lib/wait.mjs';
import { connect, newId, startBroker } from '../broker/lib.mjs';
import { lookup, makeCertificate, NAME, ROOT, substitute, versionOf } from './nginx.mjs';

const FRAGMENT = readFileSync(join(ROOT, 'examples/nginx/mosquitto-wss.conf'), 'utf8');

let broker;
let files;
const ports = {};

/** The fragment on loopback, with the certificate in `dir`. */
function fragmentIn(dir) {
    return substitute(FRAGMENT, [
        ['listener 8883', `listener ${ports.mqtts} 127.0.0.1`],
        // Mosquitto 2.0 heeds the address of a WebSockets listener only beside this.
        ['listener 8083', `listener ${ports.wss} 127.0.0.1\nsocket_domain ipv4`],
        ['/etc/mosquitto/tls/fullchain.pem', join(dir, 'fullchain.pem'), 2],
        ['/etc/mosquitto/tls/privkey.pem', join(dir, 'privkey.pem'), 2],
    ]);
}

before(async () => {
    broker = await startBroker({
        async prepare(dir) {
            Object.assign(ports, { mqtts: await freePort(), wss: await freePort() });
            files = makeCertificate(dir);
            this.extraConf = fragmentIn(dir);
        },
    });
});
after(() => broker?.stop());

async function enter(user, { headers = {}, ...more } = {}) {
    const wsOptions = { ca: files.ca, lookup, headers };
    const token = await broker.sign({ sub: user, sid: 's1' });
    return connect({ url: `wss://${NAME}:${ports.wss}/`, token, wsOptions, ...more });
}

function tlsConnect(options) {
    const socket = tls.connect({ host: '127.0.0.1', servername: NAME, ca: files.ca, ...options });
    return within(10000, 'TLS', once(socket, 'secureConnect')).then(() => socket);
}

test('a page logs in over wss, and the backend over TLS', async () => {
    const user = newId('user');
    const page = await enter(user);
    await page.subscribe([`users/${user}`]);
    const publisher = await connect({
        url: `mqtts://${NAME}:${ports.mqtts}`, username: 'backend', password: 'secret', ca: files.ca, lookup,
    });
    await publisher.publish(`users/${user}`, { n: 1 });
    assert.deepEqual((await page.nextMessage(`users/${user}`)).json, { n: 1 });
    await Promise.all([page.end(), publisher.end()]);
});

for (const size of [4096, 8192]) {
    test(`a Cookie header of ${size} bytes is no obstacle`, async () => {
        const page = await enter(newId('user'), { headers: { Cookie: `session=${'c'.repeat(size - 8)}` } });
        await page.ping();
        assert.ok(page.isOpen);
        await page.end();
    });
}

test('TLS 1.2 and 1.3, and none before', async () => {
    for (const port of [ports.mqtts, ports.wss]) {
        for (const protocol of ['TLSv1.2', 'TLSv1.3']) {
            const socket = await tlsConnect({ port, minVersion: protocol, maxVersion: protocol });
            assert.equal(socket.getProtocol(), protocol);
            socket.destroy();
        }
        const old = { port, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' };
        await assert.rejects(tlsConnect(old));
    }
});

test('a renewed certificate is served after SIGHUP, to a listener with a page on it', async () => {
    const page = await enter(newId('user'));
    const serials = () => Promise.all([ports.mqtts, ports.wss].map(async (port) => {
        const socket = await tlsConnect({ port, rejectUnauthorized: false });
        const { serialNumber } = socket.getPeerCertificate();
        socket.destroy();
        return serialNumber;
    }));
    const [before] = await serials();
    files = makeCertificate(broker.dir);
    await broker.sighup();
    const [mqtts, wss] = await serials();
    assert.notEqual(mqtts, before);
    assert.equal(wss, mqtts);
    await page.ping();
    assert.ok(page.isOpen);
    await page.end();
});

// What the comments warn of. Where one of these fails with a newer Mosquitto, the warning can go.

test('2.0.21: a browser that offers HTTP/2, as Firefox does, is taken at its word', async (t) => {
    if (versionOf(broker) !== '2.0.21') {
        return t.skip(`this is ${versionOf(broker)}`);
    }
    const session = http2.connect(`https://${NAME}:${ports.wss}`, { ca: files.ca, lookup });
    session.on('error', () => {});
    const [remote] = await within(10000, 'SETTINGS', once(session, 'remoteSettings'));
    assert.equal(session.alpnProtocol, 'h2');
    assert.equal(remote.enableConnectProtocol, true);
    session.destroy();
});

test('2.0: a client makes up its own address', async (t) => {
    if (!versionOf(broker).startsWith('2.0.')) {
        return t.skip(`this is ${versionOf(broker)}`);
    }
    const user = newId('user');
    const page = await enter(user, { headers: { 'X-Forwarded-For': '203.0.113.9' } });
    const line = await broker.waitForLog(new RegExp(`^invigilator: accepted user=${user} `));
    assert.match(line, / address=203\.0\.113\.9( |$)/);
    await page.end();
});
