/* SPDX-License-Identifier: Apache-2.0
 *
 * sqliteopen.c - opens the store: looks first, and writes when nothing is left to complain about.
 */
#include "sqlitestore_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    ANSWER_BYTES = 120,
    CHECK_MS = 1000,    /* that the check for damage may take; loading reads every record too */
    CHECK_STEPS = 1000, /* of SQLite's machine between two looks at the clock */
    LOG_BYTES = 16000 * 1024 /* to which a longer log is cut when it begins anew */
};

/* The first column of the first row as text; empty where there is no row. */
static int db_ask(sqlite3 *db, const char *sql, char answer[ANSWER_BYTES])
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);

    answer[0] = '\0';
    if (code == SQLITE_OK) {
        code = sqlite3_step(statement);
    }
    if (code == SQLITE_ROW) {
        const unsigned char *text = sqlite3_column_text(statement, 0);
        snprintf(answer, ANSWER_BYTES, "%s", text == NULL ? "" : (const char *)text);
        code = text == NULL ? SQLITE_NOMEM : SQLITE_OK; /* nothing that is asked is NULL */
    }
    (void)sqlite3_finalize(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int db_ask_number(sqlite3 *db, const char *sql, long *out)
{
    char answer[ANSWER_BYTES];
    int code = db_ask(db, sql, answer);

    *out = strtol(answer, NULL, 10);
    return code;
}

static int64_t now_ms(void)
{
    struct timespec now = {0, 0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A progress handler: ends what runs when its time is over. */
static int check_is_over(void *context)
{
    const int64_t *until_ms = context;

    return now_ms() >= *until_ms;
}

static enum invig_status open_refuse(const struct sqlite_store *store, int code,
                                     char error[INVIG_STORE_ERROR_BYTES])
{
    enum invig_status status = invig_sqlitestore_status(code);
    const char *text = store->db != NULL ? sqlite3_errmsg(store->db) : sqlite3_errstr(code);
    char found[ANSWER_BYTES + 40];

    if (status == INVIG_ERR_NO_MEMORY) {
        return invig_sqlitefile_refuse(&store->file, status, "for which memory is out", "memory",
                                       error);
    }
    bool is_damaged = status == INVIG_ERR_FORMAT;
    snprintf(found, sizeof found, "which %s (%.*s)", is_damaged ? "is damaged" : "cannot be used",
             ANSWER_BYTES, text);
    return invig_sqlitefile_refuse(&store->file, status, found,
                                   is_damaged ? "a sound file, as from a backup"
                                              : "a file that the broker may write to and nobody "
                                                "else has locked",
                                   error);
}

static int open_connection(struct sqlite_store *store, bool is_full)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    int code = sqlite3_open_v2(store->file.path, &store->db, flags, NULL);
    char pragmas[160];

    if (code != SQLITE_OK) {
        return code;
    }
    /* A log that was found is not to be emptied into a file that may be refused in the end; where
     * there was none, closing removes the new one. */
    (void)sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, store->file.had_wal, NULL);
    snprintf(pragmas, sizeof pragmas,
             "PRAGMA synchronous = %s; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8000;"
             "PRAGMA journal_size_limit = %d",
             is_full ? "FULL" : "NORMAL", LOG_BYTES);
    return sqlite3_exec(store->db, pragmas, NULL, NULL, NULL);
}

/* Looks for damage as far as time allows. */
static enum invig_status open_check_sound(struct sqlite_store *store,
                                          char error[INVIG_STORE_ERROR_BYTES])
{
    int64_t until_ms = now_ms() + CHECK_MS;
    char answer[ANSWER_BYTES];
    char found[ANSWER_BYTES + 40];

    sqlite3_progress_handler(store->db, CHECK_STEPS, check_is_over, &until_ms);
    int code = db_ask(store->db, "PRAGMA quick_check(1)", answer);
    sqlite3_progress_handler(store->db, 0, NULL, NULL);
    if (code == SQLITE_INTERRUPT || (code == SQLITE_OK && strcmp(answer, "ok") == 0)) {
        return INVIG_OK;
    }
    if (code != SQLITE_OK) {
        return open_refuse(store, code, error);
    }
    char *newline = strchr(answer, '\n'); /* behind "in database main" */
    if (newline != NULL) {
        *newline = ':';
    }
    snprintf(found, sizeof found, "which is damaged (%s)", answer);
    return invig_sqlitefile_refuse(&store->file, INVIG_ERR_FORMAT, found,
                                   "a sound file, as from a backup", error);
}

/* The version with what is in the log; 0 where there is nothing yet. */
static enum invig_status open_check(struct sqlite_store *store, int *out_version,
                                    char error[INVIG_STORE_ERROR_BYTES])
{
    long page_count = 0;
    long version = 0;
    int code = db_ask_number(store->db, "PRAGMA page_count", &page_count);

    if (code == SQLITE_OK) {
        code = db_ask_number(store->db, "PRAGMA user_version", &version);
    }
    *out_version = (int)version;
    if (code != SQLITE_OK) {
        return open_refuse(store, code, error);
    }
    if (page_count == 0) { /* also where the making of it was cut short */
        return INVIG_OK;
    }
    enum invig_status status =
        invig_sqlitefile_check_version(&store->file, (uint32_t)version, error);
    return status == INVIG_OK ? open_check_sound(store, error) : status;
}

static int open_set_log(sqlite3 *db)
{
    char answer[ANSWER_BYTES];
    int code = db_ask(db, "PRAGMA journal_mode = WAL", answer);

    return code == SQLITE_OK && strcmp(answer, "wal") != 0 ? SQLITE_CANTOPEN : code;
}

static enum invig_status open_store(struct sqlite_store *store, bool is_full,
                                    char error[INVIG_STORE_ERROR_BYTES])
{
    int version = 0;
    int code = open_connection(store, is_full);
    enum invig_status status =
        code == SQLITE_OK ? open_check(store, &version, error) : open_refuse(store, code, error);

    if (status != INVIG_OK) {
        return status;
    }
    if (version < INVIG_STORE_VERSION) {
        code = invig_sqliteschema_update(store->db, version);
    }
    if (code == SQLITE_OK) {
        code = open_set_log(store->db);
    }
    if (code == SQLITE_OK) {
        code = invig_sqlitestore_prepare(store);
    }
    if (code != SQLITE_OK) {
        return open_refuse(store, code, error);
    }
    status = invig_sqlitecheckpoint_start(&store->checkpoint, store->file.path, store->db);
    return status == INVIG_OK ? status
                              : invig_sqlitefile_refuse(&store->file, status,
                                                        "to which a second connection failed",
                                                        "memory and a thread for it", error);
}

enum invig_status invig_sqlitestore_open(const char *path, bool is_full,
                                         struct invig_store *out_store,
                                         char error[INVIG_STORE_ERROR_BYTES])
{
    struct sqlite_store *store = calloc(1, sizeof *store);

    if (store == NULL) {
        snprintf(error, INVIG_STORE_ERROR_BYTES, "plugin_opt_state_file: out of memory");
        return INVIG_ERR_NO_MEMORY;
    }
    store->sweep.kind = KIND_SESSION;
    enum invig_status status = invig_sqlitefile_open(&store->file, path, error);
    if (status == INVIG_OK) {
        status = open_store(store, is_full, error);
    }
    if (status != INVIG_OK) {
        invig_sqlitestore_shut(store);
        invig_sqlitefile_restore(&store->file);
        invig_sqlitefile_close(&store->file);
        free(store);
        return status;
    }
    store->file.name = NULL;
    *out_store = invig_sqlitestore_of(store, is_full);
    return INVIG_OK;
}
