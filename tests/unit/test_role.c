/* SPDX-License-Identifier: Apache-2.0
 *
 * test_role.c - words of the roles, and their order.
 */
#include "invigilator/role.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

static void test_role_words_are_found(void **state)
{
    static const struct {
        const char *word;
        enum invig_role role;
    } rows[] = {
        {"student", INVIG_ROLE_STUDENT},     {"professor", INVIG_ROLE_PROFESSOR},
        {"service", INVIG_ROLE_SERVICE},     {"STUDENT", INVIG_ROLE_STUDENT},
        {"Professor", INVIG_ROLE_PROFESSOR}, {"sErViCe", INVIG_ROLE_SERVICE},
        {"none", INVIG_ROLE_NONE},           {"", INVIG_ROLE_NONE},
        {"students", INVIG_ROLE_NONE},       {"studen", INVIG_ROLE_NONE},
        {" student", INVIG_ROLE_NONE},       {"admin", INVIG_ROLE_NONE},
        {"\u017ftudent", INVIG_ROLE_NONE}, /* long s, which folds to s in Unicode */
        {"STUDEN\xd4", INVIG_ROLE_NONE},     {NULL, INVIG_ROLE_NONE},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        assert_int_equal(invig_role_find(invig_text_of(rows[i].word)), rows[i].role);
    }
    assert_int_equal(invig_role_find((struct invig_text){"student\0", 8}), INVIG_ROLE_NONE);
    assert_int_equal(invig_role_find((struct invig_text){"studentX", 7}), INVIG_ROLE_STUDENT);
}

static void test_role_word_is_found_again(void **state)
{
    (void)state;
    for (int i = INVIG_ROLE_STUDENT; i <= INVIG_ROLE_SERVICE; i++) {
        enum invig_role role = (enum invig_role)i;
        assert_int_equal(invig_role_find(invig_text_of(invig_role_word(role))), role);
    }
    assert_string_equal(invig_role_word(INVIG_ROLE_NONE), "none");
    assert_string_equal(invig_role_word((enum invig_role)17), "none");
}

static void test_role_order_is_that_of_power(void **state)
{
    (void)state;
    assert_int_equal(INVIG_ROLE_NONE, 0);
    assert_true(INVIG_ROLE_STUDENT > INVIG_ROLE_NONE);
    assert_true(INVIG_ROLE_PROFESSOR > INVIG_ROLE_STUDENT);
    assert_true(INVIG_ROLE_SERVICE > INVIG_ROLE_PROFESSOR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_role_words_are_found),
        cmocka_unit_test(test_role_word_is_found_again),
        cmocka_unit_test(test_role_order_is_that_of_power),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
