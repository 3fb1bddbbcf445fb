/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_update.c - core/update on messages made of any bytes. The first byte has options. Where its
 * lowest bit is set, the rest is the text of a message, to be copied. Else come one byte for each
 * member of NAMES that says what it holds, and then the contents in the same order.
 */
#include "invigilator/jsontext.h"
#include "invigilator/update.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MEMBER_COUNT = 11, DEPTH_MAX = 32, UNTOUCHED = '#' };

enum option {
    OPTION_TEXT = 1,    /* a text to be copied */
    OPTION_USER = 2,    /* the topic is evaluations/{e}/users/{user} */
    OPTION_PHASES = 4,  /* other phases than the default ones */
    OPTION_BLOCKED = 2, /* of a text: access BLOCKED, else ALLOWED */
    OPTION_REASON = 4   /* of a text: with a reason */
};

/* What a member's byte says. */
enum content {
    CONTENT_ABSENT,
    CONTENT_STRING,  /* a byte of length, the bytes */
    CONTENT_WORD,    /* a byte: one of WORDS */
    CONTENT_INTEGER, /* eight bytes */
    CONTENT_TRUE,
    CONTENT_FALSE,
    CONTENT_NULL,
    CONTENT_STRINGS,
    CONTENT_OTHER,
    CONTENT_ERROR,
    CONTENT_UNKNOWN, /* a kind that there is not */
    CONTENT_COUNT
};

static const char *const NAMES[MEMBER_COUNT] = {"type",   "evaluationId", "userId",    "phase",
                                                "status", "access",       "sessionId", "startAt",
                                                "endAt",  "strict",       "unblock"};
static const char *const WORDS[] = {"EVALUATION_UPDATE",
                                    "e1",
                                    "anna",
                                    "IN_PROGRESS",
                                    "FINISHED",
                                    "NEW",
                                    "ALLOWED",
                                    "DENIED",
                                    "BLOCKED",
                                    "open",
                                    "s1",
                                    "2026-11-24T09:30:00Z",
                                    "2024-02-29T23:59:60.123456789Z"};

struct input {
    const uint8_t *data;
    size_t size;
    struct invig_value values[MEMBER_COUNT];
    struct invig_value version;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

static uint8_t take_byte(struct input *input)
{
    if (input->size == 0) {
        return 0;
    }
    input->size--;
    return *input->data++;
}

static int64_t take_integer(struct input *input)
{
    uint64_t number = 0;

    for (int i = 0; i < 8; i++) {
        number = number << 8 | take_byte(input);
    }
    return (int64_t)number;
}

static struct invig_text take_text(struct input *input)
{
    size_t length = take_byte(input);

    length = length < input->size ? length : input->size;
    struct invig_text text = {length == 0 ? "" : (const char *)input->data, length};
    input->data += length;
    input->size -= length;
    return text;
}

static void take_value(struct input *input, enum content content, struct invig_value *value)
{
    static const enum invig_value_kind kinds[CONTENT_COUNT] = {
        [CONTENT_ABSENT] = INVIG_VALUE_ABSENT,
        [CONTENT_STRING] = INVIG_VALUE_STRING,
        [CONTENT_WORD] = INVIG_VALUE_STRING,
        [CONTENT_INTEGER] = INVIG_VALUE_INTEGER,
        [CONTENT_TRUE] = INVIG_VALUE_BOOLEAN,
        [CONTENT_FALSE] = INVIG_VALUE_BOOLEAN,
        [CONTENT_NULL] = INVIG_VALUE_NULL,
        [CONTENT_STRINGS] = INVIG_VALUE_STRINGS,
        [CONTENT_OTHER] = INVIG_VALUE_OTHER,
        [CONTENT_ERROR] = INVIG_VALUE_ERROR,
        [CONTENT_UNKNOWN] = (enum invig_value_kind)99};

    value->kind = kinds[content];
    value->boolean = content == CONTENT_TRUE;
    if (content == CONTENT_STRING) {
        value->string = take_text(input);
    } else if (content == CONTENT_WORD) {
        value->string = invig_text_of(WORDS[take_byte(input) % (sizeof WORDS / sizeof WORDS[0])]);
    } else if (content == CONTENT_INTEGER) {
        value->integer = take_integer(input);
    }
}

static void input_get(void *context, const char *name, struct invig_value *out_value)
{
    const struct input *input = context;

    if (strcmp(name, "version") == 0) {
        *out_value = input->version;
        return;
    }
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        if (strcmp(NAMES[i], name) == 0) {
            *out_value = input->values[i];
            return;
        }
    }
    abort(); /* it asks for nothing else */
}

