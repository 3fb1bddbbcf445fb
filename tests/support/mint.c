/* SPDX-License-Identifier: Apache-2.0
 *
 * mint.c - makes keys and tokens with OpenSSL alone.
 */
#include "mint.h"

#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct mint_key {
    EVP_PKEY *pair; /* NULL: a secret */
    unsigned char *secret;
    size_t secret_length;
};

static void must(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "mint: %s failed\n", what);
        abort();
    }
}

static void *must_allocate(size_t size)
{
    void *memory = calloc(1, size + 1);

    must(memory != NULL, "calloc");
    return memory;
}

static struct mint_key *key_of(EVP_PKEY *pair)
{
    struct mint_key *key = must_allocate(sizeof *key);

    must(pair != NULL, "key generation");
    key->pair = pair;
    return key;
}

struct mint_key *mint_key_rsa(unsigned bits)
{
    return key_of(EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits));
}

struct mint_key *mint_key_ec(const char *curve)
{
    return key_of(EVP_PKEY_Q_keygen(NULL, NULL, "EC", curve));
}

struct mint_key *mint_key_of_type(const char *type)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *pair = NULL;

    must(context != NULL && EVP_PKEY_keygen_init(context) == 1 &&
             EVP_PKEY_generate(context, &pair) == 1,
         type);
    EVP_PKEY_CTX_free(context);
    return key_of(pair);
}

struct mint_key *mint_key_secret(const void *secret, size_t length)
{
    struct mint_key *key = must_allocate(sizeof *key);

    key->secret = must_allocate(length);
    memcpy(key->secret, secret, length);
    key->secret_length = length;
    return key;
}

void mint_key_free(struct mint_key *key)
{
    if (key != NULL) {
        EVP_PKEY_free(key->pair);
        free(key->secret);
        free(key);
    }
}

/* The content of a memory BIO as a string; frees the BIO. */
static char *bio_take(BIO *bio)
{
    char *data;
    long length = BIO_get_mem_data(bio, &data);
    char *copy = must_allocate((size_t)length);

    memcpy(copy, data, (size_t)length);
    BIO_free(bio);
    return copy;
}

char *mint_public_pem(const struct mint_key *key)
{
    BIO *bio = BIO_new(BIO_s_mem());

    must(PEM_write_bio_PUBKEY(bio, key->pair) == 1, "PEM_write_bio_PUBKEY");
    return bio_take(bio);
}

char *mint_private_pem(const struct mint_key *key)
{
    BIO *bio = BIO_new(BIO_s_mem());

    must(PEM_write_bio_PKCS8PrivateKey(bio, key->pair, NULL, NULL, 0, NULL, NULL) == 1,
         "PEM_write_bio_PKCS8PrivateKey");
    return bio_take(bio);
}

char *mint_base64url(const void *data, size_t length)
{
    char *text = must_allocate(length / 3 * 4 + 4);
    int written = EVP_EncodeBlock((unsigned char *)text, data, (int)length);

    for (int i = 0; i < written; i++) {
        if (text[i] == '+') {
            text[i] = '-';
        } else if (text[i] == '/') {
            text[i] = '_';
        } else if (text[i] == '=') {
            text[i] = '\0';
        }
    }
    return text;
}

/* A number of the key in base64url, filled up to `size` bytes; 0: as long as it is. */
static char *key_number(const struct mint_key *key, const char *name, size_t size)
{
    unsigned char bytes[4096];
    BIGNUM *number = NULL;

    must(EVP_PKEY_get_bn_param(key->pair, name, &number) == 1, name);
    size_t length = size == 0 ? (size_t)BN_num_bytes(number) : size;
    must(length <= sizeof bytes && BN_bn2binpad(number, bytes, (int)length) >= 0, name);
    BN_free(number);
    return mint_base64url(bytes, length);
}

static char *jwk_write(const char *start, const char *a_name, char *a, const char *b_name, char *b,
                       const char *more)
{
    size_t size = strlen(start) + strlen(a) + strlen(b) + strlen(more) + 64;
    char *jwk = must_allocate(size);

    snprintf(jwk, size, "{%s,\"%s\":\"%s\",\"%s\":\"%s\"%s}", start, a_name, a, b_name, b, more);
    free(a);
    free(b);
    return jwk;
}

static char *jwk_of_secret(const struct mint_key *key, const char *more)
{
    char *encoded = mint_base64url(key->secret, key->secret_length);
    size_t size = strlen(encoded) + strlen(more) + 64;
    char *jwk = must_allocate(size);

    snprintf(jwk, size, "{\"kty\":\"oct\",\"k\":\"%s\"%s}", encoded, more);
    free(encoded);
    return jwk;
}

