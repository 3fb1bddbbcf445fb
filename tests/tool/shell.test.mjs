// SPDX-License-Identifier: Apache-2.0
// shell.test.mjs - what comes with the tool: the completion for bash, and the manual page; both know the
// commands and options that the tool has.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { dir } from './lib.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const COMPLETION = join(ROOT, 'tool/invigilator.bash-completion');
const PAGE = join(ROOT, 'tool/invigilator.1');

/** What bash offers behind these words, the last of which is being written. */
function complete(...words) {
    const script = `
        set -u
        . "$1"; shift
        [ "$(complete -p invigilator)" = 'complete -F _invigilator invigilator' ] || exit 1
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
        _invigilator
        printf '%s\\n' "\${COMPREPLY[@]+"\${COMPREPLY[@]}"}"`;
    const { status, stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', COMPLETION, 'invigilator', ...words], { cwd: dir, encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    assert.equal(stderr, '');
    return stdout.split('\n').filter(Boolean).sort();
}

// The rows of the tables in the sources.
const source = (name) => readFileSync(join(ROOT, 'tool', name), 'utf8');
const commands = [...source('command.c').matchAll(/^ {4}\{"([a-z-]+)",/gm)].map(([, name]) => name);
const options = [...source('args.c').matchAll(/^ {4}(?:TEXT|FLAG|NUMBER)\("(-\w)?", "(--[a-z-]+)", (\w+),|^ {4}QUESTION\("(--[a-z-]+)"|^ {4}\{"", "(--[a-z-]+)"/gm)]
    .map(([, letter, name, group, question, message]) => ({ names: [letter, name ?? question ?? message].filter(Boolean), group: group ?? 'EXPLAIN' }));

test('commands', () => {
    assert.equal(commands.length, 10);
    assert.deepEqual(complete(''), ['--help', '--version', ...commands].sort());
    assert.deepEqual(complete('se'), ['sessions']);
    assert.deepEqual(complete('unb'), ['unblock']);
    assert.deepEqual(complete('x'), []);
});

test('options: exactly those that the command takes', () => {
    assert.ok(options.length > 30);
    for (const command of commands) {
        const groups = source('command.c').match(new RegExp(`^ {4}\\{"${command}", ([^,]+),`, 'm'))[1].replace('ASKS', 'TOOL_TAKES_LOGIN | TOOL_TAKES_JSON');
        const taken = options.filter(({ group }) => groups.split(' | ').includes(`TOOL_TAKES_${group}`)).flatMap(({ names }) => names);
        assert.deepEqual(complete(command, '-'), [...taken, '--help'].sort(), command);
    }
});

test('files and values', () => {
    writeFileSync(join(dir, 'some.conf'), '');
    assert.deepEqual(complete('check-config', 'so'), ['some.conf']);
    assert.deepEqual(complete('explain', '--config', 'so'), ['some.conf']);
    assert.deepEqual(complete('stats', '--password-file', 'so'), ['some.conf']);
    assert.deepEqual(complete('stats', '-V', ''), ['mqttv311', 'mqttv5']);
    assert.deepEqual(complete('stats', '--tls-version', 'tlsv1.3'), ['tlsv1.3']);
    assert.deepEqual(complete('stats', 'so'), []);
});

test('the manual names every command and option', () => {
    const page = readFileSync(PAGE, 'utf8');
    for (const command of commands) {
        assert.match(page, new RegExp(`^\\.(It )?Cm .*\\b${command}\\b`, 'm'), command);
    }
    for (const { names } of options) {
        for (const name of names) {
            const written = name.startsWith('--') ? `-${name.slice(2)}` : name.slice(1);
            assert.match(page, new RegExp(`^\\.(It|Op) .*(Fl|,) ${written}( |$)|^\\.Fl ${written}( |$)`, 'm'), name);
        }
    }
});

test('the manual page is clean', (t) => {
    const lint = spawnSync('mandoc', ['-T', 'lint', '-W', 'warning', PAGE], { encoding: 'utf8' });
    if (lint.error) {
        t.skip('mandoc is missing');
        return;
    }
    assert.equal(lint.status, 0, lint.stdout);
    assert.equal(lint.stdout, '');
});
