// SPDX-License-Identifier: Apache-2.0
// state.mjs - what tests of state_file have in common: a broker that has one, and its restarts.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startBroker } from './broker.mjs';
import { backend, evaluationTopic, login, retainedOn, service, userTopic } from './exam.mjs';
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
    await broker.turn();
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

export const presenceTopic = (e, user) => `evaluations/${e}/presence/${user}`;
/** The backend and a service, as new connections. */
export async function open(world) {
    world.publisher = await backend(world.broker, { version: 5 });
    world.reader = await service(world.broker);
}

export async function close(world) {
    await Promise.all([world.publisher, world.reader].map((client) => client.end()));
}

export const enter = ({ broker }, user, sid, claims, options) => login(broker, { sub: user, sid, ...claims }, options);

export const allowedCopy = ({ own }) => ({ ...own, access: 'ALLOWED', by: 'invigilator' });
export const blockedCopy = ({ own }) => ({ ...own, access: 'BLOCKED', reason: 'SECOND_LOGIN', by: 'invigilator' });

export async function expectRetained({ reader }, topic, expected) {
    const message = await retainedOn(reader, topic);
    assert.ok(message, `nothing is retained on ${topic}`);
    const { at, ...rest } = message.json;
    assert.deepEqual(rest, expected);
    assert.equal(at === undefined, expected.access !== 'BLOCKED');
}

/** A student's page that has subscribed to what it follows, and has heard what came within one round
 *  trip. Resolves to the page and the texts by topic. */
export async function follow(page, { e, user }) {
    const codes = await page.subscribe([`users/${user}`, evaluationTopic(e), userTopic(e, user)]);
    await page.ping();
    const texts = Object.fromEntries(page.messages.map(({ topic, text }) => [topic, text]));
    return { page, codes, all: texts[evaluationTopic(e)], own: texts[userTopic(e, user)] };
}
