/* SPDX-License-Identifier: Apache-2.0
 *
 * claims.h - the claims of an authentic token as C values, and whether they are acceptable at a
 * given time. Claims as in RFC 7519 section 4.1 and OpenID Connect Core 1.0 section 2 (auth_time).
 * Owns: copies of every string, inside the struct.  Depends on: status, text, role, policy.
 */
#ifndef INVIGILATOR_CLAIMS_H
#define INVIGILATOR_CLAIMS_H

#include "invigilator/policy.h"

enum {
    INVIG_EVALUATIONS_MAX = 64, /* ids in the evaluations claim */
    INVIG_ROLES_MAX = 64,       /* words in the role claim */
    INVIG_AUDIENCES_MAX = 64    /* strings in the aud claim */
};

/* Latest time that a claim may say: 9999-12-31T23:59:59Z. The earliest is 0, 1970-01-01T00:00:00Z.
 */
#define INVIG_TIME_S_MAX INT64_C(253402300799)

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

/* What a claim holds. */
enum invig_value_kind {
    INVIG_VALUE_ABSENT = 0,
    INVIG_VALUE_STRING,  /* a JSON string without U+0000 */
    INVIG_VALUE_INTEGER, /* a JSON number without fraction and exponent, within int64_t */
    INVIG_VALUE_STRINGS, /* an array of nothing but such strings, possibly empty */
    INVIG_VALUE_OTHER,   /* any other JSON value, null included */
    INVIG_VALUE_ERROR    /* could not be read, as when memory is out */
};

/* Strings that invig_value can list: more make the value INVIG_VALUE_OTHER. */
enum { INVIG_VALUE_STRINGS_MAX = 64 };

/* One claim as the token holds it. Texts are borrowed until the next call of the source that gave
 * them. */
struct invig_value {
    enum invig_value_kind kind;
    struct invig_text string;
    int64_t integer;
    size_t string_count;
    struct invig_text strings[INVIG_VALUE_STRINGS_MAX];
};

/* Where claims are read from. */
struct invig_claim_source {
    void *context;
    /* Finds the member `name` of the payload; fills in *out_value, whatever the answer is. */
    void (*get)(void *context, const char *name, struct invig_value *out_value);
};

/* Reads the claims by the names that `policy` gives them, checks the form of each, the required
 * issuer and audience, and the times against `now_s`.
 *
 *   source      an authentic payload; borrowed for the call
 *   now_s       Unix seconds UTC
 *   out_claims  filled in when the claims are acceptable; zeroed when not
 *
 * Returns a refusal with reason INVIG_REASON_NONE when the claims are acceptable. */
struct invig_refusal invig_claims_read(const struct invig_claim_source *source,
                                       const struct invig_policy *policy, int64_t now_s,
                                       struct invig_claims *out_claims);

#endif
