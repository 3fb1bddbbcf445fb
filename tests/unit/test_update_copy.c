/* SPDX-License-Identifier: Apache-2.0
 *
 * test_update_copy.c - copies of messages with another access.
 */
#include "invigilator/update.h"

#include "invigilator/jsontext.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))
#define AT          1795512600 /* 2026-11-24T09:30:00Z */
#define AGAIN       "\"by\":\"invigilator\"}"
#define ALLOWED_END "\"access\":\"ALLOWED\"," AGAIN
#define DENIED_END  "\"access\":\"DENIED\"," AGAIN
#define BLOCKED_END "\"access\":\"BLOCKED\"," AGAIN
#define SECOND_LOGIN_END                                                                           \
    "\"access\":\"BLOCKED\",\"reason\":\"SECOND_LOGIN\",\"at\":\"2026-11-24T09:30:00Z\"," AGAIN

enum { DEPTH_MAX = 32 };

static void assert_is_object(const char *text)
{
    size_t count;

    assert_true(invig_jsontext_check(invig_text_of(text), DEPTH_MAX, &count));
    assert_int_equal(text[0], '{');
}

/* The message is in memory of its size, so that a sanitizer sees a read behind it. A copy of the
 * copy is the same. */
static void assert_copy(const char *message, enum invig_access access, const char *reason,
                        const char *expected)
{
    char out[INVIG_UPDATE_COPY_BYTES];
    char again[INVIG_UPDATE_COPY_BYTES];
    size_t length = strlen(message);
    char *bytes = malloc(length);

    assert_non_null(bytes);
    memcpy(bytes, message, length);
    memset(out, '?', sizeof out);
    size_t copied = invig_update_copy((struct invig_text){bytes, length}, access, reason, AT, out);
    free(bytes);
    assert_string_equal(out, expected);
    assert_int_equal(copied, strlen(expected));
    assert_is_object(out);
    assert_int_equal(invig_update_copy(invig_text_of(out), access, reason, AT, again), copied);
    assert_string_equal(again, expected);
}

static void test_update_copy_keeps_the_others(void **state)
{
    static const struct {
        const char *message;
        const char *kept;
    } rows[] = {
        {"{}", "{"},
        {" {\n} ", "{"},
        {"{\"access\":\"ALLOWED\"}", "{"},
        {"{\"type\":\"EVALUATION_UPDATE\"}", "{\"type\":\"EVALUATION_UPDATE\","},
        {"{\"a\":1,\"access\":\"DENIED\",\"b\":2}", "{\"a\":1,\"b\":2,"},
        {"{\"access\":\"DENIED\",\"b\":2}", "{\"b\":2,"},
        {"{\"a\":1,\"access\":\"DENIED\"}", "{\"a\":1,"},
        {"{\"a\":1,\"by\":\"x\",\"sessionId\":null,\"unblock\":true,\"access\":{\"x\":[1]},\"b\":"
         "2}",
         "{\"a\":1,\"b\":2,"},
        {"\t{ \"a\" : 1.50e+07 ,\r\n  \"access\" : \"DENIED\" , \"b\"\n:\n[ 1, 2 ] }\n",
         "{\"a\" : 1.50e+07,\"b\"\n:\n[ 1, 2 ],"},
        {"{\"\\u0061ccess\":1,\"acces\\u0073\":2,\"\\u0062y\":3,\"session\\u0049d\":4,"
         "\"unbl\\u006fck\":5,\"\\u0063\":6}",
         "{\"\\u0063\":6,"},
        {"{\"access\":1,\"access\":2,\"c\":3,\"access\":4}", "{\"c\":3,"},
        {"{\"o\":{\"access\":1,\"by\":2,\"o\":{\"sessionId\":3}},\"p\":[{\"unblock\":4}]}",
         "{\"o\":{\"access\":1,\"by\":2,\"o\":{\"sessionId\":3}},\"p\":[{\"unblock\":4}],"},
        {"{\"a\":\"}\",\"b\":\"{\\\"access\\\":1\",\"c\":\"\\\\\",\"access\":\"\\\\\\\"}\",\"d\":"
         "\",\"}",
         "{\"a\":\"}\",\"b\":\"{\\\"access\\\":1\",\"c\":\"\\\\\",\"d\":\",\","},
        {"{\"Access\":1,\"accessed\":2,\"acces\":3,\"\":4,\"BY\":5,\"sessionid\":6}",
         "{\"Access\":1,\"accessed\":2,\"acces\":3,\"\":4,\"BY\":5,\"sessionid\":6,"},
        {"{\"\xC3\xA4\":\"\xF0\x9F\x98\x80\",\"n\":-0,\"t\":true,\"\\u00e4\":\"\\ud83d\\ude00\"}",
         "{\"\xC3\xA4\":\"\xF0\x9F\x98\x80\",\"n\":-0,\"t\":true,\"\\u00e4\":\"\\ud83d\\ude00\","},
    };
    static const struct {
        enum invig_access access;
        const char *reason;
        const char *end;
    } ends[] = {
        {INVIG_ACCESS_ALLOWED, NULL, ALLOWED_END},
        {INVIG_ACCESS_DENIED, NULL, DENIED_END},
        {INVIG_ACCESS_BLOCKED, NULL, BLOCKED_END},
        {INVIG_ACCESS_BLOCKED, "SECOND_LOGIN", SECOND_LOGIN_END},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        for (size_t k = 0; k < ROWS(ends); k++) {
            char expected[1000];
            strcpy(expected, rows[i].kept);
            strcat(expected, ends[k].end);
            assert_copy(rows[i].message, ends[k].access, ends[k].reason, expected);
        }
    }
}

