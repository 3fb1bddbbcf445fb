/* SPDX-License-Identifier: Apache-2.0
 *
 * test_json_object.c - objects, what their members hold, and lists of commands.
 */
#include "json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

static void append(char *line, const char *name, struct invig_text text)
{
    size_t length = strlen(line);

    if (text.data != NULL) {
        snprintf(line + length, 256 - length, "%s=%.*s;", name, (int)text.length, text.data);
    }
}

static struct invig_json_object *read_object(const char *text)
{
    struct invig_json_object *object = NULL;

    assert_int_equal(invig_json_read_object(invig_text_of(text), &object), INVIG_OK);
    assert_non_null(object);
    return object;
}

/* Whatever was there before is overwritten. */
static struct invig_value get(const struct invig_value_source *source, const char *name)
{
    struct invig_value value;

    memset(&value, 0xEE, sizeof value);
    source->get(source->context, name, &value);
    assert_true(value.kind == INVIG_VALUE_STRING || value.string.data == NULL);
    assert_true(value.kind == INVIG_VALUE_INTEGER || value.integer == 0);
    assert_true(value.kind == INVIG_VALUE_BOOLEAN || !value.boolean);
    assert_true(value.kind == INVIG_VALUE_STRINGS || value.string_count == 0);
    return value;
}

static void test_json_object_values(void **state)
{
    static const struct {
        const char *text;
        enum invig_value_kind kind;
        int64_t integer;    /* of an integer, or 1 for true */
        const char *string; /* or the strings, joined */
    } rows[] = {
        {"\"\"", INVIG_VALUE_STRING, 0, "=;"},
        {"\"a\\u00e4/\"", INVIG_VALUE_STRING, 0, "=a\xC3\xA4/;"},
        {"\"1\"", INVIG_VALUE_STRING, 0, "=1;"},
        {"\"true\"", INVIG_VALUE_STRING, 0, "=true;"},
        {"\"\\u0000\"", INVIG_VALUE_OTHER, 0, ""},
        {"\"a\\u0000b\"", INVIG_VALUE_OTHER, 0, ""},
        {"0", INVIG_VALUE_INTEGER, 0, ""},
        {"-1", INVIG_VALUE_INTEGER, -1, ""},
        {"253402300799", INVIG_VALUE_INTEGER, 253402300799, ""},
        {"9223372036854775806", INVIG_VALUE_INTEGER, INT64_MAX - 1, ""},
        {"9223372036854775807", INVIG_VALUE_OTHER, 0, ""},
        {"9223372036854775808", INVIG_VALUE_OTHER, 0, ""},
        {"18446744073709551615", INVIG_VALUE_OTHER, 0, ""},
        {"18446744073709551616", INVIG_VALUE_OTHER, 0, ""},
        {"99999999999999999999999999", INVIG_VALUE_OTHER, 0, ""},
        {"-9223372036854775807", INVIG_VALUE_INTEGER, -INT64_MAX, ""},
        {"-9223372036854775808", INVIG_VALUE_OTHER, 0, ""},
        {"-9223372036854775809", INVIG_VALUE_OTHER, 0, ""},
        {"-99999999999999999999999999", INVIG_VALUE_OTHER, 0, ""},
        {"1.0", INVIG_VALUE_OTHER, 0, ""},
        {"1e3", INVIG_VALUE_OTHER, 0, ""},
        {"1E3", INVIG_VALUE_OTHER, 0, ""},
        {"0.0", INVIG_VALUE_OTHER, 0, ""},
        {"0e0", INVIG_VALUE_OTHER, 0, ""},
        {"1e300", INVIG_VALUE_OTHER, 0, ""},
        {"1e999", INVIG_VALUE_OTHER, 0, ""},
        {"true", INVIG_VALUE_BOOLEAN, 1, ""},
        {"false", INVIG_VALUE_BOOLEAN, 0, ""},
        {"null", INVIG_VALUE_NULL, 0, ""},
        {"[]", INVIG_VALUE_STRINGS, 0, ""},
        {"[\"a\",\"\"]", INVIG_VALUE_STRINGS, 0, "=a;=;"},
        {"[\"a\",1]", INVIG_VALUE_OTHER, 0, ""},
        {"[\"a\",null]", INVIG_VALUE_OTHER, 0, ""},
        {"[\"a\",\"\\u0000\"]", INVIG_VALUE_OTHER, 0, ""},
        {"{}", INVIG_VALUE_OTHER, 0, ""},
        {"{\"a\":\"b\"}", INVIG_VALUE_OTHER, 0, ""},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        char text[256];
        char line[256] = "";
        snprintf(text, sizeof text, " {\"other\":true,\"n\\u0061me\": %s }\n", rows[i].text);
        print_message("%s\n", rows[i].text);
        struct invig_json_object *object = read_object(text);
        struct invig_value_source source = invig_json_object_source(object);
        struct invig_value value = get(&source, "name");
        assert_int_equal(value.kind, rows[i].kind);
        assert_int_equal(value.integer + (value.boolean ? 1 : 0), rows[i].integer);
        append(line, "", value.string);
        for (size_t k = 0; k < value.string_count; k++) {
            append(line, "", value.strings[k]);
        }
        assert_string_equal(line, rows[i].string);
        assert_int_equal(source.member_count, 2);
        assert_int_equal(get(&source, "Name").kind, INVIG_VALUE_ABSENT);
        assert_int_equal(get(&source, "").kind, INVIG_VALUE_ABSENT);
        invig_json_object_free(object);
    }
    invig_json_object_free(NULL);
}