static struct invig_value value_of(const struct input *input, const char *name)
{
    struct invig_value value;

    input_get((void *)(uintptr_t)input, name, &value);
    return value;
}

static bool value_is(const struct input *input, const char *name, const char *word)
{
    struct invig_value value = value_of(input, name);

    return value.kind == INVIG_VALUE_STRING && invig_text_equal(value.string, invig_text_of(word));
}

/* Of a member that may be null, what was read is what was said. */
static void require_said(const struct input *input, const char *name, enum invig_said said,
                         const char *text)
{
    struct invig_value value = value_of(input, name);

    require(value.kind == (said == INVIG_SAID_NOTHING ? INVIG_VALUE_ABSENT
                           : said == INVIG_SAID_NULL  ? INVIG_VALUE_NULL
                                                      : INVIG_VALUE_STRING));
    require(said == INVIG_SAID_VALUE ? invig_text_equal(value.string, invig_text_of(text))
                                     : text[0] == '\0');
}

static void require_evaluation(const struct input *input, const struct invig_policy *policy,
                               const struct invig_update *update)
{
    struct invig_value strict = value_of(input, "strict");
    struct invig_text phase = invig_policy_phase(policy, update->phase);

    require(phase.data != NULL && invig_text_equal(value_of(input, "phase").string, phase));
    require(strict.kind == (update->has_strict ? INVIG_VALUE_BOOLEAN : INVIG_VALUE_ABSENT));
    require(strict.boolean == update->strict);
    require(update->progress == INVIG_PROGRESS_UNSAID && update->access == INVIG_ACCESS_UNSAID);
    require(!update->unblock && update->session_said == INVIG_SAID_NOTHING);
}

static void require_user(const struct input *input, const struct invig_update *update)
{
    struct invig_value unblock = value_of(input, "unblock");

    require(value_is(input, "userId", "anna"));
    require(update->access == INVIG_ACCESS_UNSAID
                ? value_of(input, "access").kind == INVIG_VALUE_ABSENT
                : value_is(input, "access", invig_access_word(update->access)));
    require((update->progress == INVIG_PROGRESS_IN_PROGRESS) ==
            value_is(input, "status", "IN_PROGRESS"));
    require((update->progress == INVIG_PROGRESS_FINISHED) == value_is(input, "status", "FINISHED"));
    require(unblock.kind == (update->unblock ? INVIG_VALUE_BOOLEAN : INVIG_VALUE_ABSENT));
    require_said(input, "sessionId", update->session_said, update->session);
    require(update->session_said != INVIG_SAID_VALUE ||
            invig_text_is_id(invig_text_of(update->session)));
    require(!update->has_strict && update->phase == 0);
}

static void require_both(const struct input *input, const struct invig_update *update)
{
    require(value_is(input, "type", "EVALUATION_UPDATE"));
    require(value_is(input, "evaluationId", "e1"));
    require(input->version.kind ==
            (update->has_version ? INVIG_VALUE_INTEGER : INVIG_VALUE_ABSENT));
    require(update->version >= 0 && update->version == input->version.integer);
    require_said(input, "endAt", update->end_at_said, update->end_at);
    require(update->end_at_said != INVIG_SAID_VALUE ||
            invig_timestamp_is_valid(invig_text_of(update->end_at)));
}

/* A line of ASCII. */
static void require_error(const char error[INVIG_UPDATE_ERROR_BYTES])
{
    require(memchr(error, '\0', INVIG_UPDATE_ERROR_BYTES) != NULL && error[0] != '\0');
    for (; *error != '\0'; error++) {
        require(*error >= ' ' && *error <= '~');
    }
}

static void run_read(struct input *input, uint8_t options)
{
    static const struct invig_update zero;
    struct invig_value_source source = {input, 0, input_get};
    bool is_user = (options & OPTION_USER) != 0;
    struct invig_topic topic = {.kind =
                                    is_user ? INVIG_TOPIC_EVALUATION_USER : INVIG_TOPIC_EVALUATION,
                                .user = invig_text_of(is_user ? "anna" : NULL),
                                .evaluation = invig_text_of("e1")};
    struct invig_policy policy;
    struct invig_update update;
    char error[INVIG_POLICY_ERROR_BYTES];

    require(invig_policy_init(&policy) == INVIG_OK);
    require((options & OPTION_PHASES) == 0 ||
            invig_policy_set(&policy, "phases", "open closed", error) == INVIG_OK);
    memset(&update, UNTOUCHED, sizeof update);
    memset(error, UNTOUCHED, sizeof error);
    if (invig_update_read(&source, &topic, &policy, &update, error)) {
        require_both(input, &update);
        if (is_user) {
            require_user(input, &update);
        } else {
            require_evaluation(input, &policy, &update);
        }
    } else {
        require_error(error);
        require(memcmp(&update, &zero, sizeof zero) == 0);
    }
    invig_policy_deinit(&policy);
}

