/* SPDX-License-Identifier: Apache-2.0
 *
 * test_store.c - the store in a file with single calls of SQLite and of the system failing. What a
 * disk does that fills up or fails in between is in unit/test_store_sqlite_fault.c.
 */
#include "../unit/store_assert.h"
#include "fault_run.h"

static enum invig_status status;
static struct invig_store store;
static char listing[LISTING_BYTES]; /* before it is opened */
static char error[INVIG_STORE_ERROR_BYTES];

/* -- Opening -- */

static void act_open(void)
{
    error[0] = '\0';
    status = invig_sqlitestore_open(path, true, &store, error);
}

/* Everything is as it was, or it is open. */
static void check_open(const char *struck)
{
    if (struck != NULL && status != INVIG_OK) {
        char after[LISTING_BYTES];

        directory_list(after);
        assert_string_equal(after, listing);
        if (memcmp(error, "plugin_opt_state_file: ", 23) != 0 ||
            (status != INVIG_ERR_IO && status != INVIG_ERR_NO_MEMORY)) {
            fail_msg("%s failed: %d %s", struck, status, error);
        }
        act_open();
    }
    assert_int_equal(status, INVIG_OK);
    store.close(store.context);
}

static void check_open_new(const char *struck)
{
    check_open(struck);
    assert_int_equal(unlink(path), 0);
}

static void test_store_new(void **state)
{
    (void)state;
    directory_list(listing);
    assert_true(fault_run("open a new file", act_open, check_open_new) > 40);
}

static void test_store_old(void **state)
{
    (void)state;
    make_store();
    directory_list(listing);
    assert_true(fault_run("open an old file", act_open, check_open) > 40);
}

/* -- Looking at it -- */

static void act_examine(void)
{
    error[0] = '\0';
    status = invig_sqlitestore_examine(path, error);
}

/* Nothing is written, whatever fails. */
static void check_examine(const char *struck)
{
    char after[LISTING_BYTES];

    directory_list(after);
    assert_string_equal(after, listing);
    if (struck == NULL) {
        assert_int_equal(status, INVIG_OK);
    } else if (status != INVIG_OK) {
        assert_int_equal(status, INVIG_ERR_IO);
        assert_memory_equal(error, "plugin_opt_state_file: ", 23);
    }
}

static void test_store_examine(void **state)
{
    (void)state;
    directory_list(listing);
    (void)fault_run("examine where there is no file", act_examine, check_examine);
    make_store();
    directory_list(listing);
    assert_true(fault_run("examine a file", act_examine, check_examine) >= 3);
}

static void act_create(void)
{
    status = invig_sqlitestore_create(path, INVIG_STORE_VERSION);
}

static void check_create(const char *struck)
{
    if (struck != NULL && status != INVIG_OK) {
        (void)unlink(path);
        act_create();
    }
    assert_int_equal(status, INVIG_OK);
    assert_int_equal(unlink(path), 0);
}

static void test_store_create(void **state)
{
    (void)state;
    (void)fault_run("create", act_create, check_create);
}

/* -- Using -- */

static char before[8192];
static char after[8192]; /* of the batch */

/* Every kind of record, and every kind of column. Returns the first error. */
static enum invig_status batch_put(bool is_there)
{
    const struct invig_user_record user = {.has_newest_login = true, .newest_login_s = 5};
    const struct invig_session_record session = {
        .serial = 7, .end = INVIG_END_REVOKED, .kept_until_s = 9};
    const struct invig_evaluation_record evaluation = {.phase = text("NEW"),
                                                       .has_version = true,
                                                       .version = 3,
                                                       .end_at = "2027-01-15T08:00:00Z",
                                                       .message = text("{}")};
    const struct invig_member_record member = {
        .access = INVIG_ACCESS_BLOCKED, .is_bound = true, .message = text("{}")};
    enum invig_status first = store.put_user(store.context, text("ben"), is_there ? &user : NULL);

    if (first == INVIG_OK) {
        first =
            store.put_session(store.context, text("ben"), text("s"), is_there ? &session : NULL);
    }
    if (first == INVIG_OK) {
        first = store.put_evaluation(store.context, text("e"), is_there ? &evaluation : NULL);
    }
    if (first == INVIG_OK) {
        first = store.put_member(store.context, text("e"), text("ben"), is_there ? &member : NULL);
    }
    return first;
}

/* As the engine does it. */
static enum invig_status batch_run(bool is_there)
{
    enum invig_status run = store.begin(store.context);

    if (run != INVIG_OK) {
        return run;
    }
    run = batch_put(is_there);
    if (run == INVIG_OK) {
        return store.commit(store.context);
    }
    store.rollback(store.context);
    return run;
}

/* Opened anew for each round, and closed by its check: the thread of an open one uses memory when
 * it likes. */
