// SPDX-License-Identifier: Apache-2.0
// load.mjs - runs bench_load with files of its own, and reads what it says of each phase.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Inbox, within } from '../broker/lib/wait.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const LOAD = process.env.INVIG_LOAD ?? join(ROOT, 'build-release/bench/bench_load');

const dir = mkdtempSync(join(tmpdir(), 'bench-load-'));
let files = 0;
const children = new Set();

process.on('exit', () => rmSync(dir, { recursive: true, force: true }));
// One that a failed test has left would keep this process alive.
after(() => children.forEach((child) => child.kill('SIGKILL')));

/** The path of a new file that holds `content`. */
export function fileOf(content) {
    const path = join(dir, String(files++));
    writeFileSync(path, content);
    return path;
}

/** A file of logins, each [client id, user name, password]. */
export function loginsOf(logins) {
    return fileOf(logins.map((fields) => `${fields.join('\t')}\n`).join(''));
}

/** Starts it with options: {port: 1, ws: true} are --port 1 --ws. Resolves phase by phase:
 *
 *  next()   the next line
 *  go()     lets the next phase begin, and is its line
 *  end()    ends the input; resolves to {code, text}: the exit code and what it wrote to stderr */
export function startLoad(options) {
    const args = Object.entries(options).filter(([, value]) => value !== false)
        .flatMap(([name, value]) => (value === true ? [`--${name}`] : [`--${name}`, String(value)]));
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', LOAD, ...args], { stdio: 'pipe' });
    children.add(child);
    const lines = new Inbox();
    let text = '';
    createInterface({ input: child.stdout }).on('line', (line) => lines.add(JSON.parse(line)))
        .on('close', () => lines.close(new Error(`bench_load wrote no more lines; ${text}`)));
    child.stderr.on('data', (bytes) => {
        text += bytes;
    });
    child.stdin.on('error', () => {}); // it has ended
    const ended = new Promise((resolve, reject) => {
        child.once('error', reject).once('close', (code, signal) => {
            children.delete(child);
            resolve(code ?? signal);
        });
    });
    const next = () => lines.take(() => true, { timeout: 30000, what: 'a line of bench_load' });
    return {
        next,
        go() {
            child.stdin.write('\n');
            return next();
        },
        async end() {
            child.stdin.end();
            const code = await within(20000, 'bench_load to end', ended);
            assert.deepEqual(lines.all.filter(({ bytes_in: bytes }) => !Number.isInteger(bytes)), []);
            return { code, text };
        },
    };
}

/** All phases in one go; resolves to their lines, the exit code and what it wrote to stderr. */
export async function runLoad(options) {
    const load = startLoad(options);
    const lines = [await load.next()];
    for (const _ of (options.phases ?? 'storm').split(',').slice(1)) {
        lines.push(await load.go());
    }
    return { lines, ...await load.end() };
}
