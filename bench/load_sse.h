/* SPDX-License-Identifier: Apache-2.0
 *
 * load_sse.h - cuts an event stream (HTML, section 9.2) into its events.
 */
#ifndef LOAD_SSE_H
#define LOAD_SSE_H

#include "load_buffer.h"

#include <stdbool.h>

enum { LOAD_SSE_EVENT_MAX = 65536 }; /* bytes, also of a line */

enum load_sse_found { LOAD_SSE_WHOLE, LOAD_SSE_PART, LOAD_SSE_BROKEN };

/* The event that is being read. Zeros at first. */
struct load_sse {
    struct load_buffer data; /* of its "data:" lines, joined by line feeds */
    bool has_data;
    bool is_ready;     /* its "event:" is "ready" */
    bool is_over;      /* it was whole; the next line begins another */
    bool has_cr_ended; /* a line feed that follows belongs to that line end */
};

void load_sse_deinit(struct load_sse *sse);

/* Takes lines from `in` until an event with a name or data is whole. */
enum load_sse_found load_sse_take(struct load_sse *sse, struct load_buffer *in);

#endif
