/* SPDX-License-Identifier: Apache-2.0
 *
 * test_outage.c - a real server that ends, comes again, stands still, is slow, or refuses.
 */
#include "valkeyserver.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct valkeyserver server;
static struct valkeyclient one;
static struct valkeyclient two;

static int set_up(void **state)
{
    (void)state;
    one = (struct valkeyclient){0};
    two = (struct valkeyclient){0};
    valkeyserver_start(&server, NULL);
    valkeyserver_do(&server, "SELECT 3");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    valkeyclient_close(&one);
    valkeyclient_close(&two);
    valkeyserver_stop(&server); /* also one that stands still */
    return 0;
}

static void test_outage_ends_when_the_server_is_there_again(void **state)
{
    (void)state;
    valkeyclient_join(&one, &server);
    valkeyclient_join(&two, &server);
    valkeyserver_stop(&server);
    assert_true(valkeyclient_offer(&one, "anna", 0, "x") || true); /* it may not know yet */
    valkeyclient_await(&one, INVIG_NEWS_LOST);
    assert_int_equal(one.counts[INVIG_NEWS_ACCEPTED] + one.counts[INVIG_NEWS_REFUSED], 0);
    assert_false(one.share.is_available(one.share.context));
    assert_false(valkeyclient_offer(&one, "anna", 0, "x"));
    one.ahead_ms += 60000; /* it tries, and says nothing more */
    valkeyclient_idle(&one, 50);
    one.ahead_ms += 60000;
    valkeyclient_idle(&one, 50);
    assert_int_equal(one.log_count, 1);

    valkeyserver_start(&server, NULL);
    valkeyserver_do(&server, "SELECT 3");
    valkeyserver_do(&server, "HSET invigilator:users anna %s", "5 x");
    valkeyclient_await(&one, INVIG_NEWS_READY);
    assert_int_equal(one.counts[INVIG_NEWS_USER], 1);
    assert_int_equal(one.counts[INVIG_NEWS_LOST], 1);
    valkeyclient_await(&two, INVIG_NEWS_READY);
    assert_true(valkeyclient_offer(&one, "anna", 5, "y"));
    valkeyclient_await(&two, INVIG_NEWS_USER);
    while (two.news.revision == 5) {
        valkeyclient_await(&two, INVIG_NEWS_USER);
    }
    assert_text(two.news.text, "y");

    /* The next outage has its own line. */
    valkeyserver_stop(&server);
    valkeyclient_await(&one, INVIG_NEWS_LOST);
    assert_int_equal(one.log_count, 2);
}

static void test_outage_from_the_start_is_none_for_the_engine(void **state)
{
    (void)state;
    valkeyserver_stop(&server);
    valkeyclient_open(&one, server.port, NULL);
    valkeyclient_idle(&one, 300);
    assert_int_equal(one.counts[INVIG_NEWS_LOST], 0);
    assert_int_equal(one.log_count, 1);
    assert_non_null(strstr(one.log, "share_lost server=127.0.0.1:"));
    valkeyserver_start(&server, NULL);
    valkeyclient_await(&one, INVIG_NEWS_READY);
}

/* Between two attempts the pause grows from 100 ms to 2 s. */
static void test_outage_pauses_grow(void **state)
{
    long long before;

    (void)state;
    valkeyserver_stop(&server);
    valkeyserver_start(&server, "secret");
    valkeyclient_open(&one, server.port, NULL);
    valkeyclient_idle(&one, 50);
    before = valkeyserver_do(&server, "EVAL %s 0",
                             "return tonumber(string.match(redis.call('INFO', 'stats'), "
                             "'total_connections_received:(%d+)'))");
    valkeyclient_idle(&one, 1000); /* after 100, 300, 700 */
    long long count = valkeyserver_do(&server, "EVAL %s 0",
                                      "return tonumber(string.match(redis.call('INFO', 'stats'), "
                                      "'total_connections_received:(%d+)'))") -
                      before;
    assert_in_range(count, 1, 3);
    for (int i = 0; i < 5; i++) { /* never longer than 2 s */
        one.ahead_ms += 2000;
        valkeyclient_idle(&one, 50);
    }
    assert_true(valkeyserver_do(&server, "EVAL %s 0",
                                "return tonumber(string.match(redis.call('INFO', 'stats'), "
                                "'total_connections_received:(%d+)'))") -
                    before >=
                count + 4);
}

