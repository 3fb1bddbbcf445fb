/* SPDX-License-Identifier: Apache-2.0
 *
 * engine_member.c - users in evaluations: who takes part, by token and by the backend's word.
 */
#include "engine_private.h"

enum { FEW_CLAIMS = 4 };

void invig_engine_release_evaluation(struct invig_engine *engine,
                                     struct invig_evaluation *evaluation)
{
    if (invig_evaluations_release(&engine->evaluations, evaluation)) {
        engine->held_evaluation =
            engine->held_evaluation == evaluation ? NULL : engine->held_evaluation;
    }
}

void invig_engine_release_member(struct invig_engine *engine, struct invig_member *member)
{
    struct invig_evaluation *evaluation = member->evaluation;

    if (invig_evaluations_release_member(&engine->evaluations, member)) {
        engine->held_member = engine->held_member == member ? NULL : engine->held_member;
        invig_engine_release_evaluation(engine, evaluation);
    }
}

/* Makes one claim of a token count. */
static enum invig_status engine_claim_one(struct invig_engine *engine,
                                          struct invig_connection *connection,
                                          struct invig_user *user, struct invig_text id)
{
    struct invig_evaluation *evaluation = NULL;
    struct invig_member *member = NULL;
    enum invig_status status = invig_evaluations_require(&engine->evaluations, id, &evaluation);

    if (status != INVIG_OK) {
        return status;
    }
    status = invig_evaluations_require_member(&engine->evaluations, evaluation, user, &member);
    if (status != INVIG_OK) {
        invig_engine_release_evaluation(engine, evaluation);
        return status;
    }
    member->claim_count++;
    if (connection->subject.role == INVIG_ROLE_STUDENT) {
        member->student_count++;
    }
    connection->claims[connection->claim_count++] = member;
    return INVIG_OK;
}

enum invig_status invig_engine_claim(struct invig_engine *engine,
                                     struct invig_connection *connection, struct invig_user *user,
                                     const struct invig_claims *claims)
{
    connection->subject.role = claims->role;
    for (size_t i = 0; i < claims->evaluation_count; i++) {
        enum invig_status status =
            engine_claim_one(engine, connection, user, invig_text_of(claims->evaluations[i]));
        if (status != INVIG_OK) {
            invig_engine_unclaim(engine, connection);
            return status;
        }
    }
    return INVIG_OK;
}

void invig_engine_unclaim(struct invig_engine *engine, struct invig_connection *connection)
{
    while (connection->claim_count > 0) {
        struct invig_member *member = connection->claims[--connection->claim_count];

        member->claim_count--;
        if (connection->subject.role == INVIG_ROLE_STUDENT) {
            member->student_count--;
        }
        invig_engine_release_member(engine, member);
    }
}

bool invig_engine_claims(const struct invig_connection *connection,
                         const struct invig_member *member)
{
    for (size_t i = 0; i < connection->claim_count; i++) {
        if (connection->claims[i] == member) {
            return true;
        }
    }
    return false;
}

/* The claim of a connection on an evaluation; NULL when its token does not name it. */
static const struct invig_member *connection_find_claim(const struct invig_connection *connection,
                                                        const struct invig_evaluation *evaluation)
{
    for (size_t i = 0; i < connection->claim_count; i++) {
        if (connection->claims[i]->evaluation == evaluation) {
            return connection->claims[i];
        }
    }
    return NULL;
}

/* What is known of a connection's user in an evaluation; NULL: nothing. Most tokens name few
 * evaluations, and looking at those takes less than the table does. */
static const struct invig_member *connection_find_member(const struct invig_engine *engine,
                                                         const struct invig_connection *connection,
                                                         const struct invig_evaluation *evaluation)
{
    const struct invig_member *member = NULL;

    if (connection->claim_count <= FEW_CLAIMS) {
        member = connection_find_claim(connection, evaluation);
    }
    return member != NULL
               ? member
               : invig_evaluations_find_member(&engine->evaluations, evaluation, connection->user);
}

/* A participant, blocked or not. */
static enum invig_standing member_standing(const struct invig_member *member)
{
    return invig_member_is_blocked(member) ? INVIG_STANDING_BLOCKED : INVIG_STANDING_PARTICIPANT;
}

enum invig_standing invig_engine_standing(const struct invig_engine *engine,
                                          const struct invig_connection *connection,
                                          struct invig_text evaluation)
{
    const struct invig_member *member;

    if (evaluation.data == NULL || connection->user == NULL) {
        return INVIG_STANDING_NONE;
    }
    member = connection_find_member(engine, connection,
                                    invig_evaluations_find(&engine->evaluations, evaluation));
    if (member == NULL || member->record.access == INVIG_ACCESS_DENIED) {
        return INVIG_STANDING_NONE;
    }
    if (member->record.access != INVIG_ACCESS_UNSAID) {
        return member_standing(member);
    }
    /* Each connection has what its own token says, and no more. */
    if (!invig_engine_claims(connection, member)) {
        return INVIG_STANDING_NONE;
    }
    return connection->subject.role == INVIG_ROLE_PROFESSOR ? INVIG_STANDING_SUPERVISOR
                                                            : member_standing(member);
}

