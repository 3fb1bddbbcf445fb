// SPDX-License-Identifier: Apache-2.0
// callback.mjs - what single callbacks of the plugin cost, in a made-up broker (bench/hot.c).
import { join } from 'node:path';
import { hasProgram } from '../lib/system.mjs';
import { run } from '../lib/process.mjs';
import { atMost } from '../lib/stats.mjs';

export const name = 'callback';

const USERS = [1, 1000, 100000];
const USERS_QUICK = [1, 1000];
const DELIVERY = /^read_/;
const TICK = 'tick_idle';

function linesOf(context, args) {
    const text = run(join(context.build, 'bench/bench_hot'), args);
    return text.trim().split('\n').map((line) => JSON.parse(line));
}

/** Callback -> users -> what was measured. */
function measureAll(context, counts) {
    const all = new Map();
    const add = (line) => {
        const byUsers = all.get(line.callback) ?? new Map();
        all.set(line.callback, byUsers.set(line.users, { ...byUsers.get(line.users), ...line }));
    };
    const calls = (count) => (context.isQuick ? ['--calls', count] : []);
    for (const users of counts) {
        context.say(`${users} users`);
        // The count of instructions first: what both say is the number of calls, and the times come last.
        if (hasProgram('valgrind')) {
            linesOf(context, ['--callgrind', '--users', users, ...calls(100)]).forEach(add);
        }
        linesOf(context, ['--users', users, ...calls(20000)]).forEach(add);
    }
    return all;
}

function rowOf([callback, byUsers]) {
    const lines = [...byUsers.values()];
    const values = Object.fromEntries(lines.flatMap(({ users, ns, instructions }) => [
        [`ns${users}`, ns], ...(instructions === undefined ? [] : [[`instructions${users}`, instructions]])]));
    values.allocations = Math.max(...lines.map(({ allocations }) => allocations));
    return { table: '', variant: callback, users: lines.at(-1).users, values, rounds: lines };
}

function targetsOf(rows, counts) {
    const [least, most] = [counts[0], counts.at(-1)];
    const reads = rows.filter(({ variant }) => DELIVERY.test(variant));
    const tick = rows.find(({ variant }) => variant === TICK);
    const worst = (of) => Math.max(...reads.map(({ values }) => of(values)));
    return [
        atMost(150, `the slowest check of a delivery, ${most} users`, worst((values) => values[`ns${most}`]), 'ns'),
        atMost(0, 'allocations of a check of a delivery', worst(({ allocations }) => allocations)),
        atMost(1.25, `check of a delivery, ${most} users / ${least}, the worst`,
            worst((values) => values[`ns${most}`] / values[`ns${least}`]), 'times'),
        atMost(1000, `an idle tick, ${most} users`, tick.values[`ns${most}`], 'ns'),
    ];
}

function overviewOf(rows, users) {
    const reads = rows.filter(({ variant }) => DELIVERY.test(variant)).map(({ values }) => values[`ns${users}`]);
    return [{ what: `The check of one delivery, ${users} users connected`,
        plugin: `${Math.min(...reads).toFixed(0)} to ${Math.max(...reads).toFixed(0)} ns, no allocation`, others: '' }];
}

export async function measure(context) {
    const counts = context.isQuick ? USERS_QUICK : USERS;
    const rows = [...measureAll(context, counts)].map(rowOf);
    const columnsOf = (key, title, digits) => counts.map((users) => [`${key}${users}`, `${title}, ${users}`, digits]);
    return {
        title: 'Single callbacks',
        notes: [
            'The plugin\'s own objects in a made-up broker, in memory, by how many users are connected. Each call is '
            + 'about another user in random order. Nanoseconds are the median of batches ("none" is an empty '
            + 'callback); instructions are as callgrind counts them; allocations are the plugin\'s, a call.',
        ],
        columns: [...columnsOf('ns', 'ns', 0), ...columnsOf('instructions', 'instructions', 0),
            ['allocations', 'allocations', 2]],
        variantTitle: 'callback',
        usersTitle: null,
        rows,
        targets: targetsOf(rows, counts),
        overview: overviewOf(rows, counts.at(-1)),
    };
}
