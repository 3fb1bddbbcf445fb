// SPDX-License-Identifier: Apache-2.0
// second-login.mjs - how soon the old page of a student knows that somebody else has logged in.
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startBroker, TOPIC, updateText, withPlugin } from '../lib/broker.mjs';
import { startLoad, withCpu } from '../lib/load.mjs';
import { openPage } from '../lib/page.mjs';
import { atMost, percentile } from '../lib/stats.mjs';

export const name = 'second-login';

const SAMPLES = 100;
const CROWD = 5000;
const INTERVAL_MS = 100;
const MESSAGES = 100000;
const LIMIT_MS = 300;

/** One student whose second login ends the first: milliseconds from the CONNECT of the new page. */
async function measureOne(context, broker, student) {
    const tokens = await Promise.all(['first', 'second'].map((session, i) => context.students.token(
        student, 'RS256', { sid: `${student.session}-${session}`, auth_time: context.students.now - 60 + i })));
    const old = await openPage(broker.wsUrl, tokens[0]);
    const notice = old.next(({ type }) => type === 'SESSION_INVALIDATED');
    const closed = once(old.client, 'close').then(() => performance.now());
    const page = await openPage(broker.wsUrl, tokens[1]);
    return {
        noticeMs: (await notice).at - page.connectAt,
        closed: closed.then((at) => at - page.connectAt).finally(() => page.client.end()),
    };
}

/** One after the other, but nobody waits for the close of the old page, which comes a second later. */
async function measureMany(context, broker, students) {
    const samples = [];
    for (const student of students) {
        samples.push(await measureOne(context, broker, student));
    }
    return {
        notice: samples.map(({ noticeMs }) => noticeMs),
        close: await Promise.all(samples.map(({ closed }) => closed)),
    };
}

function rowOf(variant, { notice, close }, share) {
    const values = {
        noticeP50Ms: percentile(notice, 50), noticeP99Ms: percentile(notice, 99), noticeMaxMs: Math.max(...notice),
        closeP50Ms: percentile(close, 50), closeP99Ms: percentile(close, 99), brokerShare: share * 100,
    };
    return { table: '', variant, users: notice.length, values, rounds: [{ notice, close }] };
}

async function measureWith(context, variant, broker, students) {
    const begin = performance.now();
    const { result, cpu } = await withCpu(broker, () => measureMany(context, broker, students));
    return rowOf(variant, result, cpu / 1e6 / (performance.now() - begin));
}

async function startCrowd(context, broker, crowd) {
    const payloadFile = join(context.dir, 'crowd-payload');
    writeFileSync(payloadFile, updateText({ phase: 'REGISTRATION' }).replace(/}$/, ',"version":%n}').padEnd(260));
    const load = startLoad(context, {
        port: broker.wsPort, transport: 'ws', file: await context.students.logins('RS256', crowd), users: crowd,
        subscribe: TOPIC, phases: ['storm', 'fanout'],
        fanout: {
            publisherFile: await context.students.publisher(), port: broker.tcpPort, topic: TOPIC, payloadFile,
            messages: MESSAGES, intervalMs: INTERVAL_MS, isRetained: true,
        },
    });
    await load.result();
    load.next();
    load.result().then(() => {}, () => {}); // it is cut short
    return load;
}

export async function measure(context) {
    const samples = context.isQuick ? 10 : SAMPLES;
    const crowd = context.isQuick ? 200 : CROWD;
    const students = context.students.list(crowd + 2 * samples).slice(crowd);
    const broker = await startBroker(context, await withPlugin(context, 'RS256'));
    context.say(`${samples} second logins, idle`);
    const idle = await measureWith(context, 'idle', broker, students.slice(0, samples));
    context.say(`${samples} second logins beside a fan-out to ${crowd}`);
    const load = await startCrowd(context, broker, crowd);
    const busy = await measureWith(context, `fan-out to ${crowd}`, broker, students.slice(samples));
    if (load.endMessage) {
        throw new Error(`the fan-out did not last: ${load.endMessage}`);
    }
    await load.cut();
    await broker.stop();
    return {
        title: 'A second login',
        notes: [
            'MQTT.js over WebSockets, RS256. Milliseconds from the moment the new page sends its CONNECT to the old '
            + 'page\'s SESSION_INVALIDATED, and to the end of its connection, which the plugin leaves open for one '
            + 'second so that the page can read. One second login at a time. The fan-out: a message of 260 bytes to '
            + `${crowd} other students each ${INTERVAL_MS} ms, all the time; the last column is what the broker used `
            + 'of one core meanwhile.',
        ],
        columns: [['noticeP50Ms', 'notice p50 ms', 0], ['noticeP99Ms', 'p99 ms', 0], ['noticeMaxMs', 'max ms', 0],
            ['closeP50Ms', 'close p50 ms', 0], ['closeP99Ms', 'p99 ms', 0], ['brokerShare', 'broker CPU %', 0]],
        usersTitle: 'samples',
        rows: [idle, busy],
        targets: [
            atMost(LIMIT_MS, 'second login, notice p99, idle', idle.values.noticeP99Ms, 'ms'),
            atMost(LIMIT_MS, `second login, notice p99, fan-out to ${crowd}`, busy.values.noticeP99Ms, 'ms'),
        ],
        overview: [{
            what: 'Second login: the old page is told after, p50 / p99',
            plugin: [idle, busy].map(({ variant, values }) =>
                `${values.noticeP50Ms.toFixed(0)} / ${values.noticeP99Ms.toFixed(0)} ms (${variant})`).join(', '),
            others: '',
        }],
    };
}
