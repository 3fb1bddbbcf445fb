/* SPDX-License-Identifier: Apache-2.0
 *
 * test_policy.c - the settings as a whole: defaults, ranges, error texts, and what an option
 * changes.
 */
#include "policy_assert.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define MEMBER(name)  offsetof(struct invig_policy, name)
#define SET_OF(name)  (UINT32_C(1) << INVIG_ALGORITHM_##name)
#define ROLE_OF(name) (1U << INVIG_ROLE_##name)

static const char *string_at(const struct invig_policy *policy, size_t offset)
{
    return *(char *const *)(const void *)((const char *)policy + offset);
}

static int64_t integer_at(const struct invig_policy *policy, size_t offset)
{
    return *(const int64_t *)(const void *)((const char *)policy + offset);
}

static const struct {
    const char *word;
    size_t offset;
    const char *default_value;
    const char *other;
} STRINGS[] = {
    {"jwt_public_key_file", MEMBER(jwt_public_key_file), NULL, "/etc/keys/public.pem"},
    {"jwt_secret_file", MEMBER(jwt_secret_file), NULL, "/etc/keys/secret"},
    {"jwt_jwks_file", MEMBER(jwt_jwks_file), NULL, "/etc/keys/jwks.json"},
    {"jwt_issuer", MEMBER(jwt_issuer), NULL, "https://login.example.org"},
    {"jwt_audience", MEMBER(jwt_audience), NULL, "exam broker"},
    {"claim_user", MEMBER(claim_user), "sub", "uid"},
    {"claim_session", MEMBER(claim_session), "sid", "jti"},
    {"claim_role", MEMBER(claim_role), "role", "https://example.org/roles"},
    {"claim_evaluations", MEMBER(claim_evaluations), "evaluations", "exams"},
    {"topic_prefix", MEMBER(topic_prefix), "", "eval/"},
    {"phases", MEMBER(phases), "NEW SETTINGS COMPOSITION REGISTRATION IN_PROGRESS GRADING FINISHED",
     "open closed"},
    {"strict_phases", MEMBER(strict_phases), "IN_PROGRESS", "open"},
    {"presence_phases", MEMBER(presence_phases), "REGISTRATION IN_PROGRESS", "closed"},
    {"state_file", MEMBER(state_file), NULL, "/var/lib/invigilator.db"},
    {"state_url", MEMBER(state_url), NULL, "valkey://127.0.0.1"},
    {"state_auth_file", MEMBER(state_auth_file), NULL, "/etc/keys/valkey"},
    {"state_ca_file", MEMBER(state_ca_file), NULL, "/etc/keys/ca.pem"},
};

static const struct {
    const char *word;
    size_t offset;
    int64_t default_value;
    int64_t minimum;
    int64_t maximum;
} INTEGERS[] = {
    {"jwt_leeway", MEMBER(jwt_leeway_s), 30, 0, 300},
    {"jwt_max_size", MEMBER(jwt_max_size_bytes), 8192, 512, 65535},
    {"max_connections_per_session", MEMBER(max_connections_per_session), 8, 1, 1000},
    {"max_keepalive", MEMBER(max_keepalive_s), 60, 1, 65535},
    {"expiry_notice", MEMBER(expiry_notice_s), 60, 0, 86400},
    {"state_timeout", MEMBER(state_timeout_ms), 20, 1, 10000},
    {"revocation_ttl", MEMBER(revocation_ttl_days), 7, 1, 3650},
    {"stats_interval", MEMBER(stats_interval_s), 10, 0, 86400},
};

static void assert_string_at(const struct invig_policy *policy, size_t i, const char *expected)
{
    const char *found = string_at(policy, STRINGS[i].offset);

    if (expected == NULL) {
        assert_null(found);
    } else {
        assert_non_null(found);
        assert_string_equal(found, expected);
    }
}

static void test_policy_defaults(void **state)
{
    struct invig_policy policy;

    (void)state;
    memset(&policy, 0xFF, sizeof policy);
    assert_int_equal(invig_policy_init(&policy), INVIG_OK);
    for (size_t i = 0; i < ROWS(STRINGS); i++) {
        assert_string_at(&policy, i, STRINGS[i].default_value);
    }
    for (size_t i = 0; i < ROWS(INTEGERS); i++) {
        assert_int_equal(integer_at(&policy, INTEGERS[i].offset), INTEGERS[i].default_value);
    }
    assert_int_equal(policy.jwt_algorithms, 0);
    assert_int_equal(policy.single_session_roles, ROLE_OF(STUDENT));
    assert_false(policy.require_auth_time);
    assert_int_equal(policy.strict_policy, INVIG_STRICT_ENFORCE);
    assert_int_equal(policy.state_sync, INVIG_STATE_NORMAL);
    assert_int_equal(policy.options_given, 0);
    invig_policy_deinit(&policy);
}

