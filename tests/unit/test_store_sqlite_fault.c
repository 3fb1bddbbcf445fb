/* SPDX-License-Identifier: Apache-2.0
 *
 * test_store_sqlite_fault.c - single steps of SQLite that fail, a disk that fills up, and a broker
 * that is killed: a batch is there as a whole or not at all.
 */
#include "store_assert.h"

#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* Linked with --wrap=sqlite3_step and --wrap=sqlite3_exec. */
typedef int row_function(void *context, int count, char **values, char **names);
int __real_sqlite3_step(sqlite3_stmt *statement);
int __wrap_sqlite3_step(sqlite3_stmt *statement);
int __real_sqlite3_exec(sqlite3 *db, const char *sql, row_function *row, void *context,
                        char **message);
int __wrap_sqlite3_exec(sqlite3 *db, const char *sql, row_function *row, void *context,
                        char **message);

static struct {
    int left; /* steps until the one that fails; 0: none */
    int code;
    bool rolls_back; /* as SQLite does by itself after some errors */
} fault;

int __wrap_sqlite3_step(sqlite3_stmt *statement)
{
    if (fault.left == 0 || --fault.left > 0) {
        return __real_sqlite3_step(statement);
    }
    if (fault.rolls_back) {
        (void)__real_sqlite3_exec(sqlite3_db_handle(statement), "ROLLBACK", NULL, NULL, NULL);
    }
    return fault.code;
}

int __wrap_sqlite3_exec(sqlite3 *db, const char *sql, row_function *row, void *context,
                        char **message)
{
    if (fault.left == 0 || --fault.left > 0) {
        return __real_sqlite3_exec(db, sql, row, context, message);
    }
    return fault.code;
}

static const struct {
    int code;
    enum invig_status expected;
} codes[] = {
    {SQLITE_FULL, INVIG_ERR_IO},         {SQLITE_IOERR, INVIG_ERR_IO},
    {SQLITE_IOERR_FSYNC, INVIG_ERR_IO},  {SQLITE_BUSY, INVIG_ERR_IO},
    {SQLITE_NOMEM, INVIG_ERR_NO_MEMORY}, {SQLITE_IOERR_NOMEM, INVIG_ERR_IO},
    {SQLITE_CORRUPT, INVIG_ERR_IO},      {SQLITE_READONLY, INVIG_ERR_IO},
};

/* Five steps. Returns what the commit says, or the begin. */
static enum invig_status batch_run(const struct invig_store *store, const char *user,
                                   uint64_t serial)
{
    const struct invig_member_record member = {.is_bound = true};
    enum invig_status status = store->begin(store->context);

    if (status != INVIG_OK) {
        return status;
    }
    (void)put_user(store, user, 1);
    (void)put_session(store, user, "s", serial, 1);
    (void)store->put_member(store->context, text("e"), text(user), &member);
    return store->commit(store->context);
}

static void test_store_batch_that_fails_leaves_nothing(void **state)
{
    struct invig_store store = store_open();
    static char before[DUMP_BYTES];

    (void)state;
    assert_int_equal(batch_run(&store, "anna", 1), INVIG_OK);
    strcpy(before, store_dump(&store));
    for (int step = 1; step <= 5; step++) {
        for (size_t i = 0; i < ROWS(codes) * 2; i++) {
            fault.left = step;
            fault.code = codes[i / 2].code;
            fault.rolls_back = i % 2 != 0;
            assert_int_equal(batch_run(&store, "ben", 2), codes[i / 2].expected);
            assert_int_equal(fault.left, 0);
            assert_string_equal(store_dump(&store), before);
            store.rollback(store.context);
        }
    }
    assert_int_equal(batch_run(&store, "ben", 2), INVIG_OK);
    assert_string_not_equal(store_dump(&store), before);
    store.close(store.context);
}

/* Even where rolling back fails, too: the next batch is a new one. */
static void test_store_batch_begins_anew_after_a_failed_rollback(void **state)
{
    struct invig_store store = store_open();

    (void)state;
    store_begin(&store);
    assert_int_equal(put_user(&store, "anna", 1), INVIG_OK);
    fault.left = 1;
    fault.code = SQLITE_IOERR;
    fault.rolls_back = false;
    store.rollback(store.context);
    assert_int_equal(batch_run(&store, "ben", 1), INVIG_OK);
    assert_null(strstr(store_dump(&store), "anna"));
    store.close(store.context);
}

