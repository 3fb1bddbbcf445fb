// SPDX-License-Identifier: Apache-2.0
// rawlogin.mjs - token clients on raw connections: the test says when each packet goes out.
import assert from 'node:assert/strict';
import { tcpConnect } from './bytes.mjs';
import { command, newId } from './exam.mjs';
import { rawConnect } from './raw.mjs';

/** A CONNECT with a token; further members go into the packet. */
export async function connectPacketOf(broker, user, sid, { version = 4, claims, ...more } = {}) {
    const token = await broker.sign({ sub: user, sid, ...claims });
    return {
        cmd: 'connect', protocolId: 'MQTT', protocolVersion: version, clean: true, keepalive: 60,
        clientId: `${user}:${newId('c')}`, username: user, password: Buffer.from(token), ...more,
    };
}

/** A connection that the broker knows of and that has sent nothing yet; `transport` is tcp or ws. */
export function openRawAt(broker, transport, version) {
    return transport === 'tcp' ? tcpConnect(broker, { version }) : rawConnect({ url: broker.wsUrl, version });
}

/** A connection that was let in. */
export async function enterRawAt(broker, transport, packet) {
    const raw = await openRawAt(broker, transport, packet.protocolVersion);
    await raw.send(packet);
    const { reasonCode, returnCode } = await raw.next('connack');
    assert.equal(reasonCode ?? returnCode, 0);
    return raw;
}

/** Sees that a raw connection gets this one notice, and then ends. */
export async function expectNotice(raw, user, sid, reason = 'SUPERSEDED') {
    const { topic, payload } = await raw.next('publish');
    const { at, ...rest } = JSON.parse(payload);
    assert.equal(topic, `users/${user}/sessions/${sid}`);
    assert.ok(at);
    assert.deepEqual(rest, { type: 'SESSION_INVALIDATED', userId: user, sessionId: sid, reason });
    await raw.closed;
    assert.equal(raw.packets.filter(({ cmd }) => cmd === 'publish').length, 1);
}

/** Sees that a raw connection is served, and has been sent nothing. */
export async function expectAlive(raw) {
    await raw.send({ cmd: 'pingreq' });
    await raw.next('pingresp');
    assert.deepEqual(raw.packets.filter(({ cmd }) => cmd === 'publish'), []);
}

/** The client ids that a user is connected with, as the plugin answers `asker`. */
export async function clientIdsOf(asker, user) {
    const { sessions } = await command(asker, 'getUser', { userId: user });
    return sessions.flatMap(({ connections }) => connections.map(({ clientId }) => clientId)).sort();
}
