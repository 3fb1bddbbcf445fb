/* SPDX-License-Identifier: Apache-2.0
 *
 * logline.h - builds one log line: `invigilator: <event> key=value ...`. Text from outside is
 * escaped, so that it can neither start a new line nor reach a terminal. Depends on: text.
 */
#ifndef INVIGILATOR_LOGLINE_H
#define INVIGILATOR_LOGLINE_H

#include "invigilator/text.h"

enum {
    INVIG_LOGLINE_BYTES =
        900, /* a whole line with its NUL; Mosquitto cuts at 1000 with its time stamp */
    INVIG_LOGLINE_VALUE_BYTES =
        200 /* of a value, before escaping; what is longer is cut and ends in "..." */
};

enum invig_log_level { INVIG_LOG_ERROR = 1, INVIG_LOG_WARNING, INVIG_LOG_NOTICE, INVIG_LOG_INFO };

struct invig_logline {
    char text[INVIG_LOGLINE_BYTES];
    size_t length;
};

/* Starts a line. `event` is a static word. */
void invig_logline_init(struct invig_logline *line, const char *event);

/* Adds ` key=value`; an absent value adds nothing. The value stands in double quotes when it is
 * empty or holds a space, a quote, a backslash or '='. Escaped as \xNN, byte by byte: control
 * characters, characters that turn the direction of writing, look like a space or are invisible
 * (U+00A0, U+00AD, U+061C, U+1680, U+180E, U+2000..200F, U+2028..202F, U+205F..206F, U+3000,
 * U+FEFF, U+FFF9..FFFB, U+E0000..E007F) and bytes that are not UTF-8; '"' and '\' get a backslash.
 * A value that does not fit is left out with its key. */
void invig_logline_add(struct invig_logline *line, const char *key, struct invig_text value);

void invig_logline_add_number(struct invig_logline *line, const char *key, int64_t value);

/* Writes at most `bytes_max` bytes of `text`, escaped as a value is but without quotes around it,
 * and a NUL to `out` of `size` bytes; text that is longer is cut between two characters and "..."
 * stands behind it. An absent text counts as empty. 4 * bytes_max + 4 bytes are always enough.
 * Returns false, with an empty string in `out`, when `size` (> 0) is too small. */
bool invig_logline_escape(struct invig_text text, size_t bytes_max, char *out, size_t size);

#endif
