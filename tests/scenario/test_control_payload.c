/* SPDX-License-Identifier: Apache-2.0
 *
 * test_control_payload.c - stories of payloads on the control topic: who may send them, what is
 * malformed, who gets the answer.
 */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TOPIC  "$CONTROL/invigilator/v1"
#define REVOKE "{'command':'invalidateUser','userId':'anna'}"

static struct world world;

static void test_control_payload_answer_goes_to_the_sender_alone(void **state)
{
    struct invig_connection *other = world_defer(&world, "other");
    struct invig_connection *service = world_login(
        &world,
        &(struct login){
            .user = "svc", .role = INVIG_ROLE_SERVICE, .session = "", .client_id = "svc:1"});

    (void)state;
    assert_non_null(other);
    world_control(&world, service,
                  "{'commands':[{'command':'invalidateSession','userId':'anna',"
                  "'sessionId':'s1','correlationData':'1'}]}");
    world_control(&world, world_backend(&world), "{'commands':[{'command':'listSessions'}]}");
    world_pass(&world, 2);
    assert_int_equal(world_count(&world, "REPLY svc:1 {'responses':[{'command':"
                                         "'invalidateSession','correlationData':'1',"
                                         "'data':{'connections':0}}]}"),
                     1);
    assert_int_equal(world_count(&world, "REPLY backend {'responses':[{'command':'listSessions',"
                                         "'data':{'total':0,'sessions':[]}}]}"),
                     1);
    assert_int_equal(world.effect_count, 2);
}

static void test_control_payload_sender_has_gone(void **state)
{
    (void)state;
    (void)world_login(&world, &(struct login){0});
    world_control(&world, world_backend(&world), "{'commands':[" REVOKE "]}");
    world_disconnect(&world, world_backend(&world));
    assert_non_null(world_defer(&world, "backend")); /* a newcomer gets nobody else's answer */
    world_pass(&world, 3);
    assert_int_equal(world_count_prefix(&world, "REPLY"), 0);
    assert_int_equal(world_count(&world, "NOTIFY anna:1 REVOKED anna s1"), 1);
}

static void test_control_payload_may_be_sent_by_few(void **state)
{
    struct invig_connection *student = world_login(&world, &(struct login){0});
    struct invig_connection *professor =
        world_login(&world, &(struct login){.user = "prof",
                                            .role = INVIG_ROLE_PROFESSOR,
                                            .client_id = "prof:1",
                                            .evaluations = {"e1"}});

    (void)state;
    assert_int_equal(world_publish(&world, student, TOPIC), INVIG_DENY);
    assert_int_equal(world_publish(&world, professor, TOPIC), INVIG_DENY);
    assert_int_equal(world_subscribe(&world, professor, TOPIC "/response"), INVIG_DENY);
    assert_int_equal(world_deliver(&world, professor, TOPIC "/response"), INVIG_DENY);
    assert_int_equal(world_publish(&world, world_backend(&world), TOPIC), INVIG_DEFER);
    assert_int_equal(invig_engine_unknown(world.engine, INVIG_OPERATION_PUBLISH,
                                          invig_text_of("stranger"), invig_text_of(TOPIC)),
                     INVIG_DENY);
}

static void test_control_payload_one_bad_command_stops_no_other(void **state)
{
    const char *reply;
    const char *at;

    (void)state;
    (void)world_login(&world, &(struct login){0});
    world_control(&world, world_backend(&world),
                  "{'commands':[{'command':'dance','correlationData':'a'},"
                  "{'command':'invalidateSession','userId':'anna','sessionId':'s1',"
                  "'correlationData':'b'},7,{'command':'getStats','correlationData':'c'}]}");
    world_tick(&world);
    assert_int_equal(world_count(&world, "NOTIFY anna:1 REVOKED anna s1"), 1);
    reply = world_last(&world, "REPLY backend {'responses':[");
    assert_non_null(reply);
    /* As many answers, in the order of the commands. */
    at = strstr(reply, "'error':");
    assert_non_null(at);
    at = strstr(at, "'correlationData':'b','data':{'connections':1}");
    assert_non_null(at);
    at = strstr(at, "'error':");
    assert_non_null(at);
    at = strstr(at, "'correlationData':'c','data':{");
    assert_non_null(at);
    assert_int_equal(world_count_prefix(&world, "REPLY"), 1);
    assert_non_null(strstr(reply, "'correlationData':'a'"));
}

