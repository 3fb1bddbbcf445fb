/* SPDX-License-Identifier: Apache-2.0
 *
 * claims.c - reads the claims of a token and judges them.
 */
#include "invigilator/claims.h"

#include <string.h>

/* What the steps below share. */
struct reader {
    const struct invig_value_source *source;
    const struct invig_policy *policy;
    int64_t now_s;
    struct invig_claims *claims;
    const char *claim;        /* that the present step is about */
    struct invig_value value; /* of that claim */
    bool has_not_before;
    int64_t not_before_s; /* nbf */
};

/* Reads the claim `name` into reader->value. A kind that no claim may have, true, false and null
 * among them, and a count that value.h does not know are made INVIG_VALUE_OTHER, so that the steps
 * need not look for them. */
static enum invig_reason reader_get(struct reader *reader, const char *name)
{
    struct invig_value *value = &reader->value;

    reader->claim = name;
    memset(value, 0, sizeof *value);
    reader->source->get(reader->source->context, name, value);
    switch (value->kind) {
    case INVIG_VALUE_ABSENT:
    case INVIG_VALUE_STRING:
    case INVIG_VALUE_INTEGER:
    case INVIG_VALUE_OTHER:
        break;
    case INVIG_VALUE_STRINGS:
        if (value->string_count > INVIG_VALUE_STRINGS_MAX) {
            value->kind = INVIG_VALUE_OTHER;
        }
        break;
    case INVIG_VALUE_ERROR:
        return INVIG_REASON_INTERNAL;
    default:
        value->kind = INVIG_VALUE_OTHER;
        break;
    }
    return INVIG_REASON_NONE;
}

/* Reads an id. An absent claim leaves `out` empty. */
static enum invig_reason reader_get_id(struct reader *reader, const char *name,
                                       char out[INVIG_ID_BYTES_MAX + 1], bool *out_has)
{
    enum invig_reason reason = reader_get(reader, name);
    struct invig_text id = reader->value.string;

    *out_has = false;
    if (reason != INVIG_REASON_NONE || reader->value.kind == INVIG_VALUE_ABSENT) {
        return reason;
    }
    if (reader->value.kind != INVIG_VALUE_STRING || !invig_text_is_id(id)) {
        return INVIG_REASON_CLAIM_INVALID;
    }
    memcpy(out, id.data, id.length);
    out[id.length] = '\0';
    *out_has = true;
    return INVIG_REASON_NONE;
}

/* Reads a time. An absent claim leaves *out_s as it is. */
static enum invig_reason reader_get_time(struct reader *reader, const char *name, int64_t *out_s,
                                         bool *out_has)
{
    enum invig_reason reason = reader_get(reader, name);
    int64_t time_s = reader->value.integer;

    *out_has = false;
    if (reason != INVIG_REASON_NONE || reader->value.kind == INVIG_VALUE_ABSENT) {
        return reason;
    }
    if (reader->value.kind != INVIG_VALUE_INTEGER || time_s < 0 || time_s > INVIG_TIME_S_MAX) {
        return INVIG_REASON_CLAIM_INVALID;
    }
    *out_s = time_s;
    *out_has = true;
    return INVIG_REASON_NONE;
}

/* A claim that must be there. */
static enum invig_reason reason_unless_absent(enum invig_reason reason, bool has)
{
    return reason == INVIG_REASON_NONE && !has ? INVIG_REASON_CLAIM_MISSING : reason;
}

static enum invig_reason read_user(struct reader *reader)
{
    bool has;
    enum invig_reason reason =
        reader_get_id(reader, reader->policy->claim_user, reader->claims->user, &has);

    return reason_unless_absent(reason, has);
}

/* The most powerful role of the strings; NONE where one is unknown or there is none. */
static enum invig_role strings_role(const struct invig_text *strings, size_t count)
{
    enum invig_role most = INVIG_ROLE_NONE;

    for (size_t i = 0; i < count; i++) {
        enum invig_role role = invig_role_find(strings[i]);
        if (role == INVIG_ROLE_NONE) {
            return INVIG_ROLE_NONE;
        }
        most = role > most ? role : most;
    }
    return most;
}

