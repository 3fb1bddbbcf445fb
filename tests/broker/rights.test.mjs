// SPDX-License-Identifier: Apache-2.0
// rights.test.mjs - who may subscribe to, receive and publish what.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connect, startBroker } from './lib.mjs';

let broker;
let backend;

before(async () => {
    broker = await startBroker();
    backend = await connect({ url: broker.tcpUrl, username: 'backend', password: 'secret', clientId: 'backend' });
});
after(async () => {
    await backend.end();
    await broker.stop();
});

async function login(claims, options = {}) {
    const token = await broker.sign({ sid: `sid-${claims.sub}`, ...claims });
    return connect({ url: broker.wsUrl, token, ...options });
}

/** A message for `topic` that may stand there, with a number to know it by. */
function update(topic, n) {
    const [, evaluationId, , userId] = topic.split('/');
    if (!topic.startsWith('evaluations/')) {
        return { n };
    }
    const message = { type: 'EVALUATION_UPDATE', evaluationId, n };
    return userId ? { ...message, userId } : { ...message, phase: 'NEW' };
}

const denied = (version) => (version === 5 ? 0x87 : 0x80);

async function checkFilters(client, version, filters) {
    const answer = await client.subscribe(Object.keys(filters));
    assert.deepEqual(
        Object.fromEntries(Object.keys(filters).map((filter, i) => [filter, answer[i]])),
        Object.fromEntries(Object.entries(filters).map(([filter, ok]) => [filter, ok ? 1 : denied(version)])));
    assert.ok(client.isOpen);
}

// First, since lines of this kind are limited.
test('what is denied is in the log', async () => {
    const anna = await login({ sub: 'anna' }, { version: 5 });
    assert.equal(await anna.publish('users/bob', '{}'), 0x87);
    await broker.waitForLog(/^invigilator: acl_denied access=publish user=anna .* topic=users\/bob$/);
    assert.deepEqual(await anna.subscribe(['users/bob']), [0x87]);
    await broker.waitForLog(/^invigilator: acl_denied access=subscribe user=anna .* topic=users\/bob$/);
    await anna.end();
});

for (const version of [4, 5]) {
    test(`filters of a student, v${version}`, async () => {
        const anna = await login({ sub: 'anna', sid: 's1', evaluations: ['e1'] }, { version });
        await checkFilters(anna, version, {
            'users/anna': true,
            'users/anna/#': true,
            'users/anna/+': true,
            'users/anna/sessions/+': true,
            'users/anna/sessions/s1': true,
            'evaluations/e1': true,
            'evaluations/e1/users/anna': true,
            'evaluations/e2/users/anna': true,
            'evaluations/e2/users/anna/#': true,
            'users/anna/sessions/s2': false,
            'users/anna/sessions/#': false,
            'users/bob': false,
            'users/+': false,
            'users/#': false,
            'evaluations/e2': false,
            'evaluations/+': false,
            'evaluations/e1/#': false,
            'evaluations/e1/users/bob': false,
            'evaluations/e1/users/+': false,
            'evaluations/e1/presence/anna': false,
            'evaluations/e1/incidents': false,
            '#': false,
            '+/anna': false,
            '$share/g/users/anna': false,
            '$SYS/#': false,
            '$SYS/broker/version': false,
            '$CONTROL/invigilator/v1/response': false,
            'other': false,
        });
        await anna.end();
    });
}

test('filters of a professor', async () => {
    const prof = await login({ sub: 'prof', sid: 'p1', role: 'professor', evaluations: ['e1'] }, { version: 5 });
    await checkFilters(prof, 5, {
        'users/prof/#': true,
        'evaluations/e1': true,
        'evaluations/e1/#': true,
        'evaluations/e1/users/+': true,
        'evaluations/e1/users/anna': true,
        'evaluations/e1/presence/+': true,
        'evaluations/e1/incidents': true,
        'evaluations/e2/users/prof': true,
        'evaluations/e2': false,
        'evaluations/e2/#': false,
        'evaluations/+/users/anna': false,
        'users/anna': false,
        '#': false,
    });
    await prof.end();
});

