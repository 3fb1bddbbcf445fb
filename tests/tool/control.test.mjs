// SPDX-License-Identifier: Apache-2.0
// control.test.mjs - the commands that ask and change a running broker, with a service token and with a
// name and a password, and what they end with.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
    backend, command, fingerprint, login, newId, setAccess, setPhase, startBroker, startExam, userTopic,
} from '../broker/lib.mjs';
import { freePort } from '../broker/lib/port.mjs';
import { dir, expectCode, file, rows, run } from './lib.mjs';

let broker;
let publisher;
let token;

const socketPath = join(dir, 'socket');
const cert = join(dir, 'cert.pem');
const certKey = join(dir, 'key.pem');
let tlsPort;

before(async () => {
    const made = spawnSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
        '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-keyout', certKey, '-out', cert]);
    assert.equal(made.status, 0, `${made.error ?? made.stderr}`);
    tlsPort = await freePort();
    broker = await startBroker({
        extraConf: `listener 0 ${socketPath}\nlistener ${tlsPort} 127.0.0.1\ncertfile ${cert}\nkeyfile ${certKey}\n`,
    });
    publisher = await backend(broker, { version: 5 });
    token = file(`${await broker.sign({ sub: 'tool', role: 'service' })}\n`, 0o600);
});
after(async () => {
    await publisher.end();
    await broker.stop();
});

const at = () => ['-h', '127.0.0.1', '-p', `${broker.tcpPort}`];
const asService = () => [...at(), '--password-file', token];
const asBackend = () => [...at(), '-u', 'backend', '-P', 'secret'];
const ask = (...args) => expectCode(0, [...args, ...asService()]);
const askJson = async (...args) => JSON.parse((await ask(...args, '--json')).stdout);

/** Turns up to the notice; the disconnect that follows it is the plugin's own matter. */
async function expectRevoked(page, user, sid) {
    assert.equal((await page.nextMessage(`users/${user}/sessions/${sid}`)).json.reason, 'REVOKED');
    page.client.end(true);
}

test('users and sessions are those who are connected', async () => {
    const user = newId('Ünal ');
    const pages = [await login(broker, { sub: user, sid: `s-${user}` }), await login(broker, { sub: user, sid: `s-${user}` })];
    for (const who of [asService, asBackend]) {
        const { stdout } = await expectCode(0, ['users', ...who()]);
        assert.deepEqual(rows(stdout).filter(({ USER }) => USER === user), [{ USER: user, SESSIONS: '1', CONNECTIONS: '2' }]);
    }
    const sessions = rows((await ask('sessions')).stdout).filter(({ USER }) => USER === user);
    assert.deepEqual(sessions, [{ USER: user, SESSION: fingerprint(`s-${user}`), CONNECTIONS: '2' }]);
    const [shown] = rows((await ask('sessions', '--ids')).stdout).filter(({ USER }) => USER === user);
    assert.equal(shown.SESSION, `s-${user}`);
    const json = await askJson('sessions');
    assert.deepEqual(json.sessions.filter(({ userId }) => userId === user), [{ userId: user, sessionId: `s-${user}`, connections: 2 }]);
    assert.deepEqual((await askJson('users')).users.filter(({ userId }) => userId === user), [{ userId: user, sessions: 1, connections: 2 }]);
    await Promise.all(pages.map((page) => page.end()));
});

test('lists longer than a page come whole', async () => {
    const e = newId('exam');
    await setPhase(publisher, e, 'COMPOSITION');
    const users = Array.from({ length: 1203 }, (_, i) => `p${i}`);
    await Promise.all(users.map((user) => setAccess(publisher, e, user, 'ALLOWED')));
    const { participants } = await askJson('evaluation', e);
    assert.deepEqual(participants.map(({ userId }) => userId).sort(), users.sort());
    assert.equal((await ask('evaluation', e)).stdout.split('\n').filter((line) => /^p\d/.test(line)).length, 1203);
});

test('an evaluation: its head and who takes part', async () => {
    const exam = await startExam(broker, publisher);
    const { stdout } = await ask('evaluation', exam.e);
    const [head, table] = stdout.split('\n\n');
    assert.match(head, new RegExp(`^evaluation +${exam.e}\nphase +IN_PROGRESS\nstrict +yes$`));
    assert.deepEqual(rows(table), [{ USER: exam.user, ACCESS: 'ALLOWED', ONLINE: 'yes', BOUND: 'yes' }]);
    const { stderr } = await expectCode(1, ['evaluation', 'nothing', ...asService()]);
    assert.equal(stderr, 'invigilator: the broker answers: unknown evaluation\n');
    await exam.page.end();
});

