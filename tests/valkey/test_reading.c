/* SPDX-License-Identifier: Apache-2.0
 *
 * test_reading.c - what a broker reads from a real server as it comes, and when it has to begin
 * anew.
 */
#include "valkeyserver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { USERS = 10000 };

static struct valkeyserver server;
static struct valkeyclient one;
static struct valkeyclient two;

static int set_up(void **state)
{
    (void)state;
    one = (struct valkeyclient){0};
    two = (struct valkeyclient){0};
    valkeyserver_do(&server, "SELECT 3");
    valkeyserver_do(&server, "FLUSHALL");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    valkeyclient_close(&one);
    valkeyclient_close(&two);
    return 0;
}

static int group_setup(void **state)
{
    (void)state;
    valkeyserver_start(&server, NULL);
    return 0;
}

static int group_teardown(void **state)
{
    (void)state;
    valkeyserver_stop(&server);
    return 0;
}

static void server_fill(int count)
{
    valkeyserver_do(&server, "EVAL %s 0 %d",
                    "for i = 0, ARGV[1] - 1 do redis.call('HSET', 'invigilator:users', 'u' .. i, "
                    "(i + 1) .. ' text of ' .. i) end",
                    count);
}

static void test_reading_begins_with_all_users(void **state)
{
    unsigned char *seen = calloc(1, USERS);
    int count = 0;
    int calls = 0;

    (void)state;
    assert_non_null(seen);
    server_fill(USERS);
    valkeyserver_do(&server, "HSET invigilator:topics exam {}");
    valkeyclient_open(&one, server.port, NULL);
    while (one.news.kind != INVIG_NEWS_READY) {
        char user[32] = "";
        char text[32];
        int number;
        assert_false(one.share.is_available(one.share.context));
        assert_false(valkeyclient_offer(&one, "anna", 0, "x"));
        assert_true(calls++ < 10000000);
        if (!valkeyclient_next(&one) || one.news.kind != INVIG_NEWS_USER) {
            continue;
        }
        memcpy(user, one.news.user.data, one.news.user.length);
        assert_int_equal(sscanf(user, "u%d", &number), 1);
        assert_in_range(number, 0, USERS - 1);
        assert_int_equal(one.news.revision, number + 1);
        snprintf(text, sizeof text, "text of %d", number);
        assert_text(one.news.text, text);
        count += seen[number] == 0;
        seen[number] = 1;
    }
    assert_int_equal(count, USERS);
    assert_int_equal(one.counts[INVIG_NEWS_TOPIC], 1);
    assert_true(one.share.is_available(one.share.context));
    free(seen);
}

/* A step of it is asked for when the news of the one before have been taken, and not before: that
 * no memory fills up is the server's count of commands. */
static void test_reading_goes_step_by_step(void **state)
{
    long long before;

    (void)state;
    server_fill(USERS);
    valkeyclient_open(&one, server.port, NULL);
    valkeyclient_await(&one, INVIG_NEWS_USER);
    before = valkeyserver_do(&server, "EVAL %s 0",
                             "return tonumber(string.match(redis.call('INFO', 'commandstats'), "
                             "'cmdstat_hscan:calls=(%d+)'))");
    for (int i = 0; i < 100; i++) {
        assert_true(valkeyclient_next(&one));
        assert_int_equal(one.news.kind, INVIG_NEWS_USER);
    }
    assert_int_equal(valkeyserver_do(&server, "EVAL %s 0",
                                     "return tonumber(string.match(redis.call('INFO', "
                                     "'commandstats'), 'cmdstat_hscan:calls=(%d+)'))"),
                     before);
    valkeyclient_await(&one, INVIG_NEWS_READY);
}

/* What was changed after the hash was passed is there before READY. */
static void test_reading_includes_what_changes_meanwhile(void **state)
{
    (void)state;
    valkeyclient_join(&two, &server);
    assert_true(valkeyclient_offer(&two, "last", 0, "new"));
    valkeyclient_await(&two, INVIG_NEWS_ACCEPTED);
    uint64_t revision = two.news.revision;
    valkeyclient_open(&one, server.port, NULL);
    valkeyclient_await(&one, INVIG_NEWS_USER); /* it was read */
    assert_true(valkeyclient_offer(&two, "last", revision, "newer"));
    valkeyclient_await(&two, INVIG_NEWS_ACCEPTED);
    uint64_t newer = two.news.revision;
    while (valkeyclient_next(&one) || one.counts[INVIG_NEWS_READY] == 0) {
        if (one.news.kind == INVIG_NEWS_USER) {
            assert_int_equal(one.counts[INVIG_NEWS_READY], 0);
            assert_int_equal(one.news.revision, newer);
            revision = newer;
        }
    }
    assert_int_equal(revision, newer);
}

