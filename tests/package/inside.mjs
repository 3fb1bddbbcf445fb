// SPDX-License-Identifier: Apache-2.0
// inside.mjs - for package.test.mjs, in the copy of the system: installs the package given, starts the
// packaged broker with the packaged example, logs a student in, and removes the package again.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
    chownSync, copyFileSync, existsSync, mkdirSync, readFileSync, statSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mintToken, readSigner } from '../../scripts/lib/token.mjs';
import { connect } from '../broker/lib.mjs';
import { within } from '../broker/lib/wait.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const DOC = '/usr/share/doc/mosquitto-invigilator';
const STATE = '/var/lib/mosquitto-invigilator';
const CONF = '/etc/mosquitto/mosquitto.conf';
const [deb] = process.argv.slice(2);

function run(command, ...args) {
    const { status, stdout, stderr } = spawnSync(command, args, {
        encoding: 'utf8', env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
    });
    assert.equal(status, 0, `${command} ${args.join(' ')}: ${stdout}${stderr}`);
    return stdout.trim();
}

const owner = (path) => run('stat', '-c', '%U:%G %a', path);

function install() {
    run('dpkg', '-i', deb);
    const files = run('dpkg', '-L', 'mosquitto-invigilator').split('\n');
    assert.deepEqual(files.filter((file) => file.startsWith('/etc')), [], 'enables nothing');
    assert.equal(owner(STATE), 'mosquitto:mosquitto 750');
    const module = files.find((file) => basename(file) === 'mosquitto_invigilator.so');
    assert.equal(owner(module), 'root:root 644');
    assert.match(readFileSync(join(DOC, 'mosquitto.conf.example'), 'utf8'), new RegExp(`^plugin ${module}$`, 'm'));
    return module;
}

/** What the example's comments ask the administrator for. */
function configure() {
    run(join(ROOT, 'scripts/keys'), '/etc/mosquitto/keys');
    mkdirSync('/etc/mosquitto/jwt', { recursive: true });
    copyFileSync('/etc/mosquitto/keys/public.pem', '/etc/mosquitto/jwt/public.pem');
    copyFileSync('/etc/mosquitto/keys/passwd', '/etc/mosquitto/passwd');
    copyFileSync(join(DOC, 'examples/acl.example'), '/etc/mosquitto/acl');
    copyFileSync(join(DOC, 'mosquitto.conf.example'), CONF);
    const { uid, gid } = statSync(STATE);
    ['/etc/mosquitto/passwd', '/etc/mosquitto/acl'].forEach((file) => chownSync(file, uid, gid));
    return uid;
}

/** As root, like the packaged unit; it becomes the service user by itself. */
async function startBroker() {
    const broker = spawn('/usr/sbin/mosquitto', ['-c', CONF], { stdio: ['ignore', 'pipe', 'pipe'] });
    let log = '';
    const running = new Promise((resolve, reject) => {
        const read = (text) => {
            log += text;
            if (/mosquitto version .* running/.test(log)) {
                resolve();
            }
        };
        broker.stdout.on('data', read);
        broker.stderr.on('data', read);
        broker.on('error', reject);
        broker.on('exit', (code) => reject(new Error(`mosquitto ended with ${code}:\n${log}`)));
    });
    await within(20_000, 'the broker runs', running);
    const ended = new Promise((resolve) => {
        broker.on('exit', (code) => resolve(code));
    });
    return { pid: broker.pid, stop: () => broker.kill('SIGTERM'), ended };
}

async function logIn() {
    const signer = readSigner('/etc/mosquitto/keys/private.pem');
    const claims = { sub: 'anna', sid: 's1', evaluations: ['demo'] };
    const token = await mintToken(signer, claims);
    const anna = await connect({ url: 'ws://127.0.0.1:9001', token });
    assert.deepEqual(await anna.subscribe('evaluations/demo'), [1]);
    const password = readFileSync('/etc/mosquitto/keys/backend-password', 'utf8').trim();
    const update = { type: 'EVALUATION_UPDATE', evaluationId: 'demo', phase: 'IN_PROGRESS' };
    run('mosquitto_pub', '-h', '127.0.0.1', '-u', 'backend', '-P', password, '-q', '1', '-r',
        '-t', 'evaluations/demo', '-m', JSON.stringify(update));
    assert.deepEqual((await anna.nextMessage('evaluations/demo')).json, update);
    await anna.end();
}

const module = install();
const serviceUser = configure();
run('invigilator', 'check-config', CONF);
const broker = await startBroker();
assert.match(readFileSync(`/proc/${broker.pid}/status`, 'utf8'), new RegExp(`^Uid:\\s+${serviceUser}\\s`, 'm'));
await logIn();
assert.equal(owner(join(STATE, 'state.db')), 'mosquitto:mosquitto 600');
broker.stop();
assert.equal(await within(20_000, 'the broker ends', broker.ended), 0);
run('dpkg', '-r', 'mosquitto-invigilator');
assert.equal(existsSync(module), false);
assert.ok(existsSync(join(STATE, 'state.db')), 'removing keeps the state');
run('dpkg', '-P', 'mosquitto-invigilator');
assert.equal(existsSync(STATE), false, 'purging does not');
