/* SPDX-License-Identifier: Apache-2.0
 *
 * mint.h - keys and tokens for tests, made byte by byte with OpenSSL, so that any header and
 * payload can be signed, however wrong. Aborts when OpenSSL or memory fails.
 */
#ifndef INVIGILATOR_TEST_MINT_H
#define INVIGILATOR_TEST_MINT_H

#include "invigilator/algorithm.h"
#include "invigilator/text.h"

struct mint_key; /* one that signs */

/* The caller frees keys with mint_key_free and strings with free(3). */
struct mint_key *mint_key_rsa(unsigned bits);
struct mint_key *mint_key_ec(const char *curve); /* "P-256" */
struct mint_key *mint_key_secret(const void *secret, size_t length);
struct mint_key *mint_key_of_type(const char *type); /* "ED25519", "RSA-PSS" */
void mint_key_free(struct mint_key *key);

/* PEM of the public and the private half, NUL-terminated. */
char *mint_public_pem(const struct mint_key *key);
char *mint_private_pem(const struct mint_key *key);

/* A JWK of the public half, or of the secret. `more` stands before the closing brace as it is, as
 * in `,"kid":"a"`. */
char *mint_jwk(const struct mint_key *key, const char *more);

char *mint_base64url(const void *data, size_t length);

/* Signs `input`, any bytes, as RFC 7518 says for `algorithm`. Receives at most 2048 bytes. */
size_t mint_sign(const struct mint_key *key, enum invig_algorithm algorithm,
                 struct invig_text input, unsigned char out[2048]);

/* The token of a header and a payload, any bytes each. */
char *mint_token_bytes(const struct mint_key *key, enum invig_algorithm algorithm,
                       struct invig_text header, struct invig_text payload);

/* The same of strings. */
char *mint_token(const struct mint_key *key, enum invig_algorithm algorithm, const char *header,
                 const char *payload);

/* The token of a signing input that is encoded already: puts a dot and the signature behind it. */
char *mint_token_of_input(const struct mint_key *key, enum invig_algorithm algorithm,
                          const char *input);

/* Writes a file with exactly these permissions. */
void mint_write_file(const char *path, const void *data, size_t length, unsigned mode);

#endif
