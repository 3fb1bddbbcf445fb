/* SPDX-License-Identifier: Apache-2.0
 *
 * session_login.c - see session.h: what a login means, and what ends a session or brings it back.
 */
#include "session_private.h"

/* Does a login at `login_s` come before one that counts already? `session` is NULL for an unseen
 * one. */
static enum invig_end user_judge_login(const struct invig_user *user,
                                       const struct invig_session *session, int64_t login_s,
                                       bool is_single)
{
    if (session == NULL && user->has_revoked_before && login_s < user->revoked_before_s) {
        return INVIG_END_REVOKED;
    }
    if (is_single && user->has_newest_login && login_s < user->newest_login_s) {
        return INVIG_END_SUPERSEDED;
    }
    return INVIG_END_NONE;
}

void invig_sessions_judge(const struct invig_sessions *sessions, const struct invig_claims *claims,
                          struct invig_login *out_login)
{
    bool is_single = invig_policy_role_is_single(sessions->policy, claims->role);
    struct invig_user *user = invig_sessions_find_user(sessions, invig_text_of(claims->user));
    struct invig_session *session;
    int64_t login_s = claims->login_s;

    *out_login = (struct invig_login){.user = user};
    if (user == NULL || !claims->has_session) {
        return;
    }
    session = invig_user_find_session(user, invig_text_of(claims->session));
    out_login->session = session;
    if (session != NULL && session->end != INVIG_END_NONE) {
        out_login->end = session->end;
        return;
    }
    if (session != NULL && (session->is_single || !is_single)) {
        return;
    }
    /* Unseen, or seen so far only under a role that may have many sessions. */
    if (session != NULL && session->has_login) {
        login_s = session->login_s;
    }
    out_login->end = user_judge_login(user, session, login_s, is_single);
    if (out_login->end == INVIG_END_NONE && is_single) {
        out_login->superseded = user->current;
    }
}

static void sessions_end(struct invig_sessions *sessions, struct invig_session *session,
                         enum invig_end end, int64_t now_s)
{
    sessions->invalidated_count += session->end == INVIG_END_NONE;
    sessions->revoked_count += end == INVIG_END_REVOKED && session->end != INVIG_END_REVOKED;
    session->end = end;
    session->is_turned_away = false;
    if (session->user->current == session) {
        session->user->current = NULL;
    }
    invig_sessions_touch(sessions, session->user, session, 0, now_s);
}

static void session_note_login(struct invig_session *session, const struct invig_claims *claims)
{
    if (!session->has_login) {
        session->has_login = true;
        session->login_s = claims->login_s;
        session->login_is_lasting = claims->has_auth_time;
    }
}

/* Makes a session the one of its user. An older one that was named leaves the newest login time
 * where it is. */
static void session_make_current(struct invig_session *session)
{
    struct invig_user *user = session->user;

    session->end = INVIG_END_NONE;
    session->is_single = true;
    session->is_turned_away = false;
    user->current = session;
    if (session->has_login &&
        (!user->has_newest_login || session->login_s > user->newest_login_s)) {
        user->newest_login_s = session->login_s;
        user->has_newest_login = true;
    }
}

/* Notes what a login says of its session, and makes it current where it is the only one that may
 * be. */
static void sessions_open(struct invig_sessions *sessions, const struct invig_claims *claims,
                          const struct invig_login *login)
{
    session_note_login(login->session, claims);
    if (login->end != INVIG_END_NONE) {
        sessions->revoked_count +=
            login->end == INVIG_END_REVOKED && login->session->end != INVIG_END_REVOKED;
        login->session->end = login->end;
    } else if (invig_policy_role_is_single(sessions->policy, claims->role)) {
        session_make_current(login->session);
    }
}

static struct invig_text claims_session(const struct invig_claims *claims)
{
    return claims->has_session ? invig_text_of(claims->session) : (struct invig_text){NULL, 0};
}

