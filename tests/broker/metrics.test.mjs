// SPDX-License-Identifier: Apache-2.0
// metrics.test.mjs - what is counted, where it is published, and what the log says of events.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
    backend, command, evaluationTopic, expectBlockedCopy, expectInvalidated, expectTurnedAway, login, newId,
    nextRefusal, now, phaseUpdate, professor, publishRetained, RETAINED, service, setPhase, startBroker,
    startExam, userTopic,
} from './lib.mjs';

const PREFIX = '$SYS/broker/invigilator/';
const NAMES = [
    'connections/current', 'sessions/current', 'users/current', 'sessions/invalidated', 'sessions/revoked/current',
    'auth/accepted', 'auth/refused', 'acl/denied', 'evaluations/strict', 'users/blocked', 'publishes/refused',
    'state/available',
];

let broker;
let publisher;
let reader; // of the metrics; with a password, so that it is in none of them

before(async () => {
    broker = await startBroker({ options: { stats_interval: '1', jwt_leeway: '0' } });
    publisher = await backend(broker, { version: 5 });
    reader = await backend(broker);
    await reader.subscribe([`${PREFIX}#`]);
});
after(async () => {
    await Promise.all([publisher.end(), reader.end()]);
    await broker.stop();
});

const stats = () => command(publisher, 'getStats');

/** Waits until the metrics published last are these; the latest message of each topic counts. */
async function expectMetrics(expected) {
    const latest = () => Object.fromEntries(reader.messages.map(({ topic, text }) => [topic.slice(PREFIX.length), text]));
    const wanted = Object.entries(expected).map(([name, value]) => [name, `${value}`]);
    const isThere = () => wanted.every(([name, text]) => latest()[name] === text);
    const deadline = Date.now() + 15000;
    while (!isThere()) {
        assert.ok(Date.now() < deadline, `not ${JSON.stringify(expected)}: ${JSON.stringify(latest())}`);
        await reader.nextMessage(undefined, { timeout: 15000 });
    }
}

test('all are there, retained, as plain integers', async () => {
    await expectMetrics({ 'connections/current': 0, 'auth/accepted': 0, 'auth/refused': 0, 'evaluations/strict': 0 });
    const late = await service(broker, { version: 5 });
    assert.deepEqual(await late.subscribe([`${PREFIX}#`]), [1]);
    await late.ping();
    const values = new Map(late.messages.filter(({ retain }) => retain)
        .map(({ topic, text }) => [topic.slice(PREFIX.length), text]));
    for (const name of NAMES) {
        assert.match(values.get(name) ?? `no ${name}`, /^\d+$/);
    }
    for (const [name, text] of values) {
        assert.ok(NAMES.includes(name) || /^auth\/refused\/[a-z_]+$/.test(name), name);
        assert.match(text, /^\d+$/);
    }
    const answer = await stats();
    assert.deepEqual(Object.keys(answer).sort(), [...values.keys()].sort());
    await late.end();
    await expectMetrics({ 'connections/current': 0, 'auth/accepted': 1 });
});

test('students and professors do not see them', async () => {
    const clients = [
        await login(broker, { sub: newId('student'), sid: 's1' }), await professor(broker, ['e1']),
    ];
    for (const client of clients) {
        assert.deepEqual(await client.subscribe([`${PREFIX}#`, `${PREFIX}connections/current`, '$SYS/#']), [0x80, 0x80, 0x80]);
        await client.end();
    }
});

test('connections, sessions, users, logins that were accepted and refused', async () => {
    const first = await stats();
    const user = newId('student');
    const clients = [];
    for (const [sub, sid] of [[user, 's1'], [user, 's1'], [newId('student'), 's1']]) {
        clients.push(await login(broker, { sub, sid }));
    }
    clients.push(await service(broker));
    for (const claims of [{ exp: now() - 10 }, { exp: now() - 20 }, { role: 'root' }]) {
        await assert.rejects(login(broker, { sub: user, sid: 's1', ...claims }));
    }
    await expectMetrics({
        'connections/current': 4,
        'users/current': 3,
        'auth/accepted': first['auth/accepted'] + 4,
        'auth/refused': first['auth/refused'] + 3,
        'auth/refused/expired': first['auth/refused/expired'] + 2,
        'auth/refused/role_unknown': first['auth/refused/role_unknown'] + 1,
    });
    const { total } = await command(publisher, 'listSessions');
    assert.equal((await stats())['sessions/current'], total);
    assert.equal(total, 2);
    await Promise.all(clients.map((client) => client.end()));
    await expectMetrics({ 'connections/current': 0, 'sessions/current': 0, 'users/current': 0 });
});

