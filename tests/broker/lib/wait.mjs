// SPDX-License-Identifier: Apache-2.0
// wait.mjs - waiting for things that others do: always for an event, never for a guessed time.

// A broker under valgrind or a sanitizer is several times slower; all limits stretch alike.
const SLOWNESS = process.env.INVIG_WRAPPER ? 6 : 1;

/** A time limit in milliseconds for something that normally takes far less. */
export function patience(ms) {
    return ms * SLOWNESS;
}

/** Rejects when `promise` has not settled in time; `what` says what was waited for: a text, or a
 *  function that makes one. What the broker had logged before its answer has been read then too: it
 *  lay in the pipe already, and a turn of the event loop reads all that is there. */
export function within(ms, what, promise) {
    let timer;
    const limit = new Promise((resolve, reject) => {
        timer = setTimeout(() => {
            const text = typeof what === 'function' ? what() : what;
            reject(new Error(`waited ${patience(ms)} ms in vain for ${text}`));
        }, patience(ms));
    });
    return Promise.race([promise, limit]).finally(() => {
        clearTimeout(timer);
        return new Promise(setImmediate);
    });
}

/** A list that remembers everything and hands each item to at most one waiting reader. */
export class Inbox {
    all = [];
    #unread = [];
    #readers = [];
    #end = null;

    add(item) {
        this.all.push(item);
        const reader = this.#readers.findIndex(({ wanted }) => wanted(item));
        if (reader < 0) {
            this.#unread.push(item);
            return;
        }
        this.#readers.splice(reader, 1)[0].resolve(item);
    }

    /** No more items will come: whoever still waits gets the error. */
    close(error) {
        this.#end = error;
        for (const { reject } of this.#readers.splice(0)) {
            reject(error);
        }
    }

    /** The first item not taken yet that is `wanted`; waits for it when there is none. */
    take(wanted, { timeout = 5000, what = 'a message' } = {}) {
        const index = this.#unread.findIndex(wanted);
        if (index >= 0) {
            return Promise.resolve(this.#unread.splice(index, 1)[0]);
        }
        if (this.#end) {
            return Promise.reject(this.#end);
        }
        const reader = { wanted };
        const found = new Promise((resolve, reject) => Object.assign(reader, { resolve, reject }));
        this.#readers.push(reader);
        return within(timeout, what, found).finally(() => {
            this.#readers = this.#readers.filter((other) => other !== reader);
        });
    }
}
