// SPDX-License-Identifier: Apache-2.0
// lib.mjs - what the tests of the command-line tool have in common: running it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after } from 'node:test';
import { Inbox, within } from '../broker/lib/wait.mjs';

export const TOOL = process.env.INVIG_TOOL;
assert.ok(TOOL, 'INVIG_TOOL names the tool');

export const dir = mkdtempSync(join(tmpdir(), 'invigilator-tool-'));
after(() => rmSync(dir, { recursive: true, force: true }));

let files = 0;

/** Writes a new file with this text; returns its path. */
export function file(text, mode = 0o644) {
    const path = join(dir, `file${++files}`);
    writeFileSync(path, text, { mode });
    return path;
}

// Nobody's own settings get in.
const ENV = { ...process.env, XDG_CONFIG_HOME: join(dir, 'none'), COLUMNS: undefined };

function start(args, { env = {}, wrapper = [] } = {}) {
    const [command, ...rest] = [...wrapper, TOOL, ...args];
    return spawn(command, rest, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...ENV, ...env } });
}

/** Runs the tool to its end; resolves to { code, signal, stdout, stderr }. A sanitizer's report fails. */
export async function run(args, { input = '', ...settings } = {}) {
    const child = start(args, settings);
    const out = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr']) {
        child[name].setEncoding('utf8').on('data', (text) => {
            out[name] += text;
        });
    }
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    const ended = new Promise((resolve, reject) => {
        child.once('error', reject);
        child.once('close', (code, signal) => resolve({ code, signal }));
    });
    const end = await within(30000, `the end of ${args[0]}`, ended).finally(() => child.kill('SIGKILL'));
    assert.doesNotMatch(out.stderr, /Sanitizer|runtime error:/);
    return { ...end, ...out };
}

/** Runs it and expects this exit code. */
export async function expectCode(code, args, settings) {
    const end = await run(args, settings);
    assert.equal(end.code, code, `${args.join(' ')}\n${end.stdout}${end.stderr}`);
    return end;
}

/** The rows of a table by its titles, which stand over columns of at least two blanks apart. */
export function rows(text) {
    const [titles, ...lines] = text.trimEnd().split('\n').map((line) => line.trim().split(/ {2,}/));
    return lines.map((line) => Object.fromEntries(titles.map((title, i) => [title, line[i]])));
}

/** A tool that goes on running: its lines, one after the other, and its end. */
export class Running {
    #lines = { stdout: new Inbox(), stderr: new Inbox() };

    constructor(args, settings) {
        this.child = start(args, settings);
        for (const name of ['stdout', 'stderr']) {
            createInterface({ input: this.child[name] }).on('line', (line) => this.#lines[name].add(line));
        }
        this.ended = new Promise((resolve) => this.child.once('close', (code, signal) => resolve({ code, signal })));
        after(() => this.child.kill('SIGKILL'));
    }

    /** The next line not taken yet that matches. */
    line(regex, stream = 'stdout') {
        const what = () => `${regex}; came: ${['stdout', 'stderr'].flatMap((name) => this.#lines[name].all).join('\n')}`;
        return this.#lines[stream].take((line) => regex.test(line), { timeout: 10000, what });
    }

    /** Sends a signal, and resolves to what it ended with. */
    async stop(signal = 'SIGINT') {
        this.child.kill(signal);
        return within(10000, 'the end of the tool', this.ended);
    }
}
