// SPDX-License-Identifier: Apache-2.0
// strict.test.mjs - strict evaluations: who is bound, what becomes of a second login, and who is told.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import {
    accessUpdate, backend, command, evaluationTopic, expectBlockedCopy, expectInvalidated, expectTurnedAway,
    fingerprint, login, messagesUntilMarker, newId, now, patience, professor, retainedOn, service,
    setAccess, setPhase, startBroker, startExam, TIME, userTopic,
} from './lib.mjs';

let broker;
let publisher;
let prof;
let watcher;
const EXAMS = Array.from({ length: 60 }, (_, i) => `exam${i}`);
const unused = [...EXAMS];
const incidentsOf = (e) => `evaluations/${e}/incidents`;

before(async () => {
    broker = await startBroker();
    publisher = await backend(broker, { version: 5 });
    prof = await professor(broker, EXAMS);
    watcher = await service(broker, { version: 5 });
    await prof.subscribe(EXAMS.map(incidentsOf));
    await watcher.subscribe(['evaluations/+/incidents']);
});
after(async () => {
    await Promise.all([publisher, prof, watcher].map((client) => client.end()));
    await broker.stop();
});

const exam = (options) => startExam(broker, publisher, unused.shift(), options);
const nextIncident = (client, e, user) =>
    client.nextMessage(({ topic, json }) => topic === incidentsOf(e) && json.userId === user);
const allIncidents = (e, user) => prof.messages
    .filter(({ topic, json }) => topic === incidentsOf(e) && json.userId === user).map(({ json }) => json);

async function expectIncident({ e, user, sid }, refused, more = {}) {
    for (const client of [prof, watcher]) {
        const { json, text, retain } = await nextIncident(client, e, user);
        const { at, ...rest } = json;
        assert.deepEqual(rest, {
            type: 'INCIDENT', kind: 'SECOND_LOGIN', evaluationId: e, userId: user, enforced: true,
            boundSession: fingerprint(sid(1)), refusedSession: fingerprint(sid(refused)), address: '127.0.0.1', ...more,
        });
        assert.match(at, TIME);
        assert.equal(retain, false);
        assert.ok(!text.includes(sid(1)) && !text.includes(sid(refused)));
    }
}

/** Another student's incident in the same exam: whatever incident was to come before it has come. */
async function incidentMarker(e) {
    const claims = { sub: newId('marker'), evaluations: [e] };
    const clients = [await login(broker, { ...claims, sid: 'm1' }), await login(broker, { ...claims, sid: 'm2' })];
    await nextIncident(prof, e, claims.sub);
    await Promise.all(clients.map((client) => client.end()));
}

