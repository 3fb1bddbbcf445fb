// SPDX-License-Identifier: Apache-2.0
// hazard.test.mjs - what Mosquitto 2.0 does to plugins that are not careful, one test for each such trap:
// its name says the trap first, then what must be true all the same.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import {
    accessUpdate, ask, backend, command, connect, evaluationTopic, expectInvalidated, login, makeKeys, newId, now,
    patience, phaseUpdate, professor, service, sign, startBroker, startExam, userTopic,
} from './lib.mjs';
import { connectBytes } from './lib/bytes.mjs';
import { kickedLine } from './lib/logline.mjs';
import { probesOf } from './lib/probes.mjs';
import {
    clientIdsOf, connectPacketOf, enterRawAt, expectAlive, expectNotice, openRawAt,
} from './lib/rawlogin.mjs';
import { stateFile } from './lib/state.mjs';
import { inOneTurn, untilSecond } from './lib/turn.mjs';

let broker;
let publisher;

before(async () => {
    broker = await startBroker({ options: { jwt_leeway: '0', expiry_notice: '0' } });
    publisher = await backend(broker, { version: 5 });
});
after(async () => {
    await publisher.end();
    await broker.stop();
});

const openRaw = (...args) => openRawAt(broker, ...args);
const connectPacket = (...args) => connectPacketOf(broker, ...args);
const connectionsOf = (user) => clientIdsOf(publisher, user);

// -- SIGHUP asks for every client again ------------------------------------------------------------

test('SIGHUP asks for each client again: in a storm of logins it drops nobody and lets nobody in', async () => {
    const own = await startBroker();
    const early = await Promise.all(Array.from({ length: 10 }, (_, i) =>
        login(own, { sub: `early${i}`, sid: 's' }, { url: i % 2 ? own.wsUrl : own.tcpUrl })));
    let isOver = false;
    const signals = (async () => {
        while (!isOver) {
            await own.sighup();
            await early[0].ping(); // a signal in the turn that acts on another is lost
        }
    })();
    const storm = Array.from({ length: 100 }, async (_, i) => {
        const options = { url: i % 2 ? own.tcpUrl : own.wsUrl, version: i % 4 < 2 ? 4 : 5 };
        if (i % 5 === 0) {
            const expired = login(own, { sub: `storm${i}`, sid: 's', exp: now() - 100 }, options);
            await assert.rejects(expired, (error) => [5, 135].includes(error.code));
            return [];
        }
        return [await login(own, { sub: `storm${i}`, sid: 's' }, options)];
    });
    const clients = [...early, ...(await Promise.all(storm)).flat()];
    isOver = true;
    await signals;
    await Promise.all(clients.map((client) => client.ping()));
    assert.ok(clients.every((client) => client.isOpen));
    // Being asked again is no login: each of them has one.
    const accepted = own.log().filter((line) => line.startsWith('invigilator: accepted '));
    assert.equal(accepted.length, clients.length);
    await Promise.all(clients.map((client) => client.end()));
    await own.stop();
});

test('SIGHUP asks for each client again: a WebSocket that logs in meanwhile is judged like any other', async () => {
    const users = [newId('student'), newId('student'), newId('student')];
    const raws = [];
    const packets = [];
    for (const [i, user] of users.entries()) {
        raws.push(await openRaw('ws', 4));
        packets.push(await connectPacket(user, 's1', { claims: i === 1 ? { exp: now() - 100 } : {} }));
    }
    const from = broker.log().length;
    await inOneTurn(broker, async () => {
        broker.child.kill('SIGHUP');
        for (const [i, raw] of raws.entries()) {
            await raw.send(packets[i]);
        }
    });
    const codes = [];
    for (const raw of raws) {
        codes.push((await raw.next('connack')).returnCode);
    }
    assert.deepEqual(codes, [0, 5, 0]);
    await broker.waitForLog(/^invigilator: reloaded /, { from });
    assert.deepEqual(await connectionsOf(users[0]), [packets[0].clientId]);
    assert.deepEqual(await connectionsOf(users[1]), []);
    assert.deepEqual(await connectionsOf(users[2]), [packets[2].clientId]);
    raws.forEach((raw) => raw.destroy());
});

