// SPDX-License-Identifier: Apache-2.0
// state.test.mjs - what outlives the broker with state_file, and what comes of it without.
//
// A scenario sets something up, and gives back the check of what must still be so. All of them are
// set up in one broker; it is ended once, and started again.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
    accessUpdate, backend, command, evaluationTopic, expectBlockedCopy, expectError, expectInvalidated,
    expectTurnedAway, fingerprint, login, messagesUntilMarker, newId, nextRefusal, now, phaseUpdate,
    publishRetained, RETAINED, retainedOn, setAccess, setPhase, startBroker, startExam, TIME, userTopic,
} from './lib.mjs';
import {
    allowedCopy, blockedCopy, close, crash, endOrderly, enter, expectRetained, follow, open, presenceTopic, startWithState,
} from './lib/state.mjs';

const scenarios = [];
const survives = (name, setUp) => scenarios.push({ name, setUp });
const incidentsTopic = (e) => `evaluations/${e}/incidents`;

/** Sees that a session has its rights, and leaves its page open. */
async function expectIn(world, user, sid, claims) {
    const page = await enter(world, user, sid, claims);
    assert.deepEqual(await page.subscribe([`users/${user}`]), [1], `${sid} was refused its topic`);
    return page;
}

async function expectOver(world, user, sid, reason, claims) {
    await expectInvalidated(await enter(world, user, sid, claims), user, sid, reason);
}

async function expectStillOpen(page) {
    await page.ping();
    assert.ok(page.isOpen);
    await page.end();
}

const nextBlocked = (page) => page.nextMessage(({ json }) => json?.access === 'BLOCKED');

// -- Sessions --

for (const [order, sids] of [['the ended one comes first', ['s1', 's2']], ['the current one comes first', ['s2', 's1']]]) {
    survives(`a superseded session, ${order}`, async (world) => {
        const user = newId('student');
        const first = await enter(world, user, 's1');
        const second = await enter(world, user, 's2');
        await expectInvalidated(first, user, 's1', 'SUPERSEDED');
        await second.end();
        return async () => {
            let current;
            for (const sid of sids) {
                if (sid === 's1') {
                    await expectOver(world, user, 's1', 'SUPERSEDED');
                } else {
                    current = await expectIn(world, user, 's2');
                }
            }
            await expectStillOpen(current);
        };
    });
}

survives('revoked sessions, known and unknown', async (world) => {
    const user = newId('student');
    const page = await enter(world, user, 'known');
    for (const sessionId of ['known', 'unknown']) {
        await command(world.publisher, 'invalidateSession', { userId: user, sessionId });
    }
    await expectInvalidated(page, user, 'known', 'REVOKED');
    return async () => {
        await expectOver(world, user, 'known', 'REVOKED');
        await expectOver(world, user, 'unknown', 'REVOKED');
        await expectStillOpen(await expectIn(world, user, 'next'));
    };
});

survives('an older login with a fresh token stays superseded', async (world) => {
    const user = newId('student');
    const page = await enter(world, user, 's2', { auth_time: now() - 10 });
    await page.end();
    return async () => {
        await expectOver(world, user, 's1', 'SUPERSEDED', { auth_time: now() - 500 });
        await expectStillOpen(await expectIn(world, user, 's2', { auth_time: now() - 10 }));
    };
});

survives('an older login stays superseded after the newer one was revoked', async (world) => {
    const user = newId('student');
    await (await enter(world, user, 's2', { auth_time: now() - 10 })).end();
    await command(world.publisher, 'invalidateSession', { userId: user, sessionId: 's2' });
    return () => expectOver(world, user, 's1', 'SUPERSEDED', { auth_time: now() - 500 });
});

survives('a session\'s login time is the first it was seen with', async (world) => {
    const user = newId('student');
    await (await enter(world, user, 's1', { iat: now() - 100 })).end();
    return async () => {
        const first = await expectIn(world, user, 's1', { iat: now() });
        const second = await expectIn(world, user, 's2', { iat: now() - 50 });
        await expectInvalidated(first, user, 's1', 'SUPERSEDED');
        await second.end();
    };
});

