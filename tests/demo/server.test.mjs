// SPDX-License-Identifier: Apache-2.0
// server.test.mjs - the demo's backend: sign-in, tokens, refusals, files, and what it publishes.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import {
    backend, command, connect, evaluationTopic, expectInvalidated, fingerprint, now, retainedOn, startBroker,
    TIME, userTopic,
} from '../broker/lib.mjs';
import { Browser, request, startServer } from './lib/server.mjs';

let broker;
let server;
let watcher; // hears what is published
let prof;

before(async () => {
    broker = await startBroker();
    watcher = await backend(broker, { version: 5 });
    await watcher.subscribe(['evaluations/#']);
    server = await startServer(broker, { args: ['--issuer', 'https://exam.example', '--audience', 'mqtt'] });
    prof = new Browser(server.url);
    await prof.post('/signin', { role: 'professor' });
});
after(async () => {
    await watcher.end();
    assert.equal(await server.stop(), 0);
    await broker.stop();
});

const E = 'demo';
const POST = { method: 'POST' };
const JSON_TYPE = { 'content-type': 'application/json' };

async function signedIn(name) {
    const browser = new Browser(server.url);
    assert.equal((await browser.post('/signin', { name })).status, 200);
    return browser;
}

/** Does something as the professor, and sees what is published of it. */
async function published(path, body, topic) {
    const from = watcher.messages.length;
    const { status, json } = await prof.post(path, body);
    assert.equal(status, 200, JSON.stringify(json));
    const message = await watcher.nextMessage(
        (each) => each.topic === topic && watcher.messages.indexOf(each) >= from);
    return message.json;
}

/** A page as MQTT.js alone, with a token of the server. */
async function page(browser, options = {}) {
    const { answer, sub, sid } = await browser.claims(options);
    const client = await connect({ url: answer.url, token: answer.token });
    return Object.assign(client, { sub, sid });
}

test('signing in sets a cookie for this server alone', async () => {
    const { headers, json } = await new Browser(server.url).post('/signin', { name: ' anna ' });
    const [cookie] = headers['set-cookie'];
    assert.match(cookie, /^exam_student=[\w-]{32}; Path=\/; HttpOnly; SameSite=Lax$/);
    assert.deepEqual(json, { userId: 'anna' });
});

test('a token says who signed in, when, and not for long', async () => {
    const anna = await signedIn('anna');
    const { answer, ...claims } = await anna.claims();
    assert.ok(Math.abs(claims.iat - now()) <= 2);
    assert.equal(claims.exp - claims.iat, 300);
    assert.ok(claims.iat - claims.auth_time <= 2 && claims.iat >= claims.auth_time);
    assert.match(claims.sid, /^[0-9a-f]{32}$/);
    assert.deepEqual([claims.sub, claims.role, claims.evaluations, claims.iss, claims.aud],
        ['anna', 'student', [], 'https://exam.example', 'mqtt']);
    const { token, ...rest } = answer;
    assert.deepEqual(rest, {
        userId: 'anna', sessionId: claims.sid, evaluation: E, url: broker.wsUrl, keepalive: 20, blockedRetry: 15,
        topicPrefix: '',
    });
    const again = await anna.claims();
    assert.deepEqual([again.sid, again.auth_time], [claims.sid, claims.auth_time]);
    assert.equal((await page(anna)).isOpen, true); // the broker takes it
});

test('each sign-in is a session of its own, and the first one stays one', async () => {
    const browser = await signedIn('anna');
    const first = await browser.claims();
    const before = browser.cookies.get('exam_student');
    await browser.post('/signin', { name: 'ben' });
    const second = await browser.claims();
    assert.notEqual(first.sid, second.sid);
    assert.equal(second.sub, 'ben');
    assert.equal((await browser.claims({ sessionId: first.sid })).sub, 'anna');
    // The cookie is another one, and the old one is worth nothing.
    const thief = new Browser(server.url);
    thief.cookies.set('exam_student', before);
    assert.equal((await thief.post('/token')).status, 401);
    // Somebody else's session is not to be had by its name.
    const other = await signedIn('carl');
    assert.equal((await other.post('/token', { sessionId: first.sid })).status, 401);
});

