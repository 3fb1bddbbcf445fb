// SPDX-License-Identifier: Apache-2.0
// unblock.mjs - how soon a student who was blocked after a second login may go on.
import { startBroker, TOPIC, updateText, withPlugin } from '../lib/broker.mjs';
import { openPage } from '../lib/page.mjs';
import { percentile } from '../lib/stats.mjs';
import { BACKEND, EVALUATION } from '../lib/students.mjs';

export const name = 'unblock';

const SAMPLES = 50;
const AT_A_TIME = 10;
const CONTROL = '$CONTROL/invigilator/v1';

function topicOf({ user }) {
    return `${TOPIC}/users/${user}`;
}

const WAYS = [
    {
        label: 'message of the backend',
        publish: (backend, student) => backend.publish(topicOf(student),
            updateText({ userId: student.user, access: 'ALLOWED', unblock: true }), { qos: 1, retain: true }),
    },
    {
        label: 'command',
        publish: (backend, { user }) => backend.publish(CONTROL,
            JSON.stringify({ commands: [{ command: 'unblock', userId: user, evaluationId: EVALUATION }] }), { qos: 1 }),
    },
];

/** A student who sits in the evaluation, and was blocked by a second login. Returns the page. */
async function makeBlocked(context, broker, student) {
    const page = await openPage(broker.wsUrl, await context.students.token(student));
    await page.client.subscribeAsync(topicOf(student), { qos: 0 });
    const blocked = page.next(({ access }) => access === 'BLOCKED');
    const second = { sid: `${student.session}-second`, auth_time: context.students.now };
    const other = await openPage(broker.wsUrl, await context.students.token(student, 'RS256', second));
    await blocked;
    other.client.end(true);
    return { student, page };
}

async function makeAllBlocked(context, broker, students) {
    const blocked = [];
    for (let i = 0; i < students.length; i += AT_A_TIME) {
        const some = students.slice(i, i + AT_A_TIME);
        blocked.push(...await Promise.all(some.map((student) => makeBlocked(context, broker, student))));
    }
    return blocked;
}

async function measureOne(backend, way, { student, page }) {
    const allowed = page.next(({ access }) => access === 'ALLOWED');
    const begin = performance.now();
    way.publish(backend, student);
    return (await allowed).at - begin;
}

async function measureWay(context, broker, backend, way, students) {
    context.say(`${students.length} times by ${way.label}`);
    const blocked = await makeAllBlocked(context, broker, students);
    const delays = [];
    for (const one of blocked) {
        delays.push(await measureOne(backend.client, way, one));
    }
    blocked.forEach(({ page }) => page.client.end(true));
    const values = { p50Ms: percentile(delays, 50), p99Ms: percentile(delays, 99), maxMs: Math.max(...delays) };
    return { table: '', variant: way.label, users: delays.length, values, rounds: [{ delays }] };
}

export async function measure(context) {
    const samples = context.isQuick ? 10 : SAMPLES;
    const students = context.students.list(samples * WAYS.length);
    const broker = await startBroker(context, await withPlugin(context, 'RS256'));
    broker.publish(TOPIC, updateText({ phase: 'IN_PROGRESS' }));
    const backend = await openPage(broker.tcpUrl, { username: BACKEND.name, password: BACKEND.password });
    const rows = [];
    for (const [i, way] of WAYS.entries()) {
        const own = students.slice(i * samples, (i + 1) * samples);
        rows.push(await measureWay(context, broker, backend, way, own));
    }
    backend.client.end(true);
    await broker.stop();
    const text = ({ p50Ms, p99Ms }) => `${p50Ms.toFixed(0)} / ${p99Ms.toFixed(0)} ms`;
    return {
        title: 'A blocked student may go on',
        notes: [
            'From the backend\'s publish (TCP) to the arrival of access ALLOWED at the student\'s page (MQTT.js over '
            + 'WebSockets), on an idle broker, one at a time. The command is carried out at the plugin\'s next tick.',
        ],
        columns: [['p50Ms', 'p50 ms', 1], ['p99Ms', 'p99 ms', 1], ['maxMs', 'max ms', 1]],
        usersTitle: 'samples',
        rows,
        targets: [],
        overview: [{
            what: 'Unblocked by the professor: the student knows after, p50 / p99',
            plugin: rows.map(({ variant, values }) => `${text(values)} (${variant})`).join(', '),
            others: '',
        }],
    };
}
