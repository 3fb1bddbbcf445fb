/* SPDX-License-Identifier: Apache-2.0
 *
 * update.c - see update.h. The reading; copies are in update_copy.c.
 */
#include "invigilator/update.h"

#include <stdio.h>
#include <string.h>

#define EXPECTED_TIME "must be a time in UTC like 2026-11-24T09:30:00Z, or null"

/* What the steps below share. Each returns false when it has written an error. */
struct reader {
    const struct invig_value_source *source;
    const struct invig_topic *topic;
    const struct invig_policy *policy;
    struct invig_update *update;
    char *error;
    const char *name;         /* of the member that the present step is about */
    struct invig_value value; /* of that member */
};

static bool reader_fail(const struct reader *reader, const char *what)
{
    snprintf(reader->error, INVIG_UPDATE_ERROR_BYTES, "%s %s", reader->name, what);
    return false;
}

/* Reads the member `name` into reader->value. */
static bool reader_get(struct reader *reader, const char *name)
{
    reader->name = name;
    memset(&reader->value, 0, sizeof reader->value);
    reader->source->get(reader->source->context, name, &reader->value);
    if (reader->value.kind == INVIG_VALUE_ERROR) {
        snprintf(reader->error, INVIG_UPDATE_ERROR_BYTES, "out of memory");
        return false;
    }
    return true;
}

static bool value_is(const struct reader *reader, enum invig_value_kind kind)
{
    return reader->value.kind == kind;
}

/* Reads a member that must be there and be a string. */
static bool reader_get_string(struct reader *reader, const char *name)
{
    if (!reader_get(reader, name)) {
        return false;
    }
    if (value_is(reader, INVIG_VALUE_ABSENT)) {
        return reader_fail(reader, "is missing");
    }
    return value_is(reader, INVIG_VALUE_STRING) || reader_fail(reader, "must be a string");
}

static bool string_is(const struct reader *reader, const char *word)
{
    return value_is(reader, INVIG_VALUE_STRING) &&
           invig_text_equal(reader->value.string, invig_text_of(word));
}

static bool read_type(struct reader *reader)
{
    return reader_get_string(reader, "type") && (string_is(reader, "EVALUATION_UPDATE") ||
                                                 reader_fail(reader, "must be EVALUATION_UPDATE"));
}

/* An id that the topic has already said. */
static bool read_topic_id(struct reader *reader, const char *name, struct invig_text expected)
{
    return reader_get_string(reader, name) && (invig_text_equal(reader->value.string, expected) ||
                                               reader_fail(reader, "is not the one in the topic"));
}

static bool read_phase(struct reader *reader)
{
    if (!reader_get_string(reader, "phase")) {
        return false;
    }
    reader->update->phase = invig_policy_find_phase(reader->policy, reader->value.string);
    return reader->update->phase >= 0 ||
           reader_fail(reader, "is none of the phases that the broker is set up with");
}

static void text_store(struct invig_text text, char *out)
{
    memcpy(out, text.data, text.length);
    out[text.length] = '\0';
}

/* Reads a string that `is_valid` takes, or null. `out` has room for any such string. */
static bool read_nullable(struct reader *reader, const char *name,
                          bool (*is_valid)(struct invig_text), const char *expected,
                          enum invig_said *out_said, char *out)
{
    if (!reader_get(reader, name)) {
        return false;
    }
    if (value_is(reader, INVIG_VALUE_ABSENT)) {
        *out_said = INVIG_SAID_NOTHING;
        return true;
    }
    if (value_is(reader, INVIG_VALUE_NULL)) {
        *out_said = INVIG_SAID_NULL;
        return true;
    }
    if (!value_is(reader, INVIG_VALUE_STRING) || !is_valid(reader->value.string)) {
        return reader_fail(reader, expected);
    }
    *out_said = INVIG_SAID_VALUE;
    text_store(reader->value.string, out);
    return true;
}

/* It is checked for those who read the message; the plugin has no use for it. */
static bool read_start_at(struct reader *reader)
{
    enum invig_said said;
    char start_at[INVIG_TIMESTAMP_BYTES_MAX + 1];

    return read_nullable(reader, "startAt", invig_timestamp_is_valid, EXPECTED_TIME, &said,
                         start_at);
}

static bool read_end_at(struct reader *reader)
{
    return read_nullable(reader, "endAt", invig_timestamp_is_valid, EXPECTED_TIME,
                         &reader->update->end_at_said, reader->update->end_at);
}

static bool read_session(struct reader *reader)
{
    return read_nullable(reader, "sessionId", invig_text_is_id, "must be a session id or null",
                         &reader->update->session_said, reader->update->session);
}

