/* SPDX-License-Identifier: Apache-2.0
 *
 * test_topic.c - what single names and filters are about, and what a log may show of them.
 */
#include "invigilator/topic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROWS(table)   (sizeof(table) / sizeof((table)[0]))
#define T(tree)       INVIG_TREE_##tree
#define K(kind)       INVIG_TOPIC_##kind
#define W(wildcard)   INVIG_WILDCARD_##wildcard
#define CODE(a, b, c) (10000 * (int)(a) + 100 * (int)(b) + (int)(c))

struct row {
    const char *prefix;
    const char *topic;
    enum invig_topic_tree tree;
    enum invig_topic_kind kind;
    enum invig_topic_wildcard wildcard;
    const char *user;
    const char *session;
    const char *evaluation;
};

static int code_of(const struct invig_topic *topic)
{
    return CODE(topic->tree, topic->kind, topic->wildcard);
}

static bool view_is(struct invig_text view, const char *expected)
{
    if (expected == NULL) {
        return view.data == NULL && view.length == 0;
    }
    return invig_text_equal(view, invig_text_of(expected));
}

static void assert_row(const struct row *row, const struct invig_topic *topic)
{
    if (code_of(topic) != CODE(row->tree, row->kind, row->wildcard) ||
        !view_is(topic->user, row->user) || !view_is(topic->session, row->session) ||
        !view_is(topic->evaluation, row->evaluation)) {
        fail_msg("'%s' + '%s': tree, kind, wildcard are %d, expected %d; or an id differs",
                 row->prefix, row->topic, code_of(topic),
                 CODE(row->tree, row->kind, row->wildcard));
    }
}

static const struct row NAMES[] = {
    {"", "users/anna", T(USERS), K(USER), W(NONE), "anna", NULL, NULL},
    {"", "users/anna/", T(USERS), K(USER_BELOW), W(NONE), "anna", NULL, NULL},
    {"", "users/anna/x/y/z/u/v", T(USERS), K(USER_BELOW), W(NONE), "anna", NULL, NULL},
    {"", "users/anna/session", T(USERS), K(USER_BELOW), W(NONE), "anna", NULL, NULL},
    {"", "users/anna//sessions/s", T(USERS), K(USER_BELOW), W(NONE), "anna", NULL, NULL},
    {"", "users/anna/sessions", T(USERS), K(USER_SESSIONS), W(NONE), "anna", NULL, NULL},
    {"", "users/anna/sessions/s1", T(USERS), K(USER_SESSION), W(NONE), "anna", "s1", NULL},
    {"", "users/anna/sessions/s1/", T(USERS), K(USER_SESSION_BELOW), W(NONE), "anna", "s1", NULL},
    {"", "users/anna/sessions/s1/a/b", T(USERS), K(USER_SESSION_BELOW), W(NONE), "anna", "s1",
     NULL},
    {"", "users/sessions/sessions/users", T(USERS), K(USER_SESSION), W(NONE), "sessions", "users",
     NULL},
    {"", "users/\xc3\xa4", T(USERS), K(USER), W(NONE), "\xc3\xa4", NULL, NULL},
    {"", "evaluations/e1", T(EVALUATIONS), K(EVALUATION), W(NONE), NULL, NULL, "e1"},
    {"", "evaluations/e1/", T(EVALUATIONS), K(EVALUATION_BELOW), W(NONE), NULL, NULL, "e1"},
    {"", "evaluations/e1/x/y", T(EVALUATIONS), K(EVALUATION_BELOW), W(NONE), NULL, NULL, "e1"},
    {"", "evaluations/e1/users", T(EVALUATIONS), K(EVALUATION_USERS), W(NONE), NULL, NULL, "e1"},
    {"", "evaluations/e1/users/anna", T(EVALUATIONS), K(EVALUATION_USER), W(NONE), "anna", NULL,
     "e1"},
    {"", "evaluations/e1/users/anna/", T(EVALUATIONS), K(EVALUATION_USER_BELOW), W(NONE), "anna",
     NULL, "e1"},
    {"", "evaluations/e1/users/anna/x/y", T(EVALUATIONS), K(EVALUATION_USER_BELOW), W(NONE), "anna",
     NULL, "e1"},
    {"", "evaluations/e1/presence", T(EVALUATIONS), K(EVALUATION_PRESENCES), W(NONE), NULL, NULL,
     "e1"},
    {"", "evaluations/e1/presence/anna", T(EVALUATIONS), K(EVALUATION_PRESENCE), W(NONE), "anna",
     NULL, "e1"},
    {"", "evaluations/e1/presence/anna/x", T(EVALUATIONS), K(EVALUATION_BELOW), W(NONE), NULL, NULL,
     "e1"},
    {"", "evaluations/e1/incidents", T(EVALUATIONS), K(EVALUATION_INCIDENTS), W(NONE), NULL, NULL,
     "e1"},
    {"", "evaluations/e1/incidents/x", T(EVALUATIONS), K(EVALUATION_BELOW), W(NONE), NULL, NULL,
     "e1"},
    {"", "$CONTROL/invigilator/v1", T(CONTROL), K(CONTROL), W(NONE), NULL, NULL, NULL},
    {"", "$CONTROL/invigilator/v1/response", T(CONTROL), K(CONTROL_RESPONSE), W(NONE), NULL, NULL,
     NULL},
    {"", "$CONTROL/invigilator/v1/", T(CONTROL), K(OTHER), W(NONE), NULL, NULL, NULL},
    {"", "$CONTROL/invigilator/v1/response/x", T(CONTROL), K(OTHER), W(NONE), NULL, NULL, NULL},
    {"", "$CONTROL/invigilator/", T(CONTROL), K(OTHER), W(NONE), NULL, NULL, NULL},
    {"", "$SYS/broker/invigilator/a/b", T(SYS), K(OTHER), W(NONE), NULL, NULL, NULL},
    {"", "$SYS/broker/invigilator/", T(SYS), K(OTHER), W(NONE), NULL, NULL, NULL},
};

