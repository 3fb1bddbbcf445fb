/* SPDX-License-Identifier: Apache-2.0
 *
 * test_session.c - stories of logins: which session stays, who is told what, and in which order.
 */
#include "world.h"

#include "invigilator/effect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define TOPIC "users/anna"

static struct world world;

static void test_session_newest_login_wins(void **state)
{
    struct invig_connection *old = world_login(&world, &(struct login){0});
    struct invig_connection *other_tab =
        world_login(&world, &(struct login){.client_id = "anna:2"});
    struct invig_connection *new_page;

    (void)state;
    assert_int_equal(world_deliver(&world, old, TOPIC), INVIG_ALLOW);
    new_page = world_login(&world, &(struct login){.session = "s2", .client_id = "anna:3"});
    assert_non_null(new_page);

    /* Rights are gone at once, before any tick. */
    assert_int_equal(world_deliver(&world, old, TOPIC), INVIG_DENY);
    assert_int_equal(world_subscribe(&world, old, TOPIC), INVIG_DENY);
    assert_int_equal(world_deliver(&world, other_tab, TOPIC), INVIG_DENY);
    assert_int_equal(world_deliver(&world, new_page, TOPIC), INVIG_ALLOW);
    assert_int_equal(world.effect_count, 0);

    world_tick(&world);
    assert_int_equal(world_count(&world, "NOTIFY anna:1 SUPERSEDED anna s1"), 1);
    assert_int_equal(world_count(&world, "NOTIFY anna:2 SUPERSEDED anna s1"), 1);
    assert_int_equal(world.effect_count, 2);
    world_pass(&world, 5);
    assert_int_equal(world_count(&world, "KICK anna:1"), 1);
    assert_int_equal(world_count(&world, "KICK anna:2"), 1);
    assert_int_equal(world.effect_count, 4);
    assert_true(world_has_logged(&world, "superseded user=anna connections=2"));
}

static void test_session_notice_comes_two_ticks_before_kick(void **state)
{
    int64_t notified_ms;

    (void)state;
    (void)world_login(&world, &(struct login){0});
    (void)world_login(&world, &(struct login){.session = "s2", .client_id = "anna:2"});
    world_tick(&world);
    notified_ms = world.now.steady_ms;
    while (world_find(&world, "KICK anna:1") < 0) {
        world_tick(&world);
        assert_true(world.now.steady_ms - notified_ms <= 5000);
    }
    assert_true(world.now.steady_ms - notified_ms >= INVIG_KICK_DELAY_MS);
    /* A loop that turns slowly still gets its ticks. */
    world_clear(&world);
    (void)world_login(&world, &(struct login){.session = "s3", .client_id = "anna:3"});
    world_tick(&world);
    assert_int_equal(world_count(&world, "NOTIFY anna:2 SUPERSEDED anna s2"), 1);
    world.now.steady_ms += 10000;
    world_tick(&world);
    assert_int_equal(world_count(&world, "KICK anna:2"), 0);
    world_tick(&world);
    assert_int_equal(world_count(&world, "KICK anna:2"), 1);
}

static void test_session_tabs_live_side_by_side(void **state)
{
    struct invig_connection *tabs[2];

    (void)state;
    tabs[0] = world_login(&world, &(struct login){0});
    tabs[1] = world_login(&world, &(struct login){.client_id = "anna:2"});
    world_pass(&world, 2);
    assert_int_equal(world.effect_count, 0);
    assert_int_equal(world_deliver(&world, tabs[0], TOPIC), INVIG_ALLOW);
    assert_int_equal(world_deliver(&world, tabs[1], TOPIC), INVIG_ALLOW);
}

