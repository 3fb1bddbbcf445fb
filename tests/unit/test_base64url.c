/* SPDX-License-Identifier: Apache-2.0
 *
 * test_base64url.c - strict and loose decoding.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "invigilator/base64url.h"

#include "mint.h"

#include <stdlib.h>
#include <string.h>

struct decode_case {
    const char *name;
    const char *input;
    ptrdiff_t strict; /* bytes, -1: refused */
    ptrdiff_t loose;
    const char *bytes;
};

static const struct decode_case decode_cases[] = {
    {"empty", "", 0, 0, ""},
    {"RFC 4648 f", "Zg", 1, 1, "f"},
    {"RFC 4648 fo", "Zm8", 2, 2, "fo"},
    {"RFC 4648 foo", "Zm9v", 3, 3, "foo"},
    {"RFC 4648 foobar", "Zm9vYmFy", 6, 6, "foobar"},
    {"the two characters of base64url", "-_-_", 3, 3, "\xfb\xff\xbf"},
    {"the two characters of base64", "+/+/", -1, 3, "\xfb\xff\xbf"},
    {"padding", "Zg==", -1, 1, "f"},
    {"one padding character", "Zm8=", -1, 2, "fo"},
    {"needless padding", "Zm9v=", -1, 3, "foo"},
    {"padding inside", "Zg==Zg", -1, 3, "f\x06\x60"},
    {"one character", "Z", -1, 0, ""},
    {"one character of zero bits", "A", -1, 0, ""},
    {"five characters", "Zm9vY", -1, 3, "foo"},
    {"five characters, the last of zero bits", "Zm9vA", -1, 3, "foo"},
    {"4 bits left over are not zero", "Zh", -1, 1, "f"},
    {"2 bits left over are not zero", "Zm9", -1, 2, "fo"},
    {"space", "Zm 9v", -1, -1, ""},
    {"newline at the end", "Zm9v\n", -1, -1, ""},
    {"dot", "Zm.v", -1, -1, ""},
    {"byte above ASCII", "Zm\xC3\xA9v", -1, -1, ""},
    {"highest byte", "\xFF\xFF\xFF\xFF", -1, -1, ""},
};

static void test_base64url_decode_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof decode_cases / sizeof decode_cases[0]; i++) {
        const struct decode_case *c = &decode_cases[i];
        unsigned char out[32] = {0};

        print_message("%s\n", c->name);
        assert_int_equal(invig_base64url_decode(invig_text_of(c->input), out, sizeof out),
                         c->strict);
        if (c->strict > 0) {
            assert_memory_equal(out, c->bytes, (size_t)c->strict);
        }
        assert_int_equal(invig_base64url_decode_loose(invig_text_of(c->input), out, sizeof out),
                         c->loose);
        if (c->loose > 0) {
            assert_memory_equal(out, c->bytes, (size_t)c->loose);
        }
    }
}

static void test_base64url_refuses_absent(void **state)
{
    unsigned char out[4];

    (void)state;
    assert_int_equal(invig_base64url_decode((struct invig_text){0}, out, sizeof out), -1);
    assert_int_equal(invig_base64url_decode_loose((struct invig_text){0}, out, sizeof out), -1);
}

static void test_base64url_refuses_nul_in_text(void **state)
{
    unsigned char out[8];
    const struct invig_text text = {"Zm9v\0mFy", 8};

    (void)state;
    assert_int_equal(invig_base64url_decode(text, out, sizeof out), -1);
    assert_int_equal(invig_base64url_decode_loose(text, out, sizeof out), -1);
}

/* Nothing is written behind the room that there is. */
static void test_base64url_keeps_to_capacity(void **state)
{
    (void)state;
    for (size_t capacity = 0; capacity < 6; capacity++) {
        unsigned char out[8];
        memset(out, 0xEE, sizeof out);
        assert_int_equal(invig_base64url_decode(invig_text_of("Zm9vYmFy"), out, capacity), -1);
        assert_int_equal(invig_base64url_decode_loose(invig_text_of("Zm9vYmFy"), out, capacity),
                         -1);
        for (size_t i = capacity; i < sizeof out; i++) {
            assert_int_equal(out[i], 0xEE);
        }
    }
    unsigned char exact[6];
    assert_int_equal(invig_base64url_decode(invig_text_of("Zm9vYmFy"), exact, sizeof exact), 6);
}

/* Every length and byte comes back, and exactly one spelling of the last character is taken. */
static void test_base64url_round_trip(void **state)
{
    unsigned char data[256];

    (void)state;
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (unsigned char)(255 - i);
    }
    for (size_t length = 1; length <= sizeof data; length++) {
        unsigned char out[INVIG_BASE64URL_DECODED_MAX(344)];
        char *encoded = mint_base64url(data, length);
        size_t last = strlen(encoded) - 1;
        size_t spellings = 0;
        assert_int_equal(invig_base64url_decode(invig_text_of(encoded), out, sizeof out), length);
        assert_memory_equal(out, data, length);
        for (int c = 1; c < 256; c++) {
            encoded[last] = (char)c;
            ptrdiff_t size = invig_base64url_decode(invig_text_of(encoded), out, sizeof out);
            spellings +=
                size == (ptrdiff_t)length && memcmp(out, data, length) == 0 ? (size_t)1 : 0;
        }
        assert_int_equal(spellings, 1);
        free(encoded);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base64url_decode_table),
        cmocka_unit_test(test_base64url_refuses_absent),
        cmocka_unit_test(test_base64url_refuses_nul_in_text),
        cmocka_unit_test(test_base64url_keeps_to_capacity),
        cmocka_unit_test(test_base64url_round_trip),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
