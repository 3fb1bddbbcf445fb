/* SPDX-License-Identifier: Apache-2.0
 *
 * test_control.c - commands, member by member.
 */
#include "invigilator/control.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

enum { MEMBERS_MAX = 8 };

/* A command as it came. */
struct given {
    const char *name;
    struct invig_value value;
};

struct fixture {
    struct given members[MEMBERS_MAX];
    size_t count;
    struct invig_command command;
    char error[INVIG_CONTROL_ERROR_BYTES];
};

static void fixture_get(void *context, const char *name, struct invig_value *out_value)
{
    const struct fixture *fixture = context;

    memset(out_value, 0xEE, sizeof *out_value);
    out_value->kind = INVIG_VALUE_ABSENT;
    for (size_t i = 0; i < fixture->count; i++) {
        if (strcmp(fixture->members[i].name, name) == 0) {
            *out_value = fixture->members[i].value;
        }
    }
}

static int setup(void **state)
{
    static struct fixture fixture;

    memset(&fixture, 0, sizeof fixture);
    *state = &fixture;
    return 0;
}

/* Puts a member, or replaces it. */
static struct invig_value *put(struct fixture *fixture, const char *name,
                               enum invig_value_kind kind)
{
    size_t i = 0;

    while (i < fixture->count && strcmp(fixture->members[i].name, name) != 0) {
        i++;
    }
    assert_true(i < MEMBERS_MAX);
    fixture->count = i == fixture->count ? i + 1 : fixture->count;
    fixture->members[i] = (struct given){name, {.kind = kind}};
    return &fixture->members[i].value;
}

static void put_text(struct fixture *fixture, const char *name, struct invig_text value)
{
    put(fixture, name, INVIG_VALUE_STRING)->string = value;
}

static void put_string(struct fixture *fixture, const char *name, const char *value)
{
    put_text(fixture, name, invig_text_of(value));
}

static void put_integer(struct fixture *fixture, const char *name, int64_t value)
{
    put(fixture, name, INVIG_VALUE_INTEGER)->integer = value;
}

static void put_boolean(struct fixture *fixture, const char *name, bool value)
{
    put(fixture, name, INVIG_VALUE_BOOLEAN)->boolean = value;
}

static void drop(struct fixture *fixture, const char *name)
{
    for (size_t i = 0; i < fixture->count; i++) {
        if (strcmp(fixture->members[i].name, name) == 0) {
            fixture->members[i] = fixture->members[--fixture->count];
            return;
        }
    }
    fail_msg("%s is not there", name);
}

/* Starts a command: all that it needs. */
static void begin(struct fixture *fixture, const char *word)
{
    fixture->count = 0;
    put_string(fixture, "command", word);
    if (strcmp(word, "invalidateSession") == 0) {
        put_string(fixture, "sessionId", "s1");
    }
    if (strcmp(word, "unblock") == 0 || strcmp(word, "getEvaluation") == 0) {
        put_string(fixture, "evaluationId", "e1");
    }
    if (strcmp(word, "invalidateSession") == 0 || strcmp(word, "invalidateUser") == 0 ||
        strcmp(word, "unblock") == 0 || strcmp(word, "getUser") == 0) {
        put_string(fixture, "userId", "anna");
    }
}

static bool is_read(struct fixture *fixture)
{
    const struct invig_value_source source = {
        .context = fixture, .member_count = fixture->count, .get = fixture_get};

    memset(&fixture->command, 0xEE, sizeof fixture->command);
    memset(fixture->error, 0xEE, sizeof fixture->error);
    return invig_command_read(&source, &fixture->command, fixture->error);
}

static void assert_read(struct fixture *fixture)
{
    if (!is_read(fixture)) {
        fail_msg("%s", fixture->error);
    }
}

/* Nothing of a malformed command is left. */
static void assert_malformed(struct fixture *fixture, const char *error)
{
    static const struct invig_command nothing;

    assert_false(is_read(fixture));
    assert_string_equal(fixture->error, error);
    assert_memory_equal(&fixture->command, &nothing, sizeof nothing);
}

#define ID                                                                                         \
    " must be an id: 1 to 128 bytes without control characters, '/', '+', '#' and a leading '$'"
