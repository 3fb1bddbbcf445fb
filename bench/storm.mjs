#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// storm.mjs - what the state file costs when everybody logs in at once, and how large it becomes.
// Needs build-release with mosquitto_invigilator.so and bench/bench_load; prints Markdown.
import { spawn, spawnSync } from 'node:child_process';
import {
    closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync,
} from 'node:fs';
import net from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { freePort } from '../tests/broker/lib/broker.mjs';
import { makeKeys, sign } from '../tests/broker/lib/keys.mjs';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const USAGE = `usage: storm.mjs [--build DIR] [--dir DIR] [--users N] [--rounds N] [--in-flight N]
                 [--only storm|growth] [--log none|file]

  --build DIR      where the module and bench/bench_load are; default build-release
  --dir DIR        on a real disk; default /var/tmp
  --users N        of the storm; default 2000
  --rounds N       of each store; default 5
  --in-flight N    logins under way at a time; default 100 over TCP (Mosquitto's own queue of
                   connections holds no more), everybody over WebSockets
  --log file       with the log lines that mosquitto.conf.example asks for, to a file (default)
  --log none       without them`;

const LIMIT = 1.15;
const GROWTH = [0, 2000, 10000];
const TICKS_PER_SECOND = Number(spawnSync('getconf', ['CLK_TCK']).stdout);
const EVALUATION = 'evaluations/e1';
const IN_PROGRESS = '{"type":"EVALUATION_UPDATE","evaluationId":"e1","phase":"IN_PROGRESS"}';

function number(text) {
    if (!/^[1-9]\d{0,5}$/.test(text)) {
        throw new Error(`${text} is no number\n${USAGE}`);
    }
    return Number(text);
}

function readOptions() {
    const names = ['build', 'dir', 'users', 'rounds', 'in-flight', 'only', 'log'];
    const options = Object.fromEntries(names.map((name) => [name, { type: 'string' }]));
    const { values } = parseArgs({ options: { ...options, help: { type: 'boolean' } } });
    if (values.help) {
        console.log(USAGE);
        process.exit(0);
    }
    if (!['storm', 'growth', undefined].includes(values.only) || !['none', 'file', undefined].includes(values.log)) {
        throw new Error(USAGE);
    }
    return {
        build: resolve(values.build ?? join(ROOT, 'build-release')),
        parent: resolve(values.dir ?? '/var/tmp'),
        users: number(values.users ?? '2000'),
        rounds: number(values.rounds ?? '5'),
        inFlight: values['in-flight'] && number(values['in-flight']),
        only: values.only,
        log: values.log ?? 'file',
    };
}

const options = readOptions();
const dir = mkdtempSync(join(options.parent, 'invig-storm-'));
const children = new Set();

// setpriv covers SIGKILL.
process.on('exit', () => {
    children.forEach((child) => child.kill('SIGKILL'));
    rmSync(dir, { recursive: true, force: true });
});
// Not once(): timeout(1) and terminals signal twice, and the second would end this process amid the first.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => process.exit(1));
}

/** Starts a process that dies with this one; `ended` resolves to its exit code. */
function start(command, args, stdio) {
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', command, ...args], { stdio });
    children.add(child);
    child.ended = new Promise((resolve, reject) => {
        child.once('error', reject);
        child.once('close', (code, signal) => {
            children.delete(child);
            resolve(code ?? signal);
        });
    });
    return child;
}

/* -- The broker -- */

function configText({ tcpPort, wsPort, stateFile, algorithm }) {
    const key = algorithm === 'HS256' ? `jwt_secret_file ${keys.secretFile}` : `jwt_public_key_file ${keys.rsPem}`;
    const logTypes = ['error', 'warning', 'notice', 'information'];
    return [
        'user root',
        'log_dest stdout',
        'log_timestamp false',
        ...(options.log === 'none' ? ['log_type error'] : logTypes.map((type) => `log_type ${type}`)),
        'allow_anonymous false',
        `password_file ${join(dir, 'passwd')}`,
        `acl_file ${join(dir, 'acl')}`,
        'persistence false',
        'set_tcp_nodelay true',
        'allow_duplicate_messages true',
        `plugin ${join(options.build, 'mosquitto_invigilator.so')}`,
        `plugin_opt_${key}`,
        ...(stateFile ? [`plugin_opt_state_file ${stateFile}`, 'plugin_opt_state_sync normal'] : []),
        `listener ${tcpPort} 127.0.0.1`,
        `listener ${wsPort} 127.0.0.1`,
        'socket_domain ipv4',
        'protocol websockets',
        '',
    ].join('\n');
}

function answers(port) {
    return new Promise((resolve) => {
        const socket = net.connect(port, '127.0.0.1');
        socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
        socket.once('connect', () => socket.destroy());
    });
}

