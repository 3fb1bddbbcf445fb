#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// server.mjs - a small backend of one exam: serves the pages, signs in, signs tokens, publishes.
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Broker } from './broker.mjs';
import { Exam } from './exam.mjs';
import { readFiles } from './files.mjs';
import { Refusal } from './refusal.mjs';
import { Sessions } from './sessions.mjs';

const QUICKSTART_KEY = fileURLToPath(new URL('../../build-release/quickstart/private.pem', import.meta.url));
const OPTIONS = { // name: [default, meaning]
    port: ['8080', 'port for HTTP on 127.0.0.1; 0 for any'],
    mqtt: ['mqtt://127.0.0.1:1883', 'the broker, for this server'],
    ws: ['ws://127.0.0.1:9001', 'the broker, for the pages; a path such as /mqtt is on the same host'],
    key: [QUICKSTART_KEY, 'private key (PEM) or shared secret that signs tokens'],
    issuer: ['', 'iss of the tokens'],
    audience: ['', 'aud of the tokens'],
    ttl: ['300', 'seconds that a token lives'],
    evaluation: ['demo', 'id of the exam'],
    title: ['Demo exam', 'what the pages call it'],
    minutes: ['60', 'how long it takes'],
    students: ['anna,ben', 'who is on the list at first'],
    'topic-prefix': ['', 'as the option topic_prefix of the plugin'],
    keepalive: ['20', 'seconds, of the pages'],
    'blocked-retry': ['15', 'seconds between two attempts of a page that is turned away'],
    secure: ['', 'anything: cookies are for https alone'],
};
const BODY_MAX = 4096;
const PROFESSOR = 'professor';
// Names that mean somebody else to the broker.
const RESERVED = [PROFESSOR, 'backend', 'exam-backend'];

function usage() {
    const lines = Object.entries(OPTIONS).map(([name, [value, meaning]]) =>
        `  --${name.padEnd(14)} ${meaning}${value && `; default ${value}`}`);
    const first = 'usage: server.mjs [options]; each may come from the environment, as EXAM_TOPIC_PREFIX';
    return [first, '', ...lines].join('\n');
}

function integer(name, text, min = 1) {
    if (!/^\d{1,6}$/.test(text) || Number(text) < min) {
        throw new Error(`--${name}: ${text} is not a number that fits`);
    }
    return Number(text);
}

function readSettings() {
    const names = Object.keys(OPTIONS);
    const options = Object.fromEntries(names.map((name) => [name, { type: 'string' }]));
    const { values } = parseArgs({ options });
    const text = (name) => values[name] ??
        process.env[`EXAM_${name.toUpperCase().replaceAll('-', '_')}`] ?? OPTIONS[name][0];
    const all = Object.fromEntries(names.map((name) => [name, text(name)]));
    return {
        ...all,
        port: integer('port', all.port, 0),
        ttl: integer('ttl', all.ttl),
        minutes: integer('minutes', all.minutes),
        keepalive: integer('keepalive', all.keepalive),
        blockedRetry: integer('blocked-retry', all['blocked-retry']),
        topicPrefix: all['topic-prefix'],
        students: all.students.split(',').filter(Boolean).map(studentName),
    };
}

/** A name as the id of a user: what the broker takes, and a little less. */
function studentName(name) {
    const id = typeof name === 'string' ? name.normalize('NFC').trim() : '';
    if (!/^[\p{L}\p{N}][\p{L}\p{M}\p{N} ._-]{0,39}$/u.test(id)) {
        throw new Refusal(400, 'a name has 1 to 40 letters, digits, blanks, points and dashes');
    }
    if (RESERVED.includes(id.toLowerCase())) {
        throw new Refusal(400, `${id} is not a student's name`);
    }
    return id;
}

function fingerprintOf(text) {
    if (text !== undefined && !/^[0-9a-f]{12}$/.test(text)) {
        throw new Refusal(400, 'a fingerprint has 12 hex digits');
    }
    return text;
}

function roleOf({ role = 'student' }) {
    if (role !== 'student' && role !== PROFESSOR) {
        throw new Refusal(400, 'the role is student or professor');
    }
    return role;
}

/** What can be asked for by POST. Each gets the body and the request, and returns the answer, or
 *  {answer, cookie}; those for professors are asked for by nobody else. */
