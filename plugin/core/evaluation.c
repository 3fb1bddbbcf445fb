/* SPDX-License-Identifier: Apache-2.0
 *
 * evaluation.c - see evaluation.h.
 */
#include "invigilator/evaluation.h"

#include <stdlib.h>
#include <string.h>

enum { MEMBER_KEY_PARTS = 2 };

_Static_assert(offsetof(struct invig_member, user) ==
                   offsetof(struct invig_member, evaluation) + sizeof(void *),
               "the key of a member is not in one piece");

static struct invig_evaluation *evaluation_of_node(struct invig_table_node *node)
{
    return (struct invig_evaluation *)(void *)((char *)node -
                                               offsetof(struct invig_evaluation, node));
}

static struct invig_member *member_of_node(struct invig_table_node *node)
{
    return (struct invig_member *)(void *)((char *)node - offsetof(struct invig_member, node));
}

static void text_free(struct invig_text text)
{
    free((void *)(uintptr_t)text.data); /* it is ours, whatever the view says */
}

/* Frees the message of a record and that of its stored copy, which may be one. */
static void messages_free(struct invig_text message, struct invig_text stored)
{
    text_free(message);
    if (stored.data != message.data) {
        text_free(stored);
    }
}

void invig_evaluations_init(struct invig_evaluations *evaluations,
                            const struct invig_policy *policy, struct invig_seed seed,
                            struct invig_journal *journal)
{
    *evaluations = (struct invig_evaluations){.policy = policy, .journal = journal};
    invig_table_init(&evaluations->by_id, seed);
    invig_table_init(&evaluations->members, seed);
}

struct invig_evaluation *invig_evaluations_find(const struct invig_evaluations *evaluations,
                                                struct invig_text id)
{
    struct invig_table_node *node =
        id.data == NULL ? NULL : invig_table_find(&evaluations->by_id, id.data, id.length);

    return node == NULL ? NULL : evaluation_of_node(node);
}

struct invig_evaluation *invig_evaluations_next(const struct invig_evaluations *evaluations,
                                                const struct invig_evaluation *evaluation)
{
    struct invig_table_node *node =
        invig_table_next(&evaluations->by_id, evaluation == NULL ? NULL : &evaluation->node);

    return node == NULL ? NULL : evaluation_of_node(node);
}

struct invig_member *invig_evaluations_find_member(const struct invig_evaluations *evaluations,
                                                   const struct invig_evaluation *evaluation,
                                                   const struct invig_user *user)
{
    const void *const key[MEMBER_KEY_PARTS] = {evaluation, user};
    struct invig_table_node *node;

    if (evaluation == NULL || user == NULL) {
        return NULL;
    }
    node = invig_table_find(&evaluations->members, key, sizeof(key));
    return node == NULL ? NULL : member_of_node(node);
}

enum invig_status invig_evaluations_require(struct invig_evaluations *evaluations,
                                            struct invig_text id,
                                            struct invig_evaluation **out_evaluation)
{
    struct invig_evaluation *evaluation = invig_evaluations_find(evaluations, id);

    if (evaluation == NULL) {
        if (invig_table_count(&evaluations->by_id) >= INVIG_EVALUATIONS_KNOWN_MAX) {
            return INVIG_ERR_FULL;
        }
        evaluation = calloc(1, sizeof(*evaluation) + id.length + 1);
        if (evaluation == NULL) {
            return INVIG_ERR_NO_MEMORY;
        }
        memcpy(evaluation->id, id.data, id.length);
        evaluation->id_bytes = id.length;
        evaluation->phase = -1;
        evaluation->journal.kind = INVIG_JOURNAL_EVALUATION;
        if (!invig_table_add(&evaluations->by_id, &evaluation->node, evaluation->id, id.length)) {
            free(evaluation);
            return INVIG_ERR_NO_MEMORY;
        }
    }
    *out_evaluation = evaluation;
    return INVIG_OK;
}

static void member_link(struct invig_member *member)
{
    struct invig_evaluation *evaluation = member->evaluation;
    struct invig_user *user = member->user;

    member->evaluation_previous = evaluation->last;
    if (evaluation->last == NULL) {
        evaluation->first = member;
    } else {
        evaluation->last->evaluation_next = member;
    }
    evaluation->last = member;
    member->user_next = user->members;
    if (user->members != NULL) {
        user->members->user_previous = member;
    }
    user->members = member;
}

static void member_unlink(struct invig_member *member)
{
    struct invig_evaluation *evaluation = member->evaluation;

    *(member->evaluation_previous == NULL ? &evaluation->first
                                          : &member->evaluation_previous->evaluation_next) =
        member->evaluation_next;
    *(member->evaluation_next == NULL ? &evaluation->last
                                      : &member->evaluation_next->evaluation_previous) =
        member->evaluation_previous;
    *(member->user_previous == NULL ? &member->user->members : &member->user_previous->user_next) =
        member->user_next;
    if (member->user_next != NULL) {
        member->user_next->user_previous = member->user_previous;
    }
}

