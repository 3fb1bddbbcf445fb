/* SPDX-License-Identifier: Apache-2.0
 *
 * engine_admit.c - see engine.h: a login that was judged comes in, with its rights or only to be
 * told. All that can fail comes first.
 */
#include "engine_private.h"

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
static void engine_fill_in(struct invig_engine *engine, const struct invig_entry *entry)
{
    const struct invig_claims *claims = entry->connect->claims;
    const struct invig_login *login = &entry->login;
    struct invig_connection *connection = entry->created;

    connection->user = login->user;
    connection->session = login->session;
    connection->subject.role = claims->role;
    connection->subject.user = invig_user_text(login->user);
    if (login->session != NULL) {
        connection->subject.session = invig_session_text(login->session);
    }
    connection->ends_s = claims->expires_s + engine->policy->jwt_leeway_s;
    invig_engine_link(engine, connection);
    if (entry->end != INVIG_END_NONE) {
        connection->state = INVIG_CONNECTION_TOLD;
        connection->end = entry->end;
        invig_effects_add(&engine->effects, connection, INVIG_PENDING_NOTICE);
        return;
    }
    invig_engine_open(engine, connection);
    (void)invig_timers_set(&engine->timers, &connection->timer, engine_due_s(engine, connection));
}

static enum invig_reason reason_of_status(enum invig_status status)
{
    switch (status) {
    case INVIG_OK:
        return INVIG_REASON_NONE;
    case INVIG_ERR_FULL:
        return INVIG_REASON_TOO_MANY_SESSIONS;
    case INVIG_ERR_IO:
        return INVIG_REASON_STATE_FAILED;
    default:
        return INVIG_REASON_INTERNAL;
    }
}

/* What a login with rights changes in the records of its user's evaluations. */
static void engine_record_join(struct invig_engine *engine, struct invig_entry *entry)
{
    bool is_student = entry->created->subject.role == INVIG_ROLE_STUDENT;

    for (struct invig_member *each = entry->login.user->members; each != NULL;
         each = each->user_next) {
        invig_member_watch(each);
        if (entry->is_refresh && each->record.access == INVIG_ACCESS_UNSAID &&
            invig_engine_claims(entry->created, each) &&
            !invig_engine_claims(entry->holder, each)) {
            each->reach = 0; /* access begins, and the page will not ask again */
        }
        if (is_student && each->record.was_student && each->record.access == INVIG_ACCESS_UNSAID &&
            !invig_engine_takes_part(each, entry)) {
            each->record.was_student = false; /* the newest token no longer names it */
            invig_evaluations_note(&engine->evaluations, each);
        }
        if (entry->is_observed && each->record.is_bound) {
            each->record.is_shared_reported = false; /* the binding moves to the newcomer */
            invig_evaluations_note(&engine->evaluations, each);
        }
        invig_engine_note_seen(engine, each, entry);
        invig_engine_bind(engine, each, entry);
    }
    if (entry->is_observed) {
        entry->login.session->address_hash = 0;
    }
}

/* Changes the records for a login with rights. */
static enum invig_status engine_record_open(struct invig_engine *engine, struct invig_entry *entry)
{
    const struct invig_claims *claims = entry->connect->claims;
    enum invig_status status = invig_sessions_require_user(
        &engine->sessions, invig_text_of(claims->user), engine->now.wall_s, &entry->login.user);

    if (status == INVIG_OK) {
        status = invig_engine_claim(engine, entry->created, entry->login.user, claims);
    }
    if (status != INVIG_OK) {
        return INVIG_ERR_NO_MEMORY; /* whatever was full, it was not the user's sessions */
    }
    status = invig_sessions_commit(&engine->sessions, claims, engine->now.wall_s, &entry->login);
    if (status == INVIG_OK) {
        engine_record_join(engine, entry);
    }
    return status;
}

/* Changes the records for a second login. */
static enum invig_status engine_record_second(struct invig_engine *engine,
                                              struct invig_entry *entry)
{
    enum invig_status status = invig_sessions_turn_away(&engine->sessions, entry->connect->claims,
                                                        engine->now.wall_s, &entry->login);

