// SPDX-License-Identifier: Apache-2.0
// student.js - the student's page: what the events of Invigilator mean for what is shown.
import { Invigilator } from './invigilator.js';
import { brokerUrl, clock, element, localTime, post, say, showOnline } from './common.js';

const RUNNING = 'IN_PROGRESS';
const OVER = ['GRADING', 'FINISHED'];
const SAID = {
    signin: 'Please sign in.',
    waiting: 'Waiting for the exam to begin.',
    running: 'The exam is running.',
    ended: 'The exam has ended.',
    denied: 'You are not on the list.',
    blocked: 'Blocked: go to your professor.',
    elsewhere: 'Signed out on this page.',
};
const BLOCKED = {
    SECOND_LOGIN: 'Somebody has signed in with your name a second time. Go to your professor.',
    other: 'Your professor has stopped you. Go to your professor.',
};
const ELSEWHERE = {
    SUPERSEDED: 'You have signed in on another page or device, and that one counts now.',
    REVOKED: 'Your login has been ended.',
};

let invigilator = null;
let known = {}; // phase, access, status and reason, as last heard
let endAt;

function show(state) {
    const isNew = document.body.dataset.state !== state;
    document.body.dataset.state = state;
    const focused = document.activeElement?.closest('[data-for]');
    document.querySelectorAll('[data-for]').forEach((section) => {
        section.hidden = section.dataset.for !== state;
    });
    if (focused?.hidden) {
        document.querySelector('main').focus(); // what had the focus is gone
    }
    element('user').parentElement.hidden = state === 'signin' || state === 'elsewhere';
    if (isNew || state === 'signin') {
        say(SAID[state]);
    }
}

/** From what is known. A blocked page hears nothing of the phase; what it was is still known then. */
function stateOf({ access, status, phase }) {
    if (access === 'BLOCKED') {
        return 'blocked';
    }
    if (access !== 'ALLOWED') {
        return 'denied';
    }
    if (status === 'FINISHED' || OVER.includes(phase)) {
        return 'ended';
    }
    return phase === RUNNING ? 'running' : 'waiting';
}

function learn(news) {
    Object.assign(known, news);
    if ('access' in known) {
        show(stateOf(known));
    }
}

function showEnd() {
    const isSet = endAt !== undefined;
    element('countdown').textContent = isSet ? clock(Date.parse(endAt) - Date.now()) : '–';
    element('end').textContent = isSet ? localTime(endAt) : 'your professor ends it';
    element('end').dateTime = endAt ?? '';
}
setInterval(showEnd, 1000); // a clock, and no question to anybody

function onEndAt({ endAt: end, own }) {
    if (document.body.dataset.state === 'running' && endAt !== undefined && end !== undefined) {
        say(`The exam ends at ${localTime(end)} now.`);
    }
    endAt = end;
    element('own-end').hidden = !own;
    showEnd();
}

function onInvalidated({ reason }) {
    if (reason !== 'EXPIRED') {
        element('elsewhere-text').textContent = ELSEWHERE[reason];
        show('elsewhere');
    }
}

function signedOut() {
    invigilator?.stop();
    invigilator = null;
    known = {};
    sessionStorage.removeItem('session');
    showOnline(false, false);
    show('signin');
}

/** This tab's session, also after a reload: another tab may have signed in as somebody else. */
function askToken() {
    return post('token', { sessionId: sessionStorage.getItem('session') ?? undefined });
}

/** For each connection a new one. Whoever is signed out here signs in again. */
async function fetchToken() {
    try {
        return (await askToken()).token;
    } catch (error) {
        if (error.status === 401) {
            signedOut();
        }
        throw error;
    }
}

function follow({ userId, sessionId, evaluation, url, keepalive, blockedRetry, topicPrefix }) {
    sessionStorage.setItem('session', sessionId);
    element('user').textContent = userId;
    say('Connecting.');
    invigilator = new Invigilator({
        url: brokerUrl(url), fetchToken, evaluations: [evaluation], keepalive, blockedRetry, topicPrefix,
    });
    invigilator.on('online', () => showOnline(true));
    invigilator.on('offline', ({ reason }) => showOnline(false, reason !== 'stopped'));
    invigilator.on('phase', ({ phase, message }) => {
        element('title').textContent = message?.title ?? 'Exam';
        learn({ phase });
    });
    invigilator.on('access', ({ access, status }) => learn({ access, status }));
    invigilator.on('endAt', onEndAt);
    invigilator.on('blocked', ({ reason }) => {
        element('blocked-text').textContent = BLOCKED[reason] ?? BLOCKED.other;
        // Also where this page is the second login, and is not let in: then nothing is lost either.
        showOnline(document.body.dataset.online === 'true', false);
    });
    invigilator.on('invalidated', onInvalidated);
    invigilator.start();
}

/** Starts where somebody is signed in already, as after a reload. */
async function begin() {
    try {
        follow(await askToken());
    } catch (error) {
        if (error.status === 401) {
            signedOut();
        } else {
            showOnline(false);
            setTimeout(begin, 3000); // the server is away, and the page knows nothing yet
        }
    }
}

element('signin-form').addEventListener('submit', async (event) => {
    event.preventDefault();
    element('error').textContent = '';
    try {
        await post('signin', { name: element('name').value });
        sessionStorage.removeItem('session'); // the newest of this browser is this one
        await begin();
    } catch (error) {
        element('error').textContent = error.message;
    }
});
element('signout').addEventListener('click', async () => {
    await invigilator?.stop();
    await post('signout', { sessionId: sessionStorage.getItem('session') ?? undefined }).catch(() => {});
    signedOut();
    element('name').focus();
});
element('again').addEventListener('click', () => {
    signedOut();
    element('name').focus();
});

// ?signin: another login, in a tab beside one that is signed in.
if (location.search === '?signin' && sessionStorage.getItem('session') === null) {
    signedOut();
} else {
    begin();
}
