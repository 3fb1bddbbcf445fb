/* SPDX-License-Identifier: Apache-2.0
 *
 * test_strict.c - stories of second logins while a strict evaluation runs: who is
 * turned away, and what is said of it. Who is bound is in test_binding.c, how a strict phase begins
 * and ends in test_strict_phase.c, how a block is lifted in test_unblock.c.
 */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define EVALUATION "evaluations/e1"
#define MINE       "evaluations/e1/users/anna"
#define BLOCK(evaluation, members)                                                                 \
    "RETAIN evaluations/" evaluation                                                               \
    "/users/anna {'type':'EVALUATION_UPDATE','evaluationId':'" evaluation                          \
    "','userId':'anna'" members ",'access':'BLOCKED','reason':'SECOND_LOGIN',"                     \
    "'at':'2027-01-15T08:00:00Z','by':'invigilator'}"

static struct world world;

static void test_strict_second_login_is_told_and_turned_away(void **state)
{
    struct invig_connection *page = world_exam(&world);
    struct invig_connection *second = world_login_again(&world, "s2", "anna:2");

    (void)state;
    assert_non_null(second);
    assert_int_equal(world.effect_count, 0);
    world_pass(&world, 5);
    assert_int_equal(world_count(&world, "NOTIFY anna:2 BLOCKED e1 anna"), 1);
    assert_int_equal(world_count(&world, "KICK anna:2"), 1);
    assert_true(world_find(&world, "NOTIFY anna:2 BLOCKED e1 anna") <
                world_find(&world, "KICK anna:2"));
    assert_int_equal(world_count(&world, BLOCK("e1", "")), 1);
    assert_int_equal(
        world_count_incidents(&world, "e1", "SECOND_LOGIN enforced", "s1", "s2", "192.0.2.2"), 1);
    assert_int_equal(world.effect_count, 4);
    assert_int_equal(world_deliver(&world, page, "users/anna"), INVIG_ALLOW);
    assert_int_equal(world_stats(&world).users_blocked, 1);
    assert_true(world_has_logged(&world, "invigilator: blocked "));
}

static void test_strict_turned_away_has_no_right(void **state)
{
    static const char *const topics[] = {
        EVALUATION, MINE, "users/anna", "chat", "users/anna/sessions/s2", "evaluations/e2"};
    struct invig_connection *second;

    (void)state;
    (void)world_exam(&world);
    second = world_login_again(&world, "s2", "anna:2");
    for (size_t i = 0; i < sizeof(topics) / sizeof(topics[0]); i++) {
        assert_int_equal(world_subscribe(&world, second, topics[i]), INVIG_DENY);
        assert_int_equal(world_deliver(&world, second, topics[i]), INVIG_DENY);
        assert_int_equal(world_publish(&world, second, topics[i]), INVIG_DENY);
    }
}

static void test_strict_blocked_stays_connected_without_the_evaluation(void **state)
{
    struct invig_connection *page = world_exam(&world);

    (void)state;
    assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_ALLOW);
    (void)world_login_again(&world, "s2", "anna:2");
    /* At once, before any tick. */
    assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_DENY);
    assert_int_equal(world_deliver(&world, page, MINE), INVIG_ALLOW);
    assert_int_equal(world_deliver(&world, page, "users/anna"), INVIG_ALLOW);
    assert_int_equal(world_deliver(&world, page, "evaluations/e2"), INVIG_ALLOW);
    assert_int_equal(world_subscribe(&world, page, EVALUATION), INVIG_ALLOW);
    world_pass(&world, 10);
    assert_int_equal(world_count(&world, "KICK anna:1"), 0);
    assert_int_equal(world_deliver(&world, page, MINE), INVIG_ALLOW);
}