test('the professor is one by a cookie of its own', async () => {
    const claims = await prof.claims({ role: 'professor' });
    assert.deepEqual([claims.sub, claims.role, claims.evaluations], ['professor', 'professor', [E]]);
    assert.equal((await prof.post('/token')).status, 401);
});

test('401 for whoever is not signed in, or not as the professor', async () => {
    const nobody = new Browser(server.url);
    const anna = await signedIn('anna');
    for (const path of ['/token', '/signout']) {
        assert.equal((await nobody.post(path)).status, 401, path);
    }
    for (const path of ['phase', 'extend', 'add', 'remove', 'block', 'unblock', 'revoke', 'incidents']) {
        const body = { userId: 'anna', phase: 'GRADING', minutes: 5 };
        assert.equal((await nobody.post(`/exam/${path}`, body)).status, 401, path);
        assert.equal((await anna.post(`/exam/${path}`, body)).status, 401, path);
    }
    assert.equal((await retainedOn(watcher, evaluationTopic(E))).json.phase, 'REGISTRATION');
});

test('signing out ends the session at the broker too', async () => {
    const anna = await signedIn('anna');
    const open = await page(anna);
    const { status, headers } = await anna.post('/signout');
    assert.equal(status, 200);
    assert.match(headers['set-cookie'][0], /Max-Age=0/);
    await expectInvalidated(open, 'anna', open.sid, 'REVOKED');
    assert.equal((await anna.post('/token')).status, 401);
});

test('names that are none, or somebody else\'s, are refused', async () => {
    const browser = new Browser(server.url);
    const names = ['', '  ', 'a/b', 'a+', '#', '$SYS', '-a', 'a\u0000', 'x'.repeat(41), 7, null, ['anna'], {},
        'professor', 'Professor', 'backend', 'exam-backend', 'a\nb'];
    for (const name of names) {
        const { status, headers } = await browser.post('/signin', { name });
        assert.deepEqual([status, headers['set-cookie']], [400, undefined], JSON.stringify(name));
    }
    assert.equal((await browser.post('/signin', { name: 'anna', role: 'service' })).status, 400);
    for (const name of ['Zoë', 'anna maria', 'b.c-d_e', '学生', 'x'.repeat(40)]) {
        assert.equal((await browser.post('/signin', { name })).status, 200, name);
    }
});

test('bodies that are none are refused', async () => {
    const send = (body, headers = JSON_TYPE) => request(server.url, '/signin', { ...POST, headers, body });
    const status = async (...args) => (await send(...args)).status;
    assert.equal(await status('{"name":"anna"}'), 200);
    assert.equal(await status('{'), 400);
    assert.equal(await status(''), 400);
    for (const body of ['null', '7', '"x"', '[]', 'true']) {
        assert.equal(await status(body), 400, body);
    }
    assert.equal(await status('{"name":"anna"}', { 'content-type': 'text/plain' }), 415);
    assert.equal(await status('{"name":"anna"}', {}), 415);
    assert.equal(await status(JSON.stringify({ name: 'anna', more: 'x'.repeat(5000) })), 413);
});

test('wrong commands of the professor change nothing', async () => {
    const from = watcher.messages.length;
    for (const [path, body, status] of [
        ['phase', { phase: 'LUNCH' }, 400], ['phase', {}, 400], ['extend', { minutes: 1.5 }, 400],
        ['extend', { minutes: '5' }, 400], ['extend', { minutes: 601 }, 400], ['extend', { minutes: 5 }, 409],
        ['add', { userId: 'a/b' }, 400], ['block', { userId: 'nobody' }, 404], ['unblock', { userId: 'nobody' }, 404],
        ['unblock', { userId: 'anna', fingerprint: 'x' }, 400], ['revoke', {}, 400],
    ]) {
        assert.equal((await prof.post(`/exam/${path}`, body)).status, status, `${path} ${JSON.stringify(body)}`);
    }
    await watcher.ping();
    assert.equal(watcher.messages.length, from);
});

