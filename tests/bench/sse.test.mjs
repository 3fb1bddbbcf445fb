// SPDX-License-Identifier: Apache-2.0
// sse.test.mjs - the load generator against a small HTTP server with event streams.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { test } from 'node:test';
import { fileOf, loginsOf, runLoad, startLoad } from './load.mjs';

const COUNT = 20;
const PAYLOAD = '{"type":"EVALUATION_UPDATE","version":%n}';

async function readBody(request) {
    const parts = [];
    for await (const part of request) {
        parts.push(part);
    }
    return Buffer.concat(parts).toString();
}

/** A server that hands what is posted to all streams; `behave` overrides how. Closed when the test ends. */
async function startServer(t, behave = {}) {
    const server = {
        streams: [],
        posts: [],
        sockets: new Set(), // that posts came on
        isLetIn: ({ authorization }) => /^Bearer token-\d+$/.test(authorization),
        greet: (stream) => stream.write('event: ready\ndata: {}\n\n'),
        deliver: (streams, text) => streams.forEach((stream) => stream.write(`data: ${text}\n\n`)),
        answer: (response) => response.writeHead(204).end(),
        ...behave,
    };
    const handle = async (request, response) => {
        if (request.method === 'POST') {
            assert.equal(request.url, '/publish');
            assert.equal(request.headers.authorization, 'Bearer publisher');
            server.sockets.add(request.socket);
            server.posts.push(await readBody(request));
            server.deliver(server.streams, server.posts.at(-1));
            server.answer(response);
        } else if (request.url !== '/events' || !server.isLetIn(request.headers)) {
            response.writeHead(401).end('{}');
        } else {
            assert.equal(request.headers.accept, 'text/event-stream');
            server.streams.push(response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8' }));
            server.greet(response);
        }
    };
    const listener = http.createServer((request, response) => {
        handle(request, response).catch((error) => {
            server.error = error;
            response.destroy();
        });
    });
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    t.after(() => {
        listener.close();
        listener.closeAllConnections();
        assert.ifError(server.error);
    });
    return Object.assign(server, { port: listener.address().port });
}

function optionsOf({ port }, more = {}) {
    const logins = Array.from({ length: COUNT }, (_, i) => [`c${i}`, `u${i}`, `token-${i}`]);
    return {
        port,
        sse: true,
        file: loginsOf(logins),
        'publisher-file': loginsOf([['publisher', 'publisher', 'publisher']]),
        publish: '/publish',
        'payload-file': fileOf(PAYLOAD),
        ...more,
    };
}

const numbered = (count) => Array.from({ length: count }, (_, i) => PAYLOAD.replace('%n', i + 1));

test('storm, fanout and idle: posts on one connection', async (t) => {
    const server = await startServer(t);
    const { lines: [storm, fanout, idle], code, text } = await runLoad(optionsOf(server, {
        phases: 'storm,fanout,idle', messages: 4, 'idle-messages': 2, seconds: 1,
    }));
    assert.deepEqual([storm.count, storm.failures, storm.messages], [COUNT, 0, 0]);
    const sums = (line) => [line.publisher, line.sent, line.expected, line.received, line.messages, line.failures];
    assert.deepEqual(sums(fanout), [null, 4, 4 * COUNT, 4 * COUNT, 4 * COUNT, 0]);
    assert.deepEqual(sums(idle), [null, 2, 2 * COUNT, 2 * COUNT, 2 * COUNT, 0]);
    // "data: ", two line feeds, and a chunk around it: its length in hexadecimal, and twice CR LF.
    const length = 'data: '.length + numbered(1)[0].length + 2;
    assert.equal(fanout.bytes_in, 4 * COUNT * (length + length.toString(16).length + 4));
    assert.equal(fanout.bytes_out, 0);
    assert.deepEqual(server.posts, numbered(6));
    assert.equal(server.sockets.size, 1);
    assert.deepEqual({ code, text }, { code: 0, text: '' });
});

test('who is refused is counted', async (t) => {
    const server = await startServer(t, { isLetIn: ({ authorization }) => authorization !== 'Bearer token-3' });
    const { lines: [storm, fanout], code } = await runLoad(optionsOf(server, { phases: 'storm,fanout', messages: 1 }));
    assert.deepEqual([storm.failures, storm.reasons], [1, { 'the login was refused': 1 }]);
    assert.deepEqual([fanout.expected, fanout.received], [19, 19]);
    assert.equal(code, 1);
});

test('a delivery counts once, and others are messages only', async (t) => {
    const server = await startServer(t, {
        deliver: (streams, text) => streams.forEach((stream) => {
            stream.write(`data: other\n\ndata: ${text}\n\n: comment\n\ndata: ${text}\n\nevent: empty\n\ndata: ${text} \n\n`);
        }),
    });
    const { lines: [, fanout], code } = await runLoad(optionsOf(server, { phases: 'storm,fanout', messages: 1 }));
    assert.deepEqual([fanout.expected, fanout.received, fanout.messages], [COUNT, COUNT, 4 * COUNT]);
    assert.equal(code, 0);
});

test('a message that one does not get is missing, and the next goes on', async (t) => {
    const server = await startServer(t, {
        deliver: (streams, text) => streams.forEach((stream, i) => {
            const isAnother = i === 0 && text === numbered(1)[0];
            stream.write(`data: ${isAnother ? text.replace('1', '0') : text}\n\n`);
        }),
    });
    const { lines: [, fanout], code } = await runLoad(optionsOf(server, { phases: 'storm,fanout', messages: 2, limit: 1 }));
    assert.deepEqual([fanout.sent, fanout.expected, fanout.received], [2, 2 * COUNT, 2 * COUNT - 1]);
    assert.equal(code, 1);
});

test('a client that is lost is not waited for', async (t) => {
    const server = await startServer(t, {
        deliver: (streams, text) => streams.forEach((stream, i) => (i > 0 ? stream.write(`data: ${text}\n\n`) : stream.destroy())),
    });
    const { lines: [storm, fanout], code } = await runLoad(optionsOf(server, { phases: 'storm,fanout', messages: 2 }));
    assert.equal(storm.failures, 0);
    assert.deepEqual([fanout.failures, fanout.reasons], [1, { 'the server closed the connection': 1 }]);
    assert.deepEqual([fanout.sent, fanout.expected, fanout.received], [2, 2 * COUNT, 2 * COUNT - 2]);
    assert.equal(code, 1);
});

test('a server that closes after each post gets another connection', async (t) => {
    const server = await startServer(t, { answer: (response) => response.writeHead(200, { Connection: 'close' }).end('ok') });
    const { lines: [, fanout, idle], code } = await runLoad(optionsOf(server, {
        phases: 'storm,fanout,idle', messages: 3, 'idle-messages': 2, seconds: 1, 'interval-ms': 50,
    }));
    assert.deepEqual([fanout.publisher, fanout.sent, fanout.received], [null, 3, 3 * COUNT]);
    assert.deepEqual([idle.publisher, idle.sent, idle.received], [null, 2, 2 * COUNT]);
    assert.equal(server.sockets.size, 5);
    assert.equal(code, 0);
});

for (const [name, answer, publisher] of [
    ['refuses', (response) => response.writeHead(403).end(), 'the message was refused'],
    ['does not answer', () => {}, 'a message was not answered'],
    ['hangs up', (response) => response.destroy(), 'the server closed the connection'],
]) {
    test(`a server that ${name}: the publisher has failed`, async (t) => {
        const server = await startServer(t, { answer });
        const { lines: [, fanout], code } = await runLoad(optionsOf(server, { phases: 'storm,fanout', messages: 3, limit: 1 }));
        assert.deepEqual([fanout.publisher, fanout.sent, fanout.expected], [publisher, 1, 3 * COUNT]);
        assert.equal(code, 1);
    });
}

async function dribble(socket, text) {
    for (const byte of text) {
        socket.write(byte);
        await new Promise(setImmediate);
    }
}

const inChunks = (text) => [...text].map((letter) => `1;x=y\r\n${letter}\r\n`).join('');

test('streams and answers of which nothing comes in one piece', async (t) => {
    const greeting = `HTTP/1.1 200 OK\r\ncontent-type:  text/event-stream \r\nTRANSFER-ENCODING: Chunked\r\n\r\n${
        inChunks('eVent: no\r\n: no\r\nevent: ready\r\n\r\n')}`;
    const events = inChunks(`id: 1\rdata:a\rdata\rdata: b\r\revent: x\n\ndata: ${numbered(1)[0]}\r\n\r\ndata: la\r\ndata: st\r\n\r\n`);
    let stream;
    let greeted;
    const listener = net.createServer({ noDelay: true }, (socket) => {
        socket.on('error', () => {}).once('data', async (bytes) => {
            if (bytes.toString().startsWith('GET')) {
                stream = socket;
                greeted = dribble(socket, greeting);
            } else {
                await greeted; // the client is ready before the last two bytes
                await dribble(stream, events);
                await dribble(socket, 'HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n0a\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n');
            }
        });
    });
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    t.after(() => listener.close());
    const { lines: [storm, fanout], code } = await runLoad(optionsOf(listener.address(), {
        file: loginsOf([['c', 'u', 'token-0']]), phases: 'storm,fanout', messages: 1,
    }));
    assert.deepEqual([storm.failures, storm.messages], [0, 0]);
    assert.deepEqual([fanout.publisher, fanout.received, fanout.messages], [null, 1, 3]);
    assert.equal(code, 0);
});

test('an event stream has no payload of several lines, and no filter', async () => {
    for (const [more, expected] of [[{ 'payload-file': fileOf('%n\n'), phases: 'storm,fanout' }, 1], [{ subscribe: 'a' }, 2],
        [{ ws: true }, 2], [{ path: 'events' }, 2], [{ publish: '/a b', phases: 'storm,fanout' }, 2]]) {
        const { code } = await startLoad(optionsOf({ port: 1 }, more)).end();
        assert.equal(code, expected, JSON.stringify(more));
    }
});
