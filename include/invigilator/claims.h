/* SPDX-License-Identifier: Apache-2.0
 *
 * claims.h - the claims of an authentic token as C values, and whether they are acceptable at a
 * given time. Claims as in RFC 7519 section 4.1 and OpenID Connect Core 1.0 section 2 (auth_time).
 * Owns: copies of every string, inside the struct.  Depends on: status, text, value, timestamp,
 * role, policy.
 */
#ifndef INVIGILATOR_CLAIMS_H
#define INVIGILATOR_CLAIMS_H

#include "invigilator/policy.h"
#include "invigilator/timestamp.h"
#include "invigilator/value.h"

enum {
    INVIG_EVALUATIONS_MAX = 64, /* ids in the evaluations claim */
    INVIG_ROLES_MAX = 64,       /* words in the role claim */
    INVIG_AUDIENCES_MAX = 64    /* strings in the aud claim */
};

/* The claims of one token. About 9 kB: keep one, do not copy it around. */
struct invig_claims {
    char user[INVIG_ID_BYTES_MAX + 1];
    char session[INVIG_ID_BYTES_MAX + 1]; /* empty where has_session is false */
    bool has_session;                     /* always true but for the role service */
    enum invig_role role;                 /* never INVIG_ROLE_NONE */
    int64_t expires_s;                    /* exp, Unix seconds UTC */
    int64_t issued_s;                     /* iat */
    int64_t login_s;                      /* auth_time, or iat where the token has none */
    bool has_auth_time;
    size_t evaluation_count; /* 0..INVIG_EVALUATIONS_MAX */
    char evaluations[INVIG_EVALUATIONS_MAX][INVIG_ID_BYTES_MAX + 1];
};

/* Reads the claims by the names that `policy` gives them, checks the form of each, the required
 * issuer and audience, and the times against `now_s`.
 *
 *   source      an authentic payload; borrowed for the call
 *   now_s       Unix seconds UTC
 *   out_claims  filled in when the claims are acceptable; zeroed when not
 *
 * Returns a refusal with reason INVIG_REASON_NONE when the claims are acceptable. */
struct invig_refusal invig_claims_read(const struct invig_value_source *source,
                                       const struct invig_policy *policy, int64_t now_s,
                                       struct invig_claims *out_claims);

#endif
