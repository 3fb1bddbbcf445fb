/* SPDX-License-Identifier: Apache-2.0
 *
 * test_update.c - messages of the backend: what they say, and what is wrong with them.
 */
#include "invigilator/update.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ROWS(table)      (sizeof(table) / sizeof((table)[0]))
#define TEST(name)       cmocka_unit_test_setup_teardown(name, message_setup, message_teardown)
#define STRING(string)   INVIG_VALUE_STRING, (string), 0
#define INTEGER(integer) INVIG_VALUE_INTEGER, NULL, (integer)
#define BOOLEAN(boolean) INVIG_VALUE_BOOLEAN, NULL, (boolean)
#define KIND(name)       INVIG_VALUE_##name, NULL, 0

#define TIME_ERROR(name) name " must be a time in UTC like 2026-11-24T09:30:00Z, or null"

enum { MEMBERS_MAX = 12 };

struct member {
    const char *name;
    enum invig_value_kind kind;
    const char *string;
    int64_t integer; /* also of a boolean */
};

/* A message, the topic that it comes on, and what became of it. */
struct message {
    size_t count;
    struct member members[MEMBERS_MAX];
    char lent[4096]; /* the string that was given last */
    struct invig_policy policy;
    struct invig_topic topic;
    struct invig_update update;
    char error[INVIG_UPDATE_ERROR_BYTES];
};

/* Texts are borrowed until the next call, and not a moment longer. */
static void message_get(void *context, const char *name, struct invig_value *out_value)
{
    struct message *message = context;

    memset(out_value, 0, sizeof *out_value);
    memset(message->lent, '?', sizeof message->lent);
    for (size_t i = 0; i < message->count; i++) {
        const struct member *member = &message->members[i];
        if (strcmp(member->name, name) != 0) {
            continue;
        }
        out_value->kind = member->kind;
        out_value->integer = member->integer;
        out_value->boolean = member->kind == INVIG_VALUE_BOOLEAN && member->integer != 0;
        if (member->string != NULL) {
            size_t length = strlen(member->string);
            memcpy(message->lent, member->string, length);
            out_value->string = (struct invig_text){message->lent, length};
        }
    }
}

static void put(struct message *message, struct member member)
{
    size_t i = 0;

    while (i < message->count && strcmp(message->members[i].name, member.name) != 0) {
        i++;
    }
    assert_true(i < MEMBERS_MAX);
    message->members[i] = member;
    message->count += i == message->count;
}

static int message_setup(void **state)
{
    static struct message message;

    memset(&message, 0, sizeof message);
    *state = &message;
    return invig_policy_init(&message.policy) == INVIG_OK ? 0 : -1;
}

static int message_teardown(void **state)
{
    struct message *message = *state;

    invig_policy_deinit(&message->policy);
    return 0;
}

/* Starts over with the least that a topic of this kind takes. */
static void make(struct message *message, enum invig_topic_kind kind)
{
    bool is_user = kind == INVIG_TOPIC_EVALUATION_USER;

    message->count = 0;
    message->topic = (struct invig_topic){.tree = INVIG_TREE_EVALUATIONS, .kind = kind};
    message->topic.evaluation = (struct invig_text){"e1/", 2};
    put(message, (struct member){"type", STRING("EVALUATION_UPDATE")});
    put(message, (struct member){"evaluationId", STRING("e1")});
    if (is_user) {
        message->topic.user = (struct invig_text){"anna/", 4};
        put(message, (struct member){"userId", STRING("anna")});
    } else {
        put(message, (struct member){"phase", STRING("REGISTRATION")});
    }
}

static bool read_it(struct message *message)
{
    const struct invig_value_source source = {
        .context = message, .member_count = message->count, .get = message_get};

    memset(&message->update, 0xAA, sizeof message->update);
    memset(message->error, 0, sizeof message->error);
    bool is_valid = invig_update_read(&source, &message->topic, &message->policy, &message->update,
                                      message->error);
    memset(message->lent, '?', sizeof message->lent);
    return is_valid;
}

static void assert_read(struct message *message)
{
    if (!read_it(message)) {
        fail_msg("%s", message->error);
    }
}

