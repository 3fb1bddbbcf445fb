// SPDX-License-Identifier: Apache-2.0
// student.mjs - one student: the pages that are open, and all that may be true by what was answered.
// A request that was not answered before the broker died may have been carried out or not: then
// there are two possibilities, until an answer rules one out.
import { isDeepStrictEqual } from 'node:util';
import { evaluationTopic, userTopic } from '../broker/lib/exam.mjs';
import { makeRandom } from '../broker/lib/examinee.mjs';
import { checkAnswers, checkPages, watchLeaving } from './checks.mjs';
import { choose } from './course.mjs';
import { close, login } from './requests.mjs';
import * as rules from './rules.mjs';
import { Fault } from './world.mjs';

export const EPOCH = Math.floor(Date.now() / 1000) - 1000000; // login times count from here
const SESSIONS_MAX = 220; // below the 256 that are kept of a user
const HISTORY_MAX = 60;

function withoutDoubles(states) {
    return states.length < 2
        ? states
        : states.filter((state, i) => !states.slice(0, i).some((other) => isDeepStrictEqual(other, state)));
}

export class Student {
    pages = []; // open, with rights: { n, isIn, ... }
    leaving = new Set(); // pages that have lost them, and wait to be told and closed
    history = [];
    newest = 0; // numbers given out
    oldest = 1;
    said = 0;
    expectedIncidents = [0, 0];
    pending = null;

    constructor(world, evaluation, user, seed) {
        Object.assign(this, { world, evaluation, e: evaluation.id, user, rng: makeRandom(seed) });
        const state = rules.start(this.rng.chance(0.5));
        this.possible = [{ ...state, phase: evaluation.number, word: evaluation.word }];
        this.before = this.possible;
    }

    sid(n) {
        return `sid-${this.user}-${n}`;
    }

    get isFull() {
        return this.newest - this.oldest >= SESSIONS_MAX;
    }

    get topics() {
        const { user } = this;
        return { all: evaluationTopic(this.e), own: userTopic(this.e, user), user: `users/${user}` };
    }

    always(holds) {
        return this.possible.every(holds);
    }

    /** Known sessions that are certainly such. */
    numbers(wanted = () => true) {
        const all = new Set(this.possible.flatMap(({ sessions }) => Object.keys(sessions).map(Number)));
        return [...all].filter((n) => this.always((state) => wanted(state.sessions[n])));
    }

    openOf(n) {
        return this.pages.filter((page) => page.n === n && page.isOpen);
    }

    isOpen() {
        const open = new Set(this.pages.map(({ n }) => n));
        return (n) => open.has(n);
    }

    note(text) {
        this.history.push(`${new Date().toISOString().slice(11, 23)} ${text}`);
        this.history.splice(0, this.history.length - HISTORY_MAX);
    }

    fail(kind, what) {
        throw new Fault(kind, `${this.user} in ${this.e}: ${what}`);
    }

    /** The history, and what was held possible, for who reads of a fault. */
    get events() {
        const brief = (state) => JSON.stringify({ ...state, sessions: Object.fromEntries(Object.entries(state.sessions).slice(-8)) });
        return [...this.history, ...this.possible.map((state) => `possible: ${brief(state)}`)];
    }

    keep(states, kind, what) {
        if (states.length === 0) {
            this.fail(kind, what());
        }
        this.possible = withoutDoubles(states);
    }

    // -- Asking, and what the answer leaves possible --

    settle(request, answer) {
        const left = [];
        const incidents = [];
        for (const state of this.possible) {
            const [next, expected, count = [0, 0]] = request.apply(state);
            if (rules.isAnswer(expected, answer)) {
                if (expected === 'EITHER') {
                    next.sessions[request.n] = answer;
                }
                left.push(next);
                incidents.push(count);
            }
        }
        this.note(`${request.text}: ${answer}`);
        this.before = this.possible;
        this.keep(left, 'unexpected answer', () => `${request.text} was answered with ${answer}`);
        this.expectedIncidents = [Math.min(...incidents.map(([least]) => least)), Math.max(...incidents.map(([, most]) => most))];
        this.endPages();
    }

