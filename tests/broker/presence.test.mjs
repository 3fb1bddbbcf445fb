// SPDX-License-Identifier: Apache-2.0
// presence.test.mjs - who is there, as those who supervise see it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
    backend, command, expectInvalidated, expectTurnedAway, login, newId, now, professor,
    publishRetained, retainedOn, service, setAccess, setPhase, startBroker, TIME,
} from './lib.mjs';
import { connectPacketOf, enterRawAt } from './lib/rawlogin.mjs';

let broker;
let publisher;
let reader;

before(async () => {
    broker = await startBroker({ options: { jwt_leeway: '0', expiry_notice: '0' } });
    publisher = await backend(broker, { version: 5 });
    reader = await service(broker);
});
after(async () => {
    await Promise.all([publisher.end(), reader.end()]);
    await broker.stop();
});

const presenceTopic = (e, user) => `evaluations/${e}/presence/${user}`;

/** Mosquitto says why a connection ended from 2.1 on. */
const ended = (cause) => (broker.isNewer ? cause : 'UNKNOWN');

/** An evaluation in `phase`, with a professor and a service who watch its presence. */
async function watched(phase) {
    const e = newId('e');
    await setPhase(publisher, e, phase);
    const watchers = [await professor(broker, [e], { version: 5 }), await service(broker)];
    for (const client of watchers) {
        assert.deepEqual(await client.subscribe([`evaluations/${e}/presence/+`]), [1]);
    }
    const end = () => Promise.all(watchers.map((client) => client.end()));
    return { e, watchers, end };
}

/** The next presence that both watchers see. */
async function nextPresence({ e, watchers }, user) {
    const [first, second] = await Promise.all(watchers.map((client) => client.nextMessage(presenceTopic(e, user))));
    assert.equal(first.text, second.text);
    assert.ok(!first.retain && !second.retain);
    return first;
}

async function expectPresence(it, user, connections, cause) {
    const { json } = await nextPresence(it, user);
    const { since, cause: said, ...rest } = json;
    assert.deepEqual(rest, {
        type: 'PRESENCE', evaluationId: it.e, userId: user, online: connections > 0, connections,
    });
    assert.match(since, TIME);
    assert.ok(Math.abs(Date.parse(since) - Date.now()) < 60000);
    if (cause !== undefined) {
        assert.match(said, cause instanceof RegExp ? cause : new RegExp(`^${cause}$`));
    }
    return json;
}

async function expectCleared(it, user) {
    const { text } = await nextPresence(it, user);
    assert.equal(text, '');
    assert.equal(await retainedOn(reader, presenceTopic(it.e, user)), undefined);
}

const student = (e, user, options = {}, claims = {}) =>
    login(broker, { sub: user, sid: `sid-${user}`, evaluations: [e], ...claims }, options);

test('online, counted, offline; retained for those who come later', async () => {
    const it = await watched('REGISTRATION');
    const user = newId('student');
    const page = await student(it.e, user);
    const { since } = await expectPresence(it, user, 1, 'CONNECTED');
    const late = await retainedOn(reader, presenceTopic(it.e, user));
    assert.deepEqual([late.json.online, late.json.connections, late.json.since], [true, 1, since]);
    const tab = await student(it.e, user, { url: broker.tcpUrl, version: 5 });
    await expectPresence(it, user, 2);
    await page.end();
    await expectPresence(it, user, 1);
    await tab.end(true);
    await expectPresence(it, user, 0, ended('CLOSED'));
    assert.equal((await retainedOn(reader, presenceTopic(it.e, user))).json.online, false);
    await it.end();
});

test('a session of MQTT 5 that outlives its connection is not there', async () => {
    const it = await watched('REGISTRATION');
    const user = newId('student');
    const durable = {
        version: 5, clean: false, clientId: `${user}:d`, properties: { sessionExpiryInterval: 600 },
    };
    for (const back of [false, true]) {
        const page = await student(it.e, user, durable);
        assert.equal(page.connack.sessionPresent, back);
        await expectPresence(it, user, 1, 'CONNECTED');
        await page.end();
        await expectPresence(it, user, 0, ended('CLOSED'));
        const { sessions } = await command(reader, 'getUser', { userId: user });
        assert.deepEqual(sessions.map(({ connections }) => connections), [[]]);
    }
    await it.end();
});

test('who falls silent is no longer there after one and a half times the keepalive', async () => {
    const it = await watched('REGISTRATION');
    const user = newId('student');
    const packet = await connectPacketOf(broker, user, 's1', { claims: { evaluations: [it.e] }, keepalive: 1 });
    const raw = await enterRawAt(broker, 'ws', packet);
    await expectPresence(it, user, 1, 'CONNECTED');
    await raw.closed;
    await expectPresence(it, user, 0, ended('TIMEOUT'));
    await it.end();
});

test('who was never there has no presence, nor has a professor', async () => {
    const it = await watched('REGISTRATION');
    const [absent, user] = [newId('student'), newId('student')];
    await setAccess(publisher, it.e, absent, 'ALLOWED');
    const page = await student(it.e, user);
    await expectPresence(it, user, 1, 'CONNECTED');
    const topics = it.watchers.flatMap(({ messages }) => messages.map(({ topic }) => topic));
    assert.deepEqual(topics, [presenceTopic(it.e, user), presenceTopic(it.e, user)]);
    await page.end();
    await it.end();
});

