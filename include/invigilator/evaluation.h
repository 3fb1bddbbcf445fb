/* SPDX-License-Identifier: Apache-2.0
 *
 * evaluation.h - evaluations, and what is known of each user in each: access, status, binding,
 * block, presence. Knows nothing of connections; what follows from a change is the engine's.
 * Owns: copies of every string it stores.  Borrows: the users, which must outlive their members.
 * Not thread-safe: broker thread only.
 * Depends on: status, text, table, policy, update, session.  Cost: lookups O(1).
 */
#ifndef INVIGILATOR_EVALUATION_H
#define INVIGILATOR_EVALUATION_H

#include "invigilator/session.h"
#include "invigilator/update.h"

enum {
    INVIG_EVALUATIONS_KNOWN_MAX = 65536, /* evaluations in all */
    INVIG_MEMBERS_KNOWN_MAX = 1048576    /* pairs of user and evaluation in all */
};

/* What is still to be published of a member; bits. */
enum invig_member_pending {
    INVIG_MEMBER_COPY = 1,     /* the message on its topic with the access that counts */
    INVIG_MEMBER_CLEAR = 2,    /* nothing is to be retained on its topic any more */
    INVIG_MEMBER_PRESENCE = 4, /* its presence, or that there is none */
    INVIG_MEMBER_RESEND = 8    /* the evaluation's last message to each of its connections */
};

struct invig_member_key {
    const struct invig_evaluation *evaluation;
    const struct invig_user *user;
};

/* A user in an evaluation. */
struct invig_member {
    struct invig_table_node node;
    struct invig_member_key key;
    struct invig_evaluation *evaluation;
    struct invig_user *user;
    struct invig_member *evaluation_previous; /* list of the evaluation's, oldest first */
    struct invig_member *evaluation_next;
    struct invig_member *user_previous; /* list of the user's, newest first */
    struct invig_member *user_next;
    /* From tokens: */
    size_t claim_count;   /* open connections whose token names the evaluation */
    size_t student_count; /* those of them under the role student */
    bool was_student;     /* there was one; kept while the evaluation is known, to list it */
    /* From the backend: */
    enum invig_access access;
    int64_t access_since_s; /* Unix seconds UTC */
    bool is_finished;       /* status FINISHED */
    bool has_version;
    int64_t version;
    struct invig_text message; /* the last accepted one, owned; absent: none */
    bool has_topic;            /* something is retained on its topic, by the backend or by us */
    /* While the evaluation is strict: */
    bool is_bound;            /* to user->bound */
    uint64_t released_serial; /* session that binds again only when it is named; 0: none */
    bool is_shared_reported;  /* SHARED_SESSION was, for this binding */
    bool is_blocked;          /* SECOND_LOGIN */
    int64_t blocked_since_s;  /* Unix seconds UTC */
    /* Presence: */
    bool has_connected;    /* the user had a connection while a participant */
    bool has_presence;     /* a message is retained */
    bool was_online;       /* what it says */
    size_t was_count;      /* what it says */
    unsigned pending;      /* enum invig_member_pending */
    uint64_t resend_below; /* with INVIG_MEMBER_RESEND: serial of the connection it went to last */
    struct invig_member *pending_previous;
    struct invig_member *pending_next;
};

struct invig_evaluation {
    struct invig_table_node node; /* by id */
    struct invig_member *first;   /* members, oldest first */
    struct invig_member *last;
    int phase;          /* index in policy.phases; -1: not known */
    bool is_strict_off; /* "strict": false was said */
    bool is_strict;     /* by phase, unless switched off, whatever the strict policy */
    bool has_version;
    int64_t version;
    char end_at[INVIG_TIMESTAMP_BYTES_MAX + 1]; /* empty: none */
    struct invig_text message;                  /* the last accepted one, owned; absent: none */
    size_t id_bytes;
    char id[]; /* NUL-terminated */
};

struct invig_evaluations {
    const struct invig_policy *policy; /* borrowed */
    struct invig_table by_id;
    struct invig_table members; /* by invig_member_key */
    size_t strict_count;
    struct invig_member *pending_first; /* members with something pending, first in first out */
    struct invig_member *pending_last;
};

void invig_evaluations_init(struct invig_evaluations *evaluations,
                            const struct invig_policy *policy, struct invig_seed seed);

/* Releases all evaluations and members. The users must still be there. */
void invig_evaluations_deinit(struct invig_evaluations *evaluations);

/* Finds an evaluation; NULL when unknown or the text is absent. */
struct invig_evaluation *invig_evaluations_find(const struct invig_evaluations *evaluations,
                                                struct invig_text id);

/* Finds what is known of `user` in `evaluation`; NULL when nothing is, or either is NULL. */
struct invig_member *invig_evaluations_find_member(const struct invig_evaluations *evaluations,
                                                   const struct invig_evaluation *evaluation,
                                                   const struct invig_user *user);

/* Finds or creates an evaluation. Returns INVIG_OK, INVIG_ERR_FULL or INVIG_ERR_NO_MEMORY. What is
 * created and not used is to be let go with invig_evaluations_release. */
enum invig_status invig_evaluations_require(struct invig_evaluations *evaluations,
                                            struct invig_text id,
                                            struct invig_evaluation **out_evaluation);

/* Finds or creates a member, as invig_evaluations_require. */
enum invig_status invig_evaluations_require_member(struct invig_evaluations *evaluations,
                                                   struct invig_evaluation *evaluation,
                                                   struct invig_user *user,
                                                   struct invig_member **out_member);

/* Frees `member` where nothing need be remembered of it. Returns whether it did. */
bool invig_evaluations_release_member(struct invig_evaluations *evaluations,
                                      struct invig_member *member);

/* Frees `evaluation` where nothing need be remembered of it and it has no members. */
void invig_evaluations_release(struct invig_evaluations *evaluations,
                               struct invig_evaluation *evaluation);

/* Sets phase (-1: not known) and whether strictness is switched off; is_strict follows. */
void invig_evaluations_set_phase(struct invig_evaluations *evaluations,
                                 struct invig_evaluation *evaluation, int phase,
                                 bool is_strict_off);

/* Notes that `what` (enum invig_member_pending) is to be published. */
void invig_evaluations_add_pending(struct invig_evaluations *evaluations,
                                   struct invig_member *member, unsigned what);

/* Notes that `what` need not be published any more. */
void invig_evaluations_remove_pending(struct invig_evaluations *evaluations,
                                      struct invig_member *member, unsigned what);

/* True when the user may follow the evaluation, blocked or not: by what the backend says, or by the
 * token of a connection that is open. */
bool invig_member_is_participant(const struct invig_member *member);

/* True when the user is stopped in it: by a second login, or by the backend. */
bool invig_member_is_blocked(const struct invig_member *member);

/* True when its presence is to be known. */
bool invig_member_has_presence(const struct invig_evaluations *evaluations,
                               const struct invig_member *member);

#endif
