/* SPDX-License-Identifier: Apache-2.0
 *
 * test_rights.c - the rights table, topic by topic and role by role.
 */
#include "invigilator/rights.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

/* Who may: the letters s (student), p (professor), v (service). */
struct row {
    const char *topic;
    const char *who;
};

typedef bool question(const struct invig_subject *subject, const struct invig_topic *topic);

static struct invig_text EVALUATIONS[2];

static struct invig_subject subject_of(enum invig_role role)
{
    EVALUATIONS[0] = invig_text_of("e1");
    EVALUATIONS[1] = invig_text_of("e2");
    return (struct invig_subject){role, invig_text_of("anna"), invig_text_of("s1"), 2, EVALUATIONS};
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

static void check(const struct row *rows, size_t count, question *may, bool is_filter)
{
    static const struct {
        char letter;
        enum invig_role role;
    } ROLES[] = {{'s', INVIG_ROLE_STUDENT},
                 {'p', INVIG_ROLE_PROFESSOR},
                 {'v', INVIG_ROLE_SERVICE},
                 {'n', INVIG_ROLE_NONE},
                 {'x', (enum invig_role)99}};

    for (size_t i = 0; i < count; i++) {
        struct invig_topic topic = topic_of(rows[i].topic, is_filter);

        for (size_t j = 0; j < ROWS(ROLES); j++) {
            struct invig_subject subject = subject_of(ROLES[j].role);
            bool expected = strchr(rows[i].who, ROLES[j].letter) != NULL;

            if (may(&subject, &topic) != expected) {
                fail_msg("%s, %c: expected %d", rows[i].topic, ROLES[j].letter, expected);
            }
        }
    }
}

static const struct row SUBSCRIBE[] = {
    {"users/anna", "spv"},
    {"users/anna/#", "spv"},
    {"users/anna/+", "spv"},
    {"users/anna/sessions/s1", "spv"},
    {"users/anna/sessions/+", "spv"},
    {"users/anna/sessions", "v"},
    {"users/anna/sessions/#", "v"},
    {"users/anna/sessions/s2", "v"},
    {"users/anna/sessions/s1/#", "v"},
    {"users/anna/sessions/s1/+", "v"},
    {"users/anna/sessions/s1/x", "v"},
    {"users/anna/x", "v"},
    {"users/anna/x/#", "v"},
    {"users/anna/+/+", "v"},
    {"users/anna/+/s1", "v"},
    {"users/anna/", "v"},
    {"users/bert", "v"},
    {"users/bert/#", "v"},
    {"users/bert/+", "v"},
    {"users/bert/sessions/s1", "v"},
    {"users/bert/sessions/+", "v"},
    {"users/+", "v"},
    {"users/#", "v"},
    {"users/+/sessions/s1", "v"},
    {"users/$anna", ""},
    {"users/", ""},
    {"users/anna/sessions/", ""},
    {"users/$anna/#", "v"},
    {"users", ""},
    {"evaluations/e1", "spv"},
    {"evaluations/e2", "spv"},
    {"evaluations/e3", "v"},
    {"evaluations/e1/#", "pv"},
    {"evaluations/e3/#", "v"},
    {"evaluations/e1/+", "v"},
    {"evaluations/+", "v"},
    {"evaluations/#", "v"},
    {"evaluations/e1/x", "v"},
    {"evaluations/e1/users", "v"},
    {"evaluations/e1/users/+", "pv"},
    {"evaluations/e3/users/+", "v"},
    {"evaluations/e1/users/#", "v"},
    {"evaluations/e1/users/anna", "spv"},
    {"evaluations/e3/users/anna", "spv"},
    {"evaluations/e1/users/anna/#", "spv"},
    {"evaluations/e3/users/anna/#", "spv"},
    {"evaluations/e1/users/anna/+", "v"},
    {"evaluations/+/users/anna", "v"},
    {"evaluations/e1/users/bert", "pv"},
    {"evaluations/e3/users/bert", "v"},
    {"evaluations/e1/users/bert/#", "v"},
    {"evaluations/e1/presence/anna", "pv"},
    {"evaluations/e1/presence/bert", "pv"},
    {"evaluations/e3/presence/bert", "v"},
    {"evaluations/e1/presence/+", "pv"},
    {"evaluations/e3/presence/+", "v"},
    {"evaluations/e1/presence/#", "v"},
    {"evaluations/e1/incidents", "pv"},
    {"evaluations/e3/incidents", "v"},
    {"evaluations/e1/incidents/#", "v"},
    {"evaluations/$e", ""},
    {"evaluations/e1/users/$a", ""},
    {"$CONTROL/invigilator/v1", "v"},
    {"$CONTROL/invigilator/v1/response", "v"},
    {"$CONTROL/invigilator/#", "v"},
    {"$CONTROL/invigilator/x", "v"},
    {"$CONTROL/invigilator", ""},
    {"$CONTROL/#", ""},
    {"$CONTROL/dynamic-security/v1", ""},
    {"$SYS/broker/invigilator/#", "v"},
    {"$SYS/broker/invigilator/auth/+", "v"},
    {"$SYS/broker/invigilator/users/current", "v"},
    {"$SYS/broker/#", ""},
    {"$SYS/#", ""},
    {"#", ""},
    {"+", ""},
    {"+/anna", ""},
    {"/#", ""},
    {"other", ""},
    {"$share/g/users/anna", ""},
    {"$share/g/users/#", ""},
    {"users/anna#", ""},
    {"", ""},
};

static const struct row RECEIVE[] = {
    {"users/anna", "spv"},
    {"users/anna/x/y", "spv"},
    {"users/anna/", "spv"},
    {"users/anna/sessions", "spv"},
    {"users/anna/sessions/s1", "spv"},
    {"users/anna/sessions/s1/x", "spv"},
    {"users/anna/sessions/s2", "v"},
    {"users/anna/sessions/s2/x", "v"},
    {"users/anna/sessions/", "v"},
    {"users/bert", "v"},
    {"users/bert/x", "v"},
    {"users/bert/sessions/s1", "v"},
    {"users/$anna", "v"},
    {"evaluations/e1", "spv"},
    {"evaluations/e3", "v"},
    {"evaluations/e1/x", "pv"},
    {"evaluations/e3/x", "v"},
    {"evaluations/e1/users", "pv"},
    {"evaluations/e1/users/anna", "spv"},
    {"evaluations/e3/users/anna", "spv"},
    {"evaluations/e3/users/anna/x", "spv"},
    {"evaluations/e1/users/bert", "pv"},
    {"evaluations/e1/users/bert/x", "pv"},
    {"evaluations/e3/users/bert", "v"},
    {"evaluations/e1/presence", "pv"},
    {"evaluations/e1/presence/anna", "pv"},
    {"evaluations/e3/presence/anna", "v"},
    {"evaluations/e1/presence/anna/x", "pv"},
    {"evaluations/e1/incidents", "pv"},
    {"evaluations/e3/incidents", "v"},
    {"evaluations/e1/users/$x", "v"},
    {"evaluations//users/anna", "v"},
    {"$CONTROL/invigilator/v1", "v"},
    {"$CONTROL/invigilator/v1/response", "v"},
    {"$SYS/broker/invigilator/users/current", "v"},
    {"$SYS/broker/uptime", ""},
    {"other", ""},
    {"users", ""},
    {"users/#", ""},
};

static const struct row PUBLISH[] = {
    {"users/anna", "v"},
    {"users/anna/x/y", "v"},
    {"users/anna/sessions", "v"},
    {"users/anna/sessions/s1", "v"},
    {"users/anna/sessions/s1/x", "v"},
    {"users/bert", "v"},
    {"users/", ""},
    {"users/$a", ""},
    {"users/anna/sessions/", ""},
    {"evaluations/e1", "v"},
    {"evaluations/e3", "v"},
    {"evaluations/e1/users/anna", "v"},
    {"evaluations/e1/users/anna/x", ""},
    {"evaluations/e1/users", ""},
    {"evaluations/e1/x", ""},
    {"evaluations/e1/presence/anna", ""},
    {"evaluations/e1/presence", ""},
    {"evaluations/e1/incidents", ""},
    {"evaluations/$e", ""},
    {"$CONTROL/invigilator/v1", "v"},
    {"$CONTROL/invigilator/v1/response", ""},
    {"$CONTROL/invigilator/x", ""},
    {"$SYS/broker/invigilator/x", ""},
    {"other", ""},
    {"users/+", ""},
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

static void test_rights_to_publish(void **state)
{
    (void)state;
    check(PUBLISH, ROWS(PUBLISH), invig_rights_may_publish, false);
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
        assert_int_equal(invig_rights_may_subscribe(&subject, &filter), role == INVIG_ROLE_SERVICE);
        assert_int_equal(invig_rights_may_receive(&subject, &name), role == INVIG_ROLE_SERVICE);
    }
}

static void assert_no_rights(const struct invig_subject *subject)
{
    for (size_t i = 0; i < ROWS(SUBSCRIBE); i++) {
        struct invig_topic filter = topic_of(SUBSCRIBE[i].topic, true);
        struct invig_topic name = topic_of(SUBSCRIBE[i].topic, false);

        assert_false(invig_rights_may_subscribe(subject, &filter));
        assert_false(invig_rights_may_receive(subject, &name));
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

        assert_false(invig_rights_may_subscribe(&subject, &nothing));
        assert_false(invig_rights_may_receive(&subject, &nothing));
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

            assert_false(invig_rights_may_receive(&subject, &filter));
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
