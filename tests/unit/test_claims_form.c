/* SPDX-License-Identifier: Apache-2.0
 *
 * test_claims_form.c - what each claim may hold, in every JSON type.
 */
#include "claims_payload.h"

#include <stdio.h>

/* Every claim in every kind of value. */
static void test_claims_form_of_each_kind_of_value(void **state)
{
    enum { A = REASON(NONE), I = REASON(CLAIM_INVALID), R = REASON(ROLE_UNKNOWN) };
    static const struct {
        const char *name;
        int string;  /* "1" */
        int integer; /* 1 */
        int strings; /* ["1"] */
        int other;   /* true, null, anything else */
    } rows[] = {
        {"sub", A, I, I, I},
        {"sid", A, I, I, I},
        {"exp", I, REASON(EXPIRED), I, I},
        {"iat", I, A, I, I},
        {"auth_time", I, A, I, I},
        {"nbf", I, A, I, I},
        {"role", R, I, R, I},
        {"evaluations", I, I, A, I},
        {"iss", REASON(ISSUER_MISMATCH), I, I, I},
        {"aud", REASON(AUDIENCE_MISMATCH), I, REASON(AUDIENCE_MISMATCH), I},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        for (int kind = INVIG_VALUE_STRING; kind <= INVIG_VALUE_ERROR + 1; kind++) {
            const int reasons[] = {A,
                                   rows[i].string,
                                   rows[i].integer,
                                   rows[i].strings,
                                   rows[i].other,
                                   rows[i].other,
                                   rows[i].other,
                                   REASON(INTERNAL),
                                   I};
            int reason = reasons[kind];
            struct payload *payload = *state;
            set_option(payload, "jwt_issuer", "login");
            set_option(payload, "jwt_audience", "exams");
            put_string(payload, "iss", "login");
            put_string(payload, "aud", "exams");
            struct invig_value *value =
                payload_put(payload, rows[i].name, (enum invig_value_kind)kind);
            value->string = invig_text_of("1");
            value->integer = 1;
            value->boolean = true;
            value->string_count = 1;
            value->strings[0] = invig_text_of("1");
            assert_read(payload, (enum invig_reason)reason,
                        reason == A || reason == REASON(INTERNAL) ? NULL : rows[i].name);
            payload_teardown(state);
            assert_int_equal(payload_setup(state), 0);
        }
    }
}

static const struct invig_text BAD_IDS[] = {
    {"", 0},         {"a/b", 3},          {"+", 1},
    {"a#", 2},       {"$SYS", 4},         {"a\nb", 3},
    {"anna\0", 5},   {"\0", 1},           {"\xFF", 1},
    {"\xC2\x85", 2}, {"\xEF\xBF\xBF", 3}, {"\xED\xA0\x80", 3},
    {NULL, 0},
};

static void test_claims_form_ids_must_be_ids(void **state)
{
    static const char *const names[] = {"sub", "sid"};
    struct payload *payload = *state;

    for (size_t n = 0; n < ROWS(names); n++) {
        for (size_t i = 0; i < ROWS(BAD_IDS); i++) {
            put_bytes(payload, names[n], BAD_IDS[i]);
            assert_read(payload, REASON(CLAIM_INVALID), names[n]);
        }
        put_string(payload, names[n], "fine");
    }
    for (size_t i = 0; i < ROWS(BAD_IDS); i++) {
        put_strings(payload, "evaluations", "e1|e2");
        struct invig_value *value = &payload->members[payload->count - 1].value;
        value->strings[1] = BAD_IDS[i];
        assert_read(payload, REASON(CLAIM_INVALID), "evaluations");
    }
}

static void test_claims_form_ids_of_128_bytes(void **state)
{
    struct payload *payload = *state;
    char id[INVIG_ID_BYTES_MAX + 1];

    memset(id, 'x', sizeof id);
    put_bytes(payload, "sub", (struct invig_text){id, 128});
    put_bytes(payload, "sid", (struct invig_text){id, 128});
    struct invig_value *value = payload_put(payload, "evaluations", INVIG_VALUE_STRINGS);
    value->string_count = 1;
    value->strings[0] = (struct invig_text){id, 128};
    assert_fine(payload);
    assert_int_equal(strlen(payload->claims.user), 128);
    assert_int_equal(strlen(payload->claims.session), 128);
    assert_int_equal(strlen(payload->claims.evaluations[0]), 128);
    value->strings[0].length = 129;
    assert_read(payload, REASON(CLAIM_INVALID), "evaluations");
    put_bytes(payload, "sid", (struct invig_text){id, 129});
    assert_read(payload, REASON(CLAIM_INVALID), "sid");
    put_bytes(payload, "sub", (struct invig_text){id, 129});
    assert_read(payload, REASON(CLAIM_INVALID), "sub");
}

