/* SPDX-License-Identifier: Apache-2.0
 *
 * session.h - users and their login sessions: which one is current, which ones have ended, and what
 * a new login would mean. Knows nothing of messages; ending the connections of a session is the
 * engine's. Owns: copies of every string it stores.  Not thread-safe: broker thread only. Depends
 * on: status, text, table, timer, policy, claims, shared, notice (enum invig_end). Cost: lookups
 * O(1) in users, O(sessions of the user) within one.
 */
#ifndef INVIGILATOR_SESSION_H
#define INVIGILATOR_SESSION_H

#include "invigilator/claims.h"
#include "invigilator/journal.h"
#include "invigilator/record.h"
#include "invigilator/shared.h"
#include "invigilator/table.h"
#include "invigilator/timer.h"

/* Sessions, ended ones included, that are remembered of one user. */
enum { INVIG_USER_SESSIONS_MAX = 256 };

struct invig_connection;
struct invig_member;

/* One login of a user. */
struct invig_session {
    struct invig_session *next; /* of the same user, newest record first */
    struct invig_user *user;
    struct invig_session_record record; /* is_current: it is user->current */
    struct invig_session_record stored; /* what the store has; serial 0: nothing */
    struct invig_journal_node journal;
    uint64_t address_hash;     /* while bound: of the first address it came from; 0: none */
    unsigned open_count;       /* connections in state INVIG_CONNECTION_OPEN */
    unsigned connection_count; /* in any state: while there is one, it is not forgotten */
    unsigned id_bytes;
    char id[]; /* NUL-terminated */
};

struct invig_user {
    struct invig_table_node node; /* by id */
    struct invig_timer timer;     /* when to look for what can be forgotten */
    struct invig_user_record record;
    struct invig_user_record stored; /* what the store has; kept_until_s 0: nothing */
    struct invig_journal_node journal;
    struct invig_session *sessions;
    struct invig_session *current;        /* the one session of a single-session role, and the one
                                             that strict evaluations are bound to; NULL: none */
    struct invig_connection *connections; /* all of this user's, in any state; the engine's list */
    struct invig_member *members;         /* what is known of it in evaluations; their list */
    struct invig_shared *shared;          /* with other brokers; NULL: nothing */
    int64_t presence_since_s;        /* when it came online or went offline; Unix seconds UTC */
    enum invig_cause presence_cause; /* why */
    unsigned session_count;
    unsigned open_count;       /* connections in state INVIG_CONNECTION_OPEN */
    unsigned connection_count; /* all of them */
    unsigned bound_count;      /* evaluations in which it is bound */
    unsigned blocked_count;    /* evaluations in which it is blocked */
    unsigned id_bytes;
    char id[]; /* NUL-terminated */
};

/* Views of the ids. */
static inline struct invig_text invig_user_text(const struct invig_user *user)
{
    return (struct invig_text){user->id, user->id_bytes};
}

static inline struct invig_text invig_session_text(const struct invig_session *session)
{
    return (struct invig_text){session->id, session->id_bytes};
}

/* Its connections, those on other brokers included. */
static inline size_t invig_user_connections(const struct invig_user *user)
{
    return user->open_count + (user->shared == NULL ? 0 : user->shared->elsewhere_count);
}

struct invig_sessions {
    const struct invig_policy *policy; /* borrowed */
    struct invig_table users;
    struct invig_timers *timers;   /* borrowed; shared with the connections */
    struct invig_journal *journal; /* borrowed; shared with the evaluations */
    struct invig_shares shares;    /* of the users */
    uint64_t newest_serial;
    uint64_t invalidated_count; /* sessions superseded or revoked, since the start */
    uint64_t revoked_count;     /* revoked ones that are remembered now */
};

/* What a login means, before anything is changed. */
struct invig_login {
    enum invig_end end;            /* INVIG_END_NONE: it may come in; else why it is turned away */
    struct invig_user *user;       /* NULL: never seen */
    struct invig_session *session; /* NULL: never seen */
    struct invig_session *superseded; /* the session that it ends; NULL: none */
};

/* `timers` receives timers of kind INVIG_TIMER_USER; `journal` what is changed. */
enum { INVIG_TIMER_USER = 1, INVIG_TIMER_CONNECTION = 2 };

void invig_sessions_init(struct invig_sessions *sessions, const struct invig_policy *policy,
                         struct invig_seed seed, struct invig_timers *timers,
                         struct invig_journal *journal);

/* Releases all users. Their connections must be gone. */
void invig_sessions_deinit(struct invig_sessions *sessions);

/* Finds a user; NULL when unknown or the text is absent. */
struct invig_user *invig_sessions_find_user(const struct invig_sessions *sessions,
                                            struct invig_text user);

/* Walks all users, in the order in which they became known: NULL gives the first, the last NULL. */
struct invig_user *invig_sessions_next_user(const struct invig_sessions *sessions,
                                            const struct invig_user *user);

/* Finds a session of `user`; NULL when unknown, or `user` is NULL. */
struct invig_session *invig_user_find_session(const struct invig_user *user,
                                              struct invig_text session);

/* Decides what a login with `claims` would mean. Changes nothing.
 * The order of the rules: an ended session stays ended; a session that is known and not ended comes
 * in; an unseen one from before the user's revocation is revoked; under a single-session role one
 * from before the newest login is superseded, and any other supersedes the current one. */
