/* SPDX-License-Identifier: Apache-2.0
 *
 * test_json.c - key sets and string lists.
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

/* What the callback saw: one line a key. */
struct seen {
    size_t count;
    char lines[8][256];
};

static void append(char *line, const char *name, struct invig_text text)
{
    size_t length = strlen(line);

    if (text.data != NULL) {
        snprintf(line + length, 256 - length, "%s=%.*s;", name, (int)text.length, text.data);
    }
}

static void remember(void *context, size_t index, const struct invig_jwk *jwk)
{
    struct seen *seen = context;
    char *line = seen->lines[index];

    assert_int_equal(index, seen->count);
    seen->count++;
    append(line, "kty", jwk->kty);
    append(line, "kid", jwk->kid);
    append(line, "use", jwk->use);
    append(line, "alg", jwk->alg);
    append(line, "crv", jwk->crv);
    append(line, "x", jwk->x);
    append(line, "y", jwk->y);
    append(line, "n", jwk->n);
    append(line, "e", jwk->e);
    append(line, "k", jwk->k);
    append(line, "ops", invig_text_of(jwk->has_key_ops ? "yes" : NULL));
    append(line, "verify", invig_text_of(jwk->may_verify ? "yes" : NULL));
    append(line, "malformed", invig_text_of(jwk->is_malformed ? "yes" : NULL));
}

static enum invig_status read_jwks(const char *text, struct seen *seen)
{
    memset(seen, 0, sizeof *seen);
    return invig_json_read_jwks(invig_text_of(text), 8, remember, seen);
}

static void test_json_jwks_members(void **state)
{
    static const struct {
        const char *key;
        const char *expected;
    } rows[] = {
        {"{\"kty\":\"RSA\",\"n\":\"N\",\"e\":\"E\"}", "kty=RSA;n=N;e=E;verify=yes;"},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"X\",\"y\":\"Y\",\"kid\":\"\"}",
         "kty=EC;kid=;crv=P-256;x=X;y=Y;verify=yes;"},
        {"{\"k\\u0074y\":\"oct\",\"k\":\"K\",\"use\":\"sig\",\"alg\":\"HS256\",\"x5c\":[1]}",
         "kty=oct;use=sig;alg=HS256;k=K;verify=yes;"},
        {"{\"key_ops\":[\"sign\",\"verify\"]}", "ops=yes;verify=yes;"},
        {"{\"key_ops\":[\"sign\"]}", "ops=yes;"},
        {"{\"key_ops\":[]}", "ops=yes;"},
        {"{\"key_ops\":[1,null]}", "ops=yes;"},
        {"{\"key_ops\":\"verify\"}", "ops=yes;"},
        {"{\"key_ops\":null}", "ops=yes;"},
        {"{}", "verify=yes;"},
        {"{\"kid\":1}", "verify=yes;malformed=yes;"},
        {"{\"kid\":null}", "verify=yes;malformed=yes;"},
        {"{\"n\":[\"N\"]}", "verify=yes;malformed=yes;"},
        {"[]", "malformed=yes;"},
        {"null", "malformed=yes;"},
        {"\"RSA\"", "malformed=yes;"},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        char text[512];
        struct seen seen;
        snprintf(text, sizeof text, " {\"more\":{},\"keys\":[%s , %s]}\n", rows[i].key,
                 rows[i].key);
        assert_int_equal(read_jwks(text, &seen), INVIG_OK);
        assert_int_equal(seen.count, 2);
        assert_string_equal(seen.lines[0], rows[i].expected);
        assert_string_equal(seen.lines[1], rows[i].expected);
    }
}

static void test_json_jwks_refuses(void **state)
{
    static const char *const texts[] = {
        "",
        "null",
        "[]",
        "\"keys\"",
        "{}",
        "{\"keys\":{}}",
        "{\"keys\":null}",
        "{\"Keys\":[]}",
        "{\"keys\":[],}",
        "{\"keys\":[]} x",
        "{\"keys\":[]}{\"keys\":[]}",
        "{\"keys\":[NaN]}",
        "{'keys':[]}",
        "{\"keys\":[]/**/}",
        "{\"keys\":[],\"keys\":[]}",
        "{\"keys\":[],\"k\\u0065ys\":[]}",
        "{\"keys\":[{\"kid\":\"a\",\"kid\":\"a\"}]}",
        "{\"keys\":[{\"kid\":\"a\",\"\\u006bid\":\"b\"}]}",
        "{\"keys\":[],\"a\":{\"b\":[{\"c\":1,\"c\":{\"d\":1}}]}}",
        "{\"keys\":[],\"a\":{\"b\":{\"c\":1},\"b\":1}}",
        "{\"keys\":[{\"kid\":\"\xFF\"}]}",
        "{\"keys\":[{\"kid\":\"\\ud800\"}]}",
        "{\"keys\\u0000\":[]}",
        "{\"keys\":[1,2,3,4,5,6,7,8,9]}",
        "{\"keys\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}",
    };

    (void)state;
    for (size_t i = 0; i < ROWS(texts); i++) {
        struct seen seen;
        print_message("%s\n", texts[i]);
        assert_int_equal(read_jwks(texts[i], &seen), INVIG_ERR_FORMAT);
        assert_int_equal(seen.count, 0);
    }
}

