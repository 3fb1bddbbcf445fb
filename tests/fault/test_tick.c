/* SPDX-License-Identifier: Apache-2.0
 *
 * test_tick.c - ticks of the broker in which single calls fail: what is to be told, published or
 * disconnected comes later, and nothing of it is lost.
 */
#include "fault_plugin.h"

#include <mosquitto.h>
#include <mosquitto_plugin.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int tick(void)
{
    fault_pass(400);
    fake_broker_tick();
    return MOSQ_ERR_SUCCESS;
}

/* Notices, a copy, presence, an incident. */
static void prepare_blocked(void)
{
    fault_prepare_exam();
    assert_int_equal(fault_say_of_anna("ALLOWED"), MOSQ_ERR_SUCCESS);
    assert_int_equal(fault_page_connect(1), MOSQ_ERR_SUCCESS);
}

/* Two disconnects are due at the next tick. */
static void prepare_kick(void)
{
    fault_prepare_page();
    assert_int_equal(fault_page_connect(1), MOSQ_ERR_SUCCESS);
    assert_int_equal(fault_page_connect(2), MOSQ_ERR_SUCCESS);
    for (int i = 0; i < 3; i++) {
        (void)tick();
    }
}

static void prepare_resend(void)
{
    fault_prepare_exam();
    assert_int_equal(fault_say_of_anna("DENIED"), MOSQ_ERR_SUCCESS);
    (void)tick();
    assert_int_equal(fault_say_of_anna("ALLOWED"), MOSQ_ERR_SUCCESS);
}

static void prepare_forgotten(void)
{
    prepare_blocked();
    (void)tick();
    assert_int_equal(fake_broker_message(&fault_admin, "evaluations/e1", ""), MOSQ_ERR_SUCCESS);
}

static void prepare_expiring(void)
{
    fault_prepare_page();
    fault_pass(3590 * 1000);
}

/* With a copy of a block, a message about another user, and the evaluation's own. */
static void prepare_restarted(void)
{
    prepare_blocked();
    assert_int_equal(fake_broker_message(&fault_admin, "evaluations/e1/users/ben",
                                         "{\"type\":\"EVALUATION_UPDATE\",\"evaluationId\":\"e1\","
                                         "\"userId\":\"ben\",\"access\":\"DENIED\"}"),
                     MOSQ_ERR_SUCCESS);
    assert_int_equal(mosquitto_plugin_cleanup(fault_userdata, NULL, 0), MOSQ_ERR_SUCCESS);
    memset(fault_pages, 0, sizeof(fault_pages));
    assert_int_equal(fault_plugin_start(), MOSQ_ERR_SUCCESS);
}

static const struct fault_broker_event ticks[] = {
    {"tick after a second login while bound", prepare_blocked, tick, MOSQ_ERR_SUCCESS},
    {"tick after second logins", prepare_kick, tick, MOSQ_ERR_SUCCESS},
    {"tick after access came back", prepare_resend, tick, MOSQ_ERR_SUCCESS},
    {"tick after an evaluation was forgotten", prepare_forgotten, tick, MOSQ_ERR_SUCCESS},
    {"tick before a token runs out", prepare_expiring, tick, MOSQ_ERR_SUCCESS},
    {"tick after a restart", prepare_restarted, tick, MOSQ_ERR_SUCCESS},
};

static void test_ticks(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(ticks); i++) {
        fault_broker_check(&ticks[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ticks),
    };
    int failed = cmocka_run_group_tests(tests, fault_plugin_setup, fault_plugin_teardown);

    fault_write_sites(FAULT_SITES);
    return failed;
}
