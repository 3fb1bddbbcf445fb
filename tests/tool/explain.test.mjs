// SPDX-License-Identifier: Apache-2.0
// explain.test.mjs - explain against a broker: the same tokens, the same questions, the same answers.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
    accessUpdate, backend, connect, fingerprint, forge, now, phaseUpdate, publishRetained, startBroker,
} from '../broker/lib.mjs';
import { dir, expectCode, file } from './lib.mjs';

// What the backend says before: blockedUser is blocked, gone is denied, anna takes part by that alone.
const MESSAGES = [
    ['eval/evaluations/e1', phaseUpdate('e1', 'IN_PROGRESS')],
    ['eval/evaluations/e1/users/anna', accessUpdate('e1', 'anna', 'ALLOWED')],
    ['eval/evaluations/e1/users/halted', accessUpdate('e1', 'halted', 'BLOCKED')],
    ['eval/evaluations/e1/users/gone', accessUpdate('e1', 'gone', 'DENIED')],
];

let broker;
let publisher;
let messages;

before(async () => {
    broker = await startBroker({
        options: { topic_prefix: 'eval/', jwt_issuer: 'https://issuer', jwt_leeway: 5 },
        acl: 'user backend\ntopic readwrite eval/#\ntopic readwrite $CONTROL/#\n',
    });
    publisher = await backend(broker, { version: 5 });
    for (const [topic, payload] of MESSAGES) {
        await publishRetained(publisher, topic, payload);
    }
    messages = MESSAGES.flatMap(([topic, payload]) => ['--message', `${topic}=${file(JSON.stringify(payload))}`]);
});
after(async () => {
    await publisher.end();
    await broker.stop();
});

const explain = (code, token, ...args) =>
    expectCode(code, ['explain', '--config', broker.configFile, '--token-file', '-', ...args], { input: `${token}\n` });
const claimsOf = (claims) => ({ iss: 'https://issuer', ...claims });

/** Whether a broker lets the login in. */
async function isAccepted(token, options) {
    try {
        const client = await connect({ url: broker.tcpUrl, version: 5, token, ...options });
        await client.end();
        return true;
    } catch (error) {
        assert.equal(error.code, 135);
        return false;
    }
}

const TOKENS = {
    'a student': [{ sub: 'anna', sid: 's1' }, /^accepted user=anna role=student session=[0-9a-f]{12} until=\d{4}-.*Z\n$/],
    'a service': [{ sub: 'svc', role: 'service' }, /^accepted user=svc role=service session=- until=/],
    'a professor with control characters to show': [{ sub: 'p\u202e', sid: 'x', role: 'professor' }, /^accepted user=p\\xe2\\x80\\xae role=professor/i],
    'one that has run out': [{ sub: 'anna', sid: 's1', exp: now() - 60 }, /^refused reason=expired claim=exp \(its time \(exp\) is over\)\n$/],
    'one of another issuer': [{ sub: 'anna', sid: 's1', iss: 'x' }, /^refused reason=issuer_mismatch/],
    'one without a session': [{ sub: 'anna' }, /^refused reason=claim_missing claim=sid/],
    'one of an unknown role': [{ sub: 'anna', sid: 's1', role: 'dean' }, /^refused reason=role_unknown/],
    'one from the future': [{ sub: 'anna', sid: 's1', iat: now() + 600 }, /^refused reason=issued_in_future/],
    'one with a topic for a user': [{ sub: 'a/b', sid: 's1' }, /^refused reason=claim_invalid claim=sub/],
};
for (const [name, [claims, expected]] of Object.entries(TOKENS)) {
    test(`${name}: as a broker decides`, async () => {
        const token = await broker.sign(claimsOf(claims));
        const accepted = await isAccepted(token, { clientId: claims.sub, username: claims.sub });
        const { stdout, stderr } = await explain(accepted ? 0 : 1, token);
        assert.match(stdout, expected);
        assert.equal(stderr, '');
        assert.ok(!`${stdout}`.includes(token.split('.')[2]));
    });
}