static const struct row NAMES_NOT_OURS[] = {
    {"", "", 0, 0, 0, NULL, NULL, NULL},
    {"", "/", 0, 0, 0, NULL, NULL, NULL},
    {"", "users", 0, 0, 0, NULL, NULL, NULL},
    {"", "evaluations", 0, 0, 0, NULL, NULL, NULL},
    {"", "/users/anna", 0, 0, 0, NULL, NULL, NULL},
    {"", "Users/anna", 0, 0, 0, NULL, NULL, NULL},
    {"", "usersx/anna", 0, 0, 0, NULL, NULL, NULL},
    {"", "xusers/anna", 0, 0, 0, NULL, NULL, NULL},
    {"", "$share/g/users/anna", 0, 0, 0, NULL, NULL, NULL},
    {"", "$SYS/broker/invigilator", 0, 0, 0, NULL, NULL, NULL},
    {"", "$SYS/broker/uptime", 0, 0, 0, NULL, NULL, NULL},
    {"", "$CONTROL/invigilator", 0, 0, 0, NULL, NULL, NULL},
    {"", "$CONTROL/dynamic-security/v1", 0, 0, 0, NULL, NULL, NULL},
    {"", "$control/invigilator/v1", 0, 0, 0, NULL, NULL, NULL},
    {"", "users/+", 0, 0, 0, NULL, NULL, NULL},
    {"", "users/#", 0, 0, 0, NULL, NULL, NULL},
    {"", "users/an+na", 0, 0, 0, NULL, NULL, NULL},
    {"", "users/anna/x#", 0, 0, 0, NULL, NULL, NULL},
    {"", "$SYS/broker/invigilator/#", 0, 0, 0, NULL, NULL, NULL},
    {"eval/", "users/anna", 0, 0, 0, NULL, NULL, NULL},
    {"eval/", "eval/", 0, 0, 0, NULL, NULL, NULL},
    {"eval/", "eva", 0, 0, 0, NULL, NULL, NULL},
    {"eval/", "eval/users", 0, 0, 0, NULL, NULL, NULL},
    {"eval/", "eval/eval/users/anna", 0, 0, 0, NULL, NULL, NULL},
    {"eval/", "eval/$CONTROL/invigilator/v1", 0, 0, 0, NULL, NULL, NULL},
    {"eval/", "eval/$SYS/broker/invigilator/x", 0, 0, 0, NULL, NULL, NULL},
};

