// SPDX-License-Identifier: Apache-2.0
// examinee.mjs - one student in an exam of its own, who does things at random, and all that may be
// true of it by what was answered. A request that was not answered before the broker died may have
// been carried out or not: then there are two possibilities, until an answer rules one out.
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import {
    accessUpdate, command, evaluationTopic, fingerprint, login, newId, phaseUpdate, RETAINED, tryCommand, userTopic,
} from './exam.mjs';
import * as model from './model.mjs';

const EPOCH = Math.floor(Date.now() / 1000) - 100000; // login times count from here
const SESSIONS_MAX = 40;

/** Numbers from 0 to 1 by a seed (mulberry32). */
export function makeRandom(seed) {
    let state = seed >>> 0;
    const random = () => {
        state = (state + 0x6D2B79F5) >>> 0;
        let t = Math.imul(state ^ (state >>> 15), state | 1);
        t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
        return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
    const below = (count) => Math.floor(random() * count);
    const shuffle = (list) => list.map((item) => [random(), item]).sort(([a], [b]) => a - b).map(([, item]) => item);
    return { random, below, chance: (p) => random() < p, pick: (list) => list[below(list.length)], shuffle };
}

function withoutDoubles(states) {
    return states.filter((state, i) => !states.slice(0, i).some((other) => isDeepStrictEqual(other, state)));
}

export class Examinee {
    e = newId('exam');
    user = newId('student');
    possible = [model.START];
    history = [];
    #pages = []; // { n, client, isIn }
    #pending = null;
    #newest = 0; // numbers given out
    #oldest = 1;
    #phase = 0;
    #said = 0;

    constructor(world, seed) {
        this.world = world;
        this.rng = makeRandom(seed);
    }

    sid(n) {
        return `sid-${this.user}-${n}`;
    }

    isFull() {
        return this.#newest > SESSIONS_MAX;
    }

    #always(holds) {
        return this.possible.every(holds);
    }

    #numbers(wanted = () => true) {
        const all = new Set(this.possible.flatMap(({ sessions }) => Object.keys(sessions).map(Number)));
        return [...all].filter((n) => this.#always((state) => wanted(state.sessions[n])));
    }

    // -- Requests: what is asked, what the model says of it, and what shows that it was done --

    #login(n) {
        const request = { text: `login ${n}`, apply: (state) => model.login(state, n), isEntered: false };
        request.perform = async () => {
            const claims = { sub: this.user, sid: this.sid(n), auth_time: EPOCH + n, evaluations: [this.e] };
            const options = { url: this.world.broker.tcpUrl, version: this.rng.pick([4, 5]) };
            const client = await this.world.connecting(() => login(this.world.broker, claims, options));
            const page = { n, client, isIn: false };
            request.isEntered = !this.world.isGrouping; // recorded, whatever came of it
            this.#pages.push(page);
            const [code] = await client.subscribe([`users/${this.user}`]);
            page.isIn = code < 0x80;
            if (page.isIn) {
                await this.world.settle();
                request.isEntered = true;
                return 'IN';
            }
            const { json } = await client.nextMessage();
            request.isEntered = true;
            await client.end(true);
            return json.type === 'SESSION_INVALIDATED' ? json.reason : json.access;
        };
        // Two requests of the fingerprint's session make one incident: it shows the first.
        request.isShown = () => request.isEntered || this.world.heard(`evaluations/${this.e}/incidents`)
            .some(({ json }) => json.refusedSession === fingerprint(this.sid(n)));
        return request;
    }

    #command(text, name, members, apply) {
        const perform = async () => {
            const { data, error } = await tryCommand(this.world.publisher, name, { userId: this.user, ...members });
            return error ? 'ERROR' : data.bound ? 'HELD' : 'DONE';
        };
        return { text, apply, perform, isShown: () => false };
    }

    #invalidateSession(n) {
        return this.#command(`invalidateSession ${n}`, 'invalidateSession', { sessionId: this.sid(n) },
            (state) => model.invalidateSession(state, n));
    }

    #invalidateUser(unlessBound, except) {
        const beforeNumber = this.#newest + 1;
        const members = {
            before: EPOCH + beforeNumber, unlessBound, ...(except === undefined ? {} : { exceptSessionId: this.sid(except) }),
        };
        return this.#command(`invalidateUser ${JSON.stringify(members)}`, 'invalidateUser', members,
            (state) => model.invalidateUser(state, { beforeNumber, except, unlessBound }));
    }

    /** How a session is named: by id or fingerprint, as null, or not at all. */
    #naming(named) {
        if (named === undefined) {
            return {};
        }
        const sid = named === null ? null : this.sid(named);
        return { sessionId: named !== null && this.rng.chance(0.5) ? fingerprint(sid) : sid };
    }

    #unblock(named) {
        return this.#command(`unblock ${named}`, 'unblock', { evaluationId: this.e, ...this.#naming(named) },
            (state) => model.unblock(state, named));
    }

    #publish(text, topic, payload, apply) {
        const perform = async () => {
            const code = await this.world.publisher.publish(topic, payload, RETAINED);
            return code < 0x80 ? 'TAKEN' : 'REFUSED';
        };
        const isShown = () => this.world.heard(topic).some(({ json }) => json.version === payload.version && !json.by);
        return { text, apply, perform, isShown };
    }

    #setPhase(number, isStrict) {
        const isOpen = this.#openPages(); // as it is now
        const payload = phaseUpdate(this.e, isStrict ? 'IN_PROGRESS' : this.rng.pick(['REGISTRATION', 'GRADING']), { version: number });
        return this.#publish(`phase ${number} ${payload.phase}`, evaluationTopic(this.e), payload,
            (state) => model.setPhase(state, number, isStrict, isOpen));
    }

    #say(number, lifts) {
        const more = lifts ? { unblock: lifts.named === undefined ? true : undefined, ...this.#naming(lifts.named) } : {};
        const payload = accessUpdate(this.e, this.user, 'ALLOWED', { version: number, ...more });
        return this.#publish(`say ${number} ${JSON.stringify(more)}`, userTopic(this.e, this.user), payload,
            (state) => model.say(state, number, lifts));
    }

    #openPages() {
        const open = new Set(this.#pages.filter(({ isIn, client }) => isIn && client.isOpen).map(({ n }) => n));
        return (n) => open.has(n);
    }

    // -- Choosing one --

    #chooseNamed() {
        const named = this.#numbers((what) => ['CURRENT', 'TURNED_AWAY', 'SUPERSEDED'].includes(what));
        return this.rng.chance(0.5) || named.length === 0 ? this.rng.pick([undefined, undefined, null]) : this.rng.pick(named.slice(-4));
    }

    // What the contract does not say is not asked: revoking the bound session of one who is blocked.
    #chooseRevoked() {
        const mayBe = (n) => this.#always(({ isBlocked, bound }) => !isBlocked || bound !== n);
        return this.rng.pick([...this.#numbers().slice(-4), this.#newest + 1].filter(mayBe));
    }

    #choose() {
        const { rng } = this;
        const known = this.#numbers();
        const kinds = [
            [30, () => this.#login(++this.#newest)],
            [25, () => this.#login(known.length > 0 ? rng.pick(known.slice(-5)) : ++this.#newest)],
            [4, () => this.#login(--this.#oldest)],
            [5, () => this.#invalidateSession(this.#chooseRevoked())],
            [2, () => this.#invalidateUser(true)],
            [2, () => this.#always(({ isBlocked }) => !isBlocked) && this.#invalidateUser(false, rng.pick([undefined, ...known]))],
            [16, () => this.#unblock(this.#chooseNamed())],
            [9, () => this.#setPhase(++this.#phase, true)],
            [6, () => this.#setPhase(++this.#phase, false)],
            [1, () => this.#phase > 1 && this.#setPhase(rng.below(this.#phase - 1), true)],
            [8, () => this.#say(++this.#said)],
            [8, () => this.#say(++this.#said, { named: this.#chooseNamed() })],
            [1, () => this.#said > 1 && this.#say(rng.below(this.#said - 1))],
        ];
        for (;;) {
            let ticket = rng.below(kinds.reduce((sum, [weight]) => sum + weight, 0));
            const [, make] = kinds.find(([weight]) => (ticket -= weight) < 0);
            const request = make();
            if (request) {
                return request;
            }
        }
    }

    // -- Asking, and what the answer leaves possible --

    #fail(what) {
        const states = this.possible.map((state) => JSON.stringify(state)).join('\n  ');
        assert.fail(`${this.user}: ${what}\n  possible was\n  ${states}\n  history\n  ${this.history.join('\n  ')}`);
    }

    #keep(states, what) {
        if (states.length === 0) {
            this.#fail(what);
        }
        this.possible = withoutDoubles(states);
    }

    #settle(request, answer) {
        const left = [];
        for (const state of this.possible) {
            const [next, expected] = request.apply(state);
            if (model.isAnswer(expected, answer)) {
                const n = Object.keys(next.sessions).find((each) => expected === 'EITHER' && `login ${each}` === request.text);
                left.push(n === undefined ? next : { ...next, sessions: { ...next.sessions, [n]: answer } });
            }
        }
        this.history.push(`${request.text}: ${answer}`);
        this.#keep(left, `${request.text} was answered with ${answer}`);
        this.#pages.forEach((page) => {
            page.isIn &&= this.#always(({ sessions }) => sessions[page.n] === 'CURRENT');
        });
    }

    /** Carries a request out. Resolves to false when the broker died before the answer. */
    async #ask(request) {
        this.#pending = request;
        this.world.markHeard(this.e);
        const answer = await this.world.orDeath(request.perform());
        if (answer === undefined) {
            return false;
        }
        this.#pending = null;
        this.#settle(request, answer);
        this.world.count(answer);
        return true;
    }

    /** Does things until the broker is to die. */
    async live() {
        while (!this.world.isDying && await this.#ask(this.#choose())) {
            // on to the next
        }
    }

    // -- After the death --

    /** The request that was not answered may have been carried out; some of it may have been heard. */
    bury() {
        const request = this.#pending;
        if (request) {
            const done = this.possible.map((state) => request.apply(state)[0]);
            const isShown = request.isShown();
            this.history.push(`${request.text}: no answer${isShown ? ', but it was done' : ''}`);
            this.#keep(isShown ? done : [...this.possible, ...done], 'never');
            this.world.count(isShown ? 'shown' : 'open');
        }
        this.#pending = null;
        this.#pages.splice(0).forEach(({ client }) => client.client.end(true));
        this.history.push('-- kill -9 --');
    }

    /** What a late comer is sent is the last that was taken, with the access that counts. */
    checkRetained(all, own) {
        const before = this.possible;
        this.history.push(`retained: ${all?.text} and ${own?.text}`);
        this.#keep(before.filter(({ phase }) => (all?.json.version ?? 0) === phase), `retained was ${all?.text}`);
        this.#keep(this.possible.filter(({ said, isBlocked }) =>
            (own?.json.version ?? 0) === said && (own?.json.access === 'BLOCKED') === isBlocked), `retained was ${own?.text}`);
    }

    /** Whoever tries first: the bound or current session gets in, the others are told what they were. */
    async check() {
        const numbers = this.rng.shuffle(this.#numbers());
        const some = numbers.filter((n) => this.possible.some(({ sessions }) => !/^(SUPERSEDED|REVOKED)$/.test(sessions[n])));
        const ended = numbers.filter((n) => !some.includes(n)).slice(0, 3);
        for (const n of this.rng.shuffle([...some, ...ended, ...(this.rng.chance(0.1) ? [--this.#oldest] : [])])) {
            await this.#ask(this.#login(n));
        }
        const { bindings, blocks } = await command(this.world.publisher, 'getUser', { userId: this.user });
        this.history.push(`getUser: ${JSON.stringify({ bindings, blocks })}`);
        this.#keep(this.possible.filter(({ bound, isBlocked }) =>
            (bindings[0]?.sessionId === (bound === null ? undefined : this.sid(bound))) && (blocks.length > 0) === isBlocked),
        'getUser disagrees');
    }
}
