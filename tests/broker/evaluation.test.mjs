// SPDX-License-Identifier: Apache-2.0
// evaluation.test.mjs - what the backend says of an evaluation: who hears of it, when, and what
// becomes of a message that is none.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
    accessUpdate, askRaw, backend, evaluationTopic, login, messagesUntilMarker, mosquittoPub, newId,
    nextRefusal, phaseUpdate, publishRetained, RESPONSE, RETAINED, retainedOn, service, setAccess,
    setPhase, startBroker, userTopic,
} from './lib.mjs';

let broker;
let publisher; // with a password, MQTT 5
let watcher; // a service that sees everything

before(async () => {
    broker = await startBroker();
    publisher = await backend(broker, { version: 5 });
    watcher = await service(broker);
});
after(async () => {
    await Promise.all([publisher.end(), watcher.end()]);
    await broker.stop();
});

/** A student of the evaluations, subscribed to all that concerns the student. */
async function student(evaluations, options = {}) {
    const sub = newId('student');
    const client = await login(broker, { sub, sid: `sid-${sub}`, evaluations }, options);
    const filters = evaluations.flatMap((e) => [evaluationTopic(e), userTopic(e, sub)]);
    const codes = await client.subscribe([`users/${sub}`, ...filters]);
    assert.ok(codes.every((code) => code === 1));
    return Object.assign(client, { user: sub });
}

// Payloads are not to be written anew on the way: this one says everything in an unusual manner.
const unusual = (e, phase) =>
    ` {"phase":"${phase}",\t"x":[1.50,1E2,"\\u0041\\/ä😀"] , "evaluationId" : "${e}",\n"type":"EVALUATION_UPDATE"}\r\n`;

async function publishers() {
    const clients = [
        publisher, await backend(broker), await service(broker), await service(broker, { version: 5 }),
    ];
    return [
        ...[4, 5].map((version) => async (topic, payload) => {
            assert.deepEqual(await mosquittoPub(broker, topic, payload, { version }), { code: 0, stderr: '' });
        }),
        ...clients.map((client) => (topic, payload) => publishRetained(client, topic, payload)),
    ];
}

test('a change of phase reaches students byte for byte, whoever publishes it', async () => {
    const e = newId('e');
    const pages = [await student([e]), await student([e], { version: 5 })];
    const outsider = await student([newId('e')]);
    const phases = ['NEW', 'SETTINGS', 'COMPOSITION', 'REGISTRATION', 'IN_PROGRESS', 'GRADING', 'FINISHED'];
    for (const publish of await publishers()) {
        for (const phase of phases) {
            await publish(evaluationTopic(e), unusual(e, phase));
            for (const page of pages) {
                const message = await page.nextMessage(evaluationTopic(e));
                assert.deepEqual(message.payload, Buffer.from(unusual(e, phase)));
                assert.equal(message.retain, false);
            }
        }
    }
    assert.deepEqual(await messagesUntilMarker(publisher, outsider, outsider.user), []);
    await Promise.all([...pages, outsider].map((client) => client.end()));
});

for (const version of [4, 5]) {
    test(`who comes late gets the state with the subscription, v${version}`, async () => {
        const e = newId('e');
        const user = newId('student');
        const own = accessUpdate(e, user, 'ALLOWED', { status: 'IN_PROGRESS', endAt: '2030-01-01T10:00:00Z', seat: 'B7' });
        await mosquittoPub(broker, evaluationTopic(e), unusual(e, 'COMPOSITION'), { version });
        await mosquittoPub(broker, evaluationTopic(e), unusual(e, 'REGISTRATION'), { version });
        await mosquittoPub(broker, userTopic(e, user), own, { version });
        const page = await login(broker, { sub: user, sid: 's1' }, { version });
        assert.deepEqual(await page.subscribe([evaluationTopic(e), userTopic(e, user)]), [1, 1]);
        await page.ping();
        const retained = page.messages.filter(({ retain }) => retain);
        assert.deepEqual(Object.fromEntries(retained.map(({ topic, text }) => [topic, text])), {
            [evaluationTopic(e)]: unusual(e, 'REGISTRATION'),
            [userTopic(e, user)]: JSON.stringify(own),
        });
        await page.end();
    });
}

