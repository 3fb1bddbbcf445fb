#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// polling.mjs - what an hour of a student costs in bytes and processor time: asking every two seconds,
// against being told.
//
//   polling.mjs --build DIR [--students N] [--seconds S]       by itself
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startBroker } from '../../tests/broker/lib/broker.mjs';
import { connect } from '../../tests/broker/lib/client.mjs';
import { bytesOf, less } from '../lib/polling-bytes.mjs';
import { Page } from '../lib/polling-http.mjs';
import { EVALUATION, Follower, makeLogin, updateOf } from '../lib/polling-mqtt.mjs';
import { cpuNs } from '../lib/process.mjs';
import { startRival } from '../lib/rival.mjs';
import { median } from '../lib/stats.mjs';

export const name = 'polling';

const HOUR_S = 3600;
const PERIOD_MS = 2045; // SWR's second is two, and then the answer has to come: 1,760 requests an hour
const KEEPALIVE_S = 60;
// An hour of a connection that stands, its login with it.
const HOUR = { logins: 1, keepalives: HOUR_S / KEEPALIVE_S, updates: 4 };
// A connection for each token, and a token every 15 minutes.
const RENEWING_HOUR = { ...HOUR, logins: 4 };
// Tokens of five minutes and a keepalive of twenty seconds, as the examples have them.
const EXAMPLES_HOUR = { logins: 12, keepalives: HOUR_S / 20, updates: 4 };
const RATIO = 300;
const AT_ONCE = 50; // logins under way
const UPDATES = 4; // that are measured

