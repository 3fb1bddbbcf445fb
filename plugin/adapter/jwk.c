/* SPDX-License-Identifier: Apache-2.0
 *
 * jwk.c - keys from the members of a JWK (RFC 7517; RFC 7518 section 6).
 */
#include "key.h"

#include "invigilator/base64url.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <stdlib.h>
#include <string.h>

enum {
    COORDINATE_BYTES_MAX = 66, /* of P-521 */
    NUMBER_BYTES_MAX = INVIG_RSA_BITS_MAX / 8 + 1
};

static bool text_is(struct invig_text text, const char *word)
{
    return invig_text_equal(text, invig_text_of(word));
}

/* Makes a public key of OpenSSL parameters; NULL where OpenSSL takes them for none. */
static EVP_PKEY *public_from_params(const char *type, OSSL_PARAM_BLD *builder)
{
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *key = NULL;

    if (params == NULL || context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(params);
    return key;
}

/* A Base64urlUInt (RFC 7518 section 2). Returns NULL where it is none. */
static BIGNUM *number_from(struct invig_text encoded)
{
    unsigned char bytes[NUMBER_BYTES_MAX];
    ptrdiff_t length = invig_base64url_decode(encoded, bytes, sizeof bytes);

    return length <= 0 ? NULL : BN_bin2bn(bytes, (int)length, NULL);
}

static struct invig_key *key_from_rsa(const struct invig_jwk *jwk, const char **out_found)
{
    BIGNUM *modulus = number_from(jwk->n);
    BIGNUM *exponent = number_from(jwk->e);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY *key = NULL;

    if (modulus != NULL && exponent != NULL && builder != NULL &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus) == 1 &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent) == 1) {
        key = public_from_params("RSA", builder);
    }
    OSSL_PARAM_BLD_free(builder);
    BN_free(exponent);
    BN_free(modulus);
    if (key == NULL) {
        *out_found = "an \"n\" or \"e\" that is missing, not base64url or too long";
        return NULL;
    }
    return invig_key_from_public(key, out_found);
}

struct jwk_curve {
    const char *name;
    size_t coordinate_bytes;
};

static const struct jwk_curve *jwk_curve_find(struct invig_text name)
{
    static const struct jwk_curve curves[] = {{"P-256", 32}, {"P-384", 48}, {"P-521", 66}};

    for (size_t i = 0; i < sizeof curves / sizeof curves[0]; i++) {
        if (text_is(name, curves[i].name)) {
            return &curves[i];
        }
    }
    return NULL;
}

/* Writes the uncompressed point: 4, x, y. Each must have the full size of the curve (RFC 7518
 * section 6.2.1.2). */
static bool point_from(const struct invig_jwk *jwk, size_t size, unsigned char *out)
{
    out[0] = POINT_CONVERSION_UNCOMPRESSED;
    return invig_base64url_decode(jwk->x, out + 1, size) == (ptrdiff_t)size &&
           invig_base64url_decode(jwk->y, out + 1 + size, size) == (ptrdiff_t)size;
}

static struct invig_key *key_from_ec(const struct invig_jwk *jwk, const char **out_found)
{
    const struct jwk_curve *curve = jwk_curve_find(jwk->crv);
    unsigned char point[1 + 2 * COORDINATE_BYTES_MAX];

    if (curve == NULL) {
        *out_found = "a \"crv\" other than P-256, P-384, P-521";
        return NULL;
    }
    if (!point_from(jwk, curve->coordinate_bytes, point)) {
        *out_found = "an \"x\" or \"y\" that is not base64url of the size of the curve";
        return NULL;
    }
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY *key = NULL;
    if (builder != NULL &&
        OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, curve->name, 0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point,
                                         1 + 2 * curve->coordinate_bytes) == 1) {
        key = public_from_params("EC", builder);
    }
    OSSL_PARAM_BLD_free(builder);
    if (key == NULL) {
        *out_found = "a point that is not on its curve";
        return NULL;
    }
    return invig_key_from_public(key, out_found);
}

static struct invig_key *key_from_oct(const struct invig_jwk *jwk, const char **out_found)
{
    size_t capacity = INVIG_BASE64URL_DECODED_MAX(jwk->k.length);
    unsigned char *secret = malloc(capacity);
    struct invig_key *key = NULL;

    if (secret == NULL) {
        return NULL;
    }
    ptrdiff_t length = invig_base64url_decode(jwk->k, secret, capacity);
    if (length < 0) {
        *out_found = "a \"k\" that is missing or not base64url";
    } else {
        key = invig_key_from_secret((struct invig_text){(const char *)secret, (size_t)length},
                                    out_found);
    }
    invig_text_wipe(secret, capacity);
    free(secret);
    return key;
}

static struct invig_key *key_from_members(const struct invig_jwk *jwk, const char **out_found)
{
    struct invig_key *key = NULL;

    ERR_clear_error();
    if (text_is(jwk->kty, "RSA")) {
        key = key_from_rsa(jwk, out_found);
    } else if (text_is(jwk->kty, "EC")) {
        key = key_from_ec(jwk, out_found);
    } else if (text_is(jwk->kty, "oct")) {
        key = key_from_oct(jwk, out_found);
    } else {
        *out_found = "a \"kty\" other than RSA, EC, oct";
    }
    *out_found = invig_key_fault(*out_found);
    return key;
}

/* What says that the key is not meant for verifying (RFC 7517 sections 4.2 and 4.3); NULL: nothing.
 */
static const char *jwk_fault(const struct invig_jwk *jwk)
{
    if (jwk->is_malformed) {
        return "no object whose members are strings";
    }
    if (jwk->use.data != NULL && !text_is(jwk->use, "sig")) {
        return "a \"use\" other than \"sig\"";
    }
    return jwk->may_verify ? NULL : "\"key_ops\" without \"verify\"";
}

/* Takes over "alg" and "kid". Returns false, and frees nothing, when the key is not to be used. */
static bool key_add_labels(struct invig_key *key, const struct invig_jwk *jwk,
                           const char **out_found)
{
    if (jwk->alg.data != NULL) {
        enum invig_algorithm algorithm = invig_algorithm_find(jwk->alg);
        if (!invig_algorithm_set_has(key->algorithms, algorithm)) {
            *out_found = "an \"alg\" that does not fit the key";
            return false;
        }
        key->algorithms = (invig_algorithm_set)1U << algorithm;
    }
    if (jwk->kid.data != NULL) {
        key->kid_length = jwk->kid.length;
        key->kid = invig_text_copy(jwk->kid);
        return key->kid != NULL;
    }
    return true;
}

struct invig_key *invig_key_from_jwk(const struct invig_jwk *jwk, const char **out_found)
{
    *out_found = jwk_fault(jwk);
    if (*out_found != NULL) {
        return NULL;
    }
    struct invig_key *key = key_from_members(jwk, out_found);
    if (key != NULL && !key_add_labels(key, jwk, out_found)) {
        invig_key_free(key);
        return NULL;
    }
    return key;
}
