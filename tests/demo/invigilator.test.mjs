// SPDX-License-Identifier: Apache-2.0
// invigilator.test.mjs - the browser module of examples/exam against a broker with the plugin.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import {
    accessUpdate, backend, command, evaluationTopic, fingerprint, newId, now, patience, phaseUpdate,
    publishRetained, service, setAccess, setPhase, startBroker, userTopic,
} from '../broker/lib.mjs';
import { openLine, openPage, stopPages, studentPage } from './lib/page.mjs';

const LEEWAY = 1;
let broker;
let publisher;

before(async () => {
    broker = await startBroker({ options: { jwt_leeway: LEEWAY, expiry_notice: 60 } });
    publisher = await backend(broker, { version: 5 });
});
after(async () => {
    await publisher.end();
    await broker.stop();
});
afterEach(stopPages);

const END = '2030-01-01T10:00:00Z';
const LATER = '2030-01-01T10:20:00Z';

const unblock = (e, user, session) => command(publisher, 'unblock', {
    userId: user, evaluationId: e, ...(session && { sessionId: fingerprint(`sid-${user}-${session}`) }),
});

/** What an event says, without its name and time. */
function said({ name, time, ...event }) {
    return event;
}

/** A page that sits a strict exam, having heard all that is retained. */
async function sit(options = {}) {
    const e = options.e ?? newId('exam');
    const user = options.user ?? newId('student');
    await setPhase(publisher, e, 'IN_PROGRESS', { endAt: END, ...options.phase });
    await setAccess(publisher, e, user, 'ALLOWED', options.own);
    const page = studentPage(broker, { e, user, ...options });
    await page.next('phase');
    await page.next('access');
    return page;
}

