/* SPDX-License-Identifier: Apache-2.0
 *
 * test_rights.c - the rights table, topic by topic, role by role and standing by standing.
 */
#include "invigilator/rights.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

/* Who may. Students and professors by their standing in the topic's evaluation, a letter each: n
 * (none), b (blocked), p (participant), s (supervisor), x (a number that is none). */
struct row {
    const char *topic;
    const char *student;
    const char *professor;
    bool service;
};

#define ALWAYS "nbpsx"

static const struct {
    char letter;
    enum invig_standing standing;
} STANDINGS[] = {{'n', INVIG_STANDING_NONE},
                 {'b', INVIG_STANDING_BLOCKED},
                 {'p', INVIG_STANDING_PARTICIPANT},
                 {'s', INVIG_STANDING_SUPERVISOR},
                 {'x', (enum invig_standing)99}};

typedef bool question(const struct invig_subject *subject, enum invig_standing standing,
                      const struct invig_topic *topic);

static struct invig_subject subject_of(enum invig_role role)
{
    return (struct invig_subject){role, invig_text_of("anna"), invig_text_of("s1")};
}

static struct invig_topic topic_of(const char *text, bool is_filter)
{
    struct invig_topic topic;

    if (is_filter) {
        invig_topic_parse_filter(invig_text_of(""), invig_text_of(text), &topic);
    } else {
        invig_topic_parse_name(invig_text_of(""), invig_text_of(text), &topic);
    }
    return topic;
}

static void check_row(const struct row *row, question *may, enum invig_role role,
                      const char *standings, bool is_filter)
{
    struct invig_topic topic = topic_of(row->topic, is_filter);
    struct invig_subject subject = subject_of(role);

    for (size_t i = 0; i < ROWS(STANDINGS); i++) {
        bool expected = strchr(standings, STANDINGS[i].letter) != NULL;

        if (may(&subject, STANDINGS[i].standing, &topic) != expected) {
            fail_msg("%s, %s, %c: expected %d", row->topic, invig_role_word(role),
                     STANDINGS[i].letter, expected);
        }
    }
}

static void check(const struct row *rows, size_t count, question *may, bool is_filter)
{
    for (size_t i = 0; i < count; i++) {
        check_row(&rows[i], may, INVIG_ROLE_STUDENT, rows[i].student, is_filter);
        check_row(&rows[i], may, INVIG_ROLE_PROFESSOR, rows[i].professor, is_filter);
        check_row(&rows[i], may, INVIG_ROLE_SERVICE, rows[i].service ? ALWAYS : "", is_filter);
        check_row(&rows[i], may, INVIG_ROLE_NONE, "", is_filter);
        check_row(&rows[i], may, (enum invig_role)99, "", is_filter);
    }
}

static const struct row SUBSCRIBE[] = {
    {"users/anna", ALWAYS, ALWAYS, true},
    {"users/anna/#", ALWAYS, ALWAYS, true},
    {"users/anna/+", ALWAYS, ALWAYS, true},
    {"users/anna/sessions/s1", ALWAYS, ALWAYS, true},
    {"users/anna/sessions/+", ALWAYS, ALWAYS, true},
    {"users/anna/sessions", "", "", true},
    {"users/anna/sessions/#", "", "", true},
    {"users/anna/sessions/s2", "", "", true},
    {"users/anna/sessions/s1/#", "", "", true},
    {"users/anna/sessions/s1/+", "", "", true},
    {"users/anna/sessions/s1/x", "", "", true},
    {"users/anna/x", "", "", true},
    {"users/anna/x/#", "", "", true},
    {"users/anna/+/+", "", "", true},
    {"users/anna/+/s1", "", "", true},
    {"users/anna/", "", "", true},
    {"users/bert", "", "", true},
    {"users/bert/#", "", "", true},
    {"users/bert/+", "", "", true},
    {"users/bert/sessions/s1", "", "", true},
    {"users/bert/sessions/+", "", "", true},
    {"users/+", "", "", true},
    {"users/#", "", "", true},
    {"users/+/sessions/s1", "", "", true},
    {"users/$anna", "", "", false},
    {"users/", "", "", false},
    {"users/anna/sessions/", "", "", false},
    {"users/$anna/#", "", "", true},
    {"users", "", "", false},
    {"evaluations/e1", "bp", "bps", true},
    {"evaluations/e1/#", "", "s", true},
    {"evaluations/e1/+", "", "", true},
    {"evaluations/+", "", "", true},
    {"evaluations/#", "", "", true},
    {"evaluations/e1/x", "", "", true},
    {"evaluations/e1/users", "", "", true},
    {"evaluations/e1/users/+", "", "s", true},
    {"evaluations/e1/users/#", "", "", true},
    {"evaluations/e1/users/anna", ALWAYS, ALWAYS, true},
    {"evaluations/e1/users/anna/#", ALWAYS, ALWAYS, true},
    {"evaluations/e1/users/anna/+", "", "", true},
    {"evaluations/+/users/anna", "", "", true},
    {"evaluations/e1/users/bert", "", "s", true},
    {"evaluations/e1/users/bert/#", "", "", true},
    {"evaluations/e1/presence/anna", "", "s", true},
    {"evaluations/e1/presence/bert", "", "s", true},
    {"evaluations/e1/presence/+", "", "s", true},
    {"evaluations/e1/presence/#", "", "", true},
    {"evaluations/e1/incidents", "", "s", true},
    {"evaluations/e1/incidents/#", "", "", true},
    {"evaluations/$e", "", "", false},
    {"evaluations/e1/users/$a", "", "", false},
    {"$CONTROL/invigilator/v1", "", "", true},
    {"$CONTROL/invigilator/v1/response", "", "", true},
    {"$CONTROL/invigilator/#", "", "", true},
    {"$CONTROL/invigilator/x", "", "", true},
    {"$CONTROL/invigilator", "", "", false},
    {"$CONTROL/#", "", "", false},
    {"$CONTROL/dynamic-security/v1", "", "", false},
    {"$SYS/broker/invigilator/#", "", "", true},
    {"$SYS/broker/invigilator/auth/+", "", "", true},
    {"$SYS/broker/invigilator/users/current", "", "", true},
    {"$SYS/broker/#", "", "", false},
    {"$SYS/#", "", "", false},
    {"#", "", "", false},
    {"+", "", "", false},
    {"+/anna", "", "", false},
    {"/#", "", "", false},
    {"other", "", "", false},
    {"$share/g/users/anna", "", "", false},
    {"$share/g/users/#", "", "", false},
    {"users/anna#", "", "", false},
    {"", "", "", false},
};

