// SPDX-License-Identifier: Apache-2.0
// refresh.test.mjs - enhanced authentication of MQTT 5: the token as authentication data of method
// JWT, and a newer one in the middle of a connection.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connect, login, newId, now, publishRetained, setPhase, service, backend, startBroker } from './lib.mjs';
import { leftLine } from './lib/logline.mjs';
import { within } from './lib/wait.mjs';

let broker;
before(async () => {
    broker = await startBroker({ options: { jwt_leeway: '0' } });
});
after(() => broker.stop());

/** Connects with a token as authentication data, and nothing as password. */
function enter(token, { user, method = 'JWT', ...options }) {
    return connect({
        url: broker.wsUrl, version: 5, username: user, token: undefined, clientId: `${user}:${newId('x')}`,
        properties: { authenticationMethod: method, authenticationData: Buffer.from(token) }, ...options,
    });
}

/** Shows a newer token. Resolves to the reason code of the answering AUTH, or of the first DISCONNECT
 *  (Mosquitto sends another behind it). */
async function refresh(client, token) {
    const answer = new Promise((resolve) => {
        client.client.on('packetreceive', ({ cmd, reasonCode }) => {
            if (cmd === 'auth' || cmd === 'disconnect') {
                resolve(reasonCode);
            }
        });
    });
    client.client._sendPacket({
        cmd: 'auth', reasonCode: 0x19,
        properties: { authenticationMethod: 'JWT', authenticationData: Buffer.from(token) },
    });
    return within(5000, 'the answer to AUTH', answer);
}

const claimsOf = (user, more = {}) => ({ sub: user, sid: 's1', ...more });

for (const [name, url] of [['WebSockets', () => broker.wsUrl], ['TCP', () => broker.tcpUrl]]) {
    test(`a token as authentication data lets in, and a newer one moves the end: ${name}`, async () => {
        const user = newId('student');
        const e = newId('exam');
        const publisher = await backend(broker);
        const first = await broker.sign(claimsOf(user, { exp: now() + 5 }));
        const page = await enter(first, { user, url: url() });
        assert.deepEqual(await page.subscribe([`users/${user}`, `evaluations/${e}`]), [1, 0x87]);
        await page.nextMessage(({ json }) => json?.type === 'SESSION_EXPIRING');
        assert.equal(await refresh(page, await broker.sign(claimsOf(user, { evaluations: [e] }))), 0);
        await broker.waitForLog(new RegExp(`^invigilator: refreshed user=${user} `));
        // A second page with the first token ends when that does; the first page stays.
        const other = await enter(await broker.sign(claimsOf(user, { exp: now() + 4 })), { user });
        await other.nextMessage(({ json }) => json?.reason === 'EXPIRED');
        await publishRetained(publisher, `users/${user}`, { type: 'HELLO' });
        assert.equal((await page.nextMessage(`users/${user}`)).json.type, 'HELLO');
        assert.deepEqual(await page.subscribe([`evaluations/${e}`]), [1]);
        assert.ok(page.messages.every(({ json }) => json.type !== 'SESSION_INVALIDATED'));
        await Promise.all([page, publisher].map((client) => client.end()));
    });
}

test('access that begins with the newer token brings the last message', async () => {
    const user = newId('student');
    const e = newId('exam');
    const publisher = await backend(broker);
    await setPhase(publisher, e, 'GRADING');
    const page = await enter(await broker.sign(claimsOf(user)), { user });
    assert.equal(await refresh(page, await broker.sign(claimsOf(user, { evaluations: [e] }))), 0);
    assert.equal((await page.nextMessage(`evaluations/${e}`)).json.phase, 'GRADING');
    await Promise.all([page, publisher].map((client) => client.end()));
});

test('a bad token at CONNECT is refused with 135, and another method with 140', async () => {
    const user = newId('student');
    const good = await broker.sign(claimsOf(user));
    const bad = [
        ['', 'token_malformed'],
        ['no token', 'token_malformed'],
        [`${good}\0`, 'token_malformed'],
        [await broker.sign(claimsOf(user, { exp: now() - 1 })), 'expired'],
        [`${good.slice(0, -6)}AAAAAA`, 'signature_invalid'],
        [await broker.sign(claimsOf(newId('other'))), 'username_mismatch'],
    ];
    for (const [token, reason] of bad) {
        const from = broker.log().length;
        // MQTT.js sends no bytes as a frame of their own, and an empty frame ends a WebSocket of Mosquitto 2.1.
        const url = token === '' && broker.isNewer ? broker.tcpUrl : broker.wsUrl;
        await assert.rejects(enter(token, { user, url }), (error) => error.code === 135, reason);
        await broker.waitForLog(new RegExp(`^invigilator: refused reason=${reason}\\b`), { from });
    }
    await assert.rejects(enter(good, { user, method: 'SCRAM-SHA-1' }), (error) => error.code === 140);
});

test('a newer token of another user, session or form ends the connection with 135', async () => {
    const others = [
        (user) => broker.sign(claimsOf(newId('other'), { role: user && 'student' })),
        (user) => broker.sign(claimsOf(user, { sid: 's2' })),
        (user) => broker.sign(claimsOf(user, { exp: now() - 1 })),
        () => 'no token',
    ];
    for (const make of others) {
        const user = newId('student');
        const page = await enter(await broker.sign(claimsOf(user)), { user });
        assert.equal(await refresh(page, await make(user)), 135);
        // Its session is as good as before.
        const back = await login(broker, claimsOf(user));
        assert.deepEqual(await back.subscribe([`users/${user}`]), [1]);
        await back.end();
    }
});

test('a page that is superseded is told, whatever it shows in that moment', async () => {
    const user = newId('student');
    const token = await broker.sign(claimsOf(user));
    const page = await enter(token, { user });
    const [next] = await Promise.all([login(broker, { sub: user, sid: 's2' }), refresh(page, token)]);
    assert.equal((await page.nextMessage(({ json }) => json?.type === 'SESSION_INVALIDATED')).json.reason, 'SUPERSEDED');
    await page.closed;
    await next.end();
});

test('who came in with a password may not change to the method', async () => {
    const user = newId('student');
    const page = await login(broker, claimsOf(user), { version: 5 });
    assert.equal(await refresh(page, await broker.sign(claimsOf(user))), 130);
});

test('SIGHUP drops nobody who came in so', async () => {
    const user = newId('student');
    const lasting = { user, clientId: `${user}:lasting` };
    const properties = (token) => ({
        authenticationMethod: 'JWT', authenticationData: Buffer.from(token), sessionExpiryInterval: 300,
    });
    const away = await enter('', { ...lasting, properties: properties(await broker.sign(claimsOf(user))) });
    await away.end(); // its MQTT session stays
    await broker.waitForLog(leftLine(lasting.clientId));
    const page = await enter(await broker.sign(claimsOf(user)), { user });
    const from = broker.log().length;
    broker.child.kill('SIGHUP');
    await broker.waitForLog(/^invigilator: reloaded /, { from });
    const watcher = await service(broker);
    await watcher.ping();
    await page.ping();
    assert.ok(page.isOpen);
    assert.equal(await refresh(page, await broker.sign(claimsOf(user))), 0);
    const lines = broker.log().slice(from).filter((line) => line.includes(lasting.clientId));
    assert.deepEqual(lines, []); // it was asked about, too, and left alone
    const back = await enter('', { ...lasting, clean: false, properties: properties(await broker.sign(claimsOf(user))) });
    assert.equal(back.connack.sessionPresent, true);
    await Promise.all([page, watcher, back].map((client) => client.end()));
});
