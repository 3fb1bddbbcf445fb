/* SPDX-License-Identifier: Apache-2.0
 *
 * test_offer.c - offers and last messages of several brokers on a real server.
 */
#include "valkeyserver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct valkeyserver server;
static struct valkeyclient one;
static struct valkeyclient two;

static int set_up(void **state)
{
    (void)state;
    valkeyserver_do(&server, "SELECT 3");
    valkeyserver_do(&server, "FLUSHALL");
    valkeyclient_join(&one, &server);
    valkeyclient_join(&two, &server);
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

static uint64_t await_accepted(struct valkeyclient *client, const char *user)
{
    valkeyclient_await(client, INVIG_NEWS_ACCEPTED);
    assert_text(client->news.user, user);
    assert_true(client->news.revision > 0);
    return client->news.revision;
}

static void assert_user(const struct valkeyclient *client, const char *user, uint64_t revision,
                        const char *text)
{
    assert_text(client->news.user, user);
    assert_int_equal(client->news.revision, revision);
    if (text == NULL) {
        assert_null(client->news.text.data);
    } else {
        assert_text(client->news.text, text);
    }
}

static void test_offer_is_accepted_and_told_to_others(void **state)
{
    (void)state;
    assert_true(valkeyclient_offer(&one, "anna", 0, "first"));
    uint64_t revision = await_accepted(&one, "anna");
    valkeyclient_await(&two, INVIG_NEWS_USER);
    assert_user(&two, "anna", revision, "first");

    assert_true(valkeyclient_offer(&two, "anna", revision, "second"));
    uint64_t second = await_accepted(&two, "anna");
    assert_true(second > revision);
    valkeyclient_await(&one, INVIG_NEWS_USER);
    assert_user(&one, "anna", second, "second");
    assert_int_equal(one.log_count + two.log_count, 0);
}

static void test_offer_in_the_place_of_another_revision_is_refused(void **state)
{
    (void)state;
    assert_true(valkeyclient_offer(&one, "anna", 0, "first"));
    uint64_t revision = await_accepted(&one, "anna");
    assert_true(valkeyclient_offer(&two, "anna", 0, "mine"));
    valkeyclient_await(&two, INVIG_NEWS_REFUSED);
    assert_user(&two, "anna", revision, "first");
    assert_true(valkeyclient_offer(&two, "anna", revision + 1, "mine"));
    valkeyclient_await(&two, INVIG_NEWS_REFUSED);
    assert_user(&two, "anna", revision, "first");
    assert_true(valkeyclient_offer(&two, "ben", 7, "mine"));
    valkeyclient_await(&two, INVIG_NEWS_REFUSED);
    assert_user(&two, "ben", 0, NULL);
}

/* What was deleted keeps its revision: who knows an older one, or none, is refused. */
static void test_offer_of_nothing_leaves_a_revision(void **state)
{
    struct valkeyclient three;

    (void)state;
    assert_true(valkeyclient_offer(&one, "anna", 0, "first"));
    uint64_t first = await_accepted(&one, "anna");
    assert_true(valkeyclient_offer(&one, "anna", first, NULL));
    uint64_t second = await_accepted(&one, "anna");
    assert_true(second > first);
    valkeyclient_await(&two, INVIG_NEWS_USER);
    assert_user(&two, "anna", first, "first");
    valkeyclient_await(&two, INVIG_NEWS_USER);
    assert_user(&two, "anna", second, NULL);
    for (int i = 0; i < 2; i++) {
        assert_true(valkeyclient_offer(&two, "anna", i == 0 ? 0 : first, "stale"));
        valkeyclient_await(&two, INVIG_NEWS_REFUSED);
        assert_user(&two, "anna", second, NULL);
    }
    valkeyclient_open(&three, server.port, NULL);
    valkeyclient_await(&three, INVIG_NEWS_USER);
    assert_user(&three, "anna", second, NULL);
    valkeyclient_close(&three);
}

static void test_offer_of_two_has_one_winner(void **state)
{
    uint64_t revision = 0;

    (void)state;
    for (int round = 0; round < 200; round++) {
        struct valkeyclient *first = round % 2 == 0 ? &one : &two;
        struct valkeyclient *second = round % 2 == 0 ? &two : &one;
        int accepted = one.counts[INVIG_NEWS_ACCEPTED] + two.counts[INVIG_NEWS_ACCEPTED];
        int refused = one.counts[INVIG_NEWS_REFUSED] + two.counts[INVIG_NEWS_REFUSED];
        uint64_t last = revision;
        assert_true(valkeyclient_offer(first, "anna", revision, "one"));
        assert_true(valkeyclient_offer(second, "anna", revision, "two"));
        while (one.counts[INVIG_NEWS_ACCEPTED] + two.counts[INVIG_NEWS_ACCEPTED] +
                   one.counts[INVIG_NEWS_REFUSED] + two.counts[INVIG_NEWS_REFUSED] <
               accepted + refused + 2) {
            struct valkeyclient *both[] = {&one, &two};
            for (int i = 0; i < 2; i++) {
                if (valkeyclient_next(both[i]) && both[i]->news.kind != INVIG_NEWS_USER) {
                    revision = both[i]->news.revision;
                }
            }
        }
        assert_int_equal(one.counts[INVIG_NEWS_ACCEPTED] + two.counts[INVIG_NEWS_ACCEPTED],
                         accepted + 1);
        assert_true(revision > last);
    }
}

static void test_offer_own_news_are_left_out(void **state)
{
    (void)state;
    assert_true(valkeyclient_offer(&one, "anna", 0, "first"));
    (void)await_accepted(&one, "anna");
    assert_true(one.share.keep(one.share.context, invig_text_of("exam"),
                               (struct invig_text){NULL, 0}, invig_text_of("{}")));
    /* Behind both in the stream: when it is here, they have been passed. */
    assert_true(valkeyclient_offer(&two, "ben", 0, "other"));
    valkeyclient_await(&one, INVIG_NEWS_USER);
    assert_text(one.news.user, "ben");
    assert_int_equal(one.counts[INVIG_NEWS_USER], 1);
    assert_int_equal(one.counts[INVIG_NEWS_TOPIC], 0);
}

static void test_offer_holds_any_bytes(void **state)
{
    static const char bytes[] = "a\tb\nc\r\n\0d $3\r\n\xff%s%b";
    struct invig_text text = {bytes, sizeof bytes - 1};
    struct valkeyclient three;

    (void)state;
    assert_true(one.share.offer(one.share.context, invig_text_of("anna b%s"), 0, text));
    uint64_t revision = await_accepted(&one, "anna b%s");
    valkeyclient_await(&two, INVIG_NEWS_USER);
    assert_text(two.news.user, "anna b%s");
    assert_true(invig_text_equal(two.news.text, text));
    valkeyclient_open(&three, server.port, NULL);
    valkeyclient_await(&three, INVIG_NEWS_USER);
    assert_true(invig_text_equal(three.news.text, text));
    assert_int_equal(three.news.revision, revision);
    valkeyclient_close(&three);
}

static void test_offer_has_its_bounds(void **state)
{
    char *text = calloc(1, INVIG_SHARE_TEXT_BYTES_MAX + 2);

    (void)state;
    assert_non_null(text);
    memset(text, 'x', INVIG_SHARE_TEXT_BYTES_MAX + 1);
    assert_false(valkeyclient_offer(&one, "anna", 0, text));
    assert_false(valkeyclient_offer(&one, "a/b", 0, "x"));
    assert_false(valkeyclient_offer(&one, "", 0, "x"));
    assert_false(one.share.keep(one.share.context, invig_text_of("exam"), invig_text_of("a/b"),
                                invig_text_of("x")));
    text[INVIG_SHARE_TEXT_BYTES_MAX] = '\0';
    assert_true(valkeyclient_offer(&one, "anna", 0, text));
    (void)await_accepted(&one, "anna");
    valkeyclient_await(&two, INVIG_NEWS_USER);
    assert_int_equal(two.news.text.length, INVIG_SHARE_TEXT_BYTES_MAX);
    free(text);
}

/* As many as a server may leave without an answer, and no more; all are answered in the end. */
static void test_offer_queue_is_bounded(void **state)
{
    int count = 0;
    char user[32];

    (void)state;
    for (snprintf(user, sizeof user, "u%d", count); valkeyclient_offer(&one, user, 0, "x");
         snprintf(user, sizeof user, "u%d", count)) {
        count++;
        assert_true(count <= INVIG_VALKEY_OFFERS_MAX);
    }
    assert_true(count > INVIG_VALKEY_OFFERS_MAX - 100);
    while (one.counts[INVIG_NEWS_ACCEPTED] < count) {
        valkeyclient_await(&one, INVIG_NEWS_ACCEPTED);
    }
    assert_true(valkeyclient_offer(&one, user, 0, "x"));
    while (two.counts[INVIG_NEWS_USER] < count) {
        valkeyclient_await(&two, INVIG_NEWS_USER);
    }
}

static void assert_topic(const struct valkeyclient *client, const char *evaluation,
                         const char *user, const char *text)
{
    assert_int_equal(client->news.kind, INVIG_NEWS_TOPIC);
    assert_text(client->news.evaluation, evaluation);
    assert_true(user == NULL ? client->news.user.data == NULL
                             : invig_text_equal(client->news.user, invig_text_of(user)));
    assert_true(text == NULL ? client->news.text.data == NULL
                             : invig_text_equal(client->news.text, invig_text_of(text)));
}

static void test_keep_is_told_to_others_and_to_those_who_come_later(void **state)
{
    static const struct {
        const char *user;
        const char *text;
    } rows[] = {{NULL, "{\"a\":1}"}, {"anna", "{\n}"}, {"ben", "x"}, {"ben", NULL}};
    struct valkeyclient three;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_true(one.share.keep(one.share.context, invig_text_of("exam"),
                                   invig_text_of(rows[i].user), invig_text_of(rows[i].text)));
        valkeyclient_await(&two, INVIG_NEWS_TOPIC);
        assert_topic(&two, "exam", rows[i].user, rows[i].text);
    }
    valkeyclient_join(&three, &server);
    assert_int_equal(three.counts[INVIG_NEWS_TOPIC], 2);
    valkeyclient_close(&three);
}

