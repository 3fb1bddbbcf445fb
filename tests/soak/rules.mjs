// SPDX-License-Identifier: Apache-2.0
// rules.mjs - what the contract says of one student and one evaluation: the rules of the kill -9
// test (tests/broker/lib/model.mjs), and besides who takes part and whom the backend has blocked.
//
// Every function takes a state, leaves it as it is, and returns [state after it, answer].
import * as model from '../broker/lib/model.mjs';

export { isAnswer } from '../broker/lib/model.mjs';

export const STRICT = new Set(['IN_PROGRESS']);
export const PRESENT = new Set(['REGISTRATION', 'IN_PROGRESS']);

/** `claims`: do the student's tokens name the evaluation? */
export function start(claims) {
    return {
        ...model.START,
        claims,
        access: 'UNSAID', // what the backend said last
        word: null, // the phase
        hasOwn: false, // something is retained on evaluations/{e}/users/{user}
    };
}

export function isParticipant({ access, claims }) {
    return access === 'UNSAID' ? claims : access !== 'DENIED';
}

export function isStopped({ access, isBlocked }) {
    return isBlocked || access === 'BLOCKED';
}

/** May a page of the current session receive what is published to all in the evaluation? */
export function mayFollow(state) {
    return isParticipant(state) && !isStopped(state);
}

/** The access that is to stand on the student's own topic; undefined while there is nothing. */
export function ownAccess(state) {
    if (!state.hasOwn) {
        return undefined;
    }
    return state.isBlocked ? 'BLOCKED' : state.access === 'UNSAID' ? 'ALLOWED' : state.access;
}

/** The state as model.mjs knows it: an evaluation is strict for those who take part. */
function seen(state) {
    return { ...structuredClone(state), isStrict: STRICT.has(state.word) && isParticipant(state) };
}

function settled(state) {
    state.hasOwn ||= state.isBlocked || state.said > 0;
    return state;
}

function bound(state, isOpen) {
    if (!seen(state).isStrict) {
        return state;
    }
    return model.setPhase(seen(state), state.phase, true, isOpen)[0];
}

export function login(before, n) {
    const [state, answer] = model.login(seen(before), n);
    return [settled(state), answer];
}

export const invalidateSession = (before, n) => model.invalidateSession(seen(before), n);
export const invalidateUser = (before, how) => model.invalidateUser(seen(before), how);

/** The command. Not asked where the backend's block stands alone beside sessions that were turned
 *  away: nothing is said of those. */
export function unblock(before, named, isOpen) {
    const asked = seen({ ...before, access: 'ALLOWED' });
    asked.isBlocked = isStopped(before);
    const [state, answer] = model.unblock(asked, named);
    if (answer === 'ERROR') {
        return [before, answer];
    }
    state.hasOwn = true;
    state.released = STRICT.has(state.word) ? state.released : null;
    return [bound(state, isOpen), answer];
}

export function setPhase(before, number, word, isOpen) {
    const asked = { ...before, word };
    const [state, answer] = model.setPhase(seen(before), number, seen(asked).isStrict, isOpen);
    if (answer === 'REFUSED') {
        return [before, answer];
    }
    state.released = STRICT.has(word) ? state.released ?? before.released : null;
    state.released = state.bound === null ? state.released : null;
    return [{ ...state, word }, answer];
}

/** A message about the student. `lifts`: undefined, or { named } as for unblock. */
export function say(before, number, access, lifts, isOpen) {
    const [state, answer] = model.say(seen({ ...before, access }), number, access === 'ALLOWED' ? lifts : undefined);
    if (answer === 'REFUSED') {
        return [before, answer];
    }
    if (access === 'DENIED') {
        Object.assign(state, { bound: null, isBlocked: false });
    }
    return [bound(settled(state), isOpen), answer];
}
