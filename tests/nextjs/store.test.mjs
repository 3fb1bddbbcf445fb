// SPDX-License-Identifier: Apache-2.0
// store.test.mjs - the store behind the hook: what it makes of the module's events, and when it
// starts and stops the module.
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { FakeInvigilator } from './lib/fake-invigilator.mjs';
import { load } from './lib/app.mjs';

const { InvigilatorStore } = load('@/lib/invigilator-store');
const NOTHING = { online: false, evaluations: {} };
const settled = () => new Promise(setImmediate);
const { made } = FakeInvigilator;
let store;

beforeEach(() => {
    made.length = 0;
    store = new InvigilatorStore(() => new FakeInvigilator());
});

/** Subscribes; `changes` counts the calls. */
function reader() {
    const it = { changes: 0 };
    it.leave = store.subscribe(() => it.changes++);
    return it;
}

/** The store's state; a member that is undefined is as good as none. */
const state = () => JSON.parse(JSON.stringify(store.getSnapshot()));

/** What the store says after these events: [name, event]. */
function after(...events) {
    reader();
    events.forEach(([name, event]) => made[0].say(name, event));
    return state();
}

const of = (event) => ({ evaluationId: 'e1', ...event });
const BLOCK = { reason: 'SECOND_LOGIN', at: '2030-01-01T10:00:00Z' };

const STORIES = [
    ['nothing has come yet', [], NOTHING],
    ['online', [['online']], { online: true, evaluations: {} }],
    ['offline again', [['online'], ['offline', { reason: 'closed' }]], NOTHING],
    ['phase', [['phase', of({ phase: 'IN_PROGRESS', endAt: 'not the one that counts' })]],
        { online: false, evaluations: { e1: { phase: 'IN_PROGRESS' } } }],
    ['the end, twice', [['endAt', of({ endAt: 'A', own: false })], ['endAt', of({ endAt: 'B', own: true })]],
        { online: false, evaluations: { e1: { endAt: 'B' } } }],
    ['the end is open again', [['endAt', of({ endAt: 'A' })], ['endAt', of({ endAt: undefined })]],
        { online: false, evaluations: { e1: {} } }],
    ['access', [['access', of({ access: 'ALLOWED', status: 'IN_PROGRESS' })]],
        { online: false, evaluations: { e1: { access: 'ALLOWED' } } }],
    ['a block of which only the block is told', [['blocked', of(BLOCK)]],
        { online: false, evaluations: { e1: { access: 'BLOCKED', blocked: BLOCK } } }],
    ['a block, told before the access', [['blocked', of(BLOCK)], ['access', of({ access: 'BLOCKED' })]],
        { online: false, evaluations: { e1: { access: 'BLOCKED', blocked: BLOCK } } }],
    ['a block, told after the access', [['access', of({ access: 'BLOCKED' })], ['blocked', of(BLOCK)]],
        { online: false, evaluations: { e1: { access: 'BLOCKED', blocked: BLOCK } } }],
    ['a block that is lifted', [['blocked', of(BLOCK)], ['access', of({ access: 'ALLOWED' })]],
        { online: false, evaluations: { e1: { access: 'ALLOWED' } } }],
    ['a block of who is then forgotten', [['blocked', of(BLOCK)], ['access', of({ access: undefined })]],
        { online: false, evaluations: { e1: {} } }],
    ['two evaluations', [['phase', of({ phase: 'NEW' })], ['phase', { evaluationId: 'e2', phase: 'GRADING' }],
        ['endAt', of({ endAt: 'A' })]],
        { online: false, evaluations: { e1: { phase: 'NEW', endAt: 'A' }, e2: { phase: 'GRADING' } } }],
    ['an ended login', [['online'], ['invalidated', { reason: 'SUPERSEDED' }], ['offline', { reason: 'closed' }]],
        { online: false, invalidated: 'SUPERSEDED', evaluations: {} }],
    ['an expired token and a newer one', [['invalidated', { reason: 'EXPIRED' }], ['offline'], ['online']],
        { online: true, evaluations: {} }],
];

for (const [name, events, expected] of STORIES) {
    test(`events: ${name}`, () => assert.deepEqual(after(...events), expected));
}

test('all readers are called at each change, and a snapshot never changes', () => {
    const [first, second] = [reader(), reader()];
    const before = store.getSnapshot();
    assert.equal(store.getSnapshot(), before);
    made[0].say('phase', of({ phase: 'NEW' }));
    const between = store.getSnapshot();
    assert.notEqual(between, before);
    assert.equal(store.getSnapshot(), between);
    made[0].say('phase', of({ phase: 'GRADING' }));
    assert.deepEqual(before, NOTHING);
    assert.deepEqual(between.evaluations, { e1: { phase: 'NEW' } });
    assert.deepEqual([first.changes, second.changes], [2, 2]);
});

test('nothing is connected before the first reader', async () => {
    store.getSnapshot();
    store.getServerSnapshot();
    await settled();
    assert.equal(made.length, 0);
    reader();
    assert.deepEqual(made.map(({ calls }) => calls), [['start']]);
});

test('it stops with the last reader, and listens no longer', async () => {
    const [first, second] = [reader(), reader()];
    made[0].say('online');
    first.leave();
    first.leave();
    await settled();
    assert.deepEqual(made.map(({ calls }) => calls), [['start']]);
    second.leave();
    await settled();
    assert.deepEqual(made.map(({ calls }) => calls), [['start', 'stop']]);
    assert.equal(made[0].listeners, 0);
    assert.deepEqual([first.changes, second.changes], [1, 1]);
    assert.deepEqual(state(), NOTHING);
});

test('leaving and coming back in one go keeps the connection', async () => {
    const first = reader();
    made[0].say('online');
    first.leave();
    const second = reader();
    await settled();
    assert.deepEqual(made.map(({ calls }) => calls), [['start']]);
    made[0].say('offline');
    assert.deepEqual([first.changes, second.changes], [1, 1]);
});

test('coming back later makes a new connection, and what the old one says is not heard', async () => {
    const first = reader();
    made[0].say('phase', of({ phase: 'NEW' }));
    first.leave();
    await settled();
    const second = reader();
    await settled();
    assert.deepEqual(made.map(({ calls }) => calls), [['start', 'stop'], ['start']]);
    made[0].say('online');
    assert.deepEqual(state(), NOTHING);
    made[1].say('online');
    assert.deepEqual(state(), { online: true, evaluations: {} });
    assert.equal(second.changes, 1);
});

test('the server renders what is known there: nothing', () => {
    reader();
    made[0].say('online');
    assert.deepEqual(store.getServerSnapshot(), NOTHING);
});
