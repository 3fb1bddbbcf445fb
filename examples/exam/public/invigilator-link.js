// SPDX-License-Identifier: Apache-2.0
// invigilator-link.js - one connection of invigilator.js, from CONNECT to its end, and how
// what comes in is read.

const CONNECT_TIMEOUT_MS = 10000;
const GOODBYE_MS = 1000;
const QOS = { qos: 1 };

function randomId() {
    const bytes = crypto.getRandomValues(new Uint8Array(12));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** What the page needs of a token; whether it is true is for the broker to say. */
export function claimsOf(token) {
    const base64 = token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/');
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const { sub, exp } = JSON.parse(new TextDecoder().decode(bytes));
    return { user: sub, expiresAt: exp };
}

/** The object in a message; undefined for an empty one, null for one that cannot be read. */
export function parse(text) {
    if (text === '') {
        return undefined;
    }
    try {
        const value = JSON.parse(text);
        return typeof value === 'object' ? value : null;
    } catch {
        return null;
    }
}

export const keyOf = (topic, text) => `${topic}\n${text}`;

/** Whether a message on the new connection did not come on the old one too. `before` is the last text
 *  of each topic before there were two, `texts` what came since. */
export function isNews({ before, texts }, { topic, text, retain }) {
    const index = texts.indexOf(keyOf(topic, text));
    if (retain) {
        return index < 0 && before.get(topic) !== text;
    }
    if (index >= 0) {
        texts.splice(index, 1);
    }
    return index < 0;
}

/** A connection. It holds back what comes in until it is released, but
 *  for urgent messages. `owner` has ready(link), message(link, message), ended(link, reason, code),
 *  and isUrgent(topic, text). */
export class Link {
    held = [];
    granted = new Set();
    isLetIn = false;
    isBlocked = false; // told so, and nothing else
    isExpired = false;
    isOver = false;
    openedAt = Date.now();

    constructor(owner, { connect, url, keepalive, token, claims, topics, probe }) {
        Object.assign(this, { owner, ...claims, topics, probe });
        this.client = connect(url, {
            clientId: `${this.user}:${randomId()}`,
            username: this.user,
            password: token,
            keepalive,
            protocolVersion: 4,
            clean: true,
            reconnectPeriod: 0, // each connection has a token of its own, so it is a client of its own
            connectTimeout: CONNECT_TIMEOUT_MS,
        });
        this.client.on('connect', () => this.subscribe(topics, () => owner.ready(this)));
        this.client.on('message', (topic, payload, { retain }) => this.#take(topic, payload, retain));
        this.client.on('error', (error) => this.#onError(error));
        this.client.on('close', () => this.#end('closed'));
    }

    get age() {
        return Date.now() - this.openedAt;
    }

    /** A connection that is only let in to be told something is refused every topic. */
    subscribe(topics, done = () => {}) {
        this.client.subscribe(topics, QOS, (error, granted, packet) => {
            const codes = (packet ?? error?.packet)?.granted;
            if (this.isOver || !codes) {
                return;
            }
            topics.filter((topic, i) => codes[i] < 0x80).forEach((topic) => this.granted.add(topic));
            this.isLetIn = this.granted.has(this.probe);
            done();
        });
    }

    /** Calls back once nothing more will come in. */
    drain(done) {
        this.client.unsubscribe(this.topics, () => done());
    }

    /** Calls back once all has come in that the broker had sent before. */
    roundTrip(done) {
        this.client.unsubscribe(`${this.probe}/none`, () => done());
    }

    release() {
        const { held } = this;
        this.held = null;
        return held ?? [];
    }

    /** Resolves when it is closed. */
    close() {
        this.isOver = true;
        this.client.end(!this.client.connected);
        // A network that says nothing does not take the goodbye either.
        return new Promise((resolve) => {
            const timer = setTimeout(() => {
                this.client.stream.destroy();
                resolve();
            }, GOODBYE_MS);
            this.client.once('close', () => {
                clearTimeout(timer);
                resolve();
            });
        });
    }

    /** Nothing more comes of it: the broker need not be waited for to close it. */
    expire() {
        this.isExpired = true;
        this.#end('closed');
    }

    #take(topic, payload, retain) {
        const message = { topic, text: new TextDecoder().decode(payload), retain };
        if (this.isOver) {
            return;
        }
        if (this.held && !this.owner.isUrgent(message)) {
            this.held.push(message);
        } else {
            this.owner.message(this, message);
        }
    }

    #onError(error) {
        if (error.message === 'Keepalive timeout') {
            this.#end('timeout');
        } else if (typeof error.code === 'number' && !this.client.connected) {
            this.#end('refused', error.code);
        }
    }

    // Not when the socket says that it has closed: after a silent loss that can take minutes.
    #end(reason, code) {
        if (!this.isOver) {
            this.isOver = true;
            this.client.end(true);
            this.owner.ended(this, reason, code);
        }
    }
}
