// SPDX-License-Identifier: Apache-2.0
// systemd.test.mjs - examples/systemd: the drop-in is one that systemd takes, and its numbers fit those
// of examples/nginx.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT, SITE } from './nginx.mjs';

const DROP_IN = join(ROOT, 'examples/systemd/mosquitto.service.d/limits.conf');
const lines = readFileSync(DROP_IN, 'utf8').split('\n').filter((line) => line !== '' && !line.startsWith('#'));

// Debian's, in what matters.
const UNIT = `[Unit]
Description=Mosquitto
[Service]
Type=notify
ExecStart=/bin/true
`;

test('the drop-in has a section and the setting', () => {
    assert.equal(lines[0], '[Service]');
    assert.equal(lines.length, 2);
    assert.match(lines[1], /^LimitNOFILE=\d+$/);
});

test('the broker has more descriptors than nginx lets connections through', () => {
    const [, descriptors] = lines[1].match(/=(\d+)$/).map(Number);
    const [, inAll] = SITE.match(/^\s*limit_conn mqtt_in_all (\d+);/m).map(Number);
    const [, ofAddress] = SITE.match(/^\s*limit_conn mqtt_of_address (\d+);/m).map(Number);
    const [, ofWorker] = SITE.match(/worker_connections (\d+);/).map(Number);
    const [, filesOfWorker] = SITE.match(/worker_rlimit_nofile (\d+);/).map(Number);
    assert.ok(inAll >= 2 * 5000, 'two connections for each of 5,000 students');
    assert.ok(ofAddress <= inAll);
    assert.ok(descriptors >= inAll + 1000);
    // One worker may get all of them, and each takes two: to the client and to the broker.
    assert.ok(ofWorker >= 2 * inAll);
    assert.ok(filesOfWorker > ofWorker);
});

test('systemd takes it', (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'invigilator-systemd-'));
    t.after(() => rmSync(dir, { recursive: true, force: true }));
    writeFileSync(join(dir, 'mosquitto.service'), UNIT);
    mkdirSync(join(dir, 'mosquitto.service.d'));
    copyFileSync(DROP_IN, join(dir, 'mosquitto.service.d/limits.conf'));
    const run = spawnSync('systemd-analyze', ['verify', join(dir, 'mosquitto.service')], { encoding: 'utf8' });
    if (run.error?.code === 'ENOENT') {
        return t.skip('systemd-analyze is missing');
    }
    assert.equal(run.status, 0, run.stderr);
    assert.ok(!run.stderr.includes('limits.conf'), run.stderr);
});
