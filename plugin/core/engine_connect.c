/* SPDX-License-Identifier: Apache-2.0
 *
 * engine_connect.c - see engine.h: whether a client comes in, and what that does to those who are
 * in.
 */
#include "engine_private.h"

/* Logs what became of a login. `limit`: of the lines of its kind; NULL: none. */
static void engine_log_connect(const struct invig_engine *engine, struct invig_ratelimit *limit,
                               const char *event, const struct invig_connect *connect,
                               enum invig_end end, struct invig_refusal refusal)
{
    struct invig_logline line;
    const struct invig_claims *claims = connect->claims;

    if (limit == NULL) {
        invig_logline_init(&line, event);
    } else if (!invig_engine_begin_line(engine, limit, event, &line)) {
        return;
    }
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
    if (!engine->is_share_there && engine->share.next != NULL &&
        refusal.reason == INVIG_REASON_NONE) {
        invig_logline_add(&line, "shared", invig_text_of("no")); /* the others hear of it later */
    }
    invig_engine_log(engine, INVIG_LOG_NOTICE, &line);
}

static void engine_count_refused(struct invig_engine *engine, enum invig_reason reason)
{
    engine->stats.auth_refused++;
    engine->stats.refused[reason]++;
}

void invig_engine_refuse(struct invig_engine *engine, struct invig_now now,
                         const struct invig_connect *connect, struct invig_refusal refusal)
{
    struct invig_connect anonymous = *connect;

    engine->now = now;
    anonymous.claims = NULL;
    engine_count_refused(engine, refusal.reason);
    engine_log_connect(engine, &engine->refused, "refused", &anonymous, INVIG_END_NONE, refusal);
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

/* Those that are only told do not count for max_connections_per_session; but there is an end to
 * them, too. */
static bool user_may_be_told(const struct invig_user *user)
{
    return user == NULL ||
           user->connection_count - user->open_count < INVIG_USER_CONNECTIONS_TOLD_MAX;
}

/* What a login that was judged must be like beside the connections that are there. `holder` has the
 * client id already; NULL: nobody has. */
static enum invig_reason engine_check_place(const struct invig_engine *engine,
                                            const struct invig_login *login, enum invig_end end,
                                            const struct invig_connection *holder)
{
    size_t others;

    if (holder != NULL && (holder->user == NULL || holder->user != login->user)) {
        return INVIG_REASON_CLIENT_ID_IN_USE;
    }
    if (end != INVIG_END_NONE) {
        if (holder == NULL || holder->state != INVIG_CONNECTION_OPEN) {
            return user_may_be_told(login->user) ? INVIG_REASON_NONE
                                                 : INVIG_REASON_TOO_MANY_CONNECTIONS;
        }
        return end == INVIG_END_BLOCKED ? INVIG_REASON_SECOND_LOGIN : INVIG_REASON_SESSION_ENDED;
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
    connection = invig_connection_new(connect->client_id, connect->address, 0);
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

/* Lets a login in that was judged, and sends the incidents that it makes. */
static enum invig_reason engine_enter(struct invig_engine *engine, struct invig_entry *entry)
{
    enum invig_reason reason = engine_check_place(engine, &entry->login, entry->end, entry->holder);
    bool is_reported;

    if (reason == INVIG_REASON_NONE) {
        reason = invig_engine_admit(engine, entry);
        is_reported = reason == INVIG_REASON_NONE;
    } else if (reason == INVIG_REASON_SECOND_LOGIN) {
        reason = invig_engine_refuse_second(engine, entry);
        is_reported = reason == INVIG_REASON_SECOND_LOGIN;
    } else {
        is_reported = false;
    }
    if (is_reported) {
        invig_outbox_add(&engine->outbox, entry->incidents);
    } else {
        invig_letters_free(entry->incidents);
    }
    return reason;
}

/* A CONNECT with a token. */
static enum invig_reason engine_login(struct invig_engine *engine, struct invig_entry *entry)
{
    const struct invig_claims *claims = entry->connect->claims;
    enum invig_reason reason = engine_check_form(engine, entry->connect);
    enum invig_status status = INVIG_OK;

    if (reason != INVIG_REASON_NONE) {
        return reason;
    }
    invig_sessions_judge(&engine->sessions, claims, &entry->login);
    entry->end = entry->login.end;
    if (invig_engine_is_second_login(engine, claims, &entry->login)) {
        entry->end = INVIG_END_BLOCKED;
        entry->login.superseded = NULL;
    }
    if (invig_engine_makes_incidents(engine, &entry->login, entry->end)) {
        entry->is_observed = entry->end == INVIG_END_NONE;
        status =
            invig_engine_make_incidents(engine, entry->connect, &entry->login, &entry->incidents);
    }
    return status == INVIG_OK ? engine_enter(engine, entry) : INVIG_REASON_INTERNAL;
}

/* Counts and logs what became of a CONNECT or a refresh. */
static enum invig_verdict engine_answer(struct invig_engine *engine,
                                        const struct invig_entry *entry, const char *event,
                                        struct invig_refusal refusal)
{
    const struct invig_connect *connect = entry->connect;

    if (refusal.reason != INVIG_REASON_NONE) {
        if (connect->claims != NULL) {
            engine_count_refused(engine, refusal.reason);
        }
        engine_log_connect(engine, &engine->refused, "refused", connect, INVIG_END_NONE, refusal);
        return INVIG_DENY;
    }
    if (connect->claims == NULL) {
        return INVIG_DEFER;
    }
    if (entry->end == INVIG_END_NONE) {
        engine->stats.auth_accepted++;
        engine_log_connect(engine, NULL, event, connect, INVIG_END_NONE, refusal);
    } else {
        engine_log_connect(engine, &engine->told, "told", connect, entry->end, refusal);
    }
    return INVIG_ALLOW;
}

enum invig_verdict invig_engine_connect(struct invig_engine *engine, struct invig_now now,
                                        const struct invig_connect *connect,
                                        struct invig_connection **out_connection,
                                        struct invig_refusal *out_refusal)
{
    struct invig_entry entry = {
        .connect = connect,
        .holder = invig_connections_holder(&engine->connections, connect->client_id),
    };

    invig_engine_begin(engine, now);
    *out_refusal = (struct invig_refusal){INVIG_REASON_NONE, NULL};
    out_refusal->reason = connect->claims == NULL
                              ? engine_defer(engine, connect, entry.holder, &entry.created)
                              : engine_login(engine, &entry);
    *out_connection = entry.created;
    return engine_answer(engine, &entry, "accepted", *out_refusal);
}

static bool subject_is_same(const struct invig_subject *subject, const struct invig_claims *claims)
{
    return invig_text_equal(subject->user, invig_text_of(claims->user)) &&
           claims->has_session == (subject->session.data != NULL) &&
           (!claims->has_session ||
            invig_text_equal(subject->session, invig_text_of(claims->session)));
}

/* The connection goes on as another one, as if it had taken over its own client id. */
static enum invig_reason engine_renew(struct invig_engine *engine, struct invig_entry *entry)
{
    struct invig_connection *old = entry->holder;
    struct invig_user *user = old->user;
    int64_t online_since_s = user->presence_since_s;
    enum invig_cause cause = user->presence_cause;
    enum invig_reason reason = engine_login(engine, entry);

    if (reason == INVIG_REASON_NONE) {
        entry->created->since_s = old->since_s;
        user->presence_since_s = online_since_s; /* it was never away */
        user->presence_cause = cause;
    }
    return reason;
}

enum invig_verdict invig_engine_refresh(struct invig_engine *engine, struct invig_now now,
                                        const struct invig_connect *connect,
                                        struct invig_connection **connection,
                                        struct invig_refusal *out_refusal)
{
    struct invig_entry entry = {.connect = connect, .holder = *connection, .is_refresh = true};
    enum invig_verdict verdict;

    invig_engine_begin(engine, now);
    *out_refusal = (struct invig_refusal){INVIG_REASON_NONE, NULL};
    if ((*connection)->state == INVIG_CONNECTION_TOLD) {
        return INVIG_ALLOW;
    }
    if ((*connection)->state != INVIG_CONNECTION_OPEN ||
        !subject_is_same(&(*connection)->subject, connect->claims)) {
        out_refusal->reason = INVIG_REASON_SUBJECT_CHANGED;
    } else {
        out_refusal->reason = engine_renew(engine, &entry);
    }
    verdict = engine_answer(engine, &entry, "refreshed", *out_refusal);
    if (verdict == INVIG_ALLOW) {
        *connection = entry.created;
        invig_engine_discard(engine, entry.holder);
    }
    return verdict;
}
