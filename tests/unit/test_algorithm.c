/* SPDX-License-Identifier: Apache-2.0
 *
 * test_algorithm.c - names, key types and sets of algorithms.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "invigilator/algorithm.h"

#include <stdlib.h>

/* The table again, by hand: RFC 7518 section 3.1. */
static const struct {
    const char *name;
    enum invig_algorithm algorithm;
    enum invig_key_type type;
    size_t hash_bytes;
} rows[] = {
    {"HS256", INVIG_ALGORITHM_HS256, INVIG_KEY_SECRET, 32},
    {"HS384", INVIG_ALGORITHM_HS384, INVIG_KEY_SECRET, 48},
    {"HS512", INVIG_ALGORITHM_HS512, INVIG_KEY_SECRET, 64},
    {"RS256", INVIG_ALGORITHM_RS256, INVIG_KEY_RSA, 32},
    {"RS384", INVIG_ALGORITHM_RS384, INVIG_KEY_RSA, 48},
    {"RS512", INVIG_ALGORITHM_RS512, INVIG_KEY_RSA, 64},
    {"PS256", INVIG_ALGORITHM_PS256, INVIG_KEY_RSA, 32},
    {"PS384", INVIG_ALGORITHM_PS384, INVIG_KEY_RSA, 48},
    {"PS512", INVIG_ALGORITHM_PS512, INVIG_KEY_RSA, 64},
    {"ES256", INVIG_ALGORITHM_ES256, INVIG_KEY_EC_P256, 32},
    {"ES384", INVIG_ALGORITHM_ES384, INVIG_KEY_EC_P384, 48},
    {"ES512", INVIG_ALGORITHM_ES512, INVIG_KEY_EC_P521, 64},
};

static invig_algorithm_set set_of(const enum invig_algorithm *algorithms, size_t count)
{
    invig_algorithm_set set = 0;

    for (size_t i = 0; i < count; i++) {
        set |= (invig_algorithm_set)1U << algorithms[i];
    }
    return set;
}

static void test_algorithm_table(void **state)
{
    (void)state;
    assert_int_equal(sizeof rows / sizeof rows[0], INVIG_ALGORITHM_COUNT - 1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(invig_algorithm_find(invig_text_of(rows[i].name)), rows[i].algorithm);
        assert_string_equal(invig_algorithm_name(rows[i].algorithm), rows[i].name);
        assert_int_equal(invig_algorithm_key_type(rows[i].algorithm), rows[i].type);
        assert_int_equal(invig_algorithm_hash_bytes(rows[i].algorithm), rows[i].hash_bytes);
    }
}

static void test_algorithm_find_refuses_other_names(void **state)
{
    static const char *const names[] = {"none",  "None",   "NONE", "nOnE",   "",      "hs256",
                                        "Rs256", "HS256 ", "HS25", "HS2566", "EdDSA", "ES256K"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_int_equal(invig_algorithm_find(invig_text_of(names[i])), INVIG_ALGORITHM_NONE);
    }
    assert_int_equal(invig_algorithm_find((struct invig_text){0}), INVIG_ALGORITHM_NONE);
    assert_int_equal(invig_algorithm_find((struct invig_text){"HS256\0", 6}), INVIG_ALGORITHM_NONE);
}

static void test_algorithm_numbers_out_of_range(void **state)
{
    static const int numbers[] = {-1, INVIG_ALGORITHM_NONE, INVIG_ALGORITHM_COUNT, 31, 32, 1000};

    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        enum invig_algorithm algorithm = (enum invig_algorithm)numbers[i];
        assert_string_equal(invig_algorithm_name(algorithm), "none");
        assert_int_equal(invig_algorithm_key_type(algorithm), INVIG_KEY_NONE);
        assert_int_equal(invig_algorithm_hash_bytes(algorithm), 0);
        assert_false(invig_algorithm_set_has(UINT32_MAX, algorithm));
    }
}

static void test_algorithm_set_has(void **state)
{
    const invig_algorithm_set set = 1U << INVIG_ALGORITHM_RS256 | 1U << INVIG_ALGORITHM_ES512;

    (void)state;
    assert_true(invig_algorithm_set_has(set, INVIG_ALGORITHM_RS256));
    assert_true(invig_algorithm_set_has(set, INVIG_ALGORITHM_ES512));
    assert_false(invig_algorithm_set_has(set, INVIG_ALGORITHM_RS384));
    assert_false(invig_algorithm_set_has(0, INVIG_ALGORITHM_RS256));
}

static void test_algorithm_set_for_key_types(void **state)
{
    static const enum invig_algorithm rsa[] = {INVIG_ALGORITHM_RS256, INVIG_ALGORITHM_RS384,
                                               INVIG_ALGORITHM_RS512, INVIG_ALGORITHM_PS256,
                                               INVIG_ALGORITHM_PS384, INVIG_ALGORITHM_PS512};
    static const enum invig_algorithm secret[] = {INVIG_ALGORITHM_HS256, INVIG_ALGORITHM_HS384,
                                                  INVIG_ALGORITHM_HS512};

    (void)state;
    assert_int_equal(invig_algorithm_set_for(INVIG_KEY_NONE, 100), 0);
    assert_int_equal(invig_algorithm_set_for(INVIG_KEY_RSA, 0), set_of(rsa, 6));
    assert_int_equal(invig_algorithm_set_for(INVIG_KEY_EC_P256, 0), 1U << INVIG_ALGORITHM_ES256);
    assert_int_equal(invig_algorithm_set_for(INVIG_KEY_EC_P384, 0), 1U << INVIG_ALGORITHM_ES384);
    assert_int_equal(invig_algorithm_set_for(INVIG_KEY_EC_P521, 0), 1U << INVIG_ALGORITHM_ES512);
    assert_int_equal(invig_algorithm_set_for(INVIG_KEY_SECRET, 0), 0);
    assert_int_equal(invig_algorithm_set_for(INVIG_KEY_SECRET, 31), 0);
    assert_int_equal(invig_algorithm_set_for(INVIG_KEY_SECRET, 32), set_of(secret, 1));
    assert_int_equal(invig_algorithm_set_for(INVIG_KEY_SECRET, 47), set_of(secret, 1));
    assert_int_equal(invig_algorithm_set_for(INVIG_KEY_SECRET, 48), set_of(secret, 2));
    assert_int_equal(invig_algorithm_set_for(INVIG_KEY_SECRET, 63), set_of(secret, 2));
    assert_int_equal(invig_algorithm_set_for(INVIG_KEY_SECRET, 64), set_of(secret, 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_algorithm_table),
        cmocka_unit_test(test_algorithm_find_refuses_other_names),
        cmocka_unit_test(test_algorithm_numbers_out_of_range),
        cmocka_unit_test(test_algorithm_set_has),
        cmocka_unit_test(test_algorithm_set_for_key_types),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
