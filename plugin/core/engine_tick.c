/* SPDX-License-Identifier: Apache-2.0
 *
 * engine_tick.c - see engine.h: what happens by time and by command, and what the broker is to do
 * about it.
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

    engine->now = now;
    engine->overtaken = NULL;
    engine->tick_count++;
    engine->effects_left = INVIG_TICK_WORK_MAX;
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

/* Fills in the notice to a connection. Returns false when it has no session, and so no topic for
 * one. */
static bool engine_make_notice(const struct invig_engine *engine,
                               const struct invig_connection *connection,
                               struct invig_notice *out_notice)
{
    bool is_over = connection->state == INVIG_CONNECTION_TOLD;

    *out_notice = (struct invig_notice){
        .type = is_over ? INVIG_NOTICE_SESSION_INVALIDATED : INVIG_NOTICE_SESSION_EXPIRING,
        .user = connection->subject.user,
        .session = connection->subject.session,
        .reason = connection->end,
        .time_s = is_over ? engine->now.wall_s : connection->ends_s,
    };
    return connection->session != NULL;
}

bool invig_engine_next_effect(struct invig_engine *engine, struct invig_now now,
                              struct invig_effect *out_effect)
{
    struct invig_connection *connection;
    bool has_notice;

    *out_effect = (struct invig_effect){.kind = INVIG_EFFECT_KICK};
    if (engine->effects_left == 0) {
        return false;
    }
    engine->effects_left--;
    connection = invig_effects_pop_kick(&engine->effects, engine->tick_count, now.steady_ms);
    if (connection == NULL) {
        connection = invig_effects_pop(&engine->effects, INVIG_PENDING_NOTICE);
        if (connection == NULL) {
            return false;
        }
        has_notice = engine_make_notice(engine, connection, &out_effect->notice);
        if (has_notice) {
            out_effect->kind = INVIG_EFFECT_NOTIFY;
        }
        if (has_notice && connection->state == INVIG_CONNECTION_TOLD) {
            invig_effects_add_kick(&engine->effects, connection,
                                   engine->tick_count + INVIG_KICK_TICKS,
                                   now.steady_ms + INVIG_KICK_DELAY_MS);
        }
    }
    out_effect->client_id = connection->client_id;
    return true;
}

/* Tells the open connections of `user` whose session is revoked. Returns how many. */
static int64_t engine_tell_revoked(struct invig_engine *engine, struct invig_user *user)
{
    int64_t told = 0;

    for (struct invig_connection *each = user->connections; each != NULL; each = each->user_next) {
        if (each->session != NULL && each->session->end == INVIG_END_REVOKED &&
            invig_engine_tell(engine, each, INVIG_END_REVOKED)) {
            told++;
        }
    }
    return told;
}

static void engine_log_revoked(const struct invig_engine *engine, const struct invig_user *user,
                               const char *scope, int64_t connections)
{
    struct invig_logline line;

    invig_logline_init(&line, "revoked");
    invig_logline_add(&line, "user", invig_text_of(user->id));
    invig_logline_add(&line, "scope", invig_text_of(scope));
    invig_logline_add_number(&line, "connections", connections);
    invig_engine_log(engine, INVIG_LOG_NOTICE, &line);
}

enum invig_status invig_engine_invalidate_session(struct invig_engine *engine, struct invig_now now,
                                                  struct invig_text user, struct invig_text session)
{
    struct invig_session *revoked = NULL;
    enum invig_status status = invig_engine_reserve_timers(engine);

    engine->now = now;
    engine->overtaken = NULL;
    if (status == INVIG_OK) {
        status = invig_sessions_revoke(&engine->sessions, user, session, now.wall_s, &revoked);
    }
    if (status == INVIG_OK) {
        engine_log_revoked(engine, revoked->user, "session",
                           engine_tell_revoked(engine, revoked->user));
    }
    return status;
}

enum invig_status invig_engine_invalidate_user(struct invig_engine *engine, struct invig_now now,
                                               struct invig_text user, struct invig_text except,
                                               int64_t before_s)
{
    struct invig_user *revoked = NULL;
    enum invig_status status = invig_engine_reserve_timers(engine);

    engine->now = now;
    engine->overtaken = NULL;
    if (status == INVIG_OK) {
        status = invig_sessions_revoke_user(&engine->sessions, user, except, before_s, now.wall_s,
                                            &revoked);
    }
    if (status == INVIG_OK) {
        engine_log_revoked(engine, revoked, "user", engine_tell_revoked(engine, revoked));
    }
    return status;
}