char *mint_jwk(const struct mint_key *key, const char *more)
{
    char start[64];
    int bits;

    if (key->pair == NULL) {
        return jwk_of_secret(key, more);
    }
    if (EVP_PKEY_is_a(key->pair, "RSA")) {
        return jwk_write("\"kty\":\"RSA\"", "n", key_number(key, OSSL_PKEY_PARAM_RSA_N, 0), "e",
                         key_number(key, OSSL_PKEY_PARAM_RSA_E, 0), more);
    }
    bits = EVP_PKEY_get_bits(key->pair);
    size_t size = ((size_t)bits + 7) / 8;
    snprintf(start, sizeof start, "\"kty\":\"EC\",\"crv\":\"P-%d\"", bits);
    return jwk_write(start, "x", key_number(key, OSSL_PKEY_PARAM_EC_PUB_X, size), "y",
                     key_number(key, OSSL_PKEY_PARAM_EC_PUB_Y, size), more);
}

static const EVP_MD *hash_of(enum invig_algorithm algorithm)
{
    size_t bytes = invig_algorithm_hash_bytes(algorithm);

    if (bytes == 32) {
        return EVP_sha256();
    }
    return bytes == 48 ? EVP_sha384() : EVP_sha512();
}

/* DER to r and s, each as long as the curve's numbers. */
static size_t ec_signature_flatten(const struct mint_key *key, unsigned char *signature,
                                   size_t length)
{
    const unsigned char *at = signature;
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)length);
    int size = (EVP_PKEY_get_bits(key->pair) + 7) / 8;

    must(pair != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(pair), signature, size) == size &&
             BN_bn2binpad(ECDSA_SIG_get0_s(pair), signature + size, size) == size,
         "ECDSA_SIG");
    ECDSA_SIG_free(pair);
    return 2 * (size_t)size;
}

static bool algorithm_is_pss(enum invig_algorithm algorithm)
{
    return strncmp(invig_algorithm_name(algorithm), "PS", 2) == 0;
}

static size_t pair_sign(const struct mint_key *key, enum invig_algorithm algorithm,
                        struct invig_text input, unsigned char *out, size_t capacity)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *settings;
    size_t length = capacity;

    must(EVP_DigestSignInit(context, &settings, hash_of(algorithm), NULL, key->pair) == 1,
         "EVP_DigestSignInit");
    if (algorithm_is_pss(algorithm)) {
        must(EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PSS_PADDING) == 1 &&
                 EVP_PKEY_CTX_set_rsa_pss_saltlen(settings, RSA_PSS_SALTLEN_DIGEST) == 1,
             "PSS");
    }
    must(EVP_DigestSign(context, out, &length, (const unsigned char *)input.data, input.length) ==
             1,
         "EVP_DigestSign");
    EVP_MD_CTX_free(context);
    return length;
}

size_t mint_sign(const struct mint_key *key, enum invig_algorithm algorithm,
                 struct invig_text input, unsigned char out[2048])
{
    if (key->pair == NULL) {
        unsigned length = 0;
        must(HMAC(hash_of(algorithm), key->secret, (int)key->secret_length,
                  (const unsigned char *)input.data, input.length, out, &length) != NULL,
             "HMAC");
        return length;
    }
    size_t length = pair_sign(key, algorithm, input, out, 2048);
    return EVP_PKEY_is_a(key->pair, "EC") ? ec_signature_flatten(key, out, length) : length;
}

char *mint_token_of_input(const struct mint_key *key, enum invig_algorithm algorithm,
                          const char *input)
{
    unsigned char signature[2048];
    size_t length = mint_sign(key, algorithm, invig_text_of(input), signature);
    char *encoded = mint_base64url(signature, length);
    size_t size = strlen(input) + strlen(encoded) + 2;
    char *token = must_allocate(size);

    snprintf(token, size, "%s.%s", input, encoded);
    free(encoded);
    return token;
}

char *mint_token_bytes(const struct mint_key *key, enum invig_algorithm algorithm,
                       struct invig_text header, struct invig_text payload)
{
    char *first = mint_base64url(header.data, header.length);
    char *second = mint_base64url(payload.data, payload.length);
    size_t size = strlen(first) + strlen(second) + 2;
    char *input = must_allocate(size);

    snprintf(input, size, "%s.%s", first, second);
    char *token = mint_token_of_input(key, algorithm, input);
    free(input);
    free(second);
    free(first);
    return token;
}

char *mint_token(const struct mint_key *key, enum invig_algorithm algorithm, const char *header,
                 const char *payload)
{
    return mint_token_bytes(key, algorithm, invig_text_of(header), invig_text_of(payload));
}

void mint_write_file(const char *path, const void *data, size_t length, unsigned mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    must(fd >= 0, path);
    must(write(fd, data, length) == (ssize_t)length, "write");
    must(fchmod(fd, (mode_t)mode) == 0, "fchmod");
    must(close(fd) == 0, "close");
}
