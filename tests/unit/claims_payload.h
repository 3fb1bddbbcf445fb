/* SPDX-License-Identifier: Apache-2.0
 *
 * claims_payload.h - a payload made claim by claim, and how it is read.
 */
#ifndef CLAIMS_PAYLOAD_H
#define CLAIMS_PAYLOAD_H

#include "invigilator/claims.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROWS(table)  (sizeof(table) / sizeof((table)[0]))
#define REASON(name) INVIG_REASON_##name
#define TEST(name)   cmocka_unit_test_setup_teardown(name, payload_setup, payload_teardown)

enum { MEMBERS_MAX = 16 };
static const int64_t NOW_S = 1800000000;
static const int64_t LEEWAY_S = 30;

/* A payload, and the policy that it is read by. */
struct payload {
    size_t count;
    struct {
        const char *name;
        struct invig_value value;
    } members[MEMBERS_MAX];
    struct invig_policy policy;
    struct invig_claims claims;
};

static inline void payload_get(void *context, const char *name, struct invig_value *out_value)
{
    const struct payload *payload = context;

    memset(out_value, 0, sizeof *out_value);
    for (size_t i = 0; i < payload->count; i++) {
        if (strcmp(payload->members[i].name, name) == 0) {
            *out_value = payload->members[i].value;
        }
    }
}

static inline struct invig_value *payload_put(struct payload *payload, const char *name,
                                              enum invig_value_kind kind)
{
    size_t i = 0;

    while (i < payload->count && strcmp(payload->members[i].name, name) != 0) {
        i++;
    }
    assert_true(i < MEMBERS_MAX);
    if (i == payload->count) {
        payload->count++;
    }
    payload->members[i].name = name;
    memset(&payload->members[i].value, 0, sizeof payload->members[i].value);
    payload->members[i].value.kind = kind;
    return &payload->members[i].value;
}

static inline void put_bytes(struct payload *payload, const char *name, struct invig_text text)
{
    payload_put(payload, name, INVIG_VALUE_STRING)->string = text;
}

static inline void put_string(struct payload *payload, const char *name, const char *string)
{
    put_bytes(payload, name, invig_text_of(string));
}

static inline void put_integer(struct payload *payload, const char *name, int64_t integer)
{
    payload_put(payload, name, INVIG_VALUE_INTEGER)->integer = integer;
}

/* `list` is words with '|' between them; "" is the empty array. */
static inline void put_strings(struct payload *payload, const char *name, const char *list)
{
    struct invig_value *value = payload_put(payload, name, INVIG_VALUE_STRINGS);

    while (*list != '\0') {
        size_t length = strcspn(list, "|");
        value->strings[value->string_count++] = (struct invig_text){list, length};
        list += length + (list[length] == '|');
    }
}

static inline void remove_claim(struct payload *payload, const char *name)
{
    (void)payload_put(payload, name, INVIG_VALUE_ABSENT);
}

static inline void set_option(struct payload *payload, const char *word, const char *value)
{
    char error[INVIG_POLICY_ERROR_BYTES];

    assert_int_equal(invig_policy_set(&payload->policy, word, value, error), INVIG_OK);
}

static inline void assert_zeroed(const struct invig_claims *claims)
{
    static const struct invig_claims zero;

    assert_memory_equal(claims, &zero, sizeof zero);
}

/* Reads at `now_s`; NULL for `claim` where the refusal names none. */
static inline void assert_read_at(struct payload *payload, int64_t now_s, enum invig_reason reason,
                                  const char *claim)
{
    struct invig_value_source source = {.context = payload, .get = payload_get};

    memset(&payload->claims, 0xAA, sizeof payload->claims);
    struct invig_refusal refusal =
        invig_claims_read(&source, &payload->policy, now_s, &payload->claims);
    assert_string_equal(invig_reason_word(refusal.reason), invig_reason_word(reason));
    if (claim == NULL) {
        assert_null(refusal.claim);
    } else {
        assert_non_null(refusal.claim);
        assert_string_equal(refusal.claim, claim);
    }
    if (reason != INVIG_REASON_NONE) {
        assert_zeroed(&payload->claims);
    }
}

static inline void assert_read(struct payload *payload, enum invig_reason reason, const char *claim)
{
    assert_read_at(payload, NOW_S, reason, claim);
}

static inline void assert_fine(struct payload *payload)
{
    assert_read(payload, INVIG_REASON_NONE, NULL);
}

/* A student's token that is acceptable, with no claim that is not needed. */
static inline int payload_setup(void **state)
{
    struct payload *payload = calloc(1, sizeof *payload);

    if (payload == NULL || invig_policy_init(&payload->policy) != INVIG_OK) {
        return -1;
    }
    put_string(payload, "sub", "anna");
    put_string(payload, "sid", "s1");
    put_integer(payload, "exp", NOW_S + 600);
    put_integer(payload, "iat", NOW_S - 60);
    *state = payload;
    return 0;
}

static inline int payload_teardown(void **state)
{
    struct payload *payload = *state;

    invig_policy_deinit(&payload->policy);
    free(payload);
    return 0;
}

#endif