static void test_policy_defaults_are_those_of_the_header(void **state)
{
    struct invig_policy policy;

    (void)state;
    assert_int_equal(invig_policy_init(&policy), INVIG_OK);
    assert_int_equal(policy.jwt_leeway_s, INVIG_LEEWAY_S_DEFAULT);
    assert_int_equal(policy.jwt_max_size_bytes, INVIG_TOKEN_BYTES_DEFAULT);
    assert_int_equal(policy.max_connections_per_session, INVIG_SESSION_CONNECTIONS_DEFAULT);
    assert_int_equal(policy.max_keepalive_s, INVIG_KEEPALIVE_S_DEFAULT);
    assert_int_equal(policy.expiry_notice_s, INVIG_EXPIRY_NOTICE_S_DEFAULT);
    assert_int_equal(policy.state_timeout_ms, INVIG_STATE_TIMEOUT_MS_DEFAULT);
    assert_int_equal(policy.revocation_ttl_days, INVIG_REVOCATION_DAYS_DEFAULT);
    assert_int_equal(policy.stats_interval_s, INVIG_STATS_INTERVAL_S_DEFAULT);
    invig_policy_deinit(&policy);
}

/* Sets every option to a value that is not the default; every member must differ then. */
static void test_policy_every_option_changes_its_member(void **state)
{
    struct invig_policy policy;
    size_t count = ROWS(STRINGS) + ROWS(INTEGERS) + 5;

    (void)state;
    assert_int_equal(invig_policy_init(&policy), INVIG_OK);
    for (size_t i = 0; i < ROWS(STRINGS); i++) {
        assert_set(&policy, STRINGS[i].word, STRINGS[i].other);
    }
    for (size_t i = 0; i < ROWS(INTEGERS); i++) {
        char value[32];
        snprintf(value, sizeof value, "%" PRId64, INTEGERS[i].default_value + 1);
        assert_set(&policy, INTEGERS[i].word, value);
    }
    assert_set(&policy, "jwt_algorithms", "ES256");
    assert_set(&policy, "single_session_roles", "professor");
    assert_set(&policy, "require_auth_time", "on");
    assert_set(&policy, "strict_policy", "observe");
    assert_set(&policy, "state_sync", "full");

    for (size_t i = 0; i < ROWS(STRINGS); i++) {
        assert_string_at(&policy, i, STRINGS[i].other);
    }
    for (size_t i = 0; i < ROWS(INTEGERS); i++) {
        assert_int_equal(integer_at(&policy, INTEGERS[i].offset), INTEGERS[i].default_value + 1);
    }
    assert_int_equal(policy.jwt_algorithms, SET_OF(ES256));
    assert_int_equal(policy.single_session_roles, ROLE_OF(PROFESSOR));
    assert_true(policy.require_auth_time);
    assert_int_equal(policy.strict_policy, INVIG_STRICT_OBSERVE);
    assert_int_equal(policy.state_sync, INVIG_STATE_FULL);
    /* There is no other option, and each has its bit. */
    assert_non_null(invig_policy_option(count - 1));
    assert_null(invig_policy_option(count));
    assert_int_equal(policy.options_given, (UINT32_C(1) << count) - 1);
    invig_policy_deinit(&policy);
}

static void assert_integer(size_t i, int64_t value, bool is_valid)
{
    char text[32];
    char expected[INVIG_POLICY_ERROR_BYTES];
    struct invig_policy policy;

    snprintf(text, sizeof text, "%" PRId64, value);
    if (is_valid) {
        assert_int_equal(invig_policy_init(&policy), INVIG_OK);
        assert_set(&policy, INTEGERS[i].word, text);
        assert_int_equal(integer_at(&policy, INTEGERS[i].offset), value);
        invig_policy_deinit(&policy);
    } else {
        snprintf(expected, sizeof expected,
                 "plugin_opt_%s: found \"%s\", expected an integer from %" PRId64 " to %" PRId64,
                 INTEGERS[i].word, text, INTEGERS[i].minimum, INTEGERS[i].maximum);
        assert_refused(INTEGERS[i].word, text, expected);
    }
}

static void test_policy_integers_have_their_range(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(INTEGERS); i++) {
        assert_integer(i, INTEGERS[i].minimum, true);
        assert_integer(i, INTEGERS[i].maximum, true);
        assert_integer(i, INTEGERS[i].minimum - 1, false);
        assert_integer(i, INTEGERS[i].maximum + 1, false);
        assert_integer(i, INT64_MAX, false);
        assert_integer(i, INT64_MIN, false);
    }
}

