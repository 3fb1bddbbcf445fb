/* SPDX-License-Identifier: Apache-2.0
 *
 * test_store_sqlite.c - the store in a file: records there and back, batches, what is refused.
 */
#include "store_assert.h"

#define TIME_MAX (2 * INVIG_TIME_S_MAX)

static void reopen(struct invig_store *store)
{
    store->close(store->context);
    *store = store_open();
}

static const struct invig_user_record users[] = {
    {0},
    {.has_newest_login = true, .kept_until_s = 1},
    {.has_revoked_before = true, .revoked_before_s = 5},
    {true, TIME_MAX, true, TIME_MAX, TIME_MAX},
    {true, 1, true, 2, 3},
};

static const struct invig_session_record sessions[] = {
    {.serial = 1},
    {.serial = UINT64_MAX, .has_login = true, .login_s = TIME_MAX, .kept_until_s = TIME_MAX},
    {.serial = (uint64_t)INT64_MAX, .has_login = true, .login_is_lasting = true},
    {.serial = (uint64_t)INT64_MAX + 1, .is_single = true, .end = INVIG_END_SUPERSEDED},
    {.serial = 2, .is_current = true, .end = INVIG_END_REVOKED},
    {.serial = 3, .is_turned_away = true, .login_s = 0, .has_login = true, .kept_until_s = 77},
};

static char long_message[4001];

#define TEXT(string)                                                                               \
    {                                                                                              \
        string, sizeof(string) - 1                                                                 \
    }

static const struct invig_evaluation_record evaluations[] = {
    {.is_strict_off = true},
    {.phase = TEXT("IN_PROGRESS"), .has_version = true, .message = TEXT("{}")},
    {.phase = TEXT("a"), .has_version = true, .version = INT64_MAX},
    {.phase = TEXT("0123456789012345678901234567890123456789012345678901234567890123"),
     .end_at = "2026-11-24T09:30:00.123456789Z",
     .message = {long_message, 4000}},
    {.end_at = "0000-01-01T00:00:00Z", .message = TEXT("it's \"quoted\"; DROP TABLE users; --")},
};

static const struct invig_member_record members[] = {
    {0},
    {.access = INVIG_ACCESS_ALLOWED, .access_since_s = TIME_MAX, .has_version = true},
    {.access = INVIG_ACCESS_DENIED, .is_finished = true, .has_version = true, .version = INT64_MAX},
    {.access = INVIG_ACCESS_BLOCKED, .message = {long_message, 4000}, .is_copy = true},
    {.is_bound = true, .released_serial = UINT64_MAX, .message = TEXT("\xF0\x9F\x98\x80'\n\x01")},
    {.is_shared_reported = true, .released_serial = 1, .message = TEXT("\xFF\xFE\x80 no UTF-8")},
    {.is_blocked = true, .blocked_since_s = TIME_MAX},
    {.was_student = true, .blocked_since_s = 1},
    {.has_connected = true},
};

#define LONGEST_ID                                                                                 \
    "12345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012" \
    "345678901234567890123456789012345678"

/* Ids that would be trouble in SQL, in a path or in a format. */
static const char *const ids[] = {
    "anna", "o'hara", "\"", "%s%n", "a b",      "\xC3\xA4\xF0\x9F\x98\x80",
    ";--",  "NULL",   "1",  "\\",   LONGEST_ID,
};

/* Puts everything and writes what a load has to give, in its order, to `expected`. */
static void put_all(const struct invig_store *store, struct dump *expected)
{
    static const size_t by_serial[] = {0, 4, 5, 2, 3, 1};
    struct invig_store_reader to = dump_reader(expected);

    for (size_t i = 0; i < ROWS(users); i++) {
        assert_int_equal(store->put_user(store->context, text(ids[i]), &users[i]), INVIG_OK);
    }
    for (size_t i = 0; i < ROWS(sessions); i++) {
        assert_int_equal(
            store->put_session(store->context, text(ids[i]), text(ids[i + 3]), &sessions[i]),
            INVIG_OK);
        size_t k = by_serial[i];
        to.session(expected, text(ids[k]), text(ids[k + 3]), &sessions[k]);
    }
    for (size_t i = 0; i < ROWS(evaluations); i++) {
        assert_int_equal(store->put_evaluation(store->context, text(ids[i + 6]), &evaluations[i]),
                         INVIG_OK);
        to.evaluation(expected, text(ids[i + 6]), &evaluations[i]);
    }
}

