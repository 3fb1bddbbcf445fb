// SPDX-License-Identifier: Apache-2.0
// exam.mjs - the exam: what is true of it and of each student, and telling so. In memory: a real
// backend has a database here.
import { Refusal } from './refusal.mjs';

export const PHASES = ['REGISTRATION', 'IN_PROGRESS', 'GRADING', 'FINISHED'];
const INCIDENTS_MAX = 100;

/** RFC 3339 without a fraction. */
const timeOf = (ms) => `${new Date(ms).toISOString().slice(0, 19)}Z`;
const added = (time, minutes) => timeOf(Date.parse(time) + minutes * 60000);

export class Exam {
    incidents = [];
    #id;
    #title;
    #minutes;
    #broker = null;
    #exam = { phase: 'REGISTRATION' };
    #students = new Map(); // user id: { access, endAt?, version }
    // A counter that goes on after a restart of this server, which has forgotten where it was.
    #version = Date.now();

    constructor({ evaluation, title, minutes, students }) {
        this.#id = evaluation;
        this.#title = title;
        this.#minutes = minutes;
        this.#exam.version = this.#version;
        students.forEach((userId) => this.#students.set(userId, { access: 'ALLOWED', version: this.#version }));
    }

    attach(broker) {
        this.#broker = broker;
    }

    /** Everything again, as it is: the broker may have been started anew. */
    publishAll() {
        this.#publishExam();
        this.#students.forEach((student, userId) => this.#publishStudent(userId));
    }

    #publishExam() {
        const message = { type: 'EVALUATION_UPDATE', evaluationId: this.#id, title: this.#title, ...this.#exam };
        this.#broker.publish(`evaluations/${this.#id}`, message);
    }

    #publishStudent(userId) {
        const message = { type: 'EVALUATION_UPDATE', evaluationId: this.#id, userId, ...this.#students.get(userId) };
        this.#broker.publish(`evaluations/${this.#id}/users/${userId}`, message);
    }

    #changeExam(change) {
        this.#exam = { ...this.#exam, ...change, version: ++this.#version };
        this.#publishExam();
    }

    #changeStudent(userId, change) {
        this.#students.set(userId, { ...this.#students.get(userId), ...change, version: ++this.#version });
        this.#publishStudent(userId);
    }

    #listed(userId) {
        const student = this.#students.get(userId);
        if (!student || student.access === 'DENIED') {
            throw new Refusal(404, `${userId} is not on the list`);
        }
        return student;
    }

    setPhase(phase) {
        if (!PHASES.includes(phase)) {
            throw new Refusal(400, `there is no phase ${phase}`);
        }
        if (phase === 'REGISTRATION') { // from the start
            this.#students.forEach(({ endAt }, userId) => endAt && this.#changeStudent(userId, { endAt: undefined }));
            this.#changeExam({ phase, startAt: undefined, endAt: undefined });
        } else if (phase === 'IN_PROGRESS' && !this.#exam.endAt) {
            const startAt = timeOf(Date.now());
            this.#changeExam({ phase, startAt, endAt: added(startAt, this.#minutes) });
        } else {
            this.#changeExam({ phase });
        }
    }

    /** For one student, or for all: those who have more time keep what they have more. */
    extend(minutes, userId) {
        if (!Number.isInteger(minutes) || Math.abs(minutes) > 600) {
            throw new Refusal(400, 'minutes must be a whole number, at most 600');
        }
        if (!this.#exam.endAt) {
            throw new Refusal(409, 'the exam has no end yet');
        }
        const extendOne = (id, endAt) => this.#changeStudent(id, { endAt: added(endAt, minutes) });
        if (userId !== undefined) {
            extendOne(userId, this.#listed(userId).endAt ?? this.#exam.endAt);
            return;
        }
        this.#changeExam({ endAt: added(this.#exam.endAt, minutes) });
        this.#students.forEach(({ endAt }, id) => endAt && extendOne(id, endAt));
    }

    /** ALLOWED puts on the list, DENIED takes off it, BLOCKED stops somebody who stays on it. */
    setAccess(userId, access) {
        if (access === 'BLOCKED') {
            this.#listed(userId);
        }
        this.#changeStudent(userId, { access });
    }

    /** With a fingerprint the session that it names goes on, else the one that sat the exam. The command
     *  lifts a block of the backend's too, which must not say so again then. */
    async unblock(userId, fingerprint) {
        this.#listed(userId);
        const named = fingerprint === undefined ? {} : { sessionId: fingerprint };
        await this.#broker.command('unblock', { userId, evaluationId: this.#id, ...named });
        if (this.#students.get(userId).access === 'BLOCKED') {
            this.setAccess(userId, 'ALLOWED');
        }
    }

    revoke(userId) {
        return this.#broker.command('invalidateUser', { userId });
    }

    endSession(userId, sessionId) {
        return this.#broker.command('invalidateSession', { userId, sessionId });
    }

    /** Incidents are not retained: a professor's page that comes late asks for those it has missed. */
    onMessage(topic, message) {
        if (message?.type === 'INCIDENT') {
            this.incidents = [...this.incidents, message].slice(-INCIDENTS_MAX);
        }
    }
}
