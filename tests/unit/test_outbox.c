/* SPDX-License-Identifier: Apache-2.0
 *
 * test_outbox.c - letters in order, their own copies, and what is dropped with a connection.
 */
#include "invigilator/outbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct invig_outbox outbox;

/* Connections are only compared here. */
static char places[2];
static const struct invig_connection *connection(int which)
{
    return (const struct invig_connection *)(const void *)&places[which];
}

static int setup(void **state)
{
    (void)state;
    memset(&outbox, 0, sizeof(outbox));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    invig_outbox_deinit(&outbox);
    assert_int_equal(outbox.count, 0);
    return 0;
}

static struct invig_letter *letter_about(const char *user, const struct invig_connection *to)
{
    const struct invig_notice notice = {.type = INVIG_NOTICE_INCIDENT, .user = invig_text_of(user)};
    struct invig_letter *letter = invig_letter_new(&notice, to);

    assert_non_null(letter);
    return letter;
}

static void assert_next(const char *user)
{
    struct invig_letter *letter = invig_outbox_pop(&outbox);

    if (user == NULL) {
        assert_null(letter);
        return;
    }
    assert_non_null(letter);
    assert_true(invig_text_equal(letter->notice.user, invig_text_of(user)));
    invig_letter_free(letter);
}

static void test_outbox_first_in_first_out(void **state)
{
    struct invig_letter *chain = letter_about("b", NULL);

    (void)state;
    assert_next(NULL);
    invig_outbox_add(&outbox, NULL);
    invig_outbox_add(&outbox, letter_about("a", NULL));
    chain->next = letter_about("c", NULL);
    invig_outbox_add(&outbox, chain);
    assert_int_equal(outbox.count, 3);
    assert_next("a");
    invig_outbox_add(&outbox, letter_about("d", NULL));
    assert_next("b");
    assert_next("c");
    assert_next("d");
    assert_next(NULL);
    invig_outbox_add(&outbox, letter_about("e", NULL));
    assert_next("e");
}

static void test_outbox_letter_owns_its_texts(void **state)
{
    char texts[8][8] = {"user", "sess", "eval", "bound", "refused", "addr", "topic", "error"};
    struct invig_text views[8];
    struct invig_notice notice = {.type = INVIG_NOTICE_INCIDENT, .time_s = 7, .is_enforced = true};
    struct invig_letter *letter;

    (void)state;
    for (size_t i = 0; i < 8; i++) {
        views[i] = invig_text_of(texts[i]);
    }
    notice.user = views[0];
    notice.session = views[1];
    notice.evaluation = views[2];
    notice.bound_session = views[3];
    notice.refused_session = views[4];
    notice.address = views[5];
    notice.topic = views[6];
    notice.error = views[7];
    letter = invig_letter_new(&notice, NULL);
    assert_non_null(letter);
    memset(texts, 'x', sizeof(texts));
    assert_true(invig_text_equal(letter->notice.user, invig_text_of("user")));
    assert_true(invig_text_equal(letter->notice.session, invig_text_of("sess")));
    assert_true(invig_text_equal(letter->notice.evaluation, invig_text_of("eval")));
    assert_true(invig_text_equal(letter->notice.bound_session, invig_text_of("bound")));
    assert_true(invig_text_equal(letter->notice.refused_session, invig_text_of("refused")));
    assert_true(invig_text_equal(letter->notice.address, invig_text_of("addr")));
    assert_true(invig_text_equal(letter->notice.topic, invig_text_of("topic")));
    assert_true(invig_text_equal(letter->notice.error, invig_text_of("error")));
    assert_int_equal(letter->notice.time_s, 7);
    assert_true(letter->notice.is_enforced);
    invig_letter_free(letter);
    /* What is absent stays absent. */
    letter = letter_about("a", NULL);
    assert_null(letter->notice.address.data);
    invig_letter_free(letter);
}

static void test_outbox_drops_what_is_for_a_connection(void **state)
{
    (void)state;
    invig_outbox_add(&outbox, letter_about("a", connection(0)));
    invig_outbox_add(&outbox, letter_about("b", NULL));
    invig_outbox_add(&outbox, letter_about("c", connection(1)));
    invig_outbox_add(&outbox, letter_about("d", connection(0)));
    invig_outbox_drop(&outbox, connection(0));
    assert_int_equal(outbox.count, 2);
    invig_outbox_add(&outbox, letter_about("e", NULL));
    assert_next("b");
    assert_next("c");
    assert_next("e");
    invig_outbox_add(&outbox, letter_about("f", connection(1)));
    invig_outbox_drop(&outbox, connection(1));
    assert_next(NULL);
    invig_outbox_add(&outbox, letter_about("g", NULL));
    assert_next("g");
}

static void test_outbox_readdresses(void **state)
{
    (void)state;
    invig_outbox_add(&outbox, letter_about("a", connection(0)));
    invig_outbox_add(&outbox, letter_about("b", NULL));
    invig_outbox_add(&outbox, letter_about("c", connection(0)));
    invig_outbox_readdress(&outbox, connection(0), connection(1));
    invig_outbox_drop(&outbox, connection(0));
    assert_int_equal(outbox.count, 3);
    invig_outbox_drop(&outbox, connection(1));
    assert_next("b");
    assert_next(NULL);
}

static void test_outbox_has_a_limit(void **state)
{
    (void)state;
    assert_true(invig_outbox_has_room(&outbox, INVIG_OUTBOX_MAX));
    assert_false(invig_outbox_has_room(&outbox, INVIG_OUTBOX_MAX + 1));
    for (int i = 0; i < INVIG_OUTBOX_MAX - 1; i++) {
        invig_outbox_add(&outbox, letter_about("a", NULL));
    }
    assert_true(invig_outbox_has_room(&outbox, 1));
    assert_false(invig_outbox_has_room(&outbox, 2));
    assert_false(invig_outbox_has_room_to_answer(&outbox));
}

static void test_outbox_keeps_room_for_incidents(void **state)
{
    (void)state;
    for (int i = 0; i < INVIG_OUTBOX_MAX - INVIG_OUTBOX_INCIDENTS; i++) {
        assert_true(invig_outbox_has_room_to_answer(&outbox));
        invig_outbox_add(&outbox, letter_about("a", connection(0)));
    }
    assert_false(invig_outbox_has_room_to_answer(&outbox));
    assert_true(invig_outbox_has_room(&outbox, INVIG_OUTBOX_INCIDENTS));
}

static void test_outbox_json(void **state)
{
    char *json = malloc(3);
    struct invig_letter *letter;

    (void)state;
    assert_non_null(json);
    memcpy(json, "{}", 3);
    assert_null(invig_letter_new_json(NULL, NULL));
    letter = invig_letter_new_json(json, connection(1));
    assert_non_null(letter);
    assert_ptr_equal(letter->json, json);
    assert_ptr_equal(letter->connection, connection(1));
    invig_outbox_add(&outbox, letter); /* freed, with its text, by the teardown */
}

#define OUTBOX_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        OUTBOX_TEST(test_outbox_first_in_first_out),
        OUTBOX_TEST(test_outbox_letter_owns_its_texts),
        OUTBOX_TEST(test_outbox_drops_what_is_for_a_connection),
        OUTBOX_TEST(test_outbox_readdresses),
        OUTBOX_TEST(test_outbox_has_a_limit),
        OUTBOX_TEST(test_outbox_keeps_room_for_incidents),
        OUTBOX_TEST(test_outbox_json),
    };

    return cmocka_run_group_tests_name("outbox", tests, NULL, NULL);
}
