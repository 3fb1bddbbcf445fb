/* SPDX-License-Identifier: Apache-2.0
 *
 * sqlitesweep.c - drops what need not be kept any longer, some records at a time.
 *
 * A step looks at as many records as it may drop, in the order of the keys, and the next one goes
 * on behind them. An index by time would find them at once, but would cost each login one more
 * page.
 */
#include "sqlitestore_private.h"

#include <string.h>

static void sweep_restart(struct sqlite_sweep *sweep, enum sqlite_kind kind)
{
    memset(sweep, 0, sizeof *sweep);
    sweep->kind = kind;
}

static enum sqlite_kind kind_after(enum sqlite_kind kind)
{
    switch (kind) {
    case KIND_SESSION:
        return KIND_USER; /* those without a session, then */
    case KIND_USER:
        return KIND_CLEARED;
    default:
        return KIND_SESSION;
    }
}

static int sweep_bind(sqlite3_stmt *statement, int index, const struct sqlite_sweep *sweep)
{
    int code = sqlite3_bind_text(statement, index, sweep->keys[0], -1, SQLITE_STATIC);

    return code == SQLITE_OK
               ? sqlite3_bind_text(statement, index + 1, sweep->keys[1], -1, SQLITE_STATIC)
               : code;
}

/* Behind all texts, and so behind all keys, sort the blobs. */
static int sweep_bind_end(sqlite3_stmt *statement, int index)
{
    int code = sqlite3_bind_zeroblob(statement, index, 0);

    return code == SQLITE_OK ? sqlite3_bind_zeroblob(statement, index + 1, 0) : code;
}

static enum invig_status sweep_read(sqlite3_stmt *statement, struct sqlite_sweep *out_end)
{
    for (int i = 0; i < sqlite3_column_count(statement); i++) {
        const unsigned char *key = sqlite3_column_text(statement, i);
        size_t length = (size_t)sqlite3_column_bytes(statement, i);
        if (key == NULL || length > INVIG_ID_BYTES_MAX) {
            return INVIG_ERR_IO; /* damaged since it was loaded */
        }
        memcpy(out_end->keys[i], key, length);
    }
    return INVIG_OK;
}

/* Finds the last of the next `limit` records; *out_is_last where there are fewer. */
static enum invig_status sweep_find_end(struct sqlite_store *store, int limit,
                                        struct sqlite_sweep *out_end, bool *out_is_last)
{
    enum sqlite_kind kind = store->sweep.kind;
    sqlite3_stmt *statement = store->statements[STATEMENT_SWEEP_END + (int)kind];
    enum invig_status status = INVIG_OK;

    sweep_restart(out_end, kind);
    int code = sweep_bind(statement, 1, &store->sweep);
    if (code == SQLITE_OK) {
        code = sqlite3_bind_int(statement, 3, limit - 1);
    }
    if (code == SQLITE_OK) {
        code = sqlite3_step(statement);
    }
    *out_is_last = code != SQLITE_ROW;
    status = invig_sqlitestore_status(code);
    if (code == SQLITE_ROW) {
        status = sweep_read(statement, out_end);
    }
    (void)sqlite3_reset(statement);
    (void)sqlite3_clear_bindings(statement);
    return status;
}

static enum invig_status sweep_drop(struct sqlite_store *store, const struct sqlite_sweep *end,
                                    bool is_last, int64_t now_s)
{
    int index = STATEMENT_SWEEP + (int)store->sweep.kind;
    sqlite3_stmt *statement = store->statements[index];
    int code = sweep_bind(statement, 1, &store->sweep);

    if (code == SQLITE_OK) {
        code = is_last ? sweep_bind_end(statement, 3) : sweep_bind(statement, 3, end);
    }
    if (code == SQLITE_OK) {
        code = sqlite3_bind_int64(statement, 5, now_s);
    }
    return code == SQLITE_OK ? invig_sqlitestore_run(store, index) : invig_sqlitestore_status(code);
}

/* One step within a batch. */
static enum invig_status sweep_step(struct sqlite_store *store, int64_t now_s, int limit,
                                    bool *out_is_done)
{
    struct sqlite_sweep end;
    bool is_last;
    enum invig_status status = sweep_find_end(store, limit, &end, &is_last);

    if (status == INVIG_OK) {
        status = sweep_drop(store, &end, is_last, now_s);
    }
    if (status != INVIG_OK) {
        return status;
    }
    *out_is_done = is_last && store->sweep.kind == KIND_CLEARED;
    if (!is_last) {
        store->sweep = end;
    } else {
        sweep_restart(&store->sweep, kind_after(store->sweep.kind));
    }
    return INVIG_OK;
}

enum invig_status invig_sqlitesweep_run(void *context, int64_t now_s, int limit, bool *out_is_done)
{
    struct sqlite_store *store = context;
    enum invig_status status = invig_sqlitestore_begin(store);

    *out_is_done = false;
    if (status != INVIG_OK) {
        return status;
    }
    if (limit > 0) {
        status = sweep_step(store, now_s, limit, out_is_done);
    }
    if (status == INVIG_OK) {
        return invig_sqlitestore_commit(store);
    }
    invig_sqlitestore_rollback(store);
    return status;
}