void invig_sessions_judge(const struct invig_sessions *sessions, const struct invig_claims *claims,
                          struct invig_login *out_login);

/* Carries out what was judged: creates user and session where unseen, ends the superseded one,
 * makes the session current. Where login->end is not NONE the session is recorded with that end.
 *
 *   login   from invig_sessions_judge with the same claims and no change in between; in/out: user
 * and session are filled in; session stays NULL for claims without one now_s   Unix seconds UTC
 *
 * Returns INVIG_OK, or with nothing changed but room made
 *   INVIG_ERR_FULL       the user has INVIG_USER_SESSIONS_MAX sessions and none can be let go
 *   INVIG_ERR_NO_MEMORY  allocation failed */
enum invig_status invig_sessions_commit(struct invig_sessions *sessions,
                                        const struct invig_claims *claims, int64_t now_s,
                                        struct invig_login *login);

/* Finds or creates a user. Returns INVIG_OK or INVIG_ERR_NO_MEMORY. One that is created and not
 * used is forgotten by its timer. */
enum invig_status invig_sessions_require_user(struct invig_sessions *sessions,
                                              struct invig_text user, int64_t now_s,
                                              struct invig_user **out_user);

/* Records a login that is turned away because another session is bound: its session becomes known
 * without becoming current. Arguments and errors as of invig_sessions_commit. */
enum invig_status invig_sessions_turn_away(struct invig_sessions *sessions,
                                           const struct invig_claims *claims, int64_t now_s,
                                           struct invig_login *login);

/* Supersedes a session that has not ended; does nothing to one that has. */
void invig_sessions_supersede(struct invig_sessions *sessions, struct invig_session *session,
                              int64_t now_s);

/* Makes a session that is not revoked the current one of its user, also one that was superseded.
 * The one that was current is superseded; *out_superseded receives it, NULL when it is the same or
 * there was none. */
void invig_sessions_name(struct invig_sessions *sessions, struct invig_session *session,
                         int64_t now_s, struct invig_session **out_superseded);

/* Notes at `now_s` that a connection of `session` (NULL: of the user alone) opens or closes whose
 * token is of no more use from `ends_s` on, exp plus leeway; 0 where there is no token. Both are
 * kept at least until then, and for the time that ended sessions are kept. */
void invig_sessions_touch(struct invig_sessions *sessions, struct invig_user *user,
                          struct invig_session *session, int64_t ends_s, int64_t now_s);

/* Revokes one session, known or not. *out_session receives it, its `end` INVIG_END_REVOKED.
 * Returns INVIG_OK, or with nothing changed INVIG_ERR_INVALID (an id is none), INVIG_ERR_FULL or
 * INVIG_ERR_NO_MEMORY. */
enum invig_status invig_sessions_revoke(struct invig_sessions *sessions, struct invig_text user,
                                        struct invig_text session, int64_t now_s,
                                        struct invig_session **out_session);

/* Revokes all known sessions of a user but `except` (absent: none), and makes unseen ones with a
 * login time before `before_s` count as revoked. *out_user receives the user. Returns as
 * invig_sessions_revoke. */
enum invig_status invig_sessions_revoke_user(struct invig_sessions *sessions,
                                             struct invig_text user, struct invig_text except,
                                             int64_t before_s, int64_t now_s,
                                             struct invig_user **out_user);

/* Serials of records that are taken from a store; beyond, counting on would come to its end. */
#define INVIG_SERIAL_MAX (UINT64_MAX / 2)

/* Takes a session's record from the store; they come by rising serial, and of two current ones of a
 * user the later is. Returns as invig_sessions_revoke, or INVIG_ERR_FORMAT for a record that cannot
 * be. */
enum invig_status invig_sessions_load(struct invig_sessions *sessions, struct invig_text user,
                                      struct invig_text session,
                                      const struct invig_session_record *record, int64_t now_s);

/* Finds or creates a session of `user` that another broker has seen. Returns INVIG_OK, or with
 * nothing changed INVIG_ERR_FULL or INVIG_ERR_NO_MEMORY. */
enum invig_status invig_sessions_adopt(struct invig_sessions *sessions, struct invig_user *user,
                                       struct invig_text session,
                                       struct invig_session **out_session);

/* Forgets a session that no connection has and that is not the current one. */
void invig_sessions_forget(struct invig_sessions *sessions, struct invig_session *session);

/* Makes `session` (NULL: none) the current one of `user`. */
void invig_sessions_set_current(struct invig_sessions *sessions, struct invig_user *user,
                                struct invig_session *session);

/* Makes serials go on behind `serial`. */
void invig_sessions_raise_serial(struct invig_sessions *sessions, uint64_t serial);

/* The record of `session` is stored now: counts what has become of it. */
void invig_sessions_accept(struct invig_sessions *sessions, struct invig_session *session);

/* The record of `session` could not be stored: it is again what it was. A session that was made for
 * it and has no connection is freed. */
void invig_sessions_undo(struct invig_sessions *sessions, struct invig_session *session);

/* Handles a due timer of kind INVIG_TIMER_USER: forgets what need not be kept any longer; the user
 * may be freed by it. */
void invig_sessions_handle_timer(struct invig_sessions *sessions, struct invig_timer *timer,
                                 int64_t now_s);

#endif
