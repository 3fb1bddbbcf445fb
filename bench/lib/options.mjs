// SPDX-License-Identifier: Apache-2.0
// options.mjs - the command line of bench/run.
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

export const NAMES = ['login', 'fanout', 'second-login', 'unblock', 'polling', 'memory', 'callback', 'state'];

const USAGE = `usage: bench/run [options]

Measures what the plugin costs, beside what else there is, on this machine alone. A complete run takes
15 to 25 minutes, with nothing else running. Writes report.md, results.json and plots.

  --out DIR         where to; default bench/results
  --build DIR       the build to measure; default build-release. Made, or brought up to date
  --dir DIR         for scratch, on a real disk; default /var/tmp
  --rounds N        of each measurement; default 5
  --users N[,N]     students; default 2000,10000
  --only NAME,...   of: ${NAMES.join(', ')}
  --quick           2 rounds, 200 students, under two minutes: shows that it works
  --no-rivals       without other servers (Aedes, server-sent events, polling), which need the Node
                    packages of bench/package.json
  --yes             installs what is missing, without a question

Exits 0 when all targets are met, 1 when one is not, 2 when it could not measure.`;

const TEXTS = ['out', 'build', 'dir', 'rounds', 'users', 'only'];
const FLAGS = ['quick', 'no-rivals', 'yes', 'help'];

function number(text, most) {
    if (!/^[1-9]\d{0,5}$/.test(text) || Number(text) > most) {
        throw new Error(`${text} is no number from 1 to ${most}`);
    }
    return Number(text);
}

function usersOf(text) {
    const counts = text.split(',').map((each) => number(each, 18000));
    return [...new Set(counts)].sort((a, b) => a - b);
}

function namesOf(text, hasRivals) {
    const names = text?.split(',') ?? NAMES;
    const unknown = names.find((name) => !NAMES.includes(name));
    if (unknown !== undefined) {
        throw new Error(`there is no experiment ${unknown}; there are ${NAMES.join(', ')}`);
    }
    return NAMES.filter((name) => names.includes(name) && (hasRivals || name !== 'polling'));
}

function parse(args) {
    const options = { ...Object.fromEntries(TEXTS.map((name) => [name, { type: 'string' }])),
        ...Object.fromEntries(FLAGS.map((name) => [name, { type: 'boolean' }])) };
    return parseArgs({ args, options }).values;
}

/** The options, ready to use. Ends this process after --help. */
export function readOptions(args, root) {
    const values = parse(args);
    if (values.help) {
        console.log(USAGE);
        process.exit(0);
    }
    const isQuick = values.quick ?? false;
    const hasRivals = !values['no-rivals'];
    return {
        isQuick,
        hasRivals,
        isInstalling: values.yes ?? false,
        build: resolve(values.build ?? join(root, 'build-release')),
        out: resolve(values.out ?? join(root, 'bench/results')),
        parent: resolve(values.dir ?? '/var/tmp'),
        rounds: number(values.rounds ?? (isQuick ? '2' : '5'), 1000),
        users: usersOf(values.users ?? (isQuick ? '200' : '2000,10000')),
        names: namesOf(values.only, hasRivals),
    };
}
