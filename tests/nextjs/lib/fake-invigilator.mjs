// SPDX-License-Identifier: Apache-2.0
// fake-invigilator.mjs - stands for the browser module: notes what is asked of it, and says what
// the test has it say.
import { EventEmitter } from 'node:events';

export class FakeInvigilator {
    /** All that were made, in order. */
    static made = [];
    calls = [];
    #events = new EventEmitter();

    constructor(options) {
        this.options = options;
        FakeInvigilator.made.push(this);
    }

    on(name, listener) {
        this.#events.on(name, listener);
        return () => this.#events.off(name, listener);
    }

    start() {
        this.calls.push('start');
    }

    async stop() {
        this.calls.push('stop');
        this.say('offline', { reason: 'stopped' });
    }

    say(name, event = {}) {
        this.#events.emit(name, event);
    }

    get listeners() {
        return this.#events.eventNames().length;
    }
}
