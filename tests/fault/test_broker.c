/* SPDX-License-Identifier: Apache-2.0
 *
 * test_broker.c - the whole plugin, while it starts and at each event, with single calls failing,
 * those of the broker included.
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

static int code;
static size_t callback_count; /* without a fault */

static void act_start(void)
{
    code = fault_plugin_start();
}

/* Where it cannot start it says why, and nothing is left of it. */
static void check_started(const char *struck)
{
    if (struck != NULL && code != MOSQ_ERR_SUCCESS) {
        assert_int_equal(fake_broker_callbacks(), 0);
        assert_null(fault_userdata);
        if (fake_broker.error_count == 0 && code != MOSQ_ERR_NOMEM) {
            fail_msg("%s failed, and nobody learns of it", struck);
        }
        act_start();
    }
    assert_int_equal(code, MOSQ_ERR_SUCCESS);
    if (struck == NULL) {
        callback_count = fake_broker_callbacks();
    }
    assert_int_not_equal(callback_count, 0);
    assert_int_equal(fake_broker_callbacks(), callback_count);
    fault_plugin_stop();
}

static void test_start(void **state)
{
    (void)state;
    assert_true(fault_run("start", act_start, check_started) > 150);
}

static int connect_1(void)
{
    return fault_page_connect(0);
}

static int connect_2(void)
{
    return fault_page_connect(1);
}

static int connect_without_token(void)
{
    fault_pages[2] = (struct mosquitto){.id = "bridge", .address = "127.0.0.1"};
    return fake_broker_connect(&fault_pages[2], "bridge", "password");
}

static int say_allowed(void)
{
    return fault_say_of_anna("ALLOWED");
}

static int reload(void)
{
    fake_broker_reload();
    return MOSQ_ERR_SUCCESS;
}

static int leave(void)
{
    fake_broker_disconnect(&fault_pages[0]);
    return MOSQ_ERR_SUCCESS;
}

static const struct fault_broker_event events[] = {
    {"first login", NULL, connect_1, MOSQ_ERR_AUTH},
    {"second login", fault_prepare_page, connect_2, MOSQ_ERR_AUTH},
    {"login that binds", fault_prepare_strict, connect_1, MOSQ_ERR_AUTH},
    {"second login while bound", fault_prepare_exam, connect_2, MOSQ_ERR_AUTH},
    {"enhanced authentication", NULL, fault_page_authenticate, MOSQ_ERR_AUTH},
    {"refresh", fault_prepare_exam, fault_page_authenticate, MOSQ_ERR_AUTH},
    {"no token", NULL, connect_without_token, MOSQ_ERR_AUTH},
    {"allowed", fault_prepare_exam, say_allowed, MOSQ_ERR_ACL_DENIED},
    {"reload", fault_prepare_page, reload, MOSQ_ERR_SUCCESS},
    {"disconnect", fault_prepare_page, leave, MOSQ_ERR_SUCCESS},
};

static void test_events(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(events); i++) {
        fault_broker_check(&events[i]);
    }
}

static void act_control(void)
{
    bool was_armed = fault_pause();

    fault_broker_begin(&events[1]);
    fault_resume(was_armed);
    code = fake_broker_control(&fault_admin, "{\"commands\":[{\"command\":\"invalidateSession\","
                                             "\"userId\":\"anna\",\"sessionId\":\"s1\"}]}");
}

/* There is an answer, or a line in the log that says that it was lost. */
static void check_control(const char *struck)
{
    size_t error_count = fake_broker.error_count;

    assert_int_equal(code, MOSQ_ERR_SUCCESS);
    fake_broker_tick();
    if (fake_broker_count("SEND admin $CONTROL/invigilator/v1/response ") == 0) {
        assert_non_null(struck);
        assert_int_not_equal(error_count, 0);
    }
    fault_plugin_stop();
}

static void test_control(void **state)
{
    (void)state;
    assert_true(fault_run("command", act_control, check_control) > 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_control),
    };
    int failed = cmocka_run_group_tests(tests, fault_plugin_setup, fault_plugin_teardown);

    fault_write_sites(FAULT_SITES);
    return failed;
}
