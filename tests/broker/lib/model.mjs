// SPDX-License-Identifier: Apache-2.0
// model.mjs - what the contract says of one student and one exam, as plain values: what each request
// is answered, and what it changes.
//
// Sessions are numbers that rise with the login time; those below 1 are older logins that turn up
// late. Every function takes a state, leaves it as it is, and returns [state after it, answer].

export const START = {
    sessions: {}, // number: CURRENT, TURNED_AWAY, SUPERSEDED, REVOKED, or EITHER of the last two
    current: null,
    newest: null, // of all that were ever current
    revokedBefore: null, // unseen ones below it are revoked
    isStrict: false,
    bound: null,
    released: null, // binds again only when it is named
    isBlocked: false,
    phase: 0, // number of the last message on evaluations/{e}, which is its version too; 0: none
    said: 0, // the same on evaluations/{e}/users/{user}
};

const copy = (state) => structuredClone(state);

/** Does what the model answers allow what was seen? */
export function isAnswer(expected, seen) {
    return expected === seen || (expected === 'EITHER' && (seen === 'SUPERSEDED' || seen === 'REVOKED'));
}

function bind(state, isOpen) {
    if (state.isStrict && state.bound === null && isOpen && state.current !== null && state.current !== state.released) {
        state.bound = state.current;
        state.released = null;
    }
}

function makeCurrent(state, n) {
    if (state.current !== null && state.current !== n) {
        state.sessions[state.current] = 'SUPERSEDED';
    }
    state.sessions[n] = 'CURRENT';
    state.current = n;
    state.newest = Math.max(n, state.newest ?? n);
}

/** What becomes of a login that is new, or was turned away when another was bound. */
function judge(state, n) {
    const isUnseen = state.sessions[n] === undefined;
    const isRevoked = isUnseen && state.revokedBefore !== null && n < state.revokedBefore;
    const isOlder = state.newest !== null && n < state.newest;
    if (isRevoked || isOlder) {
        return isRevoked && isOlder ? 'EITHER' : isRevoked ? 'REVOKED' : 'SUPERSEDED';
    }
    const isSecond = state.bound !== null ? state.bound !== n : !isUnseen && state.isBlocked;
    return isSecond ? 'BLOCKED' : 'IN';
}

export function login(before, n) {
    const state = copy(before);
    const known = state.sessions[n];
    if (known !== undefined && known !== 'CURRENT' && known !== 'TURNED_AWAY') {
        return [state, known];
    }
    const answer = known === 'CURRENT' ? 'IN' : judge(state, n);
    if (answer === 'IN') {
        makeCurrent(state, n);
        bind(state, true);
    } else if (answer === 'BLOCKED') {
        state.sessions[n] = 'TURNED_AWAY';
        state.isBlocked = true;
    } else {
        state.sessions[n] = answer;
    }
    return [state, answer];
}

function revoke(state, n) {
    // What had given way before may be told either.
    state.sessions[n] = { SUPERSEDED: 'EITHER', EITHER: 'EITHER' }[state.sessions[n]] ?? 'REVOKED';
    state.current = state.current === n ? null : state.current;
    state.bound = state.bound === n ? null : state.bound;
}

export function invalidateSession(before, n) {
    const state = copy(before);
    revoke(state, n);
    return [state, 'DONE'];
}

/** `except` is a known session, or undefined. */
export function invalidateUser(before, { beforeNumber, except, unlessBound }) {
    const state = copy(before);
    if (unlessBound && state.bound !== null) {
        return [state, 'HELD'];
    }
    for (const n of Object.keys(state.sessions).map(Number)) {
        if (n !== except) {
            revoke(state, n);
        }
    }
    state.revokedBefore = Math.max(beforeNumber, state.revokedBefore ?? beforeNumber);
    return [state, 'DONE'];
}

/** `named` is a session, null (nobody), or undefined (as it is). */
function lift(state, named) {
    const wasBlocked = state.isBlocked;
    state.isBlocked = false;
    if (named === null) {
        state.released = state.bound ?? state.current;
        state.bound = null;
    } else if (named !== undefined) {
        makeCurrent(state, named);
        if (state.isStrict || state.bound !== null) {
            state.bound = named;
            state.released = null;
        }
    }
    for (const [n, what] of Object.entries(state.sessions)) {
        if (wasBlocked && what === 'TURNED_AWAY') {
            state.sessions[n] = 'SUPERSEDED';
        }
    }
}

const mayBeNamed = (state, named) =>
    named === undefined || named === null || ['CURRENT', 'TURNED_AWAY', 'SUPERSEDED'].includes(state.sessions[named]);

export function unblock(before, named) {
    const state = copy(before);
    if ((!state.isBlocked && state.bound === null) || !mayBeNamed(state, named)) {
        return [state, 'ERROR'];
    }
    lift(state, named);
    return [state, 'DONE'];
}

/** A message of the backend about the exam. `isOpen(n)`: does the session have a page? */
export function setPhase(before, number, isStrict, isOpen) {
    const state = copy(before);
    if (number < state.phase) {
        return [state, 'REFUSED'];
    }
    Object.assign(state, { phase: number, isStrict });
    if (isStrict) {
        bind(state, isOpen(state.current));
    } else {
        Object.assign(state, { bound: null, released: null, isBlocked: false });
    }
    return [state, 'TAKEN'];
}

/** A message of the backend about the student, with access ALLOWED. `lifts`: undefined, or
 *  { named } as for unblock. */
export function say(before, number, lifts) {
    const state = copy(before);
    const isLifting = lifts && (state.isBlocked || state.bound !== null || state.released !== null);
    if (number < state.said || (isLifting && !mayBeNamed(state, lifts.named))) {
        return [state, 'REFUSED'];
    }
    state.said = number;
    if (isLifting) {
        lift(state, lifts.named);
    }
    return [state, 'TAKEN'];
}
