/* SPDX-License-Identifier: Apache-2.0
 *
 * engine.c - see engine.h: the engine itself, and connections that end. How they begin is in
 * engine_connect.c, what they may do in engine_access.c, what happens by time in engine_tick.c, by
 * a message in engine_update.c, by a command in engine_control.c. Users in evaluations are in
 * engine_member.c, strict evaluations in engine_strict.c, and what is to be done about all of it in
 * engine_effect.c.
 */
#include "engine_private.h"

#include <stdlib.h>

void invig_engine_begin(struct invig_engine *engine, struct invig_now now)
{
    engine->now = now;
    engine->overtaken = NULL;
    invig_journal_set_mark(&engine->journal);
}

struct invig_engine *invig_engine_new(const struct invig_policy *policy, struct invig_seed seed,
                                      struct invig_log_sink log, invig_digest *digest,
                                      struct invig_store store)
{
    struct invig_engine *engine = calloc(1, sizeof(*engine));

    if (engine == NULL) {
        store.close(store.context);
        return NULL;
    }
    engine->store = store;
    engine->policy = policy;
    engine->log = log;
    engine->digest = digest;
    engine->seed = seed;
    engine->topic_prefix = invig_text_of(policy->topic_prefix);
    invig_sessions_init(&engine->sessions, policy, seed, &engine->timers, &engine->journal);
    invig_connections_init(&engine->connections, seed);
    invig_evaluations_init(&engine->evaluations, policy, seed, &engine->journal);
    invig_ratelimit_init(&engine->denials, INVIG_DENIAL_LINES_BURST, INVIG_DENIAL_LINE_MS);
    invig_ratelimit_init(&engine->refusals, INVIG_DENIAL_LINES_BURST, INVIG_DENIAL_LINE_MS);
    invig_ratelimit_init(&engine->failures, INVIG_DENIAL_LINES_BURST, INVIG_DENIAL_LINE_MS);
    invig_ratelimit_init(&engine->refused, INVIG_LOGIN_LINES_BURST, INVIG_LOGIN_LINE_MS);
    invig_ratelimit_init(&engine->told, INVIG_LOGIN_LINES_BURST, INVIG_LOGIN_LINE_MS);
    return engine;
}

void invig_engine_free(struct invig_engine *engine)
{
    if (engine == NULL) {
        return;
    }
    invig_engine_store_last(engine);
    while (engine->first != NULL) {
        struct invig_connection *connection = engine->first;

        invig_engine_detach(engine, connection, INVIG_CONNECTION_DEPARTED, INVIG_CAUSE_UNKNOWN);
        invig_engine_discard(engine, connection);
    }
    invig_letter_free(engine->held_letter);
    invig_outbox_deinit(&engine->outbox);
    invig_evaluations_deinit(&engine->evaluations);
    invig_connections_deinit(&engine->connections);
    invig_sessions_deinit(&engine->sessions);
    invig_timers_deinit(&engine->timers);
    engine->store.close(engine->store.context);
    if (engine->share.close != NULL) {
        engine->share.close(engine->share.context);
    }
    free(engine);
}

bool invig_engine_begin_line(const struct invig_engine *engine, struct invig_ratelimit *limit,
                             const char *event, struct invig_logline *out_line)
{
    uint64_t suppressed = 0;

    if (!invig_ratelimit_take(limit, engine->now.steady_ms, &suppressed)) {
        return false;
    }
    invig_logline_init(out_line, event);
    if (suppressed > 0) {
        invig_logline_add_number(out_line, "suppressed", (int64_t)suppressed);
    }
    return true;
}

void invig_engine_log(const struct invig_engine *engine, enum invig_log_level level,
                      const struct invig_logline *line)
{
    engine->log.write(engine->log.context, level, line->text);
}

enum invig_status invig_engine_reserve_timers(struct invig_engine *engine)
{
    return invig_timers_reserve(&engine->timers, engine->connections.count +
                                                     invig_table_count(&engine->sessions.users) +
                                                     2);
}

void invig_engine_link(struct invig_engine *engine, struct invig_connection *connection)
{
    connection->serial = ++engine->newest_serial;
    connection->since_s = engine->now.wall_s;
    connection->next = engine->first;
    if (engine->first != NULL) {
        engine->first->previous = connection;
    }
    engine->first = connection;
    engine->connections.count++;
    if (connection->user == NULL) {
        return;
    }
    connection->user_next = connection->user->connections;
    if (connection->user_next != NULL) {
        connection->user_next->user_previous = connection;
    }
    connection->user->connections = connection;
    connection->user->connection_count++;
    if (connection->session != NULL) {
        connection->session->connection_count++;
    }
}

static void user_unlink(struct invig_connection *connection)
{
    connection->user->connection_count--;
    if (connection->user_previous == NULL) {
        connection->user->connections = connection->user_next;
    } else {
        connection->user_previous->user_next = connection->user_next;
    }
    if (connection->user_next != NULL) {
        connection->user_next->user_previous = connection->user_previous;
    }
    if (connection->session != NULL) {
        connection->session->connection_count--;
    }
}

void invig_engine_discard(struct invig_engine *engine, struct invig_connection *connection)
{
    if (connection->user != NULL) {
        user_unlink(connection);
    }
    if (connection->previous == NULL) {
        engine->first = connection->next;
    } else {
        connection->previous->next = connection->next;
    }
    if (connection->next != NULL) {
        connection->next->previous = connection->previous;
    }
    engine->connections.count--;
    invig_effects_remove(&engine->effects, connection);
    invig_connection_free(connection);
}

