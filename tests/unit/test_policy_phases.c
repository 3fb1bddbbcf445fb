/* SPDX-License-Identifier: Apache-2.0
 *
 * test_policy_phases.c - the phases of an evaluation: the lists of them, and what is looked up.
 */
#include "policy_assert.h"

#include <stdio.h>

static const char *const OPTIONS[] = {"phases", "strict_phases", "presence_phases"};

static const char *words_of(const struct invig_policy *policy, size_t option)
{
    const char *const words[] = {policy->phases, policy->strict_phases, policy->presence_phases};

    return words[option];
}

static void test_phases_are_stored_with_one_blank(void **state)
{
    static const struct {
        const char *value;
        const char *expected; /* NULL: refused */
    } rows[] = {
        {"OPEN", "OPEN"},
        {"OPEN CLOSED", "OPEN CLOSED"},
        {"OPEN,CLOSED", "OPEN CLOSED"},
        {" , OPEN ,,  CLOSED, ", "OPEN CLOSED"},
        {"CLOSED OPEN", "CLOSED OPEN"},
        {"open OPEN opens", "open OPEN opens"},
        {"a-b a_b a9 0 - _", "a-b a_b a9 0 - _"},
        {"AZ az 09", "AZ az 09"},
        {"", NULL},
        {NULL, NULL},
        {" ", NULL},
        {", ,", NULL},
        {"OPEN OPEN", NULL},
        {"OPEN,CLOSED,OPEN", NULL},
        {"OPEN;CLOSED", NULL},
        {"OPEN\tCLOSED", NULL},
        {"OPEN\n", NULL},
        {"a.b", NULL},
        {"a/b", NULL},
        {"a:b", NULL},
        {"a@b", NULL},
        {"a[b", NULL},
        {"a`b", NULL},
        {"a{b", NULL},
        {"\xC3\xA4", NULL},
        {"OPEN \xFF", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows) * ROWS(OPTIONS); i++) {
        const char *option = OPTIONS[i % ROWS(OPTIONS)];
        const char *value = rows[i / ROWS(OPTIONS)].value;
        const char *expected = rows[i / ROWS(OPTIONS)].expected;
        struct invig_policy policy;
        if (expected == NULL) {
            assert_refused(option, value, NULL);
            continue;
        }
        assert_int_equal(invig_policy_init(&policy), INVIG_OK);
        assert_set(&policy, option, value);
        assert_string_equal(words_of(&policy, i % ROWS(OPTIONS)), expected);
        invig_policy_deinit(&policy);
    }
}

static void test_phases_errors_say_what_is_expected(void **state)
{
    (void)state;
    assert_refused("phases", "A;B",
                   "plugin_opt_phases: found \"A;B\", expected 1 to 32 different words of at most "
                   "64 letters, digits, _ and -, commas or blanks between them");
    assert_refused("strict_phases", "A A",
                   "plugin_opt_strict_phases: found \"A A\", expected words of plugin_opt_phases, "
                   "none twice, commas or blanks between them");
    assert_refused("presence_phases", "",
                   "plugin_opt_presence_phases: found \"\", expected words of plugin_opt_phases, "
                   "none twice, commas or blanks between them");
}

/* `count` words of `bytes` letters, each another. */
static void words_make(char *out, size_t count, size_t bytes)
{
    for (size_t i = 0; i < count; i++) {
        memset(out, 'x', bytes);
        out[0] = (char)('A' + i / 10);
        out[1] = (char)('0' + i % 10);
        out[bytes] = i + 1 == count ? '\0' : ' ';
        out += bytes + 1;
    }
}

static void test_phases_are_at_most_32_of_64_bytes(void **state)
{
    char value[33 * 66];

    (void)state;
    for (size_t i = 0; i < ROWS(OPTIONS); i++) {
        words_make(value, INVIG_PHASES_MAX, INVIG_PHASE_BYTES_MAX);
        assert_accepted(OPTIONS[i], value);
        words_make(value, INVIG_PHASES_MAX + 1, INVIG_PHASE_BYTES_MAX);
        assert_refused(OPTIONS[i], value, NULL);
        words_make(value, 2, INVIG_PHASE_BYTES_MAX + 1);
        assert_refused(OPTIONS[i], value, NULL);
    }
}

