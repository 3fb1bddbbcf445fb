// SPDX-License-Identifier: Apache-2.0
// session.test.mjs - logins, commands and strict evaluations across two brokers.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
    backend, command, evaluationTopic, fingerprint, newId, phaseUpdate, publishRetained, RETAINED, setAccess, setPhase,
    userTopic,
} from '../broker/lib.mjs';
import { blockedIn, Cluster, invalidated } from './lib/cluster.mjs';

const cluster = new Cluster();
let a;
let b;
let atA; // the backend, at each
let atB;

before(async () => {
    await cluster.open(2);
    [a, b] = cluster.brokers;
    [atA, atB] = await Promise.all([a, b].map((broker) => backend(broker, { version: 5 })));
});
after(async () => {
    await Promise.all([atA, atB].map((client) => client?.end()));
    await cluster.close();
});

describe('sessions', () => {
    for (const version of [4, 5]) {
        test(`a second login at the other broker ends the first, version ${version}`, async () => {
            const sub = newId('user');
            const old = await cluster.login(a, { sub, sid: 's1' }, { version });
            await cluster.isKnown(atB, sub, 's1');
            const page = await cluster.login(b, { sub, sid: 's2' }, { version });
            await old.nextMessage(invalidated(sub, 's1', 'SUPERSEDED'));
            await old.closed;
            const back = await cluster.login(b, { sub, sid: 's1' }, { version });
            await back.nextMessage(invalidated(sub, 's1', 'SUPERSEDED'));
            await back.closed;
            assert.equal(page.isOpen, true);
            await page.end();
        });
    }

    test('tabs of one session live at both', async () => {
        const sub = newId('user');
        const one = await cluster.login(a, { sub, sid: 's1' });
        await cluster.isKnown(atB, sub, 's1');
        const two = await cluster.login(b, { sub, sid: 's1' });
        await Promise.all([one.ping(), two.ping()]);
        assert.ok(one.isOpen && two.isOpen);
        await Promise.all([one.end(), two.end()]);
    });

    test('commands at one broker end pages at the other', async () => {
        const sub = newId('user');
        const page = await cluster.login(b, { sub, sid: 's1' });
        await cluster.isKnown(atA, sub, 's1');
        await command(atA, 'invalidateSession', { userId: sub, sessionId: 's1' });
        await page.nextMessage(invalidated(sub, 's1', 'REVOKED'));
        await page.closed;
        const next = await cluster.login(b, { sub, sid: 's2' });
        await cluster.isKnown(atA, sub, 's2');
        await command(atA, 'invalidateUser', { userId: sub });
        await next.nextMessage(invalidated(sub, 's2', 'REVOKED'));
        await next.closed;
    });

    test('two logins at the same instant, 200 times: one session is left', async () => {
        const users = Array.from({ length: 200 }, () => newId('twin'));
        const ends = await Promise.all(users.map(async (sub) => {
            const auth_time = Math.floor(Date.now() / 1000);
            const pages = await Promise.all([a, b].map((broker, i) =>
                cluster.login(broker, { sub, sid: `s${i}`, auth_time })));
            // Whoever has to go is told.
            const told = await Promise.any(pages.map(async (page, i) => {
                await page.nextMessage(invalidated(sub, `s${i}`, 'SUPERSEDED'));
                await page.closed;
                return i;
            }));
            const other = pages[1 - told];
            await other.ping();
            const isLeft = other.isOpen;
            await other.end();
            return isLeft;
        }));
        assert.equal(ends.filter(Boolean).length, 200);
    });
});

