/* SPDX-License-Identifier: Apache-2.0
 *
 * test_unblock_not.c - stories of what looks like it lifts a block and does not, and of blocks that
 * the backend makes.
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
#define UNBLOCK    "{'command':'unblock','userId':'anna','evaluationId':'e1'}"

static struct world world;

/* anna is bound under s1 and blocked; s2 has gone. */
static struct invig_connection *block(void)
{
    struct invig_connection *page = world_exam(&world);

    world_disconnect(&world, world_login_again(&world, "s2", "anna:2"));
    world_tick(&world);
    world_clear(&world);
    return page;
}

/* The block was published again, after a message with the `members`, and nothing else was. */
static void assert_republished(const char *members)
{
    char line[WORLD_LINE_BYTES];

    world_tick(&world);
    (void)snprintf(line, sizeof(line),
                   "RETAIN " MINE " {'type':'EVALUATION_UPDATE','evaluationId':'e1',"
                   "'userId':'anna'%s%s,'access':'BLOCKED','reason':'SECOND_LOGIN',",
                   members[0] == '\0' ? "" : ",", members);
    if (world_count_prefix(&world, line) != 1) {
        fail_msg("%s: %s", members, world.effects[0]);
    }
    world_pass(&world, 2);
    assert_int_equal(world.effect_count, 1);
    world_clear(&world);
}

static void test_unblock_not_by_an_allowed_that_repeats_the_state(void **state)
{
    struct invig_connection *page = block();

    (void)state;
    world_say(&world, "e1", "anna",
              "'access':'ALLOWED','endAt':'2027-01-15T10:15:00Z','version':2,'color':'red'");
    assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_DENY);
    assert_republished("'endAt':'2027-01-15T10:15:00Z','version':2,'color':'red'");
    assert_int_equal(world_stats(&world).users_blocked, 1);
    assert_non_null(world_login_again(&world, "s2", "anna:2"));
    world_tick(&world);
    assert_int_equal(world_count(&world, "NOTIFY anna:2 BLOCKED e1 anna"), 1);
}

static void test_unblock_not_by_other_messages(void **state)
{
    static const struct {
        const char *members;
        const char *kept;
    } rows[] = {
        {"", ""},
        {"'status':'IN_PROGRESS'", "'status':'IN_PROGRESS'"},
        {"'unblock':true", ""},
        {"'sessionId':'s1'", ""},
        {"'sessionId':null", ""},
        {"'access':'BLOCKED'", ""},
        {"'access':'BLOCKED','unblock':true,'reason':'PHONE','at':'x'", ""},
        {"'access':'BLOCKED','sessionId':null", ""},
    };
    struct invig_connection *page = block();

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        world_say(&world, "e1", "anna", rows[i].members);
        assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_DENY);
        assert_republished(rows[i].kept);
        assert_true(strstr(world_command(&world, "{'command':'getUser','userId':'anna'}"),
                           "'bindings':[{'evaluationId':'e1','sessionId':'s1'}]") != NULL);
    }
}

static void test_unblock_not_by_an_empty_message(void **state)
{
    struct invig_connection *page = block();

    (void)state;
    world_say(&world, "e1", "anna", "'access':'ALLOWED','version':4");
    assert_republished("'version':4");
    assert_int_equal(world_message(&world, world_backend(&world), MINE, ""), INVIG_ALLOW);
    assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_DENY);
    assert_republished("");
}

static void test_unblock_not_by_a_message_of_the_evaluation(void **state)
{
    struct invig_connection *page = block();

    (void)state;
    world_say(&world, "e1", NULL, "'phase':'IN_PROGRESS','endAt':'2027-01-15T10:15:00Z'");
    assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_DENY);
    world_pass(&world, 2);
    assert_int_equal(world.effect_count, 0);
}

static void test_unblock_not_by_time_or_reconnect(void **state)
{
    struct invig_connection *page = block();

    (void)state;
    world_disconnect(&world, page);
    world_pass(&world, 1800);
    page = world_login(&world, &(struct login){.evaluations = {"e1"}});
    assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_DENY);
    world_tick(&world);
    assert_int_equal(world_count_prefix(&world, "SEND"), 0);
}