static void test_json_jwks_limits(void **state)
{
    struct seen seen;

    (void)state;
    assert_int_equal(read_jwks("{\"keys\":[]}", &seen), INVIG_OK);
    assert_int_equal(seen.count, 0);
    assert_int_equal(read_jwks("{\"keys\":[1,2,3,4,5,6,7,8]}", &seen), INVIG_OK);
    assert_int_equal(seen.count, 8);
    /* Numbers beyond what json-c can hold do no harm where nobody reads them. */
    assert_int_equal(read_jwks("{\"keys\":[],\"a\":[1e999,99999999999999999999,-0,1e-999]}", &seen),
                     INVIG_OK);
    /* 32 levels: the object and 31 arrays. */
    assert_int_equal(read_jwks("{\"keys\":[],\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
                               "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}",
                               &seen),
                     INVIG_OK);
    assert_int_equal(invig_json_read_jwks((struct invig_text){0}, 8, remember, &seen),
                     INVIG_ERR_FORMAT);
}

static void test_json_is_object_with(void **state)
{
    static const struct {
        const char *text;
        bool expected;
    } rows[] = {
        {"{\"alg\":\"none\"}", true},
        {"{\"alg\":null}", true},
        {"{\"\\u0061lg\":1}", true},
        {" {\"x\":1,\"alg\":1,\"alg\":2}", true},
        {"{\"alg\":\"\xFF\"}", true},
        {"{\"alg\":\"\\u0000\"}", true},
        {"{\"alg\":1,}", true},
        {"{\"alg\":1} x", true},
        {"{}", false},
        {"{\"ALG\":1}", false},
        {"{\"a\":{\"alg\":1}}", false},
        {"[{\"alg\":1}]", false},
        {"\"alg\"", false},
        {"{\"alg\":1", false},
        {"{\"alg\"", false},
        {"alg", false},
        {"null", false},
        {"", false},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        print_message("%s\n", rows[i].text);
        assert_int_equal(invig_json_is_object_with(invig_text_of(rows[i].text), "alg"),
                         rows[i].expected);
    }
    assert_false(invig_json_is_object_with((struct invig_text){0}, "alg"));
    assert_false(invig_json_is_object_with((struct invig_text){"{\"alg\":1}", 8}, "alg"));
}

/* Too deep to look into: an object counts as a header, an array does not. */
static void test_json_is_object_with_depth(void **state)
{
    static char text[100001];

    (void)state;
    memset(text, '[', sizeof text - 1);
    assert_false(invig_json_is_object_with(invig_text_of(text), "alg"));
    memcpy(text, "{\"a\":", 5);
    assert_true(invig_json_is_object_with(invig_text_of(text), "alg"));
}

static void assert_strings(const char *text, const char *joined)
{
    struct invig_value value;
    struct invig_json_strings *strings;
    char line[256] = "";

    memset(&value, 0xEE, sizeof value);
    invig_json_read_strings(invig_text_of(text), &value, &strings);
    assert_int_equal(value.kind, INVIG_VALUE_STRINGS);
    assert_non_null(strings);
    for (size_t i = 0; i < value.string_count; i++) {
        append(line, "", value.strings[i]);
    }
    assert_string_equal(line, joined);
    invig_json_strings_free(strings);
}

static void test_json_strings(void **state)
{
    (void)state;
    assert_strings("[]", "");
    assert_strings(" [ \"a\" , \"\" , \"\\u00e4\" ] ", "=a;=;=\xC3\xA4;");
    assert_strings("[\"a\",\"a\"]", "=a;=a;");
    invig_json_strings_free(NULL);
}

static void test_json_strings_refuses(void **state)
{
    static const char *const texts[] = {"",
                                        "1",
                                        "\"a\"",
                                        "null",
                                        "{\"0\":\"a\"}",
                                        "[1]",
                                        "[\"a\",1]",
                                        "[null]",
                                        "[[\"a\"]]",
                                        "[\"a\",]",
                                        "[\"a\"] x",
                                        "[\"\\u0000\"]",
                                        "[\"a\\u0000b\"]",
                                        "[\"\xFF\"]"};

    (void)state;
    for (size_t i = 0; i < ROWS(texts); i++) {
        struct invig_value value;
        struct invig_json_strings *strings;
        print_message("%s\n", texts[i]);
        invig_json_read_strings(invig_text_of(texts[i]), &value, &strings);
        assert_int_equal(value.kind, INVIG_VALUE_OTHER);
        assert_int_equal(value.string_count, 0);
        assert_null(strings);
    }
}

static void test_json_strings_limit(void **state)
{
    (void)state;
    for (size_t count = INVIG_VALUE_STRINGS_MAX; count <= INVIG_VALUE_STRINGS_MAX + 1; count++) {
        char text[1024] = "[\"a\"";
        struct invig_value value;
        struct invig_json_strings *strings;
        for (size_t i = 1; i < count; i++) {
            strncat(text, ",\"b\"", sizeof text - strlen(text) - 1);
        }
        strncat(text, "]", sizeof text - strlen(text) - 1);
        invig_json_read_strings(invig_text_of(text), &value, &strings);
        assert_int_equal(value.kind, count <= INVIG_VALUE_STRINGS_MAX ? INVIG_VALUE_STRINGS
                                                                      : INVIG_VALUE_OTHER);
        invig_json_strings_free(strings);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_jwks_members),
        cmocka_unit_test(test_json_jwks_refuses),
        cmocka_unit_test(test_json_jwks_limits),
        cmocka_unit_test(test_json_is_object_with),
        cmocka_unit_test(test_json_is_object_with_depth),
        cmocka_unit_test(test_json_strings),
        cmocka_unit_test(test_json_strings_refuses),
        cmocka_unit_test(test_json_strings_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