/** Runs `each` on all items, some at a time; resolves to the results in order. */
async function mapSome(items, each) {
    const results = [];
    const entries = items.entries();
    const work = async () => {
        for (const [i, item] of entries) {
            results[i] = await each(item);
        }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return results;
}

const cpuMs = (pid) => cpuNs(pid) / 1e6;
const medianBytes = (all) => ({ up: median(all.map(({ up }) => up)), down: median(all.map(({ down }) => down)) });
const sumBytes = (pages) => pages.map(({ socket }) => bytesOf(socket))
    .reduce((sum, { up, down }) => ({ up: sum.up + up, down: sum.down + down }), { up: 0, down: 0 });

/* -- Asking -- */

/** Asks at its own times until `isOver`; counts the answers and how they were. */
async function poll(page, firstAt, counts, isOver) {
    for (let at = firstAt; !isOver(); at += PERIOD_MS) {
        await pause(Math.max(0, at - performance.now()));
        if (isOver()) {
            return;
        }
        const { status } = await page.askAgain();
        counts[status] = (counts[status] ?? 0) + 1;
    }
}

/** What has happened from the call of this to that of the function it resolves to. */
function openWindow(pid, pages) {
    const [at, cpu, bytes] = [performance.now(), cpuMs(pid), sumBytes(pages)];
    return () => ({ seconds: (performance.now() - at) / 1000, cpu: cpuMs(pid) - cpu, ...less(sumBytes(pages), bytes) });
}

async function runPolling(pages, pid, seconds) {
    const counts = {};
    let isDone = false;
    const start = performance.now() + 100;
    const polling = pages.map((page, i) => poll(page, start + (i * PERIOD_MS) / pages.length, counts, () => isDone));
    const failed = Promise.all(polling);
    // All of them have asked once before it counts.
    await Promise.race([pause(PERIOD_MS * 2), failed]);
    const [close, before] = [openWindow(pid, pages), { ...counts }];
    await Promise.race([pause(seconds * 1000), failed]);
    const window = close();
    const requests = (counts[304] ?? 0) - (before[304] ?? 0);
    isDone = true;
    await failed;
    if (Object.keys(counts).join() !== '304') {
        throw new Error(`other answers than 304: ${JSON.stringify(counts)}`);
    }
    return { ...window, requests };
}

/** The bytes of one answer with its body, and of its request. */
async function measureWhole(page) {
    const before = bytesOf(page.socket);
    const { bodyBytes } = await page.askWhole();
    return { ...less(bytesOf(page.socket), before), bodyBytes };
}

async function measurePolling({ students, seconds }) {
    const server = await startRival('poll');
    try {
        const pages = await mapSome(Array(students).fill(server.port()), Page.open);
        const window = await runPolling(pages, server.pid, seconds);
        const whole = await measureWhole(pages[0]);
        const { cookie } = pages[0];
        pages.forEach((page) => page.close());
        return { ...window, whole, cookie };
    } finally {
        await server.stop();
    }
}

/* -- Being told -- */

async function publishStates(broker, logins) {
    const backend = await connect({ url: broker.tcpUrl, username: 'backend', password: 'secret' });
    const options = { qos: 1, retain: true };
    await backend.publish(`evaluations/${EVALUATION}`, updateOf({ version: 1 }), options);
    await mapSome(logins, ({ user }) => backend.publish(`evaluations/${EVALUATION}/users/${user}`,
        updateOf({ userId: user, phase: undefined, startAt: undefined, status: 'IN_PROGRESS', access: 'ALLOWED' }), options));
    return (version) => backend.publish(`evaluations/${EVALUATION}`, updateOf({ version }), options);
}

/** Milliseconds of the broker while `work` goes on, beyond those it takes idle, and what came of it. */
async function cpuOf(pid, idleMsPerS, work) {
    const [at, cpu] = [performance.now(), cpuMs(pid)];
    const result = await work();
    return [cpuMs(pid) - cpu - idleMsPerS * (performance.now() - at) / 1000, result];
}

async function measureUpdates(pages, publish) {
    const measured = [];
    for (let version = 2; version < 2 + UPDATES; version++) {
        const updates = pages.map((page) => page.measureUpdate(version));
        await publish(version);
        measured.push(...await Promise.all(updates));
    }
    return medianBytes(measured);
}

async function measureIdle(pages, pid, seconds) {
    const pings = () => pages.reduce((sum, page) => sum + page.pings, 0);
    const before = pings();
    const close = openWindow(pid, pages);
    await pause(seconds * 1000);
    return { ...close(), pings: pings() - before };
}

async function followAll(broker, { students, seconds, cookie }) {
    const { pid } = broker;
    const logins = await Promise.all(Array.from({ length: students }, () => makeLogin(broker)));
    const publish = await publishStates(broker, logins);
    const open = (login) => Follower.open(broker, login, { keepalive: KEEPALIVE_S, cookie });
    const [loginCpu, pages] = await cpuOf(pid, 0, () => mapSome(logins, open));
    const idle = await measureIdle(pages, pid, seconds);
    const idleMsPerS = idle.cpu / idle.seconds;
    const [updateCpu, update] = await cpuOf(pid, idleMsPerS, () => measureUpdates(pages, publish));
    const measured = {
        idle,
        update: { ...update, cpu: Math.max(0, updateCpu) / students / UPDATES },
        login: { ...medianBytes(pages.map(({ login }) => login)), cpu: loginCpu / students },
        ping: medianBytes(pages.map(({ ping }) => ping)),
        tokenBytes: logins[0].token.length,
    };
    await Promise.all(pages.map((page) => page.close()));
    return measured;
}

async function measureMqtt({ build, dir, ...rest }) {
    process.env.INVIG_MODULE = join(build, 'mosquitto_invigilator.so');
    const stateFile = join(mkdtempSync(join(dir, 'polling-')), 'state.db');
    const broker = await startBroker({ options: { state_file: stateFile } });
    try {
        return await followAll(broker, rest);
    } finally {
        await broker.stop();
    }
}

/* -- The hour -- */

function pollingRows({ students, seconds, window }) {
    const each = (value) => value / students / window.seconds * HOUR_S;
    const requests = each(window.requests);
    const common = { students, requests_per_hour: Math.round(requests) };
    return [{
        way: 'polling, nothing new (304)',
        ...common,
        bytes_up_per_hour: Math.round(each(window.up)),
        bytes_down_per_hour: Math.round(each(window.down)),
        cpu_ms_per_student_hour: each(window.cpu),
        note: `${PERIOD_MS} ms apart over one HTTP/1.1 connection each, ${seconds} s measured. A lean server: `
            + 'an application of Next.js takes more processor time. TCP, IP and TLS are not counted, and nothing is '
            + 'compressed: over HTTP/2 the headers that come again are smaller.',
    }, {
        way: 'polling, whole answers (200)',
        ...common,
        bytes_up_per_hour: Math.round(requests * window.whole.up),
        bytes_down_per_hour: Math.round(requests * window.whole.down),
        cpu_ms_per_student_hour: null,
        note: `The bytes of one exchange (body ${window.whole.bodyBytes}), as often as above; where the browser may `
            + 'not keep the answer.',
    }];
}

/** The bytes and processor time of an hour, of pieces that were measured singly. */
function hourOf({ login, ping, update, idle }, students, { logins, keepalives, updates }) {
    const bytes = (way) => logins * login[way] + keepalives * ping[way] + updates * update[way];
    const idleCpu = idle.cpu / idle.seconds * HOUR_S / students;
    return {
        bytes_up_per_hour: Math.round(bytes('up')),
        bytes_down_per_hour: Math.round(bytes('down')),
        cpu_ms_per_student_hour: idleCpu + logins * login.cpu + updates * update.cpu,
    };
}

/** The bytes of a request to the application for a token: those of a poll, but for the body. */
function tokenRequest({ whole }, tokenBytes) {
    return { up: whole.up, down: whole.down - whole.bodyBytes + tokenBytes + '{"token":""}'.length };
}

function withTokenRequests({ login, ...mqtt }, window) {
    const { up, down } = tokenRequest(window, mqtt.tokenBytes);
    return { ...mqtt, login: { ...login, up: login.up + up, down: login.down + down } };
}

function noteOf({ login, ping, update, idle, tokenBytes }, seconds) {
    const exchange = ({ up, down }) => `${up} + ${down}`;
    return `Added up of pieces measured singly, in bytes up + down: a login of ${exchange(login)}, with a browser's `
        + `headers and cookies, an RS256 token of ${tokenBytes}, three filters and two retained messages; ${HOUR.keepalives} `
        + `keepalives of ${exchange(ping)}; ${HOUR.updates} updates of ${exchange(update)}, QoS 1. TCP, IP and TLS are `
        + `not counted. Processor time: idle for ${seconds} s (${idle.pings} keepalives), and that of logins and updates.`;
}

function mqttRows({ students, seconds, window, mqtt }) {
    const row = (way, measured, hour, note) => ({
        way,
        students,
        requests_per_hour: hour.logins + hour.keepalives + hour.updates,
        ...hourOf(measured, students, hour),
        note,
    });
    const withRequests = withTokenRequests(mqtt, window);
    // The application's processor time was not measured, nor that of other keepalives.
    const bytesAlone = { cpu_ms_per_student_hour: null };
    return [
        row('MQTT over WebSockets', mqtt, HOUR, noteOf(mqtt, seconds)),
        row('the same, with a new token and connection every 15 minutes', mqtt, RENEWING_HOUR, 'Four logins.'),
        { ...row('the same, and a request to the application for each token', withRequests, RENEWING_HOUR,
            'Counted as a poll that is answered with the token.'), ...bytesAlone },
        { ...row('the same, with a new token every 5 minutes and a keepalive of 20 s', withRequests, EXAMPLES_HOUR,
            'As the examples have it.'), ...bytesAlone },
    ];
}

const bytesOfRow = (row) => row.bytes_up_per_hour + row.bytes_down_per_hour;

/** Told against asking with the shortest answers; the other pairs are in the note. */
function targetOf(asking, told) {
    const ratio = (one, other) => bytesOfRow(one) / bytesOfRow(other);
    const value = ratio(told[0], asking[0]);
    const others = asking.flatMap((asked) => told.map((row) =>
        `${row.way} / ${asked.way}: 1/${(1 / ratio(row, asked)).toFixed(0)}`));
    return {
        name: `bytes per student-hour at most 1/${RATIO} of polling`,
        value,
        limit: 1 / RATIO,
        pass: value <= 1 / RATIO,
        note: `A connection that stands, with its login; polling at its shortest. All pairs: ${others.join('; ')}.`,
    };
}

/** Resolves to `rows`, `targets`, and the single measurements as `raw`. `seconds` are for each way. */
export async function measure({ build, dir, seconds = 60, students = 500, log = () => {} }) {
    log(`polling: ${students} pages ask for ${seconds} s`);
    const window = await measurePolling({ students, seconds });
    log(`polling: ${students} pages are told, idle for ${seconds} s`);
    const { cookie, ...polling } = window;
    const mqtt = await measureMqtt({ build, dir, students, seconds, cookie });
    const asking = pollingRows({ students, seconds, window });
    const told = mqttRows({ students, seconds, window, mqtt });
    return { rows: [...asking, ...told], targets: [targetOf(asking, told)], raw: { polling, mqtt } };
}

async function main() {
    const names = ['build', 'students', 'seconds'];
    const { values } = parseArgs({ options: Object.fromEntries(names.map((each) => [each, { type: 'string' }])) });
    const dir = mkdtempSync(join(tmpdir(), 'invig-polling-'));
    process.on('exit', () => rmSync(dir, { recursive: true, force: true }));
    const [students, seconds] = [values.students, values.seconds].map((text) => text && Number(text));
    const result = await measure({ build: resolve(values.build), dir, students, seconds, log: console.error });
    console.log(JSON.stringify(result, null, 2));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
    await main();
}