test('SIGHUP asks for each client again: whose token has run out is told, not dropped', async () => {
    const user = newId('student');
    const exp = now() + 4;
    const enter = (version, transport, more) => login(broker, { sub: user, sid: 's1', exp },
        { version, url: broker[`${transport}Url`], ...more });
    const durable = { clean: false, clientId: `${user}:durable`, properties: { sessionExpiryInterval: 600 } };
    await (await enter(5, 'tcp', durable)).end(); // its MQTT session stays
    const pages = [[4, await enter(4, 'tcp')], [5, await enter(5, 'tcp')], [4, await enter(4, 'ws')]];
    const from = broker.log().length;
    await inOneTurn(broker, async () => {
        await untilSecond(exp);
        broker.child.kill('SIGHUP');
    });
    await broker.waitForLog(/^invigilator: reloaded /, { from });
    for (const [version, page] of pages) {
        await expectInvalidated(page, user, 's1', 'EXPIRED', version);
    }
    const back = await login(broker, { sub: user, sid: 's1' }, { version: 5, url: broker.tcpUrl, ...durable });
    assert.equal(back.connack.sessionPresent, true);
    await back.end();
});

test('an answer other than success to RELOAD leaves memory in use: SIGHUP after SIGHUP with broken keys', async () => {
    const own = await startBroker();
    const page = await login(own, { sub: 'anna', sid: 's1' });
    const good = makeKeys(own.dir);
    const text = JSON.stringify(good.jwks);
    const write = (content) => {
        writeFileSync(`${good.jwksFile}.tmp`, content);
        renameSync(`${good.jwksFile}.tmp`, good.jwksFile);
    };
    for (const [content, failed] of [['{', 1], ['', 1], [text, 0], ['[]', 1], ['{', 1], [text, 0]]) {
        write(content);
        const from = own.log().length;
        await own.sighup();
        await own.waitForLog(new RegExp(`^invigilator: reloaded keys=3 failed_files=${failed}$`), { from });
        // What Mosquitto does after the plugin's answer it has done: its password file is in force.
        await (await backend(own)).end();
    }
    await (await connect({ url: own.tcpUrl, token: await sign({ sub: 'bob', sid: 's1' }, good.rs) })).end();
    await page.ping();
    await page.end();
    await own.stop();
});

// -- Disconnects ------------------------------------------------------------------------------------

test('a disconnect of an MQTT session that is offline corrupts the list of those that expire', async () => {
    const durable = (user, i) => ({
        version: 5, url: broker.tcpUrl, clean: false, clientId: `${user}:${i}`,
        properties: { sessionExpiryInterval: 3 },
    });
    const users = [newId('student'), newId('student')];
    const from = broker.log().length;
    const old = [];
    for (const user of users) {
        for (let i = 0; i < 3; i++) {
            old.push([user, await login(broker, { sub: user, sid: 's1' }, durable(user, i))]);
        }
    }
    const newer = await Promise.all(users.map((user) => login(broker, { sub: user, sid: 's2' })));
    // One of each user goes offline by itself in the second between its notice and its disconnect.
    for (const [user, client] of old) {
        await client.nextMessage(`users/${user}/sessions/s1`);
        if (client.clientId.endsWith(':1')) {
            await client.end(true);
        }
    }
    await Promise.all(old.map(([, client]) => client.closed));
    // They expire, each once, and the broker goes on; none of them was disconnected while offline.
    for (const [, client] of old) {
        await broker.waitForLog(new RegExp(`Expiring client ${client.clientId} `), { from });
    }
    const lines = broker.log().slice(from).map((line) => line.match(kickedLine())).filter(Boolean);
    const kicked = lines.map(([, id]) => id).sort();
    assert.deepEqual(kicked, old.map(([, { clientId }]) => clientId).filter((id) => !id.endsWith(':1')).sort());
    const expired = broker.log().slice(from).filter((line) => /^Expiring client /.test(line));
    assert.equal(expired.length, old.length);
    await Promise.all(newer.map((client) => client.ping()));
    await Promise.all(newer.map((client) => client.end()));
});

