/* SPDX-License-Identifier: Apache-2.0
 *
 * load_sse.c - see load_sse.h.
 */
#include "load_sse.h"

#include <string.h>

void load_sse_deinit(struct load_sse *sse)
{
    load_buffer_deinit(&sse->data);
}

static void event_begin(struct load_sse *sse)
{
    load_buffer_take(&sse->data, load_buffer_length(&sse->data));
    sse->has_data = false;
    sse->is_ready = false;
    sse->is_over = false;
}

/* Whether the field has this name. Its value begins behind the colon and one blank. */
static bool field_is(const char *line, size_t length, const char *name, const char **out_value,
                     size_t *out_length)
{
    size_t count = strlen(name);

    if (length < count || memcmp(line, name, count) != 0) {
        return false;
    }
    if (length > count) {
        if (line[count] != ':') {
            return false;
        }
        count += length > count + 1 && line[count + 1] == ' ' ? 2 : 1;
    }
    *out_value = line + count;
    *out_length = length - count;
    return true;
}

static bool event_add_line(struct load_sse *sse, const char *line, size_t length)
{
    static const char ready[] = "ready";
    const char *value = NULL;
    size_t count = 0;

    if (field_is(line, length, "data", &value, &count)) {
        if (load_buffer_length(&sse->data) + count >= LOAD_SSE_EVENT_MAX) {
            return false;
        }
        if (sse->has_data) {
            load_buffer_add_byte(&sse->data, '\n');
        }
        load_buffer_add(&sse->data, value, count);
        sse->has_data = true;
    } else if (field_is(line, length, "event", &value, &count)) {
        sse->is_ready = count == sizeof ready - 1 && memcmp(value, ready, count) == 0;
    } /* others, comments among them, say nothing that matters here */
    return true;
}

static size_t line_length(const char *text, size_t count)
{
    size_t length = 0;

    while (length < count && text[length] != '\n' && text[length] != '\r') {
        length++;
    }
    return length;
}

static void line_feed_skip(struct load_sse *sse, struct load_buffer *in)
{
    if (sse->has_cr_ended && load_buffer_length(in) > 0) {
        load_buffer_take(in, *load_buffer_data(in) == '\n' ? 1 : 0);
        sse->has_cr_ended = false;
    }
}

enum load_sse_found load_sse_take(struct load_sse *sse, struct load_buffer *in)
{
    if (sse->is_over) {
        event_begin(sse);
    }
    for (;;) {
        line_feed_skip(sse, in);
        size_t count = load_buffer_length(in);
        const char *text = (const char *)load_buffer_data(in);
        size_t length = line_length(text, count);
        if (length >= LOAD_SSE_EVENT_MAX) {
            return LOAD_SSE_BROKEN;
        }
        if (length == count) {
            return LOAD_SSE_PART;
        }
        bool is_sound = length == 0 || event_add_line(sse, text, length);
        sse->has_cr_ended = text[length] == '\r';
        load_buffer_take(in, length + 1);
        if (!is_sound) {
            return LOAD_SSE_BROKEN;
        }
        if (length == 0 && (sse->has_data || sse->is_ready)) {
            sse->is_over = true;
            return LOAD_SSE_WHOLE;
        }
    }
}
