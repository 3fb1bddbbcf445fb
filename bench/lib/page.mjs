// SPDX-License-Identifier: Apache-2.0
// page.mjs - what a page does, with its own MQTT library, and when things came.
import { createRequire } from 'node:module';
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';

const require = createRequire(new URL('../../tests/package.json', import.meta.url));
const mqtt = require('mqtt');
const WebSocket = require('ws');
const LIMIT_MS = 10000;

function jsonOf(payload) {
    try {
        return JSON.parse(payload);
    } catch {
        return {};
    }
}

function userOf(token) {
    return JSON.parse(Buffer.from(token.split('.')[1], 'base64url')).sub;
}

async function within(what, promise) {
    const timer = new AbortController();
    const late = pause(LIMIT_MS, undefined, { signal: timer.signal }).then(
        () => { throw new Error(`waited ${LIMIT_MS} ms in vain for ${what}`); }, () => {});
    try {
        return await Promise.race([promise, late]);
    } finally {
        timer.abort();
    }
}

/** Connects; resolves when the broker has answered:
 *
 *  client      MQTT.js's
 *  connectAt   over WebSockets: when its CONNECT was sent, by performance.now()
 *  next(is)    resolves to { at, topic, json } of the first message from now on that `is` wants
 *
 *  `credentials` are a token, or a name and a password. */
export async function openPage(url, credentials) {
    const { username, password } = typeof credentials === 'string'
        ? { username: userOf(credentials), password: credentials } : credentials;
    const page = {};
    const client = mqtt.connect(url, {
        // MQTT.js has written the CONNECT before the WebSocket is open: that is when it goes out.
        createWebsocket: (address, protocols, { wsOptions }) => {
            const socket = new WebSocket(address, protocols, wsOptions);
            return socket.once('open', () => Object.assign(page, { connectAt: performance.now() }));
        },
        username, password, clientId: `${username}:${randomBytes(6).toString('hex')}`,
        protocolVersion: 4, clean: true, keepalive: 30, reconnectPeriod: 0,
    });
    page.client = client;
    page.next = (is) => within('a message', new Promise((resolve) => {
        client.on('message', function onMessage(topic, payload) {
            const message = { at: performance.now(), topic, json: jsonOf(payload) };
            if (is(message.json, topic)) {
                client.off('message', onMessage);
                resolve(message);
            }
        });
    }));
    await within('CONNACK', new Promise((resolve, reject) => {
        client.once('connect', resolve).once('error', reject);
        client.once('close', () => reject(new Error('closed without CONNACK')));
    }));
    client.on('error', () => {});
    return page;
}
