// SPDX-License-Identifier: Apache-2.0
// bytes.mjs - MQTT packets that no library makes, and sockets that can end in ways that none offers.
import { once } from 'node:events';
import net from 'node:net';
import packets from 'mqtt-packet';
import { Inbox, within } from './wait.mjs';

const LENGTH_MAX = 65535;

function field(value) {
    const bytes = Buffer.from(value);
    if (bytes.length > LENGTH_MAX) {
        throw new Error(`${bytes.length} bytes do not fit into a field`);
    }
    return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
}

function remainingLength(length) {
    const bytes = [];
    do {
        bytes.push((length & 127) | (length > 127 ? 128 : 0));
        length >>= 7;
    } while (length > 0);
    return Buffer.from(bytes);
}

/** A packet of this first byte with these parts behind its length. */
export function packetBytes(first, ...parts) {
    const body = Buffer.concat(parts);
    return Buffer.concat([Buffer.from([first]), remainingLength(body.length), body]);
}

/** A CONNECT byte by byte: clientId, username and password are texts or Buffers and go in as they are,
 *  up to 65535 bytes each; username and password may be absent. */
export function connectBytes({ version = 4, clientId, username, password, keepalive = 30 }) {
    const flags = 2 | (username === undefined ? 0 : 0x80) | (password === undefined ? 0 : 0x40);
    const texts = [clientId, username, password].filter((value) => value !== undefined);
    return packetBytes(0x10, field('MQTT'), Buffer.from([version, flags, keepalive >> 8, keepalive & 255]),
        version === 5 ? Buffer.from([0]) : Buffer.alloc(0), ...texts.map(field));
}

/** A PUBLISH with QoS 0 to a topic of any bytes. */
export function publishBytes(topic, payload, version = 4) {
    return packetBytes(0x30, field(topic), version === 5 ? Buffer.from([0]) : Buffer.alloc(0), Buffer.from(payload));
}

/** A SUBSCRIBE with QoS 0 to a filter of any bytes. */
export function subscribeBytes(filter, version = 4) {
    return packetBytes(0x82, Buffer.from([0, 1]), version === 5 ? Buffer.from([0]) : Buffer.alloc(0),
        field(filter), Buffer.from([0]));
}

/** Opens a TCP connection that the broker has taken from its queue, so that what is sent on it is
 *  read in the broker's next turn. Resolves to
 *
 *  send(packet or bytes)  as rawConnect's; it lies in the broker's socket when the promise resolves
 *  next(cmd?), packets    as rawConnect's
 *  closed                 a promise; rejects after half a minute
 *  reset()                ends it by a TCP reset, end() by a FIN, both without a DISCONNECT
 *  pause(), resume() */
export async function tcpConnect(broker, { version = 4 } = {}) {
    const socket = net.connect({ host: '127.0.0.1', port: broker.tcpPort, noDelay: true });
    const inbox = new Inbox();
    const parser = packets.parser({ protocolVersion: version });
    const ended = new Promise((resolve) => socket.once('close', resolve));
    parser.on('packet', (packet) => inbox.add(packet));
    parser.on('error', (error) => inbox.close(error));
    socket.on('data', (bytes) => parser.parse(bytes));
    socket.on('error', () => {});
    ended.then(() => inbox.close(new Error('the connection has ended')));
    await within(10000, 'a TCP connection', once(socket, 'connect'));
    await broker.waitForLog(new RegExp(`^New connection from 127\\.0\\.0\\.1:${socket.localPort} on port `));
    return {
        packets: inbox.all,
        get closed() {
            return within(30000, 'the end of a TCP connection', ended);
        },
        send: (packet) => new Promise((resolve) => socket.write(
            Buffer.isBuffer(packet) ? packet : packets.generate(packet, { protocolVersion: version }), resolve)),
        next: (cmd, options = {}) => inbox.take(
            (packet) => cmd === undefined || packet.cmd === cmd, { what: `a ${cmd}`, ...options }),
        reset: () => socket.resetAndDestroy(),
        end: () => socket.end(),
        pause: () => socket.pause(),
        resume: () => socket.resume(),
    };
}
