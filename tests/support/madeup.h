/* SPDX-License-Identifier: Apache-2.0
 *
 * madeup.h - members of an object that was never JSON, and a writer that keeps of an answer what is
 * to be counted. For tests that have no time for JSON.
 */
#ifndef INVIGILATOR_TEST_MADEUP_H
#define INVIGILATOR_TEST_MADEUP_H

#include "invigilator/value.h"
#include "invigilator/writer.h"

enum { MADEUP_MEMBERS_MAX = 10, REPORT_MAX = 64, REPORT_TEXT_BYTES = 24, REPORT_DEPTH_MAX = 8 };

struct madeup {
    size_t count;
    const char *names[MADEUP_MEMBERS_MAX];
    struct invig_value values[MADEUP_MEMBERS_MAX];
};

/* `text` is borrowed. NULL makes the member null. */
void madeup_add_text(struct madeup *madeup, const char *name, const char *text);
void madeup_add_integer(struct madeup *madeup, const char *name, int64_t integer);
void madeup_add_boolean(struct madeup *madeup, const char *name, bool boolean);

/* The last member is of another kind after all. */
void madeup_spoil(struct madeup *madeup, enum invig_value_kind kind);

/* Borrows `madeup`. */
struct invig_value_source madeup_source(struct madeup *madeup);

struct report_pair {
    char first[REPORT_TEXT_BYTES];
    char second[REPORT_TEXT_BYTES];
};

/* What an answer says. Begins zeroed. */
struct report {
    bool is_error;
    bool is_strict;       /* of getEvaluation */
    size_t session_count; /* those with connections */
    size_t connection_count, binding_count, block_count;
    struct report_pair connections[REPORT_MAX]; /* session, client id */
    struct report_pair bindings[REPORT_MAX];    /* evaluation, session */
    char blocks[REPORT_MAX][REPORT_TEXT_BYTES]; /* evaluations */
    int64_t connections_told;                   /* "connections" of invalidateUser */
    /* The writer's own: */
    int depth;
    const char *path[REPORT_DEPTH_MAX];
    char session[REPORT_TEXT_BYTES];
    char evaluation[REPORT_TEXT_BYTES];
    bool has_counted;
};

struct invig_writer report_writer(struct report *report);

#endif
