/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_assert.h - what tests of the policy share: an option that must be taken, or refused.
 */
#ifndef POLICY_ASSERT_H
#define POLICY_ASSERT_H

#include "invigilator/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

static const char UNTOUCHED[] = "untouched";

static inline void assert_set(struct invig_policy *policy, const char *word, const char *value)
{
    char error[INVIG_POLICY_ERROR_BYTES] = "untouched";

    if (invig_policy_set(policy, word, value, error) != INVIG_OK) {
        fail_msg("%s", error);
    }
    assert_string_equal(error, UNTOUCHED);
}

/* One line of UTF-8 with its NUL, ended as it should be. */
static inline void assert_error_is_whole(const char error[INVIG_POLICY_ERROR_BYTES])
{
    struct invig_text rest = invig_text_of(error);

    assert_non_null(memchr(error, '\0', INVIG_POLICY_ERROR_BYTES));
    assert_memory_equal(error, "plugin_opt_", 11);
    while (rest.length > 0) {
        assert_true(invig_text_next_code_point(&rest) >= ' ');
    }
}

static inline void assert_refused(const char *word, const char *value, const char *expected)
{
    struct invig_policy policy;
    struct invig_policy before;
    char error[INVIG_POLICY_ERROR_BYTES] = "untouched";

    assert_int_equal(invig_policy_init(&policy), INVIG_OK);
    memcpy(&before, &policy, sizeof before);
    if (invig_policy_set(&policy, word, value, error) != INVIG_ERR_INVALID) {
        fail_msg("%s '%s' was accepted", word, value);
    }
    assert_error_is_whole(error);
    assert_memory_equal(&before, &policy, sizeof before);
    if (expected != NULL) {
        assert_string_equal(error, expected);
    }
    invig_policy_deinit(&policy);
}

static inline void assert_accepted(const char *word, const char *value)
{
    struct invig_policy policy;

    assert_int_equal(invig_policy_init(&policy), INVIG_OK);
    assert_set(&policy, word, value);
    assert_true(policy.options_given != 0);
    invig_policy_deinit(&policy);
}

#endif