static void assert_refused(struct message *message, const char *expected)
{
    static const struct invig_update zero;

    if (read_it(message)) {
        fail_msg("accepted, expected: %s", expected);
    }
    assert_string_equal(message->error, expected);
    assert_memory_equal(&message->update, &zero, sizeof zero);
}

static void test_update_least_says_nothing_more(void **state)
{
    struct message *message = *state;

    make(message, INVIG_TOPIC_EVALUATION);
    assert_read(message);
    assert_int_equal(message->update.phase, 3);
    assert_false(message->update.has_version || message->update.has_strict);
    assert_int_equal(message->update.end_at_said, INVIG_SAID_NOTHING);
    make(message, INVIG_TOPIC_EVALUATION_USER);
    assert_read(message);
    assert_false(message->update.has_version || message->update.unblock);
    assert_int_equal(message->update.progress, INVIG_PROGRESS_UNSAID);
    assert_int_equal(message->update.access, INVIG_ACCESS_UNSAID);
    assert_int_equal(message->update.session_said, INVIG_SAID_NOTHING);
    assert_int_equal(message->update.end_at_said, INVIG_SAID_NOTHING);
    assert_string_equal(message->update.session, "");
}

static void test_update_full_evaluation(void **state)
{
    struct message *message = *state;

    make(message, INVIG_TOPIC_EVALUATION);
    put(message, (struct member){"phase", STRING("FINISHED")});
    put(message, (struct member){"startAt", STRING("2026-11-24T09:30:00Z")});
    put(message, (struct member){"endAt", STRING("2026-11-24T11:30:00.123456789Z")});
    put(message, (struct member){"strict", BOOLEAN(1)});
    put(message, (struct member){"version", INTEGER(INT64_MAX)});
    assert_read(message);
    assert_int_equal(message->update.phase, 6);
    assert_int_equal(message->update.end_at_said, INVIG_SAID_VALUE);
    assert_string_equal(message->update.end_at, "2026-11-24T11:30:00.123456789Z");
    assert_true(message->update.has_strict && message->update.strict);
    assert_true(message->update.has_version);
    assert_int_equal(message->update.version, INT64_MAX);

    put(message, (struct member){"startAt", KIND(NULL)});
    put(message, (struct member){"endAt", KIND(NULL)});
    put(message, (struct member){"strict", BOOLEAN(0)});
    put(message, (struct member){"version", INTEGER(0)});
    assert_read(message);
    assert_int_equal(message->update.end_at_said, INVIG_SAID_NULL);
    assert_true(message->update.has_strict && !message->update.strict);
    assert_true(message->update.has_version && message->update.version == 0);
}

static void test_update_full_evaluation_user(void **state)
{
    struct message *message = *state;

    make(message, INVIG_TOPIC_EVALUATION_USER);
    put(message, (struct member){"status", STRING("FINISHED")});
    put(message, (struct member){"access", STRING("ALLOWED")});
    put(message, (struct member){"unblock", BOOLEAN(1)});
    put(message, (struct member){"sessionId", STRING("s1")});
    put(message, (struct member){"endAt", STRING("2026-11-24T11:30:00Z")});
    put(message, (struct member){"version", INTEGER(7)});
    assert_read(message);
    assert_int_equal(message->update.progress, INVIG_PROGRESS_FINISHED);
    assert_int_equal(message->update.access, INVIG_ACCESS_ALLOWED);
    assert_true(message->update.unblock);
    assert_int_equal(message->update.session_said, INVIG_SAID_VALUE);
    assert_string_equal(message->update.session, "s1");
    assert_int_equal(message->update.end_at_said, INVIG_SAID_VALUE);
    assert_string_equal(message->update.end_at, "2026-11-24T11:30:00Z");
    assert_true(message->update.has_version && message->update.version == 7);

    put(message, (struct member){"status", KIND(NULL)});
    put(message, (struct member){"access", STRING("DENIED")});
    put(message, (struct member){"unblock", KIND(ABSENT)});
    put(message, (struct member){"sessionId", KIND(NULL)});
    put(message, (struct member){"endAt", KIND(NULL)});
    assert_read(message);
    assert_int_equal(message->update.progress, INVIG_PROGRESS_CLEARED);
    assert_int_equal(message->update.access, INVIG_ACCESS_DENIED);
    assert_false(message->update.unblock);
    assert_int_equal(message->update.session_said, INVIG_SAID_NULL);
    assert_string_equal(message->update.session, "");
    assert_int_equal(message->update.end_at_said, INVIG_SAID_NULL);

    put(message, (struct member){"status", STRING("IN_PROGRESS")});
    put(message, (struct member){"access", STRING("BLOCKED")});
    assert_read(message);
    assert_int_equal(message->update.progress, INVIG_PROGRESS_IN_PROGRESS);
    assert_int_equal(message->update.access, INVIG_ACCESS_BLOCKED);
}

