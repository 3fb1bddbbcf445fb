/* SPDX-License-Identifier: Apache-2.0
 *
 * reference.c - see reference.h: logins, and what ends them.
 */
#include "reference.h"

#include <string.h>

void reference_init(struct reference *reference, enum invig_strict_policy policy)
{
    memset(reference, 0, sizeof(*reference));
    reference->policy = policy;
    for (int u = 0; u < REF_USERS; u++) {
        reference->users[u].current = REF_NONE;
        reference->users[u].bound = REF_NONE;
        for (int e = 0; e < REF_EVALUATIONS; e++) {
            reference->users[u].members[e].version = REF_NONE;
            reference->users[u].members[e].released = REF_NONE;
            reference->evaluations[e].version = REF_NONE;
        }
    }
}

struct ref_connection *reference_holder(struct reference *reference, int user, int id)
{
    for (int i = 0; i < REF_CONNECTIONS; i++) {
        struct ref_connection *connection = &reference->connections[i];
        if ((connection->state == REF_OPEN || connection->state == REF_TOLD) &&
            connection->user == user && connection->id == id) {
            return connection;
        }
    }
    return NULL;
}

struct ref_connection *reference_place(struct reference *reference)
{
    for (int i = 0; i < REF_CONNECTIONS; i++) {
        if (reference->connections[i].state == REF_FREE) {
            return &reference->connections[i];
        }
    }
    return NULL;
}

int reference_open_count(const struct reference *reference, int user, int session)
{
    int count = 0;

    for (int i = 0; i < REF_CONNECTIONS; i++) {
        const struct ref_connection *connection = &reference->connections[i];
        count += connection->state == REF_OPEN && connection->user == user &&
                 connection->session == session;
    }
    return count;
}

int reference_tell(struct reference *reference, int user, int session, enum invig_end end)
{
    int count = 0;

    for (int i = 0; i < REF_CONNECTIONS; i++) {
        struct ref_connection *connection = &reference->connections[i];
        if (connection->state == REF_OPEN && connection->user == user &&
            connection->session == session) {
            connection->state = REF_TOLD;
            connection->end = end;
            count++;
        }
    }
    return count;
}

/* "An ended session that comes back", "an older login never displaces a newer one". A session that
 * was turned away has not come in yet, so it is judged as a new one, by its first login time. */
static enum invig_end login_judge(const struct reference *reference,
                                  const struct ref_attempt *attempt)
{
    const struct ref_user *user = &reference->users[attempt->user];
    const struct ref_session *session = &user->sessions[attempt->session];
    int64_t login_s = session->has_login ? session->login_s : attempt->login_s;

    if (session->end != INVIG_END_NONE || session->is_admitted) {
        return session->end;
    }
    if (!session->is_known && user->has_revoked_before && login_s < user->revoked_before_s) {
        return INVIG_END_REVOKED;
    }
    if (attempt->user < REF_STUDENTS && user->has_newest && login_s < user->newest_s) {
        return INVIG_END_SUPERSEDED;
    }
    return INVIG_END_NONE;
}

static bool user_is_stopped(const struct ref_user *user)
{
    for (int e = 0; e < REF_EVALUATIONS; e++) {
        if (user->members[e].is_blocked) {
            return true;
        }
    }
    return false;
}

/* "A second login (another sid) of a bound user does not supersede." */
static bool login_is_second(const struct reference *reference, const struct ref_attempt *attempt)
{
    const struct ref_user *user = &reference->users[attempt->user];

    if (reference->policy != INVIG_STRICT_ENFORCE) {
        return false;
    }
    return (user->bound != REF_NONE && user->bound != attempt->session) ||
           (user->sessions[attempt->session].is_turned_away && user_is_stopped(user));
}

static void session_know(struct reference *reference, const struct ref_attempt *attempt)
{
    struct ref_session *session = &reference->users[attempt->user].sessions[attempt->session];

    session->is_known = true;
    if (!session->has_login) {
        session->has_login = true;
        session->login_s = attempt->login_s;
    }
}

/* "A session that was turned away makes one incident" in each evaluation; "while the block stands
 * it is only told again when it comes back." */
static void second_login(struct reference *reference, const struct ref_attempt *attempt)
{
    struct ref_user *user = &reference->users[attempt->user];
    struct ref_session *session = &user->sessions[attempt->session];
    bool was_turned_away = session->is_turned_away;

    session_know(reference, attempt);
    session->is_turned_away = true;
    for (int e = 0; e < REF_EVALUATIONS; e++) {
        struct ref_member *member = &user->members[e];
        if (member->is_bound && !(member->is_blocked && was_turned_away)) {
            member->is_blocked = true;
            reference->incidents[attempt->user][e]++;
        }
    }
}

