/* SPDX-License-Identifier: Apache-2.0
 *
 * engine_store.c - records: changes are stored before anybody learns of them, and undone where they
 * cannot be.
 */
#include "engine_private.h"

enum {
    RETRY_MS = 1000, /* between two attempts of what did not have to be stored at once */
    SWEEP_MS = 1000, /* between two sweeps that found something */
    SWEEP_IDLE_MS = 60000,
    SWEEP_RECORDS = 64, /* in one step */
    SECONDS_PER_DAY = 86400
};

static struct invig_user *user_of(struct invig_journal_node *node)
{
    return (struct invig_user *)(void *)((char *)node - offsetof(struct invig_user, journal));
}

static struct invig_session *session_of(struct invig_journal_node *node)
{
    return (struct invig_session *)(void *)((char *)node - offsetof(struct invig_session, journal));
}

static struct invig_evaluation *evaluation_of(struct invig_journal_node *node)
{
    return (struct invig_evaluation *)(void *)((char *)node -
                                               offsetof(struct invig_evaluation, journal));
}

static struct invig_member *member_of(struct invig_journal_node *node)
{
    return (struct invig_member *)(void *)((char *)node - offsetof(struct invig_member, journal));
}

/* -- What has to be stored -- */

/* How much it matters that a change is stored. */
enum weight {
    WEIGHT_NONE = 0, /* it is as stored */
    WEIGHT_LIGHT,    /* it is only to be remembered longer */
    WEIGHT_FULL
};

static enum weight kept_weight(int64_t kept_until_s, int64_t stored_until_s)
{
    return kept_until_s > stored_until_s ? WEIGHT_LIGHT : WEIGHT_NONE;
}

static enum weight user_weight(const struct invig_user *user)
{
    const struct invig_user_record *a = &user->record;
    const struct invig_user_record *b = &user->stored;
    bool is_same = a->has_newest_login == b->has_newest_login &&
                   a->newest_login_s == b->newest_login_s &&
                   a->has_revoked_before == b->has_revoked_before &&
                   a->revoked_before_s == b->revoked_before_s;

    return is_same ? kept_weight(a->kept_until_s, b->kept_until_s) : WEIGHT_FULL;
}

static enum weight session_weight(const struct invig_session *session)
{
    const struct invig_session_record *a = &session->record;
    const struct invig_session_record *b = &session->stored;
    bool is_same = a->serial == b->serial && a->has_login == b->has_login &&
                   a->login_s == b->login_s && a->login_is_lasting == b->login_is_lasting &&
                   a->is_single == b->is_single && a->is_current == b->is_current &&
                   a->is_turned_away == b->is_turned_away && a->end == b->end;

    return is_same ? kept_weight(a->kept_until_s, b->kept_until_s) : WEIGHT_FULL;
}

static enum weight evaluation_weight(const struct invig_evaluation *evaluation)
{
    const struct invig_evaluation_record *a = &evaluation->record;
    const struct invig_evaluation_record *b = &evaluation->stored;
    bool is_same = a->phase.data == b->phase.data && a->is_strict_off == b->is_strict_off &&
                   a->has_version == b->has_version && a->version == b->version &&
                   a->message.data == b->message.data &&
                   invig_text_equal(invig_text_of(a->end_at), invig_text_of(b->end_at));

    return is_same ? WEIGHT_NONE : WEIGHT_FULL;
}

static enum weight member_weight(const struct invig_member *member)
{
    const struct invig_member_record *a = &member->record;
    const struct invig_member_record *b = &member->stored;
    bool is_same = a->access == b->access && a->access_since_s == b->access_since_s &&
                   a->is_finished == b->is_finished && a->has_version == b->has_version &&
                   a->version == b->version && a->message.data == b->message.data &&
                   a->is_copy == b->is_copy && a->is_bound == b->is_bound &&
                   a->released_serial == b->released_serial &&
                   a->is_shared_reported == b->is_shared_reported &&
                   a->is_blocked == b->is_blocked && a->blocked_since_s == b->blocked_since_s &&
                   a->was_student == b->was_student && a->has_connected == b->has_connected;

