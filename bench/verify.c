/* SPDX-License-Identifier: Apache-2.0
 *
 * verify.c - what a token costs: through the plugin's own check (a), by OpenSSL's bare verification
 * with the key held ready (b), and by libjwt's jwt_decode with the key as PEM (c). The rounds of
 * the three alternate, so that a busy machine slows all of them, and the median counts.
 */
#include "mint.h"
#include "token.h"

#include "invigilator/base64url.h"
#include "invigilator/jws.h"

#include <jwt.h>
#include <openssl/bio.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 41, WAYS = 3, NOW_S = 1800000000 };

static const char payload[] =
    "{\"sub\":\"5f0c3b1e-anna\",\"sid\":\"c0ffee00-0000-4000-8000-5e5510a1d001\","
    "\"exp\":1800003600,\"iat\":1800000000,\"auth_time\":1799999000,\"role\":\"student\","
    "\"evaluations\":[\"algebra-2027-1\",\"analysis-2027-1\",\"logic-2027-1\"]}";

static const char secret_bytes[] = "a shared secret of 32 bytes or more, raw";

/* One algorithm, with everything made ready that may be ready. */
struct subject {
    const char *name;
    enum invig_algorithm algorithm;
    double limit; /* of a/b; 0: none */
    int batch;    /* verifications a round */
    struct mint_key *key;
    char *token;
    struct invig_policy policy;
    struct invig_keyring *keyring;
    char *pem; /* or the secret: what libjwt gets */
    EVP_PKEY *public_key;
    struct invig_jws parts;
    unsigned char signature[2048]; /* as OpenSSL wants it */
    size_t signature_length;
};

static void must(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "bench_verify: %s failed\n", what);
        exit(EXIT_FAILURE);
    }
}

static double now_us(void)
{
    struct timespec time;

    must(clock_gettime(CLOCK_MONOTONIC, &time) == 0, "clock_gettime");
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static void verify_adapter(const struct subject *subject)
{
    static struct invig_claims claims;
    struct invig_refusal refusal;

    must(invig_token_check(subject->keyring, &subject->policy, invig_text_of(subject->token), NOW_S,
                           &claims, &refusal) == INVIG_ALLOW,
         "invig_token_check");
}

static void verify_bare(const struct subject *subject)
{
    const unsigned char *input = (const unsigned char *)subject->parts.signing_input.data;
    size_t length = subject->parts.signing_input.length;
    unsigned char mac[EVP_MAX_MD_SIZE];

    if (subject->public_key == NULL) {
        must(HMAC(EVP_sha256(), secret_bytes, (int)strlen(secret_bytes), input, length, mac,
                  NULL) != NULL &&
                 memcmp(mac, subject->signature, subject->signature_length) == 0,
             "HMAC");
        return;
    }
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    must(context != NULL &&
             EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, subject->public_key) == 1 &&
             EVP_DigestVerify(context, subject->signature, subject->signature_length, input,
                              length) == 1,
         "EVP_DigestVerify");
    EVP_MD_CTX_free(context);
}

static void verify_libjwt(const struct subject *subject)
{
    jwt_t *jwt = NULL;

    must(jwt_decode(&jwt, subject->token, (const unsigned char *)subject->pem,
                    (int)strlen(subject->pem)) == 0,
         "jwt_decode");
    jwt_free(jwt);
}

/* The token's signature, for ES256 as DER. */
static void subject_add_signature(struct subject *subject)
{
    ptrdiff_t length = invig_base64url_decode(subject->parts.signature, subject->signature,
                                              sizeof subject->signature);

    must(length > 0, "base64url");
    subject->signature_length = (size_t)length;
    if (subject->algorithm != INVIG_ALGORITHM_ES256) {
        return;
    }
    ECDSA_SIG *pair = ECDSA_SIG_new();
    unsigned char *der = subject->signature;
    must(pair != NULL && ECDSA_SIG_set0(pair, BN_bin2bn(subject->signature, 32, NULL),
                                        BN_bin2bn(subject->signature + 32, 32, NULL)) == 1,
         "ECDSA_SIG");
    subject->signature_length = (size_t)i2d_ECDSA_SIG(pair, &der);
    ECDSA_SIG_free(pair);
}

