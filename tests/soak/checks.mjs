// SPDX-License-Identifier: Apache-2.0
// checks.mjs - what must be true after each request: what the plugin says of the student, what each
// page has received and what none has, what a page is told before it is closed.
import { setTimeout as sleep } from 'node:timers/promises';
import { fingerprint } from '../broker/lib/exam.mjs';
import * as rules from './rules.mjs';
import { makeLimit } from './world.mjs';

const DEAF_MS = 3000;
const PROBED = 0.6; // of all requests

// -- What the plugin says --

function fitsAnswer(student, state, { sessions, bindings, blocks }) {
    const sid = (n) => (n === null ? undefined : student.sid(n));
    const reason = state.isBlocked ? 'SECOND_LOGIN' : rules.isStopped(state) ? 'BACKEND' : undefined;
    return bindings[0]?.sessionId === sid(state.bound) && blocks[0]?.reason === reason &&
        sessions.find(({ current }) => current)?.sessionId === sid(state.current);
}

function isListed(student, { sessions }) {
    const ids = sessions.flatMap(({ connections }) => connections.map(({ clientId }) => clientId)).sort();
    return JSON.stringify(ids) === JSON.stringify(student.pages.map(({ clientId }) => clientId).sort());
}

export async function checkAnswers(student) {
    const { world, user } = student;
    let data = await world.read('getUser', { userId: user });
    const limit = makeLimit();
    while (!isListed(student, data)) { // a page that has just gone may not have been missed yet
        const closed = student.pages.find(({ isOpen }) => !isOpen);
        if (closed && !world.isDying) {
            student.fail('unexpected answer', `${closed.clientId} was disconnected (${closed.code}): ${JSON.stringify(closed.messages.slice(-2))}`);
        }
        if (limit.isOver) {
            student.fail('wrong state', `getUser lists ${JSON.stringify(data.sessions)}; open are ${student.pages.map(({ clientId }) => clientId)}`);
        }
        data = await world.read('getUser', { userId: user });
        limit.tick();
    }
    student.keep(student.possible.filter((state) => fitsAnswer(student, state, data)), 'wrong state', () =>
        `getUser says ${JSON.stringify({ ...data, sessions: data.sessions.filter(({ current }) => current) })}`);
}

// -- What a page has received --

function checkProbe(student, page, { topic, json }) {
    const probe = student.world.probes.get(json.probe);
    if (!probe || probe.topic !== topic || !probe.allowed.has(page)) {
        student.fail('wrong delivery', `${page.clientId} of session ${page.n} (${page.reason ?? 'open'}) got ${topic} ${JSON.stringify(json)}`);
    }
    page.probes.add(json.probe);
    student.world.report.count('deliveries');
}

function wrong(student, page, kind, message) {
    student.fail(kind, `${page.clientId} of session ${page.n} (${page.reason ?? 'open'}) got ${message.topic} ${message.text}`);
}

/** One message to a page that is open. */
function checkMessage(student, page, message) {
    const { topic, json } = message;
    const isOver = [...student.before, ...student.possible].every((state) => !rules.mayFollow(state));
    if (json?.probe !== undefined) {
        checkProbe(student, page, message);
    } else if (topic === student.topics.all) {
        if (isOver || json?.version !== student.evaluation.number) {
            wrong(student, page, 'wrong delivery', message);
        }
        page.hasAll = true;
    } else if (topic === student.topics.own) {
        if (json?.userId !== student.user || (json.reason === 'SECOND_LOGIN' && json.by === undefined)) {
            wrong(student, page, 'wrong notice', message);
        }
        page.own = json;
    } else if (json?.type !== 'SESSION_EXPIRING' || page.ttl > 60) {
        wrong(student, page, json?.type ? 'wrong notice' : 'wrong delivery', message);
    }
}

function readPage(student, page) {
    const { messages } = page;
    while (page.seen < messages.length) {
        checkMessage(student, page, messages[page.seen++]);
    }
}

/** Waits until the page has what it must have. */
async function waitFor(student, page, kind, what, holds) {
    const limit = makeLimit();
    for (;;) {
        await page.ping();
        readPage(student, page);
        if (holds()) {
            return;
        }
        if (limit.isOver) {
            student.fail(kind, `${page.clientId} of session ${page.n}: ${what()}`);
        }
        limit.tick(await student.world.tick());
    }
}

function agreed(states, valueOf) {
    const values = new Set(states.map(valueOf));
    return values.size === 1 ? [...values][0] : undefined;
}

async function checkPage(student, page) {
    const { possible, before } = student;
    const access = agreed(possible, rules.ownAccess);
    const mustHaveAll = student.evaluation.number > 0 && possible.every(rules.mayFollow) &&
        (page.isNew || before.every((state) => !rules.mayFollow(state)));
    const said = agreed(possible, (state) => state.said);
    const hasOwn = () => access === undefined || said === undefined || (page.own?.access === access && (page.own.version ?? 0) === said);
    await waitFor(student, page, 'lost notice', () => `has ${JSON.stringify(page.own)}, not ${access} of version ${said}`, hasOwn);
    await waitFor(student, page, 'lost delivery', () => 'has not got the evaluation\'s last message', () => !mustHaveAll || page.hasAll);
    Object.assign(page, { isNew: false, hasAll: false });
}

