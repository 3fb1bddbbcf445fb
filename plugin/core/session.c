/* SPDX-License-Identifier: Apache-2.0
 *
 * session.c - see session.h: users and sessions as records, and what need not be kept. What logins
 * and commands do to them is in session_login.c.
 */
#include "session_private.h"

#include <stdlib.h>
#include <string.h>

enum { SECONDS_PER_DAY = 86400, BUSY_USER_RECHECK_S = 3600 };

static int64_t time_max(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t time_min(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t sessions_ttl_s(const struct invig_sessions *sessions)
{
    return sessions->policy->revocation_ttl_days * SECONDS_PER_DAY;
}

static struct invig_user *user_of_node(struct invig_table_node *node)
{
    return (struct invig_user *)(void *)((char *)node - offsetof(struct invig_user, node));
}

static struct invig_user *user_of_timer(struct invig_timer *timer)
{
    return (struct invig_user *)(void *)((char *)timer - offsetof(struct invig_user, timer));
}

void invig_sessions_init(struct invig_sessions *sessions, const struct invig_policy *policy,
                         struct invig_seed seed, struct invig_timers *timers,
                         struct invig_journal *journal)
{
    sessions->policy = policy;
    sessions->timers = timers;
    sessions->journal = journal;
    invig_table_init(&sessions->users, seed);
}

static void user_remove_session(struct invig_sessions *sessions, struct invig_user *user,
                                struct invig_session **link)
{
    struct invig_session *session = *link;

    *link = session->next;
    user->session_count--;
    sessions->revoked_count -= session->stored.end == INVIG_END_REVOKED;
    if (user->current == session) {
        user->current = NULL;
    }
    invig_journal_remove(sessions->journal, &session->journal);
    free(session);
}

static void sessions_drop_user(struct invig_sessions *sessions, struct invig_user *user)
{
    invig_table_remove(&sessions->users, &user->node);
    invig_timers_cancel(sessions->timers, &user->timer);
    while (user->sessions != NULL) {
        user_remove_session(sessions, user, &user->sessions);
    }
    invig_journal_remove(sessions->journal, &user->journal);
    invig_shared_free(&sessions->shares, user->shared);
    free(user);
}

void invig_sessions_deinit(struct invig_sessions *sessions)
{
    struct invig_table_node *node = invig_table_next(&sessions->users, NULL);

    while (node != NULL) {
        struct invig_table_node *next = invig_table_next(&sessions->users, node);
        sessions_drop_user(sessions, user_of_node(node));
        node = next;
    }
    invig_table_deinit(&sessions->users);
}

struct invig_user *invig_sessions_find_user(const struct invig_sessions *sessions,
                                            struct invig_text user)
{
    struct invig_table_node *node;

    if (user.data == NULL) {
        return NULL;
    }
    node = invig_table_find(&sessions->users, user.data, user.length);
    return node == NULL ? NULL : user_of_node(node);
}

struct invig_user *invig_sessions_next_user(const struct invig_sessions *sessions,
                                            const struct invig_user *user)
{
    struct invig_table_node *node =
        invig_table_next(&sessions->users, user == NULL ? NULL : &user->node);

    return node == NULL ? NULL : user_of_node(node);
}

struct invig_session *invig_user_find_session(const struct invig_user *user,
                                              struct invig_text session)
{
    struct invig_session *found = user == NULL ? NULL : user->sessions;

    while (found != NULL && !invig_text_equal(invig_session_text(found), session)) {
        found = found->next;
    }
    return found;
}

/* A superseded session that would be judged superseded again if it were forgotten: a newer token of
 * it says the same login time, and that is before the newest login. */
static bool session_is_superseded_for_good(const struct invig_session *session)
{
    const struct invig_user *user = session->user;

    return session->record.end == INVIG_END_SUPERSEDED && session->connection_count == 0 &&
           session->record.login_is_lasting &&
           session->record.login_s < user->record.newest_login_s;
}

/* A session that would be turned away again, and reported again, if it were forgotten. */
static bool session_is_turned_away(const struct invig_session *session)
{
    return session->record.is_turned_away && session->connection_count == 0;
}

/* The oldest record of which `is_dispensable` says so; NULL when there is none. */
static struct invig_session **user_find_oldest(struct invig_user *user,
                                               bool (*is_dispensable)(const struct invig_session *))
{
    struct invig_session **oldest = NULL;

    for (struct invig_session **link = &user->sessions; *link != NULL; link = &(*link)->next) {
        oldest = is_dispensable(*link) ? link : oldest;
    }
    return oldest;
}

/* Makes room for one more session. Returns false when none can be let go. */
static bool user_make_room(struct invig_sessions *sessions, struct invig_user *user)
{
    struct invig_session **oldest;

    if (user->session_count < INVIG_USER_SESSIONS_MAX) {
        return true;
    }
    oldest = user_find_oldest(user, session_is_superseded_for_good);
    if (oldest == NULL) {
        oldest = user_find_oldest(user, session_is_turned_away);
    }
    if (oldest == NULL) {
        return false;
    }
    user_remove_session(sessions, user, oldest);
    return true;
}

static enum invig_status sessions_add_user(struct invig_sessions *sessions, struct invig_text id,
                                           int64_t now_s, struct invig_user **out_user)
{
    struct invig_user *user = calloc(1, sizeof(*user) + id.length + 1);

    if (user == NULL) {
        return INVIG_ERR_NO_MEMORY;
    }
    memcpy(user->id, id.data, id.length);
    user->id_bytes = (unsigned)id.length;
    user->timer.kind = INVIG_TIMER_USER;
    user->journal.kind = INVIG_JOURNAL_USER;
    if (!invig_table_add(&sessions->users, &user->node, user->id, user->id_bytes)) {
        free(user);
        return INVIG_ERR_NO_MEMORY;
    }
    if (invig_timers_set(sessions->timers, &user->timer, now_s + sessions_ttl_s(sessions)) !=
        INVIG_OK) {
        sessions_drop_user(sessions, user);
        return INVIG_ERR_NO_MEMORY;
    }
    *out_user = user;
    return INVIG_OK;
}

static enum invig_status user_add_session(struct invig_sessions *sessions, struct invig_user *user,
                                          struct invig_text id, struct invig_session **out_session)
{
    struct invig_session *session;

    if (!user_make_room(sessions, user)) {
        return INVIG_ERR_FULL;
    }
    session = calloc(1, sizeof(*session) + id.length + 1);
    if (session == NULL) {
        return INVIG_ERR_NO_MEMORY;
    }
    memcpy(session->id, id.data, id.length);
    session->id_bytes = (unsigned)id.length;
    session->user = user;
    session->journal.kind = INVIG_JOURNAL_SESSION;
    session->record.serial = ++sessions->newest_serial;
    session->next = user->sessions;
    user->sessions = session;
    user->session_count++;
    *out_session = session;
    return INVIG_OK;
}

static void user_drop_session(struct invig_sessions *sessions, struct invig_session *session)
{
    struct invig_session **link = &session->user->sessions;

    while (*link != session) {
        link = &(*link)->next;
    }
    user_remove_session(sessions, session->user, link);
}

enum invig_status invig_sessions_adopt(struct invig_sessions *sessions, struct invig_user *user,
                                       struct invig_text session,
                                       struct invig_session **out_session)
{
    *out_session = invig_user_find_session(user, session);
    return *out_session != NULL ? INVIG_OK : user_add_session(sessions, user, session, out_session);
}

void invig_sessions_forget(struct invig_sessions *sessions, struct invig_session *session)
{
    if (session->connection_count == 0 && session->user->current != session) {
        user_drop_session(sessions, session);
    }
}

enum invig_status invig_sessions_require(struct invig_sessions *sessions, struct invig_text user_id,
                                         struct invig_text session_id, int64_t now_s,
                                         struct invig_user **out_user,
                                         struct invig_session **out_session)
{
    struct invig_user *user = invig_sessions_find_user(sessions, user_id);
    struct invig_session *session = invig_user_find_session(user, session_id);
    bool is_new = user == NULL;
    enum invig_status status;

    if (is_new) {
        status = sessions_add_user(sessions, user_id, now_s, &user);
        if (status != INVIG_OK) {
            return status;
        }
    }
    if (session == NULL && session_id.data != NULL) {
        status = user_add_session(sessions, user, session_id, &session);
        if (status != INVIG_OK) {
            if (is_new) {
                sessions_drop_user(sessions, user);
            }
            return status;
        }
    }
    *out_user = user;
    *out_session = session;
    return INVIG_OK;
}

enum invig_status invig_sessions_require_user(struct invig_sessions *sessions,
                                              struct invig_text user, int64_t now_s,
                                              struct invig_user **out_user)
{
    struct invig_session *none = NULL;

    return invig_sessions_require(sessions, user, (struct invig_text){NULL, 0}, now_s, out_user,
                                  &none);
}

void invig_sessions_touch(struct invig_sessions *sessions, struct invig_user *user,
                          struct invig_session *session, int64_t ends_s, int64_t now_s)
{
    int64_t until_s = time_max(ends_s, now_s + sessions_ttl_s(sessions));

    if (until_s > user->record.kept_until_s) {
        user->record.kept_until_s = until_s;
        invig_journal_note(sessions->journal, &user->journal);
    }
    if (session != NULL && until_s > session->record.kept_until_s) {
        session->record.kept_until_s = until_s;
        invig_journal_note(sessions->journal, &session->journal);
    }
}

void invig_sessions_set_current(struct invig_sessions *sessions, struct invig_user *user,
                                struct invig_session *session)
{
    if (user->current == session) {
        return;
    }
    if (user->current != NULL) {
        user->current->record.is_current = false;
        invig_journal_note(sessions->journal, &user->current->journal);
    }
    user->current = session;
    if (session != NULL) {
        session->record.is_current = true;
        invig_journal_note(sessions->journal, &session->journal);
    }
}

void invig_sessions_raise_serial(struct invig_sessions *sessions, uint64_t serial)
{
    if (serial > sessions->newest_serial) {
        sessions->newest_serial = serial;
    }
}

enum invig_status invig_sessions_load(struct invig_sessions *sessions, struct invig_text user_id,
                                      struct invig_text session_id,
                                      const struct invig_session_record *record, int64_t now_s)
{
    struct invig_user *user = NULL;
    struct invig_session *session = NULL;
    enum invig_status status =
        invig_sessions_require(sessions, user_id, session_id, now_s, &user, &session);

    if (status != INVIG_OK) {
        return status;
    }
    if (record->serial > INVIG_SERIAL_MAX ||
        (record->is_current &&
         (record->end != INVIG_END_NONE || record->is_turned_away || !record->is_single))) {
        return INVIG_ERR_FORMAT;
    }
    /* One that was current and forgotten before this one came may still have its record. */
    if (record->is_current && user->current != NULL) {
        user->current->record.is_current = false;
        user->current->record.end = INVIG_END_SUPERSEDED;
        invig_journal_note(sessions->journal, &user->current->journal);
    }
    session->record = *record;
    session->stored = *record;
    invig_sessions_raise_serial(sessions, record->serial);
    sessions->revoked_count += record->end == INVIG_END_REVOKED;
    if (record->is_current) {
        user->current = session;
    }
    return INVIG_OK;
}

void invig_sessions_accept(struct invig_sessions *sessions, struct invig_session *session)
{
    const struct invig_session_record *record = &session->record;
    struct invig_session_record *stored = &session->stored;

    /* One that is unseen and superseded already was never anything else. */
    sessions->invalidated_count += record->end != INVIG_END_NONE && stored->end == INVIG_END_NONE &&
                                   (stored->serial != 0 || record->end == INVIG_END_REVOKED);
    sessions->revoked_count += record->end == INVIG_END_REVOKED;
    sessions->revoked_count -= stored->end == INVIG_END_REVOKED;
    *stored = *record;
}

void invig_sessions_undo(struct invig_sessions *sessions, struct invig_session *session)
{
    struct invig_user *user = session->user;

    invig_journal_remove(sessions->journal, &session->journal);
    if (session->stored.serial == 0 && session->connection_count == 0) {
        user_drop_session(sessions, session);
        return;
    }
    session->record = session->stored;
    if (session->record.is_current) {
        user->current = session;
    } else if (user->current == session) {
        user->current = NULL;
    }
}

/* Forgets sessions that are due and returns when the next one is; INT64_MAX when none is left. */
static int64_t user_forget_sessions(struct invig_sessions *sessions, struct invig_user *user,
                                    int64_t now_s)
{
    int64_t next_s = INT64_MAX;
    struct invig_session **link = &user->sessions;

    while (*link != NULL) {
        if ((*link)->record.kept_until_s < now_s && (*link)->connection_count == 0 &&
            !(user->bound_count > 0 && user->current == *link)) {
            user_remove_session(sessions, user, link);
        } else {
            next_s = time_min(next_s, (*link)->record.kept_until_s);
            link = &(*link)->next;
        }
    }
    return next_s;
}

void invig_sessions_handle_timer(struct invig_sessions *sessions, struct invig_timer *timer,
                                 int64_t now_s)
{
    struct invig_user *user = user_of_timer(timer);
    int64_t next_s = user_forget_sessions(sessions, user, now_s);

    if (user->shared != NULL) { /* what is forgotten here is to be forgotten by all */
        invig_shares_add(&sessions->shares, user->shared);
    }

    if (user->record.kept_until_s < now_s) {
        if (user->session_count == 0 && user->connections == NULL && user->members == NULL &&
            (user->shared == NULL || user->shared->agreed.data == NULL)) {
            sessions_drop_user(sessions, user);
            return;
        }
    } else {
        next_s = time_min(next_s, user->record.kept_until_s);
    }
    /* One second later: the limits are inclusive. A user who is connected beyond all of them is
     * looked at again after a while. The timer was set before, so there is room for it. */
    next_s = next_s <= now_s || next_s == INT64_MAX ? now_s + BUSY_USER_RECHECK_S : next_s + 1;
    (void)invig_timers_set(sessions->timers, timer, next_s);
}
