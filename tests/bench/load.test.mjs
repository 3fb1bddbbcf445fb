// SPDX-License-Identifier: Apache-2.0
// load.test.mjs - the load generator against a real Mosquitto: everybody is counted, every message, and
// every byte.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import packets from 'mqtt-packet';
import { freePort } from '../broker/lib/port.mjs';
import { connect, startBroker } from '../broker/lib.mjs';
import { fileOf, loginsOf, runLoad, startLoad } from './load.mjs';

const COUNT = 20;
const TOPIC = 'evaluations/student'; // what evaluations/%u becomes
const PAYLOAD = '{"type":"EVALUATION_UPDATE","version":%n}';
const WS_SENT = 6; // a frame's head and its mask
const WS_RECEIVED = 2;

let broker;

before(async () => {
    broker = await startBroker({
        plugin: false,
        users: { student: 'secret', backend: 'secret' },
        acl: 'user student\ntopic read evaluations/#\nuser backend\ntopic readwrite evaluations/#\n',
    });
});
after(() => broker?.stop());

const sizeOf = (packet, protocolVersion) => packets.generate({ ...packet }, { protocolVersion }).length;

function loginsNamed(name, change = (login) => login) {
    return Array.from({ length: COUNT }, (_, i) => change([`${name}-${i}`, 'student', 'secret'], i));
}

function optionsOf({ name = 'student', ws = false, logins = loginsNamed(name), ...more }) {
    return {
        port: ws ? broker.wsPort : broker.tcpPort,
        ws,
        file: loginsOf(logins),
        subscribe: 'evaluations/%u',
        'publisher-file': loginsOf([[`${name}-publisher`, 'backend', 'secret']]),
        'publisher-port': broker.tcpPort,
        publish: TOPIC,
        'payload-file': fileOf(PAYLOAD),
        ...more,
    };
}

/** What the clients send for their logins and subscriptions, without WebSockets. */
function loginBytes(logins, version) {
    const protocolVersion = version === 5 ? 5 : 4;
    const subscribe = { cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: TOPIC, qos: 0 }] };
    return logins.reduce((sum, [clientId, username, password]) => sum
        + sizeOf({ cmd: 'connect', protocolId: 'MQTT', protocolVersion, clientId, username, password, keepalive: 60, clean: true },
            protocolVersion)
        + sizeOf(subscribe, protocolVersion), 0);
}

/** What a client receives for a message. */
function messageBytes(number, { version, ws }) {
    const payload = PAYLOAD.replace('%n', number);
    const publish = { cmd: 'publish', topic: TOPIC, payload, qos: 0, retain: false, dup: false };
    return sizeOf(publish, version === 5 ? 5 : 4) + (ws ? WS_RECEIVED : 0);
}

function assertWhole({ count, failures, reasons }) {
    assert.deepEqual({ count, failures, reasons }, { count: COUNT, failures: 0, reasons: {} });
}

function assertDelivered({ publisher, sent, expected, received, messages }, number) {
    assert.deepEqual({ publisher, sent, expected, received, messages },
        { publisher: null, sent: number, expected: number * COUNT, received: number * COUNT, messages: number * COUNT });
}

// One after the other: they share a topic.
for (const version of [3, 5]) {
    for (const ws of [false, true]) {
        test(`storm and fanout, MQTT ${version} over ${ws ? 'WebSockets' : 'TCP'}`, async () => {
            const logins = loginsNamed('student');
            const { lines: [storm, fanout], code, text } = await runLoad(optionsOf({
                logins, ws, mqtt: version, phases: 'storm,fanout', messages: 3, 'interval-ms': 5,
            }));
            assert.equal(storm.phase, 'storm');
            assertWhole(storm);
            assert.equal(storm.messages, 0);
            const bytes = loginBytes(logins, version) + (ws ? 2 * COUNT * WS_SENT : 0);
            const upgrades = storm.bytes_out - bytes;
            assert.ok(ws ? upgrades > 100 * COUNT && upgrades % COUNT === 0 : upgrades === 0, `${upgrades}`);
            assert.equal(fanout.phase, 'fanout');
            assertWhole(fanout);
            assertDelivered(fanout, 3);
            const each = [1, 2, 3].map((number) => messageBytes(number, { version, ws }));
            assert.equal(fanout.bytes_in, COUNT * each.reduce((sum, size) => sum + size, 0));
            assert.equal(fanout.bytes_out, 0);
            assert.deepEqual({ code, text }, { code: 0, text: '' });
        });
    }
}

describe('idle', { concurrency: true }, () => {
    for (const version of [3, 5]) {
        for (const ws of [false, true]) {
            test(`MQTT ${version} over ${ws ? 'WebSockets' : 'TCP'}: pings are all that is sent`, async () => {
                const { lines: [, idle], code } = await runLoad(optionsOf({
                    name: `idle-${version}-${ws}`, ws, mqtt: version, phases: 'storm,idle', seconds: 4, keepalive: 3,
                }));
                assert.equal(idle.phase, 'idle');
                assertWhole(idle);
                assertDelivered(idle, 0);
                assert.ok(idle.pings >= COUNT, `${idle.pings} pings`);
                assert.equal(idle.bytes_out, idle.pings * (2 + (ws ? WS_SENT : 0)));
                const answers = idle.bytes_in / (2 + (ws ? WS_RECEIVED : 0));
                assert.ok(Number.isInteger(answers) && answers <= idle.pings, `${answers} answers`);
                assert.equal(code, 0);
            });
        }
    }
});