static void test_store_sweep_that_fails_leaves_all(void **state)
{
    struct invig_store store = store_open();
    bool is_done;

    (void)state;
    store_begin(&store);
    assert_int_equal(put_session(&store, "anna", "s", 1, 0), INVIG_OK);
    store_commit(&store);
    for (int step = 1; step <= 4; step++) {
        for (size_t i = 0; i < ROWS(codes); i++) {
            fault.left = step;
            fault.code = codes[i].code;
            enum invig_status status = store.sweep(store.context, 9, 9, &is_done);
            assert_int_equal(fault.left, 0);
            assert_int_not_equal(status, INVIG_OK);
            assert_non_null(strstr(store_dump(&store), "session anna"));
            assert_int_equal(store.sweep(store.context, 0, 9, &is_done), INVIG_OK); /* once round */
            while (!is_done) {
                assert_int_equal(store.sweep(store.context, 0, 9, &is_done), INVIG_OK);
            }
        }
    }
    assert_int_equal(store.sweep(store.context, 9, 9, &is_done), INVIG_OK);
    assert_string_equal(store_dump(&store), "");
    store.close(store.context);
}

static void test_store_load_that_fails_says_so(void **state)
{
    static struct dump dump;
    struct invig_store_reader reader = dump_reader(&dump);
    struct invig_store store = store_open();

    (void)state;
    assert_int_equal(batch_run(&store, "anna", 1), INVIG_OK);
    for (int step = 1; step <= 7; step++) { /* three rows and four ends */
        fault.left = step;
        fault.code = step % 2 != 0 ? SQLITE_IOERR : SQLITE_CORRUPT;
        assert_int_equal(store.load(store.context, &reader),
                         step % 2 != 0 ? INVIG_ERR_IO : INVIG_ERR_FORMAT);
        assert_int_equal(fault.left, 0);
    }
    assert_int_equal(batch_run(&store, "ben", 2), INVIG_OK);
    store.close(store.context);
}

/* Each step of opening fails once. Returns their number. */
static int assert_open_faults_leave_all(void)
{
    char error[INVIG_STORE_ERROR_BYTES];
    struct invig_store store;
    int step = 1;

    for (;; step++) {
        fault.left = step;
        fault.code = SQLITE_IOERR;
        fault.rolls_back = false;
        char before[LISTING_BYTES];
        char after[LISTING_BYTES];
        directory_list(before);
        if (invig_sqlitestore_open(path, false, &store, error) == INVIG_OK) {
            break;
        }
        directory_list(after);
        assert_string_equal(before, after);
        assert_memory_equal(error, "plugin_opt_state_file: found \"", 30);
    }
    fault.left = 0;
    store.close(store.context);
    return step - 1;
}

