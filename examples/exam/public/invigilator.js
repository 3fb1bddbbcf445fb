// SPDX-License-Identifier: Apache-2.0
// invigilator.js - follows evaluations over MQTT: one object for a page, events instead of polling.
// Needs MQTT.js, and invigilator-link.js beside it. Types, and what each event means, are in
// invigilator.d.ts.
import mqtt from 'mqtt';
import { claimsOf, isNews, keyOf, Link, parse } from './invigilator-link.js';

const RETRY_MIN_MS = 1000;
const RETRY_MAX_MS = 10000;
const STEADY_MS = 5000; // a connection that ends before that does not make the next wait short again
const TOKEN_TIMEOUT_MS = 10000;

const DEFAULTS = { evaluations: [], topics: [], topicPrefix: '', keepalive: 20, blockedRetry: 15 };

/** Between half of it and all of it, so that a hall does not come back in one second. */
const jittered = (ms) => ms * (0.5 + Math.random() / 2);

function limited(ms, promise) {
    let timer;
    const limit = new Promise((resolve, reject) => {
        timer = setTimeout(() => reject(new Error('no answer in time')), ms);
    });
    return Promise.race([promise, limit]).finally(() => clearTimeout(timer));
}

export class Invigilator {
    #options;
    #listeners = new Map();
    #isRunning = false;
    #run = 0; // counts starts and stops: what was begun before one is void after it
    #link = null;
    #next = null; // the connection that will take the place of #link
    #timer = null;
    #renewTimer = null;
    #attempts = 0;
    #hasHurried = false;
    #status = null; // 'online', or the reason of the last offline event
    #states = new Map();
    #lastText = new Map();
    #window = null; // what #link received since #next was opened
    #seen = null; // the same of the connection before, while it may still come on this one
    #network = () => this.#timer && this.#retry(0);

    constructor(options) {
        this.#options = { ...DEFAULTS, connect: mqtt.connect, ...options };
    }

    on(name, listener) {
        const listeners = this.#listeners.get(name) ?? new Set();
        this.#listeners.set(name, listeners.add(listener));
        return () => listeners.delete(listener);
    }

    start() {
        if (!this.#isRunning) {
            this.#isRunning = true;
            this.#run++;
            this.#states = new Map(this.#options.evaluations.map((e) => [e, {}]));
            this.#attempts = 0;
            this.#hasHurried = false;
            globalThis.addEventListener?.('online', this.#network);
            this.#open();
        }
    }

    async stop() {
        if (!this.#isRunning) {
            return;
        }
        this.#isRunning = false;
        this.#run++;
        globalThis.removeEventListener?.('online', this.#network);
        clearTimeout(this.#timer);
        clearTimeout(this.#renewTimer);
        this.#timer = this.#renewTimer = null;
        const closed = [this.#link, this.#next].map((link) => link?.close());
        this.#link = this.#next = this.#window = this.#seen = null;
        this.#lastText.clear();
        this.#offline('stopped');
        await Promise.all(closed);
    }

    #emit(name, event = {}) {
        for (const listener of this.#listeners.get(name) ?? []) {
            try {
                listener(event);
            } catch (error) {
                queueMicrotask(() => { throw error; }); // theirs, and not to stop what goes on here
            }
        }
    }

    #offline(reason) {
        if (this.#status !== reason) {
            this.#status = reason;
            this.#emit('offline', { reason });
        }
    }

    // --- connections -----------------------------------------------------------------------------

    #topic(name) {
        return this.#options.topicPrefix + name;
    }

    #topics(user) {
        const { evaluations, topics } = this.#options;
        const own = evaluations.flatMap((e) => [`evaluations/${e}`, `evaluations/${e}/users/${user}`]);
        return [`users/${user}`, ...own, ...topics].map((name) => this.#topic(name));
    }

    /** Resolves to the token and what it says; to null when a start or stop came in between. */
    async #token() {
        const run = this.#run;
        let answer;
        try {
            const token = await limited(TOKEN_TIMEOUT_MS, this.#options.fetchToken());
            answer = { token, claims: claimsOf(token) };
        } catch {
            answer = {};
        }
        return run === this.#run ? answer : null;
    }

    #connect({ token, claims }) {
        const { user } = claims;
        return new Link(this.#owner, {
            ...this.#options, token, claims, topics: this.#topics(user), probe: this.#topic(`users/${user}`),
        });
    }

