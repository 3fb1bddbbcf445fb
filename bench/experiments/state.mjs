// SPDX-License-Identifier: Apache-2.0
// state.mjs - what the state file costs when everybody logs in at once, and how large it becomes.
import { existsSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { startBroker, TOPIC, updateText, withPlugin } from '../lib/broker.mjs';
import { settle, startLoad, withCpu } from '../lib/load.mjs';
import { hasProgram } from '../lib/system.mjs';
import { run } from '../lib/process.mjs';
import { findRow, rowsOf } from '../lib/stats.mjs';

export const name = 'state';

const MEMORY = 'memory';
const FILE = 'state file';
const STRICT = updateText({ phase: 'IN_PROGRESS' });
const GROWTH = 'What is kept';
const TRANSPORTS = [['tcp', 'TCP'], ['ws', 'WebSockets']];

function pathOf(context) {
    return join(context.dir, 'state.db');
}

function clear(context) {
    ['', '-wal', '-shm'].forEach((end) => rmSync(pathOf(context) + end, { force: true }));
}

async function startStrict(context, algorithm, store) {
    const stateFile = store === FILE ? pathOf(context) : undefined;
    const broker = await startBroker(context, await withPlugin(context, algorithm, { stateFile }));
    broker.publish(TOPIC, STRICT);
    return broker;
}

async function connectAll(context, broker, { algorithm, transport, users }) {
    const load = startLoad(context, {
        port: broker.port(transport), transport, file: await context.students.logins(algorithm, users), users,
        subscribe: TOPIC, phases: ['storm', 'idle'],
    });
    return { load, result: await load.result() };
}

/** A round that recorded nothing would be fast. */
function checkRecords(context, users) {
    if (hasProgram('sqlite3')) {
        const bound = Number(run('sqlite3', [pathOf(context), 'SELECT count(*) FROM members WHERE is_bound']));
        if (bound !== users) {
            throw new Error(`${bound} of ${users} students are bound in the state file`);
        }
    }
}

async function measureStorm(context, store, login) {
    const broker = await startStrict(context, login.algorithm, store);
    const { result: { load, result }, cpu } = await withCpu(broker, () => connectAll(context, broker, login));
    await load.end();
    await broker.stop();
    if (store === FILE) {
        checkRecords(context, login.users);
        clear(context);
    }
    return { cpuUs: cpu / 1e3 / login.users, wallMs: result.wall_ms, p50Ms: result.p50_ms, p99Ms: result.p99_ms };
}

function measureStorms(context, algorithm, [transport, title], users) {
    const table = `${users} first logins into a strict evaluation, ${algorithm}, ${title}`;
    context.say(table);
    return rowsOf({ table, users, variants: [MEMORY, FILE].map((label) => ({ label })), rounds: context.rounds },
        ({ label }) => measureStorm(context, label, { algorithm, transport, users }));
}

/** A broker with so many students in it: its memory, and that of one that starts with what they left. */
async function measureKept(context, users, store) {
    const broker = await startStrict(context, 'HS256', store);
    const emptyKib = broker.residentBytes() / 1024;
    const { load } = await connectAll(context, broker, { algorithm: 'HS256', transport: 'tcp', users });
    await settle(broker);
    const values = { emptyKib, fullKib: broker.residentBytes() / 1024 };
    await load.end();
    await broker.stop();
    if (store === FILE) {
        Object.assign(values, await measureRestart(context));
    }
    return { table: GROWTH, variant: store, users, values, rounds: [values] };
}

async function measureRestart(context) {
    if (existsSync(`${pathOf(context)}-wal`)) {
        throw new Error('the log of the state file was not emptied');
    }
    const fileKb = statSync(pathOf(context)).size / 1000;
    const broker = await startBroker(context, await withPlugin(context, 'HS256', { stateFile: pathOf(context) }));
    const restartedKib = broker.residentBytes() / 1024;
    await broker.stop();
    clear(context);
    return { fileKb, restartedKib };
}

async function measureGrowth(context) {
    const rows = [];
    for (const users of context.users) {
        context.say(`what ${users} students leave`);
        for (const store of [MEMORY, FILE]) {
            rows.push(await measureKept(context, users, store));
        }
    }
    return rows;
}

function overviewOf(rows, users) {
    const table = `${users} first logins into a strict evaluation, RS256, WebSockets`;
    const cpu = (label) => findRow(rows, label, users, table).values.cpuUs.median.toFixed(0);
    return [{ what: `A first login into a strict evaluation, ${users} at once, broker CPU time`,
        plugin: `${cpu(FILE)} µs with a state file, ${cpu(MEMORY)} µs without`, others: '' }];
}

/** A file in memory would cost nothing. */
function checkDisk(context) {
    const type = run('stat', ['-f', '-c', '%T', context.dir]).trim();
    if (['tmpfs', 'ramfs'].includes(type)) {
        throw new Error('the scratch directory is in memory; name one on a disk with --dir');
    }
    return type;
}

export async function measure(context) {
    const [users] = context.users;
    const type = checkDisk(context);
    const rows = [];
    for (const algorithm of ['HS256', 'RS256']) {
        for (const transport of TRANSPORTS) {
            rows.push(...await measureStorms(context, algorithm, transport, users));
        }
    }
    rows.push(...await measureGrowth(context));
    return {
        title: 'The state file',
        notes: [`state_sync normal, on ${type}. After the storms: students with one session each in one strict `
            + 'evaluation over TCP, what the broker holds before and after they came, the file\'s size, and what a '
            + 'broker holds that was started with that file.'],
        columns: [['cpuUs', 'CPU µs', 1], ['wallMs', 'wall ms', 0], ['p50Ms', 'p50 ms', 1], ['p99Ms', 'p99 ms', 1],
            ['emptyKib', 'before KiB', 0], ['fullKib', 'after KiB', 0], ['fileKb', 'file kB', 0],
            ['restartedKib', 'restarted KiB', 0]],
        rows,
        targets: [],
        overview: overviewOf(rows, users),
    };
}