static void test_phases_check_finds_words_that_are_none(void **state)
{
    static const struct {
        const char *values[3]; /* of OPTIONS; NULL: the default */
        const char *expected;  /* NULL: accepted */
    } rows[] = {
        {{NULL, NULL, NULL}, NULL},
        {{NULL, "NEW,FINISHED", "GRADING"}, NULL},
        {{"A B C", "C", "B A"}, NULL},
        {{"FINISHED IN_PROGRESS REGISTRATION", NULL, NULL}, NULL},
        {{"A B C", "C", NULL}, "presence_phases: found \"REGISTRATION\""},
        {{"A B C", NULL, "A"}, "strict_phases: found \"IN_PROGRESS\""},
        {{"A IN_PROGRESS", NULL, NULL}, "presence_phases: found \"REGISTRATION\""},
        {{NULL, "GRADING RUNNING NEW", NULL}, "strict_phases: found \"RUNNING\""},
        {{NULL, NULL, "in_progress"}, "presence_phases: found \"in_progress\""},
        {{"A B", "PROGRESS", "A"}, "strict_phases: found \"PROGRESS\""},
        {{"A BC", "A", "B"}, "presence_phases: found \"B\""},
        {{"A B", "X", "Y"}, "strict_phases: found \"X\""},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct invig_policy policy;
        char error[INVIG_POLICY_ERROR_BYTES] = "untouched";
        char expected[INVIG_POLICY_ERROR_BYTES] = "untouched";
        assert_int_equal(invig_policy_init(&policy), INVIG_OK);
        assert_set(&policy, "jwt_jwks_file", "k");
        for (size_t k = 0; k < ROWS(OPTIONS); k++) {
            if (rows[i].values[k] != NULL) {
                assert_set(&policy, OPTIONS[k], rows[i].values[k]);
            }
        }
        if (rows[i].expected != NULL) {
            snprintf(expected, sizeof expected,
                     "plugin_opt_%s, expected nothing but words of plugin_opt_phases",
                     rows[i].expected);
        }
        assert_int_equal(invig_policy_check(&policy, error),
                         rows[i].expected == NULL ? INVIG_OK : INVIG_ERR_INVALID);
        assert_string_equal(error, expected);
        invig_policy_deinit(&policy);
    }
}

static void assert_phase(const struct invig_policy *policy, int phase, const char *word,
                         bool is_strict, bool has_presence)
{
    struct invig_text found = invig_policy_phase(policy, phase);

    assert_true(invig_text_equal(found, invig_text_of(word)));
    assert_int_equal(invig_policy_find_phase(policy, invig_text_of(word)), phase);
    assert_int_equal(invig_policy_phase_is_strict(policy, phase), is_strict);
    assert_int_equal(invig_policy_phase_has_presence(policy, phase), has_presence);
}

static void assert_no_phase(const struct invig_policy *policy, int phase)
{
    assert_null(invig_policy_phase(policy, phase).data);
    assert_false(invig_policy_phase_is_strict(policy, phase));
    assert_false(invig_policy_phase_has_presence(policy, phase));
}

static void test_phases_are_looked_up(void **state)
{
    static const char *const none[] = {NULL,   "",     " ",        "new",          "NE",
                                       "NEWS", "NEW ", "PROGRESS", "NEW SETTINGS", ","};
    struct invig_policy policy;

    (void)state;
    assert_int_equal(invig_policy_init(&policy), INVIG_OK);
    assert_phase(&policy, 0, "NEW", false, false);
    assert_phase(&policy, 1, "SETTINGS", false, false);
    assert_phase(&policy, 2, "COMPOSITION", false, false);
    assert_phase(&policy, 3, "REGISTRATION", false, true);
    assert_phase(&policy, 4, "IN_PROGRESS", true, true);
    assert_phase(&policy, 5, "GRADING", false, false);
    assert_phase(&policy, 6, "FINISHED", false, false);
    for (size_t i = 0; i < ROWS(none); i++) {
        assert_int_equal(invig_policy_find_phase(&policy, invig_text_of(none[i])), -1);
    }
    assert_no_phase(&policy, 7);
    assert_no_phase(&policy, -1);
    assert_no_phase(&policy, INT32_MAX);
    assert_no_phase(&policy, INT32_MIN);
    invig_policy_deinit(&policy);
    /* Zeroed now. */
    assert_no_phase(&policy, 0);
    assert_int_equal(invig_policy_find_phase(&policy, invig_text_of("NEW")), -1);
}

/* A word of one list that is the beginning of another is not taken for it. */
static void test_phases_are_whole_words(void **state)
{
    struct invig_policy policy;

    (void)state;
    assert_int_equal(invig_policy_init(&policy), INVIG_OK);
    assert_set(&policy, "phases", "AB A B ABC");
    assert_set(&policy, "strict_phases", "A ABC");
    assert_set(&policy, "presence_phases", "B");
    assert_phase(&policy, 0, "AB", false, false);
    assert_phase(&policy, 1, "A", true, false);
    assert_phase(&policy, 2, "B", false, true);
    assert_phase(&policy, 3, "ABC", true, false);
    invig_policy_deinit(&policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_phases_are_stored_with_one_blank),
        cmocka_unit_test(test_phases_errors_say_what_is_expected),
        cmocka_unit_test(test_phases_are_at_most_32_of_64_bytes),
        cmocka_unit_test(test_phases_check_finds_words_that_are_none),
        cmocka_unit_test(test_phases_are_looked_up),
        cmocka_unit_test(test_phases_are_whole_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
