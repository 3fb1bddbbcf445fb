/* SPDX-License-Identifier: Apache-2.0
 *
 * load_buffer.c - see load_buffer.h.
 */
#include "load_buffer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM_MIN = 256 };

void load_buffer_deinit(struct load_buffer *buffer)
{
    free(buffer->bytes);
    *buffer = (struct load_buffer){.bytes = NULL};
}

size_t load_buffer_length(const struct load_buffer *buffer)
{
    return buffer->end - buffer->start;
}

unsigned char *load_buffer_data(const struct load_buffer *buffer)
{
    return buffer->bytes == NULL ? NULL : buffer->bytes + buffer->start;
}

unsigned char *load_buffer_reserve(struct load_buffer *buffer, size_t count)
{
    if (buffer->start == buffer->end) {
        buffer->start = 0;
        buffer->end = 0;
    }
    if (buffer->room - buffer->end < count && buffer->start > 0) {
        memmove(buffer->bytes, buffer->bytes + buffer->start, buffer->end - buffer->start);
        buffer->end -= buffer->start;
        buffer->start = 0;
    }
    if (buffer->room - buffer->end < count) {
        size_t room = buffer->end + count;
        room = room < ROOM_MIN ? ROOM_MIN : 2 * room;
        unsigned char *bytes = realloc(buffer->bytes, room);
        if (bytes == NULL) {
            fputs("bench_load: out of memory\n", stderr);
            exit(EXIT_FAILURE);
        }
        buffer->bytes = bytes;
        buffer->room = room;
    }
    return buffer->bytes + buffer->end;
}

void load_buffer_grow(struct load_buffer *buffer, size_t count)
{
    buffer->end += count;
}

void load_buffer_add(struct load_buffer *buffer, const void *bytes, size_t count)
{
    if (count == 0) {
        return;
    }
    memcpy(load_buffer_reserve(buffer, count), bytes, count);
    load_buffer_grow(buffer, count);
}

void load_buffer_add_byte(struct load_buffer *buffer, unsigned value)
{
    unsigned char byte = (unsigned char)value;

    load_buffer_add(buffer, &byte, 1);
}

void load_buffer_add_number(struct load_buffer *buffer, unsigned value)
{
    load_buffer_add_byte(buffer, value >> 8 & 0xFF);
    load_buffer_add_byte(buffer, value & 0xFF);
}

void load_buffer_add_text(struct load_buffer *buffer, const char *text)
{
    load_buffer_add(buffer, text, strlen(text));
}

void load_buffer_take(struct load_buffer *buffer, size_t count)
{
    buffer->start += count;
}