static void test_session_older_login_is_told_and_disturbs_nobody(void **state)
{
    struct invig_connection *current =
        world_login(&world, &(struct login){.session = "s2", .login_s = WORLD_START_S - 10});
    struct invig_connection *late = world_login(
        &world,
        &(struct login){.session = "s1", .client_id = "anna:2", .login_s = WORLD_START_S - 11});

    (void)state;
    assert_non_null(late);
    assert_int_equal(world_subscribe(&world, late, TOPIC), INVIG_DENY);
    assert_int_equal(world_deliver(&world, late, TOPIC), INVIG_DENY);
    assert_int_equal(world_publish(&world, late, TOPIC), INVIG_DENY);
    world_pass(&world, 2);
    assert_int_equal(world_count(&world, "NOTIFY anna:2 SUPERSEDED anna s1"), 1);
    assert_int_equal(world_count(&world, "KICK anna:2"), 1);
    assert_int_equal(world.effect_count, 2);
    assert_int_equal(world_deliver(&world, current, TOPIC), INVIG_ALLOW);
}

static void test_session_equal_login_time_later_connect_wins(void **state)
{
    struct invig_connection *first = world_login(&world, &(struct login){.session = "s1"});
    struct invig_connection *second =
        world_login(&world, &(struct login){.session = "s2", .client_id = "anna:2"});
    struct invig_connection *back;

    (void)state;
    assert_int_equal(world_deliver(&world, first, TOPIC), INVIG_DENY);
    assert_int_equal(world_deliver(&world, second, TOPIC), INVIG_ALLOW);
    /* The first has ended and stays so, equal time or not. */
    back = world_login(&world, &(struct login){.session = "s1", .client_id = "anna:3"});
    assert_int_equal(world_deliver(&world, back, TOPIC), INVIG_DENY);
    assert_int_equal(world_deliver(&world, second, TOPIC), INVIG_ALLOW);
}

static void test_session_login_time_is_the_first_seen(void **state)
{
    struct invig_connection *connection;

    (void)state;
    (void)world_login(&world, &(struct login){.session = "s1", .login_s = WORLD_START_S - 100});
    /* A refreshed token without auth_time has a later iat; the login is as old as it was. */
    (void)world_login(
        &world,
        &(struct login){.session = "s1", .client_id = "anna:2", .login_s = WORLD_START_S + 100});
    connection = world_login(
        &world,
        &(struct login){.session = "s2", .client_id = "anna:3", .login_s = WORLD_START_S - 50});
    assert_int_equal(world_deliver(&world, connection, TOPIC), INVIG_ALLOW);
    /* And an ended session does not come back by a fresh token. */
    connection = world_login(
        &world,
        &(struct login){.session = "s1", .client_id = "anna:4", .login_s = WORLD_START_S + 200});
    assert_int_equal(world_deliver(&world, connection, TOPIC), INVIG_DENY);
}

static void test_session_same_client_id_takeover_by_new_login(void **state)
{
    struct invig_connection *old = world_login(&world, &(struct login){0});
    struct invig_connection *new_page = world_login(&world, &(struct login){.session = "s2"});
    struct invig_connection *back;

    (void)state;
    assert_non_null(new_page);
    assert_int_equal(world_deliver(&world, old, TOPIC), INVIG_DENY);
    world_disconnect(&world, old); /* as the broker does in the same breath */
    world_pass(&world, 5);
    assert_int_equal(world.effect_count, 0); /* the newcomer never gets the old one's notice */
    assert_int_equal(world_deliver(&world, new_page, TOPIC), INVIG_ALLOW);

    /* The old page reconnects under the id that is taken: refused. Under another one: told. */
    assert_null(world_login(&world, &(struct login){0}));
    assert_int_equal(world.refusal.reason, INVIG_REASON_SESSION_ENDED);
    back = world_login(&world, &(struct login){.client_id = "anna:9"});
    world_tick(&world);
    assert_int_equal(world_count(&world, "NOTIFY anna:9 SUPERSEDED anna s1"), 1);
    world_disconnect(&world, back);
    /* And once the id is free, under that. */
    world_disconnect(&world, new_page);
    assert_non_null(world_login(&world, &(struct login){0}));
    world_tick(&world);
    assert_int_equal(world_count(&world, "NOTIFY anna:1 SUPERSEDED anna s1"), 1);
}

