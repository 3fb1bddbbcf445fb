/* SPDX-License-Identifier: Apache-2.0
 *
 * reference_exam.c - see reference.h: participants, bindings and blocks, and what the backend says.
 */
#include "reference.h"

bool reference_is_strict(const struct reference *reference, int evaluation)
{
    const struct ref_evaluation *what = &reference->evaluations[evaluation];

    return what->has_strict_phase && !what->is_strict_off;
}

bool reference_is_blocked(const struct ref_member *member)
{
    return member->is_blocked || member->access == INVIG_ACCESS_BLOCKED;
}

static bool user_has_claim(const struct reference *reference, int user, int evaluation)
{
    for (int i = 0; i < REF_CONNECTIONS; i++) {
        const struct ref_connection *connection = &reference->connections[i];
        if (connection->state == REF_OPEN && connection->user == user &&
            (connection->claims & (1U << evaluation)) != 0) {
            return true;
        }
    }
    return false;
}

/* A professor's token makes a supervisor, no participant. */
bool reference_is_participant(const struct reference *reference, int user, int evaluation)
{
    switch (reference->users[user].members[evaluation].access) {
    case INVIG_ACCESS_ALLOWED:
    case INVIG_ACCESS_BLOCKED:
        return true;
    case INVIG_ACCESS_DENIED:
        return false;
    case INVIG_ACCESS_UNSAID:
        break;
    }
    return user < REF_STUDENTS && user_has_claim(reference, user, evaluation);
}

bool reference_supervises(const struct reference *reference,
                          const struct ref_connection *connection, int evaluation)
{
    return connection->state == REF_OPEN && connection->user >= REF_STUDENTS &&
           reference->users[connection->user].members[evaluation].access == INVIG_ACCESS_UNSAID &&
           (connection->claims & (1U << evaluation)) != 0;
}

bool reference_may_subscribe(const struct reference *reference,
                             const struct ref_connection *connection, int evaluation)
{
    enum invig_access access = reference->users[connection->user].members[evaluation].access;

    return connection->state == REF_OPEN && access != INVIG_ACCESS_DENIED &&
           (access != INVIG_ACCESS_UNSAID || (connection->claims & (1U << evaluation)) != 0);
}

bool reference_follows(const struct reference *reference, const struct ref_connection *connection,
                       int evaluation)
{
    const struct ref_member *member = &reference->users[connection->user].members[evaluation];

    return reference_may_subscribe(reference, connection, evaluation) &&
           !reference_is_blocked(member);
}

void reference_unbind(struct ref_user *user, struct ref_member *member)
{
    member->is_bound = false;
    for (int e = 0; e < REF_EVALUATIONS; e++) {
        if (user->members[e].is_bound) {
            return;
        }
    }
    user->bound = REF_NONE;
}

void reference_unbind_all(struct ref_user *user)
{
    for (int e = 0; e < REF_EVALUATIONS; e++) {
        reference_unbind(user, &user->members[e]);
    }
}

/* "The session of a participant that is connected while the evaluation is or becomes strict is
 * bound to it; else the first that connects." */
static void member_settle(struct reference *reference, int user, int evaluation, bool is_named)
{
    struct ref_user *who = &reference->users[user];
    struct ref_member *member = &who->members[evaluation];
    bool may_bind = reference->policy != INVIG_STRICT_OFF && user < REF_STUDENTS &&
                    reference_is_strict(reference, evaluation) && !member->is_finished &&
                    reference_is_participant(reference, user, evaluation) &&
                    who->current != REF_NONE;

    if (may_bind && (is_named || (member->released != who->current &&
                                  reference_open_count(reference, user, who->current) > 0))) {
        member->is_bound = true;
        member->released = REF_NONE;
        who->bound = who->current;
    }
}

void reference_settle(struct reference *reference)
{
    for (int u = 0; u < REF_USERS; u++) {
        for (int e = 0; e < REF_EVALUATIONS; e++) {
            member_settle(reference, u, e, false);
        }
    }
}

/* "A named session that had been superseded is current again", bound wherever the user is bound,
 * "and the other is superseded". */
static void session_name(struct reference *reference, int user, int session)
{
    struct ref_user *who = &reference->users[user];
    int previous = who->current;

    if (user >= REF_STUDENTS) {
        return;
    }
    if (previous != REF_NONE && previous != session) {
        who->sessions[previous].end = INVIG_END_SUPERSEDED;
        (void)reference_tell(reference, user, previous, INVIG_END_SUPERSEDED);
    }
    who->current = session;
    who->bound = who->bound == REF_NONE ? REF_NONE : session;
    who->sessions[session].end = INVIG_END_NONE;
    who->sessions[session].is_turned_away = false;
    who->sessions[session].is_admitted = true;
    if (!who->sessions[session].has_login) {
        return;
    }
    if (!who->has_newest || who->sessions[session].login_s > who->newest_s) {
        who->has_newest = true;
        who->newest_s = who->sessions[session].login_s;
    }
}

/* "An unblock that does not name it supersedes it." */
static void turned_away_supersede(struct ref_user *user, int named)
{
    for (int s = 0; s < REF_SESSIONS; s++) {
        if (user->sessions[s].is_turned_away && user->sessions[s].end == INVIG_END_NONE &&
            s != named) {
            user->sessions[s].end = INVIG_END_SUPERSEDED;
        }
    }
}