    return is_same ? WEIGHT_NONE : WEIGHT_FULL;
}

static enum weight node_weight(struct invig_journal_node *node)
{
    switch (node->kind) {
    case INVIG_JOURNAL_USER:
        return user_weight(user_of(node));
    case INVIG_JOURNAL_SESSION:
        return session_weight(session_of(node));
    case INVIG_JOURNAL_EVALUATION:
        return evaluation_weight(evaluation_of(node));
    case INVIG_JOURNAL_MEMBER:
        return member_weight(member_of(node));
    }
    return WEIGHT_NONE;
}

/* -- Storing -- */

static enum invig_status engine_put_user(struct invig_engine *engine, const struct invig_user *user)
{
    struct invig_user_record record = user->record;

    record.kept_until_s += INVIG_KEPT_SLACK_S;
    return engine->store.put_user(engine->store.context, invig_user_text(user), &record);
}

static enum invig_status engine_put_session(struct invig_engine *engine,
                                            const struct invig_session *session)
{
    struct invig_session_record record = session->record;

    record.kept_until_s += INVIG_KEPT_SLACK_S;
    return engine->store.put_session(engine->store.context, invig_user_text(session->user),
                                     invig_session_text(session), &record);
}

/* Remembers that what was retained on a topic is gone. */
static enum invig_status engine_put_cleared(struct invig_engine *engine,
                                            const struct invig_evaluation *evaluation,
                                            struct invig_text user)
{
    const struct invig_cleared_record record = {
        .kept_until_s = engine->now.wall_s + engine->policy->revocation_ttl_days * SECONDS_PER_DAY,
    };

    return engine->store.put_cleared(engine->store.context, invig_text_of(evaluation->id), user,
                                     &record);
}

static enum invig_status engine_put_evaluation(struct invig_engine *engine,
                                               const struct invig_evaluation *evaluation)
{
    if (evaluation->stored.message.data != NULL && evaluation->record.message.data == NULL) {
        enum invig_status status =
            engine_put_cleared(engine, evaluation, (struct invig_text){NULL, 0});
        if (status != INVIG_OK) {
            return status;
        }
    }
    return engine->store.put_evaluation(engine->store.context, invig_text_of(evaluation->id),
                                        invig_evaluation_is_known(evaluation) ? &evaluation->record
                                                                              : NULL);
}

/* Whether the record says that something is retained on the user's topics in the evaluation. */
static bool record_has_topic(const struct invig_member_record *record)
{
    return record->message.data != NULL || record->is_copy;
}

static enum invig_status engine_put_member(struct invig_engine *engine,
                                           const struct invig_member *member)
{
    bool is_cleared = (record_has_topic(&member->stored) && !record_has_topic(&member->record)) ||
                      (member->stored.has_connected && !member->record.has_connected);

    if (is_cleared) {
        enum invig_status status =
            engine_put_cleared(engine, member->evaluation, invig_user_text(member->user));
        if (status != INVIG_OK) {
            return status;
        }
    }
    return engine->store.put_member(
        engine->store.context, invig_text_of(member->evaluation->id), invig_user_text(member->user),
        invig_member_record_is_blank(&member->record) ? NULL : &member->record);
}

static enum invig_status engine_put(struct invig_engine *engine, struct invig_journal_node *node)
{
    switch (node->kind) {
    case INVIG_JOURNAL_USER:
        return engine_put_user(engine, user_of(node));
    case INVIG_JOURNAL_SESSION:
        return engine_put_session(engine, session_of(node));
    case INVIG_JOURNAL_EVALUATION:
        return engine_put_evaluation(engine, evaluation_of(node));
    case INVIG_JOURNAL_MEMBER:
        return engine_put_member(engine, member_of(node));
    }
    return INVIG_ERR_INVALID;
}