static void test_broker_that_ends_is_told_once(void **state)
{
    char name[INVIG_SHARE_NAME_BYTES_MAX + 1] = "";

    (void)state;
    memcpy(name, one.share.name.data, one.share.name.length);
    assert_int_equal(strlen(name), 16);
    assert_false(invig_text_equal(one.share.name, two.share.name));
    assert_int_equal(valkeyserver_do(&server, "EXISTS invigilator:broker:%s", name), 1);
    /* two came after it, and has heard of it from the keys alone. */
    valkeyclient_idle(&two, 100);
    valkeyclient_close(&one);
    assert_int_equal(valkeyserver_do(&server, "EXISTS invigilator:broker:%s", name), 0);
    two.ahead_ms += 5000;
    valkeyclient_await(&two, INVIG_NEWS_GONE);
    assert_text(two.news.name, name);
    two.ahead_ms += 5000;
    valkeyclient_idle(&two, 100);
    assert_int_equal(two.counts[INVIG_NEWS_GONE], 1);
    assert_int_equal(two.counts[INVIG_NEWS_LOST], 0);
}

static void test_broker_that_came_later_is_known_from_its_entry(void **state)
{
    char name[INVIG_SHARE_NAME_BYTES_MAX + 1] = "";

    (void)state;
    memcpy(name, two.share.name.data, two.share.name.length);
    valkeyclient_idle(&one, 100);
    valkeyserver_do(&server, "DEL invigilator:broker:%s", name); /* as if it had expired */
    one.ahead_ms += 5000;
    valkeyclient_await(&one, INVIG_NEWS_GONE);
    assert_text(one.news.name, name);
    /* It was only cut off: it says again that it is there. */
    two.ahead_ms += 5000;
    valkeyclient_idle(&two, 100);
    assert_int_equal(valkeyserver_do(&server, "EXISTS invigilator:broker:%s", name), 1);
    long long left_ms = valkeyserver_do(&server, "PTTL invigilator:broker:%s", name);
    assert_in_range(left_ms, 10000, 15000);
}

