/* SPDX-License-Identifier: Apache-2.0
 *
 * engine_private.h - the engine's state, for the files that make up the engine and for no other.
 */
#ifndef INVIGILATOR_ENGINE_PRIVATE_H
#define INVIGILATOR_ENGINE_PRIVATE_H

#include "invigilator/effect.h"
#include "invigilator/engine.h"
#include "invigilator/ratelimit.h"

enum {
    INVIG_DENIAL_LINES_BURST = 20, /* acl_denied lines at once */
    INVIG_DENIAL_LINE_MS = 1000    /* then one more each */
};

struct invig_engine {
    const struct invig_policy *policy; /* borrowed */
    struct invig_log_sink log;
    struct invig_text topic_prefix; /* of the policy */
    struct invig_now now;           /* of the last event that told it */
    uint64_t tick_count;
    int effects_left; /* that may still be handed out in this tick */
    struct invig_timers timers;
    struct invig_sessions sessions;
    struct invig_connections connections;
    struct invig_connection *first; /* all connections */
    struct invig_effects effects;
    struct invig_ratelimit denials;
    /* A connection without a token whose client id another such connection asked for in the last
     * event: if it publishes now, that is its will. NULL: none. */
    const struct invig_connection *overtaken;
};

/* Takes all rights from an open connection and queues that it is told why and disconnected. Does
 * nothing to a connection in any other state. Returns whether it did something. */
bool invig_engine_tell(struct invig_engine *engine, struct invig_connection *connection,
                       enum invig_end end);

/* Takes client id, timer and waiting effects from a connection that is over, and leaves it in
 * `state`. */
void invig_engine_detach(struct invig_engine *engine, struct invig_connection *connection,
                         enum invig_connection_state state);

/* Puts a new connection into the engine's list and, where it has a user, into the user's. */
void invig_engine_link(struct invig_engine *engine, struct invig_connection *connection);

/* Takes a detached connection out of all lists and frees it. */
void invig_engine_discard(struct invig_engine *engine, struct invig_connection *connection);

/* Makes room for the timers of one more user and one more connection. */
enum invig_status invig_engine_reserve_timers(struct invig_engine *engine);

/* Writes a finished line. */
void invig_engine_log(const struct invig_engine *engine, enum invig_log_level level,
                      const struct invig_logline *line);

#endif
