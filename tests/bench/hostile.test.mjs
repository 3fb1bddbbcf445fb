// SPDX-License-Identifier: Apache-2.0
// hostile.test.mjs - servers that send what no server should: the client has failed, with a reason, and
// the load generator goes on.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { loginsOf, runLoad } from './load.mjs';

let listener;
let file;
let script; // what the server sends, a piece after each thing it receives

before(async () => {
    listener = net.createServer({ noDelay: true }, (socket) => {
        const pieces = [...script];
        socket.on('error', () => {}).on('data', () => {
            if (pieces.length > 0) {
                socket.write(pieces.shift());
            }
        });
    });
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    file = loginsOf([['c', 'u', 'p']]);
});
after(() => listener.close());

const accept = createHash('sha1').update('dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
const upgrade = ({ status = '101 x', key = accept, more = 'Sec-WebSocket-Protocol: mqtt\r\n' } = {}) =>
    `HTTP/1.1 ${status}\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${key}\r\n${more}\r\n`;
const stream = (body, headers = 'Transfer-Encoding: chunked\r\n') =>
    `HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n${headers}\r\n${body}`;
const frame = (first, second, ...bytes) => Buffer.from([first, second, ...bytes]);
const CONNACK = [0x20, 2, 0, 0];

const FRAME = 'a WebSocket frame makes no sense';
const NO_HTTP = 'what came is no HTTP';
const NO_MQTT = 'what came is no MQTT';
const UNCLEAR = 'the answer is no event stream';
const REFUSED = 'WebSockets were refused';

const tcp = [
    ['a CONNACK of one byte', [[0x20, 1, 0]], 'a CONNACK makes no sense'],
    ['a CONNACK with a session', [[0x20, 2, 1, 0]], 'a CONNACK makes no sense'],
    ['a CONNACK with flags', [[0x21, 2, 0, 0]], 'a CONNACK makes no sense'],
    ['a CONNACK that refuses', [[0x20, 2, 0, 5]], 'the login was refused'],
    ['a length that is too long', [[0x20, 0x80, 0x80, 0x80, 0x80, 1]], NO_MQTT],
    ['a length that could be shorter', [[0x20, 0x82, 0, 0, 0]], NO_MQTT],
    ['a packet of 256 MB', [[0x30, 0xFF, 0xFF, 0xFF, 0x7F]], NO_MQTT],
    ['two CONNACKs', [[...CONNACK, ...CONNACK]], 'a CONNACK makes no sense'],
    ['a SUBACK of two', [CONNACK, [0x90, 4, 0, 1, 0, 0]], 'a SUBACK makes no sense'],
    ['a SUBACK for another', [CONNACK, [0x90, 3, 0, 2, 0]], 'a SUBACK makes no sense'],
    ['a SUBACK that refuses', [CONNACK, [0x90, 3, 0, 1, 0x80]], 'the subscription was refused'],
    ['a PUBLISH whose topic is too long', [CONNACK, [0x30, 3, 0, 2, 97]], 'a PUBLISH makes no sense'],
    ['a PUBLISH with QoS 1', [CONNACK, [0x32, 5, 0, 1, 97, 0, 1]], 'a PUBLISH makes no sense'],
    ['a PUBLISH with QoS 3', [CONNACK, [0x36, 5, 0, 1, 97, 0, 1]], 'a PUBLISH makes no sense'],
    ['a PUBLISH before the login', [[0x30, 3, 0, 1, 97]], 'a PUBLISH makes no sense'],
    ['a PUBACK', [CONNACK, [0x40, 2, 0, 1]], 'a PUBACK makes no sense'],
    ['a PINGRESP', [CONNACK, [0xD0, 0]], 'a PINGRESP makes no sense'],
    ['a CONNECT', [CONNACK, [0x10, 0]], 'a packet came that nobody asked for'],
];
const five = [
    ['no properties', [[0x20, 2, 0, 0]], 'a CONNACK makes no sense'],
    ['a property length beyond the packet', [[0x20, 4, 0, 0, 2, 0x25]], 'a CONNACK makes no sense'],
    ['a property length within the packet', [[0x20, 5, 0, 0, 0, 0x25, 1]], 'a CONNACK makes no sense'],
    ['a property that is cut', [[0x20, 5, 0, 0, 2, 0x13, 1, 0]], 'a CONNACK makes no sense'],
    ['a text that is cut', [[0x20, 7, 0, 0, 4, 0x12, 0, 9, 97]], 'a CONNACK makes no sense'],
    ['an unknown property', [[0x20, 5, 0, 0, 2, 0x7F, 0]], 'a CONNACK makes no sense'],
    ['property 0', [[0x20, 5, 0, 0, 2, 0, 0]], 'a CONNACK makes no sense'],
    ['a refusal with a text', [[0x20, 9, 0, 0x87, 6, 0x1F, 0, 3, 97, 98, 99]], 'the login was refused'],
    ['a SUBACK without properties', [[0x20, 3, 0, 0, 0], [0x90, 3, 0, 1, 0]], 'a SUBACK makes no sense'],
    ['a PUBLISH without properties', [[0x20, 3, 0, 0, 0], [0x30, 3, 0, 1, 97]], 'a PUBLISH makes no sense'],
    ['DISCONNECT', [[0x20, 3, 0, 0, 0], [0xE0, 1, 0x8E]], 'the server sent DISCONNECT'],
];
const ws = [
    ['no upgrade', [upgrade({ status: '400 x' })], REFUSED],
    ['another key', [upgrade({ key: accept.toLowerCase() })], REFUSED],
    ['another protocol', [upgrade({ more: 'Sec-WebSocket-Protocol: mqttx\r\n' })], REFUSED],
    ['no protocol', [upgrade({ more: '' })], REFUSED],
    ['no HTTP', ['SSH-2.0\r\n\r\n\r\n'], REFUSED],
    ['a head of 16 KiB', [Buffer.alloc(16384, 'a')], REFUSED],
    ['a header without a colon', [upgrade({ more: 'x\r\nSec-WebSocket-Protocol: mqtt\r\n' })], REFUSED],
    ['a mask', [upgrade(), frame(0x82, 0x84, 0, 0, 0, 0, ...CONNACK)], FRAME],
    ['a reserved bit', [upgrade(), frame(0xC2, 4, ...CONNACK)], FRAME],
    ['text', [upgrade(), frame(0x81, 4, ...CONNACK)], FRAME],
    ['a continuation of nothing', [upgrade(), frame(0x80, 4, ...CONNACK)], FRAME],
    ['a message within a message', [upgrade(), frame(0x02, 2, 0x20, 2, 0x82, 2, 0, 0)], FRAME],
    ['a length that could be shorter', [upgrade(), frame(0x82, 126, 0, 4, ...CONNACK)], FRAME],
    ['a frame of 16 EB', [upgrade(), frame(0x82, 127, ...Buffer.alloc(8, 0xFF))], FRAME],
    ['a ping of 126 bytes', [upgrade(), frame(0x89, 126, 0, 126, ...Buffer.alloc(126))], FRAME],
    ['a ping in parts', [upgrade(), frame(0x09, 0)], FRAME],
    ['a close', [upgrade(), frame(0x88, 2, 3, 0xE8)], 'the server closed the connection'],
];
const sse = [
    ['no HTTP', ['HTTP/2 200 OK\r\n\r\n'], NO_HTTP],
    ['a refusal', ['HTTP/1.1 401 x\r\n\r\n'], 'the login was refused'],
    ['another type', ['HTTP/1.1 200 x\r\nContent-Type: text/event-streams\r\n\r\n'], UNCLEAR],
    ['two lengths', [stream('', 'Content-Length: 5\r\nContent-Length: 6\r\n')], UNCLEAR],
    ['a length and chunks', [stream('', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n')], UNCLEAR],
    ['a length below 0', [stream('', 'Content-Length: -5\r\n')], UNCLEAR],
    ['gzip', [stream('', 'Transfer-Encoding: gzip\r\n')], UNCLEAR],
    ['a header over two lines', [stream('', 'X: a\r\n b\r\n')], NO_HTTP],
    ['a NUL', [stream('', 'X: \0\r\n')], NO_HTTP],
    ['a chunk of x bytes', [stream('x\r\n')], NO_HTTP],
    ['a chunk of 64 GB', [stream('1000000000\r\n')], NO_HTTP],
    ['a chunk without an end', [stream('1\r\naa\r\n')], NO_HTTP],
    ['a chunk head of 1 KiB', [stream(`1;${'a'.repeat(1024)}`)], NO_HTTP],
    ['another event first', [stream('9\r\ndata: a\n\n\r\n')], 'the first event is not ready'],
    ['a line of 64 KiB', [stream('a'.repeat(65536), '')], 'an event is too long'],
    ['an event of 64 KiB', [stream(`data: ${'a'.repeat(9994)}\n`.repeat(7), '')], 'an event is too long'],
    ['an end', [stream('0\r\n\r\n')], 'the server ended the event stream'],
];

function addTests(name, cases, options) {
    for (const [what, pieces, reason] of cases) {
        test(`${name}: ${what}`, async () => {
            script = pieces.map((piece) => Buffer.from(piece));
            const { lines: [storm], code } = await runLoad({
                port: listener.address().port, file, limit: 20, ...(options.sse ? {} : { subscribe: 'a' }), ...options,
            });
            assert.deepEqual([storm.failures, storm.reasons], [1, { [reason]: 1 }]);
            assert.equal(code, 1);
        });
    }
}

addTests('MQTT', tcp, {});
addTests('MQTT 5', five, { mqtt: 5 });
addTests('WebSockets', ws, { ws: true });
addTests('HTTP', sse, { sse: true });

test('a server that says nothing', async () => {
    script = [];
    const { lines: [storm], code } = await runLoad({ port: listener.address().port, file, limit: 1 });
    assert.deepEqual(storm.reasons, { 'time is up': 1 });
    assert.equal(code, 1);
});

test('MQTT 5: all properties, the keepalive of the server, and a ping that nobody answers', async () => {
    const text = [0, 1, 97];
    const properties = [0x01, 1, 0x02, 0, 0, 0, 1, 0x03, ...text, 0x0B, 0x80, 1, 0x11, 0, 0, 0, 1, 0x13, 0, 1, 0x21, 0, 1, 0x26,
        ...text, ...text, 0x27, 0, 0, 1, 0, 0x2A, 1];
    script = [Buffer.from([0x20, properties.length + 3, 0, 0, properties.length, ...properties])];
    const { lines: [storm, idle] } = await runLoad({
        port: listener.address().port, file, mqtt: 5, phases: 'storm,idle', seconds: 4,
    });
    assert.equal(storm.failures, 0);
    assert.equal(idle.pings, 1);
    assert.deepEqual(idle.reasons, { 'a ping was not answered': 1 });
});

test('a WebSocket ping is answered, and a message may come in parts', async () => {
    script = [Buffer.from(upgrade()),
        Buffer.concat([frame(0x02, 2, 0x20, 2), frame(0x89, 3, 97, 98, 99), frame(0x80, 2, 0, 0)])];
    const { lines: [storm], code } = await runLoad({ port: listener.address().port, file, ws: true });
    assert.deepEqual(storm.reasons, {});
    assert.equal(code, 0);
});