enum invig_status invig_sessions_commit(struct invig_sessions *sessions,
                                        const struct invig_claims *claims, int64_t now_s,
                                        struct invig_login *login)
{
    enum invig_status status =
        invig_sessions_require(sessions, invig_text_of(claims->user), claims_session(claims), now_s,
                               &login->user, &login->session);

    if (status != INVIG_OK) {
        return status;
    }
    if (login->superseded != NULL) {
        sessions_end(sessions, login->superseded, INVIG_END_SUPERSEDED, now_s);
    }
    if (login->session != NULL) {
        sessions_open(sessions, claims, login);
    }
    invig_sessions_touch(sessions, login->user, login->session,
                         claims->expires_s + sessions->policy->jwt_leeway_s, now_s);
    return INVIG_OK;
}

enum invig_status invig_sessions_turn_away(struct invig_sessions *sessions,
                                           const struct invig_claims *claims, int64_t now_s,
                                           struct invig_login *login)
{
    enum invig_status status =
        invig_sessions_require(sessions, invig_text_of(claims->user), claims_session(claims), now_s,
                               &login->user, &login->session);

    if (status != INVIG_OK) {
        return status;
    }
    session_note_login(login->session, claims);
    login->session->is_turned_away = true;
    invig_sessions_touch(sessions, login->user, login->session,
                         claims->expires_s + sessions->policy->jwt_leeway_s, now_s);
    return INVIG_OK;
}

void invig_sessions_supersede(struct invig_sessions *sessions, struct invig_session *session,
                              int64_t now_s)
{
    if (session->end == INVIG_END_NONE) {
        sessions_end(sessions, session, INVIG_END_SUPERSEDED, now_s);
    }
}

void invig_sessions_name(struct invig_sessions *sessions, struct invig_session *session,
                         int64_t now_s, struct invig_session **out_superseded)
{
    struct invig_session *before = session->user->current;

    *out_superseded = before == session ? NULL : before;
    if (*out_superseded != NULL) {
        sessions_end(sessions, before, INVIG_END_SUPERSEDED, now_s);
    }
    session_make_current(session);
    invig_sessions_touch(sessions, session->user, session, 0, now_s);
}

enum invig_status invig_sessions_revoke(struct invig_sessions *sessions, struct invig_text user,
                                        struct invig_text session, int64_t now_s,
                                        struct invig_session **out_session)
{
    struct invig_user *owner = NULL;
    enum invig_status status;

    if (!invig_text_is_id(user) || !invig_text_is_id(session)) {
        return INVIG_ERR_INVALID;
    }
    status = invig_sessions_require(sessions, user, session, now_s, &owner, out_session);
    if (status == INVIG_OK) {
        sessions_end(sessions, *out_session, INVIG_END_REVOKED, now_s);
    }
    return status;
}

enum invig_status invig_sessions_revoke_user(struct invig_sessions *sessions,
                                             struct invig_text user, struct invig_text except,
                                             int64_t before_s, int64_t now_s,
                                             struct invig_user **out_user)
{
    struct invig_session *kept = NULL;
    enum invig_status status;

    if (!invig_text_is_id(user) || (except.data != NULL && !invig_text_is_id(except))) {
        return INVIG_ERR_INVALID;
    }
    /* The excepted session is known from here on, so it is not taken for an unseen one. */
    status = invig_sessions_require(sessions, user, except, now_s, out_user, &kept);
    if (status != INVIG_OK) {
        return status;
    }
    for (struct invig_session *each = (*out_user)->sessions; each != NULL; each = each->next) {
        if (each != kept) {
            sessions_end(sessions, each, INVIG_END_REVOKED, now_s);
        }
    }
    if (!(*out_user)->has_revoked_before || before_s > (*out_user)->revoked_before_s) {
        (*out_user)->has_revoked_before = true;
        (*out_user)->revoked_before_s = before_s;
    }
    invig_sessions_touch(sessions, *out_user, kept, 0, now_s);
    return INVIG_OK;
}
