/* SPDX-License-Identifier: Apache-2.0
 *
 * args.h - the arguments of a command, read and checked.
 * Owns: nothing: texts are those of argv, or of a file of settings that is kept.
 */
#ifndef INVIGILATOR_TOOL_ARGS_H
#define INVIGILATOR_TOOL_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TOOL_QUESTIONS_MAX = 64,
    TOOL_MESSAGES_MAX = 64,
    TOOL_WORDS_MAX = 2,
    TOOL_TIMEOUT_S_DEFAULT = 10,
    TOOL_TIMEOUT_S_MAX = 3600
};

/* How to reach the broker and who to be there, as mosquitto_pub has it. */
struct tool_login {
    const char *host; /* NULL: localhost */
    const char *unix_path;
    int64_t port; /* 0: 1883, or 8883 with TLS */
    const char *username, *password, *password_file;
    const char *client_id;
    const char *version; /* mqttv311 or mqttv5 */
    const char *cafile, *capath, *cert, *key, *tls_version;
    bool is_insecure, use_os_certs;
    int64_t timeout_s;
};

enum tool_question_kind { TOOL_ASK_SUBSCRIBE, TOOL_ASK_RECEIVE, TOOL_ASK_PUBLISH };

struct tool_question {
    enum tool_question_kind kind;
    const char *topic;
};

struct tool_args {
    struct tool_login login;
    const char *words[TOOL_WORDS_MAX];
    size_t word_count;
    bool is_help, is_json, has_null, unless_bound, show_ids;
    const char *session, *except, *prefix;
    const char *config, *token_file, *at;
    struct tool_question questions[TOOL_QUESTIONS_MAX]; /* in the order given */
    size_t question_count;
    const char *messages[TOOL_MESSAGES_MAX]; /* TOPIC=FILE */
    size_t message_count;
};

/* Groups of options; a command takes some of them. */
enum {
    TOOL_TAKES_LOGIN = 1,
    TOOL_TAKES_JSON = 2,
    TOOL_TAKES_EXPLAIN = 4,
    TOOL_TAKES_UNBLOCK = 8,
    TOOL_TAKES_INVALIDATE = 16,
    TOOL_TAKES_PREFIX = 32,
    TOOL_TAKES_IDS = 64
};

/* Reads argv[1] and what follows. Says what is wrong and returns false. */
bool tool_args_read(int argc, char **argv, unsigned groups, struct tool_args *out_args);

/* The defaults, and what `invigilator` in the user's configuration directory says: one option of
 * TOOL_TAKES_LOGIN a line, its value behind a blank. */
bool tool_args_init(unsigned groups, struct tool_args *out_args);

/* Reads one option of `groups` into *args; `value` is NULL where there is none. The name has its
 * dashes. Returns 1 where the value was taken, 0 where not, -1 after saying what is wrong. */
int tool_args_option(struct tool_args *args, unsigned groups, const char *name, const char *value);

#endif
