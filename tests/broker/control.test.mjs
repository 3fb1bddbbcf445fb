// SPDX-License-Identifier: Apache-2.0
// control.test.mjs - the control API: who may use it, what its commands do and answer, and what
// becomes of input that is none.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
    accessUpdate, ask, askRaw, backend, command, CONTROL, evaluationTopic, expectInvalidated,
    expectTurnedAway, login, newId, now, professor, publishRetained, RESPONSE, service, setAccess,
    setPhase, startBroker, startExam, TIME,
} from './lib.mjs';

let broker;
let publisher;

before(async () => {
    broker = await startBroker({
        options: { jwt_leeway: '0' }, users: { backend: 'secret', guest: 'secret' },
    });
    publisher = await backend(broker, { version: 5 });
});
after(async () => {
    await publisher.end();
    await broker.stop();
});

const student = (user, sid, claims = {}, options = {}) => login(broker, { sub: user, sid, ...claims }, options);
const timeOf = (seconds) => new Date(seconds * 1000).toISOString().replace('.000', '');
const byId = (key) => (a, b) => (a[key] < b[key] ? -1 : 1);

for (const [name, make] of [['a service', service], ['a password', backend]]) {
    for (const version of [4, 5]) {
        test(`the answer goes to the sender alone, subscribed or not: ${name}, v${version}`, async () => {
            const [asker, other, subscribed] = [
                await make(broker, { version }), await service(broker), await make(broker, { version }),
            ];
            await other.subscribe(['$CONTROL/invigilator/#']);
            assert.deepEqual(await subscribed.subscribe([RESPONSE]), [1]);
            for (const qos of [0, 1]) {
                for (const client of [asker, subscribed]) {
                    const payload = JSON.stringify({ commands: [{ command: 'getStats', correlationData: client.clientId }] });
                    const [{ correlationData, data }] = await askRaw(client, payload, { qos });
                    assert.equal(correlationData, client.clientId);
                    assert.equal(typeof data['connections/current'], 'number');
                }
            }
            // The others' own answers come after whatever else was to come.
            for (const client of [asker, other, subscribed]) {
                await ask(client, { command: 'getStats' });
            }
            assert.deepEqual([asker, other, subscribed].map(({ messages }) => messages.length), [3, 1, 3]);
            await Promise.all([asker, other, subscribed].map((client) => client.end()));
        });
    }
}

test('students, professors and others cannot use it', async () => {
    const user = newId('student');
    const page = await student(user, 's1', {}, { version: 5 });
    const payload = { commands: [{ command: 'invalidateUser', userId: user }] };
    const others = [
        page, await professor(broker, ['e1'], { version: 5 }), await student(newId('student'), 's1'),
        await backend(broker, { version: 5, username: 'guest' }),
    ];
    for (const client of others) {
        const version = client.client.options.protocolVersion;
        assert.equal(await client.publish(CONTROL, payload), version === 5 ? 0x87 : 0);
        await client.ping();
    }
    await command(publisher, 'getStats');
    for (const client of others) {
        await client.ping();
        assert.ok(client.isOpen);
        assert.equal(client.messages.length, 0);
        await client.end();
    }
});

