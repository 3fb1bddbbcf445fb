/* SPDX-License-Identifier: Apache-2.0
 *
 * test_state_republish.c - after the broker died, what the plugin knows is published again: what
 * Mosquitto has retained may be older, or nothing.
 */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MESSAGE                                                                                    \
    "{'type':'EVALUATION_UPDATE','evaluationId':'e1', 'phase' : 'IN_PROGRESS','big':1e400}"
#define USER_MESSAGE                                                                               \
    "{'type':'EVALUATION_UPDATE' ,'evaluationId':'e1','userId':'anna','endAt':null,'x':[1.50]}"

static struct world world;
static struct fakestore store;

static int setup(void **state)
{
    (void)state;
    fakestore_init(&store, false);
    world_init_with(&world, &store, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    world_deinit(&world);
    fakestore_deinit(&store);
    return 0;
}

#define STATE_CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void crash(void)
{
    world_crash(&world);
    world_clear(&world);
    world_tick(&world);
}

static void publish(const char *topic, const char *payload)
{
    assert_int_equal(world_message(&world, world_backend(&world), topic, payload), INVIG_ALLOW);
}

static struct invig_connection *login(const char *session, const char *client_id)
{
    return world_login(
        &world, &(struct login){.session = session, .client_id = client_id, .evaluations = {"e1"}});
}

static void test_republish_messages_byte_for_byte(void **state)
{
    (void)state;
    publish("evaluations/e1", MESSAGE);
    publish("evaluations/e1/users/anna", USER_MESSAGE);
    crash();
    assert_int_equal(world_count(&world, "RETAIN evaluations/e1 " MESSAGE), 1);
    assert_int_equal(world_count(&world, "RETAIN evaluations/e1/users/anna " USER_MESSAGE), 1);
    assert_int_equal(world.effect_count, 2);
    world_tick(&world);
    assert_int_equal(world.effect_count, 2);
}

static void test_republish_block(void **state)
{
    (void)state;
    publish("evaluations/e1", MESSAGE);
    publish("evaluations/e1/users/anna", USER_MESSAGE);
    (void)login("s1", "anna:1");
    (void)login("s2", "anna:2");
    world_pass(&world, 5);
    crash();
    assert_int_equal(
        world_count(&world,
                    "RETAIN evaluations/e1/users/anna {'type':'EVALUATION_UPDATE',"
                    "'evaluationId':'e1','userId':'anna','endAt':null,'x':[1.50],"
                    "'access':'BLOCKED','reason':'SECOND_LOGIN','at':'2027-01-15T08:00:00Z',"
                    "'by':'invigilator'}"),
        1);
    assert_int_equal(world_count_prefix(&world, "RETAIN evaluations/e1/users/anna"), 1);
}

/* A copy of the plugin's own that allows is a copy again. */
static void test_republish_copy(void **state)
{
    (void)state;
    publish("evaluations/e1", MESSAGE);
    (void)login("s1", "anna:1");
    (void)login("s2", "anna:2");
    assert_non_null(
        strstr(world_command(&world, "{'command':'unblock','userId':'anna','evaluationId':'e1'}"),
               "'data':"));
    crash();
    assert_int_equal(world_count(&world,
                                 "RETAIN evaluations/e1/users/anna {'type':'EVALUATION_UPDATE',"
                                 "'evaluationId':'e1','userId':'anna','access':'ALLOWED',"
                                 "'by':'invigilator'}"),
                     1);
}

static void test_republish_presence(void **state)
{
    (void)state;
    publish("evaluations/e1", MESSAGE);
    (void)login("s1", "anna:1");
    world_tick(&world);
    crash();
    assert_int_equal(world_count(&world, "PRESENCE e1 anna offline 0 UNKNOWN"), 1);
    (void)login("s1", "anna:1");
    world_tick(&world);
    assert_int_equal(world_count(&world, "PRESENCE e1 anna online 1 CONNECTED"), 1);
}

/* Who is back within the first tick is never shown as away. */
static void test_republish_presence_of_who_is_back(void **state)
{
    (void)state;
    publish("evaluations/e1", MESSAGE);
    (void)login("s1", "anna:1");
    world_tick(&world);
    world_crash(&world);
    world_clear(&world);
    (void)login("s1", "anna:1");
    world_tick(&world);
    assert_int_equal(world_count_prefix(&world, "PRESENCE"), 1);
    assert_int_equal(world_count(&world, "PRESENCE e1 anna online 1 CONNECTED"), 1);
}

/* The broker may have again what it saved before it was forgotten. */
static void test_republish_clears_what_was_forgotten(void **state)
{
    (void)state;
    publish("evaluations/e1", MESSAGE);
    publish("evaluations/e1/users/anna", USER_MESSAGE);
    publish("evaluations/e2/users/anna", "{'type':'EVALUATION_UPDATE','evaluationId':'e2',"
                                         "'userId':'anna','access':'DENIED'}");
    publish("evaluations/e1", "");
    publish("evaluations/e2/users/anna", "");
    world_tick(&world);
    assert_int_equal(fakestore_count(&store, FAKESTORE_EVALUATION), 0);
    assert_int_equal(fakestore_count(&store, FAKESTORE_MEMBER), 0);
    crash();
    assert_int_equal(world_count(&world, "CLEAR evaluations/e1"), 1);
    assert_int_equal(world_count(&world, "CLEAR evaluations/e1/users/anna"), 1);
    assert_int_equal(world_count(&world, "CLEAR evaluations/e1/presence/anna"), 1);
    assert_int_equal(world_count(&world, "CLEAR evaluations/e2/users/anna"), 1);
    assert_int_equal(world_count_prefix(&world, "RETAIN"), 0);
    assert_non_null(strstr(world_command(&world, "{'command':'getEvaluation','evaluationId':'e1'}"),
                           "unknown evaluation"));
    world_clear(&world);
    world_tick(&world);
    assert_int_equal(world.effect_count, 0);
}

/* Nor does it last for ever. */
static void test_republish_clears_for_revocation_ttl(void **state)
{
    (void)state;
    publish("evaluations/e1", MESSAGE);
    publish("evaluations/e1", "");
    world.now.wall_s += 7 * 86400 + 1;
    crash();
    assert_int_equal(world.effect_count, 0);
}

static void test_republish_does_not_clear_what_is_there_again(void **state)
{
    (void)state;
    publish("evaluations/e1", MESSAGE);
    publish("evaluations/e1/users/anna", USER_MESSAGE);
    publish("evaluations/e1", "");
    world_tick(&world);
    publish("evaluations/e1", MESSAGE);
    (void)login("s1", "anna:1");
    world_tick(&world);
    crash();
    assert_int_equal(world_count(&world, "RETAIN evaluations/e1 " MESSAGE), 1);
    assert_int_equal(world_count(&world, "CLEAR evaluations/e1/users/anna"), 1);
    assert_int_equal(world_count(&world, "PRESENCE e1 anna offline 0 UNKNOWN"), 1);
    assert_int_equal(world.effect_count, 3);
}

/* Presence ends with the phase, also for a broker that remembers it. */
static void test_republish_clears_presence(void **state)
{
    (void)state;
    publish("evaluations/e1", MESSAGE);
    (void)login("s1", "anna:1");
    world_tick(&world);
    world_say(&world, "e1", NULL, "'phase':'GRADING'");
    world_tick(&world);
    crash();
    assert_int_equal(world_count(&world, "CLEAR evaluations/e1/presence/anna"), 1);
    assert_int_equal(world.effect_count, 2);
}

/* What comes before the first tick is newer. */
static void test_republish_not_what_is_replaced(void **state)
{
    (void)state;
    publish("evaluations/e1", MESSAGE);
    world_crash(&world);
    world_clear(&world);
    world_say(&world, "e1", NULL, "'phase':'GRADING'");
    world_tick(&world);
    assert_int_equal(world_count_prefix(&world, "RETAIN evaluations/e1 " MESSAGE), 0);
}

/* A stop that is no crash keeps what waited for the next tick. */
static void test_republish_after_a_stop(void **state)
{
    (void)state;
    publish("evaluations/e1", MESSAGE);
    (void)login("s1", "anna:1");
    (void)world_login(&world, &(struct login){.client_id = "anna:2", .address = "192.0.2.9"});
    world_restart(&world);
    assert_int_equal(store.close_count, 1);
    (void)login("s1", "anna:1");
    (void)world_login(&world, &(struct login){.client_id = "anna:2", .address = "192.0.2.9"});
    world_clear(&world);
    world_tick(&world);
    assert_int_equal(world_count_prefix(&world, "INCIDENT"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STATE_CASE(test_republish_messages_byte_for_byte),
        STATE_CASE(test_republish_block),
        STATE_CASE(test_republish_copy),
        STATE_CASE(test_republish_presence),
        STATE_CASE(test_republish_presence_of_who_is_back),
        STATE_CASE(test_republish_clears_what_was_forgotten),
        STATE_CASE(test_republish_clears_for_revocation_ttl),
        STATE_CASE(test_republish_does_not_clear_what_is_there_again),
        STATE_CASE(test_republish_clears_presence),
        STATE_CASE(test_republish_not_what_is_replaced),
        STATE_CASE(test_republish_after_a_stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
