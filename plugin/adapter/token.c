/* SPDX-License-Identifier: Apache-2.0
 *
 * token.c - checks tokens. libjwt parses header and claims, by functions that reject duplicate
 * members. Its jwt_decode is not used: it takes "none", decodes base64 loosely, accepts duplicate
 * members and parses the PEM key anew for every token.
 */
#include "token.h"

#include "json.h"

#include "invigilator/base64url.h"
#include "invigilator/jws.h"

#include <errno.h>
#include <jwt.h>
#include <stdlib.h>
#include <string.h>

/* A token while it is looked at. */
struct token {
    struct invig_jws parts;
    char *memory;             /* of the three decoded parts */
    struct invig_text header; /* decoded, a NUL behind it */
    struct invig_text payload;
    struct invig_text signature;
    jwt_t *jwt;
    enum invig_algorithm algorithm;
    struct invig_text kid; /* absent: it has none */
};

/* Where claims are read from, and what the last one read holds on to. */
struct claim_reader {
    jwt_t *jwt;
    char *json;
    struct invig_json_strings *strings;
};

static bool token_refuse(struct invig_refusal *refusal, enum invig_reason reason)
{
    refusal->reason = reason;
    return false;
}

/* True when the first part, read with a blind eye, is a header. What is a token only in this sense
 * is refused; what is not even that is a password for others to judge. When memory is out the
 * answer is yes, since that refuses. */
static bool token_is_recognised(const struct token *token)
{
    size_t capacity = INVIG_BASE64URL_DECODED_MAX(token->parts.header.length);
    unsigned char *header = malloc(capacity);

    if (header == NULL) {
        return true;
    }
    ptrdiff_t length = invig_base64url_decode_loose(token->parts.header, header, capacity);
    bool is_recognised =
        length >= 0 &&
        invig_json_is_object_with((struct invig_text){(const char *)header, (size_t)length}, "alg");
    free(header);
    return is_recognised;
}

/* Decodes one part to *at and moves it behind the part and a NUL. */
static bool part_decode(struct invig_text encoded, char **at, struct invig_text *out_part)
{
    size_t capacity = INVIG_BASE64URL_DECODED_MAX(encoded.length);
    ptrdiff_t length = invig_base64url_decode(encoded, (unsigned char *)*at, capacity);

    if (length < 0) {
        return false;
    }
    *out_part = (struct invig_text){*at, (size_t)length};
    (*at)[length] = '\0';
    *at += length + 1;
    return true;
}

static bool token_decode(struct token *token, struct invig_refusal *refusal)
{
    const struct invig_jws *parts = &token->parts;
    size_t size = INVIG_BASE64URL_DECODED_MAX(parts->header.length) +
                  INVIG_BASE64URL_DECODED_MAX(parts->payload.length) +
                  INVIG_BASE64URL_DECODED_MAX(parts->signature.length) + 3;

    token->memory = malloc(size);
    if (token->memory == NULL) {
        return token_refuse(refusal, INVIG_REASON_INTERNAL);
    }
    char *at = token->memory;
    if (!part_decode(parts->header, &at, &token->header) ||
        !part_decode(parts->payload, &at, &token->payload) ||
        !part_decode(parts->signature, &at, &token->signature)) {
        return token_refuse(refusal, INVIG_REASON_TOKEN_MALFORMED);
    }
    return true;
}

/* libjwt takes C strings: what stands behind a NUL byte would be out of its sight. */
static bool text_has_nul(struct invig_text text)
{
    return memchr(text.data, '\0', text.length) != NULL;
}

static bool header_has(jwt_t *jwt, const char *name)
{
    return jwt_get_header(jwt, name) != NULL || errno != ENOENT;
}

/* Reads the header into token->algorithm and token->kid (RFC 7515 section 4.1). "b64" changes what
 * is signed (RFC 7797) and must come with "crit", so it is refused with or without. */
static bool token_read_header(struct token *token, invig_algorithm_set allowed,
                              struct invig_refusal *refusal)
{
    if (jwt_new(&token->jwt) != 0) {
        return token_refuse(refusal, INVIG_REASON_INTERNAL);
    }
    if (text_has_nul(token->header) || jwt_add_headers_json(token->jwt, token->header.data) != 0) {
        return token_refuse(refusal, INVIG_REASON_HEADER_INVALID);
    }
    const char *algorithm = jwt_get_header(token->jwt, "alg");
    if (algorithm == NULL) {
        return token_refuse(refusal, INVIG_REASON_HEADER_INVALID);
    }
    token->algorithm = invig_algorithm_find(invig_text_of(algorithm));
    if (!invig_algorithm_set_has(allowed, token->algorithm)) {
        return token_refuse(refusal, INVIG_REASON_ALGORITHM_NOT_ALLOWED);
    }
    if (header_has(token->jwt, "crit")) {
        return token_refuse(refusal, INVIG_REASON_HEADER_CRITICAL);
    }
    token->kid = invig_text_of(jwt_get_header(token->jwt, "kid"));
    if ((token->kid.data == NULL && header_has(token->jwt, "kid")) ||
        header_has(token->jwt, "b64")) {
        return token_refuse(refusal, INVIG_REASON_HEADER_INVALID);
    }
    return true;
}

