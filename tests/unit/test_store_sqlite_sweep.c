/* SPDX-License-Identifier: Apache-2.0
 *
 * test_store_sqlite_sweep.c - what is dropped once it need not be kept, in small steps; and the
 * log, which a thread keeps short.
 */
#include "store_assert.h"

#include <time.h>

enum { NOW_S = 1000 };

static void put_member(const struct invig_store *store, const char *user, bool is_bound)
{
    const struct invig_member_record record = {.is_bound = is_bound};

    assert_int_equal(store->put_member(store->context, text("e"), text(user), &record), INVIG_OK);
}

static void put_current(const struct invig_store *store, const char *user, uint64_t serial)
{
    const struct invig_session_record record = {.serial = serial, .is_current = true};

    assert_int_equal(store->put_session(store->context, text(user), text("s"), &record), INVIG_OK);
}

static void put_cleared(const struct invig_store *store, const char *evaluation, const char *user,
                        int64_t kept_until_s)
{
    const struct invig_cleared_record record = {.kept_until_s = kept_until_s};

    assert_int_equal(store->put_cleared(store->context, text(evaluation), text(user), &record),
                     INVIG_OK);
}

/* Sweeps to the end. Returns the number of steps. */
static int sweep_all(const struct invig_store *store, int64_t now_s, int limit)
{
    bool is_done = false;
    int count = 0;

    while (!is_done) {
        assert_int_equal(store->sweep(store->context, now_s, limit, &is_done), INVIG_OK);
        assert_true(++count < 1000);
    }
    return count;
}

static void put_cases(const struct invig_store *store)
{
    store_begin(store);
    /* its time is over, not over */
    put_session(store, "a", "s1", 1, NOW_S - 1);
    put_session(store, "a", "s2", 2, NOW_S);
    put_user(store, "a", 1);
    /* without sessions and members: over, not over */
    put_user(store, "b", NOW_S - 1);
    put_user(store, "c", NOW_S);
    /* all of it is over at once */
    put_session(store, "d", "s", 3, 0);
    put_user(store, "d", 0);
    /* bound: the current session stays, another does not */
    put_current(store, "f", 4);
    put_session(store, "f", "t", 5, 0);
    put_member(store, "f", true);
    put_user(store, "f", 0);
    /* a member, but not bound */
    put_current(store, "g", 6);
    put_member(store, "g", false);
    put_user(store, "g", 0);
    /* current, and bound nowhere; bound by another's member */
    put_current(store, "h", 7);
    /* topics: over, not over */
    put_cleared(store, "e", NULL, NOW_S - 1);
    put_cleared(store, "e", "a", NOW_S);
    put_cleared(store, "e", "b", NOW_S - 1);
    store_commit(store);
}

static void test_store_sweep_drops_what_need_not_be_kept(void **state)
{
    static const int limits[] = {1, 2, 3, 1000};

    (void)state;
    for (size_t i = 0; i < ROWS(limits); i++) {
        struct invig_store store = store_open();
        put_cases(&store);
        sweep_all(&store, NOW_S, limits[i]);
        assert_string_equal(store_dump(&store), "user a 0:0 0:0 1\n"
                                                "user c 0:0 0:0 1000\n"
                                                "user f 0:0 0:0 0\n"
                                                "user g 0:0 0:0 0\n"
                                                "session a s2 #2 0:0 0000 end 0 1000\n"
                                                "session f s #4 0:0 0010 end 0 0\n"
                                                "member e f access 0 0 0 0:0 0[] 01 #0 00 0 00\n"
                                                "member e g access 0 0 0 0:0 0[] 00 #0 00 0 00\n"
                                                "cleared e 1[a] 1000\n");
        sweep_all(&store, NOW_S + 1, limits[i]);
        assert_null(strstr(store_dump(&store), "user a"));
        assert_null(strstr(store_dump(&store), "user c"));
        store.close(store.context);
        assert_int_equal(unlink(path), 0);
    }
}

static size_t count_rows(const struct invig_store *store)
{
    const char *at = store_dump(store);
    size_t count = 0;

    for (; (at = strchr(at, '\n')) != NULL; at++) {
        count++;
    }
    return count;
}

static void test_store_sweep_goes_in_steps(void **state)
{
    struct invig_store store = store_open();
    bool is_done = true;
    size_t left = 100;

    (void)state;
    store_begin(&store);
    for (int i = 0; i < 50; i++) {
        char user[16];
        snprintf(user, sizeof user, "u%d", i);
        put_user(&store, user, 0);
        put_session(&store, user, "s", (uint64_t)i + 1, 0);
    }
    store_commit(&store);
    assert_int_equal(store.sweep(store.context, NOW_S, 0, &is_done), INVIG_OK);
    assert_false(is_done);
    while (!is_done) {
        assert_int_equal(store.sweep(store.context, NOW_S, 7, &is_done), INVIG_OK);
        size_t now = count_rows(&store);
        assert_true(now <= left && left - now <= 7);
        left = now;
    }
    assert_int_equal(left, 0);
    assert_int_equal(sweep_all(&store, NOW_S, 7), 3); /* nothing, of each kind */
    store_begin(&store);
    assert_int_equal(store.sweep(store.context, NOW_S, 7, &is_done), INVIG_ERR_STATE);
    assert_int_equal(put_user(&store, "anna", 1), INVIG_OK); /* the batch goes on */
    store_commit(&store);
    store.close(store.context);
}

/* How often the log has begun anew (https://www.sqlite.org/fileformat.html section 4.1). */
static unsigned log_sequence(void)
{
    char log[80];
    unsigned char header[16] = {0};

    snprintf(log, sizeof log, "%s-wal", path);
    int fd = open(log, O_RDONLY);
    assert_int_equal(read(fd, header, sizeof header), sizeof header);
    close(fd);
    return (unsigned)header[14] << 8 | header[15];
}

static void log_in(const struct invig_store *store, uint64_t i)
{
    char user[24];

    snprintf(user, sizeof user, "u%llu", (unsigned long long)(i * 7919 % 3000));
    store_begin(store);
    put_user(store, user, 1);
    put_session(store, user, "a session id as long as those are", i, 1);
    store_commit(store);
}

/* Twice: a rush fills the log, the thread moves it, and it begins anew. */
static void test_store_log_is_kept_short(void **state)
{
    const struct timespec pause = {0, 20000000};
    struct invig_store store = store_open();
    char listing[LISTING_BYTES];
    struct stat info;
    uint64_t i = 1;

    (void)state;
    for (int rush = 0; rush < 2; rush++) {
        for (int k = 0; k < 2500; k++) {
            log_in(&store, i++);
        }
        unsigned before = log_sequence();
        for (int tries = 0; log_sequence() == before; tries++) {
            assert_true(tries < 1000); /* 20 s */
            nanosleep(&pause, NULL);
            log_in(&store, i++);
        }
    }
    assert_int_equal(stat(path, &info), 0);
    assert_true(info.st_size > 30 * 4096); /* six before */
    store.close(store.context);
    directory_list(listing); /* and after an orderly end there is none */
    assert_null(strstr(listing, "-wal"));
    assert_null(strstr(listing, "-shm"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, directory_make, directory_remove)
        STORE_TEST(test_store_sweep_drops_what_need_not_be_kept),
        STORE_TEST(test_store_sweep_goes_in_steps),
        STORE_TEST(test_store_log_is_kept_short),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
