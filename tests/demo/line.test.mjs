// SPDX-License-Identifier: Apache-2.0
// line.test.mjs - the browser module of examples/exam: renewal without a gap, and lines that break.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { backend, newId, now, setAccess, setPhase } from '../broker/lib.mjs';
import { crash, startWithState } from '../broker/lib/state.mjs';
import { openLine, stopPages, studentPage } from './lib/page.mjs';

const LEEWAY = 1;
let broker;
let publisher;
let line;

before(async () => {
    broker = await startWithState({ options: { jwt_leeway: LEEWAY, expiry_notice: 60 } });
    publisher = await backend(broker, { version: 5 });
    line = await openLine(broker.wsPort);
});
after(async () => {
    line.close();
    await publisher.end();
    await broker.stop();
});
afterEach(stopPages);

/** A page that sits an exam behind the line, having heard all that is retained. */
async function sit(options = {}) {
    const e = newId('exam');
    const { user = newId('student') } = options;
    await setPhase(publisher, e, 'IN_PROGRESS', { n: 0 });
    await setAccess(publisher, e, user, 'ALLOWED');
    const page = studentPage(broker, { e, user, url: line.url, ...options });
    await page.next('phase');
    await page.next('access');
    return page;
}

/** Tokens of a session: the first with so many seconds to live, then as `next` says. */
function tokensOf(user, seconds, next = () => now() + 3600) {
    const iat = now();
    const sign = (exp) => broker.sign({ sub: user, sid: `sid-${user}`, auth_time: iat, exp });
    return (n) => sign(n === 0 ? iat + seconds : next(iat + seconds));
}

function sitShortly(seconds, next) {
    const user = newId('student');
    return sit({ user, token: tokensOf(user, seconds, next) });
}

const numbersOf = (page) => page.events.filter(({ name }) => name === 'phase').map(({ message }) => message.n);
const hellosOf = (page) => page.events.filter(({ name }) => name === 'message').map(({ message }) => message.n);
const upTo = (n, from = 0) => Array.from({ length: n - from + 1 }, (_, i) => from + i);

/** Publishes state and a message that is not retained, both numbered. */
async function publishNumber({ e, user }, n) {
    await setPhase(publisher, e, 'IN_PROGRESS', { n });
    await publisher.publish(`users/${user}`, { n }, { qos: 1 });
}

