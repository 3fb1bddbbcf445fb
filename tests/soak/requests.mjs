// SPDX-License-Identifier: Apache-2.0
// requests.mjs - what a student, or the backend about one, can ask: how it is done, and what the
// rules say of it. `perform` resolves to the answer that was seen, `apply` to
// [state after, answer, [fewest, most] incidents] from a state before.
import assert from 'node:assert/strict';
import { accessUpdate, fingerprint } from '../broker/lib/exam.mjs';
import { now, sign } from '../broker/lib/keys.mjs';
import { HOSTILE } from './hostile.mjs';
import { KINDS, openPage } from './page.mjs';
import * as rules from './rules.mjs';
import { EPOCH } from './student.mjs';
import { CONNECTIONS_MAX, Fault } from './world.mjs';

const REFUSED = [5, 135];

export function claimsOf(student, n) {
    const evaluations = student.possible[0].claims ? [student.e] : undefined;
    return { sub: student.user, sid: student.sid(n), auth_time: EPOCH + n, evaluations, iss: 'soak', aud: 'students' };
}

function isRefusal(error, version) {
    return error.code === REFUSED[version - 4];
}

/** CONNECT: resolves to the page, or to undefined when it was properly refused. */
async function enter(student, options) {
    const { world, user, rng } = student;
    const kind = options.kind ?? rng.pick(KINDS);
    world.report.count('connects');
    try {
        return await world.connecting(() => openPage(world.broker, { kind, user, ...options }));
    } catch (error) {
        if (isRefusal(error, Number(kind.split(' ')[2]))) {
            return undefined;
        }
        throw error;
    }
}

async function subscribeAll(student, page) {
    const { all, own, user } = student.topics;
    student.world.report.count('subscribes');
    const codes = await page.subscribe([user, `${user}/sessions/${student.sid(page.n)}`, own, all]);
    const isParticipant = student.possible.map(rules.isParticipant);
    const expected = isParticipant.every(Boolean) ? [true] : isParticipant.some(Boolean) ? [true, false] : [false];
    const granted = codes.map((code) => code < 0x80);
    if (granted[0] && !(granted[1] && granted[2] && expected.includes(granted[3]))) {
        student.fail('unexpected answer', `SUBACK ${codes} for ${page.clientId}`);
    }
    return granted;
}

function cutOff(student, page, error) {
    if (student.world.isDying || page.isOpen || error instanceof Fault) {
        throw error;
    }
    return student.fail('lost notice', `${page.clientId} of session ${page.n} was let in and cut off without a word`);
}

/** What a page that is let in to be told hears. It stays in `leaving` until it is closed. */
async function hearWhy(student, page) {
    const why = page.next(() => true, `why ${page.clientId} was turned away`);
    const { json } = await why.catch((error) => cutOff(student, page, error));
    return json.type === 'SESSION_INVALIDATED' ? json.reason : json.access;
}

/** It may have been told and closed before it came to ask. */
function isTold(page) {
    const [first] = page.messages;
    return !page.isOpen && (first?.json?.type === 'SESSION_INVALIDATED' || first?.json?.reason === 'SECOND_LOGIN');
}

async function findOut(student, page) {
    const granted = await subscribeAll(student, page).catch((error) => (isTold(page) ? [false] : cutOff(student, page, error)));
    if (granted[0]) {
        student.pages.push(page);
        page.isNew = true;
        return 'IN';
    }
    if (granted.some(Boolean)) {
        student.fail('unexpected answer', `SUBACK granted ${granted} to a page that is only to be told`);
    }
    const answer = await hearWhy(student, page);
    student.leave(page, answer);
    return answer;
}

/** What the rules say, with what the contract says of client ids and of too many connections. */
function judge(student, state, n, holder, openCount) {
    const [next, answer] = rules.login(state, n);
    const isSecond = answer === 'BLOCKED';
    const wasAway = state.sessions[n] === 'TURNED_AWAY';
    const incidents = isSecond ? [wasAway ? 0 : 1, wasAway && state.isBlocked ? 0 : 1] : [0, 0];
    if (answer === 'IN') {
        return openCount >= CONNECTIONS_MAX ? [state, 'REFUSED', [0, 0]] : [next, answer, incidents];
    }
    return holder ? [isSecond ? next : state, 'REFUSED', incidents] : [next, answer, incidents];
}

/** A CONNECT of session number n. `holder`: a page whose very client id it uses. */
export function login(student, n, { holder, ttl = 3600, deaf = [] } = {}) {
    const others = student.openOf(n).filter((page) => page !== holder).length;
    const text = `login ${n}${holder ? ` as ${holder.clientId} of ${holder.n}` : ''}${ttl < 3600 ? ` for ${ttl} s` : ''}`;
    const request = { text, n, isEntered: false };
    request.apply = (state) => judge(student, state, n, holder, others);
    request.perform = async () => {
        const { keys } = student.world.broker;
        const signer = student.rng.pick([keys.hs, keys.hs, keys.hs, keys.es, keys.rs]);
        const token = await sign({ ...claimsOf(student, n), exp: now() + ttl }, signer);
        deaf.forEach((page) => Object.assign(page, { isDeaf: true }).pause());
        const page = await enter(student, { token, clientId: holder?.clientId });
        if (!page) {
            return 'REFUSED';
        }
        request.isEntered = true; // recorded, whatever came of it
        if (holder) {
            student.leave(holder, 'TAKEN OVER');
        }
        return findOut(student, Object.assign(page, { n, seen: 0, ttl, probes: new Set() }));
    };
    return request;
}

