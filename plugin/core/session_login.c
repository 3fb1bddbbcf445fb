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
    if (session == NULL && user->record.has_revoked_before &&
        login_s < user->record.revoked_before_s) {
        return INVIG_END_REVOKED;
    }
    if (is_single && user->record.has_newest_login && login_s < user->record.newest_login_s) {
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
    if (session != NULL && session->record.end != INVIG_END_NONE) {
        out_login->end = session->record.end;
        return;
    }
    if (session != NULL && (session->record.is_single || !is_single)) {
        return;
    }
    /* Unseen, or seen so far only under a role that may have many sessions. */
    if (session != NULL && session->record.has_login) {
        login_s = session->record.login_s;
    }
    out_login->end = user_judge_login(user, session, login_s, is_single);
    if (out_login->end == INVIG_END_NONE && is_single) {
        out_login->superseded = user->current;
    }
}

static void sessions_end(struct invig_sessions *sessions, struct invig_session *session,
                         enum invig_end end, int64_t now_s)
{
    session->record.end = end;
    session->record.is_turned_away = false;
    invig_journal_note(sessions->journal, &session->journal);
    if (session->user->current == session) {
        invig_sessions_set_current(sessions, session->user, NULL);
    }
    invig_sessions_touch(sessions, session->user, session, 0, now_s);
}

static void sessions_note_login(struct invig_sessions *sessions, struct invig_session *session,
                                const struct invig_claims *claims)
{
    if (!session->record.has_login) {
        invig_journal_note(sessions->journal, &session->journal);
        session->record.has_login = true;
        session->record.login_s = claims->login_s;
        session->record.login_is_lasting = claims->has_auth_time;
    }
}

/* Makes a session the one of its user. An older one that was named leaves the newest login time
 * where it is. */
static void sessions_make_current(struct invig_sessions *sessions, struct invig_session *session)
{
    struct invig_user *user = session->user;

    session->record.end = INVIG_END_NONE;
    session->record.is_single = true;
    session->record.is_turned_away = false;
    invig_sessions_set_current(sessions, user, session);
    if (session->record.has_login &&
        (!user->record.has_newest_login || session->record.login_s > user->record.newest_login_s)) {
        user->record.newest_login_s = session->record.login_s;
        user->record.has_newest_login = true;
        invig_journal_note(sessions->journal, &user->journal);
    }
}

/* Notes what a login says of its session, and makes it current where it is the only one that may
 * be. */
static void sessions_open(struct invig_sessions *sessions, const struct invig_claims *claims,
                          const struct invig_login *login)
{
    sessions_note_login(sessions, login->session, claims);
    if (login->end != INVIG_END_NONE) {
        login->session->record.end = login->end;
    } else if (invig_policy_role_is_single(sessions->policy, claims->role)) {
        sessions_make_current(sessions, login->session);
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
    sessions_note_login(sessions, login->session, claims);
    login->session->record.is_turned_away = true;
    invig_journal_note(sessions->journal, &login->session->journal);
    invig_sessions_touch(sessions, login->user, login->session,
                         claims->expires_s + sessions->policy->jwt_leeway_s, now_s);
    return INVIG_OK;
}

void invig_sessions_supersede(struct invig_sessions *sessions, struct invig_session *session,
                              int64_t now_s)
{
    if (session->record.end == INVIG_END_NONE) {
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
    sessions_make_current(sessions, session);
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
    if (!(*out_user)->record.has_revoked_before ||
        before_s > (*out_user)->record.revoked_before_s) {
        invig_journal_note(sessions->journal, &(*out_user)->journal);
        (*out_user)->record.has_revoked_before = true;
        (*out_user)->record.revoked_before_s = before_s;
    }
    invig_sessions_touch(sessions, *out_user, kept, 0, now_s);
    return INVIG_OK;
}