static const struct row RECEIVE[] = {
    {"users/anna", ALWAYS, ALWAYS, true},
    {"users/anna/x/y", ALWAYS, ALWAYS, true},
    {"users/anna/", ALWAYS, ALWAYS, true},
    {"users/anna/sessions", ALWAYS, ALWAYS, true},
    {"users/anna/sessions/s1", ALWAYS, ALWAYS, true},
    {"users/anna/sessions/s1/x", ALWAYS, ALWAYS, true},
    {"users/anna/sessions/s2", "", "", true},
    {"users/anna/sessions/s2/x", "", "", true},
    {"users/anna/sessions/", "", "", true},
    {"users/bert", "", "", true},
    {"users/bert/x", "", "", true},
    {"users/bert/sessions/s1", "", "", true},
    {"users/$anna", "", "", true},
    {"evaluations/e1", "p", "ps", true},
    {"evaluations/e1/x", "", "s", true},
    {"evaluations/e1/users", "", "s", true},
    {"evaluations/e1/users/anna", ALWAYS, ALWAYS, true},
    {"evaluations/e1/users/anna/x", ALWAYS, ALWAYS, true},
    {"evaluations/e1/users/bert", "", "s", true},
    {"evaluations/e1/users/bert/x", "", "s", true},
    {"evaluations/e1/presence", "", "s", true},
    {"evaluations/e1/presence/anna", "", "s", true},
    {"evaluations/e1/presence/anna/x", "", "s", true},
    {"evaluations/e1/incidents", "", "s", true},
    {"evaluations/e1/users/$x", "", "", true},
    {"evaluations//users/anna", "", "", true},
    {"$CONTROL/invigilator/v1", "", "", true},
    {"$CONTROL/invigilator/v1/response", "", "", true},
    {"$SYS/broker/invigilator/users/current", "", "", true},
    {"$SYS/broker/uptime", "", "", false},
    {"other", "", "", false},
    {"users", "", "", false},
    {"users/#", "", "", false},
};

static const struct row PUBLISH[] = {
    {"users/anna", "", "", true},
    {"users/anna/x/y", "", "", true},
    {"users/anna/sessions", "", "", true},
    {"users/anna/sessions/s1", "", "", true},
    {"users/anna/sessions/s1/x", "", "", true},
    {"users/bert", "", "", true},
    {"users/", "", "", false},
    {"users/$a", "", "", false},
    {"users/anna/sessions/", "", "", false},
    {"evaluations/e1", "", "", true},
    {"evaluations/e1/users/anna", "", "", true},
    {"evaluations/e1/users/anna/x", "", "", false},
    {"evaluations/e1/users", "", "", false},
    {"evaluations/e1/x", "", "", false},
    {"evaluations/e1/presence/anna", "", "", false},
    {"evaluations/e1/presence", "", "", false},
    {"evaluations/e1/incidents", "", "", false},
    {"evaluations/$e", "", "", false},
    {"$CONTROL/invigilator/v1", "", "", true},
    {"$CONTROL/invigilator/v1/response", "", "", false},
    {"$CONTROL/invigilator/x", "", "", false},
    {"$SYS/broker/invigilator/x", "", "", false},
    {"other", "", "", false},
    {"users/+", "", "", false},
};

