/* SPDX-License-Identifier: Apache-2.0
 *
 * load_round.h - one message on its way from the publisher to everybody, and how long it took to
 * each. A delivery is the exact payload, once a client.
 *
 * The times are upper bounds. The clock (CLOCK_MONOTONIC) is read right before the publisher's
 * send(2), and again when a client has the complete message parsed. The generator is one thread on
 * the same machine: a delivery that lies in its socket while the generator reads others counts as
 * not yet received, and what the generator uses of the processors the server may lack. So each
 * report says what the generator itself used (cpu_ms); where that comes near the wall time, the
 * generator is what was measured.
 *
 * In the phase fanout the next message waits for the last one (a closed loop). A server that stalls
 * delays what would have been published meanwhile, and so shows in one message and not in many
 * ("coordinated omission"): percentiles are those of messages that come one at a time. The phase
 * idle publishes by the clock; how late the generator was to do so is reported (slip_ms).
 */
#ifndef LOAD_ROUND_H
#define LOAD_ROUND_H

#include "load_buffer.h"

#include <stdbool.h>

struct load_round {
    unsigned number;            /* of the message under way; 0: none yet */
    struct load_buffer payload; /* of it */
    double written_ms;          /* when the publisher wrote it; steady */
    double last_ms;             /* when the last delivery so far was there */
    size_t missing;             /* clients that are to have it still */
    double *delays_ms;          /* of all deliveries since load_round_clear() */
    size_t received;            /* of these */
    size_t room;
};

void load_round_deinit(struct load_round *round);

/* Forgets the deliveries so far. */
void load_round_clear(struct load_round *round);

/* Begins the next message: the template with each %n replaced by its number. `count` clients are
 * to have it. */
void load_round_begin(struct load_round *round, const struct load_buffer *template, size_t count);

/* Something was received by a client that last had message `*heard`. */
void load_round_hear(struct load_round *round, unsigned *heard, const unsigned char *payload,
                     size_t length);

/* A client that last had message `heard` will receive nothing more. */
void load_round_lose(struct load_round *round, unsigned heard);

#endif
