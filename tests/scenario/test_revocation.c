/* SPDX-License-Identifier: Apache-2.0
 *
 * test_revocation.c - stories of sessions that are invalidated by command.
 */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define TOPIC "users/anna"

static struct world world;

static void test_revocation_is_told_and_stays_revoked(void **state)
{
    struct invig_connection *page = world_login(&world, &(struct login){0});
    struct invig_connection *back;

    (void)state;
    world_invalidate_session(&world, "anna", "s1");
    assert_int_equal(world_deliver(&world, page, TOPIC), INVIG_DENY);
    world_pass(&world, 2);
    assert_int_equal(world_count(&world, "NOTIFY anna:1 REVOKED anna s1"), 1);
    assert_int_equal(world_count(&world, "KICK anna:1"), 1);
    world_disconnect(&world, page);
    world_clear(&world);
    back = world_login(&world, &(struct login){.login_s = WORLD_START_S + 1000});
    assert_int_equal(world_deliver(&world, back, TOPIC), INVIG_DENY);
    world_tick(&world);
    assert_int_equal(world_count(&world, "NOTIFY anna:1 REVOKED anna s1"), 1);
    /* An older login does not take the empty place. */
    back = world_login(
        &world,
        &(struct login){.session = "s0", .client_id = "anna:2", .login_s = WORLD_START_S - 1});
    assert_int_equal(world_deliver(&world, back, TOPIC), INVIG_DENY);
    /* A newer one does. */
    back = world_login(
        &world,
        &(struct login){.session = "s2", .client_id = "anna:3", .login_s = WORLD_START_S + 1});
    assert_int_equal(world_deliver(&world, back, TOPIC), INVIG_ALLOW);
}

static void test_revocation_unseen(void **state)
{
    struct invig_connection *page;

    (void)state;
    world_invalidate_session(&world, "anna", "s1");
    page = world_login(&world, &(struct login){0});
    assert_int_equal(world_deliver(&world, page, TOPIC), INVIG_DENY);
    world_tick(&world);
    assert_int_equal(world_count(&world, "NOTIFY anna:1 REVOKED anna s1"), 1);
}

static void test_revocation_invalidate_user(void **state)
{
    struct invig_connection *kept = world_login(&world, &(struct login){.session = "s1"});
    struct invig_connection *page;

    (void)state;
    world_invalidate_user(&world, "anna", "s1", 0);
    assert_int_equal(world_deliver(&world, kept, TOPIC), INVIG_ALLOW);
    /* Unseen ones with an earlier login are revoked, one of this second is not. */
    page = world_login(
        &world,
        &(struct login){.session = "s0", .client_id = "anna:2", .login_s = WORLD_START_S - 1});
    assert_int_equal(world_deliver(&world, page, TOPIC), INVIG_DENY);
    assert_int_equal(page->end, INVIG_END_REVOKED);
    page = world_login(&world, &(struct login){.session = "s2", .client_id = "anna:3"});
    assert_int_equal(world_deliver(&world, page, TOPIC), INVIG_ALLOW);
    assert_int_equal(world_deliver(&world, kept, TOPIC), INVIG_DENY);
    /* Without an exception everything goes. */
    world_invalidate_user(&world, "anna", NULL, world.now.wall_s + 10);
    assert_int_equal(world_deliver(&world, page, TOPIC), INVIG_DENY);
}

static void test_revocation_exception_that_is_unseen_comes_in(void **state)
{
    struct invig_connection *page;

    (void)state;
    world_invalidate_user(&world, "anna", "s1", 0);
    page = world_login(&world, &(struct login){.session = "s1", .login_s = WORLD_START_S - 500});
    assert_int_equal(world_deliver(&world, page, TOPIC), INVIG_ALLOW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_CASE(test_revocation_is_told_and_stays_revoked),
        WORLD_CASE(test_revocation_unseen),
        WORLD_CASE(test_revocation_invalidate_user),
        WORLD_CASE(test_revocation_exception_that_is_unseen_comes_in),
    };
    return cmocka_run_group_tests_name("scenario revocation", tests, NULL, NULL);
}