/* They say why a user is blocked, and stay only with a block that brings no reason of its own. */
static void test_update_copy_reason_and_at(void **state)
{
    static const char message[] =
        "{\"at\":\"x\",\"a\":1,\"reason\":\"HAND\",\"re\\u0061son\":2,\"\\u0061t\":3,\"r\":4}";

    (void)state;
    assert_copy(message, INVIG_ACCESS_ALLOWED, NULL, "{\"a\":1,\"r\":4," ALLOWED_END);
    assert_copy(message, INVIG_ACCESS_DENIED, NULL, "{\"a\":1,\"r\":4," DENIED_END);
    assert_copy(message, INVIG_ACCESS_BLOCKED, NULL,
                "{\"at\":\"x\",\"a\":1,\"reason\":\"HAND\",\"re\\u0061son\":2,\"\\u0061t\":3,"
                "\"r\":4," BLOCKED_END);
    assert_copy(message, INVIG_ACCESS_BLOCKED, "SECOND_LOGIN",
                "{\"a\":1,\"r\":4," SECOND_LOGIN_END);
}

/* {"a":"xxx..."} of `size` bytes. */
static struct invig_text message_of(size_t size)
{
    static char text[INVIG_UPDATE_COPY_BYTES + 100];

    memset(text, 'x', size);
    memcpy(text, "{\"a\":\"", 6);
    memcpy(text + size - 2, "\"}", 2);
    return (struct invig_text){text, size};
}

static size_t copy_of_size(size_t size, char *out)
{
    memset(out, '?', INVIG_UPDATE_COPY_BYTES);
    return invig_update_copy(message_of(size), INVIG_ACCESS_BLOCKED, "SECOND_LOGIN", AT, out);
}

static void test_update_copy_has_room(void **state)
{
    char *out = malloc(INVIG_UPDATE_COPY_BYTES); /* so that a sanitizer sees a byte too much */
    size_t more = strlen("," SECOND_LOGIN_END) - 1;
    size_t most = INVIG_UPDATE_COPY_BYTES - 1 - more;

    (void)state;
    assert_non_null(out);
    assert_true(most >= INVIG_UPDATE_BYTES_MAX);
    assert_int_equal(copy_of_size(INVIG_UPDATE_BYTES_MAX, out), INVIG_UPDATE_BYTES_MAX + more);
    assert_is_object(out);
    assert_int_equal(copy_of_size(most, out), INVIG_UPDATE_COPY_BYTES - 1);
    assert_is_object(out);
    for (size_t size = most + 1; size <= INVIG_UPDATE_COPY_BYTES + 100; size++) {
        assert_int_equal(copy_of_size(size, out), 0);
        assert_string_equal(out, "");
    }
    free(out);
}

/* A long member that does not fit must not be left out before a short one that does. */
static void test_update_copy_is_whole_or_nothing(void **state)
{
    static char text[INVIG_UPDATE_COPY_BYTES + 200];
    char out[INVIG_UPDATE_COPY_BYTES];

    (void)state;
    memset(text, 'x', sizeof text - 1);
    memcpy(text, "{\"a\":\"", 6);
    strcpy(text + INVIG_UPDATE_COPY_BYTES + 10, "\",\"b\":1}");
    assert_int_equal(invig_update_copy(invig_text_of(text), INVIG_ACCESS_ALLOWED, NULL, 0, out), 0);
    assert_string_equal(out, "");
}

/* What is no object has no members to keep. */
static void test_update_copy_of_nothing(void **state)
{
    char out[INVIG_UPDATE_COPY_BYTES];

    (void)state;
    assert_true(invig_update_copy((struct invig_text){NULL, 0}, INVIG_ACCESS_BLOCKED,
                                  "SECOND_LOGIN", AT, out) > 0);
    assert_string_equal(out, "{" SECOND_LOGIN_END);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_update_copy_keeps_the_others),
        cmocka_unit_test(test_update_copy_reason_and_at),
        cmocka_unit_test(test_update_copy_has_room),
        cmocka_unit_test(test_update_copy_is_whole_or_nothing),
        cmocka_unit_test(test_update_copy_of_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