test('idle with messages, after a fanout: numbers go on', async () => {
    const { lines: [, fanout, idle], code } = await runLoad(optionsOf({
        phases: 'storm,fanout,idle', messages: 9, 'idle-messages': 2, seconds: 1,
    }));
    assertDelivered(fanout, 9);
    assertDelivered(idle, 2);
    assert.equal(idle.bytes_in, 2 * COUNT * messageBytes(10, { version: 3, ws: false }));
    assert.equal(code, 0);
});

for (const mqtt of [3, 5]) {
    test(`MQTT ${mqtt}: QoS 1 on both sides, retained`, async () => {
        const { lines: [, fanout], code } = await runLoad(optionsOf({
            mqtt, phases: 'storm,fanout', messages: 4, qos: 1, 'subscribe-qos': 1, retain: true,
        }));
        assertDelivered(fanout, 4);
        // A PUBACK of each, and a packet id in each.
        assert.equal(fanout.bytes_out, 4 * 4 * COUNT);
        assert.equal(fanout.bytes_in, 4 * COUNT * (messageBytes(1, { version: mqtt, ws: false }) + 2));
        assert.equal(code, 0);
        const reader = await connect({ url: broker.tcpUrl, username: 'backend', password: 'secret' });
        await reader.subscribe([TOPIC]);
        const message = await reader.nextMessage(TOPIC);
        assert.equal(message.text, PAYLOAD.replace('%n', '4'));
        await reader.publish(TOPIC, '', { retain: true, qos: 1 });
        await reader.end();
    });
}

test('who is refused is counted, and the others get everything', async () => {
    const logins = loginsNamed('student', ([id, user, password], i) => [id, user, i === 7 ? 'wrong' : password]);
    const { lines: [storm, fanout], code, text } = await runLoad(optionsOf({ logins, phases: 'storm,fanout', messages: 2 }));
    assert.equal(storm.failures, 1);
    assert.deepEqual(storm.reasons, { 'the login was refused': 1 });
    assert.match(text, /student-7: the login was refused/);
    assert.deepEqual([fanout.expected, fanout.received, fanout.failures], [2 * 19, 2 * 19, 1]);
    assert.equal(code, 1);
});

test('a publisher that is refused publishes nothing', async () => {
    const { lines: [storm, fanout], code } = await runLoad(optionsOf({
        phases: 'storm,fanout', messages: 2, 'publisher-file': loginsOf([['publisher', 'backend', 'wrong']]),
    }));
    assertWhole(storm);
    const { publisher, sent, expected, received } = fanout;
    assert.deepEqual({ publisher, sent, expected, received },
        { publisher: 'the login was refused', sent: 0, expected: 2 * COUNT, received: 0 });
    assert.equal(code, 1);
});

test('what is published to nobody is missing', async () => {
    const { lines: [, fanout], code } = await runLoad(optionsOf({
        phases: 'storm,fanout', messages: 1, publish: 'evaluations/other', limit: 1,
    }));
    assert.deepEqual([fanout.sent, fanout.expected, fanout.received, fanout.messages], [1, COUNT, 0, 0]);
    assert.equal(code, 1);
});

test('nobody listens', async () => {
    const { lines: [storm], code } = await runLoad(optionsOf({ port: await freePort() }));
    assert.deepEqual([storm.failures, storm.reasons], [COUNT, { 'nobody listens': COUNT }]);
    assert.equal(code, 1);
});

test('the end of the input ends it before the next phase', async () => {
    const load = startLoad(optionsOf({ phases: 'storm,fanout,idle', messages: 1, seconds: 1 }));
    assertWhole(await load.next());
    assertWhole(await load.go());
    assert.deepEqual(await load.end(), { code: 0, text: '' });
    await assert.rejects(load.next(), /no more lines/);
});

test('it holds the connections until the input ends', async () => {
    const load = startLoad(optionsOf({ hold: true, name: 'held' }));
    assertWhole(await load.next());
    // Mosquitto logs each of them as it closes.
    const held = await connect({ url: broker.tcpUrl, username: 'backend', password: 'secret' });
    await held.ping();
    const goneLine = /^Client held-\d+ (\[\S+\] )?(closed|disconnected)/; // 2.1 has the address in it
    const gone = () => broker.log().filter((line) => goneLine.test(line)).length;
    assert.equal(gone(), 0);
    assert.deepEqual(await load.end(), { code: 0, text: '' });
    await broker.waitForLog(goneLine);
    await held.end();
});

test('options that make no sense', async () => {
    const payload = (text) => ({ phases: 'storm,fanout', 'payload-file': fileOf(text) });
    const cases = [
        [{ mqtt: 4 }, 2], [{ phases: 'fanout' }, 2], [{ phases: 'storm,storm' }, 2], [{ phases: 'storm,' }, 2],
        [{ phases: 'storm,fanout', publish: '' }, 2], [{ qos: 2 }, 2], [{ sse: true }, 2], [{ keepalive: 0 }, 2],
        [{ messages: '1x' }, 2], [payload('without a number'), 1], [payload(`%n${'x'.repeat(3998)}`), 1],
        [{ file: fileOf('only\ttwo\n') }, 1], [{ file: fileOf('a\tb\tc\rd\n') }, 1],
        [{ phases: 'storm,fanout', 'publisher-file': loginsOf([['a', 'b', 'c'], ['d', 'e', 'f']]) }, 1],
    ];
    for (const [options, expected] of cases) {
        const { code, text } = await startLoad(optionsOf(options)).end();
        assert.equal(code, expected, `${JSON.stringify(options)}: ${text}`);
        assert.notEqual(text, '');
    }
});
