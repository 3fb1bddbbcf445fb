#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// aedes.mjs - a rival: the MQTT broker Aedes over WebSockets, which lets in by token and checks each
// subscription.
//
//   aedes.mjs --port N --key FILE --algorithm HS256|RS256|ES256
//
// The token is the password. A student follows its own topics and its evaluations, and publishes
// nothing; a service does both as it likes.
import { createServer } from 'node:http';
import { Aedes } from 'aedes';
import { createWebSocketStream, WebSocketServer } from 'ws';
import { readOptions, run } from './program.mjs';
import { tokenVerifier } from './token.mjs';

const NOT_AUTHORIZED = 5;
const PACKET_BYTES_MAX = 64 * 1024;
const SWEEP_MS = 25000;

const options = readOptions('port', 'key', 'algorithm');
const verify = await tokenVerifier(options);
// As the plugin's max_keepalive; the rest is Aedes's defaults, all in memory.
const broker = await Aedes.createBroker({ keepaliveLimit: 60 });

/** The filters that a token grants, each looked up as a whole. */
function filtersOf({ user, sid, evaluations }) {
    const own = [`users/${user}`, `users/${user}/#`, `users/${user}/+`, `users/${user}/sessions/${sid}`,
        `users/${user}/sessions/+`];
    const exams = evaluations.flatMap((e) => [`evaluations/${e}`, `evaluations/${e}/users/${user}`]);
    return new Set([...own, ...exams]);
}

function refusal() {
    return Object.assign(new Error('not authorized'), { returnCode: NOT_AUTHORIZED });
}

broker.authenticate = async (client, username, password, done) => {
    let grant;
    try {
        grant = await verify(password.toString());
    } catch {
        done(refusal(), false);
        return;
    }
    const { user } = grant;
    const isTheirs = client.id === user || client.id.startsWith(`${user}:`);
    if ((username && username !== user) || !isTheirs) {
        done(refusal(), false);
        return;
    }
    client.grant = { ...grant, filters: filtersOf(grant) };
    done(null, true);
};

broker.authorizeSubscribe = ({ grant }, subscription, done) => {
    const { topic } = subscription;
    const may = grant.isService ? /^(users|evaluations)\//.test(topic) : grant.filters.has(topic);
    done(null, may ? subscription : null);
};

broker.authorizePublish = ({ grant }, { topic }, done) => {
    const may = grant.isService && /^(users|evaluations)\//.test(topic);
    done(may ? null : new Error('not authorized'));
};

const server = createServer((request, response) => response.writeHead(426).end());
const sockets = new WebSocketServer({ server, maxPayload: PACKET_BYTES_MAX, perMessageDeflate: false });
sockets.on('connection', (socket, request) => broker.handle(createWebSocketStream(socket), request));

// Ends what has no token any more.
setInterval(() => {
    const now = Date.now();
    for (const client of Object.values(broker.clients)) {
        if (client.grant?.endsAt < now) {
            client.close();
        }
    }
}, SWEEP_MS);

run(server, options.port, () => {
    sockets.clients.forEach((socket) => socket.terminate());
    return new Promise((closed) => broker.close(closed));
});
