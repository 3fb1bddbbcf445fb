// SPDX-License-Identifier: Apache-2.0
// main.mjs - the soak: students, evaluations and a backend against one Mosquitto for a while, with
// restarts in the second half. See scripts/soak.
//
// SOAK_SEED repeats the choices of a run (not its timing). INVIG_MODULE is the module.
import { setTimeout as sleep } from 'node:timers/promises';
import { newId } from '../broker/lib/exam.mjs';
import { makeRandom } from '../broker/lib/examinee.mjs';
import { patience } from '../broker/lib/wait.mjs';
import { Evaluation } from './course.mjs';
import { Report } from './report.mjs';
import { Student } from './student.mjs';
import { World } from './world.mjs';

const EVALUATIONS = 4;
const STUDENTS = 10; // in each
const LIFE_S_MAX = 20; // in the second half
// What must be remembered of sessions grows with each login. In the long life it is to be so little
// that growth of another kind shows.
const PAUSE_MS = 1000;
const FAULTS_MAX = 50;
const COMPLETE_S = 60; // in a run as long as this each thing happens

const seconds = Math.round(Number(process.argv[2]) * 60);
const seed = Number(process.env.SOAK_SEED ?? Math.floor(Math.random() * 2 ** 31));
if (!(seconds >= 1) || !Number.isInteger(seed)) {
    console.error('usage: scripts/soak MINUTES, with a whole number as SOAK_SEED');
    process.exit(2);
}

const report = new Report();
const world = new World(report);
const rng = makeRandom(seed);
const end = Date.now() + seconds * 1000;
const isTime = () => Date.now() < end && [...report.faults.values()].reduce((a, b) => a + b, 0) < FAULTS_MAX;

const newStudent = (evaluation, chooser = rng) => new Student(world, evaluation, newId('student'), chooser.below(2 ** 31));

/** Another takes the place of one of whom all is known, or of whom nothing is certain any more. */
function replace(evaluation, student) {
    student.pages.splice(0).forEach((page) => page.vanish());
    const next = newStudent(evaluation, student.rng);
    evaluation.students[evaluation.students.indexOf(student)] = next;
    return next;
}

function blame(student, error) {
    report.fault(error.kind ?? 'other', error.kind ? error.message : `${student.user}: ${error.stack}`, student.events);
}

async function liveOnce(evaluation, student) {
    try {
        await student.step();
        return student.isFull ? replace(evaluation, student) : student;
    } catch (error) {
        blame(student, error);
        return replace(evaluation, student);
    }
}

async function live(evaluation, index) {
    while (!world.isOver) {
        await world.rebirth;
        await evaluation.gate.enter();
        if (!world.isDying && !world.isOver) {
            await liveOnce(evaluation, evaluation.students[index]);
        }
        evaluation.gate.leave();
        if (world.isCalm) {
            await sleep(Math.random() * PAUSE_MS); // a choice of timing, which no seed repeats
        }
    }
}

async function direct(evaluation) {
    while (!world.isOver) {
        await world.rebirth;
        await evaluation.advance().catch((error) => report.fault(error.kind ?? 'other', error.stack));
        await sleep(500 + evaluation.rng.below(3000));
    }
}

/** Has the keys read again, whatever goes on. */
async function hangUp() {
    while (!world.isOver) {
        await sleep(2000 + rng.below(10000));
        await world.rebirth;
        if (!world.isDying && !world.isOver) {
            await world.sighup();
        }
    }
}

/** Lets time go by. */
async function goOn(until) {
    while (isTime() && Date.now() < until) {
        await sleep(Math.min(200, Math.max(1, until - Date.now())));
    }
}

/** Each student of an evaluation does something that may end in a fault. */
async function everybody(evaluations, act) {
    await Promise.all(evaluations.flatMap((evaluation) => evaluation.students.map(async (student) => {
        try {
            await act(student);
        } catch (error) {
            blame(student, error);
            replace(evaluation, student);
        }
    })));
}

async function restart(evaluations) {
    await world.die(rng.chance(0.3));
    await Promise.all(evaluations.map(({ gate }) => gate.close()));
    evaluations.forEach(({ students }) => students.forEach((student) => student.bury()));
    await world.revive();
    await world.settle(evaluations);
    await everybody(evaluations, (student) => student.check());
    world.goOn();
    evaluations.forEach(({ gate }) => gate.open());
}

/** One long life, then short ones. */
async function lives(evaluations) {
    const half = end - seconds * 500;
    world.isCalm = true;
    await goOn(half);
    world.isCalm = false;
    while (isTime()) {
        await restart(evaluations);
        await goOn(Date.now() + Math.min(seconds * 100, 2000 + rng.below(LIFE_S_MAX * 1000)));
    }
}

async function soak() {
    console.log(`Soaking for ${seconds} s (SOAK_SEED=${seed})`);
    await world.start();
    const evaluations = Array.from({ length: EVALUATIONS }, () => new Evaluation(world, newId('exam'), makeRandom(rng.below(2 ** 31))));
    evaluations.forEach((evaluation) => {
        evaluation.students = Array.from({ length: STUDENTS }, () => newStudent(evaluation));
    });
    const loops = evaluations.flatMap((evaluation) => [
        direct(evaluation), ...evaluation.students.map((_, index) => live(evaluation, index)),
    ]);
    const hanging = hangUp();
    await lives(evaluations);
    world.isOver = true;
    await Promise.all(loops);
    await everybody(evaluations, (student) => student.goHome());
    await world.life.expectNoneLeft(report, 2, patience(30000));
    await world.expectNobody();
    await hanging;
    if (seconds >= COMPLETE_S) {
        report.expectAll();
    }
    await world.stop();
}

function conclude() {
    report.table(world.lives);
    console.log(report.hasFaults ? `\nFAILED (SOAK_SEED=${seed})` : '\nNo fault');
    process.exit(report.hasFaults ? 1 : 0);
}

world.onBroken = conclude;
await soak().catch((error) => report.fault(error.kind ?? 'other', error.stack));
conclude();