static void subject_open(struct subject *subject, char *path)
{
    char header[64];
    char error[INVIG_POLICY_ERROR_BYTES];

    snprintf(header, sizeof header, "{\"alg\":\"%s\",\"typ\":\"JWT\"}", subject->name);
    subject->token = mint_token(subject->key, subject->algorithm, header, payload);
    must(invig_jws_split(invig_text_of(subject->token), &subject->parts), "invig_jws_split");
    subject_add_signature(subject);
    must(invig_policy_init(&subject->policy) == INVIG_OK, "invig_policy_init");
    if (subject->algorithm == INVIG_ALGORITHM_HS256) {
        subject->pem = invig_text_copy(invig_text_of(secret_bytes));
        subject->policy.jwt_secret_file = path;
    } else {
        subject->pem = mint_public_pem(subject->key);
        subject->policy.jwt_public_key_file = path;
        BIO *bio = BIO_new_mem_buf(subject->pem, -1);
        subject->public_key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
        BIO_free(bio);
        must(subject->public_key != NULL, "PEM_read_bio_PUBKEY");
    }
    mint_write_file(path, subject->pem, strlen(subject->pem), 0600);
    must(invig_keyring_new(&subject->policy, invig_token_algorithms(), NULL, &subject->keyring,
                           error) == INVIG_OK,
         "invig_keyring_new");
}

static void subject_close(struct subject *subject)
{
    invig_keyring_free(subject->keyring);
    subject->policy.jwt_secret_file = NULL;
    subject->policy.jwt_public_key_file = NULL;
    invig_policy_deinit(&subject->policy);
    EVP_PKEY_free(subject->public_key);
    free(subject->pem);
    free(subject->token);
    mint_key_free(subject->key);
}

static int double_compare(const void *a, const void *b)
{
    const double *left = a;
    const double *right = b;

    return *left < *right ? -1 : *left > *right;
}

static double median(double *values)
{
    qsort(values, ROUNDS, sizeof *values, double_compare);
    return values[ROUNDS / 2];
}

/* Measures, prints, and returns false when the target is missed. */
static bool subject_run(const struct subject *subject)
{
    static void (*const ways[WAYS])(const struct subject *) = {verify_adapter, verify_bare,
                                                               verify_libjwt};
    static double costs_us[WAYS][ROUNDS];
    double cost_us[WAYS];

    for (int round = -1; round < ROUNDS; round++) { /* the first one warms up */
        for (int way = 0; way < WAYS; way++) {
            double start_us = now_us();
            for (int i = 0; i < subject->batch; i++) {
                ways[way](subject);
            }
            costs_us[way][round < 0 ? 0 : round] = (now_us() - start_us) / subject->batch;
        }
    }
    for (int way = 0; way < WAYS; way++) {
        cost_us[way] = median(costs_us[way]);
    }
    double ratio = cost_us[0] / cost_us[1];
    bool is_met = subject->limit <= 0 || ratio <= subject->limit;
    printf("%-6s %10.0f %10.0f %10.0f   %5.2f %5.2f   ", subject->name, 1e6 / cost_us[0],
           1e6 / cost_us[1], 1e6 / cost_us[2], ratio, cost_us[2] / cost_us[1]);
    if (subject->limit > 0) {
        printf("%s (a/b at most %.2f)\n", is_met ? "pass" : "fail", subject->limit);
    } else {
        printf("no target\n");
    }
    return is_met;
}

int main(void)
{
    struct subject subjects[] = {
        {.name = "HS256", .algorithm = INVIG_ALGORITHM_HS256, .batch = 2000},
        {.name = "RS256", .algorithm = INVIG_ALGORITHM_RS256, .batch = 500, .limit = 1.5},
        {.name = "ES256", .algorithm = INVIG_ALGORITHM_ES256, .batch = 200, .limit = 1.25},
    };
    char path[] = "/tmp/invig_bench_XXXXXX";
    int fd = mkstemp(path);
    bool is_met = true;

    must(fd >= 0, "mkstemp");
    (void)close(fd);
    subjects[0].key = mint_key_secret(secret_bytes, strlen(secret_bytes));
    subjects[1].key = mint_key_rsa(2048);
    subjects[2].key = mint_key_ec("P-256");
    printf("verifications a second: (a) the plugin, (b) bare OpenSSL, (c) jwt_decode\n"
           "                a          b          c     a/b   c/b\n");
    for (size_t i = 0; i < sizeof subjects / sizeof subjects[0]; i++) {
        subject_open(&subjects[i], path);
        is_met = subject_run(&subjects[i]) && is_met;
        subject_close(&subjects[i]);
    }
    (void)unlink(path);
    return is_met ? EXIT_SUCCESS : EXIT_FAILURE;
}
