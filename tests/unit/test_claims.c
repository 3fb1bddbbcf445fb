/* SPDX-License-Identifier: Apache-2.0
 *
 * test_claims.c - whole tokens: what is needed, the times to the second, the order of faults, and
 * sources that misbehave.
 */
#include "claims_payload.h"

static void test_claims_of_least_token(void **state)
{
    struct payload *payload = *state;
    const struct invig_claims *claims = &payload->claims;

    assert_fine(payload);
    assert_string_equal(claims->user, "anna");
    assert_string_equal(claims->session, "s1");
    assert_true(claims->has_session);
    assert_int_equal(claims->role, INVIG_ROLE_STUDENT);
    assert_int_equal(claims->expires_s, NOW_S + 600);
    assert_int_equal(claims->issued_s, NOW_S - 60);
    assert_int_equal(claims->login_s, NOW_S - 60);
    assert_false(claims->has_auth_time);
    assert_int_equal(claims->evaluation_count, 0);
}

static void test_claims_of_full_token(void **state)
{
    struct payload *payload = *state;
    const struct invig_claims *claims = &payload->claims;

    set_option(payload, "jwt_issuer", "login");
    set_option(payload, "jwt_audience", "exams");
    put_string(payload, "iss", "login");
    put_strings(payload, "aud", "other|exams");
    put_strings(payload, "role", "Student|PROFESSOR");
    put_integer(payload, "auth_time", NOW_S - 500);
    put_integer(payload, "nbf", NOW_S - 60);
    put_strings(payload, "evaluations", "e1|e2");
    assert_fine(payload);
    assert_int_equal(claims->role, INVIG_ROLE_PROFESSOR);
    assert_int_equal(claims->issued_s, NOW_S - 60);
    assert_int_equal(claims->login_s, NOW_S - 500);
    assert_true(claims->has_auth_time);
    assert_int_equal(claims->evaluation_count, 2);
    assert_string_equal(claims->evaluations[0], "e1");
    assert_string_equal(claims->evaluations[1], "e2");
}

static void test_claims_needed_ones_missing(void **state)
{
    static const char *const needed[] = {"sub", "sid", "exp", "iat"};

    for (size_t i = 0; i < ROWS(needed); i++) {
        struct payload *payload = *state;
        remove_claim(payload, needed[i]);
        assert_read(payload, REASON(CLAIM_MISSING), needed[i]);
        payload_teardown(state);
        assert_int_equal(payload_setup(state), 0);
    }
}

static void test_claims_configured_names_are_read_and_reported(void **state)
{
    struct payload *payload = *state;

    set_option(payload, "claim_user", "uid");
    set_option(payload, "claim_session", "jti");
    set_option(payload, "claim_role", "roles");
    set_option(payload, "claim_evaluations", "exams");
    assert_read(payload, REASON(CLAIM_MISSING), "uid");
    put_string(payload, "uid", "berta");
    put_string(payload, "roles", "boss");
    assert_read(payload, REASON(ROLE_UNKNOWN), "roles");
    put_string(payload, "roles", "professor");
    assert_read(payload, REASON(CLAIM_MISSING), "jti");
    put_string(payload, "jti", "j1");
    put_string(payload, "exams", "e1");
    assert_read(payload, REASON(CLAIM_INVALID), "exams");
    put_strings(payload, "exams", "e1");
    /* The usual names mean nothing then. */
    (void)payload_put(payload, "role", INVIG_VALUE_OTHER);
    (void)payload_put(payload, "evaluations", INVIG_VALUE_OTHER);
    assert_fine(payload);
    assert_string_equal(payload->claims.user, "berta");
    assert_string_equal(payload->claims.session, "j1");
    assert_int_equal(payload->claims.role, INVIG_ROLE_PROFESSOR);
    assert_int_equal(payload->claims.evaluation_count, 1);
}

static void test_claims_session_of_a_service_is_optional(void **state)
{
    struct payload *payload = *state;

    put_string(payload, "role", "service");
    assert_fine(payload);
    assert_true(payload->claims.has_session);
    assert_string_equal(payload->claims.session, "s1");
    put_string(payload, "sid", "a/b");
    assert_read(payload, REASON(CLAIM_INVALID), "sid");
    (void)payload_put(payload, "sid", INVIG_VALUE_OTHER);
    assert_read(payload, REASON(CLAIM_INVALID), "sid");
    remove_claim(payload, "sid");
    assert_fine(payload);
    assert_false(payload->claims.has_session);
    assert_string_equal(payload->claims.session, "");
    put_string(payload, "role", "professor");
    assert_read(payload, REASON(CLAIM_MISSING), "sid");
    put_strings(payload, "role", "student|service");
    assert_fine(payload);
}