static void test_session_takeover_while_notice_waits(void **state)
{
    struct invig_connection *next;

    (void)state;
    (void)world_login(&world, &(struct login){0});
    (void)world_login(&world, &(struct login){.session = "s2", .client_id = "anna:2"});
    /* In the same loop: a third login takes the client id of the first, whose notice waits. */
    next = world_login(&world, &(struct login){.session = "s3", .client_id = "anna:1"});
    world_pass(&world, 5);
    assert_int_equal(world_count(&world, "NOTIFY anna:1 SUPERSEDED anna s1"), 0);
    assert_int_equal(world_count(&world, "KICK anna:1"), 0);
    assert_int_equal(world_count(&world, "NOTIFY anna:2 SUPERSEDED anna s2"), 1);
    assert_int_equal(world_count(&world, "KICK anna:2"), 1);
    assert_int_equal(world_deliver(&world, next, TOPIC), INVIG_ALLOW);
}

static void test_session_leaves_before_its_notice(void **state)
{
    struct invig_connection *old = world_login(&world, &(struct login){0});

    (void)state;
    (void)world_login(&world, &(struct login){.session = "s2", .client_id = "anna:2"});
    world_disconnect(&world, old);
    world_pass(&world, 5);
    assert_int_equal(world.effect_count, 0);
}

static void test_session_leaves_between_notice_and_kick(void **state)
{
    struct invig_connection *old = world_login(&world, &(struct login){0});
    struct invig_connection *back;

    (void)state;
    (void)world_login(&world, &(struct login){.session = "s2", .client_id = "anna:2"});
    world_tick(&world);
    world_disconnect(&world, old);
    world_tick(&world);
    world_clear(&world);
    /* It comes back under its id: told again, and disconnected for its own notice, not for the old
     * one's. */
    back = world_login(&world, &(struct login){0});
    assert_non_null(back);
    world_tick(&world);
    assert_int_equal(world_count(&world, "NOTIFY anna:1 SUPERSEDED anna s1"), 1);
    assert_int_equal(world_count(&world, "KICK anna:1"), 0);
    world_pass(&world, 2);
    assert_int_equal(world_count(&world, "KICK anna:1"), 1);
}

/* They do not count for the limit of connections; but they have one of their own. */
static void test_session_those_told_are_bounded(void **state)
{
    struct invig_connection *first = NULL;

    (void)state;
    (void)world_login(&world, &(struct login){.session = "s1", .client_id = "anna:1"});
    (void)world_login(&world, &(struct login){.session = "s2", .client_id = "anna:2"});
    for (int i = 1; i < INVIG_USER_CONNECTIONS_TOLD_MAX; i++) {
        char client_id[16];
        struct invig_connection *page;

        (void)snprintf(client_id, sizeof(client_id), "anna:t%d", i);
        page = world_login(&world, &(struct login){.session = "s1", .client_id = client_id});
        assert_non_null(page);
        first = first == NULL ? page : first;
    }
    assert_null(world_login(&world, &(struct login){.session = "s1", .client_id = "anna:x"}));
    assert_int_equal(world.refusal.reason, INVIG_REASON_TOO_MANY_CONNECTIONS);
    /* The one that has rights is not hindered, nor is another user. */
    assert_non_null(world_login(&world, &(struct login){.session = "s2", .client_id = "anna:y"}));
    assert_non_null(world_login(&world, &(struct login){.user = "ben", .client_id = "ben"}));
    world_disconnect(&world, first);
    world_tick(&world);
    assert_non_null(world_login(&world, &(struct login){.session = "s1", .client_id = "anna:x"}));
}

