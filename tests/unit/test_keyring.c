/* SPDX-License-Identifier: Apache-2.0
 *
 * test_keyring.c - key files, which keys fit what, and signatures.
 */
#include "keyring.h"

#include "mint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))
#define ALL         UINT32_MAX
#define BIT(name)   ((invig_algorithm_set)1U << INVIG_ALGORITHM_##name)

static const char secret_64[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/* Keys take a while to make: once for all tests. */
static struct mint_key *rsa;
static struct mint_key *other_rsa;
static struct mint_key *p256;
static struct mint_key *p384;
static struct mint_key *p521;
static struct mint_key *secret;

static char directory[] = "/tmp/invig_keyring_XXXXXX";
static char pem_path[64];
static char secret_path[64];
static char jwks_path[64];

static struct {
    size_t count;
    enum invig_log_level level;
    char lines[16][INVIG_POLICY_ERROR_BYTES + 64];
} log_seen;

static void log_write(void *context, enum invig_log_level level, const char *line)
{
    assert_ptr_equal(context, &log_seen);
    assert_true(log_seen.count < ROWS(log_seen.lines));
    assert_null(strpbrk(line, "\n\r\033"));
    log_seen.level = level;
    snprintf(log_seen.lines[log_seen.count++], sizeof log_seen.lines[0], "%s", line);
}

static const struct invig_keyring_report report = {&log_seen, log_write};

static int keys_make(void **state)
{
    (void)state;
    rsa = mint_key_rsa(2048);
    other_rsa = mint_key_rsa(2048);
    p256 = mint_key_ec("P-256");
    p384 = mint_key_ec("P-384");
    p521 = mint_key_ec("P-521");
    secret = mint_key_secret(secret_64, 64);
    if (mkdtemp(directory) == NULL) {
        return -1;
    }
    snprintf(pem_path, sizeof pem_path, "%s/pem", directory);
    snprintf(secret_path, sizeof secret_path, "%s/secret", directory);
    snprintf(jwks_path, sizeof jwks_path, "%s/jwks", directory);
    return 0;
}

static int keys_free(void **state)
{
    (void)state;
    mint_key_free(rsa);
    mint_key_free(other_rsa);
    mint_key_free(p256);
    mint_key_free(p384);
    mint_key_free(p521);
    mint_key_free(secret);
    return rmdir(directory);
}

static int test_begin(void **state)
{
    (void)state;
    memset(&log_seen, 0, sizeof log_seen);
    return 0;
}

static int test_end(void **state)
{
    (void)state;
    (void)unlink(pem_path);
    (void)unlink(secret_path);
    (void)unlink(jwks_path);
    return 0;
}

static void write_text(const char *path, const char *text)
{
    mint_write_file(path, text, strlen(text), 0600);
}

/* Writes a PEM file: what stands before, the public key, what stands behind. */
static void write_pem(const struct mint_key *key, const char *before, const char *behind)
{
    char text[8192];
    char *pem = mint_public_pem(key);

    snprintf(text, sizeof text, "%s%s%s", before, pem, behind);
    free(pem);
    write_text(pem_path, text);
}

/* Writes a JWK Set of the JWKs, which it frees; NULL ends the list. */
static void write_jwks(char *first, ...)
{
    char text[32768] = "{\"keys\":[";
    va_list rest;

    va_start(rest, first);
    for (char *jwk = first; jwk != NULL; jwk = va_arg(rest, char *)) {
        size_t length = strlen(text);
        snprintf(text + length, sizeof text - length, "%s%s", jwk == first ? "" : ",", jwk);
        free(jwk);
    }
    va_end(rest);
    strncat(text, "]}", sizeof text - strlen(text) - 1);
    write_text(jwks_path, text);
}

static char *text_copy(const char *text)
{
    return invig_text_copy(invig_text_of(text));
}

static struct invig_keyring *open_ok(const struct invig_policy *policy)
{
    struct invig_keyring *keyring = NULL;
    char error[INVIG_POLICY_ERROR_BYTES] = "";
    enum invig_status status = invig_keyring_new(policy, ALL, &report, &keyring, error);

    if (status != INVIG_OK) {
        fail_msg("%s", error);
    }
    assert_non_null(keyring);
    return keyring;
}

static void open_fails(const struct invig_policy *policy, enum invig_status expected,
                       const char *words)
{
    struct invig_keyring *keyring = (struct invig_keyring *)&log_seen;
    char error[INVIG_POLICY_ERROR_BYTES] = "";
    enum invig_status status = invig_keyring_new(policy, ALL, &report, &keyring, error);

    print_message("%s\n", error);
    assert_int_equal(status, expected);
    assert_null(keyring);
    assert_null(strpbrk(error, "\n\r\033"));
    if (strstr(error, words) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", error, words);
    }
    assert_non_null(strstr(error, "plugin_opt_jwt_"));
    assert_non_null(strstr(error, ", expected "));
}

static const struct invig_key *find(const struct invig_keyring *keyring,
                                    enum invig_algorithm algorithm, const char *kid)
{
    return invig_keyring_next(keyring, NULL, algorithm, invig_text_of(kid));
}

static size_t count_fitting(const struct invig_keyring *keyring, enum invig_algorithm algorithm,
                            const char *kid)
{
    size_t count = 0;

    for (const struct invig_key *key = find(keyring, algorithm, kid); key != NULL;
         key = invig_keyring_next(keyring, key, algorithm, invig_text_of(kid))) {
        count++;
    }
    return count;
}

static bool is_verified(const struct invig_keyring *keyring, const struct mint_key *key,
                        enum invig_algorithm algorithm, const char *kid)
{
    const struct invig_text input = {"a.\0b", 4};
    unsigned char signature[2048];
    size_t length = mint_sign(key, algorithm, input, signature);

    for (const struct invig_key *k = find(keyring, algorithm, kid); k != NULL;
         k = invig_keyring_next(keyring, k, algorithm, invig_text_of(kid))) {
        if (invig_key_verify(k, algorithm, input,
                             (struct invig_text){(const char *)signature, length})) {
            return true;
        }
    }
    return false;
}

static void test_keyring_verifies_every_algorithm(void **state)
{
    const struct invig_policy policy = {.jwt_jwks_file = jwks_path};

    (void)state;
    write_jwks(mint_jwk(rsa, ""), mint_jwk(p256, ""), mint_jwk(p384, ""), mint_jwk(p521, ""),
               mint_jwk(secret, ""), NULL);
    struct invig_keyring *keyring = open_ok(&policy);
    assert_int_equal(invig_keyring_count(keyring), 5);
    assert_int_equal(log_seen.count, 0);
    for (int i = 1; i < INVIG_ALGORITHM_COUNT; i++) {
        enum invig_algorithm algorithm = (enum invig_algorithm)i;
        const struct mint_key *keys[] = {NULL, secret, rsa, p256, p384, p521};
        print_message("%s\n", invig_algorithm_name(algorithm));
        assert_true(
            is_verified(keyring, keys[invig_algorithm_key_type(algorithm)], algorithm, NULL));
        assert_true(invig_algorithm_set_has(invig_keyring_algorithms(keyring), algorithm));
        assert_int_equal(count_fitting(keyring, algorithm, NULL), 1);
    }
    invig_keyring_free(keyring);
}

/* Every flipped bit, and every other length, makes a signature wrong. */
static void signature_assert_exact(const struct invig_keyring *keyring, const struct mint_key *key,
                                   enum invig_algorithm algorithm)
{
    const struct invig_text input = {"head.body", 9};
    unsigned char signature[2050] = {0};
    size_t length = mint_sign(key, algorithm, input, signature);
    const struct invig_key *k = find(keyring, algorithm, NULL);
    const struct invig_text right = {(const char *)signature, length};

    assert_true(invig_key_verify(k, algorithm, input, right));
    assert_false(invig_key_verify(k, algorithm, (struct invig_text){"head.bodz", 9}, right));
    assert_false(invig_key_verify(k, algorithm, (struct invig_text){"head.body", 8}, right));
    for (size_t i = 0; i < length; i++) {
        signature[i] ^= (unsigned char)(1U << i % 8);
        assert_false(invig_key_verify(k, algorithm, input, right));
        signature[i] ^= (unsigned char)(1U << i % 8);
    }
    for (size_t other = 0; other < length + 2; other++) {
        const struct invig_text cut = {(const char *)signature, other};
        assert_int_equal(invig_key_verify(k, algorithm, input, cut), other == length);
    }
    assert_false(invig_key_verify(k, algorithm, input, (struct invig_text){0}));
    memset(signature, 0, sizeof signature);
    assert_false(invig_key_verify(k, algorithm, input, right));
    memset(signature, 0xFF, sizeof signature);
    assert_false(invig_key_verify(k, algorithm, input, right));
}

static void test_keyring_signatures_are_exact(void **state)
{
    const struct invig_policy policy = {.jwt_jwks_file = jwks_path};

    (void)state;
    write_jwks(mint_jwk(rsa, ""), mint_jwk(p256, ""), mint_jwk(p521, ""), mint_jwk(secret, ""),
               NULL);
    struct invig_keyring *keyring = open_ok(&policy);
    signature_assert_exact(keyring, secret, INVIG_ALGORITHM_HS256);
    signature_assert_exact(keyring, secret, INVIG_ALGORITHM_HS512);
    signature_assert_exact(keyring, rsa, INVIG_ALGORITHM_RS256);
    signature_assert_exact(keyring, rsa, INVIG_ALGORITHM_PS384);
    signature_assert_exact(keyring, p256, INVIG_ALGORITHM_ES256);
    signature_assert_exact(keyring, p521, INVIG_ALGORITHM_ES512);
    invig_keyring_free(keyring);
}

/* A PSS signature that begins with a zero byte is as long as the modulus all the same: without that
 * byte it is the same number, and OpenSSL alone would take it. */
static void test_keyring_signature_keeps_leading_zero(void **state)
{
    const struct invig_policy policy = {.jwt_public_key_file = pem_path};
    const struct invig_text input = {"a.b", 3};
    unsigned char signature[2048];
    size_t length;

    (void)state;
    write_pem(rsa, "", "");
    struct invig_keyring *keyring = open_ok(&policy);
    const struct invig_key *key = find(keyring, INVIG_ALGORITHM_PS256, NULL);
    do { /* 256 tries on average */
        length = mint_sign(rsa, INVIG_ALGORITHM_PS256, input, signature);
    } while (signature[0] != 0);
    const char *bytes = (const char *)signature;
    assert_true(
        invig_key_verify(key, INVIG_ALGORITHM_PS256, input, (struct invig_text){bytes, length}));
    assert_false(invig_key_verify(key, INVIG_ALGORITHM_PS256, input,
                                  (struct invig_text){bytes + 1, length - 1}));
    invig_keyring_free(keyring);
}

/* A key that its "alg" binds to one algorithm verifies no other. */
static void test_keyring_key_is_bound_by_alg(void **state)
{
    const struct invig_policy policy = {.jwt_jwks_file = jwks_path};
    const struct invig_text input = {"a.b", 3};
    unsigned char signature[2048];

    (void)state;
    write_jwks(mint_jwk(rsa, ",\"alg\":\"RS512\""), NULL);
    struct invig_keyring *keyring = open_ok(&policy);
    const struct invig_key *key = find(keyring, INVIG_ALGORITHM_RS512, NULL);
    size_t length = mint_sign(rsa, INVIG_ALGORITHM_RS256, input, signature);
    assert_false(invig_key_verify(key, INVIG_ALGORITHM_RS256, input,
                                  (struct invig_text){(const char *)signature, length}));
    length = mint_sign(rsa, INVIG_ALGORITHM_RS512, input, signature);
    assert_true(invig_key_verify(key, INVIG_ALGORITHM_RS512, input,
                                 (struct invig_text){(const char *)signature, length}));
    assert_null(find(keyring, INVIG_ALGORITHM_RS256, NULL));
    invig_keyring_free(keyring);
}

/* A signature is one of its own algorithm: RS256 is not PS256, nor RS512. */
static void test_keyring_algorithms_do_not_mix(void **state)
{
    const struct invig_policy policy = {.jwt_public_key_file = pem_path};
    const struct invig_text input = {"a.b", 3};
    unsigned char signature[2048];

    (void)state;
    write_pem(rsa, "", "");
    struct invig_keyring *keyring = open_ok(&policy);
    for (int i = INVIG_ALGORITHM_RS256; i <= INVIG_ALGORITHM_PS512; i++) {
        size_t length = mint_sign(rsa, (enum invig_algorithm)i, input, signature);
        for (int j = 1; j < INVIG_ALGORITHM_COUNT; j++) {
            const struct invig_text text = {(const char *)signature, length};
            const struct invig_key *key = find(keyring, INVIG_ALGORITHM_RS256, NULL);
            assert_int_equal(invig_key_verify(key, (enum invig_algorithm)j, input, text), i == j);
        }
        assert_false(invig_key_verify(find(keyring, INVIG_ALGORITHM_RS256, NULL),
                                      INVIG_ALGORITHM_NONE, input, (struct invig_text){"", 0}));
    }
    invig_keyring_free(keyring);
}

/* A public key fits no HS*, whatever a JWK says of itself. */
static void test_keyring_public_key_is_no_secret(void **state)
{
    const struct invig_policy policy = {.jwt_public_key_file = pem_path,
                                        .jwt_jwks_file = jwks_path};

    (void)state;
    write_pem(rsa, "", "");
    write_jwks(mint_jwk(p256, ",\"alg\":\"HS256\""), mint_jwk(rsa, ",\"kid\":\"a\""), NULL);
    struct invig_keyring *keyring = open_ok(&policy);
    assert_null(find(keyring, INVIG_ALGORITHM_HS256, NULL));
    assert_null(find(keyring, INVIG_ALGORITHM_HS256, "a"));
    assert_null(find(keyring, INVIG_ALGORITHM_NONE, NULL));
    assert_int_equal(invig_keyring_algorithms(keyring), invig_algorithm_set_for(INVIG_KEY_RSA, 0));
    assert_int_equal(invig_keyring_count(keyring), 2);
    assert_int_equal(log_seen.count, 1);
    invig_keyring_free(keyring);
}

static void test_keyring_pem_around(void **state)
{
    const struct invig_policy policy = {.jwt_public_key_file = pem_path};
    const struct mint_key *keys[] = {rsa, p256, p384, p521};
    static const enum invig_algorithm algorithms[] = {INVIG_ALGORITHM_RS256, INVIG_ALGORITHM_ES256,
                                                      INVIG_ALGORITHM_ES384, INVIG_ALGORITHM_ES512};

    (void)state;
    for (size_t i = 0; i < ROWS(keys); i++) {
        write_pem(keys[i], "The key of the login server.\n\n", "\nNo more.\n");
        struct invig_keyring *keyring = open_ok(&policy);
        assert_true(is_verified(keyring, keys[i], algorithms[i], NULL));
        assert_true(is_verified(keyring, keys[i], algorithms[i], "any"));
        assert_int_equal(invig_keyring_count(keyring), 1);
        invig_keyring_free(keyring);
    }
}

static void test_keyring_pem_refuses(void **state)
{
    const struct invig_policy policy = {.jwt_public_key_file = pem_path};
    struct mint_key *small = mint_key_rsa(2040);
    struct mint_key *k1 = mint_key_ec("secp256k1");
    struct mint_key *pss = mint_key_of_type("RSA-PSS");
    struct mint_key *ed = mint_key_of_type("ED25519");
    char *private_pem = mint_private_pem(p256);
    char *public_pem = mint_public_pem(p256);
    char text[8192];

    (void)state;
    write_pem(small, "", "");
    open_fails(&policy, INVIG_ERR_FORMAT, "holds an RSA key of fewer than 2048 bits");
    write_pem(k1, "", "");
    open_fails(&policy, INVIG_ERR_FORMAT, "holds an EC key on another curve");
    write_pem(pss, "", "");
    open_fails(&policy, INVIG_ERR_FORMAT, "holds an RSA-PSS key");
    write_pem(ed, "", "");
    open_fails(&policy, INVIG_ERR_FORMAT, "holds a key of another type");
    write_text(pem_path, private_pem);
    open_fails(&policy, INVIG_ERR_FORMAT, "holds a private key");
    write_pem(rsa, private_pem, "");
    open_fails(&policy, INVIG_ERR_FORMAT, "holds a private key");
    write_pem(rsa, "", private_pem);
    open_fails(&policy, INVIG_ERR_FORMAT, "holds a private key");
    write_pem(rsa, "", public_pem);
    open_fails(&policy, INVIG_ERR_FORMAT, "holds several PEM blocks");
    write_text(pem_path, "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n");
    open_fails(&policy, INVIG_ERR_FORMAT, "holds a certificate");
    write_text(pem_path, "-----BEGIN RSA PUBLIC KEY-----\nMAA=\n-----END RSA PUBLIC KEY-----\n");
    open_fails(&policy, INVIG_ERR_FORMAT, "holds a PEM block with another label");
    write_text(pem_path, "-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n");
    open_fails(&policy, INVIG_ERR_FORMAT, "holds a malformed PEM block");
    snprintf(text, sizeof text, "%.60s", public_pem);
    write_text(pem_path, text);
    open_fails(&policy, INVIG_ERR_FORMAT, "holds a malformed PEM block");
    write_text(pem_path, "");
    open_fails(&policy, INVIG_ERR_FORMAT, "holds no PEM block");
    write_text(pem_path, secret_64);
    open_fails(&policy, INVIG_ERR_FORMAT, "holds no PEM block");
    free(public_pem);
    free(private_pem);
    mint_key_free(ed);
    mint_key_free(pss);
    mint_key_free(k1);
    mint_key_free(small);
}

static void test_keyring_secret(void **state)
{
    const struct invig_policy policy = {.jwt_secret_file = secret_path};
    const struct {
        const char *name;
        const char *bytes;
        size_t length;
        size_t used; /* bytes of the secret */
        invig_algorithm_set algorithms;
    } rows[] = {
        {"32 bytes", secret_64, 32, 32, BIT(HS256)},
        {"32 bytes and newline", "01234567890123456789012345678901\n", 33, 32, BIT(HS256)},
        {"two newlines: one counts", "0123456789012345678901234567890\n\n", 33, 32, BIT(HS256)},
        {"CR stays", "0123456789012345678901234567890\r\n", 33, 32, BIT(HS256)},
        {"NUL bytes count", "0\0\0\0456789012345678901234567890\0\0", 32, 32, BIT(HS256)},
        {"48 bytes", secret_64, 48, 48, BIT(HS256) | BIT(HS384)},
        {"64 bytes", secret_64, 64, 64, BIT(HS256) | BIT(HS384) | BIT(HS512)},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct mint_key *same = mint_key_secret(rows[i].bytes, rows[i].used);
        print_message("%s\n", rows[i].name);
        mint_write_file(secret_path, rows[i].bytes, rows[i].length, 0640);
        struct invig_keyring *keyring = open_ok(&policy);
        assert_int_equal(invig_keyring_algorithms(keyring), rows[i].algorithms);
        assert_true(is_verified(keyring, same, INVIG_ALGORITHM_HS256, "any"));
        assert_false(is_verified(keyring, secret, INVIG_ALGORITHM_HS256, NULL) &&
                     rows[i].used != 64);
        assert_int_equal(log_seen.count, 0);
        invig_keyring_free(keyring);
        mint_key_free(same);
    }
    mint_write_file(secret_path, "0123456789012345678901234567890\n", 32, 0600);
    open_fails(&policy, INVIG_ERR_FORMAT, "holds a secret of fewer than 32 bytes");
    write_text(secret_path, "");
    open_fails(&policy, INVIG_ERR_FORMAT, "holds a secret of fewer than 32 bytes");
}

static void test_keyring_file_kinds(void **state)
{
    const struct invig_policy policy = {.jwt_secret_file = secret_path};
    static char large[INVIG_KEY_FILE_BYTES_MAX + 1];

    (void)state;
    open_fails(&policy, INVIG_ERR_IO, "cannot be opened (No such file or directory)");
    assert_int_equal(mkdir(secret_path, 0700), 0);
    open_fails(&policy, INVIG_ERR_IO, "is no regular file");
    assert_int_equal(rmdir(secret_path), 0);
    assert_int_equal(mkfifo(secret_path, 0600), 0);
    open_fails(&policy, INVIG_ERR_IO, "is no regular file"); /* and does not wait */
    assert_int_equal(unlink(secret_path), 0);
    assert_int_equal(symlink("/dev/null", secret_path), 0);
    open_fails(&policy, INVIG_ERR_IO, "is no regular file");
    assert_int_equal(unlink(secret_path), 0);
    mint_write_file(secret_path, secret_64, 64, 0602);
    open_fails(&policy, INVIG_ERR_IO, "can be written by everyone");
    memset(large, 'x', sizeof large);
    mint_write_file(secret_path, large, sizeof large, 0600);
    open_fails(&policy, INVIG_ERR_FORMAT, "is longer than 262144 bytes");
    mint_write_file(secret_path, large, sizeof large - 1, 0600);
    invig_keyring_free(open_ok(&policy));
    assert_int_equal(log_seen.count, 0);
}

static void test_keyring_links_are_followed(void **state)
{
    const struct invig_policy policy = {.jwt_secret_file = secret_path};

    (void)state;
    mint_write_file(pem_path, secret_64, 64, 0600);
    assert_int_equal(symlink(pem_path, secret_path), 0);
    invig_keyring_free(open_ok(&policy));
}

static void test_keyring_warns_of_readable_secret(void **state)
{
    const struct invig_policy policy = {.jwt_secret_file = secret_path,
                                        .jwt_public_key_file = pem_path};

    (void)state;
    mint_write_file(secret_path, secret_64, 64, 0644);
    write_pem(p256, "", "");
    assert_int_equal(chmod(pem_path, 0644), 0);
    invig_keyring_free(open_ok(&policy));
    assert_int_equal(log_seen.count, 1);
    assert_int_equal(log_seen.level, INVIG_LOG_WARNING);
    assert_non_null(strstr(log_seen.lines[0], "can be read by everyone"));
    assert_non_null(strstr(log_seen.lines[0], "plugin_opt_jwt_secret_file"));
}

/* The path is the administrator's, but it must not break the line. */
static void test_keyring_escapes_path(void **state)
{
    static char path[1200] = "/nowhere/\n\033[2Jx";
    const struct invig_policy policy = {.jwt_secret_file = path};

    (void)state;
    open_fails(&policy, INVIG_ERR_IO, "/nowhere/\\x0a\\x1b[2Jx\" cannot be opened");
    memset(path, '\n', sizeof path - 1);
    open_fails(&policy, INVIG_ERR_IO, "\\x0a...\" cannot be opened");
}

/* An RSA key of 2048 bits whose modulus is this byte over and over. */
static char *jwk_of_modulus(unsigned char byte, const char *exponent)
{
    unsigned char bytes[256];
    static char text[1024];

    memset(bytes, byte, sizeof bytes);
    char *modulus = mint_base64url(bytes, sizeof bytes);
    snprintf(text, sizeof text, "{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"%s\"}", modulus, exponent);
    free(modulus);
    return text_copy(text);
}

struct jwk_case {
    char *jwk; /* freed by the test */
    const char *cause;
};

static void test_keyring_jwks_skips_unusable(void **state)
{
    const struct invig_policy policy = {.jwt_jwks_file = jwks_path};
    struct mint_key *small = mint_key_rsa(1024);
    struct mint_key *short_secret = mint_key_secret(secret_64, 31);
    struct mint_key *medium_secret = mint_key_secret(secret_64, 47);
    char zeros[] = "{\"kty\":\"EC\",\"crv\":\"P-256\","
                   "\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
                   "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}";
    struct jwk_case rows[] = {
        {mint_jwk(small, ""), "an RSA key of fewer than 2048 bits"},
        {mint_jwk(short_secret, ""), "a secret of fewer than 32 bytes"},
        {mint_jwk(medium_secret, ",\"alg\":\"HS384\""), "an \"alg\" that does not fit the key"},
        {mint_jwk(rsa, ",\"use\":\"enc\""), "a \"use\" other than \"sig\""},
        {mint_jwk(rsa, ",\"use\":\"SIG\""), "a \"use\" other than \"sig\""},
        {mint_jwk(rsa, ",\"use\":1"), "no object whose members are strings"},
        {mint_jwk(rsa, ",\"alg\":\"RSA-OAEP\""), "an \"alg\" that does not fit the key"},
        {mint_jwk(rsa, ",\"alg\":\"none\""), "an \"alg\" that does not fit the key"},
        {mint_jwk(rsa, ",\"alg\":\"rs256\""), "an \"alg\" that does not fit the key"},
        {mint_jwk(rsa, ",\"alg\":\"HS256\""), "an \"alg\" that does not fit the key"},
        {mint_jwk(p256, ",\"alg\":\"ES384\""), "an \"alg\" that does not fit the key"},
        {mint_jwk(rsa, ",\"key_ops\":[\"encrypt\"]"), "\"key_ops\" without \"verify\""},
        {mint_jwk(rsa, ",\"key_ops\":[]"), "\"key_ops\" without \"verify\""},
        {text_copy("{}"), "a \"kty\" other than RSA, EC, oct"},
        {text_copy("{\"kty\":\"rsa\"}"), "a \"kty\" other than RSA, EC, oct"},
        {text_copy("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AA\"}"),
         "a \"kty\" other than RSA, EC, oct"},
        {text_copy("{\"kty\":\"RSA\"}"), "an \"n\" or \"e\" that is missing"},
        {text_copy("{\"kty\":\"RSA\",\"n\":\"AQAB\"}"), "an \"n\" or \"e\" that is missing"},
        {text_copy("{\"kty\":\"RSA\",\"n\":\"\",\"e\":\"\"}"), "an \"n\" or \"e\" that is missing"},
        {text_copy("{\"kty\":\"RSA\",\"n\":\"AQAB=\",\"e\":\"AQAB\"}"),
         "an \"n\" or \"e\" that is missing"},
        {jwk_of_modulus(0xFE, "AQAB"), "a public key whose numbers are not valid"},
        {jwk_of_modulus(0xFF, "AQ"), "a public key whose numbers are not valid"},
        {text_copy("{\"kty\":\"EC\",\"crv\":\"P-192\"}"), "a \"crv\" other than"},
        {text_copy("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}"),
         "an \"x\" or \"y\" that is not base64url of the size"},
        {text_copy("{\"kty\":\"EC\",\"crv\":\"P-256\"}"), "an \"x\" or \"y\""},
        {text_copy(zeros), "a point that is not on its curve"},
        {text_copy("{\"kty\":\"oct\"}"), "a \"k\" that is missing"},
        {text_copy("{\"kty\":\"oct\",\"k\":\"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\"}"),
         "a \"k\" that is missing or not base64url"},
        {text_copy("1"), "no object whose members are strings"},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        log_seen.count = 0;
        write_jwks(mint_jwk(p384, ""), rows[i].jwk, mint_jwk(p521, ""), NULL);
        struct invig_keyring *keyring = open_ok(&policy);
        assert_int_equal(invig_keyring_count(keyring), 2);
        assert_int_equal(log_seen.count, 1);
        assert_int_equal(log_seen.level, INVIG_LOG_WARNING);
        print_message("%s\n", log_seen.lines[0]);
        assert_non_null(strstr(log_seen.lines[0], "plugin_opt_jwt_jwks_file: keys[1] is skipped"));
        assert_non_null(strstr(log_seen.lines[0], rows[i].cause));
        invig_keyring_free(keyring);
    }
    mint_key_free(medium_secret);
    mint_key_free(short_secret);
    mint_key_free(small);
}

static void test_keyring_jwks_warning_escapes_kid(void **state)
{
    const struct invig_policy policy = {.jwt_jwks_file = jwks_path};

    (void)state;
    write_jwks(text_copy("{\"kid\":\"a\\n\\u001b\\u0000\\\"b\"}"), mint_jwk(p256, ""), NULL);
    invig_keyring_free(open_ok(&policy));
    assert_int_equal(log_seen.count, 1);
    assert_non_null(
        strstr(log_seen.lines[0], "keys[0] (kid \"a\\x0a\\x1b\\x00\\\"b\") is skipped"));
}

static void test_keyring_jwks_broken(void **state)
{
    const struct invig_policy policy = {.jwt_jwks_file = jwks_path};
    static const char *const texts[] = {"",
                                        "{",
                                        "{}",
                                        "[]",
                                        "{\"keys\":{}}",
                                        "{\"keys\":[],\"keys\":[]}",
                                        "-----BEGIN PUBLIC KEY-----"};

    (void)state;
    for (size_t i = 0; i < ROWS(texts); i++) {
        write_text(jwks_path, texts[i]);
        open_fails(&policy, INVIG_ERR_FORMAT, "holds no such set");
    }
    write_text(jwks_path, "{\"keys\":[]}");
    open_fails(&policy, INVIG_ERR_FORMAT, "holds no usable key");
    write_text(jwks_path, "{\"keys\":[{}]}");
    open_fails(&policy, INVIG_ERR_FORMAT, "holds no usable key");
}

static void test_keyring_jwks_at_most_64(void **state)
{
    const struct invig_policy policy = {.jwt_jwks_file = jwks_path};
    char *jwk = mint_jwk(secret, "");

    (void)state;
    for (size_t count = 64; count <= 65; count++) {
        char text[16384] = "{\"keys\":[";
        for (size_t i = 0; i < count; i++) {
            strncat(text, jwk, sizeof text - strlen(text) - 1);
            strncat(text, i + 1 < count ? "," : "]}", sizeof text - strlen(text) - 1);
        }
        write_text(jwks_path, text);
        if (count == 64) {
            invig_keyring_free(open_ok(&policy));
        } else {
            open_fails(&policy, INVIG_ERR_FORMAT, "holds no such set, expected a JSON Web Key Set");
        }
    }
    free(jwk);
}

static void test_keyring_chooses_by_kid(void **state)
{
    const struct invig_policy policy = {.jwt_jwks_file = jwks_path,
                                        .jwt_public_key_file = pem_path,
                                        .jwt_secret_file = secret_path};

    (void)state;
    write_pem(other_rsa, "", "");
    mint_write_file(secret_path, secret_64, 64, 0600);
    write_jwks(mint_jwk(rsa, ",\"kid\":\"a\""), mint_jwk(other_rsa, ",\"kid\":\"a\""),
               mint_jwk(rsa, ",\"kid\":\"\""), mint_jwk(p256, ""),
               mint_jwk(rsa, ",\"kid\":\"b\",\"alg\":\"RS512\",\"use\":\"sig\","
                             "\"key_ops\":[\"verify\"]"),
               NULL);
    struct invig_keyring *keyring = open_ok(&policy);
    assert_int_equal(invig_keyring_count(keyring), 7);
    assert_int_equal(count_fitting(keyring, INVIG_ALGORITHM_RS256, NULL), 4);
    assert_int_equal(count_fitting(keyring, INVIG_ALGORITHM_RS256, "a"), 3);
    assert_int_equal(count_fitting(keyring, INVIG_ALGORITHM_RS256, ""), 2);
    assert_int_equal(count_fitting(keyring, INVIG_ALGORITHM_RS256, "A"), 1);
    assert_int_equal(count_fitting(keyring, INVIG_ALGORITHM_RS256, "b"), 1);
    assert_int_equal(count_fitting(keyring, INVIG_ALGORITHM_RS512, "b"), 2);
    assert_int_equal(count_fitting(keyring, INVIG_ALGORITHM_RS512, NULL), 5);
    assert_int_equal(count_fitting(keyring, INVIG_ALGORITHM_ES256, NULL), 1);
    assert_int_equal(count_fitting(keyring, INVIG_ALGORITHM_ES256, "a"), 0);
    assert_int_equal(count_fitting(keyring, INVIG_ALGORITHM_HS256, "a"), 1);
    assert_int_equal(count_fitting(keyring, INVIG_ALGORITHM_HS256, NULL), 1);
    assert_true(is_verified(keyring, rsa, INVIG_ALGORITHM_RS256, "a"));
    assert_true(is_verified(keyring, other_rsa, INVIG_ALGORITHM_RS256, "a"));
    assert_false(is_verified(keyring, rsa, INVIG_ALGORITHM_RS256, "b"));
    assert_true(is_verified(keyring, rsa, INVIG_ALGORITHM_RS512, "b"));
    invig_keyring_free(keyring);
}

static void test_keyring_listed_algorithms(void **state)
{
    struct invig_policy policy = {.jwt_public_key_file = pem_path,
                                  .jwt_algorithms = BIT(RS256) | BIT(RS512)};
    struct invig_keyring *keyring;
    char error[INVIG_POLICY_ERROR_BYTES];

    (void)state;
    write_pem(rsa, "", "");
    keyring = open_ok(&policy);
    assert_int_equal(invig_keyring_algorithms(keyring), BIT(RS256) | BIT(RS512));
    invig_keyring_free(keyring);
    policy.jwt_algorithms = BIT(RS256) | BIT(HS256) | BIT(ES256);
    open_fails(&policy, INVIG_ERR_INVALID, "plugin_opt_jwt_algorithms: found HS256, ES256, which");
    policy.jwt_algorithms = BIT(RS256) | BIT(PS256);
    invig_keyring_free(open_ok(&policy));
    assert_int_equal(invig_keyring_new(&policy, BIT(RS256), &report, &keyring, error),
                     INVIG_ERR_INVALID);
    assert_non_null(strstr(error, "found PS256, which no key fits or this libjwt does not know"));
}

static void test_keyring_available_algorithms(void **state)
{
    const struct invig_policy policy = {.jwt_jwks_file = jwks_path};
    struct invig_keyring *keyring;
    char error[INVIG_POLICY_ERROR_BYTES];

    (void)state;
    write_jwks(mint_jwk(rsa, ""), mint_jwk(p256, ",\"kid\":\"e\""),
               mint_jwk(rsa, ",\"alg\":\"PS256\""), NULL);
    assert_int_equal(invig_keyring_new(&policy, BIT(RS256) | BIT(HS256), &report, &keyring, error),
                     INVIG_OK);
    assert_int_equal(invig_keyring_algorithms(keyring), BIT(RS256));
    assert_int_equal(invig_keyring_count(keyring), 1);
    assert_null(find(keyring, INVIG_ALGORITHM_PS256, NULL));
    assert_null(find(keyring, INVIG_ALGORITHM_ES256, NULL));
    assert_int_equal(log_seen.count, 2);
    invig_keyring_free(keyring);
}

static void test_keyring_reload(void **state)
{
    const struct invig_policy policy = {.jwt_jwks_file = jwks_path,
                                        .jwt_public_key_file = pem_path,
                                        .jwt_algorithms = BIT(RS256) | BIT(ES256)};
    size_t failed = 99;

    (void)state;
    write_pem(rsa, "", "");
    write_jwks(mint_jwk(p256, ",\"kid\":\"a\""), mint_jwk(secret, ",\"kid\":\"s\""), NULL);
    struct invig_keyring *keyring = open_ok(&policy);
    assert_int_equal(invig_keyring_count(keyring), 3);

    write_pem(other_rsa, "", "");
    write_text(jwks_path, "{\"keys\":[{}]}");
    assert_int_equal(invig_keyring_reload(keyring, &report, &failed), 3);
    assert_int_equal(failed, 1);
    assert_int_equal(log_seen.count, 2);
    assert_non_null(strstr(log_seen.lines[0], "keys[0] is skipped"));
    assert_non_null(strstr(log_seen.lines[1], "holds no usable key"));
    assert_non_null(strstr(log_seen.lines[1], "; its old keys stay in force"));
    assert_int_equal(log_seen.level, INVIG_LOG_ERROR);
    assert_false(is_verified(keyring, rsa, INVIG_ALGORITHM_RS256, NULL));
    assert_true(is_verified(keyring, other_rsa, INVIG_ALGORITHM_RS256, NULL));
    assert_true(is_verified(keyring, p256, INVIG_ALGORITHM_ES256, "a"));

    log_seen.count = 0;
    assert_int_equal(unlink(pem_path), 0);
    write_jwks(mint_jwk(p384, ""), NULL);
    assert_int_equal(invig_keyring_reload(keyring, &report, &failed), 2);
    assert_int_equal(failed, 1);
    assert_true(is_verified(keyring, other_rsa, INVIG_ALGORITHM_RS256, NULL));
    assert_null(find(keyring, INVIG_ALGORITHM_ES256, "a"));
    assert_non_null(find(keyring, INVIG_ALGORITHM_ES384, NULL));
    assert_int_equal(log_seen.count, 2);
    assert_int_equal(log_seen.level, INVIG_LOG_WARNING);
    assert_non_null(strstr(log_seen.lines[1], "found ES256, which no key fits"));
    assert_int_equal(invig_keyring_algorithms(keyring), BIT(RS256) | BIT(ES256));
    invig_keyring_free(keyring);
}

static void test_keyring_reload_without_report(void **state)
{
    const struct invig_policy policy = {.jwt_jwks_file = jwks_path};
    size_t failed = 99;

    (void)state;
    write_jwks(mint_jwk(p256, ""), text_copy("{}"), NULL);
    struct invig_keyring *keyring = open_ok(&policy);
    assert_int_equal(invig_keyring_reload(keyring, NULL, &failed), 1);
    assert_int_equal(failed, 0);
    invig_keyring_free(keyring);
    invig_keyring_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, test_begin, test_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_keyring_verifies_every_algorithm),
        TEST(test_keyring_signatures_are_exact),
        TEST(test_keyring_signature_keeps_leading_zero),
        TEST(test_keyring_key_is_bound_by_alg),
        TEST(test_keyring_algorithms_do_not_mix),
        TEST(test_keyring_public_key_is_no_secret),
        TEST(test_keyring_pem_around),
        TEST(test_keyring_pem_refuses),
        TEST(test_keyring_secret),
        TEST(test_keyring_file_kinds),
        TEST(test_keyring_links_are_followed),
        TEST(test_keyring_warns_of_readable_secret),
        TEST(test_keyring_escapes_path),
        TEST(test_keyring_jwks_skips_unusable),
        TEST(test_keyring_jwks_warning_escapes_kid),
        TEST(test_keyring_jwks_broken),
        TEST(test_keyring_jwks_at_most_64),
        TEST(test_keyring_chooses_by_kid),
        TEST(test_keyring_listed_algorithms),
        TEST(test_keyring_available_algorithms),
        TEST(test_keyring_reload),
        TEST(test_keyring_reload_without_report),
    };

    return cmocka_run_group_tests(tests, keys_make, keys_free);
}
