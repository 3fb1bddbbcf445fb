/* SPDX-License-Identifier: Apache-2.0
 *
 * test_notice.c - the members of each notice, and its words.
 */
#include "invigilator/notice.h"

#include <inttypes.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))
#define TEXT(word)                                                                                 \
    {                                                                                              \
        (word), sizeof(word) - 1                                                                   \
    }

/* What was written, one member behind the other: name=value, strings in '', ended by ';'. */
struct record {
    char text[1000];
    size_t length;
};

static void record_add(void *context, const char *name, const char *quote, const char *value,
                       size_t value_length)
{
    struct record *record = context;
    int length =
        snprintf(record->text + record->length, sizeof record->text - record->length,
                 "%s=%s%.*s%s;", name == NULL ? "-" : name, quote, (int)value_length, value, quote);

    assert_true(length > 0 && (size_t)length < sizeof record->text - record->length);
    record->length += (size_t)length;
}

static void record_begin_object(void *context, const char *name)
{
    record_add(context, name, "", "{", 1);
}

static void record_begin_array(void *context, const char *name)
{
    record_add(context, name, "", "[", 1);
}

static void record_end(void *context)
{
    record_add(context, NULL, "", "}", 1);
}

static void record_string(void *context, const char *name, struct invig_text value)
{
    if (value.data == NULL) {
        record_add(context, name, "", "null", 4);
    } else {
        record_add(context, name, "'", value.data, value.length);
    }
}

static void record_integer(void *context, const char *name, int64_t value)
{
    char digits[32];
    int length = snprintf(digits, sizeof digits, "%" PRId64, value);

    record_add(context, name, "", digits, (size_t)length);
}

static void record_boolean(void *context, const char *name, bool value)
{
    record_add(context, name, "", value ? "true" : "false", value ? 4 : 5);
}

static void assert_written(const struct invig_notice *notice, const char *expected)
{
    struct record record = {.length = 0};
    const struct invig_writer writer = {
        &record,       record_begin_object, record_begin_array, record_end,
        record_string, record_integer,      record_boolean,
    };

    invig_notice_write(notice, &writer);
    assert_string_equal(record.text, expected);
}

/* Every text is another, so that a mix-up shows. The views do not end in NUL. */
static const struct invig_notice FULL = {
    .user = {"anna..", 4},
    .session = {"s1..", 2},
    .evaluation = {"e1..", 2},
    .time_s = 1795512600,
    .reason = INVIG_END_SUPERSEDED,
    .is_online = true,
    .connection_count = 2,
    .cause = INVIG_CAUSE_CONNECTED,
    .incident = INVIG_INCIDENT_SECOND_LOGIN,
    .is_enforced = true,
    .bound_session = TEXT("0123456789ab"),
    .refused_session = TEXT("ba9876543210"),
    .address = TEXT("192.0.2.7"),
    .topic = TEXT("evaluations/e1"),
    .error = TEXT("phase is missing"),
};

static void test_notice_members_of_each_type(void **state)
{
    static const struct {
        enum invig_notice_type type;
        const char *expected;
    } rows[] = {
        {INVIG_NOTICE_SESSION_INVALIDATED,
         "-={;type='SESSION_INVALIDATED';userId='anna';sessionId='s1';reason='SUPERSEDED';"
         "at='2026-11-24T09:30:00Z';-=};"},
        {INVIG_NOTICE_SESSION_EXPIRING, "-={;type='SESSION_EXPIRING';userId='anna';sessionId='s1';"
                                        "expiresAt='2026-11-24T09:30:00Z';-=};"},
        {INVIG_NOTICE_EVALUATION_BLOCKED,
         "-={;type='EVALUATION_UPDATE';evaluationId='e1';userId='anna';access='BLOCKED';"
         "reason='SECOND_LOGIN';at='2026-11-24T09:30:00Z';-=};"},
        {INVIG_NOTICE_PRESENCE,
         "-={;type='PRESENCE';evaluationId='e1';userId='anna';online=true;connections=2;"
         "since='2026-11-24T09:30:00Z';cause='CONNECTED';-=};"},
        {INVIG_NOTICE_INCIDENT,
         "-={;type='INCIDENT';kind='SECOND_LOGIN';evaluationId='e1';userId='anna';enforced=true;"
         "boundSession='0123456789ab';refusedSession='ba9876543210';address='192.0.2.7';"
         "at='2026-11-24T09:30:00Z';-=};"},
        {INVIG_NOTICE_PUBLISH_REFUSED,
         "-={;type='PUBLISH_REFUSED';topic='evaluations/e1';error='phase is missing';"
         "at='2026-11-24T09:30:00Z';-=};"},
        {(enum invig_notice_type)0, "-={;-=};"},
        {(enum invig_notice_type)99, "-={;-=};"},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct invig_notice notice = FULL;
        notice.type = rows[i].type;
        assert_written(&notice, rows[i].expected);
    }
}

