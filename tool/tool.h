/* SPDX-License-Identifier: Apache-2.0
 *
 * tool.h - what all of the command-line tool share: how it ends, and how it says what is wrong.
 */
#ifndef INVIGILATOR_TOOL_H
#define INVIGILATOR_TOOL_H

#include "invigilator/text.h"

/* What the process ends with. */
enum tool_exit {
    TOOL_DONE = 0,
    TOOL_REFUSED = 1,    /* a configuration, a token or a command was refused */
    TOOL_USAGE = 2,      /* wrong arguments, or a file that cannot be read */
    TOOL_CONNECTION = 3, /* no connection, or it was lost, or the login was refused */
    TOOL_TIMEOUT = 4     /* no answer in time */
};

enum { TOOL_NAME_BYTES_MAX = 200 }; /* of a text from outside in a message of ours */

/* Room for such a text, escaped. */
struct tool_shown {
    char text[4 * TOOL_NAME_BYTES_MAX + 4];
};

/* The text as it may be shown on a terminal; longer ones are cut. */
struct tool_shown tool_show(struct invig_text text);

/* Says on stderr: `invigilator: ...`. Texts from outside go through tool_show before. Returns
 * `code`. */
enum tool_exit tool_fail(enum tool_exit code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Milliseconds of a clock that never goes back. */
int64_t tool_now_ms(void);

/* Reads a whole file, or stdin where `path` is "-"; at most `bytes_max`. A NUL stands behind it.
 * The caller frees *out_data. Says what is wrong and returns false when it cannot be read. */
bool tool_read_file(const char *path, size_t bytes_max, char **out_data, size_t *out_length);

#endif
