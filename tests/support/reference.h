/* SPDX-License-Identifier: Apache-2.0
 *
 * reference.h - what the contract says of logins, bindings, blocks and access, written down a
 * second time and as plainly as possible: small numbers for names, arrays for everything, no JSON,
 * no effects. Model tests run it beside the engine. It must not be made from the engine's code.
 *
 * Where the contract leaves room this is what was decided. A token's claim gives its own connection
 * rights, no other of the user; but the user is a participant, to be bound, through any of them. A
 * name that is given where there is no binding binds at once. What `null` released stays so until
 * it is named or the evaluation is not strict any more.
 */
#ifndef INVIGILATOR_TEST_REFERENCE_H
#define INVIGILATOR_TEST_REFERENCE_H

#include "invigilator/engine.h"

enum {
    REF_STUDENTS = 3,
    REF_USERS = 4, /* the last is a professor */
    REF_SESSIONS = 8,
    REF_IDS = 5, /* client ids of each user */
    REF_EVALUATIONS = 3,
    REF_CONNECTIONS = 24,
    REF_SESSION_CONNECTIONS_MAX = 3,
    REF_NONE = -1
};

enum ref_state { REF_FREE = 0, REF_OPEN, REF_TOLD, REF_REPLACED };

struct ref_session {
    bool is_known;    /* from a login or a command */
    bool is_admitted; /* it came in with its rights, or was named */
    bool is_turned_away;
    bool has_login;
    int64_t login_s; /* the first that was seen */
    enum invig_end end;
};

struct ref_member {
    enum invig_access access;
    bool is_finished;
    int64_t version; /* REF_NONE: none */
    bool is_bound;   /* to the user's bound session */
    bool is_blocked; /* by a second login */
    int released;    /* session that may bind again only when named */
};

struct ref_user {
    struct ref_session sessions[REF_SESSIONS];
    struct ref_member members[REF_EVALUATIONS];
    int current;
    int bound;
    bool has_newest;
    int64_t newest_s;
    bool has_revoked_before;
    int64_t revoked_before_s;
};

struct ref_evaluation {
    bool has_strict_phase;
    bool is_strict_off;
    bool has_message;
    int64_t version; /* REF_NONE: none */
};

struct ref_connection {
    enum ref_state state;
    enum invig_end end; /* why it is TOLD */
    int user;
    int session;
    int id;
    unsigned claims; /* bit by evaluation */
    int64_t ends_s;
    /* The driver's own: */
    struct invig_connection *real;
    unsigned missed;  /* evaluations whose last message it is to be sent */
    unsigned notices; /* evaluations that it was told it is blocked in, in this tick */
    int64_t told_ms;  /* when it was told; REF_NONE: not yet */
    int told_ticks;   /* ticks since then */
    bool is_kicked;
};

struct reference {
    enum invig_strict_policy policy;
    int64_t now_s;
    struct ref_user users[REF_USERS];
    struct ref_evaluation evaluations[REF_EVALUATIONS];
    struct ref_connection connections[REF_CONNECTIONS];
    unsigned incidents[REF_USERS][REF_EVALUATIONS]; /* due, taken back by the driver */
};

/* A CONNECT. */
struct ref_attempt {
    int user;
    int session;
    int id;
    int64_t login_s;
    int64_t ends_s;
    unsigned claims;
};

/* A message on evaluations/{e}/users/{u}, or the command `unblock`. */
struct ref_message {
    enum invig_access access;
    enum invig_progress progress;
    int64_t version; /* REF_NONE: none */
    bool unblock;
    enum invig_said said;
    int session; /* REF_NONE: one that nobody has */
};

void reference_init(struct reference *reference, enum invig_strict_policy policy);

/* -- reference.c: logins, and what a connection may do -- */

/* Why the client is refused; NONE: it is let in, and *out_connection is it (without `real`). */
enum invig_reason reference_connect(struct reference *reference, const struct ref_attempt *attempt,
                                    struct ref_connection **out_connection);

void reference_disconnect(struct reference *reference, struct ref_connection *connection);

/* It is `now_s`: tokens run out. */
void reference_pass(struct reference *reference, int64_t now_s);

/* Each returns the number of connections that lose their rights by it. */
int reference_revoke(struct reference *reference, int user, int session);
int reference_revoke_user(struct reference *reference, int user, int except, int64_t before_s);

/* All open connections of a session that has ended are told. Returns how many. */
int reference_tell(struct reference *reference, int user, int session, enum invig_end end);

struct ref_connection *reference_holder(struct reference *reference, int user, int id);
int reference_open_count(const struct reference *reference, int user, int session);

/* A free place for a connection; NULL when there is none. */
struct ref_connection *reference_place(struct reference *reference);

/* -- reference_exam.c: evaluations -- */

bool reference_is_strict(const struct reference *reference, int evaluation);
bool reference_is_participant(const struct reference *reference, int user, int evaluation);

/* By a second login or by the backend. */
bool reference_is_blocked(const struct ref_member *member);

/* Whether `connection` is sent what is published on evaluations/{e}; may subscribe to it; sees all
 * that is about the evaluation. */
bool reference_follows(const struct reference *reference, const struct ref_connection *connection,
                       int evaluation);
bool reference_may_subscribe(const struct reference *reference,
                             const struct ref_connection *connection, int evaluation);
bool reference_supervises(const struct reference *reference,
                          const struct ref_connection *connection, int evaluation);

/* Binds whoever is to be bound now: after every event. */
void reference_settle(struct reference *reference);

void reference_unbind(struct ref_user *user, struct ref_member *member);
void reference_unbind_all(struct ref_user *user);

/* The message is accepted or not; where not, nothing has changed. `is_retained` is true for what a
 * sensible backend does. */
bool reference_say(struct reference *reference, int user, int evaluation,
                   const struct ref_message *message);
void reference_forget_user(struct reference *reference, int user, int evaluation);
bool reference_say_all(struct reference *reference, int evaluation, bool has_strict_phase,
                       const bool *strict, int64_t version);
void reference_forget(struct reference *reference, int evaluation);
bool reference_unblock(struct reference *reference, int user, int evaluation, enum invig_said said,
                       int session);

#endif
