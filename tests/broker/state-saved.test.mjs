// SPDX-License-Identifier: Apache-2.0
// state-saved.test.mjs - Mosquitto saves its retained messages now and then, so that after a crash
// it has older ones than the state file: the state file wins.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
    accessUpdate, command, evaluationTopic, expectBlockedCopy, expectTurnedAway, newId, phaseUpdate, RETAINED,
    retainedOn, setAccess, setPhase, startExam, userTopic,
} from './lib.mjs';
import {
    allowedCopy, blockedCopy, close, crash, enter, expectRetained, follow, open, presenceTopic, saveRetained, startWithState,
} from './lib/state.mjs';

const persistent = {
    conf: (dir) => `persistence true\npersistence_location ${dir}/\nautosave_interval 0`,
};

test('where Mosquitto has saved an older message, the state file wins', async () => {
    const world = { broker: await startWithState(persistent) };
    await open(world);
    const saved = join(world.broker.dir, 'mosquitto.db');
    const exams = await Promise.all(['block', 'unblock'].map(() => startExam(world.broker, world.publisher)));
    const [blocked, unblocked] = exams;
    const student = { e: newId('exam'), user: newId('student') };
    await setPhase(world.publisher, student.e, 'REGISTRATION', { n: 1 });
    await setAccess(world.publisher, student.e, student.user, 'ALLOWED', { n: 1 });
    const there = await enter(world, student.user, 's1');
    await expectTurnedAway(await unblocked.enter(2), unblocked.e, unblocked.user);
    await expectBlockedCopy(unblocked.page, unblocked);
    await saveRetained(world.broker, saved);

    await setPhase(world.publisher, student.e, 'IN_PROGRESS', { n: 2 });
    await setAccess(world.publisher, student.e, student.user, 'ALLOWED', { n: 2 });
    await expectTurnedAway(await blocked.enter(2), blocked.e, blocked.user);
    await command(world.publisher, 'unblock', { userId: unblocked.user, evaluationId: unblocked.e });
    await crash(world.broker);
    assert.ok(existsSync(saved));
    await world.broker.start();

    const back = await follow(await enter(world, student.user, 's1'), student);
    assert.equal(back.all, JSON.stringify(phaseUpdate(student.e, 'IN_PROGRESS', { n: 2 })));
    assert.equal(back.own, JSON.stringify(accessUpdate(student.e, student.user, 'ALLOWED', { n: 2 })));
    await open(world);
    await expectRetained(world, userTopic(blocked.e, blocked.user), blockedCopy(blocked));
    await expectRetained(world, userTopic(unblocked.e, unblocked.user), allowedCopy(unblocked));
    assert.equal((await retainedOn(world.reader, presenceTopic(blocked.e, blocked.user))).json.online, false);
    await back.page.end();
    await there.end();
    await close(world);
    await world.broker.stop();
});

test('what was forgotten since Mosquitto last saved does not come back', async () => {
    const world = { broker: await startWithState(persistent) };
    await open(world);
    const it = await startExam(world.broker, world.publisher);
    const cleared = { e: newId('exam'), user: newId('student') };
    await setPhase(world.publisher, cleared.e, 'IN_PROGRESS');
    await setAccess(world.publisher, cleared.e, cleared.user, 'DENIED');
    const topics = [evaluationTopic(it.e), userTopic(it.e, it.user), presenceTopic(it.e, it.user), userTopic(cleared.e, cleared.user)];
    for (const topic of topics) {
        assert.ok(await retainedOn(world.reader, topic), topic);
    }
    await saveRetained(world.broker, join(world.broker.dir, 'mosquitto.db'));
    await world.publisher.publish(evaluationTopic(it.e), '', RETAINED);
    await world.publisher.publish(userTopic(cleared.e, cleared.user), '', RETAINED);
    await command(world.publisher, 'getStats'); // answered on a tick
    await it.page.end();
    await crash(world.broker);
    await world.broker.start();
    await open(world);
    await command(world.publisher, 'getStats');
    for (const topic of topics) {
        assert.equal(await retainedOn(world.reader, topic), undefined, topic);
    }
    await close(world);
    await world.broker.stop();
});
