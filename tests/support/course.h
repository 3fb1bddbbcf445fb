/* SPDX-License-Identifier: Apache-2.0
 *
 * course.h - a course of events in the engine that bytes choose, as fuzz_engine.c makes it, and
 * what must hold after each event whatever the course was. A failure aborts.
 */
#ifndef INVIGILATOR_TEST_COURSE_H
#define INVIGILATOR_TEST_COURSE_H

#include "madeup.h"

#include "invigilator/engine.h"

enum { COURSE_SLOTS = 16, COURSE_USERS = 4, COURSE_SESSIONS = 5, COURSE_EVALUATIONS = 3 };

/* u0 and u1 are students, u2 is this or by other sessions a professor, u3 a service. */
enum { COURSE_FIRST_OF_MANY_ROLES = 2, COURSE_SERVICE = 3 };

/* A connection that the engine let in. */
struct slot {
    struct invig_connection *real; /* NULL: free */
    bool is_departed;
    bool is_overtaken; /* a newer one has its client id */
    int user;          /* -1: no token */
    char session[8];   /* empty: none */
    char client_id[16];
    int64_t ends_s;
};

struct course {
    const uint8_t *data;
    size_t size;
    struct invig_policy policy;
    struct invig_engine *engine;
    struct invig_now now;
    struct slot slots[COURSE_SLOTS];
    struct report reports[COURSE_USERS]; /* getUser, after the last event */
};

extern const char *const course_users[COURSE_USERS];
extern const char *const course_evaluations[COURSE_EVALUATIONS];

void course_must(bool condition, const char *what);

/* Runs a command. */
void course_ask(struct course *course, struct madeup *command, struct report *out_report);

/* What the engine counts, answers and lets through fits together. */
void course_check(struct course *course);

/* An effect is meant for a connection that is there and that it fits. */
void course_check_effect(const struct course *course, const struct invig_effect *effect);

#endif
