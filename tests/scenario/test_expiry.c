/* SPDX-License-Identifier: Apache-2.0
 *
 * test_expiry.c - stories of tokens that run out, and of what is forgotten in time.
 */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct world world;

/* Default leeway 30 s, default notice 60 s before the end. */
static void test_expiry_is_announced_and_happens(void **state)
{
    struct invig_connection *page =
        world_login(&world, &(struct login){.expires_s = WORLD_START_S + 100});

    (void)state;
    world_pass(&world, 60);
    world_pass(&world, 9);
    assert_int_equal(world.effect_count, 0);
    world_pass(&world, 2);
    assert_int_equal(world_count(&world, "NOTIFY anna:1 EXPIRING anna s1"), 1);
    assert_int_equal(world.effect_count, 1);
    world_pass(&world, 58);
    assert_int_equal(world_deliver(&world, page, "users/anna"), INVIG_ALLOW);
    assert_int_equal(world.effect_count, 1);
    world_pass(&world, 1);
    assert_int_equal(world_deliver(&world, page, "users/anna"), INVIG_DENY);
    assert_int_equal(world_count(&world, "NOTIFY anna:1 EXPIRED anna s1"), 1);
    world_pass(&world, 2);
    assert_int_equal(world_count(&world, "KICK anna:1"), 1);
    assert_int_equal(world.effect_count, 3);
    assert_true(world_has_logged(&world, "expired user=anna client=anna:1"));
}

static void test_expiry_does_not_end_the_session(void **state)
{
    struct invig_connection *old =
        world_login(&world, &(struct login){.expires_s = WORLD_START_S + 10});
    struct invig_connection *renewed;

    (void)state;
    /* Renewed before the end: both live, each as long as its own token. */
    renewed = world_login(&world, &(struct login){.client_id = "anna:2"});
    world_pass(&world, 50);
    assert_int_equal(world_deliver(&world, old, "users/anna"), INVIG_DENY);
    assert_int_equal(world_deliver(&world, renewed, "users/anna"), INVIG_ALLOW);
    assert_int_equal(world_count(&world, "NOTIFY anna:2 EXPIRED anna s1"), 0);
    world_disconnect(&world, old);
    /* And after it. */
    renewed = world_login(&world, &(struct login){0});
    assert_int_equal(world_deliver(&world, renewed, "users/anna"), INVIG_ALLOW);
}

static void test_expiry_announced_at_once_where_less_is_left(void **state)
{
    (void)state;
    (void)world_login(&world, &(struct login){.expires_s = WORLD_START_S + 5});
    world_tick(&world);
    assert_int_equal(world_count(&world, "NOTIFY anna:1 EXPIRING anna s1"), 1);
}

static void test_expiry_notice_switched_off(void **state)
{
    (void)state;
    world_deinit(&world);
    world_init(&world, "expiry_notice", "0", "jwt_leeway", "0", NULL);
    (void)world_login(&world, &(struct login){.expires_s = WORLD_START_S + 5});
    world_pass(&world, 10);
    assert_int_equal(world_count(&world, "NOTIFY anna:1 EXPIRED anna s1"), 1);
    assert_int_equal(world_count(&world, "KICK anna:1"), 1);
    assert_int_equal(world.effect_count, 2);
}

static void test_expiry_without_session_is_a_disconnect_alone(void **state)
{
    (void)state;
    (void)world_login(
        &world,
        &(struct login){.role = INVIG_ROLE_SERVICE, .session = "", .expires_s = WORLD_START_S + 5});
    world_pass(&world, 40);
    assert_int_equal(world_count(&world, "KICK anna:1"), 1);
    assert_int_equal(world.effect_count, 1);
}

static void test_expiry_rights_end_before_a_late_tick(void **state)
{
    struct invig_connection *page =
        world_login(&world, &(struct login){.expires_s = WORLD_START_S + 5});
    struct invig_connection *other;

    (void)state;
    world.now.wall_s += 36;
    other = world_login(&world, &(struct login){.user = "bob", .client_id = "bob:1"});
    assert_int_equal(world_deliver(&world, page, "users/anna"), INVIG_DENY);
    assert_int_equal(world_deliver(&world, other, "users/bob"), INVIG_ALLOW);
}

