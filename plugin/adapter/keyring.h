/* SPDX-License-Identifier: Apache-2.0
 *
 * keyring.h - the keys that tokens are verified with: a PEM public key, a shared secret, a JWKS
 * file (RFC 7517). Keys are made ready once, when a file is read; a verification then costs what
 * OpenSSL's costs. Owns: the keys; secrets are wiped.  Not thread-safe.  Hides: OpenSSL.
 */
#ifndef INVIGILATOR_KEYRING_H
#define INVIGILATOR_KEYRING_H

#include "invigilator/logline.h"
#include "invigilator/policy.h"

enum {
    INVIG_KEY_FILE_BYTES_MAX = 262144, /* of any key file */
    INVIG_JWKS_KEYS_MAX = 64,          /* members of "keys"; a larger set is a broken file */
    INVIG_RSA_BITS_MIN = 2048,
    INVIG_RSA_BITS_MAX = 16384
};

struct invig_keyring;
struct invig_key;

/* Where warnings and reload reports go: one line each, without a newline. */
struct invig_keyring_report {
    void *context;
    void (*write)(void *context, enum invig_log_level level, const char *line);
};

/* Reads every key file that `policy` names (borrowed, must outlive the keyring) and makes its keys
 * ready. A file must be a regular file (links are followed), readable, not writable by everyone,
 * and at most INVIG_KEY_FILE_BYTES_MAX long; opening one that is no regular file does not block. A
 * secret file that everyone can read, and each unusable member of a JWKS, gives a warning.
 * Algorithms that the policy lists and no key fits are an error.
 *
 *   available    the algorithms that may be used at all (invig_token_algorithms of token.h)
 *   out_keyring  receives the keyring; the caller frees it with invig_keyring_free
 *   error        receives one line that names the option, what was found and what is expected
 *
 * Returns INVIG_OK, or
 *   INVIG_ERR_IO         a file is missing, unreadable, no regular file, or writable by everyone
 *   INVIG_ERR_FORMAT     a file holds no usable key, or too much
 *   INVIG_ERR_INVALID    no key fits a listed algorithm
 *   INVIG_ERR_NO_MEMORY  allocation failed */
enum invig_status invig_keyring_new(const struct invig_policy *policy,
                                    invig_algorithm_set available,
                                    const struct invig_keyring_report *report,
                                    struct invig_keyring **out_keyring,
                                    char error[INVIG_POLICY_ERROR_BYTES]);

/* Frees the keyring and wipes its secrets. NULL is allowed. */
void invig_keyring_free(struct invig_keyring *keyring);

/* Reads the files again. Each file is replaced as a whole or not at all: one that is broken is
 * reported as an error and its old keys stay in force. A listed algorithm that no key fits any
 * longer gives a warning.
 *
 *   out_failed  receives the number of files whose old keys stayed
 *
 * Returns the number of keys in force. */
size_t invig_keyring_reload(struct invig_keyring *keyring,
                            const struct invig_keyring_report *report, size_t *out_failed);

/* Number of keys in force. */
size_t invig_keyring_count(const struct invig_keyring *keyring);

/* The algorithms that tokens may use now: the policy's list, or what the keys allow where it has
 * none. */
invig_algorithm_set invig_keyring_algorithms(const struct invig_keyring *keyring);

/* Walks the keys that may verify a token with `algorithm` and key id `kid` (absent: the token has
 * none): keys that fit the algorithm by type, curve, length, "use" and "alg"; with a kid those of
 * the JWKS that have that kid, and those of PEM and secret files, which have none; without a kid
 * all that fit. Those of the JWKS come first.
 *
 *   previous  NULL for the first; else what the last call returned
 *
 * Returns NULL when there is no other. */
const struct invig_key *invig_keyring_next(const struct invig_keyring *keyring,
                                           const struct invig_key *previous,
                                           enum invig_algorithm algorithm, struct invig_text kid);

/* True when `signature` (raw bytes; for ES* r and s as RFC 7518 section 3.4 has them) is over
 * `signing_input` by `key` with `algorithm`. A key that does not fit the algorithm gives false. */
bool invig_key_verify(const struct invig_key *key, enum invig_algorithm algorithm,
                      struct invig_text signing_input, struct invig_text signature);

#endif