test('a removed student hears of that, and of nothing else; added again, of what was missed', async () => {
    const e = newId('e');
    const page = await student([e]);
    const tab = await login(broker, { sub: page.user, sid: `sid-${page.user}`, evaluations: [e] }, { version: 5 });
    await setPhase(publisher, e, 'REGISTRATION', { n: 1 });
    await page.nextMessage(evaluationTopic(e));

    await setAccess(publisher, e, page.user, 'DENIED', { reason: 'LEFT' });
    await setPhase(publisher, e, 'REGISTRATION', { n: 2 });
    const heard = await messagesUntilMarker(publisher, page, page.user);
    assert.deepEqual(heard.map(({ json }) => json.n ?? json.access), [1, 'DENIED']);
    assert.deepEqual(await page.subscribe([evaluationTopic(e), userTopic(e, page.user)]), [0x80, 1]);
    assert.ok(page.isOpen && tab.isOpen);

    await setAccess(publisher, e, page.user, 'ALLOWED');
    for (const client of [page, tab]) {
        const { json, text } = await client.nextMessage(({ json: { n } }) => n === 2);
        assert.equal(text, JSON.stringify(phaseUpdate(e, 'REGISTRATION', { n: 2 })));
        assert.equal(json.n, 2);
    }
    // The subscription from before stands again; the tab never had one.
    await setPhase(publisher, e, 'REGISTRATION', { n: 3 });
    assert.equal((await page.nextMessage(({ json: { n } }) => n === 3)).topic, evaluationTopic(e));
    await tab.subscribe([`users/${page.user}`]);
    const all = await messagesUntilMarker(publisher, tab, page.user);
    assert.deepEqual(all.map(({ json }) => json.n), [2]);
    await Promise.all([page.end(), tab.end()]);
});

test('a user who is made a participant gets the state without asking', async () => {
    const e = newId('e');
    await setPhase(publisher, e, 'COMPOSITION', { n: 1 });
    const page = await student([]);
    assert.deepEqual(await page.subscribe([evaluationTopic(e)]), [0x80]);
    await mosquittoPub(broker, userTopic(e, page.user), accessUpdate(e, page.user, 'ALLOWED'));
    assert.equal((await page.nextMessage(evaluationTopic(e))).json.n, 1);
    assert.deepEqual(await page.subscribe([evaluationTopic(e)]), [1]);
    await page.end();
});

// Of each: what comes to nobody on evaluations/{e}, and on evaluations/{e}/users/{u}.
function badEvaluations(e) {
    const changed = (more) => JSON.stringify(phaseUpdate(e, 'GRADING', more));
    const good = changed();
    return [
        'hello', '{', '[]', 'null', '"x"', '7', `${good}x`, `${good}${good}`, `\ufeff${good}`, `[${good}]`,
        good.replaceAll('"', "'"), good.replace('}', ',}'), good.replace('}', ',"x":NaN}'), good.replace('}', ',"x":01}'),
        good.replace('}', ',"phase":"GRADING"}'), good.replace('}', ',"ph\\u0061se":"GRADING"}'),
        good.replace('}', ',"x":{"a":1,"a":1}}'), good.replace('}', ',"x":"\u0001"}'), good.replace('}', ',"x":"\\ud800"}'),
        good.replace('}', `,"x":${'['.repeat(900)}${']'.repeat(900)}}`),
        Buffer.concat([Buffer.from(good.slice(0, -1)), Buffer.from(',"x":"\xff"}', 'latin1')]),
        ...[{ type: 'PRESENCE' }, { type: undefined }, { type: 7 }, { evaluationId: 'other' }, { evaluationId: undefined },
            { evaluationId: 7 }, { phase: undefined }, { phase: 'grading' }, { phase: 'PAUSE' }, { phase: null }, { phase: 5 },
            { startAt: 'tomorrow' }, { startAt: 7 }, { endAt: '2030-02-30T10:00:00Z' }, { endAt: '2030-01-01T10:00:00+01:00' },
            { endAt: '2030-01-01' }, { strict: 'false' }, { strict: 0 }, { version: '1' }, { version: 1.5 }, { version: -1 },
        ].map(changed),
        good.padEnd(4001),
    ];
}

