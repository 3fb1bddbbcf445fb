#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// poll.mjs - a rival: what pages ask that poll for the state of an exam.
//
//   poll.mjs --port N
//
// As lean as it can be: no framework, no database, all answers ready beforehand, and the session cookie
// looked up in a Map. An application of Next.js with NextAuth has the same bytes on the wire, but takes
// several times the processor time: it runs its router, decrypts the session cookie and encrypts a new
// one at each request, and asks its database. So figures of this flatter polling.
//
//   POST /api/auth/callback/credentials     answers with the cookies of a new session
//   GET /api/evaluations/{id}/status        needs them; 304 where If-None-Match names what is there
import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { readOptions, run } from './program.mjs';

const ENCRYPTED_BYTES = 345; // name, picture, address, role and times of a user, as NextAuth has them
const LIFETIME_MS = 30 * 86400 * 1000;
const SESSION = '__Secure-next-auth.session-token';
const STATUS = /^\/api\/evaluations\/([\w-]{1,64})\/status$/;
const JWE_HEADER = Buffer.from('{"alg":"dir","enc":"A256GCM"}').toString('base64url');

const { port } = readOptions('port');
const sessions = new Map(); // session token -> its three Set-Cookie lines
const answers = new Map(); // evaluation -> { body, headers, notModified }

const random = (bytes) => randomBytes(bytes).toString('base64url');

/** What NextAuth's encrypted session token looks like, which has no encrypted key. */
function makeToken() {
    return [JWE_HEADER, '', random(12), random(ENCRYPTED_BYTES), random(16)].join('.');
}

function cookiesOf(token) {
    const csrf = `${randomBytes(32).toString('hex')}%7C${randomBytes(32).toString('hex')}`;
    const expires = new Date(Date.now() + LIFETIME_MS).toUTCString();
    return [
        `__Host-next-auth.csrf-token=${csrf}; Path=/; HttpOnly; Secure; SameSite=Lax`,
        '__Secure-next-auth.callback-url=https%3A%2F%2Fexam.example.org; Path=/; HttpOnly; Secure; SameSite=Lax',
        `${SESSION}=${token}; Path=/; Expires=${expires}; HttpOnly; Secure; SameSite=Lax`,
    ];
}

function makeAnswer(evaluation) {
    const body = Buffer.from(JSON.stringify({
        id: evaluation,
        label: 'Algorithms and data structures',
        phase: 'IN_PROGRESS',
        startAt: '2026-01-30T08:00:00.000Z',
        endAt: '2026-01-30T10:00:00.000Z',
        durationActive: true,
        status: 'IN_PROGRESS',
        userOnEvaluation: { status: 'IN_PROGRESS', hasSessionChanged: false },
    }));
    const common = {
        ETag: `"${createHash('sha1').update(body).digest('base64url')}"`,
        'Cache-Control': 'private, no-cache, max-age=0, must-revalidate',
    };
    const type = { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': body.length };
    return { body, headers: { ...type, ...common }, notModified: common };
}

function login(response) {
    const token = makeToken();
    const cookies = cookiesOf(token);
    sessions.set(token, cookies);
    response.writeHead(204, { 'Set-Cookie': cookies }).end();
}

function sessionOf({ cookie = '' }) {
    const start = cookie.indexOf(`${SESSION}=`) + SESSION.length + 1;
    const end = cookie.indexOf(';', start);
    return start <= SESSION.length ? undefined : sessions.get(cookie.slice(start, end < 0 ? undefined : end));
}

function tellStatus(evaluation, { headers }, response) {
    const cookies = sessionOf(headers);
    if (!cookies) {
        response.writeHead(401).end();
        return;
    }
    if (!answers.has(evaluation)) {
        answers.set(evaluation, makeAnswer(evaluation));
    }
    const { body, headers: whole, notModified } = answers.get(evaluation);
    if (headers['if-none-match'] === notModified.ETag) {
        response.writeHead(304, { ...notModified, 'Set-Cookie': cookies }).end();
    } else {
        response.writeHead(200, { ...whole, 'Set-Cookie': cookies }).end(body);
    }
}

const server = createServer((request, response) => {
    const evaluation = request.method === 'GET' && STATUS.exec(request.url)?.[1];
    if (evaluation) {
        tellStatus(evaluation, request, response);
    } else if (request.method === 'POST' && request.url === '/api/auth/callback/credentials') {
        login(response);
    } else {
        response.writeHead(404).end();
    }
});

run(server, port);
