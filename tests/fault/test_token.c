/* SPDX-License-Identifier: Apache-2.0
 *
 * test_token.c - tokens whose checking meets a fault are refused, whatever they are signed with,
 * and the next time they are accepted: no key is spoilt by it.
 */
#include "fault_run.h"
#include "mint.h"
#include "token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { NOW_S = 1800000000 };

static const char payload[] =
    "{\"sub\":\"anna\",\"sid\":\"s1\",\"exp\":1800003600,\"iat\":1800000000,\"auth_time\":"
    "1800000000,"
    "\"aud\":[\"a\",\"b\"],\"role\":\"student\",\"evaluations\":[\"e1\",\"e2\"]}";
static const char secret[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

static char jwks_path[] = "/tmp/invig_fault_XXXXXX";
static struct mint_key *keys[5]; /* secret, RSA, P-256, P-384, P-521 */
static struct invig_policy policy;
static struct invig_keyring *keyring;

static int all_begin(void **state)
{
    char *jwks[5];
    char text[8192];
    char error[INVIG_POLICY_ERROR_BYTES];
    int fd = mkstemp(jwks_path);

    (void)state;
    keys[0] = mint_key_secret(secret, 64);
    keys[1] = mint_key_rsa(2048);
    keys[2] = mint_key_ec("P-256");
    keys[3] = mint_key_ec("P-384");
    keys[4] = mint_key_ec("P-521");
    for (size_t i = 0; i < COUNT(keys); i++) {
        jwks[i] = mint_jwk(keys[i], "");
    }
    (void)snprintf(text, sizeof(text), "{\"keys\":[%s,%s,%s,%s,%s]}", jwks[0], jwks[1], jwks[2],
                   jwks[3], jwks[4]);
    for (size_t i = 0; i < COUNT(keys); i++) {
        free(jwks[i]);
    }
    (void)close(fd);
    mint_write_file(jwks_path, text, strlen(text), 0600);
    assert_int_equal(invig_policy_init(&policy), INVIG_OK);
    assert_int_equal(invig_policy_set(&policy, "jwt_jwks_file", jwks_path, error), INVIG_OK);
    assert_int_equal(invig_policy_set(&policy, "jwt_audience", "b", error), INVIG_OK);
    assert_int_equal(invig_keyring_new(&policy, UINT32_MAX, NULL, &keyring, error), INVIG_OK);
    assert_int_equal(invig_keyring_count(keyring), COUNT(keys));
    return unlink(jwks_path);
}

static int all_end(void **state)
{
    (void)state;
    invig_keyring_free(keyring);
    invig_policy_deinit(&policy);
    for (size_t i = 0; i < COUNT(keys); i++) {
        mint_key_free(keys[i]);
    }
    return 0;
}

static char *password;
static enum invig_verdict verdict;
static enum invig_verdict expected; /* of the same password without a fault */
static struct invig_claims claims;
static struct invig_refusal refusal;

static void token_check(void)
{
    verdict =
        invig_token_check(keyring, &policy, invig_text_of(password), NOW_S, &claims, &refusal);
}

/* A fault while a claim is read that is no string may come to nothing: it is asked for in two ways.
 */
static void check_verdict(const char *struck)
{
    static struct invig_claims accepted;

    if (struck != NULL && verdict != expected) {
        assert_int_equal(verdict, INVIG_DENY);
        token_check();
    }
    assert_int_equal(verdict, expected);
    assert_int_equal(refusal.reason == INVIG_REASON_NONE, verdict != INVIG_DENY);
    if (struck == NULL) {
        accepted = claims;
    }
    assert_memory_equal(&claims, &accepted, sizeof(claims));
}

static struct mint_key *key_for(enum invig_algorithm algorithm)
{
    switch (invig_algorithm_key_type(algorithm)) {
    case INVIG_KEY_SECRET:
        return keys[0];
    case INVIG_KEY_RSA:
        return keys[1];
    case INVIG_KEY_EC_P256:
        return keys[2];
    case INVIG_KEY_EC_P384:
        return keys[3];
    default:
        return keys[4];
    }
}

static void test_token_of_each_algorithm(void **state)
{
    (void)state;
    expected = INVIG_ALLOW;
    for (int i = INVIG_ALGORITHM_NONE + 1; i < INVIG_ALGORITHM_COUNT; i++) {
        enum invig_algorithm algorithm = (enum invig_algorithm)i;
        char header[64];

        (void)snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"kid\":\"none\"}",
                       invig_algorithm_name(algorithm));
        password = mint_token(key_for(algorithm), algorithm, header, payload);
        expected = INVIG_DENY; /* no key of the set has that id */
        (void)fault_run("unknown key", token_check, check_verdict);
        free(password);
        (void)snprintf(header, sizeof(header), "{\"alg\":\"%s\"}", invig_algorithm_name(algorithm));
        password = mint_token(key_for(algorithm), algorithm, header, payload);
        expected = INVIG_ALLOW;
        (void)fault_run(invig_algorithm_name(algorithm), token_check, check_verdict);
        free(password);
    }
}

