/* SPDX-License-Identifier: Apache-2.0
 *
 * control.c - one table says which members a command has; reading goes by it.
 */
#include "invigilator/control.h"

#include <stdio.h>
#include <string.h>

/* A member of a command: how its value goes into the command. */
struct member {
    const char *name;
    const char *form; /* what the value must be, for the error text */
    /* Returns whether the value, which is there, has that form. */
    bool (*take)(const struct invig_value *value, struct invig_command *command);
};

/* What the steps below share. */
struct reader {
    const struct invig_value_source *source;
    struct invig_command *command;
    size_t member_count; /* that were found */
    struct invig_value value;
    char *error; /* INVIG_CONTROL_ERROR_BYTES */
};

#define ID_FORM "an id: 1 to 128 bytes without control characters, '/', '+', '#' and a leading '$'"

static bool take_id(const struct invig_value *value, char out[INVIG_ID_BYTES_MAX + 1])
{
    struct invig_text id = value->string;

    if (value->kind != INVIG_VALUE_STRING || !invig_text_is_id(id)) {
        return false;
    }
    memcpy(out, id.data, id.length);
    out[id.length] = '\0';
    return true;
}

static bool take_integer(const struct invig_value *value, int64_t min, int64_t max, int64_t *out)
{
    if (value->kind != INVIG_VALUE_INTEGER || value->integer < min || value->integer > max) {
        return false;
    }
    *out = value->integer;
    return true;
}

static bool take_user(const struct invig_value *value, struct invig_command *command)
{
    return take_id(value, command->user);
}

static bool take_evaluation(const struct invig_value *value, struct invig_command *command)
{
    return take_id(value, command->evaluation);
}

static bool take_session(const struct invig_value *value, struct invig_command *command)
{
    command->session_said = INVIG_SAID_VALUE;
    return take_id(value, command->session);
}

static bool take_session_or_null(const struct invig_value *value, struct invig_command *command)
{
    if (value->kind != INVIG_VALUE_NULL) {
        return take_session(value, command);
    }
    command->session_said = INVIG_SAID_NULL;
    return true;
}

static bool take_except(const struct invig_value *value, struct invig_command *command)
{
    command->has_except = true;
    return take_id(value, command->except_session);
}

static bool take_unless_bound(const struct invig_value *value, struct invig_command *command)
{
    command->unless_bound = value->boolean;
    return value->kind == INVIG_VALUE_BOOLEAN;
}

static bool take_before(const struct invig_value *value, struct invig_command *command)
{
    command->has_before = true;
    return take_integer(value, 0, INVIG_TIME_S_MAX, &command->before_s);
}

static bool take_offset(const struct invig_value *value, struct invig_command *command)
{
    return take_integer(value, 0, INT64_MAX, &command->offset);
}

static bool take_count(const struct invig_value *value, struct invig_command *command)
{
    return take_integer(value, 1, INVIG_CONTROL_COUNT_MAX, &command->count);
}

/* It is returned with the answer, so it is the caller who keeps it. */
static bool take_correlation(const struct invig_value *value, struct invig_command *command)
{
    (void)command;
    return value->kind == INVIG_VALUE_STRING && value->string.length <= INVIG_CORRELATION_BYTES_MAX;
}

static const struct member USER = {"userId", ID_FORM, take_user};
static const struct member EVALUATION = {"evaluationId", ID_FORM, take_evaluation};
static const struct member SESSION = {"sessionId", ID_FORM, take_session};
static const struct member SESSION_OR_NULL = {"sessionId", "null or " ID_FORM,
                                              take_session_or_null};
static const struct member EXCEPT = {"exceptSessionId", ID_FORM, take_except};
static const struct member UNLESS_BOUND = {"unlessBound", "true or false", take_unless_bound};
static const struct member BEFORE = {"before", "an integer from 0 to 253402300799, Unix seconds",
                                     take_before};
static const struct member OFFSET = {"offset", "an integer from 0", take_offset};
static const struct member COUNT = {"count", "an integer from 1 to 1000", take_count};
static const struct member CORRELATION = {"correlationData", "a string of at most 256 bytes",
                                          take_correlation};

_Static_assert(INVIG_ID_BYTES_MAX == 128 && INVIG_TIME_S_MAX == INT64_C(253402300799) &&
                   INVIG_CONTROL_COUNT_MAX == 1000 && INVIG_CORRELATION_BYTES_MAX == 256,
               "the texts above name these numbers");

