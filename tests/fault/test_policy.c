/* SPDX-License-Identifier: Apache-2.0
 *
 * test_policy.c - options whose reading meets a fault change nothing, and can be set again.
 */
#include "fault_run.h"

#include "invigilator/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
    const char *word;
    const char *value;
} options[] = {
    {"jwt_secret_file", "/secret"},
    {"jwt_algorithms", "HS256 HS384"},
    {"jwt_issuer", "issuer"},
    {"jwt_leeway", "10"},
    {"claim_role", "roles"},
    {"topic_prefix", "eval/"},
    {"single_session_roles", "student professor"},
    {"phases", "NEW,RUNNING,DONE"},
    {"strict_phases", "RUNNING"},
    {"presence_phases", "RUNNING DONE"},
    {"strict_policy", "observe"},
    {"state_file", "/state.db"},
    {"state_sync", "full"},
    {"require_auth_time", "on"},
};

static struct invig_policy policy;
static enum invig_status status;
static size_t set_count;
static char error[INVIG_POLICY_ERROR_BYTES];

static void policy_begin(void)
{
    status = invig_policy_init(&policy);
}

static void check_begun(const char *struck)
{
    if (struck != NULL) {
        static const struct invig_policy empty;

        assert_int_equal(status, INVIG_ERR_NO_MEMORY);
        assert_memory_equal(&policy, &empty, sizeof(policy));
        policy_begin();
    }
    assert_int_equal(status, INVIG_OK);
    invig_policy_deinit(&policy);
}

static void test_policy_init(void **state)
{
    (void)state;
    assert_true(fault_run("defaults", policy_begin, check_begun) > 5);
}

/* Up to the first option that fails. */
static void policy_read(void)
{
    struct invig_policy before;

    status = invig_policy_init(&policy);
    assert_int_equal(status, INVIG_OK);
    for (set_count = 0; status == INVIG_OK && set_count < COUNT(options);) {
        before = policy;
        status =
            invig_policy_set(&policy, options[set_count].word, options[set_count].value, error);
        set_count += status == INVIG_OK;
    }
    if (status != INVIG_OK) {
        assert_memory_equal(&policy, &before, sizeof(policy));
    } else {
        status = invig_policy_check(&policy, error);
    }
}

static size_t init_calls;

static void policy_read_on(void)
{
    for (; set_count < COUNT(options); set_count++) {
        assert_int_equal(
            invig_policy_set(&policy, options[set_count].word, options[set_count].value, error),
            INVIG_OK);
    }
    assert_int_equal(invig_policy_check(&policy, error), INVIG_OK);
}

static void test_policy_set(void **state)
{
    const char *struck;
    size_t number;

    (void)state;
    fault_arm(0);
    policy_begin();
    (void)fault_disarm();
    init_calls = fault_count();
    invig_policy_deinit(&policy);
    number = init_calls;
    do {
        size_t heap = fault_heap_bytes();

        error[0] = '\0';
        fault_arm(++number);
        policy_read();
        struck = fault_disarm();
        if (struck != NULL && status != INVIG_OK) {
            assert_int_equal(status, INVIG_ERR_NO_MEMORY);
            assert_string_not_equal(error, "");
            policy_read_on();
        }
        assert_string_equal(policy.phases, "NEW RUNNING DONE");
        assert_string_equal(policy.state_file, "/state.db");
        invig_policy_deinit(&policy);
        assert_int_equal(fault_heap_bytes(), heap);
    } while (struck != NULL);
    assert_true(number > init_calls + 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_policy_init),
        cmocka_unit_test(test_policy_set),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    fault_write_sites(FAULT_SITES);
    return failed;
}