#define ID_OR_NULL                                                                                 \
    " must be null or an id: 1 to 128 bytes without control characters, '/', '+', '#' and a "      \
    "leading '$'"

static void assert_command(const struct fixture *fixture, const struct invig_command *expected)
{
    const struct invig_command *command = &fixture->command;

    assert_int_equal(command->kind, expected->kind);
    assert_string_equal(command->user, expected->user);
    assert_string_equal(command->evaluation, expected->evaluation);
    assert_int_equal(command->session_said, expected->session_said);
    assert_string_equal(command->session, expected->session);
    assert_int_equal(command->has_except, expected->has_except);
    assert_string_equal(command->except_session, expected->except_session);
    assert_int_equal(command->unless_bound, expected->unless_bound);
    assert_int_equal(command->has_before, expected->has_before);
    assert_int_equal(command->before_s, expected->before_s);
    assert_int_equal(command->offset, expected->offset);
    assert_int_equal(command->count, expected->count);
}

static void test_control_least(void **state)
{
    static const struct {
        const char *word;
        struct invig_command expected;
    } rows[] = {
        {"invalidateSession",
         {.kind = INVIG_COMMAND_INVALIDATE_SESSION,
          .user = "anna",
          .session_said = INVIG_SAID_VALUE,
          .session = "s1"}},
        {"invalidateUser", {.kind = INVIG_COMMAND_INVALIDATE_USER, .user = "anna"}},
        {"unblock", {.kind = INVIG_COMMAND_UNBLOCK, .user = "anna", .evaluation = "e1"}},
        {"getUser", {.kind = INVIG_COMMAND_GET_USER, .user = "anna"}},
        {"getEvaluation",
         {.kind = INVIG_COMMAND_GET_EVALUATION, .evaluation = "e1", .count = 1000}},
        {"listSessions", {.kind = INVIG_COMMAND_LIST_SESSIONS, .count = 1000}},
        {"getStats", {.kind = INVIG_COMMAND_GET_STATS}},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ROWS(rows); i++) {
        begin(fixture, rows[i].word);
        assert_read(fixture);
        assert_command(fixture, &rows[i].expected);
        put_string(fixture, "correlationData", "1");
        assert_read(fixture);
        assert_command(fixture, &rows[i].expected);
    }
}

static void test_control_full(void **state)
{
    struct fixture *fixture = *state;

    begin(fixture, "invalidateUser");
    put_string(fixture, "exceptSessionId", "s2");
    put_boolean(fixture, "unlessBound", true);
    put_integer(fixture, "before", 1800000000);
    put_string(fixture, "correlationData", "");
    assert_read(fixture);
    assert_command(fixture, &(struct invig_command){.kind = INVIG_COMMAND_INVALIDATE_USER,
                                                    .user = "anna",
                                                    .has_except = true,
                                                    .except_session = "s2",
                                                    .unless_bound = true,
                                                    .has_before = true,
                                                    .before_s = 1800000000});
    put_boolean(fixture, "unlessBound", false);
    assert_read(fixture);
    assert_false(fixture->command.unless_bound);

    begin(fixture, "getEvaluation");
    put_integer(fixture, "offset", 7);
    put_integer(fixture, "count", 3);
    assert_read(fixture);
    assert_command(fixture, &(struct invig_command){.kind = INVIG_COMMAND_GET_EVALUATION,
                                                    .evaluation = "e1",
                                                    .offset = 7,
                                                    .count = 3});
    begin(fixture, "listSessions");
    put_integer(fixture, "offset", 0);
    put_integer(fixture, "count", 1);
    assert_read(fixture);
    assert_command(fixture,
                   &(struct invig_command){.kind = INVIG_COMMAND_LIST_SESSIONS, .count = 1});
}

