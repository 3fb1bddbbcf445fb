/* SPDX-License-Identifier: Apache-2.0
 *
 * test_keyring.c - key files whose reading meets a fault: the error says that memory or reading
 * failed and not that the file is wrong, no key of a set goes missing, and after a reload the old
 * keys are in force.
 */
#include "fault_run.h"
#include "keyring.h"
#include "mint.h"

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

static const char secret[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

static char path[] = "/tmp/invig_fault_XXXXXX";
static struct mint_key *rsa;
static struct mint_key *p256;
static struct invig_policy policy;
static struct invig_keyring *keyring;
static enum invig_status status;
static char error[INVIG_POLICY_ERROR_BYTES];
static size_t warning_count;
static size_t expected_warnings;
static size_t key_count;
static size_t failed_count;

static void count_warning(void *context, enum invig_log_level level, const char *line)
{
    (void)context;
    (void)line;
    warning_count += level == INVIG_LOG_WARNING;
}

static const struct invig_keyring_report report = {NULL, count_warning};

static void keyring_open(void)
{
    error[0] = '\0';
    warning_count = 0;
    status = invig_keyring_new(&policy, UINT32_MAX, &report, &keyring, error);
}

static void check_opened(const char *struck)
{
    if (struck != NULL && status != INVIG_OK) {
        assert_null(keyring);
        assert_string_not_equal(error, "");
        if (status != INVIG_ERR_NO_MEMORY && status != INVIG_ERR_IO) {
            fail_msg("%s failed: %s", struck, error);
        }
        keyring_open();
    }
    assert_int_equal(status, INVIG_OK);
    assert_int_equal(invig_keyring_count(keyring), key_count);
    assert_int_equal(warning_count, expected_warnings);
    invig_keyring_free(keyring);
    keyring = NULL;
}

static void keyring_reload(void)
{
    warning_count = 0;
    key_count = invig_keyring_reload(keyring, &report, &failed_count);
}

static void check_reloaded(const char *struck)
{
    size_t count = invig_keyring_count(keyring);

    assert_int_equal(key_count, count);
    if (struck != NULL && failed_count != 0) {
        assert_int_equal(failed_count, 1);
        keyring_reload();
    }
    assert_int_equal(failed_count, 0);
    assert_int_equal(key_count, count);
    assert_int_equal(warning_count, expected_warnings);
}

/* Opens and reloads a file with `count` keys that can be used and as many warnings. */
static void run_with_file(const char *name, const char *option, const char *content, size_t count,
                          size_t warnings)
{
    mint_write_file(path, content, strlen(content), 0600);
    assert_int_equal(invig_policy_init(&policy), INVIG_OK);
    assert_int_equal(invig_policy_set(&policy, option, path, error), INVIG_OK);
    key_count = count;
    expected_warnings = warnings;
    (void)fault_run(name, keyring_open, check_opened);
    keyring_open();
    assert_int_equal(status, INVIG_OK);
    (void)fault_run("reload", keyring_reload, check_reloaded);
    invig_keyring_free(keyring);
    keyring = NULL;
    invig_policy_deinit(&policy);
}

static void test_pem_files(void **state)
{
    const struct mint_key *keys[] = {rsa, p256};

    (void)state;
    for (size_t i = 0; i < COUNT(keys); i++) {
        char *pem = mint_public_pem(keys[i]);
        run_with_file("PEM file", "jwt_public_key_file", pem, 1, 0);
        free(pem);
    }
}

static void test_secret_file(void **state)
{
    (void)state;
    run_with_file("secret file", "jwt_secret_file", secret, 1, 0);
}

static void test_jwks_file(void **state)
{
    struct mint_key *oct = mint_key_secret(secret, 64);
    char *jwks[] = {mint_jwk(rsa, ",\"kid\":\"a\",\"alg\":\"RS256\""),
                    mint_jwk(p256, ",\"kid\":\"b\""), mint_jwk(oct, ",\"kid\":\"c\""),
                    mint_jwk(rsa, ",\"use\":\"enc\"")};
    char text[8192];

    (void)state;
    (void)snprintf(text, sizeof(text), "{\"keys\":[%s,%s,%s,%s,{\"kty\":\"OKP\",\"kid\":\"d\"}]}",
                   jwks[0], jwks[1], jwks[2], jwks[3]);
    run_with_file("JWKS file", "jwt_jwks_file", text, 3, 2);
    for (size_t i = 0; i < COUNT(jwks); i++) {
        free(jwks[i]);
    }
    mint_key_free(oct);
}

static int all_begin(void **state)
{
    (void)state;
    rsa = mint_key_rsa(2048);
    p256 = mint_key_ec("P-256");
    return close(mkstemp(path));
}

static int all_end(void **state)
{
    (void)state;
    mint_key_free(rsa);
    mint_key_free(p256);
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pem_files),
        cmocka_unit_test(test_secret_file),
        cmocka_unit_test(test_jwks_file),
    };
    int failed = cmocka_run_group_tests(tests, all_begin, all_end);

    fault_write_sites(FAULT_SITES);
    return failed;
}