static void make_old_store(void)
{
    sqlite3 *db = NULL;

    assert_int_equal(invig_sqlitestore_create(path, 1), INVIG_OK);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db, "INSERT INTO users VALUES('anna', 5, NULL, 7)", NULL, NULL, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void test_store_open_that_fails_leaves_all(void **state)
{
    (void)state;
    assert_int_equal(assert_open_faults_leave_all(), 11); /* a new file */
    unlink(path);
    assert_int_equal(close(open(path, O_WRONLY | O_CREAT, 0644)), 0);
    assert_int_equal(assert_open_faults_leave_all(), 11);
    assert_int_equal(assert_open_faults_leave_all(), 6);
}

/* A file of an older version is what it was or brought up to date, and nothing between. */
static void test_store_update_that_fails_loses_nothing(void **state)
{
    char error[INVIG_STORE_ERROR_BYTES];
    struct invig_store store;
    int steps = 0;

    (void)state;
    for (int step = 1; steps == 0; step++) {
        unlink(path);
        make_old_store();
        fault.left = step;
        fault.code = SQLITE_IOERR;
        fault.rolls_back = false;
        if (invig_sqlitestore_open(path, false, &store, error) == INVIG_OK) {
            steps = step - 1;
            store.close(store.context);
        }
        fault.left = 0;
        store = store_open();
        assert_string_equal(store_dump(&store), "user anna 1:5 0:0 7\n");
        store.close(store.context);
    }
    assert_int_equal(steps, 11);
}

static void limit_files(rlim_t bytes)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* The log may not grow any more at some point: what was taken is there, what was not is not. */
static void test_store_survives_a_disk_that_fills_up(void **state)
{
    struct invig_store store = store_open();
    char user[16] = "";
    int taken = 0;

    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    limit_files(200 * 1024);
    for (int i = 0; i < 200; i++) {
        snprintf(user, sizeof user, "u%d", i);
        enum invig_status status = batch_run(&store, user, (uint64_t)i + 1);
        assert_true(status == INVIG_OK || status == INVIG_ERR_IO);
        taken += status == INVIG_OK;
        assert_int_equal(taken == i + 1, status == INVIG_OK); /* none after the first that failed */
    }
    assert_true(taken > 5 && taken < 200);
    limit_files(RLIM_INFINITY);
    assert_int_equal(batch_run(&store, "last", 1000), INVIG_OK);
    for (int is_reopened = 0; is_reopened < 2; is_reopened++) {
        for (int i = 0; i < 200; i++) {
            char line[32];
            snprintf(line, sizeof line, "session u%d s #", i);
            assert_int_equal(strstr(store_dump(&store), line) != NULL, i < taken);
        }
        assert_non_null(strstr(store_dump(&store), "session last s #"));
        store.close(store.context);
        store = store_open();
    }
    store.close(store.context);
}

/* Puts batches without end, and says through the pipe which ones were taken. */
static void child_run(int to, int die_at)
{
    struct invig_store store = store_open();
    char user[16];

    for (int i = 1;; i++) {
        snprintf(user, sizeof user, "u%d", i);
        if (i == die_at) { /* half a batch */
            (void)store.begin(store.context);
            (void)put_user(&store, user, 1);
            (void)raise(SIGKILL);
        }
        if (batch_run(&store, user, (uint64_t)i) != INVIG_OK ||
            write(to, &i, sizeof i) != (ssize_t)sizeof i) {
            _exit(1);
        }
    }
}

/* Kills a child that writes, when it is at `die_at` or has told of `patience` batches. Returns the
 * last batch that it told of. */
static int child_kill(int die_at, int patience)
{
    int ends[2];
    int last = 0;
    int told;
    int status;

    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ends[0]);
        child_run(ends[1], die_at);
    }
    close(ends[1]);
    while (read(ends[0], &told, sizeof told) == (ssize_t)sizeof told) {
        last = told;
        if (last == patience) {
            (void)kill(child, SIGKILL);
        }
    }
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    return last;
}

/* What was told is there, batches are whole, and at most the one after the last may be there too.
 */
static void assert_whole_up_to(int last, int untold)
{
    struct invig_store store = store_open();
    const char *dump = store_dump(&store);

    for (int i = 1; i <= last + 2; i++) {
        char lines[3][40];
        snprintf(lines[0], sizeof lines[0], "user u%d 0", i);
        snprintf(lines[1], sizeof lines[1], "session u%d s #%d ", i, i);
        snprintf(lines[2], sizeof lines[2], "member e u%d access", i);
        bool is_there = strstr(dump, lines[0]) != NULL;
        assert_int_equal(strstr(dump, lines[1]) != NULL, is_there);
        assert_int_equal(strstr(dump, lines[2]) != NULL, is_there);
        assert_true(is_there ? i <= last + untold : i > last);
    }
    store.close(store.context);
}

static void test_store_survives_a_kill(void **state)
{
    (void)state;
    for (int round = 0; round < 25; round++) {
        bool is_within = round % 2 == 0;
        int last = child_kill(is_within ? 1 + round * 3 : 0, is_within ? 0 : 1 + round * 7);
        assert_true(!is_within || last == round * 3);
        /* Of half a batch there is nothing; a whole one may not have been told of. */
        assert_whole_up_to(last, is_within ? 0 : 1);
        assert_int_equal(unlink(path), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, directory_make, directory_remove)
        STORE_TEST(test_store_batch_that_fails_leaves_nothing),
        STORE_TEST(test_store_batch_begins_anew_after_a_failed_rollback),
        STORE_TEST(test_store_sweep_that_fails_leaves_all),
        STORE_TEST(test_store_load_that_fails_says_so),
        STORE_TEST(test_store_open_that_fails_leaves_all),
        STORE_TEST(test_store_update_that_fails_loses_nothing),
        STORE_TEST(test_store_survives_a_disk_that_fills_up),
        STORE_TEST(test_store_survives_a_kill),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