/* Each time at the last second that is accepted and the first that is not. */
static void test_claims_times_to_the_second(void **state)
{
    static const struct {
        const char *name;
        int64_t good_s; /* from now */
        int64_t bad_s;
        enum invig_reason reason;
    } rows[] = {
        {"exp", 1, 0, REASON(EXPIRED)},
        {"nbf", 0, 1, REASON(NOT_YET_VALID)},
        {"iat", 0, 1, REASON(ISSUED_IN_FUTURE)},
        {"auth_time", 0, 1, REASON(LOGIN_IN_FUTURE)},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        for (int64_t leeway_s = 0; leeway_s <= INVIG_LEEWAY_S_MAX; leeway_s += 150) {
            struct payload *payload = *state;
            int64_t shift_s = strcmp(rows[i].name, "exp") == 0 ? -leeway_s : leeway_s;
            payload->policy.jwt_leeway_s = leeway_s;
            put_integer(payload, rows[i].name, NOW_S + rows[i].good_s + shift_s);
            assert_fine(payload);
            put_integer(payload, rows[i].name, NOW_S + rows[i].bad_s + shift_s);
            assert_read(payload, rows[i].reason, rows[i].name);
            payload_teardown(state);
            assert_int_equal(payload_setup(state), 0);
        }
    }
}

static void test_claims_at_any_time_of_the_clock(void **state)
{
    static const int64_t nows[] = {INT64_MIN, -1, 0, 1, INVIG_TIME_S_MAX, INT64_MAX};
    struct payload *payload = *state;

    put_integer(payload, "nbf", INVIG_TIME_S_MAX);
    put_integer(payload, "auth_time", INVIG_TIME_S_MAX);
    put_integer(payload, "iat", INVIG_TIME_S_MAX);
    put_integer(payload, "exp", INVIG_TIME_S_MAX);
    for (size_t i = 0; i < ROWS(nows); i++) {
        bool is_late = nows[i] == INT64_MAX;
        bool is_then = nows[i] == INVIG_TIME_S_MAX;
        assert_read_at(payload, nows[i],
                       is_late   ? REASON(EXPIRED)
                       : is_then ? REASON(NONE)
                                 : REASON(NOT_YET_VALID),
                       is_late   ? "exp"
                       : is_then ? NULL
                                 : "nbf");
    }
    put_integer(payload, "exp", 0);
    assert_read_at(payload, LEEWAY_S - 1, REASON(NOT_YET_VALID), "nbf");
    assert_read_at(payload, LEEWAY_S, REASON(EXPIRED), "exp");
}

static void test_claims_auth_time_can_be_required(void **state)
{
    struct payload *payload = *state;

    set_option(payload, "require_auth_time", "on");
    assert_read(payload, REASON(CLAIM_MISSING), "auth_time");
    put_string(payload, "role", "professor"); /* not a single-session role */
    assert_fine(payload);
    assert_int_equal(payload->claims.login_s, NOW_S - 60);
    set_option(payload, "single_session_roles", "professor");
    assert_read(payload, REASON(CLAIM_MISSING), "auth_time");
    put_string(payload, "role", "student");
    assert_fine(payload);
    put_string(payload, "role", "professor");
    put_integer(payload, "auth_time", NOW_S - 100);
    assert_fine(payload);
    assert_int_equal(payload->claims.login_s, NOW_S - 100);
}