describe('strict evaluations', () => {
    async function exam() {
        const e = newId('exam');
        const sub = newId('student');
        await setPhase(atA, e, 'IN_PROGRESS', { version: 1 });
        await setAccess(atA, e, sub, 'ALLOWED');
        await cluster.hasPhase(atB, e, 'IN_PROGRESS');
        const bound = await cluster.login(a, { sub, sid: 's1' });
        await bound.subscribe([evaluationTopic(e), userTopic(e, sub)]);
        await cluster.isBound(atB, sub, 's1');
        return { e, sub, bound };
    }

    test('a second login at the other broker is turned away, and both are told', async () => {
        const { e, sub, bound } = await exam();
        await atA.subscribe([`evaluations/${e}/incidents`]);
        const second = await cluster.login(b, { sub, sid: 's2' });
        await second.nextMessage(blockedIn(e, sub));
        await second.closed;
        await bound.nextMessage(blockedIn(e, sub));
        // The incident crosses the bridge, once.
        const { json } = await atA.nextMessage(`evaluations/${e}/incidents`);
        assert.equal(json.refusedSession, fingerprint('s2'));
        assert.equal(bound.isOpen, true);
        await bound.end();
    });

    for (const [name, lift] of [
        ['a message at the other broker', ({ e, sub }) => setAccess(atB, e, sub, 'ALLOWED', { unblock: true })],
        ['a command at the other broker', ({ e, sub }) => command(atB, 'unblock', { userId: sub, evaluationId: e })],
    ]) {
        test(`${name} lifts a block`, async () => {
            const { e, sub, bound } = await exam();
            const second = await cluster.login(b, { sub, sid: 's2' });
            await second.closed;
            await bound.nextMessage(blockedIn(e, sub));
            await lift({ e, sub });
            await bound.nextMessage(({ topic, json }) => topic === userTopic(e, sub) && json.access === 'ALLOWED');
            await bound.nextMessage(({ topic, json }) => topic === evaluationTopic(e) && json.phase === 'IN_PROGRESS');
            const back = await cluster.login(a, { sub, sid: 's2' });
            await back.nextMessage(invalidated(sub, 's2', 'SUPERSEDED'));
            await bound.end();
        });
    }

    test('a session that is named is let in at the other broker', async () => {
        const { e, sub, bound } = await exam();
        const second = await cluster.login(b, { sub, sid: 's2' });
        await second.closed;
        await cluster.isKnown(atA, sub, 's2');
        await command(atA, 'unblock', { userId: sub, evaluationId: e, sessionId: 's2' });
        await bound.nextMessage(invalidated(sub, 's1', 'SUPERSEDED'));
        await cluster.isBound(atB, sub, 's2');
        const named = await cluster.login(b, { sub, sid: 's2' });
        assert.equal((await named.subscribe([evaluationTopic(e)]))[0], 1);
        await named.end();
    });

    test('messages cross once, retained, and a lower version is refused on both', async () => {
        const { e, sub, bound } = await exam();
        const page = await cluster.login(b, { sub, sid: 's1' });
        await page.subscribe([evaluationTopic(e)]);
        await page.nextMessage(evaluationTopic(e));
        await publishRetained(atB, evaluationTopic(e), phaseUpdate(e, 'IN_PROGRESS', { version: 3, n: 3 }));
        await publishRetained(atB, evaluationTopic(e), phaseUpdate(e, 'GRADING', { version: 4, n: 4 }));
        for (const client of [bound, page]) {
            await client.nextMessage(({ json }) => json?.n === 3);
            await client.nextMessage(({ json }) => json?.n === 4);
            assert.equal(client.messages.filter(({ json }) => json?.n === 3).length, 1);
        }
        assert.equal(await atA.publish(evaluationTopic(e), phaseUpdate(e, 'IN_PROGRESS', { version: 2 }), RETAINED), 0x87);
        const late = await cluster.login(a, { sub, sid: 's1' });
        await late.subscribe([evaluationTopic(e)]);
        assert.equal((await late.nextMessage(evaluationTopic(e))).json.n, 4);
        await Promise.all([bound, page, late].map((client) => client.end()));
    });

    test('presence counts both brokers', async () => {
        const { e, sub, bound } = await exam();
        const topic = `evaluations/${e}/presence/${sub}`;
        await Promise.all([atA, atB].map((client) => client.subscribe([topic])));
        const page = await cluster.login(b, { sub, sid: 's1' });
        const counts = (count) => ({ topic: t, json }) => t === topic && json.connections === count;
        await Promise.all([atA, atB].map((client) => client.nextMessage(counts(2))));
        await page.end();
        await Promise.all([atA, atB].map((client) => client.nextMessage(counts(1))));
        await bound.end();
        await Promise.all([atA, atB].map((client) => client.nextMessage(counts(0))));
    });
});
