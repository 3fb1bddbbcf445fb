/* SPDX-License-Identifier: Apache-2.0
 *
 * algorithm.h - the signature algorithms of JSON Web Signatures that a token may use (RFC 7518
 * section 3.1). Depends on: text.
 */
#ifndef INVIGILATOR_ALGORITHM_H
#define INVIGILATOR_ALGORITHM_H

#include "invigilator/text.h"

/* The kind of key that an algorithm needs; for elliptic curves the curve belongs to it. */
enum invig_key_type {
    INVIG_KEY_NONE = 0,
    INVIG_KEY_SECRET,
    INVIG_KEY_RSA,
    INVIG_KEY_EC_P256,
    INVIG_KEY_EC_P384,
    INVIG_KEY_EC_P521
};

/* X(name, key type, bytes of the hash) */
#define INVIG_ALGORITHM_MAP(X)                                                                     \
    X(HS256, SECRET, 32)                                                                           \
    X(HS384, SECRET, 48)                                                                           \
    X(HS512, SECRET, 64)                                                                           \
    X(RS256, RSA, 32)                                                                              \
    X(RS384, RSA, 48)                                                                              \
    X(RS512, RSA, 64)                                                                              \
    X(PS256, RSA, 32)                                                                              \
    X(PS384, RSA, 48)                                                                              \
    X(PS512, RSA, 64)                                                                              \
    X(ES256, EC_P256, 32)                                                                          \
    X(ES384, EC_P384, 48)                                                                          \
    X(ES512, EC_P521, 64)

enum invig_algorithm {
    INVIG_ALGORITHM_NONE = 0, /* also the JWS algorithm "none": it is never accepted */
#define INVIG_ALGORITHM_ENUM(name, type, hash) INVIG_ALGORITHM_##name,
    INVIG_ALGORITHM_MAP(INVIG_ALGORITHM_ENUM)
#undef INVIG_ALGORITHM_ENUM
        INVIG_ALGORITHM_COUNT
};

/* A set of algorithms: bit (1u << algorithm). 0 is the empty set. */
typedef uint32_t invig_algorithm_set;

/* Finds an algorithm by its exact name (letter case counts, RFC 7515 section 4.1.1).
 * Returns INVIG_ALGORITHM_NONE for any other text. */
enum invig_algorithm invig_algorithm_find(struct invig_text name);

/* Returns the static name, "none" for INVIG_ALGORITHM_NONE or a number that is no algorithm. */
const char *invig_algorithm_name(enum invig_algorithm algorithm);

enum invig_key_type invig_algorithm_key_type(enum invig_algorithm algorithm);

/* Bytes of the hash: 32, 48 or 64; 0 for INVIG_ALGORITHM_NONE. A secret must be at least this long
 * (RFC 7518 section 3.2). */
size_t invig_algorithm_hash_bytes(enum invig_algorithm algorithm);

/* True when `set` holds `algorithm`. */
bool invig_algorithm_set_has(invig_algorithm_set set, enum invig_algorithm algorithm);

/* The algorithms that a key of `type` can verify; a secret of `secret_bytes` only those whose hash
 * it is long enough for (ignored for other types). */
invig_algorithm_set invig_algorithm_set_for(enum invig_key_type type, size_t secret_bytes);

#endif
