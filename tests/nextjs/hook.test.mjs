// SPDX-License-Identifier: Apache-2.0
// hook.test.mjs - the hook and the example's component in React, in strict mode, without a DOM.
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { FakeInvigilator } from './lib/fake-invigilator.mjs';
import { load, replace, require } from './lib/app.mjs';

globalThis.IS_REACT_ACT_ENVIRONMENT = true;
globalThis.IS_REACT_NATIVE_TEST_ENVIRONMENT = true; // or react-test-renderer says that it is old
replace('invigilator', { Invigilator: FakeInvigilator });

const { act, createElement, StrictMode } = require('react');
const { renderToString } = require('react-dom/server');
const { create } = require('react-test-renderer');
const { ExamStatus } = load('@/components/exam-status');
const { fetchToken } = load('@/lib/fetch-token');

const { made } = FakeInvigilator;
const URL = 'wss://exam.example/mqtt';
const calls = () => made.map((one) => one.calls);

beforeEach(() => {
    made.length = 0;
});

function element(evaluationId, url = URL) {
    return createElement(StrictMode, null, createElement(ExamStatus, { url, evaluationId }));
}

/** Mounts the component; unmounted at the end of the test. */
async function mount(t, ...props) {
    let root;
    await act(async () => {
        root = create(element(...props));
    });
    t.after(() => act(async () => root.unmount()));
    return root;
}

const say = (one, name, event) => act(async () => one.say(name, event));

function textsOf(node) {
    return typeof node === 'string' ? node : (node.children ?? []).map(textsOf).join('');
}

const shown = (root) => textsOf(root.toJSON()).replaceAll(/\s+/g, ' ').trim();

test('in strict mode a component makes one connection, and ends it when it goes', async (t) => {
    const root = await mount(t, 'e1');
    assert.deepEqual(calls(), [['start']]);
    assert.deepEqual(made[0].options, { url: URL, evaluations: ['e1'], fetchToken });
    await act(async () => root.unmount());
    assert.deepEqual(calls(), [['start', 'stop']]);
    assert.equal(made[0].listeners, 0);
});

test('rendering again keeps the connection; another evaluation or broker makes a new one', async (t) => {
    const root = await mount(t, 'e1');
    await act(async () => root.update(element('e1')));
    assert.deepEqual(calls(), [['start']]);
    await act(async () => root.update(element('e2')));
    assert.deepEqual(calls(), [['start', 'stop'], ['start']]);
    await act(async () => root.update(element('e2', 'wss://other.example/mqtt')));
    assert.deepEqual(calls(), [['start', 'stop'], ['start', 'stop'], ['start']]);
    assert.deepEqual(made.map(({ options }) => [options.evaluations[0], options.url]), [
        ['e1', URL], ['e2', URL], ['e2', 'wss://other.example/mqtt'],
    ]);
});

test('the component shows what the events say', async (t) => {
    const root = await mount(t, 'e1');
    const [one] = made;
    assert.equal(shown(root), 'Connecting...');
    await say(one, 'online');
    await say(one, 'phase', { evaluationId: 'e1', phase: 'IN_PROGRESS' });
    await say(one, 'phase', { evaluationId: 'e2', phase: 'GRADING' });
    assert.equal(shown(root), 'Connected IN_PROGRESS');
    await say(one, 'endAt', { evaluationId: 'e1', endAt: '2030-01-01T10:00:00Z', own: true });
    assert.match(shown(root), /^Connected IN_PROGRESS until \d/);
    await say(one, 'offline', { reason: 'closed' });
    assert.match(shown(root), /^Connecting/);
    await say(one, 'blocked', { evaluationId: 'e1', reason: 'SECOND_LOGIN', at: '2030-01-01T09:00:00Z' });
    assert.match(shown(root), /Call the supervisor/);
    await say(one, 'access', { evaluationId: 'e1', access: 'ALLOWED' });
    assert.match(shown(root), /IN_PROGRESS/);
    await say(one, 'access', { evaluationId: 'e1', access: 'DENIED' });
    assert.match(shown(root), /do not take part/);
    for (const reason of ['SUPERSEDED', 'REVOKED']) {
        await say(one, 'invalidated', { reason });
        assert.match(shown(root), /This page has ended/);
    }
    await say(one, 'invalidated', { reason: 'EXPIRED' });
    assert.match(shown(root), /do not take part/);
});

test('the server renders the component without connecting', () => {
    assert.match(renderToString(element('e1')), /Connecting/);
    assert.equal(made.length, 0);
});

test('a token is fetched anew each time, and no token is an error', async (t) => {
    const answers = [
        Response.json({ token: 'first' }),
        Response.json({ error: 'not signed in' }, { status: 401 }),
    ];
    const fetching = t.mock.method(globalThis, 'fetch', async () => answers.shift());
    assert.equal(await fetchToken(), 'first');
    await assert.rejects(fetchToken(), { message: 'no token: 401' });
    for (const { arguments: [path, init] } of fetching.mock.calls) {
        assert.equal(path, '/api/invigilator/token');
        assert.deepEqual(init, { method: 'POST', cache: 'no-store' });
    }
    assert.equal(fetching.mock.callCount(), 2);
});