/* In the tree, but with an id that is none: kind OTHER, no texts. */
static const struct row NAMES_BAD_ID[] = {
    {"", "users/", T(USERS), 0, 0, NULL, NULL, NULL},
    {"", "users//", T(USERS), 0, 0, NULL, NULL, NULL},
    {"", "users//sessions/s", T(USERS), 0, 0, NULL, NULL, NULL},
    {"", "users/$anna", T(USERS), 0, 0, NULL, NULL, NULL},
    {"", "users/an\x01na", T(USERS), 0, 0, NULL, NULL, NULL},
    {"", "users/\xff", T(USERS), 0, 0, NULL, NULL, NULL},
    {"", "users/\xef\xbf\xbf", T(USERS), 0, 0, NULL, NULL, NULL},
    {"", "users/anna/sessions/", T(USERS), 0, 0, NULL, NULL, NULL},
    {"", "users/anna/sessions//x", T(USERS), 0, 0, NULL, NULL, NULL},
    {"", "users/anna/sessions/$s", T(USERS), 0, 0, NULL, NULL, NULL},
    {"", "users/anna/sessions/$s/x", T(USERS), 0, 0, NULL, NULL, NULL},
    {"", "evaluations/", T(EVALUATIONS), 0, 0, NULL, NULL, NULL},
    {"", "evaluations//users/anna", T(EVALUATIONS), 0, 0, NULL, NULL, NULL},
    {"", "evaluations/e/users/", T(EVALUATIONS), 0, 0, NULL, NULL, NULL},
    {"", "evaluations/e/users//x", T(EVALUATIONS), 0, 0, NULL, NULL, NULL},
    {"", "evaluations/e/presence/", T(EVALUATIONS), 0, 0, NULL, NULL, NULL},
    {"", "evaluations/e/presence/$a/x", T(EVALUATIONS), 0, 0, NULL, NULL, NULL},
};

static const struct row NAMES_PREFIXED[] = {
    {"eval/", "eval/users/anna", T(USERS), K(USER), W(NONE), "anna", NULL, NULL},
    {"eval/", "eval/evaluations/e", T(EVALUATIONS), K(EVALUATION), W(NONE), NULL, NULL, "e"},
    {"users/", "users/users/anna", T(USERS), K(USER), W(NONE), "anna", NULL, NULL},
    {"x-", "x-users/anna/sessions/s", T(USERS), K(USER_SESSION), W(NONE), "anna", "s", NULL},
    {"eval/", "$CONTROL/invigilator/v1", T(CONTROL), K(CONTROL), W(NONE), NULL, NULL, NULL},
    {"eval/", "$SYS/broker/invigilator/x", T(SYS), K(OTHER), W(NONE), NULL, NULL, NULL},
};

static void check_names(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct invig_topic topic;

        memset(&topic, 0xa5, sizeof(topic));
        invig_topic_parse_name(invig_text_of(rows[i].prefix), invig_text_of(rows[i].topic), &topic);
        assert_row(&rows[i], &topic);
    }
}

static void test_topic_names_have_their_kind(void **state)
{
    (void)state;
    check_names(NAMES, ROWS(NAMES));
    check_names(NAMES_PREFIXED, ROWS(NAMES_PREFIXED));
}

static void test_topic_names_not_ours_are_other(void **state)
{
    (void)state;
    check_names(NAMES_NOT_OURS, ROWS(NAMES_NOT_OURS));
    check_names(NAMES_BAD_ID, ROWS(NAMES_BAD_ID));
}