describe('renewal', () => {
    test('a second connection takes over; nothing is lost, nothing comes twice', async (t) => {
        const page = await sitShortly(4);
        assert.match((await page.next('expiring')).expiresAt, /Z$/);
        let n = 0;
        let isOver = false;
        const publishing = (async () => {
            while (!isOver) {
                await publishNumber(page, ++n);
            }
        })();
        t.after(() => { isOver = true; });
        const [, next] = [await page.nextClient(), await page.nextClient()];
        await page.closed[0];
        isOver = true;
        await publishing;
        await page.next('message', ({ message }) => message.n === n);
        assert.ok(next.connected && n > 20, `${n}`);
        assert.deepEqual(numbersOf(page), upTo(n));
        assert.deepEqual(hellosOf(page), upTo(n, 1));
        assert.deepEqual(page.names().filter((name) => !['phase', 'message'].includes(name)).sort(),
            ['access', 'expiring', 'online']);
        assert.equal(page.tokens, 2);
        assert.notEqual(page.connects[0].password, page.connects[1].password);
    });

    for (const what of ['the old connection lags', 'both connections lag']) {
        test(`${what} behind`, async () => {
            const page = await sitShortly(4);
            await page.next('expiring');
            let release = what.startsWith('the old') ? line.hold() : null;
            const [old, next] = [await page.nextClient(), await page.nextClient()];
            const subscribed = new Promise((resolve) => next.on('packetreceive', ({ cmd }) => {
                if (cmd === 'suback') {
                    release ??= line.hold(); // before the old one has been asked for its last word
                    resolve();
                }
            }));
            for (let n = 1; n <= 5; n++) {
                await publishNumber(page, n);
            }
            await subscribed;
            for (let n = 6; n <= 10; n++) {
                await publishNumber(page, n);
            }
            assert.equal(old.connected, true);
            release();
            await page.closed[0];
            await publishNumber(page, 11);
            await page.next('message', ({ message }) => message.n === 11);
            assert.deepEqual(numbersOf(page), upTo(11));
            assert.deepEqual(hellosOf(page), upTo(11, 1));
            assert.equal(page.names().includes('offline'), false);
        });
    }

    test('a state that has been the same all along is not told again', async () => {
        const page = await sitShortly(4);
        await page.next('expiring');
        await page.nextClient();
        await page.nextClient();
        await page.closed[0];
        await publishNumber(page, 1);
        await page.next('message');
        assert.deepEqual(page.names().sort(), ['access', 'expiring', 'message', 'online', 'phase', 'phase']);
    });

    test('the backend has no newer token: the connection ends, and the next token brings it back', async () => {
        let hasEnded = false;
        const page = await sitShortly(3, (same) => (hasEnded ? now() + 3600 : same));
        page.invigilator.on('invalidated', () => { hasEnded = true; });
        assert.equal((await page.next('invalidated', () => true, { timeout: 10000 })).reason, 'EXPIRED');
        assert.equal((await page.next('offline')).reason, 'closed');
        await page.next('online', ({ time }) => time > page.events.find(({ name }) => name === 'offline').time - 1);
        await page.next('phase');
        assert.equal(page.connects.length, 2); // it has not connected with the same token again
        assert.ok(page.tokens >= 3, `${page.tokens}`);
    });

    test('the old connection ends while the new one is being made', async () => {
        const page = await sitShortly(4);
        await page.next('expiring');
        const [old, next] = [await page.nextClient(), await page.nextClient()];
        old.stream.destroy();
        await publishNumber(page, 1);
        await page.next('phase', ({ message }) => message.n === 1);
        await publishNumber(page, 2);
        await page.next('phase', ({ message }) => message.n === 2);
        assert.deepEqual([page.clients.length, next.connected], [2, true]);
    });
});

describe('lines that break', () => {
    const isAfter = (page, event) => (other) => page.events.indexOf(other) > page.events.indexOf(event);

    test('silence: offline within one and a half keepalives, and back with what has changed', async () => {
        const page = await sit({ keepalive: 2 });
        const start = Date.now();
        line.silence();
        await setPhase(publisher, page.e, 'GRADING', { n: 1 });
        const offline = await page.next('offline', () => true, { timeout: 10000 });
        assert.equal(offline.reason, 'timeout');
        assert.ok(offline.time - start <= 3000 + 200, `${offline.time - start} ms`); // 200 for two busy cores
        await page.next('online', isAfter(page, offline));
        assert.equal((await page.next('phase', isAfter(page, offline))).phase, 'GRADING');
    });

    test('a socket that closes: offline at once, and back', async () => {
        const page = await sit({ keepalive: 30 });
        const start = Date.now();
        line.cut();
        const offline = await page.next('offline');
        assert.equal(offline.reason, 'closed');
        assert.ok(offline.time - start < 500, `${offline.time - start} ms`);
        const online = await page.next('online', isAfter(page, offline));
        assert.ok(online.time - offline.time >= 500, 'without a pause');
        await page.next('access', isAfter(page, offline));
        assert.equal(page.events.filter(({ name }) => name === 'offline').length, 1);
    });

    test('a broker that restarts: back with the state', async () => {
        const page = await sit();
        const away = page.next('offline');
        await crash(broker);
        const offline = await away;
        assert.equal(offline.reason, 'closed');
        await broker.start();
        await page.next('online', isAfter(page, offline), { timeout: 15000 });
        await page.next('phase', isAfter(page, offline));
        assert.equal((await page.next('access', isAfter(page, offline))).access, 'ALLOWED');
        await publisher.end(true);
        publisher = await backend(broker, { version: 5 });
        await setPhase(publisher, page.e, 'GRADING');
        assert.equal((await page.next('phase', ({ phase }) => phase === 'GRADING')).phase, 'GRADING');
    });
});
