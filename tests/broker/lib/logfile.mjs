// SPDX-License-Identifier: Apache-2.0
// logfile.mjs - what the broker writes to a log file, byte by byte, as an administrator's terminal gets it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startBroker } from './broker.mjs';

// All that Mosquitto can log but `debug`, `subscribe` and `unsubscribe`, which print topics.
const LOG_TYPES = ['error', 'warning', 'notice', 'information', 'websockets'];
const pathOf = (dir) => join(dir, 'broker.log');

/** A broker that logs to a file too; settings as startBroker's. */
export async function startWithLogFile({ prepare, extraConf = '', ...settings } = {}) {
    const broker = await startBroker({
        logTypes: LOG_TYPES,
        ...settings,
        async prepare(dir, keys) {
            this.extraConf = `${extraConf}\nlog_dest file ${pathOf(dir)}\n`;
            return prepare?.(dir, keys);
        },
    });
    broker.logStart = readLogFile(broker).length;
    return broker;
}

/** The whole file as a Buffer. */
export function readLogFile(broker) {
    return readFileSync(pathOf(broker.dir));
}

/** The lines since the start, as latin1 text, so that each character is a byte. */
export function bytesOfLines(broker) {
    return readLogFile(broker).subarray(broker.logStart).toString('latin1').split('\n').slice(0, -1);
}

/** Those of the plugin among them. */
export function pluginLines(broker) {
    return bytesOfLines(broker).filter((line) => line.startsWith('invigilator:'));
}