static void test_control_unblock_session(void **state)
{
    struct fixture *fixture = *state;

    begin(fixture, "unblock");
    put_string(fixture, "sessionId", "s2");
    assert_read(fixture);
    assert_int_equal(fixture->command.session_said, INVIG_SAID_VALUE);
    assert_string_equal(fixture->command.session, "s2");
    (void)put(fixture, "sessionId", INVIG_VALUE_NULL);
    assert_read(fixture);
    assert_int_equal(fixture->command.session_said, INVIG_SAID_NULL);
    assert_string_equal(fixture->command.session, "");
    put_string(fixture, "sessionId", "");
    assert_malformed(fixture, "sessionId" ID_OR_NULL);
    put_boolean(fixture, "sessionId", false);
    assert_malformed(fixture, "sessionId" ID_OR_NULL);
}

static void test_control_word(void **state)
{
    static const char *const words[] = {"",        "GetStats", "getstats", "getStats ",
                                        "getStat", "none",     "command",  "invalidatesession"};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ROWS(words); i++) {
        begin(fixture, words[i]);
        assert_malformed(fixture, "command must be one that is known");
    }
    put_text(fixture, "command", (struct invig_text){"getStats\0", 9});
    assert_malformed(fixture, "command must be one that is known");
    put_text(fixture, "command", (struct invig_text){"getStatsX", 8});
    assert_read(fixture);
    (void)put(fixture, "command", INVIG_VALUE_NULL);
    assert_malformed(fixture, "command must be a string");
    fixture->count = 0;
    assert_malformed(fixture, "command is missing");
}

static void test_control_needs(void **state)
{
    static const struct {
        const char *word;
        const char *name;
        const char *error;
    } rows[] = {
        {"invalidateSession", "userId", "userId is missing"},
        {"invalidateSession", "sessionId", "sessionId is missing"},
        {"invalidateUser", "userId", "userId is missing"},
        {"unblock", "userId", "userId is missing"},
        {"unblock", "evaluationId", "evaluationId is missing"},
        {"getUser", "userId", "userId is missing"},
        {"getEvaluation", "evaluationId", "evaluationId is missing"},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ROWS(rows); i++) {
        begin(fixture, rows[i].word);
        drop(fixture, rows[i].name);
        assert_malformed(fixture, rows[i].error);
    }
}

/* The members that hold ids, in all commands that have them. */
static const struct {
    const char *word;
    const char *name;
    const char *error;
} IDS[] = {
    {"invalidateSession", "userId", "userId" ID},
    {"invalidateSession", "sessionId", "sessionId" ID},
    {"invalidateUser", "userId", "userId" ID},
    {"invalidateUser", "exceptSessionId", "exceptSessionId" ID},
    {"unblock", "userId", "userId" ID},
    {"unblock", "evaluationId", "evaluationId" ID},
    {"unblock", "sessionId", "sessionId" ID_OR_NULL},
    {"getUser", "userId", "userId" ID},
    {"getEvaluation", "evaluationId", "evaluationId" ID},
};

static void test_control_ids(void **state)
{
    static const struct invig_text values[] = {
        {"", 0}, {"a/b", 3}, {"+", 1}, {"a#", 2}, {"$a", 2}, {"a\0b", 3}, {"a\n", 2}, {"\xFF", 1},
    };
    static char longest[INVIG_ID_BYTES_MAX + 1];
    struct fixture *fixture = *state;

    memset(longest, 'a', sizeof longest);
    for (size_t i = 0; i < ROWS(IDS); i++) {
        begin(fixture, IDS[i].word);
        for (size_t k = 0; k < ROWS(values); k++) {
            put_text(fixture, IDS[i].name, values[k]);
            assert_malformed(fixture, IDS[i].error);
        }
        put_text(fixture, IDS[i].name, (struct invig_text){longest, sizeof longest});
        assert_malformed(fixture, IDS[i].error);
        put_text(fixture, IDS[i].name, (struct invig_text){longest, sizeof longest - 1});
        assert_read(fixture);
        put_text(fixture, IDS[i].name, (struct invig_text){"abc", 2});
        assert_read(fixture);
    }
    assert_string_equal(fixture->command.evaluation, "ab");
}

