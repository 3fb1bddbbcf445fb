// SPDX-License-Identifier: Apache-2.0
// proxy.test.mjs - examples/nginx/exam.conf in front of a broker with the plugin: pages log in through
// it, are told what they are told without it, have their own address and nobody else's, and stay.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import net from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import tls from 'node:tls';
import WebSocket from 'ws';
import { within } from '../broker/lib/wait.mjs';
import {
    backend, connect, expectInvalidated, newId, professor, setPhase, startBroker, startExam,
} from '../broker/lib.mjs';
import { lookup, makeCertificate, NAME, ROOT, startNginx, versionOf } from './nginx.mjs';

let broker;
let app;
let nginx;

/** The application: answers with the headers that it got. */
async function startApplication() {
    const server = http.createServer({ maxHeaderSize: 65536 }, (request, response) => {
        response.end(JSON.stringify({ url: request.url, headers: request.headers }));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    server.unref();
    return server;
}

before(async () => {
    [broker, app] = await Promise.all([startBroker(), startApplication()]);
    nginx = await startNginx({ brokerPort: broker.wsPort, appPort: app.address().port });
});
after(async () => {
    await nginx?.stop();
    await broker?.stop();
    app?.closeAllConnections();
});

/** Options of MQTT.js to reach the broker through `proxy`, from the address `from`. */
function way({ from = '127.0.0.1', headers = {}, proxy = nginx, ...more } = {}) {
    const wsOptions = { ca: proxy.tls.ca, lookup, localAddress: from, headers };
    return { url: proxy.url, wsOptions, ...more };
}

async function enter(user, sid, options) {
    return connect({ ...way(options), token: await broker.sign({ sub: user, sid }) });
}

/** A request to nginx, from the address `from`; resolves to { status, headers, text }. */
async function get(path, { from = '127.0.0.1', headers = {}, port = nginx.port, module = https } = {}) {
    const request = module.get({
        host: NAME, port, path, headers, lookup, localAddress: from, ca: nginx.tls.ca, agent: false,
    });
    const [response] = await within(10000, `an answer to ${path}`, once(request, 'response'));
    const chunks = await response.toArray();
    return { status: response.statusCode, headers: response.headers, text: Buffer.concat(chunks).toString() };
}

/** A WebSocket to /mqtt that says nothing of itself; resolves to { socket, status } after the answer. */
async function upgrade(proxy, { from = '127.0.0.1' } = {}) {
    const socket = new WebSocket(proxy.url, 'mqtt', { ca: proxy.tls.ca, lookup, localAddress: from });
    socket.on('error', () => {});
    const answer = Promise.race([
        once(socket, 'open').then(() => 101),
        once(socket, 'unexpected-response').then(([, response]) => response.statusCode),
    ]);
    return { socket, status: await within(10000, 'an answer to the upgrade', answer) };
}

// -- Logging in -----------------------------------------------------------------------------------------

for (const version of [4, 5]) {
    test(`a student logs in through the proxy and is told things, v${version}`, async () => {
        const user = newId('user');
        const page = await enter(user, 's1', { version });
        assert.deepEqual(await page.subscribe([`users/${user}`]), [1]);
        const publisher = await backend(broker);
        await publisher.publish(`users/${user}`, { n: 1 });
        assert.deepEqual((await page.nextMessage(`users/${user}`)).json, { n: 1 });
        // Larger than any buffer on the way.
        const long = 'x'.repeat(100000);
        await publisher.publish(`users/${user}`, long);
        assert.equal((await page.nextMessage(`users/${user}`, { timeout: 20000 })).text, long);
        await Promise.all([page.end(), publisher.end()]);
    });
}

test('a token that is not accepted is refused with a CONNACK', async () => {
    const token = `${await broker.sign({ sub: 'anna', sid: 's1' })}x`;
    await assert.rejects(connect({ ...way(), token }), { code: 5 });
});

test('the notice comes before the end, every time', async () => {
    await Promise.all(Array.from({ length: 20 }, async (_, i) => {
        const version = i % 2 ? 5 : 4;
        const user = newId('user');
        const first = await enter(user, 's1', { version });
        const second = await enter(user, 's2', { version, from: '127.0.0.3' });
        await expectInvalidated(first, user, 's1', 'SUPERSEDED', version);
        assert.ok(second.isOpen);
        await second.end();
    }));
});

test('the page comes from the same origin', async () => {
    const { status, text } = await get('/exam/e1?x=1', { from: '127.0.0.4' });
    assert.equal(status, 200);
    const { url, headers } = JSON.parse(text);
    assert.equal(url, '/exam/e1?x=1');
    assert.equal(headers.host, NAME);
    assert.equal(headers['x-forwarded-proto'], 'https');
    assert.equal(headers['x-forwarded-for'], '127.0.0.4');
});

test('plain http points to https', async () => {
    const { status, headers } = await get('/exam', { module: http, port: nginx.httpPort });
    assert.equal(status, 301);
    assert.equal(headers.location, `https://${NAME}/exam`);
});

test('/mqtt is for WebSockets alone', async () => {
    assert.equal((await get('/mqtt')).status, 426);
});

// -- Addresses ------------------------------------------------------------------------------------------

// Mosquitto 2.1 ignores what the proxy says of addresses: it knows the proxy's alone.
const headerCounts = () => versionOf(broker).startsWith('2.0.');

const FORGED = '203.0.113.9';
const FORGERIES = {
    'no header': {},
    'X-Forwarded-For': { 'X-Forwarded-For': FORGED },
    'a list': { 'X-Forwarded-For': `${FORGED}, 198.51.100.7` },
    'two headers': { 'X-Forwarded-For': [FORGED, '198.51.100.7'] },
    'letter case': { 'x-FORWARDED-for': FORGED },
    'an underscore': { X_Forwarded_For: FORGED },
    'Forwarded': { Forwarded: `for=${FORGED};by=${FORGED};proto=https` },
    'X-Real-IP': { 'X-Real-IP': FORGED },
    'all of them': { 'X-Forwarded-For': FORGED, 'Forwarded': `for=${FORGED}`, 'X-Real-IP': FORGED },
};

for (const [name, headers] of Object.entries(FORGERIES)) {
    test(`the log has the client's own address: ${name}`, async () => {
        const user = newId('user');
        const log = broker.log().length;
        const page = await enter(user, 's1', { from: '127.0.0.5', headers });
        const line = await broker.waitForLog(new RegExp(`^invigilator: accepted user=${user} `), { from: log });
        const address = headerCounts() ? '127.0.0.5' : '127.0.0.1';
        assert.equal(line.match(/ address=(\S+)/)[1], address);
        assert.deepEqual(broker.log().slice(log).filter((each) => each.includes(FORGED)), []);
        await page.end();

        const { text } = await get('/', { from: '127.0.0.5', headers });
        assert.ok(!text.includes(FORGED), `the application is told ${text}`);
        assert.equal(JSON.parse(text).headers['x-forwarded-for'], '127.0.0.5');
    });
}

test('a session used from two addresses is reported, and one that only says so is not', async (t) => {
    if (!headerCounts()) {
        return t.skip(`this is ${versionOf(broker)}`);
    }
    const publisher = await backend(broker);
    const here = way({ from: '127.0.0.6' });
    const { e, user, page, enter: again } = await startExam(broker, publisher, newId('exam'), here);
    const watcher = await professor(broker, [e]);
    await watcher.subscribe([`evaluations/${e}/incidents`]);
    const same = await again(1, way({ from: '127.0.0.6', headers: { 'X-Forwarded-For': FORGED } }));
    await same.ping();
    const other = await again(1, way({ from: '127.0.0.7' }));
    const { json } = await watcher.nextMessage(`evaluations/${e}/incidents`);
    assert.equal(json.kind, 'SHARED_SESSION');
    assert.equal(json.userId, user);
    assert.equal(json.address, '127.0.0.7');
    assert.equal(watcher.messages.length, 1);
    await setPhase(publisher, e, 'FINISHED');
    await Promise.all([page, same, other, watcher, publisher].map((client) => client.end()));
});

// -- Cookies --------------------------------------------------------------------------------------------

for (const size of [4096, 8192, 15000]) {
    test(`a Cookie header of ${size} bytes is no obstacle`, async () => {
        const headers = { Cookie: `session=${'c'.repeat(size - 8)}` };
        const page = await enter(newId('user'), 's1', { headers });
        await page.ping();
        assert.ok(page.isOpen);
        await page.end();
        // The application gets it whole.
        const { text } = await get('/', { headers });
        assert.equal(JSON.parse(text).headers.cookie, headers.Cookie);
    });
}

test('a larger one is answered, not hung up on', async () => {
    assert.equal((await get('/mqtt', { headers: { Cookie: 'c'.repeat(20000) } })).status, 400);
});

// -- Staying --------------------------------------------------------------------------------------------

async function servedSerial() {
    const socket = await tlsConnect({ rejectUnauthorized: false });
    const { serialNumber } = socket.getPeerCertificate();
    socket.destroy();
    return serialNumber;
}

test('a reload takes a new certificate and drops nobody', async () => {
    const user = newId('user');
    const serial = await servedSerial();
    const publisher = await backend(broker);
    const page = await enter(user, 's1');
    await page.subscribe([`users/${user}`]);
    nginx.tls = makeCertificate(nginx.dir);
    await nginx.reload();
    // The old worker is told to go, and stays for this page; a new one takes the next.
    const next = await enter(user, 's1');
    assert.notEqual(await servedSerial(), serial);
    await publisher.publish(`users/${user}`, { n: 2 });
    assert.deepEqual((await page.nextMessage(`users/${user}`)).json, { n: 2 });
    await page.ping();
    assert.ok(page.isOpen && next.isOpen);
    await Promise.all([page.end(), next.end(), publisher.end()]);
});

/** All values of a directive in nginx's own listing of its configuration. */
function settings(name) {
    const lines = nginx.effectiveConfig().split('\n').map((line) => line.trim());
    const values = lines.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1));
    return values.map((value) => value.replace(/;$/, ''));
}

