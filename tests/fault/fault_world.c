/* SPDX-License-Identifier: Apache-2.0
 *
 * fault_world.c - see fault_world.h. What is looked at is in fault_look.c.
 */
#include "fault_world.h"

#include "json.h"
#include "jsonwriter.h"

#include <openssl/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* -- Parts of events -- */

static char *requoted(const char *text, char from, char to)
{
    char *copy = strdup(text);

    assert_non_null(copy);
    for (char *at = copy; (at = strchr(at, from)) != NULL;) {
        *at = to;
    }
    return copy;
}

static void result_write(struct fault_world *fault, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void result_write(struct fault_world *fault, const char *format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(fault->result, sizeof(fault->result), format, arguments);
    va_end(arguments);
    assert_in_range(length, 1, sizeof(fault->result) - 1);
}

static void result_write_connect(struct fault_world *fault, size_t page,
                                 struct invig_connection *connection)
{
    if (connection != NULL) {
        fault->pages[page] = connection;
    }
    result_write(fault, "verdict %d %s", fault->world.verdict,
                 invig_reason_word(fault->world.refusal.reason));
}

void fault_login(struct fault_world *fault, size_t page, const struct login *login)
{
    result_write_connect(fault, page, world_login(&fault->world, login));
}

void fault_defer(struct fault_world *fault, size_t page, const char *client_id)
{
    result_write_connect(fault, page, world_defer(&fault->world, client_id));
}

void fault_offer(struct fault_world *fault, const char *evaluation, const char *user,
                 const char *members)
{
    result_write(fault, "verdict %d", world_offer(&fault->world, evaluation, user, members));
}

void fault_message(struct fault_world *fault, const char *topic, const char *payload)
{
    result_write(fault, "verdict %d",
                 world_message(&fault->world, world_backend(&fault->world), topic, payload));
}

void fault_control(struct fault_world *fault, const char *payload)
{
    char *json = requoted(payload, '\'', '"');
    bool is_answered = invig_backend_control(fault->world.engine, fault->world.now, fault->pages[5],
                                             invig_text_of(json));

    free(json);
    result_write(fault, is_answered ? "answered" : "lost");
}

void fault_ask(struct fault_world *fault, const char *command)
{
    char *json = requoted(command, '\'', '"');
    struct invig_jsonwriter *writer = invig_jsonwriter_new();
    struct invig_json_object *object = NULL;
    struct invig_value_source source;
    char *answer = NULL;

    if (writer != NULL && invig_json_read_object(invig_text_of(json), &object) == INVIG_OK) {
        source = invig_json_object_source(object);
        invig_engine_control(fault->world.engine, fault->world.now, &source,
                             invig_jsonwriter_writer(writer));
        answer = invig_jsonwriter_finish(writer);
    }
    invig_json_object_free(object);
    invig_jsonwriter_free(writer);
    free(json);
    json = answer == NULL ? NULL : requoted(answer, '"', '\'');
    result_write(fault, "%s", json == NULL ? "lost" : json);
    free(json);
    free(answer);
}

/* -- Checking -- */

struct outcome {
    char *before;
    char *after;
    char *later;
    char result[FAULT_RESULT_BYTES];
};

static struct fault_world fault_world;

/* What is being checked, for a failure. */
static struct {
    const char *event;
    size_t number;
    const char *struck;
} check;

static void check_fail(const char *what)
{
    fail_msg("%s, call %zu (%s): %s", check.event, check.number,
             check.struck == NULL ? "none failed" : check.struck, what);
}

/* Shows both from the first line that differs. */
static void check_text(const char *what, const char *text, const char *expected)
{
    size_t from = 0;

    for (size_t i = 0; text[i] == expected[i]; i++) {
        if (text[i] == '\0') {
            return;
        }
        from = text[i] == '\n' ? i + 1 : from;
    }
    (void)fprintf(stderr, "---- found ----\n%.2000s\n---- expected ----\n%.2000s\n", text + from,
                  expected + from);
    check_fail(what);
}

/* Takes out what tells when a shared session was reported. */
static void text_forget_shared(char *text)
{
    static const char *const marks[][2] = {{"INCIDENT e1 anna SHARED_SESSION", "\n"},
                                           {" shared=", " "}};

    for (size_t i = 0; i < 2; i++) {
        char *at;

        while ((at = strstr(text, marks[i][0])) != NULL) {
            char *end = strstr(at + 1, marks[i][1]);

            assert_non_null(end);
            end += i == 0;
            memmove(at, end, strlen(end) + 1);
        }
    }
}

/* A shared session that could not be reported is reported when the next connection comes, as the
 * logins afterwards do. */
static void check_deferred(char *text, char *expected)
{
    if (strstr(text, "INCIDENT e1 anna SHARED_SESSION") == NULL) {
        check_fail("a shared session is never reported");
    }
    text_forget_shared(text);
    text_forget_shared(expected);
    check_text("what comes of it", text, expected);
}

static void world_open(const struct fault_event *event, bool is_grouping)
{
    struct fault_world *fault = &fault_world;

    memset(fault, 0, offsetof(struct fault_world, world));
    fakestore_init(&fault->store, is_grouping);
    if (event->option == NULL) {
        world_init_with(&fault->world, &fault->store, NULL);
    } else {
        world_init_with(&fault->world, &fault->store, event->option, event->value, NULL);
    }
    (void)world_backend(&fault->world);
    fault_defer(fault, 5, "admin");
    if (event->prepare != NULL) {
        event->prepare(fault);
    }
    world_tick(&fault->world);
    fault_end_kicked(fault);
    world_clear(&fault->world);
}

static void world_close(void)
{
    world_deinit(&fault_world.world);
    fakestore_deinit(&fault_world.store);
}

/* The event without a fault. */
static struct outcome event_run(const struct fault_event *event, bool is_grouping)
{
    struct outcome outcome;

    world_open(event, is_grouping);
    outcome.before = fault_look(&fault_world);
    event->act(&fault_world);
    memcpy(outcome.result, fault_world.result, sizeof(outcome.result));
    outcome.after = fault_look(&fault_world);
    outcome.later = fault_follow(&fault_world);
    world_close();
    return outcome;
}

static bool result_is_error(const char *result)
{
    return strcmp(result, "lost") == 0 || strstr(result, "'error':") != NULL ||
           strncmp(result, "verdict 0", 9) == 0;
}

/* What the event has come to under a fault: nothing, or all of it. */
static void event_check_result(const struct fault_event *event, const struct outcome *expected,
                               const char *after)
{
    const char *result = fault_world.result;
    bool is_lost = strcmp(result, "lost") == 0;

    if (strcmp(result, expected->result) == 0 && strcmp(after, expected->after) == 0) {
        return;
    }
    if (event->may_lose_answer && is_lost && strcmp(after, expected->before) != 0) {
        check_text("neither done nor left undone", after, expected->after);
        return;
    }
    check_text("neither done nor left undone", after, expected->before);
    if (!result_is_error(result) && strcmp(result, "answered") != 0) {
        check_text("nothing was changed, but the answer is no error", result, "an error");
    }
    event->act(&fault_world);
    check_text("the answer to the same event again", fault_world.result, expected->result);
}

/* The event with call `number` failing. Returns whether it got so far. */
static bool event_run_with_fault(const struct fault_event *event, bool is_grouping, size_t number,
                                 const struct outcome *expected)
{
    const char *struck;
    char *text;

    world_open(event, is_grouping);
    fault_arm(number);
    event->act(&fault_world);
    struck = fault_disarm();
    check.event = event->name;
    check.number = number;
    check.struck = struck;
    if (ERR_peek_error() != 0) {
        check_fail("an error is left in OpenSSL's queue, where the broker's TLS would find it");
    }
    text = fault_look(&fault_world);
    if (struck == NULL) {
        check_text("the answer", fault_world.result, expected->result);
    } else {
        event_check_result(event, expected, text);
        free(text);
        text = fault_look(&fault_world);
    }
    check_text("what is there after the event", text, expected->after);
    free(text);
    text = fault_follow(&fault_world);
    if (event->may_defer_incident) {
        check_deferred(text, expected->later);
    } else {
        check_text("what comes of it", text, expected->later);
    }
    free(text);
    world_close();
    return struck != NULL;
}

void fault_event_check(const struct fault_event *event, bool is_grouping)
{
    struct outcome expected = event_run(event, is_grouping);

    ERR_clear_error(); /* makes the queue at its first use */

    size_t heap = fault_heap_bytes();
    size_t number = 1;

    print_message("%s: ", event->name);
    while (event_run_with_fault(event, is_grouping, number, &expected)) {
        if (fault_heap_bytes() != heap) {
            check_fail("memory was lost");
        }
        number++;
    }
    print_message("%zu calls\n", number - 1);
    free(expected.before);
    free(expected.after);
    free(expected.later);
}
