/* SPDX-License-Identifier: Apache-2.0
 *
 * engine_merge.c - what other brokers know of a user, and what this one has changed since they
 * agreed: one truth of the two. Whoever was first at the server is right where nothing else
 * decides: theirs is what is in force, ours is what may have to give way.
 *
 * Three states take part: what all had agreed on (`base`), what the server has now (`theirs`), and
 * the records of this broker. A value that was not changed here is theirs; one that was changed
 * here stays. Who is current, which only one can be, is decided as a login is.
 */
#include "engine_private.h"

#include <stdlib.h>
#include <string.h>

struct merge {
    struct invig_engine *engine;
    struct invig_user *user;
    struct invig_portrait base;
    struct invig_portrait theirs;
    struct invig_session *winner; /* who is current then; NULL: nobody */
    struct invig_session *loser;  /* who was to be current too; NULL: nobody */
    bool is_second;               /* the loser was a second login */
};

static int64_t time_max(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* -- Making room: after it nothing can fail -- */

static enum invig_status merge_require_members(struct merge *merge)
{
    struct invig_engine *engine = merge->engine;
    enum invig_status status = INVIG_OK;

    for (size_t i = 0; i < merge->theirs.member_count && status == INVIG_OK; i++) {
        struct invig_evaluation *evaluation = NULL;
        struct invig_member *member = NULL;

        status = invig_evaluations_require(&engine->evaluations,
                                           merge->theirs.members[i].evaluation, &evaluation);
        if (status == INVIG_OK) {
            status = invig_evaluations_require_member(&engine->evaluations, evaluation, merge->user,
                                                      &member);
        }
    }
    return status == INVIG_ERR_FULL ? INVIG_OK : status;
}

/* -- Sessions -- */

/* Whether unseen logins were revoked by one side since both agreed. */
static bool user_has_revoked(const struct invig_user_record *now,
                             const struct invig_user_record *base)
{
    return now->has_revoked_before &&
           (!base->has_revoked_before || now->revoked_before_s > base->revoked_before_s);
}

static void record_revoke_unseen(struct invig_session_record *record,
                                 const struct invig_user_record *user)
{
    if (record->has_login && record->end != INVIG_END_REVOKED &&
        record->login_s < user->revoked_before_s) {
        record->end = INVIG_END_REVOKED;
        record->is_turned_away = false;
    }
}

/* The first login time that anybody saw. */
static void record_merge_login(struct invig_session_record *mine,
                               const struct invig_session_record *theirs)
{
    if (theirs->has_login && (!mine->has_login || theirs->login_s < mine->login_s)) {
        mine->has_login = true;
        mine->login_s = theirs->login_s;
    }
    mine->login_is_lasting = mine->login_is_lasting || theirs->login_is_lasting;
    mine->is_single = mine->is_single || theirs->is_single;
    mine->kept_until_s = time_max(mine->kept_until_s, theirs->kept_until_s - INVIG_KEPT_SLACK_S);
}

/* A session that this broker knows. */
static void record_merge(struct invig_session_record *mine, const struct invig_session_record *base,
                         const struct invig_session_record *theirs)
{
    bool is_mine_changed = mine->end != base->end;

    record_merge_login(mine, theirs);
    if (mine->end == INVIG_END_REVOKED || theirs->end == INVIG_END_REVOKED) {
        mine->end = INVIG_END_REVOKED; /* for good, whoever said it */
    } else if (!is_mine_changed) {
        mine->end = theirs->end;
    }
    if (mine->is_turned_away == base->is_turned_away) {
        mine->is_turned_away = theirs->is_turned_away;
    }
    mine->is_turned_away = mine->is_turned_away && mine->end == INVIG_END_NONE;
}

static enum invig_status merge_session(struct merge *merge,
                                       const struct invig_portrait_session *theirs)
{
    static const struct invig_session_record none = {.end = INVIG_END_NONE};
    struct invig_engine *engine = merge->engine;
    const struct invig_portrait_session *base =
        invig_portrait_find_session(&merge->base, theirs->id);
    struct invig_session *session = invig_user_find_session(merge->user, theirs->id);
    enum invig_status status = INVIG_OK;

    if (session != NULL) {
        invig_journal_note(&engine->journal, &session->journal);
        record_merge(&session->record, base == NULL ? &none : &base->record, &theirs->record);
    } else {
        status = invig_sessions_adopt(&engine->sessions, merge->user, theirs->id, &session);
        if (status != INVIG_OK) {
            return status == INVIG_ERR_FULL ? INVIG_OK : status;
        }
        invig_journal_note(&engine->journal, &session->journal);
        record_merge_login(&session->record, &theirs->record);
        session->record.end = theirs->record.end;
        session->record.is_turned_away = theirs->record.is_turned_away;
        if (base == NULL && user_has_revoked(&merge->user->record, &merge->base.user)) {
            record_revoke_unseen(&session->record, &merge->user->record);
        }
    }
    return INVIG_OK;
}

/* Sessions that they have not seen, and would have revoked. */
static void merge_revoke_unseen(struct merge *merge)
{
    if (!user_has_revoked(&merge->theirs.user, &merge->base.user)) {
        return;
    }
    for (struct invig_session *each = merge->user->sessions; each != NULL; each = each->next) {
        struct invig_text id = invig_session_text(each);

        if (invig_portrait_find_session(&merge->theirs, id) == NULL &&
            invig_portrait_find_session(&merge->base, id) == NULL) {
            record_revoke_unseen(&each->record, &merge->theirs.user);
            invig_journal_note(&merge->engine->journal, &each->journal);
        }
    }
}

static void merge_user(struct merge *merge)
{
    struct invig_user_record *mine = &merge->user->record;
    const struct invig_user_record *theirs = &merge->theirs.user;

    if (theirs->has_newest_login &&
        (!mine->has_newest_login || theirs->newest_login_s > mine->newest_login_s)) {
        mine->has_newest_login = true;
        mine->newest_login_s = theirs->newest_login_s;
    }
    if (theirs->has_revoked_before &&
        (!mine->has_revoked_before || theirs->revoked_before_s > mine->revoked_before_s)) {
        mine->has_revoked_before = true;
        mine->revoked_before_s = theirs->revoked_before_s;
    }
    mine->kept_until_s = time_max(mine->kept_until_s, theirs->kept_until_s - INVIG_KEPT_SLACK_S);
    invig_journal_note(&merge->engine->journal, &merge->user->journal);
}

/* What is kept longer elsewhere is told on as it is. */
static void merge_keep(struct merge *merge)
{
    struct invig_user_record *user = &merge->user->stored;

    user->kept_until_s = time_max(user->kept_until_s, merge->theirs.user.kept_until_s);
    for (size_t i = 0; i < merge->theirs.session_count; i++) {
        const struct invig_portrait_session *theirs = &merge->theirs.sessions[i];
        struct invig_session *session = invig_user_find_session(merge->user, theirs->id);

        if (session != NULL) {
            session->stored.kept_until_s =
                time_max(session->stored.kept_until_s, theirs->record.kept_until_s);
        }
    }
}

/* Sessions that the others have forgotten. */
static void merge_forget_sessions(struct merge *merge)
{
    for (struct invig_session *each = merge->user->sessions, *next; each != NULL; each = next) {
        struct invig_text id = invig_session_text(each);
        const struct invig_portrait_session *base = invig_portrait_find_session(&merge->base, id);

        next = each->next;
        if (base != NULL && invig_portrait_find_session(&merge->theirs, id) == NULL &&
            each->record.end == base->record.end) {
            invig_sessions_forget(&merge->engine->sessions, each);
        }
    }
}

/* -- Who is current -- */

static struct invig_session *merge_current_of(const struct merge *merge,
                                              const struct invig_portrait *portrait)
{
    const struct invig_portrait_session *current = invig_portrait_current(portrait);

    return current == NULL ? NULL : invig_user_find_session(merge->user, current->id);
}

/* Of two that are current, each on its side: the one that is bound, theirs if both are, since it
 * was first; without a binding the newest login, ours if they are equal, since it came later. */
static struct invig_session *merge_choose(const struct merge *merge, struct invig_session *mine,
                                          struct invig_session *theirs)
{
    if (merge->engine->policy->strict_policy == INVIG_STRICT_ENFORCE) {
        if (invig_portrait_is_bound(&merge->theirs)) {
            return theirs;
        }
        if (merge->user->bound_count > 0) {
            return mine;
        }
    }
    return theirs->record.login_s > mine->record.login_s ? theirs : mine;
}

/* Decides who is current, before members are merged: who is bound counts as each side has it. */
static void merge_decide(struct merge *merge)
{
    struct invig_session *base = merge_current_of(merge, &merge->base);
    struct invig_session *theirs = merge_current_of(merge, &merge->theirs);
    struct invig_session *mine = merge->user->current;

    if (mine == theirs || theirs == base) {
        merge->winner = mine;
    } else if (mine == base || mine == NULL) {
        merge->winner = theirs;
    } else if (theirs == NULL) {
        merge->winner = mine;
    } else {
        merge->winner = merge_choose(merge, mine, theirs);
        merge->loser = merge->winner == mine ? theirs : mine;
    }
    if (merge->winner != NULL && merge->winner->record.end != INVIG_END_NONE) {
        merge->winner = merge->loser; /* it was revoked on the other side */
        merge->loser = NULL;
    }
    if (merge->winner != NULL && merge->winner->record.end != INVIG_END_NONE) {
        merge->winner = NULL;
    }
}

/* A login that was let in while another session was bound, as it would have been judged there. */
static bool merge_loser_is_second(const struct merge *merge)
{
    return merge->loser != NULL && merge->loser->record.end == INVIG_END_NONE &&
           merge->engine->policy->strict_policy == INVIG_STRICT_ENFORCE &&
           merge->user->bound_count > 0 &&
           merge->loser->record.login_s >= merge->winner->record.login_s;
}

/* Makes the winner current; no other session that may be the only one has rights beside it. */
static void merge_enthrone(struct merge *merge)
{
    struct invig_sessions *sessions = &merge->engine->sessions;

    invig_sessions_set_current(sessions, merge->user, merge->winner);
    if (merge->winner != NULL) {
        merge->winner->record.is_turned_away = false;
    }
    merge->is_second = merge_loser_is_second(merge);
    for (struct invig_session *each = merge->user->sessions; each != NULL; each = each->next) {
        if (each == merge->winner || !each->record.is_single || each->record.is_turned_away) {
            continue;
        }
        if (each == merge->loser && merge->is_second) {
            each->record.is_turned_away = true;
            invig_journal_note(sessions->journal, &each->journal);
        } else {
            invig_sessions_supersede(sessions, each, merge->engine->now.wall_s);
        }
    }
}

/* -- Members -- */

/* A value that was not changed here is theirs. */
#define MERGE_FIELD(mine, base, theirs, field)                                                     \
    ((mine)->field = (mine)->field != (base)->field ? (mine)->field : (theirs)->field)

static void member_record_merge(struct invig_member_record *mine,
                                const struct invig_member_record *base,
                                const struct invig_member_record *theirs)
{
    if (mine->access == base->access) {
        mine->access = theirs->access;
        mine->access_since_s = theirs->access_since_s;
    }
    if (mine->is_blocked == base->is_blocked) {
        mine->is_blocked = theirs->is_blocked;
        mine->blocked_since_s = theirs->blocked_since_s;
    }
    MERGE_FIELD(mine, base, theirs, is_finished);
    MERGE_FIELD(mine, base, theirs, is_copy);
    MERGE_FIELD(mine, base, theirs, has_connected);
    mine->was_student = mine->was_student || theirs->was_student;
    mine->is_shared_reported = mine->is_shared_reported || theirs->is_shared_reported;
    if (theirs->has_version && (!mine->has_version || theirs->version > mine->version)) {
        mine->has_version = true;
        mine->version = theirs->version;
    }
}

static uint64_t merge_serial_of(const struct merge *merge, struct invig_text session)
{
    const struct invig_session *found = invig_user_find_session(merge->user, session);

    return found == NULL ? 0 : found->record.serial;
}

static void merge_member(struct merge *merge, struct invig_member *member,
                         const struct invig_portrait_member *theirs)
{
    static const struct invig_portrait_member none = {.evaluation = {NULL, 0}};
    const struct invig_portrait_member *found =
        invig_portrait_find_member(&merge->base, theirs->evaluation);
    const struct invig_portrait_member *base = found == NULL ? &none : found;
    struct invig_member_record *record = &member->record;
    bool was_bound = record->is_bound;

    invig_member_watch(member);
    member_record_merge(record, &base->record, &theirs->record);
    MERGE_FIELD(record, &base->record, &theirs->record, is_bound);
    if (record->released_serial == merge_serial_of(merge, base->released)) {
        record->released_serial = merge_serial_of(merge, theirs->released);
    }
    merge->user->bound_count += (unsigned)record->is_bound - (unsigned)was_bound;
    invig_evaluations_note(&merge->engine->evaluations, member);
}

static void merge_members(struct merge *merge)
{
    struct invig_engine *engine = merge->engine;

    for (size_t i = 0; i < merge->theirs.member_count; i++) {
        const struct invig_portrait_member *theirs = &merge->theirs.members[i];
        struct invig_member *member = invig_evaluations_find_member(
            &engine->evaluations, invig_evaluations_find(&engine->evaluations, theirs->evaluation),
            merge->user);

        if (member != NULL) {
            merge_member(merge, member, theirs);
        }
    }
}

/* Members of whom the others know nothing any more: the evaluation was forgotten. */
static void merge_forget_members(struct merge *merge)
{
    for (struct invig_member *each = merge->user->members; each != NULL; each = each->user_next) {
        struct invig_text id = invig_text_of(each->evaluation->id);
        const struct invig_portrait_member *base = invig_portrait_find_member(&merge->base, id);

        if (base == NULL || invig_portrait_find_member(&merge->theirs, id) != NULL ||
            each->record.access != base->record.access ||
            each->record.is_blocked != base->record.is_blocked ||
            each->record.is_bound != base->record.is_bound) {
            continue;
        }
        invig_member_watch(each);
        invig_evaluations_note(&merge->engine->evaluations, each);
        invig_engine_unbind(merge->engine, each);
        each->record.is_blocked = false;
        invig_engine_forget_said(merge->engine, each);
        each->record.released_serial = 0;
        each->record.has_version = false;
        each->record.was_student = false;
        each->record.has_connected = false;
    }
}

/* -- What follows -- */

static void engine_tell_turned_away(struct invig_engine *engine,
                                    const struct invig_session *session)
{
    struct invig_connection *each = session->user->connections;

    for (; each != NULL; each = each->user_next) {
        if (each->session == session) {
            (void)invig_engine_tell(engine, each, INVIG_END_BLOCKED);
        }
    }
}

static void merge_settle_sessions(struct merge *merge)
{
    for (struct invig_session *each = merge->user->sessions; each != NULL; each = each->next) {
        if (each->open_count == 0) {
            continue;
        }
        if (each->record.end != INVIG_END_NONE) {
            invig_engine_end_session(merge->engine, each);
        } else if (each->record.is_turned_away) {
            engine_tell_turned_away(merge->engine, each);
        }
    }
}

static void merge_settle_members(struct merge *merge)
{
    struct invig_engine *engine = merge->engine;

    for (struct invig_member *each = merge->user->members, *next; each != NULL; each = next) {
        next = each->user_next;
        if (each->is_new_block) {
            invig_engine_log_member(engine, "blocked", each, "reason", "SECOND_LOGIN");
        } else if (each->is_lifted) {
            invig_engine_log_member(engine, "unblocked", each, "by", "another_broker");
        }
        invig_engine_settle(engine, each);
        invig_engine_release_member(engine, each);
    }
    invig_engine_check_shared(engine, merge->user);
}

/* Supervisors are told of the second login, once. Without memory the log has it alone. */
static void merge_report(struct merge *merge)
{
    struct invig_engine *engine = merge->engine;
    struct invig_text id = invig_session_text(merge->loser);
    const struct invig_connection *page = merge->user->connections;
    struct invig_claims claims = {.has_session = true};
    struct invig_connect connect = {.claims = &claims};
    struct invig_login login = {.user = merge->user, .session = merge->loser};
    struct invig_letter *letters = NULL;

    while (page != NULL && page->session != merge->loser) {
        page = page->user_next;
    }
    if (page != NULL) {
        connect.address = page->address;
    }
    memcpy(claims.session, id.data, id.length);
    if (invig_engine_make_incidents(engine, &connect, &login, &letters) == INVIG_OK) {
        invig_outbox_add(&engine->outbox, letters);
    }
}

/* Notes what a member was before, as it is stored. */
static void merge_note_blocks(struct merge *merge)
{
    for (struct invig_member *each = merge->user->members; each != NULL; each = each->user_next) {
        each->is_new_block = each->record.is_blocked && !each->stored.is_blocked;
        each->is_lifted = !each->record.is_blocked && each->stored.is_blocked;
        each->record.is_copy = each->record.is_copy || each->is_new_block;
    }
}

/* -- The whole -- */

static enum invig_status merge_make_room(struct merge *merge)
{
    enum invig_status status = merge_require_members(merge);

    for (size_t i = 0; i < merge->theirs.session_count && status == INVIG_OK; i++) {
        status = merge_session(merge, &merge->theirs.sessions[i]);
    }
    return status;
}

static enum invig_status merge_run(struct merge *merge, struct invig_shared *shared)
{
    struct invig_engine *engine = merge->engine;
    bool was_online = invig_user_connections(merge->user) > 0;
    enum invig_status status = merge_make_room(merge);

    if (status != INVIG_OK ||
        !invig_shared_set_elsewhere(shared, &merge->theirs, engine->share.name)) {
        invig_engine_undo(engine);
        return INVIG_ERR_NO_MEMORY;
    }
    for (const struct invig_elsewhere *each = shared->elsewhere; each != NULL; each = each->next) {
        engine->share.watch(engine->share.context, each->presence.broker);
    }
    invig_engine_note_online(engine, merge->user, was_online,
                             was_online ? INVIG_CAUSE_UNKNOWN : INVIG_CAUSE_CONNECTED);
    merge_revoke_unseen(merge);
    merge_user(merge);
    merge_decide(merge);
    merge_members(merge);
    merge_enthrone(merge);
    if (merge->is_second) {
        merge_report(merge);
        invig_engine_block(engine, merge->user);
    }
    merge_forget_members(merge);
    merge_forget_sessions(merge);
    invig_engine_unbind_ended(engine, merge->user);
    merge_note_blocks(merge);
    status = invig_engine_commit_now(engine);
    merge_keep(merge);
    return status;
}

/* Both portraits view texts: that of `base` is let go when all is done. */
static enum invig_status merge_read_and_run(struct merge *merge, struct invig_shared *shared,
                                            struct invig_text theirs)
{
    enum invig_status status = invig_portrait_read(shared->agreed, &merge->base);

    if (status == INVIG_OK) {
        status = invig_portrait_read(theirs, &merge->theirs);
    }
    if (status == INVIG_OK) {
        invig_journal_set_mark(&merge->engine->journal);
        status = merge_run(merge, shared);
    }
    if (status == INVIG_OK) {
        merge_settle_sessions(merge);
        merge_settle_members(merge);
    }
    return status;
}

enum invig_status invig_engine_merge(struct invig_engine *engine, struct invig_shared *shared,
                                     struct invig_text theirs, uint64_t revision)
{
    struct merge merge = {.engine = engine, .user = shared->user};
    struct invig_text copy = {theirs.length == 0 ? NULL : invig_text_copy(theirs), theirs.length};
    enum invig_status status = INVIG_ERR_NO_MEMORY;

    if (copy.data != NULL || theirs.length == 0) {
        status = merge_read_and_run(&merge, shared, copy);
    }
    if (status == INVIG_OK) {
        invig_shared_agree(shared, copy, revision);
    } else {
        free((void *)(uintptr_t)copy.data);
    }
    invig_portrait_deinit(&merge.base);
    invig_portrait_deinit(&merge.theirs);
    return status;
}
