/* SPDX-License-Identifier: Apache-2.0
 *
 * history.h - random histories of two students in two evaluations, and what the world looks like
 * after one: who is let in, who is told what, what stands on the topics. Made from a number, so
 * that a history can be run again to any point of it.
 */
#ifndef INVIGILATOR_TEST_HISTORY_H
#define INVIGILATOR_TEST_HISTORY_H

#include "world.h"

enum {
    HISTORY_EVENTS = 18,
    HISTORY_USERS = 2,
    HISTORY_SESSIONS = 4, /* of each user */
    HISTORY_EVALUATIONS = 2,
    HISTORY_PAGES = HISTORY_USERS * (HISTORY_SESSIONS + 1),
    HISTORY_TOPICS = HISTORY_EVALUATIONS * (1 + 2 * HISTORY_USERS),
    HISTORY_TEXT_BYTES = 512,
    HISTORY_OUTCOME_BYTES = 512
};

enum history_kind {
    HISTORY_LOGIN,
    HISTORY_DISCONNECT,
    HISTORY_REVOKE,
    HISTORY_REVOKE_USER,
    HISTORY_UNBLOCK,
    HISTORY_SAY,
    HISTORY_SAY_USER,
    HISTORY_FORGET,
    HISTORY_FORGET_USER,
    HISTORY_TICK,
    HISTORY_KINDS
};

struct history_event {
    enum history_kind kind;
    unsigned user;
    unsigned session;
    unsigned evaluation;
    unsigned choice; /* what else there is to choose */
};

/* What is retained on a topic. */
struct history_topic {
    char topic[64];
    char text[HISTORY_TEXT_BYTES]; /* empty: nothing */
};

struct history {
    uint64_t seed;
    struct history_event events[HISTORY_EVENTS];
    struct invig_connection *pages[HISTORY_PAGES]; /* by client id; NULL: not connected */
    struct history_topic topics[HISTORY_TOPICS];
    char outcome[HISTORY_OUTCOME_BYTES]; /* what the last event was answered */
    bool is_refused;                     /* it was because it could not be recorded */
};

/* The ids, by number. */
const char *history_user(unsigned user);
const char *history_session(unsigned session);
const char *history_evaluation(unsigned evaluation);

/* Makes the history of this number. */
void history_make(struct history *history, uint64_t seed);

/* Nobody is connected and nothing is retained: before the first event, or after a crash of a broker
 * that keeps no retained messages. */
void history_reset(struct history *history);

/* Lets event `index` happen. */
void history_step(struct history *history, struct world *world, size_t index);

/* A tick, with the disconnects that it brings. */
void history_tick(struct history *history, struct world *world);

/* All that can be asked without changing anything: answers to getUser, getEvaluation, and what each
 * page may receive. To be freed by the caller. */
char *history_look(const struct history *history, struct world *world);

/* Lets all pages go, and tries everything: what is retained, what commands answer, what becomes of
 * each session that logs in again, which versions pass. To be freed by the caller. */
char *history_probe(struct history *history, struct world *world);

#endif