test('other methods and other paths', async () => {
    const status = async (path, options) => (await request(server.url, path, options)).status;
    assert.equal(await status('/token'), 405);
    assert.equal(await status('/student.js', { ...POST, headers: JSON_TYPE, body: '{}' }), 405);
    assert.equal(await status('/', { method: 'HEAD' }), 200);
    for (const path of [
        '/../server.mjs', '/%2e%2e/server.mjs', '/..%2fserver.mjs', '/public/../server.mjs', '//etc/passwd',
        '/vendor/../../package.json', '/vendor/mqtt.js', '/vendor/', '/.npmrc', '/student.js/', '/student.js%00',
        '/server.mjs', '/package.json', '/__proto__', '/constructor', '*',
    ]) {
        assert.equal(await status(path), 404, path);
        assert.equal(await status(path, { ...POST, headers: JSON_TYPE, body: '{}' }), 404, path);
    }
});

test('the pages, and what they may load', async () => {
    for (const [path, file] of [['/', 'student.html'], ['/professor?x=1', 'professor.html']]) {
        const { status, headers, text } = await request(server.url, path);
        assert.equal(status, 200);
        assert.equal(text, readFileSync(new URL(`../../examples/exam/public/${file}`, import.meta.url), 'utf8'));
        assert.equal(headers['content-type'], 'text/html; charset=utf-8');
        assert.equal(headers['x-content-type-options'], 'nosniff');
        const policy = Object.fromEntries(headers['content-security-policy'].split('; ').map((part) => {
            const [name, ...values] = part.split(' ');
            return [name, values];
        }));
        const map = /<script type="importmap">(.*?)<\/script>/s.exec(text)[1];
        const hash = `'sha256-${createHash('sha256').update(map).digest('base64')}'`;
        assert.deepEqual(policy['default-src'], ["'self'"]);
        assert.deepEqual(policy['script-src'], ["'self'", hash]);
        assert.deepEqual(policy['connect-src'], ["'self'", broker.wsUrl]);
        assert.deepEqual(JSON.parse(map), { imports: { mqtt: './vendor/mqtt.esm.js' } });
        assert.doesNotMatch(text, /https?:|style=| on\w+=/);
    }
    const { status, headers, text } = await request(server.url, '/vendor/mqtt.esm.js');
    assert.deepEqual([status, headers['content-type']], [200, 'text/javascript; charset=utf-8']);
    assert.match(text, /export default/);
});