test('a disconnect from inside a delivery frees what routing still uses: it waits for the tick', async () => {
    const user = newId('student');
    const sub = newId('service');
    const page = await enterRawAt(broker, 'tcp', await connectPacket(user, 's1', { version: 5 }));
    // The publisher hears the topic too, no-local: routing then looks at ids while it goes on.
    const claims = { role: 'service' };
    const speaker = await enterRawAt(broker, 'tcp', await connectPacket(sub, undefined, { version: 5, claims }));
    const other = await enterRawAt(broker, 'tcp', await connectPacket(sub, undefined, { version: 5, claims }));
    for (const [raw, topic, nl] of [[page, `users/${user}`, false], [speaker, 'users/#', true], [other, 'users/#', true]]) {
        await raw.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos: 0, nl }] });
        await raw.next('suback');
    }
    // The page loses its rights, and the delivery that finds that out comes before the next tick.
    const newer = await openRaw('tcp', 5);
    const packet = await connectPacket(user, 's2', { version: 5 });
    await inOneTurn(broker, async () => {
        await newer.send(packet);
        await speaker.send({ cmd: 'publish', topic: `users/${user}`, payload: '{"n":1}', qos: 1, messageId: 2 });
    });
    await expectNotice(page, user, 's1');
    assert.equal(page.packets.at(-1).reasonCode, 0x98);
    assert.ok((await speaker.next('puback')).reasonCode < 0x80);
    assert.equal((await other.next('publish')).payload.toString(), '{"n":1}');
    await Promise.all([speaker, newer].map(expectAlive));
    [speaker, newer, other].forEach((raw) => raw.send({ cmd: 'disconnect' }));
});

test('a refused delivery may disconnect the publisher: it does not, nor does it stop the others', async () => {
    const user = newId('student');
    const claims = { sub: user, sid: 's1' };
    for (const version of [4, 5]) {
        for (const qos of [0, 1, 2]) {
            // The first and the last to be asked may not have it: another session of the user's topic.
            const denied = await login(broker, { sub: user, sid: 's0', role: 'professor' }, { version: 5 });
            const page = await login(broker, { ...claims, role: 'professor' }, { version });
            const late = await login(broker, { sub: user, sid: 's2', role: 'professor' }, { version });
            for (const client of [denied, page, late]) {
                assert.deepEqual(await client.subscribe([`users/${user}/#`]), [1]);
            }
            const speaker = await backend(broker, { version });
            const code = await speaker.publish(`users/${user}/sessions/s1`, `{"n":${qos}}`, { qos });
            assert.ok(code < 0x80);
            assert.equal((await page.nextMessage(`users/${user}/sessions/s1`)).json.n, qos);
            await Promise.all([denied, late, speaker].map((client) => client.ping()));
            assert.ok(speaker.isOpen);
            assert.equal(denied.messages.length + late.messages.length, 0);
            await Promise.all([denied, page, late, speaker].map((client) => client.end()));
        }
    }
});

test('a refused message may disconnect its sender: it does not', async () => {
    const e = newId('e');
    for (const version of [4, 5]) {
        const speaker = await backend(broker, { version });
        for (const qos of [0, 1, 2]) {
            for (const [topic, payload] of [
                [evaluationTopic(e), 'hello'], [evaluationTopic(e), phaseUpdate(e, 'PAUSE')],
                [userTopic(e, 'anna'), accessUpdate(e, 'bob', 'ALLOWED')],
            ]) {
                const code = await speaker.publish(topic, payload, { qos, retain: true });
                assert.equal(code, version === 5 && qos > 0 ? 0x87 : 0);
            }
        }
        await speaker.ping();
        assert.ok(speaker.isOpen);
        await speaker.end();
    }
});

