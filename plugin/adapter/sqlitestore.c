/* SPDX-License-Identifier: Apache-2.0
 *
 * sqlitestore.c - see sqlitestore.h. What opens it is in sqliteopen.c.
 *
 * No call waits for another process: SQLite's busy timeout is 0, and who finds the database locked
 * (by an administrator's own changes, since no second broker gets in) refuses and tries again.
 */
#include "sqlitestore_private.h"

#include <stdlib.h>

/* Columns in the order of sqliterecord.c. */
static const char *const statements[STATEMENT_COUNT] = {
    [STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
    [STATEMENT_COMMIT] = "COMMIT",
    [STATEMENT_ROLLBACK] = "ROLLBACK",
    [STATEMENT_PUT + KIND_USER] =
        "REPLACE INTO users(user, newest_login, revoked_before, kept_until) VALUES(?, ?, ?, ?)",
    [STATEMENT_PUT + KIND_SESSION] =
        "REPLACE INTO sessions(user, session, serial, login, login_is_lasting, is_single,"
        " is_current, is_turned_away, ended, kept_until) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [STATEMENT_PUT + KIND_EVALUATION] =
        "REPLACE INTO evaluations(evaluation, phase, is_strict_off, version, end_at, message)"
        " VALUES(?, ?, ?, ?, ?, ?)",
    [STATEMENT_PUT + KIND_MEMBER] =
        "REPLACE INTO members(evaluation, user, access, access_since, is_finished, version,"
        " message, is_copy, is_bound, released_serial, is_shared_reported, is_blocked,"
        " blocked_since, was_student, has_connected)"
        " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [STATEMENT_PUT + KIND_CLEARED] =
        "REPLACE INTO cleared(evaluation, user, kept_until) VALUES(?, ?, ?)",
    [STATEMENT_DROP + KIND_USER] = "DELETE FROM users WHERE user = ?",
    [STATEMENT_DROP + KIND_SESSION] = "DELETE FROM sessions WHERE user = ? AND session = ?",
    [STATEMENT_DROP + KIND_EVALUATION] = "DELETE FROM evaluations WHERE evaluation = ?",
    [STATEMENT_DROP + KIND_MEMBER] = "DELETE FROM members WHERE evaluation = ? AND user = ?",
    [STATEMENT_DROP + KIND_CLEARED] = "DELETE FROM cleared WHERE evaluation = ? AND user = ?",
    [STATEMENT_LOAD + KIND_USER] =
        "SELECT user, newest_login, revoked_before, kept_until FROM users",
    [STATEMENT_LOAD + KIND_SESSION] =
        "SELECT user, session, serial, login, login_is_lasting, is_single, is_current,"
        " is_turned_away, ended, kept_until FROM sessions ORDER BY serial < 0, serial",
    [STATEMENT_LOAD + KIND_EVALUATION] =
        "SELECT evaluation, phase, is_strict_off, version, end_at, message FROM evaluations",
    [STATEMENT_LOAD + KIND_MEMBER] =
        "SELECT evaluation, user, access, access_since, is_finished, version, message, is_copy,"
        " is_bound, released_serial, is_shared_reported, is_blocked, blocked_since, was_student,"
        " has_connected FROM members",
    [STATEMENT_LOAD + KIND_CLEARED] = "SELECT evaluation, user, kept_until FROM cleared",
    /* ?1, ?2: behind which record; ?3: how many to leap */
    [STATEMENT_SWEEP_END + KIND_USER] =
        "SELECT user FROM users WHERE user > ?1 ORDER BY user LIMIT 1 OFFSET ?3",
    [STATEMENT_SWEEP_END + KIND_SESSION] =
        "SELECT user, session FROM sessions WHERE (user, session) > (?1, ?2)"
        " ORDER BY user, session LIMIT 1 OFFSET ?3",
    [STATEMENT_SWEEP_END + KIND_CLEARED] =
        "SELECT evaluation, user FROM cleared WHERE (evaluation, user) > (?1, ?2)"
        " ORDER BY evaluation, user LIMIT 1 OFFSET ?3",
    /* ?1, ?2: behind which record; ?3, ?4: up to which; ?5: now */
    [STATEMENT_SWEEP + KIND_USER] =
        "DELETE FROM users WHERE user > ?1 AND user <= ?3 AND kept_until < ?5"
        " AND NOT EXISTS(SELECT 1 FROM sessions WHERE sessions.user = users.user)"
        " AND NOT EXISTS(SELECT 1 FROM members WHERE members.user = users.user)",
    [STATEMENT_SWEEP + KIND_SESSION] =
        "DELETE FROM sessions WHERE (user, session) > (?1, ?2) AND (user, session) <= (?3, ?4)"
        " AND kept_until < ?5 AND NOT (is_current AND EXISTS("
        "SELECT 1 FROM members WHERE members.user = sessions.user AND is_bound))",
    [STATEMENT_SWEEP + KIND_CLEARED] =
        "DELETE FROM cleared WHERE (evaluation, user) > (?1, ?2) AND (evaluation, user) <= (?3, ?4)"
        " AND kept_until < ?5",
};

enum invig_status invig_sqlitestore_status(int code)
{
    switch (code & 0xFF) { /* without what extends it */
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return INVIG_OK;
    case SQLITE_NOMEM:
        return INVIG_ERR_NO_MEMORY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR: /* as of a table that is not there */
    case SQLITE_SCHEMA:
        return INVIG_ERR_FORMAT;
    default:
        return INVIG_ERR_IO;
    }
}

int invig_sqlitestore_prepare(struct sqlite_store *store)
{
    int code = SQLITE_OK;

    for (int i = 0; i < STATEMENT_COUNT && code == SQLITE_OK; i++) {
        if (statements[i] != NULL) { /* not every kind is swept */
            code = sqlite3_prepare_v3(store->db, statements[i], -1, SQLITE_PREPARE_PERSISTENT,
                                      &store->statements[i], NULL);
        }
    }
    return code;
}

/* A database that is found damaged while it is used is input or output that fails. */
static enum invig_status status_of_use(int code)
{
    enum invig_status status = invig_sqlitestore_status(code);

    return status == INVIG_ERR_FORMAT ? INVIG_ERR_IO : status;
}

enum invig_status invig_sqlitestore_run(struct sqlite_store *store, int statement)
{
    sqlite3_stmt *prepared = store->statements[statement];
    int code = sqlite3_step(prepared);

    (void)sqlite3_reset(prepared);
    (void)sqlite3_clear_bindings(prepared); /* they point to borrowed texts */
    return status_of_use(code);
}

static bool store_is_in_transaction(const struct sqlite_store *store)
{
    return sqlite3_get_autocommit(store->db) == 0;
}

void invig_sqlitestore_rollback(void *context)
{
    struct sqlite_store *store = context;

    /* A full disk, among others, makes SQLite roll back by itself. */
    if (store_is_in_transaction(store)) {
        (void)invig_sqlitestore_run(store, STATEMENT_ROLLBACK);
    }
    store->is_open = false;
}

enum invig_status invig_sqlitestore_begin(void *context)
{
    struct sqlite_store *store = context;

    if (store->is_open) {
        return INVIG_ERR_STATE;
    }
    invig_sqlitestore_rollback(store); /* of a rollback that failed */
    enum invig_status status = invig_sqlitestore_run(store, STATEMENT_BEGIN);
    store->is_open = status == INVIG_OK;
    store->fault = INVIG_OK;
    return status;
}

enum invig_status invig_sqlitestore_commit(void *context)
{
    struct sqlite_store *store = context;
    enum invig_status status = store->is_open ? store->fault : INVIG_ERR_STATE;

    if (status == INVIG_OK) {
        status = invig_sqlitestore_run(store, STATEMENT_COMMIT);
    }
    invig_sqlitestore_rollback(store); /* where it has not been committed */
    return status;
}

static enum invig_status store_write(struct sqlite_store *store, enum sqlite_kind kind,
                                     struct invig_text first, struct invig_text second,
                                     const void *record)
{
    int statement = (record == NULL ? STATEMENT_DROP : STATEMENT_PUT) + (int)kind;
    const struct invig_text keys[2] = {first, second};
    enum invig_status status =
        invig_sqliterecord_bind(store->statements[statement], kind, keys, record);

    if (status != INVIG_OK) {
        (void)sqlite3_clear_bindings(store->statements[statement]);
        return status;
    }
    return invig_sqlitestore_run(store, statement);
}

/* After the first error all of a batch fails: SQLite may have rolled it back, and what followed
 * would be there without what went before. */
static enum invig_status store_put(struct sqlite_store *store, enum sqlite_kind kind,
                                   struct invig_text first, struct invig_text second,
                                   const void *record)
{
    if (!store->is_open) {
        return INVIG_ERR_STATE;
    }
    if (store->fault == INVIG_OK) {
        store->fault = store_write(store, kind, first, second, record);
    }
    return store->fault;
}

static enum invig_status store_put_user(void *context, struct invig_text user,
                                        const struct invig_user_record *record)
{
    return store_put(context, KIND_USER, user, (struct invig_text){NULL, 0}, record);
}

static enum invig_status store_put_session(void *context, struct invig_text user,
                                           struct invig_text session,
                                           const struct invig_session_record *record)
{
    return store_put(context, KIND_SESSION, user, session, record);
}

static enum invig_status store_put_evaluation(void *context, struct invig_text evaluation,
                                              const struct invig_evaluation_record *record)
{
    return store_put(context, KIND_EVALUATION, evaluation, (struct invig_text){NULL, 0}, record);
}

static enum invig_status store_put_member(void *context, struct invig_text evaluation,
                                          struct invig_text user,
                                          const struct invig_member_record *record)
{
    return store_put(context, KIND_MEMBER, evaluation, user, record);
}

static enum invig_status store_put_cleared(void *context, struct invig_text evaluation,
                                           struct invig_text user,
                                           const struct invig_cleared_record *record)
{
    return store_put(context, KIND_CLEARED, evaluation, user, record);
}

static enum invig_status row_give(const struct sqlite_row *row, enum sqlite_kind kind,
                                  const struct invig_store_reader *reader)
{
    switch (kind) {
    case KIND_USER:
        return reader->user(reader->context, row->keys[0], &row->record.user);
    case KIND_SESSION:
        return reader->session(reader->context, row->keys[0], row->keys[1], &row->record.session);
    case KIND_EVALUATION:
        return reader->evaluation(reader->context, row->keys[0], &row->record.evaluation);
    case KIND_MEMBER:
        return reader->member(reader->context, row->keys[0], row->keys[1], &row->record.member);
    case KIND_CLEARED:
        return reader->cleared(reader->context, row->keys[0], row->keys[1], &row->record.cleared);
    case KIND_COUNT:
        break;
    }
    return INVIG_ERR_INVALID;
}

/* Sessions come in the order of their serials, so that two of one serial follow each other. */
static enum invig_status row_check_serial(const struct sqlite_row *row, enum sqlite_kind kind,
                                          uint64_t *last)
{
    if (kind != KIND_SESSION) {
        return INVIG_OK;
    }
    bool is_new = row->record.session.serial != *last;
    *last = row->record.session.serial;
    return is_new ? INVIG_OK : INVIG_ERR_FORMAT;
}

static enum invig_status store_load_kind(struct sqlite_store *store, enum sqlite_kind kind,
                                         const struct invig_store_reader *reader)
{
    sqlite3_stmt *statement = store->statements[STATEMENT_LOAD + (int)kind];
    enum invig_status status = INVIG_OK;
    struct sqlite_row row;
    uint64_t last_serial = 0;
    int code = SQLITE_DONE;

    while (status == INVIG_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        status = invig_sqliterecord_read(statement, kind, &row);
        if (status == INVIG_OK) {
            status = row_check_serial(&row, kind, &last_serial);
        }
        if (status == INVIG_OK) {
            status = row_give(&row, kind, reader);
        }
    }
    (void)sqlite3_reset(statement);
    return status == INVIG_OK ? invig_sqlitestore_status(code) : status;
}

static enum invig_status store_load(void *context, const struct invig_store_reader *reader)
{
    struct sqlite_store *store = context;
    enum invig_status status = INVIG_OK;

    for (int kind = 0; kind < KIND_COUNT && status == INVIG_OK; kind++) {
        status = store_load_kind(store, (enum sqlite_kind)kind, reader);
    }
    if (status == INVIG_OK) { /* until now, closing would have left a log as it was found */
        (void)sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    }
    return status;
}

void invig_sqlitestore_shut(struct sqlite_store *store)
{
    invig_sqlitecheckpoint_stop(&store->checkpoint);
    for (int i = 0; i < STATEMENT_COUNT; i++) {
        (void)sqlite3_finalize(store->statements[i]);
    }
    (void)sqlite3_close(store->db); /* rolls an open batch back, and empties the log */
}

static void store_close(void *context)
{
    struct sqlite_store *store = context;

    invig_sqlitestore_shut(store);
    invig_sqlitefile_close(&store->file);
    free(store);
}

struct invig_store invig_sqlitestore_of(struct sqlite_store *store, bool is_full)
{
    return (struct invig_store){
        .context = store,
        .is_grouping = is_full,
        .begin = invig_sqlitestore_begin,
        .put_user = store_put_user,
        .put_session = store_put_session,
        .put_evaluation = store_put_evaluation,
        .put_member = store_put_member,
        .put_cleared = store_put_cleared,
        .commit = invig_sqlitestore_commit,
        .rollback = invig_sqlitestore_rollback,
        .load = store_load,
        .sweep = invig_sqlitesweep_run,
        .close = store_close,
    };
}
