// SPDX-License-Identifier: Apache-2.0
// whole.test.mjs - all of it at once: next-auth signs in, the route makes tokens, the browser module
// shows them to a broker with the plugin, and the store holds what came.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { backend, command, newId, setAccess, setPhase } from '../broker/lib.mjs';
import { leftLine } from '../broker/lib/logline.mjs';
import { within } from '../broker/lib/wait.mjs';
import { load } from './lib/app.mjs';
import { replaceApplication, signedIn, startBrokerForPages } from './lib/pages.mjs';

const { Invigilator } = load('invigilator');
const { InvigilatorStore } = load('@/lib/invigilator-store');
const END = '2030-01-01T10:00:00Z';
const LATER = '2030-01-01T10:15:00Z';
let broker;
let publisher;

before(async () => {
    replaceApplication();
    broker = await startBrokerForPages();
    publisher = await backend(broker);
});
after(async () => {
    await publisher.end();
    await broker.stop();
});

/** A page of a signed-in browser; until(wanted) resolves when the state fulfils it. */
function open(t, browser, evaluationId) {
    const store = new InvigilatorStore(() => new Invigilator({
        url: broker.wsUrl, evaluations: [evaluationId], fetchToken: () => browser.token(), blockedRetry: 0.2,
    }));
    const page = { state: store.getSnapshot, of: () => store.getSnapshot().evaluations[evaluationId] ?? {} };
    let look = () => {};
    page.leave = store.subscribe(() => look());
    t.after(page.leave);
    page.until = (wanted) => within(10000, () => `${wanted}: ${JSON.stringify(page.state())}`, new Promise((resolve) => {
        look = () => wanted(page) && resolve();
        look();
    }));
    return page;
}

/** A strict exam, a student who sits it, and the page. */
async function sit(t) {
    const [e, user] = [newId('exam'), newId('student')];
    await setPhase(publisher, e, 'IN_PROGRESS', { endAt: END });
    await setAccess(publisher, e, user, 'ALLOWED', { status: 'IN_PROGRESS' });
    const page = open(t, await signedIn(user), e);
    await page.until(({ state, of }) => state().online && of().endAt && of().access);
    return { e, user, page };
}

const connectionsOf = async (user) =>
    (await command(publisher, 'getUser', { userId: user })).sessions.flatMap(({ connections }) => connections);

test('a page knows the phase, the end and the access, and follows them', async (t) => {
    const { e, user, page } = await sit(t);
    assert.deepEqual({ ...page.of() }, { phase: 'IN_PROGRESS', endAt: END, access: 'ALLOWED', blocked: undefined });
    await setAccess(publisher, e, user, 'ALLOWED', { endAt: LATER });
    await page.until(({ of }) => of().endAt === LATER);
    await setPhase(publisher, e, 'GRADING', { endAt: END });
    await page.until(({ of }) => of().phase === 'GRADING');
    assert.equal(page.of().endAt, LATER);
});

test('a page that goes away ends its connection', async (t) => {
    const { user, page } = await sit(t);
    assert.equal((await connectionsOf(user)).length, 1);
    page.leave();
    await broker.waitForLog(leftLine(`${user}:\\S+`));
    assert.deepEqual(await connectionsOf(user), []);
    assert.equal(page.state().online, false);
});

test('a second login in a strict exam: both pages know, until it is lifted', async (t) => {
    const { e, user, page } = await sit(t);
    const second = open(t, await signedIn(user), e);
    for (const one of [page, second]) {
        await one.until(({ of }) => of().access === 'BLOCKED');
        assert.equal(one.of().blocked.reason, 'SECOND_LOGIN');
    }
    assert.deepEqual([page.state().online, second.state().online], [true, false]);

    await command(publisher, 'unblock', { userId: user, evaluationId: e });
    await page.until(({ of }) => of().access === 'ALLOWED' && of().blocked === undefined);
});

test('a second login outside of one ends the first', async (t) => {
    const [e, user] = [newId('exam'), newId('student')];
    const first = open(t, await signedIn(user), e);
    await first.until(({ state }) => state().online);
    const second = open(t, await signedIn(user), e);
    await first.until(({ state }) => state().invalidated === 'SUPERSEDED' && !state().online);
    await second.until(({ state }) => state().online);
});