describe('what is published', () => {
    test('online comes first, then what is retained, then what changes', async () => {
        const e = newId('exam');
        const user = newId('student');
        const first = phaseUpdate(e, 'REGISTRATION', { startAt: '2030-01-01T09:00:00Z', endAt: END, room: 7 });
        await publishRetained(publisher, evaluationTopic(e), first);
        await setAccess(publisher, e, user, 'ALLOWED', { status: 'IN_PROGRESS' });
        const page = studentPage(broker, { e, user, claims: { evaluations: [e] } });
        assert.deepEqual(said(await page.next('online')), {});
        assert.deepEqual(said(await page.next('phase')), {
            evaluationId: e, phase: 'REGISTRATION', startAt: first.startAt, endAt: END, message: first,
        });
        assert.deepEqual(said(await page.next('endAt')), { evaluationId: e, endAt: END, own: false });
        assert.deepEqual(said(await page.next('access')), {
            evaluationId: e, access: 'ALLOWED', status: 'IN_PROGRESS',
            message: accessUpdate(e, user, 'ALLOWED', { status: 'IN_PROGRESS' }),
        });
        assert.deepEqual(page.names(), ['online', 'phase', 'endAt', 'access']);

        await setPhase(publisher, e, 'IN_PROGRESS', { endAt: LATER });
        assert.equal((await page.next('phase')).phase, 'IN_PROGRESS');
        assert.deepEqual(said(await page.next('endAt')), { evaluationId: e, endAt: LATER, own: false });
        await publisher.publish(evaluationTopic(e), '', { qos: 1, retain: true });
        assert.deepEqual(said(await page.next('phase')), {
            evaluationId: e, phase: undefined, startAt: undefined, endAt: undefined, message: undefined,
        });
        assert.equal((await page.next('endAt')).endAt, undefined);
    });

    test('the student\'s own end counts, as long as there is one', async () => {
        const page = await sit({ own: { endAt: LATER } });
        const { e, user } = page;
        await page.next('endAt', ({ own }) => own);
        await setAccess(publisher, e, user, 'ALLOWED', { endAt: LATER, n: 2 });
        await page.next('access', ({ message }) => message.n === 2);
        await setPhase(publisher, e, 'IN_PROGRESS', { endAt: '2030-01-01T10:05:00Z' });
        await page.next('phase');
        await setAccess(publisher, e, user, 'ALLOWED');
        await page.next('endAt', ({ endAt }) => endAt === '2030-01-01T10:05:00Z');
        const ends = page.events.filter(({ name }) => name === 'endAt').map(({ endAt, own }) => [endAt, own]);
        assert.deepEqual(ends, [[END, false], [LATER, true], ['2030-01-01T10:05:00Z', false]]);
    });

    test('a student who is on no list is told so, and is shown the exam once added', async () => {
        const e = newId('exam');
        await setPhase(publisher, e, 'IN_PROGRESS', { n: 1 });
        const page = studentPage(broker, { e });
        assert.deepEqual(said(await page.next('access')), { evaluationId: e });
        assert.deepEqual(page.names(), ['online', 'access']);
        await setAccess(publisher, e, page.user, 'ALLOWED');
        assert.equal((await page.next('access')).access, 'ALLOWED');
        assert.equal((await page.next('phase')).message.n, 1);
        await setPhase(publisher, e, 'IN_PROGRESS', { n: 2 }); // it has subscribed by itself
        assert.equal((await page.next('phase', ({ message }) => message.n === 2)).phase, 'IN_PROGRESS');
        await setAccess(publisher, e, page.user, 'DENIED');
        assert.equal((await page.next('access')).access, 'DENIED');
        await publisher.publish(userTopic(e, page.user), '', { qos: 1, retain: true });
        assert.deepEqual(said(await page.next('access')),
            { evaluationId: e, access: undefined, status: undefined, message: undefined });
    });

    test('what a removed listener would have heard, others hear', async () => {
        const page = await sit();
        const heard = [];
        const off = page.invigilator.on('phase', ({ message }) => heard.push(message.n));
        await setPhase(publisher, page.e, 'IN_PROGRESS', { n: 1 });
        await page.next('phase');
        off();
        await setPhase(publisher, page.e, 'IN_PROGRESS', { n: 2 });
        await page.next('phase');
        assert.deepEqual(heard, [1]);
    });

    test('a professor\'s topics, and messages to the user, come as they are', async () => {
        const e = newId('exam');
        const sub = newId('prof');
        await setPhase(publisher, e, 'REGISTRATION');
        const token = () => broker.sign({ sub, sid: 's1', role: 'professor', evaluations: [e] });
        const page = openPage({
            token, url: broker.wsUrl, evaluations: [e],
            topics: [`evaluations/${e}/presence/+`, `evaluations/${e}/users/+`],
        });
        await page.next('phase');
        await setAccess(publisher, e, 'zoe', 'ALLOWED');
        assert.deepEqual(said(await page.next('message')), {
            topic: `evaluations/${e}/users/zoe`, message: accessUpdate(e, 'zoe', 'ALLOWED'),
        });
        await publisher.publish(`users/${sub}`, { type: 'HELLO' });
        const hello = await page.next('message', ({ topic }) => topic === `users/${sub}`);
        assert.deepEqual(hello.message, { type: 'HELLO' });
    });

    test('topic_prefix goes before every topic', async () => {
        const other = await startBroker({ options: { topic_prefix: 'eval/' } });
        const page = openPage({
            token: () => other.sign({ sub: 'prefixed', sid: 's1', evaluations: ['e1'] }),
            url: other.wsUrl, evaluations: ['e1'], topicPrefix: 'eval/',
        });
        await page.next('online');
        const sender = await service(other);
        await sender.publish('eval/evaluations/e1', phaseUpdate('e1', 'REGISTRATION'), { qos: 1, retain: true });
        assert.equal((await page.next('phase')).phase, 'REGISTRATION');
        await sender.publish('eval/users/prefixed', { type: 'HELLO' }, { qos: 1 });
        assert.equal((await page.next('message')).topic, 'users/prefixed');
        await page.invigilator.stop();
        await sender.end();
        await other.stop();
    });
});

