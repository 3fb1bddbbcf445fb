/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_control.c - payloads of any bytes as the control API reads them: JSON, then each command.
 */
#include "invigilator/control.h"
#include "json.h"

#include "invigilator/jsontext.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "fuzz_control: %s\n", what);
        abort();
    }
}

/* An id where it is needed, nothing where it is not. */
static void must_be_id(const char id[INVIG_ID_BYTES_MAX + 1], bool is_there)
{
    must(memchr(id, '\0', INVIG_ID_BYTES_MAX + 1) != NULL, "no end");
    must(is_there ? invig_text_is_id(invig_text_of(id)) : id[0] == '\0', "id");
}

static void must_have_session(const struct invig_command *command)
{
    bool is_unblock = command->kind == INVIG_COMMAND_UNBLOCK;

    must_be_id(command->session, command->session_said == INVIG_SAID_VALUE);
    if (command->kind == INVIG_COMMAND_INVALIDATE_SESSION) {
        must(command->session_said == INVIG_SAID_VALUE, "session");
    } else {
        must(command->session_said == INVIG_SAID_NOTHING || is_unblock, "session of others");
    }
}

static void must_have_ids(const struct invig_command *command)
{
    enum invig_command_kind kind = command->kind;

    must_be_id(command->user, kind == INVIG_COMMAND_INVALIDATE_SESSION ||
                                  kind == INVIG_COMMAND_INVALIDATE_USER ||
                                  kind == INVIG_COMMAND_UNBLOCK || kind == INVIG_COMMAND_GET_USER);
    must_be_id(command->evaluation,
               kind == INVIG_COMMAND_UNBLOCK || kind == INVIG_COMMAND_GET_EVALUATION);
    must_be_id(command->except_session, command->has_except);
    must_have_session(command);
}

static void must_be_in_range(const struct invig_command *command)
{
    bool is_list = command->kind == INVIG_COMMAND_GET_EVALUATION ||
                   command->kind == INVIG_COMMAND_LIST_SESSIONS;
    bool is_user = command->kind == INVIG_COMMAND_INVALIDATE_USER;

    must(is_user || (!command->has_except && !command->unless_bound && !command->has_before),
         "members of invalidateUser");
    must(command->before_s >= 0 && command->before_s <= INVIG_TIME_S_MAX, "before");
    must(command->has_before || command->before_s == 0, "before out of nothing");
    must(command->offset >= 0 && (is_list || command->offset == 0), "offset");
    must(is_list ? command->count >= 1 && command->count <= INVIG_CONTROL_COUNT_MAX
                 : command->count == 0,
         "count");
}

static void must_be_error(const char error[INVIG_CONTROL_ERROR_BYTES])
{
    size_t length = strnlen(error, INVIG_CONTROL_ERROR_BYTES);

    must(length > 0 && length < INVIG_CONTROL_ERROR_BYTES, "error text");
    for (size_t i = 0; i < length; i++) {
        must(error[i] >= ' ' && error[i] <= '~', "error text from outside");
    }
}

static void command_try(void *context, const struct invig_value_source *source)
{
    static const struct invig_command nothing;
    size_t *count = context;
    struct invig_command command;
    char error[INVIG_CONTROL_ERROR_BYTES];

    (*count)++;
    memset(&command, 0xEE, sizeof command);
    memset(error, 0xEE, sizeof error);
    if (!invig_command_read(source, &command, error)) {
        must_be_error(error);
        must(memcmp(&command, &nothing, sizeof nothing) == 0, "left over");
        return;
    }
    must(command.kind > INVIG_COMMAND_NONE && command.kind <= INVIG_COMMAND_GET_STATS, "kind");
    must(source->member_count >= 1 && source->member_count <= 6, "members");
    must_have_ids(&command);
    must_be_in_range(&command);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Empty input comes as NULL from libFuzzer, which would be an absent text. */
    const struct invig_text input = {size == 0 ? "" : (const char *)data, size};
    size_t count = 0;
    size_t members;
    bool is_json = invig_jsontext_check(input, INVIG_JSON_DEPTH_MAX, &members);
    enum invig_status status =
        invig_json_read_commands(input, INVIG_CONTROL_COMMANDS_MAX, command_try, &count);

    if (status == INVIG_OK) {
        must(is_json, "not strict");
        must(count >= 1 && count <= INVIG_CONTROL_COMMANDS_MAX, "count");
    } else {
        must(status == INVIG_ERR_FORMAT, "status");
        must(count == 0, "called all the same");
    }
    return 0;
}