/* A string of `length` letters. The caller frees it. */
static char *letters(size_t length)
{
    char *string = malloc(length + 1);

    assert_non_null(string);
    memset(string, 'x', length);
    string[length] = '\0';
    return string;
}

static void test_policy_strings_have_their_length(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(STRINGS); i++) {
        bool is_claim = strncmp(STRINGS[i].word, "claim_", 6) == 0;
        bool is_prefix = strcmp(STRINGS[i].word, "topic_prefix") == 0;
        bool is_phase = strstr(STRINGS[i].word, "phases") != NULL;
        size_t most = is_claim ? 128 : is_prefix ? 256 : is_phase ? 64 : 4096;
        char *string = letters(most + 1);
        assert_refused(STRINGS[i].word, string, NULL);
        string[most] = '\0';
        assert_accepted(STRINGS[i].word, string);
        free(string);
        if (is_prefix) {
            assert_accepted(STRINGS[i].word, "");
            assert_accepted(STRINGS[i].word, NULL);
        } else {
            assert_refused(STRINGS[i].word, "", NULL);
            assert_refused(STRINGS[i].word, NULL, NULL);
        }
    }
}

static void test_policy_unknown_options_are_refused(void **state)
{
    static const char *const words[] = {
        "",   "foo",  "jwt_leeway ",           "JWT_LEEWAY", "jwt_leewa",  "jwt_leeways",
        "\n", "\xFF", "plugin_opt_jwt_leeway", "state_urls", "state_files"};
    char *word = letters(5000);

    (void)state;
    for (size_t i = 0; i < ROWS(words); i++) {
        assert_refused(words[i], "1", NULL);
    }
    assert_refused(word, "1", NULL);
    free(word);
    assert_refused(
        "foo", "1",
        "plugin_opt_foo: unknown option, expected one of those in mosquitto.conf.example");
    assert_refused(
        "a\nb", "1",
        "plugin_opt_a\\x0ab: unknown option, expected one of those in mosquitto.conf.example");
    assert_refused(NULL, "1", NULL);
}

static void test_policy_repeated_option_is_refused(void **state)
{
    struct invig_policy policy;
    char error[INVIG_POLICY_ERROR_BYTES];

    (void)state;
    assert_int_equal(invig_policy_init(&policy), INVIG_OK);
    assert_set(&policy, "jwt_leeway", "30");
    assert_int_equal(invig_policy_set(&policy, "jwt_leeway", "31", error), INVIG_ERR_INVALID);
    assert_string_equal(error, "plugin_opt_jwt_leeway: given twice, expected once");
    assert_int_equal(policy.jwt_leeway_s, 30);
    /* An option that was refused has not been given. */
    assert_int_equal(invig_policy_set(&policy, "expiry_notice", "x", error), INVIG_ERR_INVALID);
    assert_set(&policy, "expiry_notice", "5");
    invig_policy_deinit(&policy);
}

/* The longest that can be found, for each option: the end of the text is still there. */
static void test_policy_error_has_room_for_the_worst(void **state)
{
    char value[5000];
    const struct invig_option *option;

    (void)state;
    memset(value, '\n', sizeof value);
    value[sizeof value - 1] = '\0';
    for (size_t i = 0; (option = invig_policy_option(i)) != NULL; i++) {
        struct invig_policy policy;
        char error[INVIG_POLICY_ERROR_BYTES];
        assert_int_equal(invig_policy_init(&policy), INVIG_OK);
        assert_int_equal(invig_policy_set(&policy, option->word, value, error), INVIG_ERR_INVALID);
        assert_error_is_whole(error);
        assert_true(strlen(error) > strlen(option->expected));
        assert_string_equal(error + strlen(error) - strlen(option->expected), option->expected);
        invig_policy_deinit(&policy);
    }
}

static void test_policy_table_can_be_documented(void **state)
{
    const struct invig_option *option;

    (void)state;
    for (size_t i = 0; (option = invig_policy_option(i)) != NULL; i++) {
        assert_true(strlen(option->word) > 0 && strlen(option->expected) > 0);
        assert_int_equal(strspn(option->word, "abcdefghijklmnopqrstuvwxyz_"), strlen(option->word));
        for (size_t k = 0; k < i; k++) {
            assert_string_not_equal(option->word, invig_policy_option(k)->word);
        }
        if (option->default_value[0] != '\0') {
            assert_accepted(option->word, option->default_value);
        }
    }
    assert_null(invig_policy_option(SIZE_MAX));
}