function routesOf(settings, sessions, exam) {
    const { evaluation, ws, keepalive, blockedRetry, topicPrefix } = settings;
    const done = () => ({ ok: true });
    const session = (request, role, sessionId) => {
        const found = sessions.find(request, role, sessionId);
        if (!found) {
            throw new Refusal(401, 'not signed in');
        }
        return found;
    };
    const forProfessor = (act) => async (body, request) => {
        session(request, PROFESSOR);
        return (await act(body)) ?? done();
    };
    return {
        // A demo: there is no password, also for the professor.
        '/signin': (body, request) => {
            const role = roleOf(body);
            const userId = role === PROFESSOR ? PROFESSOR : studentName(body.name);
            return { answer: { userId }, cookie: sessions.signIn(request, userId, role) };
        },
        '/signout': async (body, request) => {
            const found = session(request, roleOf(body), body.sessionId);
            const cookie = sessions.signOut(request, found);
            await exam.endSession(found.userId, found.sid);
            return { answer: done(), cookie };
        },
        '/token': async (body, request) => {
            const found = session(request, roleOf(body), body.sessionId);
            const { userId, sid: sessionId } = found;
            const token = await sessions.token(found);
            return { token, userId, sessionId, evaluation, url: ws, keepalive, blockedRetry, topicPrefix };
        },
        '/exam/phase': forProfessor(({ phase }) => exam.setPhase(phase)),
        '/exam/extend': forProfessor(({ minutes, userId }) => exam.extend(minutes, userId)),
        '/exam/add': forProfessor(({ userId }) => exam.setAccess(studentName(userId), 'ALLOWED')),
        '/exam/remove': forProfessor(({ userId }) => exam.setAccess(studentName(userId), 'DENIED')),
        '/exam/block': forProfessor(({ userId }) => exam.setAccess(studentName(userId), 'BLOCKED')),
        '/exam/unblock': forProfessor(({ userId, fingerprint }) =>
            exam.unblock(studentName(userId), fingerprintOf(fingerprint))),
        '/exam/revoke': forProfessor(async ({ userId }) => {
            const id = studentName(userId);
            await exam.revoke(id);
            sessions.signOutUser(id);
        }),
        '/exam/incidents': forProfessor(() => ({ incidents: exam.incidents })),
    };
}

/** A page of another origin cannot send JSON without being asked first, and is not let then. */
async function bodyOf(request) {
    if (!/^application\/json\b/.test(request.headers['content-type'] ?? '')) {
        throw new Refusal(415, 'the body is to be application/json');
    }
    const parts = [];
    let size = 0;
    for await (const part of request) {
        size += part.length;
        if (size > BODY_MAX) {
            throw new Refusal(413, 'the body is too large');
        }
        parts.push(part);
    }
    try {
        return Object(JSON.parse(Buffer.concat(parts)));
    } catch {
        throw new Refusal(400, 'the body is not JSON');
    }
}

function reply(response, status, headers, body) {
    response.writeHead(status, {
        'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer', ...headers,
    });
    response.end(body);
}

function replyJson(response, status, value, headers = {}) {
    const text = JSON.stringify(value);
    reply(response, status, { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers }, text);
}

async function handle(request, response, files, routes) {
    const path = request.url.split('?')[0];
    const file = files.get(path);
    const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
    if (file && ['GET', 'HEAD'].includes(request.method)) {
        reply(response, 200, file.headers, request.method === 'HEAD' ? undefined : file.body);
    } else if (route && request.method === 'POST') {
        const result = await route(await bodyOf(request), request);
        const { answer = result, cookie } = result;
        replyJson(response, 200, answer, cookie ? { 'set-cookie': cookie } : {});
    } else if (file || route) {
        replyJson(response, 405, { error: 'not by this method' }, { allow: file ? 'GET, HEAD' : 'POST' });
    } else {
        replyJson(response, 404, { error: 'there is no such page' });
    }
}

function refuse(response, error) {
    if (!(error instanceof Refusal)) {
        console.error(`exam: ${error.message}`);
    }
    const answer = error instanceof Refusal ? error : new Refusal(500, 'something went wrong');
    replyJson(response, answer.status, { error: answer.message }, { connection: 'close' });
}

async function main() {
    const settings = readSettings();
    const { evaluation, topicPrefix } = settings;
    const sessions = new Sessions(settings);
    const exam = new Exam(settings);
    const broker = await Broker.open({
        url: settings.mqtt,
        topicPrefix,
        topics: [`evaluations/${evaluation}/incidents`],
        token: (sub) => sessions.serviceToken(sub),
        onOnline: () => exam.publishAll(),
        onMessage: (topic, message) => exam.onMessage(topic, message),
    });
    exam.attach(broker);

    const files = readFiles(settings.ws);
    const routes = routesOf(settings, sessions, exam);
    const server = createServer((request, response) => {
        handle(request, response, files, routes).catch((error) => refuse(response, error));
    });
    server.listen(settings.port, '127.0.0.1', () => {
        const url = `http://127.0.0.1:${server.address().port}`;
        console.log(`exam: students at ${url}/, the professor at ${url}/professor`);
    });
    const end = () => {
        server.close();
        server.closeAllConnections();
        broker.close();
    };
    process.once('SIGINT', end).once('SIGTERM', end);
}

if (process.argv.includes('--help') || process.argv.includes('-h')) {
    console.log(usage());
} else {
    main().catch((error) => {
        console.error(`exam: ${error.message}`);
        process.exitCode = 1;
    });
}
