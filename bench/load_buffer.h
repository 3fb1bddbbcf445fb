/* SPDX-License-Identifier: Apache-2.0
 *
 * load_buffer.h - bytes on their way: appended at the end, taken from the front. A buffer of zeros
 * is empty. Ends the program when memory is out.
 */
#ifndef LOAD_BUFFER_H
#define LOAD_BUFFER_H

#include <stddef.h>

struct load_buffer {
    unsigned char *bytes;
    size_t start; /* of what has not been taken */
    size_t end;
    size_t room;
};

void load_buffer_deinit(struct load_buffer *buffer);

size_t load_buffer_length(const struct load_buffer *buffer);

/* What has not been taken, NULL at first; valid until something is appended. */
unsigned char *load_buffer_data(const struct load_buffer *buffer);

/* Room for `count` more bytes, to be written to before load_buffer_grow(). */
unsigned char *load_buffer_reserve(struct load_buffer *buffer, size_t count);
void load_buffer_grow(struct load_buffer *buffer, size_t count);

void load_buffer_add(struct load_buffer *buffer, const void *bytes, size_t count);
void load_buffer_add_byte(struct load_buffer *buffer, unsigned value);

void load_buffer_add_text(struct load_buffer *buffer, const char *text);

/* Two bytes, the high one first. */
void load_buffer_add_number(struct load_buffer *buffer, unsigned value);

void load_buffer_take(struct load_buffer *buffer, size_t count);

#endif
