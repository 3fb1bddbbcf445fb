// SPDX-License-Identifier: Apache-2.0
// probes.mjs - connections that end before they are anybody's, as port scanners and broken clients make them.
import { once } from 'node:events';
import net from 'node:net';
import { connectBytes, packetBytes, tcpConnect } from './bytes.mjs';
import { rawConnect } from './raw.mjs';

/** Ways to come and go without a login, by name; `id` and `user` are of somebody who is there, `expired` is
 *  a token that has run out. */
export function probesOf(broker, id, user, expired) {
    const tcp = (bytes, end = 'end') => async () => {
        const raw = await tcpConnect(broker);
        if (bytes.length > 0) {
            await raw.send(bytes);
        }
        raw[end]();
        await raw.closed;
    };
    const upgraded = (bytes) => async () => {
        const raw = await rawConnect({ url: broker.wsUrl });
        if (bytes.length > 0) {
            raw.send(bytes);
        }
        raw.destroy();
        await raw.closed;
    };
    const http = (text) => async () => {
        const socket = net.connect(broker.wsPort, '127.0.0.1');
        socket.on('error', () => {});
        await once(socket, 'connect');
        await new Promise((resolve) => socket.write(text, resolve));
        socket.destroy();
        await once(socket, 'close');
    };
    const login = connectBytes({ clientId: id, username: user, password: expired });
    const upgrade = 'GET /mqtt HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n';
    return {
        'a TCP probe': tcp(Buffer.alloc(0)),
        'a TCP probe that is reset': tcp(Buffer.alloc(0), 'reset'),
        'garbage': tcp(Buffer.from('GET / HTTP/1.1\r\n\r\n')),
        'bytes of no packet': tcp(Buffer.from('ffffffffffff', 'hex')),
        'half of a CONNECT': tcp(login.subarray(0, 20)),
        'a PUBLISH before CONNECT': tcp(packetBytes(0x30, Buffer.from([0, 1, 0x61, 0x62]))),
        'a token that has run out, under a live client id': tcp(login),
        'a wrong password, under a live client id': tcp(connectBytes({ clientId: id, username: 'backend', password: 'x' })),
        'no password, under a live client id': tcp(connectBytes({ clientId: id })),
        'an upgrade that ends in the middle': http(upgrade),
        'no upgrade at all': http('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
        'garbage instead of HTTP': http('\x00\xff\x16\x03\x01\r\n\r\n'),
        'a WebSocket without a CONNECT': upgraded(Buffer.alloc(0)),
        'a WebSocket with garbage': upgraded(Buffer.from('ffffffffffff', 'hex')),
        'a WebSocket with half of a CONNECT': upgraded(login.subarray(0, 20)),
        'a WebSocket with a token that has run out': upgraded(login),
    };
}
