/* SPDX-License-Identifier: Apache-2.0
 *
 * test_store_sqlite_schema.c - files that are brought up to date.
 */
#include "store_assert.h"

#include "sqlitestore_private.h"

static void test_store_takes_an_empty_file_and_each_version(void **state)
{
    (void)state;
    assert_int_equal(close(open(path, O_WRONLY | O_CREAT, 0600)), 0);
    make_store();
    for (int version = 1; version <= INVIG_STORE_VERSION; version++) {
        unlink(path);
        assert_int_equal(invig_sqlitestore_create(path, version), INVIG_OK);
        make_store();
        struct invig_store store = store_open();
        assert_string_equal(store_dump(&store), "user anna 0:0 0:0 1\n");
        store.close(store.context);
    }
    assert_int_equal(invig_sqlitestore_create(path, 1), INVIG_ERR_FORMAT); /* is one already */
    assert_int_equal(invig_sqlitestore_create(path, 0), INVIG_ERR_INVALID);
    assert_int_equal(invig_sqlitestore_create(path, INVIG_STORE_VERSION + 1), INVIG_ERR_INVALID);
}

static int ask(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;

    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int answer = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    return answer;
}

/* With steps that there are not yet: each runs once, and one that fails leaves all as it was. */
/* What a file of the first version has is there after the update, and what is new can be put. */
static void test_store_brings_the_first_version_up(void **state)
{
    const struct invig_cleared_record record = {.kept_until_s = 9};
    sqlite3 *db = NULL;

    (void)state;
    assert_int_equal(invig_sqlitestore_create(path, 1), INVIG_OK);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db,
                     "INSERT INTO users VALUES('anna', 5, NULL, 7);"
                     "INSERT INTO sessions VALUES('anna', 's1', 1, 5, 1, 1, 1, 0, NULL, 7);"
                     "INSERT INTO evaluations VALUES('e1', 'GRADING', 0, 3, NULL, '{}');"
                     "INSERT INTO members VALUES('anna', 'e1', 'DENIED', 4, 0, NULL, NULL, 0, 0,"
                     " 0, 0, 0, 0, 1, 1);",
                     NULL, NULL, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    struct invig_store store = store_open();
    store_begin(&store);
    assert_int_equal(store.put_cleared(store.context, text("e1"), text("anna"), &record), INVIG_OK);
    store_commit(&store);
    assert_string_equal(store_dump(&store), "user anna 1:5 0:0 7\n"
                                            "session anna s1 #1 1:5 1110 end 0 7\n"
                                            "evaluation e1 1[GRADING] 0 1:3 [] 1[{}]\n"
                                            "member e1 anna access 2 4 0 0:0 0[] 00 #0 00 0 11\n"
                                            "cleared e1 1[anna] 9\n");
    store.close(store.context);
}

static void test_store_migrates_all_or_nothing(void **state)
{
    static const char *const steps[] = {
        NULL, /* is not run again */
        "ALTER TABLE users ADD COLUMN note TEXT; UPDATE users SET note = 'two'",
        "CREATE TABLE three(a); INSERT INTO three SELECT 3 FROM users WHERE note = 'two'",
        "CREATE TABLE four(a); DROP TABLE missing",
    };
    sqlite3 *db = NULL;

    (void)state;
    assert_int_equal(invig_sqlitestore_create(path, 1), INVIG_OK);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db, "INSERT INTO users VALUES('anna', 1, 0, 1)", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(invig_sqliteschema_migrate(db, steps, 1, 4), SQLITE_ERROR);
    assert_int_equal(ask(db, "PRAGMA user_version"), 1);
    assert_int_equal(ask(db, "SELECT count(*) FROM pragma_table_info('users')"), 4);
    assert_int_equal(invig_sqliteschema_migrate(db, steps, 1, 3), SQLITE_OK);
    assert_int_equal(ask(db, "PRAGMA user_version"), 3);
    assert_int_equal(ask(db, "PRAGMA application_id"), INVIG_STORE_APPLICATION_ID);
    assert_int_equal(ask(db, "SELECT a FROM three"), 3);
    assert_int_equal(ask(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'four'"), 0);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, directory_make, directory_remove)
        STORE_TEST(test_store_takes_an_empty_file_and_each_version),
        STORE_TEST(test_store_brings_the_first_version_up),
        STORE_TEST(test_store_migrates_all_or_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
