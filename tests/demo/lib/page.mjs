// SPDX-License-Identifier: Apache-2.0
// page.mjs - an Invigilator as a page has it, with all its events on record, and a line between it and
// the broker that can fall silent.
import { once } from 'node:events';
import net from 'node:net';
import mqtt from '../../../examples/exam/node_modules/mqtt/build/index.js';
import { Invigilator } from '../../../examples/exam/public/invigilator.js';
import { newId, now } from '../../broker/lib.mjs';
import { Inbox } from '../../broker/lib/wait.mjs';
import '../../broker/lib/webcrypto.mjs';

const NAMES = ['online', 'offline', 'phase', 'endAt', 'access', 'blocked', 'invalidated', 'expiring', 'refused',
    'message'];
const pages = new Set();

/** Ends all pages that are still there. */
export async function stopPages() {
    await Promise.all([...pages].map((page) => page.invigilator.stop()));
    pages.clear();
}

/** Starts a page. `token(n)` resolves to the n-th token, from 0; everything else goes to Invigilator.
 *
 *  events          all events so far: {name, time, ...event}; `time` in milliseconds
 *  next(name, wanted?)  the next such event not taken yet
 *  tokens          how many were asked for
 *  connects        the options of each connection: clientId, password, ...
 *  clients, closed    MQTT.js's client of each connection, and a promise of its end
 *  nextClient()    the next connection that is made */
export function openPage({ token, ...options }) {
    const inbox = new Inbox();
    const opened = new Inbox();
    const page = { events: inbox.all, tokens: 0, connects: [], clients: [], closed: [] };
    page.nextClient = () => opened.take(() => true, { what: 'another connection', timeout: 10000 });
    const connect = (url, settings) => {
        const client = mqtt.connect(url, settings);
        page.connects.push(settings);
        page.clients.push(client);
        page.closed.push(new Promise((resolve) => client.once('close', resolve)));
        opened.add(client);
        return client;
    };
    page.invigilator = new Invigilator({
        connect, fetchToken: async () => token(page.tokens++), keepalive: 30, ...options,
    });
    page.next = (name, wanted = () => true, more = {}) => inbox.take(
        (event) => event.name === name && wanted(event),
        { what: () => `${name}; came: ${JSON.stringify(page.events)}`, ...more });
    page.names = (from = 0) => page.events.slice(from).map(({ name }) => name);
    NAMES.forEach((name) => page.invigilator.on(name, (event) => inbox.add({ name, time: Date.now(), ...event })));
    page.invigilator.start();
    pages.add(page);
    return page;
}

/** A student's page in evaluation `e`. Sessions are named by number. */
export function studentPage(broker, { e, user = newId('student'), session = 1, claims, ...options }) {
    const at = now();
    const login = { sub: user, sid: `sid-${user}-${session}`, auth_time: at - 10 + session, ...claims };
    const token = () => broker.sign(login);
    const page = openPage({ token, url: broker.wsUrl, evaluations: [e], ...options });
    return Object.assign(page, { user, e });
}

/** A line to `port` that can be cut in two ways. Nagle's algorithm is off on both sides. */
export async function openLine(port) {
    const pairs = new Set();
    const server = net.createServer({ noDelay: true }, (near) => {
        const far = net.connect({ host: '127.0.0.1', port, noDelay: true });
        const pair = [near, far];
        pairs.add(pair);
        near.pipe(far);
        far.pipe(near);
        pair.forEach((socket) => {
            socket.on('error', () => {});
            socket.on('close', () => {
                pair.forEach((each) => each.destroy());
                pairs.delete(pair);
            });
        });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return {
        url: `ws://127.0.0.1:${server.address().port}`,
        /** Those that are open pass nothing more, and nobody is told. New ones are served. */
        silence: () => pairs.forEach(([near, far]) => {
            near.unpipe(far);
            far.unpipe(near);
            [near, far].forEach((socket) => socket.pause());
        }),
        /** What the broker sends on those that are open now waits for the returned function. */
        hold: () => {
            const held = [...pairs];
            held.forEach(([near, far]) => {
                far.unpipe(near);
                far.pause();
            });
            return () => held.forEach(([near, far]) => far.pipe(near));
        },
        cut: () => pairs.forEach(([near]) => near.destroy()),
        close: () => {
            server.close();
            pairs.forEach(([near]) => near.destroy());
        },
    };
}
