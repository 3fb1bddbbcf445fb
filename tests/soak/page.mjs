// SPDX-License-Identifier: Apache-2.0
// page.mjs - one connection of a student: MQTT.js, or a raw socket that can also stop reading. Both
// have the same members: messages, subscribe, ping, next, closed, code, isOpen, end, vanish.
import { randomBytes } from 'node:crypto';
import { connect } from '../broker/lib/client.mjs';
import { rawConnect } from '../broker/lib/raw.mjs';
import { within } from '../broker/lib/wait.mjs';

export const KINDS = ['js ws 4', 'js ws 4', 'js ws 5', 'js ws 5', 'js ws 4', 'js tcp 5', 'raw ws 4', 'raw ws 5', 'raw tcp 4', 'raw tcp 5'];

const FOREVER_MS = 3e8; // several days, and a number that a timer takes

/** A Client of the broker tests as a page. */
class ScriptPage {
    constructor(client) {
        this.client = client;
        this.messages = client.messages;
    }

    get closed() {
        return this.client.closed;
    }

    get isOpen() {
        return this.client.isOpen;
    }

    get code() {
        return this.client.disconnectCode;
    }

    subscribe(filters) {
        return this.client.subscribe(filters);
    }

    next(wanted, what) {
        return this.client.nextMessage(wanted, { what, timeout: 20000 });
    }

    publish(topic, payload) {
        return this.client.publish(topic, payload, { qos: 1, retain: true });
    }

    ping() {
        return this.client.ping();
    }

    end() {
        return this.client.end();
    }

    vanish() {
        this.client.client.stream.destroy();
        this.client.client.end(true);
    }
}

function refusal(code) {
    return Object.assign(new Error(`refused with ${code}`), { code });
}

function readMessage(packet) {
    const text = packet.payload.toString();
    try {
        return { topic: packet.topic, text, retain: packet.retain, json: JSON.parse(text) };
    } catch {
        return { topic: packet.topic, text, retain: packet.retain, json: undefined };
    }
}

/** Bytes on a socket. It takes QoS 0 alone, so that it owes no answer. */
class RawPage {
    #raw;
    #packetId = 0;
    #read = 0;
    #messages = [];
    #ended;
    isOpen = true;

    constructor(raw) {
        this.#raw = raw;
        this.#ended = raw.next('nothing', { timeout: FOREVER_MS }).catch(() => {
            this.isOpen = false;
        });
    }

    get closed() {
        return within(30000, `the end of ${this.clientId}`, this.#ended);
    }

    get messages() {
        for (; this.#read < this.#raw.packets.length; this.#read++) {
            const packet = this.#raw.packets[this.#read];
            if (packet.cmd === 'publish') {
                this.#messages.push(readMessage(packet));
            }
        }
        return this.#messages;
    }

    get code() {
        return this.#raw.packets.find(({ cmd }) => cmd === 'disconnect')?.reasonCode;
    }

    async subscribe(filters) {
        const subscriptions = filters.map((topic) => ({ topic, qos: 0 }));
        this.#raw.send({ cmd: 'subscribe', messageId: ++this.#packetId, subscriptions });
        return (await this.#raw.next('suback', { timeout: 20000 })).granted;
    }

    /** A message that is there already, or the next that comes. */
    async next(wanted, what) {
        for (let seen = 0; ;) {
            const { messages } = this;
            for (; seen < messages.length; seen++) {
                if (wanted(messages[seen])) {
                    return messages[seen];
                }
            }
            await this.#raw.next('publish', { timeout: 20000, what });
        }
    }

    async publish(topic, payload) {
        this.#raw.send({ cmd: 'publish', topic, payload, qos: 0, retain: true });
        await this.ping();
        return 0;
    }

    async ping() {
        this.#raw.send({ cmd: 'pingreq' });
        await Promise.race([this.#raw.next('pingresp', { timeout: 20000 }), this.#ended]);
    }

    async end() {
        this.#raw.send({ cmd: 'disconnect' });
        await this.closed;
    }

    vanish() {
        this.#raw.destroy();
    }

    pause() {
        this.#raw.pause();
    }

    resume() {
        this.#raw.resume();
    }
}

async function openRaw({ url, version, token, username, clientId }) {
    const raw = await rawConnect({ url, version });
    raw.send({
        cmd: 'connect', protocolId: 'MQTT', protocolVersion: version, clean: true, keepalive: 55, clientId,
        username, password: Buffer.from(token),
    });
    const connack = await raw.next('connack', { timeout: 20000 }).catch((error) => {
        raw.destroy();
        throw error;
    });
    const code = connack.reasonCode ?? connack.returnCode;
    if (code !== 0) {
        raw.destroy();
        throw refusal(code);
    }
    return new RawPage(raw);
}

/** Connects. Rejects with CONNACK's `code`; without one when there was none. */
export async function openPage(broker, { kind, user, token, clientId = `${user}:${randomBytes(6).toString('hex')}` }) {
    const [library, transport, digit] = kind.split(' ');
    const options = { url: transport === 'ws' ? broker.wsUrl : broker.tcpUrl, version: Number(digit), token, username: user, clientId };
    const page = library === 'js' ? new ScriptPage(await connect(options)) : await openRaw(options);
    return Object.assign(page, { clientId, version: options.version, kind, user });
}
