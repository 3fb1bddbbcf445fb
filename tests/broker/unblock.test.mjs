// SPDX-License-Identifier: Apache-2.0
// unblock.test.mjs - how a block ends: which session goes on, what it is sent, what becomes of the others.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
    accessUpdate, backend, command, evaluationTopic, expectBlockedCopy, expectError,
    expectInvalidated, expectTurnedAway, fingerprint, messagesUntilMarker, mosquittoPub, newId, nextRefusal,
    publishRetained, RETAINED, retainedOn, service, setAccess, setPhase, startBroker, startExam, userTopic,
} from './lib.mjs';

let broker;
let publisher;
let reader;

before(async () => {
    broker = await startBroker();
    publisher = await backend(broker, { version: 5 });
    reader = await service(broker);
});
after(async () => {
    await Promise.all([publisher.end(), reader.end()]);
    await broker.stop();
});

/** An exam in which the student is blocked, and has missed the message with n 2. */
async function blockedExam(options) {
    const it = await startExam(broker, publisher, newId('exam'), options);
    await expectTurnedAway(await it.enter(2), it.e, it.user);
    await expectBlockedCopy(it.page, it);
    await setPhase(publisher, it.e, 'IN_PROGRESS', { n: 2 });
    assert.deepEqual(await messagesUntilMarker(publisher, it.page, it.user, it.page.messages.length), []);
    return it;
}

const nextNumber = (client, number) => client.nextMessage(({ json }) => json?.n === number);

/** The page is sent what it missed, and follows the exam as before. */
async function expectFollows({ e }, page) {
    await nextNumber(page, 2);
    await setPhase(publisher, e, 'IN_PROGRESS', { n: 3 });
    await nextNumber(page, 3);
}

async function expectSuperseded(it, n) {
    await expectInvalidated(await it.enter(n), it.user, it.sid(n), 'SUPERSEDED');
}

async function expectAllowedCopy(client, { e, user, own }) {
    const { json } = await client.nextMessage(userTopic(e, user));
    assert.deepEqual(json, { ...own, access: 'ALLOWED', by: 'invigilator' });
}

const byMessage = (members) => (it) =>
    publishRetained(publisher, userTopic(it.e, it.user), { ...it.own, unblock: undefined, ...members(it) });
const byCommand = (members) => (it) =>
    command(publisher, 'unblock', { userId: it.user, evaluationId: it.e, ...members(it) });
const both = (name, members) => [[`${name}, message`, byMessage(members)], [`${name}, command`, byCommand(members)]];

