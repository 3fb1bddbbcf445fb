/* SPDX-License-Identifier: Apache-2.0
 *
 * outbox.h - messages that wait for the next tick: incidents to everybody, refusals and answers to
 * one connection. First in, first out. Each is made complete first, which can fail, and put in
 * then, which cannot.
 * Owns: the letters and every string in them.  Depends on: text, notice.
 */
#ifndef INVIGILATOR_OUTBOX_H
#define INVIGILATOR_OUTBOX_H

#include "invigilator/notice.h"

/* Letters that may wait; beyond, what would make one more is refused. */
enum {
    INVIG_OUTBOX_MAX = 4096,
    INVIG_OUTBOX_INCIDENTS = 1024 /* of them, those that only incidents may take: without room for
                                     them no second login can be turned away */
};

struct invig_connection;

struct invig_letter {
    struct invig_letter *next;
    const struct invig_connection *connection; /* who gets it; NULL: everybody */
    struct invig_notice notice;                /* texts are views into the letter's own memory */
    char *json;                                /* what is sent instead of the notice; NULL: none */
    /* Behind the struct, in the same memory: the texts of the notice. */
};

/* Zeroed memory is an empty outbox. */
struct invig_outbox {
    struct invig_letter *first;
    struct invig_letter *last;
    size_t count;
};

/* Makes a letter with a copy of `notice`. Returns NULL when memory is out. */
struct invig_letter *invig_letter_new(const struct invig_notice *notice,
                                      const struct invig_connection *connection);

/* Makes a letter of `json`, which it takes over (also on failure). Returns NULL when memory is out
 * or `json` is NULL. */
struct invig_letter *invig_letter_new_json(char *json, const struct invig_connection *connection);

void invig_letter_free(struct invig_letter *letter); /* NULL is allowed */

void invig_letters_free(struct invig_letter *chain); /* NULL is allowed */

/* True when `count` more incidents have room. */
bool invig_outbox_has_room(const struct invig_outbox *outbox, size_t count);

/* True when one more answer or refusal has room. */
bool invig_outbox_has_room_to_answer(const struct invig_outbox *outbox);

/* Puts a letter, or a chain of them by `next`, at the end. NULL is allowed. */
void invig_outbox_add(struct invig_outbox *outbox, struct invig_letter *letter);

/* Puts a letter back that was taken out last. */
void invig_outbox_return(struct invig_outbox *outbox, struct invig_letter *letter);

/* Takes out the first letter, to be freed by the caller; NULL when there is none. */
struct invig_letter *invig_outbox_pop(struct invig_outbox *outbox);

/* Letters to `from` go to `to` from here on. */
void invig_outbox_readdress(struct invig_outbox *outbox, const struct invig_connection *from,
                            const struct invig_connection *to);

/* Drops the letters to `connection`, which goes away. */
void invig_outbox_drop(struct invig_outbox *outbox, const struct invig_connection *connection);

/* Frees all letters. */
void invig_outbox_deinit(struct invig_outbox *outbox);

#endif