/* The same where it is more than one answer holds. */
static void test_reading_includes_much_that_changes_meanwhile(void **state)
{
    (void)state;
    server_fill(1000);
    valkeyclient_open(&one, server.port, NULL);
    valkeyclient_await(&one, INVIG_NEWS_USER);
    valkeyserver_do(&server, "EVAL %s 1 invigilator:news",
                    "for i = 1, 250 do redis.call('XADD', KEYS[1], '*', 'from', 'x', 'link', '1', "
                    "'user', 'v' .. i, 'revision', i, 'text', 't') end");
    valkeyclient_await(&one, INVIG_NEWS_READY);
    assert_int_equal(one.counts[INVIG_NEWS_USER], 1250);
}

/* What an earlier connection of this broker has sent was void by LOST, and may be done all the
 * same. */
static void test_reading_includes_own_entries_of_another_connection(void **state)
{
    char name[INVIG_SHARE_NAME_BYTES_MAX + 1] = "";

    (void)state;
    valkeyclient_join(&one, &server);
    memcpy(name, one.share.name.data, one.share.name.length);
    valkeyserver_do(&server, "XADD invigilator:news * from %s link 1 user anna revision 5 text x",
                    name);
    valkeyserver_do(&server, "XADD invigilator:news * from %s link 7 user ben revision 6 text x",
                    name);
    valkeyclient_await(&one, INVIG_NEWS_USER);
    assert_text(one.news.user, "ben");
    one.ahead_ms += 5000; /* and it is no other broker */
    valkeyserver_do(&server, "DEL invigilator:broker:%s", name);
    valkeyclient_idle(&one, 50);
    assert_int_equal(one.counts[INVIG_NEWS_GONE], 0);
}

static void test_reading_passes_over_what_no_broker_writes(void **state)
{
    static const char *const fields[][2] = {
        {"anna", "x"},
        {"anna/", "1 x"},
        {"$SYS", "1 x"},
        {"ben", ""},
        {"cleo", "0 x"},
        {"dora", "-1 x"},
        {"emil", "12345678901234567890123 x"},
        {"finn", "1"},
        {"gina", " x"},
        {"a\nb", "1 x"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        valkeyserver_do(&server, "HSET invigilator:users %s %s", fields[i][0], fields[i][1]);
        valkeyserver_do(&server, "HSET invigilator:topics %s %s", "a/b/c", "x");
        valkeyserver_do(&server, "HSET invigilator:topics %s %s", "/a", "x");
        valkeyserver_do(&server, "HSET invigilator:topics %s %s", "a/", "x");
    }
    valkeyserver_do(&server, "HSET invigilator:users good %s", "5 x");
    valkeyserver_do(&server, "EVAL %s 1 invigilator:users",
                    "return redis.call('HSET', KEYS[1], 'long', '1 ' .. string.rep('x', 262145))");
    valkeyclient_join(&one, &server);
    assert_int_equal(one.counts[INVIG_NEWS_USER], 1);
    assert_int_equal(one.counts[INVIG_NEWS_TOPIC], 0);

    /* Such a field counts as nothing, and is overwritten. */
    static const char *const users[] = {"anna", "ben", "emil", "gina", "long"};
    for (size_t i = 0; i < sizeof users / sizeof users[0]; i++) {
        assert_true(valkeyclient_offer(&one, users[i], 1, "x"));
        valkeyclient_await(&one, INVIG_NEWS_REFUSED);
        assert_int_equal(one.news.revision, 0);
        assert_null(one.news.text.data);
        assert_true(valkeyclient_offer(&one, users[i], 0, "x"));
        valkeyclient_await(&one, INVIG_NEWS_ACCEPTED);
    }
    assert_int_equal(one.counts[INVIG_NEWS_LOST], 0);
}

static void test_reading_passes_over_strange_entries(void **state)
{
    static const char *const entries[] = {
        "XADD invigilator:news * a b",
        "XADD invigilator:news * from x! link 1 user anna revision 1 text x",
        "XADD invigilator:news * from y link 1 user a/b revision 1 text x",
        "XADD invigilator:news * from y link 1 user anna revision 0x1 text x",
        "XADD invigilator:news * from y link 1 user anna text x",
        "XADD invigilator:news * from y link 1 topic a/b/c text x",
        "XADD invigilator:news * from y link 1 topic exam",
    };

    (void)state;
    valkeyclient_join(&one, &server);
    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
        valkeyserver_do(&server, entries[i]);
    }
    valkeyserver_do(&server, "XADD invigilator:news * from z link 1 topic exam text end");
    valkeyclient_await(&one, INVIG_NEWS_TOPIC);
    assert_text(one.news.text, "end");
    assert_int_equal(one.counts[INVIG_NEWS_USER], 1); /* the one whose sender has no name */
}

