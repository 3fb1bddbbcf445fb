// SPDX-License-Identifier: Apache-2.0
// token.test.mjs - the token route of the Next.js example: next-auth signs in for real, the route
// signs, jose and the plugin itself check.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { backend, connect, expectInvalidated, now, setPhase } from '../broker/lib.mjs';
import { load } from './lib/app.mjs';
import { Browser } from './lib/browser.mjs';
import {
    AUDIENCE, ISSUER, PASSWORD, privatePem, publicKey, replaceApplication, signedIn, startBrokerForPages,
} from './lib/pages.mjs';

const own = load('@/lib/application');
let broker;

before(async () => {
    replaceApplication();
    broker = await startBrokerForPages();
});
after(() => broker.stop());

const page = (token) => connect({ url: broker.wsUrl, token });

test('a token holds what the plugin needs, and is not kept by caches', async () => {
    const since = now();
    const browser = await signedIn('anna', ['e1', 'e2']);
    const response = await browser.askToken();
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('cache-control'), 'no-store');

    const { token, ...rest } = await response.json();
    assert.deepEqual(rest, {});
    const { payload } = await jwtVerify(token, publicKey, { algorithms: ['ES256'] });
    const { sid, iat, exp, auth_time: authTime, ...fixed } = payload;
    assert.deepEqual(fixed, {
        sub: 'anna', iss: ISSUER, aud: AUDIENCE, role: 'student', evaluations: ['e1', 'e2'],
    });
    assert.match(sid, /^[0-9a-f-]{36}$/);
    assert.ok(Number.isInteger(authTime) && authTime >= since && authTime <= iat && iat <= now());
    assert.equal(exp - iat, 300);
    assert.deepEqual(decodeProtectedHeader(token), { alg: 'ES256', typ: 'JWT' });
});

test('sid and auth_time belong to the login, not to the token', async (t) => {
    const browser = await signedIn('bert');
    const first = decodeJwt(await browser.token());
    const later = Date.now() + 100_000;
    t.mock.method(Date, 'now', () => later);
    await browser.auth('session'); // next-auth writes its cookie anew
    const second = decodeJwt(await browser.token());
    const other = decodeJwt(await (await signedIn('bert')).token());

    assert.equal(second.sid, first.sid);
    assert.equal(second.auth_time, first.auth_time);
    assert.ok(second.iat >= first.iat + 100);
    assert.notEqual(other.sid, first.sid);
    assert.ok(other.auth_time >= first.auth_time + 100);
});

async function expectNotSignedIn(browser) {
    const response = await browser.askToken();
    assert.equal(response.status, 401);
    assert.equal(response.headers.get('cache-control'), 'no-store');
    assert.deepEqual(await response.json(), { error: 'not signed in' });
}

test('nobody, a wrong password and a forged cookie get no token', async (t) => {
    t.mock.method(console, 'error', () => {}); // next-auth's report of the cookie
    const browser = new Browser();
    await expectNotSignedIn(browser);
    assert.equal((await browser.signIn('anna', 'another')).status, 401);
    await expectNotSignedIn(browser);
    browser.cookies.set('next-auth.session-token', 'made.up');
    await expectNotSignedIn(browser);
});

test('a login from before the two callbacks gets no token', async () => {
    const { encode } = load('next-auth/jwt');
    for (const missing of ['sub', 'sid', 'authTime']) {
        const login = { sub: 'anna', sid: 's', authTime: now(), [missing]: undefined };
        const browser = new Browser();
        browser.cookies.set('next-auth.session-token', await encode({ token: login, secret: process.env.NEXTAUTH_SECRET }));
        await expectNotSignedIn(browser);
    }
});

test('a setting that is missing makes no token', async (t) => {
    const browser = await signedIn('anna');
    for (const name of ['INVIGILATOR_PRIVATE_KEY', 'INVIGILATOR_ISSUER', 'INVIGILATOR_AUDIENCE']) {
        const value = process.env[name];
        t.after(() => Object.assign(process.env, { [name]: value }));
        delete process.env[name];
        await assert.rejects(browser.askToken(), { message: `${name} is not set` });
        process.env[name] = value;
    }
});

test('the private key may be SEC 1, and may be written in one line', async (t) => {
    const browser = await signedIn('anna');
    t.after(() => Object.assign(process.env, { INVIGILATOR_PRIVATE_KEY: privatePem('pkcs8') }));
    for (const text of [privatePem('sec1'), privatePem('pkcs8').replaceAll('\n', '\\n')]) {
        process.env.INVIGILATOR_PRIVATE_KEY = text;
        await jwtVerify(await browser.token(), publicKey);
    }
});

test('as delivered, nobody can sign in and nobody takes part in anything', async () => {
    assert.equal(await own.findAccount('anna', PASSWORD), null);
    assert.deepEqual(await own.participationOf('anna'), { role: 'student', evaluations: [] });
});

test('the plugin lets the page in, to its own evaluations alone', async () => {
    const publisher = await backend(broker);
    await setPhase(publisher, 'e5', 'REGISTRATION');
    const client = await page(await (await signedIn('carl', ['e5'])).token());
    assert.deepEqual(await client.subscribe(['evaluations/e5', 'evaluations/e6']), [1, 0x80]);
    assert.equal((await client.nextMessage('evaluations/e5')).json.phase, 'REGISTRATION');
    await Promise.all([client.end(), publisher.end()]);
});

test('the plugin takes a professor for one', async () => {
    const browser = await signedIn('dora', ['e7'], 'professor');
    const client = await page(await browser.token());
    assert.deepEqual(await client.subscribe(['evaluations/e7/#', 'evaluations/e8/#']), [1, 0x80]);
    await client.end();
});

test('a second login ends the first; a second token of one login does not', async () => {
    const browser = await signedIn('emil');
    const first = await page(await browser.token());
    const tab = await page(await browser.token());
    await tab.ping();
    assert.ok(first.isOpen);

    const { sid } = decodeJwt(await browser.token());
    const newer = await page(await (await signedIn('emil')).token());
    await Promise.all([first, tab].map((client) => expectInvalidated(client, 'emil', sid, 'SUPERSEDED')));
    await newer.ping();
    assert.ok(newer.isOpen);
    await newer.end();
});