void invig_engine_note_online(struct invig_engine *engine, struct invig_user *user, bool was_online,
                              enum invig_cause cause)
{
    if (was_online != (invig_user_connections(user) > 0)) {
        user->presence_since_s = engine->now.wall_s;
        user->presence_cause = cause;
    }
}

void invig_engine_open(struct invig_engine *engine, struct invig_connection *connection)
{
    struct invig_user *user = connection->user;
    bool was_online = invig_user_connections(user) > 0;

    connection->state = INVIG_CONNECTION_OPEN;
    engine->stats.connections_current++;
    if (connection->session != NULL && connection->session->open_count++ == 0) {
        engine->stats.sessions_current++;
    }
    if (user->open_count++ == 0) {
        engine->stats.users_current++;
    }
    invig_engine_note_online(engine, user, was_online, INVIG_CAUSE_CONNECTED);
    invig_engine_mark_presence(engine, user);
}

/* Notes that an open connection is no longer one. */
static void engine_close(struct invig_engine *engine, struct invig_connection *connection,
                         enum invig_cause cause)
{
    struct invig_user *user = connection->user;

    if (connection->state != INVIG_CONNECTION_OPEN) {
        return;
    }
    engine->stats.connections_current--;
    if (connection->session != NULL && --connection->session->open_count == 0) {
        engine->stats.sessions_current--;
    }
    if (--user->open_count == 0) {
        engine->stats.users_current--;
    }
    invig_engine_note_online(engine, user, true, cause);
    invig_engine_mark_presence(engine, user);
    invig_engine_unclaim(engine, connection);
}

void invig_engine_detach(struct invig_engine *engine, struct invig_connection *connection,
                         enum invig_connection_state state, enum invig_cause cause)
{
    bool was_there = invig_engine_is_there(connection);

    engine_close(engine, connection, cause);
    connection->was_open = connection->was_open || was_there;
    engine->leaving_count -= connection->is_leaving;
    connection->is_leaving = false;
    connection->state = state;
    invig_effects_remove(&engine->effects, connection);
    invig_timers_cancel(&engine->timers, &connection->timer);
    invig_connections_release(&engine->connections, connection);
    invig_outbox_drop(&engine->outbox, connection);
}

bool invig_engine_is_there(const struct invig_connection *connection)
{
    return connection != NULL && (connection->state == INVIG_CONNECTION_OPEN ||
                                  connection->state == INVIG_CONNECTION_DEFERRED);
}

static enum invig_cause cause_of_end(enum invig_end end)
{
    switch (end) {
    case INVIG_END_SUPERSEDED:
        return INVIG_CAUSE_SUPERSEDED;
    case INVIG_END_REVOKED:
        return INVIG_CAUSE_REVOKED;
    case INVIG_END_EXPIRED:
        return INVIG_CAUSE_EXPIRED;
    case INVIG_END_NONE:
    case INVIG_END_BLOCKED:
        break;
    }
    return INVIG_CAUSE_UNKNOWN;
}

bool invig_engine_tell(struct invig_engine *engine, struct invig_connection *connection,
                       enum invig_end end)
{
    if (connection->state != INVIG_CONNECTION_OPEN) {
        return false;
    }
    engine_close(engine, connection, cause_of_end(end));
    connection->state = INVIG_CONNECTION_TOLD;
    connection->end = end;
    invig_timers_cancel(&engine->timers, &connection->timer);
    invig_effects_add(&engine->effects, connection, INVIG_PENDING_NOTICE);
    return true;
}

int64_t invig_engine_tell_session(struct invig_engine *engine, const struct invig_session *session)
{
    int64_t told = 0;
    struct invig_connection *each = session->user->connections;

    for (; each != NULL; each = each->user_next) {
        if (each->session == session && invig_engine_tell(engine, each, session->record.end)) {
            told++;
        }
    }
    return told;
}

void invig_engine_end_session(struct invig_engine *engine, const struct invig_session *session)
{
    int64_t connections = invig_engine_tell_session(engine, session);
    struct invig_logline line;

    invig_logline_init(&line, session->record.end == INVIG_END_REVOKED ? "revoked" : "superseded");
    invig_logline_add(&line, "user", invig_user_text(session->user));
    invig_logline_add_number(&line, "connections", connections);
    invig_engine_log(engine, INVIG_LOG_NOTICE, &line);
}

void invig_engine_disconnect(struct invig_engine *engine, struct invig_now now,
                             struct invig_connection *connection, enum invig_cause cause)
{
    invig_engine_begin(engine, now);
    if (connection->state == INVIG_CONNECTION_DEPARTED) {
        return;
    }
    if (connection->user != NULL) {
        invig_sessions_touch(&engine->sessions, connection->user, connection->session,
                             connection->ends_s, now.wall_s);
    }
    invig_engine_detach(engine, connection, INVIG_CONNECTION_DEPARTED, cause);
    invig_effects_add(&engine->effects, connection, INVIG_PENDING_DEPARTED);
}

void invig_engine_forget(struct invig_engine *engine, struct invig_connection *connection)
{
    if (engine->overtaken == connection) {
        engine->overtaken = NULL;
    }
    invig_engine_detach(engine, connection, INVIG_CONNECTION_DEPARTED, INVIG_CAUSE_UNKNOWN);
    invig_engine_discard(engine, connection);
}

void invig_engine_read_stats(const struct invig_engine *engine, struct invig_stats *out_stats)
{
    *out_stats = engine->stats;
    out_stats->sessions_invalidated = engine->sessions.invalidated_count;
    out_stats->sessions_revoked_current = engine->sessions.revoked_count;
    out_stats->state_available = engine->share.next == NULL || engine->is_share_there;
    out_stats->evaluations_strict = engine->evaluations.strict_count;
}