static bool token_verify(const struct token *token, const struct invig_keyring *keyring,
                         struct invig_refusal *refusal)
{
    const struct invig_key *key = invig_keyring_next(keyring, NULL, token->algorithm, token->kid);

    if (key == NULL) {
        return token_refuse(refusal, INVIG_REASON_KEY_UNKNOWN);
    }
    for (; key != NULL; key = invig_keyring_next(keyring, key, token->algorithm, token->kid)) {
        if (invig_key_verify(key, token->algorithm, token->parts.signing_input, token->signature)) {
            return true;
        }
    }
    return token_refuse(refusal, INVIG_REASON_SIGNATURE_INVALID);
}

/* Reads a number that libjwt has written out. It writes a number with fraction or exponent with one
 * of them, so digits alone are an integer. */
static void value_read_integer(const char *json, struct invig_value *out_value)
{
    const char *digits = json[0] == '-' ? json + 1 : json;

    if (digits[0] == '\0' || digits[strspn(digits, "0123456789")] != '\0') {
        return;
    }
    errno = 0;
    long long integer = strtoll(json, NULL, 10);
    if (errno == 0) {
        out_value->kind = INVIG_VALUE_INTEGER;
        out_value->integer = integer;
    }
}

static void claim_reader_release(struct claim_reader *reader)
{
    invig_json_strings_free(reader->strings);
    reader->strings = NULL;
    free(reader->json);
    reader->json = NULL;
}

/* Reads a claim that is there and no string. No claim of ours may be true, false or null, so those
 * are left as INVIG_VALUE_OTHER. */
static void claim_read_other(struct claim_reader *reader, const char *name,
                             struct invig_value *out_value)
{
    reader->json = jwt_get_grants_json(reader->jwt, name);
    if (reader->json == NULL) {
        out_value->kind = INVIG_VALUE_ERROR;
        return;
    }
    out_value->kind = INVIG_VALUE_OTHER;
    if (reader->json[0] == '[') {
        invig_json_read_strings(invig_text_of(reader->json), out_value, &reader->strings);
    } else {
        value_read_integer(reader->json, out_value);
    }
}

/* struct invig_value_source's get. libjwt 1.10 and later ones agree on this much: a string claim is
 * returned, and errno is ENOENT for an absent one. An empty name would mean the whole payload. */
static void claim_get(void *context, const char *name, struct invig_value *out_value)
{
    struct claim_reader *reader = context;

    claim_reader_release(reader);
    out_value->string_count = 0;
    out_value->string = (struct invig_text){0};
    out_value->integer = 0;
    out_value->boolean = false;
    if (name == NULL || name[0] == '\0') {
        out_value->kind = INVIG_VALUE_ERROR;
        return;
    }
    out_value->string = invig_text_of(jwt_get_grant(reader->jwt, name));
    if (out_value->string.data != NULL) {
        out_value->kind = INVIG_VALUE_STRING;
    } else if (errno == ENOENT) {
        out_value->kind = INVIG_VALUE_ABSENT;
    } else {
        claim_read_other(reader, name, out_value);
    }
}

static bool token_read_claims(const struct token *token, const struct invig_policy *policy,
                              int64_t now_s, struct invig_claims *out_claims,
                              struct invig_refusal *refusal)
{
    struct claim_reader reader = {.jwt = token->jwt};
    const struct invig_value_source source = {.context = &reader, .get = claim_get};

    if (text_has_nul(token->payload) || jwt_add_grants_json(token->jwt, token->payload.data) != 0) {
        return token_refuse(refusal, INVIG_REASON_PAYLOAD_INVALID);
    }
    *refusal = invig_claims_read(&source, policy, now_s, out_claims);
    claim_reader_release(&reader);
    return refusal->reason == INVIG_REASON_NONE;
}

/* True when the token is authentic and its claims are acceptable. */
static bool token_is_accepted(struct token *token, const struct invig_keyring *keyring,
                              const struct invig_policy *policy, int64_t now_s,
                              struct invig_claims *out_claims, struct invig_refusal *refusal)
{
    return token_decode(token, refusal) &&
           token_read_header(token, invig_keyring_algorithms(keyring), refusal) &&
           token_verify(token, keyring, refusal) &&
           token_read_claims(token, policy, now_s, out_claims, refusal);
}

/* A header that is fine but for the algorithm is a header; where reading stopped before that, it
 * must still be found out whether this is a token. */
static bool refusal_is_of_outline(const struct invig_refusal *refusal)
{
    return refusal->reason == INVIG_REASON_TOKEN_TOO_LARGE ||
           refusal->reason == INVIG_REASON_TOKEN_MALFORMED ||
           refusal->reason == INVIG_REASON_HEADER_INVALID;
}

