// SPDX-License-Identifier: Apache-2.0
// client.mjs - MQTT.js with promises: connect, subscribe, publish, and what came in.
import { randomBytes } from 'node:crypto';
import mqtt from 'mqtt';
import { Inbox, within } from './wait.mjs';

function userOf(token) {
    try {
        return JSON.parse(Buffer.from(token.split('.')[1], 'base64url')).sub;
    } catch {
        return undefined;
    }
}

function optionsOf({ url, version, token, username, password, clientId, ...rest }) {
    const name = username === undefined && token ? userOf(token) : username;
    const options = {
        protocolVersion: version,
        username: name ?? undefined,
        password: token ?? password,
        clientId: clientId ?? `${name}:${randomBytes(6).toString('hex')}`,
        keepalive: 30,
        clean: true,
        reconnectPeriod: 0,
        connectTimeout: 20000,
        ...rest,
    };
    // MQTT.js takes the port and host from the URL alone.
    return [url, options];
}

function messageOf(topic, payload, packet) {
    const text = payload.toString();
    let json;
    try {
        json = JSON.parse(text);
    } catch {
        json = undefined;
    }
    const { qos, retain, properties } = packet;
    return { topic, text, json, payload, qos, retain, properties };
}

function matcher(filter) {
    if (filter === undefined) {
        return () => true;
    }
    if (typeof filter === 'function') {
        return filter;
    }
    if (filter instanceof RegExp) {
        return (message) => filter.test(message.topic);
    }
    return (message) => message.topic === filter;
}

/** One connection. `messages` holds all that came, `disconnectCode` the reason of a v5 DISCONNECT,
 *  `closed` resolves to that code (undefined without one) when the connection has ended, and rejects
 *  when that takes over half a minute from the moment it was asked for. */
class Client {
    #inbox = new Inbox();
    #closed;
    messages = this.#inbox.all;
    disconnectCode = undefined;
    connack = undefined;

    constructor(client) {
        this.client = client;
        this.clientId = client.options.clientId;
        client.on('message', (...args) => this.#inbox.add(messageOf(...args)));
        client.on('packetreceive', (packet) => {
            if (packet.cmd === 'disconnect') {
                this.disconnectCode = packet.reasonCode;
            }
        });
        client.on('error', () => {});
        this.#closed = new Promise((resolve) => {
            client.once('close', () => {
                this.#inbox.close(new Error(`${this.clientId}: the connection has ended`));
                resolve(this.disconnectCode);
            });
        });
    }

    get closed() {
        return within(30000, `the end of ${this.clientId}`, this.#closed);
    }

    get isOpen() {
        return this.client.connected;
    }

    /** The next message not taken yet: by topic, by a RegExp on the topic, or by a function. */
    nextMessage(filter, options = {}) {
        const what = () =>
            `a message (${filter}) at ${this.clientId}; came: ` +
            JSON.stringify(this.messages.map(({ topic, text }) => [topic, text]));
        return this.#inbox.take(matcher(filter), { what, ...options });
    }

    /** Resolves to the granted codes, one for each filter; 128 and above are refusals. */
    subscribe(filters, options = { qos: 1 }) {
        const answer = new Promise((resolve, reject) => {
            this.client.subscribe(filters, options, (error, granted, packet) => {
                const suback = packet ?? error?.packet;
                if (suback?.granted) {
                    resolve([...suback.granted]);
                } else {
                    reject(error ?? new Error('no SUBACK'));
                }
            });
        });
        return within(5000, `the SUBACK of ${filters}`, answer);
    }

    /** Publishes a text, bytes, or an object as JSON. Resolves to the reason code of the
     *  acknowledgement, 0 where there is none to give. */
    publish(topic, payload, options = { qos: 1 }) {
        const isPlain = typeof payload === 'string' || Buffer.isBuffer(payload);
        const text = isPlain ? payload : JSON.stringify(payload);
        const answer = new Promise((resolve, reject) => {
            this.client.publish(topic, text, options, (error, packet) => {
                if (error && error.code === undefined) {
                    reject(error);
                } else {
                    resolve(error?.code ?? packet?.reasonCode ?? 0);
                }
            });
        });
        return within(5000, `the acknowledgement of ${topic}`, answer);
    }

    /** A round trip: whatever the broker had sent before has arrived after it. */
    async ping() {
        const answer = new Promise((resolve) => {
            const onPacket = (packet) => {
                if (packet.cmd === 'pingresp') {
                    this.client.off('packetreceive', onPacket);
                    resolve();
                }
            };
            this.client.on('packetreceive', onPacket);
        });
        this.client._sendPacket({ cmd: 'pingreq' });
        await within(5000, `a PINGRESP to ${this.clientId}`, Promise.race([answer, this.#closed]));
    }

    /** Says goodbye; `force` cuts the connection without a DISCONNECT packet. */
    async end(force = false) {
        if (force) {
            this.client.stream.destroy();
        }
        await this.client.endAsync(force);
    }
}

function refusal(error, code) {
    return Object.assign(error, { code });
}

/** Connects with MQTT.js and no reconnecting.
 *
 *  url, version (4 or 5), token (the username is then its `sub`; null sends none), or username and
 *  password; clientId (default `<username>:<random>`); everything else goes to MQTT.js as it is.
 *  Resolves to a Client; rejects with an error whose `code` is CONNACK's, or undefined when the
 *  connection closed without one. */
export function connect({ version = 4, ...options }) {
    const raw = mqtt.connect(...optionsOf({ version, ...options }));
    const client = new Client(raw);
    const answer = new Promise((resolve, reject) => {
        raw.once('connect', (connack) => resolve(Object.assign(client, { connack })));
        raw.once('error', (error) => reject(refusal(error, error.code)));
        raw.once('close', () => reject(refusal(new Error('closed without CONNACK'), undefined)));
    });
    answer.catch(() => raw.end(true));
    return within(20000, `CONNACK at ${options.url}`, answer);
}
