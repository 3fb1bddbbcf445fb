/* SPDX-License-Identifier: Apache-2.0
 *
 * test_topic_oracle.c - core/topic and core/rights against a slow and simple restatement: a
 * recursive matcher as MQTT 5.0 section 4.7 describes it, and the rights table as literal filters.
 * Compared over all names and filters of up to LEVELS levels from a small set of levels.
 */
#include "invigilator/rights.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

enum { LEVELS = 5, TOPIC_BYTES = 100 };

/* The subject is user "a" with session "s" and evaluation "e"; "b" is anybody else. */
static const char *const WORDS[] = {"users",  "evaluations", "sessions", "presence", "incidents",
                                    "a",      "b",           "s",        "e",        "",
                                    "$share", "+",           "#"};
enum { WORDS_ALL = ROWS(WORDS), WORDS_OF_NAMES = WORDS_ALL - 2 };

static struct invig_subject subject_of(enum invig_role role)
{
    return (struct invig_subject){role, invig_text_of("a"), invig_text_of("s")};
}

/* What the subject is to the evaluation of a topic: of "e" a professor is the supervisor, a student
 * a participant. */
static enum invig_standing standing_of(enum invig_role role, const struct invig_topic *topic)
{
    if (!invig_text_equal(topic->evaluation, invig_text_of("e"))) {
        return INVIG_STANDING_NONE;
    }
    return role == INVIG_ROLE_PROFESSOR ? INVIG_STANDING_SUPERVISOR : INVIG_STANDING_PARTICIPANT;
}

static bool may_subscribe(const struct invig_subject *subject, const struct invig_topic *filter)
{
    return invig_rights_may_subscribe(subject, standing_of(subject->role, filter), filter);
}

static bool may_receive(const struct invig_subject *subject, const struct invig_topic *name)
{
    return invig_rights_may_receive(subject, standing_of(subject->role, name), name);
}

/* Steps through all topics of 1 to LEVELS levels. */
struct walk {
    size_t word_count;
    size_t levels_max;
    size_t levels;
    size_t word[LEVELS];
    char topic[TOPIC_BYTES];
};

static void walk_write(struct walk *walk)
{
    walk->topic[0] = '\0';
    for (size_t i = 0; i < walk->levels; i++) {
        size_t used = strlen(walk->topic);
        size_t bytes = strlen(WORDS[walk->word[i]]);

        assert_true(used + bytes + 2 < TOPIC_BYTES);
        if (i > 0) {
            walk->topic[used++] = '/';
        }
        memcpy(walk->topic + used, WORDS[walk->word[i]], bytes + 1);
    }
}

static bool walk_next(struct walk *walk)
{
    size_t i = 0;

    while (i < walk->levels && ++walk->word[i] == walk->word_count) {
        walk->word[i++] = 0;
    }
    if (i == walk->levels && ++walk->levels > walk->levels_max) {
        return false;
    }
    walk_write(walk);
    return true;
}

static struct walk walk_names(size_t levels_max)
{
    return (struct walk){.word_count = WORDS_OF_NAMES, .levels_max = levels_max};
}

static struct walk walk_filters(size_t levels_max)
{
    return (struct walk){.word_count = WORDS_ALL, .levels_max = levels_max};
}

/* Does `name` match `filter`? Both valid. '?' in a level of its own is our own word for "any id".
 */
static bool naive_match(const char *filter, const char *name)
{
    size_t level = strcspn(name, "/");

    if (strcmp(filter, "#") == 0) {
        return true;
    }
    if (*filter == '+' || *filter == '?') {
        if (*filter == '?' && (level == 0 || *name == '$')) {
            return false;
        }
        filter++;
        name += level;
    } else {
        while (*filter != '\0' && *filter != '/' && *filter == *name) {
            filter++;
            name++;
        }
    }
    if (*name == '\0' && (*filter == '\0' || strcmp(filter, "/#") == 0)) {
        return true;
    }
    return *filter == '/' && *name == '/' && naive_match(filter + 1, name + 1);
}

/* MQTT 5.0 section 4.7.2: a wildcard at the start does not match a name that begins with '$'. */
static bool naive_delivers(const char *filter, const char *name)
{
    bool is_wild = filter[0] == '+' || filter[0] == '#';

    return !(is_wild && name[0] == '$') && naive_match(filter, name);
}

/* Does `topic` match a filter of the list? A blank stands behind each. */
static bool is_listed(const char *list, const char *topic)
{
    char filter[TOPIC_BYTES];

    for (; *list != '\0'; list += strlen(filter) + 1) {
        size_t bytes = strcspn(list, " ");

        memcpy(filter, list, bytes);
        filter[bytes] = '\0';
        if (naive_match(filter, topic)) {
            return true;
        }
    }
    return false;
}