static const struct wrong {
    struct member member;
    const char *error;
} WRONG_BOTH[] = {
    {{"type", KIND(ABSENT)}, "type is missing"},
    {{"type", KIND(NULL)}, "type must be a string"},
    {{"type", INTEGER(1)}, "type must be a string"},
    {{"type", STRING("")}, "type must be EVALUATION_UPDATE"},
    {{"type", STRING("evaluation_update")}, "type must be EVALUATION_UPDATE"},
    {{"type", STRING("EVALUATION_UPDATES")}, "type must be EVALUATION_UPDATE"},
    {{"type", KIND(ERROR)}, "out of memory"},
    {{"evaluationId", KIND(ABSENT)}, "evaluationId is missing"},
    {{"evaluationId", INTEGER(1)}, "evaluationId must be a string"},
    {{"evaluationId", STRING("e")}, "evaluationId is not the one in the topic"},
    {{"evaluationId", STRING("e1/")}, "evaluationId is not the one in the topic"},
    {{"evaluationId", STRING("E1")}, "evaluationId is not the one in the topic"},
    {{"evaluationId", KIND(ERROR)}, "out of memory"},
    {{"endAt", STRING("")}, TIME_ERROR("endAt")},
    {{"endAt", STRING("2026-11-24T09:30:00+01:00")}, TIME_ERROR("endAt")},
    {{"endAt", STRING("2026-02-29T09:30:00Z")}, TIME_ERROR("endAt")},
    {{"endAt", STRING("2026-11-24T09:30:00.1234567890Z")}, TIME_ERROR("endAt")},
    {{"endAt", INTEGER(1795512600)}, TIME_ERROR("endAt")},
    {{"endAt", KIND(OTHER)}, TIME_ERROR("endAt")},
    {{"endAt", KIND(ERROR)}, "out of memory"},
    {{"version", INTEGER(-1)}, "version must be an integer, 0 or more"},
    {{"version", INTEGER(INT64_MIN)}, "version must be an integer, 0 or more"},
    {{"version", STRING("1")}, "version must be an integer, 0 or more"},
    {{"version", KIND(NULL)}, "version must be an integer, 0 or more"},
    {{"version", KIND(OTHER)}, "version must be an integer, 0 or more"},
    {{"version", BOOLEAN(1)}, "version must be an integer, 0 or more"},
    {{"version", KIND(ERROR)}, "out of memory"},
    {{"version", (enum invig_value_kind)99, NULL, 1}, "version must be an integer, 0 or more"},
};

#define PHASE_ERROR "phase is none of the phases that the broker is set up with"

static const struct wrong WRONG_EVALUATION[] = {
    {{"phase", KIND(ABSENT)}, "phase is missing"},
    {{"phase", KIND(NULL)}, "phase must be a string"},
    {{"phase", INTEGER(3)}, "phase must be a string"},
    {{"phase", STRING("")}, PHASE_ERROR},
    {{"phase", STRING("registration")}, PHASE_ERROR},
    {{"phase", STRING("REGISTRATION ")}, PHASE_ERROR},
    {{"phase", STRING("REGISTRATION IN_PROGRESS")}, PHASE_ERROR},
    {{"phase", STRING("PROGRESS")}, PHASE_ERROR},
    {{"phase", KIND(ERROR)}, "out of memory"},
    {{"startAt", STRING("yesterday")}, TIME_ERROR("startAt")},
    {{"startAt", INTEGER(0)}, TIME_ERROR("startAt")},
    {{"startAt", KIND(ERROR)}, "out of memory"},
    {{"strict", STRING("true")}, "strict must be true or false"},
    {{"strict", INTEGER(1)}, "strict must be true or false"},
    {{"strict", KIND(NULL)}, "strict must be true or false"},
    {{"strict", KIND(ERROR)}, "out of memory"},
};

