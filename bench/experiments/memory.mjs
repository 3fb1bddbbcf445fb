// SPDX-License-Identifier: Apache-2.0
// memory.mjs - what a connected student takes, and whether a broker grows by logins.
import { join } from 'node:path';
import { startBroker, TOPIC, withNothing, withPlugin } from '../lib/broker.mjs';
import { startLoad } from '../lib/load.mjs';
import { run } from '../lib/process.mjs';
import { atMost, findRow, rowsOf } from '../lib/stats.mjs';

export const name = 'memory';

const LIMIT_BYTES = 600;
const ROUNDS_MAX = 3;
const STORMS = 50;
const STORM_USERS = 2000;
const SHOWN = [5, 25, 50];
const TABLE = 'Resident memory of the broker';
const GROWTH = 'Resident memory of a broker with the plugin, after logins of the same sessions';
const HEAP = 'Heap of the plugin alone, without messages';

const WAYS = [['no plugin', withNothing], ['plugin', (context) => withPlugin(context, 'RS256')]];
const VARIANTS = ['tcp', 'ws'].flatMap((transport) => WAYS.map(([way, lines]) => (
    { label: `${way}, ${transport === 'ws' ? 'WebSockets' : 'TCP'}`, transport, lines })));

async function connectAll(context, broker, transport, users) {
    const load = startLoad(context, {
        port: broker.port(transport), transport, file: await context.students.logins('RS256', users), users,
        subscribe: TOPIC, phases: ['storm', 'idle'],
    });
    await load.result();
    return load;
}

async function measureConnected(context, { transport, lines }, users) {
    const broker = await startBroker(context, await lines(context));
    const empty = broker.residentBytes();
    const load = await connectAll(context, broker, transport, users);
    const full = broker.residentBytes();
    await load.end();
    await broker.stop();
    return { emptyKib: empty / 1024, fullKib: full / 1024, eachBytes: (full - empty) / users };
}

async function measureGrowth(context) {
    const users = context.isQuick ? 100 : STORM_USERS;
    const broker = await startBroker(context, await withPlugin(context, 'RS256'));
    const empty = broker.residentBytes();
    const rows = [];
    for (let storm = 1; storm <= STORMS; storm++) {
        await (await connectAll(context, broker, 'tcp', users)).end();
        if (SHOWN.includes(storm)) {
            const values = { emptyKib: empty / 1024, fullKib: broker.residentBytes() / 1024 };
            rows.push({ table: GROWTH, variant: `${storm * users} logins`, users, values, rounds: [values] });
        }
    }
    await broker.stop();
    return rows;
}

/** The plugin's own objects, in a program that counts what they hold. */
function measureHeap(context, users) {
    const text = run(join(context.build, 'bench/bench_hot'), ['--memory', '--users', users]);
    return text.trim().split('\n').map((line) => JSON.parse(line)).map(({ strict, users, bytes }) => (
        { table: HEAP, variant: strict ? 'in a strict evaluation' : 'in no strict evaluation', users,
            values: { eachBytes: bytes }, rounds: [{ bytes }] }));
}

/** What the plugin adds for each student, by resident memory. */
function addedBytes(rows, users, transport) {
    const each = (way) => findRow(rows, `${way}, ${transport}`, users, TABLE).values.eachBytes.median;
    return each('plugin') - each('no plugin');
}

export async function measure(context) {
    const users = context.users.at(-1);
    const rounds = Math.min(context.rounds, ROUNDS_MAX);
    context.say(`${users} students, ${rounds} rounds of ${VARIANTS.length}`);
    const rows = await rowsOf({ table: TABLE, users, variants: VARIANTS, rounds },
        (variant) => measureConnected(context, variant, users));
    context.say(`growth over ${STORMS} storms`);
    rows.push(...await measureGrowth(context));
    const heap = measureHeap(context, users);
    const [tcp, ws] = ['TCP', 'WebSockets'].map((transport) => addedBytes(rows, users, transport));
    return {
        title: 'Memory',
        notes: [
            'Each student holds one connection with one subscription and came with the same token in all variants. '
            + `By resident memory the plugin adds ${tcp.toFixed(0)} bytes for each student over TCP and ${
                ws.toFixed(0)} over WebSockets.`,
        ],
        columns: [['emptyKib', 'before KiB', 0], ['fullKib', 'after KiB', 0], ['eachBytes', 'bytes for each', 0]],
        rows: [...rows, ...heap],
        targets: heap.map(({ variant, values }) => atMost(LIMIT_BYTES,
            `heap of the plugin for each connected student, ${variant}`, values.eachBytes, 'bytes')),
        overview: [{
            what: 'Memory of the plugin for each connected student',
            plugin: heap.map(({ variant, values }) => `${values.eachBytes.toFixed(0)} bytes ${variant}`).join(', '),
            others: `Mosquitto's own: ${findRow(rows, 'no plugin, WebSockets', users, TABLE).values.eachBytes.median
                .toFixed(0)} bytes over WebSockets`,
        }],
    };
}