static void test_outage_of_a_server_that_stands_still(void **state)
{
    (void)state;
    valkeyclient_join(&one, &server);
    assert_int_equal(kill(server.pid, SIGSTOP), 0);
    valkeyclient_await_available(&one, false);
    assert_int_equal(one.counts[INVIG_NEWS_LOST], 0);
    assert_true(valkeyclient_offer(&one, "anna", 0, "x")); /* late is not lost */
    valkeyclient_idle(&one, 50);
    one.ahead_ms += 4000;
    valkeyclient_idle(&one, 50);
    assert_int_equal(one.counts[INVIG_NEWS_LOST], 0);
    one.ahead_ms += 1000;
    valkeyclient_await(&one, INVIG_NEWS_LOST);
    assert_non_null(strstr(one.log, "no answer for 5 s"));
    /* The kernel still takes connections for it: these too are given up, without LOST. */
    for (int i = 0; i < 5; i++) {
        one.ahead_ms += 7000;
        valkeyclient_idle(&one, 20);
    }
    assert_int_equal(one.counts[INVIG_NEWS_LOST], 1);
    assert_int_equal(one.log_count, 1);

    /* It goes on, and does what it was told before: that comes as news, though it is our own. */
    assert_int_equal(kill(server.pid, SIGCONT), 0);
    one.ahead_ms += 2000;
    valkeyclient_await(&one, INVIG_NEWS_USER);
    assert_text(one.news.user, "anna");
    valkeyclient_await(&one, INVIG_NEWS_READY);
    valkeyclient_await_available(&one, true);
}

static void test_outage_is_none_while_late_answers_come(void **state)
{
    (void)state;
    valkeyclient_join(&one, &server);
    valkeyclient_join(&two, &server);
    assert_int_equal(kill(server.pid, SIGSTOP), 0);
    assert_true(valkeyclient_offer(&one, "anna", 0, "x"));
    valkeyclient_await_available(&one, false);
    assert_int_equal(kill(server.pid, SIGCONT), 0);
    valkeyclient_await(&one, INVIG_NEWS_ACCEPTED); /* a late answer counts all the same */
    valkeyclient_await_available(&one, true);
    assert_int_equal(one.counts[INVIG_NEWS_LOST], 0);
    assert_int_equal(one.log_count, 0);
}

static void stand_still(void)
{
    assert_int_equal(kill(server.pid, SIGSTOP), 0);
}

static void go_on(void)
{
    assert_int_equal(kill(server.pid, SIGCONT), 0);
    valkeyserver_settle(&server);
}

/* One whose answers are all late stays unavailable, though all of them are used. */
static void test_outage_of_a_slow_server(void **state)
{
    (void)state;
    valkeyclient_join(&one, &server);
    assert_true(one.share.is_available(one.share.context));
    for (int i = 0; i < 5; i++) {
        int64_t until_ms = valkeyclient_now_ms() + 30;
        stand_still();
        /* Reads the answers to the last round, and asks for the next. */
        while (valkeyclient_now_ms() < until_ms) {
            (void)valkeyclient_next(&one);
            assert_int_equal(one.share.is_available(one.share.context), i == 0);
            if (i == 0 && one.news.kind == INVIG_NEWS_NONE) {
                break;
            }
        }
        assert_true(valkeyclient_offer(&one, i % 2 == 0 ? "anna" : "ben", 0, "x"));
        for (int look = 0; look < 3; look++) {
            (void)valkeyclient_next(&one);
            one.ahead_ms += 21;
        }
        assert_false(one.share.is_available(one.share.context));
        go_on();
    }
    assert_int_equal(one.counts[INVIG_NEWS_ACCEPTED], 2);
    assert_int_equal(one.counts[INVIG_NEWS_REFUSED], 2);
    valkeyclient_await(&one, INVIG_NEWS_REFUSED);
    valkeyclient_await_available(&one, true);
    assert_int_equal(one.counts[INVIG_NEWS_LOST], 0);
}

/* A broker with nothing to do calls every 100 ms: an answer that is there by then is in time. */
static void test_outage_is_none_for_a_broker_that_looks_seldom(void **state)
{
    (void)state;
    valkeyclient_join(&one, &server);
    for (int i = 0; i < 20; i++) {
        assert_true(valkeyclient_offer(&one, i % 2 == 0 ? "anna" : "ben", 1, "x"));
        valkeyserver_settle(&server);
        one.ahead_ms += i == 10 ? 60000 : 100; /* once it was asleep */
        while (valkeyclient_next(&one)) {
        }
        assert_true(one.share.is_available(one.share.context));
        assert_int_equal(one.counts[INVIG_NEWS_REFUSED], i + 1);
    }
    assert_int_equal(one.counts[INVIG_NEWS_LOST], 0);
}