static const struct row FILTERS[] = {
    {"", "users/#", T(USERS), K(OTHER), W(HASH), NULL, NULL, NULL},
    {"", "users/+", T(USERS), K(OTHER), W(PLUS), NULL, NULL, NULL},
    {"", "users//#", T(USERS), K(OTHER), W(HASH), NULL, NULL, NULL},
    {"", "users/anna/#", T(USERS), K(USER), W(HASH), "anna", NULL, NULL},
    {"", "users/anna/+", T(USERS), K(USER), W(PLUS), "anna", NULL, NULL},
    {"", "users/anna//#", T(USERS), K(USER_BELOW), W(HASH), "anna", NULL, NULL},
    {"", "users/anna/x/+", T(USERS), K(USER_BELOW), W(PLUS), "anna", NULL, NULL},
    {"", "users/anna/sessions/#", T(USERS), K(USER_SESSIONS), W(HASH), "anna", NULL, NULL},
    {"", "users/anna/sessions/+", T(USERS), K(USER_SESSIONS), W(PLUS), "anna", NULL, NULL},
    {"", "users/anna/sessions/s/#", T(USERS), K(USER_SESSION), W(HASH), "anna", "s", NULL},
    {"", "users/anna/sessions/s/x/+", T(USERS), K(USER_SESSION_BELOW), W(PLUS), "anna", "s", NULL},
    {"", "users/+/sessions/x", T(USERS), K(OTHER), W(ANYWHERE), NULL, NULL, NULL},
    {"", "users/+/#", T(USERS), K(OTHER), W(ANYWHERE), NULL, NULL, NULL},
    {"", "users/anna/+/#", T(USERS), K(OTHER), W(ANYWHERE), NULL, NULL, NULL},
    {"", "users/anna/+/+", T(USERS), K(OTHER), W(ANYWHERE), NULL, NULL, NULL},
    {"", "users/anna/+/", T(USERS), K(OTHER), W(ANYWHERE), NULL, NULL, NULL},
    {"", "evaluations/#", T(EVALUATIONS), K(OTHER), W(HASH), NULL, NULL, NULL},
    {"", "evaluations/e/#", T(EVALUATIONS), K(EVALUATION), W(HASH), NULL, NULL, "e"},
    {"", "evaluations/e/users/+", T(EVALUATIONS), K(EVALUATION_USERS), W(PLUS), NULL, NULL, "e"},
    {"", "evaluations/e/users/a/#", T(EVALUATIONS), K(EVALUATION_USER), W(HASH), "a", NULL, "e"},
    {"", "evaluations/e/presence/+", T(EVALUATIONS), K(EVALUATION_PRESENCES), W(PLUS), NULL, NULL,
     "e"},
    {"", "evaluations/e/incidents/#", T(EVALUATIONS), K(EVALUATION_INCIDENTS), W(HASH), NULL, NULL,
     "e"},
    {"", "$CONTROL/invigilator/#", T(CONTROL), K(OTHER), W(HASH), NULL, NULL, NULL},
    {"", "$CONTROL/invigilator/v1/#", T(CONTROL), K(CONTROL), W(HASH), NULL, NULL, NULL},
    {"", "$SYS/broker/invigilator/#", T(SYS), K(OTHER), W(HASH), NULL, NULL, NULL},
    {"", "$SYS/broker/invigilator/+/x", T(SYS), K(OTHER), W(ANYWHERE), NULL, NULL, NULL},
    {"eval/", "eval/users/anna/#", T(USERS), K(USER), W(HASH), "anna", NULL, NULL},
    {"eval/", "+/users/anna", T(OTHER), K(OTHER), W(ANYWHERE), NULL, NULL, NULL},
    {"eval/", "users/anna/#", T(OTHER), K(OTHER), W(HASH), NULL, NULL, NULL},
    {"", "#", T(OTHER), K(OTHER), W(HASH), NULL, NULL, NULL},
    {"", "+", T(OTHER), K(OTHER), W(PLUS), NULL, NULL, NULL},
    {"", "+/anna", T(OTHER), K(OTHER), W(ANYWHERE), NULL, NULL, NULL},
    {"", "users", T(OTHER), K(OTHER), W(NONE), NULL, NULL, NULL},
    {"", "$SYS/#", T(OTHER), K(OTHER), W(HASH), NULL, NULL, NULL},
    {"", "$CONTROL/+/v1", T(OTHER), K(OTHER), W(ANYWHERE), NULL, NULL, NULL},
    {"", "$share/g/users/anna", T(OTHER), K(OTHER), W(NONE), NULL, NULL, NULL},
    {"$share/g/", "$share/g/users/anna", T(OTHER), K(OTHER), W(NONE), NULL, NULL, NULL},
    {"", "users/a#", T(OTHER), K(OTHER), W(NONE), NULL, NULL, NULL},
    {"", "users/#/b", T(OTHER), K(OTHER), W(NONE), NULL, NULL, NULL},
    {"", "users/#/", T(OTHER), K(OTHER), W(NONE), NULL, NULL, NULL},
    {"", "users/##", T(OTHER), K(OTHER), W(NONE), NULL, NULL, NULL},
    {"", "users/+x", T(OTHER), K(OTHER), W(NONE), NULL, NULL, NULL},
    {"", "users/anna/x+/#", T(OTHER), K(OTHER), W(NONE), NULL, NULL, NULL},
    {"", "users/+#", T(OTHER), K(OTHER), W(NONE), NULL, NULL, NULL},
    {"", "", T(OTHER), K(OTHER), W(NONE), NULL, NULL, NULL},
};