test('a participant by the backend alone, in several evaluations', async () => {
    const exams = [await watched('REGISTRATION'), await watched('IN_PROGRESS')];
    const user = newId('student');
    for (const { e } of exams) {
        await setAccess(publisher, e, user, 'ALLOWED');
    }
    const page = await login(broker, { sub: user, sid: 's1' });
    for (const it of exams) {
        await expectPresence(it, user, 1, 'CONNECTED');
    }
    await page.end();
    for (const it of exams) {
        await expectPresence(it, user, 0, ended('CLOSED'));
        await it.end();
    }
});

test('it begins with its phases and is cleared when the evaluation leaves them', async () => {
    const it = await watched('COMPOSITION');
    const user = newId('student');
    const page = await student(it.e, user);
    await command(publisher, 'getStats'); // a tick later: nothing was published
    assert.equal(await retainedOn(reader, presenceTopic(it.e, user)), undefined);
    await setPhase(publisher, it.e, 'REGISTRATION');
    await expectPresence(it, user, 1);
    await setPhase(publisher, it.e, 'IN_PROGRESS');
    const tab = await student(it.e, user);
    await expectPresence(it, user, 2);
    await setPhase(publisher, it.e, 'GRADING');
    await expectCleared(it, user);
    await Promise.all([page.end(), tab.end()]);
    // Back in the phase, with nobody there: no leftover says online.
    await setPhase(publisher, it.e, 'REGISTRATION');
    const again = await student(it.e, user);
    let json;
    do {
        ({ json } = await nextPresence(it, user));
    } while (!json?.online);
    assert.equal(json.connections, 1);
    await again.end();
    await it.end();
});

test('it is cleared for who is denied, and comes back with the access', async () => {
    const it = await watched('REGISTRATION');
    const user = newId('student');
    const page = await student(it.e, user);
    await expectPresence(it, user, 1);
    await setAccess(publisher, it.e, user, 'DENIED');
    await expectCleared(it, user);
    await setAccess(publisher, it.e, user, 'ALLOWED');
    await expectPresence(it, user, 1);
    await page.end();
    await it.end();
});

test('it is cleared with the evaluation', async () => {
    const it = await watched('REGISTRATION');
    const users = [newId('student'), newId('student')];
    const pages = [];
    for (const user of users) {
        pages.push(await student(it.e, user));
        await expectPresence(it, user, 1);
    }
    await pages[0].end();
    await expectPresence(it, users[0], 0, ended('CLOSED'));
    await publishRetained(publisher, `evaluations/${it.e}`, '');
    for (const user of users) {
        await expectCleared(it, user);
    }
    await pages[1].end();
    await it.end();
});

test('a page that is loaded again ends up online', async () => {
    const it = await watched('REGISTRATION');
    const user = newId('student');
    let page = await student(it.e, user);
    await expectPresence(it, user, 1);
    for (let i = 0; i < 5; i++) {
        const old = page;
        page = (await Promise.all([student(it.e, user), i % 2 ? old.end() : old.end(true)]))[0];
    }
    // The same, with the client id kept: the broker closes the old connection itself.
    const clientId = `${user}:page`;
    const first = await student(it.e, user, { clientId });
    const second = await student(it.e, user, { clientId });
    await first.closed;
    await second.ping();
    await page.end();
    // What was published on the way there depends on the ticks; what stands in the end does not.
    const tabs = [await student(it.e, user), await student(it.e, user), await student(it.e, user)];
    let json;
    do {
        ({ json } = await nextPresence(it, user));
    } while (json.connections < 4);
    assert.equal(json.connections, 4);
    await Promise.all([...tabs, second].map((client) => client.end()));
    do {
        ({ json } = await nextPresence(it, user));
    } while (json.online);
    assert.equal(json.connections, 0);
    await it.end();
});

test('a session that gives way to a newer login, one that is revoked, one that runs out', async () => {
    const it = await watched('REGISTRATION');
    const user = newId('student');
    const first = await student(it.e, user, {}, { sid: 's1' });
    await expectPresence(it, user, 1);
    const second = await student(it.e, user, {}, { sid: 's2' });
    await expectInvalidated(first, user, 's1', 'SUPERSEDED');
    const tab = await student(it.e, user, {}, { sid: 's2' });
    let json;
    do {
        ({ json } = await nextPresence(it, user));
        assert.ok(json.connections <= 2); // the first one does not count while it is told
    } while (json.connections < 2);
    await command(publisher, 'invalidateSession', { userId: user, sessionId: 's2' });
    await expectPresence(it, user, 0, 'REVOKED');
    await Promise.all([second, tab].map((client) => expectInvalidated(client, user, 's2', 'REVOKED')));

    const short = newId('student');
    const page = await student(it.e, short, {}, { exp: now() + 2 });
    await expectPresence(it, short, 1);
    await expectPresence(it, short, 0, 'EXPIRED');
    await page.closed;
    await it.end();
});

test('a second login that is turned away is not there', async () => {
    const it = await watched('IN_PROGRESS');
    const user = newId('student');
    const page = await student(it.e, user, {}, { sid: 's1' });
    await expectPresence(it, user, 1, 'CONNECTED');
    await expectTurnedAway(await student(it.e, user, {}, { sid: 's2' }), it.e, user);
    const other = await student(it.e, newId('student'));
    await it.watchers[0].nextMessage(({ topic }) => !topic.endsWith(`/${user}`));
    const said = it.watchers[0].messages.filter(({ topic }) => topic === presenceTopic(it.e, user));
    assert.deepEqual(said.map(({ json }) => json.connections), [1]);
    await Promise.all([page.end(), other.end()]);
    await it.end();
});
