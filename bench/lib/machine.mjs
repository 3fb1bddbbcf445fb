// SPDX-License-Identifier: Apache-2.0
// machine.mjs - what the figures were measured on.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';

const LIBRARIES = [['libwebsockets', /^libwebsockets\d/], ['libjwt', /^libjwt\d/], ['json-c', /^libjson-c\d/],
    ['OpenSSL', /^libssl\d/], ['SQLite', /^libsqlite3-0/]];

function packageVersions() {
    const format = '${binary:Package}\t${db:Status-Status}\t${Version}\n';
    const lines = (spawnSync('dpkg-query', ['-W', '-f', format], { encoding: 'utf8' }).stdout ?? '').split('\n');
    const installed = lines.map((line) => line.split('\t')).filter(([, status]) => status === 'installed');
    return LIBRARIES.map(([name, pattern]) => [name, installed.find(([full]) => pattern.test(full))?.[2] ?? 'unknown']);
}

function systemName() {
    const text = readFileSync('/etc/os-release', 'utf8');
    const name = /^PRETTY_NAME="?([^"\n]*)/m.exec(text)?.[1] ?? 'unknown';
    try {
        return `${name}, ${readFileSync('/etc/debian_version', 'utf8').trim()}`;
    } catch {
        return name;
    }
}

function mosquittoVersion() {
    const text = spawnSync('mosquitto', ['-h'], { encoding: 'utf8', env: { PATH: `${process.env.PATH}:/usr/sbin` } });
    return /version (\S+)/.exec(text.stdout ?? '')?.[1] ?? 'unknown';
}

/** Pairs of what it is and its value. */
export function describeMachine() {
    const cpus = os.cpus();
    return [
        ['CPU', cpus[0]?.model.trim() ?? 'unknown'],
        ['cores', String(cpus.length)],
        ['memory', `${(os.totalmem() / 2 ** 30).toFixed(1)} GiB`],
        ['system', systemName()],
        ['kernel', os.release()],
        ['Mosquitto', mosquittoVersion()],
        ...packageVersions(),
        ['Node', process.versions.node],
        ['date', new Date().toISOString().slice(0, 10)],
    ];
}
