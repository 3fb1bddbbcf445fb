// SPDX-License-Identifier: Apache-2.0
// system.mjs - what is where on this machine.
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export const MOSQUITTO = '/usr/sbin/mosquitto';

const PROGRAM_DIRECTORIES = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
const LIBRARY_DIRECTORIES = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib', '/usr/local/lib'];

export function hasProgram(name) {
    return PROGRAM_DIRECTORIES.some((dir) => existsSync(join(dir, name)));
}

/** Where Mosquitto's dynamic security plugin is; undefined where it is not. */
export function dynsecPath() {
    return LIBRARY_DIRECTORIES.map((dir) => join(dir, 'mosquitto_dynamic_security.so')).find(existsSync);
}
