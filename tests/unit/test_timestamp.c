/* SPDX-License-Identifier: Apache-2.0
 *
 * test_timestamp.c - times as text, written and checked.
 */
#include "invigilator/timestamp.h"

#include <time.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
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

static bool is_valid(const char *text)
{
    return invig_timestamp_is_valid(invig_text_of(text));
}

static void test_timestamp_valid(void **state)
{
    static const char *const rows[] = {
        "2026-11-24T09:30:00Z",     "2026-11-24T09:30:00.1Z",
        "2026-11-24T09:30:00.123Z", "2026-11-24T09:30:00.123456789Z",
        "2026-11-24T09:30:00.000Z", "0000-01-01T00:00:00Z",
        "0000-02-29T00:00:00Z",     "9999-12-31T23:59:59.999999999Z",
        "2024-02-29T12:00:00Z",     "2000-02-29T12:00:00Z",
        "2016-12-31T23:59:60Z",     "2016-12-31T23:59:60.5Z",
        "2015-06-30T23:59:60Z",     "2023-02-28T23:59:60Z",
        "2024-02-29T23:59:60Z",
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        if (!is_valid(rows[i])) {
            fail_msg("%s was refused", rows[i]);
        }
    }
    assert_int_equal(strlen("2026-11-24T09:30:00.123456789Z"), INVIG_TIMESTAMP_BYTES_MAX);
}

static void test_timestamp_invalid(void **state)
{
    static const char *const rows[] = {
        "",
        "Z",
        "2026-11-24",
        "2026-11-24T09:30Z",
        "2026-11-24T09:30:00",
        "2026-11-24T09:30:00z",
        "2026-11-24t09:30:00Z",
        "2026-11-24 09:30:00Z",
        "2026-11-24T09:30:00+00:00",
        "2026-11-24T09:30:00-00:00",
        "2026-11-24T09:30:00+01:00",
        "2026-11-24T09:30:00ZZ",
        "2026-11-24T09:30:00Z ",
        " 2026-11-24T09:30:00Z",
        "2026-11-24T09:30:00.Z",
        "2026-11-24T09:30:00,5Z",
        "2026-11-24T09:30:00.1234567890Z",
        "2026-11-24T09:30:00.12a4Z",
        "2026-11-24T09:30:00.123",
        "2026-11-24T09:30:00..1Z",
        "2026/11/24T09:30:00Z",
        "2026-11-24T09-30-00Z",
        "20261124T093000Z",
        "26-11-24T09:30:00Z",
        "12026-11-24T09:30:00Z",
        "-026-11-24T09:30:00Z",
        "+026-11-24T09:30:00Z",
        "2026-1-24T09:30:00Z",
        "2026-11-4T09:30:00Z",
        "2026-11-24T9:30:00Z",
        "2026-00-24T09:30:00Z",
        "2026-13-24T09:30:00Z",
        "2026-11-00T09:30:00Z",
        "2026-11-31T09:30:00Z",
        "2026-01-32T09:30:00Z",
        "2026-02-29T09:30:00Z",
        "2100-02-29T09:30:00Z",
        "2024-02-30T09:30:00Z",
        "2026-11-24T24:00:00Z",
        "2026-11-24T09:60:00Z",
        "2026-11-24T09:30:60Z",
        "2026-11-24T09:30:61Z",
        "2016-12-31T23:59:61Z",
        "2016-12-31T23:58:60Z",
        "2016-12-31T22:59:60Z",
        "2016-12-30T23:59:60Z",
        "2024-02-28T23:59:60Z",
        "2026-11-24T09:30:0\xC2\xB2Z",
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        if (is_valid(rows[i])) {
            fail_msg("%s was accepted", rows[i]);
        }
    }
    assert_false(is_valid(NULL));
    assert_false(invig_timestamp_is_valid((struct invig_text){"2026-11-24T09:30:00Z\0", 21}));
    assert_false(invig_timestamp_is_valid((struct invig_text){"2026-11-24T09:30:\0\0Z", 20}));
}

/* Only that many bytes are read: a sanitizer sees one more. */
static void test_timestamp_prefixes_are_invalid(void **state)
{
    static const char text[] = "2026-11-24T09:30:00.123Z";

    (void)state;
    for (size_t length = 0; length < strlen(text); length++) {
        char *copy = malloc(length == 0 ? 1 : length);
        assert_non_null(copy);
        memcpy(copy, text, length);
        assert_false(invig_timestamp_is_valid((struct invig_text){copy, length}));
        free(copy);
    }
}

/* Every day that there may be, against the calendar of invig_time_format, which runs through the
 * days that there are. */
static void test_timestamp_days_are_those_that_are_written(void **state)
{
    int64_t time_s = 0;

    (void)state;
    for (int day = 0; day < 230 * 12 * 33; day++) {
        char next[INVIG_TIME_TEXT_BYTES];
        char text[64];
        snprintf(text, sizeof text, "%04d-%02d-%02dT00:00:00Z", 1970 + day / (12 * 33),
                 day / 33 % 12 + 1, day % 33);
        invig_time_format(time_s, next);
        bool is_written = strcmp(text, next) == 0;
        if (is_valid(text) != is_written) {
            fail_msg("%s, expected %s", text, next);
        }
        time_s += is_written ? SECONDS_PER_DAY : 0;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_time_format_of_known_times),
        cmocka_unit_test(test_time_format_agrees_with_the_library),
        cmocka_unit_test(test_time_format_of_each_second_of_a_day),
        cmocka_unit_test(test_timestamp_valid),
        cmocka_unit_test(test_timestamp_invalid),
        cmocka_unit_test(test_timestamp_prefixes_are_invalid),
        cmocka_unit_test(test_timestamp_days_are_those_that_are_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
