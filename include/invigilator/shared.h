/* SPDX-License-Identifier: Apache-2.0
 *
 * shared.h - what is known of one user between this broker and the others: the portrait that all
 * have, the one that was offered, and how many connections the user has elsewhere.
 * Owns: copies of every string it stores.  Not thread-safe: broker thread only.
 * Depends on: text, portrait.
 */
#ifndef INVIGILATOR_SHARED_H
#define INVIGILATOR_SHARED_H

#include "invigilator/portrait.h"

struct invig_user;

/* Connections of the user on another broker. */
struct invig_elsewhere {
    struct invig_elsewhere *next;
    struct invig_portrait_presence presence; /* its broker is in the same memory */
};

struct invig_shared {
    struct invig_user *user;
    struct invig_shared *previous; /* list of those to be offered */
    struct invig_shared *next;
    bool is_listed;
    bool is_stale;             /* there was no memory for what the server has: to be offered in any
                                  case, since that is refused, and brings it again */
    uint64_t revision;         /* of `agreed`; 0: nothing is agreed */
    struct invig_text agreed;  /* the text that all brokers have; absent: none */
    bool is_offered;           /* `offered` waits for its answer */
    struct invig_text offered; /* absent: that nothing is known any more */
    uint64_t round;            /* in which the server had it; see invig_shares */
    struct invig_elsewhere *elsewhere;
    size_t elsewhere_count; /* connections */
};

/* Zeroed memory is ready to use. */
struct invig_shares {
    struct invig_shared *first; /* those to be offered, first in first out */
    struct invig_shared *last;
    uint64_t round; /* rises each time the server is lost */
};

/* What is shared of `user`, which keeps it in *slot; made where there is nothing yet. Returns NULL
 * when memory is out. */
struct invig_shared *invig_shared_require(struct invig_shared **slot, struct invig_user *user);

/* Frees it. NULL is allowed. */
void invig_shared_free(struct invig_shares *shares, struct invig_shared *shared);

/* Notes that the user's portrait may be another one. */
void invig_shares_add(struct invig_shares *shares, struct invig_shared *shared);
void invig_shares_remove(struct invig_shares *shares, struct invig_shared *shared);

/* All agree on `text` (absent: nothing), which is of malloc(3) and owned from here on. */
void invig_shared_agree(struct invig_shared *shared, struct invig_text text, uint64_t revision);

/* `text` (absent: nothing), of malloc(3) and owned from here on, waits for its answer. None waits
 * yet.
 */
void invig_shared_offer(struct invig_shared *shared, struct invig_text text);

/* The answer to an offer: all agree on it, or it is void. */
void invig_shared_accept(struct invig_shared *shared, uint64_t revision);
void invig_shared_withdraw(struct invig_shared *shared);

/* Takes from a portrait how many connections the user has on brokers other than `self`. Returns
 * false, with nothing changed, when memory is out. */
bool invig_shared_set_elsewhere(struct invig_shared *shared, const struct invig_portrait *portrait,
                                struct invig_text self);

/* The broker of this name is gone, and the user's connections there. Returns whether there were
 * any.
 */
bool invig_shared_forget_broker(struct invig_shared *shared, struct invig_text broker);

#endif