test('sessions that ended, and what was refused', async () => {
    const first = await stats();
    const user = newId('student');
    const old = await login(broker, { sub: user, sid: 's1' });
    const tab = await login(broker, { sub: user, sid: 's1' });
    const page = await login(broker, { sub: user, sid: 's2' }, { version: 5 });
    await Promise.all([old, tab].map((client) => expectInvalidated(client, user, 's1', 'SUPERSEDED')));
    assert.deepEqual(await page.subscribe(['users/other', 'evaluations/e9']), [0x87, 0x87]);
    assert.equal(await page.publish('users/other', '{}'), 0x87);
    await command(publisher, 'invalidateSession', { userId: user, sessionId: 's2' });
    await expectInvalidated(page, user, 's2', 'REVOKED', 5);
    assert.equal(await publisher.publish(evaluationTopic('e9'), 'hello', RETAINED), 0x87);
    await nextRefusal(publisher, evaluationTopic('e9'));
    await expectMetrics({
        'connections/current': 0,
        'sessions/invalidated': first['sessions/invalidated'] + 2, // sessions, not connections
        'sessions/revoked/current': first['sessions/revoked/current'] + 1,
        'acl/denied': first['acl/denied'] + 3,
        'publishes/refused': first['publishes/refused'] + 1,
    });
});

test('strict evaluations and users who are blocked in one', async () => {
    const exams = [newId('exam'), newId('exam')];
    const user = newId('student');
    for (const e of exams) {
        await setPhase(publisher, e, 'IN_PROGRESS');
    }
    const page = await login(broker, { sub: user, sid: 's1', evaluations: exams });
    await expectMetrics({ 'evaluations/strict': 2, 'users/blocked': 0 });
    const intruder = await login(broker, { sub: user, sid: 's2', evaluations: exams });
    await intruder.closed;
    await expectMetrics({ 'evaluations/strict': 2, 'users/blocked': 1 }); // users, not blocks
    await setPhase(publisher, exams[0], 'GRADING');
    await expectMetrics({ 'evaluations/strict': 1, 'users/blocked': 1 });
    await command(publisher, 'unblock', { userId: user, evaluationId: exams[1] });
    await expectMetrics({ 'evaluations/strict': 1, 'users/blocked': 0 });
    await publishRetained(publisher, evaluationTopic(exams[1]), '');
    await expectMetrics({ 'evaluations/strict': 0 });
    await page.end();
});

test('the log tells events, and neither session ids nor tokens nor payloads', async () => {
    const from = broker.log().length;
    const it = await startExam(broker, publisher);
    await expectTurnedAway(await it.enter(2), it.e, it.user);
    await expectBlockedCopy(it.page, it);
    await broker.waitForLog(new RegExp(`^invigilator: blocked .*${it.user}\\b`), { from });
    assert.match(await broker.waitForLog(/^invigilator: blocked /, { from }), new RegExp(`\\b${it.e}\\b`));
    await command(publisher, 'unblock', { userId: it.user, evaluationId: it.e });
    await broker.waitForLog(new RegExp(`^invigilator: unblocked .*${it.user}\\b`), { from });

    const bad = JSON.stringify({ ...it.own, sessionId: it.sid(9), phrase: 'pay-load', version: 0, userId: 'else' });
    assert.equal(await publisher.publish(userTopic(it.e, it.user), bad, RETAINED), 0x87);
    await nextRefusal(publisher, userTopic(it.e, it.user));
    assert.equal(await publisher.publish(evaluationTopic(it.e), phaseUpdate(it.e, 'pay-load'), RETAINED), 0x87);
    await nextRefusal(publisher, evaluationTopic(it.e));
    await broker.waitForLog(/^invigilator: publish_refused /, { from });
    await it.page.subscribe([`users/${it.user}/sessions/${it.sid(2)}`]);
    await broker.waitForLog(/^invigilator: acl_denied access=subscribe /, { from });
    await command(publisher, 'invalidateSession', { userId: it.user, sessionId: it.sid(1) });
    await expectInvalidated(it.page, it.user, it.sid(1), 'REVOKED');
    await broker.waitForLog(/^invigilator: revoked /, { from });
    const observed = broker.log().slice(from).join('\n');
    for (const secret of [`sid-${it.user}`, 'eyJ', 'pay-load', 'EVALUATION_UPDATE']) {
        assert.ok(!observed.includes(secret), `${secret} is in the log:\n${observed}`);
    }
    for (const line of broker.log().slice(from).filter((each) => each.startsWith('invigilator:'))) {
        assert.match(line, /^invigilator: [a-z_]+( [a-z_]+=("[^"]*"|[^ "]+))*$/);
    }
});
