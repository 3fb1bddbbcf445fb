/* SPDX-License-Identifier: Apache-2.0
 *
 * test_control.c - stories of commands: what each of them does and answers. How a payload of
 * commands becomes an answer is in test_control_payload.c, the command unblock in test_unblock.c.
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

static void assert_answer(const char *command, const char *expected)
{
    assert_string_equal(world_command(&world, command), expected);
}

static void test_control_invalidate_session(void **state)
{
    struct invig_connection *pages[2];

    (void)state;
    pages[0] = world_login(&world, &(struct login){0});
    pages[1] = world_login(&world, &(struct login){.client_id = "anna:2"});
    assert_answer("{'command':'invalidateSession','userId':'anna','sessionId':'s1'}",
                  "{'command':'invalidateSession','data':{'connections':2}}");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(world_deliver(&world, pages[i], "users/anna"), INVIG_DENY);
    }
    assert_true(world_has_logged(&world, "invigilator: revoked "));
    world_tick(&world);
    assert_int_equal(world_count(&world, "NOTIFY anna:1 REVOKED anna s1"), 1);
    assert_int_equal(world_count(&world, "NOTIFY anna:2 REVOKED anna s1"), 1);
    /* Twice, and one that nobody knows: the same. */
    assert_answer("{'command':'invalidateSession','userId':'anna','sessionId':'s1'}",
                  "{'command':'invalidateSession','data':{'connections':0}}");
    assert_answer("{'command':'invalidateSession','userId':'bob','sessionId':'b1'}",
                  "{'command':'invalidateSession','data':{'connections':0}}");
    assert_int_equal(world_stats(&world).sessions_revoked_current, 2);
}

static void test_control_invalidate_user(void **state)
{
    struct invig_connection *page = world_login(&world, &(struct login){0});

    (void)state;
    assert_answer("{'command':'invalidateUser','userId':'anna','exceptSessionId':'s1'}",
                  "{'command':'invalidateUser','data':{'connections':0}}");
    assert_int_equal(world_deliver(&world, page, "users/anna"), INVIG_ALLOW);
    assert_answer("{'command':'invalidateUser','userId':'anna','unlessBound':false}",
                  "{'command':'invalidateUser','data':{'connections':1}}");
    assert_int_equal(world_deliver(&world, page, "users/anna"), INVIG_DENY);
    /* A login of this second is a new one. */
    page = world_login(&world, &(struct login){.session = "s2", .client_id = "anna:2"});
    assert_int_equal(world_deliver(&world, page, "users/anna"), INVIG_ALLOW);
    assert_answer("{'command':'invalidateUser','userId':'nobody'}",
                  "{'command':'invalidateUser','data':{'connections':0}}");
}

static void test_control_invalidate_user_by_the_clock_of_the_backend(void **state)
{
    char command[128];
    struct invig_connection *page;

    (void)state;
    assert_answer("{'command':'invalidateUser','userId':'anna','before':1799999990}",
                  "{'command':'invalidateUser','data':{'connections':0}}");
    page = world_login(&world, &(struct login){.session = "s1", .login_s = WORLD_START_S - 11});
    assert_int_equal(page->end, INVIG_END_REVOKED);
    page = world_login(
        &world,
        &(struct login){.session = "s2", .client_id = "anna:2", .login_s = WORLD_START_S - 10});
    assert_int_equal(world_deliver(&world, page, "users/anna"), INVIG_ALLOW);
    /* Its clock may go ahead as far as the leeway. */
    (void)snprintf(command, sizeof(command),
                   "{'command':'invalidateUser','userId':'anna','before':%d}", WORLD_START_S + 31);
    assert_non_null(strstr(world_command(&world, command), "'error':"));
    assert_int_equal(world_deliver(&world, page, "users/anna"), INVIG_ALLOW);
    (void)snprintf(command, sizeof(command),
                   "{'command':'invalidateUser','userId':'anna','before':%d}", WORLD_START_S + 30);
    assert_answer(command, "{'command':'invalidateUser','data':{'connections':1}}");
}

static void test_control_get_user(void **state)
{
    (void)state;
    world_deinit(&world);
    world_init(&world, "jwt_leeway", "0", NULL);
    assert_answer("{'command':'getUser','userId':'anna','correlationData':'7'}",
                  "{'command':'getUser','correlationData':'7','data':{'userId':'anna',"
                  "'sessions':[],'bindings':[],'blocks':[]}}");
    (void)world_exam(&world);
    assert_answer("{'command':'getUser','userId':'anna'}",
                  "{'command':'getUser','data':{'userId':'anna','sessions':[{'sessionId':'s1',"
                  "'current':true,'loginAt':'2027-01-15T08:00:00Z','connections':[{"
                  "'clientId':'anna:1','address':'192.0.2.1','since':'2027-01-15T08:00:00Z',"
                  "'expiresAt':'2027-01-15T09:00:00Z'}]}],'bindings':[{'evaluationId':'e1',"
                  "'sessionId':'s1'}],'blocks':[]}}");
}

