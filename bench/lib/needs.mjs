// SPDX-License-Identifier: Apache-2.0
// needs.mjs - what must be there before anything is measured, and who brings it.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { dynsecPath, hasProgram, MOSQUITTO } from './system.mjs';

const NODE_MAJOR_MIN = 18;
const PROGRAMS = [
    ['mosquitto_passwd', 'mosquitto'], ['mosquitto_pub', 'mosquitto-clients'], ['setpriv', 'util-linux'],
    ['prlimit', 'util-linux'], ['cmake', 'cmake'], ['gnuplot', 'gnuplot-nox'],
];
const RIVALS = ['login', 'fanout', 'polling'];
const WISHES = [['valgrind', 'valgrind', ['callback'], 'instructions are not counted'],
    ['sqlite3', 'sqlite3', ['state'], 'what the state file holds is not looked at']];

function packagesMissing(root, folder) {
    return existsSync(join(root, folder, 'node_modules/.package-lock.json')) ? []
        : [`${folder}/node_modules: the Node packages (npm ci --omit=optional in ${folder}; npm is in the Debian `
            + 'package npm)'];
}

// Beside those of scripts/lib/install.sh.
const PACKAGES = ['gnuplot-nox', 'valgrind', 'sqlite3'];

/** A line for each thing that is missing. */
export function findMissing({ root, names, hasRivals }) {
    const needsRivals = hasRivals && names.some((name) => RIVALS.includes(name));
    return [
        ...(Number(process.versions.node.split('.')[0]) < NODE_MAJOR_MIN
            ? [`node ${NODE_MAJOR_MIN} or later (Debian package nodejs)`] : []),
        ...(existsSync(MOSQUITTO) ? [] : [`${MOSQUITTO} (Debian package mosquitto)`]),
        ...(dynsecPath() ? [] : ['mosquitto_dynamic_security.so (Debian package mosquitto)']),
        ...PROGRAMS.filter(([program]) => !hasProgram(program))
            .map(([program, name]) => `${program} (Debian package ${name})`),
        ...packagesMissing(root, 'tests'),
        ...(needsRivals ? packagesMissing(root, 'bench') : []),
    ];
}

/** A line for each thing that one could do without. */
export function findWishes(names) {
    return WISHES.filter(([program, , users]) => users.some((name) => names.includes(name)) && !hasProgram(program))
        .map(([program, name, , consequence]) => `${program} (Debian package ${name}): ${consequence}`);
}

/** Installs what is missing, as scripts/quickstart --yes does. */
export function installMissing(root, { hasRivals }) {
    const folders = ['tests', ...(hasRivals ? ['bench'] : [])].join(' ');
    const script = `set -euo pipefail
        INSTALL_MODE=yes
        . "$1/scripts/lib/install.sh"
        install_packages "\${BUILD_PACKAGES[@]}" "\${RUN_PACKAGES[@]}" ${PACKAGES.join(' ')}
        install_node_packages "$1" ${folders}`;
    const made = spawnSync('bash', ['-c', script, 'bench/run', root], { stdio: ['ignore', 2, 2] });
    if (made.status !== 0) {
        throw new Error('what is missing could not be installed');
    }
}