static void put_members(const struct invig_store *store)
{
    for (size_t i = 0; i < ROWS(members); i++) {
        assert_int_equal(
            store->put_member(store->context, text(ids[i + 1]), text(ids[i + 2]), &members[i]),
            INVIG_OK);
    }
}

/* Each line that the records give is there, and no other. */
static void assert_all_there(const struct invig_store *store, const char *ordered)
{
    static struct dump one;
    const char *found = store_dump(store);
    struct invig_store_reader to = dump_reader(&one);
    size_t length = strlen(ordered);

    assert_non_null(strstr(found, ordered));
    for (size_t i = 0; i < ROWS(users); i++) {
        to = dump_reader(&one);
        to.user(&one, text(ids[i]), &users[i]);
        const char *at = strstr(found, one.text);
        assert_true(at != NULL && at < strstr(found, ordered));
        length += one.length;
    }
    for (size_t i = 0; i < ROWS(members); i++) {
        to = dump_reader(&one);
        to.member(&one, text(ids[i + 1]), text(ids[i + 2]), &members[i]);
        const char *at = strstr(found, one.text);
        assert_true(at != NULL && at > strstr(found, ordered));
        length += one.length;
    }
    assert_int_equal(strlen(found), length);
}

static void test_store_records_come_back_as_they_went(void **state)
{
    static struct dump expected;
    struct invig_store store = store_open();

    (void)state;
    memset(long_message, 'x', 4000);
    assert_string_equal(store_dump(&store), "");
    store_begin(&store);
    put_all(&store, &expected);
    put_members(&store);
    store_commit(&store);
    assert_all_there(&store, expected.text);
    reopen(&store);
    assert_all_there(&store, expected.text);
    store.close(store.context);
}

static void test_store_put_takes_the_place_and_null_drops(void **state)
{
    struct invig_store store = store_open();
    void *context = store.context;

    (void)state;
    store_begin(&store);
    assert_int_equal(put_user(&store, "anna", 1), INVIG_OK);
    assert_int_equal(put_user(&store, "anna", 2), INVIG_OK);
    assert_int_equal(put_session(&store, "anna", "s1", 1, 1), INVIG_OK);
    assert_int_equal(put_session(&store, "anna", "s2", 2, 1), INVIG_OK);
    assert_int_equal(put_session(&store, "ben", "s1", 3, 1), INVIG_OK);
    store.put_evaluation(context, text("e"), &evaluations[1]);
    store.put_member(context, text("e"), text("anna"), &members[1]);
    store.put_member(context, text("anna"), text("e"), &members[0]);
    store_commit(&store);
    store_begin(&store);
    assert_int_equal(put_session(&store, "anna", "s1", 4, 5), INVIG_OK);
    assert_int_equal(store.put_session(context, text("ben"), text("s1"), NULL), INVIG_OK);
    assert_int_equal(store.put_session(context, text("ben"), text("s9"), NULL), INVIG_OK);
    assert_int_equal(store.put_member(context, text("anna"), text("e"), NULL), INVIG_OK);
    assert_int_equal(store.put_evaluation(context, text("anna"), NULL), INVIG_OK);
    store_commit(&store);
    reopen(&store);
    assert_string_equal(store_dump(&store), "user anna 0:0 0:0 2\n"
                                            "session anna s2 #2 0:0 0000 end 0 1\n"
                                            "session anna s1 #4 0:0 0000 end 0 5\n"
                                            "evaluation e 1[IN_PROGRESS] 0 1:0 [] 1[{}]\n"
                                            "member e anna access 1 506804601598 0 1:0 0[] "
                                            "00 #0 00 0 00\n");
    context = store.context;
    store_begin(&store);
    assert_int_equal(store.put_user(context, text("anna"), NULL), INVIG_OK);
    assert_int_equal(store.put_evaluation(context, text("e"), NULL), INVIG_OK);
    assert_int_equal(store.put_session(context, text("anna"), text("s1"), NULL), INVIG_OK);
    store_commit(&store);
    assert_string_equal(store_dump(&store), "session anna s2 #2 0:0 0000 end 0 1\n"
                                            "member e anna access 1 506804601598 0 1:0 0[] "
                                            "00 #0 00 0 00\n");
    store.close(store.context);
}

