// SPDX-License-Identifier: Apache-2.0
// backend.mjs - the backend's two connections: one that publishes and commands, and one that hears
// all that is retained, every incident and every presence.
import { backend } from '../broker/lib/exam.mjs';
import { sign } from '../broker/lib/keys.mjs';
import { connect } from '../broker/lib/client.mjs';

export function openPublisher(broker) {
    return backend(broker, { version: 5 });
}

function parsed(payload) {
    try {
        return JSON.parse(payload.toString());
    } catch {
        return undefined;
    }
}

export class Ear {
    retained = new Map(); // topic: what a late comer would be sent; nothing where it was cleared
    strangers = []; // what students published, if any of it came through
    #incidents = new Map(); // evaluation/user: list
    #client;

    async open(broker) {
        const claims = { sub: 'ear', role: 'service', iss: 'soak', aud: ['students', 'others'] };
        this.#client = await connect({ url: broker.tcpUrl, token: await sign(claims, broker.keys.hs) });
        // The list that the library keeps would grow without end.
        this.#client.client.removeAllListeners('message');
        this.#client.client.on('message', (topic, payload) => this.#hear(topic, parsed(payload)));
        const filters = ['evaluations/+', 'evaluations/+/users/+', 'evaluations/+/presence/+', 'evaluations/+/incidents', 'users/+'];
        await this.#client.subscribe(filters, { qos: 0 }); // no window to wait for
        await this.#client.ping();
    }

    #hear(topic, json) {
        if (json?.from === 'student') {
            this.strangers.push(`${topic}: ${JSON.stringify(json)}`);
        } else if (topic.endsWith('/incidents')) {
            const key = `${json.evaluationId}/${json.userId}`;
            this.#incidents.set(key, [...(this.#incidents.get(key) ?? []), json]);
        } else if (topic.startsWith('users/')) {
            // Only here for strangers.
        } else if (json) {
            this.retained.set(topic, json);
        } else {
            this.retained.delete(topic);
        }
    }

    /** Takes what was heard of second logins of a user since the last time. */
    takeIncidents(e, user) {
        const key = `${e}/${user}`;
        const all = this.peekIncidents(e, user);
        this.#incidents.delete(key);
        return all;
    }

    peekIncidents(e, user) {
        return (this.#incidents.get(`${e}/${user}`) ?? []).filter(({ kind }) => kind === 'SECOND_LOGIN');
    }

    ping() {
        return this.#client.ping();
    }

    get closed() {
        return this.#client.closed;
    }

    discard() {
        this.#client.client.end(true);
    }

    end() {
        return this.#client.end();
    }
}

