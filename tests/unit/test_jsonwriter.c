/* SPDX-License-Identifier: Apache-2.0
 *
 * test_jsonwriter.c - documents, misuse, and what happens when memory is out.
 *
 * The build wraps the functions of json-c that allocate, so that single calls can be made to fail
 * and pieces of the text can be made to be missing.
 */
#include "jsonwriter.h"

#include "invigilator/jsontext.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

enum { GRANT_ALL = -1 };

/* Calls that still succeed before one fails; all that follow succeed again. */
static int granted = GRANT_ALL;
/* Where a piece is left out of the text, and how long it is. */
static size_t hole_at;
static size_t hole_length;

static bool call_is_granted(void)
{
    if (granted == GRANT_ALL) {
        return true;
    }
    granted--;
    return granted >= 0;
}

/* The linker calls these __wrap_ and __real_. */
#define WRAP(type, name, parameters, arguments, failure)                                           \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        return call_is_granted() ? __real_##name arguments : (failure);                            \
    }

WRAP(struct json_object *, json_object_new_object, (void), (), NULL)
WRAP(struct json_object *, json_object_new_array, (void), (), NULL)
WRAP(struct json_object *, json_object_new_string_len, (const char *text, int length),
     (text, length), NULL)
WRAP(struct json_object *, json_object_new_int64, (int64_t value), (value), NULL)
WRAP(struct json_object *, json_object_new_boolean, (json_bool value), (value), NULL)
WRAP(int, json_object_array_add, (struct json_object * array, struct json_object *value),
     (array, value), -1)
WRAP(int, json_object_object_add,
     (struct json_object * object, const char *name, struct json_object *value),
     (object, name, value), -1)
WRAP(struct json_tokener *, json_tokener_new_ex, (int depth), (depth), NULL)
WRAP(struct json_object *, json_tokener_parse_ex,
     (struct json_tokener * tokener, const char *text, int length), (tokener, text, length), NULL)

const char *__real_json_object_to_json_string_ext(struct json_object *object, int flags);
const char *__wrap_json_object_to_json_string_ext(struct json_object *object, int flags);

const char *__wrap_json_object_to_json_string_ext(struct json_object *object, int flags)
{
    static char holey[1024];

    if (!call_is_granted()) {
        return NULL;
    }
    const char *text = __real_json_object_to_json_string_ext(object, flags);
    if (hole_length == 0) {
        return text;
    }
    assert_true(hole_at + hole_length <= strlen(text) && strlen(text) < sizeof holey);
    snprintf(holey, sizeof holey, "%.*s%s", (int)hole_at, text, text + hole_at + hole_length);
    return holey;
}

struct fixture {
    struct invig_jsonwriter *document;
    const struct invig_writer *writer;
};

static int setup(void **state)
{
    static struct fixture fixture;

    granted = GRANT_ALL;
    hole_length = 0;
    fixture.document = invig_jsonwriter_new();
    assert_non_null(fixture.document);
    fixture.writer = invig_jsonwriter_writer(fixture.document);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    granted = GRANT_ALL;
    hole_length = 0;
    invig_jsonwriter_free(fixture->document);
    return 0;
}

/* Starts over. */
static void renew(struct fixture *fixture)
{
    void *state = fixture;

    (void)teardown(&state);
    (void)setup(&state);
}

static void begin_object(const struct fixture *fixture, const char *name)
{
    fixture->writer->begin_object(fixture->writer->context, name);
}

static void begin_array(const struct fixture *fixture, const char *name)
{
    fixture->writer->begin_array(fixture->writer->context, name);
}

static void end(const struct fixture *fixture)
{
    fixture->writer->end(fixture->writer->context);
}

static void put_text(const struct fixture *fixture, const char *name, struct invig_text value)
{
    fixture->writer->string(fixture->writer->context, name, value);
}

static void put_string(const struct fixture *fixture, const char *name, const char *value)
{
    put_text(fixture, name, invig_text_of(value));
}

static void put_integer(const struct fixture *fixture, const char *name, int64_t value)
{
    fixture->writer->integer(fixture->writer->context, name, value);
}

static void put_boolean(const struct fixture *fixture, const char *name, bool value)
{
    fixture->writer->boolean(fixture->writer->context, name, value);
}

static void assert_document(const struct fixture *fixture, const char *expected)
{
    char *text = invig_jsonwriter_finish(fixture->document);
    size_t member_count;

    assert_non_null(text);
    assert_string_equal(text, expected);
    assert_true(invig_jsontext_check(invig_text_of(text), 16, &member_count));
    free(text);
}

static void assert_failed(const struct fixture *fixture)
{
    assert_null(invig_jsonwriter_finish(fixture->document));
}