    if (status == INVIG_OK) {
        invig_engine_block(engine, entry->login.user);
    }
    return status;
}

static enum invig_status engine_record(struct invig_engine *engine, struct invig_entry *entry)
{
    enum invig_status status;

    switch (entry->end) {
    case INVIG_END_NONE:
        status = engine_record_open(engine, entry);
        break;
    case INVIG_END_BLOCKED:
        status = engine_record_second(engine, entry);
        break;
    default:
        status = invig_sessions_commit(&engine->sessions, entry->connect->claims,
                                       engine->now.wall_s, &entry->login);
        break;
    }
    return status == INVIG_OK ? invig_engine_commit(engine) : status;
}

/* All of a login that can fail, the last step being the one that counts. */
static enum invig_status engine_prepare(struct invig_engine *engine, struct invig_entry *entry)
{
    const struct invig_connect *connect = entry->connect;
    enum invig_status status;

    entry->created = invig_connection_new(connect->client_id, connect->address,
                                          connect->claims->evaluation_count);
    if (entry->created == NULL || invig_engine_reserve_timers(engine) != INVIG_OK ||
        invig_connections_hold(&engine->connections, entry->created) != INVIG_OK) {
        invig_connection_free(entry->created);
        entry->created = NULL;
        return INVIG_ERR_NO_MEMORY;
    }
    status = engine_record(engine, entry);
    if (status != INVIG_OK) {
        invig_engine_unclaim(engine, entry->created);
        invig_connections_release(&engine->connections, entry->created);
        invig_connection_free(entry->created);
        entry->created = NULL;
    }
    return status;
}

/* What follows for the evaluations of its user from a login with rights. */
static void engine_settle_join(struct invig_engine *engine, const struct invig_entry *entry)
{
    struct invig_user *user = entry->login.user;

    for (struct invig_member *each = user->members, *next; each != NULL; each = next) {
        next = each->user_next;
        if (entry->is_observed && each->record.is_bound) {
            invig_engine_log_incident(engine, "observed", entry->connect, each);
        }
        if (!entry->is_refresh) {
            invig_member_watch(each); /* the page asks for what it wants by itself */
        }
        invig_engine_settle(engine, each);
        invig_engine_release_member(engine, each);
    }
    invig_engine_check_shared(engine, user);
}

enum invig_reason invig_engine_admit(struct invig_engine *engine, struct invig_entry *entry)
{
    enum invig_status status = engine_prepare(engine, entry);

    if (status != INVIG_OK) {
        return reason_of_status(status);
    }
    if (entry->is_refresh) {
        invig_outbox_readdress(&engine->outbox, entry->holder, entry->created);
    }
    if (entry->holder != NULL) {
        invig_engine_detach(engine, entry->holder, INVIG_CONNECTION_REPLACED, INVIG_CAUSE_CLOSED);
    }
    engine_fill_in(engine, entry);
    invig_engine_mark_unrecorded(engine, entry->created);
    if (entry->login.superseded != NULL) {
        invig_engine_end_session(engine, entry->login.superseded);
    }
    if (entry->end == INVIG_END_NONE) {
        engine_settle_join(engine, entry);
    } else if (entry->end == INVIG_END_BLOCKED) {
        invig_engine_settle_block(engine, entry->connect, entry->login.user);
    } else {
        /* It may have been open under a role that may have many. */
        (void)invig_engine_tell_session(engine, entry->login.session);
    }
    return INVIG_REASON_NONE;
}

enum invig_reason invig_engine_refuse_second(struct invig_engine *engine, struct invig_entry *entry)
{
    enum invig_status status = engine_record(engine, entry);

    if (status != INVIG_OK) {
        return reason_of_status(status);
    }
    invig_engine_settle_block(engine, entry->connect, entry->login.user);
    return INVIG_REASON_SECOND_LOGIN;
}