survives('all logins of a user up to now, seen or not', async (world) => {
    const user = newId('student');
    await (await enter(world, user, 'seen', { auth_time: now() - 50 })).end();
    await (await enter(world, user, 'kept', { auth_time: now() - 40 })).end();
    await command(world.publisher, 'invalidateUser', { userId: user, exceptSessionId: 'kept' });
    const revokedAt = now();
    return async () => {
        const kept = await expectIn(world, user, 'kept', { auth_time: revokedAt - 40 });
        // Newer than the kept one, and made before the command all the same.
        await expectOver(world, user, 'unseen', 'REVOKED', { auth_time: revokedAt - 20 });
        // It had given way before it was revoked: either may be told.
        const seen = await enter(world, user, 'seen', { auth_time: revokedAt - 50 });
        const { json } = await seen.nextMessage(`users/${user}/sessions/seen`);
        assert.match(json.reason, /^(SUPERSEDED|REVOKED)$/);
        await expectStillOpen(kept);
        await expectStillOpen(await expectIn(world, user, 'next', { auth_time: now() }));
    };
});

// -- Strict evaluations --

for (const [order, sessions] of [['the bound one comes first', [1, 2]], ['the other one comes first', [2, 1]]]) {
    survives(`a binding, ${order}`, async (world) => {
        const it = await startExam(world.broker, world.publisher);
        await it.page.end();
        return async () => {
            let page;
            for (const n of sessions) {
                if (n === 1) {
                    page = await it.enter(1);
                    assert.deepEqual((await follow(page, it)).codes, [1, 1, 1]);
                } else {
                    await expectTurnedAway(await it.enter(2), it.e, it.user);
                }
            }
            await nextBlocked(page);
            await expectStillOpen(page);
        };
    });
}

survives('a binding to which nobody has come back', async (world) => {
    const it = await startExam(world.broker, world.publisher);
    await it.page.end();
    return async () => {
        const { bindings } = await command(world.publisher, 'getUser', { userId: it.user });
        assert.deepEqual(bindings, [{ evaluationId: it.e, sessionId: it.sid(1) }]);
        const held = await command(world.publisher, 'invalidateUser', { userId: it.user, unlessBound: true });
        assert.deepEqual(held, { bound: [it.e] });
    };
});

/** An exam in which the student is blocked, and whose evaluation has sent n 2 since. */
async function blockedExam(world) {
    const it = await startExam(world.broker, world.publisher);
    await expectTurnedAway(await it.enter(2), it.e, it.user);
    await expectBlockedCopy(it.page, it);
    await setPhase(world.publisher, it.e, 'IN_PROGRESS', { n: 2 });
    return it;
}

survives('a block', async (world) => {
    const it = await blockedExam(world);
    const { blocks } = await command(world.publisher, 'getUser', { userId: it.user });
    await it.page.end();
    return async () => {
        await expectRetained(world, userTopic(it.e, it.user), blockedCopy(it));
        assert.deepEqual((await command(world.publisher, 'getUser', { userId: it.user })).blocks, blocks);

        // The turned-away session is only told again; a third login is one more incident.
        await world.reader.subscribe([incidentsTopic(it.e)]);
        await expectTurnedAway(await it.enter(2), it.e, it.user);
        await expectTurnedAway(await it.enter(3), it.e, it.user);
        const { json } = await world.reader.nextMessage(incidentsTopic(it.e));
        assert.deepEqual([json.boundSession, json.refusedSession], [fingerprint(it.sid(1)), fingerprint(it.sid(3))]);

        const { page, codes, all, own } = await follow(await it.enter(1), it);
        assert.deepEqual([codes[0], codes[2], all], [1, 1, undefined]);
        assert.equal(JSON.parse(own).access, 'BLOCKED');
        await setPhase(world.publisher, it.e, 'IN_PROGRESS', { n: 3 });
        const heard = await messagesUntilMarker(world.publisher, page, it.user);
        assert.deepEqual(heard.filter(({ topic }) => topic === evaluationTopic(it.e)), []);

        await command(world.publisher, 'unblock', { userId: it.user, evaluationId: it.e });
        await page.nextMessage(({ json: each }) => each?.n === 3);
        for (const n of [2, 3]) {
            await expectInvalidated(await it.enter(n), it.user, it.sid(n), 'SUPERSEDED');
        }
        await page.end();
    };
});

