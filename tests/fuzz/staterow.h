/* SPDX-License-Identifier: Apache-2.0
 *
 * staterow.h - a state file in memory whose rows are made of a fuzzer's bytes, for fuzz_state.c. A
 * row is its table, and for each column a byte of enum content with what it takes.
 */
#ifndef INVIGILATOR_FUZZ_STATEROW_H
#define INVIGILATOR_FUZZ_STATEROW_H

#include "course.h"
#include "sqlitestore_private.h"

enum { STATEROW_NOW_S = 1800000000 };

/* A database in memory, kept from input to input. */
struct database {
    struct sqlite_store store;
    sqlite3_stmt *inserts[KIND_COUNT];
};

/* The next byte of the input; 0 when it is used up. */
uint8_t staterow_take_byte(struct course *course);

/* One without rows. Where it is loose, the columns of its tables take anything. */
struct database *staterow_database(bool is_loose);

/* Puts the row that the next bytes make. */
void staterow_insert(struct database *database, struct course *course);

#endif
