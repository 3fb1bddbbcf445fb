/* SPDX-License-Identifier: Apache-2.0
 *
 * test_refresh.c - stories of a connection that shows a newer token and goes on.
 */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct world world;

static struct invig_connection *come_in(int64_t expires_s)
{
    struct invig_connection *page = world_login(
        &world, &(struct login){.version = 5, .expires_s = expires_s, .evaluations = {"e1"}});

    assert_non_null(page);
    world_tick(&world);
    world_clear(&world);
    return page;
}

static void test_refresh_moves_the_end(void **state)
{
    struct invig_connection *page = come_in(WORLD_START_S + 100);

    (void)state;
    page = world_refresh(&world, page, &(struct login){.evaluations = {"e1"}});
    assert_int_equal(world.verdict, INVIG_ALLOW);
    assert_true(world_has_logged(&world, "refreshed user=anna"));
    world_pass(&world, 500);
    assert_int_equal(world.effect_count, 0);
    assert_int_equal(world_deliver(&world, page, "users/anna"), INVIG_ALLOW);
    assert_int_equal(world_deliver(&world, page, "users/anna/sessions/s1"), INVIG_ALLOW);
    assert_int_equal(world_deliver(&world, page, "evaluations/e1"), INVIG_ALLOW);
    assert_int_equal(world_stats(&world).connections_current, 1);
    assert_int_equal(world_stats(&world).sessions_current, 1);
}

static void test_refresh_may_bring_the_end_nearer(void **state)
{
    struct invig_connection *page = come_in(WORLD_START_S + 3600);

    (void)state;
    (void)world_refresh(&world, page, &(struct login){.expires_s = WORLD_START_S + 10});
    world_pass(&world, 50);
    assert_int_equal(world_count(&world, "NOTIFY anna:1 EXPIRED anna s1"), 1);
    assert_int_equal(world_count(&world, "KICK anna:1"), 1);
}

/* What was announced is not true any more, and is announced again. */
static void test_refresh_announces_the_new_end(void **state)
{
    struct invig_connection *page = come_in(WORLD_START_S + 100);

    (void)state;
    world_pass(&world, 75);
    assert_int_equal(world_count(&world, "NOTIFY anna:1 EXPIRING anna s1"), 1);
    (void)world_refresh(&world, page, &(struct login){.expires_s = WORLD_START_S + 200});
    world_pass(&world, 80);
    assert_int_equal(world_count(&world, "NOTIFY anna:1 EXPIRING anna s1"), 1);
    world_pass(&world, 40);
    assert_int_equal(world_count(&world, "NOTIFY anna:1 EXPIRING anna s1"), 2);
}