static void test_control_ids_are_strings(void **state)
{
    static const enum invig_value_kind kinds[] = {
        INVIG_VALUE_INTEGER, INVIG_VALUE_STRINGS, INVIG_VALUE_BOOLEAN,
        INVIG_VALUE_NULL,    INVIG_VALUE_OTHER,   (enum invig_value_kind)99,
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ROWS(IDS); i++) {
        bool may_be_null = strcmp(IDS[i].error, "sessionId" ID_OR_NULL) == 0;
        begin(fixture, IDS[i].word);
        for (size_t k = 0; k < ROWS(kinds); k++) {
            struct invig_value *value = put(fixture, IDS[i].name, kinds[k]);
            value->string = invig_text_of("anna"); /* of no meaning with these kinds */
            if (kinds[k] != INVIG_VALUE_NULL || !may_be_null) {
                assert_malformed(fixture, IDS[i].error);
            }
        }
    }
}

#define BEFORE_ERROR "before must be an integer from 0 to 253402300799, Unix seconds"
#define COUNT_ERROR  "count must be an integer from 1 to 1000"
#define OFFSET_ERROR "offset must be an integer from 0"

static void test_control_integers(void **state)
{
    static const struct {
        const char *word;
        const char *name;
        int64_t value;
        const char *error; /* NULL where there is none */
    } rows[] = {
        {"invalidateUser", "before", -1, BEFORE_ERROR},
        {"invalidateUser", "before", 0, NULL},
        {"invalidateUser", "before", INVIG_TIME_S_MAX, NULL},
        {"invalidateUser", "before", INVIG_TIME_S_MAX + 1, BEFORE_ERROR},
        {"getEvaluation", "count", 0, COUNT_ERROR},
        {"getEvaluation", "count", 1, NULL},
        {"getEvaluation", "count", 1000, NULL},
        {"getEvaluation", "count", 1001, COUNT_ERROR},
        {"getEvaluation", "count", -1, COUNT_ERROR},
        {"getEvaluation", "offset", -1, OFFSET_ERROR},
        {"getEvaluation", "offset", 0, NULL},
        {"getEvaluation", "offset", INT64_MAX, NULL},
        {"listSessions", "count", 0, COUNT_ERROR},
        {"listSessions", "count", 1001, COUNT_ERROR},
        {"listSessions", "offset", -1, OFFSET_ERROR},
        {"listSessions", "offset", INT64_MAX, NULL},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ROWS(rows); i++) {
        begin(fixture, rows[i].word);
        put_integer(fixture, rows[i].name, rows[i].value);
        if (rows[i].error != NULL) {
            assert_malformed(fixture, rows[i].error);
        } else {
            assert_read(fixture);
            assert_int_equal(fixture->command.before_s + fixture->command.offset,
                             strcmp(rows[i].name, "count") == 0 ? 0 : rows[i].value);
            assert_int_equal(fixture->command.has_before, strcmp(rows[i].name, "before") == 0);
        }
    }
}

static void test_control_other_members_have_their_kind(void **state)
{
    static const struct {
        const char *word;
        const char *name;
        enum invig_value_kind kind;
        const char *error;
    } rows[] = {
        {"invalidateUser", "before", INVIG_VALUE_INTEGER, BEFORE_ERROR},
        {"invalidateUser", "unlessBound", INVIG_VALUE_BOOLEAN, "unlessBound must be true or false"},
        {"getEvaluation", "offset", INVIG_VALUE_INTEGER, OFFSET_ERROR},
        {"getEvaluation", "count", INVIG_VALUE_INTEGER, COUNT_ERROR},
        {"getStats", "correlationData", INVIG_VALUE_STRING,
         "correlationData must be a string of at most 256 bytes"},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ROWS(rows); i++) {
        begin(fixture, rows[i].word);
        for (int kind = INVIG_VALUE_STRING; kind < INVIG_VALUE_ERROR; kind++) {
            struct invig_value *value = put(fixture, rows[i].name, (enum invig_value_kind)kind);
            value->integer = 1; /* of no meaning but with its own kind */
            value->boolean = true;
            value->string = invig_text_of("1");
            if (kind == (int)rows[i].kind) {
                assert_read(fixture);
            } else {
                assert_malformed(fixture, rows[i].error);
            }
        }
    }
}