static void test_store_batch_is_whole_or_not_there(void **state)
{
    struct invig_store store = store_open();

    (void)state;
    store.rollback(store.context); /* none is open */
    assert_int_equal(store.commit(store.context), INVIG_ERR_STATE);
    assert_int_equal(put_user(&store, "anna", 1), INVIG_ERR_STATE);
    store_begin(&store);
    assert_int_equal(store.begin(store.context), INVIG_ERR_STATE);
    assert_int_equal(put_user(&store, "anna", 1), INVIG_OK);
    store.rollback(store.context);
    assert_string_equal(store_dump(&store), "");
    store_begin(&store);
    assert_int_equal(put_user(&store, "ben", 1), INVIG_OK);
    store_commit(&store);
    store_begin(&store);
    assert_int_equal(put_user(&store, "cleo", 1), INVIG_OK);
    reopen(&store); /* an open batch is dropped */
    assert_string_equal(store_dump(&store), "user ben 0:0 0:0 1\n");
    store.close(store.context);
}

/* What could not be read back is not written, and takes its batch along. */
static void test_store_refuses_records_that_make_no_sense(void **state)
{
    const struct invig_session_record bad_sessions[] = {
        {.serial = 0},
        {.serial = 1, .end = INVIG_END_EXPIRED},
        {.serial = 1, .end = (enum invig_end)99},
        {.serial = 1, .kept_until_s = -1},
        {.serial = 1, .has_login = true, .login_s = TIME_MAX + 1},
    };
    const struct invig_evaluation_record bad_evaluations[] = {
        {.phase = TEXT("01234567890123456789012345678901234567890123456789012345678901234")},
        {.phase = TEXT("")},
        {.message = TEXT("")},
        {.message = {long_message, INVIG_UPDATE_COPY_BYTES + 1}},
        {.has_version = true, .version = -1},
        {.end_at = "2026-11-24"},
    };
    const char *const bad_ids[] = {NULL, "", "a/b", "$a", "a\nb", "\xFF"};
    struct invig_store store = store_open();

    (void)state;
    for (size_t i = 0; i < ROWS(bad_sessions) + ROWS(bad_evaluations) + ROWS(bad_ids); i++) {
        size_t k = i - ROWS(bad_sessions);
        store_begin(&store);
        assert_int_equal(put_user(&store, "anna", 1), INVIG_OK);
        enum invig_status status =
            i < ROWS(bad_sessions)
                ? store.put_session(store.context, text("a"), text("s"), &bad_sessions[i])
            : k < ROWS(bad_evaluations)
                ? store.put_evaluation(store.context, text("e"), &bad_evaluations[k])
                : put_user(&store, bad_ids[k - ROWS(bad_evaluations)], 1);
        assert_int_equal(status, INVIG_ERR_INVALID);
        assert_int_equal(put_user(&store, "ben", 1), INVIG_ERR_INVALID);
        assert_int_equal(store.commit(store.context), INVIG_ERR_INVALID);
        assert_int_equal(store.commit(store.context), INVIG_ERR_STATE);
    }
    assert_string_equal(store_dump(&store), "");
    store.close(store.context);
}

static void test_store_load_ends_with_the_reader(void **state)
{
    static struct dump dump;
    struct invig_store store = store_open();

    (void)state;
    store_begin(&store);
    put_all(&store, &dump);
    put_members(&store);
    store_commit(&store);
    for (size_t stop = 1; stop <= ROWS(users) + ROWS(sessions) + ROWS(evaluations); stop++) {
        struct invig_store_reader reader = dump_reader(&dump);
        dump.stop_after = stop;
        assert_int_equal(store.load(store.context, &reader), INVIG_ERR_FULL);
        assert_int_equal(dump.count, stop);
    }
    store_begin(&store); /* no reading was left open */
    store_commit(&store);
    store.close(store.context);
}

static void test_store_groups_when_it_is_to_be_full(void **state)
{
    struct invig_store store = store_open();
    struct stat info;

    (void)state;
    assert_false(store.is_grouping);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    store.close(store.context);
    char error[INVIG_STORE_ERROR_BYTES];
    assert_int_equal(invig_sqlitestore_open(path, true, &store, error), INVIG_OK);
    assert_true(store.is_grouping);
    store.close(store.context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, directory_make, directory_remove)
        STORE_TEST(test_store_records_come_back_as_they_went),
        STORE_TEST(test_store_put_takes_the_place_and_null_drops),
        STORE_TEST(test_store_batch_is_whole_or_not_there),
        STORE_TEST(test_store_refuses_records_that_make_no_sense),
        STORE_TEST(test_store_load_ends_with_the_reader),
        STORE_TEST(test_store_groups_when_it_is_to_be_full),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
