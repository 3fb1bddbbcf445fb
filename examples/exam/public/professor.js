// SPDX-License-Identifier: Apache-2.0
// professor.js - the professor's page: says what to do over HTTP, and shows what is true over MQTT.
import { Invigilator } from './invigilator.js';
import { brokerUrl, element, localTime, post, say, showOnline } from './common.js';
import { incidentItem, studentItem } from './professor-items.js';

const PROFESSOR = { role: 'professor' };
const students = new Map(); // user id: { access, reason, endAt, presence, incident }
const items = new Map(); // user id: element
const incidents = new Map(); // what an incident says: itself

let invigilator = null;

function show(state) {
    document.body.dataset.state = state;
    document.querySelectorAll('[data-for]').forEach((section) => {
        section.hidden = section.dataset.for !== state;
    });
}

/** Does something at the server; what comes of it is heard from the broker. */
async function act(path, body, text) {
    try {
        await post(path, body);
        say(text);
    } catch (error) {
        say(`That did not work: ${error.message}`);
        if (error.status === 401) {
            signedOut();
        }
    }
}

const actions = {
    extend: (userId) => {
        const minutes = Number(element('minutes').value);
        return act('exam/extend', { userId, minutes }, `${minutes} minutes more for ${userId}.`);
    },
    block: (userId) => act('exam/block', { userId }, `${userId} is blocked.`),
    unblock: (userId) => act('exam/unblock', { userId }, `${userId} goes on.`),
    unblockNew: (userId, fingerprint) =>
        act('exam/unblock', { userId, fingerprint }, `The new login of ${userId} goes on.`),
    remove: (userId) => act('exam/remove', { userId }, `${userId} is off the list.`),
    add: (userId) => act('exam/add', { userId }, `${userId} is on the list.`),
    revoke: (userId) => act('exam/revoke', { userId }, `${userId} is signed out everywhere.`),
};

/** One item a student, in the order of names. The item stays the same, and so does the focus in it. */
function showStudent(userId) {
    const student = students.get(userId);
    const list = element('students');
    if (!items.has(userId)) {
        const item = studentItem(userId, actions);
        items.set(userId, item);
        const after = [...items.keys()].filter((name) => name.localeCompare(userId) > 0)
            .sort((one, other) => one.localeCompare(other))[0];
        list.insertBefore(item.element, after === undefined ? null : items.get(after).element);
    }
    items.get(userId).update(student);
}

function learn(userId, news) {
    students.set(userId, { ...students.get(userId), ...news });
    showStudent(userId);
}

function onIncident(incident, isLive) {
    const key = JSON.stringify(incident);
    if (incidents.has(key)) {
        return;
    }
    incidents.set(key, incident);
    element('incidents').prepend(incidentItem(incident));
    if (incident.kind === 'SECOND_LOGIN') {
        learn(incident.userId, { incident });
    }
    if (isLive) {
        say(`Incident: ${incident.userId}, ${incident.kind === 'SECOND_LOGIN' ? 'second login' : 'shared session'}.`);
    }
}

function onMessage({ topic, message }) {
    const [, , kind, userId] = topic.split('/');
    if (kind === 'incidents' && message) {
        onIncident(message, true);
    } else if (kind === 'presence') {
        learn(userId, { presence: message });
    } else if (kind === 'users') {
        const { access, reason, endAt, status } = message ?? {};
        learn(userId, { access, reason, endAt, status });
    }
}

/** Incidents are not retained: what came while this page was away is asked for once. */
async function onOnline() {
    showOnline(true);
    const { incidents: missed } = await post('exam/incidents').catch(() => ({ incidents: [] }));
    missed.forEach((incident) => onIncident(incident, false));
}

function onPhase({ phase, endAt, message }) {
    element('title').textContent = message?.title ?? 'Exam';
    element('phase').textContent = phase ?? '–';
    element('end').textContent = endAt ? localTime(endAt) : '–';
    document.querySelectorAll('[data-phase]').forEach((button) => {
        button.setAttribute('aria-pressed', String(button.dataset.phase === phase));
    });
}

function signedOut() {
    invigilator?.stop();
    invigilator = null;
    showOnline(false, false);
    show('signin');
}

async function fetchToken() {
    try {
        return (await post('token', PROFESSOR)).token;
    } catch (error) {
        if (error.status === 401) {
            signedOut();
        }
        throw error;
    }
}

function follow({ evaluation, url, keepalive, topicPrefix }) {
    const topics = ['users/+', 'presence/+', 'incidents'].map((what) => `evaluations/${evaluation}/${what}`);
    invigilator = new Invigilator({
        url: brokerUrl(url), fetchToken, evaluations: [evaluation], topics, keepalive, topicPrefix,
    });
    invigilator.on('online', onOnline);
    invigilator.on('offline', ({ reason }) => showOnline(false, reason !== 'stopped'));
    invigilator.on('phase', onPhase);
    invigilator.on('message', onMessage);
    invigilator.on('invalidated', ({ reason }) => reason !== 'EXPIRED' && signedOut());
    invigilator.start();
    show('signedin');
}

async function begin() {
    try {
        follow(await post('token', PROFESSOR));
    } catch (error) {
        if (error.status === 401) {
            signedOut();
        } else {
            showOnline(false);
            setTimeout(begin, 3000); // the server is away, and the page knows nothing yet
        }
    }
}

function submits(name, work) {
    element(name).addEventListener('submit', (event) => {
        event.preventDefault();
        work();
    });
}

document.querySelectorAll('[data-phase]').forEach((button) => button.addEventListener('click', () =>
    act('exam/phase', { phase: button.dataset.phase }, `The phase is ${button.dataset.phase}.`)));
submits('extend-form', () => {
    const minutes = Number(element('minutes').value);
    act('exam/extend', { minutes }, `${minutes} minutes more for all.`);
});
submits('add-form', () => {
    actions.add(element('add-name').value);
    element('add-name').value = '';
});
element('signin').addEventListener('click', async () => {
    await act('signin', PROFESSOR, 'Signed in.');
    await begin();
    document.querySelector('main').focus();
});
element('signout').addEventListener('click', async () => {
    await invigilator?.stop();
    await act('signout', PROFESSOR, 'Signed out.');
    signedOut();
    element('signin').focus();
});

begin();
