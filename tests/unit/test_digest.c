/* SPDX-License-Identifier: Apache-2.0
 *
 * test_digest.c - SHA-256 of the messages in NIST's examples for FIPS 180-4.
 */
#include "digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

static void assert_digest(const void *data, size_t length, const char *expected)
{
    unsigned char digest[INVIG_SHA256_BYTES];
    char hex[2 * INVIG_SHA256_BYTES + 1];

    memset(digest, 0xEE, sizeof digest);
    assert_true(invig_digest_sha256(data, length, digest));
    for (size_t i = 0; i < sizeof digest; i++) {
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    }
    assert_string_equal(hex, expected);
}

static void test_digest_vectors(void **state)
{
    static const struct {
        const char *message;
        const char *expected;
    } rows[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
         "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
         "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        assert_digest(rows[i].message, strlen(rows[i].message), rows[i].expected);
    }
    assert_digest(NULL, 0, rows[0].expected);
    assert_digest("abcd", 3, rows[1].expected);
}

static void test_digest_million(void **state)
{
    enum { LENGTH = 1000000 };
    char *message = malloc(LENGTH);

    (void)state;
    assert_non_null(message);
    memset(message, 'a', LENGTH);
    assert_digest(message, LENGTH,
                  "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(message);
}

static void test_digest_counts_nul(void **state)
{
    (void)state;
    assert_digest("\0", 1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
}

/* Without a provider that has SHA-256, OpenSSL fails as it does when memory is out. */
static void test_digest_failure(void **state)
{
    static const unsigned char zeros[INVIG_SHA256_BYTES];
    unsigned char digest[INVIG_SHA256_BYTES];

    (void)state;
    memset(digest, 0xEE, sizeof digest);
    assert_int_equal(EVP_set_default_properties(NULL, "provider=nobody"), 1);
    bool is_made = invig_digest_sha256("abc", 3, digest);
    assert_int_equal(EVP_set_default_properties(NULL, ""), 1);
    assert_false(is_made);
    assert_memory_equal(digest, zeros, sizeof zeros);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_digest_vectors),
        cmocka_unit_test(test_digest_million),
        cmocka_unit_test(test_digest_counts_nul),
        cmocka_unit_test(test_digest_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
