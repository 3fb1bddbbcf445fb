/* SPDX-License-Identifier: Apache-2.0
 *
 * token.h - from the bytes of a password to claims that may be believed: a signed JWT (RFC 7519,
 * RFC 7515). Hides: libjwt, which parses header and claims; the signature is checked by keyring.h.
 */
#ifndef INVIGILATOR_TOKEN_H
#define INVIGILATOR_TOKEN_H

#include "keyring.h"

#include "invigilator/claims.h"

/* Checks that this libjwt behaves as this module relies on: duplicate members and U+0000 are
 * refused, numbers are written out as they came in. To be called once at start; false means that
 * tokens must not be accepted. */
bool invig_token_self_test(void);

/* The algorithms of algorithm.h that this libjwt knows by name: HS*, RS*, ES*, and PS* from 1.16
 * on. */
invig_algorithm_set invig_token_algorithms(void);

/* Decides what a password is.
 *
 *   password     borrowed; present
 *   now_s        Unix seconds UTC
 *   out_claims   filled in for INVIG_ALLOW, zeroed otherwise
 *   out_refusal  reason NONE unless INVIG_DENY
 *
 * Returns
 *   INVIG_DEFER  not the outline of a JWS (three base64url parts, the first a JSON object with
 *                "alg"; looked at leniently)
 *   INVIG_DENY   a token that is not authentic or not acceptable
 *   INVIG_ALLOW  an authentic token whose claims are acceptable at now_s
 *
 * In this order: size, outline, canonical base64url of all parts, header (strict JSON object, "alg"
 * a string in the allowed set, no "crit", "kid" a string where present, "b64" not present), a key
 * that fits, signature, payload (strict JSON object), claims. "jku", "jwk", "x5u", "x5c" and
 * unknown members are ignored. A password longer than policy->jwt_max_size_bytes is refused when it
 * has the outline of a JWS, without looking into it further than the header. */
enum invig_verdict invig_token_check(const struct invig_keyring *keyring,
                                     const struct invig_policy *policy, struct invig_text password,
                                     int64_t now_s, struct invig_claims *out_claims,
                                     struct invig_refusal *out_refusal);

#endif