survives('a block of which the backend has said nothing', async (world) => {
    const [e, user] = [newId('exam'), newId('student')];
    await setPhase(world.publisher, e, 'IN_PROGRESS');
    const page = await enter(world, user, 's1', { evaluations: [e] });
    await expectTurnedAway(await enter(world, user, 's2', { evaluations: [e] }), e, user);
    await page.end();
    return async () => {
        await expectRetained(world, userTopic(e, user), blockedCopy({ own: accessUpdate(e, user) }));
        await expectTurnedAway(await enter(world, user, 's2', { evaluations: [e] }), e, user);
    };
});

survives('the session that was turned away can be named afterwards', async (world) => {
    const it = await blockedExam(world);
    await it.page.end();
    return async () => {
        await command(world.publisher, 'unblock', { userId: it.user, evaluationId: it.e, sessionId: fingerprint(it.sid(2)) });
        await expectInvalidated(await it.enter(1), it.user, it.sid(1), 'SUPERSEDED');
        const { page, codes, all } = await follow(await it.enter(2), it);
        assert.deepEqual([codes, JSON.parse(all).n], [[1, 1, 1], 2]);
        await page.end();
    };
});

survives('a block by the backend', async (world) => {
    const it = await startExam(world.broker, world.publisher);
    const said = { ...it.own, access: 'BLOCKED', reason: 'PHONE' };
    await publishRetained(world.publisher, userTopic(it.e, it.user), said);
    await it.page.end();
    return async () => {
        assert.equal((await retainedOn(world.reader, userTopic(it.e, it.user))).text, JSON.stringify(said));
        const { page, codes, all } = await follow(await it.enter(1), it);
        assert.deepEqual([codes[0], codes[2], all], [1, 1, undefined]);
        await page.end();
    };
});

survives('an unblock: the binding stays', async (world) => {
    const it = await blockedExam(world);
    await command(world.publisher, 'unblock', { userId: it.user, evaluationId: it.e });
    await it.page.end();
    return async () => {
        await expectRetained(world, userTopic(it.e, it.user), allowedCopy(it));
        await expectInvalidated(await it.enter(2), it.user, it.sid(2), 'SUPERSEDED');
        const { page, codes, all } = await follow(await it.enter(1), it);
        assert.deepEqual([codes, JSON.parse(all).n], [[1, 1, 1], 2]);
        await expectTurnedAway(await it.enter(3), it.e, it.user);
        await nextBlocked(page);
        await page.end();
    };
});

survives('an unblock that names the new session', async (world) => {
    const it = await blockedExam(world);
    await publishRetained(world.publisher, userTopic(it.e, it.user), { ...it.own, sessionId: it.sid(2) });
    await it.page.end();
    return async () => {
        await expectInvalidated(await it.enter(1), it.user, it.sid(1), 'SUPERSEDED');
        await expectTurnedAway(await it.enter(3), it.e, it.user);
        const { page, codes } = await follow(await it.enter(2), it);
        assert.deepEqual([codes[0], codes[2]], [1, 1]);
        await expectStillOpen(page);
    };
});