test('a whole exam, as it is published', async () => {
    const first = (await retainedOn(watcher, evaluationTopic(E))).json;
    assert.deepEqual({ ...first, version: 0 },
        { type: 'EVALUATION_UPDATE', evaluationId: E, title: 'Demo exam', phase: 'REGISTRATION', version: 0 });
    const listed = (await retainedOn(watcher, userTopic(E, 'anna'))).json;
    assert.deepEqual({ ...listed, version: 0 },
        { type: 'EVALUATION_UPDATE', evaluationId: E, userId: 'anna', access: 'ALLOWED', version: 0 });

    const begun = await published('/exam/phase', { phase: 'IN_PROGRESS' }, evaluationTopic(E));
    assert.match(begun.endAt, TIME);
    assert.equal(Date.parse(begun.endAt) - Date.parse(begun.startAt), 3600000);
    assert.ok(begun.version > first.version);
    const own = await published('/exam/extend', { userId: 'anna', minutes: 10 }, userTopic(E, 'anna'));
    assert.equal(Date.parse(own.endAt) - Date.parse(begun.endAt), 600000);
    const all = await published('/exam/extend', { minutes: 5 }, evaluationTopic(E));
    assert.equal(Date.parse(all.endAt) - Date.parse(begun.endAt), 300000);
    const both = await watcher.nextMessage(({ topic, json }) =>
        topic === userTopic(E, 'anna') && json.version > all.version);
    assert.equal(Date.parse(both.json.endAt) - Date.parse(begun.endAt), 900000);
    assert.equal(both.json.access, 'ALLOWED');

    assert.equal((await published('/exam/add', { userId: 'carla' }, userTopic(E, 'carla'))).access, 'ALLOWED');
    assert.equal((await published('/exam/block', { userId: 'carla' }, userTopic(E, 'carla'))).access, 'BLOCKED');
    assert.equal((await command(watcher, 'getUser', { userId: 'carla' })).blocks.length, 1);
    assert.equal((await published('/exam/unblock', { userId: 'carla' }, userTopic(E, 'carla'))).access, 'ALLOWED');
    const { status, json } = await prof.post('/exam/unblock', { userId: 'carla' });
    assert.deepEqual([status, /not|neither/.test(json.error)], [409, true]);
    assert.equal((await command(watcher, 'getUser', { userId: 'carla' })).blocks.length, 0);
    await published('/exam/extend', { userId: 'carla', minutes: 1 }, userTopic(E, 'carla'));
    assert.equal((await command(watcher, 'getUser', { userId: 'carla' })).blocks.length, 0); // not again
    assert.equal((await published('/exam/remove', { userId: 'carla' }, userTopic(E, 'carla'))).access, 'DENIED');
});

test('a second login in the exam: the incident is known, and either login can be let go on', async () => {
    await published('/exam/add', { userId: 'dora' }, userTopic(E, 'dora'));
    const [one, two] = [await signedIn('dora'), await signedIn('dora')];
    const sitting = await page(one);
    const turnedAway = await page(two);
    await turnedAway.closed;
    const { json } = await prof.post('/exam/incidents');
    const incident = json.incidents.find(({ userId }) => userId === 'dora');
    const { boundSession, refusedSession } = incident;
    assert.deepEqual([boundSession, refusedSession], [fingerprint(sitting.sid), fingerprint(turnedAway.sid)]);
    assert.equal((await prof.post('/exam/unblock', { userId: 'dora', fingerprint: refusedSession })).status, 200);
    await expectInvalidated(sitting, 'dora', sitting.sid, 'SUPERSEDED');
    const back = await page(two);
    assert.deepEqual(await back.subscribe([evaluationTopic(E)]), [1]);

    assert.equal((await prof.post('/exam/revoke', { userId: 'dora' })).status, 200);
    await expectInvalidated(back, 'dora', back.sid, 'REVOKED');
    assert.equal((await two.post('/token')).status, 401);
});

test('all is published at the start, and again when the broker has started anew', async () => {
    const env = { EXAM_TITLE: 'Second', EXAM_TTL: '60', EXAM_STUDENTS: 'zoe', EXAM_EVALUATION: 'second' };
    const other = await startServer(broker, { env, args: ['--ws', '/mqtt'] });
    const heard = await watcher.nextMessage(({ json }) => json?.title === 'Second');
    assert.equal(heard.json.phase, 'REGISTRATION');
    await watcher.nextMessage(({ topic }) => topic === userTopic('second', 'zoe'));
    const zoe = new Browser(other.url);
    await zoe.post('/signin', { name: 'zoe' });
    const claims = await zoe.claims();
    assert.deepEqual([claims.exp - claims.iat, claims.answer.url], [60, '/mqtt']);
    const { headers } = await request(other.url, '/');
    assert.match(headers['content-security-policy'], /connect-src 'self';/);

    await broker.kill9();
    await broker.start();
    await watcher.end(true);
    watcher = await backend(broker, { version: 5 });
    await watcher.subscribe(['evaluations/#']);
    await watcher.nextMessage(({ topic }) => topic === userTopic('second', 'zoe'), { timeout: 10000 });
    assert.equal(await other.stop(), 0);
});
