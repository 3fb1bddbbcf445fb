// SPDX-License-Identifier: Apache-2.0
// leak.test.mjs - a whole story, and then a search: no token, secret or session id is in the log, the
// metrics, the incidents, or any message but those to the session itself and answers to who asked.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
    accessUpdate, backend, command, connect, CONTROL, evaluationTopic, expectBlockedCopy, expectError,
    expectInvalidated, expectTurnedAway, fingerprint, forge, newId, nextRefusal, now, phaseUpdate,
    publishRetained, RESPONSE, RETAINED, setAccess, setPhase, userTopic,
} from './lib.mjs';
import { pluginLines, readLogFile, startWithLogFile } from './lib/logfile.mjs';
import { stateFile } from './lib/state.mjs';

const PASSWORD = `password-${randomBytes(9).toString('hex')}`;
const METRICS = '$SYS/broker/invigilator/#';

/** Everybody of the story, and every text that must stay where it belongs. */
class Story {
    secrets = new Map(); // text -> what it is
    sids = new Set();
    clients = []; // [name, client, session ids that it may hear of]
    said = new Set(); // what the backend published itself

    constructor(broker) {
        this.broker = broker;
        this.secrets.set(PASSWORD, 'the password of the backend');
        const secret = readFileSync(broker.keys.secretFile);
        for (const form of ['latin1', 'hex', 'base64', 'base64url']) {
            this.secrets.set(secret.toString(form), `the secret key as ${form}`);
        }
    }

    newSid(name) {
        const sid = `sid-${name}-${randomBytes(9).toString('hex')}`;
        this.sids.add(sid);
        return sid;
    }

    #note(token, what) {
        this.secrets.set(token, what);
        token.split('.').slice(1).forEach((part) => part && this.secrets.set(part, `a part of ${what}`));
        return token;
    }

    async token(claims, options) {
        return this.#note(await this.broker.sign(claims, options), `a token of ${claims.sub}`);
    }

    forged(...parts) {
        return this.#note(forge(...parts), 'a forged token');
    }

    /** Logs in, and notes which session ids the client may hear of: all of them a service, its own
     *  the others. */
    async enter(name, claims, options = {}) {
        const token = await this.token(claims);
        const client = await connect({ url: this.broker.tcpUrl, token, ...options });
        this.clients.push([name, client, new Set([claims.sid])]);
        return client;
    }

    async refuse(token, username, options = {}) {
        await assert.rejects(connect({
            url: this.broker.tcpUrl, version: 5, token, username, clientId: `${username}:${newId('c')}`, ...options,
        }), (error) => error.code === 135);
    }

    async say(client, topic, payload) {
        this.said.add(JSON.stringify(payload));
        await publishRetained(client, topic, payload);
    }

    /** Whatever in `text` is a secret or a session id that is not `allowed`. */
    leaksIn(text, allowed = new Set()) {
        const found = [...this.secrets].filter(([secret]) => text.includes(secret)).map(([, what]) => what);
        return [...found, ...[...this.sids].filter((sid) => !allowed.has(sid) && text.includes(sid))];
    }
}

async function begin(options) {
    const broker = await startWithLogFile({
        options: { stats_interval: '1', jwt_leeway: '0', expiry_notice: '1', max_connections_per_session: '4', ...options },
        users: { backend: PASSWORD },
        prepare: (dir, keys) => ({ state_file: stateFile(dir), jwt_secret_file: keys.secretFile }),
    });
    const story = new Story(broker);
    const publisher = await backend(broker, { password: PASSWORD, version: 5 });
    const watcher = await story.enter('a service', { sub: 'watcher', role: 'service' });
    const filters = ['users/#', 'evaluations/#', '$CONTROL/invigilator/#', METRICS];
    assert.deepEqual(await watcher.subscribe(filters), [1, 1, 1, 1]);
    return { broker, story, publisher, watcher };
}

/** A student's page in a strict exam, and others who listen. */
async function openExam({ story, publisher }, e, user) {
    const sids = [1, 2, 3, 4].map((n) => story.newSid(`${user}-${n}`));
    const own = accessUpdate(e, user, 'ALLOWED', { status: 'IN_PROGRESS' });
    await setPhase(publisher, e, 'IN_PROGRESS');
    await story.say(publisher, userTopic(e, user), own);
    const enter = (n, options) => story.enter(`session ${n} of ${user}`, { sub: user, sid: sids[n - 1], evaluations: [e] }, options);
    const page = await enter(1);
    await page.subscribe([`users/${user}/#`, evaluationTopic(e), userTopic(e, user)]);
    await page.nextMessage(userTopic(e, user));
    return { e, user, sids, own, enter, page };
}

/** Filters and topics that nobody may have, with the session id where topics hold it. */
const denied = (user, sid) => [
    `users/${user}/sessions/${sid}`, `users/${user}/sessions/${sid}/x`, `users/+/sessions/${sid}`, `users/+/+/${sid}`,
    `+/+/+/${sid}`, `$share/g/users/${user}/sessions/${sid}`, `x/users/${user}/sessions/${sid}`,
];

