// SPDX-License-Identifier: Apache-2.0
// hostile.test.mjs - clients that mean harm: text that would forge a line of the log or reach a terminal,
// floods, those who never read, and very many of one user.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
    backend, command, login, newId, now, rawConnect, setPhase, startBroker,
} from './lib.mjs';
import { connectBytes, publishBytes, subscribeBytes, tcpConnect } from './lib/bytes.mjs';
import { bytesOfLines, pluginLines, startWithLogFile } from './lib/logfile.mjs';
import { kickedLine } from './lib/logline.mjs';
import { clientIdsOf, connectPacketOf, enterRawAt } from './lib/rawlogin.mjs';
import { patience } from './lib/wait.mjs';

const FORGED = 'invigilator: accepted user=forged role=service client=forged address=10.0.0.1';

// Where a text may be of these, Mosquitto or the plugin refuses it, or the log has it escaped.
const NASTY = [
    `\n${FORGED}\n`, `\r\n${FORGED}\r\n`, `\r${FORGED}`, `\v${FORGED}`, `\u0085${FORGED}`, `\u2028${FORGED}`, `\u2029${FORGED}`,
    '\x1b[2J\x1b[31mred\x1b[0m', '\x1b]0;title\x07', '\u009b31m', '\b\b\b\b', '\x7f', '\x00nul',
    '\u202egnirts', '\u2066x\u2069', '\u200fx', '\u061cx', 'a\u200bb', '\ufeffx', 'x\u{e0041}', '\u202a\u202c',
    '" user="forged', '\\', '\\"', 'x user=forged', 'a=b', '%s%n%x', '\ud7ff\u{1f600}', 'x'.repeat(300), 'x'.repeat(65000),
    Buffer.from([0xff, 0xfe]), Buffer.from([0xc0, 0x8a]), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from([0xc3]), Buffer.from([0xf5, 0x80, 0x80, 0x80]),
].map((value) => Buffer.from(value));

// Spaces that end no value but look as if they did, and characters that nobody sees.
const UNSEEN = ['x\u00a0role=service', 'x\u2003role=service', 'x\u202frole=service', 'x\u3000role=service', 'a\u00adb', 'a\u180eb', '\ufff9x\ufffb']
    .map((value) => Buffer.from(value));

