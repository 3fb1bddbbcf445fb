// SPDX-License-Identifier: Apache-2.0
// check.test.mjs - check-config against brokers: what a broker refuses is refused with the same words, and
// what it takes is taken, with the same warnings.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';

import { freePort } from '../broker/lib/port.mjs';
import { makeKeys } from '../broker/lib/keys.mjs';
import { within } from '../broker/lib/wait.mjs';
import { dir, expectCode, file, run } from './lib.mjs';

// Modes mean nothing to root, unless it lacks this capability.
const WRAPPER = process.getuid() === 0
    ? ['setpriv', '--bounding-set=-dac_override', '--inh-caps=-dac_override']
    : [];
const BROKER = [...(process.env.INVIG_WRAPPER ?? '').split(' ').filter(Boolean), ...WRAPPER];
const MOSQUITTO = '/usr/sbin/mosquitto';
const IS_NEWER = !/^mosquitto version 2\.0\./.test(spawnSync(MOSQUITTO, ['-h'], { encoding: 'utf8' }).stdout);
process.umask(0o022);

/** The file and line of each line of a configuration, by its text. */
const lineOf = (text, part) => text.split('\n').findIndex((line) => line.includes(part)) + 1;

const keysDir = join(dir, 'keys');
mkdirSync(keysDir);
const shared = makeKeys(keysDir);
let places = 0;

/** A directory with keys of its own and a mosquitto.conf of the given lines. */
async function place(linesOf) {
    const own = join(dir, `place${++places}`);
    mkdirSync(own);
    const keys = { jwks: shared.jwks, jwksFile: join(own, 'jwks.json'), secretFile: join(own, 'secret'), rsPem: shared.rsPem };
    writeFileSync(keys.jwksFile, JSON.stringify(shared.jwks), { mode: 0o640 });
    writeFileSync(keys.secretFile, 's'.repeat(64), { mode: 0o640 });
    const path = join(own, 'mosquitto.conf');
    const text = ['user root', ...linesOf({ own, keys, module: process.env.INVIG_MODULE })].join('\n');
    writeFileSync(path, `${text}\n`);
    return { own, keys, path, text };
}

// The plugin's lines, and errors that Mosquitto has with the configuration itself; these with a time stamp,
// since it has not read yet that there is to be none.
const WORDS = /^(?:\d+: )?(?:invigilator: (.*)|(Error: (?!Unable to|Plugin returned).*))$/;

// The tool has the words of Mosquitto 2.0; 2.1 has these for the same.
const NEWER_WORDS = [
    [/^Error: Empty '(.*)' value in configuration\.$/, 'Error: Empty $1 value in configuration.'],
    [/^Error: Invalid 'plugin_opt_' config option\.$/, 'Error: Invalid auth_opt_ config option.'],
    [/^Error: The '.*' option requires plugin\/global_plugin\/plugin_load to be defined first\.$/,
        'Error: An auth_opt_ option exists in the config file without an auth_plugin.'],
];

function olderWords(words) {
    const found = IS_NEWER ? NEWER_WORDS.find(([newer]) => newer.test(words)) : undefined;
    return found ? words.replace(...found) : words;
}

/** What a broker says of the configuration at its start, and all that it logs meanwhile. It is run with the
 *  configuration as it is, and lines behind it that say where to listen. */
async function brokerWords({ own, text }) {
    const path = join(own, 'broker.conf');
    const end = `log_dest stderr\nlog_timestamp false\nallow_anonymous false\nlistener ${await freePort()} 127.0.0.1\n`;
    writeFileSync(path, `${text}\n${end}`);
    const [command, ...args] = [...BROKER, MOSQUITTO, '-c', path];
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    const words = [];
    const log = [];
    let isRefused = true;
    createInterface({ input: child.stderr }).on('line', (line) => {
        const match = line.match(WORDS);
        log.push(line);
        if (match) {
            words.push(olderWords(match[1] ?? match[2]));
        }
        if (/ running$/.test(line)) {
            isRefused = false;
            child.kill('SIGKILL');
        }
    });
    await within(20000, 'the broker', once(child, 'close')).finally(() => child.kill('SIGKILL'));
    return { isRefused, words, log };
}

/** Tool and broker agree about the configuration; `at` is a part of the line at fault. Where 2.1 comes to refuse it
 *  by another way than 2.0, `newer` is the line of its log that says why. Resolves to the tool's end. */
async function expectAgreement(made, at, newer) {
    const end = await run(['check-config', made.path], { wrapper: WRAPPER });
    const { isRefused, words, log } = await brokerWords(made);
    const said = end.stderr.split('\n').filter(Boolean);
    assert.equal(end.code, isRefused ? 1 : 0, `${end.stderr}\nbroker: ${words.join('\n')}`);
    if (IS_NEWER && newer !== undefined) {
        assert.ok(log.includes(newer), log.join('\n'));
    } else {
        assert.deepEqual(said.map((line) => line.replace(/^\S+?(:\d+)?: (warning: )?/, '')), words);
        assert.ok(!isRefused || words.length > 0, 'the broker says nothing');
    }
    if (at !== undefined) {
        assert.equal(said.at(-1).split(': ')[0], `${made.path}:${lineOf(made.text, at)}`);
    }
    return end;
}

