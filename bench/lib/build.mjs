// SPDX-License-Identifier: Apache-2.0
// build.mjs - sees to it that what is measured is what the sources say.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const TARGETS = {
    bench_load: ['login', 'fanout', 'second-login', 'polling', 'memory', 'state'],
    bench_hot: ['memory', 'callback'],
};

function cmake(args, root) {
    const made = spawnSync('cmake', args, { cwd: root, encoding: 'utf8', maxBuffer: 64 << 20 });
    if (made.status !== 0) {
        const text = made.error?.message ?? `${made.stdout}${made.stderr}`.slice(-4000);
        throw new Error(`cmake ${args.join(' ')}: ${text}`);
    }
}

/** Makes the build where there is none, and brings it up to date. */
export function build(root, { build: dir, names }) {
    if (!existsSync(join(dir, 'CMakeCache.txt'))) {
        cmake(['--preset', 'release', '-B', dir], root);
    }
    const targets = Object.keys(TARGETS).filter((target) => TARGETS[target].some((name) => names.includes(name)));
    cmake(['--build', dir, '-j', '2', '--target', 'mosquitto_invigilator', ...targets], root);
}
