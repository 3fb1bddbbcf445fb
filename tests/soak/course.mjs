// SPDX-License-Identifier: Apache-2.0
// course.mjs - what happens next: to a student, and to an evaluation.
import { RETAINED, evaluationTopic, phaseUpdate } from '../broker/lib/exam.mjs';
import * as ask from './requests.mjs';
import * as rules from './rules.mjs';
import { CONNECTIONS_MAX, Fault, Gate } from './world.mjs';

/** How a session is named where a block is lifted. */
function chooseNamed(student) {
    const { rng } = student;
    const named = student.numbers((what) => ['CURRENT', 'TURNED_AWAY', 'SUPERSEDED'].includes(what));
    return rng.chance(0.5) || named.length === 0 ? rng.pick([undefined, undefined, null]) : rng.pick(named.slice(-4));
}

// What the contract does not say is not asked: revoking the bound session of one who is blocked.
function chooseRevoked(student) {
    const mayBe = (n) => student.always(({ isBlocked, bound }) => !isBlocked || bound !== n);
    return student.rng.pick([...student.numbers().slice(-4), student.newest + 1].filter(mayBe));
}

function current(student) {
    const n = student.possible[0].current;
    return n !== null && student.always((state) => state.current === n) ? n : undefined;
}

function reload(student) {
    const n = current(student);
    if (n === undefined) {
        return undefined;
    }
    const request = ask.login(student, n);
    const page = student.openOf(n).length < CONNECTIONS_MAX ? student.pages[0] : undefined;
    const { perform } = request;
    request.text += page ? ` after ${page.clientId} has gone` : '';
    request.perform = () => {
        if (page) {
            student.pages = student.pages.filter((other) => other !== page);
            page.vanish();
            student.world.report.count('closes');
        }
        return perform();
    };
    return request;
}

/** A new session; pages that it supersedes may have stopped reading. */
function newcomer(student) {
    const n = ++student.newest;
    const willSupersede = student.always((state) => rules.login(state, n)[1] === 'IN' && state.current !== null);
    const deaf = willSupersede && student.rng.chance(0.3) ? student.pages.filter(({ kind }) => kind.startsWith('raw')) : [];
    return ask.login(student, n, { deaf });
}

function underHeldId(student) {
    const known = student.numbers().slice(-5);
    const holder = student.pages.length > 0 && student.rng.pick(student.pages);
    return holder && ask.login(student, student.rng.chance(0.3) ? ++student.newest : student.rng.pick(known), { holder });
}

function shortToken(student) {
    const n = current(student);
    if (n === undefined || student.openOf(n).length >= CONNECTIONS_MAX) {
        return undefined;
    }
    const request = ask.login(student, n, { ttl: 3 });
    request.after = () => ask.expire(student, student.pages.at(-1));
    return request;
}

function trespass(student) {
    const other = student.rng.pick(student.evaluation.students.filter((each) => each !== student));
    const page = student.pages.length > 0 && student.rng.pick(student.pages);
    return page && ask.trespass(student, page, other.user);
}

function foreignId(student) {
    const others = student.evaluation.students.filter(({ pages, user }) => pages.length > 0 && user !== student.user);
    const holder = others.length > 0 && student.rng.pick(others).pages[0];
    const ids = ['backend', `${student.user}x:1`, ...(holder ? [holder.clientId, holder.user] : [])];
    return ask.foreignId(student, Math.max(1, student.newest), student.rng.pick(ids));
}

function unblock(student) {
    const isClear = ({ access, isBlocked, sessions }) => access !== 'DENIED' &&
        (access !== 'BLOCKED' || isBlocked || !Object.values(sessions).includes('TURNED_AWAY'));
    return student.always(isClear) && ask.unblock(student, chooseNamed(student));
}

function close(student) {
    return student.pages.length > 0 && ask.close(student, student.rng.pick(student.pages), student.rng.chance(0.6));
}

const isAllowed = (student) => student.always(({ access }) => access !== 'DENIED');

const KINDS = [
    [24, reload],
    [9, (student) => current(student) && ask.login(student, current(student))],
    [9, newcomer],
    [8, (student) => student.numbers().length > 0 && ask.login(student, student.rng.pick(student.numbers().slice(-5)))],
    [1, (student) => ask.login(student, --student.oldest)],
    [4, underHeldId],
    [3, foreignId],
    [8, (student) => ask.hostile(student, Math.max(1, student.newest))],
    [2, shortToken],
    [8, close],
    [10, () => ask.look()],
    [4, trespass],
    [3, (student) => ask.invalidateSession(student, chooseRevoked(student))],
    [1, (student) => ask.invalidateUser(student, true)],
    [1, (student) => student.always(({ isBlocked }) => !isBlocked) &&
        ask.invalidateUser(student, false, student.rng.pick([undefined, ...student.numbers()]))],
    [8, unblock],
    [5, (student) => isAllowed(student) && ask.say(student, ++student.said, 'ALLOWED')],
    [5, (student) => isAllowed(student) && ask.say(student, ++student.said, 'ALLOWED', { named: chooseNamed(student) })],
    [3, (student) => ask.say(student, ++student.said, student.rng.pick(['DENIED', 'BLOCKED']))],
    [3, (student) => !isAllowed(student) && ask.say(student, ++student.said, 'ALLOWED')],
    [1, (student) => student.said > 1 && ask.say(student, student.rng.below(student.said - 1), 'ALLOWED')],
];
const WEIGHT = KINDS.reduce((sum, [weight]) => sum + weight, 0);

export function choose(student) {
    for (;;) {
        let ticket = student.rng.below(WEIGHT);
        const [, make] = KINDS.find(([weight]) => (ticket -= weight) < 0);
        const request = make(student);
        if (request) {
            return request;
        }
    }
}

// -- An evaluation --

const WORDS = ['REGISTRATION', 'IN_PROGRESS', 'IN_PROGRESS', 'IN_PROGRESS', 'GRADING'];

export class Evaluation {
    number = 0; // of the last message on evaluations/{id}
    word = null;
    students = [];
    gate = new Gate();
    pending = null;

    constructor(world, id, rng) {
        Object.assign(this, { world, id, rng });
    }

    /** A message about everybody in it, while none of them asks anything. */
    async advance() {
        const number = this.number + 1;
        const word = this.rng.pick(WORDS);
        await this.gate.close();
        try {
            if (!this.world.isDying) {
                await this.#publish(number, word);
            }
        } finally {
            this.gate.open();
        }
    }

    async #publish(number, word) {
        const apply = new Map(this.students.map((student) => {
            const isOpen = student.isOpen();
            return [student, (state) => rules.setPhase(state, number, word, isOpen)];
        }));
        const request = (student) => ({ text: `phase ${number} ${word}`, apply: apply.get(student) });
        this.students.forEach((student) => Object.assign(student, { pending: request(student) }));
        this.world.report.count('phases');
        const sent = this.world.publisher.publish(evaluationTopic(this.id), phaseUpdate(this.id, word, { version: number }), RETAINED);
        const code = await this.world.orDeath(sent.then((value) => ({ value })));
        if (code === undefined) {
            return;
        }
        if (code.value >= 0x80) {
            throw new Fault('unexpected answer', `${this.id}: phase ${number} was refused`);
        }
        Object.assign(this, { number, word });
        await Promise.all(this.students.map((student) => student.heardPhase(request(student))));
    }

    /** After a restart: what is retained is what was taken. */
    recall() {
        const json = this.world.ear.retained.get(evaluationTopic(this.id));
        Object.assign(this, { number: json?.version ?? 0, word: json?.phase ?? null });
    }
}