static bool text_is_object(struct invig_text text)
{
    size_t count;
    size_t i = 0;

    if (!invig_jsontext_check(text, DEPTH_MAX, &count)) {
        return false;
    }
    while (strchr(" \t\r\n", text.data[i]) != NULL) {
        i++;
    }
    return text.data[i] == '{';
}

/* Members of that name, and with `value` NULL of any value. */
static size_t count_members(struct invig_text object, const char *wanted, const char *value)
{
    struct invig_text name;
    struct invig_text found;
    size_t count = 0;

    while (invig_jsontext_take_member(&object, &name, &found)) {
        count += (wanted == NULL || invig_jsontext_name_is(name, wanted)) &&
                 (value == NULL || invig_text_equal(found, invig_text_of(value)));
    }
    return count;
}

static size_t count_any(struct invig_text object, const char *const *names, size_t name_count)
{
    size_t count = 0;

    for (size_t i = 0; i < name_count; i++) {
        count += count_members(object, names[i], NULL);
    }
    return count;
}

/* Each of the plugin's members is there once, and none of the others is lost. */
static void require_copy(struct invig_text message, struct invig_text copy,
                         enum invig_access access, const char *reason)
{
    static const char *const dropped[] = {"access", "by", "sessionId", "unblock", "reason", "at"};
    size_t reason_count = reason != NULL ? 1 : 0;
    bool keeps_reason = access == INVIG_ACCESS_BLOCKED && reason == NULL;
    size_t lost = count_any(message, dropped, keeps_reason ? 4 : 6);

    require(count_members(copy, "access", NULL) == 1);
    require(count_members(copy, "access",
                          access == INVIG_ACCESS_BLOCKED ? "\"BLOCKED\"" : "\"ALLOWED\"") == 1);
    require(count_members(copy, "by", NULL) == 1);
    require(count_members(copy, "by", "\"invigilator\"") == 1);
    require(count_any(copy, dropped + 2, 2) == 0);
    require(keeps_reason || count_members(copy, "reason", NULL) == reason_count);
    require(keeps_reason || count_members(copy, "at", NULL) == reason_count);
    require(count_members(copy, NULL, NULL) ==
            count_members(message, NULL, NULL) - lost + 2 + 2 * reason_count);
}

static void run_copy(struct invig_text message, uint8_t options)
{
    enum invig_access access =
        (options & OPTION_BLOCKED) != 0 ? INVIG_ACCESS_BLOCKED : INVIG_ACCESS_ALLOWED;
    const char *reason = (options & OPTION_REASON) != 0 ? "SECOND_LOGIN" : NULL;
    char once[INVIG_UPDATE_COPY_BYTES];
    char twice[INVIG_UPDATE_COPY_BYTES];

    if (!text_is_object(message)) {
        return;
    }
    size_t length = invig_update_copy(message, access, reason, 1795512600, once);
    struct invig_text copy = {once, length};
    require(length < sizeof once && once[length] == '\0');
    require(length > 0 || message.length > INVIG_UPDATE_BYTES_MAX);
    if (length == 0) {
        return;
    }
    require(text_is_object(copy) && memchr(once, '\0', length) == NULL);
    require(invig_update_copy(copy, access, reason, 1795512600, twice) == length);
    require(memcmp(once, twice, length + 1) == 0);
    require_copy(message, copy, access, reason);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {.data = data, .size = size};
    uint8_t contents[MEMBER_COUNT + 1];
    uint8_t options = take_byte(&input);

    if ((options & OPTION_TEXT) != 0) {
        run_copy((struct invig_text){(const char *)input.data, input.size}, options);
        return 0;
    }
    for (size_t i = 0; i <= MEMBER_COUNT; i++) {
        contents[i] = take_byte(&input) % CONTENT_COUNT;
    }
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        take_value(&input, (enum content)contents[i], &input.values[i]);
    }
    take_value(&input, (enum content)contents[MEMBER_COUNT], &input.version);
    run_read(&input, options);
    return 0;
}