function badAccesses(e, user) {
    const changed = (more) => JSON.stringify(accessUpdate(e, user, 'ALLOWED', more));
    return [
        'hello', changed().padEnd(4001),
        ...[{ type: 'OTHER' }, { userId: undefined }, { userId: 'other' }, { userId: 7 }, { evaluationId: 'other' },
            { access: 'allowed' }, { access: 'MAYBE' }, { access: true }, { status: 'DONE' }, { status: 7 }, { unblock: false },
            { unblock: 'true' }, { sessionId: 7 }, { sessionId: '' }, { endAt: 'soon' }, { version: 2 ** 70 }, { version: true },
        ].map(changed),
    ];
}

for (const [name, make] of [['a service', service], ['a password', backend]]) {
    for (const version of [4, 5]) {
        test(`what is no message reaches nobody, and its publisher alone is told: ${name}, v${version}`, async () => {
            const e = newId('e');
            const page = await student([e]);
            const sender = await make(broker, { version });
            const bad = [
                ...badEvaluations(e).map((payload) => [evaluationTopic(e), payload]),
                ...badAccesses(e, page.user).map((payload) => [userTopic(e, page.user), payload]),
            ];
            await watcher.subscribe([RESPONSE, 'evaluations/#']);
            await watcher.ping();
            const known = watcher.messages.length;
            for (const [topic, payload] of bad) {
                const code = await sender.publish(topic, Buffer.from(payload), RETAINED);
                assert.equal(code, version === 5 ? 0x87 : 0, `${payload}`);
            }
            for (const [topic] of bad) {
                await nextRefusal(sender, topic);
            }
            await publishRetained(sender, userTopic(e, 'nobody'), accessUpdate(e, 'nobody', 'ALLOWED'));
            await watcher.nextMessage(userTopic(e, 'nobody'));
            // Of other tests' evaluations there may be something yet to come.
            const others = watcher.messages.slice(known)
                .filter(({ topic }) => topic === RESPONSE || topic.startsWith(evaluationTopic(e)));
            assert.deepEqual(others.map(({ topic }) => topic), [userTopic(e, 'nobody')]);
            assert.deepEqual(await messagesUntilMarker(publisher, page, page.user), []);
            await watcher.client.unsubscribeAsync([RESPONSE, 'evaluations/#']);
            assert.equal(await retainedOn(watcher, evaluationTopic(e)), undefined);
            assert.equal(await retainedOn(watcher, userTopic(e, page.user)), undefined);
            assert.ok(sender.isOpen);
            await Promise.all([page.end(), sender.end()]);
        });
    }
}

test('a refused message at every QoS, retained or not, and from mosquitto_pub', async () => {
    const e = newId('e');
    const topic = evaluationTopic(e);
    const page = await student([e]);
    for (const [qos, code] of [[0, 0], [1, 0x87], [2, 0x87]]) {
        for (const retain of [false, true]) {
            assert.equal(await publisher.publish(topic, phaseUpdate(e, 'PAUSE'), { qos, retain }), code);
            assert.match(await nextRefusal(publisher, topic), /phase/);
        }
    }
    assert.equal(await publisher.publish(topic, '', { qos: 1, retain: false }), 0x87);
    await nextRefusal(publisher, topic);
    assert.match((await mosquittoPub(broker, topic, 'hello', { version: 5 })).stderr, /Not authorized/);
    await mosquittoPub(broker, topic, 'hello');
    assert.deepEqual(await messagesUntilMarker(publisher, page, page.user), []);
    assert.equal(await retainedOn(watcher, topic), undefined);
    await page.end();
});

test('4000 bytes are not too many', async () => {
    const e = newId('e');
    const pages = [await student([e]), await student([e], { version: 5 })];
    const payload = JSON.stringify(phaseUpdate(e, 'COMPOSITION')).padEnd(4000);
    await publishRetained(publisher, evaluationTopic(e), payload);
    for (const page of pages) {
        assert.equal((await page.nextMessage(evaluationTopic(e))).text, payload);
        await page.end();
    }
});