test('a message to a client id reaches whoever has it when it is sent: a command\'s answer does not', async () => {
    const clientId = newId('backend');
    const asker = await backend(broker, { clientId });
    const newcomer = await openRaw('tcp', 4);
    await inOneTurn(broker, async () => {
        asker.client.publish('$CONTROL/invigilator/v1', JSON.stringify({ commands: [{ command: 'listSessions' }] }));
        await new Promise(setImmediate);
        await newcomer.send(connectBytes({ clientId, username: 'backend', password: 'secret' }));
    });
    assert.equal((await newcomer.next('connack')).returnCode, 0);
    await asker.closed;
    await command(publisher, 'getStats'); // a tick later
    await newcomer.send({ cmd: 'pingreq' });
    await newcomer.next('pingresp');
    assert.deepEqual(newcomer.packets.filter(({ cmd }) => cmd === 'publish'), []);
    await newcomer.send({ cmd: 'disconnect' });
});

test('a publish and a disconnect in one call lose the message: a notice is there first, in a burst too', async () => {
    const user = newId('student');
    const tabs = [];
    for (let i = 0; i < 8; i++) {
        const packet = await connectPacket(user, 's1', { version: i % 2 ? 4 : 5 });
        tabs.push(await enterRawAt(broker, i < 4 ? 'tcp' : 'ws', packet));
    }
    await command(publisher, 'invalidateSession', { userId: user, sessionId: 's1' });
    for (const tab of tabs) {
        await expectNotice(tab, user, 's1', 'REVOKED');
    }
});

// -- DISCONNECT for those who never were there --------------------------------------------------------

/** Logins that the broker ends before it asks the plugin, or without telling it whose they were. */
async function unasked(id, user) {
    const will = { topic: '$CONTROL/invigilator/v1', payload: Buffer.from('{}'), qos: 0, retain: false };
    const token = await broker.sign({ sub: user, sid: 'own' });
    const options = { url: broker.tcpUrl, clientId: id, token, connectTimeout: patience(2000) };
    await assert.rejects(connect({ ...options, will }));
    for (const authenticationMethod of ['JWT', 'OTHER']) {
        const properties = { authenticationMethod, authenticationData: Buffer.from('x') };
        await assert.rejects(connect({ ...options, version: 5, properties }));
    }
}

test('DISCONNECT also comes for those who never logged in: they change nothing', async () => {
    const e = newId('exam');
    const prof = await professor(broker, [e]);
    const it = await startExam(broker, publisher, e);
    await prof.subscribe([`evaluations/${e}/#`]);
    await prof.ping();
    const known = prof.messages.length;
    const before = await command(publisher, 'getStats');
    const id = it.page.clientId;
    const expired = await broker.sign({ sub: it.user, sid: it.sid(2), exp: now() - 100 });
    for (const [name, probe] of Object.entries(probesOf(broker, id, it.user, expired))) {
        await probe();
        assert.deepEqual(await connectionsOf(it.user), [id], name);
    }
    const other = newId('student'); // logins of it fail before they can be taken for a second login
    await unasked(`${other}:x`, other);
    await it.page.ping();
    assert.ok(it.page.isOpen);
    const stats = await command(publisher, 'getStats');
    for (const name of ['connections/current', 'sessions/current', 'users/current', 'auth/accepted', 'users/blocked']) {
        assert.equal(stats[name], before[name], name);
    }
    assert.deepEqual(prof.messages.slice(known), []);
    await publisher.publish(`users/${it.user}`, '{"n":1}');
    assert.equal((await it.page.nextMessage(`users/${it.user}`)).json.n, 1);
    await Promise.all([it.page.end(), prof.end()]);
});

// -- Memory, threads, WebSockets ------------------------------------------------------------------------

test('copies that the broker makes break its memory_limit: three megabytes of answers do not', async () => {
    const own = await startBroker({ extraConf: 'memory_limit 20000000' });
    const asker = await backend(own);
    const commands = Array.from({ length: 50 }, () => ({ command: 'getStats' }));
    let bytes = 0;
    while (bytes < 3_000_000) {
        await ask(asker, ...commands);
        bytes += asker.messages.at(-1).payload.length;
    }
    const page = await login(own, { sub: 'anna', sid: 's1' });
    await page.ping();
    const newer = await login(own, { sub: 'anna', sid: 's2' });
    await expectInvalidated(page, 'anna', 's1', 'SUPERSEDED');
    await Promise.all([newer.end(), asker.end()]);
    await own.stop();
});