    async #open() {
        const answer = await this.#token();
        if (answer?.token) {
            this.#link = this.#connect(answer);
        } else if (answer) {
            this.#offline('token');
            this.#backOff();
        }
    }

    #retry(ms) {
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => {
            this.#timer = null;
            this.#open();
        }, ms);
    }

    #wait() {
        return jittered(Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** this.#attempts++));
    }

    #backOff() {
        this.#retry(this.#wait());
    }

    /** At once, with a newer token; the second time in a row it is no use to hurry. */
    #hurry() {
        if (this.#hasHurried) {
            this.#backOff();
        } else {
            this.#hasHurried = true;
            this.#retry(0);
        }
    }

    #owner = {
        isUrgent: ({ topic, text }) => topic.startsWith(this.#topic('users/')) &&
            parse(text)?.type === 'SESSION_INVALIDATED',
        ready: (link) => (link === this.#next ? this.#swap() : link === this.#link && this.#ready(link)),
        message: (link, message) => link === this.#link
            ? this.#receive(link, message)
            : this.#owner.isUrgent(message) && this.#route(link, message),
        ended: (link, reason, code) => {
            if (link === this.#link) {
                this.#ended(link, reason, code);
            } else if (link === this.#next) {
                this.#next = this.#window = null;
                this.#renewLater(this.#wait());
                if (reason === 'refused') {
                    this.#emit('refused', { code });
                }
            }
        },
    };

    #ready(link) {
        if (link.isLetIn) {
            this.#status = 'online';
            this.#emit('online');
            this.#tellUnlisted(link);
        }
        link.release().forEach((message) => link === this.#link && this.#receive(link, message));
    }

    /** Who is not on the list, and of whom nothing was ever said, is refused the one topic and finds
     *  nothing on the other. */
    #tellUnlisted({ granted, held, user }) {
        for (const evaluationId of this.#states.keys()) {
            const own = this.#topic(`evaluations/${evaluationId}/users/${user}`);
            if (!granted.has(this.#topic(`evaluations/${evaluationId}`)) &&
                !held.some(({ topic }) => topic === own)) {
                this.#emit('access', { evaluationId });
            }
        }
    }

    #ended(link, reason, code) {
        link.release().forEach((message) => link === this.#link && this.#receive(link, message));
        if (link !== this.#link) {
            return; // a message ended it all
        }
        if (this.#next?.isLetIn) {
            this.#finishSwap();
            return;
        }
        this.#link = this.#seen = null;
        if (link.isLetIn && link.age > STEADY_MS) {
            this.#attempts = 0;
            this.#hasHurried = false;
        }
        if (link.isBlocked && !link.isLetIn) {
            this.#attempts = 0;
            this.#status = 'blocked'; // nothing is lost: it was turned away
            this.#retry(jittered(this.#options.blockedRetry * 1000));
            return;
        }
        const run = this.#run;
        this.#offline(reason === 'refused' ? 'closed' : reason);
        if (reason === 'refused') {
            this.#emit('refused', { code });
        }
        if (run === this.#run) { // no listener has stopped it
            this.#again(link, reason);
        }
    }

    #again(link, reason) {
        if (this.#next) { // on its way already
            this.#link = this.#next;
            this.#next = this.#window = null;
        } else if (reason === 'refused' || link.isExpired) {
            this.#hurry();
        } else {
            this.#backOff();
        }
    }

    // --- renewal ---------------------------------------------------------------------------------

    #renewLater(ms) {
        clearTimeout(this.#renewTimer);
        this.#renewTimer = setTimeout(() => this.#renew(), ms);
    }

    async #renew() {
        const link = this.#link;
        const answer = this.#next || !link ? null : await this.#token();
        if (!answer || link !== this.#link) {
            return;
        }
        if (answer.token && answer.claims.user === link.user && answer.claims.expiresAt > link.expiresAt) {
            this.#window = { before: new Map(this.#lastText), texts: [] };
            this.#next = this.#connect(answer);
        } else {
            this.#renewLater(this.#wait());
        }
    }

    /** Both connections are subscribed. What comes on both is taken from the old one until the broker
     *  has said that nothing more will come on it, and then from the new one. That may lag behind: what
     *  came on the old one is not taken again until the broker has answered on the new one too. */
    #swap() {
        const [old, next] = [this.#link, this.#next];
        if (next.isLetIn) { // else it will be told why, and end
            old.drain(() => old === this.#link && next === this.#next && this.#finishSwap());
        }
    }

    #finishSwap() {
        const [old, next, seen] = [this.#link, this.#next, this.#window];
        this.#next = this.#window = null;
        this.#link = next;
        this.#seen = seen;
        this.#attempts = 0;
        old.close();
        next.release().forEach((message) => next === this.#link && this.#receive(next, message));
        next.roundTrip(() => {
            this.#seen = this.#seen === seen ? null : this.#seen;
        });
    }

    // --- messages --------------------------------------------------------------------------------

    #receive(link, { topic, text, retain }) {
        if (this.#seen && !isNews(this.#seen, { topic, text, retain })) {
            return;
        }
        this.#lastText.set(topic, text);
        this.#window?.texts.push(keyOf(topic, text));
        this.#route(link, { topic, text });
    }

    #route(link, { topic, text }) {
        const message = parse(text);
        const prefix = this.#options.topicPrefix;
        if (message === null || !topic.startsWith(prefix)) {
            return;
        }
        const name = topic.slice(prefix.length);
        const [kind, id, what, who, ...more] = name.split('/');
        if (kind === 'evaluations' && what === undefined) {
            this.#phase(id, message);
        } else if (kind === 'evaluations' && what === 'users' && who === link.user && more.length === 0) {
            this.#access(link, id, message);
        } else if (kind === 'users' && message?.type === 'SESSION_INVALIDATED') {
            this.#invalidated(link, message);
        } else if (kind === 'users' && message?.type === 'SESSION_EXPIRING') {
            this.#expiring(link, message);
        } else {
            this.#emit('message', { topic: name, message });
        }
    }

    #state(evaluationId) {
        const state = this.#states.get(evaluationId) ?? {};
        this.#states.set(evaluationId, state);
        return state;
    }

    #phase(evaluationId, message) {
        const { phase, startAt, endAt } = message ?? {};
        this.#emit('phase', { evaluationId, phase, startAt, endAt, message });
        this.#end(evaluationId, { common: endAt ?? undefined });
    }

    #access(link, evaluationId, message) {
        const { access, status, endAt, reason, at } = message ?? {};
        const topic = this.#topic(`evaluations/${evaluationId}`);
        if (access === 'BLOCKED' && !link.isLetIn) {
            link.isBlocked = true;
        } else if (access === 'ALLOWED' && link.isLetIn && !link.granted.has(topic)) {
            link.subscribe([topic]); // it was refused before
        }
        this.#emit('access', { evaluationId, access, status, message });
        if (access === 'BLOCKED') {
            this.#emit('blocked', { evaluationId, reason, at });
        }
        if (link.isLetIn) { // else it is no full state
            this.#end(evaluationId, { own: endAt ?? undefined });
        }
    }

    #end(evaluationId, change) {
        const state = Object.assign(this.#state(evaluationId), change);
        const now = { endAt: state.own ?? state.common, own: state.own !== undefined };
        if (now.endAt !== state.told?.endAt || now.own !== (state.told?.own ?? false)) {
            state.told = now;
            this.#emit('endAt', { evaluationId, ...now });
        }
    }

    #invalidated(link, { reason }) {
        const isCurrent = link === this.#link;
        this.#emit('invalidated', { reason });
        if (reason !== 'EXPIRED') {
            this.stop();
        } else if (isCurrent && link === this.#link) {
            link.expire();
        }
    }

    #expiring(link, { expiresAt }) {
        const left = Math.max(0, Date.parse(expiresAt) - Date.now());
        this.#emit('expiring', { expiresAt });
        if (link === this.#link) {
            // A token that is short of life from the start must not make one renewal after the other.
            this.#renewLater(link.age < STEADY_MS ? Math.min(STEADY_MS, left / 2) : 0);
        }
    }
}