test('what cannot be read gets one answer with an error', async () => {
    const revoke = `{"command":"invalidateUser","userId":"victim"}`;
    const victim = await student('victim', 's1');
    const sender = await service(broker, { version: 5 });
    const rows = [
        'hello', '{', 'null', '7', '[]', `[${revoke}]`, '{}', '{"commands":{}}', '{"commands":[]}', '{"commands":"x"}',
        `{"commands":[${revoke}]}x`, `{"commands":[${revoke}],}`, `\ufeff{"commands":[${revoke}]}`,
        `{"commands":[${revoke}],"commands":[${revoke}]}`, `{"commands":[${revoke.replace('}', ',"userId":"victim"}')}]}`,
        `{"commands":[${revoke.replace('}', ',"user\\u0049d":"victim"}')}]}`,
        `{"commands":[${Array(65).fill(revoke)}]}`, `{"commands":[${revoke}]}`.padEnd(65537), `{"commands":[${revoke}]}`.padEnd(1 << 20),
        'x'.repeat(1 << 20), '['.repeat(60000), `{"commands":${'['.repeat(30000)}${']'.repeat(30000)}}`,
        `{"commands":[${revoke}],"x":${'{"a":'.repeat(9000)}1${'}'.repeat(9000)}}`,
        Buffer.concat([Buffer.from(`{"commands":[${revoke}],"x":"`), Buffer.from([0xff, 0xc0, 0x80]), Buffer.from('"}')]),
        Buffer.from([0, 1, 2, 3]), Buffer.from('{"commands":[\0]}'),
    ];
    for (const payload of rows) {
        const responses = await askRaw(sender, Buffer.from(payload));
        const [{ error, ...rest }, ...more] = responses;
        assert.ok(typeof error === 'string' && error.length > 0 && error.length < 300, `${payload}`.slice(0, 80));
        assert.deepEqual([rest, more], [{}, []]);
    }
    // The broker lives, and nobody was thrown out.
    assert.deepEqual(await command(sender, 'getUser', { userId: 'victim' }).then(({ sessions }) => sessions.length), 1);
    await victim.ping();
    assert.equal(victim.messages.length, 0);
    await Promise.all([victim.end(), sender.end()]);
});

test('a malformed command gets an error, changes nothing, and does not stop the others', async () => {
    const page = await student('careful', 's1');
    const good = { command: 'invalidateUser', userId: 'careful' };
    const rows = [
        { command: 'nonsense' }, { command: 'INVALIDATEUSER', userId: 'careful' }, { userId: 'careful' }, { command: 7 },
        { command: 'invalidateUser' }, { ...good, userId: 7 }, { ...good, userId: '' }, { ...good, userId: 'a/b' },
        { ...good, userId: null }, { ...good, userId: ['careful'] }, { ...good, userId: 'x'.repeat(129) },
        { ...good, userId: 'careful\0' }, { ...good, unlessBound: 'true' }, { ...good, unlessbound: true },
        { ...good, exceptSessionId: 7 }, { ...good, exceptSessionId: 'a/b' }, { ...good, before: 'yesterday' },
        { ...good, before: 1.5 }, { ...good, before: -1 }, { ...good, before: now() + 1000 }, { ...good, sessionId: 's1' },
        { command: 'invalidateSession', userId: 'careful' }, { command: 'invalidateSession', userId: 'careful', sessionId: null },
        { command: 'unblock', userId: 'careful' }, { command: 'unblock', userId: 'careful', evaluationId: 'e/1' },
        { command: 'unblock', userId: 'careful', evaluationId: 'nothing' }, { command: 'getUser' }, { command: 'getEvaluation' },
        { command: 'getEvaluation', evaluationId: newId('unknown') }, { command: 'getEvaluation', evaluationId: 7 },
        { command: 'listSessions', offset: -1 }, { command: 'listSessions', offset: '0' }, { command: 'listSessions', count: 0 },
        { command: 'listSessions', count: 1.5 }, { command: 'getStats', extra: 1 },
    ];
    for (const row of rows) {
        const named = { ...row, correlationData: 'bad' };
        const [first, bad, last, ...more] = await ask(publisher,
            { command: 'getStats', correlationData: 'first' }, named, { command: 'getStats', correlationData: 'last' });
        assert.ok(typeof bad.error === 'string' && bad.error.length > 0, JSON.stringify(row));
        assert.deepEqual([bad.correlationData, bad.data], ['bad', undefined]);
        for (const [response, correlationData] of [[first, 'first'], [last, 'last']]) {
            assert.deepEqual(Object.keys(response).sort(), ['command', 'correlationData', 'data']);
            assert.equal(response.correlationData, correlationData);
        }
        assert.equal(more.length, 0);
    }
    for (const element of ['1', '"getStats"', 'null', '[]', '{}', '{"command":"getStats","correlationData":7}']) {
        const [bad, good2] = await askRaw(publisher, `{"commands":[${element},{"command":"getStats"}]}`);
        assert.equal(typeof bad.error, 'string', element);
        assert.equal(typeof good2?.data, 'object', element);
    }
    const [plain] = await ask(publisher, { command: 'getUser', userId: 'careful' });
    assert.deepEqual(Object.keys(plain).sort(), ['command', 'data']);
    assert.deepEqual(plain.data.sessions.map(({ sessionId }) => sessionId), ['s1']);
    await page.ping();
    assert.ok(page.isOpen);
    await page.end();
});

