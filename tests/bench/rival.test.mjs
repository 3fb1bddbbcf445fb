// SPDX-License-Identifier: Apache-2.0
// rival.test.mjs - what the plugin is compared with does what it is there for.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as rivals from '../../bench/lib/rival.mjs';
import { connect } from '../broker/lib/client.mjs';
import { makeKeys, now, sign } from '../broker/lib/keys.mjs';
import { Inbox, within } from '../broker/lib/wait.mjs';

const MODULES = fileURLToPath(new URL('../../bench/node_modules', import.meta.url));
const skip = existsSync(join(MODULES, 'aedes')) ? false : 'bench/node_modules is missing (npm ci in bench)';
const FILES = { HS256: ['hs', 'secretFile'], RS256: ['rs', 'rsPem'], ES256: ['es', 'esPem'] };
const UPDATE = { type: 'EVALUATION_UPDATE', evaluationId: 'e1', phase: 'IN_PROGRESS' };

let dir;
let keys;
const running = [];

before(() => {
    dir = mkdtempSync(join(tmpdir(), 'invigilator-rival-'));
    keys = makeKeys(dir);
});
after(() => rmSync(dir, { recursive: true, force: true }));
// What a test that failed has left would keep this process alive.
afterEach(() => running.splice(0).forEach((rival) => rival.kill()));

async function startRival(name, args) {
    const rival = await rivals.startRival(name, args);
    running.push(rival);
    const stop = () => within(5000, `the end of ${name}`, rival.stop());
    return { ...rival, port: rival.port(), stop };
}

/** Starts a rival with a key; `token(claims)` signs for it. */
async function start(name, algorithm) {
    const [key, file] = FILES[algorithm];
    const rival = await startRival(name, rivals.withKey(keys[file], algorithm));
    const token = (claims) => sign({ sid: 's1', ...claims }, keys[key]);
    const student = (sub, evaluations, more) => token({ sub, evaluations, ...more });
    const service = () => token({ sub: 'backend', sid: undefined, role: 'service' });
    return { ...rival, token, student, service };
}

/** Tokens that nobody may come in with, each with its reason. */
async function badTokens({ student }) {
    const good = await student('anna', ['e1']);
    const [header, , signature] = good.split('.');
    const claims = Buffer.from(JSON.stringify({ sub: 'anna', sid: 's1', exp: now() + 60 })).toString('base64url');
    const stranger = makeKeys(mkdtempSync(join(dir, 'other-')));
    const unsigned = Buffer.from('{"alg":"none"}').toString('base64url');
    return {
        'other claims under the signature': `${header}.${claims}.${signature}`,
        'no signature': `${unsigned}.${claims}.`,
        'a stranger\'s key': await sign({ sub: 'anna', sid: 's1' }, { ...stranger.rs, kid: undefined }),
        'over for an hour': await student('anna', ['e1'], { exp: now() - 3600 }),
        'without a session': await student('anna', ['e1'], { sid: undefined }),
        'without an end': await student('anna', ['e1'], { exp: undefined }),
        'no token at all': 'anna',
    };
}

/** The whole answer to a request. */
function ask(port, path, { method = 'GET', headers, body } = {}) {
    const answer = new Promise((resolve, reject) => {
        const request = http.request({ host: '127.0.0.1', port, path, method, headers, agent: false }, async (response) => {
            const parts = await response.toArray();
            resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(parts) });
        });
        request.once('error', reject);
        request.end(body);
    });
    return within(5000, `the answer of ${path}`, answer);
}

const bearer = (token) => ({ Authorization: `Bearer ${token}` });

/** Follows events: `next()` resolves to the next one, without its end. */
function follow(port, token) {
    const inbox = new Inbox();
    const request = http.get({ host: '127.0.0.1', port, path: '/events', headers: bearer(token), agent: false });
    request.on('error', () => {});
    const opened = new Promise((resolve) => request.once('response', resolve));
    opened.then((response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part) => {
            const events = (text + part).split('\n\n');
            text = events.pop();
            events.forEach((event) => inbox.add(event));
        });
        response.on('error', () => {});
        response.once('close', () => inbox.close(new Error('the stream has ended')));
    });
    const next = () => inbox.take(() => true, { what: 'an event' });
    return { opened: within(5000, 'the stream', opened), next, all: inbox.all, end: () => request.destroy() };
}