/* Whoever is watched is told of when its key is not there, now or later. */
static void test_broker_that_is_watched_is_told(void **state)
{
    (void)state;
    one.share.watch(one.share.context, invig_text_of("longago"));
    one.share.watch(one.share.context, invig_text_of("no name"));
    one.share.watch(one.share.context, one.share.name);
    one.ahead_ms += 5000;
    valkeyclient_await(&one, INVIG_NEWS_GONE);
    assert_text(one.news.name, "longago");
    one.ahead_ms += 5000;
    valkeyclient_idle(&one, 100);
    assert_int_equal(one.counts[INVIG_NEWS_GONE], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(test_offer_is_accepted_and_told_to_others),
        TEST(test_offer_in_the_place_of_another_revision_is_refused),
        TEST(test_offer_of_nothing_leaves_a_revision),
        TEST(test_offer_of_two_has_one_winner),
        TEST(test_offer_own_news_are_left_out),
        TEST(test_offer_holds_any_bytes),
        TEST(test_offer_has_its_bounds),
        TEST(test_offer_queue_is_bounded),
        TEST(test_keep_is_told_to_others_and_to_those_who_come_later),
        TEST(test_broker_that_ends_is_told_once),
        TEST(test_broker_that_came_later_is_known_from_its_entry),
        TEST(test_broker_that_is_watched_is_told),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