static void test_control_get_user_with_blocks(void **state)
{
    const char *answer;

    (void)state;
    (void)world_exam(&world);
    world_disconnect(&world, world_login_again(&world, "s2", "anna:2"));
    world_say(&world, "e2", "anna", "'access':'BLOCKED'");
    world_invalidate_session(&world, "anna", "s9");
    answer = world_command(&world, "{'command':'getUser','userId':'anna'}");
    assert_non_null(strstr(answer, "{'evaluationId':'e1','reason':'SECOND_LOGIN',"
                                   "'since':'2027-01-15T08:00:00Z'}"));
    assert_non_null(strstr(answer, "{'evaluationId':'e2','reason':'BACKEND',"
                                   "'since':'2027-01-15T08:00:00Z'}"));
    /* A page that was turned away has not ended; one that was revoked has. */
    assert_non_null(strstr(answer, "{'sessionId':'s2','current':false,"
                                   "'loginAt':'2027-01-15T08:00:00Z','connections':[]}"));
    assert_null(strstr(answer, "'s9'"));
    assert_null(strstr(answer, "'evaluationId':'e2','sessionId'"));
}

static void test_control_get_evaluation(void **state)
{
    const char *answer;

    (void)state;
    answer = world_command(&world, "{'command':'getEvaluation','evaluationId':'e1'}");
    assert_string_equal(answer, "{'command':'getEvaluation','error':'unknown evaluation'}");
    (void)world_exam(&world);
    assert_answer("{'command':'getEvaluation','evaluationId':'e1'}",
                  "{'command':'getEvaluation','data':{'evaluationId':'e1',"
                  "'phase':'IN_PROGRESS','strict':true,'endAt':null,'version':null,"
                  "'participants':[{'userId':'anna','access':'ALLOWED','online':true,"
                  "'bound':true}]}}");
    world_say(&world, "e1", NULL,
              "'phase':'IN_PROGRESS','strict':false,'endAt':'2027-01-15T10:00:00Z','version':3");
    world_say(&world, "e1", "anna", "'access':'DENIED'");
    world_say(&world, "e1", "bob", "'access':'BLOCKED'");
    assert_answer("{'command':'getEvaluation','evaluationId':'e1'}",
                  "{'command':'getEvaluation','data':{'evaluationId':'e1',"
                  "'phase':'IN_PROGRESS','strict':false,'endAt':'2027-01-15T10:00:00Z',"
                  "'version':3,'participants':[{'userId':'bob','access':'BLOCKED',"
                  "'online':false,'bound':false}]}}");
    world_say(&world, "e1", NULL, "'phase':'IN_PROGRESS','endAt':null");
    answer = world_command(&world, "{'command':'getEvaluation','evaluationId':'e1'}");
    assert_non_null(strstr(answer, "'strict':false,'endAt':null,'version':3,"));
    /* e2 is known by anna's token alone. */
    answer = world_command(&world, "{'command':'getEvaluation','evaluationId':'e2'}");
    assert_non_null(strstr(answer, "'evaluationId':'e2','phase':null,'strict':false,"
                                   "'endAt':null,'version':null"));
}

/* Reads a list page by page; `entry` is what each of its entries begins with. Checks that every one
 * of `total` comes exactly once, at most `count` at a time. */
static void assert_pages(const char *command, const char *entry, int total, int count)
{
    int seen = 0;
    char previous[256] = "";

    for (int offset = 0; offset < total + count; offset += count) {
        char text[256];
        const char *at;
        int entries = 0;

        (void)snprintf(text, sizeof(text), "{%s,'offset':%d,'count':%d}", command, offset, count);
        for (at = world_command(&world, text); (at = strstr(at, entry)) != NULL; at++) {
            assert_int_not_equal(strncmp(previous, at, 24), 0);
            (void)snprintf(previous, sizeof(previous), "%.24s", at);
            entries++;
        }
        assert_true(entries <= count);
        seen += entries;
    }
    assert_int_equal(seen, total);
}

