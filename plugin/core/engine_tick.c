/* SPDX-License-Identifier: Apache-2.0
 *
 * engine_tick.c - see engine.h: what happens by time.
 */
#include "engine_private.h"

static struct invig_connection *connection_of_timer(struct invig_timer *timer)
{
    return (struct invig_connection *)(void *)((char *)timer -
                                               offsetof(struct invig_connection, timer));
}

static void engine_log_expired(const struct invig_engine *engine,
                               const struct invig_connection *connection)
{
    struct invig_logline line;

    invig_logline_init(&line, "expired");
    invig_logline_add(&line, "user", connection->subject.user);
    invig_logline_add(&line, "client", connection->client_id);
    invig_engine_log(engine, INVIG_LOG_NOTICE, &line);
}

/* A connection's token runs out now, or soon. */
static void engine_handle_connection_timer(struct invig_engine *engine,
                                           struct invig_connection *connection)
{
    if (engine->now.wall_s >= connection->ends_s) {
        engine_log_expired(engine, connection);
        (void)invig_engine_tell(engine, connection, INVIG_END_EXPIRED);
        return;
    }
    invig_effects_add(&engine->effects, connection, INVIG_PENDING_NOTICE);
    (void)invig_timers_set(&engine->timers, &connection->timer, connection->ends_s);
}

void invig_engine_tick(struct invig_engine *engine, struct invig_now now)
{
    struct invig_connection *departed;
    struct invig_timer *timer;

    invig_engine_begin(engine, now);
    invig_engine_release_held(engine);
    engine->tick_count++;
    engine->effects_left = INVIG_TICK_WORK_MAX;
    invig_engine_tick_share(engine);
    invig_engine_tick_store(engine);
    while ((departed = invig_effects_pop(&engine->effects, INVIG_PENDING_DEPARTED)) != NULL) {
        invig_engine_discard(engine, departed);
    }
    for (int i = 0; i < INVIG_TICK_WORK_MAX; i++) {
        timer = invig_timers_pop(&engine->timers, now.wall_s);
        if (timer == NULL) {
            return;
        }
        if (timer->kind == INVIG_TIMER_USER) {
            invig_sessions_handle_timer(&engine->sessions, timer, now.wall_s);
        } else {
            engine_handle_connection_timer(engine, connection_of_timer(timer));
        }
    }
}
