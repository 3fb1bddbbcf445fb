// SPDX-License-Identifier: Apache-2.0
// crash.test.mjs - kill -9 at random points of a stream of logins, commands and messages. Whatever a
// client or the backend was told must hold afterwards; what was sent and not answered may be either
// way, and must then stay as it was seen.
//
// INVIG_CRASH_SEED repeats the choices of a run (not its timing), INVIG_CRASH_ROUNDS sets how many
// times the broker dies.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { backend, command, evaluationTopic, service, userTopic } from './lib.mjs';
import { Examinee, makeRandom } from './lib/examinee.mjs';
import { crash, startWithState } from './lib/state.mjs';

const SEED = Number(process.env.INVIG_CRASH_SEED ?? Math.floor(Math.random() * 2 ** 31));
const ROUNDS = Number(process.env.INVIG_CRASH_ROUNDS ?? 50);
const STUDENTS = 6;
const STREAM_MS_MAX = 250;

class World {
    isDying = false;
    counts = {};
    #connects = new Set();
    #died;
    #onDeath;
    #marks = new Map(); // evaluation: how much the reader had heard when its student asked

    constructor(broker, isGrouping) {
        this.broker = broker;
        this.isGrouping = isGrouping; // CONNACK may come before what it rests on is recorded
    }

    /** Resolves when all logins that have had their CONNACK are recorded. */
    async settle() {
        if (this.isGrouping) {
            await command(this.publisher, 'getStats'); // the answer follows the group
        }
    }

    async open() {
        this.isDying = false;
        this.#died = new Promise((resolve) => {
            this.#onDeath = () => resolve(undefined);
        });
        this.publisher = await backend(this.broker, { version: 5 });
        this.reader = await service(this.broker, { url: this.broker.tcpUrl });
        const filters = ['evaluations/+', 'evaluations/+/users/+', 'evaluations/+/incidents'];
        await this.reader.subscribe(filters, { qos: 0 }); // no window to wait for
        await this.reader.ping();
        this.retained = new Map(this.reader.messages.filter(({ retain }) => retain).map((message) => [message.topic, message]));
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

    /** Resolves to what `answer` does, or to undefined when the broker is dead and all that it had
     *  sent was read. */
    orDeath(answer) {
        const alive = answer.catch((error) => {
            if (this.isDying) {
                return this.#died;
            }
            throw error;
        });
        return Promise.race([alive, this.#died]);
    }

    count(what) {
        this.counts[what] = (this.counts[what] ?? 0) + 1;
    }

    markHeard(e) {
        this.#marks.set(e, this.reader.messages.length);
    }

    /** What the reader has heard on a topic of this evaluation since its student's last request. */
    heard(topic) {
        const from = this.#marks.get(topic.split('/')[1]);
        return this.reader.messages.slice(from).filter((message) => message.topic === topic && message.json);
    }

    async die() {
        this.isDying = true;
        await crash(this.broker);
        await Promise.all([this.publisher.closed, this.reader.closed, Promise.allSettled(this.#connects)]);
        await sleep(5); // what had arrived at other connections
        this.#onDeath();
        [this.publisher, this.reader].forEach((client) => client.client.end(true));
    }
}

async function round(world, rng, students) {
    const lives = Promise.all(students.map((student) => student.live()));
    lives.catch(() => {});
    await Promise.race([lives, sleep(5 + rng.below(STREAM_MS_MAX))]);
    await world.die();
    await lives;
    students.forEach((student) => student.bury());
    await world.broker.start();
    if (rng.chance(0.2)) {
        await sleep(rng.below(20)); // it may be publishing what it knows
        await crash(world.broker);
        await world.broker.start();
    }
    await world.open();
    for (const student of students) {
        student.checkRetained(world.retained.get(evaluationTopic(student.e)), world.retained.get(userTopic(student.e, student.user)));
    }
    await Promise.all(students.map((student) => student.check()));
}

async function killManyTimes(t, rounds, sync) {
    const rng = makeRandom(SEED);
    const options = { max_connections_per_session: '1000', state_sync: sync };
    const world = new World(await startWithState({ listeners: ['tcp'], options }), sync === 'full');
    const newStudent = () => new Examinee(world, rng.below(2 ** 31));
    const students = Array.from({ length: STUDENTS }, newStudent);
    await world.open();
    for (let i = 1; i <= rounds; i++) {
        try {
            await round(world, rng, students);
        } catch (error) {
            error.message = `round ${i} of INVIG_CRASH_SEED=${SEED}: ${error.message}`;
            throw error;
        }
        students.forEach((student, at) => {
            students[at] = student.isFull() ? newStudent() : student;
        });
    }
    t.diagnostic(JSON.stringify(world.counts));
    for (const answer of ['IN', 'SUPERSEDED', 'REVOKED', 'BLOCKED', 'DONE', 'TAKEN', 'open', 'shown']) {
        assert.ok(world.counts[answer] > 0 || rounds < 50, `never in ${rounds} rounds: ${answer}`);
    }
    await world.die();
    students.forEach((student) => student.bury());
    await world.broker.start();
    await world.open(); // Mosquitto forgets a SIGTERM that comes before its first turn
    [world.publisher, world.reader].forEach((client) => client.client.end(true));
    await world.broker.stop();
}

test(`kill -9, ${ROUNDS} times (INVIG_CRASH_SEED=${SEED})`, (t) => killManyTimes(t, ROUNDS, 'normal'));

// A kill of the process shows what is not committed, whatever the disk does.
const ROUNDS_FULL = Math.ceil(ROUNDS / 2);
test(`kill -9 with state_sync full, ${ROUNDS_FULL} times (INVIG_CRASH_SEED=${SEED})`, (t) => killManyTimes(t, ROUNDS_FULL, 'full'));