async function publish({ port, service }, update) {
    const body = typeof update === 'string' ? update : JSON.stringify(update);
    return (await ask(port, '/publish', { method: 'POST', headers: bearer(await service()), body })).status;
}

const dataOf = (event) => JSON.parse(event.replace(/^data: /, ''));

describe('sse', { skip }, () => {
    for (const algorithm of ['HS256', 'RS256', 'ES256']) {
        it(`delivers to who takes part, and to nobody else (${algorithm})`, async () => {
            const rival = await start('sse', algorithm);
            const anna = follow(rival.port, await rival.student('anna', ['e0', 'e1']));
            const ben = follow(rival.port, await rival.student('ben', ['e2']));
            const response = await anna.opened;
            assert.equal(response.headers['content-type'], 'text/event-stream');
            for (const each of [anna, ben]) {
                assert.equal(await each.next(), 'event: ready\ndata: {}');
            }
            // In this order each of them would get the other's update first.
            for (const evaluationId of ['e2', 'e1', 'e2']) {
                assert.equal(await publish(rival, JSON.stringify({ ...UPDATE, evaluationId }, null, 2)), 204);
            }
            assert.deepEqual(dataOf(await anna.next()), UPDATE);
            assert.deepEqual(dataOf(await ben.next()), { ...UPDATE, evaluationId: 'e2' });
            assert.deepEqual(dataOf(await ben.next()), { ...UPDATE, evaluationId: 'e2' });
            assert.equal(anna.all.length, 2);
            assert.equal(await rival.stop(), 0);
        });
    }

    it('gives late comers the last message, and goes on when somebody has left', async () => {
        const rival = await start('sse', 'HS256');
        const early = follow(rival.port, await rival.student('anna', ['e1']));
        await early.next();
        await publish(rival, UPDATE);
        await early.next();
        early.end();
        await publish(rival, { ...UPDATE, phase: 'GRADING' });
        const late = follow(rival.port, await rival.student('ben', ['e1']));
        assert.equal(await late.next(), 'event: ready\ndata: {}');
        assert.equal(dataOf(await late.next()).phase, 'GRADING');
        const other = follow(rival.port, await rival.student('cleo', ['e2']));
        await other.next();
        await publish(rival, { ...UPDATE, evaluationId: 'e2' });
        await other.next();
        assert.equal(other.all.length, 2);
        assert.equal(await rival.stop(), 0);
    });

    it('refuses bad tokens', async () => {
        const rival = await start('sse', 'RS256');
        for (const [why, token] of Object.entries(await badTokens(rival))) {
            assert.equal((await ask(rival.port, '/events', { headers: bearer(token) })).status, 401, why);
        }
        assert.equal((await ask(rival.port, '/events')).status, 401);
        assert.equal((await ask(rival.port, '/publish', { method: 'POST', body: '{}' })).status, 401);
        await rival.stop();
    });

    it('takes updates from a service alone, and none that are not', async () => {
        const rival = await start('sse', 'RS256');
        const anna = follow(rival.port, await rival.student('anna', ['e1']));
        await anna.next();
        const headers = bearer(await rival.student('anna', ['e1']));
        const body = JSON.stringify(UPDATE);
        assert.equal((await ask(rival.port, '/publish', { method: 'POST', headers, body })).status, 403);
        assert.equal(await publish(rival, '{"type":"EVALUATION_UPDATE"'), 400);
        assert.equal(await publish(rival, { ...UPDATE, type: 'INCIDENT' }), 400);
        assert.equal(await publish(rival, { ...UPDATE, label: 'x'.repeat(4000) }), 413);
        const fits = { ...UPDATE, label: '' };
        fits.label = 'x'.repeat(4000 - JSON.stringify(fits).length);
        assert.equal(await publish(rival, fits), 204);
        assert.deepEqual(dataOf(await anna.next()), fits);
        await rival.stop();
    });
});