static bool read_strict(struct reader *reader)
{
    if (!reader_get(reader, "strict")) {
        return false;
    }
    if (value_is(reader, INVIG_VALUE_ABSENT)) {
        return true;
    }
    reader->update->has_strict = true;
    reader->update->strict = reader->value.boolean;
    return value_is(reader, INVIG_VALUE_BOOLEAN) || reader_fail(reader, "must be true or false");
}

static bool read_version(struct reader *reader)
{
    if (!reader_get(reader, "version")) {
        return false;
    }
    if (value_is(reader, INVIG_VALUE_ABSENT)) {
        return true;
    }
    reader->update->has_version = true;
    reader->update->version = reader->value.integer;
    return (value_is(reader, INVIG_VALUE_INTEGER) && reader->value.integer >= 0) ||
           reader_fail(reader, "must be an integer, 0 or more");
}

static bool read_status(struct reader *reader)
{
    enum invig_progress *progress = &reader->update->progress;

    if (!reader_get(reader, "status")) {
        return false;
    }
    if (value_is(reader, INVIG_VALUE_ABSENT)) {
        *progress = INVIG_PROGRESS_UNSAID;
    } else if (value_is(reader, INVIG_VALUE_NULL)) {
        *progress = INVIG_PROGRESS_CLEARED;
    } else if (string_is(reader, "IN_PROGRESS")) {
        *progress = INVIG_PROGRESS_IN_PROGRESS;
    } else if (string_is(reader, "FINISHED")) {
        *progress = INVIG_PROGRESS_FINISHED;
    } else {
        return reader_fail(reader, "must be IN_PROGRESS, FINISHED or null");
    }
    return true;
}

static bool read_access(struct reader *reader)
{
    if (!reader_get(reader, "access")) {
        return false;
    }
    if (value_is(reader, INVIG_VALUE_ABSENT)) {
        return true;
    }
    for (int i = INVIG_ACCESS_ALLOWED; i <= INVIG_ACCESS_BLOCKED; i++) {
        if (string_is(reader, invig_access_word((enum invig_access)i))) {
            reader->update->access = (enum invig_access)i;
            return true;
        }
    }
    return reader_fail(reader, "must be ALLOWED, DENIED or BLOCKED");
}

static bool read_unblock(struct reader *reader)
{
    if (!reader_get(reader, "unblock")) {
        return false;
    }
    if (value_is(reader, INVIG_VALUE_ABSENT)) {
        return true;
    }
    reader->update->unblock = value_is(reader, INVIG_VALUE_BOOLEAN) && reader->value.boolean;
    return reader->update->unblock || reader_fail(reader, "must be true where it is present");
}

/* evaluations/{e} */
static bool read_evaluation(struct reader *reader)
{
    return read_type(reader) && read_topic_id(reader, "evaluationId", reader->topic->evaluation) &&
           read_phase(reader) && read_start_at(reader) && read_end_at(reader) &&
           read_strict(reader) && read_version(reader);
}

/* evaluations/{e}/users/{user} */
static bool read_evaluation_user(struct reader *reader)
{
    return read_type(reader) && read_topic_id(reader, "evaluationId", reader->topic->evaluation) &&
           read_topic_id(reader, "userId", reader->topic->user) && read_status(reader) &&
           read_access(reader) && read_unblock(reader) && read_session(reader) &&
           read_end_at(reader) && read_version(reader);
}

bool invig_update_read(const struct invig_value_source *source, const struct invig_topic *topic,
                       const struct invig_policy *policy, struct invig_update *out_update,
                       char error[INVIG_UPDATE_ERROR_BYTES])
{
    struct reader reader = {.source = source,
                            .topic = topic,
                            .policy = policy,
                            .update = out_update,
                            .error = error,
                            .name = "topic"};
    bool is_valid = false;

    memset(out_update, 0, sizeof *out_update);
    if (topic->kind == INVIG_TOPIC_EVALUATION) {
        is_valid = read_evaluation(&reader);
    } else if (topic->kind == INVIG_TOPIC_EVALUATION_USER) {
        is_valid = read_evaluation_user(&reader);
    } else {
        (void)reader_fail(&reader, "is none for such messages");
    }
    if (!is_valid) {
        memset(out_update, 0, sizeof *out_update);
    }
    return is_valid;
}

const char *invig_access_word(enum invig_access access)
{
    switch (access) {
    case INVIG_ACCESS_ALLOWED:
        return "ALLOWED";
    case INVIG_ACCESS_DENIED:
        return "DENIED";
    case INVIG_ACCESS_BLOCKED:
        return "BLOCKED";
    case INVIG_ACCESS_UNSAID:
        break;
    }
    return "NONE";
}