/* "Newest login wins outside a strict evaluation." */
static void login_come_in(struct reference *reference, const struct ref_attempt *attempt)
{
    struct ref_user *user = &reference->users[attempt->user];
    struct ref_session *session = &user->sessions[attempt->session];
    int previous = user->current;

    session->is_turned_away = false;
    session->is_admitted = true;
    if (attempt->user >= REF_STUDENTS) {
        return;
    }
    if (previous != REF_NONE && previous != attempt->session) {
        user->sessions[previous].end = INVIG_END_SUPERSEDED;
        (void)reference_tell(reference, attempt->user, previous, INVIG_END_SUPERSEDED);
    }
    user->current = attempt->session;
    if (!user->has_newest || session->login_s > user->newest_s) {
        user->has_newest = true;
        user->newest_s = session->login_s;
    }
    /* Only under `observe` can somebody else be bound now. */
    for (int e = 0; e < REF_EVALUATIONS && user->bound != REF_NONE; e++) {
        reference->incidents[attempt->user][e] +=
            user->members[e].is_bound && user->bound != attempt->session;
    }
    user->bound = user->bound == REF_NONE ? REF_NONE : attempt->session;
}

static struct ref_connection *connection_begin(struct reference *reference,
                                               const struct ref_attempt *attempt,
                                               enum invig_end end)
{
    struct ref_connection *holder = reference_holder(reference, attempt->user, attempt->id);
    struct ref_connection *connection = reference_place(reference);

    if (holder != NULL) {
        holder->state = REF_REPLACED;
    }
    *connection = (struct ref_connection){.state = end == INVIG_END_NONE ? REF_OPEN : REF_TOLD,
                                          .end = end,
                                          .user = attempt->user,
                                          .session = attempt->session,
                                          .id = attempt->id,
                                          .claims = end == INVIG_END_NONE ? attempt->claims : 0,
                                          .ends_s = attempt->ends_s,
                                          .told_ms = REF_NONE};
    return connection;
}

static enum invig_reason login_refuse(struct reference *reference,
                                      const struct ref_attempt *attempt, enum invig_end end)
{
    const struct ref_connection *holder = reference_holder(reference, attempt->user, attempt->id);
    bool is_live = holder != NULL && holder->state == REF_OPEN;
    int count = reference_open_count(reference, attempt->user, attempt->session);

    if (end == INVIG_END_BLOCKED && is_live) {
        second_login(reference, attempt);
        return INVIG_REASON_SECOND_LOGIN;
    }
    if (end != INVIG_END_NONE) {
        return is_live ? INVIG_REASON_SESSION_ENDED : INVIG_REASON_NONE;
    }
    count -= is_live && holder->session == attempt->session;
    return count >= REF_SESSION_CONNECTIONS_MAX ? INVIG_REASON_TOO_MANY_CONNECTIONS
                                                : INVIG_REASON_NONE;
}

enum invig_reason reference_connect(struct reference *reference, const struct ref_attempt *attempt,
                                    struct ref_connection **out_connection)
{
    struct ref_session *session = &reference->users[attempt->user].sessions[attempt->session];
    enum invig_end end = login_judge(reference, attempt);
    enum invig_reason reason;

    if (end == INVIG_END_NONE && login_is_second(reference, attempt)) {
        end = INVIG_END_BLOCKED;
    }
    reason = login_refuse(reference, attempt, end);
    if (reason != INVIG_REASON_NONE) {
        return reason;
    }
    *out_connection = connection_begin(reference, attempt, end);
    if (end == INVIG_END_BLOCKED) {
        second_login(reference, attempt);
        return INVIG_REASON_NONE;
    }
    session_know(reference, attempt);
    if (end == INVIG_END_NONE) {
        login_come_in(reference, attempt);
    }
    session->end = end;
    return INVIG_REASON_NONE;
}

void reference_disconnect(struct reference *reference, struct ref_connection *connection)
{
    (void)reference;
    memset(connection, 0, sizeof(*connection));
}

void reference_pass(struct reference *reference, int64_t now_s)
{
    reference->now_s = now_s;
    for (int i = 0; i < REF_CONNECTIONS; i++) {
        struct ref_connection *connection = &reference->connections[i];
        if (connection->state == REF_OPEN && now_s >= connection->ends_s) {
            connection->state = REF_TOLD;
            connection->end = INVIG_END_EXPIRED;
        }
    }
}

/* "Revoking the bound session ends its bindings." */
int reference_revoke(struct reference *reference, int user, int session)
{
    struct ref_user *who = &reference->users[user];

    who->sessions[session].is_known = true;
    who->sessions[session].end = INVIG_END_REVOKED;
    if (who->current == session) {
        who->current = REF_NONE;
    }
    if (who->bound == session) {
        reference_unbind_all(who);
    }
    return reference_tell(reference, user, session, INVIG_END_REVOKED);
}

int reference_revoke_user(struct reference *reference, int user, int except, int64_t before_s)
{
    struct ref_user *who = &reference->users[user];
    int count = 0;

    for (int s = 0; s < REF_SESSIONS; s++) {
        who->sessions[s].is_known |= s == except;
        if (who->sessions[s].is_known && s != except) {
            count += reference_revoke(reference, user, s);
        }
    }
    if (!who->has_revoked_before || before_s > who->revoked_before_s) {
        who->has_revoked_before = true;
        who->revoked_before_s = before_s;
    }
    return count;
}
