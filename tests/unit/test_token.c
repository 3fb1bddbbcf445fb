/* SPDX-License-Identifier: Apache-2.0
 *
 * test_token.c - which passwords are tokens, and which tokens are believed.
 */
#include "token.h"

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

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))
#define BIT(name)   ((invig_algorithm_set)1U << INVIG_ALGORITHM_##name)
#define HS256       "{\"alg\":\"HS256\"}"
#define GOOD        "{\"sub\":\"anna\",\"sid\":\"s1\",\"exp\":1800003600,\"iat\":1800000000}"

enum { NOW_S = 1800000000 };

static const char secret_64[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

static struct mint_key *rsa;
static struct mint_key *p256;
static struct mint_key *secret;

static char directory[] = "/tmp/invig_token_XXXXXX";
static char pem_path[64];
static char secret_path[64];
static char jwks_path[64];

static struct invig_policy policy; /* names the secret file alone */
static struct invig_keyring *keyring;

static struct invig_claims claims;
static struct invig_refusal refusal;

static struct invig_keyring *keyring_open(const struct invig_policy *of)
{
    struct invig_keyring *opened = NULL;
    char error[INVIG_POLICY_ERROR_BYTES] = "";

    if (invig_keyring_new(of, UINT32_MAX, NULL, &opened, error) != INVIG_OK) {
        fail_msg("%s", error);
    }
    return opened;
}

static int all_begin(void **state)
{
    (void)state;
    rsa = mint_key_rsa(2048);
    p256 = mint_key_ec("P-256");
    secret = mint_key_secret(secret_64, 64);
    if (mkdtemp(directory) == NULL || invig_policy_init(&policy) != INVIG_OK) {
        return -1;
    }
    snprintf(pem_path, sizeof pem_path, "%s/pem", directory);
    snprintf(secret_path, sizeof secret_path, "%s/secret", directory);
    snprintf(jwks_path, sizeof jwks_path, "%s/jwks", directory);
    char *pem = mint_public_pem(rsa);
    mint_write_file(pem_path, pem, strlen(pem), 0600);
    free(pem);
    mint_write_file(secret_path, secret_64, 64, 0600);
    policy.jwt_secret_file = secret_path;
    keyring = keyring_open(&policy);
    return 0;
}

static int all_end(void **state)
{
    (void)state;
    invig_keyring_free(keyring);
    policy.jwt_secret_file = NULL;
    invig_policy_deinit(&policy);
    mint_key_free(rsa);
    mint_key_free(p256);
    mint_key_free(secret);
    (void)unlink(pem_path);
    (void)unlink(secret_path);
    (void)unlink(jwks_path);
    return rmdir(directory);
}

static bool claims_are_zero(void)
{
    const unsigned char *bytes = (const unsigned char *)&claims;

    for (size_t i = 0; i < sizeof claims; i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

static enum invig_verdict check_in(const struct invig_keyring *keys, const struct invig_policy *by,
                                   const char *password)
{
    memset(&claims, 0xEE, sizeof claims);
    memset(&refusal, 0xEE, sizeof refusal);
    enum invig_verdict verdict =
        invig_token_check(keys, by, invig_text_of(password), NOW_S, &claims, &refusal);
    assert_int_equal(refusal.reason == INVIG_REASON_NONE, verdict != INVIG_DENY);
    assert_int_equal(claims_are_zero(), verdict != INVIG_ALLOW);
    return verdict;
}

static enum invig_verdict check(const char *password)
{
    return check_in(keyring, &policy, password);
}

static void assert_denied(const char *password, enum invig_reason reason)
{
    assert_int_equal(check(password), INVIG_DENY);
    if (refusal.reason != reason) {
        fail_msg("refused for %s, expected %s", invig_reason_word(refusal.reason),
                 invig_reason_word(reason));
    }
}

/* Signs header and payload with HS256 and the right secret, however wrong they are. */
static void assert_minted(const char *header, const char *payload, enum invig_reason reason)
{
    char *token = mint_token(secret, INVIG_ALGORITHM_HS256, header, payload);

    print_message("%s %s\n", header, payload);
    if (reason == INVIG_REASON_NONE) {
        assert_int_equal(check(token), INVIG_ALLOW);
    } else {
        assert_denied(token, reason);
    }
    free(token);
}

static void test_token_self_test(void **state)
{
    (void)state;
    assert_true(invig_token_self_test());
}

static void test_token_algorithms(void **state)
{
    const invig_algorithm_set needed = BIT(HS256) | BIT(HS384) | BIT(HS512) | BIT(RS256) |
                                       BIT(RS384) | BIT(RS512) | BIT(ES256) | BIT(ES384) |
                                       BIT(ES512);
    const invig_algorithm_set pss = BIT(PS256) | BIT(PS384) | BIT(PS512);
    invig_algorithm_set set = invig_token_algorithms();

    (void)state;
    assert_int_equal(set & needed, needed);
    assert_int_equal(set & ~(needed | pss), 0);
    assert_true((set & pss) == 0 || (set & pss) == pss);
}

static void test_token_good_claims(void **state)
{
    char *token = mint_token(
        secret, INVIG_ALGORITHM_HS256, "{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"none\"}",
        "{\"sub\":\"\\u00e4nna\",\"sid\":\"s1\",\"exp\":1800003600,\"iat\":1799999999,"
        "\"auth_time\":1799990000,\"role\":[\"student\",\"Professor\"],\"evaluations\":[\"e1\","
        "\"e2\"],\"more\":{\"a\":[1.5,null]}}");

    (void)state;
    assert_int_equal(check(token), INVIG_ALLOW);
    assert_string_equal(claims.user, "\xC3\xA4nna");
    assert_string_equal(claims.session, "s1");
    assert_int_equal(claims.role, INVIG_ROLE_PROFESSOR);
    assert_int_equal(claims.expires_s, 1800003600);
    assert_int_equal(claims.issued_s, 1799999999);
    assert_int_equal(claims.login_s, 1799990000);
    assert_int_equal(claims.evaluation_count, 2);
    assert_string_equal(claims.evaluations[0], "e1");
    assert_string_equal(claims.evaluations[1], "e2");
    free(token);
}

/* No token: others decide. */
static void test_token_defers(void **state)
{
    static const char *const passwords[] = {
        "",
        "secret",
        "a.b.c",
        "..",
        "www.example.org",
        "e30.e30.e30",          /* {} */
        "W10.e30.e30",          /* [] */
        "ImFsZyI.e30.e30",      /* "alg" */
        "bnVsbA.e30.e30",       /* null */
        "eyJhIjoxfQ.e30.e30",   /* {"a":1} */
        "eyJBTEciOjF9.e30.e30", /* {"ALG":1} */
        "eyJhbGciOiJub25lIn0",
        "eyJhbGciOiJub25lIn0.",
        "eyJhbGciOiJub25lIn0.e30",
        "eyJhbGciOiJub25lIn0.e30..",
        "eyJhbGciOiJub25lIn0.e30.e30.e30",
        "eyJhbGciOiJub25lIn0 .e30.e30",
        "eyJhbGciOiJub25lIn0.e30.e30\n",
        "eyJhbGciOiJub25lIg.e30.e30", /* {"alg":"none" */
        "eyJhbGciOiJub25lIn0.e30.\xC3\xA4",
    };

    (void)state;
    for (size_t i = 0; i < ROWS(passwords); i++) {
        print_message("%s\n", passwords[i]);
        assert_int_equal(check(passwords[i]), INVIG_DEFER);
    }
}

static void test_token_none_in_any_case(void **state)
{
    static const char *const names[] = {"none", "None", "NONE", "nOnE", "NoNe"};

    (void)state;
    for (size_t i = 0; i < ROWS(names); i++) {
        char header[64];
        snprintf(header, sizeof header, "{\"alg\":\"%s\"}", names[i]);
        char *token = mint_token(secret, INVIG_ALGORITHM_HS256, header, GOOD);
        assert_denied(token, INVIG_REASON_ALGORITHM_NOT_ALLOWED);
        strrchr(token, '.')[1] = '\0'; /* unsigned */
        assert_denied(token, INVIG_REASON_ALGORITHM_NOT_ALLOWED);
        free(token);
    }
}

/* The textbook attack: the public key, which everyone may know, as the secret of an HMAC. */
static void test_token_public_key_as_secret(void **state)
{
    struct invig_policy with_pem = policy;
    char *pem = mint_public_pem(rsa);
    struct mint_key *whole = mint_key_secret(pem, strlen(pem));
    struct mint_key *trimmed = mint_key_secret(pem, strlen(pem) - 1);

    (void)state;
    with_pem.jwt_public_key_file = pem_path;
    for (int i = INVIG_ALGORITHM_HS256; i <= INVIG_ALGORITHM_HS512; i++) {
        char header[64];
        snprintf(header, sizeof header, "{\"alg\":\"%s\"}",
                 invig_algorithm_name((enum invig_algorithm)i));
        char *a = mint_token(whole, (enum invig_algorithm)i, header, GOOD);
        char *b = mint_token(trimmed, (enum invig_algorithm)i, header, GOOD);

        /* With a secret besides, the algorithm is allowed and the key is the wrong one. */
        struct invig_keyring *keys = keyring_open(&with_pem);
        assert_int_equal(check_in(keys, &with_pem, a), INVIG_DENY);
        assert_int_equal(refusal.reason, INVIG_REASON_SIGNATURE_INVALID);
        assert_int_equal(check_in(keys, &with_pem, b), INVIG_DENY);
        assert_int_equal(refusal.reason, INVIG_REASON_SIGNATURE_INVALID);
        invig_keyring_free(keys);

        with_pem.jwt_secret_file = NULL;
        keys = keyring_open(&with_pem);
        assert_int_equal(check_in(keys, &with_pem, a), INVIG_DENY);
        assert_int_equal(refusal.reason, INVIG_REASON_ALGORITHM_NOT_ALLOWED);
        invig_keyring_free(keys);
        with_pem.jwt_secret_file = secret_path;
        free(a);
        free(b);
    }
    mint_key_free(trimmed);
    mint_key_free(whole);
    free(pem);
}

static void test_token_headers(void **state)
{
    static const struct {
        const char *header;
        enum invig_reason reason;
    } rows[] = {
        {HS256, INVIG_REASON_NONE},
        {" {\t\"alg\" : \"HS256\"\n} ", INVIG_REASON_NONE},
        {"{\"\\u0061lg\":\"HS25\\u0036\"}", INVIG_REASON_NONE},
        {"{\"alg\":\"HS256\",\"typ\":\"JWT\",\"cty\":1}", INVIG_REASON_NONE},
        {"{\"alg\":\"HS256\",\"typ\":{}}", INVIG_REASON_NONE},
        {"{\"alg\":\"HS256\",\"jku\":\"https://evil.example/\",\"jwk\":{\"kty\":\"oct\"},"
         "\"x5u\":1,\"x5c\":[]}",
         INVIG_REASON_NONE},
        {"{\"alg\":\"HS256\",\"kid\":\"unknown\"}", INVIG_REASON_NONE},
        {"{\"alg\":\"HS256\",\"crit\":[\"exp\"]}", INVIG_REASON_HEADER_CRITICAL},
        {"{\"alg\":\"HS256\",\"crit\":[]}", INVIG_REASON_HEADER_CRITICAL},
        {"{\"alg\":\"HS256\",\"crit\":null}", INVIG_REASON_HEADER_CRITICAL},
        {"{\"alg\":\"HS256\",\"crit\":\"\"}", INVIG_REASON_HEADER_CRITICAL},
        {"{\"alg\":\"HS256\",\"cr\\u0069t\":[\"b64\"],\"b64\":false}",
         INVIG_REASON_HEADER_CRITICAL},
        {"{\"alg\":\"HS256\",\"b64\":true}", INVIG_REASON_HEADER_INVALID},
        {"{\"alg\":\"HS256\",\"b64\":false}", INVIG_REASON_HEADER_INVALID},
        {"{\"alg\":\"HS256\",\"kid\":1}", INVIG_REASON_HEADER_INVALID},
        {"{\"alg\":\"HS256\",\"kid\":null}", INVIG_REASON_HEADER_INVALID},
        {"{\"alg\":\"HS256\",\"kid\":[\"a\"]}", INVIG_REASON_HEADER_INVALID},
        {"{\"alg\":\"HS256\",\"alg\":\"HS256\"}", INVIG_REASON_HEADER_INVALID},
        {"{\"alg\":\"HS256\",\"\\u0061lg\":\"none\"}", INVIG_REASON_HEADER_INVALID},
        {"{\"alg\":\"HS256\",\"x\":{\"y\":1,\"y\":1}}", INVIG_REASON_HEADER_INVALID},
        {"{\"alg\":\"HS256\",\"kid\":\"a\\u0000\"}", INVIG_REASON_HEADER_INVALID},
        {"{\"alg\":\"HS256\\u0000\"}", INVIG_REASON_HEADER_INVALID},
        {"{\"alg\":\"HS256\",\"x\":\"\xFF\"}", INVIG_REASON_HEADER_INVALID},
        {"{\"alg\":\"HS256\",\"x\":\"\\ud800\"}", INVIG_REASON_HEADER_INVALID},
        {"{\"alg\":\"HS256\",\"x\":1e999}", INVIG_REASON_HEADER_INVALID},
        {"{\"alg\":\"HS256\",}", INVIG_REASON_HEADER_INVALID},
        {"{\"alg\":\"HS256\"} {}", INVIG_REASON_HEADER_INVALID},
        {"{'alg':'HS256'}", INVIG_REASON_HEADER_INVALID},
        {"{\"alg\":256}", INVIG_REASON_HEADER_INVALID},
        {"{\"alg\":null}", INVIG_REASON_HEADER_INVALID},
        {"{\"alg\":[\"HS256\"]}", INVIG_REASON_HEADER_INVALID},
        {"{\"alg\":{\"alg\":\"HS256\"}}", INVIG_REASON_HEADER_INVALID},
        {"{\"alg\":\"\"}", INVIG_REASON_ALGORITHM_NOT_ALLOWED},
        {"{\"alg\":\"hs256\"}", INVIG_REASON_ALGORITHM_NOT_ALLOWED},
        {"{\"alg\":\"HS256 \"}", INVIG_REASON_ALGORITHM_NOT_ALLOWED},
        {"{\"alg\":\"RS256\"}", INVIG_REASON_ALGORITHM_NOT_ALLOWED},
        {"{\"alg\":\"EdDSA\"}", INVIG_REASON_ALGORITHM_NOT_ALLOWED},
        {"{\"alg\":\"HS384\"}", INVIG_REASON_SIGNATURE_INVALID},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        assert_minted(rows[i].header, GOOD, rows[i].reason);
    }
}

#define CLAIMS(more) "{\"sub\":\"anna\",\"sid\":\"s1\",\"iat\":1800000000," more "}"
#define EXP(value)   CLAIMS("\"exp\":" value)

static void test_token_payloads(void **state)
{
    static const struct {
        const char *payload;
        enum invig_reason reason;
    } rows[] = {
        {EXP("1800000001"), INVIG_REASON_NONE},
        {EXP("253402300799"), INVIG_REASON_NONE},
        {EXP("253402300800"), INVIG_REASON_CLAIM_INVALID},
        {EXP("1800000001.0"), INVIG_REASON_CLAIM_INVALID},
        {EXP("1800000001.5"), INVIG_REASON_CLAIM_INVALID},
        {EXP("18e8"), INVIG_REASON_CLAIM_INVALID},
        {EXP("1800000001e0"), INVIG_REASON_CLAIM_INVALID},
        {EXP("1e300"), INVIG_REASON_CLAIM_INVALID},
        {EXP("9223372036854775807"), INVIG_REASON_CLAIM_INVALID},
        {EXP("-9223372036854775808"), INVIG_REASON_CLAIM_INVALID},
        {EXP("-1"), INVIG_REASON_CLAIM_INVALID},
        {EXP("-0"), INVIG_REASON_EXPIRED},
        {EXP("0"), INVIG_REASON_EXPIRED},
        {EXP("\"1800000001\""), INVIG_REASON_CLAIM_INVALID},
        {EXP("true"), INVIG_REASON_CLAIM_INVALID},
        {EXP("null"), INVIG_REASON_CLAIM_INVALID},
        {EXP("[1800000001]"), INVIG_REASON_CLAIM_INVALID},
        {EXP("{\"exp\":1800000001}"), INVIG_REASON_CLAIM_INVALID},
        {CLAIMS("\"Exp\":1800000001"), INVIG_REASON_CLAIM_MISSING},
        {EXP("1800000001,\"exp\":1800000001"), INVIG_REASON_PAYLOAD_INVALID},
        {EXP("1800000001,\"\\u0065xp\":1"), INVIG_REASON_PAYLOAD_INVALID},
        {EXP("1800000001,\"a\":[{\"b\":1,\"b\":2}]"), INVIG_REASON_PAYLOAD_INVALID},
        {EXP("9223372036854775808"), INVIG_REASON_PAYLOAD_INVALID},
        {EXP("1e400"), INVIG_REASON_PAYLOAD_INVALID},
        {EXP("01800000001"), INVIG_REASON_PAYLOAD_INVALID},
        {EXP("+1800000001"), INVIG_REASON_PAYLOAD_INVALID},
        {EXP("NaN"), INVIG_REASON_PAYLOAD_INVALID},
        {EXP("Infinity"), INVIG_REASON_PAYLOAD_INVALID},
        {EXP("0x7fffffff"), INVIG_REASON_PAYLOAD_INVALID},
        {EXP("1800000001,\"a\":\"\\u0000\""), INVIG_REASON_PAYLOAD_INVALID},
        {EXP("1800000001,\"a\\u0000\":1"), INVIG_REASON_PAYLOAD_INVALID},
        {EXP("1800000001,\"a\":\"\xC0\x80\""), INVIG_REASON_PAYLOAD_INVALID},
        {EXP("1800000001,\"a\":\"\xED\xA0\x80\""), INVIG_REASON_PAYLOAD_INVALID},
        {EXP("1800000001,\"a\":\"\\udc00\""), INVIG_REASON_PAYLOAD_INVALID},
        {EXP("1800000001,\"a\":\"\n\""), INVIG_REASON_PAYLOAD_INVALID},
        {EXP("1800000001,"), INVIG_REASON_PAYLOAD_INVALID},
        {EXP("1800000001") " x", INVIG_REASON_PAYLOAD_INVALID},
        {"\xEF\xBB\xBF" GOOD, INVIG_REASON_PAYLOAD_INVALID},
        {"", INVIG_REASON_PAYLOAD_INVALID},
        {"{", INVIG_REASON_PAYLOAD_INVALID},
        {"[]", INVIG_REASON_PAYLOAD_INVALID},
        {"[" GOOD "]", INVIG_REASON_PAYLOAD_INVALID},
        {"null", INVIG_REASON_PAYLOAD_INVALID},
        {"\"a\"", INVIG_REASON_PAYLOAD_INVALID},
        {"{}", INVIG_REASON_CLAIM_MISSING},
        {EXP("1800000001,\"role\":\"dean\""), INVIG_REASON_ROLE_UNKNOWN},
        {EXP("1800000001,\"role\":[]"), INVIG_REASON_ROLE_UNKNOWN},
        {EXP("1800000001,\"role\":[1]"), INVIG_REASON_CLAIM_INVALID},
        {EXP("1800000001,\"evaluations\":\"e1\""), INVIG_REASON_CLAIM_INVALID},
        {EXP("1800000001,\"evaluations\":[\"e1\",2]"), INVIG_REASON_CLAIM_INVALID},
        {EXP("1800000001,\"evaluations\":[\"a/b\"]"), INVIG_REASON_CLAIM_INVALID},
        {EXP("1800000001,\"evaluations\":[]"), INVIG_REASON_NONE},
        {EXP("1800000001,\"evaluations\":{\"0\":\"e1\"}"), INVIG_REASON_CLAIM_INVALID},
        {EXP("1800000001,\"evaluations\":null"), INVIG_REASON_CLAIM_INVALID},
        {EXP("1800000001,\"alg\":\"none\",\"\":1"), INVIG_REASON_NONE},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        assert_minted(HS256, rows[i].payload, rows[i].reason);
    }
}

/* A NUL byte, behind which a C string ends. */
static void test_token_raw_nul(void **state)
{
    static const char header[] = HS256 "\0,";
    static const char payload[] = GOOD "\0,";

    (void)state;
    for (size_t more = 0; more <= 2; more++) {
        char *a = mint_token_bytes(secret, INVIG_ALGORITHM_HS256,
                                   (struct invig_text){header, strlen(header) + more},
                                   invig_text_of(GOOD));
        char *b = mint_token_bytes(secret, INVIG_ALGORITHM_HS256, invig_text_of(HS256),
                                   (struct invig_text){payload, strlen(payload) + more});
        if (more == 0) {
            assert_int_equal(check(a), INVIG_ALLOW);
            assert_int_equal(check(b), INVIG_ALLOW);
        } else {
            assert_denied(a, INVIG_REASON_HEADER_INVALID);
            assert_denied(b, INVIG_REASON_PAYLOAD_INVALID);
        }
        free(a);
        free(b);
    }
}

/* Signs an input that is encoded already. */
static void assert_encoded(const char *input, enum invig_reason reason)
{
    char *token = mint_token_of_input(secret, INVIG_ALGORITHM_HS256, input);

    print_message("%s\n", input);
    if (reason == INVIG_REASON_NONE) {
        assert_int_equal(check(token), INVIG_ALLOW);
    } else {
        assert_denied(token, reason);
    }
    free(token);
}

static void test_token_base64_of_header_and_payload(void **state)
{
    char input[512];
    char *header = mint_base64url("{\"alg\":\"HS256\" }", 16);
    char *payload = mint_base64url(GOOD " ", strlen(GOOD) + 1);
    size_t last = strlen(header) - 1;

    (void)state;
    assert_int_equal(strlen(header) % 4, 2); /* one byte, four bits left over */
    snprintf(input, sizeof input, "%s.%s", header, payload);
    assert_encoded(input, INVIG_REASON_NONE);
    snprintf(input, sizeof input, "%s==.%s", header, payload);
    assert_encoded(input, INVIG_REASON_TOKEN_MALFORMED);
    snprintf(input, sizeof input, "%s=.%s", header, payload);
    assert_encoded(input, INVIG_REASON_TOKEN_MALFORMED);
    snprintf(input, sizeof input, "%s.%s=", header, payload);
    assert_encoded(input, INVIG_REASON_TOKEN_MALFORMED);
    snprintf(input, sizeof input, "%s.%sA", header, payload);
    assert_encoded(input, strlen(payload) % 4 == 0 ? INVIG_REASON_TOKEN_MALFORMED
                                                   : INVIG_REASON_PAYLOAD_INVALID);
    header[last] = (char)(header[last] + 1);
    snprintf(input, sizeof input, "%s.%s", header, payload);
    assert_encoded(input, INVIG_REASON_TOKEN_MALFORMED);
    free(payload);
    free(header);
}

/* A payload with the characters that base64 has and base64url has not. */
static void test_token_base64_alphabet(void **state)
{
    static const char payload[] =
        "{\"sub\":\"anna\",\"sid\":\"s1\",\"exp\":1800003600,\"iat\":1800000000,\"x\":\">>>>>>\"}";
    char *first = mint_base64url(HS256, strlen(HS256));
    char *second = mint_base64url(payload, strlen(payload));
    char input[512];
    char *found;

    (void)state;
    snprintf(input, sizeof input, "%s.%s", first, second);
    assert_encoded(input, INVIG_REASON_NONE);
    found = strpbrk(input, "-_");
    assert_non_null(found);
    while ((found = strpbrk(input, "-_")) != NULL) {
        *found = *found == '-' ? '+' : '/';
    }
    assert_encoded(input, INVIG_REASON_TOKEN_MALFORMED);
    free(first);
    free(second);
}

static void test_token_signatures(void **state)
{
    char *token = mint_token(secret, INVIG_ALGORITHM_HS256, HS256, GOOD);
    size_t length = strlen(token);
    char text[1024];

    (void)state;
    snprintf(text, sizeof text, "%s=", token);
    assert_denied(text, INVIG_REASON_TOKEN_MALFORMED);
    snprintf(text, sizeof text, "%sA", token); /* a byte too many */
    assert_denied(text, INVIG_REASON_SIGNATURE_INVALID);
    snprintf(text, sizeof text, "%sAA", token); /* a length that base64 does not have */
    assert_denied(text, INVIG_REASON_TOKEN_MALFORMED);
    /* The last character holds two bits that are left over: only one spelling is taken. */
    for (char c = '-'; c <= 'z'; c++) {
        snprintf(text, sizeof text, "%s", token);
        text[length - 1] = c;
        assert_int_equal(check(text), c == token[length - 1]              ? INVIG_ALLOW
                                      : c == '.'                          ? INVIG_DEFER
                                      : strchr(":;<>?@[\\]^`", c) != NULL ? INVIG_DEFER
                                                                          : INVIG_DENY);
    }
    /* Every other character, changed to another one. */
    for (size_t i = 0; i < length - 1; i++) {
        snprintf(text, sizeof text, "%s", token);
        if (text[i] == '.') {
            continue;
        }
        text[i] = text[i] == 'A' ? 'B' : 'A';
        assert_int_not_equal(check(text), INVIG_ALLOW);
    }
    snprintf(text, sizeof text, "%s", token);
    strrchr(text, '.')[1] = '\0';
    assert_denied(text, INVIG_REASON_SIGNATURE_INVALID);
    free(token);
}

static void test_token_empty_parts(void **state)
{
    static const struct {
        const char *password;
        enum invig_verdict verdict;
    } rows[] = {
        {"eyJhbGciOiJIUzI1NiJ9..", INVIG_DENY},
        {"eyJhbGciOiJIUzI1NiJ9.e30.", INVIG_DENY},
        {"eyJhbGciOiJIUzI1NiJ9..AA", INVIG_DENY},
        {".e30.AA", INVIG_DEFER},
        {"..AA", INVIG_DEFER},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        assert_int_equal(check(rows[i].password), rows[i].verdict);
    }
    assert_int_equal(
        invig_token_check(keyring, &policy, (struct invig_text){0}, NOW_S, &claims, &refusal),
        INVIG_DEFER);
}

/* Makes a token whose payload holds a filler of `size` bytes. */
static char *token_of_size(size_t size)
{
    char *payload = malloc(size + 256);
    assert_non_null(payload);
    int start = snprintf(payload, 256,
                         "{\"sub\":\"anna\",\"sid\":\"s1\",\"exp\":1800003600,"
                         "\"iat\":1800000000,\"x\":\"");
    memset(payload + start, 'x', size);
    memcpy(payload + start + size, "\"}", 3);
    char *token = mint_token(secret, INVIG_ALGORITHM_HS256, HS256, payload);
    free(payload);
    return token;
}

static void test_token_size(void **state)
{
    struct invig_policy wide = policy;
    char *large = token_of_size(45000);
    char *token = mint_token(secret, INVIG_ALGORITHM_HS256, HS256, GOOD);

    (void)state;
    assert_true(strlen(large) > 60000 && strlen(large) < 65535);
    assert_denied(large, INVIG_REASON_TOKEN_TOO_LARGE);
    wide.jwt_max_size_bytes = 65535;
    assert_int_equal(check_in(keyring, &wide, large), INVIG_ALLOW);
    wide.jwt_max_size_bytes = (int64_t)strlen(token);
    assert_int_equal(check_in(keyring, &wide, token), INVIG_ALLOW);
    wide.jwt_max_size_bytes--;
    assert_int_equal(check_in(keyring, &wide, token), INVIG_DENY);
    assert_int_equal(refusal.reason, INVIG_REASON_TOKEN_TOO_LARGE);
    memset(large, 'x', 30000); /* the same length, but no token */
    assert_int_equal(check(large), INVIG_DEFER);
    free(token);
    free(large);
}

/* `depth` arrays in a member of a header or payload that starts with `start`. */
static char *nested(const char *start, size_t depth)
{
    size_t length = strlen(start);
    char *text = malloc(length + 2 * depth + 8);
    assert_non_null(text);
    memcpy(text, start, length);
    memcpy(text + length, ",\"d\":", 5);
    memset(text + length + 5, '[', depth);
    memset(text + length + 5 + depth, ']', depth);
    memcpy(text + length + 5 + 2 * depth, "}", 2);
    return text;
}

static void test_token_deep_nesting(void **state)
{
    static const size_t depths[] = {1, 31, 33, 500, 20000};
    struct invig_policy wide = policy;

    (void)state;
    wide.jwt_max_size_bytes = 65535;
    for (size_t i = 0; i < ROWS(depths); i++) {
        char *header = nested("{\"alg\":\"HS256\"", depths[i]);
        char *payload =
            nested("{\"sub\":\"a\",\"sid\":\"s\",\"exp\":1800003600,\"iat\":1800000000", depths[i]);
        char *evaluations = nested("{\"sub\":\"a\",\"sid\":\"s\",\"exp\":1800003600,"
                                   "\"iat\":1800000000,\"evaluations\":[]",
                                   depths[i]);
        char *a = mint_token(secret, INVIG_ALGORITHM_HS256, header, GOOD);
        char *b = mint_token(secret, INVIG_ALGORITHM_HS256, HS256, payload);
        char *list = strstr(evaluations, "[],\"d\":");
        memmove(list, list + 7, strlen(list + 7) + 1); /* the arrays are the claim's value */
        char *c = mint_token(secret, INVIG_ALGORITHM_HS256, HS256, evaluations);
        bool is_too_deep = depths[i] > 2000;
        assert_int_equal(check_in(keyring, &wide, a), is_too_deep ? INVIG_DENY : INVIG_ALLOW);
        assert_int_equal(check_in(keyring, &wide, b), is_too_deep ? INVIG_DENY : INVIG_ALLOW);
        assert_int_equal(check_in(keyring, &wide, c), depths[i] > 1 ? INVIG_DENY : INVIG_ALLOW);
        free(a);
        free(b);
        free(c);
        free(header);
        free(payload);
        free(evaluations);
    }
}

static void test_token_many_members(void **state)
{
    struct invig_policy wide = policy;
    static char payload[48000];
    size_t length;

    (void)state;
    wide.jwt_max_size_bytes = 65535;
    length = (size_t)snprintf(payload, sizeof payload, "%.*s", (int)strlen(GOOD) - 1, GOOD);
    for (int i = 0; length < sizeof payload - 32; i++) {
        length += (size_t)snprintf(payload + length, sizeof payload - length, ",\"%d\":1", i);
    }
    strncat(payload, "}", 2);
    char *token = mint_token(secret, INVIG_ALGORITHM_HS256, HS256, payload);
    assert_int_equal(check_in(keyring, &wide, token), INVIG_ALLOW);
    free(token);
}

static void test_token_kid_chooses(void **state)
{
    struct invig_policy with_set = policy;
    char *jwk = mint_jwk(rsa, ",\"kid\":\"k1\"");
    char *jwk2 = mint_jwk(p256, "");
    char text[4096];
    static const struct {
        const char *header;
        bool is_rsa;
        enum invig_reason reason;
    } rows[] = {
        {"{\"alg\":\"RS256\",\"kid\":\"k1\"}", true, INVIG_REASON_NONE},
        {"{\"alg\":\"RS256\"}", true, INVIG_REASON_NONE},
        {"{\"alg\":\"RS256\",\"kid\":\"k2\"}", true, INVIG_REASON_KEY_UNKNOWN},
        {"{\"alg\":\"RS256\",\"kid\":\"\"}", true, INVIG_REASON_KEY_UNKNOWN},
        {"{\"alg\":\"RS512\",\"kid\":\"k1\"}", true, INVIG_REASON_SIGNATURE_INVALID},
        {"{\"alg\":\"ES256\"}", false, INVIG_REASON_NONE},
        {"{\"alg\":\"ES256\",\"kid\":\"k1\"}", false, INVIG_REASON_KEY_UNKNOWN},
        {"{\"alg\":\"HS256\"}", false, INVIG_REASON_ALGORITHM_NOT_ALLOWED},
        {"{\"alg\":\"ES384\"}", false, INVIG_REASON_ALGORITHM_NOT_ALLOWED},
    };

    (void)state;
    snprintf(text, sizeof text, "{\"keys\":[%s,%s]}", jwk, jwk2);
    mint_write_file(jwks_path, text, strlen(text), 0600);
    with_set.jwt_secret_file = NULL;
    with_set.jwt_jwks_file = jwks_path;
    struct invig_keyring *keys = keyring_open(&with_set);
    for (size_t i = 0; i < ROWS(rows); i++) {
        char *token = mint_token(rows[i].is_rsa ? rsa : p256,
                                 rows[i].is_rsa ? INVIG_ALGORITHM_RS256 : INVIG_ALGORITHM_ES256,
                                 rows[i].header, GOOD);
        print_message("%s\n", rows[i].header);
        assert_int_equal(check_in(keys, &with_set, token),
                         rows[i].reason == INVIG_REASON_NONE ? INVIG_ALLOW : INVIG_DENY);
        assert_int_equal(refusal.reason, rows[i].reason);
        free(token);
    }
    invig_keyring_free(keys);
    free(jwk);
    free(jwk2);
}

/* What the policy does not list is refused, also where a key would fit. */
static void test_token_listed_algorithms(void **state)
{
    struct invig_policy listed = policy;
    char *a = mint_token(secret, INVIG_ALGORITHM_HS256, HS256, GOOD);
    char *b = mint_token(secret, INVIG_ALGORITHM_HS512, "{\"alg\":\"HS512\"}", GOOD);

    (void)state;
    listed.jwt_algorithms = BIT(HS512);
    struct invig_keyring *keys = keyring_open(&listed);
    assert_int_equal(check_in(keys, &listed, a), INVIG_DENY);
    assert_int_equal(refusal.reason, INVIG_REASON_ALGORITHM_NOT_ALLOWED);
    assert_int_equal(check_in(keys, &listed, b), INVIG_ALLOW);
    invig_keyring_free(keys);
    free(a);
    free(b);
}

/* Names of claims are the administrator's; one with dots or slashes is a name like any other. */
static void test_token_configured_names(void **state)
{
    struct invig_policy named = policy;
    char user[] = "https://example.org/user.id";
    char role[] = "alg";

    (void)state;
    named.claim_user = user;
    named.claim_role = role;
    char *token = mint_token(secret, INVIG_ALGORITHM_HS256, HS256,
                             "{\"https://example.org/user.id\":\"berta\",\"alg\":\"professor\","
                             "\"sid\":\"s\",\"exp\":1800003600,\"iat\":1800000000}");
    assert_int_equal(check_in(keyring, &named, token), INVIG_ALLOW);
    assert_string_equal(claims.user, "berta");
    assert_int_equal(claims.role, INVIG_ROLE_PROFESSOR);
    user[0] = '\0'; /* would be the whole payload for libjwt */
    assert_int_equal(check_in(keyring, &named, token), INVIG_DENY);
    assert_int_equal(refusal.reason, INVIG_REASON_INTERNAL);
    free(token);
}

/* The name of the claim at fault goes into the log. */
static void test_token_names_the_claim(void **state)
{
    (void)state;
    assert_minted(HS256, EXP("\"x\""), INVIG_REASON_CLAIM_INVALID);
    assert_string_equal(refusal.claim, "exp");
    assert_minted("{\"alg\":\"none\"}", GOOD, INVIG_REASON_ALGORITHM_NOT_ALLOWED);
    assert_null(refusal.claim);
}

/* A token is not told why its claims are bad before its signature is right. */
static void test_token_signature_before_claims(void **state)
{
    struct mint_key *other = mint_key_secret("another secret, as long as needed", 33);
    char *token = mint_token(other, INVIG_ALGORITHM_HS256, HS256, "{\"exp\":1,\"exp\":1}");

    (void)state;
    assert_denied(token, INVIG_REASON_SIGNATURE_INVALID);
    free(token);
    mint_key_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_token_self_test),
        cmocka_unit_test(test_token_algorithms),
        cmocka_unit_test(test_token_good_claims),
        cmocka_unit_test(test_token_defers),
        cmocka_unit_test(test_token_none_in_any_case),
        cmocka_unit_test(test_token_public_key_as_secret),
        cmocka_unit_test(test_token_headers),
        cmocka_unit_test(test_token_payloads),
        cmocka_unit_test(test_token_raw_nul),
        cmocka_unit_test(test_token_base64_of_header_and_payload),
        cmocka_unit_test(test_token_base64_alphabet),
        cmocka_unit_test(test_token_signatures),
        cmocka_unit_test(test_token_empty_parts),
        cmocka_unit_test(test_token_size),
        cmocka_unit_test(test_token_deep_nesting),
        cmocka_unit_test(test_token_many_members),
        cmocka_unit_test(test_token_kid_chooses),
        cmocka_unit_test(test_token_listed_algorithms),
        cmocka_unit_test(test_token_configured_names),
        cmocka_unit_test(test_token_names_the_claim),
        cmocka_unit_test(test_token_signature_before_claims),
    };

    return cmocka_run_group_tests(tests, all_begin, all_end);
}