static const struct wrong WRONG_USER[] = {
    {{"userId", KIND(ABSENT)}, "userId is missing"},
    {{"userId", KIND(NULL)}, "userId must be a string"},
    {{"userId", STRING("ann")}, "userId is not the one in the topic"},
    {{"userId", STRING("bob")}, "userId is not the one in the topic"},
    {{"userId", STRING("e1")}, "userId is not the one in the topic"},
    {{"userId", KIND(ERROR)}, "out of memory"},
    {{"status", STRING("")}, "status must be IN_PROGRESS, FINISHED or null"},
    {{"status", STRING("finished")}, "status must be IN_PROGRESS, FINISHED or null"},
    {{"status", INTEGER(0)}, "status must be IN_PROGRESS, FINISHED or null"},
    {{"status", KIND(STRINGS)}, "status must be IN_PROGRESS, FINISHED or null"},
    {{"status", KIND(ERROR)}, "out of memory"},
    {{"access", STRING("allowed")}, "access must be ALLOWED, DENIED or BLOCKED"},
    {{"access", STRING("NONE")}, "access must be ALLOWED, DENIED or BLOCKED"},
    {{"access", STRING("")}, "access must be ALLOWED, DENIED or BLOCKED"},
    {{"access", KIND(NULL)}, "access must be ALLOWED, DENIED or BLOCKED"},
    {{"access", BOOLEAN(1)}, "access must be ALLOWED, DENIED or BLOCKED"},
    {{"access", KIND(ERROR)}, "out of memory"},
    {{"unblock", BOOLEAN(0)}, "unblock must be true where it is present"},
    {{"unblock", KIND(NULL)}, "unblock must be true where it is present"},
    {{"unblock", INTEGER(1)}, "unblock must be true where it is present"},
    {{"unblock", STRING("true")}, "unblock must be true where it is present"},
    {{"unblock", KIND(ERROR)}, "out of memory"},
    {{"sessionId", STRING("")}, "sessionId must be a session id or null"},
    {{"sessionId", STRING("a/b")}, "sessionId must be a session id or null"},
    {{"sessionId", STRING("$a")}, "sessionId must be a session id or null"},
    {{"sessionId", STRING("a\n")}, "sessionId must be a session id or null"},
    {{"sessionId", INTEGER(1)}, "sessionId must be a session id or null"},
    {{"sessionId", BOOLEAN(0)}, "sessionId must be a session id or null"},
    {{"sessionId", KIND(ERROR)}, "out of memory"},
};

static void assert_all_wrong(struct message *message, enum invig_topic_kind kind,
                             const struct wrong *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        make(message, kind);
        put(message, rows[i].member);
        assert_refused(message, rows[i].error);
    }
}

static void test_update_errors_name_the_member(void **state)
{
    struct message *message = *state;

    assert_all_wrong(message, INVIG_TOPIC_EVALUATION, WRONG_BOTH, ROWS(WRONG_BOTH));
    assert_all_wrong(message, INVIG_TOPIC_EVALUATION_USER, WRONG_BOTH, ROWS(WRONG_BOTH));
    assert_all_wrong(message, INVIG_TOPIC_EVALUATION, WRONG_EVALUATION, ROWS(WRONG_EVALUATION));
    assert_all_wrong(message, INVIG_TOPIC_EVALUATION_USER, WRONG_USER, ROWS(WRONG_USER));
}

