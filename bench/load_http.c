/* SPDX-License-Identifier: Apache-2.0
 *
 * load_http.c - see load_http.h. Sections are those of RFC 9112.
 */
#include "load_http.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum {
    HEAD_BYTES_MAX = 16384,
    LINE_BYTES_MAX = 1024, /* of a chunk's head or a trailer */
    STATUS_LINE_MIN = 13,  /* HTTP/1.1 200 CR */
    STATUS_AT = 9,
    CHUNK_DIGITS_MAX = 8,
    LENGTH_DIGITS_MAX = 9
};

/* -- The head -- */

/* Where the empty line ends, or 0. */
static size_t head_length(const unsigned char *data, size_t count)
{
    for (size_t i = 4; i <= count && i <= HEAD_BYTES_MAX; i++) {
        if (memcmp(data + i - 4, "\r\n\r\n", 4) == 0) {
            return i;
        }
    }
    return 0;
}

/* Section 4. The line ends in CR LF. */
static bool status_read(const char *line, size_t length, unsigned *out)
{
    if (length < STATUS_LINE_MIN || memcmp(line, "HTTP/1.1 ", STATUS_AT) != 0) {
        return false;
    }
    *out = 0;
    for (size_t i = STATUS_AT; i < STATUS_AT + 3; i++) {
        if (line[i] < '0' || line[i] > '9') {
            return false;
        }
        *out = *out * 10 + (unsigned)(line[i] - '0');
    }
    char next = line[STATUS_AT + 3];
    return *out >= 100 && (next == ' ' || next == '\r');
}

/* Section 5: a name and a colon without a blank in between, and no control characters. */
static bool header_is_sound(const char *line, size_t length)
{
    const char *colon = memchr(line, ':', length);

    if (colon == NULL || colon == line) {
        return false;
    }
    for (const char *at = line; at < line + length; at++) {
        unsigned char byte = (unsigned char)*at;
        if (byte == 0x7F || (byte < ' ' && byte != '\t') || (at < colon && byte <= ' ')) {
            return false;
        }
    }
    return true;
}

static const char *line_end(const char *at, const char *end)
{
    for (; at + 1 < end; at++) {
        if (at[0] == '\r' && at[1] == '\n') {
            return at;
        }
    }
    return NULL;
}

static bool headers_are_sound(const struct load_http_head *head)
{
    const char *end = head->lines + head->length;

    for (const char *at = head->lines; at < end;) {
        const char *stop = line_end(at, end);
        if (stop == NULL || !header_is_sound(at, (size_t)(stop - at))) {
            return false;
        }
        at = stop + 2;
    }
    return true;
}

enum load_http_found load_http_find(const struct load_buffer *in, struct load_http_head *out_head)
{
    size_t count = load_buffer_length(in);
    const char *text = (const char *)load_buffer_data(in);
    size_t total = head_length(load_buffer_data(in), count);

    if (total == 0) {
        return count >= HEAD_BYTES_MAX ? LOAD_HTTP_BROKEN : LOAD_HTTP_PART;
    }
    const char *stop = line_end(text, text + total);
    *out_head = (struct load_http_head){.total = total};
    if (stop == NULL || !status_read(text, (size_t)(stop - text) + 2, &out_head->status)) {
        return LOAD_HTTP_BROKEN;
    }
    out_head->lines = stop + 2;
    out_head->length = total - 2 - (size_t)(out_head->lines - text);
    return headers_are_sound(out_head) ? LOAD_HTTP_WHOLE : LOAD_HTTP_BROKEN;
}

/* -- Headers -- */

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

/* The value of the first of this name from `at` on, and where the next line begins. */
static const char *value_find(const char *at, const char *end, const char *name, size_t *out_length,
                              const char **out_next)
{
    size_t name_length = strlen(name);

    while (at < end) {
        const char *stop = line_end(at, end);
        bool is_it = (size_t)(stop - at) > name_length && at[name_length] == ':' &&
                     strncasecmp(at, name, name_length) == 0;
        *out_next = stop + 2;
        if (is_it) {
            for (at += name_length + 1; at < stop && is_blank(*at); at++) {
            }
            for (; stop > at && is_blank(stop[-1]); stop--) {
            }
            *out_length = (size_t)(stop - at);
            return at;
        }
        at = *out_next;
    }
    return NULL;
}

const char *load_http_header(const struct load_http_head *head, const char *name,
                             size_t *out_length)
{
    const char *next = NULL;

    return value_find(head->lines, head->lines + head->length, name, out_length, &next);
}

bool load_http_header_is(const struct load_http_head *head, const char *name, const char *value)
{
    size_t length = 0;
    size_t wanted = strlen(value);
    const char *found = load_http_header(head, name, &length);

    return found != NULL && length >= wanted && strncasecmp(found, value, wanted) == 0 &&
           (length == wanted || found[wanted] == ';' || is_blank(found[wanted]));
}

static bool header_is_single(const struct load_http_head *head, const char *name)
{
    const char *end = head->lines + head->length;
    const char *next = head->lines;
    size_t length = 0;

    return value_find(next, end, name, &length, &next) == NULL ||
           value_find(next, end, name, &length, &next) == NULL;
}