static void test_policy_check_needs_a_key_file(void **state)
{
    static const char *const words[] = {
        "jwt_public_key_file",
        "jwt_secret_file",
        "jwt_jwks_file",
    };
    struct invig_policy policy;
    char error[INVIG_POLICY_ERROR_BYTES] = "untouched";

    (void)state;
    assert_int_equal(invig_policy_init(&policy), INVIG_OK);
    assert_int_equal(invig_policy_check(&policy, error), INVIG_ERR_INVALID);
    assert_string_equal(error, "plugin_opt_jwt_public_key_file, plugin_opt_jwt_secret_file or "
                               "plugin_opt_jwt_jwks_file: found none, expected at least one");
    invig_policy_deinit(&policy);
    for (size_t i = 0; i < ROWS(words); i++) {
        memcpy(error, UNTOUCHED, sizeof UNTOUCHED);
        assert_int_equal(invig_policy_init(&policy), INVIG_OK);
        assert_set(&policy, words[i], "k");
        assert_int_equal(invig_policy_check(&policy, error), INVIG_OK);
        assert_string_equal(error, UNTOUCHED);
        invig_policy_deinit(&policy);
    }
}

static void test_policy_check_wants_claims_to_differ(void **state)
{
    static const struct {
        const char *word;
        const char *value;
        const char *expected; /* NULL: accepted */
    } rows[] = {
        {"claim_user", "user", NULL},
        {"claim_user", "SID", NULL},
        {"claim_user", "sid",
         "plugin_opt_claim_session: found \"sid\", expected another name than that of "
         "plugin_opt_claim_user"},
        {"claim_session", "sub",
         "plugin_opt_claim_session: found \"sub\", expected another name than that of "
         "plugin_opt_claim_user"},
        {"claim_role", "evaluations",
         "plugin_opt_claim_evaluations: found \"evaluations\", expected another name than that of "
         "plugin_opt_claim_role"},
        {"claim_evaluations", "sub",
         "plugin_opt_claim_evaluations: found \"sub\", expected another name than that of "
         "plugin_opt_claim_user"},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct invig_policy policy;
        char error[INVIG_POLICY_ERROR_BYTES] = "untouched";
        assert_int_equal(invig_policy_init(&policy), INVIG_OK);
        assert_set(&policy, "jwt_jwks_file", "k");
        assert_set(&policy, rows[i].word, rows[i].value);
        assert_int_equal(invig_policy_check(&policy, error),
                         rows[i].expected == NULL ? INVIG_OK : INVIG_ERR_INVALID);
        assert_string_equal(error, rows[i].expected == NULL ? UNTOUCHED : rows[i].expected);
        invig_policy_deinit(&policy);
    }
}

static void test_policy_check_wants_one_state(void **state)
{
    struct invig_policy policy;
    char error[INVIG_POLICY_ERROR_BYTES] = "untouched";

    (void)state;
    assert_int_equal(invig_policy_init(&policy), INVIG_OK);
    assert_set(&policy, "jwt_jwks_file", "k");
    assert_set(&policy, "state_url", "valkey://:secret@host");
    assert_int_equal(invig_policy_check(&policy, error), INVIG_OK);
    assert_set(&policy, "state_file", "/state.db");
    assert_int_equal(invig_policy_check(&policy, error), INVIG_ERR_INVALID);
    assert_string_equal(error, "plugin_opt_state_file: found \"/state.db\", expected none beside "
                               "plugin_opt_state_url");
    invig_policy_deinit(&policy);
}

static void test_policy_owns_its_strings(void **state)
{
    struct invig_policy policy;
    char value[] = "keys.json";

    (void)state;
    assert_int_equal(invig_policy_init(&policy), INVIG_OK);
    assert_set(&policy, "jwt_jwks_file", value);
    value[0] = 'x';
    assert_string_equal(policy.jwt_jwks_file, "keys.json");
    invig_policy_deinit(&policy);
    assert_null(policy.jwt_jwks_file);
    invig_policy_deinit(&policy); /* zeroed now */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_policy_defaults),
        cmocka_unit_test(test_policy_defaults_are_those_of_the_header),
        cmocka_unit_test(test_policy_every_option_changes_its_member),
        cmocka_unit_test(test_policy_integers_have_their_range),
        cmocka_unit_test(test_policy_strings_have_their_length),
        cmocka_unit_test(test_policy_unknown_options_are_refused),
        cmocka_unit_test(test_policy_repeated_option_is_refused),
        cmocka_unit_test(test_policy_error_has_room_for_the_worst),
        cmocka_unit_test(test_policy_table_can_be_documented),
        cmocka_unit_test(test_policy_check_needs_a_key_file),
        cmocka_unit_test(test_policy_check_wants_claims_to_differ),
        cmocka_unit_test(test_policy_check_wants_one_state),
        cmocka_unit_test(test_policy_owns_its_strings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
