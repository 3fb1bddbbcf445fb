/* SPDX-License-Identifier: Apache-2.0
 *
 * engine_connect.c - see engine.h: whether a client comes in, and what that does to those who are
 * in.
 */
#include "engine_private.h"

static void engine_log_connect(const struct invig_engine *engine, const char *event,
                               const struct invig_connect *connect, enum invig_end end,
                               struct invig_refusal refusal)
{
    struct invig_logline line;
    const struct invig_claims *claims = connect->claims;

    invig_logline_init(&line, event);
    if (refusal.reason != INVIG_REASON_NONE) {
        invig_logline_add(&line, "reason", invig_text_of(invig_reason_word(refusal.reason)));
        invig_logline_add(&line, "claim", invig_text_of(refusal.claim));
    }
    if (end != INVIG_END_NONE) {
        invig_logline_add(&line, "reason", invig_text_of(invig_end_word(end)));
    }
    if (claims != NULL) {
        invig_logline_add(&line, "user", invig_text_of(claims->user));
        invig_logline_add(&line, "role", invig_text_of(invig_role_word(claims->role)));
    }
    invig_logline_add(&line, "client", connect->client_id);
    invig_logline_add(&line, "address", connect->address);
    invig_engine_log(engine, INVIG_LOG_NOTICE, &line);
}

void invig_engine_refuse(struct invig_engine *engine, struct invig_now now,
                         const struct invig_connect *connect, struct invig_refusal refusal)
{
    struct invig_connect anonymous = *connect;

    engine->now = now;
    anonymous.claims = NULL;
    engine_log_connect(engine, "refused", &anonymous, INVIG_END_NONE, refusal);
}

static void engine_log_ended(const struct invig_engine *engine, const char *event,
                             const struct invig_user *user, int64_t connections)
{
    struct invig_logline line;

    invig_logline_init(&line, event);
    invig_logline_add(&line, "user", invig_text_of(user->id));
    invig_logline_add_number(&line, "connections", connections);
    invig_engine_log(engine, INVIG_LOG_NOTICE, &line);
}

/* What a CONNECT with a token must be like, whoever is there already. */
static enum invig_reason engine_check_form(const struct invig_engine *engine,
                                           const struct invig_connect *connect)
{
    struct invig_text user = invig_text_of(connect->claims->user);

    if (connect->username.data != NULL && connect->username.length > 0 &&
        !invig_text_equal(connect->username, user)) {
        return INVIG_REASON_USERNAME_MISMATCH;
    }
    if (!invig_client_id_fits(connect->client_id, user)) {
        return INVIG_REASON_CLIENT_ID_INVALID;
    }
    if (connect->protocol_version < 5 && !connect->is_clean) {
        return INVIG_REASON_CLEAN_SESSION_OFF;
    }
    if (connect->claims->role != INVIG_ROLE_SERVICE &&
        (connect->keepalive_s == 0 || connect->keepalive_s > engine->policy->max_keepalive_s)) {
        return INVIG_REASON_KEEPALIVE_TOO_LONG;
    }
    return INVIG_REASON_NONE;
}

/* What a login that was judged must be like beside the connections that are there. `holder` has the
 * client id already; NULL: nobody has. */
static enum invig_reason engine_check_place(const struct invig_engine *engine,
                                            const struct invig_login *login,
                                            const struct invig_connection *holder)
{
    size_t others;

    if (holder != NULL && (holder->user == NULL || holder->user != login->user)) {
        return INVIG_REASON_CLIENT_ID_IN_USE;
    }
    if (login->end != INVIG_END_NONE) {
        return holder != NULL && holder->state == INVIG_CONNECTION_OPEN ? INVIG_REASON_SESSION_ENDED
                                                                        : INVIG_REASON_NONE;
    }
    if (login->session == NULL) {
        return INVIG_REASON_NONE;
    }
    others = login->session->open_count;
    if (holder != NULL && holder->state == INVIG_CONNECTION_OPEN &&
        holder->session == login->session) {
        others--;
    }
    return others >= (size_t)engine->policy->max_connections_per_session
               ? INVIG_REASON_TOO_MANY_CONNECTIONS
               : INVIG_REASON_NONE;
}

/* When to look at an open connection next: before its end, where that is announced, or at its end.
 */
static int64_t engine_due_s(const struct invig_engine *engine,
                            const struct invig_connection *connection)
{
    return connection->session == NULL ? connection->ends_s
                                       : connection->ends_s - engine->policy->expiry_notice_s;
}

/* Fills in a connection whose client id is held and whose login is committed. Cannot fail: room for
 * the timer was reserved. */
static void engine_open(struct invig_engine *engine, struct invig_connection *connection,
                        const struct invig_claims *claims, const struct invig_login *login)
{
    connection->user = login->user;
    connection->session = login->session;
    connection->subject.role = claims->role;
    connection->subject.user = (struct invig_text){login->user->id, login->user->id_bytes};
    if (login->session != NULL) {
        connection->subject.session =
            (struct invig_text){login->session->id, login->session->id_bytes};
    }
    connection->ends_s = claims->expires_s + engine->policy->jwt_leeway_s;
    connection->state = INVIG_CONNECTION_OPEN;
    invig_engine_link(engine, connection);
    if (connection->session != NULL) {
        connection->session->open_count++;
    }
    if (login->end != INVIG_END_NONE) {
        (void)invig_engine_tell(engine, connection, login->end);
    } else {
        (void)invig_timers_set(&engine->timers, &connection->timer,
                               engine_due_s(engine, connection));
    }
}