test('names, client ids, algorithms, signatures, and what is no token', async () => {
    const token = await broker.sign(claimsOf({ sub: 'anna', sid: 's1' }));
    const cases = [
        [['-u', 'anna'], { username: 'anna' }], [['-u', 'otto'], { username: 'otto' }], [['-i', 'anna:1'], { clientId: 'anna:1' }],
        [['--client-id=annabel'], { clientId: 'annabel' }],
    ];
    for (const [args, options] of cases) {
        const accepted = await isAccepted(token, { clientId: 'anna', username: 'anna', ...options });
        const { stdout } = await explain(accepted ? 0 : 1, token, ...args);
        assert.match(stdout, accepted ? /^accepted/ : /^refused reason=(username_mismatch|client_id_invalid) /);
    }
    const forged = `${token.slice(0, -8)}AAAAAAAA`;
    assert.match((await explain(1, forged)).stdout, /^refused reason=signature_invalid/);
    const none = forge({ alg: 'none' }, claimsOf({ sub: 'anna' }), broker.keys.hs);
    assert.match((await explain(1, none)).stdout, /^refused reason=algorithm_not_allowed/);
    assert.match((await explain(1, 'secret')).stdout, /^deferred \(no token: /);
    assert.match((await explain(1, '')).stdout, /^deferred/);
    assert.match((await explain(1, `${'x'.repeat(20)}.${token}`, '--subscribe', 'a')).stdout, /^deferred.*\nsubscribe a: refused: Mosquitto's own rules decide\n$/);
});

test('another time', async () => {
    const token = await broker.sign(claimsOf({ sub: 'anna', sid: 's1', iat: 1900000000, exp: 1900000600 }));
    assert.match((await explain(1, token)).stdout, /issued_in_future/);
    const { stdout } = await explain(0, token, '--at', '2030-03-17T17:46:40Z');
    assert.match(stdout, / until=2030-03-17T17:56:45Z\n/);
    assert.match((await explain(1, token, '--at', '2030-03-17T17:56:45Z')).stdout, /reason=expired/);
    await explain(2, token, '--at', '2030-02-30T00:00:00Z');
});

const E1 = 'eval/evaluations/e1';
const WHO = {
    'a participant': { sub: 'anna', sid: 's1' },
    'one who is blocked': { sub: 'halted', sid: 's2' },
    'one who was removed': { sub: 'gone', sid: 's3', evaluations: ['e1'] },
    'a stranger': { sub: 'mia', sid: 's4' },
    'one whose token says so': { sub: 'tom', sid: 's5', evaluations: ['e1', 'e2'] },
    'a supervisor': { sub: 'prof', sid: 's6', role: 'professor', evaluations: ['e1'] },
    'a service': { sub: 'svc', role: 'service' },
};
const filtersOf = ({ sub, sid }) => [
    `eval/users/${sub}`, `eval/users/${sub}/#`, 'eval/users/other', 'eval/users/+', `eval/users/${sub}/sessions/${sid ?? 'x'}`,
    `eval/users/${sub}/sessions/another`, `eval/users/${sub}/sessions/+`, E1, `${E1}/#`, `${E1}/users/${sub}`, `${E1}/users/${sub}/#`,
    `${E1}/users/other`, `${E1}/users/+`, `${E1}/presence/+`, `${E1}/presence/${sub}`, `${E1}/incidents`, 'eval/evaluations/e2',
    'eval/evaluations/+', 'eval/#', '#', '+/+', 'users/x', '$SYS/broker/invigilator/#', '$SYS/#', '$CONTROL/invigilator/v1',
    '$CONTROL/invigilator/v1/response', '$share/g/eval/users/x', 'eval/nothing', `${E1}/users/${sub}/more`,
];
for (const [name, claims] of Object.entries(WHO)) {
    test(`${name}: every filter is answered as by a broker`, async () => {
        const filters = filtersOf(claims);
        const token = await broker.sign(claimsOf(claims));
        const client = await connect({ url: broker.tcpUrl, version: 5, token });
        const granted = (await client.subscribe(filters)).map((code) => code < 0x80);
        await client.end();
        const code = granted.includes(false) ? 1 : 0;
        const args = [...messages, ...filters.flatMap((filter) => ['--subscribe', filter])];
        const { answers } = JSON.parse((await explain(code, token, ...args, '--json')).stdout);
        assert.deepEqual(answers.map(({ allowed }) => allowed), granted, filters.filter((_, i) => answers[i].allowed !== granted[i]).join(' '));
        const lines = (await explain(code, token, ...args)).stdout.split('\n').slice(1, -1);
        lines.forEach((line, i) => assert.match(line, new RegExp(`^subscribe .*: ${granted[i] ? 'allowed' : 'refused'}: \\w.*\\w$`)));
        // A session id is shown no more than in the log.
        assert.ok(claims.sid === undefined || lines.every((line) => !line.includes(`sessions/${claims.sid}:`)));
    });
}

test('what may be published and received, and why', async () => {
    const publishes = [`${E1}`, `${E1}/users/x`, `${E1}/incidents`, 'eval/users/x', '$CONTROL/invigilator/v1', 'a/b'];
    for (const [claims, allowed] of [[WHO['a service'], [true, true, false, true, true, false]], [WHO['a supervisor'], Array(6).fill(false)]]) {
        const token = await broker.sign(claimsOf(claims));
        const client = await connect({ url: broker.tcpUrl, version: 5, token });
        const codes = [];
        for (const topic of publishes) {
            const [, e, u] = topic.match(/evaluations\/(\w+)(?:\/users\/(\w+))?$/) ?? [];
            const payload = e ? (u ? accessUpdate(e, u, 'ALLOWED') : phaseUpdate(e, 'IN_PROGRESS')) : '{"commands":[]}';
            codes.push(await client.publish(topic, payload));
        }
        await client.end();
        const args = publishes.flatMap((topic) => ['--publish', topic]);
        const { answers } = JSON.parse((await explain(allowed.includes(false) ? 1 : 0, token, ...args, '--json')).stdout);
        assert.deepEqual(answers.map((answer) => answer.allowed), allowed);
        assert.deepEqual(codes.map((code) => code < 0x80), allowed);
    }
    const receive = async (name, topic) => (await explain(
        { 'a participant': 0 }[name] ?? 1, await broker.sign(claimsOf(WHO[name])), ...messages, '--receive', topic)).stdout.split('\n')[1];
    assert.equal(await receive('a participant', E1), `receive ${E1}: allowed: the user takes part in the evaluation`);
    assert.equal(await receive('one who is blocked', E1), `receive ${E1}: refused: the user is blocked in the evaluation`);
    assert.equal(await receive('one who was removed', E1), `receive ${E1}: refused: the user neither takes part in the evaluation nor supervises it`);
    assert.equal(await receive('a stranger', 'eval/users/anna'), 'receive eval/users/anna: refused: the topic is another user\'s');
});

test('JSON: what is said of the token', async () => {
    const { stdout } = await explain(0, await broker.sign(claimsOf({ sub: 'anna', sid: 's1', exp: 1900000000 })), '--json');
    assert.deepEqual(JSON.parse(stdout), {
        verdict: 'accepted', user: 'anna', role: 'student', session: fingerprint('s1'), until: '2030-03-17T17:46:45Z', answers: [],
    });
    const refused = JSON.parse((await explain(1, await broker.sign({ sub: 'anna', sid: 's1' }), '--json')).stdout);
    assert.deepEqual(refused, { verdict: 'refused', reason: 'issuer_mismatch', claim: 'iss', why: 'its iss is not jwt_issuer', answers: [] });
});

test('what is no question, no message, no configuration', async () => {
    const token = await broker.sign(claimsOf({ sub: 'anna', sid: 's1' }));
    await explain(2, token, '--subscribe', 'a#');
    await explain(2, token, '--publish', 'a/+');
    await explain(2, token, '--message', 'eval/evaluations/e1');
    await explain(2, token, '--message', 'eval/evaluations/e1=/nowhere');
    const { stderr } = await explain(2, token, '--message', `eval/evaluations/e1=${file('{"type":"EVALUATION_UPDATE","evaluationId":"e1","phase":"NO"}')}`);
    assert.match(stderr, /--message eval\/evaluations\/e1: the plugin refuses this message: .*phase/);
    await expectCode(2, ['explain', '--token-file', '-']);
    await expectCode(2, ['explain', '--config', broker.configFile, '--token-file', join(dir, 'none')]);
    const conf = join(dir, 'bad.conf');
    writeFileSync(conf, 'plugin /x/mosquitto_invigilator.so\nplugin_opt_jwt_leeway x\n');
    assert.match((await expectCode(2, ['explain', '--config', conf, '--token-file', '-'])).stderr, /bad\.conf:2: plugin_opt_jwt_leeway: found "x"/);
});
