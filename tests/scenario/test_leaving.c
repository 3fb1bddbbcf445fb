/* SPDX-License-Identifier: Apache-2.0
 *
 * test_leaving.c - stories of disconnects that are held back, or that take their time.
 */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct world world;

/* anna's session s1 is superseded, and its page told. */
static struct invig_connection *supersede(void)
{
    struct invig_connection *page = world_login(&world, &(struct login){0});

    (void)world_login(&world, &(struct login){.session = "s2", .client_id = "anna:2"});
    world_tick(&world);
    assert_int_equal(world_count(&world, "NOTIFY anna:1 SUPERSEDED anna s1"), 1);
    return page;
}

static void test_leaving_until_the_broker_says_so(void **state)
{
    struct invig_connection *page = supersede();

    (void)state;
    assert_false(invig_engine_is_leaving(world.engine));
    world_pass(&world, 2);
    assert_int_equal(world_count(&world, "KICK anna:1"), 1);
    assert_true(invig_engine_is_leaving(world.engine));
    world_pass(&world, 2);
    assert_true(invig_engine_is_leaving(world.engine));
    world_disconnect(&world, page);
    assert_false(invig_engine_is_leaving(world.engine));
}

static void test_leaving_ends_where_the_client_id_is_taken_over(void **state)
{
    (void)state;
    (void)supersede();
    world_pass(&world, 2);
    assert_true(invig_engine_is_leaving(world.engine));
    assert_non_null(world_login(&world, &(struct login){.session = "s2"}));
    assert_false(invig_engine_is_leaving(world.engine));
}

/* Everything else goes on. */
static void test_leaving_is_held_back(void **state)
{
    (void)state;
    invig_engine_hold_kicks(world.engine, true);
    (void)supersede();
    world_pass(&world, 5);
    assert_int_equal(world_count_prefix(&world, "KICK"), 0);
    (void)world_login(&world, &(struct login){.session = "s3", .client_id = "anna:3"});
    world_tick(&world);
    assert_int_equal(world_count(&world, "NOTIFY anna:2 SUPERSEDED anna s2"), 1);
    invig_engine_hold_kicks(world.engine, false);
    world_tick(&world);
    assert_int_equal(world_count(&world, "KICK anna:1"), 1);
    world_pass(&world, 2);
    assert_int_equal(world_count(&world, "KICK anna:2"), 1);
}

/* Nothing is to be said to it any more: that, too, is a disconnect. */
static void test_leaving_untold_is_held_back(void **state)
{
    (void)state;
    (void)world_exam(&world);
    invig_engine_hold_kicks(world.engine, true);
    (void)world_login_again(&world, "s2", "anna:2");
    (void)world_command(&world, "{'command':'unblock','userId':'anna','evaluationId':'e1',"
                                "'sessionId':'s2'}");
    world_pass(&world, 3);
    assert_int_equal(world_count(&world, "KICK anna:2"), 0);
    invig_engine_hold_kicks(world.engine, false);
    world_tick(&world);
    world_tick(&world);
    assert_int_equal(world_count(&world, "KICK anna:2"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_CASE(test_leaving_until_the_broker_says_so),
        WORLD_CASE(test_leaving_ends_where_the_client_id_is_taken_over),
        WORLD_CASE(test_leaving_is_held_back),
        WORLD_CASE(test_leaving_untold_is_held_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