static enum invig_reason read_role(struct reader *reader)
{
    const struct invig_value *value = &reader->value;
    enum invig_reason reason = reader_get(reader, reader->policy->claim_role);
    enum invig_role *role = &reader->claims->role;

    if (reason != INVIG_REASON_NONE) {
        return reason;
    }
    switch (value->kind) {
    case INVIG_VALUE_ABSENT:
        *role = INVIG_ROLE_STUDENT;
        break;
    case INVIG_VALUE_STRING:
        *role = strings_role(&value->string, 1);
        break;
    case INVIG_VALUE_STRINGS:
        *role = strings_role(value->strings, value->string_count);
        break;
    default:
        return INVIG_REASON_CLAIM_INVALID;
    }
    return *role == INVIG_ROLE_NONE ? INVIG_REASON_ROLE_UNKNOWN : INVIG_REASON_NONE;
}

/* Behind read_role: the role says whether a session is needed. */
static enum invig_reason read_session(struct reader *reader)
{
    struct invig_claims *claims = reader->claims;
    enum invig_reason reason =
        reader_get_id(reader, reader->policy->claim_session, claims->session, &claims->has_session);

    return reason_unless_absent(reason, claims->has_session || claims->role == INVIG_ROLE_SERVICE);
}

static enum invig_reason read_expires(struct reader *reader)
{
    bool has;
    enum invig_reason reason = reader_get_time(reader, "exp", &reader->claims->expires_s, &has);

    return reason_unless_absent(reason, has);
}

static enum invig_reason read_issued(struct reader *reader)
{
    bool has;
    enum invig_reason reason = reader_get_time(reader, "iat", &reader->claims->issued_s, &has);

    return reason_unless_absent(reason, has);
}

/* Behind read_role and read_issued. */
static enum invig_reason read_login(struct reader *reader)
{
    struct invig_claims *claims = reader->claims;
    bool is_needed = reader->policy->require_auth_time &&
                     invig_policy_role_is_single(reader->policy, claims->role);

    claims->login_s = claims->issued_s;
    enum invig_reason reason =
        reader_get_time(reader, "auth_time", &claims->login_s, &claims->has_auth_time);
    return reason_unless_absent(reason, claims->has_auth_time || !is_needed);
}

static enum invig_reason read_not_before(struct reader *reader)
{
    return reader_get_time(reader, "nbf", &reader->not_before_s, &reader->has_not_before);
}

static bool claims_have_evaluation(const struct invig_claims *claims, struct invig_text id)
{
    for (size_t i = 0; i < claims->evaluation_count; i++) {
        if (invig_text_equal(invig_text_of(claims->evaluations[i]), id)) {
            return true;
        }
    }
    return false;
}

static enum invig_reason read_evaluations(struct reader *reader)
{
    struct invig_claims *claims = reader->claims;
    const struct invig_value *value = &reader->value;
    enum invig_reason reason = reader_get(reader, reader->policy->claim_evaluations);

    if (reason != INVIG_REASON_NONE || value->kind == INVIG_VALUE_ABSENT) {
        return reason;
    }
    if (value->kind != INVIG_VALUE_STRINGS || value->string_count > INVIG_EVALUATIONS_MAX) {
        return INVIG_REASON_CLAIM_INVALID;
    }
    for (size_t i = 0; i < value->string_count; i++) {
        struct invig_text id = value->strings[i];
        if (!invig_text_is_id(id)) {
            return INVIG_REASON_CLAIM_INVALID;
        }
        if (!claims_have_evaluation(claims, id)) {
            char *out = claims->evaluations[claims->evaluation_count++];
            memcpy(out, id.data, id.length);
            out[id.length] = '\0';
        }
    }
    return INVIG_REASON_NONE;
}

/* iss (RFC 7519 section 4.1.1) is one string. */
static enum invig_reason check_issuer(struct reader *reader)
{
    struct invig_text required = invig_text_of(reader->policy->jwt_issuer);

