/* SPDX-License-Identifier: Apache-2.0
 *
 * wrap_sqlite.c - SQLite that fails. A step and a script say that the disk fails, all else that
 * memory is out.
 */
#include "fault.h"

#include <sqlite3.h>

typedef int row_function(void *context, int count, char **values, char **names);
typedef void free_function(void *memory);

FAULT_WRAP(int, sqlite3_bind_int, SQLITE_NOMEM, (sqlite3_stmt * statement, int index, int value),
           (statement, index, value))
FAULT_WRAP(int, sqlite3_bind_int64, SQLITE_NOMEM,
           (sqlite3_stmt * statement, int index, sqlite3_int64 value), (statement, index, value))
FAULT_WRAP(int, sqlite3_bind_text, SQLITE_NOMEM,
           (sqlite3_stmt * statement, int index, const char *text, int length,
            free_function *destroy),
           (statement, index, text, length, destroy))
FAULT_WRAP(int, sqlite3_bind_text64, SQLITE_NOMEM,
           (sqlite3_stmt * statement, int index, const char *text, sqlite3_uint64 length,
            free_function *destroy, unsigned char encoding),
           (statement, index, text, length, destroy, encoding))
FAULT_WRAP(int, sqlite3_bind_zeroblob, SQLITE_NOMEM,
           (sqlite3_stmt * statement, int index, int length), (statement, index, length))

const unsigned char *__wrap_sqlite3_column_text(sqlite3_stmt *statement, int index);
int __wrap_sqlite3_errcode(sqlite3 *db);

static bool has_no_text;

/* NULL may be a value, or that memory was out: what came of the last call tells. */
const unsigned char *__wrap_sqlite3_column_text(sqlite3_stmt *statement, int index)
{
    has_no_text = fault_strikes("sqlite3_column_text", __builtin_return_address(0));
    return has_no_text ? NULL : sqlite3_column_text(statement, index);
}

int __wrap_sqlite3_errcode(sqlite3 *db)
{
    return has_no_text ? SQLITE_NOMEM : sqlite3_errcode(db);
}

FAULT_WRAP(int, sqlite3_exec, SQLITE_IOERR,
           (sqlite3 * db, const char *sql, row_function *row, void *context, char **message),
           (db, sql, row, context, message))
FAULT_WRAP(int, sqlite3_prepare_v2, SQLITE_NOMEM,
           (sqlite3 * db, const char *sql, int length, sqlite3_stmt **statement, const char **tail),
           (db, sql, length, statement, tail))
FAULT_WRAP(int, sqlite3_prepare_v3, SQLITE_NOMEM,
           (sqlite3 * db, const char *sql, int length, unsigned flags, sqlite3_stmt **statement,
            const char **tail),
           (db, sql, length, flags, statement, tail))
FAULT_WRAP(int, sqlite3_step, SQLITE_IOERR, (sqlite3_stmt * statement), (statement))
FAULT_WRAP(int, sqlite3_wal_checkpoint_v2, SQLITE_IOERR,
           (sqlite3 * db, const char *name, int mode, int *pages, int *moved),
           (db, name, mode, pages, moved))

int __wrap_sqlite3_open_v2(const char *path, sqlite3 **db, int flags, const char *system);

/* There is a connection even so, but where memory is out. */
int __wrap_sqlite3_open_v2(const char *path, sqlite3 **db, int flags, const char *system)
{
    if (fault_strikes("sqlite3_open_v2", __builtin_return_address(0))) {
        *db = NULL;
        return SQLITE_NOMEM;
    }
    return sqlite3_open_v2(path, db, flags, system);
}
