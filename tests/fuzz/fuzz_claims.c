/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_claims.c - core/claims on payloads made of any bytes. The input is one byte of options, one
 * for each claim of NAMES that says what it holds, and then the contents in the same order.
 */
#include "invigilator/claims.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { CLAIM_COUNT = 10 };

/* What a claim's byte says. */
enum content {
    CONTENT_ABSENT,
    CONTENT_STRING,  /* a byte of length, the bytes */
    CONTENT_STRINGS, /* a byte of count, then as CONTENT_STRING each */
    CONTENT_NEAR,    /* two bytes: seconds from now, or behind it */
    CONTENT_INTEGER, /* eight bytes */
    CONTENT_WORD,    /* a byte: one of WORDS */
    CONTENT_OTHER,
    CONTENT_ERROR,
    CONTENT_COUNT
};

static const char *const NAMES[CLAIM_COUNT] = {"sub",       "sid", "role",        "exp", "iat",
                                               "auth_time", "nbf", "evaluations", "iss", "aud"};
static const char *const WORDS[] = {"student", "Professor", "SERVICE", "login", "exams", "anna"};
static const int64_t NOW_S = 1800000000;

struct input {
    const uint8_t *data;
    size_t size;
    struct invig_value values[CLAIM_COUNT];
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

static uint8_t take_byte(struct input *input)
{
    if (input->size == 0) {
        return 0;
    }
    input->size--;
    return *input->data++;
}

static int64_t take_integer(struct input *input, int bytes)
{
    uint64_t number = 0;

    for (int i = 0; i < bytes; i++) {
        number = number << 8 | take_byte(input);
    }
    return (int64_t)number;
}

static struct invig_text take_text(struct input *input)
{
    size_t length = take_byte(input);