/* How many connections get what is published to all in the evaluation. */
static unsigned member_reach(const struct invig_member *member)
{
    if (invig_member_is_blocked(member)) {
        return 0;
    }
    switch (member->record.access) {
    case INVIG_ACCESS_ALLOWED:
        return member->user->open_count;
    case INVIG_ACCESS_UNSAID:
        return member->claim_count;
    case INVIG_ACCESS_DENIED:
    case INVIG_ACCESS_BLOCKED:
        break;
    }
    return 0;
}

void invig_member_watch(struct invig_member *member)
{
    member->reach = member_reach(member);
    member->is_new_block = false;
    member->is_lifted = false;
}

/* Whether a token of a student names the evaluation, on a connection that stays when the login of
 * `entry` is in. */
static bool entry_is_named(const struct invig_member *member, const struct invig_entry *entry)
{
    const struct invig_connection *each = member->user->connections;

    if (entry->created->subject.role == INVIG_ROLE_STUDENT &&
        invig_engine_claims(entry->created, member)) {
        return true;
    }
    for (; each != NULL; each = each->user_next) {
        if (each != entry->holder && each->session != entry->login.superseded &&
            each->state == INVIG_CONNECTION_OPEN && each->subject.role == INVIG_ROLE_STUDENT &&
            invig_engine_claims(each, member)) {
            return true;
        }
    }
    return false;
}

static bool member_is_named(const struct invig_member *member, const struct invig_entry *entry)
{
    return entry == NULL ? member->student_count > 0 : entry_is_named(member, entry);
}

bool invig_engine_takes_part(const struct invig_member *member, const struct invig_entry *entry)
{
    if (entry == NULL && member->user->open_count == 0) {
        return false;
    }
    if (member->record.access != INVIG_ACCESS_UNSAID) {
        return member->record.access != INVIG_ACCESS_DENIED;
    }
    return member_is_named(member, entry);
}

void invig_engine_note_seen(struct invig_engine *engine, struct invig_member *member,
                            const struct invig_entry *entry)
{
    struct invig_member_record *record = &member->record;
    bool is_student = member_is_named(member, entry);
    bool is_there = invig_engine_takes_part(member, entry);

    if (invig_evaluation_is_known(member->evaluation) &&
        ((is_student && !record->was_student) || (is_there && !record->has_connected))) {
        record->was_student = record->was_student || is_student;
        record->has_connected = record->has_connected || is_there;
        invig_evaluations_note(&engine->evaluations, member);
    }
}

static void engine_count_blocked(struct invig_engine *engine, struct invig_member *member)
{
    struct invig_user *user = member->user;
    bool is_blocked = invig_member_is_blocked(member);

    if (is_blocked && !member->is_counted_blocked && user->blocked_count++ == 0) {
        engine->stats.users_blocked++;
    } else if (!is_blocked && member->is_counted_blocked && --user->blocked_count == 0) {
        engine->stats.users_blocked--;
    }
    member->is_counted_blocked = is_blocked;
}

static void engine_mark_member(struct invig_engine *engine, struct invig_member *member)
{
    if (member->has_presence || invig_member_has_presence(&engine->evaluations, member)) {
        invig_evaluations_add_pending(&engine->evaluations, member, INVIG_MEMBER_PRESENCE);
    }
}

void invig_engine_settle(struct invig_engine *engine, struct invig_member *member)
{
    unsigned reach = member_reach(member);

    engine_count_blocked(engine, member);
    if (reach > member->reach) {
        member->resend_below = UINT64_MAX;
        invig_evaluations_add_pending(&engine->evaluations, member, INVIG_MEMBER_RESEND);
    } else if (reach == 0) {
        invig_evaluations_remove_pending(&engine->evaluations, member, INVIG_MEMBER_RESEND);
    }
    if (member->is_new_block || member->is_lifted) {
        invig_evaluations_remove_pending(&engine->evaluations, member, INVIG_MEMBER_CLEAR);
        invig_evaluations_add_pending(&engine->evaluations, member, INVIG_MEMBER_COPY);
    }
    engine_mark_member(engine, member);
    invig_member_watch(member);
}

void invig_engine_mark_presence(struct invig_engine *engine, struct invig_user *user)
{
    if (user->members != NULL) {
        invig_engine_share_user(engine, user);
    }
    for (struct invig_member *each = user->members; each != NULL; each = each->user_next) {
        engine_mark_member(engine, each);
    }
}
