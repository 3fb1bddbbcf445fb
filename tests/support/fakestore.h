/* SPDX-License-Identifier: Apache-2.0
 *
 * fakestore.h - a store in memory that keeps records as a disk does: a batch is there when it is
 * committed, and what is there outlives the engine. It can be told to fail or to die at any call.
 * Calls out of order (a record outside a batch, a batch within a batch) fail the test.
 */
#ifndef INVIGILATOR_TEST_FAKESTORE_H
#define INVIGILATOR_TEST_FAKESTORE_H

#include "invigilator/store.h"

#include <stddef.h>

/* The calls that can fail, and in the other use the sum of them. */
enum fakestore_call {
    FAKESTORE_ANY = 0,
    FAKESTORE_BEGIN,
    FAKESTORE_PUT,
    FAKESTORE_COMMIT,
    FAKESTORE_CALLS
};

enum fakestore_fault {
    FAKESTORE_WORKS = 0,
    FAKESTORE_FAILS_ONCE, /* at that one call */
    FAKESTORE_FAILS,      /* at that call and all that follow: the disk is full */
    FAKESTORE_DIES,       /* likewise, and the broker with it */
    FAKESTORE_DIES_AFTER  /* that call does what it should, but nobody learns of it: the broker dies
                             right after it */
};

enum fakestore_kind {
    FAKESTORE_USER,
    FAKESTORE_SESSION,
    FAKESTORE_EVALUATION,
    FAKESTORE_MEMBER,
    FAKESTORE_CLEARED,
    FAKESTORE_KINDS
};

struct fakestore_row;

struct fakestore_rows {
    struct fakestore_row *rows;
    size_t count;
    size_t room;
};

struct fakestore {
    struct fakestore_rows kept;
    struct fakestore_rows batch; /* what the open batch has so far */
    bool is_grouping;
    bool is_open;                   /* a batch is */
    bool is_dead;                   /* FAKESTORE_DIES has come */
    size_t calls[FAKESTORE_CALLS];  /* since the start */
    size_t batch_count;             /* committed, since the start */
    size_t close_count;             /* since the start */
    enum fakestore_fault fault;     /* what is to come */
    enum fakestore_call fault_call; /* at which kind of call */
    size_t fault_at;                /* at which of them, counted as `calls` is */
};

void fakestore_init(struct fakestore *store, bool is_grouping);
void fakestore_deinit(struct fakestore *store);

/* The store, for an engine. Closing it leaves the records. */
struct invig_store fakestore_store(struct fakestore *store);

/* Lets the fault come at the `number`-th call of this kind from now on, 1 being the next. */
void fakestore_arm(struct fakestore *store, enum fakestore_fault fault, enum fakestore_call call,
                   size_t number);

/* From now on every call fails, as on a full disk. */
void fakestore_fill(struct fakestore *store);

/* It works again. */
void fakestore_mend(struct fakestore *store);

/* How many records of this kind are kept. */
size_t fakestore_count(const struct fakestore *store, enum fakestore_kind kind);

/* All records that are kept, as text, a line each, in an order that does not depend on how they
 * came in; to be freed by the caller. */
char *fakestore_dump(const struct fakestore *store);

/* Fails the test, showing both, when the records are not what `dump` says. */
void fakestore_check(const struct fakestore *store, const char *dump);

#endif
