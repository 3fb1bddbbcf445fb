/* SPDX-License-Identifier: Apache-2.0
 *
 * command.c - the table of commands, with what --help says of each.
 */
#include "command.h"

#include <string.h>

#define LOGIN_HELP                                                                                 \
    "  -h HOST, -p PORT, --unix PATH      the broker (localhost, 1883)\n"                          \
    "  -u NAME, -P PASSWORD               a token as PASSWORD needs no NAME\n"                     \
    "  --password-file FILE               its first line is the password\n"                        \
    "  -i ID, -V mqttv5|mqttv311          client id, version of MQTT (mqttv5)\n"                   \
    "  --cafile, --capath, --cert, --key, --tls-use-os-certs, --insecure,\n"                       \
    "  --tls-version                      TLS, as mosquitto_pub has it\n"                          \
    "  --timeout SECONDS                  patience (10)\n"
#define JSON_HELP "  --json                             for programs\n"
#define IDS_HELP  "  --ids                              session ids, not fingerprints\n"

enum { ASKS = TOOL_TAKES_LOGIN | TOOL_TAKES_JSON };

static const struct tool_command commands[] = {
    {"check-config", 0, 1, 1, tool_check_run, "FILE",
     "Whether the broker would start with FILE, a mosquitto.conf, as far as the\n"
     "plugin is concerned: the words of its log, with file and line; then the\n"
     "settings. Root reads with the rights of the broker's user. Nothing is written.\n"},
    {"explain", TOOL_TAKES_EXPLAIN | TOOL_TAKES_JSON, 0, 0, tool_explain_run,
     "--config FILE --token-file FILE|- [OPTION...]",
     "What a broker with this mosquitto.conf would do with a token, and why. Without\n"
     "a broker, and without its state file.\n"
     "  -i ID, -u NAME                     client id (the user's id), username (none)\n"
     "  --subscribe FILTER, --receive TOPIC, --publish TOPIC\n"
     "                                     a question; there may be several\n"
     "  --message TOPIC=FILE               what the backend said before; likewise\n"
     "  --at TIME                          as 2026-11-24T09:30:00Z (now)\n" JSON_HELP},
    {"users", ASKS, 0, 0, tool_users_run, "[OPTION...]",
     "Who is connected, with the number of sessions and connections.\n" JSON_HELP LOGIN_HELP},
    {"sessions", ASKS | TOOL_TAKES_IDS, 0, 0, tool_sessions_run, "[OPTION...]",
     "The sessions that are connected.\n" IDS_HELP JSON_HELP LOGIN_HELP},
    {"evaluation", ASKS, 1, 1, tool_evaluation_run, "EVALUATION [OPTION...]",
     "An evaluation and its participants.\n" JSON_HELP LOGIN_HELP},
    {"user", ASKS | TOOL_TAKES_IDS, 1, 1, tool_user_run, "USER [OPTION...]",
     "A user's sessions and connections, and where the user is bound or blocked.\n" IDS_HELP
         JSON_HELP LOGIN_HELP},
    {"unblock", ASKS | TOOL_TAKES_UNBLOCK, 2, 2, tool_unblock_run, "USER EVALUATION [OPTION...]",
     "Lifts a block.\n"
     "  --session SESSION                  the session (id, fingerprint) that counts\n"
     "  --null                             the next login is the one that counts\n" JSON_HELP
         LOGIN_HELP},
    {"invalidate", ASKS | TOOL_TAKES_INVALIDATE, 1, 2, tool_invalidate_run,
     "USER [SESSION] [OPTION...]",
     "Revokes one session (id or fingerprint), or all of a user.\n"
     "  --except SESSION                   all but this one\n"
     "  --unless-bound                     none while bound in a strict evaluation\n" JSON_HELP
         LOGIN_HELP},
    {"stats", ASKS, 0, 0, tool_stats_run, "[OPTION...]", "The counters.\n" JSON_HELP LOGIN_HELP},
    {"watch", ASKS | TOOL_TAKES_PREFIX, 1, 1, tool_watch_run, "EVALUATION [OPTION...]",
     "Presence, incidents and messages of an evaluation as they come, a line each.\n"
     "  --prefix PREFIX                    the topic_prefix of the plugin\n" JSON_HELP LOGIN_HELP},
};

const struct tool_command *tool_command_at(size_t index)
{
    return index < sizeof commands / sizeof commands[0] ? &commands[index] : NULL;
}

const struct tool_command *tool_command_find(const char *name)
{
    const struct tool_command *command;

    for (size_t i = 0; (command = tool_command_at(i)) != NULL; i++) {
        if (strcmp(command->name, name) == 0) {
            return command;
        }
    }
    return NULL;
}
