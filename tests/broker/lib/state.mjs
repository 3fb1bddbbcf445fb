// SPDX-License-Identifier: Apache-2.0
// state.mjs - what tests of state_file have in common: a broker that has one, and its restarts.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startBroker } from './broker.mjs';
import { patience, within } from './wait.mjs';

export function stateFile(dir) {
    return join(dir, 'state.db');
}

/** A broker with a state file in its own directory. `conf(dir)` returns further lines of
 *  mosquitto.conf, for those that need the directory's name. */
export function startWithState({ conf, ...settings } = {}) {
    return startBroker({
        ...settings,
        prepare(dir) {
            this.extraConf += conf?.(dir) ?? ''; // called on the settings, before they are written
            return { state_file: stateFile(dir) };
        },
    });
}

/** Ends the process as systemd does; the directory stays, and start() may follow. */
export async function endOrderly(broker) {
    const { child } = broker;
    broker.child = { kill: () => child.kill('SIGTERM') }; // what kill9() kills
    await within(15000, 'the broker to end', broker.kill9());
    assert.equal(child.exitCode, 0, broker.log().slice(-60).join('\n'));
}

export async function crash(broker) {
    await within(15000, 'the broker to die', broker.kill9()); // its timer keeps this process going
}

/** Has Mosquitto save its retained messages, as it does every half an hour. Resolves when they are in
 *  `path`. (It writes another file first, and renames it.) */
export async function saveRetained(broker, path) {
    assert.ok(!existsSync(path), 'saved before');
    broker.child.kill('SIGUSR1');
    const end = Date.now() + patience(5000);
    while (!existsSync(path)) {
        assert.ok(Date.now() < end, 'Mosquitto has not saved its retained messages');
        await sleep(20);
    }
}
