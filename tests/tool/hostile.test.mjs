// SPDX-License-Identifier: Apache-2.0
// hostile.test.mjs - a broker that answers whatever it likes. Nothing of it is believed, and no answer is
// waited for longer than asked.
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { CONTROL, RESPONSE } from '../broker/lib.mjs';
import { expectCode, rows } from './lib.mjs';

let broker;
let player; // what becomes of a CONNECT
let answer; // called with a request; returns the bytes to send

before(async () => {
    broker = await startFake();
});
after(() => broker.close());

/** A broker of just as much MQTT 5 as the tool uses. */
async function startFake() {
    const server = net.createServer((socket) => {
        let bytes = Buffer.alloc(0);
        socket.on('error', () => {});
        socket.on('data', (data) => {
            bytes = Buffer.concat([bytes, data]);
            for (let packet; (packet = takePacket(bytes)); bytes = packet.rest) {
                onPacket(socket, packet);
            }
        });
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    return server;
}

function takePacket(bytes) {
    let length = 0;
    for (let at = 1; at < bytes.length && at < 5; at++) {
        length += (bytes[at] & 0x7f) << (7 * (at - 1));
        if (bytes[at] < 0x80) {
            const end = at + 1 + length;
            return end <= bytes.length ? { type: bytes[0] >> 4, body: bytes.subarray(at + 1, end), rest: bytes.subarray(end) } : null;
        }
    }
    return null;
}

function lengthBytes(length) {
    const bytes = [];
    for (let left = length; bytes.length === 0 || left > 0; left >>= 7) {
        bytes.push((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
    }
    return Buffer.from(bytes);
}

function publishBytes(topic, payload, retain = false) {
    const name = Buffer.from(topic);
    const body = Buffer.concat([Buffer.of(name.length >> 8, name.length & 0xff), name, Buffer.of(0), Buffer.from(payload)]);
    return Buffer.concat([Buffer.of(retain ? 0x31 : 0x30), lengthBytes(body.length), body]);
}

function onPacket(socket, { type, body }) {
    if (type === 1) {
        player.connack(socket);
    } else if (type === 3) {
        const nameEnd = 2 + body.readUInt16BE(0);
        const request = JSON.parse(body.subarray(nameEnd + 3).toString());
        assert.equal(body.subarray(2, nameEnd).toString(), CONTROL);
        socket.write(Buffer.concat([Buffer.of(0x40, 2), body.subarray(nameEnd, nameEnd + 2)]));
        for (const bytes of answer(request)) {
            socket.write(bytes);
        }
    }
}

const accepting = { connack: (socket) => socket.write(Buffer.of(0x20, 3, 0, 0, 0)) };

/** Runs the tool with answers made of the request: values are sent as JSON, texts and bytes as they are. */
async function ask(code, args, make, more = []) {
    player = accepting;
    answer = (request) => make(request).map((payload) => (Buffer.isBuffer(payload) ? payload
        : publishBytes(RESPONSE, typeof payload === 'string' ? payload : JSON.stringify(payload))));
    return expectCode(code, [...args, '-h', '127.0.0.1', '-p', `${broker.address().port}`, ...more]);
}

/** The right frame around data for each command. */
const responses = ({ commands }, dataOf) => ({
    responses: commands.map(({ command, correlationData }, i) => ({ command, correlationData, ...dataOf(i) })),
});
const good = (request) => responses(request, () => ({ data: { total: 1, sessions: [{ userId: 'u', sessionId: 's', connections: 1 }] } }));

// What would show if it were believed.
const wrong = (request) => responses(request, () => ({ data: { total: 1, sessions: [{ userId: 'wrong', sessionId: 's', connections: 1 }] } }));

const PASSED_OVER = {
    'garbage': () => 'x'.repeat(1000),
    'nothing': () => '',
    'bytes that are not UTF-8': (request) => publishBytes(RESPONSE, Buffer.from(JSON.stringify(wrong(request)).replace('"wrong"', '"\xff"'), 'latin1')),
    'another\'s answer': (request) => ({ responses: [{ ...wrong(request).responses[0], correlationData: '1' }] }),
    'another command\'s answer': (request) => ({ responses: [{ ...wrong(request).responses[0], command: 'getStats' }] }),
    'an answer too many': (request) => ({ responses: [...wrong(request).responses, {}] }),
    'no answers': () => ({ responses: [] }),
    'answers that are no array': () => ({ responses: {} }),
    'a duplicate member': (request) => JSON.stringify(wrong(request)).replace('"total"', '"total":1,"total"'),
    'depth': (request) => JSON.stringify(wrong(request)).replace('"total":1', `"total":${'['.repeat(100)}${']'.repeat(100)}`),
    'a bad NUL': (request) => `${JSON.stringify(wrong(request))}\0`,
    'a retained answer': (request) => publishBytes(RESPONSE, JSON.stringify(wrong(request)), true),
    'an answer on another topic': (request) => publishBytes(`${RESPONSE}/x`, JSON.stringify(wrong(request))),
};
for (const [name, make] of Object.entries(PASSED_OVER)) {
    test(`${name} is passed over`, async () => {
        const { stdout } = await ask(0, ['users'], (request) => [make(request), make(request), good(request)]);
        assert.deepEqual(rows(stdout), [{ USER: 'u', SESSIONS: '1', CONNECTIONS: '1' }]);
    });
}

test('without an answer it ends in time', async () => {
    const { stderr } = await ask(4, ['users'], (request) => [PASSED_OVER.nothing(request)], ['--timeout', '1']);
    assert.match(stderr, /no answer in time/);
});

const session = (more) => ({ total: 1, sessions: [{ userId: 'u', sessionId: 's', connections: 1, ...more }] });
const SENSELESS = {
    'data that is no object': ['users', 7],
    'no list': ['users', { total: 1 }],
    'a list that is none': ['sessions', { sessions: 'x' }],
    'an entry that is null': ['sessions', { sessions: [null] }],
    'a user that is a number': ['users', session({ userId: 1 })],
    'a number that is a text': ['users', session({ connections: '1' })],
    'a fraction': ['users', session({ connections: 1.5 })],
    'a number below nothing': ['sessions', session({ connections: -1 })],
    'a number beyond all': ['sessions', session({ connections: 1e30 })],
    'more than was asked for': ['sessions', { sessions: Array(1001).fill({ userId: 'u', sessionId: 's', connections: 1 }) }],
    'counters that are texts': ['stats', { 'auth/accepted': 'x' }],
    'a user without sessions': ['user', { userId: 'u' }],
    'connections that are none': ['user', { sessions: [{ sessionId: 's', current: true, connections: {} }] }],
    'a revocation without a number': ['invalidate', {}],
    'an evaluation without a head': ['evaluation', { participants: [] }],
    'a participant that is a list': ['evaluation', { evaluationId: 'e', strict: true, participants: [[]] }],
};
for (const [name, [word, data]] of Object.entries(SENSELESS)) {
    test(`${name} makes no sense`, async () => {
        const args = ['users', 'sessions', 'stats'].includes(word) ? [word] : [word, 'x'];
        const { stderr, stdout } = await ask(1, args, (request) => [responses(request, () => ({ data }))]);
        assert.equal(stderr, 'invigilator: the broker\'s answer makes no sense\n');
        assert.equal(stdout, '');
    });
}

test('an answer with neither data nor error makes no sense, and an error is told, fit to be read', async () => {
    await ask(1, ['stats'], (request) => [responses(request, () => ({}))]);
    const { stderr } = await ask(1, ['stats'], (request) => [responses(request, () => ({ error: 'a\n\x1b[31mb\u202e' }))]);
    assert.equal(stderr, 'invigilator: the broker answers: a\\x0a\\x1b[31mb\\xe2\\x80\\xae\n');
});

test('what a terminal would obey is escaped in tables and in JSON', async () => {
    const data = session({ userId: 'a\nb\x1b]0;x\x07\u0085\u202e' });
    const table = await ask(0, ['sessions'], (request) => [responses(request, () => ({ data }))]);
    assert.doesNotMatch(table.stdout, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
    assert.equal(table.stdout.split('\n').length, 3);
    const json = await ask(0, ['sessions', '--json'], (request) => [responses(request, () => ({ data }))]);
    assert.doesNotMatch(json.stdout, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
    assert.deepEqual(JSON.parse(json.stdout), data);
});

test('a list that never ends is not believed for ever', async () => {
    const page = Array(1000).fill({ userId: 'u', sessionId: 's', connections: 1 });
    let asked = 0;
    await ask(4, ['users'], (request) => {
        asked++;
        return request.commands.length < 64 ? [responses(request, () => ({ data: { sessions: page } }))] : [];
    }, ['--timeout', '1']);
    assert.equal(asked, 3);
});

test('pages are asked for at once, and joined in their order', async () => {
    const all = Array.from({ length: 8500 }, (_, i) => ({ userId: `u${i}`, sessionId: 's', connections: 1 }));
    const asked = [];
    const { stdout } = await ask(0, ['sessions', '--json'], (request) => {
        asked.push(request.commands.length);
        return [responses(request, (i) => {
            const { offset, count } = request.commands[i];
            return { data: { total: all.length, sessions: all.slice(offset, offset + count) } };
        })];
    });
    assert.deepEqual(asked, [1, 8, 64]);
    assert.deepEqual(JSON.parse(stdout).sessions, all);
});

test('connections that are refused, cut, silent, or no MQTT', async () => {
    const at = ['stats', '-h', '127.0.0.1', '-p', `${broker.address().port}`, '--timeout', '1'];
    player = { connack: (socket) => socket.write(Buffer.of(0x20, 3, 0, 0x87, 0)) };
    assert.match((await expectCode(3, at)).stderr, /refuses the login/);
    player = { connack: (socket) => socket.destroy() };
    await expectCode(3, at);
    player = { connack: (socket) => socket.write(Buffer.from('ffffffffffff', 'hex')) };
    await expectCode(3, at);
    player = { connack: () => {} };
    assert.match((await expectCode(4, at)).stderr, /did not answer within 1 s/);
    player = accepting;
    answer = () => [Buffer.of(0x30, 0xff, 0xff, 0xff, 0x7f)]; // a packet of a quarter of a gigabyte that does not come
    await expectCode(4, at);
    answer = () => [Buffer.of(0x20, 3, 0, 0, 0), Buffer.from('ffffffffffff', 'hex')];
    assert.match((await expectCode(3, at)).stderr, /the connection was lost/);
});