    length = length < input->size ? length : input->size;
    struct invig_text text = {length == 0 ? "" : (const char *)input->data, length};
    input->data += length;
    input->size -= length;
    return text;
}

static void take_strings(struct input *input, struct invig_value *value)
{
    value->kind = INVIG_VALUE_STRINGS;
    value->string_count = take_byte(input); /* may be more than it can hold */
    for (size_t i = 0; i < value->string_count && i < INVIG_VALUE_STRINGS_MAX; i++) {
        value->strings[i] = take_text(input);
    }
}

static void take_value(struct input *input, enum content content, struct invig_value *value)
{
    switch (content) {
    case CONTENT_STRING:
        value->kind = INVIG_VALUE_STRING;
        value->string = take_text(input);
        break;
    case CONTENT_STRINGS:
        take_strings(input, value);
        break;
    case CONTENT_NEAR:
        value->kind = INVIG_VALUE_INTEGER;
        value->integer = NOW_S - 32768 + take_integer(input, 2);
        break;
    case CONTENT_INTEGER:
        value->kind = INVIG_VALUE_INTEGER;
        value->integer = take_integer(input, 8);
        break;
    case CONTENT_WORD:
        value->kind = INVIG_VALUE_STRING;
        value->string = invig_text_of(WORDS[take_byte(input) % (sizeof WORDS / sizeof WORDS[0])]);
        break;
    case CONTENT_OTHER:
        value->kind = INVIG_VALUE_OTHER;
        break;
    case CONTENT_ERROR:
        value->kind = INVIG_VALUE_ERROR;
        break;
    case CONTENT_ABSENT:
    case CONTENT_COUNT:
        break;
    }
}

static void input_get(void *context, const char *name, struct invig_value *out_value)
{
    const struct input *input = context;

    for (size_t i = 0; i < CLAIM_COUNT; i++) {
        if (strcmp(NAMES[i], name) == 0) {
            *out_value = input->values[i];
            return;
        }
    }
    abort(); /* it asks for nothing else */
}

static const struct invig_value *value_of(const struct input *input, const char *name)
{
    static struct invig_value value;

    input_get((void *)(uintptr_t)input, name, &value);
    return &value;
}

static void set_option(struct invig_policy *policy, const char *word, const char *value)
{
    char error[INVIG_POLICY_ERROR_BYTES];

    require(invig_policy_set(policy, word, value, error) == INVIG_OK);
}

static void policy_make(struct invig_policy *policy, uint8_t options)
{
    require(invig_policy_init(policy) == INVIG_OK);
    set_option(policy, "require_auth_time", (options & 1) != 0 ? "on" : "off");
    set_option(policy, "jwt_leeway", (options & 2) != 0 ? "300" : "0");
    set_option(policy, "single_session_roles", (options & 4) != 0 ? "service" : "student");
    if ((options & 8) != 0) {
        set_option(policy, "jwt_issuer", "login");
    }
    if ((options & 16) != 0) {
        set_option(policy, "jwt_audience", "exams");
    }
}

static void require_time(int64_t time_s)
{
    require(time_s >= 0 && time_s <= INVIG_TIME_S_MAX);
}

static void require_times(const struct input *input, const struct invig_policy *policy,
                          const struct invig_claims *claims)
{
    const struct invig_value *not_before = value_of(input, "nbf");

    require_time(claims->expires_s);
    require_time(claims->issued_s);
    require_time(claims->login_s);
    require(claims->expires_s + policy->jwt_leeway_s > NOW_S);
    require(claims->issued_s - policy->jwt_leeway_s <= NOW_S);
    require(claims->login_s - policy->jwt_leeway_s <= NOW_S);
    require(claims->has_auth_time || claims->login_s == claims->issued_s);
    require(claims->has_auth_time || !policy->require_auth_time ||
            !invig_policy_role_is_single(policy, claims->role));
    require(not_before->kind == INVIG_VALUE_ABSENT || not_before->kind == INVIG_VALUE_INTEGER);
    require(not_before->integer - policy->jwt_leeway_s <= NOW_S);
}

static void require_ids(const struct invig_claims *claims)
{
    require(invig_text_is_id(invig_text_of(claims->user)));
    require(claims->role > INVIG_ROLE_NONE && claims->role <= INVIG_ROLE_SERVICE);
    require(claims->has_session || claims->role == INVIG_ROLE_SERVICE);
    require(claims->has_session ? invig_text_is_id(invig_text_of(claims->session))
                                : claims->session[0] == '\0');
    require(claims->evaluation_count <= INVIG_EVALUATIONS_MAX);
    for (size_t i = 0; i < claims->evaluation_count; i++) {
        require(invig_text_is_id(invig_text_of(claims->evaluations[i])));
        for (size_t k = 0; k < i; k++) {
            require(strcmp(claims->evaluations[i], claims->evaluations[k]) != 0);
        }
    }
}

static bool value_has(const struct invig_value *value, const char *wanted)
{
    struct invig_text text = invig_text_of(wanted);

    if (value->kind == INVIG_VALUE_STRING) {
        return invig_text_equal(value->string, text);
    }
    for (size_t i = 0; value->kind == INVIG_VALUE_STRINGS && i < value->string_count; i++) {
        if (invig_text_equal(value->strings[i], text)) {
            return true;
        }
    }
    return false;
}

static void require_acceptable(const struct input *input, const struct invig_policy *policy,
                               const struct invig_claims *claims)
{
    const struct invig_value *user = value_of(input, "sub");

    require(user->kind == INVIG_VALUE_STRING);
    require(invig_text_equal(user->string, invig_text_of(claims->user)));
    require_ids(claims);
    require_times(input, policy, claims);
    require(policy->jwt_issuer == NULL || value_has(value_of(input, "iss"), policy->jwt_issuer));
    require(policy->jwt_audience == NULL ||
            value_has(value_of(input, "aud"), policy->jwt_audience));
    for (size_t i = 0; i < CLAIM_COUNT - 2; i++) {
        require(input->values[i].kind != INVIG_VALUE_OTHER);
        require(input->values[i].kind != INVIG_VALUE_ERROR);
    }
}

static void require_refused(struct invig_refusal refusal, const struct invig_claims *claims)
{
    static const struct invig_claims zero;

    require(refusal.reason > INVIG_REASON_NONE && refusal.reason < INVIG_REASON_COUNT);
    require((refusal.reason == INVIG_REASON_INTERNAL) == (refusal.claim == NULL));
    require(memcmp(claims, &zero, sizeof zero) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {.data = data, .size = size};
    struct invig_value_source source = {.context = &input, .get = input_get};
    struct invig_policy policy;
    struct invig_claims claims;
    uint8_t contents[CLAIM_COUNT];

    policy_make(&policy, take_byte(&input));
    for (size_t i = 0; i < CLAIM_COUNT; i++) {
        contents[i] = take_byte(&input);
    }
    for (size_t i = 0; i < CLAIM_COUNT; i++) {
        take_value(&input, (enum content)(contents[i] % CONTENT_COUNT), &input.values[i]);
    }
    struct invig_refusal refusal = invig_claims_read(&source, &policy, NOW_S, &claims);
    if (refusal.reason == INVIG_REASON_NONE) {
        require(refusal.claim == NULL);
        require_acceptable(&input, &policy, &claims);
    } else {
        require_refused(refusal, &claims);
    }
    invig_policy_deinit(&policy);
    return 0;
}