const keyLine = (keys) => `plugin_opt_jwt_jwks_file ${keys.jwksFile}`;
const BAD_OPTIONS = [
    'jwt_leeway 301', 'jwt_leeway 10 ', 'jwt_algorithms ES512', 'claim_user a\x01\x1b[31m', 'claim_role sub', 'strict_phases NONE',
    'unheard_of 1', 'jwt_public_key_file /nowhere', 'jwt_secret_file /', 'ab 1',
];
for (const bad of BAD_OPTIONS) {
    test(`plugin_opt_${JSON.stringify(bad).slice(1, -1)} is refused as a broker does`, async () => {
        const made = await place(({ keys, module }) => [`plugin ${module}`, keyLine(keys), `plugin_opt_${bad}`]);
        await expectAgreement(made, `plugin_opt_${bad.split(' ')[0]}`);
    });
}

const SHAPES = {
    'an option given twice': [({ keys, module }) => [`plugin ${module}`, keyLine(keys), 'plugin_opt_jwt_leeway 1', 'auth_opt_jwt_leeway 2'], 'auth_opt_'],
    'no key file': [({ module }) => [`plugin ${module}`, 'plugin_opt_jwt_leeway 1'], 'plugin /'],
    'an option without a plugin': [({ keys }) => [keyLine(keys)], 'plugin_opt_'],
    'an option without a value': [({ module }) => [`plugin ${module}`, 'plugin_opt_jwt_issuer'], 'jwt_issuer'],
    'an option of blanks': [({ module }) => [`plugin ${module}`, 'plugin_opt_jwt_issuer   '], 'jwt_issuer',
        'invigilator: plugin_opt_jwt_issuer: found "", expected a text of 1 to 4096 bytes'],
    'a plugin without a path': [() => ['plugin   '], 'plugin', 'Error: Unable to load plugin "  ".'],
    'the plugin named twice': [({ keys, module }) => [`plugin ${module}`, keyLine(keys), `auth_plugin ${module}`, keyLine(keys)], 'auth_plugin'],
    'an option in an included file, whose plugin is outside': [({ own, keys, module }) => {
        mkdirSync(join(own, 'conf.d'));
        writeFileSync(join(own, 'conf.d/a.conf'), `${keyLine(keys)}\n`);
        return [`plugin ${module}`, `include_dir ${join(own, 'conf.d')}`];
    }],
    'a key file that everybody may write': [({ keys, module }) => {
        chmodSync(keys.jwksFile, 0o666);
        return [`plugin ${module}`, keyLine(keys)];
    }, 'jwks'],
    'a key file without a key': [({ keys, module }) => {
        writeFileSync(keys.jwksFile, '{"keys":[{"kty":"none"}]}');
        return [`plugin ${module}`, keyLine(keys)];
    }, 'jwks'],
    'a state file in no directory': [({ own, keys, module }) => [`plugin ${module}`, keyLine(keys), `plugin_opt_state_file ${own}/none/x.db`], 'state_file'],
    'a state file that is text': [({ keys, module }) => [`plugin ${module}`, keyLine(keys), `plugin_opt_state_file ${file('text\n'.repeat(99))}`], 'state_file'],
    'a state URL that is none': [({ keys, module }) => [`plugin ${module}`, keyLine(keys), 'plugin_opt_state_url http://127.0.0.1/0'], 'state_url'],
    'a state URL with a password': [({ keys, module }) => [`plugin ${module}`, keyLine(keys), 'plugin_opt_state_url valkey://me:secret@127.0.0.1'], 'state_url'],
    'a state URL beside a state file': [({ own, keys, module }) => [`plugin ${module}`, keyLine(keys), 'plugin_opt_state_url valkey://127.0.0.1', `plugin_opt_state_file ${own}/x.db`], 'state_file'],
    'a password of the state server that is not there': [({ own, keys, module }) => [`plugin ${module}`, keyLine(keys), 'plugin_opt_state_url valkey://127.0.0.1', `plugin_opt_state_auth_file ${own}/none`], 'state_auth_file'],
    'a state file that is a directory': [({ own, keys, module }) => [`plugin ${module}`, keyLine(keys), `plugin_opt_state_file ${own}`], 'state_file'],
    'a state file that cannot be written': [({ own, keys, module }) => {
        writeFileSync(join(own, 'x.db'), '', { mode: 0o400 });
        return [`plugin ${module}`, keyLine(keys), `plugin_opt_state_file ${own}/x.db`];
    }, 'state_file'],
    'a state file where nothing can be written': [({ own, keys, module }) => {
        const closed = mkdtempSync(join(own, 'closed-'));
        chmodSync(closed, 0o500);
        return [`plugin ${module}`, keyLine(keys), `plugin_opt_state_file ${closed}/x.db`];
    }, 'state_file'],
};
for (const [name, [linesOf, at, newer]] of Object.entries(SHAPES)) {
    test(`${name} is refused as a broker does`, async () => {
        await expectAgreement(await place(linesOf), at, newer);
    });
}