test('a name that the broker has freed: another name than the token\'s is read and refused', async () => {
    for (const version of [4, 5]) {
        for (const username of ['bob', `${'x'.repeat(128)}`, 'x'.repeat(129), 'x'.repeat(60000)]) {
            const user = newId('student');
            const token = await broker.sign({ sub: user, sid: 's1' });
            await assert.rejects(connect({ url: broker.tcpUrl, version, token, username, clientId: `${user}:1` }),
                (error) => [5, 135].includes(error.code));
            await (await connect({ url: broker.tcpUrl, version, token, username: user, clientId: `${user}:1` })).end();
        }
    }
    // A user id of the greatest length, and a name that has it as its beginning.
    const long = 'u'.repeat(128);
    const token = await broker.sign({ sub: long, sid: 's1' });
    await (await connect({ url: broker.tcpUrl, token, clientId: long })).end();
    await assert.rejects(connect({ url: broker.tcpUrl, token, username: `${long}u`, clientId: long }),
        (error) => error.code === 5);
});

test('the plugin interface is not safe for threads: there is none but the state file\'s, which never calls it', async () => {
    const threadsOf = (each) => readdirSync(`/proc/${each.pid}/task`).length;
    const plain = await startBroker({ plugin: false });
    const brokers = [
        [await startBroker(), 0], [await startBroker({ prepare: (dir) => ({ state_file: stateFile(dir) }) }), 1],
    ];
    for (const [own, more] of brokers) {
        const page = await login(own, { sub: 'anna', sid: 's1' });
        const asker = await service(own);
        await command(asker, 'invalidateUser', { userId: 'anna' });
        await page.closed;
        await own.sighup();
        await asker.ping();
        assert.equal(threadsOf(own), threadsOf(plain) + more);
        await asker.end();
        await own.stop();
    }
    await plain.stop();
    // The layers see to the rest: what an adapter is linked of knows nothing of the broker.
    const adapters = new URL('../../plugin/adapter/', import.meta.url);
    const threaded = readdirSync(adapters).filter((name) => /pthread_create/.test(readFileSync(new URL(name, adapters), 'utf8')));
    assert.deepEqual(threaded, ['sqlitecheckpoint.c']);
    assert.doesNotMatch(readFileSync(new URL(threaded[0], adapters), 'utf8'), /mosquitto/);
});

test('limits on packets do not hold for WebSockets: a token that is too large is refused by its own', async () => {
    const user = newId('student');
    const long = await broker.sign({ sub: user, sid: 's1', x: 'y'.repeat(48000) });
    const refusedAsTooLarge = async () => (await command(publisher, 'getStats'))['auth/refused/token_too_large'];
    const enter = async (idLength, username) => {
        const raw = await openRaw('ws', 4);
        const before = await refusedAsTooLarge();
        raw.send(connectBytes({ clientId: `${user}:${'x'.repeat(idLength - user.length)}`, username, password: long }));
        const connack = await raw.next('connack').catch(() => undefined);
        await raw.closed;
        return [connack?.returnCode, await refusedAsTooLarge() - before];
    };
    assert.deepEqual(await enter(1000, user), [5, 1]);
    for (const username of [user, 'x'.repeat(65535)]) {
        // Mosquitto 2.1 does limit a CONNECT, to 100,000 bytes, and closes without an answer.
        assert.deepEqual(await enter(65000, username), broker.isNewer ? [undefined, 0] : [5, 1]);
    }
    // Those who never send a CONNECT hold no place: there may be more of them than a session may have.
    const idle = await Promise.all(Array.from({ length: 20 }, () => openRaw('ws', 4)));
    await (await login(broker, { sub: user, sid: 's1' })).end();
    idle.forEach((raw) => raw.destroy());
});
