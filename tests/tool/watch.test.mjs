// SPDX-License-Identifier: Apache-2.0
// watch.test.mjs - watch: what there is at the start, what happens, a broker that goes away, and the end.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
    backend, expectTurnedAway, fingerprint, newId, setAccess, setPhase, startBroker, startExam,
} from '../broker/lib.mjs';
import { expectCode, file, Running } from './lib.mjs';

const as = (broker, token) => ['-h', '127.0.0.1', '-p', `${broker.tcpPort}`, '--password-file', file(token, 0o600)];
const TIME = '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ';
const line = (text) => new RegExp(`^${TIME}  ${text}$`);

test('a summary, then a line for each event, until it is told to end', async (t) => {
    const broker = await startBroker();
    t.after(() => broker.stop());
    const publisher = await backend(broker, { version: 5 });
    const exam = await startExam(broker, publisher);
    await setAccess(publisher, exam.e, 'otto', 'BLOCKED');
    const token = await broker.sign({ sub: 'prof', sid: 's', role: 'professor', evaluations: [exam.e] });
    const watch = new Running(['watch', exam.e, ...as(broker, token), '-u', 'prof']);
    await watch.line(line(`watching ${exam.e}: phase IN_PROGRESS, 1 seen, 1 online, 1 blocked`));

    await expectTurnedAway(await exam.enter(2), exam.e, exam.user);
    await watch.line(line(`incident ${exam.user} kind=SECOND_LOGIN enforced=yes boundSession=${fingerprint(exam.sid(1))} refusedSession=${fingerprint(exam.sid(2))} address=127\\.0\\.0\\.1`));
    await watch.line(line(`user     ${exam.user} access=BLOCKED reason=SECOND_LOGIN status=IN_PROGRESS .*by=invigilator`));
    await exam.page.end();
    await watch.line(line(`offline  ${exam.user} connections=0 cause=\\w+ since=${TIME}`));
    const back = await exam.enter(1);
    await watch.line(line(`online   ${exam.user} connections=1 cause=CONNECTED since=${TIME}`));
    await publisher.publish(`evaluations/${exam.e}/users/otto`, '', { qos: 1, retain: true });
    await watch.line(line(`cleared  evaluations/${exam.e}/users/otto`));
    await setPhase(publisher, exam.e, 'GRADING');
    await watch.line(line(`exam     ${exam.e} phase=GRADING`));
    assert.deepEqual(await watch.stop(), { code: 0, signal: null });
    await Promise.all([back.end(), publisher.end()]);
});

test('JSON, a prefix, and a lost connection', async (t) => {
    const broker = await startBroker({
        options: { topic_prefix: 'eval/' }, acl: 'user backend\ntopic readwrite eval/#\ntopic readwrite $CONTROL/#\n',
    });
    t.after(() => broker.stop());
    const publisher = await backend(broker, { version: 5 });
    const e = newId('exam');
    const phase = (word) => publisher.publish(`eval/evaluations/${e}`, { type: 'EVALUATION_UPDATE', evaluationId: e, phase: word, more: [1.50] }, { qos: 1, retain: true });
    await phase('REGISTRATION');
    const token = await broker.sign({ sub: 'svc', role: 'service' });
    const watch = new Running(['watch', e, '--prefix', 'eval/', '--json', ...as(broker, token)]);
    const first = JSON.parse(await watch.line(/REGISTRATION/));
    assert.match(first.receivedAt, new RegExp(`^${TIME}$`));
    delete first.receivedAt;
    assert.deepEqual(first, {
        topic: `eval/evaluations/${e}`, retained: true, message: { type: 'EVALUATION_UPDATE', evaluationId: e, phase: 'REGISTRATION', more: [1.5] },
    });
    await phase('IN_PROGRESS');
    assert.equal(JSON.parse(await watch.line(/IN_PROGRESS/)).retained, false);

    await broker.kill9();
    await watch.line(/^invigilator: the connection was lost, trying again$/, 'stderr');
    await broker.start();
    const again = await backend(broker, { version: 5 });
    // It comes back by itself: what is retained then is told again.
    await again.publish(`eval/evaluations/${e}`, { type: 'EVALUATION_UPDATE', evaluationId: e, phase: 'GRADING' }, { qos: 1, retain: true });
    await watch.line(/GRADING/);
    assert.deepEqual(await watch.stop('SIGTERM'), { code: 0, signal: null });
    await again.end();
});

test('whoever may not see it is told so, and a login that is refused ends it', async (t) => {
    const broker = await startBroker();
    t.after(() => broker.stop());
    const other = await broker.sign({ sub: 'prof', sid: 's', role: 'professor', evaluations: ['mine'] });
    assert.match((await expectCode(1, ['watch', 'theirs', ...as(broker, other)])).stderr, /the broker refuses evaluations\/theirs to this login/);
    const student = await broker.sign({ sub: 'stu', sid: 's', evaluations: ['e'] });
    assert.match((await expectCode(1, ['watch', 'e', ...as(broker, student)])).stderr, /refuses evaluations\/e\/users\/\+ /);
    await expectCode(3, ['watch', 'e', ...as(broker, `${student}x`)]);
    await expectCode(2, ['watch', 'a/b', ...as(broker, student)]);
    await expectCode(2, ['watch', ...as(broker, student)]);
});