test('filters of a service', async () => {
    const service = await login({ sub: 'eval', sid: undefined, role: 'service' }, { version: 5 });
    await checkFilters(service, 5, {
        'users/#': true,
        'users/+/sessions/+': true,
        'evaluations/+/presence/+': true,
        '$CONTROL/invigilator/#': true,
        '$SYS/broker/invigilator/#': true,
        '#': false,
        '+/anna': false,
        '$SYS/#': false,
        '$CONTROL/#': false,
        '$share/g/users/#': false,
        'other': false,
    });
    await service.end();
});

test('messages reach their users and nobody else', async () => {
    const anna = await login({ sub: 'anna', sid: 'a1', evaluations: ['e1'] });
    const tab = await login({ sub: 'anna', sid: 'a1', evaluations: ['e1'] });
    const bob = await login({ sub: 'bob', sid: 'b1', evaluations: ['e1'] }, { version: 5 });
    for (const [client, user] of [[anna, 'anna'], [tab, 'anna'], [bob, 'bob']]) {
        assert.deepEqual(await client.subscribe([`users/${user}/#`, 'evaluations/e1', `evaluations/e1/users/${user}`]), [1, 1, 1]);
    }
    await backend.publish('users/anna', '{"n":1}');
    await backend.publish('users/anna/sessions/a1', '{"n":2}');
    await backend.publish('users/anna/sessions/other', '{"n":3}');
    await backend.publish('evaluations/e1/users/anna', update('evaluations/e1/users/anna', 4));
    await backend.publish('evaluations/e1', update('evaluations/e1', 5));
    for (const client of [anna, tab]) {
        await client.nextMessage('evaluations/e1');
        assert.deepEqual(client.messages.map((message) => message.json.n).sort(), [1, 2, 4, 5]);
    }
    await bob.nextMessage('evaluations/e1');
    assert.deepEqual(bob.messages.map((message) => message.json.n), [5]);
    await Promise.all([anna.end(), tab.end(), bob.end()]);
});

test('a student publishes nothing', async () => {
    const anna = await login({ sub: 'anna', sid: 'a2', evaluations: ['e1'] }, { version: 5 });
    const watcher = await login({ sub: 'eval', sid: undefined, role: 'service' });
    await watcher.subscribe(['users/#', 'evaluations/#']);
    for (const topic of ['users/anna', 'users/bob', 'evaluations/e1', 'evaluations/e1/users/anna', 'other', '$CONTROL/invigilator/v1']) {
        assert.equal(await anna.publish(topic, '{}', { qos: 1, retain: true }), 0x87, topic);
    }
    const old = await login({ sub: 'anna', sid: 'a2' });
    await old.publish('users/bob', '{}'); // MQTT 3.1.1 cannot be told
    assert.ok(anna.isOpen && old.isOpen);
    await watcher.publish('users/bob', '{"end":true}');
    await watcher.nextMessage('users/bob');
    assert.equal(watcher.messages.length, 1);
    await Promise.all([anna.end(), old.end(), watcher.end()]);
});

test('what a service may publish', async () => {
    const service = await login({ sub: 'eval', sid: undefined, role: 'service' }, { version: 5 });
    const allowed = { qos: 1 };
    for (const topic of ['users/anna', 'users/anna/sessions/s1', 'users/anna/x', 'evaluations/e1', 'evaluations/e1/users/anna']) {
        assert.ok(await service.publish(topic, update(topic), allowed) < 0x80, topic);
    }
    for (const topic of ['evaluations/e1/presence/anna', 'evaluations/e1/incidents', '$CONTROL/invigilator/v1/response', '$SYS/broker/invigilator/x', 'other']) {
        assert.equal(await service.publish(topic, '{}', allowed), 0x87, topic);
    }
    await service.end();
});