// Most of a test's time is waiting for disconnects, so several run at once.
describe('strict evaluations', { concurrency: 6 }, () => {
    for (const transport of ['wsUrl', 'tcpUrl']) {
        for (const version of [4, 5]) {
            test(`a second login is told and turned away: ${transport}, v${version}`, async () => {
                const options = { url: broker[transport], version };
                const it = await exam(options);
                const intruder = await it.enter(2, options);
                await expectTurnedAway(intruder, it.e, it.user, version);
                await expectBlockedCopy(it.page, it);
                await expectIncident(it, 2);
                assert.equal((await retainedOn(watcher, userTopic(it.e, it.user))).json.access, 'BLOCKED');

                // The page that is bound can be told, and hears nothing more of the exam itself.
                const from = it.page.messages.length;
                await setPhase(publisher, it.e, 'IN_PROGRESS', { n: 2 });
                assert.deepEqual(await messagesUntilMarker(publisher, it.page, it.user, from), []);
                assert.ok(it.page.isOpen);
                await it.page.end();

                // The binding outlives its connection; who comes back learns of the block.
                const again = await it.enter(2, options);
                await expectTurnedAway(again, it.e, it.user, version);
                const back = await it.enter(1, options);
                assert.deepEqual(await back.subscribe([userTopic(it.e, it.user)]), [1]);
                await expectBlockedCopy(back, it);
                await incidentMarker(it.e);
                assert.equal(allIncidents(it.e, it.user).length, 1);
                await back.end();
            });

            test(`a second login under the client id of the first: ${transport}, v${version}`, async () => {
                const clientId = (user) => `${user}:page`;
                const options = { url: broker[transport], version };
                const e = unused.shift();
                const user = newId('student');
                const sid = (n) => `${user}-${n}`;
                const enter = (n, id) => login(broker, { sub: user, sid: sid(n), evaluations: [e] }, { ...options, clientId: id });
                await setPhase(publisher, e, 'IN_PROGRESS');
                const page = await enter(1, clientId(user));
                await page.subscribe([`users/${user}`, userTopic(e, user)]);
                const from = broker.log().length;
                await assert.rejects(enter(2, clientId(user)), (error) => error.code === (version === 5 ? 135 : 5));
                await broker.waitForLog(new RegExp(`^invigilator: refused reason=second_login .*${user}`), { from });
                // Nothing was said of this student before: the copy is of nothing but the ids.
                await expectBlockedCopy(page, { e, user, own: accessUpdate(e, user) });
                await expectIncident({ e, user, sid }, 2);
                await expectTurnedAway(await enter(2, `${user}:other`), e, user, version);
                await incidentMarker(e);
                assert.equal(allIncidents(e, user).length, 1);
                await page.ping();
                assert.ok(page.isOpen);
                await page.end();
            });
        }
    }

    test('a page that was turned away reconnects by itself: told each time, one incident', async () => {
        const it = await exam();
        const intruder = await it.enter(2, { reconnectPeriod: 50 });
        const seen = (event) => once(intruder.client, event, { signal: AbortSignal.timeout(patience(20000)) });
        await seen('connect');
        await seen('connect');
        await seen('close');
        await intruder.client.endAsync(true);
        const told = intruder.messages.map(({ json }) => [json.evaluationId, json.access]);
        assert.deepEqual(told, [[it.e, 'BLOCKED'], [it.e, 'BLOCKED'], [it.e, 'BLOCKED']]);
        await incidentMarker(it.e);
        assert.equal(allIncidents(it.e, it.user).length, 1);
        await it.page.end();
    });

    test('each session that is turned away makes an incident; the tabs of the bound one none', async () => {
        const it = await exam();
        const tab = await it.enter(1);
        for (const n of [2, 3]) {
            await expectTurnedAway(await it.enter(n), it.e, it.user);
            await expectIncident(it, n);
        }
        await tab.ping();
        assert.ok(tab.isOpen && it.page.isOpen);
        await incidentMarker(it.e);
        assert.equal(allIncidents(it.e, it.user).length, 2);
        await Promise.all([tab.end(), it.page.end()]);
    });

    test('many logins at once: one is bound, all others are turned away', async () => {
        const e = unused.shift();
        const user = newId('student');
        const count = 20;
        await setPhase(publisher, e, 'IN_PROGRESS');
        const claims = { sub: user, evaluations: [e], auth_time: now() - 5 };
        const clients = await Promise.all(Array.from({ length: count }, (_, i) =>
            login(broker, { ...claims, sid: `${user}-${i}` }, { url: i % 2 ? broker.tcpUrl : broker.wsUrl, version: i % 4 < 2 ? 4 : 5 })));
        const { bindings: [binding] } = await command(publisher, 'getUser', { userId: user });
        const index = Number(binding.sessionId.split('-')[1]);
        const bound = clients[index];
        for (const client of clients.filter((each) => each !== bound)) {
            await client.closed;
            assert.deepEqual(client.messages.map(({ json }) => json.access), ['BLOCKED']);
        }
        await bound.ping();
        assert.ok(bound.isOpen);
        assert.equal(bound.messages.length, 0);
        await incidentMarker(e);
        const incidents = allIncidents(e, user);
        assert.equal(new Set(incidents.map(({ refusedSession }) => refusedSession)).size, count - 1);
        assert.equal(incidents.length, count - 1);
        assert.ok(incidents.every(({ boundSession }) => boundSession === fingerprint(`${user}-${index}`)));
        await bound.end();
    });

    test('who is connected when an evaluation becomes strict is bound', async () => {
        const e = unused.shift();
        const user = newId('student');
        const enter = (sid) => login(broker, { sub: user, sid, evaluations: [e] });
        await setPhase(publisher, e, 'REGISTRATION');
        const first = await enter('s1');
        const second = await enter('s2');
        await expectInvalidated(first, user, 's1', 'SUPERSEDED');
        await setPhase(publisher, e, 'IN_PROGRESS', { strict: false });
        const third = await enter('s3');
        await expectInvalidated(second, user, 's2', 'SUPERSEDED');
        await setPhase(publisher, e, 'IN_PROGRESS', { strict: true });
        await expectTurnedAway(await enter('s4'), e, user);
        assert.ok(third.isOpen);
        await third.end();
    });

    test('bound in two exams: told and reported of both', async () => {
        const exams = [unused.shift(), unused.shift()];
        const user = newId('student');
        const enter = (sid) => login(broker, { sub: user, sid, evaluations: exams });
        for (const e of exams) {
            await setPhase(publisher, e, 'IN_PROGRESS');
        }
        const page = await enter('s1');
        const intruder = await enter('s2');
        for (const e of exams) {
            assert.equal((await intruder.nextMessage(userTopic(e, user))).json.reason, 'SECOND_LOGIN');
            assert.equal((await nextIncident(prof, e, user)).json.refusedSession, fingerprint('s2'));
            assert.equal((await retainedOn(watcher, userTopic(e, user))).json.access, 'BLOCKED');
        }
        await intruder.closed;
        await page.end();
    });

    test('an older login, a professor, and a student of another evaluation are no second logins', async () => {
        const e = unused.shift();
        await setPhase(publisher, e, 'IN_PROGRESS');
        const user = newId('student');
        const page = await login(broker, { sub: user, sid: 's2', evaluations: [e] });
        const late = await login(broker, { sub: user, sid: 's1', evaluations: [e], auth_time: now() - 500 });
        await expectInvalidated(late, user, 's1', 'SUPERSEDED');

        const pages = [page];
        const teacher = { sub: newId('prof'), role: 'professor', evaluations: [e] };
        pages.push(await login(broker, { ...teacher, sid: 'p1' }), await login(broker, { ...teacher, sid: 'p2' }));
        const other = newId('student');
        const first = await login(broker, { sub: other, sid: 's1', evaluations: [unused[0]] });
        pages.push(await login(broker, { sub: other, sid: 's2', evaluations: [unused[0]] }));
        await expectInvalidated(first, other, 's1', 'SUPERSEDED');
        await incidentMarker(e);
        assert.deepEqual([user, teacher.sub, other].flatMap((each) => allIncidents(e, each)), []);
        for (const client of pages) {
            await client.ping();
            assert.ok(client.isOpen);
            await client.end();
        }
    });

    test('the session of the bound page from a second address is seen, once, and not stopped', async () => {
        const it = await exam();
        const from = (address) => it.enter(1, { wsOptions: { localAddress: address } });
        const copies = [await from('127.0.0.1'), await from('127.0.0.2')];
        await expectIncident(it, 1, { kind: 'SHARED_SESSION', enforced: false, address: '127.0.0.2' });
        copies.push(await from('127.0.0.3'));
        await incidentMarker(it.e);
        assert.equal(allIncidents(it.e, it.user).length, 1);
        for (const client of [it.page, ...copies]) {
            await client.ping();
            assert.ok(client.isOpen);
            await client.end();
        }
    });

    test('strict_policy observe reports, and the newest login wins', async () => {
        const own = await startBroker({ options: { strict_policy: 'observe' } });
        const sender = await backend(own);
        const it = await startExam(own, sender);
        const observer = await professor(own, [it.e]);
        await observer.subscribe([incidentsOf(it.e)]);
        let page = it.page;
        for (const n of [2, 3]) {
            const next = await it.enter(n);
            await expectInvalidated(page, it.user, it.sid(n - 1), 'SUPERSEDED');
            const { at, ...incident } = (await observer.nextMessage(incidentsOf(it.e))).json;
            assert.deepEqual(incident, {
                type: 'INCIDENT', kind: 'SECOND_LOGIN', evaluationId: it.e, userId: it.user, enforced: false,
                boundSession: fingerprint(it.sid(n - 1)), refusedSession: fingerprint(it.sid(n)), address: '127.0.0.1',
            });
            assert.match(at, TIME);
            assert.deepEqual(await next.subscribe([evaluationTopic(it.e), userTopic(it.e, it.user)]), [1, 1]);
            assert.equal((await next.nextMessage(userTopic(it.e, it.user))).json.access, 'ALLOWED');
            await setPhase(sender, it.e, 'IN_PROGRESS', { n });
            await next.nextMessage(({ json, retain }) => json.n === n && !retain);
            page = next;
        }
        await Promise.all([page.end(), observer.end(), sender.end()]);
        await own.stop();
    });

    test('strict_policy off does neither', async () => {
        const own = await startBroker({ options: { strict_policy: 'off' } });
        const sender = await backend(own);
        const it = await startExam(own, sender);
        const observer = await professor(own, [it.e]);
        await observer.subscribe([`evaluations/${it.e}/#`]);
        const next = await it.enter(2);
        await expectInvalidated(it.page, it.user, it.sid(1), 'SUPERSEDED');
        // The page was disconnected two ticks after its notice: an incident would be older than that.
        await setAccess(sender, it.e, it.user, 'ALLOWED', { n: 2 });
        await observer.nextMessage(({ json }) => json?.n === 2 && json.access === 'ALLOWED');
        assert.deepEqual(observer.messages.filter(({ topic, json }) => topic === incidentsOf(it.e) || json?.access === 'BLOCKED'), []);
        await next.ping();
        assert.ok(next.isOpen);
        await Promise.all([next.end(), observer.end(), sender.end()]);
        await own.stop();
    });
});
