/* SPDX-License-Identifier: Apache-2.0
 *
 * args_file.c - the user's own defaults for the connection, as mosquitto_pub has them.
 */
#include "args.h"

#include "tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_BYTES_MAX = 65536, PATH_BYTES = 4096 };

/* $XDG_CONFIG_HOME/invigilator, or .config/invigilator at home. */
static bool file_path(char out[PATH_BYTES])
{
    const char *config = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    int length = 0;

    if (config != NULL && config[0] != '\0') {
        length = snprintf(out, PATH_BYTES, "%s/invigilator", config);
    } else if (home != NULL && home[0] != '\0') {
        length = snprintf(out, PATH_BYTES, "%s/.config/invigilator", home);
    }
    return length > 0 && length < PATH_BYTES && access(out, F_OK) == 0;
}

/* One line: an option, and its value behind a blank. */
static bool line_apply(struct tool_args *args, char *line)
{
    char *value = strchr(line, ' ');

    if (value != NULL) {
        *value++ = '\0';
        value += strspn(value, " ");
    }
    return tool_args_option(args, TOOL_TAKES_LOGIN, line, value) >= 0;
}

/* What it says is used until the process ends. */
static char *file_text;

static bool file_apply(struct tool_args *args, const char *path)
{
    size_t length;
    char *place = NULL;

    if (!tool_read_file(path, FILE_BYTES_MAX, &file_text, &length)) {
        return false;
    }
    for (char *line = strtok_r(file_text, "\r\n", &place); line != NULL;
         line = strtok_r(NULL, "\r\n", &place)) {
        if (line[0] != '#' && !line_apply(args, line)) {
            (void)tool_fail(TOOL_USAGE, "that is in %s", tool_show(invig_text_of(path)).text);
            return false;
        }
    }
    return true;
}

bool tool_args_init(unsigned groups, struct tool_args *out_args)
{
    char path[PATH_BYTES];

    *out_args = (struct tool_args){.login = {.timeout_s = TOOL_TIMEOUT_S_DEFAULT}};
    return (groups & TOOL_TAKES_LOGIN) == 0 || !file_path(path) || file_apply(out_args, path);
}