test('a will of a student is not sent, one of a service is', async () => {
    await backend.subscribe(['users/#', 'other']);
    const will = (topic, payload) => ({ topic, payload: Buffer.from(payload), qos: 1, retain: false });
    for (const [claims, topics] of [
        [{ sub: 'anna', sid: 'a3' }, ['users/anna', 'other']],
        [{ sub: 'eval', sid: undefined, role: 'service' }, ['evaluations/e1']],
    ]) {
        for (const topic of topics) {
            const client = await login(claims, { url: broker.tcpUrl, will: will(topic, '{"will":1}') });
            await client.end(true);
        }
    }
    const service = await login({ sub: 'eval', sid: undefined, role: 'service' },
        { will: will('users/anna', '{"will":2}') });
    await service.end(true);
    const message = await backend.nextMessage((each) => each.json?.will !== undefined);
    assert.equal(message.json.will, 2);
});

test('a v5 session that outlives its connection queues nothing', async () => {
    const options = { version: 5, clean: false, clientId: 'anna:durable', properties: { sessionExpiryInterval: 600 } };
    const anna = await login({ sub: 'anna', sid: 'a4' }, options);
    await anna.subscribe(['users/anna']);
    await anna.end();
    await backend.publish('users/anna', '{"n":"missed"}');
    const back = await login({ sub: 'anna', sid: 'a4' }, options);
    assert.equal(back.connack.sessionPresent, true);
    await backend.publish('users/anna', '{"n":"live"}');
    assert.equal((await back.nextMessage('users/anna')).json.n, 'live');
    await back.end();
});

test('unsubscribing is allowed', async () => {
    const anna = await login({ sub: 'anna', sid: 'a6' }, { version: 5 });
    await anna.subscribe(['users/anna']);
    await anna.client.unsubscribeAsync('users/anna');
    await backend.publish('users/anna', '{"n":6}');
    await anna.ping();
    assert.equal(anna.messages.length, 0);
    await anna.end();
});

test('client ids are not taken from others', async () => {
    await assert.rejects(
        login({ sub: 'backend', sid: 'x' }, { clientId: 'backend' }), (error) => error.code === 5);
    const anna = await login({ sub: 'anna', sid: 'a5' }, { clientId: 'anna:5' });
    await assert.rejects(
        connect({ url: broker.tcpUrl, username: 'backend', password: 'secret', clientId: 'anna:5' }),
        (error) => error.code === 5);
    await assert.rejects(
        connect({ url: broker.tcpUrl, username: 'backend', password: 'wrong', clientId: 'anna:5' }),
        (error) => error.code === 5);
    assert.ok(anna.isOpen && backend.isOpen);
    await anna.ping();
    await anna.end();
});

test('topic prefix and claim names', async () => {
    const other = await startBroker({
        options: { topic_prefix: 'eval/', claim_user: 'uid', claim_session: 'ses', claim_role: 'r', claim_evaluations: 'ev' },
        acl: 'user backend\ntopic readwrite eval/#\n',
    });
    const token = await other.sign({ uid: 'anna', ses: 's1', ev: ['e1'] });
    const anna = await connect({ url: other.wsUrl, token, username: 'anna' });
    const filters = ['eval/users/anna', 'eval/evaluations/e1', 'users/anna', 'evaluations/e1', 'eval/users/bob'];
    assert.deepEqual(await anna.subscribe(filters), [1, 1, 0x80, 0x80, 0x80]);
    const newer = await connect({
        url: other.wsUrl, username: 'anna', token: await other.sign({ uid: 'anna', ses: 's2' }),
    });
    const notice = await anna.nextMessage('eval/users/anna/sessions/s1');
    assert.equal(notice.json.reason, 'SUPERSEDED');
    await newer.end();
    await other.stop();
});
