/* SPDX-License-Identifier: Apache-2.0
 *
 * compare.h - the engine in its world and the reference model side by side, and whether they agree.
 * Failures are cmocka's.
 */
#ifndef INVIGILATOR_TEST_COMPARE_H
#define INVIGILATOR_TEST_COMPARE_H

#include "reference.h"
#include "world.h"

enum { COMPARE_TEXT_BYTES = 64, HISTORY_LINES = 300, HISTORY_LINE_BYTES = 256 };

struct pair {
    struct world world;
    struct reference reference;
    uint64_t random_state;
    /* What stands retained on evaluations/{e}/users/{u}; UNSAID: nothing, or nothing of access. */
    enum invig_access retained[REF_USERS][REF_EVALUATIONS];
    int stale_ticks[REF_USERS][REF_EVALUATIONS]; /* since when it has not been what it should be */
    size_t refused;                              /* messages, since the last tick */
    unsigned follows[REF_CONNECTIONS]; /* before the event: which evaluations it may follow */
    bool was_open[REF_CONNECTIONS];    /* before the event */
    char history[HISTORY_LINES][HISTORY_LINE_BYTES];
    size_t history_length;
};

void pair_init(struct pair *pair, enum invig_strict_policy policy);
void pair_deinit(struct pair *pair);

uint32_t pair_random(struct pair *pair, uint32_t bound);

/* True once in `bound` times. */
bool pair_chance(struct pair *pair, uint32_t bound);

/* Topics; the text is valid until the eighth call after. */
const char *pair_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Writes down what happens, to be told after a failure with what is known then. */
void pair_record(struct pair *pair, const char *format, ...) __attribute__((format(printf, 2, 3)));
void pair_tell(struct pair *pair);

/* Notes which users are participants and not blocked, before an event; after it, whoever is so anew
 * is to be sent the evaluation's last message. */
void pair_note(struct pair *pair);
void pair_note_missed(struct pair *pair);

/* A tick, `milliseconds` after the last one. Checks its effects. */
void pair_tick(struct pair *pair, int64_t milliseconds);

/* The same rights, counters and answers on both sides. */
void pair_compare_rights(struct pair *pair);
void pair_compare_stats(struct pair *pair);
void pair_compare_user(struct pair *pair, int user);

#endif