static void round_open(void)
{
    bool was_armed = fault_pause();

    store = store_open();
    fault_resume(was_armed);
}

static void act_batch(void)
{
    round_open();
    status = batch_run(true);
}

/* A rollback that failed as well is made good by the next batch. */
static void assert_dump(const char *expected)
{
    store.rollback(store.context);
    assert_string_equal(store_dump(&store), expected);
}

static void check_batch(const char *struck)
{
    if (struck != NULL && status != INVIG_OK) {
        assert_dump(before);
        status = batch_run(true);
    }
    assert_int_equal(status, INVIG_OK);
    assert_dump(after);
    assert_int_equal(batch_run(false), INVIG_OK);
    assert_dump(before);
    store.close(store.context);
}

static void act_unbatch(void)
{
    round_open();
    status = batch_run(false);
}

static void check_unbatch(const char *struck)
{
    if (struck != NULL && status != INVIG_OK) {
        assert_dump(after);
        status = batch_run(false);
    }
    assert_int_equal(status, INVIG_OK);
    assert_dump(before);
    assert_int_equal(batch_run(true), INVIG_OK);
    store.close(store.context);
}

static void test_store_batch(void **state)
{
    (void)state;
    make_store();
    store = store_open();
    (void)snprintf(before, sizeof before, "%s", store_dump(&store));
    assert_int_equal(batch_run(true), INVIG_OK);
    (void)snprintf(after, sizeof after, "%s", store_dump(&store));
    store.close(store.context);
    assert_true(fault_run("drop", act_unbatch, check_unbatch) > 10);
    store = store_open();
    assert_int_equal(batch_run(false), INVIG_OK);
    store.close(store.context);
    assert_true(fault_run("put", act_batch, check_batch) > 30);
}

static struct dump loaded;

static void load_run(void)
{
    struct invig_store_reader reader = dump_reader(&loaded);

    status = store.load(store.context, &reader);
}

static void act_load(void)
{
    round_open();
    load_run();
}

static void check_load(const char *struck)
{
    if (struck != NULL && status != INVIG_OK) {
        if (status != INVIG_ERR_IO && status != INVIG_ERR_NO_MEMORY) {
            fail_msg("%s failed: %d, as if the file were damaged", struck, status);
        }
        load_run();
    }
    assert_int_equal(status, INVIG_OK);
    assert_string_equal(loaded.text, after);
    store.close(store.context);
}

static void test_store_load(void **state)
{
    (void)state;
    make_store();
    store = store_open();
    assert_int_equal(batch_run(true), INVIG_OK);
    (void)snprintf(after, sizeof after, "%s", store_dump(&store));
    store.close(store.context);
    assert_true(fault_run("load", act_load, check_load) > 10);
}

/* Once round, one record in each step: one step ends at a record, the next behind all. */
static void sweep_run(void)
{
    bool is_done = false;

    status = INVIG_OK;
    for (int step = 0; step < 9 && status == INVIG_OK && !is_done; step++) {
        status = store.sweep(store.context, 99, 1, &is_done);
    }
}

static void act_sweep(void)
{
    round_open();
    sweep_run();
}

static void check_sweep(const char *struck)
{
    for (int round = 0; struck != NULL && round < 2; round++) { /* what was leapt comes next time */
        sweep_run();
    }
    assert_int_equal(status, INVIG_OK);
    assert_string_equal(store_dump(&store), "");
    store_begin(&store);
    assert_int_equal(put_user(&store, "anna", 1), INVIG_OK);
    assert_int_equal(put_session(&store, "anna", "s1", 1, 1), INVIG_OK);
    assert_int_equal(put_session(&store, "anna", "s2", 2, 1), INVIG_OK);
    store_commit(&store);
    store.close(store.context);
}

static void test_store_sweep(void **state)
{
    (void)state;
    assert_true(fault_run("sweep", act_sweep, check_sweep) > 10);
}

static void act_close(void)
{
    round_open();
    store.close(store.context);
}

static void check_close(const char *struck)
{
    (void)struck;
    store = store_open();
    assert_dump(before);
    store.close(store.context);
}

static void test_store_close(void **state)
{
    (void)state;
    make_store();
    store = store_open();
    (void)snprintf(before, sizeof before, "%s", store_dump(&store));
    store.close(store.context);
    (void)fault_run("close", act_close, check_close);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, directory_make, directory_remove)
        STORE_TEST(test_store_new),   STORE_TEST(test_store_old),     STORE_TEST(test_store_create),
        STORE_TEST(test_store_batch), STORE_TEST(test_store_load),    STORE_TEST(test_store_sweep),
        STORE_TEST(test_store_close), STORE_TEST(test_store_examine),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    fault_write_sites(FAULT_SITES);
    return failed;
}
