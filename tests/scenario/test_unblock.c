/* SPDX-License-Identifier: Apache-2.0
 *
 * test_unblock.c - stories of blocks that are lifted, by a message of the backend and by command,
 * and of the session that is bound afterwards.
 */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define EVALUATION "evaluations/e1"
#define MINE       "evaluations/e1/users/anna"

enum way { BY_MESSAGE, BY_COMMAND, WAYS };

static struct world world;

/* Starts anew: anna is bound under s1 and blocked in e1, because s2 was turned away and has gone.
 * Returns the bound connection. */
static struct invig_connection *block(void)
{
    struct invig_connection *page;

    world_deinit(&world);
    world_init(&world, NULL);
    page = world_exam(&world);
    world_disconnect(&world, world_login_again(&world, "s2", "anna:2"));
    world_tick(&world);
    assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_DENY);
    world_clear(&world);
    return page;
}

/* Lifts the block; `session` is "" or the member "'sessionId':...". Returns whether it was done. */
static bool lift(enum way way, const char *session)
{
    char text[512];
    const char *comma = session[0] == '\0' ? "" : ",";

    if (way == BY_MESSAGE) {
        (void)snprintf(text, sizeof(text), "'access':'ALLOWED',%s",
                       session[0] == '\0' ? "'unblock':true" : session);
        return world_offer(&world, "e1", "anna", text) == INVIG_ALLOW;
    }
    (void)snprintf(text, sizeof(text),
                   "{'command':'unblock','userId':'anna','evaluationId':'e1'%s%s}", comma, session);
    return strcmp(world_command(&world, text), "{'command':'unblock','data':{}}") == 0;
}

/* anna's bindings are these. */
static void assert_bindings(const char *bindings)
{
    char expected[256];
    const char *answer = world_command(&world, "{'command':'getUser','userId':'anna'}");

    (void)snprintf(expected, sizeof(expected), "'bindings':[%s]", bindings);
    if (strstr(answer, expected) == NULL) {
        fail_msg("no %s in %s", expected, answer);
    }
}

#define BOUND(evaluation, session) "{'evaluationId':'" evaluation "','sessionId':'" session "'}"

/* A connection of `session` is let in and then told this; "" for nothing. */
static void assert_told(const char *session, const char *client_id, const char *what)
{
    char line[WORLD_LINE_BYTES];
    struct invig_connection *page;

    world_clear(&world);
    page = world_login_again(&world, session, client_id);
    assert_non_null(page);
    assert_int_equal(world_deliver(&world, page, "users/anna"),
                     what[0] == '\0' ? INVIG_ALLOW : INVIG_DENY);
    world_tick(&world);
    (void)snprintf(line, sizeof(line), "NOTIFY %s %s", client_id, what);
    assert_int_equal(world_count_prefix(&world, line), what[0] != '\0');
}

static void test_unblock_without_a_name(void **state)
{
    (void)state;
    for (enum way way = BY_MESSAGE; way < WAYS; way++) {
        struct invig_connection *page = block();

        assert_true(lift(way, ""));
        assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_ALLOW);
        assert_int_equal(world_stats(&world).users_blocked, 0);
        assert_true(world_has_logged(&world, "invigilator: unblocked "));
        assert_bindings(BOUND("e1", "s1"));
        /* The session that was turned away has lost, and a third one is an incident again. */
        assert_told("s2", "anna:2", "SUPERSEDED anna s2");
        assert_int_equal(world_count_prefix(&world, "INCIDENT"), 0);
        assert_told("s3", "anna:3", "BLOCKED e1 anna");
        assert_int_equal(
            world_count_incidents(&world, "e1", "SECOND_LOGIN enforced", "s1", "s3", "192.0.2.2"),
            1);
        assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_DENY);
    }
}

