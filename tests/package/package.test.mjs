// SPDX-License-Identifier: Apache-2.0
// package.test.mjs - cpack's Debian package is installed, used and removed in a copy of this system
// that nobody else sees (its own mounts, processes and loopback); `cmake --install` goes where it is
// told to.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const { INVIG_BUILD: build, INVIG_CPACK: cpack, INVIG_CMAKE: cmake } = process.env;

function run(command, args, options = {}) {
    const { status, stdout, stderr, error } = spawnSync(command, args, {
        encoding: 'utf8', timeout: 120_000, killSignal: 'SIGKILL', ...options,
    });
    assert.equal(status, 0, `${command} ${args.join(' ')}: ${error ?? ''}\n${stdout}\n${stderr}`);
    return stdout;
}

function scratch(t) {
    const dir = mkdtempSync(join(tmpdir(), 'invig-package-'));
    t.after(() => rmSync(dir, { recursive: true, force: true }));
    return dir;
}

/** Why this machine cannot make a copy of itself; false where it can. */
function whyNoCopy() {
    const { status, stderr } = spawnSync('unshare', ['--mount', '--net', '--pid', '--fork', 'sh', '-ec', `
        ip link set lo up
        mount -t tmpfs none /mnt && mkdir /mnt/upper /mnt/work /mnt/root
        mount -t overlay none -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root`],
    { encoding: 'utf8', timeout: 60_000 });
    return status !== 0 && `no namespaces or overlay mounts here: ${stderr?.trim()}`;
}

test('the package installs, serves and goes', { skip: whyNoCopy() }, (t) => {
    const dir = scratch(t);
    run(cpack, ['--config', join(build, 'CPackConfig.cmake'), '-B', dir], { cwd: dir });
    const [name, ...others] = readdirSync(dir).filter((file) => file.endsWith('.deb'));
    assert.deepEqual(others, []);
    run('unshare', [
        '--mount', '--net', '--pid', '--fork', '--kill-child', join(ROOT, 'tests/package/copy.sh'), ROOT, dir,
        process.execPath, join(ROOT, 'tests/package/inside.mjs'), join(dir, name),
    ]);
});

test('cmake --install goes below its prefix, and the example names the module there', (t) => {
    const dir = scratch(t);
    run(cmake, ['--install', build], { env: { ...process.env, DESTDIR: dir } });
    const cache = readFileSync(join(build, 'CMakeCache.txt'), 'utf8');
    const prefix = join(dir, cache.match(/^CMAKE_INSTALL_PREFIX:PATH=(.*)$/m)[1]);
    const conf = readFileSync(
        join(prefix, 'share/doc/mosquitto-invigilator/mosquitto.conf.example'), 'utf8');
    const module = conf.match(/^plugin (.*)$/m)[1];
    assert.ok(existsSync(join(dir, module)), module);
    assert.deepEqual(readdirSync(dir), [prefix.slice(dir.length + 1).split('/')[0]]);
});
