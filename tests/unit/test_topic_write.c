/* SPDX-License-Identifier: Apache-2.0
 *
 * test_topic_write.c - names put together, and taken apart again.
 */
#include "invigilator/topic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

enum { KIND_COUNT = INVIG_TOPIC_CONTROL_RESPONSE + 1, PREFIX_BYTES_MAX = 256 };

/* The names of the ids "anna", "s1" and "e1" without a prefix; NULL where none can be written. */
static const char *const NAMES[KIND_COUNT] = {
    [INVIG_TOPIC_USER] = "users/anna",
    [INVIG_TOPIC_USER_SESSIONS] = "users/anna/sessions",
    [INVIG_TOPIC_USER_SESSION] = "users/anna/sessions/s1",
    [INVIG_TOPIC_EVALUATION] = "evaluations/e1",
    [INVIG_TOPIC_EVALUATION_USERS] = "evaluations/e1/users",
    [INVIG_TOPIC_EVALUATION_USER] = "evaluations/e1/users/anna",
    [INVIG_TOPIC_EVALUATION_PRESENCES] = "evaluations/e1/presence",
    [INVIG_TOPIC_EVALUATION_PRESENCE] = "evaluations/e1/presence/anna",
    [INVIG_TOPIC_EVALUATION_INCIDENTS] = "evaluations/e1/incidents",
    [INVIG_TOPIC_CONTROL] = "$CONTROL/invigilator/v1",
    [INVIG_TOPIC_CONTROL_RESPONSE] = "$CONTROL/invigilator/v1/response",
};

/* All ids are there, also those that a kind does not have. Views do not end in NUL. */
static struct invig_topic topic_of(int kind)
{
    return (struct invig_topic){.kind = (enum invig_topic_kind)kind,
                                .user = {"anna/", 4},
                                .session = {"s1/", 2},
                                .evaluation = {"e1/", 2}};
}

static size_t write_it(const char *prefix, const struct invig_topic *topic,
                       char out[INVIG_TOPIC_BYTES])
{
    memset(out, '?', INVIG_TOPIC_BYTES);
    return invig_topic_write(invig_text_of(prefix), topic, out);
}

static void assert_written(const char *prefix, const struct invig_topic *topic,
                           const char *expected)
{
    char out[INVIG_TOPIC_BYTES];
    size_t length = write_it(prefix, topic, out);

    assert_string_equal(out, expected);
    assert_int_equal(length, strlen(expected));
}

static void test_topic_write_each_kind(void **state)
{
    (void)state;
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        struct invig_topic topic = topic_of(kind);
        char prefixed[100];
        const char *name = NAMES[kind] == NULL ? "" : NAMES[kind];
        bool has_prefix = name[0] != '\0' && name[0] != '$';
        assert_written("", &topic, name);
        assert_written(NULL, &topic, name);
        snprintf(prefixed, sizeof prefixed, "%s%s", has_prefix ? "eval/" : "", name);
        assert_written("eval/", &topic, prefixed);
    }
}

static void test_topic_write_no_other_kind(void **state)
{
    static const int kinds[] = {KIND_COUNT, KIND_COUNT + 1, 1000, INT32_MAX, -1, INT32_MIN};

    (void)state;
    for (size_t i = 0; i < ROWS(kinds); i++) {
        struct invig_topic topic = topic_of(kinds[i]);
        assert_written("", &topic, "");
        assert_written("eval/", &topic, "");
    }
}

static bool same_view(struct invig_text a, struct invig_text b)
{
    return invig_text_equal(a, b) || (a.data == NULL && b.data == NULL);
}

/* Takes the written name apart; whatever the kind has is what was written. */
static void assert_round_trip(const char *prefix, const struct invig_topic *topic)
{
    char out[INVIG_TOPIC_BYTES];
    struct invig_topic found;

    assert_true(write_it(prefix, topic, out) > 0);
    invig_topic_parse_name(invig_text_of(prefix), invig_text_of(out), &found);
    if (found.kind != topic->kind || found.wildcard != INVIG_WILDCARD_NONE ||
        found.tree == INVIG_TREE_OTHER ||
        (found.user.data != NULL && !same_view(found.user, topic->user)) ||
        (found.session.data != NULL && !same_view(found.session, topic->session)) ||
        (found.evaluation.data != NULL && !same_view(found.evaluation, topic->evaluation))) {
        fail_msg("'%s' was taken apart into something else", out);
    }
}

