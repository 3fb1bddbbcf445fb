/* SPDX-License-Identifier: Apache-2.0
 *
 * logline.c - builds and escapes log lines.
 */
#include "invigilator/logline.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Where text goes. Nothing is written past `size`; what does not fit sets `is_full`, and a NUL
 * always stands at `length`. */
struct sink {
    char *data;
    size_t size; /* > 0, with the NUL */
    size_t length;
    bool is_full;
};

static void sink_put(struct sink *sink, const char *data, size_t length)
{
    if (sink->is_full || length > sink->size - 1 - sink->length) {
        sink->is_full = true;
        return;
    }
    memcpy(sink->data + sink->length, data, length);
    sink->length += length;
    sink->data[sink->length] = '\0';
}

static void sink_put_string(struct sink *sink, const char *string)
{
    sink_put(sink, string, strlen(string));
}

static void sink_put_hex(struct sink *sink, const char *data, size_t length)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)data[i];
        char escape[] = {'\\', 'x', digits[byte >> 4], digits[byte & 0x0F]};
        sink_put(sink, escape, sizeof escape);
    }
}

/* Characters that would make the line look other than it is: Unicode's spaces, bidirectional
 * controls, zero-width and annotation characters, line and paragraph separator, and tags. */
static bool code_point_is_deceptive(int32_t c)
{
    return c == 0x00A0 || c == 0x00AD || c == 0x061C || c == 0x1680 || c == 0x180E ||
           (c >= 0x2000 && c <= 0x200F) || (c >= 0x2028 && c <= 0x202F) ||
           (c >= 0x205F && c <= 0x206F) || c == 0x3000 || c == 0xFEFF ||
           (c >= 0xFFF9 && c <= 0xFFFB) || (c >= 0xE0000 && c <= 0xE007F);
}

static void sink_put_character(struct sink *sink, int32_t code_point, const char *data,
                               size_t length)
{
    if (code_point < 0 || invig_code_point_is_control(code_point) ||
        code_point_is_deceptive(code_point)) {
        sink_put_hex(sink, data, length);
        return;
    }
    if (code_point == '"' || code_point == '\\') {
        sink_put(sink, "\\", 1);
    }
    sink_put(sink, data, length);
}

static void sink_put_escaped(struct sink *sink, struct invig_text text, size_t bytes_max)
{
    size_t taken = 0;

    while (text.length > 0) {
        const char *data = text.data;
        size_t before = text.length;
        int32_t code_point = invig_text_next_code_point(&text);
        if (code_point < 0) { /* one byte that is not UTF-8 */
            text.data++;
            text.length--;
        }
        size_t length = before - text.length;
        if (length > bytes_max - taken) {
            sink_put(sink, "...", 3);
            return;
        }
        taken += length;
        sink_put_character(sink, code_point, data, length);
    }
}

bool invig_logline_escape(struct invig_text text, size_t bytes_max, char *out, size_t size)
{
    struct sink sink = {out, size, 0, false};

    out[0] = '\0';
    sink_put_escaped(&sink, text, bytes_max);
    if (sink.is_full) {
        out[0] = '\0';
    }
    return !sink.is_full;
}

void invig_logline_init(struct invig_logline *line, const char *event)
{
    struct sink sink = {line->text, sizeof line->text, 0, false};

    line->text[0] = '\0';
    sink_put_string(&sink, "invigilator: ");
    sink_put_string(&sink, event);
    line->length = sink.length;
}

static bool value_needs_quotes(struct invig_text value)
{
    if (value.length == 0) {
        return true;
    }
    for (size_t i = 0; i < value.length; i++) {
        char c = value.data[i];
        if (c == ' ' || c == '"' || c == '\\' || c == '=') {
            return true;
        }
    }
    return false;
}

void invig_logline_add(struct invig_logline *line, const char *key, struct invig_text value)
{
    struct sink sink = {line->text, sizeof line->text, line->length, false};

    if (value.data == NULL) {
        return;
    }
    const char *quote = value_needs_quotes(value) ? "\"" : "";
    sink_put_string(&sink, " ");
    sink_put_string(&sink, key);
    sink_put_string(&sink, "=");
    sink_put_string(&sink, quote);
    sink_put_escaped(&sink, value, INVIG_LOGLINE_VALUE_BYTES);
    sink_put_string(&sink, quote);
    if (sink.is_full) {
        line->text[line->length] = '\0';
        return;
    }
    line->length = sink.length;
}

void invig_logline_add_number(struct invig_logline *line, const char *key, int64_t value)
{
    char digits[24]; /* "-9223372036854775808" and a NUL are 21 */

    snprintf(digits, sizeof digits, "%" PRId64, value);
    invig_logline_add(line, key, invig_text_of(digits));
}