static void test_control_payload_malformed_command_changes_nothing(void **state)
{
    static const char *const commands[] = {
        "{}",
        "[]",
        "null",
        "'getStats'",
        "{'command':7}",
        "{'command':''}",
        "{'command':'InvalidateUser','userId':'anna'}",
        "{'command':'invalidateUser'}",
        "{'command':'invalidateUser','userId':''}",
        "{'command':'invalidateUser','userId':null}",
        "{'command':'invalidateUser','userId':['anna']}",
        "{'command':'invalidateUser','userId':'an/na'}",
        "{'command':'invalidateUser','userId':'anna','unlessbound':true}",
        "{'command':'invalidateUser','userId':'anna','unlessBound':'true'}",
        "{'command':'invalidateUser','userId':'anna','unlessBound':1}",
        "{'command':'invalidateUser','userId':'anna','exceptSessionId':''}",
        "{'command':'invalidateUser','userId':'anna','exceptSessionId':null}",
        "{'command':'invalidateUser','userId':'anna','sessionId':'s1'}",
        "{'command':'invalidateUser','userId':'anna','before':'1799999990'}",
        "{'command':'invalidateUser','userId':'anna','before':1.5}",
        "{'command':'invalidateUser','userId':'anna','before':-1}",
        "{'command':'invalidateUser','userId':'anna','before':1800000600}",
        "{'command':'invalidateUser','userId':'anna','correlationData':1}",
        "{'command':'invalidateSession','userId':'anna'}",
        "{'command':'invalidateSession','sessionId':'s1'}",
        "{'command':'invalidateSession','userId':'anna','sessionId':null}",
        "{'command':'invalidateSession','userId':'anna','sessionId':'s1','force':true}",
        "{'command':'unblock','userId':'anna'}",
        "{'command':'unblock','evaluationId':'e1'}",
        "{'command':'unblock','userId':'anna','evaluationId':'e1','sessionId':''}",
        "{'command':'unblock','userId':'anna','evaluationId':'e1','sessionId':1}",
        "{'command':'getUser'}",
        "{'command':'getUser','userId':7}",
        "{'command':'getEvaluation'}",
        "{'command':'getEvaluation','evaluationId':'e1','count':0}",
        "{'command':'getEvaluation','evaluationId':'e1','count':1001}",
        "{'command':'getEvaluation','evaluationId':'e1','offset':-1}",
        "{'command':'getEvaluation','evaluationId':'e1','offset':'0'}",
        "{'command':'listSessions','count':null}",
        "{'command':'listSessions','userId':'anna'}",
        "{'command':'getStats','userId':'anna'}",
    };
    struct invig_connection *page = world_exam(&world);
    struct invig_stats before = world_stats(&world);
    struct invig_stats after;

    (void)state;
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        char payload[512];
        const char *reply;

        (void)snprintf(payload, sizeof(payload), "{'commands':[%s]}", commands[i]);
        world_control(&world, world_backend(&world), payload);
        world_tick(&world);
        reply = world_last(&world, "REPLY backend {'responses':[{");
        if (reply == NULL || strstr(reply, "'error':'") == NULL ||
            strstr(reply, "'data':") != NULL) {
            fail_msg("%s: %s", commands[i], reply == NULL ? "no answer" : reply);
        }
        assert_int_equal(world.effect_count, 1);
        assert_int_equal(world_deliver(&world, page, "evaluations/e1"), INVIG_ALLOW);
        world_clear(&world);
    }
    after = world_stats(&world);
    assert_memory_equal(&before, &after, sizeof(before));
}

/* The payload as a whole is answered by one response that says what is wrong with it. */
static void assert_unreadable(const char *name, const char *payload)
{
    const char *reply;

    world_clear(&world);
    world_control(&world, world_backend(&world), payload);
    world_tick(&world);
    reply = world_last(&world, "REPLY backend {'responses':[{'error':'");
    if (reply == NULL || world.effect_count != 1 || strstr(reply, "},{") != NULL ||
        strstr(reply, "'command'") != NULL) {
        fail_msg("%s: %s", name, reply == NULL ? "no answer" : reply);
    }
}

