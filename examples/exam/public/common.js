// SPDX-License-Identifier: Apache-2.0
// common.js - what both pages have in common.

/** The element with that data-testid. */
export const element = (name) => document.querySelector(`[data-testid="${name}"]`);

/** Resolves to the answer; rejects with `status`, which is undefined where there was no answer. */
export async function post(path, body = {}) {
    const response = await fetch(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(8000),
    });
    const answer = await response.json();
    if (!response.ok) {
        throw Object.assign(new Error(answer.error), { status: response.status });
    }
    return answer;
}

/** A path means this page's own host, behind one proxy. */
export function brokerUrl(url) {
    return url.startsWith('/') ? `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}${url}` : url;
}

/** Says something to the eye and to a screen reader; what is said already is not said again. */
export function say(text) {
    const status = element('status');
    if (status.textContent !== text) {
        status.textContent = text;
    }
}

/** "connection lost" is there or not. What was written and where the focus is stay as they are. */
export function showOnline(isOnline, isLost = !isOnline) {
    document.body.dataset.online = String(isOnline);
    element('offline').hidden = !isLost;
}

/** 1:05:09 */
export function clock(ms) {
    const total = Math.max(0, Math.ceil(ms / 1000));
    const [hours, minutes, seconds] = [total / 3600, (total / 60) % 60, total % 60].map(Math.floor);
    const two = (n) => String(n).padStart(2, '0');
    return `${hours}:${two(minutes)}:${two(seconds)}`;
}

export const localTime = (time) => new Date(time).toLocaleTimeString();