survives('an unblock that clears the binding', async (world) => {
    const it = await blockedExam(world);
    await command(world.publisher, 'unblock', { userId: it.user, evaluationId: it.e, sessionId: null });
    await it.page.end();
    return async () => {
        const old = await it.enter(1);
        await old.subscribe([`users/${it.user}`]);
        assert.deepEqual((await command(world.publisher, 'getUser', { userId: it.user })).bindings, []);
        await expectInvalidated(await it.enter(2), it.user, it.sid(2), 'SUPERSEDED');
        const page = await it.enter(3);
        await expectInvalidated(old, it.user, it.sid(1), 'SUPERSEDED');
        await expectTurnedAway(await it.enter(4), it.e, it.user);
        await expectStillOpen(page);
    };
});

survives('a revoked session that was bound', async (world) => {
    const it = await startExam(world.broker, world.publisher);
    await command(world.publisher, 'invalidateSession', { userId: it.user, sessionId: it.sid(1) });
    await expectInvalidated(it.page, it.user, it.sid(1), 'REVOKED');
    return async () => {
        const page = await it.enter(2);
        await expectInvalidated(await it.enter(1), it.user, it.sid(1), 'REVOKED');
        await expectTurnedAway(await it.enter(3), it.e, it.user);
        await expectStillOpen(page);
    };
});

survives('FINISHED', async (world) => {
    const it = await startExam(world.broker, world.publisher);
    const said = { ...it.own, status: 'FINISHED' };
    await publishRetained(world.publisher, userTopic(it.e, it.user), said);
    await it.page.end();
    return async () => {
        assert.equal((await retainedOn(world.reader, userTopic(it.e, it.user))).text, JSON.stringify(said));
        const page = await it.enter(1);
        const next = await it.enter(2);
        await expectInvalidated(page, it.user, it.sid(1), 'SUPERSEDED');
        await expectStillOpen(next);
    };
});

for (const [name, end] of [
    ['its phase', (world, e) => setPhase(world.publisher, e, 'GRADING', { n: 3 })],
    ['strict: false', (world, e) => setPhase(world.publisher, e, 'IN_PROGRESS', { n: 3, strict: false })],
]) {
    survives(`the end of the strict phase: ${name}`, async (world) => {
        const it = await blockedExam(world);
        await end(world, it.e);
        await it.page.end();
        return async () => {
            await expectRetained(world, userTopic(it.e, it.user), allowedCopy(it));
            const page = await it.enter(1);
            const { codes, all } = await follow(page, it);
            assert.deepEqual([codes, JSON.parse(all).n], [[1, 1, 1], 3]);
            const next = await it.enter(3);
            await expectInvalidated(page, it.user, it.sid(1), 'SUPERSEDED');
            await next.end();
        };
    });
}

// -- What the backend has said --

/** Texts that any reader of JSON would write differently. */
function odd(object) {
    return `${JSON.stringify(object, null, 2).slice(0, -2)},\n  "x" :[1.50, 1e2,9007199254740993] ,"y":"\\u00e9/\\/"\n}`;
}

survives('the last messages, byte for byte, within one round trip', async (world) => {
    const it = { e: newId('exam'), user: newId('student') };
    const [all, own] = [
        odd(phaseUpdate(it.e, 'IN_PROGRESS', { startAt: null, endAt: '2030-01-01T10:00:00.5Z', version: 4 })),
        odd(accessUpdate(it.e, it.user, 'ALLOWED', { status: 'IN_PROGRESS', endAt: '2030-01-01T11:00:00Z', version: 2 })),
    ];
    await setPhase(world.publisher, it.e, 'REGISTRATION', { version: 1 });
    await publishRetained(world.publisher, evaluationTopic(it.e), all);
    await publishRetained(world.publisher, userTopic(it.e, it.user), own);
    return async () => {
        // The token does not name the evaluation: that the student takes part in it was said before.
        const back = await follow(await enter(world, it.user, 's1', {}, { url: world.broker.tcpUrl }), it);
        assert.deepEqual([back.codes, back.all, back.own], [[1, 1, 1], all, own]);
        assert.ok(back.page.messages.every(({ retain }) => retain));
        const { phase, strict, endAt, version } = await command(world.publisher, 'getEvaluation', { evaluationId: it.e });
        assert.deepEqual([phase, strict, endAt, version], ['IN_PROGRESS', true, '2030-01-01T10:00:00.5Z', 4]);
        await back.page.end();
    };
});