static void test_unblock_that_names_the_bound_session(void **state)
{
    char by_fingerprint[64];
    const char *const names[] = {"'sessionId':'s1'", by_fingerprint};

    (void)state;
    (void)snprintf(by_fingerprint, sizeof(by_fingerprint), "'sessionId':'%s'",
                   world_fingerprint("s1"));
    for (int i = 0; i < 2 * WAYS; i++) {
        struct invig_connection *page = block();

        assert_true(lift((enum way)(i % WAYS), names[i / WAYS]));
        assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_ALLOW);
        assert_bindings(BOUND("e1", "s1"));
        assert_told("s2", "anna:2", "SUPERSEDED anna s2");
        assert_int_equal(world_count_prefix(&world, "NOTIFY anna:1"), 0);
    }
}

static void test_unblock_that_names_the_session_turned_away(void **state)
{
    char by_fingerprint[64];
    const char *const names[] = {"'sessionId':'s2'", by_fingerprint};

    (void)state;
    (void)snprintf(by_fingerprint, sizeof(by_fingerprint), "'sessionId':'%s'",
                   world_fingerprint("s2"));
    for (int i = 0; i < 2 * WAYS; i++) {
        struct invig_connection *page = block();

        assert_true(lift((enum way)(i % WAYS), names[i / WAYS]));
        assert_int_equal(world_deliver(&world, page, "users/anna"), INVIG_DENY);
        assert_bindings(BOUND("e1", "s2"));
        world_pass(&world, 3);
        assert_int_equal(world_count(&world, "NOTIFY anna:1 SUPERSEDED anna s1"), 1);
        assert_int_equal(world_count(&world, "KICK anna:1"), 1);
        assert_told("s2", "anna:2", "");
        assert_int_equal(world_count_prefix(&world, "INCIDENT"), 0);
        assert_told("s3", "anna:3", "BLOCKED e1 anna");
    }
}

static void test_unblock_of_a_page_that_is_being_told(void **state)
{
    struct invig_connection *second;

    (void)state;
    for (enum way way = BY_MESSAGE; way < WAYS; way++) {
        (void)block();
        second = world_login_again(&world, "s2", "anna:2");
        world_tick(&world);
        assert_true(lift(way, "'sessionId':'s2'"));
        /* What is on its way to a disconnect goes there; the page comes back by itself. */
        assert_int_equal(world_subscribe(&world, second, "users/anna"), INVIG_DENY);
        world_pass(&world, 3);
        assert_int_equal(world_count(&world, "KICK anna:2"), 1);
        world_disconnect(&world, second);
        assert_told("s2", "anna:2", "");
    }
}

static void test_unblock_with_null_leaves_the_place_to_the_next_login(void **state)
{
    (void)state;
    for (enum way way = BY_MESSAGE; way < WAYS; way++) {
        struct invig_connection *page = block();

        assert_true(lift(way, "'sessionId':null"));
        assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_ALLOW);
        assert_bindings("");
        /* The old session goes on, but is not bound, also when it connects once more. */
        assert_told("s1", "anna:9", "");
        assert_bindings("");
        assert_told("s2", "anna:2", "SUPERSEDED anna s2");
        assert_told("s3", "anna:3", "");
        assert_int_equal(world_count(&world, "NOTIFY anna:1 SUPERSEDED anna s1"), 1);
        assert_int_equal(world_count_prefix(&world, "INCIDENT"), 0);
        assert_bindings(BOUND("e1", "s3"));
        assert_told("s4", "anna:4", "BLOCKED e1 anna");
    }
}

static void test_unblock_with_null_and_then_a_name(void **state)
{
    (void)state;
    (void)block();
    assert_true(lift(BY_MESSAGE, "'sessionId':null"));
    assert_true(lift(BY_MESSAGE, "'sessionId':'s1'"));
    assert_bindings(BOUND("e1", "s1"));
    assert_told("s3", "anna:3", "BLOCKED e1 anna");
}