/* Which command has which member. All have CORRELATION. */
static const struct row {
    enum invig_command_kind kind;
    const struct member *member;
    bool is_needed;
} ROWS[] = {
    {INVIG_COMMAND_INVALIDATE_SESSION, &USER, true},
    {INVIG_COMMAND_INVALIDATE_SESSION, &SESSION, true},
    {INVIG_COMMAND_INVALIDATE_USER, &USER, true},
    {INVIG_COMMAND_INVALIDATE_USER, &EXCEPT, false},
    {INVIG_COMMAND_INVALIDATE_USER, &UNLESS_BOUND, false},
    {INVIG_COMMAND_INVALIDATE_USER, &BEFORE, false},
    {INVIG_COMMAND_UNBLOCK, &USER, true},
    {INVIG_COMMAND_UNBLOCK, &EVALUATION, true},
    {INVIG_COMMAND_UNBLOCK, &SESSION_OR_NULL, false},
    {INVIG_COMMAND_GET_USER, &USER, true},
    {INVIG_COMMAND_GET_EVALUATION, &EVALUATION, true},
    {INVIG_COMMAND_GET_EVALUATION, &OFFSET, false},
    {INVIG_COMMAND_GET_EVALUATION, &COUNT, false},
    {INVIG_COMMAND_LIST_SESSIONS, &OFFSET, false},
    {INVIG_COMMAND_LIST_SESSIONS, &COUNT, false},
};

/* Returns false, for the caller to return. `form` is what the member must be, NULL where it is
 * missing. */
static bool reader_fail(struct reader *reader, const char *name, const char *form)
{
    if (reader->value.kind == INVIG_VALUE_ERROR) {
        snprintf(reader->error, INVIG_CONTROL_ERROR_BYTES, "out of memory");
    } else if (reader->value.kind == INVIG_VALUE_ABSENT) {
        snprintf(reader->error, INVIG_CONTROL_ERROR_BYTES, "%s is missing", name);
    } else {
        snprintf(reader->error, INVIG_CONTROL_ERROR_BYTES, "%s must be %s", name, form);
    }
    return false;
}

static void reader_get(struct reader *reader, const char *name)
{
    reader->value = (struct invig_value){0};
    reader->source->get(reader->source->context, name, &reader->value);
    if (reader->value.kind != INVIG_VALUE_ABSENT) {
        reader->member_count++;
    }
}

static bool read_kind(struct reader *reader)
{
    static const struct {
        enum invig_command_kind kind;
        const char *word;
    } COMMANDS[] = {
#define COMMAND_ROW(name, word) {INVIG_COMMAND_##name, word},
        INVIG_COMMAND_MAP(COMMAND_ROW)
#undef COMMAND_ROW
    };

    reader_get(reader, "command");
    if (reader->value.kind != INVIG_VALUE_STRING) {
        return reader_fail(reader, "command", "a string");
    }
    for (size_t i = 0; i < sizeof COMMANDS / sizeof COMMANDS[0]; i++) {
        if (invig_text_equal(reader->value.string, invig_text_of(COMMANDS[i].word))) {
            reader->command->kind = COMMANDS[i].kind;
            return true;
        }
    }
    return reader_fail(reader, "command", "one that is known");
}

static bool read_member(struct reader *reader, const struct member *member, bool is_needed)
{
    reader_get(reader, member->name);
    if (reader->value.kind == INVIG_VALUE_ABSENT && !is_needed) {
        return true;
    }
    if (reader->value.kind == INVIG_VALUE_ABSENT ||
        !member->take(&reader->value, reader->command)) {
        return reader_fail(reader, member->name, member->form);
    }
    return true;
}

static bool read_members(struct reader *reader)
{
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        if (ROWS[i].kind != reader->command->kind) {
            continue;
        }
        if (ROWS[i].member == &COUNT) {
            reader->command->count = INVIG_CONTROL_COUNT_MAX;
        }
        if (!read_member(reader, ROWS[i].member, ROWS[i].is_needed)) {
            return false;
        }
    }
    return read_member(reader, &CORRELATION, false);
}

/* A source that does not say how many members there are cannot show that there are no others. */
static bool reader_is_through(const struct reader *reader)
{
    if (reader->member_count != reader->source->member_count) {
        snprintf(reader->error, INVIG_CONTROL_ERROR_BYTES,
                 "a member that this command does not have");
        return false;
    }
    return true;
}

bool invig_command_read(const struct invig_value_source *source, struct invig_command *out_command,
                        char error[INVIG_CONTROL_ERROR_BYTES])
{
    struct reader reader = {.source = source, .command = out_command, .error = error};

    *out_command = (struct invig_command){0};
    error[0] = '\0';
    if (!read_kind(&reader) || !read_members(&reader) || !reader_is_through(&reader)) {
        *out_command = (struct invig_command){0};
        return false;
    }
    return true;
}