// A value in quotes has backslashes before quotes; one without has them in \xNN alone.
const LINE = /^invigilator: [a-z_]+( [a-z_]+=("([^"\\]|\\["\\]|\\x[0-9a-f]{2})*"|([^ "\\=]|\\x[0-9a-f]{2})+))*$/;
const strict = new TextDecoder('utf-8', { fatal: true });

/** Sees that the plugin's lines are of the known form, and show on any terminal as they are: ASCII, or
 *  characters that are letters, digits and signs. Resolves to them. */
function expectCleanLog(broker) {
    const lines = pluginLines(broker).map((line) => strict.decode(Buffer.from(line, 'latin1')));
    for (const line of lines) {
        assert.match(line, LINE);
        assert.doesNotMatch(line.replaceAll(' ', ''), /[\p{Cc}\p{Cf}\p{Z}]/u, JSON.stringify(line));
        assert.ok(line.length < 1000);
        assert.ok(!line.startsWith('invigilator: accepted user=forged'), line);
    }
    // Nor is there such a line by any other way; Mosquitto's own are its own.
    assert.ok(!bytesOfLines(broker).some((line) => line.startsWith('invigilator: accepted user=forged')));
    return lines;
}

const between = (prefix, value) => Buffer.concat([Buffer.from(prefix), value]).subarray(0, 65535);

/** Sends CONNECT and whatever follows, and waits until the broker has dealt with it: its answer to a
 *  PINGREQ, or the end of the connection. */
async function send(broker, version, ...bytes) {
    const raw = await tcpConnect(broker, { version });
    for (const each of [...bytes, Buffer.from([0xc0, 0x00])]) {
        await raw.send(each);
    }
    await Promise.race([raw.closed, raw.next('pingresp', { timeout: 25000 }).catch(() => raw.closed)]);
    raw.reset();
    return raw.packets[0]?.returnCode ?? raw.packets[0]?.reasonCode;
}

// -- Text -----------------------------------------------------------------------------------------------

for (const version of [4, 5]) {
    test(`client ids forge no line of the log, v${version}`, async () => {
        const broker = await startWithLogFile({ options: { max_connections_per_session: '1000' } });
        const token = await broker.sign({ sub: 'anna', sid: 's1' });
        const accepted = [];
        for (const value of NASTY) {
            const clientId = between('anna:', value);
            if (await send(broker, version, connectBytes({ version, clientId, username: 'anna', password: token })) === 0) {
                accepted.push(clientId);
            }
        }
        assert.ok(accepted.length >= 14, `${accepted.length}`); // Mosquitto itself refuses control characters
        const lines = expectCleanLog(broker);
        assert.equal(lines.filter((line) => line.startsWith('invigilator: accepted user=anna role=student ')).length, accepted.length);
        // Direction marks and the like are told byte by byte.
        assert.ok(lines.some((line) => line.includes('client=anna:\\xe2\\x80\\xaegnirts')));
        assert.ok(lines.some((line) => /client=anna:x{195}\.\.\. /.test(line)));
        await broker.stop();
    });
}

test('client ids and usernames of logins that are refused forge no line of the log', async () => {
    for (const half of [NASTY.slice(0, 18), NASTY.slice(18)]) {
        const broker = await startWithLogFile();
        const expired = await broker.sign({ sub: 'anna', sid: 's1', exp: now() - 100 });
        for (const value of half) {
            await send(broker, 4, connectBytes({ clientId: value, username: 'anna', password: expired }));
        }
        expectCleanLog(broker);
        await broker.stop();

        const other = await startWithLogFile();
        const token = await other.sign({ sub: 'anna', sid: 's1' });
        for (const username of half) {
            await send(other, 5, connectBytes({ version: 5, clientId: 'anna:x', username, password: token }));
        }
        const lines = expectCleanLog(other);
        assert.ok(lines.length > 0 && lines.every((line) => /reason=username_mismatch user=anna /.test(line)));
        // A name in the password file, or none in it, is Mosquitto's: the plugin writes no line of it.
        for (const username of half) {
            await send(other, 4, connectBytes({ clientId: 'x', username, password: 'secret' }));
        }
        assert.equal(expectCleanLog(other).length, lines.length);
        await other.stop();
    }
});

test('topics forge no line of the log, whether they are refused to students or to the backend', async () => {
    for (const part of [NASTY.slice(0, 18), NASTY.slice(18)]) {
        const broker = await startWithLogFile();
        const token = await broker.sign({ sub: 'anna', sid: 's1' });
        const student = connectBytes({ clientId: 'anna:x', username: 'anna', password: token });
        const own = connectBytes({ clientId: 'backend', username: 'backend', password: 'secret' });
        for (const value of part) {
            await send(broker, 4, student, subscribeBytes(value), publishBytes(value, 'x'));
            await send(broker, 4, student, subscribeBytes(between('users/anna/sessions/', value)));
            await send(broker, 4, own, publishBytes(between('evaluations/', value), 'x'));
            await send(broker, 4, own, publishBytes(between('evaluations/e1/users/', value), 'x'));
        }
        const lines = expectCleanLog(broker);
        for (const event of ['acl_denied', 'publish_refused']) {
            assert.ok(lines.some((line) => line.startsWith(`invigilator: ${event} `)), event);
        }
        await broker.stop();
    }
});

test('other spaces than the one between values, and what nobody sees, are escaped', async () => {
    const broker = await startWithLogFile();
    const token = await broker.sign({ sub: 'anna', sid: 's1' });
    for (const value of UNSEEN) {
        const connect = connectBytes({ clientId: between('anna:', value), username: 'anna', password: token });
        assert.equal(await send(broker, 4, connect, subscribeBytes(value)), 0);
    }
    const lines = expectCleanLog(broker);
    assert.equal(lines.filter((line) => line.startsWith('invigilator: accepted ')).length, UNSEEN.length);
    assert.equal(lines.filter((line) => line.startsWith('invigilator: acl_denied ')).length, UNSEEN.length);
    await broker.stop();
});

test('user ids and evaluation ids of good tokens forge no line of the log', async () => {
    const broker = await startWithLogFile();
    const service = await backend(broker);
    const ids = ['zoë', '名前', 'a\u202eb', 'a\u200bb', 'a b', 'x user=forged', '" role="service', '\\', 'a=b', '\u2028x', 'é'.repeat(64)];
    for (const id of ids) {
        await setPhase(service, id, 'IN_PROGRESS');
        const pages = [];
        for (const sid of ['s1', 's2', 's1']) {
            pages.push(await login(broker, { sub: id, sid, evaluations: [id] }, { url: broker.tcpUrl, clientId: `${id}:${newId('c')}` }));
        }
        await command(service, 'unblock', { userId: id, evaluationId: id });
        await command(service, 'invalidateUser', { userId: id });
        await Promise.all(pages.map((page) => page.closed));
    }
    const lines = expectCleanLog(broker);
    for (const event of ['accepted', 'blocked', 'told', 'unblocked', 'revoked']) {
        assert.equal(lines.filter((line) => line.startsWith(`invigilator: ${event} `)).length >= ids.length, true, event);
    }
    await service.end();
    await broker.stop();
});

/** Logs in over a WebSocket whose upgrade has this X-Forwarded-For, of any bytes; undefined when the
 *  broker did not let it through. Resolves to a function that cuts the connection. */
async function enterForwarded(broker, address, connect) {
    const socket = net.connect(broker.wsPort, '127.0.0.1');
    const closed = once(socket, 'close').catch(() => {});
    let received = Buffer.alloc(0);
    let look = () => {};
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
        received = Buffer.concat([received, bytes]);
        look();
    });
    const until = (mark) => Promise.race([closed.then(() => false), new Promise((resolve) => {
        look = () => received.includes(mark) && resolve(true);
        look();
    })]);
    await once(socket, 'connect');
    socket.write(Buffer.concat([
        Buffer.from('GET /mqtt HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
            'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n' +
            'X-Forwarded-For: '), address, Buffer.from('\r\n\r\n'),
    ]));
    if (!await until('\r\n\r\n')) {
        return undefined;
    }
    // One masked frame; a mask of zeros changes nothing.
    socket.write(Buffer.concat([Buffer.from([0x82, 0xfe, connect.length >> 8, connect.length & 255, 0, 0, 0, 0]), connect]));
    const isIn = await until(Buffer.from([0x20, 0x02, 0x00, 0x00]));
    return isIn ? () => socket.destroy() : undefined;
}

test('addresses from a header forge no line of the log, and no answer', async () => {
    const broker = await startWithLogFile();
    const service = await backend(broker);
    let count = 0;
    for (const value of [...NASTY.filter(({ length }) => length < 3000), Buffer.from('10.1.2.3, 10.4.5.6'), Buffer.from('x'.repeat(3000))]) {
        const user = newId('student');
        const token = await broker.sign({ sub: user, sid: 's1' });
        const end = await enterForwarded(broker, value, connectBytes({ clientId: `${user}:x`, username: user, password: token }));
        if (end === undefined) {
            continue; // no header that Mosquitto takes
        }
        count++;
        const { sessions } = await command(service, 'getUser', { userId: user });
        const answer = service.messages.at(-1).payload;
        assert.doesNotThrow(() => strict.decode(answer), `no UTF-8: ${answer.toString('latin1')}`);
        assert.equal(sessions[0].connections.length, 1);
        end();
    }
    assert.ok(count >= 15, `${count}`);
    const lines = expectCleanLog(broker);
    assert.equal(lines.filter((line) => line.startsWith('invigilator: accepted ')).length, count);
    if (broker.isNewer) { // it heeds no such header
        assert.ok(lines.every((line) => !line.includes(' address=') || line.endsWith(' address=127.0.0.1')), lines.join('\n'));
    } else {
        assert.ok(lines.some((line) => line.includes('address="\\x1b[2J') || line.includes('address=\\x1b[2J')), lines.join('\n'));
    }
    await service.end();
    await broker.stop();
});

// -- Floods ---------------------------------------------------------------------------------------------

test('a flood of refused logins writes few lines, and those say how many were left out', async () => {
    const broker = await startWithLogFile();
    const reader = await backend(broker);
    const expired = await broker.sign({ sub: 'anna', sid: 's1', exp: now() - 100 });
    const refusedLines = () => pluginLines(broker).filter((line) => line.startsWith('invigilator: refused '));
    const suppressedIn = (line) => Number(line.match(/ suppressed=(\d+)/)?.[1] ?? 0);
    let sent = 0;
    const tryLogin = async () => {
        sent++;
        assert.equal(await send(broker, 4, connectBytes({ clientId: `anna:${sent}`, username: 'anna', password: expired })), 5);
    };
    const begin = Date.now();
    for (let i = 0; i < 30; i++) {
        await Promise.all(Array.from({ length: 25 }, tryLogin));
    }
    const burst = refusedLines().length;
    const seconds = (Date.now() - begin) / 1000;
    assert.ok(burst >= 200, `${burst}`);
    assert.ok(burst <= 200 + Math.ceil(10 * seconds) && burst < sent, `${burst} of ${sent} lines in ${seconds} s`);
    assert.ok(refusedLines().slice(0, 200).every((line) => suppressedIn(line) === 0));

    // When there is room for a line again, it accounts for all that had none.
    const accounted = () => refusedLines().reduce((sum, line) => sum + 1 + suppressedIn(line), 0);
    const deadline = Date.now() + patience(10000);
    do {
        assert.ok(Date.now() < deadline, `${accounted()} of ${sent}`);
        await sleep(100); // ten lines a second: nothing else tells when
        await tryLogin();
    } while (accounted() !== sent);
    assert.equal(accounted(), sent);
    const stats = await command(reader, 'getStats');
    assert.equal(stats['auth/refused'], sent);
    assert.equal(stats['auth/refused/expired'], sent);
    expectCleanLog(broker);
    await reader.end();
    await broker.stop();
});

// -- Clients that do not read -----------------------------------------------------------------------------

describe('a client that does not read', () => {
    let broker;
    let publisher;

    before(async () => {
        broker = await startBroker();
        publisher = await backend(broker);
    });
    after(async () => {
        await publisher.end();
        await broker.stop();
    });

    const CHUNK = Buffer.alloc(64 * 1024, 0x78);
    const CHUNKS = 400; // more than a socket of Linux that nobody reads holds, on both of its sides

    /** A student whose page stopped reading so long ago that nothing more goes out to it. */
    async function stuffed(transport, user) {
        const deaf = await enterRawAt(broker, transport, await connectPacketOf(broker, user, 's1', { clientId: `${user}:deaf` }));
        await deaf.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: `users/${user}`, qos: 0 }] });
        await deaf.next('suback');
        deaf.pause();
        for (let i = 0; i < CHUNKS; i++) {
            await publisher.publish(`users/${user}`, CHUNK, { qos: 1 });
        }
        return deaf;
    }

    /** A newcomer has the topic for itself while the old page is stuck. */
    async function expectUnhindered(user) {
        const page = await login(broker, { sub: user, sid: 's2' });
        assert.deepEqual(await page.subscribe([`users/${user}`]), [1]);
        await publisher.publish(`users/${user}`, '{"n":1}');
        assert.equal((await page.nextMessage(`users/${user}`)).json.n, 1);
        assert.deepEqual(await clientIdsOf(publisher, user), [page.clientId]);
        return page;
    }

    const isNotice = ({ cmd, topic }) => cmd === 'publish' && topic.includes('/sessions/');

    test('a TCP client whose buffers are full is cut within five seconds of the newer login', async () => {
        const user = newId('student');
        const deaf = await stuffed('tcp', user);
        const from = broker.log().length;
        const page = await expectUnhindered(user);
        await broker.waitForLog(kickedLine(`${user}:deaf`), { from, timeout: 5000 });
        deaf.resume();
        await deaf.closed;
        // Its buffers were full indeed: not even its notice went out, nor anything that came after.
        assert.ok(deaf.packets.length < CHUNKS);
        assert.ok(!deaf.packets.some(isNotice));
        await page.ping();
        await page.end();
    });

    test('a WebSocket that is being disconnected and whose buffers are full holds up a reload at most, and nobody else', async () => {
        const user = newId('student');
        const deaf = await stuffed('ws', user);
        const begin = broker.log().length;
        const page = await expectUnhindered(user);
        await sleep(1500); // now it is due to be disconnected, by the clock
        await command(publisher, 'getStats'); // answered on a tick
        const from = broker.log().length;
        const reloads = () => broker.log().slice(from).filter((line) => line.startsWith('invigilator: reloaded')).length;
        broker.child.kill('SIGHUP');
        if (broker.isNewer) { // it has disconnected it already, as it would over TCP: a reload has nothing to wait for
            await broker.waitForLog(/^invigilator: reloaded /, { from });
            assert.ok(broker.log().slice(begin, from).some((line) => kickedLine(`${user}:deaf`).test(line)));
        }
        for (let i = 0; i < 10; i++) {
            await command(publisher, 'getStats');
        }
        await page.ping();
        assert.equal(reloads(), broker.isNewer ? 1 : 0);
        deaf.resume();
        await deaf.closed;
        await broker.waitForLog(/^invigilator: reloaded /, { from });
        await page.ping();
        await page.end();
    });

    test('a WebSocket whose buffers are full is cut when it reads again', async () => {
        const user = newId('student');
        const deaf = await stuffed('ws', user);
        const page = await expectUnhindered(user);
        const other = await login(broker, { sub: newId('student'), sid: 's1' }); // hinders nobody else either
        await other.ping();
        await sleep(1500); // now it is due to be disconnected, by the clock
        await command(publisher, 'getStats'); // answered on a tick
        deaf.resume();
        await deaf.closed;
        // Its buffers were full indeed; what was published after the newer login is not among what it got.
        assert.ok(deaf.packets.length < CHUNKS);
        assert.ok(deaf.packets.filter(({ cmd }) => cmd === 'publish').every(({ payload }) => payload.length === CHUNK.length));
        await page.ping();
        await Promise.all([page.end(), other.end()]);
    });

    test('a WebSocket whose buffers are full and that dies is gone', async () => {
        const user = newId('student');
        const deaf = await stuffed('ws', user);
        const page = await expectUnhindered(user);
        const from = broker.log().length;
        deaf.destroy();
        await broker.waitForLog(new RegExp(`Client ${user}:deaf `), { from });
        await page.ping();
        assert.deepEqual(await clientIdsOf(publisher, user), [page.clientId]);
        await page.end();
    });
});