    if (required.data == NULL) {
        return INVIG_REASON_NONE;
    }
    enum invig_reason reason = reader_get(reader, "iss");
    if (reason != INVIG_REASON_NONE) {
        return reason;
    }
    if (reader->value.kind == INVIG_VALUE_ABSENT) {
        return INVIG_REASON_ISSUER_MISMATCH;
    }
    if (reader->value.kind != INVIG_VALUE_STRING) {
        return INVIG_REASON_CLAIM_INVALID;
    }
    return invig_text_equal(reader->value.string, required) ? INVIG_REASON_NONE
                                                            : INVIG_REASON_ISSUER_MISMATCH;
}

static bool strings_have(const struct invig_text *strings, size_t count, struct invig_text wanted)
{
    for (size_t i = 0; i < count; i++) {
        if (invig_text_equal(strings[i], wanted)) {
            return true;
        }
    }
    return false;
}

/* aud (RFC 7519 section 4.1.3) is one string or several, of which one must be ours. */
static enum invig_reason check_audience(struct reader *reader)
{
    const struct invig_value *value = &reader->value;
    struct invig_text required = invig_text_of(reader->policy->jwt_audience);
    bool is_ours = false;

    if (required.data == NULL) {
        return INVIG_REASON_NONE;
    }
    enum invig_reason reason = reader_get(reader, "aud");
    if (reason != INVIG_REASON_NONE) {
        return reason;
    }
    switch (value->kind) {
    case INVIG_VALUE_ABSENT:
        break;
    case INVIG_VALUE_STRING:
        is_ours = invig_text_equal(value->string, required);
        break;
    case INVIG_VALUE_STRINGS:
        is_ours = strings_have(value->strings, value->string_count, required);
        break;
    default:
        return INVIG_REASON_CLAIM_INVALID;
    }
    return is_ours ? INVIG_REASON_NONE : INVIG_REASON_AUDIENCE_MISMATCH;
}

/* The leeway goes to the claims' side of each comparison: they and the leeway are small, while
 * now_s may be any int64_t. A token whose exp plus leeway is this very second is refused, as its
 * connection would end at once. */
static enum invig_reason check_times(struct reader *reader)
{
    const struct invig_claims *claims = reader->claims;
    int64_t now_s = reader->now_s;
    int64_t leeway_s = reader->policy->jwt_leeway_s;

    reader->claim = "exp";
    if (now_s >= claims->expires_s + leeway_s) {
        return INVIG_REASON_EXPIRED;
    }
    reader->claim = "nbf";
    if (reader->has_not_before && now_s < reader->not_before_s - leeway_s) {
        return INVIG_REASON_NOT_YET_VALID;
    }
    reader->claim = "iat";
    if (claims->issued_s - leeway_s > now_s) {
        return INVIG_REASON_ISSUED_IN_FUTURE;
    }
    reader->claim = "auth_time";
    if (claims->has_auth_time && claims->login_s - leeway_s > now_s) {
        return INVIG_REASON_LOGIN_IN_FUTURE;
    }
    return INVIG_REASON_NONE;
}

struct invig_refusal invig_claims_read(const struct invig_value_source *source,
                                       const struct invig_policy *policy, int64_t now_s,
                                       struct invig_claims *out_claims)
{
    static enum invig_reason (*const steps[])(struct reader *) = {
        read_user,       read_role,        read_session, read_expires,   read_issued, read_login,
        read_not_before, read_evaluations, check_issuer, check_audience, check_times,
    };
    struct reader reader = {
        .source = source, .policy = policy, .now_s = now_s, .claims = out_claims};

    memset(out_claims, 0, sizeof *out_claims);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        enum invig_reason reason = steps[i](&reader);
        if (reason != INVIG_REASON_NONE) {
            memset(out_claims, 0, sizeof *out_claims);
            /* An error inside is no claim's fault. */
            return (struct invig_refusal){reason,
                                          reason == INVIG_REASON_INTERNAL ? NULL : reader.claim};
        }
    }
    return (struct invig_refusal){INVIG_REASON_NONE, NULL};
}
