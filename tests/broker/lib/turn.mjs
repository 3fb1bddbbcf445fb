// SPDX-License-Identifier: Apache-2.0
// turn.mjs - makes things happen in one turn of the broker's loop: the process is stopped meanwhile.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { within } from './wait.mjs';

function stateOf(pid) {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)[0];
}

/** Stops the broker, runs `work`, and lets the broker go on: whatever `work` sent on connections that
 *  were there before lies ready when it does, and it is all read before the plugin's next tick. */
export async function inOneTurn(broker, work) {
    const stopped = async () => {
        while (stateOf(broker.pid) !== 'T') {
            await sleep(1);
        }
    };
    process.kill(broker.pid, 'SIGSTOP');
    try {
        await within(5000, 'the broker to stop', stopped());
        return await work();
    } finally {
        process.kill(broker.pid, 'SIGCONT');
    }
}

/** Resolves when the clock has passed this second: what runs out does so by the clock alone. */
export function untilSecond(second) {
    return sleep(Math.max(0, second * 1000 - Date.now()) + 50);
}