static void test_topic_filters_have_their_kind(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(FILTERS); i++) {
        const struct row *row = &FILTERS[i];
        struct invig_topic topic;

        memset(&topic, 0xa5, sizeof(topic));
        invig_topic_parse_filter(invig_text_of(row->prefix), invig_text_of(row->topic), &topic);
        assert_row(row, &topic);
    }
}

/* A literal filter is about what the name of the same bytes is about. */
static void test_topic_literal_filter_equals_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(NAMES); i++) {
        struct invig_topic topic;

        invig_topic_parse_filter(invig_text_of(NAMES[i].prefix), invig_text_of(NAMES[i].topic),
                                 &topic);
        assert_row(&NAMES[i], &topic);
    }
}

static int code_of_bytes(const char *data, size_t length)
{
    struct invig_topic name;
    struct invig_topic filter;

    invig_topic_parse_name(invig_text_of(""), (struct invig_text){data, length}, &name);
    invig_topic_parse_filter(invig_text_of(""), (struct invig_text){data, length}, &filter);
    assert_int_equal(code_of(&name), code_of(&filter));
    return code_of(&name);
}

static void test_topic_id_has_at_most_128_bytes(void **state)
{
    char topic[6 + INVIG_ID_BYTES_MAX + 1];

    (void)state;
    memset(topic, 'x', sizeof(topic));
    memcpy(topic, "users/", 6);
    assert_int_equal(code_of_bytes(topic, sizeof(topic) - 1), CODE(T(USERS), K(USER), 0));
    assert_int_equal(code_of_bytes(topic, sizeof(topic)), CODE(T(USERS), K(OTHER), 0));
}

static void test_topic_longer_than_mqtt_allows_is_other(void **state)
{
    char *topic = malloc(65536);

    (void)state;
    assert_non_null(topic);
    memset(topic, '/', 65536);
    memcpy(topic, "users/anna", 10);
    assert_int_equal(code_of_bytes(topic, 65535), CODE(T(USERS), K(USER_BELOW), 0));
    assert_int_equal(code_of_bytes(topic, 65536), 0);
    free(topic);
}

static void test_topic_with_nul_or_absent_is_other(void **state)
{
    (void)state;
    assert_int_equal(code_of_bytes("users/anna\0x", 12), 0);
    assert_int_equal(code_of_bytes("users/anna\0", 11), 0);
    assert_int_equal(code_of_bytes("\0", 1), 0);
    assert_int_equal(code_of_bytes(NULL, 0), 0);
    assert_int_equal(code_of_bytes("users/anna", 10), CODE(T(USERS), K(USER), 0));
}

