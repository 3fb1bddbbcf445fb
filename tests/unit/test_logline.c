/* SPDX-License-Identifier: Apache-2.0
 *
 * test_logline.c - what hostile text looks like in a log line, and that a line never overflows.
 */
#include "invigilator/logline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))
#define TEXT(string)                                                                               \
    {                                                                                              \
        string, sizeof(string) - 1                                                                 \
    }

/* A line is one line of printable UTF-8, ended by NUL where its length says. */
static void assert_line_is_valid(const struct invig_logline *line)
{
    assert_true(line->length < sizeof line->text);
    assert_int_equal(strlen(line->text), line->length);
    struct invig_text rest = {line->text, line->length};
    while (rest.length > 0) {
        int32_t c = invig_text_next_code_point(&rest);
        assert_true(c >= 0);
        assert_false(invig_code_point_is_control(c));
        assert_false((c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E));
        assert_false((c >= 0x2060 && c <= 0x206F) || c == 0xFEFF || c == 0x061C);
        assert_false(c >= 0xE0000 && c <= 0xE007F);
    }
}

static void test_logline_begins_with_event(void **state)
{
    struct invig_logline line;

    (void)state;
    invig_logline_init(&line, "accepted");
    assert_string_equal(line.text, "invigilator: accepted");
    assert_line_is_valid(&line);
}

static void test_logline_values(void **state)
{
    static const struct {
        struct invig_text value;
        const char *expected;
    } rows[] = {
        {TEXT("anna"), "k=anna"},
        {TEXT(""), "k=\"\""},
        {TEXT("Anna Huber"), "k=\"Anna Huber\""},
        {TEXT("a=b"), "k=\"a=b\""},
        {TEXT("say \"x\""), "k=\"say \\\"x\\\"\""},
        {TEXT("\""), "k=\"\\\"\""},
        {TEXT("a\\b"), "k=\"a\\\\b\""},
        {TEXT("\\x0a"), "k=\"\\\\x0a\""},
        {TEXT("a\nb"), "k=a\\x0ab"},
        {TEXT("a\r\nb c"), "k=\"a\\x0d\\x0ab c\""},
        {TEXT("\x1b[31m"), "k=\\x1b[31m"},
        {TEXT("\t\x7f\0"), "k=\\x09\\x7f\\x00"},
        {TEXT("\xC2\x9B"
              "1m"),
         "k=\\xc2\\x9b1m"}, /* U+009B, which begins an escape sequence */
        {TEXT("\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"), "k=\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"},
        {TEXT("\xD8\x9C"), "k=\\xd8\\x9c"},                   /* U+061C */
        {TEXT("\xC2\xA0"), "k=\\xc2\\xa0"},                   /* U+00A0 */
        {TEXT("\xC2\xA1"), "k=\xC2\xA1"},                     /* U+00A1 */
        {TEXT("\xC2\xAD"), "k=\\xc2\\xad"},                   /* U+00AD */
        {TEXT("\xE1\x9A\x80"), "k=\\xe1\\x9a\\x80"},          /* U+1680 */
        {TEXT("\xE3\x80\x80"), "k=\\xe3\\x80\\x80"},          /* U+3000 */
        {TEXT("\xEF\xBF\xB9"), "k=\\xef\\xbf\\xb9"},          /* U+FFF9 */
        {TEXT("\xE2\x80\x80"), "k=\\xe2\\x80\\x80"},          /* U+2000 */
        {TEXT("\xE2\x80\x8B"), "k=\\xe2\\x80\\x8b"},          /* U+200B */
        {TEXT("\xE2\x80\x8F"), "k=\\xe2\\x80\\x8f"},          /* U+200F */
        {TEXT("\xE2\x80\x90"), "k=\xE2\x80\x90"},             /* U+2010 */
        {TEXT("\xE2\x80\xA7"), "k=\xE2\x80\xA7"},             /* U+2027 */
        {TEXT("\xE2\x80\xA8"), "k=\\xe2\\x80\\xa8"},          /* U+2028 */
        {TEXT("\xE2\x80\xAE"), "k=\\xe2\\x80\\xae"},          /* U+202E */
        {TEXT("\xE2\x80\xAF"), "k=\\xe2\\x80\\xaf"},          /* U+202F */
        {TEXT("\xE2\x80\xB0"), "k=\xE2\x80\xB0"},             /* U+2030 */
        {TEXT("\xE2\x81\x9E"), "k=\xE2\x81\x9E"},             /* U+205E */
        {TEXT("\xE2\x81\x9F"), "k=\\xe2\\x81\\x9f"},          /* U+205F */
        {TEXT("\xE2\x81\xA0"), "k=\\xe2\\x81\\xa0"},          /* U+2060 */
        {TEXT("\xE2\x81\xA9"), "k=\\xe2\\x81\\xa9"},          /* U+2069 */
        {TEXT("\xE2\x81\xB0"), "k=\xE2\x81\xB0"},             /* U+2070 */
        {TEXT("\xEF\xBB\xBF"), "k=\\xef\\xbb\\xbf"},          /* U+FEFF */
        {TEXT("\xF3\xA0\x81\x81"), "k=\\xf3\\xa0\\x81\\x81"}, /* U+E0041 */
        {TEXT("a\xFF\xC3"), "k=a\\xff\\xc3"},                 /* not UTF-8 */
        {TEXT("\xC0\x8A"), "k=\\xc0\\x8a"},                   /* overlong newline */
        {TEXT("\xED\xA0\x80z"), "k=\\xed\\xa0\\x80z"},        /* a surrogate */
        {TEXT("\xE2\x82\xC3\xA4"), "k=\\xe2\\x82\xC3\xA4"},   /* resumes at the next */
        {TEXT("x invigilator: accepted"), "k=\"x invigilator: accepted\""},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct invig_logline line;
        invig_logline_init(&line, "e");
        invig_logline_add(&line, "k", rows[i].value);
        assert_line_is_valid(&line);
        assert_memory_equal(line.text, "invigilator: e ", 15);
        assert_string_equal(line.text + 15, rows[i].expected);
    }
}

