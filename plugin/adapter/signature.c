/* SPDX-License-Identifier: Apache-2.0
 *
 * signature.c - whether a signature is right (RFC 7518 sections 3.2 to 3.5).
 */
#include "key.h"

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

static const EVP_MD *algorithm_hash(enum invig_algorithm algorithm)
{
    switch (invig_algorithm_hash_bytes(algorithm)) {
    case 32:
        return EVP_sha256();
    case 48:
        return EVP_sha384();
    case 64:
        return EVP_sha512();
    default:
        return NULL;
    }
}

static const unsigned char *text_bytes(struct invig_text text)
{
    return (const unsigned char *)text.data;
}

static bool secret_verify(const struct invig_key *key, enum invig_algorithm algorithm,
                          struct invig_text input, struct invig_text signature)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned mac_length = 0;

    if (HMAC(algorithm_hash(algorithm), key->secret, (int)key->secret_bytes, text_bytes(input),
             input.length, mac, &mac_length) == NULL ||
        signature.length != mac_length) {
        return false;
    }
    return CRYPTO_memcmp(mac, signature.data, mac_length) == 0;
}

static bool algorithm_is_pss(enum invig_algorithm algorithm)
{
    return algorithm == INVIG_ALGORITHM_PS256 || algorithm == INVIG_ALGORITHM_PS384 ||
           algorithm == INVIG_ALGORITHM_PS512;
}

/* RFC 7518 section 3.5: MGF1 with the same hash, and a salt as long as the hash. */
static bool context_set_pss(EVP_PKEY_CTX *context, const EVP_MD *hash)
{
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(context, hash) == 1;
}

void invig_verifier_clear(struct invig_verifier *verifier)
{
    EVP_PKEY_CTX_free(verifier->context);
    EVP_MD_free(verifier->hash);
    *verifier = (struct invig_verifier){0};
}

/* Makes the key's verifier ready for `algorithm`. */
static bool verifier_prepare(struct invig_verifier *verifier, EVP_PKEY *public_key,
                             enum invig_algorithm algorithm)
{
    if (verifier->context != NULL && verifier->algorithm == algorithm) {
        return true;
    }
    invig_verifier_clear(verifier);
    verifier->algorithm = algorithm;
    verifier->hash = EVP_MD_fetch(NULL, EVP_MD_get0_name(algorithm_hash(algorithm)), NULL);
    verifier->context = EVP_PKEY_CTX_new_from_pkey(NULL, public_key, NULL);
    return verifier->hash != NULL && verifier->context != NULL &&
           EVP_PKEY_verify_init(verifier->context) == 1 &&
           EVP_PKEY_CTX_set_signature_md(verifier->context, verifier->hash) == 1 &&
           (!algorithm_is_pss(algorithm) || context_set_pss(verifier->context, verifier->hash));
}

/* Hash and verification in two steps, as EVP_DigestVerify does them, but with a context that is
 * used again. After a failure of any kind a new one is made, so that nothing can stick. */
static bool public_verify(const struct invig_key *key, enum invig_algorithm algorithm,
                          struct invig_text input, const unsigned char *signature, size_t length)
{
    struct invig_verifier *verifier = key->verifier;
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned hash_length = 0;

    if (verifier_prepare(verifier, key->public_key, algorithm) &&
        EVP_Digest(input.data, input.length, hash, &hash_length, verifier->hash, NULL) == 1 &&
        EVP_PKEY_verify(verifier->context, signature, length, hash, hash_length) == 1) {
        return true;
    }
    invig_verifier_clear(verifier);
    return false;
}

/* RFC 8017 sections 8.1.2 and 8.2.2: a signature is as long as the modulus. OpenSSL takes a shorter
 * one for PSS. */
static bool rsa_verify(const struct invig_key *key, enum invig_algorithm algorithm,
                       struct invig_text input, struct invig_text signature)
{
    if (signature.length != (size_t)EVP_PKEY_get_size(key->public_key)) {
        return false;
    }
    return public_verify(key, algorithm, input, text_bytes(signature), signature.length);
}

static size_t type_number_bytes(enum invig_key_type type)
{
    switch (type) {
    case INVIG_KEY_EC_P256:
        return 32;
    case INVIG_KEY_EC_P384:
        return 48;
    case INVIG_KEY_EC_P521:
        return 66;
    default:
        return 0;
    }
}

/* r and s, each of `size` bytes, as the DER that OpenSSL wants. Returns its length and in *out_der
 * memory for OPENSSL_free, or 0. */
static size_t signature_to_der(struct invig_text signature, size_t size, unsigned char **out_der)
{
    BIGNUM *r = BN_bin2bn(text_bytes(signature), (int)size, NULL);
    BIGNUM *s = BN_bin2bn(text_bytes(signature) + size, (int)size, NULL);
    ECDSA_SIG *pair = ECDSA_SIG_new();
    int length = 0;

    if (r != NULL && s != NULL && pair != NULL && ECDSA_SIG_set0(pair, r, s) == 1) {
        r = NULL;
        s = NULL;
        length = i2d_ECDSA_SIG(pair, out_der);
    }
    ECDSA_SIG_free(pair);
    BN_free(s);
    BN_free(r);
    return length <= 0 ? 0 : (size_t)length;
}

static bool ec_verify(const struct invig_key *key, enum invig_algorithm algorithm,
                      struct invig_text input, struct invig_text signature)
{
    size_t size = type_number_bytes(key->type);
    unsigned char *der = NULL;

    if (size == 0 || signature.length != 2 * size) {
        return false;
    }
    size_t length = signature_to_der(signature, size, &der);
    bool is_right = length > 0 && public_verify(key, algorithm, input, der, length);
    OPENSSL_free(der);
    return is_right;
}

bool invig_key_verify(const struct invig_key *key, enum invig_algorithm algorithm,
                      struct invig_text signing_input, struct invig_text signature)
{
    bool is_right;

    if (!invig_algorithm_set_has(key->algorithms, algorithm) ||
        invig_algorithm_key_type(algorithm) != key->type || signing_input.data == NULL ||
        signature.data == NULL) {
        return false;
    }
    if (key->type == INVIG_KEY_SECRET) {
        is_right = secret_verify(key, algorithm, signing_input, signature);
    } else if (key->type == INVIG_KEY_RSA) {
        is_right = rsa_verify(key, algorithm, signing_input, signature);
    } else {
        is_right = ec_verify(key, algorithm, signing_input, signature);
    }
    if (!is_right) {
        ERR_clear_error();
    }
    return is_right;
}
