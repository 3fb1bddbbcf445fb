/* SPDX-License-Identifier: Apache-2.0
 *
 * test_option.c - the forms that values of options may have.
 */
#include "policy_assert.h"

#define SET_OF(name)  (UINT32_C(1) << INVIG_ALGORITHM_##name)
#define ROLE_OF(name) (1U << INVIG_ROLE_##name)

static void test_option_integers_are_digits_only(void **state)
{
    static const char *const junk[] = {
        NULL,
        "",
        " ",
        "abc",
        "+60",
        "-60",
        " 60",
        "60 ",
        "60s",
        "6 0",
        "0x3c",
        "60.0",
        "6e1",
        "60\n",
        "\n60",
        "sixty",
        "6\xD9\xA0",
        "1,0",
        "--1",
        "1_0",
        "18446744073709551676",
        "9223372036854775868",
        "99999999999999999999999999999999999999999999999999",
    };

    (void)state;
    for (size_t i = 0; i < ROWS(junk); i++) {
        assert_refused("jwt_leeway", junk[i], NULL);
        assert_refused("jwt_max_size", junk[i], NULL);
        assert_refused("revocation_ttl", junk[i], NULL);
    }
    assert_refused("jwt_leeway", "abc",
                   "plugin_opt_jwt_leeway: found \"abc\", expected an integer from 0 to 300");
    assert_accepted("jwt_leeway", "007");
    assert_accepted("jwt_leeway", "0000000000000000000000000000000000000300");
}

static void test_option_algorithm_lists(void **state)
{
    static const struct {
        const char *value;
        invig_algorithm_set expected; /* 0: refused */
    } rows[] = {
        {"HS256", SET_OF(HS256)},
        {"ES256,RS256", SET_OF(ES256) | SET_OF(RS256)},
        {"ES256 RS256", SET_OF(ES256) | SET_OF(RS256)},
        {" , ES256 ,,  RS256, ", SET_OF(ES256) | SET_OF(RS256)},
        {"HS256,HS384,HS512,RS256,RS384,RS512,PS256,PS384,PS512,ES256,ES384,ES512",
         (SET_OF(ES512) << 1) - 2},
        {"", 0},
        {NULL, 0},
        {" ", 0},
        {",", 0},
        {"none", 0},
        {"hs256", 0},
        {"HS256 none", 0},
        {"HS256 HS256", 0},
        {"HS256,RS256,HS256", 0},
        {"HS256;RS256", 0},
        {"HS256\tRS256", 0},
        {"HS2567", 0},
        {"HS25", 0},
        {"HS257", 0},
        {"EdDSA", 0},
        {"all", 0},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct invig_policy policy;
        if (rows[i].expected == 0) {
            assert_refused("jwt_algorithms", rows[i].value, NULL);
            continue;
        }
        assert_int_equal(invig_policy_init(&policy), INVIG_OK);
        assert_set(&policy, "jwt_algorithms", rows[i].value);
        assert_int_equal(policy.jwt_algorithms, rows[i].expected);
        invig_policy_deinit(&policy);
    }
}

static void test_option_role_lists(void **state)
{
    static const struct {
        const char *value;
        bool is_valid;
        unsigned expected;
    } rows[] = {
        {"student", true, ROLE_OF(STUDENT)},
        {"STUDENT, Professor", true, ROLE_OF(STUDENT) | ROLE_OF(PROFESSOR)},
        {"service professor student", true,
         ROLE_OF(STUDENT) | ROLE_OF(PROFESSOR) | ROLE_OF(SERVICE)},
        {"none", true, 0},
        {" none,", true, 0},
        {"", false, 0},
        {NULL, false, 0},
        {", ,", false, 0},
        {"student student", false, 0},
        {"student STUDENT", false, 0},
        {"none student", false, 0},
        {"student none", false, 0},
        {"none none", false, 0},
        {"admin", false, 0},
        {"student,admin", false, 0},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct invig_policy policy;
        if (!rows[i].is_valid) {
            assert_refused("single_session_roles", rows[i].value, NULL);
            continue;
        }
        assert_int_equal(invig_policy_init(&policy), INVIG_OK);
        assert_set(&policy, "single_session_roles", rows[i].value);
        assert_int_equal(policy.single_session_roles, rows[i].expected);
        invig_policy_deinit(&policy);
    }
}

static void test_option_switch_is_on_or_off(void **state)
{
    static const char *const junk[] = {
        NULL, "", "true", "1", "ON", "on ", " on", "onoff", "o",
    };

    (void)state;
    for (size_t i = 0; i < ROWS(junk); i++) {
        assert_refused("require_auth_time", junk[i], NULL);
    }
    assert_refused("require_auth_time", "yes",
                   "plugin_opt_require_auth_time: found \"yes\", expected on or off");
    assert_accepted("require_auth_time", "off");
}

static void test_option_strict_policies(void **state)
{
    static const char *const junk[] = {
        NULL, "", "Enforce", "OBSERVE", "on", "none", " off", "off ", "offf", "enforce,off", "obs",
    };
    static const struct {
        const char *value;
        enum invig_strict_policy expected;
    } rows[] = {
        {"enforce", INVIG_STRICT_ENFORCE},
        {"observe", INVIG_STRICT_OBSERVE},
        {"off", INVIG_STRICT_OFF},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(junk); i++) {
        assert_refused("strict_policy", junk[i], NULL);
    }
    assert_refused("strict_policy", "on",
                   "plugin_opt_strict_policy: found \"on\", expected enforce, observe or off");
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct invig_policy policy;
        assert_int_equal(invig_policy_init(&policy), INVIG_OK);
        policy.strict_policy = (enum invig_strict_policy)99;
        assert_set(&policy, "strict_policy", rows[i].value);
        assert_int_equal(policy.strict_policy, rows[i].expected);
        invig_policy_deinit(&policy);
    }
}