/* -- The body, section 6.3 -- */

static bool decimal_read(const char *text, size_t length, uint64_t *out)
{
    *out = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        *out = *out * 10 + (uint64_t)(text[i] - '0');
    }
    return length > 0 && length <= LENGTH_DIGITS_MAX;
}

bool load_http_body_init(struct load_http_body *body, const struct load_http_head *head)
{
    size_t size = 0;
    size_t encoding_size = 0;
    const char *length = load_http_header(head, "content-length", &size);
    const char *encoding = load_http_header(head, "transfer-encoding", &encoding_size);

    *body = (struct load_http_body){.state = LOAD_HTTP_ENDED};
    if (head->status < 200 || !header_is_single(head, "content-length") ||
        !header_is_single(head, "transfer-encoding")) {
        return false;
    }
    if (encoding != NULL) {
        body->state = LOAD_HTTP_CHUNK_HEAD;
        return length == NULL && encoding_size == strlen("chunked") &&
               load_http_header_is(head, "transfer-encoding", "chunked");
    }
    if (head->status == 204 || head->status == 304) {
        return true;
    }
    body->state = LOAD_HTTP_UNTIL_CLOSE;
    if (length == NULL) {
        return true;
    }
    if (!decimal_read(length, size, &body->left)) {
        return false;
    }
    body->state = body->left > 0 ? LOAD_HTTP_PLAIN : LOAD_HTTP_ENDED;
    return true;
}

static void data_move(struct load_http_body *body, struct load_buffer *in, struct load_buffer *out)
{
    size_t count = load_buffer_length(in);

    if (body->state != LOAD_HTTP_UNTIL_CLOSE) {
        count = count < body->left ? count : (size_t)body->left;
        body->left -= count;
    }
    load_buffer_add(out, load_buffer_data(in), count);
    load_buffer_take(in, count);
}

/* Section 7.1: a hexadecimal number, and perhaps extensions, which are ignored. */
static bool chunk_head_read(const char *line, size_t length, uint64_t *out)
{
    size_t digits = 0;

    *out = 0;
    for (; digits < length && isxdigit((unsigned char)line[digits]); digits++) {
        char digit = (char)tolower((unsigned char)line[digits]);
        *out = *out << 4 | (uint64_t)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
        if (digits >= CHUNK_DIGITS_MAX) {
            return false;
        }
    }
    return digits > 0 && (digits == length || line[digits] == ';' || is_blank(line[digits]));
}

/* A line that is whole: a chunk's head, the end of a chunk, or a trailer. */
static bool body_on_line(struct load_http_body *body, const char *line, size_t length)
{
    switch (body->state) {
    case LOAD_HTTP_CHUNK_HEAD:
        body->state = LOAD_HTTP_CHUNK;
        if (!chunk_head_read(line, length, &body->left)) {
            return false;
        }
        body->state = body->left > 0 ? LOAD_HTTP_CHUNK : LOAD_HTTP_TRAILER;
        return true;
    case LOAD_HTTP_CHUNK_END:
        body->state = LOAD_HTTP_CHUNK_HEAD;
        return length == 0;
    default: /* a trailer; the last is empty */
        body->state = length == 0 ? LOAD_HTTP_ENDED : LOAD_HTTP_TRAILER;
        return length == 0 || header_is_sound(line, length);
    }
}

static enum load_http_found line_take(struct load_http_body *body, struct load_buffer *in)
{
    const char *line = (const char *)load_buffer_data(in);
    size_t count = load_buffer_length(in);
    size_t most = count < LINE_BYTES_MAX ? count : LINE_BYTES_MAX;
    const char *stop = most == 0 ? NULL : line_end(line, line + most);

    if (stop == NULL) {
        return count >= LINE_BYTES_MAX ? LOAD_HTTP_BROKEN : LOAD_HTTP_PART;
    }
    size_t length = (size_t)(stop - line);
    bool is_sound = body_on_line(body, line, length);
    load_buffer_take(in, length + 2);
    return is_sound ? LOAD_HTTP_WHOLE : LOAD_HTTP_BROKEN;
}

enum load_http_found load_http_body_take(struct load_http_body *body, struct load_buffer *in,
                                         struct load_buffer *out)
{
    while (body->state != LOAD_HTTP_ENDED) {
        enum load_http_found found = LOAD_HTTP_WHOLE;
        if (body->state == LOAD_HTTP_PLAIN || body->state == LOAD_HTTP_CHUNK ||
            body->state == LOAD_HTTP_UNTIL_CLOSE) {
            if (load_buffer_length(in) == 0) {
                return LOAD_HTTP_PART;
            }
            data_move(body, in, out);
            if (body->state == LOAD_HTTP_PLAIN && body->left == 0) {
                body->state = LOAD_HTTP_ENDED;
            } else if (body->state == LOAD_HTTP_CHUNK && body->left == 0) {
                body->state = LOAD_HTTP_CHUNK_END;
            }
        } else {
            found = line_take(body, in);
        }
        if (found != LOAD_HTTP_WHOLE) {
            return found;
        }
    }
    return LOAD_HTTP_WHOLE;
}