/* Filters are compared level by level, so here the wildcards in a list must be literal: they are
 * written as other bytes, in the list and in the filter. */
static bool is_listed_filter(const char *list, const char *filter)
{
    char plain[TOPIC_BYTES];
    size_t i;

    for (i = 0; filter[i] != '\0'; i++) {
        plain[i] = filter[i] == '+' ? '1' : filter[i] == '#' ? '2' : filter[i];
    }
    plain[i] = '\0';
    return is_listed(list, plain);
}

/* What each role may subscribe to; 1 for '+', 2 for '#', ? for any id. No other word of the walk
 * begins with a digit, but a '?' takes the two wildcards for ids: see LITERAL_ONLY. */
static const char STUDENT_FILTERS[] =
    "users/a users/a/1 users/a/2 users/a/sessions/s users/a/sessions/1 evaluations/e "
    "evaluations/?/users/a evaluations/?/users/a/2 ";
static const char PROFESSOR_FILTERS[] =
    "evaluations/e/2 evaluations/e/users/? evaluations/e/users/1 evaluations/e/presence/? "
    "evaluations/e/presence/1 evaluations/e/incidents ";
/* What '?' must not stand for. */
static const char LITERAL_ONLY[] =
    "evaluations/1/# evaluations/e/users/2 evaluations/e/presence/2 ";

/* Names, as MQTT filters. */
static const char OWN_NAMES[] = "users/a/# evaluations/e evaluations/?/users/a/# ";
static const char SUPERVISED_ANY[] = "evaluations/e/users/+/# evaluations/e/presence/+/# ";
static const char SUPERVISED_IDS[] = "evaluations/e/users/?/# evaluations/e/presence/?/# ";

static const char SERVICE_NAMES[] = "users/+/# evaluations/+/# ";
static const char SERVICE_IDS[] = "users/?/# evaluations/?/# ";
static const char SERVICE_INNER[] =
    "users/+/sessions/+/# evaluations/+/users/+/# evaluations/+/presence/+/# ";
static const char SERVICE_INNER_IDS[] =
    "users/+/sessions/?/# evaluations/+/users/?/# evaluations/+/presence/?/# ";
static const char SERVICE_PUBLISHES[] = "users/?/# evaluations/? evaluations/?/users/? ";

static bool naive_ids_are_good(const char *name)
{
    return is_listed(SERVICE_IDS, name) &&
           (!is_listed(SERVICE_INNER, name) || is_listed(SERVICE_INNER_IDS, name));
}

static bool naive_may_subscribe(int role, const char *filter)
{
    bool is_wild = strpbrk(filter, "+#") != NULL;
    bool is_ours = strncmp(filter, "users/", 6) == 0 || strncmp(filter, "evaluations/", 12) == 0;

    /* The words are whole levels, so this is the only wrong place for a wildcard. */
    if (strstr(filter, "#/") != NULL || !is_ours) {
        return false;
    }
    if (role == INVIG_ROLE_SERVICE) {
        return is_wild || naive_ids_are_good(filter);
    }
    if (is_listed_filter(LITERAL_ONLY, filter)) {
        return false;
    }
    return is_listed_filter(STUDENT_FILTERS, filter) ||
           (role == INVIG_ROLE_PROFESSOR && is_listed_filter(PROFESSOR_FILTERS, filter));
}

static bool naive_may_receive(int role, const char *name)
{
    bool is_supervised = naive_match("evaluations/e/#", name) &&
                         (!is_listed(SUPERVISED_ANY, name) || is_listed(SUPERVISED_IDS, name));

    if (role == INVIG_ROLE_SERVICE) {
        return is_listed(SERVICE_NAMES, name);
    }
    if (naive_match("users/a/sessions/+/#", name)) {
        return naive_match("users/a/sessions/s/#", name);
    }
    return is_listed(OWN_NAMES, name) || (role == INVIG_ROLE_PROFESSOR && is_supervised);
}

static bool naive_may_publish(int role, const char *name)
{
    return role == INVIG_ROLE_SERVICE && naive_ids_are_good(name) &&
           is_listed(SERVICE_PUBLISHES, name);
}

static void parse_filter(const char *filter, struct invig_topic *out_topic)
{
    invig_topic_parse_filter(invig_text_of(""), invig_text_of(filter), out_topic);
}

static void parse_name(const char *name, struct invig_topic *out_topic)
{
    invig_topic_parse_name(invig_text_of(""), invig_text_of(name), out_topic);
}

static void expect(const char *what, int role, const char *topic, bool actual, bool expected)
{
    if (actual != expected) {
        fail_msg("%s, role %d, topic '%s': is %d, expected %d", what, role, topic, actual,
                 expected);
    }
}