/* What only the other topic has is as unknown as any other member. */
static void test_update_members_of_the_other_topic_are_unknown(void **state)
{
    static const char *const of_user[] = {"userId", "status", "access", "unblock", "sessionId"};
    static const char *const of_evaluation[] = {"phase", "startAt", "strict"};
    struct message *message = *state;

    make(message, INVIG_TOPIC_EVALUATION);
    for (size_t i = 0; i < ROWS(of_user); i++) {
        put(message, (struct member){of_user[i], KIND(OTHER)});
    }
    put(message, (struct member){"colour", KIND(ERROR)});
    assert_read(message);
    make(message, INVIG_TOPIC_EVALUATION_USER);
    for (size_t i = 0; i < ROWS(of_evaluation); i++) {
        put(message, (struct member){of_evaluation[i], KIND(OTHER)});
    }
    assert_read(message);
}

static void test_update_session_id_has_at_most_128_bytes(void **state)
{
    struct message *message = *state;
    char id[INVIG_ID_BYTES_MAX + 2];

    memset(id, 's', sizeof id);
    id[INVIG_ID_BYTES_MAX + 1] = '\0';
    make(message, INVIG_TOPIC_EVALUATION_USER);
    put(message, (struct member){"sessionId", STRING(id)});
    assert_refused(message, "sessionId must be a session id or null");
    id[INVIG_ID_BYTES_MAX] = '\0';
    assert_read(message);
    assert_string_equal(message->update.session, id);
}

static void test_update_phases_are_those_of_the_policy(void **state)
{
    struct message *message = *state;
    char error[INVIG_POLICY_ERROR_BYTES];

    assert_int_equal(invig_policy_set(&message->policy, "phases", "open,closed", error), INVIG_OK);
    make(message, INVIG_TOPIC_EVALUATION);
    assert_refused(message, PHASE_ERROR);
    put(message, (struct member){"phase", STRING("closed")});
    assert_read(message);
    assert_int_equal(message->update.phase, 1);
    put(message, (struct member){"phase", STRING("open")});
    assert_read(message);
    assert_int_equal(message->update.phase, 0);
}

static void test_update_other_topics_take_none(void **state)
{
    struct message *message = *state;

    for (int kind = INVIG_TOPIC_OTHER; kind <= INVIG_TOPIC_CONTROL_RESPONSE; kind++) {
        make(message, INVIG_TOPIC_EVALUATION_USER);
        put(message, (struct member){"phase", STRING("NEW")});
        message->topic.kind = (enum invig_topic_kind)kind;
        if (kind == INVIG_TOPIC_EVALUATION || kind == INVIG_TOPIC_EVALUATION_USER) {
            assert_read(message);
        } else {
            assert_refused(message, "topic is none for such messages");
        }
    }
}

static void silent_get(void *context, const char *name, struct invig_value *out_value)
{
    (void)context;
    (void)name;
    (void)out_value;
}

static void test_update_silent_source_is_absence(void **state)
{
    struct message *message = *state;
    const struct invig_value_source source = {NULL, 0, silent_get};

    make(message, INVIG_TOPIC_EVALUATION);
    assert_false(invig_update_read(&source, &message->topic, &message->policy, &message->update,
                                   message->error));
    assert_string_equal(message->error, "type is missing");
}

static void test_update_access_words(void **state)
{
    (void)state;
    assert_string_equal(invig_access_word(INVIG_ACCESS_ALLOWED), "ALLOWED");
    assert_string_equal(invig_access_word(INVIG_ACCESS_DENIED), "DENIED");
    assert_string_equal(invig_access_word(INVIG_ACCESS_BLOCKED), "BLOCKED");
    assert_string_equal(invig_access_word(INVIG_ACCESS_UNSAID), "NONE");
    assert_string_equal(invig_access_word((enum invig_access)99), "NONE");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_update_least_says_nothing_more),
        TEST(test_update_full_evaluation),
        TEST(test_update_full_evaluation_user),
        TEST(test_update_errors_name_the_member),
        TEST(test_update_members_of_the_other_topic_are_unknown),
        TEST(test_update_session_id_has_at_most_128_bytes),
        TEST(test_update_phases_are_those_of_the_policy),
        TEST(test_update_other_topics_take_none),
        TEST(test_update_silent_source_is_absence),
        cmocka_unit_test(test_update_access_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
