// SPDX-License-Identifier: Apache-2.0
// outage.test.mjs - the server of state is slow, cut off or killed, a broker is killed: what goes on, and
// what is settled afterwards. Three brokers, of which the second and the third have a bridge to the first.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { backend, command, evaluationTopic, newId, setAccess, setPhase, userTopic } from '../broker/lib.mjs';
import { blockedIn, Cluster, invalidated } from './lib/cluster.mjs';

const cluster = new Cluster();
let a;
let b;
let c;
let backends;

before(async () => {
    await cluster.open(3, { state_timeout: 100 });
    [a, b, c] = cluster.brokers;
    backends = await Promise.all(cluster.brokers.map((broker) => backend(broker, { version: 5 })));
});
after(async () => {
    await Promise.all((backends ?? []).map((client) => client.end()));
    await cluster.close();
});

/** What becomes of the log of each broker from here on. */
function watch(brokers = cluster.brokers) {
    const marks = brokers.map((broker) => broker.log().length);
    return {
        all: (regex) => Promise.all(brokers.map((broker, i) => broker.waitForLog(regex, { from: marks[i] }))),
        count: (regex) => brokers.map((broker, i) => broker.log().slice(marks[i]).filter((line) => regex.test(line)).length),
    };
}

/** Logs in at several brokers that cannot hear of each other; resolves to the pages. */
function loginAll(brokers, sub) {
    return Promise.all(brokers.map((broker, i) => cluster.login(broker, { sub, sid: `s${i}` })));
}

/** All pages but one are told that they are over, and end. */
async function oneIsLeft(pages, isTold) {
    const ends = pages.map(async (page, i) => {
        await page.nextMessage(isTold(i));
        await page.closed;
        return page;
    });
    ends.forEach((end) => end.catch(() => {}));
    const ended = new Set();
    while (ended.size < pages.length - 1) {
        ended.add(await Promise.race(ends.filter((_, i) => !ended.has(pages[i]))));
    }
    const [left] = pages.filter((page) => !ended.has(page));
    await left.ping();
    assert.equal(left.isOpen, true);
    return left;
}

test('the server is killed: all goes on, logins are marked, one line; when it is back one session is left', async () => {
    const sub = newId('user');
    const e = newId('exam');
    const lost = watch();
    await cluster.server.kill();
    await lost.all(/share_lost/);
    const pages = await loginAll([a, b, c], sub);
    await lost.all(new RegExp(`accepted user=${sub} .*shared=no`));
    // Deliveries go on, and messages cross.
    await setAccess(backends[1], e, sub, 'ALLOWED');
    await setPhase(backends[1], e, 'REGISTRATION', { n: 1 });
    await cluster.hasPhase(backends[0], e, 'REGISTRATION');
    await pages[0].subscribe([evaluationTopic(e)]);
    await pages[0].nextMessage(({ json }) => json?.n === 1);
    const back = watch();
    await cluster.server.start();
    await back.all(/share_available/);
    const left = await oneIsLeft(pages, (i) => invalidated(sub, `s${i}`, 'SUPERSEDED'));
    assert.deepEqual(lost.count(/share_lost/), [1, 1, 1]);
    await left.end();
});

test('two brokers are cut off during an exam: the bound session is left, the other one is turned away', async () => {
    const sub = newId('student');
    const e = newId('exam');
    await setPhase(backends[0], e, 'IN_PROGRESS');
    await setAccess(backends[0], e, sub, 'ALLOWED');
    await Promise.all(backends.map((client) => cluster.hasPhase(client, e, 'IN_PROGRESS')));
    const bound = await cluster.login(a, { sub, sid: 's0' });
    await cluster.isBound(backends[1], sub, 's0');
    const lost = watch([a, b]);
    cluster.lines.slice(0, 2).forEach((line) => line.cut());
    await lost.all(/share_lost/);
    // What was known before counts: it is turned away at once.
    const known = await cluster.login(b, { sub, sid: 's1' });
    await known.nextMessage(blockedIn(e, sub));
    const back = watch([a, b]);
    cluster.lines.forEach((line) => line.mend());
    await back.all(/share_available/);
    await bound.subscribe([userTopic(e, sub)]);
    await bound.nextMessage(blockedIn(e, sub));
    await bound.ping();
    assert.equal(bound.isOpen, true);
    await bound.end();
});

test('an exam begins for each of two brokers alone: the session that was first at the server stays bound', async () => {
    const sub = newId('student');
    const e = newId('exam');
    await setPhase(backends[0], e, 'IN_PROGRESS');
    await setAccess(backends[0], e, sub, 'ALLOWED');
    await Promise.all(backends.map((client) => cluster.hasPhase(client, e, 'IN_PROGRESS')));
    const lost = watch();
    cluster.lines.forEach((line) => line.cut());
    await lost.all(/share_lost/);
    const pages = await loginAll([a, b], sub);
    const back = watch();
    cluster.lines.forEach((line) => line.mend());
    await back.all(/share_available/);
    const left = await oneIsLeft(pages, () => blockedIn(e, sub));
    await cluster.isBlocked(backends[2], sub, e);
    await left.subscribe([userTopic(e, sub)]);
    await command(backends[2], 'unblock', { userId: sub, evaluationId: e });
    await left.nextMessage(({ topic, json }) => topic === userTopic(e, sub) && json.access === 'ALLOWED');
    await left.end();
});

test('a slow server: it counts as away, and what it says late is used', async () => {
    const sub = newId('user');
    const late = watch();
    cluster.lines.forEach((line) => Object.assign(line, { delay: 400 }));
    await late.all(/share_late/);
    const old = await cluster.login(a, { sub, sid: 's1' });
    await cluster.isKnown(backends[1], sub, 's1');
    const page = await cluster.login(b, { sub, sid: 's2' });
    await old.nextMessage(invalidated(sub, 's1', 'SUPERSEDED'));
    assert.deepEqual(late.count(/share_late/), [1, 1, 1]);
    const back = watch();
    cluster.lines.forEach((line) => Object.assign(line, { delay: 0 }));
    await back.all(/share_available/);
    await page.end();
});

test('a broker is killed: its pages are away everywhere, and come in at another one', async () => {
    const sub = newId('student');
    const e = newId('exam');
    const topic = `evaluations/${e}/presence/${sub}`;
    await setPhase(backends[0], e, 'IN_PROGRESS');
    await setAccess(backends[0], e, sub, 'ALLOWED');
    await cluster.hasPhase(backends[2], e, 'IN_PROGRESS');
    await backends[0].subscribe([topic]);
    await cluster.login(c, { sub, sid: 's1' });
    await backends[0].nextMessage((message) => message.topic === topic && message.json.online);
    await backends[2].end();
    await c.kill9();
    const back = await cluster.login(b, { sub, sid: 's1' });
    await cluster.isBound(backends[0], sub, 's1');
    await backends[0].nextMessage((message) => message.topic === topic && message.json.connections === 1,
        { timeout: 30000 });
    // It starts again, and knows what happened meanwhile.
    const mark = c.log().length;
    await c.start();
    await c.waitForLog(/share_available/, { from: mark });
    backends[2] = await backend(c, { version: 5 });
    await cluster.isBound(backends[2], sub, 's1');
    await cluster.hasPhase(backends[2], e, 'IN_PROGRESS');
    const second = await cluster.login(c, { sub, sid: 's2' });
    await second.nextMessage(blockedIn(e, sub));
    await back.end();
});