static void test_control_correlation_data(void **state)
{
    static char longest[INVIG_CORRELATION_BYTES_MAX + 1];
    struct fixture *fixture = *state;

    memset(longest, '/', sizeof longest);
    begin(fixture, "getStats");
    put_text(fixture, "correlationData", (struct invig_text){longest, sizeof longest - 1});
    assert_read(fixture);
    put_text(fixture, "correlationData", (struct invig_text){longest, sizeof longest});
    assert_malformed(fixture, "correlationData must be a string of at most 256 bytes");
}

/* Whether a command may have an optional member, for all pairs of them. */
static void test_control_refuses_members_of_others(void **state)
{
    static const struct {
        const char *name;
        const char *words; /* of the commands that have it */
    } rows[] = {
        {"userId", "invalidateSession invalidateUser unblock getUser"},
        {"sessionId", "invalidateSession unblock"},
        {"evaluationId", "unblock getEvaluation"},
        {"exceptSessionId", "invalidateUser"},
        {"unlessBound", "invalidateUser"},
        {"before", "invalidateUser"},
        {"offset", "getEvaluation listSessions"},
        {"count", "getEvaluation listSessions"},
        {"correlationData", "invalidateSession invalidateUser unblock getUser getEvaluation "
                            "listSessions getStats"},
        {"unlessbound", ""},
        {"exceptSessionID", ""},
        {"Before", ""},
        {"", ""},
    };
    static const char *const words[] = {"invalidateSession", "invalidateUser", "unblock", "getUser",
                                        "getEvaluation",     "listSessions",   "getStats"};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ROWS(rows); i++) {
        for (size_t k = 0; k < ROWS(words); k++) {
            bool is_integer = strstr("before offset count", rows[i].name) != NULL;
            begin(fixture, words[k]);
            if (strcmp(rows[i].name, "unlessBound") == 0) {
                put_boolean(fixture, rows[i].name, true);
            } else if (is_integer) {
                put_integer(fixture, rows[i].name, 1);
            } else {
                put_string(fixture, rows[i].name, "x1");
            }
            print_message("%s in %s\n", rows[i].name, words[k]);
            if (strstr(rows[i].words, words[k]) != NULL) {
                assert_read(fixture);
            } else {
                assert_malformed(fixture, "a member that this command does not have");
            }
        }
    }
}

/* A source that does not count cannot rule a misspelt member out. */
static void test_control_source_must_count(void **state)
{
    struct fixture *fixture = *state;
    const struct invig_value_source source = {.context = fixture, .get = fixture_get};

    begin(fixture, "invalidateUser");
    assert_false(invig_command_read(&source, &fixture->command, fixture->error));
    assert_string_equal(fixture->error, "a member that this command does not have");
}

static void test_control_without_memory(void **state)
{
    static const struct {
        const char *word;
        const char *name;
    } rows[] = {
        {"getStats", "command"},
        {"getStats", "correlationData"},
        {"getUser", "userId"},
        {"unblock", "evaluationId"},
        {"invalidateSession", "sessionId"},
        {"unblock", "sessionId"},
        {"invalidateUser", "before"},
        {"invalidateUser", "unlessBound"},
        {"invalidateUser", "exceptSessionId"},
        {"listSessions", "offset"},
        {"listSessions", "count"},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ROWS(rows); i++) {
        begin(fixture, rows[i].word);
        struct invig_value *value = put(fixture, rows[i].name, INVIG_VALUE_ERROR);
        value->string = invig_text_of("anna");
        value->integer = 1;
        assert_malformed(fixture, "out of memory");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_control_least, setup),
        cmocka_unit_test_setup(test_control_full, setup),
        cmocka_unit_test_setup(test_control_unblock_session, setup),
        cmocka_unit_test_setup(test_control_word, setup),
        cmocka_unit_test_setup(test_control_needs, setup),
        cmocka_unit_test_setup(test_control_ids, setup),
        cmocka_unit_test_setup(test_control_ids_are_strings, setup),
        cmocka_unit_test_setup(test_control_integers, setup),
        cmocka_unit_test_setup(test_control_other_members_have_their_kind, setup),
        cmocka_unit_test_setup(test_control_correlation_data, setup),
        cmocka_unit_test_setup(test_control_refuses_members_of_others, setup),
        cmocka_unit_test_setup(test_control_source_must_count, setup),
        cmocka_unit_test_setup(test_control_without_memory, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