static void test_logline_absent_value_adds_nothing(void **state)
{
    struct invig_logline line;

    (void)state;
    invig_logline_init(&line, "e");
    invig_logline_add(&line, "k", invig_text_of(NULL));
    assert_string_equal(line.text, "invigilator: e");
}

static void test_logline_numbers(void **state)
{
    struct invig_logline line;

    (void)state;
    invig_logline_init(&line, "e");
    invig_logline_add_number(&line, "a", 0);
    invig_logline_add_number(&line, "b", INT64_MIN);
    invig_logline_add_number(&line, "c", INT64_MAX);
    assert_string_equal(line.text,
                        "invigilator: e a=0 b=-9223372036854775808 c=9223372036854775807");
}

static void test_logline_long_value_is_cut(void **state)
{
    char value[INVIG_LOGLINE_VALUE_BYTES + 1];
    struct invig_logline line;

    (void)state;
    memset(value, 'v', sizeof value);
    invig_logline_init(&line, "e");
    invig_logline_add(&line, "k", (struct invig_text){value, INVIG_LOGLINE_VALUE_BYTES});
    assert_int_equal(line.length, strlen("invigilator: e k=") + INVIG_LOGLINE_VALUE_BYTES);
    assert_null(strchr(line.text, '.'));
    invig_logline_init(&line, "e");
    invig_logline_add(&line, "k", (struct invig_text){value, INVIG_LOGLINE_VALUE_BYTES + 1});
    assert_int_equal(line.length, strlen("invigilator: e k=") + INVIG_LOGLINE_VALUE_BYTES + 3);
    assert_string_equal(line.text + line.length - 4, "v...");
}

/* A character of 2 to 4 bytes at every place around the cut: whole or not there. */
static void test_logline_cut_keeps_characters_whole(void **state)
{
    static const char *const characters[] = {"\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"};

    (void)state;
    for (size_t i = 0; i < ROWS(characters); i++) {
        for (size_t before = INVIG_LOGLINE_VALUE_BYTES - 5; before <= INVIG_LOGLINE_VALUE_BYTES;
             before++) {
            char value[INVIG_LOGLINE_VALUE_BYTES + 32];
            char expected[INVIG_LOGLINE_VALUE_BYTES + 32];
            struct invig_logline line;
            size_t length = strlen(characters[i]);
            bool is_kept = before + length <= INVIG_LOGLINE_VALUE_BYTES;
            memset(value, 'v', sizeof value);
            memcpy(value + before, characters[i], length);
            invig_logline_init(&line, "");
            invig_logline_add(&line, "k", (struct invig_text){value, sizeof value});
            assert_line_is_valid(&line);
            size_t kept = is_kept ? INVIG_LOGLINE_VALUE_BYTES : before;
            memcpy(expected, value, kept);
            memcpy(expected + kept, "...", 4);
            assert_string_equal(line.text + strlen("invigilator:  k="), expected);
        }
    }
}

