/* SPDX-License-Identifier: Apache-2.0
 *
 * load_http.h - HTTP/1.1 (RFC 9112) from the client's side, as far as WebSocket upgrades, event
 * streams and posts need it. What the server sends is taken for hostile.
 */
#ifndef LOAD_HTTP_H
#define LOAD_HTTP_H

#include "load_buffer.h"

#include <stdbool.h>
#include <stdint.h>

enum load_http_found { LOAD_HTTP_WHOLE, LOAD_HTTP_PART, LOAD_HTTP_BROKEN };

/* The head of a response; points into the buffer. */
struct load_http_head {
    unsigned status;
    const char *lines; /* the header lines, each ended by CR LF */
    size_t length;     /* of these */
    size_t total;      /* with the status line and the empty line: what to take from the buffer */
};

/* How far the body has come. */
enum load_http_state {
    LOAD_HTTP_ENDED,
    LOAD_HTTP_PLAIN,       /* `left` bytes are to come */
    LOAD_HTTP_UNTIL_CLOSE, /* for as long as the connection lasts */
    LOAD_HTTP_CHUNK_HEAD,
    LOAD_HTTP_CHUNK, /* `left` bytes of it are to come */
    LOAD_HTTP_CHUNK_END,
    LOAD_HTTP_TRAILER
};

struct load_http_body {
    enum load_http_state state;
    uint64_t left;
};

/* Looks at the head of a response; takes nothing. */
enum load_http_found load_http_find(const struct load_buffer *in, struct load_http_head *out_head);

/* The value of the first header of this name (in lower case), without blanks around it; NULL
 * where there is none. */
const char *load_http_header(const struct load_http_head *head, const char *name,
                             size_t *out_length);

/* Whether it is this, in any letter case; or begins with it and goes on with ';' or a blank. */
bool load_http_header_is(const struct load_http_head *head, const char *name, const char *value);

/* Returns false where the head does not say clearly how long its body is. */
bool load_http_body_init(struct load_http_body *body, const struct load_http_head *head);

/* Moves what has come of the body from `in` to `out`: WHOLE at its end, else PART or BROKEN. */
enum load_http_found load_http_body_take(struct load_http_body *body, struct load_buffer *in,
                                         struct load_buffer *out);

#endif
