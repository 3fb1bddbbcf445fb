/* SPDX-License-Identifier: Apache-2.0
 *
 * tool.c - see tool.h.
 */
#include "tool.h"

#include "invigilator/logline.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct tool_shown tool_show(struct invig_text text)
{
    struct tool_shown shown;

    (void)invig_logline_escape(text, TOOL_NAME_BYTES_MAX, shown.text, sizeof shown.text);
    return shown;
}

enum tool_exit tool_fail(enum tool_exit code, const char *format, ...)
{
    va_list arguments;

    (void)fflush(stdout);
    (void)fputs("invigilator: ", stderr);
    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
    (void)fputc('\n', stderr);
    return code;
}

int64_t tool_now_ms(void)
{
    struct timespec now = {0, 0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Reads one byte more than allowed, to find out. */
static bool stream_read(FILE *stream, const char *path, size_t bytes_max, char **out_data,
                        size_t *out_length)
{
    char *data = malloc(bytes_max + 2);
    size_t length = data == NULL ? 0 : fread(data, 1, bytes_max + 1, stream);

    if (data == NULL || ferror(stream) || length > bytes_max) {
        (void)tool_fail(TOOL_USAGE, "%s: %s", tool_show(invig_text_of(path)).text,
                        data == NULL         ? "out of memory"
                        : length > bytes_max ? "too long"
                                             : strerror(errno));
        free(data);
        return false;
    }
    data[length] = '\0';
    *out_data = data;
    *out_length = length;
    return true;
}

bool tool_read_file(const char *path, size_t bytes_max, char **out_data, size_t *out_length)
{
    FILE *stream = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    bool is_read;

    if (stream == NULL) {
        (void)tool_fail(TOOL_USAGE, "%s: %s", tool_show(invig_text_of(path)).text, strerror(errno));
        return false;
    }
    is_read = stream_read(stream, path, bytes_max, out_data, out_length);
    if (stream != stdin) {
        (void)fclose(stream);
    }
    return is_read;
}