enum invig_status invig_evaluations_require_member(struct invig_evaluations *evaluations,
                                                   struct invig_evaluation *evaluation,
                                                   struct invig_user *user,
                                                   struct invig_member **out_member)
{
    struct invig_member *member = invig_evaluations_find_member(evaluations, evaluation, user);

    if (member == NULL) {
        if (invig_table_count(&evaluations->members) >= INVIG_MEMBERS_KNOWN_MAX) {
            return INVIG_ERR_FULL;
        }
        member = calloc(1, sizeof(*member));
        if (member == NULL) {
            return INVIG_ERR_NO_MEMORY;
        }
        member->evaluation = evaluation;
        member->user = user;
        member->journal.kind = INVIG_JOURNAL_MEMBER;
        if (!invig_table_add(&evaluations->members, &member->node, &member->evaluation,
                             MEMBER_KEY_PARTS * sizeof(void *))) {
            free(member);
            return INVIG_ERR_NO_MEMORY;
        }
        member_link(member);
    }
    *out_member = member;
    return INVIG_OK;
}

static void evaluations_drop_member(struct invig_evaluations *evaluations,
                                    struct invig_member *member)
{
    invig_evaluations_remove_pending(evaluations, member, member->pending);
    invig_table_remove(&evaluations->members, &member->node);
    invig_journal_remove(evaluations->journal, &member->journal);
    member_unlink(member);
    messages_free(member->record.message, member->stored.message);
    free(member);
}

bool invig_member_record_is_blank(const struct invig_member_record *record)
{
    return record->access == INVIG_ACCESS_UNSAID && !record->is_finished && !record->has_version &&
           record->message.data == NULL && !record->is_copy && !record->is_bound &&
           record->released_serial == 0 && !record->is_blocked && !record->was_student &&
           !record->has_connected;
}

bool invig_evaluation_is_known(const struct invig_evaluation *evaluation)
{
    return evaluation->phase >= 0;
}

bool invig_evaluations_release_member(struct invig_evaluations *evaluations,
                                      struct invig_member *member)
{
    if (member->claim_count > 0 || !invig_member_record_is_blank(&member->record) ||
        member->has_topic || member->has_presence || member->pending != 0 ||
        member->journal.is_noted || member->is_unkept) {
        return false;
    }
    evaluations_drop_member(evaluations, member);
    return true;
}

static void evaluations_drop(struct invig_evaluations *evaluations,
                             struct invig_evaluation *evaluation)
{
    evaluations->strict_count -= evaluation->is_strict;
    invig_journal_remove(evaluations->journal, &evaluation->journal);
    invig_journal_remove(&evaluations->republish, &evaluation->republish);
    invig_table_remove(&evaluations->by_id, &evaluation->node);
    messages_free(evaluation->record.message, evaluation->stored.message);
    free(evaluation);
}

bool invig_evaluations_release(struct invig_evaluations *evaluations,
                               struct invig_evaluation *evaluation)
{
    if (evaluation->first != NULL || invig_evaluation_is_known(evaluation) ||
        evaluation->journal.is_noted || evaluation->republish.is_noted || evaluation->is_unkept) {
        return false;
    }
    evaluations_drop(evaluations, evaluation);
    return true;
}

void invig_evaluations_deinit(struct invig_evaluations *evaluations)
{
    struct invig_table_node *node;

    while ((node = invig_table_next(&evaluations->members, NULL)) != NULL) {
        evaluations_drop_member(evaluations, member_of_node(node));
    }
    while ((node = invig_table_next(&evaluations->by_id, NULL)) != NULL) {
        evaluations_drop(evaluations, evaluation_of_node(node));
    }
    invig_table_deinit(&evaluations->members);
    invig_table_deinit(&evaluations->by_id);
}

/* Draws from the record what follows from it. */
static void evaluations_derive(struct invig_evaluations *evaluations,
                               struct invig_evaluation *evaluation)
{
    int phase = evaluation->record.phase.data == NULL
                    ? -1
                    : invig_policy_find_phase(evaluations->policy, evaluation->record.phase);
    bool is_strict = !evaluation->record.is_strict_off &&
                     invig_policy_phase_is_strict(evaluations->policy, phase);

    evaluations->strict_count += is_strict;
    evaluations->strict_count -= evaluation->is_strict;
    evaluation->phase = phase;
    evaluation->is_strict = is_strict;
}

void invig_evaluations_set_phase(struct invig_evaluations *evaluations,
                                 struct invig_evaluation *evaluation, int phase, bool is_strict_off)
{
    invig_journal_note(evaluations->journal, &evaluation->journal);
    evaluation->record.phase = invig_policy_phase(evaluations->policy, phase);
    evaluation->record.is_strict_off = is_strict_off;
    evaluations_derive(evaluations, evaluation);
}

