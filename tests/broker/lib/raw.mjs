// SPDX-License-Identifier: Apache-2.0
// raw.mjs - connections that send exactly the bytes a test says, over TCP or WebSockets.
import net from 'node:net';
import { once } from 'node:events';
import packets from 'mqtt-packet';
import WebSocket from 'ws';
import { Inbox, within } from './wait.mjs';

function tcpTransport(url, onData, onClose) {
    const { hostname, port } = new URL(url);
    const socket = net.connect({ host: hostname, port: Number(port), noDelay: true });
    socket.on('data', onData);
    socket.on('error', () => {});
    socket.on('close', () => onClose(undefined));
    return {
        open: once(socket, 'connect'),
        write: (bytes) => socket.write(bytes),
        destroy: () => socket.destroy(),
        pause: () => socket.pause(),
        resume: () => socket.resume(),
    };
}

function wsTransport(url, onData, onClose) {
    const socket = new WebSocket(url, 'mqtt');
    socket.on('message', onData);
    socket.on('error', () => {});
    socket.on('close', (code) => onClose(code));
    return {
        open: once(socket, 'open'),
        write: (bytes) => socket.send(bytes),
        destroy: () => socket.terminate(),
        pause: () => socket.pause(),
        resume: () => socket.resume(),
    };
}

/** Opens a connection and sends nothing. Resolves to
 *
 *  send(packet or bytes)    a Buffer goes out as it is, anything else through mqtt-packet
 *  next(cmd?)               the next packet not taken yet, of that command where given
 *  packets                  all packets received
 *  closed                   promise: undefined for TCP, the close code for WebSockets; rejects after
 *                           half a minute
 *  destroy(), pause(), resume() */
export async function rawConnect({ url, version = 4 }) {
    const inbox = new Inbox();
    const parser = packets.parser({ protocolVersion: version });
    let onClosed;
    const closed = new Promise((resolve) => {
        onClosed = resolve;
    });
    parser.on('packet', (packet) => inbox.add(packet));
    parser.on('error', (error) => inbox.close(error));

    const open = url.startsWith('ws:') ? wsTransport : tcpTransport;
    const transport = open(url, (bytes) => parser.parse(bytes), (code) => {
        inbox.close(new Error('the connection has ended'));
        onClosed(code);
    });
    await within(10000, `a connection to ${url}`, transport.open);
    return {
        ...transport,
        packets: inbox.all,
        get closed() {
            return within(30000, `the end of a connection to ${url}`, closed);
        },
        send: (packet) => transport.write(
            Buffer.isBuffer(packet) ? packet : packets.generate(packet, { protocolVersion: version })),
        next: (cmd, options = {}) => inbox.take(
            (packet) => cmd === undefined || packet.cmd === cmd, { what: `a ${cmd}`, ...options }),
    };
}