test('invalidateSession: one that is connected, and one that is not known', async () => {
    const user = newId('student');
    const tabs = [await student(user, 's1'), await student(user, 's1', {}, { version: 5, url: broker.tcpUrl })];
    assert.deepEqual(await command(publisher, 'invalidateSession', { userId: user, sessionId: 's1' }), { connections: 2 });
    await expectInvalidated(tabs[0], user, 's1', 'REVOKED');
    await expectInvalidated(tabs[1], user, 's1', 'REVOKED', 5);
    await expectInvalidated(await student(user, 's1'), user, 's1', 'REVOKED');
    assert.deepEqual(await command(publisher, 'invalidateSession', { userId: user, sessionId: 's9' }), { connections: 0 });
    await expectInvalidated(await student(user, 's9', { auth_time: now() }), user, 's9', 'REVOKED');
    const next = await student(user, 's2');
    await next.ping();
    assert.ok(next.isOpen);
    await next.end();
});

test('invalidateUser: all that is known, and what was made before', async () => {
    const user = newId('student');
    const page = await student(user, 's1', { auth_time: now() - 100 });
    assert.deepEqual(await command(publisher, 'invalidateUser', { userId: user }), { connections: 1 });
    await expectInvalidated(page, user, 's1', 'REVOKED');
    await expectInvalidated(await student(user, 'old', { auth_time: now() - 50 }), user, 'old', 'REVOKED');
    const next = await student(user, 's2');
    assert.deepEqual(await command(publisher, 'invalidateUser', { userId: user, exceptSessionId: 's2' }), { connections: 0 });
    await next.ping();
    assert.ok(next.isOpen);
    await next.end();

    const other = newId('student');
    await command(publisher, 'invalidateUser', { userId: other, before: now() - 100 });
    await expectInvalidated(await student(other, 'old', { auth_time: now() - 200 }), other, 'old', 'REVOKED');
    const later = await student(other, 's1', { auth_time: now() - 50 });
    assert.deepEqual(await later.subscribe([`users/${other}`]), [1]);
    await later.end();
});

test('an evaluation link: a new login, unless the user sits in a strict evaluation', async () => {
    const link = (userId) => command(publisher, 'invalidateUser', { userId, unlessBound: true });
    const it = await startExam(broker, publisher);
    assert.deepEqual(await link(it.user), { bound: [it.e] });
    await it.page.ping();
    assert.ok(it.page.isOpen);
    await expectTurnedAway(await it.enter(2), it.e, it.user);

    const user = newId('student');
    const claims = { evaluations: [it.e] };
    const before = await student(user, 's1');
    assert.deepEqual(await link(user), { connections: 1 });
    await expectInvalidated(before, user, 's1', 'REVOKED');
    const page = await student(user, 's2', claims);
    assert.deepEqual(await page.subscribe([evaluationTopic(it.e)]), [1]);
    assert.deepEqual(await link(user), { bound: [it.e] });
    await expectTurnedAway(await student(user, 's3', claims), it.e, user);
    await Promise.all([it.page.end(), page.end()]);
});

test('getUser', async () => {
    assert.deepEqual(await command(publisher, 'getUser', { userId: 'never seen' }),
        { userId: 'never seen', sessions: [], bindings: [], blocks: [] });
    const e = newId('e');
    const user = newId('student');
    const loginAt = now() - 30;
    const exp = now() + 1000;
    const claims = { evaluations: [e], auth_time: loginAt, exp };
    await setPhase(publisher, e, 'IN_PROGRESS');
    const tabs = [await student(user, 's1', claims), await student(user, 's1', claims, { version: 5 })];
    const intruder = await student(user, 's2', { ...claims, auth_time: loginAt + 1 });
    const early = await command(publisher, 'getUser', { userId: user });
    // A connection that is only told counts for nothing, also while it is there.
    assert.deepEqual(early.sessions.find(({ sessionId }) => sessionId === 's2').connections, []);
    await expectTurnedAway(intruder, e, user);
    const { sessions, blocks, ...rest } = await command(publisher, 'getUser', { userId: user });
    assert.deepEqual(rest, { userId: user, bindings: [{ evaluationId: e, sessionId: 's1' }] });
    const [{ since, ...block }, ...more] = blocks;
    assert.deepEqual([block, more], [{ evaluationId: e, reason: 'SECOND_LOGIN' }, []]);
    assert.match(since, TIME);

    const [first, second] = sessions.sort(byId('sessionId'));
    assert.deepEqual(second, { sessionId: 's2', current: false, loginAt: timeOf(loginAt + 1), connections: [] });
    const { connections, ...session } = first;
    assert.deepEqual(session, { sessionId: 's1', current: true, loginAt: timeOf(loginAt) });
    for (const connection of connections) {
        assert.match(connection.since, TIME);
        delete connection.since;
    }
    assert.deepEqual(connections.sort(byId('clientId')), tabs.map(({ clientId }) => clientId).sort()
        .map((clientId) => ({ clientId, address: '127.0.0.1', expiresAt: timeOf(exp) })));
    await Promise.all(tabs.map((client) => client.end()));
});

