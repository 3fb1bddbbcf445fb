/* SPDX-License-Identifier: Apache-2.0
 *
 * sqlitecheckpoint.c - the thread that moves what is in the log (the -wal file) into the database.
 *
 * SQLite would do it within a commit: some thousand pages and two fsync(2) on the broker's thread,
 * and on a busy disk an fsync takes a second. It cannot be done in smaller steps, for each would
 * fsync anew. So a thread does it, over a connection of its own, in mode PASSIVE, which never takes
 * the writer's lock: no commit waits for it or fails by it. What is left to the broker's thread is
 * one fsync of the log's header each time the log begins anew; by LOG_PAGES that is once for about
 * a thousand logins.
 *
 * A reader, as sqlite3(1) making a backup, can hold the log up. It grows then, and is emptied
 * later.
 */
#include "sqlitestore_private.h"

#include <signal.h>
#include <time.h>

enum {
    LOG_PAGES = 4000, /* at which the log is emptied: 16 MB */
    ROUNDS = 3,
    PAUSE_MS = 250 /* behind the last round, so that a log that is held up keeps no disk busy */
};

/* Called by each commit of the broker's thread with the pages in the log. Once all of them have
 * been moved, the next commit begins the log anew. */
static int checkpoint_notice(void *context, sqlite3 *writer, const char *name, int pages)
{
    struct sqlite_checkpoint *checkpoint = context;

    (void)writer;
    (void)name;
    if (pages >= LOG_PAGES) {
        pthread_mutex_lock(&checkpoint->mutex);
        checkpoint->is_wanted = true;
        pthread_cond_signal(&checkpoint->wake);
        pthread_mutex_unlock(&checkpoint->mutex);
    }
    return SQLITE_OK;
}

/* Waits until there is work; false when the end is near. */
static bool checkpoint_await(struct sqlite_checkpoint *checkpoint)
{
    while (!checkpoint->is_wanted && !checkpoint->is_ending) {
        pthread_cond_wait(&checkpoint->wake, &checkpoint->mutex);
    }
    checkpoint->is_wanted = false;
    return !checkpoint->is_ending;
}

static void checkpoint_pause(struct sqlite_checkpoint *checkpoint)
{
    struct timespec until;
    int code = clock_gettime(CLOCK_MONOTONIC, &until);

    until.tv_nsec += PAUSE_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    while (code == 0 && !checkpoint->is_ending) {
        code = pthread_cond_timedwait(&checkpoint->wake, &checkpoint->mutex, &until);
    }
}

/* Moves what is in the log; what came in the meantime in a second round, and a third, which are
 * short. The log begins anew only when nothing is left. Returns false when something is; after an
 * error the next commit asks again. */
static bool checkpoint_move(sqlite3 *db)
{
    int pages = 0;
    int moved = 0;
    int code = SQLITE_OK;

    for (int round = 0; round < ROUNDS && code == SQLITE_OK && (round == 0 || moved < pages);
         round++) {
        code = sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, &pages, &moved);
    }
    return code != SQLITE_OK || moved >= pages;
}

static void *checkpoint_run(void *context)
{
    struct sqlite_checkpoint *checkpoint = context;

    pthread_mutex_lock(&checkpoint->mutex);
    while (checkpoint_await(checkpoint)) {
        pthread_mutex_unlock(&checkpoint->mutex);
        bool is_empty = checkpoint_move(checkpoint->db);
        pthread_mutex_lock(&checkpoint->mutex);
        if (!is_empty) { /* or a log would stay full after a rush */
            checkpoint->is_wanted = true;
        }
        checkpoint_pause(checkpoint);
    }
    pthread_mutex_unlock(&checkpoint->mutex);
    return NULL;
}

/* The connection must have read once, or it has no log to move. */
static int checkpoint_open(struct sqlite_checkpoint *checkpoint, const char *path)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    int code = sqlite3_open_v2(path, &checkpoint->db, flags, NULL);

    if (code == SQLITE_OK) {
        code = sqlite3_exec(checkpoint->db,
                            "PRAGMA synchronous = NORMAL; PRAGMA cache_size = 10;"
                            "PRAGMA user_version",
                            NULL, NULL, NULL);
    }
    return code;
}

/* Signals are for the broker's thread. */
static int checkpoint_start_thread(struct sqlite_checkpoint *checkpoint)
{
    sigset_t all;
    sigset_t before;

    sigfillset(&all);
    int code = pthread_sigmask(SIG_SETMASK, &all, &before);
    if (code == 0) {
        code = pthread_create(&checkpoint->thread, NULL, checkpoint_run, checkpoint);
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    return code;
}

static bool checkpoint_init(struct sqlite_checkpoint *checkpoint)
{
    pthread_condattr_t attributes;
    bool is_made = false;

    if (pthread_condattr_init(&attributes) != 0) {
        return false;
    }
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    if (pthread_mutex_init(&checkpoint->mutex, NULL) == 0) {
        is_made = pthread_cond_init(&checkpoint->wake, &attributes) == 0;
        if (!is_made) {
            pthread_mutex_destroy(&checkpoint->mutex);
        }
    }
    pthread_condattr_destroy(&attributes);
    return is_made;
}

static void checkpoint_deinit(struct sqlite_checkpoint *checkpoint)
{
    pthread_cond_destroy(&checkpoint->wake);
    pthread_mutex_destroy(&checkpoint->mutex);
    (void)sqlite3_close(checkpoint->db);
    *checkpoint = (struct sqlite_checkpoint){.db = NULL};
}

enum invig_status invig_sqlitecheckpoint_start(struct sqlite_checkpoint *checkpoint,
                                               const char *path, sqlite3 *writer)
{
    *checkpoint = (struct sqlite_checkpoint){.db = NULL};
    if (!checkpoint_init(checkpoint)) {
        return INVIG_ERR_NO_MEMORY;
    }
    enum invig_status status = invig_sqlitestore_status(checkpoint_open(checkpoint, path));
    if (status == INVIG_OK && checkpoint_start_thread(checkpoint) != 0) {
        status = INVIG_ERR_NO_MEMORY; /* or of threads */
    }
    if (status != INVIG_OK) {
        checkpoint_deinit(checkpoint);
        return status;
    }
    checkpoint->is_running = true;
    /* This takes the place of SQLite's own checkpoints, too. */
    (void)sqlite3_wal_hook(writer, checkpoint_notice, checkpoint);
    return INVIG_OK;
}

void invig_sqlitecheckpoint_stop(struct sqlite_checkpoint *checkpoint)
{
    if (!checkpoint->is_running) {
        return;
    }
    pthread_mutex_lock(&checkpoint->mutex);
    checkpoint->is_ending = true;
    pthread_cond_signal(&checkpoint->wake);
    pthread_mutex_unlock(&checkpoint->mutex);
    (void)pthread_join(checkpoint->thread, NULL);
    checkpoint_deinit(checkpoint);
}