static void test_option_state_syncs(void **state)
{
    static const char *const junk[] = {
        NULL, "", " ", "on", "off", "Normal", "FULL", "normal ", " full", "normal full", "extra",
    };
    struct invig_policy policy;

    (void)state;
    for (size_t i = 0; i < ROWS(junk); i++) {
        assert_refused("state_sync", junk[i], NULL);
    }
    assert_refused("state_sync", "off",
                   "plugin_opt_state_sync: found \"off\", expected normal or full");
    assert_int_equal(invig_policy_init(&policy), INVIG_OK);
    policy.state_sync = INVIG_STATE_FULL;
    assert_set(&policy, "state_sync", "normal");
    assert_int_equal(policy.state_sync, INVIG_STATE_NORMAL);
    policy.options_given = 0;
    assert_set(&policy, "state_sync", "full");
    assert_int_equal(policy.state_sync, INVIG_STATE_FULL);
    invig_policy_deinit(&policy);
}

static void test_option_claim_names(void **state)
{
    static const char *const junk[] = {
        "exp",       "iat",          "nbf",     "iss",      "aud",
        "auth_time", "a\nb",         "\x7f",    "\xC2\x85", "\xFF",
        "a\xC3",     "\xED\xA0\x80", "\x1b[0m", "\xC0\x80", "\xF4\x90\x80\x80",
    };
    static const char *const fine[] = {
        "EXP", "exp2", "a b", "/", "$x", "#", "\xC3\xA4", "\"", "\\",
    };
    static const char *const words[] = {
        "claim_user",
        "claim_session",
        "claim_role",
        "claim_evaluations",
    };

    (void)state;
    for (size_t w = 0; w < ROWS(words); w++) {
        for (size_t i = 0; i < ROWS(junk); i++) {
            assert_refused(words[w], junk[i], NULL);
        }
        for (size_t i = 0; i < ROWS(fine); i++) {
            assert_accepted(words[w], fine[i]);
        }
    }
}

static void test_option_topic_prefixes(void **state)
{
    static const char *const junk[] = {
        "+",   "a/+/", "#",     "a/#",      "$",    "$SYS/",
        "a\n", "\x01", "a\x7f", "\xC2\x9B", "\xFF", "a\xE2\x82",
    };
    static const char *const fine[] = {
        "eval/", "a", "/", "a/$b/", "a b/", "\xC3\xA4/", "//",
    };

    (void)state;
    for (size_t i = 0; i < ROWS(junk); i++) {
        assert_refused("topic_prefix", junk[i], NULL);
    }
    for (size_t i = 0; i < ROWS(fine); i++) {
        assert_accepted("topic_prefix", fine[i]);
    }
}

static void test_option_role_is_single(void **state)
{
    struct invig_policy policy;

    (void)state;
    assert_int_equal(invig_policy_init(&policy), INVIG_OK);
    assert_true(invig_policy_role_is_single(&policy, INVIG_ROLE_STUDENT));
    assert_false(invig_policy_role_is_single(&policy, INVIG_ROLE_PROFESSOR));
    policy.single_session_roles = ~0U;
    assert_true(invig_policy_role_is_single(&policy, INVIG_ROLE_SERVICE));
    assert_false(invig_policy_role_is_single(&policy, INVIG_ROLE_NONE));
    assert_false(invig_policy_role_is_single(&policy, (enum invig_role)4));
    assert_false(invig_policy_role_is_single(&policy, (enum invig_role)1000));
    invig_policy_deinit(&policy);
    assert_false(invig_policy_role_is_single(&policy, INVIG_ROLE_STUDENT));
}

static void test_option_found_value_is_escaped_and_cut(void **state)
{
    (void)state;
    assert_refused("jwt_leeway", "a\n\"\\\x1b\xE2\x80\xAE\xFF",
                   "plugin_opt_jwt_leeway: found \"a\\x0a\\\"\\\\\\x1b\\xe2\\x80\\xae\\xff\", "
                   "expected an integer from 0 to 300");
    assert_refused("jwt_leeway",
                   "0123456789012345678901234567890123456789012345678901234567890123456789",
                   "plugin_opt_jwt_leeway: found "
                   "\"0123456789012345678901234567890123456789012345678901234567890123...\", "
                   "expected an integer from 0 to 300");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_option_integers_are_digits_only),
        cmocka_unit_test(test_option_algorithm_lists),
        cmocka_unit_test(test_option_role_lists),
        cmocka_unit_test(test_option_switch_is_on_or_off),
        cmocka_unit_test(test_option_strict_policies),
        cmocka_unit_test(test_option_state_syncs),
        cmocka_unit_test(test_option_claim_names),
        cmocka_unit_test(test_option_topic_prefixes),
        cmocka_unit_test(test_option_role_is_single),
        cmocka_unit_test(test_option_found_value_is_escaped_and_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
