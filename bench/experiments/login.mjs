// SPDX-License-Identifier: Apache-2.0
// login.mjs - what it costs when a hall logs in within one second, by who judges the logins.
import {
    startBroker, TOPIC, withDynsec, withNothing, withPasswords, withPlugin,
} from '../lib/broker.mjs';
import { startLoad, withCpu } from '../lib/load.mjs';
import { startRival, withKey } from '../lib/rival.mjs';
import { findRow, ratioAtMost, rowsOf } from '../lib/stats.mjs';
import { DYNSEC_ITERATIONS } from '../lib/students.mjs';
import { rmSync } from 'node:fs';
import { join } from 'node:path';

export const name = 'login';

const NONE = 'no plugin';
const PASSWORDS = 'password file';
const TABLES = { ws: 'WebSockets', tcp: 'TCP' };

function plugin(algorithm) {
    return {
        label: `plugin, ${algorithm}`, kind: algorithm, lines: (context) => withPlugin(context, algorithm),
    };
}

function pluginWithFile() {
    const pathOf = (context) => join(context.dir, 'login-state.db');
    return {
        label: 'plugin, RS256, state file',
        kind: 'RS256',
        lines: (context) => withPlugin(context, 'RS256', { stateFile: pathOf(context) }),
        clear: (context) => ['', '-wal', '-shm'].forEach((end) => rmSync(pathOf(context) + end, { force: true })),
    };
}

const VARIANTS = [
    { label: NONE, kind: 'RS256', lines: withNothing },
    plugin('HS256'),
    plugin('RS256'),
    plugin('ES256'),
    pluginWithFile(),
    { label: PASSWORDS, kind: 'password', lines: withPasswords },
    { label: 'dynamic security', kind: 'password', lines: (context, users) => withDynsec(context, users, 'password') },
];
const AEDES = { label: 'Aedes with jose, RS256', kind: 'RS256', rival: 'aedes' };

async function startServer(context, variant, users) {
    if (variant.rival) {
        return startRival(variant.rival, withKey(context.keys.rsPem, 'RS256'));
    }
    return startBroker(context, await variant.lines(context, users));
}

/** One storm of logins into a fresh server. */
async function measureStorm(context, variant, { transport, users }) {
    const file = await context.students.logins(variant.kind, users);
    const server = await startServer(context, variant, users);
    const settings = {
        port: server.port(transport), transport, file, users, subscribe: TOPIC, phases: ['storm', 'idle'],
    };
    const { result: [load, storm], cpu } = await withCpu(server, async () => {
        const load = startLoad(context, settings);
        return [load, await load.result()];
    });
    await load.end();
    await server.stop();
    variant.clear?.(context);
    return { cpuUs: cpu / 1e3 / storm.count, wallMs: storm.wall_ms, p50Ms: storm.p50_ms, p99Ms: storm.p99_ms };
}

async function measureTable(context, transport, users, variants) {
    const table = TABLES[transport];
    const rounds = context.roundsOf(users);
    context.say(`${table}, ${users} students, ${rounds} rounds of ${variants.length}`);
    return rowsOf({ table, users, variants, rounds },
        (variant) => measureStorm(context, variant, { transport, users }));
}

function targetsOf(rows, users) {
    const row = (label) => findRow(rows, label, users, TABLES.ws);
    const [none, rs, es, passwords] = [NONE, 'plugin, RS256', 'plugin, ES256', PASSWORDS].map(row);
    return [
        ratioAtMost(1.35, 'login, CPU, RS256 / no plugin', 'cpuUs', rs, none),
        ratioAtMost(1.6, 'login, CPU, ES256 / no plugin', 'cpuUs', es, none),
        ratioAtMost(1, 'login, CPU, RS256 / password file', 'cpuUs', rs, passwords),
        ratioAtMost(1, 'login, CPU, ES256 / password file', 'cpuUs', es, passwords),
    ];
}

function overviewOf(rows, users) {
    const cpu = (label) => findRow(rows, label, users, TABLES.ws)?.values.cpuUs.median.toFixed(0);
    const rs = findRow(rows, 'plugin, RS256', users, TABLES.ws).values;
    return [
        { what: `Server CPU time of a login over WebSockets, ${users} at once`,
            plugin: `${cpu('plugin, RS256')} µs (RS256), ${cpu('plugin, ES256')} µs (ES256)`,
            others: `no plugin ${cpu(NONE)} µs, password file ${cpu(PASSWORDS)} µs, dynamic security ${
                cpu('dynamic security')} µs${cpu(AEDES.label) ? `, Aedes with jose ${cpu(AEDES.label)} µs` : ''}` },
        { what: `All ${users} are in after`, plugin: `${rs.wallMs.median.toFixed(0)} ms (RS256)`,
            others: `no plugin ${findRow(rows, NONE, users, TABLES.ws).values.wallMs.median.toFixed(0)} ms` },
    ];
}

export async function measure(context) {
    const [first] = context.users;
    const rows = [];
    for (const users of context.users) {
        const variants = users === first && context.hasRivals ? [...VARIANTS, AEDES] : VARIANTS;
        rows.push(...await measureTable(context, 'ws', users, variants));
    }
    rows.push(...await measureTable(context, 'tcp', first, VARIANTS));
    return {
        title: 'A hall logs in at once',
        notes: [
            'MQTT 3.1.1; each student subscribes one filter; up to 2,000 are under way at a time over WebSockets, 100 '
            + 'over TCP. CPU is the server\'s, all threads, per login. "No plugin" is plain Mosquitto that lets '
            + 'everybody in, and gets the same RS256 tokens.',
            `Passwords are hashed as mosquitto_passwd and mosquitto_ctrl do by default: PBKDF2 with SHA-512, ${
                DYNSEC_ITERATIONS} iterations.`,
        ],
        columns: [['cpuUs', 'CPU µs', 1], ['wallMs', 'wall ms', 0], ['p50Ms', 'p50 ms', 1], ['p99Ms', 'p99 ms', 1]],
        rows,
        targets: targetsOf(rows, first),
        overview: overviewOf(rows, first),
    };
}
