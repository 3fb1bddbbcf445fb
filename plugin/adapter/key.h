/* SPDX-License-Identifier: Apache-2.0
 *
 * key.h - one key, inside: for the files that implement keyring.h and for nobody else.
 */
#ifndef INVIGILATOR_KEY_H
#define INVIGILATOR_KEY_H

#include "json.h"
#include "keyring.h"

#include <openssl/types.h>

enum { INVIG_SECRET_BYTES_MIN = 32 }; /* of HS256, the shortest hash (RFC 7518 section 3.2) */

/* What OpenSSL works out before it can verify with a public key and an algorithm: worth keeping, it
 * is a tenth of an RSA verification. Zeroed memory holds nothing. */
struct invig_verifier {
    enum invig_algorithm algorithm; /* that the rest is for */
    EVP_PKEY_CTX *context;          /* NULL: nothing is kept */
    EVP_MD *hash;
};

/* Lets go of what is kept. */
void invig_verifier_clear(struct invig_verifier *verifier);

struct invig_key {
    enum invig_key_type type;
    invig_algorithm_set algorithms; /* what it may verify */
    char *kid;                      /* NULL: it has none */
    size_t kid_length;
    EVP_PKEY *public_key;            /* NULL for a secret */
    struct invig_verifier *verifier; /* of the public key, for the algorithm it last had */
    unsigned char *secret;           /* NULL for a public key */
    size_t secret_bytes;
    size_t source; /* INVIG_SOURCE_... */
    struct invig_key *next;
};

/* Each of these makes a key that is good for use: type, size, curve and the numbers are checked.
 * Returns NULL when there is none; *out_found then says what was found, a static phrase like "a
 * private key", or is NULL when memory is out. The caller frees the key with invig_key_free. */

/* From the bytes of a file with one PEM block PUBLIC KEY and any text around it. */
struct invig_key *invig_key_from_pem(struct invig_text pem, const char **out_found);

/* From a JWK that may verify signatures. */
struct invig_key *invig_key_from_jwk(const struct invig_jwk *jwk, const char **out_found);

/* From the bytes of a secret. */
struct invig_key *invig_key_from_secret(struct invig_text secret, const char **out_found);

/* From a public key, which it takes over, also where it returns NULL. */
struct invig_key *invig_key_from_public(EVP_PKEY *public_key, const char **out_found);

/* Wipes and frees. NULL is allowed. */
void invig_key_free(struct invig_key *key);

/* Empties OpenSSL's list of errors. Returns `found`, or NULL when one of them is that memory was
 * out: then it is not the key that is at fault. */
const char *invig_key_fault(const char *found);

/* The files that keys come from, in the order in which keys are tried: the kid of a token picks one
 * key of a set at once. */
enum { INVIG_SOURCE_JWKS = 0, INVIG_SOURCE_PEM, INVIG_SOURCE_SECRET, INVIG_SOURCE_COUNT };

/* Zeroed memory is an empty list. */
struct invig_key_list {
    struct invig_key *first;
    struct invig_key *last;
    size_t count;
};

/* Reads the file at `path` as one of the sources and adds its keys to the empty list out_keys,
 * which stays empty after an error. Parameters and results are as those of invig_keyring_new. */
enum invig_status invig_key_list_read(size_t source, const char *path,
                                      invig_algorithm_set available,
                                      const struct invig_keyring_report *report,
                                      struct invig_key_list *out_keys,
                                      char error[INVIG_POLICY_ERROR_BYTES]);

/* Frees the keys and empties the list. */
void invig_key_list_free(struct invig_key_list *list);

/* Writes a line where `report` says; NULL is allowed. */
void invig_keyring_report_write(const struct invig_keyring_report *report,
                                enum invig_log_level level, const char *line);

#endif