static void test_unblock_brings_a_superseded_session_back(void **state)
{
    struct invig_connection *page;

    (void)state;
    for (enum way way = BY_MESSAGE; way < WAYS; way++) {
        world_disconnect(&world, block());
        assert_true(lift(way, "'sessionId':'s2'"));
        assert_told("s1", "anna:1", "SUPERSEDED anna s1");
        page = world_login_again(&world, "s2", "anna:2");
        assert_true(lift(way, "'sessionId':'s1'"));
        assert_bindings(BOUND("e1", "s1"));
        assert_int_equal(world_deliver(&world, page, "users/anna"), INVIG_DENY);
        assert_told("s1", "anna:5", "");
    }
}

static void test_unblock_that_names_nobody_to_be_named(void **state)
{
    char fingerprints[2][64];
    const char *const names[] = {"'sessionId':'s7'", "'sessionId':'s2'", fingerprints[0],
                                 fingerprints[1]};

    (void)state;
    for (int i = 0; i < 2; i++) {
        (void)snprintf(fingerprints[i], sizeof(fingerprints[i]), "'sessionId':'%s'",
                       world_fingerprint(i == 0 ? "s7" : "s2"));
    }
    for (int i = 0; i < 4 * WAYS; i++) {
        struct invig_connection *page = block();
        enum way way = (enum way)(i % WAYS);

        world_invalidate_session(&world, "anna", "s2"); /* so it stays revoked */
        world_tick(&world);
        world_clear(&world);
        assert_false(lift(way, names[i / WAYS]));
        assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_DENY);
        assert_bindings(BOUND("e1", "s1"));
        world_tick(&world);
        assert_int_equal(world_count_prefix(&world, "NOTIFY backend PUBLISH_REFUSED " MINE),
                         way == BY_MESSAGE);
        assert_int_equal(world.effect_count, way == BY_MESSAGE);
        assert_told("s2", "anna:2", "REVOKED anna s2");
    }
}

static void test_unblock_is_published_by_the_command(void **state)
{
    (void)state;
    (void)block();
    world_say(&world, "e1", "anna",
              "'access':'ALLOWED','endAt':'2027-01-15T10:00:00Z','reason':'x','seat':4");
    world_tick(&world);
    world_clear(&world);
    assert_true(lift(BY_COMMAND, "'sessionId':'s1'"));
    world_pass(&world, 2);
    assert_int_equal(world_count(&world,
                                 "RETAIN " MINE " {'type':'EVALUATION_UPDATE','evaluationId':'e1',"
                                 "'userId':'anna','endAt':'2027-01-15T10:00:00Z',"
                                 "'seat':4,'access':'ALLOWED','by':'invigilator'}"),
                     1);
    /* The backend's own message needs no copy. Either way she is sent what she missed. */
    assert_int_equal(world_count(&world, "SEND anna:1 " EVALUATION
                                         " {'type':'EVALUATION_UPDATE','evaluationId':'e1',"
                                         "'phase':'IN_PROGRESS'}"),
                     1);
    assert_int_equal(world.effect_count, 2);
    (void)block();
    assert_true(lift(BY_MESSAGE, ""));
    world_pass(&world, 2);
    assert_int_equal(world_count_prefix(&world, "SEND anna:1 " EVALUATION), 1);
    assert_int_equal(world.effect_count, 1);
}

/* The plugin's copy of the block must not come after the message that lifts it. */
static void test_unblock_in_the_loop_of_the_second_login(void **state)
{
    (void)state;
    for (enum way way = BY_MESSAGE; way < WAYS; way++) {
        const char *last;

        world_deinit(&world);
        world_init(&world, NULL);
        (void)world_exam(&world);
        (void)world_login_again(&world, "s2", "anna:2");
        assert_true(lift(way, ""));
        world_pass(&world, 3);
        last = world_last(&world, "RETAIN " MINE);
        assert_true(last == NULL || strstr(last, "'access':'ALLOWED'") != NULL);
        assert_int_equal(world_count_prefix(&world, "INCIDENT"), 1);
        /* What the page hears is what holds by then. */
        assert_int_equal(world_count(&world, "NOTIFY anna:2 SUPERSEDED anna s2"), 1);
        assert_int_equal(world_count_prefix(&world, "NOTIFY anna:2"), 1);
        assert_int_equal(world_count(&world, "KICK anna:2"), 1);
    }
}