survives('presence: who was there is published as offline', async (world) => {
    const e = newId('exam');
    const [user, absent] = [newId('student'), newId('student')];
    await setPhase(world.publisher, e, 'REGISTRATION');
    await setAccess(world.publisher, e, absent, 'ALLOWED');
    await enter(world, user, 's1', { evaluations: [e] }); // and is there when the broker ends
    await command(world.publisher, 'getStats'); // answered on a tick
    assert.equal((await retainedOn(world.reader, presenceTopic(e, user))).json.online, true);
    return async () => {
        const { json } = await retainedOn(world.reader, presenceTopic(e, user));
        const { since, cause, ...rest } = json;
        assert.deepEqual(rest, { type: 'PRESENCE', evaluationId: e, userId: user, online: false, connections: 0 });
        assert.match(since, TIME);
        assert.equal(typeof cause, 'string');
        assert.equal(await retainedOn(world.reader, presenceTopic(e, absent)), undefined);
        const page = await enter(world, user, 's1', { evaluations: [e] });
        await command(world.publisher, 'getStats');
        assert.equal((await retainedOn(world.reader, presenceTopic(e, user))).json.online, true);
        await page.end();
    };
});

survives('DENIED, whatever the token says', async (world) => {
    const [e, user] = [newId('exam'), newId('student')];
    await setPhase(world.publisher, e, 'IN_PROGRESS');
    await setAccess(world.publisher, e, user, 'DENIED');
    return async () => {
        const { page, codes, all, own } = await follow(await enter(world, user, 's1', { evaluations: [e] }), { e, user });
        assert.deepEqual([codes[0], codes[1] >= 0x80, codes[2], all], [1, true, 1, undefined]);
        assert.equal(own, JSON.stringify(accessUpdate(e, user, 'DENIED')));
        await page.end();
    };
});

survives('versions', async (world) => {
    const [e, user] = [newId('exam'), newId('student')];
    await setPhase(world.publisher, e, 'IN_PROGRESS', { version: 5 });
    await setAccess(world.publisher, e, user, 'ALLOWED', { version: 7 });
    return async () => {
        for (const [topic, update] of [
            [evaluationTopic(e), (version) => phaseUpdate(e, 'GRADING', { version })],
            [userTopic(e, user), (version) => accessUpdate(e, user, 'DENIED', { version })],
        ]) {
            const last = (await retainedOn(world.reader, topic)).json;
            assert.equal(await world.publisher.publish(topic, update(last.version - 1), RETAINED), 0x87);
            await nextRefusal(world.publisher, topic);
            assert.deepEqual((await retainedOn(world.reader, topic)).json, last);
            await publishRetained(world.publisher, topic, update(last.version));
        }
    };
});

survives('forgetting an evaluation', async (world) => {
    const it = await blockedExam(world);
    await publishRetained(world.publisher, evaluationTopic(it.e), '');
    await command(world.publisher, 'getStats');
    assert.equal(await retainedOn(world.reader, userTopic(it.e, it.user)), undefined);
    await it.page.end();
    return async () => {
        for (const topic of [evaluationTopic(it.e), userTopic(it.e, it.user), presenceTopic(it.e, it.user)]) {
            assert.equal(await retainedOn(world.reader, topic), undefined, topic);
        }
        await expectError(world.publisher, 'getEvaluation', { evaluationId: it.e });
        const { bindings, blocks } = await command(world.publisher, 'getUser', { userId: it.user });
        assert.deepEqual([bindings, blocks], [[], []]);
        await publishRetained(world.publisher, userTopic(it.e, it.user), { ...it.own, version: 1 });
    };
});

