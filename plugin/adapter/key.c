/* SPDX-License-Identifier: Apache-2.0
 *
 * key.c - makes and frees keys, and decides which public keys are good for use.
 */
#include "key.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

struct curve {
    const char *name; /* as OpenSSL says it */
    enum invig_key_type type;
};

static enum invig_key_type ec_type(const EVP_PKEY *key)
{
    static const struct curve curves[] = {
        {"prime256v1", INVIG_KEY_EC_P256}, {"P-256", INVIG_KEY_EC_P256},
        {"secp384r1", INVIG_KEY_EC_P384},  {"P-384", INVIG_KEY_EC_P384},
        {"secp521r1", INVIG_KEY_EC_P521},  {"P-521", INVIG_KEY_EC_P521}};
    char name[64];

    if (EVP_PKEY_get_group_name(key, name, sizeof name, NULL) != 1) {
        return INVIG_KEY_NONE;
    }
    for (size_t i = 0; i < sizeof curves / sizeof curves[0]; i++) {
        if (strcmp(name, curves[i].name) == 0) {
            return curves[i].type;
        }
    }
    return INVIG_KEY_NONE;
}

/* True when the numbers make a key: the point is on the curve, the modulus is no prime, and so on.
 */
static bool public_is_valid(EVP_PKEY *key)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    bool is_valid = context != NULL && EVP_PKEY_public_check(context) == 1;

    EVP_PKEY_CTX_free(context);
    return is_valid;
}

/* Finds the type. Returns NULL, or what makes the key useless. A key that is bound to RSA-PSS
 * cannot verify RS*, and its parameters could forbid what PS* needs, so it is not taken. */
static const char *public_fault(EVP_PKEY *key, enum invig_key_type *out_type)
{
    if (EVP_PKEY_is_a(key, "RSA")) {
        *out_type = INVIG_KEY_RSA;
        if (EVP_PKEY_get_bits(key) < INVIG_RSA_BITS_MIN) {
            return "an RSA key of fewer than 2048 bits";
        }
        if (EVP_PKEY_get_bits(key) > INVIG_RSA_BITS_MAX) {
            return "an RSA key of more than 16384 bits";
        }
    } else if (EVP_PKEY_is_a(key, "EC")) {
        *out_type = ec_type(key);
        if (*out_type == INVIG_KEY_NONE) {
            return "an EC key on another curve";
        }
    } else {
        return EVP_PKEY_is_a(key, "RSA-PSS") ? "an RSA-PSS key" : "a key of another type";
    }
    return public_is_valid(key) ? NULL : "a public key whose numbers are not valid";
}

const char *invig_key_fault(const char *found)
{
    unsigned long error;

    while ((error = ERR_get_error()) != 0) {
        if (ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE) {
            found = NULL;
        }
    }
    return found;
}

struct invig_key *invig_key_from_public(EVP_PKEY *public_key, const char **out_found)
{
    struct invig_key *key = calloc(1, sizeof *key);

    *out_found = NULL;
    if (key == NULL) {
        EVP_PKEY_free(public_key);
        return NULL;
    }
    key->public_key = public_key;
    key->verifier = calloc(1, sizeof *key->verifier);
    if (key->verifier == NULL) {
        invig_key_free(key);
        return NULL;
    }
    ERR_clear_error();
    const char *found = public_fault(public_key, &key->type);
    *out_found = invig_key_fault(found);
    if (found != NULL) {
        invig_key_free(key);
        return NULL;
    }
    key->algorithms = invig_algorithm_set_for(key->type, 0);
    return key;
}

struct invig_key *invig_key_from_secret(struct invig_text secret, const char **out_found)
{
    *out_found = NULL;
    if (secret.length < INVIG_SECRET_BYTES_MIN) {
        *out_found = "a secret of fewer than 32 bytes";
        return NULL;
    }
    struct invig_key *key = calloc(1, sizeof *key);
    if (key == NULL) {
        return NULL;
    }
    key->secret = malloc(secret.length);
    if (key->secret == NULL) {
        free(key);
        return NULL;
    }
    memcpy(key->secret, secret.data, secret.length);
    key->secret_bytes = secret.length;
    key->type = INVIG_KEY_SECRET;
    key->algorithms = invig_algorithm_set_for(INVIG_KEY_SECRET, secret.length);
    return key;
}

void invig_key_free(struct invig_key *key)
{
    if (key == NULL) {
        return;
    }
    invig_text_wipe(key->secret, key->secret_bytes);
    free(key->secret);
    if (key->verifier != NULL) {
        invig_verifier_clear(key->verifier);
        free(key->verifier);
    }
    EVP_PKEY_free(key->public_key);
    free(key->kid);
    free(key);
}