static void test_rights_to_subscribe(void **state)
{
    (void)state;
    check(SUBSCRIBE, ROWS(SUBSCRIBE), invig_rights_may_subscribe, true);
}

static void test_rights_to_receive(void **state)
{
    (void)state;
    check(RECEIVE, ROWS(RECEIVE), invig_rights_may_receive, false);
}

/* Publishing has nothing to do with an evaluation. */
static bool may_publish(const struct invig_subject *subject, enum invig_standing standing,
                        const struct invig_topic *name)
{
    (void)standing;
    return invig_rights_may_publish(subject, name);
}

static void test_rights_to_publish(void **state)
{
    (void)state;
    check(PUBLISH, ROWS(PUBLISH), may_publish, false);
}

/* A service token need not have a session; the others' session topics need one. */
static void test_rights_absent_session_equals_nothing(void **state)
{
    struct invig_topic filter = topic_of("users/anna/sessions/s1", true);
    struct invig_topic name = topic_of("users/anna/sessions/s1", false);

    (void)state;
    for (int role = INVIG_ROLE_STUDENT; role <= INVIG_ROLE_SERVICE; role++) {
        struct invig_subject subject = subject_of((enum invig_role)role);

        subject.session = (struct invig_text){NULL, 0};
        assert_int_equal(invig_rights_may_subscribe(&subject, INVIG_STANDING_NONE, &filter),
                         role == INVIG_ROLE_SERVICE);
        assert_int_equal(invig_rights_may_receive(&subject, INVIG_STANDING_NONE, &name),
                         role == INVIG_ROLE_SERVICE);
    }
}

static void assert_no_rights(const struct invig_subject *subject)
{
    for (size_t i = 0; i < ROWS(SUBSCRIBE); i++) {
        struct invig_topic filter = topic_of(SUBSCRIBE[i].topic, true);
        struct invig_topic name = topic_of(SUBSCRIBE[i].topic, false);

        for (size_t j = 0; j < ROWS(STANDINGS); j++) {
            assert_false(invig_rights_may_subscribe(subject, STANDINGS[j].standing, &filter));
            assert_false(invig_rights_may_receive(subject, STANDINGS[j].standing, &name));
        }
        assert_false(invig_rights_may_publish(subject, &name));
    }
}

static void test_rights_of_zeroed_memory_are_none(void **state)
{
    struct invig_subject nobody = {0};
    struct invig_topic nothing = {0};

    (void)state;
    assert_no_rights(&nobody);
    for (int role = INVIG_ROLE_STUDENT; role <= INVIG_ROLE_SERVICE; role++) {
        struct invig_subject subject = subject_of((enum invig_role)role);

        for (size_t j = 0; j < ROWS(STANDINGS); j++) {
            assert_false(invig_rights_may_subscribe(&subject, STANDINGS[j].standing, &nothing));
            assert_false(invig_rights_may_receive(&subject, STANDINGS[j].standing, &nothing));
        }
        assert_false(invig_rights_may_publish(&subject, &nothing));
        subject.user = (struct invig_text){NULL, 0};
        assert_no_rights(&subject);
    }
}

/* The caller may mix up the two parsers: a filter is never a name that is delivered or published.
 */
static void test_rights_filter_is_no_name(void **state)
{
    static const char *const FILTERS[] = {"users/anna/#", "users/anna/+", "evaluations/e1/#",
                                          "$CONTROL/invigilator/v1/#"};

    (void)state;
    for (size_t i = 0; i < ROWS(FILTERS); i++) {
        struct invig_topic filter = topic_of(FILTERS[i], true);

        for (int role = INVIG_ROLE_STUDENT; role <= INVIG_ROLE_SERVICE; role++) {
            struct invig_subject subject = subject_of((enum invig_role)role);

            for (size_t j = 0; j < ROWS(STANDINGS); j++) {
                assert_false(invig_rights_may_receive(&subject, STANDINGS[j].standing, &filter));
            }
            assert_false(invig_rights_may_publish(&subject, &filter));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rights_to_subscribe),
        cmocka_unit_test(test_rights_to_receive),
        cmocka_unit_test(test_rights_to_publish),
        cmocka_unit_test(test_rights_absent_session_equals_nothing),
        cmocka_unit_test(test_rights_of_zeroed_memory_are_none),
        cmocka_unit_test(test_rights_filter_is_no_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
