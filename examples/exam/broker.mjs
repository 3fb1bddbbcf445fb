// SPDX-License-Identifier: Apache-2.0
// broker.mjs - the backend's own MQTT connection: publishes, sends commands, hears of incidents.
import { randomBytes } from 'node:crypto';
import mqtt from 'mqtt';
import { Refusal } from './refusal.mjs';

const SERVICE = 'exam-backend';
const CONTROL = '$CONTROL/invigilator/v1';
const ANSWER_MS = 5000;

/** With a token of the role `service`. Calls back with onOnline() after each connect, and with
 *  onMessage(topic, object) for what comes on `topics`. topicPrefix is added and taken away here. */
export class Broker {
    #client;
    #prefix;
    #waiting = new Map();
    #commands = 0;

    static async open({ url, topicPrefix, topics, token, onOnline, onMessage }) {
        const broker = new Broker();
        broker.#prefix = topicPrefix;
        broker.#client = mqtt.connect(url, {
            protocolVersion: 5, // there a refused publish is an error
            clientId: `${SERVICE}:${randomBytes(6).toString('hex')}`,
            username: SERVICE,
            password: await token(SERVICE),
            clean: true,
            reconnectOnConnackError: true,
        });
        const client = broker.#client;
        // Until the next attempt, a second from now, there is a new token: the old one may have run out.
        client.on('close', async () => { client.options.password = await token(SERVICE); });
        client.on('error', (error) => console.error(`exam: broker: ${error.message || error.code}`));
        client.on('message', (topic, payload) => broker.#take(topic, payload, onMessage));
        client.on('connect', () => {
            client.subscribe(topics.map((topic) => topicPrefix + topic), { qos: 1 });
            onOnline();
        });
        return broker;
    }

    #take(topic, payload, onMessage) {
        const message = payload.length > 0 ? JSON.parse(payload) : undefined;
        if (topic !== `${CONTROL}/response`) {
            onMessage(topic.slice(this.#prefix.length), message);
        }
        for (const { correlationData, error, data } of message?.responses ?? []) {
            this.#waiting.get(correlationData)?.(error, data);
        }
    }

    /** Retained, with QoS 1: waits in memory while the broker is away. */
    publish(topic, message) {
        this.#client.publish(this.#prefix + topic, JSON.stringify(message), { qos: 1, retain: true }, (error) => {
            if (error) {
                console.error(`exam: ${topic}: ${error.message}`);
            }
        });
    }

    /** Resolves to the answer's data. */
    command(command, members) {
        const correlationData = String(++this.#commands);
        const answer = new Promise((resolve, reject) => {
            const timer = setTimeout(() => reject(new Refusal(502, 'the broker does not answer')), ANSWER_MS);
            this.#waiting.set(correlationData, (error, data) => {
                clearTimeout(timer);
                if (error) {
                    reject(new Refusal(409, error));
                } else {
                    resolve(data);
                }
            });
        });
        const text = JSON.stringify({ commands: [{ command, ...members, correlationData }] });
        this.#client.publish(CONTROL, text, { qos: 1 });
        return answer.finally(() => this.#waiting.delete(correlationData));
    }

    close() {
        return this.#client.endAsync();
    }
}