static void test_expiry_many_at_once_are_spread_over_ticks(void **state)
{
    enum { USERS = INVIG_TICK_WORK_MAX + 50 };

    (void)state;
    for (int i = 0; i < USERS; i++) {
        char user[16];
        (void)snprintf(user, sizeof(user), "u%d", i);
        assert_non_null(world_login(
            &world,
            &(struct login){.user = user, .client_id = user, .expires_s = WORLD_START_S + 500}));
    }
    world_tick(&world);
    world_clear(&world);
    world.now.steady_ms += 600 * 1000;
    world_tick(&world);
    assert_int_equal(world.log_count, INVIG_TICK_WORK_MAX);
    assert_int_equal(world.effect_count, INVIG_TICK_WORK_MAX);
    world_tick(&world);
    assert_int_equal(world.effect_count, USERS);
}

static void test_expiry_ended_sessions_outlive_their_tokens(void **state)
{
    struct invig_connection *page;

    (void)state;
    world_disconnect(&world, world_login(&world, &(struct login){0}));
    world_disconnect(&world,
                     world_login(&world, &(struct login){.session = "s2", .client_id = "anna:2"}));
    world_pass(&world, 6 * 86400);
    page = world_login(&world, &(struct login){.login_s = world.now.wall_s});
    assert_int_equal(world_deliver(&world, page, "users/anna"), INVIG_DENY);
    world_disconnect(&world, page);
    world_pass(&world, 2 * 86400);
    page = world_login(&world, &(struct login){.login_s = world.now.wall_s});
    assert_int_equal(world_deliver(&world, page, "users/anna"), INVIG_DENY);
    world_disconnect(&world, page);
}

static void test_expiry_everything_is_forgotten_in_the_end(void **state)
{
    const struct invig_text topic = invig_text_of("users/anna");

    (void)state;
    world_disconnect(&world, world_login(&world, &(struct login){.session = "s1"}));
    world_disconnect(&world, world_login(&world, &(struct login){.session = "s2"}));
    world_pass(&world, 6 * 86400);
    assert_int_equal(
        invig_engine_unknown(world.engine, INVIG_OPERATION_DELIVER, invig_text_of("anna"), topic),
        INVIG_DENY);
    world_pass(&world, 2 * 86400);
    assert_int_equal(
        invig_engine_unknown(world.engine, INVIG_OPERATION_DELIVER, invig_text_of("anna"), topic),
        INVIG_DEFER);
}

static void test_expiry_sessions_of_one_user_are_bounded(void **state)
{
    struct invig_connection *page = NULL;

    (void)state;
    /* Logins that order themselves by auth_time can be forgotten and are refused all the same. */
    for (int i = 0; i < 2 * INVIG_USER_SESSIONS_MAX; i++) {
        char session[16];
        (void)snprintf(session, sizeof(session), "s%d", i);
        page = world_login(&world, &(struct login){.session = session,
                                                   .has_auth_time = true,
                                                   .login_s = WORLD_START_S + i});
        assert_non_null(page);
        world_disconnect(&world, page);
        world_tick(&world);
    }
    page = world_login(
        &world, &(struct login){.session = "s1", .has_auth_time = true, .login_s = WORLD_START_S});
    assert_int_equal(world_deliver(&world, page, "users/anna"), INVIG_DENY);
    assert_int_equal(page->end, INVIG_END_SUPERSEDED);
    /* Others cannot, and are refused at the bound. */
    for (int i = 0; i < INVIG_USER_SESSIONS_MAX; i++) {
        char session[16];
        (void)snprintf(session, sizeof(session), "t%d", i);
        page = world_login(&world,
                           &(struct login){.user = "bob", .client_id = "bob", .session = session});
        assert_non_null(page);
        world_disconnect(&world, page);
        world_tick(&world);
    }
    assert_null(world_login(&world, &(struct login){.user = "bob", .client_id = "bob"}));
    assert_int_equal(world.refusal.reason, INVIG_REASON_TOO_MANY_SESSIONS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_CASE(test_expiry_is_announced_and_happens),
        WORLD_CASE(test_expiry_does_not_end_the_session),
        WORLD_CASE(test_expiry_announced_at_once_where_less_is_left),
        WORLD_CASE(test_expiry_notice_switched_off),
        WORLD_CASE(test_expiry_without_session_is_a_disconnect_alone),
        WORLD_CASE(test_expiry_rights_end_before_a_late_tick),
        WORLD_CASE(test_expiry_many_at_once_are_spread_over_ticks),
        WORLD_CASE(test_expiry_ended_sessions_outlive_their_tokens),
        WORLD_CASE(test_expiry_everything_is_forgotten_in_the_end),
        WORLD_CASE(test_expiry_sessions_of_one_user_are_bounded),
    };
    return cmocka_run_group_tests_name("scenario expiry", tests, NULL, NULL);
}