static void test_json_object_members(void **state)
{
    struct invig_json_object *object = read_object("{}");
    struct invig_value_source source = invig_json_object_source(object);

    (void)state;
    assert_int_equal(source.member_count, 0);
    assert_int_equal(get(&source, "a").kind, INVIG_VALUE_ABSENT);
    invig_json_object_free(object);

    /* Members further inside are none of the object's; texts live as long as the object. */
    object = read_object("{\"a\":{\"x\":1,\"y\":2},\"\":\"empty\",\"b\":\"text\"}");
    source = invig_json_object_source(object);
    assert_int_equal(source.member_count, 3);
    struct invig_value empty = get(&source, "");
    assert_int_equal(get(&source, "x").kind, INVIG_VALUE_ABSENT);
    assert_true(invig_text_equal(get(&source, "b").string, invig_text_of("text")));
    assert_true(invig_text_equal(empty.string, invig_text_of("empty")));
    invig_json_object_free(object);
}

static void test_json_object_refuses(void **state)
{
    static const char *const texts[] = {
        "",
        "null",
        "1",
        "[]",
        "[{}]",
        "\"{}\"",
        "{",
        "{}{}",
        "{} x",
        "{\"a\":1,}",
        "{'a':1}",
        "{a:1}",
        "{\"a\":NaN}",
        "{\"a\":01}",
        "{\"a\":TRUE}",
        "{\"a\":1/**/}",
        "{\"a\":1,\"a\":1}",
        "{\"a\":1,\"\\u0061\":2}",
        "{\"a\":{\"b\":1,\"b\":1}}",
        "{\"a\":[{\"b\":1,\"b\":1}]}",
        "{\"a\":\"\xFF\"}",
        "{\"\xFF\":1}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\\u0000\":1}",
        "{\"a\":\"\n\"}",
        "\xEF\xBB\xBF{}",
        "{\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}",
    };

    (void)state;
    for (size_t i = 0; i < ROWS(texts); i++) {
        struct invig_json_object *object = (struct invig_json_object *)&state;
        print_message("%s\n", texts[i]);
        assert_int_equal(invig_json_read_object(invig_text_of(texts[i]), &object),
                         INVIG_ERR_FORMAT);
        assert_null(object);
    }
    struct invig_json_object *object = (struct invig_json_object *)&state;
    assert_int_equal(invig_json_read_object((struct invig_text){0}, &object), INVIG_ERR_FORMAT);
    assert_null(object);
    assert_int_equal(invig_json_read_object((struct invig_text){"{}\0", 3}, &object),
                     INVIG_ERR_FORMAT);
}