/* Where the message that lifts is not retained, the block must not stay so either. */
static void test_unblock_by_a_message_that_is_not_retained(void **state)
{
    struct invig_connection *page = block();

    (void)state;
    assert_int_equal(world_message_once(&world, world_backend(&world), MINE,
                                        "{'type':'EVALUATION_UPDATE','evaluationId':'e1',"
                                        "'userId':'anna','access':'ALLOWED','unblock':true}"),
                     INVIG_ALLOW);
    assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_ALLOW);
    world_pass(&world, 2);
    assert_int_equal(world_count(&world,
                                 "RETAIN " MINE " {'type':'EVALUATION_UPDATE','evaluationId':'e1',"
                                 "'userId':'anna','access':'ALLOWED',"
                                 "'by':'invigilator'}"),
                     1);
}

static void test_unblock_of_one_evaluation_names_for_all(void **state)
{
    struct invig_connection *page;

    (void)state;
    for (enum way way = BY_MESSAGE; way < WAYS; way++) {
        world_deinit(&world);
        world_init(&world, NULL);
        (void)world_exam(&world);
        world_say(&world, "e2", NULL, "'phase':'IN_PROGRESS'");
        world_disconnect(&world, world_login_again(&world, "s2", "anna:2"));
        world_tick(&world);
        assert_true(lift(way, "'sessionId':'s2'"));
        page = world_login_again(&world, "s2", "anna:2");
        assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_ALLOW);
        /* The block of the other one stands until it is lifted too. */
        assert_int_equal(world_deliver(&world, page, "evaluations/e2"), INVIG_DENY);
        assert_true(strstr(world_command(&world, "{'command':'getEvaluation',"
                                                 "'evaluationId':'e2'}"),
                           "'bound':true") != NULL);
        assert_told("s3", "anna:3", "BLOCKED e1 anna");
        assert_int_equal(
            world_count_incidents(&world, "e2", "SECOND_LOGIN enforced", "s2", "s3", "192.0.2.2"),
            1);
    }
}

static void test_unblock_with_null_is_about_one_evaluation(void **state)
{
    (void)state;
    (void)world_exam(&world);
    world_say(&world, "e2", NULL, "'phase':'IN_PROGRESS'");
    world_say(&world, "e1", "anna", "'access':'ALLOWED','sessionId':null");
    assert_bindings(BOUND("e2", "s1"));
    assert_told("s2", "anna:2", "BLOCKED e2 anna");
    assert_int_equal(
        world_count_incidents(&world, "e2", "SECOND_LOGIN enforced", "s1", "s2", "192.0.2.2"), 1);
    assert_int_equal(world_count_prefix(&world, "INCIDENT"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_CASE(test_unblock_without_a_name),
        WORLD_CASE(test_unblock_that_names_the_bound_session),
        WORLD_CASE(test_unblock_that_names_the_session_turned_away),
        WORLD_CASE(test_unblock_of_a_page_that_is_being_told),
        WORLD_CASE(test_unblock_with_null_leaves_the_place_to_the_next_login),
        WORLD_CASE(test_unblock_with_null_and_then_a_name),
        WORLD_CASE(test_unblock_brings_a_superseded_session_back),
        WORLD_CASE(test_unblock_that_names_nobody_to_be_named),
        WORLD_CASE(test_unblock_is_published_by_the_command),
        WORLD_CASE(test_unblock_in_the_loop_of_the_second_login),
        WORLD_CASE(test_unblock_by_a_message_that_is_not_retained),
        WORLD_CASE(test_unblock_of_one_evaluation_names_for_all),
        WORLD_CASE(test_unblock_with_null_is_about_one_evaluation),
    };
    return cmocka_run_group_tests_name("scenario unblock", tests, NULL, NULL);
}
