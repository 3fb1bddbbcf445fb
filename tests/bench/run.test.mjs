// SPDX-License-Identifier: Apache-2.0
// run.test.mjs - the benchmark runs, counts right and writes what it promises. What it measures is no
// matter here, and neither is whether a target is met.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const RUN = join(ROOT, 'bench/run');
const BUILD = dirname(process.env.INVIG_MODULE ?? join(ROOT, 'build-release/mosquitto_invigilator.so'));
const HAS_RIVALS = existsSync(join(ROOT, 'bench/node_modules/.package-lock.json'));
const USERS = 50;
const SVG_BYTES_MAX = 60000;

const WAYS = ['no plugin', 'plugin, HS256', 'plugin, RS256', 'plugin, ES256', 'plugin, RS256, state file',
    'password file', 'dynamic security'];
const EXPECTED = {
    login: {
        WebSockets: [...WAYS, ...(HAS_RIVALS ? ['Aedes with jose, RS256'] : [])],
        TCP: WAYS,
    },
    fanout: {
        WebSockets: ['no plugin', 'ACL file', 'dynamic security', 'plugin',
            ...(HAS_RIVALS ? ['server-sent events'] : [])],
        'WebSockets, allow_duplicate_messages false': ['no plugin', 'plugin'],
    },
};
const NUMBERS = { login: ['cpuUs', 'wallMs', 'p50Ms', 'p99Ms'], fanout: ['cpuUs', 'p50Ms', 'p99Ms', 'maxMs'] };
const TARGETS = { login: 4, fanout: 2 };
const PLOTS = ['cpu-per-login.svg', 'cpu-per-delivery.svg', 'fanout-latency.svg'];

// On the disk that the benchmark itself would use.
const base = mkdtempSync('/var/tmp/invig-bench-test-');
process.on('exit', () => rmSync(base, { recursive: true, force: true }));

function run(args) {
    const made = spawnSync(RUN, args, { encoding: 'utf8', timeout: 240000 });
    return { code: made.status, text: `${made.stdout}${made.stderr}` };
}

/** A small run of two experiments, made once: its report, its results and where it wrote them. */
function runSmall() {
    const [scratch, out] = ['scratch', 'out'].map((name) => join(base, name));
    mkdirSync(scratch);
    const { code, text } = run(['--quick', '--only', 'login,fanout', '--users', USERS, '--rounds', '1',
        '--build', BUILD, '--dir', scratch, '--out', out, ...(HAS_RIVALS ? [] : ['--no-rivals'])].map(String));
    assert.ok(code === 0 || code === 1, `it could not measure:\n${text}`);
    return { out, scratch, code, text, report: readFileSync(join(out, 'report.md'), 'utf8'),
        results: JSON.parse(readFileSync(join(out, 'results.json'), 'utf8')) };
}

const isSkipped = process.env.INVIG_WRAPPER ? 'a build with sanitizers is not to be measured' : false;
const small = isSkipped ? null : runSmall();

function variantsOf(rows) {
    const tables = [...new Set(rows.map(({ table }) => table))];
    return Object.fromEntries(tables.map((table) => [table,
        rows.filter((row) => row.table === table).map(({ variant }) => variant)]));
}

test('each table has a row for each variant, from one round and all students', { skip: isSkipped }, () => {
    const { experiments } = small.results;
    assert.deepEqual(Object.keys(experiments), ['login', 'fanout']);
    for (const [name, { rows }] of Object.entries(experiments)) {
        assert.deepEqual(variantsOf(rows), EXPECTED[name]);
        for (const row of rows) {
            assert.equal(row.users, USERS);
            assert.equal(row.rounds.length, 1);
        }
    }
});

test('all numbers are finite and above zero, and the median lies between its ends', { skip: isSkipped }, () => {
    for (const [name, { rows }] of Object.entries(small.results.experiments)) {
        for (const { variant, values } of rows) {
            for (const key of NUMBERS[name]) {
                const { median, min, max } = values[key];
                const isSound = [median, min, max].every((value) => Number.isFinite(value) && value > 0);
                assert.ok(isSound, `${variant} ${key}`);
                assert.ok(min <= median && median <= max, `${variant} ${key}`);
            }
        }
    }
});

test('what was delivered is counted, and is what was sent', { skip: isSkipped }, () => {
    for (const { variant, messages, rounds } of small.results.experiments.fanout.rows) {
        assert.ok(messages > 0, variant);
        assert.deepEqual(rounds.map(({ deliveries }) => deliveries), [USERS * messages], variant);
    }
});

test('each target says what was measured, and its limit; the exit says if all are met', { skip: isSkipped }, () => {
    const all = [];
    for (const [name, { targets }] of Object.entries(small.results.experiments)) {
        assert.equal(targets.length, TARGETS[name]);
        all.push(...targets);
    }
    for (const { name, value, limit, pass } of all) {
        assert.ok(Number.isFinite(value) && value > 0, name);
        assert.equal(pass, value <= limit, name);
        assert.match(small.text, new RegExp(`^${pass ? 'PASS' : 'FAIL'}  ${name.replace(/[^\w ]/g, '.')}: `, 'm'));
    }
    assert.equal(small.code, all.every(({ pass }) => pass) ? 0 : 1);
});

test('the report has the machine, all variants and the plots', { skip: isSkipped }, () => {
    const { report, results } = small;
    for (const what of ['CPU', 'kernel', 'Mosquitto', 'libwebsockets', 'libjwt', 'json-c', 'OpenSSL', 'Node', 'date']) {
        assert.match(results.machine[what], /\S/, what);
        assert.ok(report.includes(`| ${what} | ${results.machine[what]} |`), what);
    }
    for (const variant of Object.values(EXPECTED).flatMap((tables) => Object.values(tables)).flat()) {
        assert.ok(report.includes(`| ${variant} | ${USERS} |`), variant);
    }
    PLOTS.forEach((plot) => assert.ok(report.includes(`](${plot})`), plot));
    assert.doesNotMatch(report, /NaN|undefined|null|Infinity/);
});

test('the plots are SVG, small, and name no path of this machine', { skip: isSkipped }, () => {
    for (const plot of PLOTS) {
        const text = readFileSync(join(small.out, plot), 'utf8');
        assert.match(text, /^<\?xml[^]*<svg[^]*<\/svg>\s*$/);
        assert.ok(text.length < SVG_BYTES_MAX, `${plot}: ${text.length} bytes`);
        assert.ok(text.includes(`${USERS} students`), plot);
        for (const path of [base, ROOT, BUILD]) {
            assert.ok(!text.includes(path.replace(/\/$/, '')), `${plot} names ${path}`);
        }
    }
    assert.deepEqual(readdirSync(small.out).sort(), ['report.md', 'results.json', ...PLOTS].sort());
});

test('nothing of its scratch is left', { skip: isSkipped }, () => {
    assert.deepEqual(readdirSync(small.scratch), []);
});

test('--help fits a screen; an unknown experiment or number is refused', () => {
    const { code, text } = run(['--help']);
    assert.equal(code, 0);
    const lines = text.trim().split('\n');
    assert.ok(lines.length <= 24 && lines.every((line) => line.length <= 120), text);
    for (const args of [['--only', 'nothing'], ['--rounds', '0'], ['--users', '10,x'], ['--no-such-option']]) {
        assert.equal(run(args).code, 2, args.join(' '));
    }
});