/* Ends the connections of the session that a login superseded. */
static void engine_supersede(struct invig_engine *engine, const struct invig_session *superseded)
{
    int64_t told = 0;
    struct invig_connection *each = superseded->user->connections;

    for (; each != NULL; each = each->user_next) {
        if (each->session == superseded && invig_engine_tell(engine, each, INVIG_END_SUPERSEDED)) {
            told++;
        }
    }
    engine_log_ended(engine, "superseded", superseded->user, told);
}

static enum invig_reason reason_of_status(enum invig_status status)
{
    return status == INVIG_ERR_FULL ? INVIG_REASON_TOO_MANY_SESSIONS : INVIG_REASON_INTERNAL;
}

/* Carries out a login that was judged and checked. All that can fail comes first. */
static enum invig_reason engine_admit(struct invig_engine *engine,
                                      const struct invig_connect *connect,
                                      struct invig_login *login, struct invig_connection *holder,
                                      struct invig_connection **out_connection)
{
    enum invig_status status = INVIG_ERR_NO_MEMORY;
    struct invig_connection *connection =
        invig_connection_new(connect->client_id, connect->address, connect->claims);

    if (connection == NULL || invig_engine_reserve_timers(engine) != INVIG_OK ||
        invig_connections_hold(&engine->connections, connection) != INVIG_OK) {
        invig_connection_free(connection);
        return reason_of_status(status);
    }
    status = invig_sessions_commit(&engine->sessions, connect->claims, engine->now.wall_s, login);
    if (status != INVIG_OK) {
        invig_connections_release(&engine->connections, connection);
        invig_connection_free(connection);
        return reason_of_status(status);
    }
    if (holder != NULL) {
        invig_engine_detach(engine, holder, INVIG_CONNECTION_REPLACED);
    }
    engine_open(engine, connection, connect->claims, login);
    if (login->superseded != NULL) {
        engine_supersede(engine, login->superseded);
    }
    *out_connection = connection;
    return INVIG_REASON_NONE;
}

/* A CONNECT whose password is no token: whether it comes in is for others to decide, but it must
 * not take the client id of a token client. */
static enum invig_reason engine_defer(struct invig_engine *engine,
                                      const struct invig_connect *connect,
                                      struct invig_connection *holder,
                                      struct invig_connection **out_connection)
{
    struct invig_connection *connection;

    if (holder != NULL && holder->state != INVIG_CONNECTION_DEFERRED) {
        return INVIG_REASON_CLIENT_ID_IN_USE;
    }
    connection = invig_connection_new(connect->client_id, connect->address, NULL);
    if (connection == NULL ||
        invig_connections_hold(&engine->connections, connection) != INVIG_OK) {
        invig_connection_free(connection);
        return INVIG_REASON_INTERNAL;
    }
    connection->state = INVIG_CONNECTION_DEFERRED;
    invig_engine_link(engine, connection);
    engine->overtaken = holder;
    *out_connection = connection;
    return INVIG_REASON_NONE;
}

/* A CONNECT with a token. out_end receives why its session is over, where it is. */
static enum invig_reason engine_login(struct invig_engine *engine,
                                      const struct invig_connect *connect,
                                      struct invig_connection *holder,
                                      struct invig_connection **out_connection,
                                      enum invig_end *out_end)
{
    struct invig_login login;
    enum invig_reason reason = engine_check_form(engine, connect);

    if (reason != INVIG_REASON_NONE) {
        return reason;
    }
    invig_sessions_judge(&engine->sessions, connect->claims, &login);
    reason = engine_check_place(engine, &login, holder);
    if (reason != INVIG_REASON_NONE) {
        return reason;
    }
    *out_end = login.end;
    return engine_admit(engine, connect, &login, holder, out_connection);
}

enum invig_verdict invig_engine_connect(struct invig_engine *engine, struct invig_now now,
                                        const struct invig_connect *connect,
                                        struct invig_connection **out_connection,
                                        struct invig_refusal *out_refusal)
{
    struct invig_connection *holder =
        invig_connections_holder(&engine->connections, connect->client_id);
    enum invig_end end = INVIG_END_NONE;

    engine->now = now;
    engine->overtaken = NULL;
    *out_connection = NULL;
    *out_refusal = (struct invig_refusal){INVIG_REASON_NONE, NULL};
    out_refusal->reason = connect->claims == NULL
                              ? engine_defer(engine, connect, holder, out_connection)
                              : engine_login(engine, connect, holder, out_connection, &end);
    if (out_refusal->reason != INVIG_REASON_NONE) {
        engine_log_connect(engine, "refused", connect, INVIG_END_NONE, *out_refusal);
        return INVIG_DENY;
    }
    if (connect->claims == NULL) {
        return INVIG_DEFER;
    }
    engine_log_connect(engine, end == INVIG_END_NONE ? "accepted" : "told", connect, end,
                       *out_refusal);
    return INVIG_ALLOW;
}