static void test_strict_block_keeps_what_the_backend_said(void **state)
{
    (void)state;
    (void)world_exam(&world);
    world_say(&world, "e1", "anna",
              "'access':'ALLOWED','status':'IN_PROGRESS','endAt':'2027-01-15T10:00:00Z',"
              "'version':7,'seat':{'row':[1, 2]},'sessionId':'s1','reason':'x','at':'y'");
    world_tick(&world);
    world_clear(&world);
    (void)world_login_again(&world, "s2", "anna:2");
    world_tick(&world);
    assert_int_equal(world_count(&world, BLOCK("e1", ",'status':'IN_PROGRESS','endAt':"
                                                     "'2027-01-15T10:00:00Z','version':7,"
                                                     "'seat':{'row':[1, 2]}")),
                     1);
}

static void test_strict_turned_away_page_that_reconnects_every_second(void **state)
{
    struct invig_connection *second;

    (void)state;
    (void)world_exam(&world);
    for (int i = 0; i < 20; i++) {
        second = world_login_again(&world, "s2", "anna:2");
        assert_non_null(second);
        assert_int_equal(world_subscribe(&world, second, MINE), INVIG_DENY);
        world_pass(&world, 2);
        world_disconnect(&world, second);
    }
    assert_int_equal(world_count(&world, "NOTIFY anna:2 BLOCKED e1 anna"), 20);
    assert_int_equal(world_count(&world, "KICK anna:2"), 20);
    assert_int_equal(world_count_prefix(&world, "INCIDENT"), 1);
    assert_int_equal(world_count_prefix(&world, "RETAIN"), 1);
    assert_int_equal(world.effect_count, 42);
}

static void test_strict_each_turned_away_session_is_one_incident(void **state)
{
    (void)state;
    (void)world_exam(&world);
    (void)world_login_again(&world, "s2", "anna:2");
    (void)world_login_again(&world, "s2", "anna:3");
    (void)world_login_again(&world, "s3", "anna:4");
    world_pass(&world, 2);
    assert_int_equal(
        world_count_incidents(&world, "e1", "SECOND_LOGIN enforced", "s1", "s2", "192.0.2.2"), 1);
    assert_int_equal(
        world_count_incidents(&world, "e1", "SECOND_LOGIN enforced", "s1", "s3", "192.0.2.2"), 1);
    assert_int_equal(world_count_prefix(&world, "INCIDENT"), 2);
    assert_int_equal(world_count(&world, "NOTIFY anna:3 BLOCKED e1 anna"), 1);
    assert_int_equal(world_count(&world, "NOTIFY anna:4 BLOCKED e1 anna"), 1);
    assert_int_equal(world_count_prefix(&world, "KICK"), 3);
}

static void test_strict_second_login_under_the_same_client_id(void **state)
{
    struct invig_connection *page = world_exam(&world);

    (void)state;
    assert_null(world_login_again(&world, "s2", "anna:1"));
    assert_string_equal(invig_reason_word(world.refusal.reason), "second_login");
    assert_int_equal(world_deliver(&world, page, MINE), INVIG_ALLOW);
    assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_DENY);
    world_pass(&world, 5);
    assert_int_equal(world_count(&world, BLOCK("e1", "")), 1);
    assert_int_equal(
        world_count_incidents(&world, "e1", "SECOND_LOGIN enforced", "s1", "s2", "192.0.2.2"), 1);
    /* Neither the notice nor the disconnect hits the bound page. */
    assert_int_equal(world.effect_count, 2);
    assert_null(world_login_again(&world, "s2", "anna:1"));
    world_pass(&world, 5);
    assert_int_equal(world.effect_count, 2);
}

