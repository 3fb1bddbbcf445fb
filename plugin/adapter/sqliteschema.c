/* SPDX-License-Identifier: Apache-2.0
 *
 * sqliteschema.c - the tables, version by version.
 *
 * A step that was released is never changed. Times are Unix seconds UTC, flags 0 or 1; what is not
 * known is NULL. Enums are words, so that their order in the code is free.
 */
#include "sqlitestore_private.h"

#include <stdio.h>

/* Keys are the tables' order (WITHOUT ROWID): one page to write for a record, not two. Evaluations
 * are few and their messages long, which rowids suit better. No table has another index: each would
 * cost every login one more page. */
static const char *const schema_steps[] = {
    "CREATE TABLE users("
    " user TEXT NOT NULL PRIMARY KEY,"
    " newest_login INTEGER,"
    " revoked_before INTEGER,"
    " kept_until INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE sessions("
    " user TEXT NOT NULL,"
    " session TEXT NOT NULL,"
    " serial INTEGER NOT NULL," /* unsigned: from 2^63 on it looks negative */
    " login INTEGER,"
    " login_is_lasting INTEGER NOT NULL,"
    " is_single INTEGER NOT NULL,"
    " is_current INTEGER NOT NULL,"
    " is_turned_away INTEGER NOT NULL,"
    " ended TEXT," /* SUPERSEDED, REVOKED */
    " kept_until INTEGER NOT NULL,"
    " PRIMARY KEY(user, session)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE evaluations("
    " evaluation TEXT NOT NULL PRIMARY KEY,"
    " phase TEXT,"
    " is_strict_off INTEGER NOT NULL,"
    " version INTEGER,"
    " end_at TEXT," /* RFC 3339 */
    " message TEXT"
    ") STRICT;"
    "CREATE TABLE members("
    " user TEXT NOT NULL,"
    " evaluation TEXT NOT NULL,"
    " access TEXT," /* ALLOWED, DENIED, BLOCKED */
    " access_since INTEGER NOT NULL,"
    " is_finished INTEGER NOT NULL,"
    " version INTEGER,"
    " message TEXT,"
    " is_copy INTEGER NOT NULL,"
    " is_bound INTEGER NOT NULL,"
    " released_serial INTEGER NOT NULL,"
    " is_shared_reported INTEGER NOT NULL,"
    " is_blocked INTEGER NOT NULL,"
    " blocked_since INTEGER NOT NULL,"
    " was_student INTEGER NOT NULL,"
    " has_connected INTEGER NOT NULL,"
    " PRIMARY KEY(user, evaluation)" /* whether a user is bound is asked without an evaluation */
    ") STRICT, WITHOUT ROWID;",
    "CREATE TABLE cleared("
    " evaluation TEXT NOT NULL,"
    " user TEXT NOT NULL," /* empty: the evaluation's own topic */
    " kept_until INTEGER NOT NULL,"
    " PRIMARY KEY(evaluation, user)"
    ") STRICT, WITHOUT ROWID;",
};

_Static_assert(sizeof schema_steps / sizeof schema_steps[0] == INVIG_STORE_VERSION,
               "a step for each version");

static int schema_run_steps(sqlite3 *db, const char *const *steps, int from, int to)
{
    char set_version[48];
    int code = SQLITE_OK;

    for (int version = from; version < to && code == SQLITE_OK; version++) {
        code = sqlite3_exec(db, steps[version], NULL, NULL, NULL);
    }
    if (code != SQLITE_OK) {
        return code;
    }
    snprintf(set_version, sizeof set_version, "PRAGMA user_version = %d", to);
    return sqlite3_exec(db, set_version, NULL, NULL, NULL);
}

int invig_sqliteschema_migrate(sqlite3 *db, const char *const *steps, int from, int to)
{
    char set_id[48];
    int code = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);

    if (code != SQLITE_OK) {
        return code;
    }
    snprintf(set_id, sizeof set_id, "PRAGMA application_id = %d", INVIG_STORE_APPLICATION_ID);
    code = sqlite3_exec(db, set_id, NULL, NULL, NULL);
    if (code == SQLITE_OK) {
        code = schema_run_steps(db, steps, from, to);
    }
    if (code == SQLITE_OK) {
        code = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    }
    if (code != SQLITE_OK) {
        /* Some errors have ended the transaction by themselves; then this fails, which is well. */
        (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    }
    return code;
}

int invig_sqliteschema_update(sqlite3 *db, int from)
{
    return invig_sqliteschema_migrate(db, schema_steps, from, INVIG_STORE_VERSION);
}

enum invig_status invig_sqlitestore_create(const char *path, int version)
{
    sqlite3 *db = NULL;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;

    if (version < 1 || version > INVIG_STORE_VERSION) {
        return INVIG_ERR_INVALID;
    }
    int code = sqlite3_open_v2(path, &db, flags, NULL);
    if (code == SQLITE_OK) {
        code = invig_sqliteschema_migrate(db, schema_steps, 0, version);
    }
    (void)sqlite3_close(db);
    return invig_sqlitestore_status(code);
}