test('a version does not go back, until the evaluation is forgotten', async () => {
    const e = newId('e');
    const page = await student([e]);
    const rows = [
        [evaluationTopic(e), (version) => phaseUpdate(e, 'COMPOSITION', { version })],
        [userTopic(e, page.user), (version) => accessUpdate(e, page.user, 'ALLOWED', { version })],
    ];
    for (const [topic, message] of rows) {
        const steps = [[7, 0], [7, 0], [undefined, 0], [6, 0x87], [0, 0x87], [9007199254740991, 0], [8, 0x87]];
        for (const [version, refused] of steps) {
            const code = await publisher.publish(topic, message(version), RETAINED);
            assert.equal(code & 0x87, refused, `${topic} ${version}`);
            if (refused) {
                assert.match(await nextRefusal(publisher, topic), /version/);
            }
        }
        const heard = await messagesUntilMarker(publisher, page, page.user);
        const versions = heard.filter((each) => each.topic === topic).map(({ json }) => json.version);
        assert.deepEqual(versions, [7, 7, undefined, 9007199254740991]);
    }
    await publishRetained(publisher, evaluationTopic(e), '');
    for (const [topic, message] of rows) {
        await publishRetained(publisher, topic, message(1));
        assert.equal((await page.nextMessage((each) => each.topic === topic && each.json?.version === 1)).topic, topic);
    }
    await page.end();
});

test('an empty message forgets an evaluation and clears the topics of its users', async () => {
    const e = newId('e');
    const page = await student([]);
    const users = [page.user, newId('student'), newId('student')];
    await watcher.subscribe([`evaluations/${e}/#`]);
    await setPhase(publisher, e, 'COMPOSITION');
    for (const user of users) {
        await setAccess(publisher, e, user, 'ALLOWED');
    }
    await page.nextMessage(evaluationTopic(e));
    await mosquittoPub(broker, evaluationTopic(e), '');
    for (const topic of [evaluationTopic(e), ...users.map((user) => userTopic(e, user))]) {
        await watcher.nextMessage((message) => message.topic === topic && message.text === '');
    }
    await watcher.client.unsubscribeAsync(`evaluations/${e}/#`);
    for (const topic of [evaluationTopic(e), ...users.map((user) => userTopic(e, user))]) {
        assert.equal(await retainedOn(watcher, topic), undefined);
    }
    assert.deepEqual(await page.subscribe([evaluationTopic(e)]), [0x80]);
    await page.end();
});

test('an empty message on a topic of a user: the token counts again', async () => {
    const e = newId('e');
    await setPhase(publisher, e, 'COMPOSITION');
    const [claimed, added] = [await student([e]), await student([])];
    await setAccess(publisher, e, claimed.user, 'DENIED');
    await setAccess(publisher, e, added.user, 'ALLOWED');
    assert.deepEqual(await claimed.subscribe([evaluationTopic(e)]), [0x80]);
    assert.deepEqual(await added.subscribe([evaluationTopic(e)]), [1]);
    for (const { user } of [claimed, added]) {
        await publishRetained(publisher, userTopic(e, user), '');
        assert.equal(await retainedOn(watcher, userTopic(e, user)), undefined);
    }
    assert.deepEqual(await claimed.subscribe([evaluationTopic(e)]), [1]);
    assert.deepEqual(await added.subscribe([evaluationTopic(e)]), [0x80]);
    await Promise.all([claimed.end(), added.end()]);
});

test('with a topic prefix', async () => {
    const prefixed = await startBroker({
        options: { topic_prefix: 'eval/', phases: 'OPEN,CLOSED', strict_phases: 'OPEN', presence_phases: 'OPEN' },
        acl: 'user backend\ntopic readwrite #\ntopic readwrite $CONTROL/#\n',
    });
    const sender = await backend(prefixed, { version: 5 });
    const page = await login(prefixed, { sub: 'anna', sid: 's1', evaluations: ['e1'] });
    assert.deepEqual(await page.subscribe(['eval/evaluations/e1', 'evaluations/e1']), [1, 0x80]);
    assert.equal(await sender.publish('eval/evaluations/e1', phaseUpdate('e1', 'GRADING'), RETAINED), 0x87);
    await nextRefusal(sender, 'eval/evaluations/e1');
    await publishRetained(sender, 'eval/evaluations/e1', phaseUpdate('e1', 'OPEN'));
    assert.equal((await page.nextMessage('eval/evaluations/e1')).json.phase, 'OPEN');
    const [{ data }] = await askRaw(sender, '{"commands":[{"command":"getEvaluation","evaluationId":"e1"}]}');
    assert.equal(data.strict, true);
    await Promise.all([page.end(), sender.end()]);
    await prefixed.stop();
});