async function startBroker({ stateFile, algorithm }) {
    const broker = { tcpPort: await freePort(), wsPort: await freePort(), stateFile, algorithm };
    const config = join(dir, 'mosquitto.conf');
    writeFileSync(config, configText(broker));
    const log = openSync(join(dir, 'log'), 'w');
    broker.child = start('/usr/sbin/mosquitto', ['-c', config], ['ignore', log, log]);
    closeSync(log);
    while (!await answers(broker.wsPort) || !await answers(broker.tcpPort)) {
        if (!children.has(broker.child)) {
            throw new Error(`the broker did not start:\n${readFileSync(join(dir, 'log'), 'utf8')}`);
        }
        await pause(20);
    }
    return broker;
}

async function stopBroker({ child }) {
    child.kill('SIGTERM');
    const code = await child.ended;
    if (code !== 0) {
        throw new Error(`the broker ended with ${code}:\n${readFileSync(join(dir, 'log'), 'utf8').slice(-4000)}`);
    }
}

function beginExam({ tcpPort }) {
    const made = spawnSync('mosquitto_pub', ['-h', '127.0.0.1', '-p', tcpPort, '-u', 'backend', '-P', 'secret',
        '-q', '1', '-r', '-t', EVALUATION, '-m', IN_PROGRESS]);
    if (made.status !== 0) {
        throw new Error(`mosquitto_pub: ${made.error ?? made.stderr}`);
    }
}

/** Milliseconds on a processor, of all threads. */
function cpuMs({ child }) {
    const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 1000 / TICKS_PER_SECOND;
}

/** Resident memory in bytes. */
function memory({ child }) {
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))[1]) * 1024;
}

/* -- The clients -- */

/** A file of `count` logins, each a session of its own in the evaluation. */
async function writeLogins(algorithm, count) {
    const path = join(dir, `${algorithm}-${count}`);
    const signer = { ...(algorithm === 'HS256' ? keys.hs : keys.rs), kid: undefined };
    const lines = [];
    for (let i = 0; i < count; i++) {
        const sub = crypto.randomUUID();
        const token = await sign({ sub, sid: crypto.randomUUID(), auth_time: loginAt, evaluations: ['e1'] }, signer);
        lines.push(`${sub}:${i}\t${sub}\t${token}\n`);
    }
    writeFileSync(path, lines.join(''), { mode: 0o600 });
    return path;
}

/** Starts the clients; `result` resolves when all are there, and they stay until stop(). */
function startClients(broker, { transport, file, count }) {
    const port = transport === 'ws' ? broker.wsPort : broker.tcpPort;
    const inFlight = options.inFlight ?? (transport === 'ws' ? count : 100);
    const child = start(join(options.build, 'bench/bench_load'),
        ['--port', port, '--file', file, '--in-flight', inFlight, '--hold', ...(transport === 'ws' ? ['--ws'] : [])],
        ['pipe', 'pipe', 'inherit']);
    const result = new Promise((resolve, reject) => {
        let text = '';
        child.stdout.on('data', (bytes) => {
            text += bytes;
            if (text.endsWith('\n')) {
                resolve(JSON.parse(text));
            }
        });
        child.ended.then((code) => reject(new Error(`bench_load ended with ${code}`)), reject);
    });
    return {
        result: result.then((line) => {
            if (line.failures > 0) {
                throw new Error(`${line.failures} of ${line.count} logins failed`);
            }
            return line;
        }),
        stop: () => {
            child.stdin.end();
            return child.ended;
        },
    };
}

/* -- The storm -- */

/** A round that recorded nothing would be fast. */
function checkRecords(stateFile, count) {
    const asked = spawnSync('sqlite3', [stateFile, 'SELECT count(*) FROM members WHERE is_bound']);
    if (asked.error?.code !== 'ENOENT' && Number(asked.stdout) !== count) {
        throw new Error(`${asked.stdout}${asked.stderr} of ${count} users are bound in the state file`);
    }
}

async function runRound({ transport, algorithm, file, store }) {
    const stateFile = store === 'file' ? join(dir, 'state.db') : null;
    const broker = await startBroker({ stateFile, algorithm });
    beginExam(broker);
    const before = cpuMs(broker);
    const clients = startClients(broker, { transport, file, count: options.users });
    const line = await clients.result;
    const cpu = cpuMs(broker) - before;
    await clients.stop();
    await stopBroker(broker);
    if (stateFile) {
        checkRecords(stateFile, options.users);
        rmSync(stateFile);
    }
    return { wall: line.wall_ms, cpu, p50: line.p50_ms, p99: line.p99_ms };
}

