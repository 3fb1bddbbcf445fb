/* SPDX-License-Identifier: Apache-2.0
 *
 * args.c - see args.h: one table of all options.
 */
#include "args.h"

#include "tool.h"

#include <string.h>

enum option_form { FORM_TEXT, FORM_FLAG, FORM_NUMBER, FORM_QUESTION, FORM_MESSAGE };

struct option_row {
    const char *letter; /* "" where it has none */
    const char *name;
    unsigned group;
    enum option_form form;
    size_t offset;            /* in struct tool_args */
    int64_t minimum, maximum; /* of a number; the kind of a question */
};

#define TEXT(letter, name, group, member)                                                          \
    {                                                                                              \
        letter, name, TOOL_TAKES_##group, FORM_TEXT, offsetof(struct tool_args, member), 0, 0      \
    }
#define FLAG(letter, name, group, member)                                                          \
    {                                                                                              \
        letter, name, TOOL_TAKES_##group, FORM_FLAG, offsetof(struct tool_args, member), 0, 0      \
    }
#define NUMBER(letter, name, group, member, minimum, maximum)                                      \
    {                                                                                              \
        letter, name, TOOL_TAKES_##group, FORM_NUMBER, offsetof(struct tool_args, member),         \
            minimum, maximum                                                                       \
    }
#define QUESTION(name, kind)                                                                       \
    {                                                                                              \
        "", name, TOOL_TAKES_EXPLAIN, FORM_QUESTION, 0, kind, 0                                    \
    }

static const struct option_row option_rows[] = {
    TEXT("-h", "--host", LOGIN, login.host),
    NUMBER("-p", "--port", LOGIN, login.port, 1, 65535),
    TEXT("", "--unix", LOGIN, login.unix_path),
    TEXT("-u", "--username", LOGIN, login.username),
    TEXT("-P", "--pw", LOGIN, login.password),
    TEXT("", "--password-file", LOGIN, login.password_file),
    TEXT("-i", "--id", LOGIN, login.client_id),
    TEXT("-V", "--protocol-version", LOGIN, login.version),
    TEXT("", "--cafile", LOGIN, login.cafile),
    TEXT("", "--capath", LOGIN, login.capath),
    TEXT("", "--cert", LOGIN, login.cert),
    TEXT("", "--key", LOGIN, login.key),
    TEXT("", "--tls-version", LOGIN, login.tls_version),
    FLAG("", "--tls-use-os-certs", LOGIN, login.use_os_certs),
    FLAG("", "--insecure", LOGIN, login.is_insecure),
    NUMBER("", "--timeout", LOGIN, login.timeout_s, 1, TOOL_TIMEOUT_S_MAX),
    FLAG("", "--json", JSON, is_json),
    FLAG("", "--ids", IDS, show_ids),
    TEXT("", "--prefix", PREFIX, prefix),
    TEXT("", "--session", UNBLOCK, session),
    FLAG("", "--null", UNBLOCK, has_null),
    TEXT("", "--except", INVALIDATE, except),
    FLAG("", "--unless-bound", INVALIDATE, unless_bound),
    TEXT("", "--config", EXPLAIN, config),
    TEXT("", "--token-file", EXPLAIN, token_file),
    TEXT("-i", "--client-id", EXPLAIN, login.client_id),
    TEXT("-u", "--username", EXPLAIN, login.username),
    TEXT("", "--at", EXPLAIN, at),
    QUESTION("--subscribe", TOOL_ASK_SUBSCRIBE),
    QUESTION("--receive", TOOL_ASK_RECEIVE),
    QUESTION("--publish", TOOL_ASK_PUBLISH),
    {"", "--message", TOOL_TAKES_EXPLAIN, FORM_MESSAGE, 0, 0, 0},
};

enum { OPTION_COUNT = sizeof option_rows / sizeof option_rows[0] };

static const struct option_row *option_find(unsigned groups, const char *name)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option_row *row = &option_rows[i];

        if ((row->group & groups) != 0 &&
            (strcmp(row->name, name) == 0 || strcmp(row->letter, name) == 0)) {
            return row;
        }
    }
    return NULL;
}

