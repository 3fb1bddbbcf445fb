/* SPDX-License-Identifier: Apache-2.0
 *
 * test_table.c - columns for people: widths, cuts, what must not reach a terminal; and times.
 */
#include "explain.h"
#include "explain_private.h"
#include "table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static struct tool_table table;

static int teardown(void **state)
{
    (void)state;
    tool_table_deinit(&table);
    return 0;
}

static void begin(void)
{
    static const char *const titles[] = {"NAME", "N", "LAST"};

    tool_table_init(&table, titles, 3, 1U << 1);
}

static void row(const char *name, int64_t number, const char *last)
{
    tool_table_add(&table, invig_text_of(name));
    tool_table_add_number(&table, number);
    tool_table_add(&table, invig_text_of(last));
}

static void expect_print(size_t width, const char *expected)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);

    assert_non_null(stream);
    tool_table_print(&table, width, stream);
    assert_int_equal(fclose(stream), 0);
    assert_string_equal(text, expected);
    free(text);
}

static void test_table_aligns(void **state)
{
    (void)state;
    begin();
    row("anna", 7, "x");
    row("b", -1234, NULL);
    tool_table_add_flag(&table, true);
    tool_table_add_flag(&table, false);
    tool_table_add(&table, invig_text_of(""));
    expect_print(0, "NAME      N  LAST\n"
                    "anna      7  x\n"
                    "b     -1234  -\n"
                    "yes       -  \n");
}

static void test_table_empty(void **state)
{
    (void)state;
    begin();
    expect_print(0, "NAME  N  LAST\n");
}

static void test_table_escapes(void **state)
{
    (void)state;
    begin();
    tool_table_add(&table, (struct invig_text){"a\0b", 3});
    tool_table_add(&table, invig_text_of("\033[31m\n"));
    tool_table_add(&table, invig_text_of("\xFF\xE2\x80\xAE"));
    expect_print(0, "NAME               N  LAST\n"
                    "a\\x00b  \\x1b[31m\\x0a  \\xff\\xe2\\x80\\xae\n");
}

/* Umlauts are one column, ideographs two, combining marks none. */
static void test_table_widths(void **state)
{
    (void)state;
    begin();
    row("\xC3\xBC\xC3\xBC", 1, "x");
    row("\xE6\xBC\xA2\xE5\xAD\x97\xE6\xBC\xA2", 2, "y");
    row("e\xCC\x81", 3, "z");
    expect_print(0, "NAME    N  LAST\n"
                    "\xC3\xBC\xC3\xBC      1  x\n"
                    "\xE6\xBC\xA2\xE5\xAD\x97\xE6\xBC\xA2  2  y\n"
                    "e\xCC\x81       3  z\n");
    assert_int_equal(tool_text_width("e\xCC\x81\xE6\xBC\xA2"), 3);
    assert_int_equal(tool_text_width(""), 0);
}

static void test_table_fits(void **state)
{
    (void)state;
    begin();
    row("a-long-name-of-somebody", 5, "short");
    row("\xE6\xBC\xA2\xE5\xAD\x97\xE6\xBC\xA2\xE5\xAD\x97\xE6\xBC\xA2\xE5\xAD\x97\xE6\xBC\xA2", 6,
        "x");
    expect_print(20, "NAME        N  LAST\n"
                     "a-long-...  5  short\n"
                     "\xE6\xBC\xA2\xE5\xAD\x97\xE6\xBC\xA2...   6  x\n");
    /* There is a width below which nothing can be read. */
    expect_print(1, "NAME    N  LAST\n"
                    "a-l...  5  short\n"
                    "\xE6\xBC\xA2...   6  x\n");
}

static void test_table_cuts_the_last(void **state)
{
    (void)state;
    begin();
    row("a", 5, "0123456789");
    expect_print(16, "NAME  N  LAST\n"
                     "a     5  0123...\n");
}

static void test_table_grows(void **state)
{
    (void)state;
    begin();
    for (int i = 0; i < 1000; i++) {
        row("name", i, "last");
    }
    assert_false(table.is_incomplete);
    assert_int_equal(table.count, 3003);
    assert_string_equal(table.cells[3001], "999");
}

static void test_table_long_cell(void **state)
{
    char *text = malloc(5001);

    (void)state;
    assert_non_null(text);
    memset(text, '\001', 5000);
    text[5000] = '\0';
    begin();
    tool_table_add(&table, invig_text_of(text));
    free(text);
    assert_false(table.is_incomplete);
    assert_true(strlen(table.cells[3]) < 4200);
}

static void test_reasons_have_words(void **state)
{
    (void)state;
    for (int i = 0; i < INVIG_REASON_COUNT; i++) {
        assert_non_null(tool_explain_reason((enum invig_reason)i));
    }
    assert_string_equal(tool_explain_reason(INVIG_REASON_COUNT), "unknown");
}

static void test_times(void **state)
{
    static const struct {
        const char *text;
        int64_t time_s;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1970-03-01T00:00:00Z", 5097600},
        {"2000-02-29T12:00:00Z", 951825600},
        {"2100-03-01T00:00:00Z", 4107542400},
        {"2030-03-17T17:46:40.9Z", 1900000000},
        {"9999-12-31T23:59:59Z", 253402300799},
    };
    int64_t time_s;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(tool_time_read(cases[i].text, &time_s));
        assert_int_equal(time_s, cases[i].time_s);
    }
    assert_false(tool_time_read("1969-12-31T23:59:59Z", &time_s));
    assert_false(tool_time_read("2030-03-17 17:46:40Z", &time_s));
    assert_false(tool_time_read("now", &time_s));
    assert_false(tool_time_read("", &time_s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_table_aligns, teardown),
        cmocka_unit_test_teardown(test_table_empty, teardown),
        cmocka_unit_test_teardown(test_table_escapes, teardown),
        cmocka_unit_test_teardown(test_table_widths, teardown),
        cmocka_unit_test_teardown(test_table_fits, teardown),
        cmocka_unit_test_teardown(test_table_cuts_the_last, teardown),
        cmocka_unit_test_teardown(test_table_grows, teardown),
        cmocka_unit_test_teardown(test_table_long_cell, teardown),
        cmocka_unit_test(test_reasons_have_words),
        cmocka_unit_test(test_times),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
