/* SPDX-License-Identifier: Apache-2.0
 *
 * effect.h - what the broker is to do to connections: send a notice, then disconnect. First in,
 * first out. The lists run through the connections themselves, so queueing needs no memory and
 * cannot fail, and a connection that goes away takes its effects along. Depends on: connection.
 */
#ifndef INVIGILATOR_EFFECT_H
#define INVIGILATOR_EFFECT_H

#include "invigilator/connection.h"

enum {
    INVIG_KICK_TICKS = 2, /* ticks between a notice and its disconnect: before that the broker would
                             drop the notice unsent */
    INVIG_KICK_DELAY_MS = 1000 /* time between them: a busy reader is to have the notice by then */
};

/* Zeroed memory is empty lists. */
struct invig_effects {
    struct invig_connection *notice_first;
    struct invig_connection *notice_last;
    struct invig_connection *kick_first;
    struct invig_connection *kick_last;
};

/* Queues a notice to `connection`; does nothing when one is queued already. */
void invig_effects_add_notice(struct invig_effects *effects, struct invig_connection *connection);

/* Queues a disconnect, not before tick count `tick` and steady time `steady_ms`. Takes the
 * connection out of the notice list where it is in that. */
void invig_effects_add_kick(struct invig_effects *effects, struct invig_connection *connection,
                            uint64_t tick, int64_t steady_ms);

/* Takes `connection` out of the list it is in; in none is allowed. */
void invig_effects_remove(struct invig_effects *effects, struct invig_connection *connection);

/* Takes out and returns the connection whose notice is next; NULL when there is none. */
struct invig_connection *invig_effects_pop_notice(struct invig_effects *effects);

/* Takes out and returns the connection that is to be disconnected next; NULL when none is due. */
struct invig_connection *invig_effects_pop_kick(struct invig_effects *effects, uint64_t tick,
                                                int64_t steady_ms);

#endif