static void test_claims_form_role_as_string(void **state)
{
    static const struct {
        const char *word;
        enum invig_role role; /* NONE: refused */
    } rows[] = {
        {"student", INVIG_ROLE_STUDENT},
        {"STUDENT", INVIG_ROLE_STUDENT},
        {"Professor", INVIG_ROLE_PROFESSOR},
        {"serviCE", INVIG_ROLE_SERVICE},
        {"", INVIG_ROLE_NONE},
        {"none", INVIG_ROLE_NONE},
        {"admin", INVIG_ROLE_NONE},
        {"student professor", INVIG_ROLE_NONE},
        {" student", INVIG_ROLE_NONE},
        {"students", INVIG_ROLE_NONE},
    };
    struct payload *payload = *state;

    for (size_t i = 0; i < ROWS(rows); i++) {
        put_string(payload, "role", rows[i].word);
        if (rows[i].role == INVIG_ROLE_NONE) {
            assert_read(payload, REASON(ROLE_UNKNOWN), "role");
        } else {
            assert_fine(payload);
            assert_int_equal(payload->claims.role, rows[i].role);
        }
    }
}

static void test_claims_form_role_as_array(void **state)
{
    static const struct {
        const char *list;
        enum invig_role role; /* NONE: refused */
    } rows[] = {
        {"student", INVIG_ROLE_STUDENT},
        {"student|student", INVIG_ROLE_STUDENT},
        {"professor|student", INVIG_ROLE_PROFESSOR},
        {"student|PROFESSOR", INVIG_ROLE_PROFESSOR},
        {"student|service|professor", INVIG_ROLE_SERVICE},
        {"", INVIG_ROLE_NONE},
        {"admin", INVIG_ROLE_NONE},
        {"student|admin", INVIG_ROLE_NONE},
        {"admin|service", INVIG_ROLE_NONE},
        {"student|none", INVIG_ROLE_NONE},
        {"student||professor", INVIG_ROLE_NONE},
    };
    struct payload *payload = *state;

    for (size_t i = 0; i < ROWS(rows); i++) {
        put_strings(payload, "role", rows[i].list);
        if (rows[i].role == INVIG_ROLE_NONE) {
            assert_read(payload, REASON(ROLE_UNKNOWN), "role");
        } else {
            assert_fine(payload);
            assert_int_equal(payload->claims.role, rows[i].role);
        }
    }
}

static void test_claims_form_times_have_their_range(void **state)
{
    static const char *const names[] = {"exp", "iat", "auth_time", "nbf"};
    static const int64_t bad[] = {-1, INT64_MIN, INVIG_TIME_S_MAX + 1, INT64_MAX};
    struct payload *payload = *state;

    for (size_t n = 0; n < ROWS(names); n++) {
        for (size_t i = 0; i < ROWS(bad); i++) {
            put_integer(payload, names[n], bad[i]);
            assert_read(payload, REASON(CLAIM_INVALID), names[n]);
        }
        put_integer(payload, names[n], strcmp(names[n], "exp") == 0 ? INVIG_TIME_S_MAX : 0);
        assert_fine(payload);
    }
    assert_int_equal(payload->claims.expires_s, INVIG_TIME_S_MAX);
    assert_int_equal(payload->claims.issued_s, 0);
    assert_int_equal(payload->claims.login_s, 0);
    assert_true(payload->claims.has_auth_time);
}

static void test_claims_form_evaluations(void **state)
{
    struct payload *payload = *state;
    const struct invig_claims *claims = &payload->claims;

    put_strings(payload, "evaluations", "");
    assert_fine(payload);
    assert_int_equal(claims->evaluation_count, 0);
    put_strings(payload, "evaluations", "e1|e2|e1|E1|e2|e3");
    assert_fine(payload);
    assert_int_equal(claims->evaluation_count, 4);
    assert_string_equal(claims->evaluations[0], "e1");
    assert_string_equal(claims->evaluations[1], "e2");
    assert_string_equal(claims->evaluations[2], "E1");
    assert_string_equal(claims->evaluations[3], "e3");
}

static void test_claims_form_evaluations_are_at_most_64(void **state)
{
    struct payload *payload = *state;
    static char ids[INVIG_VALUE_STRINGS_MAX][8];
    struct invig_value *value = payload_put(payload, "evaluations", INVIG_VALUE_STRINGS);

    for (size_t i = 0; i < INVIG_VALUE_STRINGS_MAX; i++) {
        snprintf(ids[i], sizeof ids[i], "e%zu", i);
        value->strings[i] = invig_text_of(ids[i]);
    }
    value->string_count = 64;
    assert_fine(payload);
    assert_int_equal(payload->claims.evaluation_count, 64);
    assert_string_equal(payload->claims.evaluations[63], "e63");
    /* A count that the array cannot hold is not believed. */
    value->string_count = 65;
    assert_read(payload, REASON(CLAIM_INVALID), "evaluations");
    value->string_count = SIZE_MAX;
    assert_read(payload, REASON(CLAIM_INVALID), "evaluations");
}