static void test_logline_takes_64_kilobytes_of_anything(void **state)
{
    static const char fills[] = {'v', ' ', '\n', '"', '\\', '\x1b', '\xFF', '\0', '=', '\x80'};
    enum { BYTES = 65536 };
    char *value = malloc(BYTES);

    (void)state;
    assert_non_null(value);
    for (size_t i = 0; i < ROWS(fills); i++) {
        struct invig_logline line;
        memset(value, fills[i], BYTES);
        invig_logline_init(&line, "e");
        invig_logline_add(&line, "k", (struct invig_text){value, BYTES});
        assert_line_is_valid(&line);
        assert_non_null(strstr(line.text, "..."));
    }
    free(value);
}

/* Values of every escaped length around the end of the line: each is whole or not there. */
static void test_logline_never_overflows(void **state)
{
    char value[INVIG_LOGLINE_VALUE_BYTES];

    (void)state;
    for (size_t length = 0; length <= sizeof value; length++) {
        struct {
            struct invig_logline line;
            char guard[64];
        } box;
        memset(&box, '#', sizeof box);
        memset(value, length % 3 == 0 ? '\n' : 'v', sizeof value);
        invig_logline_init(&box.line, "event");
        for (int i = 0; i < 300; i++) {
            struct invig_logline before = box.line;
            invig_logline_add(&box.line, "key", (struct invig_text){value, length});
            assert_line_is_valid(&box.line);
            assert_memory_equal(box.line.text, before.text, before.length);
            if (box.line.length == before.length) {
                assert_string_equal(box.line.text, before.text);
            }
        }
        assert_true(box.line.length + 4 * length + 8 >= sizeof box.line.text);
        for (size_t i = 0; i < sizeof box.guard; i++) {
            assert_int_equal(box.guard[i], '#');
        }
    }
}

/* The last byte before the NUL can be used, and what follows a value left out may still fit. */
static void test_logline_fills_to_the_last_byte(void **state)
{
    char key[INVIG_LOGLINE_BYTES];
    struct invig_logline line;
    size_t room = INVIG_LOGLINE_BYTES - 1 - strlen("invigilator: e ") - strlen("=v");

    (void)state;
    memset(key, 'k', sizeof key);
    key[room + 1] = '\0';
    invig_logline_init(&line, "e");
    invig_logline_add(&line, key, invig_text_of("v"));
    assert_string_equal(line.text, "invigilator: e");
    invig_logline_add(&line, "short", invig_text_of("v"));
    assert_string_equal(line.text, "invigilator: e short=v");
    key[room] = '\0';
    invig_logline_init(&line, "e");
    invig_logline_add(&line, key, invig_text_of("v"));
    assert_int_equal(line.length, INVIG_LOGLINE_BYTES - 1);
    invig_logline_add(&line, "", invig_text_of(""));
    invig_logline_add_number(&line, "n", 1);
    assert_int_equal(line.length, INVIG_LOGLINE_BYTES - 1);
    assert_line_is_valid(&line);
}

static void test_logline_escape_needs_room_for_all(void **state)
{
    static const struct {
        struct invig_text text;
        size_t bytes_max;
        size_t size;
        bool expected;
        const char *out;
    } rows[] = {
        {TEXT("abc"), 3, 4, true, "abc"},   {TEXT("abc"), 3, 3, false, ""},
        {TEXT("abc"), 2, 6, true, "ab..."}, {TEXT("abc"), 2, 5, false, ""},
        {TEXT("abc"), 0, 4, true, "..."},   {TEXT("\n\n"), 1, 8, true, "\\x0a..."},
        {TEXT("\n\n"), 1, 7, false, ""},    {TEXT("\"\\ "), 9, 99, true, "\\\"\\\\ "},
        {TEXT(""), 9, 1, true, ""},         {{NULL, 0}, 9, 1, true, ""},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        char out[100];
        memset(out, '#', sizeof out);
        assert_int_equal(invig_logline_escape(rows[i].text, rows[i].bytes_max, out, rows[i].size),
                         rows[i].expected);
        assert_string_equal(out, rows[i].out);
        assert_int_equal(out[rows[i].size], '#');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_logline_begins_with_event),
        cmocka_unit_test(test_logline_values),
        cmocka_unit_test(test_logline_absent_value_adds_nothing),
        cmocka_unit_test(test_logline_numbers),
        cmocka_unit_test(test_logline_long_value_is_cut),
        cmocka_unit_test(test_logline_cut_keeps_characters_whole),
        cmocka_unit_test(test_logline_takes_64_kilobytes_of_anything),
        cmocka_unit_test(test_logline_never_overflows),
        cmocka_unit_test(test_logline_fills_to_the_last_byte),
        cmocka_unit_test(test_logline_escape_needs_room_for_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