    /** Pages whose session has ended have lost their rights in this moment. */
    endPages() {
        for (const page of this.pages.filter(({ n }) => !this.always(({ sessions }) => sessions[n] === 'CURRENT'))) {
            const { sessions } = this.possible[0];
            this.leave(page, sessions[page.n] === 'REVOKED' ? 'REVOKED' : 'SUPERSEDED');
        }
    }

    leave(page, reason) {
        this.pages = this.pages.filter((other) => other !== page);
        const { generation, isDying } = this.world;
        Object.assign(page, { reason, lastPhase: this.evaluation.number, generation, isExcused: isDying });
        this.leaving.add(page);
        watchLeaving(this, page).catch((error) => {
            this.world.report.fault(error.kind ?? 'other', error.message, this.events);
        }).finally(() => this.leaving.delete(page));
    }

    /** Carries a request out and checks what follows. Resolves to false when the broker died. */
    async ask(request) {
        this.pending = request;
        this.world.ear.takeIncidents(this.e, this.user);
        const answer = await this.world.orDeath(request.perform().then((text) => ({ text })));
        if (answer === undefined) {
            return false;
        }
        this.pending = null;
        this.settle(request, answer.text);
        this.world.report.count(`answers ${answer.text}`);
        return this.afterwards(request);
    }

    async afterwards(request) {
        const checks = checkAnswers(this).then(() => checkPages(this)).then(() => request.after?.()).then(() => true);
        return Boolean(await this.world.orDeath(checks));
    }

    step() {
        return this.ask(choose(this));
    }

    /** A message about everybody was taken. */
    async heardPhase(request) {
        this.pending = null;
        this.world.ear.takeIncidents(this.e, this.user);
        this.settle(request, 'TAKEN');
        await this.afterwards(request);
    }

    // -- After the death of the broker --

    bury() {
        const request = this.pending;
        if (request) {
            const done = this.possible.map((state) => request.apply(state)[0]);
            const isShown = this.isShown(request);
            this.note(`${request.text}: no answer${isShown ? ', but it was done' : ''}`);
            this.possible = withoutDoubles(isShown ? done : [...this.possible, ...done]);
        }
        this.pending = null;
        this.pages.splice(0).forEach((page) => page.vanish());
        this.note('-- the broker died --');
    }

    /** Whoever was told something, or let in, can hold the broker to it. */
    isShown(request) {
        const isTold = this.pages.some((page) => page.messages.some(({ json }) => json?.type === 'SESSION_INVALIDATED'));
        return isTold || request.isEntered || this.world.ear.peekIncidents(this.e, this.user).length > 0;
    }

    /** What a late comer is sent is the last that was taken, with the access that counts. */
    fitsRetained(state) {
        const { retained } = this.world.ear;
        const [all, own] = [retained.get(this.topics.all), retained.get(this.topics.own)];
        return (all?.version ?? 0) === state.phase && (all?.phase ?? null) === state.word && own?.access === rules.ownAccess(state) &&
            (own?.version ?? 0) === state.said;
    }

    async checkRetained() {
        const { retained } = this.world.ear;
        await this.world.until(() => this.possible.some((state) => this.fitsRetained(state)), 'wrong state', () =>
            `retained is ${JSON.stringify([retained.get(this.topics.all), retained.get(this.topics.own)])}`);
        this.keep(this.possible.filter((state) => this.fitsRetained(state)), 'wrong state', () => 'never');
    }

    /** After a restart. Whoever tries first: the bound or current session gets in, the others are told
     *  what they were. */
    async check() {
        await this.checkRetained();
        const open = this.numbers().filter((n) => this.possible.some(({ sessions }) => !/^(SUPERSEDED|REVOKED)$/.test(sessions[n])));
        const ended = this.rng.shuffle(this.numbers((what) => /^(SUPERSEDED|REVOKED)$/.test(what)).slice(-8)).slice(0, 2);
        for (const n of this.rng.shuffle([...open, ...ended])) {
            await this.ask(login(this, n));
        }
        await checkAnswers(this);
    }

    async goHome() {
        for (const page of [...this.pages]) {
            await this.ask(close(this, page, false));
        }
    }
}