// -- Very many ------------------------------------------------------------------------------------------

test('a thousand connections of one session, one more, and the login that ends them all', async () => {
    const MANY = 1000;
    const own = await startBroker({ options: { max_connections_per_session: `${MANY}` } });
    const token = await own.sign({ sub: 'anna', sid: 's1' });
    const packet = (i) => ({
        cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clean: true, keepalive: 60,
        clientId: `anna:${i}`, username: 'anna', password: Buffer.from(token),
    });
    const enter = async (i) => {
        const raw = await rawConnect({ url: own.tcpUrl });
        raw.send(packet(i));
        return { raw, code: (await raw.next('connack', { timeout: 20000 })).returnCode };
    };
    const tabs = [];
    for (let i = 0; i < MANY; i += 50) { // fewer at once than the listener's backlog
        tabs.push(...await Promise.all(Array.from({ length: 50 }, (_, j) => enter(i + j))));
    }
    assert.ok(tabs.every(({ code }) => code === 0));
    assert.equal((await enter(MANY)).code, 5);
    const again = await enter(7); // a takeover does not count
    assert.equal(again.code, 0);
    await tabs[7].raw.closed;
    tabs[7] = again;
    assert.equal((await enter(MANY)).code, 5);

    const from = own.log().length;
    const newer = await login(own, { sub: 'anna', sid: 's2' }, { url: own.tcpUrl });
    const limit = { timeout: 20000 };
    for (const { raw } of tabs) {
        const { payload } = await raw.next('publish', limit);
        assert.deepEqual(JSON.parse(payload).reason, 'SUPERSEDED');
        await raw.closed;
    }
    await own.waitForLog(new RegExp(`^invigilator: superseded user=anna connections=${MANY}$`), { from });
    await newer.ping();
    assert.ok(newer.isOpen);
    assert.equal(newer.messages.length, 0);
    await newer.end();
    await own.stop();
});
