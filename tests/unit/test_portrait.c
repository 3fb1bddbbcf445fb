/* SPDX-License-Identifier: Apache-2.0
 *
 * test_portrait.c - core/portrait: what is written is read again as it was, and nothing else is
 * read.
 */
#include "invigilator/portrait.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define USER  "U\t1800000000\t\t1800608400\n"
#define S1    "S\ts1\t1800000000\t1800608400\t0\tlsc\n"
#define S2    "S\ts2\t\t7\t2\t\n"
#define E1    "M\te1\t1\t1800000000\t3\t1800000001\tbkfprsc\ts1\n"
#define E2    "M\te2\t0\t0\t\t0\t\t\n"
#define B1    "B\tA1\t2\t1800000000\n"
#define B2    "B\tA2\t1\t-5\n"
#define WHOLE "1\n" USER S1 S2 E1 E2 B1 B2

static enum invig_status text_read(const char *text, struct invig_portrait *portrait)
{
    return invig_portrait_read(invig_text_of(text), portrait);
}

static void test_portrait_is_read_as_it_was_written(void **state)
{
    static const char *const texts[] = {
        WHOLE,         "1\n" USER,    "1\nU\t\t\t0\n" S1,
        "1\n" USER B2, "1\n" USER E2, "1\nU\t9223372036854775807\t-9223372036854775807\t-1\n"};
    struct invig_portrait portrait;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct invig_text again;

        assert_int_equal(text_read(texts[i], &portrait), INVIG_OK);
        again = invig_portrait_write(&portrait);
        assert_true(invig_text_equal(again, invig_text_of(texts[i])));
        free((void *)(uintptr_t)again.data);
        invig_portrait_deinit(&portrait);
    }
}

static void test_portrait_has_the_values(void **state)
{
    const struct invig_portrait_session *session;
    const struct invig_portrait_member *member;
    struct invig_portrait portrait;

    (void)state;
    assert_int_equal(text_read(WHOLE, &portrait), INVIG_OK);
    assert_true(portrait.user.has_newest_login);
    assert_false(portrait.user.has_revoked_before);
    assert_int_equal(portrait.user.kept_until_s, 1800608400);
    session = invig_portrait_find_session(&portrait, invig_text_of("s1"));
    assert_ptr_equal(invig_portrait_current(&portrait), session);
    assert_true(session->record.login_is_lasting && session->record.is_single);
    assert_int_equal(portrait.sessions[1].record.end, INVIG_END_REVOKED);
    assert_false(portrait.sessions[1].record.has_login);
    member = invig_portrait_find_member(&portrait, invig_text_of("e1"));
    assert_int_equal(member->record.access, INVIG_ACCESS_ALLOWED);
    assert_int_equal(member->record.version, 3);
    assert_true(invig_text_equal(member->released, invig_text_of("s1")));
    assert_true(invig_portrait_is_bound(&portrait));
    assert_null(invig_portrait_find_member(&portrait, invig_text_of("e3")));
    assert_int_equal(portrait.presences[0].count, 2);
    invig_portrait_deinit(&portrait);
}

static void test_portrait_of_nothing_is_empty(void **state)
{
    struct invig_portrait portrait;

    (void)state;
    assert_int_equal(invig_portrait_read((struct invig_text){NULL, 0}, &portrait), INVIG_OK);
    assert_int_equal(portrait.session_count + portrait.member_count + portrait.presence_count, 0);
    assert_null(invig_portrait_current(&portrait));
    invig_portrait_deinit(&portrait);
}

static void test_portrait_that_is_malformed_is_refused(void **state)
{
    static const char *const texts[] = {
        "1",
        "2\n" USER,
        "1\n",
        "1\n" S1,
        "1\n" USER USER,
        "1\n" USER "X\ty\n",
        "1\n" USER "S\n",
        "1\n" USER "S\ts1\t1\t1\t0\tlsc", /* no end of the line */
        "1\n" USER "S\ts1\t1\t1\t0\n",
        "1\n" USER "S\ts1\t1\t1\t0\tlsc\tmore\n",
        "1\n" USER "S\ts/1\t1\t1\t0\tl\n",
        "1\n" USER "S\t\t1\t1\t0\tl\n",
        "1\n" USER "S\ts1\t1\t1\t3\tl\n",
        "1\n" USER "S\ts1\t1\t1\t-1\tl\n",
        "1\n" USER "S\ts1\t01\t1\t0\tl\n",
        "1\n" USER "S\ts1\t+1\t1\t0\tl\n",
        "1\n" USER "S\ts1\t-0\t1\t0\tl\n",
        "1\n" USER "S\ts1\t1 \t1\t0\tl\n",
        "1\n" USER "S\ts1\t-\t1\t0\tl\n",
        "1\n" USER "S\ts1\t1\t\t0\tl\n",
        "1\n" USER "S\ts1\t9223372036854775808\t1\t0\tl\n",
        "1\n" USER "S\ts1\t1\t1\t0\tsl\n",
        "1\n" USER "S\ts1\t1\t1\t0\tx\n",
        "1\n" USER "S\ts1\t1\t1\t0\tll\n",
        "1\n" USER "S\ts1\t1\t1\t1\tsc\n",
        "1\n" USER "S\ts1\t1\t1\t0\tc\n",
        "1\n" USER "S\ts1\t1\t1\t0\tsct\n",
        "1\n" USER S2 S1,
        "1\n" USER S1 S1,
        "1\n" USER S1 "S\ts2\t1\t1\t0\tsc\n",
        "1\n" USER E1 S1,
        "1\n" USER E2 E1,
        "1\n" USER B2 B1,
        "1\n" USER "M\te1\t4\t0\t\t0\t\t\n",
        "1\n" USER "M\te1\t0\t0\t-1\t0\t\t\n",
        "1\n" USER "M\te1\t0\t0\t\t0\t\ta/b\n",
        "1\n" USER "B\tA\t0\t1\n",
        "1\n" USER "B\tA\t4294967296\t1\n",
        "1\n" USER "\n",
        "1\n" USER "\n" S1,
    };
    struct invig_portrait portrait;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (text_read(texts[i], &portrait) != INVIG_ERR_FORMAT) {
            fail_msg("it was taken: %s", texts[i]);
        }
        invig_portrait_deinit(&portrait);
    }
}

/* Cut off anywhere, or with any byte another, it is read or refused, and never beyond its end. */
static void test_portrait_that_is_damaged_is_read_or_refused(void **state)
{
    size_t length = sizeof(WHOLE) - 1;
    struct invig_portrait portrait;

    (void)state;
    for (size_t i = 0; i < length; i++) {
        static const char bytes[] = {'\n', '\t', '\0', '9', 'S', (char)0xff};

        for (size_t k = 0; k < sizeof(bytes); k++) {
            char *text = malloc(length);

            memcpy(text, WHOLE, length);
            text[i] = bytes[k];
            (void)invig_portrait_read((struct invig_text){text, length}, &portrait);
            invig_portrait_deinit(&portrait);
            (void)invig_portrait_read((struct invig_text){text, i}, &portrait);
            invig_portrait_deinit(&portrait);
            free(text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_portrait_is_read_as_it_was_written),
        cmocka_unit_test(test_portrait_has_the_values),
        cmocka_unit_test(test_portrait_of_nothing_is_empty),
        cmocka_unit_test(test_portrait_that_is_malformed_is_refused),
        cmocka_unit_test(test_portrait_that_is_damaged_is_read_or_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