/* A document with everything in it. */
static void write_all(const struct fixture *fixture)
{
    begin_object(fixture, NULL);
    put_string(fixture, "zeta", "a\"b\\c/d\n\x01\x7F");
    put_string(fixture, "alpha", NULL);
    begin_array(fixture, "list");
    put_integer(fixture, NULL, 0);
    put_integer(fixture, NULL, INT64_MIN);
    put_string(fixture, NULL, "\xC3\xA4\xF0\x9F\x98\x80");
    put_string(fixture, NULL, NULL);
    put_boolean(fixture, NULL, true);
    begin_object(fixture, NULL);
    put_integer(fixture, "max", INT64_MAX);
    end(fixture);
    begin_array(fixture, NULL);
    end(fixture);
    end(fixture);
    begin_object(fixture, "empty");
    end(fixture);
    put_boolean(fixture, "a", false);
    put_string(fixture, "bad", "x\xFFy");
    end(fixture);
}

static const char ALL[] = "{\"zeta\":\"a\\\"b\\\\c/d\\n\\u0001\x7F\",\"alpha\":null,"
                          "\"list\":[0,-9223372036854775808,\"\xC3\xA4\xF0\x9F\x98\x80\",null,true,"
                          "{\"max\":9223372036854775807},[]],"
                          "\"empty\":{},\"a\":false,\"bad\":\"x\xEF\xBF\xBDy\"}";

static void test_jsonwriter_document(void **state)
{
    const struct fixture *fixture = *state;

    write_all(fixture);
    assert_document(fixture, ALL);
    assert_document(fixture, ALL); /* it may be asked for again */
}

static void test_jsonwriter_strings(void **state)
{
#define TEXT(literal)                                                                              \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }
#define FFFD "\xEF\xBF\xBD"
    static const struct {
        struct invig_text value;
        const char *expected;
    } rows[] = {
        {{NULL, 0}, "[null]"},
        {{NULL, 3}, "[null]"},
        {TEXT(""), "[\"\"]"},
        {{"abc", 2}, "[\"ab\"]"},
        {TEXT("a\0b"), "[\"a\\u0000b\"]"},
        {TEXT("\0"), "[\"\\u0000\"]"},
        {TEXT("</script>"), "[\"</script>\"]"},
        {TEXT("\b\f\n\r\t\x1F"), "[\"\\b\\f\\n\\r\\t\\u001f\"]"},
        {TEXT("\xE2\x80\xA8"), "[\"\xE2\x80\xA8\"]"},
        {TEXT("\xEF\xBF\xBF"), "[\"\xEF\xBF\xBF\"]"},
        {TEXT("\xFF"), "[\"" FFFD "\"]"},
        {TEXT("\x80\xC3\xA4\xFE"), "[\"" FFFD "\xC3\xA4" FFFD "\"]"},
        {TEXT("a\xC3"), "[\"a" FFFD "\"]"},                          /* cut short */
        {TEXT("\xC0\x80"), "[\"" FFFD FFFD "\"]"},                   /* overlong */
        {TEXT("\xED\xA0\x80"), "[\"" FFFD FFFD FFFD "\"]"},          /* a surrogate */
        {TEXT("\xF4\x90\x80\x80"), "[\"" FFFD FFFD FFFD FFFD "\"]"}, /* above U+10FFFF */
        {TEXT("\xE2\x82\"\xFF\\"), "[\"" FFFD FFFD "\\\"" FFFD "\\\\\"]"},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct fixture *fixture = *state;
        begin_array(fixture, NULL);
        put_text(fixture, NULL, rows[i].value);
        end(fixture);
        assert_document(fixture, rows[i].expected);
        renew(fixture);
    }
}

/* What is written on its own is a document too. */
static void test_jsonwriter_bare_values(void **state)
{
    struct fixture *fixture = *state;

    put_string(fixture, NULL, "a");
    assert_document(fixture, "\"a\"");
    put_string(fixture, NULL, "b");
    assert_failed(fixture);
    renew(fixture);
    put_integer(fixture, NULL, -12);
    assert_document(fixture, "-12");
    renew(fixture);
    put_boolean(fixture, NULL, true);
    assert_document(fixture, "true");
    renew(fixture);
    put_string(fixture, NULL, NULL);
    assert_document(fixture, "null");
    begin_object(fixture, NULL);
    end(fixture);
    assert_failed(fixture);
}

static void nest(const struct fixture *fixture, size_t depth)
{
    begin_object(fixture, NULL);
    for (size_t i = 1; i < depth; i++) {
        if (i % 2 == 1) {
            begin_array(fixture, "a");
        } else {
            begin_object(fixture, NULL);
        }
    }
    for (size_t i = 0; i < depth; i++) {
        end(fixture);
    }
}

static void test_jsonwriter_depth(void **state)
{
    struct fixture *fixture = *state;

    nest(fixture, 16);
    assert_document(fixture, "{\"a\":[{\"a\":[{\"a\":[{\"a\":[{\"a\":[{\"a\":[{\"a\":[{\"a\":[]"
                             "}]}]}]}]}]}]}]}");
    renew(fixture);
    nest(fixture, 17);
    assert_failed(fixture);
}