async function beDenied(page, topics, sid) {
    assert.ok((await page.subscribe(topics)).every((code) => code >= 0x80));
    for (const topic of topics.filter((each) => !/[+#$]/.test(each))) {
        await page.publish(topic, `payload of ${sid}`);
    }
}

async function secondLogins({ story, broker }, it) {
    await expectTurnedAway(await it.enter(2), it.e, it.user);
    await expectBlockedCopy(it.page, it);
    await story.refuse(await story.token({ sub: it.user, sid: it.sids[1], evaluations: [it.e] }), it.user, { clientId: it.page.clientId });
    await broker.waitForLog(/^invigilator: refused reason=second_login /);
    // A cookie that was copied: the same session from elsewhere.
    const copy = await it.enter(1, { url: broker.wsUrl, wsOptions: { localAddress: '127.0.0.2' } });
    await broker.waitForLog(/^invigilator: shared_session /);
    await copy.end();
}

async function unblocks({ story, publisher }, it) {
    const { e, user, sids } = it;
    await command(publisher, 'unblock', { userId: user, evaluationId: e, sessionId: sids[1] });
    await expectInvalidated(it.page, user, sids[0], 'SUPERSEDED');
    const page = await it.enter(2);
    await page.subscribe([`users/${user}/#`, userTopic(e, user)]);
    await expectTurnedAway(await it.enter(3), e, user);
    await story.say(publisher, userTopic(e, user),
        accessUpdate(e, user, 'ALLOWED', { unblock: true, sessionId: fingerprint(sids[2]) }));
    await expectInvalidated(page, user, sids[1], 'SUPERSEDED');
    // The backend says a session id where all may hear it; the plugin's copies do not repeat it.
    const third = await it.enter(3);
    await story.say(publisher, userTopic(e, user), accessUpdate(e, user, 'ALLOWED', { sessionId: sids[2] }));
    await expectTurnedAway(await it.enter(4), e, user);
    return third;
}

async function refusals({ story, broker, publisher }, user, sid) {
    const claims = { sub: user, sid };
    await story.refuse(await story.token({ ...claims, exp: now() - 10 }), user);
    await story.refuse(await story.token(claims), 'somebody');
    await story.refuse(await story.token({ ...claims, role: 'root' }), user);
    await story.refuse(await story.token({ ...claims, sid: `${sid}/x` }), user);
    await story.refuse(story.forged({ alg: 'HS256' }, { ...claims, iat: now(), exp: now() + 9 }, { ...broker.keys.hs, key: randomBytes(64) }), user);
    await story.refuse(story.forged({ alg: 'none' }, claims, broker.keys.rs), user);
    const topic = userTopic('exam', user);
    for (const more of [{ sessionId: 7, note: sid }, { sessionId: sid, access: 'MAYBE' }, { userId: sid }]) {
        assert.equal(await publisher.publish(topic, accessUpdate('exam', user, 'ALLOWED', more), RETAINED), 0x87);
        await nextRefusal(publisher, topic);
    }
    await expectError(publisher, 'unblock', { userId: sid, evaluationId: sid, sessionId: sid });
    await expectError(publisher, 'invalidateSession', { userId: user, sessionId: sid, [sid]: sid });
    await publisher.publish(CONTROL, `{"commands":"${sid}`);
    await publisher.nextMessage(RESPONSE);
}

async function revocations({ story, publisher }, user) {
    const sids = [1, 2, 3].map((n) => story.newSid(`${user}-${n}`));
    const enter = (n, more) => story.enter(`session ${n} of ${user}`, { sub: user, sid: sids[n - 1], ...more });
    const first = await enter(1);
    await first.subscribe([`users/${user}/#`]);
    const second = await enter(2);
    await expectInvalidated(first, user, sids[0], 'SUPERSEDED');
    await command(publisher, 'getUser', { userId: user });
    await command(publisher, 'invalidateSession', { userId: user, sessionId: sids[1] });
    await expectInvalidated(second, user, sids[1], 'REVOKED');
    await expectInvalidated(await enter(2), user, sids[1], 'REVOKED'); // only to be told
    const third = await enter(3, { exp: now() + 3 });
    assert.equal((await third.nextMessage()).json.type, 'SESSION_EXPIRING');
    await expectInvalidated(third, user, sids[2], 'EXPIRED');
    await command(publisher, 'invalidateUser', { userId: user, exceptSessionId: sids[0] });
}

/** Searches all that was said. */
function expectNoLeak({ story, broker }) {
    assert.deepEqual(story.leaksIn(readLogFile(broker).toString('latin1')), [], 'in the log');
    assert.ok(!readLogFile(broker).includes('eyJ'), 'a token in the log');
    for (const [name, client, allowed] of story.clients) {
        for (const { topic, text } of client.messages.filter((message) => !story.said.has(message.text))) {
            const isOwn = topic.startsWith('users/') && topic.includes('/sessions/');
            assert.deepEqual(story.leaksIn(`${topic} ${text}`, isOwn ? allowed : new Set()), [], `${name} got ${topic} ${text}`);
        }
    }
}

test('no token, secret or session id is where it does not belong', async () => {
    const stage = await begin();
    const { broker, story, publisher, watcher } = stage;
    const e = 'exam';
    const it = await openExam(stage, e, 'anna');
    const bob = await story.enter('bob', { sub: 'bob', sid: story.newSid('bob'), evaluations: [e] });
    await bob.subscribe(['users/bob/#', evaluationTopic(e), userTopic(e, 'bob')]);
    const prof = await story.enter('a professor', { sub: 'prof', sid: story.newSid('prof'), role: 'professor', evaluations: [e] });
    await prof.subscribe([`evaluations/${e}/#`, 'users/prof/#']);

    await secondLogins(stage, it);
    await beDenied(it.page, denied(it.user, it.sids[1]), it.sids[1]);
    await beDenied(bob, denied(it.user, it.sids[0]), it.sids[0]);
    const page = await unblocks(stage, it);
    await refusals(stage, it.user, it.sids[2]);
    await revocations(stage, 'carol');
    await broker.sighup();
    await setAccess(publisher, e, it.user, 'DENIED');
    await setPhase(publisher, e, 'GRADING');
    await publisher.publish(evaluationTopic(e), phaseUpdate(e, 'GRADING'), RETAINED);
    await prof.nextMessage((message) => message.json?.phase === 'GRADING');
    await command(publisher, 'getStats');
    await Promise.all([watcher, prof, bob, page].map((client) => client.ping()));
    expectNoLeak(stage);

    // The story was told in full: each of these would have been the place for a slip.
    const events = new Set(pluginLines(broker).map((line) => line.split(' ')[1]));
    for (const event of ['accepted', 'told', 'refused', 'superseded', 'revoked', 'expired', 'blocked', 'unblocked',
        'shared_session', 'acl_denied', 'publish_refused', 'reloaded']) {
        assert.ok(events.has(event), event);
    }
    const heard = (filter) => watcher.messages.filter(({ topic }) => topic.startsWith(filter));
    assert.deepEqual(new Set(heard(`evaluations/${e}/incidents`).map(({ json }) => json.kind)), new Set(['SECOND_LOGIN', 'SHARED_SESSION']));
    assert.ok(heard('evaluations/').some(({ json }) => json?.by === 'invigilator'));
    assert.ok(heard('$SYS/broker/invigilator/').length > 0);
    assert.ok(heard(`evaluations/${e}/incidents`).some(({ text }) => text.includes(fingerprint(it.sids[1]))));
    // And the search finds what is there: the secrets are those that were used.
    assert.ok(story.leaksIn(`x ${it.sids[3]} ${await story.token({ sub: 'anna', sid: 'x' })}`).length >= 2);
    assert.ok(readFileSync(join(broker.dir, 'jwks.json')).includes(broker.keys.hs.key.toString('base64url')));
    assert.ok(story.leaksIn(readFileSync(join(broker.dir, 'jwks.json'), 'latin1')).length > 0);

    await Promise.all([watcher, prof, bob, page, publisher].map((client) => client.end()));
    await broker.stop();
});

for (const strict_policy of ['observe', 'off']) {
    test(`no session id where it does not belong: strict_policy ${strict_policy}`, async () => {
        const stage = await begin({ strict_policy });
        const { broker, story, publisher, watcher } = stage;
        const it = await openExam(stage, 'exam', 'anna');
        const page = await it.enter(2);
        await expectInvalidated(it.page, it.user, it.sids[0], 'SUPERSEDED');
        await beDenied(page, denied(it.user, it.sids[0]), it.sids[0]);
        await command(publisher, 'getStats');
        await watcher.ping();
        expectNoLeak(stage);
        assert.equal(watcher.messages.some(({ json }) => json?.type === 'INCIDENT'), strict_policy === 'observe');
        assert.equal(pluginLines(broker).some((line) => line.startsWith('invigilator: observed ')), strict_policy === 'observe');
        await Promise.all([page, watcher, publisher].map((client) => client.end()));
        await broker.stop();
    });
}

test('a session id further behind "sessions" than it belongs is hidden in the log too', async () => {
    const stage = await begin();
    const { broker, story, publisher, watcher } = stage;
    const sid = story.newSid('anna');
    const page = await story.enter('anna', { sub: 'anna', sid });
    const behind = (more) => `users/anna/sessions/${more}`;
    await beDenied(page, [`/${sid}`, `+/${sid}`, `x/${sid}`, `x/y/${sid}`].map(behind), sid);
    await beDenied(page, [`users//sessions/${sid}`, `users/anna/sessions/sessions/${sid}`], sid);
    expectNoLeak(stage);
    assert.ok(pluginLines(broker).some((line) => line.startsWith('invigilator: acl_denied ')));
    await Promise.all([page, watcher, publisher].map((client) => client.end()));
    await broker.stop();
});