const unchanged = (answer) => (state) => [state, answer];

/** A password that must not let anybody in. */
export function hostile(student, n) {
    const name = student.rng.pick(Object.keys(HOSTILE));
    const perform = async () => {
        const token = await HOSTILE[name](student.world.broker.keys, claimsOf(student, n));
        const page = await enter(student, { token });
        page?.vanish();
        return page ? 'let in' : 'REFUSED';
    };
    return { text: `login with ${name}`, apply: unchanged('REFUSED'), perform };
}

/** A true token under a client id that is not the student's to use. */
export function foreignId(student, n, clientId) {
    const perform = async () => {
        const page = await enter(student, { token: await sign(claimsOf(student, n), student.world.broker.keys.hs), clientId });
        page?.vanish();
        return page ? 'let in' : 'REFUSED';
    };
    return { text: `login as ${clientId}`, apply: unchanged('REFUSED'), perform };
}

/** A page goes: with a DISCONNECT, or just so. What follows needs to know that the broker has seen
 *  it, which checkAnswers waits for. */
export function close(student, page, isVanishing) {
    const perform = async () => {
        student.world.report.count('closes');
        student.pages = student.pages.filter((other) => other !== page);
        await (isVanishing ? page.vanish() : page.end());
        return 'CLOSED';
    };
    return { text: `${isVanishing ? 'vanish' : 'close'} ${page.clientId} of ${page.n}`, apply: unchanged('CLOSED'), perform };
}

/** Topics that a student has no business with, and a publish of one. */
export function trespass(student, page, other) {
    const topics = ['#', 'users/+', 'evaluations/+', 'evaluations/+/users/+', `evaluations/${student.e}/#`, `users/${other}`,
        `users/${other}/#`, `evaluations/${student.e}/users/${other}`, `evaluations/${student.e}/incidents`,
        `evaluations/${student.e}/presence/${student.user}`, '$SYS/#', '$CONTROL/invigilator/v1/response', `$share/g/users/${student.user}`];
    const perform = async () => {
        const some = student.rng.shuffle(topics).slice(0, 4);
        student.world.report.count('subscribes');
        const codes = await page.subscribe(some);
        const topic = student.rng.pick([student.topics.user, student.topics.own, student.topics.all, `users/${other}`]);
        await page.publish(topic, JSON.stringify({ from: 'student', user: student.user }));
        return codes.every((code) => code >= 0x80) ? 'KEPT OUT' : `granted ${some}: ${codes}`;
    };
    return { text: 'trespass', apply: unchanged('KEPT OUT'), perform };
}

function ordered(student, text, name, members, apply) {
    const perform = async () => {
        const { data, error } = await student.world.ask(name, { userId: student.user, ...members });
        return error ? 'ERROR' : data.bound ? 'HELD' : 'DONE';
    };
    return { text, apply, perform };
}

export function invalidateSession(student, n) {
    return ordered(student, `invalidateSession ${n}`, 'invalidateSession', { sessionId: student.sid(n) },
        (state) => rules.invalidateSession(state, n));
}

export function invalidateUser(student, unlessBound, except) {
    const beforeNumber = student.newest + 1;
    const members = { before: EPOCH + beforeNumber, unlessBound, ...(except === undefined ? {} : { exceptSessionId: student.sid(except) }) };
    return ordered(student, `invalidateUser ${JSON.stringify(members)}`, 'invalidateUser', members,
        (state) => rules.invalidateUser(state, { beforeNumber, except, unlessBound }));
}

/** How a session is named: by id or fingerprint, as null, or not at all. */
function naming(student, named) {
    if (named === undefined) {
        return {};
    }
    const sid = named === null ? null : student.sid(named);
    return { sessionId: named !== null && student.rng.chance(0.5) ? fingerprint(sid) : sid };
}

export function unblock(student, named) {
    const isOpen = student.isOpen();
    return ordered(student, `unblock ${named}`, 'unblock', { evaluationId: student.e, ...naming(student, named) },
        (state) => rules.unblock(state, named, isOpen));
}

/** The backend's word about the student. */
export function say(student, number, access, lifts) {
    const isOpen = student.isOpen();
    const more = lifts ? { unblock: lifts.named === undefined ? true : undefined, ...naming(student, lifts.named) } : {};
    const payload = accessUpdate(student.e, student.user, access, { version: number, ...more });
    const perform = async () => {
        const code = await student.world.publish(student.topics.own, payload);
        return code < 0x80 ? 'TAKEN' : 'REFUSED';
    };
    const text = `say ${number} ${access} ${JSON.stringify(more)}`;
    return { text, perform, apply: (state) => rules.say(state, number, access, lifts, isOpen) };
}

/** Nothing: the checks alone. */
export function look() {
    return { text: 'look', apply: unchanged('SEEN'), perform: async () => 'SEEN' };
}

/** What a page with a short token is told as its time runs out. */
export async function expire(student, page) {
    assert.ok(page.ttl < 60);
    const topic = `users/${student.user}/sessions/${student.sid(page.n)}`;
    const isNotice = (message) => message.topic === topic && message.json?.probe === undefined;
    const { json } = await page.next(isNotice, `SESSION_EXPIRING at ${page.clientId}`).catch((error) => {
        throw student.world.isDying ? error : new Fault('lost notice', `${student.user}: ${error.message}`);
    });
    if (json.type !== 'SESSION_EXPIRING') {
        student.fail('wrong notice', `${page.clientId} got ${JSON.stringify(json)} instead of SESSION_EXPIRING`);
    }
    student.leave(page, 'EXPIRED');
    await page.closed;
}
