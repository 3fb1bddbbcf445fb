/* SPDX-License-Identifier: Apache-2.0
 *
 * test_jsontext.c - the grammar of RFC 8259.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "invigilator/jsontext.h"

#include <string.h>

static bool check(struct invig_text text, size_t *out_count)
{
    return invig_jsontext_check(text, 4, out_count);
}

static const struct {
    const char *text;
    size_t members;
} good[] = {
    {"null", 0},
    {"true", 0},
    {"false", 0},
    {"0", 0},
    {"-0", 0},
    {"10", 0},
    {"1.5", 0},
    {"-1.50e-07", 0},
    {"1E+9", 0},
    {"\"\"", 0},
    {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\"", 0},
    {"\"\\u0000\"", 0},
    {"\"\\uD83D\\uDE00\"", 0},
    {"\"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\x7F\"", 0},
    {"[]", 0},
    {"{}", 0},
    {" \t\r\n[ 1 , 2 ] ", 0},
    {"{\"a\":1}", 1},
    {"{ \"a\" : { \"b\" : [ { } ] } , \"a\" : \"x:y\" }", 3},
    {"[[[[]]]]", 0},
    {"[[],[[]],[[[]]],{},[[],[]],{\"a\":[[]]},[],[]]", 1},
    {"[{\"a\":1},{\"a\":1,\"b\":{\"c\":2}}]", 4},
};

static const char *const bad[] = {"",
                                  " ",
                                  "nul",
                                  "nulll",
                                  "True",
                                  "NaN",
                                  "Infinity",
                                  "-",
                                  "+1",
                                  "01",
                                  "-01",
                                  "1.",
                                  ".5",
                                  "1e",
                                  "1e+",
                                  "0x10",
                                  "1 2",
                                  "\"",
                                  "\"\\",
                                  "\"\\\"",
                                  "\"a\nb\"",
                                  "\"a\tb\"",
                                  "\"\x1F\"",
                                  "\"\\a\"",
                                  "\"\\'\"",
                                  "\"\\u12\"",
                                  "\"\\u12G4\"",
                                  "\"\\uD83D\"",
                                  "\"\\uD83Dx\"",
                                  "\"\\uD83D\\n\"",
                                  "\"\\uD83D\\u0041\"",
                                  "\"\\uDE00\"",
                                  "\"\xFF\"",
                                  "\"\xC3\"",
                                  "\"\xC0\x80\"",
                                  "\"\xED\xA0\x80\"",
                                  "\xEF\xBB\xBF{}",
                                  "\xC2\xA0{}",
                                  "\v{}",
                                  "'a'",
                                  "[",
                                  "]",
                                  "[1",
                                  "[1,",
                                  "[1,]",
                                  "[,1]",
                                  "[1 2]",
                                  "[1}",
                                  "{",
                                  "{\"a\"",
                                  "{\"a\":",
                                  "{\"a\":1",
                                  "{\"a\":1,",
                                  "{\"a\":1,}",
                                  "{\"a\":1]",
                                  "{a:1}",
                                  "{1:1}",
                                  "{\"a\" 1}",
                                  "{\"a\":}",
                                  "{\"a\\u0000\":1}",
                                  "{} {}",
                                  "{}x",
                                  "/* */{}",
                                  "{}//",
                                  "[[[[[]]]]]"};

static void test_jsontext_accepts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        size_t count = 99;
        print_message("%s\n", good[i].text);
        assert_true(check(invig_text_of(good[i].text), &count));
        assert_int_equal(count, good[i].members);
    }
}

static void test_jsontext_refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        size_t count = 99;
        print_message("%s\n", bad[i]);
        assert_false(check(invig_text_of(bad[i]), &count));
        assert_int_equal(count, 0);
    }
}

static void test_jsontext_keeps_to_length(void **state)
{
    size_t count;

    (void)state;
    assert_true(check((struct invig_text){"[1]]", 3}, &count));
    assert_false(check((struct invig_text){"\"ab\"", 3}, &count));
    assert_false(check((struct invig_text){"tru", 3}, &count));
    assert_false(check((struct invig_text){"{}\0", 3}, &count));
    assert_false(check((struct invig_text){"\"\0\"", 3}, &count));
    assert_false(check((struct invig_text){0}, &count));
}

/* No prefix of a JSON object is one. */
static void test_jsontext_refuses_every_prefix(void **state)
{
    static const char text[] =
        "{\"a\":[1.5e3,\"\\uD83D\\uDE00\xE2\x82\xAC\",{\"b\":null,\"c\":[true,false]}]}";
    size_t count;

    (void)state;
    assert_true(check(invig_text_of(text), &count));
    for (size_t length = 0; length < strlen(text); length++) {
        assert_false(check((struct invig_text){text, length}, &count));
    }
}

static void test_jsontext_bounds_depth(void **state)
{
    static char text[200001];
    size_t count;

    (void)state;
    memset(text, '[', 100000);
    memset(text + 100000, ']', 100000);
    assert_false(check(invig_text_of(text), &count));
    assert_true(invig_jsontext_check((struct invig_text){text + 99968, 64}, 32, &count));
    assert_false(invig_jsontext_check((struct invig_text){text + 99967, 66}, 32, &count));
    assert_false(invig_jsontext_check(invig_text_of("[]"), 0, &count));
    assert_true(invig_jsontext_check(invig_text_of("1"), 0, &count));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jsontext_accepts),
        cmocka_unit_test(test_jsontext_refuses),
        cmocka_unit_test(test_jsontext_keeps_to_length),
        cmocka_unit_test(test_jsontext_refuses_every_prefix),
        cmocka_unit_test(test_jsontext_bounds_depth),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