static void test_refresh_of_another_subject_is_refused(void **state)
{
    static const struct login others[] = {
        {.user = "ben"},
        {.session = "s2"},
        {.session = "", .role = INVIG_ROLE_SERVICE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        struct invig_connection *page = come_in(WORLD_START_S + 3600);

        assert_ptr_equal(world_refresh(&world, page, &others[i]), page);
        assert_int_equal(world.verdict, INVIG_DENY);
        assert_int_equal(world.refusal.reason, INVIG_REASON_SUBJECT_CHANGED);
        assert_true(world_has_logged(&world, "refused reason=subject_changed"));
        assert_int_equal(world_deliver(&world, page, "users/anna"), INVIG_ALLOW);
        assert_int_equal(world_stats(&world).sessions_current, 1);
        world_disconnect(&world, page);
        world_tick(&world);
    }
}

/* The newest token says what the connection takes part in. */
static void test_refresh_changes_the_evaluations(void **state)
{
    struct invig_connection *page = come_in(WORLD_START_S + 3600);

    (void)state;
    page = world_refresh(&world, page,
                         &(struct login){.evaluations = {"e2", "e3", "e4"}}); /* more than before */
    assert_int_equal(world_deliver(&world, page, "evaluations/e1"), INVIG_DENY);
    assert_int_equal(world_deliver(&world, page, "evaluations/e4"), INVIG_ALLOW);
    page = world_refresh(&world, page, &(struct login){0});
    assert_int_equal(world_deliver(&world, page, "evaluations/e4"), INVIG_DENY);
}

/* Access that begins brings the evaluation's last message. */
static void test_refresh_sends_what_was_missed(void **state)
{
    struct invig_connection *page;

    (void)state;
    world_say(&world, "e2", NULL, "'phase':'GRADING'");
    page = come_in(WORLD_START_S + 3600);
    page = world_refresh(&world, page, &(struct login){.evaluations = {"e1", "e2"}});
    world_tick(&world);
    assert_int_equal(world_count_prefix(&world, "SEND anna:1 evaluations/e2 "), 1);
    world_clear(&world);
    (void)world_refresh(&world, page, &(struct login){.evaluations = {"e1", "e2"}});
    world_tick(&world);
    assert_int_equal(world.effect_count, 0);
}

static void test_refresh_keeps_binding_and_presence(void **state)
{
    struct invig_connection *page = world_exam(&world);

    (void)state;
    world_tick(&world);
    world_clear(&world);
    world_pass(&world, 5);
    page = world_refresh(&world, page, &(struct login){.evaluations = {"e1", "e2"}});
    world_tick(&world);
    assert_int_equal(world_count_prefix(&world, "PRESENCE"), 0);
    assert_non_null(strstr(world_command(&world, "{'command':'getUser','userId':'anna'}"),
                           "'bindings':[{'evaluationId':'e1','sessionId':'s1'}]"));
    assert_non_null(strstr(world_command(&world, "{'command':'getUser','userId':'anna'}"),
                           "'since':'2027-01-15T08:00:00Z'"));
    assert_non_null(world_login_again(&world, "s2", "anna:2"));
    world_tick(&world);
    assert_int_equal(world_count(&world, "NOTIFY anna:2 BLOCKED e1 anna"), 1);
    assert_int_equal(world_deliver(&world, page, "evaluations/e1/users/anna"), INVIG_ALLOW);
}

/* A refusal would cut it off before it is told. */
static void test_refresh_of_one_that_is_told(void **state)
{
    struct invig_connection *page = come_in(WORLD_START_S + 3600);

    (void)state;
    (void)world_login(&world, &(struct login){.session = "s2", .client_id = "anna:2"});
    assert_ptr_equal(world_refresh(&world, page, &(struct login){0}), page);
    assert_int_equal(world.verdict, INVIG_ALLOW);
    assert_int_equal(world_deliver(&world, page, "users/anna"), INVIG_DENY);
    world_pass(&world, 2);
    assert_int_equal(world_count(&world, "NOTIFY anna:1 SUPERSEDED anna s1"), 1);
    assert_int_equal(world_count(&world, "KICK anna:1"), 1);
}

/* It is not one connection more. */
static void test_refresh_at_the_limit_of_connections(void **state)
{
    struct invig_connection *page;

    (void)state;
    world_deinit(&world);
    world_init(&world, "max_connections_per_session", "1", NULL);
    page = come_in(WORLD_START_S + 3600);
    page = world_refresh(&world, page, &(struct login){0});
    assert_int_equal(world.verdict, INVIG_ALLOW);
    assert_null(world_login(&world, &(struct login){.client_id = "anna:2"}));
    world_disconnect(&world, page);
    assert_non_null(world_login(&world, &(struct login){.client_id = "anna:2"}));
}

/* An answer that waits for the tick reaches the service all the same. */
static void test_refresh_loses_no_answer(void **state)
{
    const struct login api = {
        .user = "api", .session = "", .client_id = "api", .role = INVIG_ROLE_SERVICE, .version = 5};
    struct invig_connection *service = world_login(&world, &api);

    (void)state;
    world_control(&world, service, "{'commands':[{'command':'getStats'}]}");
    service = world_refresh(&world, service, &api);
    assert_int_equal(world.verdict, INVIG_ALLOW);
    world_tick(&world);
    assert_int_equal(world_count_prefix(&world, "REPLY api "), 1);
}

static void test_refresh_when_the_disk_is_full(void **state)
{
    static struct fakestore store;
    struct invig_connection *page;

    (void)state;
    world_deinit(&world);
    fakestore_init(&store, false);
    world_init_with(&world, &store, NULL);
    world_say(&world, "e2", NULL, "'phase':'IN_PROGRESS'");
    page = come_in(WORLD_START_S + 3600);
    fakestore_fill(&store);
    assert_ptr_equal(world_refresh(&world, page, &(struct login){.evaluations = {"e2"}}), page);
    assert_int_equal(world.verdict, INVIG_DENY);
    assert_int_equal(world.refusal.reason, INVIG_REASON_STATE_FAILED);
    assert_int_equal(world_deliver(&world, page, "evaluations/e1"), INVIG_ALLOW);
    assert_int_equal(world_deliver(&world, page, "evaluations/e2"), INVIG_DENY);
    fakestore_mend(&store);
    page = world_refresh(&world, page, &(struct login){.evaluations = {"e2"}});
    assert_int_equal(world.verdict, INVIG_ALLOW);
    assert_int_equal(world_deliver(&world, page, "evaluations/e2"), INVIG_ALLOW);
    world_deinit(&world);
    fakestore_deinit(&store);
    world_init(&world, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_CASE(test_refresh_moves_the_end),
        WORLD_CASE(test_refresh_may_bring_the_end_nearer),
        WORLD_CASE(test_refresh_announces_the_new_end),
        WORLD_CASE(test_refresh_of_another_subject_is_refused),
        WORLD_CASE(test_refresh_changes_the_evaluations),
        WORLD_CASE(test_refresh_sends_what_was_missed),
        WORLD_CASE(test_refresh_keeps_binding_and_presence),
        WORLD_CASE(test_refresh_of_one_that_is_told),
        WORLD_CASE(test_refresh_at_the_limit_of_connections),
        WORLD_CASE(test_refresh_loses_no_answer),
        WORLD_CASE(test_refresh_when_the_disk_is_full),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
