// SPDX-License-Identifier: Apache-2.0
// professor-items.js - a student and an incident as items of a list. Text goes in as text, never as HTML.
import { localTime } from './common.js';

const ACCESS = { ALLOWED: 'on the list', DENIED: 'not on the list', BLOCKED: 'blocked' };

function make(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    Object.entries(attributes).forEach(([name, value]) => node.setAttribute(name, value));
    node.append(...children);
    return node;
}

function presenceText(presence) {
    if (presence === undefined) {
        return 'not seen';
    }
    return `${presence.online ? 'online' : 'offline'} since ${localTime(presence.since)}`;
}

function accessText({ access, reason, status, endAt }) {
    const parts = [ACCESS[access] ?? 'not on the list'];
    if (access === 'BLOCKED') {
        parts.push(reason === 'SECOND_LOGIN' ? 'second login' : 'by the professor');
    }
    if (status === 'FINISHED') {
        parts.push('finished');
    }
    if (endAt) {
        parts.push(`own end ${localTime(endAt)}`);
    }
    return parts.join(', ');
}

/** Says only what is new to it, so that a screen reader is not made to repeat. */
function setText(node, text) {
    if (node.textContent !== text) {
        node.textContent = text;
    }
}

/** {element, update(student)}. A button that hides under the focus hands it on to its neighbours. */
export function studentItem(userId, actions) {
    let fingerprint;
    const presence = make('span', { 'data-testid': `presence-${userId}` });
    const access = make('span', { 'data-testid': `access-${userId}` });
    const button = (name, text, act) => {
        const attributes = { type: 'button', 'data-testid': `${name}-${userId}`, 'aria-label': `${text}: ${userId}` };
        const node = make('button', attributes, text);
        node.addEventListener('click', act);
        return node;
    };
    const buttons = {
        unblock: button('unblock', 'Let the first login go on', () => actions.unblock(userId)),
        unblockNew: button('unblock-new', 'Let the new login go on', () => actions.unblockNew(userId, fingerprint)),
        block: button('block', 'Block', () => actions.block(userId)),
        extend: button('extend', 'More time', () => actions.extend(userId)),
        remove: button('remove', 'Take off the list', () => actions.remove(userId)),
        add: button('add', 'Put on the list', () => actions.add(userId)),
        revoke: button('revoke', 'Sign out everywhere', () => actions.revoke(userId)),
    };
    const item = make('li', { 'data-user': userId, tabindex: '-1' },
        make('strong', {}, userId), ' ', presence, ' – ', access,
        make('div', { class: 'buttons' }, ...Object.values(buttons)));

    const update = (student) => {
        const isBlocked = student.access === 'BLOCKED';
        const isListed = student.access === 'ALLOWED' || isBlocked;
        const isSecond = isBlocked && student.reason === 'SECOND_LOGIN';
        fingerprint = student.incident?.refusedSession;
        item.dataset.access = student.access ?? '';
        item.dataset.online = String(student.presence?.online ?? false);
        setText(presence, presenceText(student.presence));
        setText(access, accessText(student));
        setText(buttons.unblock, isSecond ? 'Let the first login go on' : 'Unblock');
        buttons.unblock.setAttribute('aria-label', `${buttons.unblock.textContent}: ${userId}`);
        const focused = document.activeElement;
        buttons.unblock.hidden = !isBlocked;
        buttons.unblockNew.hidden = !isSecond || fingerprint === undefined;
        buttons.block.hidden = !isListed || isBlocked;
        buttons.extend.hidden = buttons.remove.hidden = !isListed;
        buttons.add.hidden = isListed;
        if (focused?.hidden && item.contains(focused)) {
            item.focus();
        }
    };
    return { element: item, update };
}

const KINDS = { SECOND_LOGIN: 'second login', SHARED_SESSION: 'session used from a second address' };

export function incidentItem({ kind, userId, enforced, boundSession, refusedSession, address, at }) {
    const logins = refusedSession && refusedSession !== boundSession
        ? `login ${boundSession}, and ${refusedSession}` : `login ${boundSession}`;
    return make('li', { 'data-user': userId, 'data-kind': kind },
        make('time', { datetime: at }, localTime(at)), ' ', make('strong', {}, userId), `: ${KINDS[kind] ?? kind}`,
        enforced ? ', turned away' : ', reported only', ` – from ${address}; ${logins}`);
}
