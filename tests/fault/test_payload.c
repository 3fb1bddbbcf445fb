/* SPDX-License-Identifier: Apache-2.0
 *
 * test_payload.c - what effects say when a fault is met while it is written: nothing, and never a
 * part of it; and the same when it is written again.
 */
#include "backend.h"
#include "fault_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct invig_effect effect;
static char *payload;

static void act(void)
{
    payload = invig_backend_payload(&effect);
}

static void check(const char *struck)
{
    static char expected[4096];

    if (struck != NULL && payload == NULL) {
        act();
    }
    assert_non_null(payload);
    if (struck == NULL) {
        assert_true(strlen(payload) < sizeof(expected));
        strcpy(expected, payload);
    }
    assert_string_equal(payload, expected);
    free(payload);
}

static struct invig_notice notice_of(enum invig_notice_type type)
{
    return (struct invig_notice){.type = type,
                                 .user = invig_text_of("anna"),
                                 .session = invig_text_of("s1"),
                                 .evaluation = invig_text_of("e1"),
                                 .time_s = 1800000000,
                                 .reason = INVIG_END_SUPERSEDED,
                                 .connection_count = 2,
                                 .incident = INVIG_INCIDENT_SECOND_LOGIN,
                                 .bound_session = invig_text_of("0123456789ab"),
                                 .refused_session = invig_text_of("ba9876543210"),
                                 .address = invig_text_of("192.0.2.1\xFF"), /* no UTF-8 */
                                 .topic = invig_text_of("evaluations/e1"),
                                 .error = invig_text_of("no good")};
}

static void test_notices(void **state)
{
    static const enum invig_notice_type types[] = {INVIG_NOTICE_SESSION_INVALIDATED,
                                                   INVIG_NOTICE_SESSION_EXPIRING,
                                                   INVIG_NOTICE_EVALUATION_BLOCKED,
                                                   INVIG_NOTICE_PRESENCE,
                                                   INVIG_NOTICE_INCIDENT,
                                                   INVIG_NOTICE_PUBLISH_REFUSED};

    (void)state;
    for (size_t i = 0; i < COUNT(types); i++) {
        effect =
            (struct invig_effect){.payload = INVIG_PAYLOAD_NOTICE, .notice = notice_of(types[i])};
        assert_true(fault_run("notice", act, check) > 8);
    }
}

static void test_texts(void **state)
{
    static const char message[] = "{\"type\":\"EVALUATION_UPDATE\",\"evaluationId\":\"e1\","
                                  "\"userId\":\"anna\",\"access\":\"ALLOWED\",\"room\":1.50}";
    const struct invig_effect effects[] = {
        {.payload = INVIG_PAYLOAD_EMPTY},
        {.payload = INVIG_PAYLOAD_TEXT, .text = invig_text_of(message)},
        {.payload = INVIG_PAYLOAD_COPY,
         .text = invig_text_of(message),
         .access = INVIG_ACCESS_BLOCKED,
         .reason = "SECOND_LOGIN",
         .at_s = 1800000000},
        {.payload = INVIG_PAYLOAD_COPY,
         .topic = {.evaluation = invig_text_of("e1"), .user = invig_text_of("anna")},
         .access = INVIG_ACCESS_ALLOWED},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(effects); i++) {
        effect = effects[i];
        assert_true(fault_run("text", act, check) > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_notices),
        cmocka_unit_test(test_texts),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    fault_write_sites(FAULT_SITES);
    return failed;
}
