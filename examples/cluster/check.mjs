// SPDX-License-Identifier: Apache-2.0
// check.mjs - plays a short story against two brokers and nginx, and says what each client saw. Exits 0
// only if all of it happened. Called by start --check.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { mintToken, readSigner } from '../../scripts/lib/token.mjs';
import { connect } from '../../tests/broker/lib/client.mjs';
import { command } from '../../tests/broker/lib/exam.mjs';

const NAMES = ['nginx', 'ws-a', 'ws-b', 'mqtt-a', 'mqtt-b', 'dir'];
const { values } = parseArgs({ options: Object.fromEntries(NAMES.map((name) => [name, { type: 'string' }])) });
const signer = readSigner(join(values.dir, 'private.pem'));
const password = readFileSync(join(values.dir, 'backend-password'), 'utf8').trim();
const start = Math.floor(Date.now() / 1000);
const URLS = { nginx: values.nginx, 'broker a': values['ws-a'], 'broker b': values['ws-b'] };

function say(who, what) {
    console.log(`${who.padEnd(22)} ${what}`);
}

async function backendAt(letter) {
    const client = await connect({ url: values[`mqtt-${letter}`], username: 'backend', password });
    client.name = `backend at ${letter}`;
    return client;
}

/** `loginAt` is in seconds after the start: it orders the logins of a user. */
async function login(user, sid, loginAt, where) {
    const claims = { sub: user, sid, auth_time: start + loginAt, evaluations: ['demo'] };
    // What nginx must not pass on.
    const wsOptions = where === 'nginx' ? { headers: { 'X-Forwarded-For': '192.0.2.66' } } : undefined;
    const page = await connect({ url: URLS[where], token: await mintToken(signer, claims), wsOptions });
    page.name = `${user} (${sid}) by ${where}`;
    const topics = [`users/${user}`, 'evaluations/demo'];
    assert.deepEqual(await page.subscribe(topics), [1, 1]);
    say(page.name, `logged in, subscribed to ${topics.join(', ')}`);
    return page;
}

async function sees(page, topic, isExpected) {
    const { text } = await page.nextMessage((message) => message.topic === topic && isExpected(message.json),
        { timeout: 10000, what: `${topic} at ${page.name}` });
    say(page.name, `received ${topic} ${text}`);
}

async function isEnded(page, user, sid) {
    await sees(page, `users/${user}/sessions/${sid}`, (json) => json.type === 'SESSION_INVALIDATED' &&
        json.sessionId === sid && json.reason === 'SUPERSEDED');
    await page.closed;
    say(page.name, 'was disconnected');
}

async function phase(backend, name, version, pages) {
    const message = { type: 'EVALUATION_UPDATE', evaluationId: 'demo', phase: name, version };
    await backend.publish('evaluations/demo', message, { qos: 1, retain: true });
    say(backend.name, `published evaluations/demo ${JSON.stringify(message)}`);
    await Promise.all(pages.map((page) => sees(page, 'evaluations/demo', (json) => json.version === version)));
}

/** At which of the brokers a session's page is, and with which address. */
async function placeOf(backends, user, sid) {
    const found = await Promise.all(backends.map(async (backend) => {
        const { sessions } = await command(backend, 'getUser', { userId: user }).catch(() => ({ sessions: [] }));
        const session = sessions.find(({ sessionId }) => sessionId === sid);
        return (session?.connections ?? []).map(({ address }) => [backend.name.at(-1), address]);
    }));
    assert.equal(found.flat().length, 1);
    return found.flat()[0];
}

async function direct(backends) {
    const first = await login('anna', 's1', 0, 'broker a');
    const second = await login('anna', 's2', 1, 'broker b');
    await isEnded(first, 'anna', 's1');
    await phase(backends[0], 'REGISTRATION', 1, [second]);
    const third = await login('anna', 's3', 2, 'broker a');
    await isEnded(second, 'anna', 's2');
    await sees(third, 'evaluations/demo', (json) => json.version === 1); // retained
    await phase(backends[1], 'COMPOSITION', 2, [third]);
    return third;
}

/** nginx takes the brokers in turn. */
async function throughNginx(backends) {
    const first = await login('ben', 's1', 0, 'nginx');
    const [at, address] = await placeOf(backends, 'ben', 's1');
    say(first.name, `is at broker ${at}, from ${address}`);
    assert.equal(address, '127.0.0.1');
    const second = await login('ben', 's2', 1, 'nginx');
    const [then] = await placeOf(backends, 'ben', 's2');
    say(second.name, `is at broker ${then}`);
    assert.notEqual(then, at);
    await isEnded(first, 'ben', 's1');
    return second;
}

async function story() {
    const backends = await Promise.all(['a', 'b'].map(backendAt));
    const anna = await direct(backends);
    const ben = await throughNginx(backends);
    await phase(backends[0], 'FINISHED', 3, [anna, ben]);
    await Promise.all([anna, ben].map((page) => page.ping()));
    assert.ok(anna.isOpen && ben.isOpen);
    await Promise.all([...backends, anna, ben].map((client) => client.end()));
}

story().then(
    () => console.log('check: everything happened as it should'),
    (error) => {
        console.error(`check: FAILED: ${error.message}`);
        process.exit(1);
    });