static void test_jsonwriter_needs_its_ends(void **state)
{
    struct fixture *fixture = *state;

    assert_failed(fixture);
    begin_object(fixture, NULL);
    assert_failed(fixture);
    begin_array(fixture, "a");
    end(fixture);
    assert_failed(fixture);
    end(fixture);
    assert_document(fixture, "{\"a\":[]}"); /* too early was no error */
    end(fixture);
    assert_failed(fixture);
}

static void misuse_name_in_array(const struct fixture *fixture)
{
    put_integer(fixture, "list", 1);
}

static void misuse_named_object_in_array(const struct fixture *fixture)
{
    begin_object(fixture, "list");
    end(fixture);
}

static void misuse_end(const struct fixture *fixture)
{
    end(fixture);
    end(fixture);
    end(fixture);
    begin_object(fixture, NULL);
    begin_array(fixture, "list");
}

static void misuse_no_name(const struct fixture *fixture)
{
    begin_object(fixture, NULL);
    put_boolean(fixture, NULL, true);
    end(fixture);
}

static void misuse_no_name_for_array(const struct fixture *fixture)
{
    begin_object(fixture, NULL);
    begin_array(fixture, NULL);
    end(fixture);
    end(fixture);
}

static void misuse_same_name(const struct fixture *fixture)
{
    begin_object(fixture, NULL);
    put_string(fixture, "a", NULL);
    put_string(fixture, "a", "b");
    end(fixture);
}

static void misuse_name_of_document(const struct fixture *fixture)
{
    end(fixture);
    end(fixture);
    begin_object(fixture, "name");
}

static void misuse_name_not_utf8(const struct fixture *fixture)
{
    begin_object(fixture, NULL);
    put_integer(fixture, "\xFF", 1);
    end(fixture);
}

/* A document with a mistake is none, whatever follows. */
static void test_jsonwriter_misuse(void **state)
{
    static void (*const misuses[])(const struct fixture *) = {
        misuse_name_in_array,    misuse_named_object_in_array, misuse_end,
        misuse_no_name,          misuse_no_name_for_array,     misuse_same_name,
        misuse_name_of_document, misuse_name_not_utf8,
    };

    for (size_t i = 0; i < ROWS(misuses); i++) {
        struct fixture *fixture = *state;
        begin_object(fixture, NULL);
        begin_array(fixture, "list");
        misuses[i](fixture);
        end(fixture);
        end(fixture);
        if (invig_jsonwriter_finish(fixture->document) != NULL) {
            fail_msg("misuse %zu passes", i);
        }
        renew(fixture);
    }
    invig_jsonwriter_free(NULL);
}

/* Misuse in the first call, where there is nothing yet. */
static void test_jsonwriter_misuse_at_once(void **state)
{
    struct fixture *fixture = *state;

    put_integer(fixture, "a", 1);
    assert_failed(fixture);
    put_integer(fixture, NULL, 1);
    assert_failed(fixture);
    renew(fixture);
    end(fixture);
    put_integer(fixture, NULL, 1);
    assert_failed(fixture);
}

/* Each call that allocates fails once; the document is never one with something missing. */
static void test_jsonwriter_without_memory(void **state)
{
    struct fixture *fixture = *state;
    int calls = 0;

    for (;; calls++) {
        assert_true(calls < 1000);
        renew(fixture);
        granted = calls;
        write_all(fixture);
        char *text = invig_jsonwriter_finish(fixture->document);
        if (granted >= 0) { /* none has failed */
            assert_non_null(text);
            free(text);
            break;
        }
        if (text != NULL) {
            fail_msg("call %d fails, and yet: %s", calls, text);
        }
    }
    assert_int_equal(calls, 13 + 14 + 3); /* values, places for them and the nulls, the text */
}

/* Bytes without which the text is still the same JSON: there are none. */
static void test_jsonwriter_finds_holes(void **state)
{
    struct fixture *fixture = *state;

    write_all(fixture);
    for (hole_length = 1; hole_length <= strlen(ALL); hole_length++) {
        for (hole_at = 0; hole_at + hole_length <= strlen(ALL); hole_at++) {
            char *text = invig_jsonwriter_finish(fixture->document);
            if (text != NULL) {
                fail_msg("%zu bytes missing at %zu: %s", hole_length, hole_at, text);
            }
        }
    }
    hole_length = 0;
    assert_document(fixture, ALL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_jsonwriter_document, setup, teardown),
        cmocka_unit_test_setup_teardown(test_jsonwriter_strings, setup, teardown),
        cmocka_unit_test_setup_teardown(test_jsonwriter_bare_values, setup, teardown),
        cmocka_unit_test_setup_teardown(test_jsonwriter_depth, setup, teardown),
        cmocka_unit_test_setup_teardown(test_jsonwriter_needs_its_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(test_jsonwriter_misuse, setup, teardown),
        cmocka_unit_test_setup_teardown(test_jsonwriter_misuse_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_jsonwriter_without_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_jsonwriter_finds_holes, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