/* A verifier is kept from token to token: it is made anew where the algorithm changes. */
static void test_token_of_changing_algorithm(void **state)
{
    static const enum invig_algorithm algorithms[] = {INVIG_ALGORITHM_RS256, INVIG_ALGORITHM_PS384};
    char *passwords[COUNT(algorithms)];

    (void)state;
    expected = INVIG_ALLOW;
    for (size_t i = 0; i < COUNT(algorithms); i++) {
        char header[64];

        (void)snprintf(header, sizeof(header), "{\"alg\":\"%s\"}",
                       invig_algorithm_name(algorithms[i]));
        passwords[i] = mint_token(keys[1], algorithms[i], header, payload);
    }
    for (size_t number = 1, end = 0; end < COUNT(algorithms); number++) {
        for (size_t i = 0; i < COUNT(algorithms); i++) {
            password = passwords[i];
            fault_arm(number);
            token_check();
            const char *struck = fault_disarm();
            end = struck == NULL ? end + 1 : 0;
            check_verdict(struck);
        }
    }
    for (size_t i = 0; i < COUNT(algorithms); i++) {
        free(passwords[i]);
    }
}

static void test_password_that_is_no_good_token(void **state)
{
    static const struct {
        const char *password;
        enum invig_verdict expected;
    } rows[] = {
        {"eyJhbGciOiJIUzI1NiJ9.e30.AAAA", INVIG_DENY},
        {"eyJhbGciOiJIUzI1NiJ9.e30.A", INVIG_DENY},   /* no base64url */
        {"eyJhbGciOjF9.e30.AAAA", INVIG_DENY},        /* "alg" is 1 */
        {"eyJhbGciOiJub25lIn0.e30.AAAA", INVIG_DENY}, /* none */
        {"e30.e30.AAAA", INVIG_DEFER},                /* no "alg" */
        {"W10.e30.AAAA", INVIG_DEFER},                /* an array */
        {"not.a.token", INVIG_DEFER},
        {"secret", INVIG_DEFER},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        password = strdup(rows[i].password);
        expected = rows[i].expected;
        (void)fault_run(rows[i].password, token_check, check_verdict);
        free(password);
    }
}

/* Each lacks one thing, which must be seen whatever fails. */
static void test_token_that_is_not_acceptable(void **state)
{
    static const char *const defects[] = {
        "\"aud\":\"c\"",
        "\"aud\":[\"c\",\"d\"]",
        "\"aud\":\"b\",\"nbf\":1800009999",
        "\"aud\":\"b\",\"nbf\":\"1\"",
        "\"aud\":\"b\",\"auth_time\":1800009999",
        "\"aud\":\"b\",\"role\":[]",
        "\"aud\":\"b\",\"role\":\"dean\"",
        "\"aud\":\"b\",\"evaluations\":[\"e/1\"]",
        "\"aud\":\"b\",\"aud\":\"b\"",
        "\"nothing\":0",
    };

    (void)state;
    expected = INVIG_DENY;
    for (size_t i = 0; i < COUNT(defects); i++) {
        char text[512];

        (void)snprintf(text, sizeof(text),
                       "{\"sub\":\"anna\",\"sid\":\"s1\",\"exp\":1800003600,"
                       "\"iat\":1800000000,%s}",
                       defects[i]);
        password = mint_token(keys[0], INVIG_ALGORITHM_HS256, "{\"alg\":\"HS256\"}", text);
        (void)fault_run(defects[i], token_check, check_verdict);
        free(password);
    }
    password =
        mint_token(keys[0], INVIG_ALGORITHM_HS256, "{\"alg\":\"HS256\",\"crit\":[\"x\"]}", payload);
    (void)fault_run("crit", token_check, check_verdict);
    free(password);
    password = mint_token(keys[0], INVIG_ALGORITHM_HS256, "{\"alg\":\"HS256\",\"kid\":1}", payload);
    (void)fault_run("kid that is a number", token_check, check_verdict);
    free(password);
}

static bool is_passed;

static void self_test(void)
{
    is_passed = invig_token_self_test();
}

/* It fails, or what it could not try is refused anyway where memory is out. */
static void check_self_test(const char *struck)
{
    assert_true(is_passed || struck != NULL);
}

static void test_self_test(void **state)
{
    (void)state;
    assert_true(fault_run("self test", self_test, check_self_test) > 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_token_of_each_algorithm),
        cmocka_unit_test(test_token_of_changing_algorithm),
        cmocka_unit_test(test_token_that_is_not_acceptable),
        cmocka_unit_test(test_password_that_is_no_good_token),
        cmocka_unit_test(test_self_test),
    };
    int failed = cmocka_run_group_tests(tests, all_begin, all_end);

    fault_write_sites(FAULT_SITES);
    return failed;
}
