#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// drive.mjs - plays an exam's main story against a running broker and says what each client saw.
// Exits 0 only if all of it happened. Called by scripts/quickstart --check.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { connect } from '../tests/broker/lib/client.mjs';
import { mintToken, readSigner } from './lib/token.mjs';

const { values } = parseArgs({
    options: { ws: { type: 'string' }, mqtt: { type: 'string' }, dir: { type: 'string' } },
});
const signer = readSigner(join(values.dir, 'private.pem'));
const start = Math.floor(Date.now() / 1000);

function say(who, what) {
    console.log(`${who.padEnd(12)} ${what}`);
}

function token(sub, sid, loginAt) {
    return mintToken(signer, { sub, sid, auth_time: loginAt, evaluations: ['demo'] });
}

async function login(user, sid, loginAt = start) {
    const page = await connect({ url: values.ws, token: await token(user, sid, loginAt) });
    page.name = `${user} (${sid})`;
    const topics = [`users/${user}`, 'evaluations/demo', `evaluations/demo/users/${user}`];
    assert.deepEqual(await page.subscribe(topics), [1, 1, 1]);
    say(page.name, `logged in, subscribed to ${topics.join(', ')}`);
    return page;
}

/** Takes the next message and checks that it is the one expected, word for word. */
async function sees(page, topic, expected) {
    const { topic: from, json, text } = await page.nextMessage(undefined, { what: `${topic} at ${page.name}` });
    assert.deepEqual([from, json], [topic, expected]);
    say(page.name, `received ${from} ${text}`);
}

async function ownTopics(backend, anna, ben) {
    for (const user of ['anna', 'ben']) {
        await backend.publish(`users/${user}`, { type: 'HELLO', userId: user });
    }
    await sees(anna, 'users/anna', { type: 'HELLO', userId: 'anna' });
    await sees(ben, 'users/ben', { type: 'HELLO', userId: 'ben' });
}

async function othersTopics(ben) {
    for (const topic of ['users/anna', 'users/anna/sessions/s1', 'evaluations/demo/users/anna', '#']) {
        const [code] = await ben.subscribe(topic);
        assert.ok(code >= 0x80, `${topic} was granted to ben`);
        say(ben.name, `was refused ${topic}`);
    }
    assert.ok(ben.isOpen);
}

const REGISTRATION = { type: 'EVALUATION_UPDATE', evaluationId: 'demo', phase: 'REGISTRATION' };
const ALLOWED = { type: 'EVALUATION_UPDATE', evaluationId: 'demo', userId: 'anna', access: 'ALLOWED' };

async function evaluation(backend, anna, ben) {
    await backend.publish('evaluations/demo', REGISTRATION, { qos: 1, retain: true });
    await sees(anna, 'evaluations/demo', REGISTRATION);
    await sees(ben, 'evaluations/demo', REGISTRATION);
    await backend.publish('evaluations/demo/users/anna', ALLOWED, { qos: 1, retain: true });
    await sees(anna, 'evaluations/demo/users/anna', ALLOWED);
}

async function told(page, user, sid) {
    const notice = await page.nextMessage(`users/${user}/sessions/${sid}`, {
        what: `SESSION_INVALIDATED at ${page.name}`,
    });
    const { type, userId, sessionId, reason } = notice.json;
    assert.deepEqual([type, userId, sessionId, reason],
        ['SESSION_INVALIDATED', user, sid, 'SUPERSEDED']);
    say(page.name, `received ${notice.topic} ${notice.text}`);
    await page.closed;
    say(page.name, 'was disconnected');
}

async function secondLogin(backend, anna, ben) {
    const second = await login('anna', 's2', start + 1);
    await sees(second, 'evaluations/demo', REGISTRATION); // retained: she comes late
    await sees(second, 'evaluations/demo/users/anna', ALLOWED);
    await told(anna, 'anna', 's1');

    await backend.publish('users/anna', { type: 'HELLO', userId: 'anna', again: true });
    await second.nextMessage('users/anna');
    say(second.name, 'still receives what is for anna');
    assert.equal(anna.messages.filter(({ json }) => json.again).length, 0);
    // Whatever ben could have been sent by now would be before the answer to this ping.
    await ben.ping();
    assert.ok(ben.isOpen && second.isOpen);
    assert.deepEqual(ben.messages.filter(({ topic }) => topic.includes('anna')), []);
    say(ben.name, 'is still there, and saw nothing of anna');
    return second;
}

/** MQTT.js reconnects by itself: the ended login comes back, is told why, and changes nothing. */
async function comesBack(second) {
    const back = await connect({ url: values.ws, token: await token('anna', 's1', start) });
    back.name = 'anna (s1)';
    say(back.name, 'came back by itself');
    await told(back, 'anna', 's1');
    assert.ok(second.isOpen);
    say(second.name, 'was not disturbed');
}

const CONTROL = '$CONTROL/invigilator/v1';

async function command(backend, request) {
    await backend.publish(CONTROL, { commands: [request] }, { qos: 1 });
    const { json, text } = await backend.nextMessage(`${CONTROL}/response`);
    say('backend', `was answered ${text}`);
    return json.responses[0].data;
}

/** While the exam runs, another login is turned away, both pages are told, and one command ends it. */
async function exam(backend, page) {
    const own = 'evaluations/demo/users/anna';
    const begin = { type: 'EVALUATION_UPDATE', evaluationId: 'demo', phase: 'IN_PROGRESS' };
    await backend.subscribe('evaluations/+/incidents');
    await backend.publish('evaluations/demo', begin, { qos: 1, retain: true });
    await sees(page, 'evaluations/demo', begin);

    const third = await connect({ url: values.ws, token: await token('anna', 's3', start + 2) });
    third.name = 'anna (s3)';
    for (const who of [third, page]) {
        const { json, text } = await who.nextMessage(own, { what: `BLOCKED at ${who.name}` });
        assert.deepEqual([json.access, json.reason], ['BLOCKED', 'SECOND_LOGIN']);
        say(who.name, `received ${own} ${text}`);
    }
    await third.closed;
    say(third.name, 'was disconnected');
    const incident = await backend.nextMessage('evaluations/demo/incidents');
    say('backend', `received ${incident.topic} ${incident.text}`);

    await command(backend, { command: 'unblock', userId: 'anna', evaluationId: 'demo' });
    assert.equal((await page.nextMessage(own)).json.access, 'ALLOWED');
    await sees(page, 'evaluations/demo', begin);
    assert.ok(page.isOpen);
}

async function story() {
    const password = readFileSync(join(values.dir, 'backend-password'), 'utf8').trim();
    const backend = await connect({ url: values.mqtt, username: 'backend', password });
    say('backend', 'logged in with its password, over plain MQTT');
    const anna = await login('anna', 's1');
    const ben = await login('ben', 's7');
    await ownTopics(backend, anna, ben);
    await othersTopics(ben);
    await evaluation(backend, anna, ben);
    const second = await secondLogin(backend, anna, ben);
    await comesBack(second);
    await exam(backend, second);
    await Promise.all([backend, ben, second].map((client) => client.end()));
}

story().then(
    () => console.log('check: everything happened as it should'),
    (error) => {
        console.error(`check: FAILED: ${error.message}`);
        process.exit(1);
    });