static void test_claims_form_issuer(void **state)
{
    static const struct {
        struct invig_text issuer;
        enum invig_reason reason;
    } rows[] = {
        {{"login", 5}, REASON(NONE)},
        {{"Login", 5}, REASON(ISSUER_MISMATCH)},
        {{"login/", 6}, REASON(ISSUER_MISMATCH)},
        {{"logi", 4}, REASON(ISSUER_MISMATCH)},
        {{"login\0", 6}, REASON(ISSUER_MISMATCH)},
        {{"", 0}, REASON(ISSUER_MISMATCH)},
        {{NULL, 0}, REASON(ISSUER_MISMATCH)},
    };
    struct payload *payload = *state;

    (void)payload_put(payload, "iss", INVIG_VALUE_OTHER);
    assert_fine(payload); /* not looked at */
    set_option(payload, "jwt_issuer", "login");
    for (size_t i = 0; i < ROWS(rows); i++) {
        put_bytes(payload, "iss", rows[i].issuer);
        assert_read(payload, rows[i].reason, rows[i].reason == REASON(NONE) ? NULL : "iss");
    }
    put_strings(payload, "iss", "login");
    assert_read(payload, REASON(CLAIM_INVALID), "iss");
    remove_claim(payload, "iss");
    assert_read(payload, REASON(ISSUER_MISMATCH), "iss");
}

static void test_claims_form_audience(void **state)
{
    static const struct {
        const char *list; /* one without '|' is also tried as a string */
        enum invig_reason reason;
    } rows[] = {
        {"exams", REASON(NONE)},
        {"Exams", REASON(AUDIENCE_MISMATCH)},
        {"exam", REASON(AUDIENCE_MISMATCH)},
        {"examss", REASON(AUDIENCE_MISMATCH)},
        {"", REASON(AUDIENCE_MISMATCH)},
        {"a|b|exams", REASON(NONE)},
        {"exams|a", REASON(NONE)},
        {"a|b", REASON(AUDIENCE_MISMATCH)},
    };
    struct payload *payload = *state;

    (void)payload_put(payload, "aud", INVIG_VALUE_OTHER);
    assert_fine(payload); /* not looked at */
    set_option(payload, "jwt_audience", "exams");
    for (size_t i = 0; i < ROWS(rows); i++) {
        const char *claim = rows[i].reason == REASON(NONE) ? NULL : "aud";
        put_strings(payload, "aud", rows[i].list);
        assert_read(payload, rows[i].reason, claim);
        if (strchr(rows[i].list, '|') == NULL) {
            put_string(payload, "aud", rows[i].list);
            assert_read(payload, rows[i].reason, claim);
        }
    }
    put_integer(payload, "aud", 1);
    assert_read(payload, REASON(CLAIM_INVALID), "aud");
    remove_claim(payload, "aud");
    assert_read(payload, REASON(AUDIENCE_MISMATCH), "aud");
}

/* A source that counts more strings than a value can hold is not believed. */
static void test_claims_form_of_impossible_counts(void **state)
{
    static const char *const names[] = {"role", "evaluations", "aud"};

    for (size_t i = 0; i < ROWS(names); i++) {
        struct payload *payload = *state;
        set_option(payload, "jwt_audience", "exams");
        put_string(payload, "aud", "exams");
        struct invig_value *value = payload_put(payload, names[i], INVIG_VALUE_STRINGS);
        for (size_t k = 0; k < INVIG_VALUE_STRINGS_MAX; k++) {
            value->strings[k] = invig_text_of("student");
        }
        value->string_count = INVIG_VALUE_STRINGS_MAX + 1;
        assert_read(payload, REASON(CLAIM_INVALID), names[i]);
        value->string_count = SIZE_MAX;
        assert_read(payload, REASON(CLAIM_INVALID), names[i]);
        payload_teardown(state);
        assert_int_equal(payload_setup(state), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_claims_form_of_each_kind_of_value),
        TEST(test_claims_form_ids_must_be_ids),
        TEST(test_claims_form_ids_of_128_bytes),
        TEST(test_claims_form_role_as_string),
        TEST(test_claims_form_role_as_array),
        TEST(test_claims_form_times_have_their_range),
        TEST(test_claims_form_evaluations),
        TEST(test_claims_form_evaluations_are_at_most_64),
        TEST(test_claims_form_issuer),
        TEST(test_claims_form_audience),
        TEST(test_claims_form_of_impossible_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