static void test_strict_two_evaluations_at_once(void **state)
{
    struct invig_connection *page = world_exam(&world);

    (void)state;
    world_say(&world, "e2", NULL, "'phase':'IN_PROGRESS'");
    world_tick(&world);
    world_clear(&world);
    (void)world_login_again(&world, "s2", "anna:2");
    assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_DENY);
    assert_int_equal(world_deliver(&world, page, "evaluations/e2"), INVIG_DENY);
    world_pass(&world, 5);
    assert_int_equal(world_count(&world, "NOTIFY anna:2 BLOCKED e1 anna"), 1);
    assert_int_equal(world_count(&world, "NOTIFY anna:2 BLOCKED e2 anna"), 1);
    assert_int_equal(world_count(&world, BLOCK("e1", "")), 1);
    assert_int_equal(world_count(&world, BLOCK("e2", "")), 1);
    assert_int_equal(
        world_count_incidents(&world, "e1", "SECOND_LOGIN enforced", "s1", "s2", "192.0.2.2"), 1);
    assert_int_equal(
        world_count_incidents(&world, "e2", "SECOND_LOGIN enforced", "s1", "s2", "192.0.2.2"), 1);
    assert_int_equal(world_count(&world, "KICK anna:2"), 1);
    assert_int_equal(world.effect_count, 7);
    assert_int_equal(world_stats(&world).users_blocked, 1);
}

static void test_strict_one_of_several_evaluations(void **state)
{
    struct invig_connection *page = world_exam(&world);

    (void)state;
    world_say(&world, "e2", NULL, "'phase':'COMPOSITION'");
    (void)world_login_again(&world, "s2", "anna:2");
    world_pass(&world, 5);
    assert_int_equal(world_count(&world, "NOTIFY anna:2 BLOCKED e1 anna"), 1);
    assert_int_equal(world_count(&world, "KICK anna:2"), 1);
    assert_int_equal(world_count_prefix(&world, "INCIDENT"), 1);
    assert_int_equal(world_count_prefix(&world, "RETAIN"), 1);
    assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_DENY);
    assert_int_equal(world_deliver(&world, page, "evaluations/e2"), INVIG_ALLOW);
}

/* However many come, each is turned away and reported, and the bound session stays. */
static void test_strict_more_than_can_be_remembered(void **state)
{
    struct invig_connection *page = world_exam(&world);
    char session[16];

    (void)state;
    for (int i = 0; i < INVIG_USER_SESSIONS_MAX + 3; i++) {
        (void)snprintf(session, sizeof(session), "x%d", i);
        struct invig_connection *second = world_login_again(&world, session, "anna:2");
        assert_non_null(second);
        world_disconnect(&world, second);
        world_tick(&world);
        assert_int_equal(world_count_prefix(&world, "INCIDENT "), 1);
        world_clear(&world);
    }
    assert_int_equal(world_deliver(&world, page, "users/anna"), INVIG_ALLOW);
}

/* The professor was quicker than the notice: the page need only come again. */
static void test_strict_named_before_it_was_told(void **state)
{
    struct invig_connection *second;

    (void)state;
    (void)world_exam(&world);
    second = world_login_again(&world, "s2", "anna:2");
    world_say(&world, "e1", "anna", "'access':'ALLOWED','sessionId':'s2'");
    world_pass(&world, 3);
    assert_int_equal(world_count_prefix(&world, "NOTIFY anna:2 "), 0);
    assert_int_equal(world_count(&world, "KICK anna:2"), 1);
    assert_int_equal(world_count(&world, "NOTIFY anna:1 SUPERSEDED anna s1"), 1);
    world_disconnect(&world, second);
    second = world_login_again(&world, "s2", "anna:2");
    assert_int_equal(world_deliver(&world, second, EVALUATION), INVIG_ALLOW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_CASE(test_strict_second_login_is_told_and_turned_away),
        WORLD_CASE(test_strict_turned_away_has_no_right),
        WORLD_CASE(test_strict_blocked_stays_connected_without_the_evaluation),
        WORLD_CASE(test_strict_block_keeps_what_the_backend_said),
        WORLD_CASE(test_strict_turned_away_page_that_reconnects_every_second),
        WORLD_CASE(test_strict_each_turned_away_session_is_one_incident),
        WORLD_CASE(test_strict_second_login_under_the_same_client_id),
        WORLD_CASE(test_strict_two_evaluations_at_once),
        WORLD_CASE(test_strict_one_of_several_evaluations),
        WORLD_CASE(test_strict_more_than_can_be_remembered),
        WORLD_CASE(test_strict_named_before_it_was_told),
    };
    return cmocka_run_group_tests_name("scenario strict", tests, NULL, NULL);
}
