/* SPDX-License-Identifier: Apache-2.0
 *
 * engine_member.c - users in evaluations: who takes part, by token and by the backend's word.
 */
#include "engine_private.h"

static void engine_release_evaluation(struct invig_engine *engine,
                                      struct invig_evaluation *evaluation)
{
    invig_evaluations_release(&engine->evaluations, evaluation);
}

void invig_engine_release_member(struct invig_engine *engine, struct invig_member *member)
{
    struct invig_evaluation *evaluation = member->evaluation;

    if (invig_evaluations_release_member(&engine->evaluations, member)) {
        engine->held_member = engine->held_member == member ? NULL : engine->held_member;
        engine_release_evaluation(engine, evaluation);
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
        engine_release_evaluation(engine, evaluation);
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

static bool connection_claims(const struct invig_connection *connection,
                              const struct invig_member *member)
{
    for (size_t i = 0; i < connection->claim_count; i++) {
        if (connection->claims[i] == member) {
            return true;
        }
    }
    return false;
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
    member = invig_evaluations_find_member(&engine->evaluations,
                                           invig_evaluations_find(&engine->evaluations, evaluation),
                                           connection->user);
    if (member == NULL || member->access == INVIG_ACCESS_DENIED) {
        return INVIG_STANDING_NONE;
    }
    if (member->access != INVIG_ACCESS_UNSAID) {
        return member_standing(member);
    }
    /* Each connection has what its own token says, and no more. */
    if (!connection_claims(connection, member)) {
        return INVIG_STANDING_NONE;
    }
    return connection->subject.role == INVIG_ROLE_PROFESSOR ? INVIG_STANDING_SUPERVISOR
                                                            : member_standing(member);
}

struct invig_member_before invig_member_before(const struct invig_member *member)
{
    return (struct invig_member_before){
        .follows = invig_member_is_participant(member) && !invig_member_is_blocked(member),
        .is_blocked = invig_member_is_blocked(member),
    };
}

static void engine_count_blocked(struct invig_engine *engine, const struct invig_member *member,
                                 bool was_blocked)
{
    struct invig_user *user = member->user;
    bool is_blocked = invig_member_is_blocked(member);

    if (is_blocked && !was_blocked && user->blocked_count++ == 0) {
        engine->stats.users_blocked++;
    } else if (!is_blocked && was_blocked && --user->blocked_count == 0) {
        engine->stats.users_blocked--;
    }
}

/* Notes that a user with a connection takes part, and that its presence may be due or not. */
static void engine_note_presence(struct invig_engine *engine, struct invig_member *member)
{
    if (member->access == INVIG_ACCESS_DENIED) {
        member->has_connected = false; /* whoever is added again begins anew */
    } else if (invig_member_is_participant(member) && member->user->open_count > 0) {
        member->has_connected = true;
    }
    if (member->has_presence || invig_member_has_presence(&engine->evaluations, member)) {
        invig_evaluations_add_pending(&engine->evaluations, member, INVIG_MEMBER_PRESENCE);
    }
}

void invig_engine_member_changed(struct invig_engine *engine, struct invig_member *member,
                                 struct invig_member_before before)
{
    struct invig_member_before after = invig_member_before(member);

    engine_count_blocked(engine, member, before.is_blocked);
    if (after.follows && !before.follows && member->user->open_count > 0) {
        member->resend_below = UINT64_MAX;
        invig_evaluations_add_pending(&engine->evaluations, member, INVIG_MEMBER_RESEND);
    } else if (!after.follows) {
        invig_evaluations_remove_pending(&engine->evaluations, member, INVIG_MEMBER_RESEND);
    }
    if (member->student_count > 0) {
        member->was_student = true;
    }
    engine_note_presence(engine, member);
    invig_engine_bind(engine, member);
}

void invig_engine_mark_presence(struct invig_engine *engine, const struct invig_user *user)
{
    for (struct invig_member *each = user->members; each != NULL; each = each->user_next) {
        engine_note_presence(engine, each);
    }
}