/* The time of an offer is that of the first call behind it: the call before may be long ago. */
static void test_outage_is_none_for_an_offer_that_was_just_made(void **state)
{
    int64_t steady_ms;

    (void)state;
    valkeyclient_join(&one, &server);
    valkeyclient_idle(&one, 50);
    one.ahead_ms += 200;
    steady_ms = valkeyclient_now_ms() + one.ahead_ms - 100;
    (void)one.share.next(one.share.context, steady_ms, &one.news); /* asks for news */
    valkeyserver_settle(&server);
    assert_false(one.share.next(one.share.context, steady_ms, &one.news));
    stand_still();
    assert_true(valkeyclient_offer(&one, "anna", 1, "x"));
    assert_false(one.share.next(one.share.context, steady_ms + 90, &one.news));
    assert_true(one.share.is_available(one.share.context));
    go_on();
}

static void write_login(char path[64], const char *text)
{
    strcpy(path, "/tmp/invigilator-login-XXXXXX");
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    (void)close(fd);
}

static void test_outage_of_a_password(void **state)
{
    static const struct {
        const char *login;
        const char *reason; /* NULL: it is the right one */
    } rows[] = {
        {"secret\n", NULL},     {"default:secret", NULL},       {"exam:other word", NULL},
        {"wrong", "WRONGPASS"}, {"nobody:secret", "WRONGPASS"}, {NULL, "NOAUTH"},
    };

    (void)state;
    valkeyserver_stop(&server);
    valkeyserver_start(&server, "secret");
    /* Those rights, and no more, are needed. */
    redisReply *reply = valkeyserver_ask(
        &server,
        "ACL SETUSER exam on >%s resetkeys ~invigilator:* -@all +auth +select +script|load "
        "+evalsha +hscan +scan +exists +set +del +hget +hset +hdel +xadd +xrange +time",
        "other word");
    freeReplyObject(reply);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char path[64];
        write_login(path, rows[i].login == NULL ? "x" : rows[i].login);
        valkeyclient_open(&one, server.port, rows[i].login == NULL ? NULL : path);
        (void)unlink(path);
        if (rows[i].reason == NULL) {
            valkeyclient_await(&one, INVIG_NEWS_READY);
            assert_true(valkeyclient_offer(&one, "anna", 1, "x"));
            valkeyclient_await(&one, INVIG_NEWS_REFUSED);
            assert_true(one.share.keep(one.share.context, invig_text_of("e"), invig_text_of("u"),
                                       (struct invig_text){NULL, 0}));
            valkeyclient_idle(&one, 50);
            assert_int_equal(one.log_count, 0);
        } else {
            valkeyclient_idle(&one, 500);
            assert_int_equal(one.log_count, 1);
            assert_non_null(strstr(one.log, rows[i].reason));
            assert_null(strstr(one.log, "secret"));
            assert_int_equal(one.counts[INVIG_NEWS_LOST] + one.counts[INVIG_NEWS_READY], 0);
        }
        valkeyclient_close(&one);
    }
}

static void test_outage_by_what_the_server_says(void **state)
{
    static const struct {
        const char *before; /* a command, after READY */
        const char *after;
        const char *reason;
    } rows[] = {
        {"SET invigilator:users x", "DEL invigilator:users", "WRONGTYPE"},
        {"CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0", "OOM"},
        {"REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE", "READONLY"},
        {"SCRIPT FLUSH", "PING", "NOSCRIPT"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        valkeyclient_join(&one, &server);
        valkeyserver_do(&server, rows[i].before);
        (void)valkeyclient_offer(&one, "anna", 0, "x");
        valkeyclient_await(&one, INVIG_NEWS_LOST);
        assert_non_null(strstr(one.log, rows[i].reason));
        assert_int_equal(one.counts[INVIG_NEWS_ACCEPTED] + one.counts[INVIG_NEWS_REFUSED], 0);
        valkeyserver_do(&server, rows[i].after);
        valkeyclient_await(&one, INVIG_NEWS_READY);
        assert_int_equal(one.log_count, 1);
        valkeyclient_close(&one);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(test_outage_ends_when_the_server_is_there_again),
        TEST(test_outage_from_the_start_is_none_for_the_engine),
        TEST(test_outage_pauses_grow),
        TEST(test_outage_of_a_server_that_stands_still),
        TEST(test_outage_is_none_while_late_answers_come),
        TEST(test_outage_of_a_slow_server),
        TEST(test_outage_is_none_for_a_broker_that_looks_seldom),
        TEST(test_outage_is_none_for_an_offer_that_was_just_made),
        TEST(test_outage_of_a_password),
        TEST(test_outage_by_what_the_server_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