/* Of several faults the first in this order is named. */
static void test_claims_faults_have_an_order(void **state)
{
    struct payload *payload = *state;
    static const struct {
        const char *claim;
        enum invig_reason reason;
    } order[] = {
        {"sub", REASON(CLAIM_INVALID)},   {"role", REASON(CLAIM_INVALID)},
        {"sid", REASON(CLAIM_INVALID)},   {"exp", REASON(CLAIM_INVALID)},
        {"iat", REASON(CLAIM_INVALID)},   {"auth_time", REASON(CLAIM_INVALID)},
        {"nbf", REASON(CLAIM_INVALID)},   {"evaluations", REASON(CLAIM_INVALID)},
        {"iss", REASON(ISSUER_MISMATCH)}, {"aud", REASON(AUDIENCE_MISMATCH)},
    };

    set_option(payload, "jwt_issuer", "login");
    set_option(payload, "jwt_audience", "exams");
    for (size_t i = 0; i < 8; i++) {
        (void)payload_put(payload, order[i].claim, INVIG_VALUE_OTHER);
    }
    for (size_t i = 0; i < ROWS(order); i++) {
        assert_read(payload, order[i].reason, order[i].claim);
        switch (i) {
        case 0:
        case 2:
            put_string(payload, order[i].claim, "id");
            break;
        case 1:
            put_string(payload, order[i].claim, "student");
            break;
        case 7:
            remove_claim(payload, order[i].claim);
            break;
        case 8:
            put_string(payload, order[i].claim, "login");
            break;
        case 9:
            put_string(payload, order[i].claim, "exams");
            break;
        default: /* the times: all at fault */
            put_integer(payload, order[i].claim, i == 3 ? 0 : INVIG_TIME_S_MAX);
            break;
        }
    }
    assert_read(payload, REASON(EXPIRED), "exp");
    put_integer(payload, "exp", INVIG_TIME_S_MAX);
    assert_read(payload, REASON(NOT_YET_VALID), "nbf");
    put_integer(payload, "nbf", 0);
    assert_read(payload, REASON(ISSUED_IN_FUTURE), "iat");
    put_integer(payload, "iat", 0);
    assert_read(payload, REASON(LOGIN_IN_FUTURE), "auth_time");
    put_integer(payload, "auth_time", 0);
    assert_fine(payload);
}

/* A source whose texts live only until its next call, as claims.h allows. */
static void fleeting_get(void *context, const char *name, struct invig_value *out_value)
{
    static char *text;

    if (text != NULL) {
        memset(text, '#', 4);
        free(text);
        text = NULL;
    }
    if (context == NULL) {
        return;
    }
    payload_get(context, name, out_value);
    if (out_value->kind == INVIG_VALUE_STRING) {
        text = invig_text_copy(out_value->string);
        assert_non_null(text);
        out_value->string.data = text;
    }
}

static void test_claims_keep_no_text_of_the_source(void **state)
{
    struct payload *payload = *state;
    struct invig_value_source source = {.context = payload, .get = fleeting_get};

    put_string(payload, "sid", "session");
    put_string(payload, "role", "professor");
    struct invig_refusal refusal =
        invig_claims_read(&source, &payload->policy, NOW_S, &payload->claims);
    fleeting_get(NULL, NULL, NULL);
    assert_int_equal(refusal.reason, INVIG_REASON_NONE);
    assert_string_equal(payload->claims.user, "anna");
    assert_string_equal(payload->claims.session, "session");
}

/* A source that writes nothing must not make the value before count twice. */
static void silent_get(void *context, const char *name, struct invig_value *out_value)
{
    (void)context;
    if (strcmp(name, "sub") == 0) {
        out_value->kind = INVIG_VALUE_STRING;
        out_value->string = invig_text_of("anna");
    }
}

static void test_claims_silent_source_is_absence(void **state)
{
    struct payload *payload = *state;
    struct invig_value_source source = {.get = silent_get};
    struct invig_refusal refusal =
        invig_claims_read(&source, &payload->policy, NOW_S, &payload->claims);

    assert_int_equal(refusal.reason, INVIG_REASON_CLAIM_MISSING);
    assert_string_equal(refusal.claim, "sid");
    assert_zeroed(&payload->claims);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_claims_of_least_token),
        TEST(test_claims_of_full_token),
        TEST(test_claims_needed_ones_missing),
        TEST(test_claims_configured_names_are_read_and_reported),
        TEST(test_claims_session_of_a_service_is_optional),
        TEST(test_claims_times_to_the_second),
        TEST(test_claims_at_any_time_of_the_clock),
        TEST(test_claims_auth_time_can_be_required),
        TEST(test_claims_faults_have_an_order),
        TEST(test_claims_keep_no_text_of_the_source),
        TEST(test_claims_silent_source_is_absence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