static void test_topic_oracle_matcher_is_right(void **state)
{
    static const struct {
        const char *filter;
        const char *name;
        bool expected;
    } CASES[] = {
        {"a/b/#", "a/b", true},     {"a/b/#", "a/b/c/d", true}, {"a/b/#", "a/bc", false},
        {"a/+", "a/b", true},       {"a/+", "a", false},        {"a/+", "a/", true},
        {"a/+", "a/b/c", false},    {"+/+", "/a", true},        {"/+", "/a", true},
        {"+", "/a", false},         {"#", "$SYS/x", false},     {"+/x", "$SYS/x", false},
        {"$SYS/#", "$SYS/x", true}, {"a", "ab", false},         {"ab", "a", false},
        {"+/b/#", "a/b", true},     {"a//b", "a//b", true},     {"a/+/b", "a//b", true},
        {"a/?", "a/", false},       {"a/?", "a/$x", false},     {"a/?/c", "a/b/c", true},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(CASES); i++) {
        expect(CASES[i].filter, 0, CASES[i].name, naive_delivers(CASES[i].filter, CASES[i].name),
               CASES[i].expected);
    }
}

static void test_topic_oracle_subscribe(void **state)
{
    struct walk walk = walk_filters(LEVELS);

    (void)state;
    while (walk_next(&walk)) {
        struct invig_topic filter;

        parse_filter(walk.topic, &filter);
        for (int role = INVIG_ROLE_STUDENT; role <= INVIG_ROLE_SERVICE; role++) {
            struct invig_subject subject = subject_of((enum invig_role)role);

            expect("subscribe", role, walk.topic, may_subscribe(&subject, &filter),
                   naive_may_subscribe(role, walk.topic));
        }
    }
}

static void test_topic_oracle_receive_and_publish(void **state)
{
    struct walk walk = walk_filters(LEVELS);

    (void)state;
    while (walk_next(&walk)) {
        struct invig_topic name;
        bool is_name = strpbrk(walk.topic, "+#") == NULL;

        parse_name(walk.topic, &name);
        for (int role = INVIG_ROLE_STUDENT; role <= INVIG_ROLE_SERVICE; role++) {
            struct invig_subject subject = subject_of((enum invig_role)role);

            expect("receive", role, walk.topic, may_receive(&subject, &name),
                   is_name && naive_may_receive(role, walk.topic));
            expect("publish", role, walk.topic, invig_rights_may_publish(&subject, &name),
                   is_name && naive_may_publish(role, walk.topic));
        }
    }
}

/* Whatever a student may subscribe to: the names that it matches, and that he may receive, are his
 * own or those of an evaluation of his. */
static void test_topic_oracle_no_filter_reaches_others(void **state)
{
    struct invig_subject student = subject_of(INVIG_ROLE_STUDENT);
    struct walk filters = walk_filters(LEVELS);
    size_t allowed_count = 0;

    (void)state;
    while (walk_next(&filters)) {
        struct walk names = walk_names(4);
        struct invig_topic topic;

        parse_filter(filters.topic, &topic);
        if (!may_subscribe(&student, &topic)) {
            continue;
        }
        allowed_count++;
        while (walk_next(&names)) {
            if (!naive_delivers(filters.topic, names.topic)) {
                continue;
            }
            parse_name(names.topic, &topic);
            expect(filters.topic, 1, names.topic,
                   may_receive(&student, &topic) && !is_listed(OWN_NAMES, names.topic), false);
        }
    }
    /* Six without "?", and the two with it once for each of the nine ids among the words. */
    assert_int_equal(allowed_count, 6 + 2 * 9);
}

/* A filter in a tree of ours matches names of that tree only, but for the one that '#' matches
 * because it is the parent of the tree, as users of users/#. */
static void test_topic_oracle_filter_stays_in_its_tree(void **state)
{
    struct walk filters = walk_filters(3);

    (void)state;
    while (walk_next(&filters)) {
        struct walk names = walk_names(4);
        struct invig_topic filter;

        parse_filter(filters.topic, &filter);
        if (filter.tree == INVIG_TREE_OTHER) {
            continue;
        }
        while (walk_next(&names)) {
            struct invig_topic name;

            if (strchr(names.topic, '/') == NULL || !naive_delivers(filters.topic, names.topic)) {
                continue;
            }
            parse_name(names.topic, &name);
            assert_int_equal(name.tree, filter.tree);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_topic_oracle_matcher_is_right),
        cmocka_unit_test(test_topic_oracle_subscribe),
        cmocka_unit_test(test_topic_oracle_receive_and_publish),
        cmocka_unit_test(test_topic_oracle_no_filter_reaches_others),
        cmocka_unit_test(test_topic_oracle_filter_stays_in_its_tree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