/* Digits and nothing else. */
static bool number_read(const char *text, int64_t minimum, int64_t maximum, int64_t *out)
{
    int64_t number = 0;

    for (const char *at = text; *at != '\0'; at++) {
        if (*at < '0' || *at > '9' || number > maximum) {
            return false;
        }
        number = number * 10 + (*at - '0');
    }
    *out = number;
    return text[0] != '\0' && number >= minimum && number <= maximum;
}

static bool args_say(const char *name, const char *what)
{
    (void)tool_fail(TOOL_USAGE, "%s: %s", tool_show(invig_text_of(name)).text, what);
    return false;
}

static bool question_add(struct tool_args *args, const struct option_row *row, const char *topic)
{
    if (args->question_count >= TOOL_QUESTIONS_MAX) {
        return args_say(row->name, "too many questions");
    }
    args->questions[args->question_count++] =
        (struct tool_question){(enum tool_question_kind)row->minimum, topic};
    return true;
}

static bool message_add(struct tool_args *args, const struct option_row *row, const char *value)
{
    if (args->message_count >= TOOL_MESSAGES_MAX) {
        return args_say(row->name, "too many messages");
    }
    if (strchr(value, '=') == NULL) {
        return args_say(row->name, "expected TOPIC=FILE");
    }
    args->messages[args->message_count++] = value;
    return true;
}

static bool option_apply(struct tool_args *args, const struct option_row *row, const char *value)
{
    void *member = (char *)args + row->offset;

    switch (row->form) {
    case FORM_TEXT:
        *(const char **)member = value;
        return true;
    case FORM_FLAG:
        *(bool *)member = true;
        return true;
    case FORM_NUMBER:
        return number_read(value, row->minimum, row->maximum, member) ||
               args_say(row->name, "expected a number in range");
    case FORM_QUESTION:
        return question_add(args, row, value);
    case FORM_MESSAGE:
        return message_add(args, row, value);
    }
    return false;
}

int tool_args_option(struct tool_args *args, unsigned groups, const char *name, const char *value)
{
    const struct option_row *row = option_find(groups, name);

    if (row == NULL) {
        (void)args_say(name, "unknown option");
        return -1;
    }
    if (row->form != FORM_FLAG && value == NULL) {
        (void)args_say(name, "a value is missing");
        return -1;
    }
    if (!option_apply(args, row, value)) {
        return -1;
    }
    return row->form == FORM_FLAG ? 0 : 1;
}

/* `--name=value` in place: cuts the name off. Returns the value; NULL where there is none. */
static char *argument_split(char *argument)
{
    char *equals = strncmp(argument, "--", 2) == 0 ? strchr(argument, '=') : NULL;

    if (equals != NULL) {
        *equals = '\0';
    }
    return equals == NULL ? NULL : equals + 1;
}

/* Returns how many arguments were taken; 0 after saying what is wrong. */
static int args_take_option(struct tool_args *args, unsigned groups, char **argv, int left)
{
    char *joined = argument_split(argv[0]);
    int taken =
        tool_args_option(args, groups, argv[0], joined != NULL || left < 2 ? joined : argv[1]);

    if (taken < 0) {
        return 0;
    }
    if (taken == 0 && joined != NULL) {
        return args_say(argv[0], "takes no value") ? 1 : 0;
    }
    return joined != NULL ? 1 : 1 + taken;
}

static bool args_take_word(struct tool_args *args, const char *word)
{
    if (args->word_count >= TOOL_WORDS_MAX) {
        return args_say(word, "one argument too many");
    }
    args->words[args->word_count++] = word;
    return true;
}

bool tool_args_read(int argc, char **argv, unsigned groups, struct tool_args *out_args)
{
    bool is_options = true;

    if (!tool_args_init(groups, out_args)) {
        return false;
    }
    for (int i = 2; i < argc;) {
        int taken = 1;

        if (is_options && strcmp(argv[i], "--") == 0) {
            is_options = false;
        } else if (is_options && strcmp(argv[i], "--help") == 0) {
            out_args->is_help = true;
        } else if (is_options && argv[i][0] == '-' && argv[i][1] != '\0') {
            taken = args_take_option(out_args, groups, argv + i, argc - i);
        } else if (!args_take_word(out_args, argv[i])) {
            return false;
        }
        if (taken == 0) {
            return false;
        }
        i += taken;
    }
    return true;
}
