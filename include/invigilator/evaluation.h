/* SPDX-License-Identifier: Apache-2.0
 *
 * evaluation.h - evaluations, and what is known of each user in each: access, status, binding,
 * block, presence. Knows nothing of connections; what follows from a change is the engine's.
 * Owns: copies of every string it stores.  Borrows: the users, which must outlive their members.
 * Not thread-safe: broker thread only.
 * Depends on: status, text, table, policy, update, record, journal, session.  Cost: lookups O(1).
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
    INVIG_MEMBER_RESEND = 8,   /* the evaluation's last message to each of its connections */
    INVIG_MEMBER_MESSAGE = 16  /* after a restart: the last message of the backend */
};

/* A user in an evaluation. What a delivery is decided by stands first. */
struct invig_member {
    struct invig_evaluation *evaluation; /* this and the user are the key */
    struct invig_user *user;
    struct invig_member_record record; /* the message is owned */
    struct invig_table_node node;
    struct invig_member *evaluation_previous; /* list of the evaluation's, oldest first */
    struct invig_member *evaluation_next;
    struct invig_member *user_previous; /* list of the user's, newest first */
    struct invig_member *user_next;
    struct invig_member_record stored; /* what the store has; the message is owned, or the same */
    struct invig_journal_node journal;
    /* From tokens: */
    unsigned claim_count;   /* open connections whose token names the evaluation */
    unsigned student_count; /* those of them under the role student */
    /* Between a change and what follows from it: */
    unsigned reach;    /* before, how many connections got what is published to all in it */
    bool is_new_block; /* it is blocked since */
    bool is_lifted;    /* its block has ended since */
    /* What follows from it: */
    bool is_counted_blocked; /* in user->blocked_count */
    bool is_unkept;          /* its last message is to be kept for other brokers */
    bool has_topic;          /* something is retained on its topic, by the backend or by us */
    /* Presence: */
    bool has_presence;     /* a message is retained */
    bool was_online;       /* what it says */
    size_t was_count;      /* what it says */
    unsigned pending;      /* enum invig_member_pending */
    uint64_t resend_below; /* with INVIG_MEMBER_RESEND: serial of the connection it went to last */
    struct invig_member *pending_previous;
    struct invig_member *pending_next;
};

struct invig_evaluation {
    struct invig_table_node node;          /* by id */
    struct invig_evaluation_record record; /* phase: the policy's word; the message is owned */
    struct invig_evaluation_record
        stored; /* what the store has; the message is owned, or the same */
    struct invig_journal_node journal;
    struct invig_journal_node republish;
    struct invig_member *first; /* members, oldest first */
    struct invig_member *last;
    int phase;      /* of the record, as index in policy.phases; -1: not known */
    bool is_strict; /* by phase, unless switched off, whatever the strict policy */
    bool is_unkept; /* its last message is to be kept for other brokers */
    size_t id_bytes;
    char id[]; /* NUL-terminated */
};

struct invig_evaluations {
    const struct invig_policy *policy; /* borrowed */
    struct invig_table by_id;
    struct invig_table members; /* by evaluation and user */
    size_t strict_count;
    struct invig_journal *journal;  /* borrowed */
    struct invig_journal republish; /* evaluations whose last message is to be published again */
    struct invig_member *pending_first; /* members with something pending, first in first out */
    struct invig_member *pending_last;
};

void invig_evaluations_init(struct invig_evaluations *evaluations,
                            const struct invig_policy *policy, struct invig_seed seed,
                            struct invig_journal *journal);

/* Releases all evaluations and members. The users must still be there. */
void invig_evaluations_deinit(struct invig_evaluations *evaluations);

/* Finds an evaluation; NULL when unknown or the text is absent. */
struct invig_evaluation *invig_evaluations_find(const struct invig_evaluations *evaluations,
                                                struct invig_text id);

/* Walks all evaluations: NULL gives the first, the last NULL. */
struct invig_evaluation *invig_evaluations_next(const struct invig_evaluations *evaluations,
                                                const struct invig_evaluation *evaluation);

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

/* Frees `evaluation` where nothing need be remembered of it and it has no members. Returns whether
 * it did. */
bool invig_evaluations_release(struct invig_evaluations *evaluations,
                               struct invig_evaluation *evaluation);

/* Sets phase (-1: not known) and whether strictness is switched off; is_strict follows. */
void invig_evaluations_set_phase(struct invig_evaluations *evaluations,
                                 struct invig_evaluation *evaluation, int phase,
                                 bool is_strict_off);

/* Notes that the record of `member` changes. To be called with every change of one. */
void invig_evaluations_note(struct invig_evaluations *evaluations, struct invig_member *member);

/* Sets the last accepted message; `message` is in memory of malloc(3) and owned from here on, or
 * absent. */
void invig_evaluations_set_message(struct invig_evaluations *evaluations,
                                   struct invig_evaluation *evaluation, struct invig_text message);
void invig_evaluations_set_member_message(struct invig_evaluations *evaluations,
                                          struct invig_member *member, struct invig_text message);

/* The record is stored now. */
void invig_evaluations_accept(struct invig_evaluation *evaluation);
void invig_evaluations_accept_member(struct invig_member *member);

/* The record could not be stored: it is again what it was. */
void invig_evaluations_undo(struct invig_evaluations *evaluations,
                            struct invig_evaluation *evaluation);
void invig_evaluations_undo_member(struct invig_evaluations *evaluations,
                                   struct invig_member *member);

/* Notes that the last message of `evaluation` is to be published again, or that there is none. */
void invig_evaluations_add_republish(struct invig_evaluations *evaluations,
                                     struct invig_evaluation *evaluation);

/* Takes out and returns the first of those, to be let go; NULL when there is none. */
struct invig_evaluation *invig_evaluations_take_republish(struct invig_evaluations *evaluations);

/* True when a record says nothing that is worth keeping. */
bool invig_member_record_is_blank(const struct invig_member_record *record);

/* True when the backend has said in which phase the evaluation is. */
bool invig_evaluation_is_known(const struct invig_evaluation *evaluation);

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
