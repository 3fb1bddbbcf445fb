/* SPDX-License-Identifier: Apache-2.0
 *
 * test_command.c - commands that meet a fault: the answer is an error or is lost, and nothing is
 * changed; or all is done, and at most the answer is lost.
 */
#include "fault_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* anna's s1 is bound in e1, and s2 was turned away; s0 of ben is superseded by s3. */
static void prepare(struct fault_world *fault)
{
    world_say(&fault->world, "e1", NULL, "'phase':'IN_PROGRESS','endAt':'2027-01-15T10:00:00Z'");
    world_say(&fault->world, "e1", "anna", "'access':'ALLOWED','version':3,'room':'A'");
    fault_login(fault, 0, &(struct login){.evaluations = {"e1", "e2"}});
    fault_login(fault, 1,
                &(struct login){.session = "s2",
                                .client_id = "anna:2",
                                .address = "192.0.2.2",
                                .login_s = WORLD_START_S + 1,
                                .evaluations = {"e1", "e2"}});
    fault_login(fault, 2, &(struct login){.user = "ben", .session = "s0", .client_id = "ben:0"});
    fault_login(
        fault, 3,
        &(struct login){
            .user = "ben", .session = "s3", .client_id = "ben:3", .login_s = WORLD_START_S + 1});
}

static const char *command;

static void ask(struct fault_world *fault)
{
    fault_ask(fault, command);
}

/* Between one that is wrong and one that only reads. */
static void control(struct fault_world *fault)
{
    char payload[1024];

    (void)snprintf(payload, sizeof(payload),
                   "{'commands':[{'command':'getUser'},%s,{'command':'listSessions',"
                   "'correlationData':'2'}]}",
                   command);
    fault_control(fault, payload);
}

static const char *const commands[] = {
    "{'command':'invalidateSession','userId':'anna','sessionId':'s1'}",
    "{'command':'invalidateSession','userId':'anna','sessionId':'s9','correlationData':'x'}",
    "{'command':'invalidateSession','userId':'carl','sessionId':'s9'}",
    "{'command':'invalidateUser','userId':'anna'}",
    "{'command':'invalidateUser','userId':'anna','exceptSessionId':'s1'}",
    "{'command':'invalidateUser','userId':'anna','exceptSessionId':'s9'}",
    "{'command':'invalidateUser','userId':'anna','unlessBound':true}",
    "{'command':'invalidateUser','userId':'ben','unlessBound':true}",
    "{'command':'invalidateUser','userId':'carl'}",
    "{'command':'unblock','userId':'anna','evaluationId':'e1'}",
    "{'command':'unblock','userId':'anna','evaluationId':'e1','sessionId':'s2'}",
    "{'command':'unblock','userId':'anna','evaluationId':'e1','sessionId':'s8'}",
    "{'command':'unblock','userId':'anna','evaluationId':'e1','sessionId':null}",
    "{'command':'unblock','userId':'anna','evaluationId':'e9'}",
    "{'command':'getUser','userId':'anna'}",
    "{'command':'getEvaluation','evaluationId':'e1'}",
    "{'command':'listSessions','count':1}",
    "{'command':'nothing'}",
};

static void test_commands_meet_faults(void **state)
{
    const struct fault_event event = {
        .name = "", .prepare = prepare, .act = ask, .may_lose_answer = true};

    (void)state;
    for (size_t i = 0; i < 2 * COUNT(commands); i++) {
        command = commands[i / 2];
        print_message("%s", command);
        fault_event_check(&event, i % 2 != 0);
    }
}

static void test_control_payloads_meet_faults(void **state)
{
    static const size_t chosen[] = {0, 3, 10, 12};
    const struct fault_event event = {"in a payload", NULL,    NULL,
                                      prepare,        control, .may_lose_answer = true};

    (void)state;
    for (size_t i = 0; i < COUNT(chosen); i++) {
        command = commands[chosen[i]];
        fault_event_check(&event, i % 2 != 0);
    }
}

static void control_nonsense(struct fault_world *fault)
{
    fault_control(fault, "{'commands':[]}");
}

static void test_control_nonsense_meets_faults(void **state)
{
    const struct fault_event event = {
        "nonsense", NULL, NULL, NULL, control_nonsense, .may_lose_answer = true};

    (void)state;
    fault_event_check(&event, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commands_meet_faults),
        cmocka_unit_test(test_control_payloads_meet_faults),
        cmocka_unit_test(test_control_nonsense_meets_faults),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    fault_write_sites(FAULT_SITES);
    return failed;
}
