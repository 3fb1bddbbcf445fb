/* SPDX-License-Identifier: Apache-2.0
 *
 * test_stats.c - names and order of the counters.
 */
#include "invigilator/stats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_stats_names_and_values(void **state)
{
    static const char *const names[] = {
        "connections/current",      "sessions/current", "users/current",     "sessions/invalidated",
        "sessions/revoked/current", "auth/accepted",    "auth/refused",      "acl/denied",
        "evaluations/strict",       "users/blocked",    "publishes/refused", "state/available",
    };
    const size_t count = sizeof(names) / sizeof(names[0]);
    const struct invig_stats stats = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, {0}};
    char name[INVIG_STATS_NAME_BYTES];
    uint64_t value = 0;

    (void)state;
    for (size_t i = 0; i < count; i++) {
        assert_true(invig_stats_get(&stats, i, name, &value));
        assert_string_equal(name, names[i]);
        assert_int_equal(value, i + 1);
    }
}

static void test_stats_has_one_for_each_reason(void **state)
{
    struct invig_stats stats = {0};
    char name[INVIG_STATS_NAME_BYTES];
    char expected[INVIG_STATS_NAME_BYTES];
    size_t seen = 0;
    uint64_t value = 0;

    (void)state;
    for (int i = 0; i < INVIG_REASON_COUNT; i++) {
        stats.refused[i] = 100 + (uint64_t)i;
    }
    for (size_t i = 0; invig_stats_get(&stats, i, name, &value); i++) {
        if (value >= 100) {
            (void)snprintf(expected, sizeof(expected), "auth/refused/%s",
                           invig_reason_word((enum invig_reason)(value - 100)));
            assert_string_equal(name, expected);
            assert_int_not_equal(value, 100 + INVIG_REASON_NONE);
            seen++;
        }
    }
    assert_int_equal(seen, INVIG_REASON_COUNT - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stats_names_and_values),
        cmocka_unit_test(test_stats_has_one_for_each_reason),
    };

    return cmocka_run_group_tests_name("stats", tests, NULL, NULL);
}
