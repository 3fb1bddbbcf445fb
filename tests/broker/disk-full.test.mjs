// SPDX-License-Identifier: Apache-2.0
// disk-full.test.mjs - the disk is full while the broker runs: what needs a record is refused, what
// needs none goes on, and nothing that was promised is lost.
//
// A limit on the size of files the broker may write stands for the disk. The signal that comes with
// it is ignored, so that a write fails as on a full disk.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, test } from 'node:test';

process.env.INVIG_WRAPPER = `${process.env.INVIG_WRAPPER ?? ''} env --ignore-signal=XFSZ`; // lib.mjs reads it
const {
    backend, command, connect, evaluationTopic, expectBlockedCopy, expectError, expectInvalidated, expectTurnedAway, login,
    newId, nextRefusal, phaseUpdate, RETAINED, retainedOn, service, startExam, userTopic,
} = await import('./lib.mjs');
const { crash, startWithState } = await import('./lib/state.mjs');

let broker;
let publisher;
let reader;

function limitFiles(limit) {
    const { status, stderr } = spawnSync('prlimit', ['--pid', String(broker.pid), `--fsize=${limit}:`], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
}

const fillDisk = () => limitFiles(0);
const freeDisk = () => limitFiles('unlimited');

before(async () => {
    broker = await startWithState();
    publisher = await backend(broker, { version: 5 });
    reader = await service(broker);
});
after(async () => {
    await Promise.all([publisher.end(), reader.end()]);
    await broker.stop();
});

/** Connects with the same token each time, as MQTT.js does when it comes back by itself. */
async function newLogin(claims) {
    const token = await broker.sign(claims);
    return (options) => connect({ url: broker.wsUrl, token, ...options });
}

async function expectRefused(enter) {
    const from = broker.log().length;
    // 136, from 2.1 on: the server is at fault, and the page may try again.
    for (const [version, code] of [[4, 5], [5, broker.isNewer ? 136 : 135]]) {
        await assert.rejects(enter({ version }), (error) => error.code === code);
    }
    await broker.waitForLog(/^invigilator: refused reason=/, { from });
    await broker.waitForLog(/^invigilator: state_failed /, { from });
}

async function expectOpen(page) {
    await page.ping();
    assert.ok(page.isOpen);
}

test('a full disk', async () => {
    const it = await startExam(broker, publisher);
    const user = newId('student');
    const claims = { sub: user, evaluations: [it.e] };
    const old = await newLogin({ sub: user, sid: 'old' });
    const current = await newLogin({ ...claims, sid: 'current' });
    const first = await old();
    const page = await current();
    await expectInvalidated(first, user, 'old', 'SUPERSEDED');
    const second = await newLogin({ sub: it.user, sid: it.sid(2) });
    const next = await newLogin({ ...claims, sid: 'next' });
    const stranger = await newLogin({ sub: newId('student'), sid: 's1', evaluations: [it.e] });
    const kept = (await retainedOn(reader, evaluationTopic(it.e))).text;

    fillDisk();
    await expectRefused(stranger);
    await expectRefused(next);
    await expectRefused(second);
    await expectError(publisher, 'invalidateSession', { userId: user, sessionId: 'current' });
    await expectError(publisher, 'invalidateUser', { userId: it.user });
    for (const [topic, payload] of [
        [evaluationTopic(it.e), phaseUpdate(it.e, 'GRADING')],
        [userTopic(it.e, it.user), { ...it.own, access: 'DENIED' }],
        [evaluationTopic(it.e), ''],
    ]) {
        assert.equal(await publisher.publish(topic, payload, RETAINED), 0x87);
        await nextRefusal(publisher, topic);
    }

    // None of it has happened.
    await expectOpen(page);
    await expectOpen(it.page);
    assert.equal((await retainedOn(reader, evaluationTopic(it.e))).text, kept);
    assert.equal((await retainedOn(reader, userTopic(it.e, it.user))).json.access, 'ALLOWED');
    const { bindings, blocks, sessions } = await command(publisher, 'getUser', { userId: it.user });
    assert.deepEqual([bindings.length, blocks, sessions.map(({ sessionId }) => sessionId)], [1, [], [it.sid(1)]]);

    // Who needs no record comes in, and who is to be told is told.
    const back = await current();
    assert.deepEqual(await back.subscribe([`users/${user}`, evaluationTopic(it.e)]), [1, 1]);
    await expectInvalidated(await old(), user, 'old', 'SUPERSEDED');
    await Promise.all([page.end(), back.end()]);
    const again = await current();
    await expectOpen(again);

    freeDisk();
    await expectOpen(await stranger());
    await expectTurnedAway(await second(), it.e, it.user);
    await expectBlockedCopy(it.page, it);
    await command(publisher, 'invalidateSession', { userId: user, sessionId: 'current' });
    await expectInvalidated(again, user, 'current', 'REVOKED');

    await crash(broker);
    await broker.start();
    publisher = await backend(broker, { version: 5 });
    reader = await service(broker);
    await expectInvalidated(await current(), user, 'current', 'REVOKED');
    await expectInvalidated(await old(), user, 'old', 'SUPERSEDED');
    await expectTurnedAway(await second(), it.e, it.user);
    await expectOpen(await next());
    assert.equal((await retainedOn(reader, evaluationTopic(it.e))).text, kept);
    // What was refused left nothing behind.
    await expectOpen(await login(broker, { sub: it.user, sid: it.sid(1) }));
});