static void test_unblock_not_where_there_is_nothing(void **state)
{
    static const char *const commands[] = {
        "{'command':'unblock','userId':'bob','evaluationId':'e1'}",
        "{'command':'unblock','userId':'anna','evaluationId':'e2'}",
        "{'command':'unblock','userId':'anna','evaluationId':'e9'}",
        "{'command':'unblock','userId':'nobody','evaluationId':'e1','sessionId':null}",
    };

    (void)state;
    (void)block();
    world_say(&world, "e1", "bob", "'access':'ALLOWED'");
    world_tick(&world);
    world_clear(&world);
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        const char *answer = world_command(&world, commands[i]);
        if (strstr(answer, "'error':") == NULL) {
            fail_msg("%s: %s", commands[i], answer);
        }
    }
    world_pass(&world, 2);
    assert_int_equal(world.effect_count, 0);
}

/* A full-state message goes on naming a session long after it mattered. */
static void test_unblock_not_refused_where_a_name_is_past(void **state)
{
    static const char members[] = "'access':'ALLOWED','sessionId':'s7'";

    (void)state;
    (void)block();
    assert_int_equal(world_offer(&world, "e1", "anna", members), INVIG_DENY);
    world_say(&world, "e1", NULL, "'phase':'GRADING'");
    world_say(&world, "e1", "anna", members);
    world_say(&world, "e1", "bob", members);
}

static void test_unblock_of_a_block_of_the_backend(void **state)
{
    struct invig_connection *page = world_exam(&world);

    (void)state;
    world_say(&world, "e1", "anna", "'access':'BLOCKED','reason':'PHONE','at':'x','seat':4");
    assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_DENY);
    assert_int_equal(world_deliver(&world, page, MINE), INVIG_ALLOW);
    assert_int_equal(world_stats(&world).users_blocked, 1);
    world_pass(&world, 2);
    assert_int_equal(world.effect_count, 0); /* the backend has published it itself */
    assert_string_equal(world_command(&world, UNBLOCK), "{'command':'unblock','data':{}}");
    assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_ALLOW);
    world_pass(&world, 2);
    assert_int_equal(world_count(&world,
                                 "RETAIN " MINE " {'type':'EVALUATION_UPDATE','evaluationId':'e1',"
                                 "'userId':'anna','seat':4,'access':'ALLOWED',"
                                 "'by':'invigilator'}"),
                     1);
    assert_int_equal(world_count_prefix(&world, "SEND anna:1 " EVALUATION), 1);
    assert_int_equal(world.effect_count, 2);
}

/* A block of the backend's needs no more than ALLOWED, and outside strict phases works as well. */
static void test_unblock_of_a_block_of_the_backend_by_allowed(void **state)
{
    struct invig_connection *page = world_exam(&world);

    (void)state;
    world_say(&world, "e2", NULL, "'phase':'COMPOSITION'");
    for (int i = 0; i < 2; i++) {
        const char *evaluation = i == 0 ? "e1" : "e2";
        const char *topic = i == 0 ? EVALUATION : "evaluations/e2";

        world_say(&world, evaluation, "anna", "'access':'BLOCKED'");
        assert_int_equal(world_deliver(&world, page, topic), INVIG_DENY);
        world_say(&world, evaluation, "anna", "'status':'IN_PROGRESS'");
        assert_int_equal(world_deliver(&world, page, topic), INVIG_DENY);
        world_say(&world, evaluation, "anna", "'access':'ALLOWED'");
        assert_int_equal(world_deliver(&world, page, topic), INVIG_ALLOW);
    }
    world_tick(&world);
    assert_int_equal(world_count_prefix(&world, "SEND anna:1"), 2);
    assert_int_equal(world_stats(&world).users_blocked, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_CASE(test_unblock_not_by_an_allowed_that_repeats_the_state),
        WORLD_CASE(test_unblock_not_by_other_messages),
        WORLD_CASE(test_unblock_not_by_an_empty_message),
        WORLD_CASE(test_unblock_not_by_a_message_of_the_evaluation),
        WORLD_CASE(test_unblock_not_by_time_or_reconnect),
        WORLD_CASE(test_unblock_not_where_there_is_nothing),
        WORLD_CASE(test_unblock_not_refused_where_a_name_is_past),
        WORLD_CASE(test_unblock_of_a_block_of_the_backend),
        WORLD_CASE(test_unblock_of_a_block_of_the_backend_by_allowed),
    };
    return cmocka_run_group_tests_name("scenario unblock_not", tests, NULL, NULL);
}