static void member_lift(struct reference *reference, int user, int evaluation,
                        const struct ref_message *message)
{
    struct ref_user *who = &reference->users[user];
    struct ref_member *member = &who->members[evaluation];

    if (member->is_blocked) {
        turned_away_supersede(who, message->said == INVIG_SAID_VALUE ? message->session : REF_NONE);
    }
    member->is_blocked = false;
    if (message->said == INVIG_SAID_VALUE) {
        session_name(reference, user, message->session);
        member_settle(reference, user, evaluation, true);
    } else if (message->said == INVIG_SAID_NULL) {
        member->released = REF_NONE;
        if (reference_is_strict(reference, evaluation)) {
            member->released = member->is_bound ? who->bound : who->current;
        }
        reference_unbind(who, member);
    }
}

/* Whether `sessionId` means anything here: elsewhere it is left over from an earlier message. */
static bool member_may_name(const struct ref_member *member)
{
    return member->is_blocked || member->is_bound || member->released != REF_NONE;
}

/* A professor may have many sessions, so none of them can be the one that is bound. */
static bool user_may_be_named(const struct reference *reference, int user,
                              const struct ref_message *message)
{
    const struct ref_user *who = &reference->users[user];

    return message->said != INVIG_SAID_VALUE ||
           (user != REF_USERS - 1 && message->session != REF_NONE &&
            who->sessions[message->session].is_known &&
            who->sessions[message->session].end != INVIG_END_REVOKED);
}

static void member_hear(struct ref_user *user, struct ref_member *member,
                        const struct ref_message *message)
{
    if (message->access != INVIG_ACCESS_UNSAID) {
        member->access = message->access;
    }
    if (message->progress != INVIG_PROGRESS_UNSAID) {
        member->is_finished = message->progress == INVIG_PROGRESS_FINISHED;
    }
    if (message->version != REF_NONE) {
        member->version = message->version;
    }
    if (member->access == INVIG_ACCESS_DENIED) {
        member->is_blocked = false;
        reference_unbind(user, member);
    }
    if (member->is_finished) {
        reference_unbind(user, member);
    }
}

bool reference_say(struct reference *reference, int user, int evaluation,
                   const struct ref_message *message)
{
    struct ref_user *who = &reference->users[user];
    struct ref_member *member = &who->members[evaluation];
    struct ref_message heard = *message;
    bool lifts;

    heard.said = member_may_name(member) ? heard.said : INVIG_SAID_NOTHING;
    lifts = message->access == INVIG_ACCESS_ALLOWED &&
            (heard.said != INVIG_SAID_NOTHING ||
             (message->unblock && (reference_is_blocked(member) || member_may_name(member))));

    if (message->version != REF_NONE && message->version < member->version) {
        return false;
    }
    if (lifts && !user_may_be_named(reference, user, &heard)) {
        return false;
    }
    member_hear(who, member, message);
    if (lifts) {
        member_lift(reference, user, evaluation, &heard);
    }
    return true;
}

/* The version stays, and so does what the backend never said: binding and block. */
void reference_forget_user(struct reference *reference, int user, int evaluation)
{
    struct ref_member *member = &reference->users[user].members[evaluation];

    member->access = INVIG_ACCESS_UNSAID;
    member->is_finished = false;
}

bool reference_unblock(struct reference *reference, int user, int evaluation, enum invig_said said,
                       int session)
{
    struct ref_user *who = &reference->users[user];
    struct ref_member *member = &who->members[evaluation];
    const struct ref_message message = {.said = said, .session = session};

    if ((!reference_is_blocked(member) && !member->is_bound) ||
        !user_may_be_named(reference, user, &message)) {
        return false;
    }
    member->access = INVIG_ACCESS_ALLOWED;
    member_lift(reference, user, evaluation, &message);
    return true;
}

/* "When the evaluation leaves its strict phases, its bindings and its SECOND_LOGIN blocks end." */
static void evaluation_relax(struct reference *reference, int evaluation)
{
    for (int u = 0; u < REF_USERS && !reference_is_strict(reference, evaluation); u++) {
        struct ref_member *member = &reference->users[u].members[evaluation];
        member->is_blocked = false;
        member->released = REF_NONE;
        reference_unbind(&reference->users[u], member);
    }
}

bool reference_say_all(struct reference *reference, int evaluation, bool has_strict_phase,
                       const bool *strict, int64_t version)
{
    struct ref_evaluation *what = &reference->evaluations[evaluation];

    if (version != REF_NONE && version < what->version) {
        return false;
    }
    what->version = version == REF_NONE ? what->version : version;
    what->has_strict_phase = has_strict_phase;
    what->is_strict_off = strict == NULL ? what->is_strict_off : !*strict;
    what->has_message = true;
    evaluation_relax(reference, evaluation);
    return true;
}

void reference_forget(struct reference *reference, int evaluation)
{
    reference->evaluations[evaluation] = (struct ref_evaluation){.version = REF_NONE};
    evaluation_relax(reference, evaluation);
    for (int u = 0; u < REF_USERS; u++) {
        reference_forget_user(reference, u, evaluation);
        reference->users[u].members[evaluation].version = REF_NONE;
    }
}
