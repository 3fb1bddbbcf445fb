// SPDX-License-Identifier: Apache-2.0
// port.mjs - loopback ports: a free one, and a broker's as a means to know that it is in its loop.
import net from 'node:net';

// Below the range the system takes outgoing ports from, so that no client gets one in between.
const PORT_MIN = 20000;
const PORT_COUNT = 12000;

function isFree(port) {
    return new Promise((answer) => {
        const server = net.createServer();
        server.once('error', () => answer(false));
        server.listen(port, '127.0.0.1', () => server.close(() => answer(true)));
    });
}

/** A loopback port that nobody listens on at this moment, and none of `taken`. */
export async function freePort(...taken) {
    for (;;) {
        const port = PORT_MIN + Math.floor(Math.random() * PORT_COUNT);
        if (!taken.includes(port) && await isFree(port)) {
            return port;
        }
    }
}

/** Waits until a broker has gone through its loop: it forgets a SIGTERM that comes before its first
 *  turn. What is sent is no CONNECT, so that the broker closes; whether it does is no matter here. */
export function turnAt(port, host = '127.0.0.1') {
    return new Promise((resolve) => {
        const socket = net.connect({ host, port, timeout: 5000 });
        socket.on('connect', () => socket.write(Buffer.from([0xC0, 0])));
        socket.on('error', () => {}).on('timeout', () => socket.destroy()).on('data', () => {});
        socket.on('close', resolve);
    });
}
