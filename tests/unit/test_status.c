/* SPDX-License-Identifier: Apache-2.0
 *
 * test_status.c - the lists of errors and refusals: each has one name, and a number outside has
 * one too.
 */
#include "invigilator/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

struct status_row {
    enum invig_status status;
    const char *name;
    int number;
    const char *text;
};

static const struct status_row STATUSES[] = {
#define STATUS_ROW(word, number, text) {INVIG_##word, #word, number, text},
    INVIG_STATUS_MAP(STATUS_ROW)
#undef STATUS_ROW
};

static const struct {
    enum invig_reason reason;
    const char *word;
} REASONS[] = {
#define REASON_ROW(name, word) {INVIG_REASON_##name, word},
    INVIG_REASON_MAP(REASON_ROW)
#undef REASON_ROW
};

static void test_status_texts_are_those_of_the_list(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(STATUSES); i++) {
        assert_int_equal(STATUSES[i].status, STATUSES[i].number);
        assert_string_equal(invig_status_text(STATUSES[i].status), STATUSES[i].text);
        assert_true(strlen(STATUSES[i].text) > 0);
    }
}

static void test_status_texts_and_numbers_are_unique(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(STATUSES); i++) {
        for (size_t k = 0; k < i; k++) {
            assert_int_not_equal(STATUSES[i].number, STATUSES[k].number);
            assert_string_not_equal(STATUSES[i].text, STATUSES[k].text);
        }
    }
}

static void test_status_ok_is_zero_and_errors_negative(void **state)
{
    (void)state;
    assert_int_equal(INVIG_OK, 0);
    for (size_t i = 0; i < ROWS(STATUSES); i++) {
        assert_true(STATUSES[i].number < 0 || STATUSES[i].status == INVIG_OK);
    }
}

static void test_status_of_no_status_has_a_text(void **state)
{
    (void)state;
    for (int number = -8; number >= -100; number--) {
        assert_string_equal(invig_status_text((enum invig_status)number), "unknown status");
    }
    assert_string_equal(invig_status_text((enum invig_status)1), "unknown status");
}

static void test_reason_words_are_those_of_the_list(void **state)
{
    (void)state;
    assert_int_equal(ROWS(REASONS), INVIG_REASON_COUNT);
    assert_int_equal(INVIG_REASON_NONE, 0);
    for (size_t i = 0; i < ROWS(REASONS); i++) {
        assert_int_equal(REASONS[i].reason, i);
        assert_string_equal(invig_reason_word(REASONS[i].reason), REASONS[i].word);
    }
}

/* They are parts of topics and keys of log lines. */
static void test_reason_words_are_plain(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(REASONS); i++) {
        const char *word = REASONS[i].word;
        assert_true(strlen(word) > 0);
        assert_int_equal(strspn(word, "abcdefghijklmnopqrstuvwxyz_"), strlen(word));
    }
}

static void test_reason_words_are_unique(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(REASONS); i++) {
        for (size_t k = 0; k < i; k++) {
            assert_string_not_equal(REASONS[i].word, REASONS[k].word);
        }
    }
}

static void test_reason_of_no_reason_has_a_word(void **state)
{
    (void)state;
    assert_string_equal(invig_reason_word(INVIG_REASON_COUNT), "unknown_reason");
    assert_string_equal(invig_reason_word((enum invig_reason)1000), "unknown_reason");
}

static void test_verdict_of_zeroed_memory_denies(void **state)
{
    enum invig_verdict verdict;

    (void)state;
    memset(&verdict, 0, sizeof verdict);
    assert_int_equal(verdict, INVIG_DENY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status_texts_are_those_of_the_list),
        cmocka_unit_test(test_status_texts_and_numbers_are_unique),
        cmocka_unit_test(test_status_ok_is_zero_and_errors_negative),
        cmocka_unit_test(test_status_of_no_status_has_a_text),
        cmocka_unit_test(test_reason_words_are_those_of_the_list),
        cmocka_unit_test(test_reason_words_are_plain),
        cmocka_unit_test(test_reason_words_are_unique),
        cmocka_unit_test(test_reason_of_no_reason_has_a_word),
        cmocka_unit_test(test_verdict_of_zeroed_memory_denies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
