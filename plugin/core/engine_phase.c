/* SPDX-License-Identifier: Apache-2.0
 *
 * engine_phase.c - see engine.h: messages on evaluations/{e}, which are about everybody in it.
 */
#include "engine_private.h"

#include <stdlib.h>
#include <string.h>

const char *invig_engine_status_error(enum invig_status status)
{
    switch (status) {
    case INVIG_ERR_FULL:
        return "too many evaluations and users are known";
    case INVIG_ERR_IO:
        return "it could not be recorded";
    default:
        return "out of memory";
    }
}

void invig_engine_record_phase(struct invig_engine *engine, struct invig_member *member,
                               bool was_strict)
{
    invig_member_watch(member);
    invig_engine_note_seen(engine, member, NULL);
    if (member->evaluation->is_strict) {
        invig_engine_bind(engine, member, NULL);
        return;
    }
    if (!was_strict) {
        return; /* another broker may know already that it is, and to whom the user is bound */
    }
    invig_engine_unbind(engine, member);
    if (member->record.is_blocked || member->record.released_serial != 0) {
        invig_evaluations_note(&engine->evaluations, member);
        member->is_lifted = member->record.is_blocked;
        member->record.is_copy = member->record.is_copy || member->is_lifted;
        member->record.is_blocked = false;
        member->record.released_serial = 0;
    }
}

void invig_engine_settle_phase(struct invig_engine *engine, struct invig_member *member)
{
    if (member->is_lifted) {
        invig_engine_log_member(engine, "unblocked", member, "by", "phase");
    }
    if (member->record.is_bound) {
        invig_engine_check_shared(engine, member->user);
    }
    invig_engine_settle(engine, member);
}

/* Puts what a message says into the records. `copy` is its payload, owned from here on. Returns
 * whether it is anything to the members, of whom there may be thousands. */
static bool engine_record_evaluation(struct invig_engine *engine,
                                     struct invig_evaluation *evaluation,
                                     const struct invig_update *update, struct invig_text copy)
{
    struct invig_evaluation_record *record = &evaluation->record;
    int phase_before = evaluation->phase;
    bool was_strict = evaluation->is_strict;

    invig_evaluations_set_message(&engine->evaluations, evaluation, copy);
    if (update->has_version) {
        record->has_version = true;
        record->version = update->version;
    }
    if (update->end_at_said != INVIG_SAID_NOTHING) {
        memcpy(record->end_at, update->end_at, sizeof(record->end_at));
    }
    invig_evaluations_set_phase(&engine->evaluations, evaluation, update->phase,
                                update->has_strict ? !update->strict : record->is_strict_off);
    if (evaluation->phase == phase_before && evaluation->is_strict == was_strict) {
        return false;
    }
    for (struct invig_member *each = evaluation->first; each != NULL;
         each = each->evaluation_next) {
        invig_engine_record_phase(engine, each, was_strict);
    }
    return true;
}

const char *invig_engine_update_evaluation(struct invig_engine *engine,
                                           const struct invig_topic *topic,
                                           const struct invig_message *message,
                                           const struct invig_update *update)
{
    struct invig_evaluation *evaluation =
        invig_evaluations_find(&engine->evaluations, topic->evaluation);
    enum invig_status status;
    bool is_for_members;
    char *copy;

    if (evaluation != NULL && update->has_version && evaluation->record.has_version &&
        update->version < evaluation->record.version) {
        return "version is lower than that of an earlier message";
    }
    copy = invig_text_copy(message->payload);
    status = copy == NULL
                 ? INVIG_ERR_NO_MEMORY
                 : invig_evaluations_require(&engine->evaluations, topic->evaluation, &evaluation);
    if (status != INVIG_OK) {
        free(copy);
        return invig_engine_status_error(status);
    }
    is_for_members = engine_record_evaluation(engine, evaluation, update,
                                              (struct invig_text){copy, message->payload.length});
    status = invig_engine_commit_now(engine);
    if (status != INVIG_OK) {
        invig_engine_release_evaluation(engine, evaluation);
        return invig_engine_status_error(status);
    }
    for (struct invig_member *each = is_for_members ? evaluation->first : NULL; each != NULL;
         each = each->evaluation_next) {
        invig_engine_settle_phase(engine, each);
    }
    return NULL;
}

/* -- Forgetting -- */

void invig_engine_forget_said(struct invig_engine *engine, struct invig_member *member)
{
    invig_evaluations_set_member_message(&engine->evaluations, member,
                                         (struct invig_text){NULL, 0});
    member->record.access = INVIG_ACCESS_UNSAID;
    member->record.is_finished = false;
    member->record.is_copy = member->record.is_blocked;
}

void invig_engine_record_forgotten(struct invig_engine *engine, struct invig_member *member)
{
    invig_member_watch(member);
    invig_engine_unbind(engine, member);
    member->record.is_blocked = false;
    invig_engine_forget_said(engine, member);
    member->record.released_serial = 0;
    member->record.has_version = false;
    member->record.was_student = false;
    member->record.has_connected = false;
}

static void engine_record_all_forgotten(struct invig_engine *engine,
                                        struct invig_evaluation *evaluation)
{
    invig_evaluations_set_message(&engine->evaluations, evaluation, (struct invig_text){NULL, 0});
    invig_evaluations_set_phase(&engine->evaluations, evaluation, -1, false);
    evaluation->record.has_version = false;
    evaluation->record.end_at[0] = '\0';
    for (struct invig_member *each = evaluation->first; each != NULL;
         each = each->evaluation_next) {
        invig_engine_record_forgotten(engine, each);
    }
}

static void engine_settle_forgotten(struct invig_engine *engine, struct invig_member *member)
{
    invig_engine_settle(engine, member);
    invig_evaluations_remove_pending(&engine->evaluations, member,
                                     INVIG_MEMBER_COPY | INVIG_MEMBER_RESEND);
    if (member->has_topic) {
        invig_evaluations_add_pending(&engine->evaluations, member, INVIG_MEMBER_CLEAR);
    }
    invig_engine_release_member(engine, member);
}

const char *invig_engine_forget_evaluation(struct invig_engine *engine, struct invig_text id)
{
    struct invig_evaluation *evaluation = invig_evaluations_find(&engine->evaluations, id);
    enum invig_status status;

    if (evaluation == NULL) {
        return NULL;
    }
    engine_record_all_forgotten(engine, evaluation);
    status = invig_engine_commit_now(engine);
    if (status != INVIG_OK) {
        return invig_engine_status_error(status);
    }
    if (evaluation->first == NULL) {
        invig_engine_release_evaluation(engine, evaluation);
        return NULL;
    }
    /* Each may be let go, and the evaluation with the last of them. */
    for (struct invig_member *each = evaluation->first, *next; each != NULL; each = next) {
        next = each->evaluation_next;
        engine_settle_forgotten(engine, each);
    }
    return NULL;
}