/* More than one answer holds. */
static void test_reading_takes_many_entries(void **state)
{
    (void)state;
    valkeyclient_join(&one, &server);
    valkeyserver_do(&server, "EVAL %s 1 invigilator:news",
                    "for i = 1, 1234 do redis.call('XADD', KEYS[1], '*', 'from', 'x', 'link', '1', "
                    "'user', 'u' .. i, 'revision', i, 'text', 't') end");
    for (int i = 1; i <= 1234; i++) {
        valkeyclient_await(&one, INVIG_NEWS_USER);
        assert_int_equal(one.news.revision, i);
    }
}

static void assert_reads_anew(const char *command)
{
    valkeyclient_join(&one, &server);
    assert_true(valkeyclient_offer(&one, "anna", 0, "first"));
    valkeyclient_await(&one, INVIG_NEWS_ACCEPTED);
    valkeyclient_idle(&one, 50);
    /* What another broker did where this one cannot read of it any more. */
    valkeyserver_do(&server, "HSET invigilator:users ben %s", "7 theirs");
    valkeyserver_do(&server,
                    "XADD invigilator:news * from x link 1 user ben revision 7 text theirs");
    valkeyserver_do(&server, command);
    valkeyclient_await(&one, INVIG_NEWS_LOST);
    assert_false(one.share.is_available(one.share.context));
    assert_false(valkeyclient_offer(&one, "cleo", 0, "x"));
    assert_int_equal(one.log_count, 1);
    assert_non_null(strstr(one.log, "share_lost"));
    valkeyclient_await(&one, INVIG_NEWS_READY);
    assert_true(one.share.is_available(one.share.context));
}

static void test_reading_begins_anew_where_the_stream_was_cut(void **state)
{
    (void)state;
    assert_reads_anew("XTRIM invigilator:news MAXLEN 0");
    assert_int_equal(one.counts[INVIG_NEWS_USER], 2);
}

static void test_reading_begins_anew_where_the_stream_is_gone(void **state)
{
    (void)state;
    assert_reads_anew("DEL invigilator:news");
    assert_int_equal(one.counts[INVIG_NEWS_USER], 2);
}

static void test_reading_begins_anew_where_all_is_gone(void **state)
{
    (void)state;
    assert_reads_anew("FLUSHALL");
    assert_int_equal(one.counts[INVIG_NEWS_USER], 0);
    assert_true(valkeyclient_offer(&one, "anna", 0, "again"));
    valkeyclient_await(&one, INVIG_NEWS_ACCEPTED);
}

/* No revision comes again, even when all is lost: a broker that has slept through it is refused. */
static void test_revision_does_not_come_again(void **state)
{
    (void)state;
    valkeyclient_join(&one, &server);
    assert_true(valkeyclient_offer(&one, "anna", 0, "first"));
    valkeyclient_await(&one, INVIG_NEWS_ACCEPTED);
    uint64_t revision = one.news.revision;
    valkeyserver_do(&server, "DEL invigilator:users");
    assert_true(valkeyclient_offer(&one, "anna", 0, "again"));
    valkeyclient_await(&one, INVIG_NEWS_ACCEPTED);
    assert_true(one.news.revision > revision);
    valkeyserver_do(&server, "HSET invigilator:users anna %s", "8888888888888888 ahead");
    assert_true(valkeyclient_offer(&one, "anna", 8888888888888888, "next"));
    valkeyclient_await(&one, INVIG_NEWS_ACCEPTED);
    assert_int_equal(one.news.revision, 8888888888888889);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(test_reading_begins_with_all_users),
        TEST(test_reading_goes_step_by_step),
        TEST(test_reading_includes_what_changes_meanwhile),
        TEST(test_reading_includes_much_that_changes_meanwhile),
        TEST(test_reading_includes_own_entries_of_another_connection),
        TEST(test_reading_passes_over_what_no_broker_writes),
        TEST(test_reading_passes_over_strange_entries),
        TEST(test_reading_takes_many_entries),
        TEST(test_reading_begins_anew_where_the_stream_was_cut),
        TEST(test_reading_begins_anew_where_the_stream_is_gone),
        TEST(test_reading_begins_anew_where_all_is_gone),
        TEST(test_revision_does_not_come_again),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
