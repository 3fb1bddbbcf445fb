/* SPDX-License-Identifier: Apache-2.0
 *
 * test_notice.c - times as text, and the words of an end.
 */
#include "invigilator/notice.h"

#include "invigilator/claims.h"

#include <time.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

enum { SECONDS_PER_DAY = 86400 };

static void test_time_format_of_known_times(void **state)
{
    static const struct {
        int64_t time_s;
        const char *expected;
    } rows[] = {
        {0, "1970-01-01T00:00:00Z"},
        {1, "1970-01-01T00:00:01Z"},
        {86399, "1970-01-01T23:59:59Z"},
        {86400, "1970-01-02T00:00:00Z"},
        {68169599, "1972-02-28T23:59:59Z"},
        {68169600, "1972-02-29T00:00:00Z"},
        {951782399, "2000-02-28T23:59:59Z"},
        {951782400, "2000-02-29T00:00:00Z"},
        {951868800, "2000-03-01T00:00:00Z"},
        {978307199, "2000-12-31T23:59:59Z"},
        {1000000000, "2001-09-09T01:46:40Z"},
        {2147483648, "2038-01-19T03:14:08Z"},
        {1795512600, "2026-11-24T09:30:00Z"},
        {4107542399, "2100-02-28T23:59:59Z"},
        {4107542400, "2100-03-01T00:00:00Z"},
        {INVIG_TIME_S_MAX, "9999-12-31T23:59:59Z"},
        {INVIG_TIME_S_MAX + 1, "9999-12-31T23:59:59Z"},
        {INT64_MAX, "9999-12-31T23:59:59Z"},
        {-1, "1970-01-01T00:00:00Z"},
        {INT64_MIN, "1970-01-01T00:00:00Z"},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        char text[INVIG_TIME_TEXT_BYTES];
        memset(text, 'x', sizeof text);
        invig_time_format(rows[i].time_s, text);
        assert_string_equal(text, rows[i].expected);
    }
}

/* The first and last second of every day up to the year 9999, against the C library. */
static void test_time_format_agrees_with_the_library(void **state)
{
    (void)state;
    for (int64_t day = 0; day <= INVIG_TIME_S_MAX / SECONDS_PER_DAY; day++) {
        int64_t time_s = day * SECONDS_PER_DAY + (day % 2 == 0 ? 0 : SECONDS_PER_DAY - 1);
        time_t value = (time_t)time_s;
        struct tm parts;
        char expected[64];
        char text[INVIG_TIME_TEXT_BYTES];
        assert_non_null(gmtime_r(&value, &parts));
        assert_int_equal(strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%SZ", &parts), 20);
        invig_time_format(time_s, text);
        if (strcmp(text, expected) != 0) {
            fail_msg("%s, expected %s", text, expected);
        }
    }
}

static void test_time_format_of_each_second_of_a_day(void **state)
{
    (void)state;
    for (int second = 0; second < SECONDS_PER_DAY; second++) {
        char text[INVIG_TIME_TEXT_BYTES];
        invig_time_format(1795478400 + second, text);
        int found = (text[11] - '0') * 36000 + (text[12] - '0') * 3600 + (text[14] - '0') * 600 +
                    (text[15] - '0') * 60 + (text[17] - '0') * 10 + (text[18] - '0');
        assert_int_equal(found, second);
        assert_memory_equal(text, "2026-11-24T", 11);
        assert_string_equal(text + 19, "Z");
    }
}

static void test_end_words(void **state)
{
    (void)state;
    assert_string_equal(invig_end_word(INVIG_END_SUPERSEDED), "SUPERSEDED");
    assert_string_equal(invig_end_word(INVIG_END_REVOKED), "REVOKED");
    assert_string_equal(invig_end_word(INVIG_END_EXPIRED), "EXPIRED");
    assert_string_equal(invig_end_word(INVIG_END_NONE), "NONE");
    assert_string_equal(invig_end_word((enum invig_end)99), "NONE");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_time_format_of_known_times),
        cmocka_unit_test(test_time_format_agrees_with_the_library),
        cmocka_unit_test(test_time_format_of_each_second_of_a_day),
        cmocka_unit_test(test_end_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
