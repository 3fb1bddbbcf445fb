/* SPDX-License-Identifier: Apache-2.0
 *
 * command.h - the commands of the tool. Each says what is wrong and returns what the process ends
 * with.
 */
#ifndef INVIGILATOR_TOOL_COMMAND_H
#define INVIGILATOR_TOOL_COMMAND_H

#include "args.h"
#include "tool.h"

struct tool_command {
    const char *name;
    unsigned groups; /* of options */
    size_t words_min, words_max;
    enum tool_exit (*run)(const struct tool_args *args);
    const char *usage; /* the arguments, behind the name */
    const char *help;  /* what --help says below the usage */
};

/* The command at `index`, counted from 0; NULL behind the last. */
const struct tool_command *tool_command_at(size_t index);

const struct tool_command *tool_command_find(const char *name); /* NULL: none */

/* Without a broker. */
enum tool_exit tool_check_run(const struct tool_args *args);
enum tool_exit tool_explain_run(const struct tool_args *args);

/* What a broker knows. */
enum tool_exit tool_users_run(const struct tool_args *args);
enum tool_exit tool_sessions_run(const struct tool_args *args);
enum tool_exit tool_evaluation_run(const struct tool_args *args);
enum tool_exit tool_user_run(const struct tool_args *args);
enum tool_exit tool_stats_run(const struct tool_args *args);

/* What changes it. */
enum tool_exit tool_unblock_run(const struct tool_args *args);
enum tool_exit tool_invalidate_run(const struct tool_args *args);

enum tool_exit tool_watch_run(const struct tool_args *args);

#endif