function median(values) {
    const sorted = [...values].sort((a, b) => a - b);
    const middle = sorted.length >> 1;
    return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function summary(values) {
    const low = Math.min(...values).toFixed(0);
    const high = Math.max(...values).toFixed(0);
    return `${median(values).toFixed(0)} (${low}..${high})`;
}

/** Which store goes first alternates too: what one round leaves in caches helps either. */
async function runRounds(transport, algorithm, file) {
    const rounds = { memory: [], file: [] };
    for (let i = 0; i < options.rounds; i++) {
        const stores = i % 2 === 0 ? ['memory', 'file'] : ['file', 'memory'];
        for (const store of stores) {
            rounds[store].push(await runRound({ transport, algorithm, file, store }));
        }
    }
    return rounds;
}

function ratioOf(rounds, what) {
    const [file, memory] = ['file', 'memory'].map((store) => median(rounds[store].map((round) => round[what])));
    return file / memory;
}

function storeRow(transport, algorithm, store, rounds) {
    const column = (what) => rounds[store].map((round) => round[what]);
    const ratios = store === 'file' ? ['wall', 'cpu'].map((what) => ratioOf(rounds, what).toFixed(2)) : ['', ''];
    const cells = [transport, algorithm, store, summary(column('wall')), ratios[0], summary(column('cpu')), ratios[1],
        median(column('p50')).toFixed(1), median(column('p99')).toFixed(1)];
    return `| ${cells.join(' | ')} |`;
}

async function runStorm() {
    const { users, rounds: count } = options;
    console.log(`${users} first logins into a strict evaluation, ${count} rounds: median (least..most)\n`);
    console.log('| transport | key | store | wall ms | ratio | broker CPU ms | ratio | login p50 ms | p99 ms |');
    console.log('| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |');
    let isMet = true;
    for (const algorithm of ['HS256', 'RS256']) {
        const file = await writeLogins(algorithm, options.users);
        for (const transport of ['tcp', 'ws']) {
            const rounds = await runRounds(transport, algorithm, file);
            console.log(storeRow(transport, algorithm, 'memory', rounds));
            console.log(storeRow(transport, algorithm, 'file', rounds));
            isMet &&= ratioOf(rounds, 'wall') <= LIMIT;
        }
    }
    console.log(`\n${isMet ? 'pass' : 'fail'} (wall time at most ${LIMIT} times that of memory)\n`);
    return isMet;
}

/* -- Growth -- */

async function measureMemory(count, file, stateFile) {
    const broker = await startBroker({ stateFile, algorithm: 'HS256' });
    beginExam(broker);
    const idle = memory(broker);
    const clients = startClients(broker, { transport: 'tcp', file, count });
    await clients.result;
    const full = memory(broker);
    await clients.stop();
    await stopBroker(broker);
    return { idle, full };
}

async function measureRestart(stateFile) {
    const broker = await startBroker({ stateFile, algorithm: 'HS256' });
    const loaded = memory(broker);
    await stopBroker(broker);
    return loaded;
}

async function measureGrowth(count) {
    const file = await writeLogins('HS256', count);
    const stateFile = join(dir, 'state.db');
    const kept = await measureMemory(count, file, stateFile);
    const bytes = statSync(stateFile).size;
    if (existsSync(`${stateFile}-wal`)) {
        throw new Error('the log was not emptied');
    }
    const loaded = await measureRestart(stateFile);
    rmSync(stateFile);
    const plain = await measureMemory(count, file, null);
    return { count, bytes, full: kept.full, loaded, plain: plain.full, idle: plain.idle };
}

async function runGrowth() {
    const measured = [];
    for (const count of GROWTH) {
        measured.push(await measureGrowth(count));
    }
    const [none] = measured;
    const each = (value, base, count) => (count > 0 ? ((value - base) / count).toFixed(0) : '');
    const kib = (value) => (value / 1024).toFixed(0);
    console.log('Students with one session each in one strict evaluation, connected over TCP\n');
    console.log('| students | state file bytes | each | RSS KiB, file | each | RSS KiB, memory | each '
        + '| RSS KiB, restarted | each |');
    console.log('| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |');
    for (const { count, bytes, full, loaded, plain } of measured) {
        const cells = [count, bytes, each(bytes, none.bytes, count), kib(full), each(full, none.idle, count),
            kib(plain), each(plain, none.idle, count), kib(loaded), each(loaded, none.loaded, count)];
        console.log(`| ${cells.join(' | ')} |`);
    }
    console.log('\nEach: bytes a student; of memory beyond an idle broker with the memory store, and of the '
        + 'restarted broker, to which nobody is connected, beyond one with an empty state file.');
}

/* -- All of it -- */

function checkDisk() {
    const type = spawnSync('stat', ['-f', '-c', '%T', dir]).stdout.toString().trim();
    if (['tmpfs', 'ramfs'].includes(type)) {
        throw new Error(`${options.parent} is in memory; name a directory on a disk with --dir`);
    }
    console.log(`State file on ${type} (${options.parent}), log ${options.log}.\n`);
}

checkDisk();
const loginAt = Math.floor(Date.now() / 1000) - 60;
const keys = makeKeys(dir);
writeFileSync(join(dir, 'passwd'), '', { mode: 0o600 });
spawnSync('mosquitto_passwd', ['-b', join(dir, 'passwd'), 'backend', 'secret']);
writeFileSync(join(dir, 'acl'), 'user backend\ntopic readwrite evaluations/#\n', { mode: 0o600 });
let isMet = true;
if (options.only !== 'growth') {
    isMet = await runStorm();
}
if (options.only !== 'storm') {
    await runGrowth();
}
process.exitCode = isMet ? 0 : 1;
