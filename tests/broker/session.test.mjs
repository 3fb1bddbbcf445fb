// SPDX-License-Identifier: Apache-2.0
// session.test.mjs - one login a user: who is told what, in which order, on every transport and version.
import assert from 'node:assert/strict';
import { chmodSync, renameSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { connect, makeKeys, now, rawConnect, sign, startBroker } from './lib.mjs';
import { kickedLine } from './lib/logline.mjs';

let broker;
let users = 0;

before(async () => {
    broker = await startBroker({ options: { jwt_leeway: '0', expiry_notice: '2', max_connections_per_session: '3' } });
});
after(() => broker.stop());

const newUser = () => `user${++users}`;

async function login(user, sid, options = {}) {
    const { claims, key, ...rest } = options;
    const token = await broker.sign({ sub: user, sid, ...claims }, { key });
    return connect({ url: broker.wsUrl, token, ...rest });
}

async function expectEnd(client, user, sid, reason, version = 4) {
    const notice = await client.nextMessage(`users/${user}/sessions/${sid}`);
    const { at, ...rest } = notice.json;
    assert.deepEqual(rest, { type: 'SESSION_INVALIDATED', userId: user, sessionId: sid, reason });
    assert.match(at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.equal(await client.closed, version === 5 ? 0x98 : undefined);
}

for (const transport of ['tcpUrl', 'wsUrl']) {
    for (const version of [4, 5]) {
        test(`a second login ends the first: ${transport}, v${version}`, async () => {
            const user = newUser();
            const first = await login(user, 's1', { url: broker[transport], version });
            const second = await login(user, 's2', { url: broker[transport], version });
            await expectEnd(first, user, 's1', 'SUPERSEDED', version);
            assert.ok(second.isOpen);

            // It comes back by itself: let in, told, refused every topic, disconnected.
            const back = await login(user, 's1', { url: broker[transport], version });
            const codes = await back.subscribe([`users/${user}/#`, `users/${user}`]);
            assert.ok(codes.every((code) => code >= 0x80));
            await expectEnd(back, user, 's1', 'SUPERSEDED', version);
            assert.equal(back.messages.length, 1);
            assert.ok(second.isOpen);
            await second.end();
        });

        test(`the same client id: ${transport}, v${version}`, async () => {
            const user = newUser();
            const options = { url: broker[transport], version, clientId: `${user}:page` };
            const first = await login(user, 's1', options);
            const second = await login(user, 's2', options);
            assert.equal(await first.closed, version === 5 ? 0x8e : undefined);
            await assert.rejects(login(user, 's1', options), (error) => error.code === (version === 5 ? 135 : 5));
            const back = await login(user, 's1', { ...options, clientId: `${user}:other` });
            await expectEnd(back, user, 's1', 'SUPERSEDED', version);
            assert.equal(second.messages.length, 0);
            assert.ok(second.isOpen);
            await second.end();
        });
    }
}

test('rights end with the second login, before any disconnect', async () => {
    const user = newUser();
    const backend = await connect({ url: broker.tcpUrl, username: 'backend', password: 'secret', clientId: 'b' });
    const first = await login(user, 's1');
    await first.subscribe([`users/${user}/#`]);
    const second = await login(user, 's2', { url: broker.tcpUrl });
    await second.subscribe([`users/${user}`]);
    await backend.publish(`users/${user}`, '{"n":1}');
    await second.nextMessage(`users/${user}`);
    await expectEnd(first, user, 's1', 'SUPERSEDED');
    assert.equal(first.messages.length, 1);
    await second.end();
    await backend.end();
});

test('tabs live side by side, up to the limit', async () => {
    const user = newUser();
    const tabs = [];
    for (let i = 0; i < 3; i++) {
        tabs.push(await login(user, 's1', { clientId: `${user}:${i}` }));
    }
    await assert.rejects(login(user, 's1'), (error) => error.code === 5);
    const again = await login(user, 's1', { clientId: `${user}:0` });
    await tabs[0].closed;
    assert.ok(again.isOpen && tabs[1].isOpen && tabs[2].isOpen);
    await Promise.all([again.end(), tabs[1].end(), tabs[2].end()]);
});

test('an older login never displaces a newer one', async () => {
    const user = newUser();
    const current = await login(user, 's2', { claims: { auth_time: now() - 10 } });
    const late = await login(user, 's1', { claims: { auth_time: now() - 500 } });
    await expectEnd(late, user, 's1', 'SUPERSEDED');
    assert.ok(current.isOpen);
    await current.end();
    const later = await login(user, 's1', { claims: { auth_time: now() - 500, iat: now() } });
    await expectEnd(later, user, 's1', 'SUPERSEDED');
});

test('professors may have several logins', async () => {
    const user = newUser();
    const claims = { role: 'professor' };
    const first = await login(user, 's1', { claims });
    const second = await login(user, 's2', { claims });
    await first.ping();
    assert.ok(first.isOpen && second.isOpen);
    await Promise.all([first.end(), second.end()]);
});

test('a token runs out: announced, told, disconnected; the session goes on', async () => {
    const user = newUser();
    const exp = now() + 4;
    const client = await login(user, 's1', { claims: { exp } });
    const renewed = await login(user, 's1', { clientId: `${user}:new` });
    const expiring = await client.nextMessage(`users/${user}/sessions/s1`, { timeout: 10000 });
    assert.deepEqual(expiring.json, {
        type: 'SESSION_EXPIRING', userId: user, sessionId: 's1',
        expiresAt: new Date(exp * 1000).toISOString().replace('.000', ''),
    });
    await expectEnd(client, user, 's1', 'EXPIRED');
    await renewed.ping();
    assert.equal(renewed.messages.length, 0);
    await renewed.end();
});

test('a token with less left than the notice time is announced at once', async () => {
    const user = newUser();
    const client = await login(user, 's1', { claims: { exp: now() + 2 } });
    assert.equal((await client.nextMessage()).json.type, 'SESSION_EXPIRING');
    await expectEnd(client, user, 's1', 'EXPIRED');
});

test('a service without a session is only disconnected', async () => {
    const user = newUser();
    const client = await login(user, undefined, { version: 5, claims: { role: 'service', exp: now() + 2 } });
    assert.equal(await client.closed, 0x98);
    assert.equal(client.messages.length, 0);
});

test('SIGHUP drops nobody, whatever has run out meanwhile', async () => {
    const user = newUser();
    const short = await startBroker({ options: { jwt_leeway: '0', expiry_notice: '0' } });
    const token = await short.sign({ sub: user, sid: 's1' });
    const durable = { version: 5, clean: false, properties: { sessionExpiryInterval: 600 } };
    const clients = [
        await connect({ url: short.tcpUrl, token }),
        await connect({ url: short.wsUrl, token, version: 5 }),
        await connect({ url: short.tcpUrl, token, clientId: `${user}:d`, ...durable }),
        await connect({ url: short.tcpUrl, username: 'backend', password: 'secret', clientId: 'b' }),
    ];
    const offline = await connect({ url: short.wsUrl, token, clientId: `${user}:o`, ...durable });
    await offline.end();
    // The keys that these tokens were signed with go, and new ones come.
    const newer = makeKeys(short.dir);
    await short.sighup();
    await short.waitForLog(/^invigilator: reloaded keys=3 failed_files=0$/);
    for (const client of clients) {
        await client.ping();
        assert.ok(client.isOpen);
    }
    await assert.rejects(connect({ url: short.tcpUrl, token }), (error) => error.code === 5);
    const fresh = await connect({ url: short.tcpUrl, token: await sign({ sub: 'new', sid: 'n1' }, newer.es) });
    // A broken file leaves the old keys in force.
    writeFileSync(`${newer.jwksFile}.tmp`, '{"keys":[');
    renameSync(`${newer.jwksFile}.tmp`, newer.jwksFile);
    await short.sighup();
    await short.waitForLog(/^invigilator: reloaded keys=3 failed_files=1$/);
    await (await connect({ url: short.tcpUrl, token: await sign({ sub: 'new', sid: 'n1' }, newer.es) })).end();
    // The offline MQTT session was told yes too, and is there.
    const from = short.log().length;
    const back = await connect({
        url: short.wsUrl, token: await sign({ sub: user, sid: 's1' }, newer.rs), clientId: `${user}:o`, ...durable,
    });
    assert.equal(back.connack.sessionPresent, true);
    // Being asked about it was taken for no login: there are two of that client, the first and this one.
    await short.waitForLog(new RegExp(`accepted .*client=${user}:o `), { from });
    const logins = short.log().filter((line) => line.includes(`client=${user}:o `));
    assert.deepEqual(logins.map((line) => line.split(' ')[1]), ['accepted', 'accepted']);
    await Promise.all([...clients, fresh, back].map((client) => client.end()));
    await short.stop();
});

for (const transport of ['tcpUrl', 'wsUrl']) {
    test(`a client that does not read is gone at once: ${transport}`, async () => {
        const user = newUser();
        const token = await broker.sign({ sub: user, sid: 's1' });
        const deaf = await rawConnect({ url: broker[transport] });
        deaf.send({
            cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clean: true, keepalive: 60,
            clientId: `${user}:deaf`, username: user, password: Buffer.from(token),
        });
        await deaf.next('connack');
        deaf.pause();
        const second = await login(user, 's2', { url: broker[transport] });
        const line = new RegExp(`^invigilator: superseded user=${user} connections=1$`);
        await broker.waitForLog(line);
        await second.ping();
        assert.ok(second.isOpen);
        if (transport === 'tcpUrl') {
            await broker.waitForLog(kickedLine(`${user}:deaf`));
        }
        deaf.destroy();
        await second.end();
    });
}

test('fifty logins of one user at once leave one', async () => {
    const user = newUser();
    const clients = await Promise.all(Array.from({ length: 50 }, (_, i) =>
        login(user, `s${i}`, { url: i % 2 ? broker.tcpUrl : broker.wsUrl, version: i % 4 < 2 ? 4 : 5 })));
    const ends = clients.map(async (client) => {
        await client.closed;
        return client;
    });
    const open = new Set(clients);
    for (let i = 0; i < clients.length - 1; i++) {
        const client = await Promise.any(ends.map((end, j) => end.then(() => (open.has(clients[j]) ? clients[j] : Promise.reject()))));
        open.delete(client);
        assert.equal(client.messages.at(-1).json.reason, 'SUPERSEDED');
    }
    const [last] = open;
    await last.ping();
    assert.ok(last.isOpen);
    assert.equal(last.messages.length, 0);
    await last.end();
});

test('options that are wrong keep the broker from starting', async () => {
    const rows = [
        [{ nonsense: '1' }, /plugin_opt_nonsense/],
        [{ jwt_leeway: '301' }, /plugin_opt_jwt_leeway.*301.*0 to 300/],
        [{ jwt_jwks_file: null }, /plugin_opt_jwt_public_key_file.*plugin_opt_jwt_jwks_file/],
        [{ jwt_jwks_file: '/nonexistent/jwks.json' }, /plugin_opt_jwt_jwks_file.*\/nonexistent\/jwks\.json/],
        [{ jwt_algorithms: 'PS257' }, /plugin_opt_jwt_algorithms.*PS257/],
        [{ jwt_algorithms: 'ES512' }, /plugin_opt_jwt_algorithms.*ES512/],
        [{ single_session_roles: 'nobody' }, /plugin_opt_single_session_roles.*nobody/],
        [{ topic_prefix: '$x/' }, /plugin_opt_topic_prefix/],
    ];
    for (const [options, expected] of rows) {
        await assert.rejects(startBroker({ options }), (error) => {
            assert.match(error.message, expected);
            return error.code !== 0;
        });
    }
    const prepare = (dir, keys) => {
        chmodSync(keys.jwksFile, 0o666);
    };
    await assert.rejects(startBroker({ prepare }), /plugin_opt_jwt_jwks_file.*written by everyone/);
});
