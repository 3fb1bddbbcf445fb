/* SPDX-License-Identifier: Apache-2.0
 *
 * text.h - borrowed strings with a length, the rules for ids, comparison and wiping.
 * Owns: nothing, but what invig_text_copy returns.  Thread-safe.  Depends on: nothing.
 */
#ifndef INVIGILATOR_TEXT_H
#define INVIGILATOR_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of an id (user, session, evaluation), without a terminating NUL. */
enum { INVIG_ID_BYTES_MAX = 128 };

/* A view of `length` bytes at `data`, which need not end in NUL. data == NULL means absent: an
 * absent text equals nothing, not even another absent text. */
struct invig_text {
    const char *data;
    size_t length;
};

/* Views a NUL-terminated string; NULL gives the absent text. */
struct invig_text invig_text_of(const char *string);

/* True when both are present and hold the same bytes. */
bool invig_text_equal(struct invig_text a, struct invig_text b);

/* As invig_text_equal, letter case of ASCII ignored. */
bool invig_text_equal_nocase(struct invig_text a, struct invig_text b);

/* True when `text` begins with `prefix`; both must be present. */
bool invig_text_has_prefix(struct invig_text text, struct invig_text prefix);

/* Reads the code point at `text->data` and moves the view past it (RFC 3629: no overlong form, no
 * surrogate, nothing above U+10FFFF). Returns it, or -1 where the bytes are not UTF-8 or the view
 * is empty; the view then stands where it stood. */
int32_t invig_text_next_code_point(struct invig_text *text);

/* True for U+0000..001F and U+007F..009F. */
bool invig_code_point_is_control(int32_t code_point);

/* True for U+FDD0..FDEF and for the last two code points of each plane. */
bool invig_code_point_is_noncharacter(int32_t code_point);

/* True when `text` may be an id: 1..INVIG_ID_BYTES_MAX bytes of UTF-8, no control character, no
 * noncharacter, none of '/', '+', '#', and not starting with '$'. */
bool invig_text_is_id(struct invig_text text);

/* Copies `text` into new memory, with a NUL behind it. The caller frees it with free(3).
 * Returns NULL when `text` is absent or memory is out. */
char *invig_text_copy(struct invig_text text);

/* Overwrites `length` bytes in a way the compiler does not leave out. NULL with length 0 is
 * allowed. */
void invig_text_wipe(void *data, size_t length);

#endif