describe('logins', () => {
    test('each connection has a token and a client id of its own', async () => {
        const line = await openLine(broker.wsPort);
        const page = await sit({ url: line.url });
        line.cut();
        await page.next('offline');
        await page.next('online', ({ time }) => time > page.events.find(({ name }) => name === 'offline').time);
        line.close();
        assert.equal(page.tokens, 2);
        const ids = page.connects.map(({ clientId }) => clientId);
        assert.equal(new Set(ids).size, 2);
        ids.forEach((id) => assert.match(id, new RegExp(`^${page.user}:[0-9a-f]{24}$`)));
        page.connects.forEach(({ username, clean }) => assert.deepEqual([username, clean], [page.user, true]));
    });

    for (const [reason, end] of [
        ['SUPERSEDED', ({ user }) => studentPage(broker, { e: newId('other'), user, session: 2 }).next('online')],
        ['REVOKED', ({ user }) => command(publisher, 'invalidateUser', { userId: user })],
    ]) {
        test(`${reason}: it is told, and does not come back`, async () => {
            const e = newId('exam');
            const page = studentPage(broker, { e });
            await page.next('access');
            await end(page);
            assert.equal((await page.next('invalidated')).reason, reason);
            assert.equal((await page.next('offline')).reason, 'stopped');
            await page.closed[0];
            // Longer than it would wait for another attempt, had it one in mind.
            await new Promise((resolve) => setTimeout(resolve, 1500));
            assert.deepEqual([page.tokens, page.connects.length], [1, 1]);
            // Its login has ended, also for a page that is opened anew.
            page.invigilator.start();
            assert.equal((await page.next('invalidated')).reason, reason);
            assert.deepEqual(page.names().filter((name) => name === 'online'), ['online']);
        });
    }

    test('refused: a newer token at once, and then with pauses', async () => {
        const e = newId('exam');
        const user = newId('student');
        const claims = { sub: user, sid: 's1' };
        const old = now() - 3600;
        const page = openPage({
            token: (n) => broker.sign(n === 0 ? { ...claims, iat: old - 10, exp: old } : claims),
            url: broker.wsUrl, evaluations: [e],
        });
        assert.equal((await page.next('refused')).code, 5);
        await page.next('online');
        assert.equal(page.tokens, 2);
        const timeOf = (what) => page.events.find(({ name }) => name === what).time;
        const [refused, online] = [timeOf('refused'), timeOf('online')];
        assert.ok(online - refused < patience(450), `${online - refused} ms`);

        const token = () => broker.sign({ ...claims, iat: old - 10, exp: old });
        const never = openPage({ token, url: broker.wsUrl, evaluations: [e] });
        const times = [];
        for (let i = 0; i < 4; i++) {
            times.push((await never.next('refused')).time);
        }
        assert.ok(times[2] - times[1] >= 500 && times[3] - times[2] >= 1000, `${times}`);
        assert.equal(never.events.filter(({ name }) => name === 'offline').length, 1);
    });

    test('no token: offline, and back when there is one', async () => {
        const claims = { sub: newId('student'), sid: 's1' };
        const page = openPage({
            token: (n) => (n < 2 ? Promise.reject(new Error('signed out')) : broker.sign(claims)),
            url: broker.wsUrl, evaluations: [newId('exam')],
        });
        assert.equal((await page.next('offline')).reason, 'token');
        await page.next('online');
        assert.deepEqual([page.tokens, page.connects.length], [3, 1]);
        assert.equal(page.events.filter(({ name }) => name === 'offline').length, 1);
    });

    test('stop: offline, the connection has closed, and start may follow', async () => {
        const page = await sit();
        await page.invigilator.stop();
        assert.equal((await page.next('offline')).reason, 'stopped');
        assert.equal(page.clients[0].connected, false);
        page.invigilator.start();
        await page.next('phase');
        assert.equal(page.connects.length, 2);
    });

    test('stop while it connects', async () => {
        const page = studentPage(broker, { e: newId('exam') });
        await page.invigilator.stop();
        assert.deepEqual(page.names(), ['offline']);
        page.invigilator.start();
        await page.nextClient();
        await page.invigilator.stop();
        assert.deepEqual([page.connects.length, page.clients[0].connected], [1, false]);
        assert.equal(page.names().includes('online'), false);
    });
});

describe('a second login in a strict exam', () => {
    const retry = { blockedRetry: 0.4 };

    async function blocked() {
        const page = await sit();
        const second = studentPage(broker, { ...page, user: page.user, session: 2, ...retry });
        const told = await second.next('blocked');
        assert.deepEqual(told.evaluationId, page.e);
        assert.equal(told.reason, 'SECOND_LOGIN');
        assert.match(told.at, /Z$/);
        assert.equal((await page.next('blocked')).reason, 'SECOND_LOGIN');
        assert.equal((await page.next('access')).access, 'BLOCKED');
        return { page, second };
    }

    test('both are told; the second asks again, slowly, and is never online', async () => {
        const { page, second } = await blocked();
        const first = second.events.find(({ name }) => name === 'blocked').time;
        const again = await second.next('blocked', () => true, { timeout: 10000 });
        await second.next('blocked', () => true, { timeout: 10000 });
        assert.ok(again.time - first >= 200, `${again.time - first}`);
        assert.ok(second.tokens >= 3);
        assert.deepEqual([...new Set(second.names())], ['access', 'blocked']);
        assert.equal(page.names().includes('offline'), false);
    });

    test('unblocked: the first goes on, the second is told that it is superseded', async () => {
        const { page, second } = await blocked();
        await unblock(page.e, page.user);
        assert.equal((await page.next('access')).access, 'ALLOWED');
        await page.next('phase');
        assert.equal((await second.next('invalidated')).reason, 'SUPERSEDED');
        assert.equal(page.names().includes('offline'), false);
    });

    test('unblocked for the second: it comes in by itself, the first is told', async () => {
        const { page, second } = await blocked();
        await unblock(page.e, page.user, 2);
        assert.equal((await page.next('invalidated')).reason, 'SUPERSEDED');
        await second.next('online');
        assert.equal((await second.next('access', ({ access }) => access === 'ALLOWED')).access, 'ALLOWED');
        assert.equal((await second.next('phase')).phase, 'IN_PROGRESS');
    });
});