function seconds(text) {
    assert.match(text, /^\d+s$/);
    return Number.parseInt(text, 10);
}

test('nginx waits longer than the broker for a silent client', () => {
    const options = readFileSync(join(ROOT, 'plugin/core/option.c'), 'utf8');
    const [, keepalive] = options.match(/X\("max_keepalive", [^"]*"(\d+)"/);
    const [timeout, ...more] = settings('proxy_read_timeout').map(seconds);
    assert.deepEqual(more, []);
    assert.ok(timeout > 1.5 * Number(keepalive), `${timeout} s, where the broker waits 1.5 x ${keepalive} s`);
    // And it ends in time what never says anything: a minute more at most.
    assert.ok(timeout <= 1.5 * Number(keepalive) + 60);
    assert.deepEqual(settings('worker_shutdown_timeout'), []);
});

// -- TLS ------------------------------------------------------------------------------------------------

function tlsConnect(options) {
    const socket = tls.connect({ host: '127.0.0.1', port: nginx.port, servername: NAME, ca: nginx.tls.ca, ...options });
    return within(10000, 'TLS', once(socket, 'secureConnect')).then(() => socket);
}

test('TLS 1.2 and 1.3, and none before', async () => {
    assert.deepEqual(settings('ssl_protocols'), ['TLSv1.2 TLSv1.3']);
    for (const version of ['TLSv1.2', 'TLSv1.3']) {
        const socket = await tlsConnect({ minVersion: version, maxVersion: version });
        assert.equal(socket.getProtocol(), version);
        socket.destroy();
    }
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' };
    await assert.rejects(tlsConnect(old));
});

test('browsers with HTTP/2 open WebSockets with HTTP/1.1', async () => {
    // Over HTTP/2 they would, if the server said that it can: Firefox does.
    const session = http2.connect(nginx.pageUrl, { ca: nginx.tls.ca, lookup });
    const [remote] = await within(10000, 'SETTINGS', once(session, 'remoteSettings'));
    assert.equal(session.alpnProtocol, 'h2');
    assert.equal(remote.enableConnectProtocol, false);
    session.destroy();
    const socket = await tlsConnect({ ALPNProtocols: ['http/1.1'] });
    assert.equal(socket.alpnProtocol, 'http/1.1');
    socket.destroy();
});

// -- Limits ---------------------------------------------------------------------------------------------

/** An nginx of its own with other numbers in the example. */
async function withNginx(t, changes) {
    const proxy = await startNginx({ brokerPort: broker.wsPort, changes });
    t.after(() => proxy.stop());
    return proxy;
}

describe('limits', () => {
    test('so many connections of one address, and others come in', async (t) => {
        const proxy = await withNginx(t, [['limit_conn mqtt_of_address 2000;', 'limit_conn mqtt_of_address 2;']]);
        const open = [await upgrade(proxy), await upgrade(proxy)];
        assert.deepEqual(open.map(({ status }) => status), [101, 101]);
        assert.equal((await upgrade(proxy)).status, 503);
        const other = await upgrade(proxy, { from: '127.0.0.8' });
        assert.equal(other.status, 101);
        [...open, other].forEach(({ socket }) => socket.terminate());
    });

    test('so many connections in all', async (t) => {
        const proxy = await withNginx(t, [['limit_conn mqtt_in_all 12000;', 'limit_conn mqtt_in_all 2;']]);
        const open = [await upgrade(proxy), await upgrade(proxy, { from: '127.0.0.8' })];
        assert.deepEqual(open.map(({ status }) => status), [101, 101]);
        assert.equal((await upgrade(proxy, { from: '127.0.0.9' })).status, 503);
        open.forEach(({ socket }) => socket.terminate());
    });

    test('a connection that never sends CONNECT is ended', async (t) => {
        const proxy = await withNginx(t, [['proxy_read_timeout 100s;', 'proxy_read_timeout 1s;']]);
        const { socket, status } = await upgrade(proxy);
        assert.equal(status, 101);
        await within(10000, 'the end of a silent connection', once(socket, 'close'));
    });

    test('so is one that never finishes TLS or its request', async (t) => {
        const proxy = await withNginx(t, [['client_header_timeout 10s;', 'client_header_timeout 1s;']]);
        const socket = tls.connect({ host: '127.0.0.1', port: proxy.port, servername: NAME, ca: proxy.tls.ca });
        socket.on('error', () => {});
        await within(10000, 'TLS', once(socket, 'secureConnect'));
        socket.write('GET /mqtt HTTP/1.1\r\n');
        const silent = net.connect({ host: '127.0.0.1', port: proxy.port });
        const ends = [socket, silent].map((each) => once(each.resume(), 'close'));
        await within(10000, 'the end of both', Promise.all(ends));
    });
});