void invig_evaluations_note(struct invig_evaluations *evaluations, struct invig_member *member)
{
    invig_journal_note(evaluations->journal, &member->journal);
}

/* Puts `text`, owned from here on, in the place of a record's message. What the store has is kept
 * until the change is stored. */
static void message_set(struct invig_text *message, struct invig_text stored,
                        struct invig_text text)
{
    if (message->data != stored.data) {
        text_free(*message);
    }
    *message = text;
}

void invig_evaluations_set_message(struct invig_evaluations *evaluations,
                                   struct invig_evaluation *evaluation, struct invig_text message)
{
    invig_journal_note(evaluations->journal, &evaluation->journal);
    invig_journal_remove(&evaluations->republish, &evaluation->republish);
    message_set(&evaluation->record.message, evaluation->stored.message, message);
}

void invig_evaluations_set_member_message(struct invig_evaluations *evaluations,
                                          struct invig_member *member, struct invig_text message)
{
    invig_journal_note(evaluations->journal, &member->journal);
    message_set(&member->record.message, member->stored.message, message);
}

void invig_evaluations_add_republish(struct invig_evaluations *evaluations,
                                     struct invig_evaluation *evaluation)
{
    invig_journal_note(&evaluations->republish, &evaluation->republish);
}

struct invig_evaluation *invig_evaluations_take_republish(struct invig_evaluations *evaluations)
{
    struct invig_journal_node *node = evaluations->republish.first;

    if (node == NULL) {
        return NULL;
    }
    invig_journal_remove(&evaluations->republish, node);
    return (struct invig_evaluation *)(void *)((char *)node -
                                               offsetof(struct invig_evaluation, republish));
}

void invig_evaluations_accept(struct invig_evaluation *evaluation)
{
    if (evaluation->stored.message.data != evaluation->record.message.data) {
        text_free(evaluation->stored.message);
    }
    evaluation->stored = evaluation->record;
}

void invig_evaluations_accept_member(struct invig_member *member)
{
    if (member->stored.message.data != member->record.message.data) {
        text_free(member->stored.message);
    }
    member->stored = member->record;
}

void invig_evaluations_undo(struct invig_evaluations *evaluations,
                            struct invig_evaluation *evaluation)
{
    message_set(&evaluation->record.message, evaluation->stored.message,
                evaluation->stored.message);
    evaluation->record = evaluation->stored;
    evaluations_derive(evaluations, evaluation);
    invig_journal_remove(evaluations->journal, &evaluation->journal);
}

void invig_evaluations_undo_member(struct invig_evaluations *evaluations,
                                   struct invig_member *member)
{
    message_set(&member->record.message, member->stored.message, member->stored.message);
    member->user->bound_count += member->stored.is_bound;
    member->user->bound_count -= member->record.is_bound;
    member->record = member->stored;
    invig_journal_remove(evaluations->journal, &member->journal);
}

void invig_evaluations_add_pending(struct invig_evaluations *evaluations,
                                   struct invig_member *member, unsigned what)
{
    if (member->pending == 0 && what != 0) {
        member->pending_previous = evaluations->pending_last;
        *(evaluations->pending_last == NULL ? &evaluations->pending_first
                                            : &evaluations->pending_last->pending_next) = member;
        evaluations->pending_last = member;
    }
    member->pending |= what;
}

void invig_evaluations_remove_pending(struct invig_evaluations *evaluations,
                                      struct invig_member *member, unsigned what)
{
    if (member->pending == 0) {
        return;
    }
    member->pending &= ~what;
    if (member->pending == 0) {
        *(member->pending_previous == NULL ? &evaluations->pending_first
                                           : &member->pending_previous->pending_next) =
            member->pending_next;
        *(member->pending_next == NULL ? &evaluations->pending_last
                                       : &member->pending_next->pending_previous) =
            member->pending_previous;
        member->pending_previous = NULL;
        member->pending_next = NULL;
    }
}

bool invig_member_is_participant(const struct invig_member *member)
{
    switch (member->record.access) {
    case INVIG_ACCESS_ALLOWED:
    case INVIG_ACCESS_BLOCKED:
        return true;
    case INVIG_ACCESS_UNSAID:
        return member->student_count > 0;
    case INVIG_ACCESS_DENIED:
        break;
    }
    return false;
}

bool invig_member_is_blocked(const struct invig_member *member)
{
    return member->record.is_blocked || member->record.access == INVIG_ACCESS_BLOCKED;
}

bool invig_member_has_presence(const struct invig_evaluations *evaluations,
                               const struct invig_member *member)
{
    return member->record.has_connected && member->record.access != INVIG_ACCESS_DENIED &&
           invig_policy_phase_has_presence(evaluations->policy, member->evaluation->phase);
}
