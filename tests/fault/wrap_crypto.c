/* SPDX-License-Identifier: Apache-2.0
 *
 * wrap_crypto.c - OpenSSL that fails, as it does when memory is out: with an error in its queue.
 */
#include "fault.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

static void raise_no_memory(void)
{
    ERR_raise(ERR_LIB_CRYPTO, ERR_R_MALLOC_FAILURE);
}

#define NO_MEMORY(value) (raise_no_memory(), value)

FAULT_WRAP(BIO *, BIO_new_mem_buf, NO_MEMORY(NULL), (const void *data, int length), (data, length))
FAULT_WRAP(BIGNUM *, BN_bin2bn, NO_MEMORY(NULL),
           (const unsigned char *data, int length, BIGNUM *number), (data, length, number))
FAULT_WRAP(ECDSA_SIG *, ECDSA_SIG_new, NO_MEMORY(NULL), (void), ())
FAULT_WRAP(int, ECDSA_SIG_set0, NO_MEMORY(0), (ECDSA_SIG * signature, BIGNUM *r, BIGNUM *s),
           (signature, r, s))
FAULT_WRAP(int, EVP_Digest, NO_MEMORY(0),
           (const void *data, size_t length, unsigned char *out, unsigned *out_length,
            const EVP_MD *type, ENGINE *engine),
           (data, length, out, out_length, type, engine))
FAULT_WRAP(EVP_MD *, EVP_MD_fetch, NO_MEMORY(NULL),
           (OSSL_LIB_CTX * library, const char *name, const char *properties),
           (library, name, properties))
FAULT_WRAP(EVP_PKEY_CTX *, EVP_PKEY_CTX_new_from_name, NO_MEMORY(NULL),
           (OSSL_LIB_CTX * library, const char *name, const char *properties),
           (library, name, properties))
FAULT_WRAP(EVP_PKEY_CTX *, EVP_PKEY_CTX_new_from_pkey, NO_MEMORY(NULL),
           (OSSL_LIB_CTX * library, EVP_PKEY *key, const char *properties),
           (library, key, properties))
FAULT_WRAP(int, EVP_PKEY_CTX_set_rsa_mgf1_md, NO_MEMORY(0),
           (EVP_PKEY_CTX * context, const EVP_MD *hash), (context, hash))
FAULT_WRAP(int, EVP_PKEY_CTX_set_rsa_padding, NO_MEMORY(0), (EVP_PKEY_CTX * context, int padding),
           (context, padding))
FAULT_WRAP(int, EVP_PKEY_CTX_set_rsa_pss_saltlen, NO_MEMORY(0),
           (EVP_PKEY_CTX * context, int length), (context, length))
FAULT_WRAP(int, EVP_PKEY_CTX_set_signature_md, NO_MEMORY(0),
           (EVP_PKEY_CTX * context, const EVP_MD *hash), (context, hash))
FAULT_WRAP(int, EVP_PKEY_fromdata, NO_MEMORY(0),
           (EVP_PKEY_CTX * context, EVP_PKEY **key, int selection, OSSL_PARAM *params),
           (context, key, selection, params))
FAULT_WRAP(int, EVP_PKEY_fromdata_init, NO_MEMORY(0), (EVP_PKEY_CTX * context), (context))
FAULT_WRAP(int, EVP_PKEY_get_group_name, NO_MEMORY(0),
           (const EVP_PKEY *key, char *name, size_t size, size_t *length),
           (key, name, size, length))
FAULT_WRAP(int, EVP_PKEY_public_check, NO_MEMORY(0), (EVP_PKEY_CTX * context), (context))
FAULT_WRAP(int, EVP_PKEY_verify_init, NO_MEMORY(0), (EVP_PKEY_CTX * context), (context))
FAULT_WRAP(int, EVP_PKEY_verify, NO_MEMORY(-1),
           (EVP_PKEY_CTX * context, const unsigned char *signature, size_t length,
            const unsigned char *hash, size_t hash_length),
           (context, signature, length, hash, hash_length))
FAULT_WRAP(unsigned char *, HMAC, NO_MEMORY(NULL),
           (const EVP_MD *hash, const void *key, int key_length, const unsigned char *data,
            size_t length, unsigned char *out, unsigned *out_length),
           (hash, key, key_length, data, length, out, out_length))
FAULT_WRAP(OSSL_PARAM_BLD *, OSSL_PARAM_BLD_new, NO_MEMORY(NULL), (void), ())
FAULT_WRAP(int, OSSL_PARAM_BLD_push_BN, NO_MEMORY(0),
           (OSSL_PARAM_BLD * builder, const char *name, const BIGNUM *number),
           (builder, name, number))
FAULT_WRAP(int, OSSL_PARAM_BLD_push_octet_string, NO_MEMORY(0),
           (OSSL_PARAM_BLD * builder, const char *name, const void *data, size_t size),
           (builder, name, data, size))
FAULT_WRAP(int, OSSL_PARAM_BLD_push_utf8_string, NO_MEMORY(0),
           (OSSL_PARAM_BLD * builder, const char *name, const char *text, size_t size),
           (builder, name, text, size))
FAULT_WRAP(OSSL_PARAM *, OSSL_PARAM_BLD_to_param, NO_MEMORY(NULL), (OSSL_PARAM_BLD * builder),
           (builder))
FAULT_WRAP(int, PEM_read_bio, NO_MEMORY(0),
           (BIO * bio, char **label, char **header, unsigned char **data, long *length),
           (bio, label, header, data, length))
FAULT_WRAP(EVP_PKEY *, d2i_PUBKEY, NO_MEMORY(NULL),
           (EVP_PKEY * *key, const unsigned char **data, long length), (key, data, length))
FAULT_WRAP(int, i2d_ECDSA_SIG, NO_MEMORY(-1), (const ECDSA_SIG *signature, unsigned char **out),
           (signature, out))