survives('forgetting what was said of a student', async (world) => {
    const [e, user] = [newId('exam'), newId('student')];
    await setPhase(world.publisher, e, 'IN_PROGRESS');
    await setAccess(world.publisher, e, user, 'DENIED');
    await publishRetained(world.publisher, userTopic(e, user), '');
    return async () => {
        assert.equal(await retainedOn(world.reader, userTopic(e, user)), undefined);
        const { page, codes } = await follow(await enter(world, user, 's1', { evaluations: [e] }), { e, user });
        assert.deepEqual(codes, [1, 1, 1]);
        await page.end();
    };
});

// -- Everything above, over all ways to end --

const ways = [['kill -9', crash, 'normal'], ['kill -9 with state_sync full', crash, 'full'], ['an orderly restart', endOrderly, 'normal']];
for (const [way, end, sync] of ways) {
    describe(`state_file: over ${way}`, { concurrency: 6 }, () => {
        const world = {};
        const checks = new Map();

        before(async () => {
            world.broker = await startWithState({ options: { state_sync: sync } });
            await open(world);
            await Promise.all(scenarios.map(async ({ name, setUp }) => {
                // What could not be set up fails as that test.
                checks.set(name, await setUp(world).catch((error) => () => Promise.reject(error)));
            }));
            await command(world.publisher, 'getStats'); // its answer comes when all is recorded
            await end(world.broker);
            await world.broker.start();
            await open(world);
        });
        after(async () => {
            await close(world);
            await world.broker.stop();
        });
        for (const { name } of scenarios) {
            test(name, () => checks.get(name)());
        }
    });
}

test('a student who comes at once, before 600 others whose messages are to be published again', async () => {
    const world = { broker: await startWithState() };
    await open(world);
    const e = newId('exam');
    const users = Array.from({ length: 600 }, () => newId('student'));
    await setPhase(world.publisher, e, 'IN_PROGRESS', { endAt: '2030-01-01T10:00:00Z' });
    for (let i = 0; i < users.length; i += 100) {
        await Promise.all(users.slice(i, i + 100).map((user) => setAccess(world.publisher, e, user, 'ALLOWED', { seat: user })));
    }
    await crash(world.broker);
    await world.broker.start();
    const user = users.at(-1);
    const back = await follow(await enter(world, user, 's1', {}, { url: world.broker.tcpUrl }), { e, user });
    assert.deepEqual(back.codes, [1, 1, 1]);
    assert.equal(back.all, JSON.stringify(phaseUpdate(e, 'IN_PROGRESS', { endAt: '2030-01-01T10:00:00Z' })));
    assert.equal(back.own, JSON.stringify(accessUpdate(e, user, 'ALLOWED', { seat: user })));

    await open(world);
    await world.reader.subscribe([`evaluations/${e}/users/+`]);
    for (const each of users) {
        assert.equal((await world.reader.nextMessage(userTopic(e, each), { timeout: 20000 })).json.seat, each);
    }
    await back.page.end();
    await close(world);
    await world.broker.stop();
});

// -- Without it --

test('without state_file: a warning, and a restart forgets', async () => {
    const world = { broker: await startBroker({ logTypes: ['warning', 'information'] }) };
    await open(world);
    const isWarning = (line) => /^invigilator: .*state_file/.test(line);
    assert.equal(world.broker.log().filter(isWarning).length, 1);
    const it = await blockedExam(world);
    await it.page.end();
    await crash(world.broker);
    await world.broker.start();
    assert.equal(world.broker.log().filter(isWarning).length, 2);
    await open(world);
    assert.equal(await retainedOn(world.reader, userTopic(it.e, it.user)), undefined);
    await expectStillOpen(await expectIn(world, it.user, it.sid(2)));
    await close(world);
    await world.broker.stop();
});

test('with state_file there is no such warning', async () => {
    const broker = await startWithState();
    assert.ok(broker.log().every((line) => !/state_file/.test(line)), broker.log().join('\n'));
    // Mosquitto forgets a SIGTERM that comes before its first turn.
    const world = { broker };
    await open(world);
    await close(world);
    await broker.stop();
});
