/* SPDX-License-Identifier: Apache-2.0
 *
 * test_strict_policy.c - stories of second logins where they are only observed, or not even that.
 */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define EVALUATION "evaluations/e1"

static struct world world;

static void restart(const char *policy)
{
    world_deinit(&world);
    world_init(&world, "strict_policy", policy, NULL);
}

static void assert_no_incident(void)
{
    assert_int_equal(world_count_prefix(&world, "INCIDENT"), 0);
    assert_int_equal(world_count_prefix(&world, "RETAIN"), 0);
}

/* The page of `old` gives way to a new login of anna's, as it does outside strict evaluations. */
static void assert_newest_wins(struct invig_connection *old, const char *session,
                               const char *client_id)
{
    struct invig_connection *page = world_login_again(&world, session, client_id);

    assert_non_null(page);
    assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_ALLOW);
    assert_int_equal(world_deliver(&world, old, EVALUATION), INVIG_DENY);
    assert_int_equal(world_deliver(&world, old, "users/anna"), INVIG_DENY);
    world_pass(&world, 3);
    assert_int_equal(world_count_prefix(&world, "NOTIFY"), 1);
    assert_int_equal(world_count_prefix(&world, "KICK"), 1);
}

static void test_strict_policy_observed(void **state)
{
    struct invig_connection *page;

    (void)state;
    restart("observe");
    page = world_exam(&world);
    assert_newest_wins(page, "s2", "anna:2");
    assert_int_equal(
        world_count_incidents(&world, "e1", "SECOND_LOGIN observed", "s1", "s2", "192.0.2.2"), 1);
    assert_int_equal(world_count_prefix(&world, "RETAIN"), 0);
    assert_int_equal(world_stats(&world).users_blocked, 0);
    assert_true(world_has_logged(&world, "invigilator: observed "));
    /* What is seen next is a second login beside that one; the first that comes back is none. */
    (void)world_login(&world, &(struct login){.client_id = "anna:9", .evaluations = {"e1"}});
    (void)world_login_again(&world, "s3", "anna:3");
    world_tick(&world);
    assert_int_equal(
        world_count_incidents(&world, "e1", "SECOND_LOGIN observed", "s2", "s3", "192.0.2.2"), 1);
    assert_int_equal(world_count_prefix(&world, "INCIDENT"), 2);
    /* unlessBound holds nobody. */
    assert_string_equal(
        world_command(&world, "{'command':'invalidateUser','userId':'anna','unlessBound':true}"),
        "{'command':'invalidateUser','data':{'connections':1}}");
}

/* Observing blocks nobody, but the backend still may, and phases end what it sees. */
static void test_strict_policy_observed_has_no_block(void **state)
{
    struct invig_connection *page;

    (void)state;
    restart("observe");
    (void)world_exam(&world);
    assert_null(world_login(&world, &(struct login){.session = "s2", .keepalive_s = 999}));
    page = world_login_again(&world, "s2", "anna:1"); /* also under the old one's client id */
    assert_non_null(page);
    world_tick(&world);
    assert_int_equal(
        world_count_incidents(&world, "e1", "SECOND_LOGIN observed", "s1", "s2", "192.0.2.2"), 1);
    world_say(&world, "e1", "anna", "'access':'BLOCKED'");
    assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_DENY);
    world_say(&world, "e1", "anna", "'access':'ALLOWED','status':'FINISHED'");
    assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_ALLOW);
    (void)world_login_again(&world, "s3", "anna:3");
    world_say(&world, "e1", NULL, "'phase':'GRADING'");
    (void)world_login_again(&world, "s4", "anna:4");
    world_tick(&world);
    assert_int_equal(world_count_prefix(&world, "INCIDENT"), 1);
    assert_int_equal(world_count_prefix(&world, "RETAIN"), 0);
}

static void test_strict_policy_off(void **state)
{
    struct invig_connection *page;

    (void)state;
    restart("off");
    page = world_exam(&world);
    assert_newest_wins(page, "s2", "anna:2");
    (void)world_login(&world, &(struct login){.session = "s2",
                                              .client_id = "anna:3",
                                              .address = "203.0.113.5",
                                              .evaluations = {"e1"}});
    world_tick(&world);
    assert_no_incident();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_CASE(test_strict_policy_observed),
        WORLD_CASE(test_strict_policy_observed_has_no_block),
        WORLD_CASE(test_strict_policy_off),
    };
    return cmocka_run_group_tests_name("scenario strict_policy", tests, NULL, NULL);
}