// -- What supervisors hear --

async function checkIncidents(student) {
    const { world, e, user } = student;
    const [least, most] = student.expectedIncidents;
    const heard = () => world.ear.peekIncidents(e, user);
    await world.until(() => heard().length >= least, 'lost notice', () => `${user}: ${heard().length} incidents of ${least}`);
    const prints = Object.keys(student.possible[0].sessions).map((n) => fingerprint(student.sid(n)));
    if (heard().length > most || heard().some(({ refusedSession, enforced }) => !enforced || !prints.includes(refusedSession))) {
        student.fail('wrong notice', `incidents ${JSON.stringify(heard())}, at most ${most}`);
    }
    student.expectedIncidents = [0, 0];
    world.ear.takeIncidents(e, user);
    if (world.ear.strangers.length > 0) {
        student.fail('wrong delivery', `published by a student: ${world.ear.strangers.splice(0)}`);
    }
}

async function checkPresence(student) {
    const { world, pages, possible } = student;
    const presence = () => world.ear.retained.get(`evaluations/${student.e}/presence/${student.user}`);
    const isGone = agreed(possible, ({ word, access }) => !rules.PRESENT.has(word) || access === 'DENIED');
    const isThere = pages.length > 0 && possible.every(rules.isParticipant);
    if (isGone === undefined) {
        return;
    }
    const isCounted = () => (presence() ? presence().connections === pages.length && presence().online === pages.length > 0 : !isThere);
    await world.until(() => (isGone ? !presence() : isCounted()), 'wrong state', () =>
        `${student.user}: presence ${JSON.stringify(presence())} with ${pages.length} pages, ${isGone ? 'none' : 'one'} is kept`);
}

// -- Who may receive --

async function probe(student) {
    const { world, pages, rng, topics } = student;
    const { current } = student.possible[0];
    const id = await world.probe(topics.user, pages);
    const others = student.numbers().filter((n) => n !== current);
    if (others.length > 0 && rng.chance(0.3)) {
        await world.probe(`${topics.user}/sessions/${student.sid(rng.pick(others))}`, []);
    }
    const own = current !== null && rng.chance(0.3) ? await world.probe(`${topics.user}/sessions/${student.sid(current)}`, pages) : id;
    for (const page of pages) {
        await waitFor(student, page, 'lost delivery', () => `has not got probe ${id} or ${own}`, () => page.probes.has(id) && page.probes.has(own));
        page.probes.clear();
    }
}

export async function checkPages(student) {
    await Promise.all(student.pages.map((page) => checkPage(student, page)));
    await checkIncidents(student);
    await checkPresence(student);
    if (student.rng.chance(PROBED)) {
        await probe(student);
    }
}

// -- What a page is told before it is closed --

const CODES = { 'TAKEN OVER': 0x8E };

function checkLast(student, page, message) {
    const { topic, json } = message;
    if (json?.probe !== undefined) {
        checkProbe(student, page, message);
    } else if (topic === student.topics.all && json?.version > page.lastPhase) {
        wrong(student, page, 'wrong delivery', message);
    } else if (json?.type === 'SESSION_INVALIDATED') {
        const { userId, sessionId, reason } = json;
        if (userId !== student.user || sessionId !== student.sid(page.n) || reason !== page.reason) {
            wrong(student, page, 'wrong notice', message);
        }
    }
}

function noticesOf(page) {
    return page.messages.filter(({ json }) => json?.type === 'SESSION_INVALIDATED' ||
        (json?.reason === 'SECOND_LOGIN' && json.by === undefined)).length;
}

export async function watchLeaving(student, page) {
    const { world } = student;
    if (page.isDeaf) {
        await sleep(DEAF_MS);
        page.resume();
    }
    await page.closed.catch(() => student.fail('wrong state', `${page.clientId} (${page.reason}) was not disconnected`));
    page.messages.slice(page.seen).forEach((message) => checkLast(student, page, message));
    if (page.isExcused || page.generation !== world.generation) {
        return; // the broker had no time for it
    }
    const expected = page.reason === 'TAKEN OVER' ? 0 : 1;
    if (noticesOf(page) !== expected) {
        const kind = noticesOf(page) < expected ? 'lost notice' : 'wrong notice';
        student.fail(kind, `${page.clientId} of session ${page.n} was to be told ${page.reason} and was told ${noticesOf(page)} times`);
    }
    if (page.reason === 'BLOCKED' && page.messages.length !== 1) {
        student.fail('wrong delivery', `${page.clientId} was turned away and got ${page.messages.map(({ topic }) => topic)}`);
    }
    const code = page.version === 5 ? CODES[page.reason] ?? 0x98 : undefined;
    if (page.code !== code) {
        student.fail('wrong notice', `${page.clientId} (${page.kind}, ${page.reason}) was disconnected with ${page.code}, not ${code}`);
    }
    world.report.count(`told ${page.reason}`);
}
