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

struct invig_pending_list {
    struct invig_connection *first;
    struct invig_connection *last;
};

/* Zeroed memory is empty lists. */
struct invig_effects {
    struct invig_pending_list lists[INVIG_PENDING_COUNT]; /* by enum invig_pending */
};

/* Puts `connection` at the end of the list `pending`, out of the one that it is in. */
void invig_effects_add(struct invig_effects *effects, struct invig_connection *connection,
                       enum invig_pending pending);

/* Takes `connection` out of the list it is in; in none is allowed. */
void invig_effects_remove(struct invig_effects *effects, struct invig_connection *connection);

/* Takes out and returns the first connection of the list `pending`; NULL when it is empty. */
struct invig_connection *invig_effects_pop(struct invig_effects *effects,
                                           enum invig_pending pending);

/* Queues a disconnect, not before tick count `tick` and steady time `steady_ms`. Later calls must
 * not name an earlier time. */
void invig_effects_add_kick(struct invig_effects *effects, struct invig_connection *connection,
                            uint64_t tick, int64_t steady_ms);

/* Takes out and returns the connection that is to be disconnected next; NULL when none is due. */
struct invig_connection *invig_effects_pop_kick(struct invig_effects *effects, uint64_t tick,
                                                int64_t steady_ms);

#endif