enum invig_verdict invig_token_check(const struct invig_keyring *keyring,
                                     const struct invig_policy *policy, struct invig_text password,
                                     int64_t now_s, struct invig_claims *out_claims,
                                     struct invig_refusal *out_refusal)
{
    struct token token = {0};
    bool is_accepted = false;

    memset(out_claims, 0, sizeof *out_claims);
    *out_refusal = (struct invig_refusal){0};
    if (!invig_jws_split(password, &token.parts)) {
        return INVIG_DEFER;
    }
    if (password.length > (size_t)policy->jwt_max_size_bytes) {
        out_refusal->reason = INVIG_REASON_TOKEN_TOO_LARGE;
    } else {
        is_accepted = token_is_accepted(&token, keyring, policy, now_s, out_claims, out_refusal);
    }
    jwt_free(token.jwt);
    free(token.memory);
    if (is_accepted) {
        return INVIG_ALLOW;
    }
    if (refusal_is_of_outline(out_refusal) && !token_is_recognised(&token)) {
        *out_refusal = (struct invig_refusal){0};
        return INVIG_DEFER;
    }
    return INVIG_DENY;
}

invig_algorithm_set invig_token_algorithms(void)
{
    invig_algorithm_set set = 0;

    for (int i = INVIG_ALGORITHM_NONE + 1; i < INVIG_ALGORITHM_COUNT; i++) {
        jwt_alg_t known = jwt_str_alg(invig_algorithm_name((enum invig_algorithm)i));
        if (known != JWT_ALG_NONE && known != JWT_ALG_INVAL) {
            set |= (invig_algorithm_set)1U << i;
        }
    }
    return set;
}

static bool library_takes(const char *json)
{
    jwt_t *jwt = NULL;

    if (jwt_new(&jwt) != 0) {
        return false;
    }
    bool is_taken = jwt_add_headers_json(jwt, json) == 0 || jwt_add_grants_json(jwt, json) == 0;
    jwt_free(jwt);
    return is_taken;
}

/* What must be refused although the rest of it would do. */
static bool library_refuses_what_it_must(void)
{
    static const char *const texts[] = {"{\"a\":1,\"a\":1}",
                                        "{\"a\":1,\"\\u0061\":1}",
                                        "{\"a\":{\"b\":1,\"b\":1}}",
                                        "{\"a\":\"\\u0000\"}",
                                        "{\"a\\u0000\":1}",
                                        "{\"a\":\"\xFF\"}",
                                        "{\"a\":\"\\ud800\"}",
                                        "{\"a\":1} x",
                                        "{\"a\":1,}",
                                        "{\"a\":01}",
                                        "{\"a\":NaN}",
                                        "{\"a\":9223372036854775808}",
                                        "{'a':1}",
                                        "[1]",
                                        "1",
                                        "",
                                        "{\"a\":\"\n\"}"};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (library_takes(texts[i])) {
            return false;
        }
    }
    return true;
}

struct expected_value {
    const char *name;
    enum invig_value_kind kind;
    int64_t integer;
};

/* That numbers come out as they went in. */
static bool library_keeps_values(jwt_t *jwt)
{
    static const char json[] = "{\"s\":\"1\",\"i\":17,\"n\":-17,\"f\":1.0,\"e\":1e3,\"h\":1e300,"
                               "\"b\":true,\"z\":null,\"a\":[\"x\",\"y\"],\"m\":[\"x\",1]}";
    static const struct expected_value values[] = {
        {"s", INVIG_VALUE_STRING, 0},     {"i", INVIG_VALUE_INTEGER, 17},
        {"n", INVIG_VALUE_INTEGER, -17},  {"f", INVIG_VALUE_OTHER, 0},
        {"e", INVIG_VALUE_OTHER, 0},      {"h", INVIG_VALUE_OTHER, 0},
        {"b", INVIG_VALUE_OTHER, 0},      {"z", INVIG_VALUE_OTHER, 0},
        {"a", INVIG_VALUE_STRINGS, 0},    {"m", INVIG_VALUE_OTHER, 0},
        {"absent", INVIG_VALUE_ABSENT, 0}};
    struct claim_reader reader = {.jwt = jwt};
    struct invig_value value;
    bool is_kept = jwt_add_grants_json(jwt, json) == 0;

    for (size_t i = 0; is_kept && i < sizeof values / sizeof values[0]; i++) {
        claim_get(&reader, values[i].name, &value);
        is_kept = value.kind == values[i].kind && value.integer == values[i].integer;
    }
    claim_reader_release(&reader);
    return is_kept;
}

bool invig_token_self_test(void)
{
    jwt_t *jwt = NULL;

    if (!library_refuses_what_it_must() || jwt_new(&jwt) != 0) {
        return false;
    }
    bool is_kept = library_keeps_values(jwt);
    jwt_free(jwt);
    return is_kept;
}