/* The ids are also words that names have, and letters that could be taken for places of ids. */
static void test_topic_write_round_trip(void **state)
{
    static const char *const prefixes[] = {"", "eval/", "x-", "users/", "evaluations/e/"};
    static const char *const ids[] = {
        "a", "U", "S", "E", "users", "sessions", "presence", "incidents", "v1", "\xC3\xA4 b",
    };

    (void)state;
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        for (size_t i = 0; NAMES[kind] != NULL && i < 5 * 10 * 10 * 10; i++) {
            struct invig_topic topic = topic_of(kind);
            topic.user = invig_text_of(ids[i % 10]);
            topic.session = invig_text_of(ids[i / 10 % 10]);
            topic.evaluation = invig_text_of(ids[i / 100 % 10]);
            assert_round_trip(prefixes[i / 1000], &topic);
        }
    }
}

/* For each kind the ids that it has: an id that is none gives no name, one that it does not have
 * does not matter. */
static void test_topic_write_only_ids(void **state)
{
    static const char *const junk[] = {NULL, "", "a/b", "+", "#", "$a", "a\n", "\xFF"};

    (void)state;
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        const char *name = NAMES[kind] == NULL ? "" : NAMES[kind];
        for (size_t i = 0; i < ROWS(junk); i++) {
            struct invig_topic topic = topic_of(kind);
            topic.user = invig_text_of(junk[i]);
            assert_written("", &topic, strstr(name, "anna") != NULL ? "" : name);
            topic = topic_of(kind);
            topic.session = invig_text_of(junk[i]);
            assert_written("", &topic, strstr(name, "s1") != NULL ? "" : name);
            topic = topic_of(kind);
            topic.evaluation = invig_text_of(junk[i]);
            assert_written("", &topic, strstr(name, "e1") != NULL ? "" : name);
        }
    }
}

static void test_topic_write_ignores_tree_and_wildcard(void **state)
{
    struct invig_topic topic = topic_of(INVIG_TOPIC_USER);

    (void)state;
    topic.tree = INVIG_TREE_SYS;
    topic.wildcard = INVIG_WILDCARD_ANYWHERE;
    assert_written("", &topic, "users/anna");
}

static void test_topic_write_has_room(void **state)
{
    char prefix[INVIG_TOPIC_BYTES + 1];
    char id[INVIG_ID_BYTES_MAX + 1];
    char *out = malloc(INVIG_TOPIC_BYTES); /* so that a sanitizer sees a byte too much */
    struct invig_topic topic = topic_of(INVIG_TOPIC_EVALUATION_PRESENCE);
    size_t rest = strlen("evaluations/") + strlen("/presence/") + 2 * INVIG_ID_BYTES_MAX;

    (void)state;
    assert_non_null(out);
    memset(id, 'i', INVIG_ID_BYTES_MAX);
    id[INVIG_ID_BYTES_MAX] = '\0';
    topic.user = invig_text_of(id);
    topic.evaluation = invig_text_of(id);
    for (size_t length = PREFIX_BYTES_MAX; length <= INVIG_TOPIC_BYTES; length++) {
        bool fits = length + rest <= INVIG_TOPIC_BYTES - 1;
        memset(prefix, 'p', length);
        prefix[length] = '\0';
        assert_int_equal(write_it(prefix, &topic, out), fits ? length + rest : 0);
        assert_int_equal(strlen(out), fits ? length + rest : 0);
    }
    assert_true(PREFIX_BYTES_MAX + rest <= INVIG_TOPIC_BYTES - 1);
    free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_topic_write_each_kind),
        cmocka_unit_test(test_topic_write_no_other_kind),
        cmocka_unit_test(test_topic_write_round_trip),
        cmocka_unit_test(test_topic_write_only_ids),
        cmocka_unit_test(test_topic_write_ignores_tree_and_wildcard),
        cmocka_unit_test(test_topic_write_has_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
