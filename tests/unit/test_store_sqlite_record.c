/* SPDX-License-Identifier: Apache-2.0
 *
 * test_store_sqlite_record.c - rows that make no sense, as damage or a hand may leave them: loading
 * says so, and nobody gets to see them.
 */
#include "store_assert.h"

#include <sqlite3.h>

#define TEXT_65 "01234567890123456789012345678901234567890123456789012345678901234"

/* A sound row of each table, of which each case changes one column. */
static const char sound[] =
    "DELETE FROM users; DELETE FROM sessions; DELETE FROM evaluations; DELETE FROM members;"
    "INSERT INTO users VALUES('anna', 1, NULL, 2);"
    "INSERT INTO sessions VALUES('anna', 's', 1, 1, 0, 1, 1, 0, NULL, 2);"
    "INSERT INTO evaluations VALUES('e', 'NEW', 0, 1, '2026-11-24T09:30:00Z', '{}');"
    "INSERT INTO members(user, evaluation, access, access_since, is_finished, version, message,"
    " is_copy, is_bound, released_serial, is_shared_reported, is_blocked, blocked_since,"
    " was_student, has_connected)"
    " VALUES('anna', 'e', 'ALLOWED', 1, 0, 1, '{}', 0, 1, 0, 0, 0, 0, 1, 1);";

static const char sound_dump[] = "user anna 1:1 0:0 2\n"
                                 "session anna s #1 1:1 0110 end 0 2\n"
                                 "evaluation e 1[NEW] 0 1:1 [2026-11-24T09:30:00Z] 1[{}]\n"
                                 "member e anna access 1 1 0 1:1 1[{}] 01 #0 00 0 11\n";

static void run(const char *sql)
{
    sqlite3 *db = NULL;
    char *message = NULL;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK) {
        fail_msg("%s: %s", sql, message);
    }
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* Changes the sound rows and loads them. */
static void assert_load(const char *change, bool is_sound)
{
    static struct dump dump;
    struct invig_store_reader reader = dump_reader(&dump);
    char before[LISTING_BYTES];
    char after[LISTING_BYTES];

    run(sound);
    run(change);
    directory_list(before);
    struct invig_store store = store_open();
    enum invig_status status = store.load(store.context, &reader);
    if (status != (is_sound ? INVIG_OK : INVIG_ERR_FORMAT)) {
        fail_msg("%d: %s", status, change);
    }
    if (!is_sound && dump.count > 3) {
        fail_msg("given: %s", change);
    }
    store.close(store.context);
    directory_list(after);
    assert_string_equal(before, after);
}

static void test_store_load_refuses_what_makes_no_sense(void **state)
{
    static const char *const changes[] = {
        "UPDATE users SET user = ''",
        "UPDATE users SET user = 'a/b'",
        "UPDATE users SET user = CAST(x'FF' AS TEXT)",
        "UPDATE users SET user = CAST(x'6100' AS TEXT)",
        "UPDATE users SET newest_login = -1",
        "UPDATE users SET revoked_before = 9223372036854775807",
        "UPDATE users SET kept_until = 506804601599",
        "UPDATE users SET kept_until = -9223372036854775808",
        "UPDATE sessions SET session = 'a#'",
        "UPDATE sessions SET serial = 0",
        "INSERT INTO sessions VALUES('ben', 's', 1, 1, 0, 1, 1, 0, NULL, 2)",
        "UPDATE sessions SET login = -1",
        "UPDATE sessions SET is_single = 2",
        "UPDATE sessions SET is_current = -1",
        "UPDATE sessions SET ended = 'EXPIRED'",
        "UPDATE sessions SET ended = ''",
        "UPDATE sessions SET ended = 'revoked'",
        "UPDATE sessions SET ended = 'ALLOWED'",
        "UPDATE evaluations SET evaluation = '+'",
        "UPDATE evaluations SET phase = ''",
        "UPDATE evaluations SET phase = '" TEXT_65 "'",
        "UPDATE evaluations SET version = -1",
        "UPDATE evaluations SET end_at = ''",
        "UPDATE evaluations SET end_at = '2026-11-24T09:30:00'",
        "UPDATE evaluations SET end_at = '2026-11-24T09:30:00.1234567890Z'",
        "UPDATE evaluations SET end_at = '" TEXT_65 "'",
        "UPDATE evaluations SET message = ''",
        "UPDATE evaluations SET message = CAST(zeroblob(4201) AS TEXT)",
        "UPDATE members SET evaluation = '/'",
        "UPDATE members SET user = '#'",
        "UPDATE members SET access = 'NONE'",
        "UPDATE members SET access_since = -1",
        "UPDATE members SET is_bound = 256",
        "UPDATE members SET has_connected = 4294967296",
        "UPDATE members SET message = CAST(zeroblob(4201) AS TEXT)",
    };

    (void)state;
    make_store();
    assert_load("SELECT 1", true);
    for (size_t i = 0; i < ROWS(changes); i++) {
        assert_load(changes[i], false);
    }
}

static void test_store_load_takes_the_extremes(void **state)
{
    static const char *const changes[] = {
        "UPDATE users SET newest_login = 0, kept_until = 506804601598",
        "UPDATE sessions SET serial = -1, login = NULL, ended = 'REVOKED'",
        "UPDATE evaluations SET version = 9223372036854775807",
        "UPDATE evaluations SET phase = NULL, end_at = NULL, message = NULL",
        "UPDATE members SET access = NULL, message = CAST(zeroblob(4000) AS TEXT)",
        "UPDATE members SET released_serial = -9223372036854775808",
    };

    (void)state;
    make_store();
    for (size_t i = 0; i < ROWS(changes); i++) {
        assert_load(changes[i], true);
    }
    run(sound);
    struct invig_store store = store_open();
    assert_string_equal(store_dump(&store), sound_dump);
    store.close(store.context);
}

/* Without STRICT, any column may hold anything. */
static void test_store_load_looks_at_types(void **state)
{
    static const char *const values[] = {"'1'", "1.5", "x'31'", "x''", "'x'", "NULL"};
    /* column, and which of the values may be there */
    static const struct {
        const char *column;
        const char *sound;
    } rows[] = {{"user", ""},      {"session", ""},          {"serial", ""},
                {"login", "5"},    {"login_is_lasting", ""}, {"ended", "5"},
                {"kept_until", ""}};

    (void)state;
    make_store();
    run("DROP TABLE sessions; CREATE TABLE sessions(user, session, serial, login, login_is_lasting,"
        " is_single, is_current, is_turned_away, ended, kept_until)");
    for (size_t i = 0; i < ROWS(rows); i++) {
        for (size_t k = 0; k < ROWS(values); k++) {
            char change[100];
            bool is_id = i < 2 && (k == 0 || k == 4);
            snprintf(change, sizeof change, "UPDATE sessions SET %s = %s", rows[i].column,
                     values[k]);
            assert_load(change, is_id || strchr(rows[i].sound, (char)('0' + k)) != NULL);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, directory_make, directory_remove)
        STORE_TEST(test_store_load_refuses_what_makes_no_sense),
        STORE_TEST(test_store_load_takes_the_extremes),
        STORE_TEST(test_store_load_looks_at_types),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