static void test_topic_absent_prefix_is_empty(void **state)
{
    struct invig_topic topic;

    (void)state;
    invig_topic_parse_name((struct invig_text){NULL, 0}, invig_text_of("users/anna"), &topic);
    assert_int_equal(code_of(&topic), CODE(T(USERS), K(USER), 0));
}

static const struct {
    const char *topic;
    const char *expected;
} MASKS[] = {
    {"", ""},
    {"/", "/"},
    {"users/anna", "users/anna"},
    {"users/anna/sessions", "users/anna/sessions"},
    {"users/anna/sessions/", "users/anna/sessions/***"},
    {"users/anna/sessions/secret", "users/anna/sessions/***"},
    {"users/anna/sessions/secret/x/y", "users/anna/sessions/***/***/***"},
    {"users/sessions/sessions/secret", "users/sessions/***/***"},
    {"users//sessions/secret", "users//sessions/***"},
    {"eval/a/users/anna/sessions/secret", "eval/a/users/anna/sessions/***"},
    {"$share/g/eval-users/anna/sessions/secret/#", "$share/g/eval-users/anna/sessions/***/#"},
    {"+/+/sessions/secret", "+/+/sessions/***"},
    {"users/anna/+/secret", "users/anna/+/***"},
    {"eval-users/+/+/secret", "eval-users/+/+/***"},
    {"+/anna/+/secret", "+/anna/+/***"},
    {"users/anna/sessions/+", "users/anna/sessions/+"},
    {"users/anna/sessions/#", "users/anna/sessions/#"},
    {"users/anna/sessions/+/x", "users/anna/sessions/+/***"},
    {"users/anna/sessions//x", "users/anna/sessions/***/***"},
    {"evaluations/e/users/anna", "evaluations/e/users/anna"},
    {"evaluations/e/+/anna", "evaluations/e/+/anna"},
};

static void test_topic_mask_hides_the_session(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(MASKS); i++) {
        char out[100];

        invig_topic_mask(invig_text_of(MASKS[i].topic), out, sizeof(out));
        assert_string_equal(out, MASKS[i].expected);
    }
}

static void test_topic_mask_is_cut_to_the_room(void **state)
{
    const char *expected = "users/anna/sessions/***/***";

    (void)state;
    for (size_t capacity = 1; capacity <= strlen(expected) + 2; capacity++) {
        char *out = malloc(capacity);
        size_t length = capacity - 1 < strlen(expected) ? capacity - 1 : strlen(expected);

        assert_non_null(out);
        invig_topic_mask(invig_text_of("users/anna/sessions/secret/x"), out, capacity);
        assert_int_equal(strlen(out), length);
        assert_memory_equal(out, expected, length);
        free(out);
    }
}

static void test_topic_mask_of_nothing(void **state)
{
    char out[4] = "abc";

    (void)state;
    invig_topic_mask(invig_text_of("users/anna"), out, 0);
    assert_string_equal(out, "abc");
    invig_topic_mask((struct invig_text){NULL, 0}, out, sizeof(out));
    assert_string_equal(out, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_topic_names_have_their_kind),
        cmocka_unit_test(test_topic_names_not_ours_are_other),
        cmocka_unit_test(test_topic_filters_have_their_kind),
        cmocka_unit_test(test_topic_literal_filter_equals_name),
        cmocka_unit_test(test_topic_id_has_at_most_128_bytes),
        cmocka_unit_test(test_topic_longer_than_mqtt_allows_is_other),
        cmocka_unit_test(test_topic_with_nul_or_absent_is_other),
        cmocka_unit_test(test_topic_absent_prefix_is_empty),
        cmocka_unit_test(test_topic_mask_hides_the_session),
        cmocka_unit_test(test_topic_mask_is_cut_to_the_room),
        cmocka_unit_test(test_topic_mask_of_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