static void test_session_limit_of_connections(void **state)
{
    struct invig_connection *tabs[3];

    (void)state;
    world_deinit(&world);
    world_init(&world, "max_connections_per_session", "2", NULL);
    tabs[0] = world_login(&world, &(struct login){.client_id = "anna:1"});
    tabs[1] = world_login(&world, &(struct login){.client_id = "anna:2"});
    assert_null(world_login(&world, &(struct login){.client_id = "anna:3"}));
    assert_int_equal(world.refusal.reason, INVIG_REASON_TOO_MANY_CONNECTIONS);
    assert_int_equal(world_deliver(&world, tabs[0], TOPIC), INVIG_ALLOW);
    assert_int_equal(world_deliver(&world, tabs[1], TOPIC), INVIG_ALLOW);
    /* A takeover does not count. */
    tabs[2] = world_login(&world, &(struct login){.client_id = "anna:2"});
    assert_non_null(tabs[2]);
    world_disconnect(&world, tabs[1]);
    assert_null(world_login(&world, &(struct login){.client_id = "anna:3"}));
    /* One that left makes room. */
    world_disconnect(&world, tabs[0]);
    assert_non_null(world_login(&world, &(struct login){.client_id = "anna:3"}));
    /* Connections that are only told do not count, and have no limit. */
    for (int i = 0; i < 4; i++) {
        const char *ids[] = {"anna:a", "anna:b", "anna:c", "anna:d"};
        assert_non_null(world_login(
            &world,
            &(struct login){.session = "s0", .client_id = ids[i], .login_s = WORLD_START_S - 9}));
    }
}

static void test_session_roles_that_are_not_single(void **state)
{
    const struct login first = {.role = INVIG_ROLE_PROFESSOR, .session = "p1"};
    const struct login second = {
        .role = INVIG_ROLE_PROFESSOR, .session = "p2", .client_id = "anna:2", .login_s = 1};
    struct invig_connection *pages[2];

    (void)state;
    pages[0] = world_login(&world, &first);
    pages[1] = world_login(&world, &second);
    assert_int_equal(world_deliver(&world, pages[0], TOPIC), INVIG_ALLOW);
    assert_int_equal(world_deliver(&world, pages[1], TOPIC), INVIG_ALLOW);
    /* A student login of the same user ends student sessions alone. */
    (void)world_login(&world, &(struct login){.client_id = "anna:3"});
    assert_int_equal(world_deliver(&world, pages[0], TOPIC), INVIG_ALLOW);

    world_deinit(&world);
    world_init(&world, "single_session_roles", "student professor", NULL);
    pages[0] = world_login(&world, &first);
    pages[1] = world_login(
        &world,
        &(struct login){.role = INVIG_ROLE_PROFESSOR, .session = "p2", .client_id = "anna:2"});
    assert_int_equal(world_deliver(&world, pages[0], TOPIC), INVIG_DENY);
    assert_int_equal(world_deliver(&world, pages[1], TOPIC), INVIG_ALLOW);
}

static void test_session_two_logins_in_one_loop(void **state)
{
    const char *sessions[] = {"s1", "s2", "s3", "s4"};
    const char *ids[] = {"anna:1", "anna:2", "anna:3", "anna:4"};
    struct invig_connection *pages[4];

    (void)state;
    for (int i = 0; i < 4; i++) {
        pages[i] =
            world_login(&world, &(struct login){.session = sessions[i], .client_id = ids[i]});
    }
    for (int i = 0; i < 4; i++) {
        assert_int_equal(world_deliver(&world, pages[i], TOPIC), i == 3 ? INVIG_ALLOW : INVIG_DENY);
    }
    world_pass(&world, 2);
    assert_int_equal(world.effect_count, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_CASE(test_session_newest_login_wins),
        WORLD_CASE(test_session_notice_comes_two_ticks_before_kick),
        WORLD_CASE(test_session_tabs_live_side_by_side),
        WORLD_CASE(test_session_older_login_is_told_and_disturbs_nobody),
        WORLD_CASE(test_session_equal_login_time_later_connect_wins),
        WORLD_CASE(test_session_login_time_is_the_first_seen),
        WORLD_CASE(test_session_same_client_id_takeover_by_new_login),
        WORLD_CASE(test_session_takeover_while_notice_waits),
        WORLD_CASE(test_session_leaves_before_its_notice),
        WORLD_CASE(test_session_leaves_between_notice_and_kick),
        WORLD_CASE(test_session_those_told_are_bounded),
        WORLD_CASE(test_session_limit_of_connections),
        WORLD_CASE(test_session_roles_that_are_not_single),
        WORLD_CASE(test_session_two_logins_in_one_loop),
    };
    return cmocka_run_group_tests_name("scenario session", tests, NULL, NULL);
}