/* What the callback saw: one line a command. */
struct seen {
    size_t count;
    char lines[8][256];
};

static void remember_command(void *context, const struct invig_value_source *source)
{
    struct seen *seen = context;
    char *line = seen->lines[seen->count++];
    struct invig_value value = get(source, "command");

    append(line, "command", value.string);
    snprintf(line + strlen(line), 256 - strlen(line), "%zu", source->member_count);
}

static enum invig_status read_commands(const char *text, struct seen *seen)
{
    memset(seen, 0, sizeof *seen);
    return invig_json_read_commands(invig_text_of(text), 4, remember_command, seen);
}

static void test_json_object_commands(void **state)
{
    struct seen seen;

    (void)state;
    assert_int_equal(read_commands("{\"commands\":[{\"command\":\"getStats\"}]}", &seen), INVIG_OK);
    assert_int_equal(seen.count, 1);
    assert_string_equal(seen.lines[0], "command=getStats;1");
    assert_int_equal(read_commands(" { \"c\\u006fmmands\" : [ {\"command\":\"a\",\"b\":{\"c\":1}} ,"
                                   " {} , {\"commands\":[],\"x\":1,\"y\":2},"
                                   " {\"command\":\"b\"} ] } ",
                                   &seen),
                     INVIG_OK);
    assert_int_equal(seen.count, 4);
    assert_string_equal(seen.lines[0], "command=a;2");
    assert_string_equal(seen.lines[1], "0");
    assert_string_equal(seen.lines[2], "3");
    assert_string_equal(seen.lines[3], "command=b;1");
}

/* One that is no object is a command without members; the others stay as they are. */
static void test_json_object_commands_that_are_no_objects(void **state)
{
    static const char *const values[] = {"null",        "true", "1",       "1.5",
                                         "\"command\"", "[]",   "[[1,2]]", "[{\"command\":\"x\"}]"};

    (void)state;
    for (size_t i = 0; i < ROWS(values); i++) {
        char text[256];
        struct seen seen;
        snprintf(text, sizeof text, "{\"commands\":[%s,{\"command\":\"a\"}]}", values[i]);
        assert_int_equal(read_commands(text, &seen), INVIG_OK);
        assert_int_equal(seen.count, 2);
        assert_string_equal(seen.lines[0], "0");
        assert_string_equal(seen.lines[1], "command=a;1");
    }
}

static void test_json_object_commands_refuses(void **state)
{
    static const char *const texts[] = {
        "",
        "null",
        "[]",
        "[{\"command\":\"a\"}]",
        "{}",
        "{\"command\":\"a\"}",
        "{\"Commands\":[{}]}",
        "{\"commands\":[]}",
        "{\"commands\":null}",
        "{\"commands\":{}}",
        "{\"commands\":{\"command\":\"a\"}}",
        "{\"commands\":\"a\"}",
        "{\"commands\":[{},{},{},{},{}]}",
        "{\"commands\":[{}],\"more\":1}",
        "{\"more\":1,\"commands\":[{}]}",
        "{\"commands\":[{}],\"commands\":[{}]}",
        "{\"commands\":[{\"a\":1,\"a\":1}]}",
        "{\"commands\":[{},]}",
        "{\"commands\":[{}]}x",
        "{\"commands\":[{}]",
        "{\"commands\":[\"\xFF\"]}",
    };

    (void)state;
    for (size_t i = 0; i < ROWS(texts); i++) {
        struct seen seen;
        print_message("%s\n", texts[i]);
        assert_int_equal(read_commands(texts[i], &seen), INVIG_ERR_FORMAT);
        assert_int_equal(seen.count, 0);
    }
    struct seen seen = {0};
    assert_int_equal(invig_json_read_commands((struct invig_text){0}, 4, remember_command, &seen),
                     INVIG_ERR_FORMAT);
    assert_int_equal(seen.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_object_values),
        cmocka_unit_test(test_json_object_members),
        cmocka_unit_test(test_json_object_refuses),
        cmocka_unit_test(test_json_object_commands),
        cmocka_unit_test(test_json_object_commands_that_are_no_objects),
        cmocka_unit_test(test_json_object_commands_refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