const GOOD = {
    'the least': ({ keys, module }) => [`plugin ${module}`, keyLine(keys)],
    'much': ({ own, keys, module }) => [
        '# plugin_opt_jwt_leeway 1', '', ` plugin ${module}`, `plugin_opt_jwt_public_key_file \t${keys.rsPem}`, 'auth_opt_jwt_issuer https://x y',
        'plugin_opt_jwt_audience exams', 'plugin_opt_require_auth_time on', `plugin_opt_state_file ${own}/state.db`, 'plugin_opt_phases A,B', 'plugin_opt_strict_phases B',
        'plugin_opt_presence_phases A',
    ],
    'a file that everybody may read': ({ keys, module }) => {
        chmodSync(keys.secretFile, 0o644);
        return [`plugin ${module}`, `plugin_opt_jwt_secret_file ${keys.secretFile}`];
    },
    'a key that cannot be used': ({ keys, module }) => {
        writeFileSync(keys.jwksFile, JSON.stringify({ keys: [...keys.jwks.keys, { kty: 'none' }] }));
        return [`plugin ${module}`, keyLine(keys)];
    },
    'included files, in their order': ({ own, keys, module }) => {
        mkdirSync(join(own, 'conf.d'));
        writeFileSync(join(own, 'conf.d/b.conf'), `plugin ${module}\n${keyLine(keys)}\nplugin_opt_jwt_leeway 7\n`);
        writeFileSync(join(own, 'conf.d/A.conf.off'), 'plugin_opt_none 1\n');
        return [`include_dir ${join(own, 'conf.d')}`];
    },
};
for (const [name, linesOf] of Object.entries(GOOD)) {
    test(`${name}: taken as a broker does, and nothing is written`, async () => {
        const made = await place(linesOf);
        const before = readdirSync(made.own);
        await run(['check-config', made.path], { wrapper: WRAPPER });
        assert.deepEqual(readdirSync(made.own), before);
        const { stdout } = await expectAgreement(made);
        assert.match(stdout, /^OPTION +VALUE +FROM\n/);
        assert.ok(stdout.includes('jwt_max_size '));
        assert.doesNotMatch(stdout + readFileSync(made.path), /"k":/);
    });
}

test('blanks around the path: taken as 2.0 does; 2.1 has them in the name of the file', async () => {
    const made = await place(({ keys, module }) => [`plugin  ${module} `, keyLine(keys)]);
    if (!IS_NEWER) {
        return expectAgreement(made);
    }
    await expectCode(0, ['check-config', made.path], { wrapper: WRAPPER });
    const { isRefused, log } = await brokerWords(made);
    assert.ok(isRefused);
    assert.ok(log.includes(`Error: Unable to load plugin " ${process.env.INVIG_MODULE} ".`), log.join('\n'));
});

test('the settings: given and default', async () => {
    const made = await place(GOOD.much);
    const { stdout } = await expectCode(0, ['check-config', made.path]);
    assert.match(stdout, /^jwt_issuer +https:\/\/x y +set$/m);
    assert.match(stdout, /^jwt_leeway +30 +default$/m);
    assert.match(stdout, /^jwt_algorithms +RS256 RS384 RS512.* what the keys allow$/m);
    assert.match(stdout, /^jwt_secret_file +- +default$/m);
    assert.match(stdout, /^\n?1 keys$/m);
});

test('files that cannot be read, and no plugin at all', async () => {
    const none = await expectCode(2, ['check-config', join(dir, 'none.conf')]);
    assert.match(none.stderr, /none\.conf: No such file or directory\n$/);
    const directory = await expectCode(2, ['check-config', dir]);
    assert.match(directory.stderr, /: Is a directory\n$/);
    const made = await place(() => ['include_dir /nowhere']);
    assert.match((await expectCode(2, ['check-config', made.path])).stderr, /:2: Error: Unable to open include_dir '\/nowhere'\.\n$/);
    const other = await place(() => ['plugin /usr/lib/other.so', 'plugin_opt_x_y 1']);
    assert.match((await expectCode(1, ['check-config', other.path])).stderr, /: no plugin line loads mosquitto_invigilator\.so\n$/);
    await expectCode(2, ['check-config']);
});

test('root reads with the rights of the broker\'s user', { skip: process.getuid() !== 0 && 'not root' }, async () => {
    const made = await place(({ keys, module }) => [`plugin ${module}`, keyLine(keys)]);
    writeFileSync(made.path, readFileSync(made.path, 'utf8').replace('user root', 'user nobody'));
    const env = { ASAN_OPTIONS: 'detect_leaks=0' }; // the sanitizer may not look into a process that has changed its user
    chmodSync(dir, 0o755);
    chmodSync(made.keys.jwksFile, 0o600);
    const { stderr } = await expectCode(1, ['check-config', made.path], { env });
    assert.match(stderr, /jwks\.json" .*Permission denied/);
    chmodSync(made.keys.jwksFile, 0o644);
    await expectCode(0, ['check-config', made.path], { env });
});