/* The record of `node` is stored. */
static void engine_accept(struct invig_engine *engine, struct invig_journal_node *node)
{
    bool has_spoken;

    invig_journal_remove(&engine->journal, node);
    switch (node->kind) {
    case INVIG_JOURNAL_USER:
        user_of(node)->stored = user_of(node)->record;
        user_of(node)->stored.kept_until_s += INVIG_KEPT_SLACK_S;
        invig_engine_share_user(engine, user_of(node));
        break;
    case INVIG_JOURNAL_SESSION:
        invig_sessions_accept(&engine->sessions, session_of(node));
        session_of(node)->stored.kept_until_s += INVIG_KEPT_SLACK_S;
        invig_engine_share_user(engine, session_of(node)->user);
        break;
    case INVIG_JOURNAL_EVALUATION:
        invig_evaluations_accept(evaluation_of(node));
        invig_engine_keep_evaluation(engine, evaluation_of(node));
        break;
    case INVIG_JOURNAL_MEMBER:
        has_spoken = member_of(node)->record.message.data != member_of(node)->stored.message.data;
        invig_evaluations_accept_member(member_of(node));
        if (has_spoken) {
            invig_engine_keep_member(engine, member_of(node));
        }
        invig_engine_share_user(engine, member_of(node)->user);
        break;
    }
}

/* Takes out what is as stored. Returns the most that any other weighs, of those behind the mark. */
static enum weight engine_weigh(struct invig_engine *engine)
{
    struct invig_journal_node *behind = invig_journal_behind_mark(&engine->journal);
    enum weight most = WEIGHT_NONE;
    bool is_behind = false;

    for (struct invig_journal_node *each = engine->journal.first, *next; each != NULL;
         each = next) {
        enum weight weight = node_weight(each);

        next = each->next;
        is_behind = is_behind || each == behind;
        if (weight == WEIGHT_NONE) {
            invig_journal_remove(&engine->journal, each);
        } else if (is_behind && weight > most) {
            most = weight;
        }
    }
    return most;
}

static enum invig_status engine_store_all(struct invig_engine *engine)
{
    enum invig_status status = engine->store.begin(engine->store.context);

    for (struct invig_journal_node *each = engine->journal.first;
         each != NULL && status == INVIG_OK; each = each->next) {
        status = engine_put(engine, each);
    }
    if (status == INVIG_OK) {
        status = engine->store.commit(engine->store.context);
    } else {
        engine->store.rollback(engine->store.context);
    }
    return status;
}

/* A member or evaluation that says nothing any more can go now. */
static void engine_let_go(struct invig_engine *engine, struct invig_journal_node *node)
{
    if (node->kind == INVIG_JOURNAL_MEMBER) {
        invig_engine_release_member(engine, member_of(node));
    } else if (node->kind == INVIG_JOURNAL_EVALUATION) {
        invig_engine_release_evaluation(engine, evaluation_of(node));
    }
}

static void engine_log_failure(struct invig_engine *engine, enum invig_status status)
{
    struct invig_logline line;

    if (!invig_engine_begin_line(engine, &engine->failures, "state_failed", &line)) {
        return;
    }
    invig_logline_add(&line, "error", invig_text_of(invig_status_text(status)));
    invig_engine_log(engine, INVIG_LOG_ERROR, &line);
}

/* Stores what the journal holds; it is empty then. `may_let_go`: nobody holds on to a record, so
 * what says nothing any more can be freed. */
static enum invig_status engine_flush(struct invig_engine *engine, bool may_let_go)
{
    enum invig_status status = engine_store_all(engine);
    struct invig_journal_node *node;

    if (status != INVIG_OK) {
        engine_log_failure(engine, status);
        return status;
    }
    while ((node = engine->journal.first) != NULL) {
        engine_accept(engine, node);
        if (may_let_go) {
            engine_let_go(engine, node);
        }
    }
    return INVIG_OK;
}

/* -- Undoing -- */