static void test_control_get_evaluation_by_pages(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        char user[16];
        (void)snprintf(user, sizeof(user), "user-%d", i);
        world_say(&world, "e1", user, i == 4 ? "'access':'DENIED'" : "'access':'ALLOWED'");
    }
    assert_pages("'command':'getEvaluation','evaluationId':'e1'", "{'userId':'user-", 9, 4);
    assert_pages("'command':'getEvaluation','evaluationId':'e1'", "{'userId':'user-", 9, 1);
    assert_pages("'command':'getEvaluation','evaluationId':'e1'", "{'userId':'user-", 9, 1000);
}

static void test_control_list_sessions(void **state)
{
    (void)state;
    assert_answer("{'command':'listSessions'}",
                  "{'command':'listSessions','data':{'total':0,'sessions':[]}}");
    (void)world_login(&world, &(struct login){0});
    (void)world_login(&world, &(struct login){.client_id = "anna:2"});
    assert_answer("{'command':'listSessions'}",
                  "{'command':'listSessions','data':{'total':1,'sessions':[{'userId':'anna',"
                  "'sessionId':'s1','connections':2}]}}");
    assert_answer("{'command':'listSessions','offset':1,'count':5}",
                  "{'command':'listSessions','data':{'total':1,'sessions':[]}}");
    /* Those that have ended or are only being told are not live. */
    (void)world_login(&world, &(struct login){.session = "s2", .client_id = "anna:3"});
    (void)world_login(&world, &(struct login){.client_id = "anna:4"});
    assert_answer("{'command':'listSessions'}",
                  "{'command':'listSessions','data':{'total':1,'sessions':[{'userId':'anna',"
                  "'sessionId':'s2','connections':1}]}}");
}

static void test_control_list_sessions_by_pages(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        char user[16];
        (void)snprintf(user, sizeof(user), "user-%d", i);
        assert_non_null(world_login(&world, &(struct login){.user = user, .client_id = user}));
    }
    assert_pages("'command':'listSessions'", "{'userId':'user-", 10, 3);
    assert_pages("'command':'listSessions'", "{'userId':'user-", 10, 1);
    assert_non_null(
        strstr(world_command(&world, "{'command':'listSessions','count':2}"), "'total':10,"));
}

static void test_control_get_stats(void **state)
{
    static const char *const parts[] = {
        "'connections/current':2,",
        "'sessions/current':1,",
        "'users/current':1,",
        "'sessions/invalidated':0,",
        "'sessions/revoked/current':0,",
        "'auth/accepted':2,",
        "'auth/refused':1,",
        "'auth/refused/keepalive_too_long':1",
        "'auth/refused/client_id_invalid':0",
        "'acl/denied':1,",
        "'evaluations/strict':1,",
        "'users/blocked':0,",
        "'publishes/refused':1,",
        "'state/available':1,",
    };
    struct invig_connection *page = world_exam(&world);
    const char *answer;

    (void)state;
    (void)world_login(&world, &(struct login){.client_id = "anna:2"});
    assert_null(world_login(&world, &(struct login){.client_id = "anna:3", .keepalive_s = 999}));
    assert_int_equal(world_subscribe(&world, page, "#"), INVIG_DENY);
    assert_int_equal(world_offer(&world, "e1", NULL, "'phase':'NOON'"), INVIG_DENY);
    answer = world_command(&world, "{'command':'getStats'}");
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (strstr(answer, parts[i]) == NULL) {
            fail_msg("no %s in %s", parts[i], answer);
        }
    }
    /* What goes up comes down; a connection without a token does not count. */
    world_disconnect(&world, page);
    (void)world_login(
        &world,
        &(struct login){.session = "s0", .client_id = "anna:3", .login_s = WORLD_START_S - 5});
    assert_int_equal(world_stats(&world).connections_current, 1);
    world_invalidate_session(&world, "anna", "s1");
    assert_int_equal(world_stats(&world).connections_current, 0);
    assert_int_equal(world_stats(&world).sessions_current, 0);
    assert_int_equal(world_stats(&world).users_current, 0);
    assert_int_equal(world_stats(&world).sessions_revoked_current, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_CASE(test_control_invalidate_session),
        WORLD_CASE(test_control_invalidate_user),
        WORLD_CASE(test_control_invalidate_user_by_the_clock_of_the_backend),
        WORLD_CASE(test_control_get_user),
        WORLD_CASE(test_control_get_user_with_blocks),
        WORLD_CASE(test_control_get_evaluation),
        WORLD_CASE(test_control_get_evaluation_by_pages),
        WORLD_CASE(test_control_list_sessions),
        WORLD_CASE(test_control_list_sessions_by_pages),
        WORLD_CASE(test_control_get_stats),
    };
    return cmocka_run_group_tests_name("scenario control", tests, NULL, NULL);
}