describe('aedes', { skip }, () => {
    const login = ({ port }, token, more) => connect({ url: `ws://127.0.0.1:${port}`, token, ...more });

    for (const algorithm of ['HS256', 'RS256', 'ES256']) {
        it(`lets in and delivers (${algorithm})`, async () => {
            const rival = await start('aedes', algorithm);
            const anna = await login(rival, await rival.student('anna', ['e1']));
            const backend = await login(rival, await rival.service());
            assert.deepEqual(await anna.subscribe(['users/anna', 'evaluations/e1', 'evaluations/e1/users/anna']), [1, 1, 1]);
            await backend.publish('evaluations/e1', UPDATE, { qos: 1, retain: true });
            assert.deepEqual((await anna.nextMessage('evaluations/e1')).json, UPDATE);
            const late = await login(rival, await rival.student('ben', ['e1']));
            await late.subscribe(['evaluations/e1']);
            assert.deepEqual((await late.nextMessage('evaluations/e1')).json, UPDATE);
            await Promise.all([anna, backend, late].map((client) => client.end()));
            assert.equal(await rival.stop(), 0);
        });
    }

    it('refuses bad tokens, other names and other client ids', async () => {
        const rival = await start('aedes', 'RS256');
        for (const [why, token] of Object.entries(await badTokens(rival))) {
            await assert.rejects(login(rival, token, { username: 'anna' }), { code: 5 }, why);
        }
        await assert.rejects(login(rival, undefined, { username: 'anna' }), { code: 5 });
        const good = await rival.student('anna', ['e1']);
        await assert.rejects(login(rival, good, { username: 'ben', clientId: 'anna' }), { code: 5 });
        await assert.rejects(login(rival, good, { clientId: 'ben:1' }), { code: 5 });
        await (await login(rival, good)).end();
        await rival.stop();
    });

    it('refuses the topics of others, and what students publish', async () => {
        const rival = await start('aedes', 'RS256');
        const anna = await login(rival, await rival.student('anna', ['e1']));
        const topics = ['users/ben', 'evaluations/e2', 'evaluations/e1/users/ben', '#', 'evaluations/+', '$SYS/#'];
        assert.deepEqual(await anna.subscribe(topics), topics.map(() => 128));
        const backend = await login(rival, await rival.service());
        await backend.subscribe(['evaluations/#']);
        anna.client.publish('evaluations/e1', 'not hers');
        await anna.closed;
        await backend.publish('evaluations/e1', UPDATE);
        assert.deepEqual((await backend.nextMessage()).json, UPDATE);
        await backend.end();
        await rival.stop();
    });
});

describe('poll', { skip }, () => {
    const PATH = '/api/evaluations/ckz3x1c2v0000abcd/status';
    const cookieOf = ({ headers }) => headers['set-cookie'].map((line) => line.split(';')[0]).join('; ');

    it('answers with the sizes of what it stands for', async () => {
        const rival = await startRival('poll');
        const { port } = rival;
        const login = await ask(port, '/api/auth/callback/credentials', { method: 'POST' });
        const cookie = cookieOf(login);
        const session = /session-token=(\S+)$/.exec(cookie)[1];
        assert.ok(session.length >= 400 && session.length <= 700, `${session.length} bytes of session`);
        const whole = await ask(port, PATH, { headers: { Cookie: cookie } });
        assert.equal(whole.status, 200);
        assert.ok(whole.body.length >= 240 && whole.body.length <= 280, `${whole.body.length} bytes of body`);
        assert.equal(JSON.parse(whole.body).phase, 'IN_PROGRESS');
        assert.equal(whole.headers['set-cookie'].length, 3);
        assert.equal(cookieOf(whole), cookie);
        for (const name of ['content-type', 'etag', 'cache-control', 'date', 'connection']) {
            assert.ok(whole.headers[name], name);
        }
        const again = await ask(port, PATH, { headers: { Cookie: cookie, 'If-None-Match': whole.headers.etag } });
        assert.equal(again.status, 304);
        assert.equal(again.body.length, 0);
        assert.equal(again.headers['set-cookie'].length, 3);
        const changed = await ask(port, PATH, { headers: { Cookie: cookie, 'If-None-Match': '"other"' } });
        assert.equal(changed.status, 200);
        assert.equal(await rival.stop(), 0);
    });

    it('knows who is not logged in', async () => {
        const rival = await startRival('poll');
        const { port } = rival;
        assert.equal((await ask(port, PATH)).status, 401);
        const login = await ask(port, '/api/auth/callback/credentials', { method: 'POST' });
        const cookie = cookieOf(login).replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
        assert.equal((await ask(port, PATH, { headers: { Cookie: cookie } })).status, 401);
        await rival.stop();
    });
});
