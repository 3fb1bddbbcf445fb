/* SPDX-License-Identifier: Apache-2.0
 *
 * engine.c - see engine.h: the engine itself, and connections that end. How they begin is in
 * engine_connect.c, what they may do in engine_access.c, what happens by time or by command in
 * engine_tick.c.
 */
#include "engine_private.h"

#include <stdlib.h>

struct invig_engine *invig_engine_new(const struct invig_policy *policy, struct invig_seed seed,
                                      struct invig_log_sink log)
{
    struct invig_engine *engine = calloc(1, sizeof(*engine));

    if (engine == NULL) {
        return NULL;
    }
    engine->policy = policy;
    engine->log = log;
    engine->topic_prefix = invig_text_of(policy->topic_prefix);
    invig_sessions_init(&engine->sessions, policy, seed, &engine->timers);
    invig_connections_init(&engine->connections, seed);
    invig_ratelimit_init(&engine->denials, INVIG_DENIAL_LINES_BURST, INVIG_DENIAL_LINE_MS);
    return engine;
}

void invig_engine_free(struct invig_engine *engine)
{
    if (engine == NULL) {
        return;
    }
    while (engine->first != NULL) {
        struct invig_connection *connection = engine->first;

        invig_engine_detach(engine, connection, INVIG_CONNECTION_DEPARTED);
        invig_engine_discard(engine, connection);
    }
    invig_connections_deinit(&engine->connections);
    invig_sessions_deinit(&engine->sessions);
    invig_timers_deinit(&engine->timers);
    free(engine);
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
    if (connection->session != NULL) {
        connection->session->connection_count++;
    }
}

static void user_unlink(struct invig_connection *connection)
{
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

/* Notes that an open connection is no longer one. */
static void connection_leave_open(struct invig_connection *connection)
{
    if (connection->state == INVIG_CONNECTION_OPEN && connection->session != NULL) {
        connection->session->open_count--;
    }
}

void invig_engine_detach(struct invig_engine *engine, struct invig_connection *connection,
                         enum invig_connection_state state)
{
    connection_leave_open(connection);
    if (connection->state == INVIG_CONNECTION_OPEN ||
        connection->state == INVIG_CONNECTION_DEFERRED) {
        connection->was_open = true;
    }
    connection->state = state;
    invig_effects_remove(&engine->effects, connection);
    invig_timers_cancel(&engine->timers, &connection->timer);
    invig_connections_release(&engine->connections, connection);
}

bool invig_engine_tell(struct invig_engine *engine, struct invig_connection *connection,
                       enum invig_end end)
{
    if (connection->state != INVIG_CONNECTION_OPEN) {
        return false;
    }
    connection_leave_open(connection);
    connection->state = INVIG_CONNECTION_TOLD;
    connection->end = end;
    invig_timers_cancel(&engine->timers, &connection->timer);
    invig_effects_add(&engine->effects, connection, INVIG_PENDING_NOTICE);
    return true;
}

void invig_engine_disconnect(struct invig_engine *engine, struct invig_now now,
                             struct invig_connection *connection)
{
    engine->now = now;
    engine->overtaken = NULL;
    if (connection->state == INVIG_CONNECTION_DEPARTED) {
        return;
    }
    if (connection->user != NULL) {
        invig_sessions_touch(&engine->sessions, connection->user, connection->session,
                             connection->ends_s, now.wall_s);
    }
    invig_engine_detach(engine, connection, INVIG_CONNECTION_DEPARTED);
    invig_effects_add(&engine->effects, connection, INVIG_PENDING_DEPARTED);
}

void invig_engine_forget(struct invig_engine *engine, struct invig_connection *connection)
{
    if (engine->overtaken == connection) {
        engine->overtaken = NULL;
    }
    invig_engine_detach(engine, connection, INVIG_CONNECTION_DEPARTED);
    invig_engine_discard(engine, connection);
}
