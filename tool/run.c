/* SPDX-License-Identifier: Apache-2.0
 *
 * run.c - see main.h: finds the command, and makes sure of what it printed.
 */
#include "main.h"

#include "command.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static const char main_help[] =
    "Usage: invigilator COMMAND [ARGUMENT...]\n"
    "Looks after the invigilator plugin of a Mosquitto broker.\n"
    "\n"
    "Without a broker:\n"
    "  check-config FILE       would the broker start with this mosquitto.conf?\n"
    "  explain                 what may a token do, and why?\n"
    "With a running broker:\n"
    "  users                   who is connected\n"
    "  sessions                sessions that are connected\n"
    "  user USER               sessions, bindings and blocks of a user\n"
    "  evaluation EVALUATION   phase and participants\n"
    "  stats                   counters\n"
    "  unblock USER EVALUATION      lifts a block\n"
    "  invalidate USER [SESSION]    revokes sessions\n"
    "  watch EVALUATION        presence and incidents as they come\n"
    "\n"
    "invigilator COMMAND --help says more; so does invigilator(1).\n"
    "Exit status: 0 done, 1 refused, 2 usage, 3 no connection, 4 no answer in time.\n";

static void print_command_help(const struct tool_command *command)
{
    (void)printf("Usage: invigilator %s %s\n%s", command->name, command->usage, command->help);
}

static int run_command(const struct tool_command *command, int argc, char **argv)
{
    struct tool_args args;

    if (!tool_args_read(argc, argv, command->groups, &args)) {
        return TOOL_USAGE;
    }
    if (args.is_help) {
        print_command_help(command);
        return TOOL_DONE;
    }
    if (args.word_count < command->words_min || args.word_count > command->words_max) {
        return (int)tool_fail(TOOL_USAGE, "usage: invigilator %s %s", command->name,
                              command->usage);
    }
    return (int)command->run(&args);
}

static int run_any(int argc, char **argv)
{
    const char *name = argc < 2 ? "" : argv[1];
    const struct tool_command *command = tool_command_find(name);

    if (command != NULL) {
        return run_command(command, argc, argv);
    }
    if (strcmp(name, "--version") == 0) {
        (void)puts("invigilator " TOOL_VERSION);
        return TOOL_DONE;
    }
    if (strcmp(name, "--help") == 0) {
        (void)fputs(main_help, stdout);
        return TOOL_DONE;
    }
    if (name[0] == '\0') {
        (void)fputs(main_help, stderr);
        return TOOL_USAGE;
    }
    return (int)tool_fail(TOOL_USAGE, "%s: unknown command; see invigilator --help",
                          tool_show(invig_text_of(name)).text);
}

/* Output that nobody got is no success; a reader that has gone away is nothing to talk about. */
int tool_main(int argc, char **argv)
{
    int code;

    (void)signal(SIGPIPE, SIG_IGN);
    code = run_any(argc, argv);
    errno = 0;
    if (fflush(stdout) != 0 || ferror(stdout)) {
        if (errno != EPIPE && errno != 0) {
            (void)tool_fail(TOOL_USAGE, "stdout: %s", strerror(errno));
        }
        code = code == TOOL_DONE ? TOOL_USAGE : code;
    }
    return code;
}
