/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_token.c - passwords of any bytes. An input with a newline in it is the header and, behind
 * the newline, the payload of a token that is signed here: a fuzzer would never find a signature,
 * and what lies behind it is worth its time.
 */
#include "mint.h"
#include "token.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NOW_S = 1800000000 };

static const char secret_bytes[] = "the secret of the corpus, 32 bytes or more";

/* The public key of RFC 7515 appendix A.3, and an oct key with a kid. */
static const char jwks[] =
    "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"e\","
    "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"},"
    "{\"kty\":\"oct\",\"kid\":\"o\",\"k\":\"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE\"}]}";

static struct invig_policy policy;
static struct invig_keyring *keyring;
static struct mint_key *secret;

static void must(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "fuzz_token: %s\n", what);
        abort();
    }
}

static void file_make(char *path, const char *content)
{
    int fd = mkstemp(path);

    must(fd >= 0, "mkstemp");
    (void)close(fd);
    mint_write_file(path, content, strlen(content), 0600);
}

static void setup(void)
{
    static char secret_path[] = "/tmp/invig_fuzz_secret_XXXXXX";
    static char jwks_path[] = "/tmp/invig_fuzz_jwks_XXXXXX";
    char error[INVIG_POLICY_ERROR_BYTES];

    file_make(secret_path, secret_bytes);
    file_make(jwks_path, jwks);
    must(invig_policy_init(&policy) == INVIG_OK, "invig_policy_init");
    policy.jwt_secret_file = secret_path;
    policy.jwt_jwks_file = jwks_path;
    must(invig_keyring_new(&policy, UINT32_MAX, NULL, &keyring, error) == INVIG_OK, error);
    secret = mint_key_secret(secret_bytes, strlen(secret_bytes));
    (void)unlink(secret_path);
    (void)unlink(jwks_path);
}

static void check(struct invig_text password)
{
    static struct invig_claims claims;
    static const struct invig_claims zeroed;
    struct invig_refusal refusal;
    enum invig_verdict verdict =
        invig_token_check(keyring, &policy, password, NOW_S, &claims, &refusal);

    must((verdict == INVIG_DENY) == (refusal.reason != INVIG_REASON_NONE), "reason and verdict");
    if (verdict != INVIG_ALLOW) {
        must(memcmp(&claims, &zeroed, sizeof claims) == 0, "claims are left over");
        return;
    }
    must(invig_text_is_id(invig_text_of(claims.user)), "user");
    must(claims.role != INVIG_ROLE_NONE, "role");
    must(claims.has_session || claims.role == INVIG_ROLE_SERVICE, "session");
    must(claims.expires_s + policy.jwt_leeway_s > NOW_S, "exp");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct invig_text input = {(const char *)data, size};
    const char *newline = size == 0 ? NULL : memchr(data, '\n', size);

    if (keyring == NULL) {
        setup();
    }
    if (newline == NULL) {
        check(input);
        return 0;
    }
    size_t header_size = (size_t)(newline - input.data);
    char *token = mint_token_bytes(secret, INVIG_ALGORITHM_HS256,
                                   (struct invig_text){input.data, header_size},
                                   (struct invig_text){newline + 1, size - header_size - 1});
    check(invig_text_of(token));
    free(token);
    return 0;
}
