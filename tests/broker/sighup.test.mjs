// SPDX-License-Identifier: Apache-2.0
// sighup.test.mjs - SIGHUP while clients are being disconnected. Mosquitto up to 2.0.21 makes its list
// of keepalives anew on SIGHUP, and crashes when a WebSockets client that was disconnected before closes
// after it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { backend, command, login, newId, now, startBroker } from './lib.mjs';

const SIGNALS = 100;
const USERS = 30;

/** Logs in again and again, each time as a newer session, which ends the one before. */
async function supersede(broker, user, life) {
    const clients = [];
    for (let n = 1; !life.isOver; n++) {
        clients.push(await login(broker, { sub: user, sid: `s${n}`, auth_time: now() - 100000 + n }, { key: 'hs' }));
        life.logins++;
        await sleep(Math.random() * 500);
    }
    await Promise.all(clients.slice(0, -1).map((client) => client.closed));
    await clients.at(-1).end();
}

test('SIGHUP in the middle of disconnects ends nobody but those', async () => {
    const broker = await startBroker();
    const watcher = await backend(broker);
    const stays = await login(broker, { sub: newId('student'), sid: 's' });
    const life = { isOver: false, logins: 0 };
    const users = Array.from({ length: USERS }, () => supersede(broker, newId('student'), life));
    for (let i = 0; i < SIGNALS; i++) {
        await broker.sighup(); // until its keys are read again
        if (broker.isNewer) {
            await stays.ping(); // it loses a signal that comes before it is through with the one before
        }
    }
    life.isOver = true;
    await Promise.all(users);
    assert.ok(life.logins > USERS);
    await stays.ping();
    assert.ok(stays.isOpen);
    assert.ok((await command(watcher, 'getStats'))['sessions/invalidated'] >= life.logins - USERS);
    await Promise.all([stays, watcher].map((client) => client.end()));
    await broker.stop();
});
