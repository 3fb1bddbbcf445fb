/* SPDX-License-Identifier: Apache-2.0
 *
 * test_store_sqlite_open.c - files that are refused, and are then what they were.
 */
#include "store_assert.h"

#include "sqlitestore_private.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

static void write_file(const char *suffix, const void *data, size_t length)
{
    char name[80];

    snprintf(name, sizeof name, "%s%s", path, suffix);
    FILE *stream = fopen(name, "wb");
    assert_non_null(stream);
    assert_int_equal(fwrite(data, 1, length, stream), length);
    assert_int_equal(fclose(stream), 0);
}

static void run_sql(const char *sql)
{
    sqlite3 *db = NULL;
    char *message = NULL;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK) {
        fail_msg("%s", message);
    }
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* A store whose broker was killed: its log has a record, or runs `sql` at the end. */
static void make_killed_store(const char *sql)
{
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (child == 0) {
        struct invig_store store = store_open();
        store_begin(&store);
        put_user(&store, "anna", 1);
        store_commit(&store);
        sqlite3 *db = ((struct sqlite_store *)store.context)->db;
        if (sql != NULL && sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
            _exit(1);
        }
        raise(SIGKILL);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
}

static void test_store_refuses_what_is_no_database(void **state)
{
    char zeros[8192] = {0};

    (void)state;
    write_file("", "hello\n", 6);
    assert_open_refused(INVIG_ERR_FORMAT, "no SQLite database");
    write_file("-wal", "log of another", 14);
    assert_open_refused(INVIG_ERR_FORMAT, "no SQLite database");
    write_file("", zeros, sizeof zeros);
    assert_open_refused(INVIG_ERR_FORMAT, "no SQLite database");
    write_file("", "SQLite format 3", 16);
    assert_open_refused(INVIG_ERR_FORMAT, "no SQLite database");
}

static void test_store_refuses_other_programs_databases(void **state)
{
    static const char *const sql[] = {
        "CREATE TABLE users(user TEXT)",
        "PRAGMA application_id = 1; CREATE TABLE t(a)",
        "PRAGMA user_version = 1; CREATE TABLE t(a)",
        "PRAGMA journal_mode = WAL; CREATE TABLE t(a)",
    };

    (void)state;
    for (size_t i = 0; i < ROWS(sql); i++) {
        run_sql(sql[i]);
        assert_open_refused(INVIG_ERR_FORMAT, "another program");
        unlink(path);
    }
}

static void test_store_refuses_newer_schemas(void **state)
{
    (void)state;
    char ours[48];

    make_store();
    run_sql("PRAGMA user_version = 99");
    assert_open_refused(INVIG_ERR_FORMAT, "newer version of the plugin wrote (schema 99)");
    run_sql("PRAGMA user_version = -1");
    assert_open_refused(INVIG_ERR_FORMAT, "newer version");
    snprintf(ours, sizeof ours, "PRAGMA user_version = %d", INVIG_STORE_VERSION);
    run_sql(ours);
    struct invig_store store = store_open();
    store.close(store.context);
}

/* The file alone still says version 1: only the log knows better. It stays where it is. */
static void test_store_refuses_newer_schemas_of_a_killed_broker(void **state)
{
    char cache[80];

    (void)state;
    make_killed_store("PRAGMA user_version = 7");
    assert_open_refused(INVIG_ERR_FORMAT, "(schema 7)");
    snprintf(cache, sizeof cache, "%s-shm", path);
    assert_int_equal(unlink(cache), 0);
    assert_open_refused(INVIG_ERR_FORMAT, "(schema 7)");
}

/* Overwrites pages of the file, from `at` on. */
static void scribble(size_t at, int page_count)
{
    static unsigned char page[4096];
    FILE *stream = fopen(path, "r+b");

    assert_non_null(stream);
    memset(page, 0xA5, sizeof page);
    assert_int_equal(fseek(stream, (long)at, SEEK_SET), 0);
    for (int i = 0; i < page_count; i++) {
        assert_int_equal(fwrite(page, 1, sizeof page, stream), sizeof page);
    }
    fclose(stream);
}

static void test_store_refuses_damaged_files(void **state)
{
    static const size_t from[] = {100, 3000, 4096, 8192};

    (void)state;
    for (size_t i = 0; i < ROWS(from); i++) {
        make_store();
        scribble(from[i], 1);
        assert_open_refused(INVIG_ERR_FORMAT, "which is damaged (");
        unlink(path);
    }
    make_store();
    assert_int_equal(truncate(path, 4096), 0);
    assert_open_refused(INVIG_ERR_FORMAT, "which is damaged (");
    unlink(path);
    make_killed_store(NULL);
    scribble(4096, 1);
    struct invig_store store = store_open(); /* the log has that page */
    assert_string_equal(store_dump(&store), "user anna 0:0 0:0 1\n");
    store.close(store.context);
}

static void test_store_refuses_schemas_that_lack_something(void **state)
{
    static const char *const sql[] = {
        "DROP TABLE members",
        "ALTER TABLE sessions DROP COLUMN login",
        "PRAGMA user_version = 0",
    };

    (void)state;
    for (size_t i = 0; i < ROWS(sql); i++) {
        make_store();
        run_sql(sql[i]);
        assert_open_refused(INVIG_ERR_FORMAT, "which is damaged (");
        unlink(path);
    }
}

static void test_store_refuses_places_that_cannot_be(void **state)
{
    (void)state;
    assert_int_equal(mkdir(path, 0700), 0);
    assert_open_refused(INVIG_ERR_IO, "cannot be opened (Is a directory)");
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_open_refused(INVIG_ERR_IO, "no regular file");
    unlink(path);
    assert_int_equal(symlink("nowhere", path), 0);
    struct invig_store store;
    char error[INVIG_STORE_ERROR_BYTES];
    assert_int_equal(invig_sqlitestore_open(path, false, &store, error), INVIG_ERR_IO);
    assert_non_null(strstr(error, "cannot be opened"));
    unlink(path);
    snprintf(path, sizeof path, "%s/missing/state.db", directory);
    assert_open_refused(INVIG_ERR_IO, "cannot be opened (No such file or directory)");
    snprintf(path, sizeof path, "/dev/null");
    assert_open_refused(INVIG_ERR_IO, "no regular file");
    snprintf(path, sizeof path, "/proc/sys/kernel/ostype");
    assert_open_refused(INVIG_ERR_IO, "found \"/proc/sys/kernel/ostype\", ");
}

/* Nothing can be made in such a directory, not by root either: a file is where the probe would be.
 */
static void test_store_refuses_a_directory_that_cannot_be_written(void **state)
{
    char probe[80];

    (void)state;
    snprintf(probe, sizeof probe, "%s-room", path);
    for (int is_there = 0; is_there < 2; is_there++) {
        if (is_there) {
            make_store();
        }
        assert_int_equal(mkdir(probe, 0700), 0);
        assert_open_refused(INVIG_ERR_IO, "in whose directory nothing can be written (");
        assert_int_equal(rmdir(probe), 0);
    }
    if (geteuid() == 0) {
        return; /* who may write everywhere */
    }
    assert_int_equal(chmod(directory, 0500), 0);
    assert_open_refused(INVIG_ERR_IO, "in whose directory nothing can be written (");
    assert_int_equal(chmod(directory, 0700), 0);
    assert_int_equal(chmod(path, 0400), 0);
    assert_open_refused(INVIG_ERR_IO, "which cannot be opened (Permission denied)");
}

static void limit_files(rlim_t bytes)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* As full as a disk can be made without one: files may not grow beyond a limit. */
static void test_store_refuses_a_full_disk(void **state)
{
    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    limit_files(8192);
    assert_open_refused(INVIG_ERR_IO, "for which there is no room (");
    write_file("", "", 0);
    assert_open_refused(INVIG_ERR_IO, "for which there is no room (");
    limit_files(RLIM_INFINITY);
    unlink(path);
    make_store();
    limit_files(8192);
    assert_open_refused(INVIG_ERR_IO, "for which there is no room (");
    limit_files(RLIM_INFINITY);
    unlink(path);
    make_killed_store(NULL);
    limit_files(8192);
    assert_open_refused(INVIG_ERR_IO, "for which there is no room (");
    limit_files(RLIM_INFINITY);
    struct invig_store store = store_open();
    assert_string_equal(store_dump(&store), "user anna 0:0 0:0 1\n");
    store.close(store.context);
}

static void test_store_has_one_broker(void **state)
{
    struct invig_store store = store_open();
    int status;

    (void)state;
    assert_open_refused(INVIG_ERR_IO, "which another broker has open");
    pid_t child = fork();
    if (child == 0) {
        char error[INVIG_STORE_ERROR_BYTES];
        struct invig_store other;
        _exit(invig_sqlitestore_open(path, false, &other, error) == INVIG_ERR_IO ? 42 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(WEXITSTATUS(status), 42);
    store_begin(&store); /* it goes on all the same */
    assert_int_equal(put_user(&store, "anna", 1), INVIG_OK);
    store_commit(&store);
    store.close(store.context);
    store = store_open();
    assert_string_equal(store_dump(&store), "user anna 0:0 0:0 1\n");
    store.close(store.context);
}

/* sqlite3(1) can look into it while the broker runs, and what it changes locks nobody out for long.
 */
static void test_store_can_be_looked_into(void **state)
{
    struct invig_store store = store_open();
    sqlite3 *db = NULL;

    (void)state;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN; SELECT * FROM users", NULL, NULL, NULL), SQLITE_OK);
    store_begin(&store);
    assert_int_equal(put_user(&store, "anna", 1), INVIG_OK);
    store_commit(&store);
    assert_int_equal(sqlite3_exec(db, "COMMIT; BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(store.begin(store.context), INVIG_ERR_IO);
    assert_int_equal(put_user(&store, "ben", 1), INVIG_ERR_STATE);
    assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    store_begin(&store);
    store_commit(&store);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    store.close(store.context);
}

static void test_store_takes_names_as_files(void **state)
{
    static const char *const names[] = {":memory:", "file:x.db?mode=memory", "-x"};
    char before[256];
    char error[INVIG_STORE_ERROR_BYTES];
    struct invig_store store;

    (void)state;
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(directory), 0);
    for (size_t i = 0; i < ROWS(names); i++) {
        assert_int_equal(invig_sqlitestore_open(names[i], false, &store, error), INVIG_OK);
        store.close(store.context);
        assert_int_equal(access(names[i], F_OK), 0);
    }
    assert_int_equal(chdir(before), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, directory_make, directory_remove)
        STORE_TEST(test_store_refuses_what_is_no_database),
        STORE_TEST(test_store_refuses_other_programs_databases),
        STORE_TEST(test_store_refuses_newer_schemas),
        STORE_TEST(test_store_refuses_newer_schemas_of_a_killed_broker),
        STORE_TEST(test_store_refuses_damaged_files),
        STORE_TEST(test_store_refuses_schemas_that_lack_something),
        STORE_TEST(test_store_refuses_places_that_cannot_be),
        STORE_TEST(test_store_refuses_a_directory_that_cannot_be_written),
        STORE_TEST(test_store_refuses_a_full_disk),
        STORE_TEST(test_store_has_one_broker),
        STORE_TEST(test_store_can_be_looked_into),
        STORE_TEST(test_store_takes_names_as_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