// Most of a test's time is waiting for disconnects, so several run at once.
describe('how blocks end', { concurrency: 6 }, () => {
    for (const version of [4, 5]) {
        test(`a message by mosquitto_pub with unblock: the binding stays, v${version}`, async () => {
            const it = await blockedExam({ version });
            const payload = JSON.stringify({ ...it.own, unblock: true }, null, 1);
            assert.equal((await mosquittoPub(broker, userTopic(it.e, it.user), payload, { version })).code, 0);
            assert.equal((await it.page.nextMessage(userTopic(it.e, it.user))).text, payload);
            await expectFollows(it, it.page);
            assert.equal((await retainedOn(reader, userTopic(it.e, it.user))).text, payload);
            await expectSuperseded(it, 2);
            // It is as before the incident: the next login is turned away again.
            await expectTurnedAway(await it.enter(3), it.e, it.user);
            await expectBlockedCopy(it.page, it);
            await it.page.end();
        });
    }

    test('the command: the binding stays, the copy is as the backend would have said it', async () => {
        const it = await blockedExam();
        assert.deepEqual(await command(publisher, 'unblock', { userId: it.user, evaluationId: it.e }), {});
        await expectAllowedCopy(it.page, it);
        await expectFollows(it, it.page);
        assert.deepEqual((await retainedOn(reader, userTopic(it.e, it.user))).json,
            { ...it.own, access: 'ALLOWED', by: 'invigilator' });
        await expectSuperseded(it, 2);
        await expectError(publisher, 'unblock', { userId: newId('nobody'), evaluationId: it.e });
        await it.page.end();
    });

    for (const [name, unblock] of [
        ...both('the session', ({ sid }) => ({ sessionId: sid(2) })),
        ...both('the fingerprint', ({ sid }) => ({ sessionId: fingerprint(sid(2)) })),
    ]) {
        test(`the new session goes on: ${name}`, async () => {
            const it = await blockedExam();
            await unblock(it);
            await expectInvalidated(it.page, it.user, it.sid(1), 'SUPERSEDED');
            const page = await it.enter(2, { version: 5 });
            assert.deepEqual(await page.subscribe([evaluationTopic(it.e), userTopic(it.e, it.user)]), [1, 1]);
            await expectFollows(it, page);
            await expectSuperseded(it, 1);
            await page.nextMessage(userTopic(it.e, it.user));
            await expectTurnedAway(await it.enter(3), it.e, it.user);
            await expectBlockedCopy(page, it);
            await page.end();
        });
    }

    for (const [name, unblock] of [
        ...both('the session', ({ sid }) => ({ sessionId: sid(1) })),
        ...both('the fingerprint', ({ sid }) => ({ sessionId: fingerprint(sid(1)) })),
    ]) {
        test(`the bound session goes on: ${name}`, async () => {
            const it = await blockedExam();
            await unblock(it);
            await expectFollows(it, it.page);
            await expectSuperseded(it, 2);
            await expectTurnedAway(await it.enter(3), it.e, it.user);
            await it.page.end();
        });
    }

    for (const [name, unblock] of both('null', () => ({ sessionId: null }))) {
        test(`nobody is bound until the next login: ${name}`, async () => {
            const it = await blockedExam();
            await unblock(it);
            await expectFollows(it, it.page);
            await expectSuperseded(it, 2);
            assert.ok(it.page.isOpen);
            const page = await it.enter(3);
            await expectInvalidated(it.page, it.user, it.sid(1), 'SUPERSEDED');
            assert.deepEqual(await page.subscribe([evaluationTopic(it.e)]), [1]);
            await nextNumber(page, 3);
            await expectTurnedAway(await it.enter(4), it.e, it.user);
            assert.ok(page.isOpen);
            await page.end();
        });
    }

    test('a session that gave way before can be named later', async () => {
        const it = await blockedExam();
        await command(publisher, 'unblock', { userId: it.user, evaluationId: it.e });
        await expectSuperseded(it, 2);
        await expectTurnedAway(await it.enter(3), it.e, it.user);
        await byMessage(({ sid }) => ({ sessionId: sid(2) }))(it);
        await expectInvalidated(it.page, it.user, it.sid(1), 'SUPERSEDED');
        await expectSuperseded(it, 3);
        const page = await it.enter(2);
        assert.deepEqual(await page.subscribe([evaluationTopic(it.e)]), [1]);
        await nextNumber(page, 2);
        await expectTurnedAway(await it.enter(4), it.e, it.user);
        await page.end();
    });

    test('what does not lift the block does not hide it', async () => {
        const it = await blockedExam();
        const topic = userTopic(it.e, it.user);
        const own = { ...it.own, endAt: '2030-01-01T11:00:00Z', version: 4 };
        for (const said of [own, { ...own, status: undefined, seat: undefined, access: undefined }]) {
            await publishRetained(publisher, topic, said);
            const plain = await it.page.nextMessage(topic);
            assert.equal(plain.text, JSON.stringify(said));
            await expectBlockedCopy(it.page, { ...it, own: JSON.parse(JSON.stringify(said)) });
            assert.equal((await retainedOn(reader, topic)).json.access, 'BLOCKED');
        }
        // An empty one says nothing of the student, who takes part by the token then, if at all.
        await publishRetained(publisher, topic, '');
        const { json } = await it.page.nextMessage(({ topic: name, json: each }) => name === topic && each !== undefined);
        assert.deepEqual([json.access, json.reason, json.by, json.seat], ['BLOCKED', 'SECOND_LOGIN', 'invigilator', undefined]);
        await setPhase(publisher, it.e, 'IN_PROGRESS', { n: 4 });
        const heard = await messagesUntilMarker(publisher, it.page, it.user);
        assert.deepEqual(heard.filter((each) => each.json?.n === 4), []);
        await it.page.end();
    });

    test('sessions that cannot be named', async () => {
        const it = await blockedExam();
        const topic = userTopic(it.e, it.user);
        await command(publisher, 'invalidateSession', { userId: it.user, sessionId: it.sid(2) });
        for (const sessionId of ['nobody', fingerprint('nobody'), it.sid(2), fingerprint(it.sid(2))]) {
            await expectError(publisher, 'unblock', { userId: it.user, evaluationId: it.e, sessionId });
            assert.equal(await publisher.publish(topic, { ...it.own, sessionId }, RETAINED), 0x87);
            await nextRefusal(publisher, topic);
        }
        const { blocks, bindings } = await command(publisher, 'getUser', { userId: it.user });
        assert.deepEqual([blocks.length, bindings], [1, [{ evaluationId: it.e, sessionId: it.sid(1) }]]);
        assert.equal((await retainedOn(reader, topic)).json.access, 'BLOCKED');
        await it.page.end();
    });

    for (const [name, end] of [
        ['its phase', ({ e }) => setPhase(publisher, e, 'GRADING', { n: 2 })],
        ['strict: false', ({ e }) => setPhase(publisher, e, 'IN_PROGRESS', { n: 2, strict: false })],
    ]) {
        test(`an evaluation stops being strict: ${name}`, async () => {
            const it = await blockedExam();
            await end(it);
            await expectAllowedCopy(it.page, it);
            await nextNumber(it.page, 2);
            assert.deepEqual((await retainedOn(reader, userTopic(it.e, it.user))).json,
                { ...it.own, access: 'ALLOWED', by: 'invigilator' });
            const next = await it.enter(3);
            await expectInvalidated(it.page, it.user, it.sid(1), 'SUPERSEDED');
            await next.end();
        });
    }

    test('a block by the backend is the backend\'s to lift, and outlives the strict phase', async () => {
        const it = await startExam(broker, publisher);
        const topic = userTopic(it.e, it.user);
        const said = { ...it.own, access: 'BLOCKED', reason: 'PHONE' };
        await publishRetained(publisher, topic, said);
        assert.deepEqual((await it.page.nextMessage(topic)).json, said);
        await expectTurnedAway(await it.enter(2), it.e, it.user);
        await it.page.nextMessage(topic);
        await setPhase(publisher, it.e, 'GRADING', { n: 2 });
        const { json } = await it.page.nextMessage(topic);
        assert.deepEqual([json.access, json.reason], ['BLOCKED', 'PHONE']);
        const heard = await messagesUntilMarker(publisher, it.page, it.user);
        assert.deepEqual(heard.filter((each) => each.json?.n === 2), []);
        await publishRetained(publisher, topic, it.own);
        await nextNumber(it.page, 2);
        await it.page.end();
    });

    test('the command lifts a block by the backend too', async () => {
        const it = await startExam(broker, publisher);
        await setAccess(publisher, it.e, it.user, 'BLOCKED', { reason: 'PHONE', at: '2030-01-01T09:00:00Z' });
        await setPhase(publisher, it.e, 'IN_PROGRESS', { n: 2 });
        await it.page.nextMessage(({ json }) => json?.access === 'BLOCKED');
        assert.deepEqual(await command(publisher, 'unblock', { userId: it.user, evaluationId: it.e }), {});
        await expectAllowedCopy(it.page, { ...it, own: accessUpdate(it.e, it.user) });
        await expectFollows(it, it.page);
        await it.page.end();
    });

    for (const [name, members] of [['DENIED', { access: 'DENIED' }], ['FINISHED', { status: 'FINISHED' }]]) {
        test(`${name} ends the binding`, async () => {
            const it = await startExam(broker, publisher);
            await publishRetained(publisher, userTopic(it.e, it.user), { ...it.own, ...members });
            const next = await it.enter(2);
            await expectInvalidated(it.page, it.user, it.sid(1), 'SUPERSEDED');
            await next.ping();
            assert.ok(next.isOpen);
            await next.end();
        });
    }

    test('DENIED ends the block', async () => {
        const it = await blockedExam();
        await setAccess(publisher, it.e, it.user, 'DENIED', { version: 4 });
        assert.equal((await it.page.nextMessage(userTopic(it.e, it.user))).json.access, 'DENIED');
        assert.deepEqual((await command(publisher, 'getUser', { userId: it.user })).blocks, []);
        await setAccess(publisher, it.e, it.user, 'ALLOWED', { version: 5 });
        await expectFollows(it, it.page);
        await it.page.end();
    });

    test('revoking the bound session ends its binding', async () => {
        const it = await startExam(broker, publisher);
        await command(publisher, 'invalidateSession', { userId: it.user, sessionId: it.sid(1) });
        await expectInvalidated(it.page, it.user, it.sid(1), 'REVOKED');
        const next = await it.enter(2);
        assert.deepEqual(await next.subscribe([evaluationTopic(it.e)]), [1]);
        await expectTurnedAway(await it.enter(3), it.e, it.user);
        await next.end();
    });
});
