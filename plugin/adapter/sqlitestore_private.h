/* SPDX-License-Identifier: Apache-2.0
 *
 * sqlitestore_private.h - what the files of the store share. Private to plugin/adapter/sqlite*.c
 * and their tests.
 */
#ifndef INVIGILATOR_SQLITESTORE_PRIVATE_H
#define INVIGILATOR_SQLITESTORE_PRIVATE_H

#include "sqlitestore.h"

#include <pthread.h>
#include <sqlite3.h>

/* INVIG_OK for SQLITE_OK, SQLITE_ROW and SQLITE_DONE; INVIG_ERR_NO_MEMORY; INVIG_ERR_FORMAT for
 * what damage and foreign schemas give; INVIG_ERR_IO for all else. */
enum invig_status invig_sqlitestore_status(int code);

/* ---- sqlitefile.c: the file, before SQLite sees it ---- */

enum { INVIG_STORE_PATH_BYTES = 4096 + 32 }; /* an option's longest value, and what is added */

struct sqlite_file {
    char path[INVIG_STORE_PATH_BYTES]; /* never a name that SQLite takes for something else */
    const char *name;                  /* as the administrator wrote it; borrowed while opening */
    int fd;                            /* holds the lock; -1: none */
    bool is_locked;
    bool is_created; /* was not there before */
    bool is_empty;   /* had no bytes before */
    bool had_wal;    /* there was a log with bytes in it */
    bool had_shm;
};

/* Opens and locks the file, makes an empty one where there is none, and checks that it is ours and
 * that there is room. After any return invig_sqlitefile_close is to be called, and after an error,
 * before it, invig_sqlitefile_restore. */
enum invig_status invig_sqlitefile_open(struct sqlite_file *file, const char *name,
                                        char error[INVIG_STORE_ERROR_BYTES]);

/* Refuses a schema that is newer than ours. */
enum invig_status invig_sqlitefile_check_version(const struct sqlite_file *file, uint32_t version,
                                                 char error[INVIG_STORE_ERROR_BYTES]);

/* Makes it what it was before, if it is locked. SQLite has let go of it. */
void invig_sqlitefile_restore(const struct sqlite_file *file);

/* Lets go of the lock. SQLite must have let go of the file before, since closing any descriptor of
 * it drops SQLite's own locks. */
void invig_sqlitefile_close(struct sqlite_file *file);

/* Writes the error line and returns `status`. */
enum invig_status invig_sqlitefile_refuse(const struct sqlite_file *file, enum invig_status status,
                                          const char *found, const char *expected,
                                          char error[INVIG_STORE_ERROR_BYTES]);

/* ---- sqliteschema.c: tables and their versions ---- */

/* Runs the steps from version `from` to version `to` and sets user_version, all or nothing.
 * steps[n] makes version n + 1 of version n. Returns an SQLite code. */
int invig_sqliteschema_migrate(sqlite3 *db, const char *const *steps, int from, int to);

/* Brings the schema to INVIG_STORE_VERSION. Returns an SQLite code. */
int invig_sqliteschema_update(sqlite3 *db, int from);

/* ---- sqliterecord.c: records as rows ---- */

enum sqlite_kind {
    KIND_USER,
    KIND_SESSION,
    KIND_EVALUATION,
    KIND_MEMBER,
    KIND_CLEARED,
    KIND_COUNT
};

/* A row read back. Texts are borrowed until the statement is stepped. */
struct sqlite_row {
    struct invig_text keys[2]; /* in the order of the store's functions; the second may be absent */
    union {
        struct invig_user_record user;
        struct invig_session_record session;
        struct invig_evaluation_record evaluation;
        struct invig_member_record member;
        struct invig_cleared_record cleared;
    } record;
};

/* Binds the keys to the first parameters, and the record, if not NULL, to the others; texts are
 * borrowed until the statement is reset. INVIG_ERR_INVALID: it could not be read back. */
enum invig_status invig_sqliterecord_bind(sqlite3_stmt *statement, enum sqlite_kind kind,
                                          const struct invig_text keys[2], const void *record);

/* Reads the row that the statement stands on. INVIG_ERR_FORMAT: it makes no sense. */
enum invig_status invig_sqliterecord_read(sqlite3_stmt *statement, enum sqlite_kind kind,
                                          struct sqlite_row *out_row);

/* ---- sqlitecheckpoint.c: the thread that empties the log ---- */

struct sqlite_checkpoint {
    sqlite3 *db; /* a connection of the thread's own */
    pthread_t thread;
    pthread_mutex_t mutex; /* over the two flags */
    pthread_cond_t wake;
    bool is_wanted;
    bool is_ending;
    bool is_running; /* of the thread that starts it */
};

/* Starts the thread, woken by the commits of `writer`. After an error there is nothing to stop. */
enum invig_status invig_sqlitecheckpoint_start(struct sqlite_checkpoint *checkpoint,
                                               const char *path, sqlite3 *writer);

/* Waits for its end. One that is not running is allowed. */
void invig_sqlitecheckpoint_stop(struct sqlite_checkpoint *checkpoint);

/* ---- sqlitestore.c: the store ---- */

enum sqlite_statement {
    STATEMENT_BEGIN,
    STATEMENT_COMMIT,
    STATEMENT_ROLLBACK,
    STATEMENT_PUT,                               /* and by kind */
    STATEMENT_DROP = STATEMENT_PUT + KIND_COUNT, /* likewise */
    STATEMENT_LOAD = STATEMENT_DROP + KIND_COUNT,
    STATEMENT_SWEEP_END = STATEMENT_LOAD + KIND_COUNT, /* likewise, of kinds that are swept */
    STATEMENT_SWEEP = STATEMENT_SWEEP_END + KIND_COUNT,
    STATEMENT_COUNT = STATEMENT_SWEEP + KIND_COUNT
};

/* Where a sweep goes on. */
struct sqlite_sweep {
    enum sqlite_kind kind; /* sessions first, so that users without one are seen in the same pass */
    char keys[2][INVIG_ID_BYTES_MAX + 1]; /* the last ones that were looked at; empty: none yet */
};

struct sqlite_store {
    struct sqlite_file file;
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENT_COUNT];
    struct sqlite_checkpoint checkpoint;
    struct sqlite_sweep sweep;
    bool is_open;            /* a batch is */
    enum invig_status fault; /* what spoiled the batch */
};

/* Prepares the statements. Returns an SQLite code. */
int invig_sqlitestore_prepare(struct sqlite_store *store);

/* Steps a statement that gives no row to its end. */
enum invig_status invig_sqlitestore_run(struct sqlite_store *store, int statement);

enum invig_status invig_sqlitestore_begin(void *context);
enum invig_status invig_sqlitestore_commit(void *context);
void invig_sqlitestore_rollback(void *context);

/* Closes all of it but frees nothing. */
void invig_sqlitestore_shut(struct sqlite_store *store);

/* The functions of the store, for `context`. */
struct invig_store invig_sqlitestore_of(struct sqlite_store *store, bool is_full);

/* ---- sqlitesweep.c ---- */

enum invig_status invig_sqlitesweep_run(void *context, int64_t now_s, int limit, bool *out_is_done);

#endif
