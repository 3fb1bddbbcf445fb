// SPDX-License-Identifier: Apache-2.0
// world.mjs - the broker, the backend beside it, and what all students share: who may act when, what
// was published with a number on it, and how the broker dies and comes back.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { startBroker } from '../broker/lib/broker.mjs';
import { command, tryCommand, RETAINED } from '../broker/lib/exam.mjs';
import { crash, endOrderly, stateFile } from '../broker/lib/state.mjs';
import { patience, within } from '../broker/lib/wait.mjs';
import { Ear, openPublisher } from './backend.mjs';
import { Life } from './life.mjs';

export const CONNECTIONS_MAX = 3;
const MESSAGES_KEPT = 100;
const TICKS_MAX = 60;

/** A promise of the plugin that was not kept. */
export class Fault extends Error {
    constructor(kind, text) {
        super(text);
        this.kind = kind;
    }
}

/** How long to wait for what the plugin does within a tick or a few: for many of them, and for a while. */
export function makeLimit() {
    const end = Date.now() + patience(2000);
    let ticks = 0;
    return { tick: () => ticks++, get isOver() {
        return ticks >= TICKS_MAX && Date.now() > end;
    } };
}

/** Many may be inside at once, or one who has closed it. */
export class Gate {
    #inside = 0;
    #closer = null; // resolves when it is opened again
    #onOpen;
    #onEmpty = () => {};

    async enter() {
        while (this.#closer) {
            await this.#closer;
        }
        this.#inside++;
    }

    leave() {
        if (--this.#inside === 0) {
            this.#onEmpty();
        }
    }

    async close() {
        while (this.#closer) {
            await this.#closer;
        }
        this.#closer = new Promise((resolve) => {
            this.#onOpen = resolve;
        });
        if (this.#inside > 0) {
            await new Promise((resolve) => {
                this.#onEmpty = resolve;
            });
        }
    }

    open() {
        this.#closer = null;
        this.#onOpen();
    }
}

export class World {
    isDying = false;
    isOver = false;
    isStopping = false;
    onBroken = () => {};
    isCalm = false; // a pause follows each request
    generation = 0;
    lives = [];
    probes = new Map(); // number: { topic, allowed, at }
    #probeCount = 0;
    #connects = new Set();
    #died;
    #onDeath;
    #reborn = Promise.resolve();
    #onRebirth;

    constructor(report) {
        this.report = report;
    }

    async start() {
        this.broker = await startBroker({
            options: {
                jwt_issuer: 'soak', jwt_audience: 'students', jwt_leeway: '0', expiry_notice: '1', state_sync: 'normal',
                max_connections_per_session: String(CONNECTIONS_MAX), stats_interval: '1',
            },
            prepare: (dir) => ({ state_file: stateFile(dir) }),
        });
        await this.open();
    }

    /** Nobody ends the broker here but ourselves. */
    #guard() {
        this.broker.child.once('close', (code, signal) => {
            if (!this.isDying && !this.isStopping) {
                this.report.fault('other', `the broker ended by itself: ${signal ?? code}`);
                this.onBroken();
            }
        });
    }

    async open() {
        this.#guard();
        this.#died = new Promise((resolve) => {
            this.#onDeath = () => resolve(undefined);
        });
        this.life = new Life(this.broker.pid);
        this.lives.push(this.life);
        this.publisher = await openPublisher(this.broker);
        this.ear = new Ear();
        await this.ear.open(this.broker);
        this.isDying = false;
    }

    /** Connects, unless the broker is to die: nobody may turn up at its successor by chance. */
    async connecting(connect) {
        if (this.isDying) {
            return this.#died.then(() => assert.fail('the broker has died'));
        }
        const client = connect();
        this.#connects.add(client);
        return client.finally(() => this.#connects.delete(client));
    }

    /** Resolves to what `answer` does, or to undefined when the broker is dead. */
    orDeath(answer) {
        const alive = answer.catch((error) => {
            if (this.isDying) {
                return this.#died;
            }
            throw error;
        });
        return Promise.race([alive, this.#died]);
    }

    get rebirth() {
        return this.#reborn;
    }

    /** Ends the broker, by kill -9 or in order, whoever is in the middle of something. */
    async die(isOrderly) {
        this.#reborn = new Promise((resolve) => {
            this.#onRebirth = resolve;
        });
        this.isDying = true;
        this.generation++;
        this.life.end(this.report);
        await (isOrderly ? endOrderly : crash)(this.broker);
        await Promise.all([this.publisher.closed, this.ear.closed, Promise.allSettled(this.#connects)]);
        await sleep(5); // what had arrived at other connections
        this.#onDeath();
        this.publisher.client.end(true);
        this.ear.discard();
        this.report.count(isOrderly ? 'orderly ends' : 'kill -9');
    }

    async revive() {
        await this.broker.start();
        await this.open();
    }

    /** Waits until the broker has published what it knew, and takes up the evaluations as they are. */
    async settle(evaluations) {
        await this.tick();
        await this.tick();
        await this.ear.ping();
        evaluations.forEach((evaluation) => evaluation.recall());
    }

    goOn() {
        this.#onRebirth();
    }

    /** Sends a command; resolves to its response. */
    ask(name, members) {
        this.report.count('commands');
        return tryCommand(this.publisher, name, members);
    }

    /** Sends a command that must succeed; resolves to its data. */
    read(name, members) {
        this.report.count('looks');
        // The library keeps all that came; this client lives long.
        this.publisher.messages.splice(0, this.publisher.messages.length - MESSAGES_KEPT);
        return command(this.publisher, name, members);
    }

    /** Resolves a tick later: what the plugin had to publish has been published. */
    tick() {
        return this.read('getStats');
    }

    /** Publishes retained, as a backend does. Resolves to the reason code. */
    publish(topic, payload) {
        this.report.count('publishes');
        return this.publisher.publish(topic, payload, RETAINED);
    }

    /** Publishes something that carries a number, for the pages in `allowed` and nobody else. */
    async probe(topic, allowed) {
        const probe = ++this.#probeCount;
        this.probes.set(probe, { topic, allowed: new Set(allowed), generation: this.generation });
        this.probes.delete(probe - 20000); // nobody is that late
        this.report.count('publishes');
        await this.publisher.publish(topic, { probe }, { qos: 1 });
        return probe;
    }

    /** Waits until `holds()`, looking each time something may have changed. */
    async until(holds, kind, what) {
        const limit = makeLimit();
        while (!holds()) {
            if (limit.isOver) {
                throw new Fault(kind, what());
            }
            limit.tick(await this.tick());
        }
    }

    async sighup() {
        await this.orDeath(within(15000, 'a SIGHUP', this.broker.sighup()));
        this.report.count('SIGHUPs');
    }

    /** Everybody has gone home. */
    async expectNobody() {
        const { total } = await this.read('listSessions');
        if (total !== 0) {
            this.report.fault('wrong state', `listSessions counts ${total} when nobody is there`);
        }
    }

    async stop() {
        this.isStopping = true;
        this.life.end(this.report);
        await Promise.all([this.publisher.end(), this.ear.end()]);
        await this.broker.stop();
    }
}
