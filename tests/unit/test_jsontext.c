/* SPDX-License-Identifier: Apache-2.0
 *
 * test_jsontext.c - the grammar of RFC 8259, and the members of an object.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "invigilator/jsontext.h"

#include <stdlib.h>
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

/* The members as they are written, one a line: name=value. */
static const struct {
    const char *object;
    const char *expected;
} members[] = {
    {"{}", ""},
    {" \t\r\n{ \n } ", ""},
    {"{\"a\":1}", "\"a\"=1\n"},
    {"{\"a\":1,\"b\":null,\"c\":true}", "\"a\"=1\n\"b\"=null\n\"c\"=true\n"},
    {" { \"a\" : -1.5e3 ,\n\"b\"\t:\"x\" } ", "\"a\"=-1.5e3\n\"b\"=\"x\"\n"},
    {"{\"a\":{\"b\":1,\"c\":[2,{\"d\":3}]},\"e\":[ {} , [] ]}",
     "\"a\"={\"b\":1,\"c\":[2,{\"d\":3}]}\n\"e\"=[ {} , [] ]\n"},
    {"{\"{,\\\"}\":\"}\\\\\",\"\":\"\\\",\\\"b\\\":{\"}",
     "\"{,\\\"}\"=\"}\\\\\"\n\"\"=\"\\\",\\\"b\\\":{\"\n"},
    {"{\"\\u0061\":\"\\u0000\",\"a\":2,\"a\":3}", "\"\\u0061\"=\"\\u0000\"\n\"a\"=2\n\"a\"=3\n"},
    {"{\"\xC3\xA4\":\"\xE2\x82\xAC\"}", "\"\xC3\xA4\"=\"\xE2\x82\xAC\"\n"},
};

static void append(char *out, struct invig_text text, const char *end)
{
    strncat(out, text.data, text.length);
    strcat(out, end);
}

/* The text is in memory of its size, so that a sanitizer sees a read behind it. */
static void list_members(const char *object, char *out)
{
    size_t length = strlen(object);
    char *copy = malloc(length == 0 ? 1 : length);
    struct invig_text rest = {copy, length};
    struct invig_text name;
    struct invig_text value;

    assert_non_null(copy);
    memcpy(copy, object, length);
    out[0] = '\0';
    while (invig_jsontext_take_member(&rest, &name, &value)) {
        append(out, name, "=");
        append(out, value, "\n");
    }
    free(copy);
}

static void test_jsontext_members_as_written(void **state)
{
    size_t count;

    (void)state;
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        char found[200];
        assert_true(check(invig_text_of(members[i].object), &count));
        list_members(members[i].object, found);
        assert_string_equal(found, members[i].expected);
    }
}

/* What is no object, or broken off, ends the list. */
static void test_jsontext_members_of_other_text(void **state)
{
    static const char *const rows[] = {
        "", " ", "1", "null", "[]", "[{\"a\":1}]", "\"{\"", "{", "{\"a", "{\"a\"", "{\"a\":", "{1",
    };
    struct invig_text absent = {NULL, 0};
    struct invig_text name;
    struct invig_text value;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char found[200];
        list_members(rows[i], found);
        assert_string_equal(found, "");
    }
    assert_false(invig_jsontext_take_member(&absent, &name, &value));
}

static void test_jsontext_names_however_escaped(void **state)
{
    static const struct {
        const char *name;
        const char *word;
        bool expected;
    } rows[] = {
        {"\"access\"", "access", true},
        {"\"\\u0061ccess\"", "access", true},
        {"\"acces\\u0073\"", "access", true},
        {"\"\\u0061\\u0063\\u0063\\u0065\\u0073\\u0073\"", "access", true},
        {"\"\\u006A\\u006b\"", "jk", true},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t/\"", "\"\\/\b\f\n\r\t/", true},
        {"\"\"", "", true},
        {"\"\"", "access", false},
        {"\"access\"", "", false},
        {"\"Access\"", "access", false},
        {"\"\\u0041ccess\"", "access", false},
        {"\"acces\"", "access", false},
        {"\"accesss\"", "access", false},
        {"\"access\\u0073\"", "access", false},
        {"\"access\\\"\"", "access", false},
        {"\" access\"", "access", false},
        {"\"\\\\u0061ccess\"", "access", false},
        {"\"\xC3\xA1"
         "ccess\"",
         "access", false},
        {"\"\\uFF41ccess\"", "access", false},
        {"\"\\u0161ccess\"", "access", false},
        {"\"\\uD83D\\uDE00\"", "a", false},
        {"\"\\n\"", "n", false},
        {"\"\\q\"", "q", false},
        {"\"acces\\", "access", false},
        {"\"acces\\u", "access", false},
        {"access", "access", false},
        {"\"access", "access", false},
        {"\"access\\", "access", false},
        {"\"access\"x", "access", false},
        {"", "", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (invig_jsontext_name_is(invig_text_of(rows[i].name), rows[i].word) != rows[i].expected) {
            fail_msg("%s, %s", rows[i].name, rows[i].word);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jsontext_accepts),
        cmocka_unit_test(test_jsontext_refuses),
        cmocka_unit_test(test_jsontext_keeps_to_length),
        cmocka_unit_test(test_jsontext_refuses_every_prefix),
        cmocka_unit_test(test_jsontext_bounds_depth),
        cmocka_unit_test(test_jsontext_members_as_written),
        cmocka_unit_test(test_jsontext_members_of_other_text),
        cmocka_unit_test(test_jsontext_names_however_escaped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