test('a user, blocked, and the block lifted in each way', async () => {
    for (const [options, isBound] of [[[], true], [['--null'], false], [['--session', 2], true]]) {
        const exam = await startExam(broker, publisher);
        const second = await exam.enter(2);
        await second.nextMessage(userTopic(exam.e, exam.user)); // why it is turned away
        const { stdout } = await ask('user', exam.user);
        const [sessions, bound, blocked] = stdout.split('\n\n').map(rows);
        const [current, ...others] = sessions.filter(({ CURRENT }) => CURRENT === 'yes');
        assert.equal(others.length, 0);
        assert.equal(current.SESSION, fingerprint(exam.sid(1)));
        assert.equal(current.CLIENT, exam.page.clientId);
        assert.deepEqual(bound, [{ 'BOUND IN': exam.e, SESSION: fingerprint(exam.sid(1)) }]);
        assert.equal(blocked[0]['BLOCKED IN'], exam.e);
        assert.equal(blocked[0].REASON, 'SECOND_LOGIN');
        const named = options.map((option) => (option === 2 ? fingerprint(exam.sid(2)) : option));
        assert.equal((await ask('unblock', exam.user, exam.e, ...named)).stdout, 'unblocked\n');
        const after = await command(publisher, 'getUser', { userId: exam.user });
        assert.deepEqual(after.blocks, []);
        assert.deepEqual(after.bindings.map(({ sessionId }) => sessionId), isBound ? [exam.sid(options[1] ?? 1)] : []);
        await expectCode(options.length === 0 || isBound ? 0 : 1, ['unblock', exam.user, exam.e, ...asService()]);
        exam.page.client.end(true);
        second.client.end(true);
    }
    await expectCode(2, ['unblock', 'u', 'e', '--null', '--session', 's', ...asService()]);
    const { stderr } = await expectCode(1, ['unblock', 'nobody', 'nothing', ...asService()]);
    assert.match(stderr, /neither blocked nor bound/);
});

test('invalidate: one session by id or fingerprint, all, all but one, none that is bound', async () => {
    const user = newId('student');
    const enter = (sid) => login(broker, { sub: user, sid, role: 'professor' });
    let pages = await Promise.all(['a', 'b', 'c', 'd'].map(enter));
    assert.equal((await ask('invalidate', user, 'a')).stdout, 'revoked, 1 connections\n');
    await expectRevoked(pages[0], user, 'a');
    await ask('invalidate', user, fingerprint('b'));
    await expectRevoked(pages[1], user, 'b');
    await ask('invalidate', user, '--except', fingerprint('d'));
    await expectRevoked(pages[2], user, 'c');
    assert.deepEqual(await askJson('invalidate', user), { connections: 1 });
    await expectRevoked(pages[3], user, 'd');
    await expectCode(2, ['invalidate', user, 'a', '--except', 'b', ...asService()]);

    const exam = await startExam(broker, publisher);
    const { stderr } = await expectCode(1, ['invalidate', exam.user, '--unless-bound', ...asService()]);
    assert.match(stderr, new RegExp(`nothing is revoked: the user is bound in ${exam.e}`));
    assert.deepEqual(JSON.parse((await expectCode(1, ['invalidate', exam.user, '--unless-bound', '--json', ...asService()])).stdout), { bound: [exam.e] });
    await ask('invalidate', exam.user);
    await expectRevoked(exam.page, exam.user, exam.sid(1));
});

test('stats are the counters', async () => {
    const [row] = rows((await ask('stats')).stdout).filter(({ COUNTER }) => COUNTER === 'auth/accepted');
    assert.ok(Number(row.VALUE) > 0);
    assert.ok((await askJson('stats'))['auth/accepted'] >= Number(row.VALUE));
});

