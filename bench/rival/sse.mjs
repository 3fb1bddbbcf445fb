#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// sse.mjs - a rival: server-sent events from one Node process.
//
//   sse.mjs --port N --key FILE --algorithm HS256|RS256|ES256
//
// GET /events follows the evaluations of the token; POST /publish, with a service's token, takes an
// EVALUATION_UPDATE and hands it to who follows. The last message of each evaluation is kept for those
// who come later.
import { createServer } from 'node:http';
import { readOptions, run } from './program.mjs';
import { tokenVerifier } from './token.mjs';

const BODY_BYTES_MAX = 4000;
const UNSENT_BYTES_MAX = 256 * 1024; // a reader that is this far behind does not read
const KEEPALIVE_MS = 25000;
const HEADERS = {
    'Content-Type': 'text/event-stream',
    'Cache-Control': 'no-cache, no-transform',
    'X-Accel-Buffering': 'no',
};

const options = readOptions('port', 'key', 'algorithm');
const verify = await tokenVerifier(options);
const followers = new Map(); // evaluation -> Set of responses
const lastEvents = new Map(); // evaluation -> the bytes of its last event
const streams = new Map(); // response -> when its token ends

function answer(response, status, headers = {}) {
    response.writeHead(status, headers).end();
}

function send(response, bytes) {
    response.write(bytes);
    if (response.writableLength > UNSENT_BYTES_MAX) {
        response.destroy();
    }
}

function add(response, { evaluations, endsAt }) {
    streams.set(response, endsAt);
    for (const evaluation of evaluations) {
        const set = followers.get(evaluation) ?? new Set();
        followers.set(evaluation, set.add(response));
    }
}

function remove(response, { evaluations }) {
    streams.delete(response);
    for (const evaluation of evaluations) {
        const set = followers.get(evaluation);
        if (set?.delete(response) && set.size === 0) {
            followers.delete(evaluation);
        }
    }
}

function follow(response, grant) {
    if (response.destroyed) {
        return; // it left while its token was looked at
    }
    response.once('close', () => remove(response, grant));
    add(response, grant);
    const known = grant.evaluations.map((evaluation) => lastEvents.get(evaluation)).filter(Boolean);
    response.writeHead(200, HEADERS);
    send(response, Buffer.concat([Buffer.from('event: ready\ndata: {}\n\n'), ...known]));
}

/** Resolves to the body; to null when it is too large. */
async function readBody(request) {
    const parts = [];
    let size = 0;
    for await (const part of request) {
        size += part.length;
        if (size > BODY_BYTES_MAX) {
            return null;
        }
        parts.push(part);
    }
    return Buffer.concat(parts);
}

function parseUpdate(body) {
    try {
        const update = JSON.parse(body);
        const isUpdate = update?.type === 'EVALUATION_UPDATE' && typeof update.evaluationId === 'string';
        return isUpdate ? update : null;
    } catch {
        return null;
    }
}

function publish(update) {
    const event = Buffer.from(`data: ${JSON.stringify(update)}\n\n`);
    lastEvents.set(update.evaluationId, event);
    for (const response of followers.get(update.evaluationId) ?? []) {
        send(response, event);
    }
}

async function takePublish(request, response, { isService }) {
    if (!isService) {
        answer(response, 403);
        return;
    }
    const body = await readBody(request);
    const update = body && parseUpdate(body);
    if (!update) {
        answer(response, body ? 400 : 413, body ? {} : { Connection: 'close' });
        return;
    }
    publish(update);
    answer(response, 204);
}

async function grantOf({ headers }) {
    try {
        return await verify(/^Bearer (\S+)$/.exec(headers.authorization)[1]);
    } catch {
        return null;
    }
}

async function handle(request, response) {
    const grant = await grantOf(request);
    const what = `${request.method} ${request.url}`;
    if (!grant) {
        answer(response, 401, { 'WWW-Authenticate': 'Bearer' });
    } else if (what === 'GET /events') {
        follow(response, grant);
    } else if (what === 'POST /publish') {
        await takePublish(request, response, grant);
    } else {
        answer(response, 404);
    }
}

const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
});

// Keeps proxies from closing what is idle, and ends what has no token any more.
const comment = Buffer.from(': keepalive\n\n');
setInterval(() => {
    const now = Date.now();
    for (const [response, endsAt] of streams) {
        if (endsAt < now) {
            response.end();
        } else {
            send(response, comment);
        }
    }
}, KEEPALIVE_MS);

run(server, options.port);
