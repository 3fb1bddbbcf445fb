// SPDX-License-Identifier: Apache-2.0
// fanout.mjs - one message of the backend to everybody in an evaluation, by who judges each delivery.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
    startBroker, TOPIC, updateText, withAcl, withDynsec, withNothing, withPlugin,
} from '../lib/broker.mjs';
import { settle, startLoad, withCpu } from '../lib/load.mjs';
import { startRival, withKey } from '../lib/rival.mjs';
import { findRow, ratioAtMost, rowsOf } from '../lib/stats.mjs';

export const name = 'fanout';

const NONE = 'no plugin';
const PLUGIN = 'plugin';
const DYNSEC = 'dynamic security';
const TABLE = 'WebSockets';
const ONCE = 'WebSockets, allow_duplicate_messages false';
// What is measured is a share of a few percent: the more rounds the better.
const ROUNDS_FACTOR = 2;
const DELIVERIES = 200000;
const MESSAGES_QUICK = 20;
const PAYLOAD_BYTES = 260;
// After all have a message, until the next one.
const PAUSE_MS = 5;

const PLAIN = { label: NONE, lines: withNothing };
const JUDGED = { label: PLUGIN, lines: (context) => withPlugin(context, 'RS256') };
const VARIANTS = [
    PLAIN,
    { label: 'ACL file', lines: withAcl },
    { label: DYNSEC, lines: (context, users) => withDynsec(context, users, 'RS256') },
    JUDGED,
];
const SSE = { label: 'server-sent events', rival: 'sse' };

/** A whole state of the evaluation, as a backend publishes it at each change; `version` a number or %n, which
 *  the load generator replaces. */
function payload(version) {
    const members = {
        phase: 'IN_PROGRESS', strict: true, startAt: '2030-01-15T08:00:00Z', endAt: '2030-01-15T10:30:00Z', title: '',
    };
    const room = PAYLOAD_BYTES - updateText(members).length - '"version":100,'.length;
    const title = 'Analysis I, written examination '.repeat(9).slice(0, room);
    return updateText({ ...members, title }).replace(/}$/, `,"version":${version}}`);
}

async function startServer(context, variant, users, settings) {
    if (variant.rival) {
        return startRival(variant.rival, withKey(context.keys.rsPem, 'RS256'));
    }
    const broker = await startBroker(context, await variant.lines(context, users), settings);
    broker.publish(TOPIC, payload(0));
    return broker;
}

/** Subscribers into a fresh server, and then the messages. */
async function measureFanout(context, variant, { users, messages, allowsDuplicates }) {
    const server = await startServer(context, variant, users, { allowsDuplicates });
    const transport = variant.rival ?? 'ws';
    const payloadFile = join(context.dir, 'payload');
    writeFileSync(payloadFile, payload('%n'));
    const load = startLoad(context, {
        port: server.port(transport), transport, file: await context.students.logins('RS256', users), users,
        subscribe: TOPIC, phases: ['storm', 'fanout'],
        fanout: {
            publisherFile: await context.students.publisher({ hasToken: Boolean(variant.rival) }),
            port: server.port(variant.rival ?? 'tcp'), topic: variant.rival ? '/publish' : TOPIC, payloadFile, messages,
            intervalMs: PAUSE_MS, isRetained: true,
        },
    });
    await load.result();
    await settle(server);
    const { result, cpu } = await withCpu(server, () => {
        load.next();
        return load.result();
    });
    await load.end();
    await server.stop();
    if (result.received !== users * messages) {
        throw new Error(`${result.received} deliveries instead of ${users * messages}`);
    }
    return { cpuUs: cpu / 1e3 / result.received, p50Ms: result.p50_ms, p99Ms: result.p99_ms, maxMs: result.max_ms,
        deliveries: result.received };
}

async function measureTable(context, table, users, variants, allowsDuplicates) {
    const messages = context.isQuick ? MESSAGES_QUICK : Math.max(20, Math.min(100, Math.round(DELIVERIES / users)));
    const isClose = allowsDuplicates && users === context.users[0] && !context.isQuick;
    const rounds = isClose ? context.rounds * ROUNDS_FACTOR : context.roundsOf(users);
    context.say(`${table}, ${users} students, ${messages} messages, ${rounds} rounds of ${variants.length}`);
    const rows = await rowsOf({ table, users, variants, rounds },
        (variant) => measureFanout(context, variant, { users, messages, allowsDuplicates }));
    return rows.map((row) => ({ ...row, messages }));
}

function targetsOf(rows, users) {
    const [none, plugin, dynsec] = [NONE, PLUGIN, DYNSEC].map((label) => findRow(rows, label, users, TABLE));
    return [
        ratioAtMost(1.03, `delivery to ${users}, CPU, plugin / no plugin`, 'cpuUs', plugin, none),
        ratioAtMost(1, `delivery to ${users}, CPU, plugin / dynamic security`, 'cpuUs', plugin, dynsec),
    ];
}

function overviewOf(rows, users) {
    const values = (label) => findRow(rows, label, users, TABLE)?.values;
    const ofAll = (text) => [NONE, 'ACL file', DYNSEC, SSE.label].filter(values)
        .map((label) => `${label} ${text(values(label))}`).join(', ');
    const cpu = ({ cpuUs }) => `${cpuUs.median.toFixed(2)} µs`;
    const delay = ({ p50Ms, p99Ms }) => `${p50Ms.median.toFixed(0)} / ${p99Ms.median.toFixed(0)} ms`;
    return [
        { what: `CPU time of a delivery, one message to ${users}`, plugin: cpu(values(PLUGIN)), others: ofAll(cpu) },
        { what: `The message is there after, p50 / p99 of ${users}`, plugin: delay(values(PLUGIN)),
            others: ofAll(delay) },
    ];
}

export async function measure(context) {
    const rows = [];
    const all = context.hasRivals ? [...VARIANTS, SSE] : VARIANTS;
    for (const users of context.users) {
        rows.push(...await measureTable(context, TABLE, users, all, true));
    }
    rows.push(...await measureTable(context, ONCE, context.users[0], [PLAIN, JUDGED], false));
    return {
        title: 'One message to everybody in an evaluation',
        notes: [
            `An EVALUATION_UPDATE of ${payload(100).length} bytes, retained, published by the backend with QoS 1 over `
            + 'TCP; students subscribe with QoS 0, over WebSockets. They came with the same tokens in all variants, '
            + 'and the evaluation is in its strict phase from before they come, so with the plugin all are bound. '
            + 'CPU is the server\'s, all threads, per delivery; the times run from the publish to the arrival at each '
            + `student. The next message goes out ${PAUSE_MS} ms after all have the one before.`,
            'Dynamic security 2.0 knows no patterns with user names: its one role may read users/# and evaluations/#.',
        ],
        columns: [['cpuUs', 'CPU µs', 2], ['p50Ms', 'p50 ms', 1], ['p99Ms', 'p99 ms', 1], ['maxMs', 'max ms', 1]],
        rows,
        targets: context.users.flatMap((users) => targetsOf(rows, users)),
        overview: context.users.flatMap((users) => overviewOf(rows, users)),
    };
}
