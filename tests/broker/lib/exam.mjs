// SPDX-License-Identifier: Apache-2.0
// exam.mjs - what tests of evaluations have in common: logins, the backend's messages, control
// requests, and markers that show what did not come.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { connect } from './client.mjs';
import { within } from './wait.mjs';

export const CONTROL = '$CONTROL/invigilator/v1';
export const RESPONSE = `${CONTROL}/response`;
export const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
export const RETAINED = { qos: 1, retain: true };

let ids = 0;

/** An id that no other test of this file uses. */
export function newId(prefix) {
    return `${prefix}${++ids}`;
}

/** The first 12 hex digits of the SHA-256 of a session id. */
export function fingerprint(sid) {
    return createHash('sha256').update(sid).digest('hex').slice(0, 12);
}

/** Connects with a token of these claims, over WebSockets where `options` do not say otherwise. */
export async function login(broker, claims, options = {}) {
    return connect({ url: broker.wsUrl, token: await broker.sign(claims), ...options });
}

export function service(broker, options = {}) {
    return login(broker, { sub: newId('service'), role: 'service' }, options);
}

/** A professor who supervises `evaluations`. */
export function professor(broker, evaluations, options = {}) {
    const sub = newId('prof');
    return login(broker, { sub, sid: `sid-${sub}`, role: 'professor', evaluations }, options);
}

/** The backend with a password instead of a token. */
export function backend(broker, options = {}) {
    return connect({
        url: broker.tcpUrl, username: 'backend', password: 'secret', clientId: newId('backend'), ...options,
    });
}

export const evaluationTopic = (e) => `evaluations/${e}`;
export const userTopic = (e, u) => `evaluations/${e}/users/${u}`;

export function phaseUpdate(e, phase, more = {}) {
    return { type: 'EVALUATION_UPDATE', evaluationId: e, phase, ...more };
}

export function accessUpdate(e, u, access, more = {}) {
    return { type: 'EVALUATION_UPDATE', evaluationId: e, userId: u, access, ...more };
}

/** Publishes retained, as a backend does, and sees that it was accepted. */
export async function publishRetained(client, topic, payload) {
    const code = await client.publish(topic, payload, RETAINED);
    assert.ok(code < 0x80, `${topic}: ${code}`);
}

export function setPhase(client, e, phase, more) {
    return publishRetained(client, evaluationTopic(e), phaseUpdate(e, phase, more));
}

export function setAccess(client, e, u, access, more) {
    return publishRetained(client, userTopic(e, u), accessUpdate(e, u, access, more));
}

/** Runs mosquitto_pub as the backend, with QoS 1; the payload (text, bytes or an object, that is
 *  sent as JSON) goes in byte by byte. Resolves to { code, stderr }. */
