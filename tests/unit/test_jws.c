/* SPDX-License-Identifier: Apache-2.0
 *
 * test_jws.c - what has the outline of a token.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "invigilator/jws.h"

#include <string.h>

struct split_case {
    const char *input;
    bool is_token;
    const char *header;
    const char *payload;
    const char *signature;
    const char *signing_input;
};

static const struct split_case split_cases[] = {
    {"a.b.c", true, "a", "b", "c", "a.b"},
    {"eyJhbGciOiJub25lIn0..", true, "eyJhbGciOiJub25lIn0", "", "", "eyJhbGciOiJub25lIn0."},
    {"a.b.", true, "a", "b", "", "a.b"},
    {"a..c", true, "a", "", "c", "a."},
    {"a+/=.b-_=.c==", true, "a+/=", "b-_=", "c==", "a+/=.b-_="},
    {"", false, NULL, NULL, NULL, NULL},
    {".", false, NULL, NULL, NULL, NULL},
    {"..", false, NULL, NULL, NULL, NULL},
    {".b.c", false, NULL, NULL, NULL, NULL},
    {"a", false, NULL, NULL, NULL, NULL},
    {"a.b", false, NULL, NULL, NULL, NULL},
    {"a.b.c.d", false, NULL, NULL, NULL, NULL},
    {"a.b.c.d.e", false, NULL, NULL, NULL, NULL},
    {"a.b.c.", false, NULL, NULL, NULL, NULL},
    {"a b.c.d", false, NULL, NULL, NULL, NULL},
    {"a.b.c\n", false, NULL, NULL, NULL, NULL},
    {"a.b.c\xC3\xA4", false, NULL, NULL, NULL, NULL},
    {"hunter2.is!.short", false, NULL, NULL, NULL, NULL},
};

static void assert_text(struct invig_text text, const char *expected)
{
    assert_non_null(text.data);
    assert_int_equal(text.length, strlen(expected));
    assert_memory_equal(text.data, expected, text.length);
}

static void test_jws_split_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof split_cases / sizeof split_cases[0]; i++) {
        const struct split_case *c = &split_cases[i];
        struct invig_jws jws;

        print_message("%s\n", c->input);
        memset(&jws, 0xEE, sizeof jws);
        assert_int_equal(invig_jws_split(invig_text_of(c->input), &jws), c->is_token);
        if (c->is_token) {
            assert_text(jws.header, c->header);
            assert_text(jws.payload, c->payload);
            assert_text(jws.signature, c->signature);
            assert_text(jws.signing_input, c->signing_input);
        } else {
            assert_null(jws.header.data);
            assert_null(jws.signing_input.data);
            assert_int_equal(jws.signature.length, 0);
        }
    }
}

static void test_jws_split_keeps_to_length(void **state)
{
    struct invig_jws jws;

    (void)state;
    assert_true(invig_jws_split((struct invig_text){"a.b.cd.e", 6}, &jws));
    assert_text(jws.signature, "cd");
    assert_false(invig_jws_split((struct invig_text){"a.b\0.c", 6}, &jws));
    assert_false(invig_jws_split((struct invig_text){0}, &jws));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jws_split_table),
        cmocka_unit_test(test_jws_split_keeps_to_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
