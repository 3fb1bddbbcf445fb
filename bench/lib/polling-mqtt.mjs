// SPDX-License-Identifier: Apache-2.0
// polling-mqtt.mjs - a page that is told: the file of MQTT.js that pages load, with its socket in reach.
// In Node it would cut its packets into other WebSocket frames, each with a header of its own.
import { randomBytes, randomUUID } from 'node:crypto';
import net from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import WebSocket from 'ws';
import { now } from '../../tests/broker/lib/keys.mjs';
import { Inbox, within } from '../../tests/broker/lib/wait.mjs';
import { upgradeHeaders } from './polling-http.mjs';
import { bytesOf, less } from './polling-bytes.mjs';

globalThis.navigator ??= {}; // MQTT.js looks at it, and Node has none before 21
const { default: mqtt } = await import('../../tests/node_modules/mqtt/dist/mqtt.esm.js');

export const EVALUATION = 'ckz3x1c2v0000abcd';
const PATIENCE_MS = 60000;
const TOKEN_LIFETIME_S = 3600; // longer than the measurement, which counts renewals as logins

/** One login of a student, with a token as applications make them. */
export async function makeLogin(broker) {
    const user = `c${randomBytes(12).toString('hex')}`;
    const at = now();
    const claims = {
        sub: user,
        sid: randomUUID(),
        iss: 'https://exam.example.org',
        aud: 'mosquitto-invigilator',
        role: 'student',
        auth_time: at - 60,
        exp: at + TOKEN_LIFETIME_S,
        evaluations: [EVALUATION],
    };
    return { user, token: await broker.sign(claims) };
}

export function updateOf(more) {
    return {
        type: 'EVALUATION_UPDATE',
        evaluationId: EVALUATION,
        phase: 'IN_PROGRESS',
        startAt: '2026-01-30T08:00:00Z',
        endAt: '2026-01-30T10:00:00Z',
        ...more,
    };
}

/** A student's page that is connected and subscribed. `login` and `ping` are the bytes up and down at
 *  the socket of that and of a keepalive, `pings` counts these. */
export class Follower {
    pings = 0;
    #updates = new Inbox();
    #answers = new Inbox();

    static async open(broker, { user, token }, { keepalive, cookie }) {
        const page = new Follower();
        page.#connect(broker.wsUrl, { username: user, password: token, keepalive, cookie });
        const own = `evaluations/${EVALUATION}/users/${user}`;
        await page.#answer('connack');
        await page.#subscribe([`users/${user}`, `evaluations/${EVALUATION}`, own]);
        await Promise.all([page.#update(({ userId }) => userId === user), page.#update(({ userId }) => !userId)]);
        await page.#roundTrip();
        const bytes = bytesOf(page.socket);
        page.ping = await page.#measurePing();
        page.login = less(bytes, page.ping);
        return page;
    }

    #connect(url, { cookie, ...options }) {
        const createWebsocket = (address, protocols) => new WebSocket(address, protocols, {
            headers: upgradeHeaders(cookie),
            createConnection: (where) => (this.socket = net.connect(where)),
        });
        this.client = mqtt.connect(url, {
            ...options,
            createWebsocket,
            clientId: `${options.username}:${randomBytes(12).toString('hex')}`,
            protocolVersion: 4,
            clean: true,
            reconnectPeriod: 0,
            connectTimeout: PATIENCE_MS,
            forceNativeWebSocket: true,
        });
        this.client.on('message', (topic, payload) => this.#updates.add(JSON.parse(payload)));
        this.client.on('packetreceive', (packet) => this.#answers.add(packet));
        this.client.on('packetsend', ({ cmd }) => (this.pings += cmd === 'pingreq'));
        this.client.on('error', () => {});
        this.client.once('close', () => {
            const error = new Error('the connection has ended');
            [this.#updates, this.#answers].forEach((inbox) => inbox.close(error));
        });
    }

    #answer(cmd) {
        return this.#answers.take((packet) => packet.cmd === cmd, { what: cmd, timeout: PATIENCE_MS });
    }

    #update(wanted) {
        return this.#updates.take(wanted, { what: 'an update', timeout: PATIENCE_MS });
    }

    async #subscribe(topics) {
        this.client.subscribe(topics, { qos: 1 });
        const { granted } = await this.#answer('suback');
        if (granted.some((code) => code > 2)) {
            throw new Error(`subscriptions were refused: ${granted}`);
        }
    }

    /** Whatever was to be written before has been, and in frames of its own: a browser's MQTT.js puts into
     *  one what is written in one turn. */
    async #roundTrip() {
        await turn();
        this.client._sendPacket({ cmd: 'pingreq' });
        await this.#answer('pingresp');
    }

    async #measurePing() {
        const before = bytesOf(this.socket);
        await this.#roundTrip();
        return less(bytesOf(this.socket), before);
    }

    /** The bytes of one update, from before it is published until it is acknowledged. */
    async measureUpdate(version) {
        const before = bytesOf(this.socket);
        await this.#update((update) => update.version === version);
        await this.#roundTrip();
        return less(less(bytesOf(this.socket), before), this.ping);
    }

    async close() {
        const closed = new Promise((resolve) => this.socket.once('close', resolve));
        this.client.end(true);
        await within(PATIENCE_MS, 'the end of a connection', closed);
    }
}