test('every way to connect, and what goes wrong with it', async () => {
    await expectCode(0, ['stats', ...asBackend(), '-V', 'mqttv311', '-i', 'tool-id']);
    await expectCode(0, ['stats', ...asService(), '-u', 'tool', '-i', 'tool:1']);
    const wrong = [
        [3, [...at(), '-u', 'backend', '-P', 'wrong'], /refuses the login: .*[Nn]ot authori[sz]ed/],
        [3, [...at(), '-u', 'backend', '-P', 'wrong', '-V', '311'], /refuses the login/],
        [3, [...at(), '-u', 'other', '--password-file', token], /refuses the login/],
        [3, ['-h', '127.0.0.1', '-p', '1'], /no connection|connection was lost/],
        [3, ['--unix', join(dir, 'no-socket')], /no connection/],
        [2, [...at(), '-P', 'x', '--password-file', token], /expected one of them/],
        [2, [...at(), '-P', 'x', '-V', 'mqttv311'], /needs a username/],
        [2, [...at(), '-V', 'mqttv4'], /-V: expected/],
        [2, [...at(), '--password-file', join(dir, 'none')], /none: No such file/],
        [2, [...at(), '--cafile', join(dir, 'none')], /TLS/],
        [2, [...at(), '--insecure'], /of use only/],
        [2, ['-p', '70000'], /-p|--port/],
        [2, ['--timeout', '0'], /--timeout/],
        [2, ['--nonsense'], /--nonsense: unknown option/],
        [2, ['-h'], /a value is missing/],
        [2, ['--json=yes'], /takes no value/],
        [2, ['word'], /usage: /],
    ];
    for (const [code, args, text] of wrong) {
        const end = await expectCode(code, ['stats', ...args]);
        assert.match(end.stderr, text, args.join(' '));
        assert.equal(end.stdout, '');
    }
});

test('TLS and a Unix socket', async () => {
    const tls = ['-h', 'localhost', '-p', `${tlsPort}`, '--password-file', token];
    await expectCode(0, ['stats', ...tls, '--cafile', cert, '--tls-version', 'tlsv1.3']);
    await expectCode(0, ['stats', '-h', '127.0.0.1', ...tls.slice(2), '--cafile', cert, '--insecure']);
    // The name of another machine, an authority that is not ours, and no TLS at all.
    await expectCode(3, ['stats', '-h', '127.0.0.1', ...tls.slice(2), '--cafile', cert]);
    await expectCode(3, ['stats', ...tls, '--tls-use-os-certs']);
    await expectCode(3, ['stats', ...tls, '--timeout', '5']);
    await expectCode(0, ['stats', '--unix', socketPath, '--password-file', token]);
});

test('a student is no service', async () => {
    const student = file(await broker.sign({ sub: 'stu', sid: 's' }), 0o600);
    const { stderr } = await expectCode(1, ['stats', ...at(), '--password-file', student]);
    assert.match(stderr, /takes no commands from this login: Not authorized/);
    const plain = await expectCode(4, ['stats', ...at(), '-u', 'stu', '--password-file', student, '-V', 'mqttv311', '--timeout', '1']);
    assert.match(plain.stderr, /no answer in time/);
});

test('the user\'s own settings are used, and the arguments count before them', async () => {
    const home = join(dir, 'home');
    mkdirSync(join(home, '.config'), { recursive: true });
    const settings = join(home, '.config', 'invigilator');
    const env = { HOME: home, XDG_CONFIG_HOME: '' };
    writeFileSync(settings, `# mine\n-h 127.0.0.1\n--port ${broker.tcpPort}\n-u backend\n-P secret\n`);
    await expectCode(0, ['stats'], { env });
    await expectCode(3, ['stats', '-P', 'wrong'], { env });
    writeFileSync(settings, '--json\n');
    const { stderr } = await expectCode(2, ['stats'], { env });
    assert.match(stderr, /--json: unknown option\ninvigilator: that is in .*\.config\/invigilator\n/);
});

test('help fits a terminal, and the version is told', async () => {
    const { stdout } = await expectCode(0, ['--help']);
    const lines = stdout.trimEnd().split('\n');
    assert.ok(lines.length <= 24, `${lines.length} lines`);
    const names = lines.map((line) => line.match(/^ {2}([a-z-]+)/)?.[1]).filter(Boolean);
    for (const name of names) {
        const help = (await expectCode(0, [name, '--help'])).stdout;
        assert.ok(help.startsWith(`Usage: invigilator ${name} `), help);
        lines.push(...help.trimEnd().split('\n'));
    }
    assert.equal(names.length, 10);
    assert.deepEqual(lines.filter((line) => line.length > 80), []);
    assert.match((await expectCode(0, ['--version'])).stdout, /^invigilator \d+\.\d+\.\d+\n$/);
    await expectCode(2, []);
    await expectCode(2, ['nothing']);
});

test('a reader that goes away is not waited for, and lost output is no success', async () => {
    const { code } = await run(['stats', ...asService()], { wrapper: ['sh', '-c', '"$@" > /dev/full', 'sh'] });
    assert.equal(code, 2);
});
