/* SPDX-License-Identifier: Apache-2.0
 *
 * fakestore_row.h - a record that the fake store keeps, for its own files.
 */
#ifndef INVIGILATOR_TEST_FAKESTORE_ROW_H
#define INVIGILATOR_TEST_FAKESTORE_ROW_H

#include "fakestore.h"

struct fakestore_row {
    enum fakestore_kind kind;
    char *first;  /* user id, or evaluation id */
    char *second; /* session id, user id of a member or of a topic, or "" */
    bool is_drop; /* in a batch: the record goes */
    union {
        struct invig_user_record user;
        struct invig_session_record session;
        struct invig_evaluation_record evaluation; /* its texts are owned */
        struct invig_member_record member;         /* its text is owned */
        struct invig_cleared_record cleared;
    };
};

/* A row with copies of everything. `record` is of the kind; NULL: is_drop. */
struct fakestore_row fakestore_row_copy(enum fakestore_kind kind, struct invig_text first,
                                        struct invig_text second, const void *record);

void fakestore_row_free(struct fakestore_row *row);

/* By kind, sessions by serial, all others by key. For qsort(3). */
int fakestore_row_compare(const void *a, const void *b);

bool fakestore_row_is_same_key(const struct fakestore_row *a, const struct fakestore_row *b);

/* Puts a row, which is taken over, at the end. */
void fakestore_rows_add(struct fakestore_rows *rows, struct fakestore_row row);

/* Takes out and frees the row at `index`. */
void fakestore_rows_remove(struct fakestore_rows *rows, size_t index);

void fakestore_rows_clear(struct fakestore_rows *rows);

#endif