static void engine_undo(struct invig_engine *engine, struct invig_journal_node *node)
{
    switch (node->kind) {
    case INVIG_JOURNAL_USER:
        invig_journal_remove(&engine->journal, node);
        user_of(node)->record = user_of(node)->stored;
        break;
    case INVIG_JOURNAL_SESSION:
        invig_sessions_undo(&engine->sessions, session_of(node));
        break;
    case INVIG_JOURNAL_EVALUATION:
        invig_evaluations_undo(&engine->evaluations, evaluation_of(node));
        break;
    case INVIG_JOURNAL_MEMBER:
        invig_evaluations_undo_member(&engine->evaluations, member_of(node));
        invig_member_watch(member_of(node));
        break;
    }
}

void invig_engine_undo(struct invig_engine *engine)
{
    struct invig_journal_node *node;

    while ((node = invig_journal_behind_mark(&engine->journal)) != NULL) {
        engine_undo(engine, node);
    }
}

enum invig_status invig_engine_commit(struct invig_engine *engine)
{
    return engine->store.is_grouping ? INVIG_OK : invig_engine_commit_now(engine);
}

enum invig_status invig_engine_commit_now(struct invig_engine *engine)
{
    enum invig_status status;

    if (engine_weigh(engine) != WEIGHT_FULL) {
        return INVIG_OK; /* what is light waits for the next tick */
    }
    status = engine_flush(engine, false);
    if (status != INVIG_OK) {
        invig_engine_undo(engine);
    }
    return status;
}

/* -- By time -- */

/* The group that the last logins belong to cannot be recorded: they are out again, and come back
 * when it can. */
static void engine_drop_unrecorded(struct invig_engine *engine)
{
    struct invig_connection *each = engine->first;

    for (; each != NULL && each->serial > engine->recorded_serial; each = each->next) {
        if (each->is_unrecorded &&
            (each->state == INVIG_CONNECTION_OPEN || each->state == INVIG_CONNECTION_TOLD)) {
            (void)invig_engine_tell(engine, each, INVIG_END_NONE);
            invig_effects_add(&engine->effects, each, INVIG_PENDING_DROP);
        }
    }
}

/* Stores what is left in the journal. */
static void engine_store_rest(struct invig_engine *engine)
{
    enum invig_status status = INVIG_OK;

    (void)engine_weigh(engine);
    if (engine->journal.first != NULL) {
        status = engine_flush(engine, true);
    }
    engine->is_stuck = engine->store.is_grouping && status != INVIG_OK;
    if (engine->is_stuck) {
        engine_drop_unrecorded(engine);
    }
    if (status != INVIG_OK) {
        engine->store_ms = engine->now.steady_ms + RETRY_MS;
    }
    engine->recorded_serial = engine->newest_serial;
}

void invig_engine_store_last(struct invig_engine *engine)
{
    engine_store_rest(engine);
}

static void engine_sweep(struct invig_engine *engine)
{
    bool is_done = true;
    enum invig_status status =
        engine->store.sweep(engine->store.context, engine->now.wall_s, SWEEP_RECORDS, &is_done);

    engine->sweep_ms =
        engine->now.steady_ms + (status == INVIG_OK && !is_done ? SWEEP_MS : SWEEP_IDLE_MS);
}

void invig_engine_tick_store(struct invig_engine *engine)
{
    if (engine->now.steady_ms >= engine->store_ms) {
        engine_store_rest(engine);
    }
    if (!engine->is_stuck && engine->now.steady_ms >= engine->sweep_ms) {
        engine_sweep(engine);
    }
}

/* Whether anything that a login of this user may rest on is not stored. */
static bool user_is_unrecorded(const struct invig_user *user, const struct invig_session *session)
{
    bool is_unrecorded = user_weight(user) == WEIGHT_FULL ||
                         (session != NULL && session_weight(session) == WEIGHT_FULL);

    for (const struct invig_member *each = user->members; each != NULL && !is_unrecorded;
         each = each->user_next) {
        is_unrecorded = member_weight(each) == WEIGHT_FULL;
    }
    return is_unrecorded;
}

void invig_engine_mark_unrecorded(struct invig_engine *engine, struct invig_connection *connection)
{
    connection->is_unrecorded =
        engine->store.is_grouping && user_is_unrecorded(connection->user, connection->session);
}
