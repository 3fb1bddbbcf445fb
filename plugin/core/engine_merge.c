/* SPDX-License-Identifier: Apache-2.0
 *
 * engine_merge.c - what other brokers know of a user, and what this one has changed since they
 * agreed: one truth of the two. Whoever was first at the server is right where nothing else
 * decides: theirs is what is in force, ours is what may have to give way.
 *
 * Three states take part: what all had agreed on (`base`), what the server has now (`theirs`), and
 * the records of this broker. A value that was not changed here is theirs; one that was changed
 * here stays (merge.h). Who is current, which only one can be, is decided as a login is.
 */
#include "engine_private.h"

#include "invigilator/merge.h"

#include <stdlib.h>

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
        invig_merge_session(&session->record, base == NULL ? &none : &base->record,
                            &theirs->record);
    } else {
        status = invig_sessions_adopt(&engine->sessions, merge->user, theirs->id, &session);
        if (status != INVIG_OK) {
            return status == INVIG_ERR_FULL ? INVIG_OK : status;
        }
        invig_journal_note(&engine->journal, &session->journal);
        invig_merge_session(&session->record, &none, &theirs->record);
        if (base == NULL && invig_merge_has_revoked(&merge->user->record, &merge->base.user)) {
            invig_merge_revoke_unseen(&session->record, &merge->user->record);
        }
    }
    return INVIG_OK;
}

/* Sessions that they have not seen, and would have revoked. */
static void merge_revoke_unseen(struct merge *merge)
{
    if (!invig_merge_has_revoked(&merge->theirs.user, &merge->base.user)) {
        return;
    }
    for (struct invig_session *each = merge->user->sessions; each != NULL; each = each->next) {
        struct invig_text id = invig_session_text(each);

        if (invig_portrait_find_session(&merge->theirs, id) == NULL &&
            invig_portrait_find_session(&merge->base, id) == NULL) {
            invig_merge_revoke_unseen(&each->record, &merge->theirs.user);
            invig_journal_note(&merge->engine->journal, &each->journal);
        }
    }
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
    invig_merge_member(record, &base->record, &theirs->record);
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
        invig_engine_record_forgotten(merge->engine, each);
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
    invig_merge_user(&merge->user->record, &merge->theirs.user);
    invig_journal_note(&engine->journal, &merge->user->journal);
    merge_decide(merge);
    merge_members(merge);
    merge_enthrone(merge);
    if (merge->is_second) {
        invig_engine_report_second(engine, merge->loser);
        invig_engine_block(engine, merge->user);
    }
    merge_forget_members(merge);
    merge_forget_sessions(merge);
    invig_engine_unbind_ended(engine, merge->user);
    invig_engine_note_blocks(merge->user);
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
        invig_engine_settle_merged(merge->engine, merge->user);
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