export async function mosquittoPub(broker, topic, payload, { version = 4, retain = true } = {}) {
    const bytes = Buffer.isBuffer(payload) || typeof payload === 'string' ? payload : JSON.stringify(payload);
    const child = spawn('mosquitto_pub', [
        '-h', '127.0.0.1', '-p', broker.tcpPort, '-u', 'backend', '-P', 'secret',
        '-V', version === 5 ? 'mqttv5' : 'mqttv311', '-q', '1', ...(retain ? ['-r'] : []), '-t', topic,
        bytes.length > 0 ? '-s' : '-n',
    ], { stdio: ['pipe', 'ignore', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', (data) => {
        stderr += data;
    });
    child.stdin.on('error', () => {});
    child.stdin.end(bytes);
    const ended = new Promise((resolve, reject) => {
        child.once('error', reject);
        child.once('close', resolve);
    });
    const code = await within(10000, 'mosquitto_pub', ended).finally(() => child.kill('SIGKILL'));
    return { code, stderr };
}

/** Publishes `payload` to the control topic and resolves to the `responses` of the answer: the next
 *  one that comes, or the next that `isWanted`. */
export async function askRaw(client, payload, options, isWanted = () => true) {
    const code = await client.publish(CONTROL, payload, options);
    assert.ok(code < 0x80, `a command was answered with ${code}`);
    const isAnswer = ({ topic, json }) =>
        topic === RESPONSE && json?.responses !== undefined && isWanted(json.responses);
    const answer = await client.nextMessage(isAnswer);
    assert.deepEqual(Object.keys(answer.json), ['responses']);
    return answer.json.responses;
}

/** Sends commands, and resolves to their responses. */
export function ask(client, ...commands) {
    return askRaw(client, { commands });
}

/** Sends one command, and resolves to its response. Several may be on their way at once. */
export async function tryCommand(client, name, members = {}) {
    const correlationData = newId('command');
    const payload = { commands: [{ command: name, ...members, correlationData }] };
    const isMine = (responses) => responses[0].correlationData === correlationData;
    const [response, ...more] = await askRaw(client, payload, { qos: 1 }, isMine);
    assert.equal(more.length, 0);
    assert.equal(response.command, name);
    return response;
}

/** Sends one command that must succeed, and resolves to its data. */
export async function command(client, name, members) {
    const { data, error } = await tryCommand(client, name, members);
    assert.equal(error, undefined);
    return data;
}

/** Sends one command that must not succeed. */
export async function expectError(client, name, members) {
    const { data, error } = await tryCommand(client, name, members);
    assert.ok(typeof error === 'string' && error.length > 0, JSON.stringify(members));
    assert.equal(data, undefined);
}

/** What the publisher of a message on `topic` is told when it was refused: resolves to the error. */
export async function nextRefusal(client, topic) {
    const isRefusal = (message) => message.topic === RESPONSE &&
        message.json?.type === 'PUBLISH_REFUSED' && message.json.topic === topic;
    const { json, retain } = await client.nextMessage(isRefusal);
    assert.equal(retain, false);
    const { at, error, ...rest } = json;
    assert.deepEqual(rest, { type: 'PUBLISH_REFUSED', topic });
    assert.match(at, TIME);
    assert.ok(typeof error === 'string' && error.length > 0);
    return error;
}

/** Publishes a marker on users/{user}, which `page` has subscribed to, and resolves to all that the
 *  page had received before it since message number `from`. */
export async function messagesUntilMarker(publisher, page, user, from = 0) {
    const marker = newId('marker');
    await publisher.publish(`users/${user}`, { marker });
    await page.nextMessage(({ json }) => json?.marker === marker);
    return page.messages.slice(from).filter(({ json }) => json?.marker === undefined);
}

/** Turns up to a client's SESSION_INVALIDATED and its disconnect. */
export async function expectInvalidated(client, user, sid, reason, version = 4) {
    const { json } = await client.nextMessage(`users/${user}/sessions/${sid}`);
    const { at, ...rest } = json;
    assert.deepEqual(rest, { type: 'SESSION_INVALIDATED', userId: user, sessionId: sid, reason });
    assert.match(at, TIME);
    assert.equal(await client.closed, version === 5 ? 0x98 : undefined);
}

/** Sees that a page is turned away: told that the user is blocked, refused every topic, and
 *  disconnected. */
export async function expectTurnedAway(client, e, user, version = 4) {
    const codes = await client.subscribe([`users/${user}`, evaluationTopic(e), userTopic(e, user)]);
    assert.ok(codes.every((code) => code >= 0x80), `granted ${codes}`);
    const { json, retain } = await client.nextMessage(userTopic(e, user));
    const { at, ...rest } = json;
    assert.deepEqual(rest, accessUpdate(e, user, 'BLOCKED', { reason: 'SECOND_LOGIN' }));
    assert.match(at, TIME);
    assert.equal(retain, false);
    assert.equal(await client.closed, version === 5 ? 0x98 : undefined);
    assert.equal(client.messages.length, 1);
}

/** What is retained on `topic`, as a new subscriber of it learns; undefined for nothing. `reader`
 *  may read the topic, and is subscribed to it no longer afterwards. */
export async function retainedOn(reader, topic) {
    const from = reader.messages.length;
    const [code] = await reader.subscribe([topic]);
    assert.ok(code < 0x80, `${topic} was refused`);
    await reader.ping();
    await reader.client.unsubscribeAsync(topic);
    return reader.messages.slice(from).find((message) => message.topic === topic && message.retain);
}

/** A strict exam with a student at a page that follows it. `own` is what the backend said of the
 *  student; enter(n) logs the student in with session number n, which is sid(n); the page has 1. */
export async function startExam(broker, publisher, e = newId('exam'), options = {}) {
    const user = newId('student');
    const sid = (n) => `sid-${user}-${n}`;
    const enter = (n, more) => login(broker, { sub: user, sid: sid(n) }, more);
    const own = accessUpdate(e, user, 'ALLOWED', {
        status: 'IN_PROGRESS', endAt: '2030-01-01T10:00:00Z', version: 3, seat: { row: 'B', number: 7.5 },
    });
    await setPhase(publisher, e, 'IN_PROGRESS', { n: 1 });
    await publishRetained(publisher, userTopic(e, user), own);
    await command(publisher, 'getStats'); // answered on a tick: nothing of this is yet to be sent
    const page = await enter(1, options);
    await page.subscribe([`users/${user}`, evaluationTopic(e), userTopic(e, user)]);
    await page.nextMessage(evaluationTopic(e));
    await page.nextMessage(userTopic(e, user));
    return { e, user, own, page, sid, enter };
}

/** The copy of `own` that tells of the block, at `client`. */
export async function expectBlockedCopy(client, { e, user, own }) {
    const { json } = await client.nextMessage(userTopic(e, user));
    const { at, ...rest } = json;
    assert.deepEqual(rest, { ...own, access: 'BLOCKED', reason: 'SECOND_LOGIN', by: 'invigilator' });
    assert.match(at, TIME);
}