static void test_notice_other_values(void **state)
{
    struct invig_notice notice = FULL;

    (void)state;
    notice.type = INVIG_NOTICE_PRESENCE;
    notice.is_online = false;
    notice.connection_count = 0;
    notice.cause = INVIG_CAUSE_UNKNOWN;
    notice.time_s = 0;
    assert_written(&notice, "-={;type='PRESENCE';evaluationId='e1';userId='anna';online=false;"
                            "connections=0;since='1970-01-01T00:00:00Z';cause='UNKNOWN';-=};");
    notice.type = INVIG_NOTICE_INCIDENT;
    notice.incident = INVIG_INCIDENT_SHARED_SESSION;
    notice.is_enforced = false;
    notice.refused_session = (struct invig_text){NULL, 0};
    assert_written(&notice, "-={;type='INCIDENT';kind='SHARED_SESSION';evaluationId='e1';"
                            "userId='anna';enforced=false;boundSession='0123456789ab';"
                            "refusedSession=null;address='192.0.2.7';"
                            "at='1970-01-01T00:00:00Z';-=};");
    notice.type = INVIG_NOTICE_SESSION_INVALIDATED;
    notice.reason = INVIG_END_EXPIRED;
    assert_written(&notice, "-={;type='SESSION_INVALIDATED';userId='anna';sessionId='s1';"
                            "reason='EXPIRED';at='1970-01-01T00:00:00Z';-=};");
}

static void test_notice_end_words(void **state)
{
    (void)state;
    assert_string_equal(invig_end_word(INVIG_END_SUPERSEDED), "SUPERSEDED");
    assert_string_equal(invig_end_word(INVIG_END_REVOKED), "REVOKED");
    assert_string_equal(invig_end_word(INVIG_END_EXPIRED), "EXPIRED");
    assert_string_equal(invig_end_word(INVIG_END_BLOCKED), "BLOCKED");
    assert_string_equal(invig_end_word(INVIG_END_NONE), "NONE");
    assert_string_equal(invig_end_word((enum invig_end)99), "NONE");
}

static void test_notice_cause_words(void **state)
{
    (void)state;
    assert_string_equal(invig_cause_word(INVIG_CAUSE_UNKNOWN), "UNKNOWN");
    assert_string_equal(invig_cause_word(INVIG_CAUSE_CONNECTED), "CONNECTED");
    assert_string_equal(invig_cause_word(INVIG_CAUSE_CLOSED), "CLOSED");
    assert_string_equal(invig_cause_word(INVIG_CAUSE_TIMEOUT), "TIMEOUT");
    assert_string_equal(invig_cause_word(INVIG_CAUSE_SUPERSEDED), "SUPERSEDED");
    assert_string_equal(invig_cause_word(INVIG_CAUSE_REVOKED), "REVOKED");
    assert_string_equal(invig_cause_word(INVIG_CAUSE_EXPIRED), "EXPIRED");
    assert_string_equal(invig_cause_word((enum invig_cause)99), "UNKNOWN");
}

static void test_notice_incident_words(void **state)
{
    (void)state;
    assert_string_equal(invig_incident_word(INVIG_INCIDENT_SECOND_LOGIN), "SECOND_LOGIN");
    assert_string_equal(invig_incident_word(INVIG_INCIDENT_SHARED_SESSION), "SHARED_SESSION");
    assert_string_equal(invig_incident_word((enum invig_incident_kind)0), "UNKNOWN");
    assert_string_equal(invig_incident_word((enum invig_incident_kind)99), "UNKNOWN");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_notice_members_of_each_type),
        cmocka_unit_test(test_notice_other_values),
        cmocka_unit_test(test_notice_end_words),
        cmocka_unit_test(test_notice_cause_words),
        cmocka_unit_test(test_notice_incident_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
