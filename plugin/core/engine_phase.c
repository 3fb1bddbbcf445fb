/* SPDX-License-Identifier: Apache-2.0
 *
 * engine_phase.c - see engine.h: messages on evaluations/{e}, which are about everybody in it.
 */
#include "engine_private.h"

#include <stdlib.h>
#include <string.h>

void invig_message_replace(struct invig_text *message, char *text, size_t length)
{
    free((void *)(uintptr_t)message->data); /* it is ours, whatever the view says */
    *message = (struct invig_text){text, length};
}

const char *invig_engine_status_error(enum invig_status status)
{
    return status == INVIG_ERR_FULL ? "too many evaluations and users are known" : "out of memory";
}

static void evaluation_lift_all(struct invig_engine *engine, struct invig_evaluation *evaluation)
{
    for (struct invig_member *each = evaluation->first; each != NULL;
         each = each->evaluation_next) {
        struct invig_member_before before = invig_member_before(each);

        invig_engine_unbind(each);
        each->released_serial = 0;
        if (each->is_blocked) {
            each->is_blocked = false;
            invig_evaluations_add_pending(&engine->evaluations, each, INVIG_MEMBER_COPY);
            invig_engine_member_changed(engine, each, before);
            invig_engine_log_member(engine, "unblocked", each, "by", "phase");
        }
    }
}

const char *invig_engine_update_evaluation(struct invig_engine *engine,
                                           const struct invig_topic *topic,
                                           const struct invig_message *message,
                                           const struct invig_update *update)
{
    struct invig_evaluation *evaluation =
        invig_evaluations_find(&engine->evaluations, topic->evaluation);
    enum invig_status status;
    char *copy;

    if (evaluation != NULL && update->has_version && evaluation->has_version &&
        update->version < evaluation->version) {
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
    invig_message_replace(&evaluation->message, copy, message->payload.length);
    if (update->has_version) {
        evaluation->has_version = true;
        evaluation->version = update->version;
    }
    if (update->end_at_said != INVIG_SAID_NOTHING) {
        memcpy(evaluation->end_at, update->end_at, sizeof(evaluation->end_at));
    }
    invig_evaluations_set_phase(&engine->evaluations, evaluation, update->phase,
                                update->has_strict ? !update->strict : evaluation->is_strict_off);
    if (!evaluation->is_strict) {
        evaluation_lift_all(engine, evaluation);
    }
    for (struct invig_member *each = evaluation->first; each != NULL;
         each = each->evaluation_next) {
        invig_engine_member_changed(engine, each, invig_member_before(each));
    }
    return NULL;
}

void invig_member_forget(struct invig_member *member)
{
    member->access = INVIG_ACCESS_UNSAID;
    member->is_finished = false;
    invig_message_replace(&member->message, NULL, 0);
}

static void engine_forget_member(struct invig_engine *engine, struct invig_member *member)
{
    struct invig_member_before before = invig_member_before(member);
    invig_engine_unbind(member);
    invig_member_forget(member);
    member->is_blocked = false;
    member->released_serial = 0;
    member->has_version = false;
    member->was_student = member->student_count > 0;
    invig_engine_member_changed(engine, member, before);
    invig_evaluations_remove_pending(&engine->evaluations, member,
                                     INVIG_MEMBER_COPY | INVIG_MEMBER_RESEND);
    if (member->has_topic) {
        invig_evaluations_add_pending(&engine->evaluations, member, INVIG_MEMBER_CLEAR);
    }
}

void invig_engine_forget_evaluation(struct invig_engine *engine, struct invig_text id)
{
    struct invig_evaluation *evaluation = invig_evaluations_find(&engine->evaluations, id);

    if (evaluation == NULL) {
        return;
    }
    invig_evaluations_set_phase(&engine->evaluations, evaluation, -1, false);
    evaluation->has_version = false;
    evaluation->end_at[0] = '\0';
    invig_message_replace(&evaluation->message, NULL, 0);
    if (evaluation->first == NULL) {
        invig_evaluations_release(&engine->evaluations, evaluation);
        return;
    }
    /* Each may be let go, and the evaluation with the last of them. */
    for (struct invig_member *each = evaluation->first, *next; each != NULL; each = next) {
        next = each->evaluation_next;
        engine_forget_member(engine, each);
        invig_engine_release_member(engine, each);
    }
}