test('getEvaluation', async () => {
    const e = newId('e');
    const [page, other, absent, blocked, denied] = ['a', 'b', 'c', 'd', 'e'].map((name) => `${name}-${newId('student')}`);
    await setAccess(publisher, e, absent, 'ALLOWED');
    const unknown = await command(publisher, 'getEvaluation', { evaluationId: e });
    assert.deepEqual(unknown, {
        evaluationId: e, phase: null, strict: false, endAt: null, version: null,
        participants: [{ userId: absent, access: 'ALLOWED', online: false, bound: false }],
    });
    await publishRetained(publisher, evaluationTopic(e), {
        type: 'EVALUATION_UPDATE', evaluationId: e, phase: 'IN_PROGRESS', endAt: '2030-01-01T10:00:00.5Z', version: 12,
    });
    await setAccess(publisher, e, denied, 'DENIED');
    await publishRetained(publisher, `evaluations/${e}/users/${blocked}`, accessUpdate(e, blocked, 'BLOCKED'));
    const clients = [await student(page, 's1', { evaluations: [e] }), await student(other, 's1', { evaluations: [e] })];
    await expectTurnedAway(await student(other, 's2', { evaluations: [e] }), e, other);
    const { participants, ...rest } = await command(publisher, 'getEvaluation', { evaluationId: e });
    assert.deepEqual(rest, { evaluationId: e, phase: 'IN_PROGRESS', strict: true, endAt: '2030-01-01T10:00:00.5Z', version: 12 });
    assert.deepEqual([...participants].sort(byId('userId')), [
        { userId: page, access: 'ALLOWED', online: true, bound: true },
        { userId: other, access: 'BLOCKED', online: true, bound: true },
        { userId: absent, access: 'ALLOWED', online: false, bound: false },
        { userId: blocked, access: 'BLOCKED', online: false, bound: false },
    ]);
    const parts = [];
    for (const offset of [0, 2, 4]) {
        const part = await command(publisher, 'getEvaluation', { evaluationId: e, offset, count: 2 });
        parts.push(...part.participants);
    }
    assert.deepEqual(parts, participants);
    await Promise.all(clients.map((client) => client.end()));
});

test('listSessions and getStats', async () => {
    const user = newId('student');
    const clients = [await student(user, 's1'), await student(user, 's1')];
    for (let i = 0; i < 4; i++) {
        clients.push(await student(newId('student'), `s${i}`));
    }
    const { total, sessions, ...rest } = await command(publisher, 'listSessions');
    assert.deepEqual(rest, {});
    assert.equal(total, sessions.length);
    const mine = sessions.filter(({ userId }) => userId === user);
    assert.deepEqual(mine, [{ userId: user, sessionId: 's1', connections: 2 }]);
    const parts = [];
    for (let offset = 0; offset < total + 2; offset += 2) {
        const part = await command(publisher, 'listSessions', { offset, count: 2 });
        assert.equal(part.total, total);
        parts.push(...part.sessions);
    }
    assert.deepEqual(parts, sessions);
    const stats = await command(publisher, 'getStats');
    assert.equal(stats['sessions/current'], total);
    assert.ok(Object.values(stats).every((value) => Number.isInteger(value) && value >= 0));
    await clients[0].end();
    await Promise.all(clients.slice(1).map((client) => client.end()));
});