static void test_control_payload_that_cannot_be_read(void **state)
{
    static const char *const payloads[] = {
        "",
        "x",
        "[]",
        "null",
        "{}",
        "{'commands':[]}",
        "{'commands':{}}",
        "{'commands':null}",
        "{'commands':[" REVOKE "],}",
        "{'commands':[" REVOKE "]} x",
        "{'commands':[" REVOKE "],'commands':[]}",
        "{'commands':[" REVOKE "],'more':1}",
        "{'commands':[" REVOKE ",{'command':'getStats','command':'getStats'}]}",
        "{commands:[" REVOKE "]}",
        "{'commands':[" REVOKE ",NaN]}",
        "{'commands':[" REVOKE ",'\xff']}",
    };
    struct invig_connection *page = world_login(&world, &(struct login){0});

    (void)state;
    for (size_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++) {
        assert_unreadable(payloads[i], payloads[i]);
        assert_int_equal(world_deliver(&world, page, "users/anna"), INVIG_ALLOW);
    }
}

/* {"commands":[...]} of `count` commands, padded with blanks to `bytes`. */
static char *make_payload(int count, size_t bytes)
{
    char *payload = malloc(bytes + (size_t)count * 64 + 64);
    char *at = payload;

    assert_non_null(payload);
    at += sprintf(at, "{'commands':[");
    for (int i = 0; i < count; i++) {
        at += sprintf(at, "%s%s", i == 0 ? "" : ",", REVOKE);
    }
    at += sprintf(at, "]}");
    while ((size_t)(at - payload) < bytes) {
        *at++ = ' ';
    }
    *at = '\0';
    return payload;
}

static void test_control_payload_that_is_too_large(void **state)
{
    struct invig_connection *page = world_login(&world, &(struct login){0});
    char *payload = make_payload(INVIG_CONTROL_COMMANDS_MAX + 1, 0);

    (void)state;
    assert_unreadable("65 commands", payload);
    free(payload);
    payload = make_payload(1, INVIG_CONTROL_BYTES_MAX + 1);
    assert_unreadable("65537 bytes", payload);
    free(payload);
    assert_int_equal(world_deliver(&world, page, "users/anna"), INVIG_ALLOW);
    payload = make_payload(INVIG_CONTROL_COMMANDS_MAX, INVIG_CONTROL_BYTES_MAX);
    world_control(&world, world_backend(&world), payload);
    free(payload);
    assert_int_equal(world_deliver(&world, page, "users/anna"), INVIG_DENY);
    world_tick(&world);
    assert_int_equal(world_count_prefix(&world, "REPLY backend {'responses':[{'command':"
                                                "'invalidateUser','data':{'connections':1}},"
                                                "{'command':'invalidateUser',"),
                     1);
}

static void test_control_payload_correlation(void **state)
{
    char payload[512];
    char data[INVIG_CORRELATION_BYTES_MAX + 2];

    (void)state;
    memset(data, 'x', sizeof(data));
    data[INVIG_CORRELATION_BYTES_MAX + 1] = '\0';
    (void)snprintf(payload, sizeof(payload), "{'command':'listSessions','correlationData':'%s'}",
                   data);
    assert_non_null(strstr(world_command(&world, payload), "'error':"));
    (void)snprintf(payload, sizeof(payload), "{'command':'listSessions','correlationData':'%s'}",
                   data + 1);
    assert_non_null(strstr(world_command(&world, payload), data + 1));
    assert_string_equal(
        world_command(&world, "{'command':'listSessions','correlationData':'a\\u00e9\\n'}"),
        "{'command':'listSessions','correlationData':'a\xc3\xa9\\n',"
        "'data':{'total':0,'sessions':[]}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_CASE(test_control_payload_answer_goes_to_the_sender_alone),
        WORLD_CASE(test_control_payload_sender_has_gone),
        WORLD_CASE(test_control_payload_may_be_sent_by_few),
        WORLD_CASE(test_control_payload_one_bad_command_stops_no_other),
        WORLD_CASE(test_control_payload_malformed_command_changes_nothing),
        WORLD_CASE(test_control_payload_that_cannot_be_read),
        WORLD_CASE(test_control_payload_that_is_too_large),
        WORLD_CASE(test_control_payload_correlation),
    };
    return cmocka_run_group_tests_name("scenario control_payload", tests, NULL, NULL);
}
