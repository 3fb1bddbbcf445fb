/* SPDX-License-Identifier: Apache-2.0
 *
 * load_ws.c - see load_ws.h. Sections are those of RFC 6455.
 *
 * A client must mask what it sends by a number nobody can foresee (5.3), for the sake of proxies.
 * There is none between the load generator and the broker, so the number is always the same; so is
 * the key of the upgrade.
 */
#include "load_ws.h"

#include "load_http.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum {
    FINAL = 0x80,
    MASKED = 0x80,
    OPCODE_CONTINUATION = 0x0,
    OPCODE_BINARY = 0x2,
    OPCODE_CLOSE = 0x8,
    OPCODE_PING = 0x9,
    OPCODE_PONG = 0xA,
    LENGTH_SHORT_MAX = 125,
    LENGTH_16 = 126,
    LENGTH_64 = 127,
    RESERVED = 0x70,
    FRAME_BYTES_MAX = 131072
};

static const unsigned char mask[4] = {0x37, 0xfa, 0x21, 0x3d};

struct frame {
    unsigned opcode;
    bool is_final;
    const unsigned char *payload;
    size_t length;
    size_t total;
};

void load_ws_add_upgrade(struct load_buffer *out, const char *host, unsigned port, const char *path)
{
    char text[128];

    (void)snprintf(text, sizeof text, " HTTP/1.1\r\nHost: %.64s:%u\r\n", host, port);
    load_buffer_add_text(out, "GET ");
    load_buffer_add_text(out, path);
    load_buffer_add_text(out, text);
    load_buffer_add_text(out, "Upgrade: websocket\r\n"
                              "Connection: Upgrade\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                              "Sec-WebSocket-Version: 13\r\n"
                              "Sec-WebSocket-Protocol: mqtt\r\n\r\n");
}

/* Section 4.2.2. The answer to a key that is always the same is always the same. */
enum load_ws_found load_ws_take_upgrade(struct load_buffer *in)
{
    static const char accepted[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
    struct load_http_head head;
    size_t length = 0;
    enum load_http_found found = load_http_find(in, &head);

    if (found != LOAD_HTTP_WHOLE) {
        return found == LOAD_HTTP_PART ? LOAD_WS_MORE : LOAD_WS_BROKEN;
    }
    const char *value = load_http_header(&head, "sec-websocket-accept", &length);
    if (head.status != 101 || value == NULL || length != sizeof accepted - 1 ||
        memcmp(value, accepted, length) != 0 ||
        !load_http_header_is(&head, "upgrade", "websocket") ||
        !load_http_header_is(&head, "sec-websocket-protocol", "mqtt")) {
        return LOAD_WS_BROKEN;
    }
    load_buffer_take(in, head.total);
    return LOAD_WS_DONE;
}

static void add_frame(struct load_buffer *out, unsigned opcode, const unsigned char *bytes,
                      size_t count)
{
    load_buffer_add_byte(out, FINAL | opcode);
    if (count <= LENGTH_SHORT_MAX) {
        load_buffer_add_byte(out, MASKED | (unsigned)count);
    } else if (count <= UINT16_MAX) {
        load_buffer_add_byte(out, MASKED | LENGTH_16);
        load_buffer_add_number(out, (unsigned)count);
    } else { /* far less than 4 GB */
        load_buffer_add_byte(out, MASKED | LENGTH_64);
        load_buffer_add(out, "\0\0\0\0", 4);
        load_buffer_add_number(out, (unsigned)(count >> 16));
        load_buffer_add_number(out, (unsigned)count & 0xFFFF);
    }
    load_buffer_add(out, mask, sizeof mask);
    unsigned char *at = load_buffer_reserve(out, count);
    for (size_t i = 0; i < count; i++) {
        at[i] = bytes[i] ^ mask[i % sizeof mask];
    }
    load_buffer_grow(out, count);
}

void load_ws_add_frame(struct load_buffer *out, const unsigned char *bytes, size_t count)
{
    add_frame(out, OPCODE_BINARY, bytes, count);
}

/* Section 5.2: the shortest form of a length, no mask, no reserved bit. */
static enum load_ws_found frame_find(const struct load_buffer *in, struct frame *out)
{
    const unsigned char *data = load_buffer_data(in);
    size_t count = load_buffer_length(in);
    size_t head = 2;

    if (count < head) {
        return LOAD_WS_MORE;
    }
    uint64_t length = data[1] & 0x7F;
    size_t extra = length == LENGTH_64 ? 8 : length == LENGTH_16 ? 2 : 0;
    uint64_t least = extra == 8 ? UINT16_MAX + 1 : extra == 2 ? LENGTH_SHORT_MAX + 1 : 0;
    if (count < head + extra) {
        return LOAD_WS_MORE;
    }
    length = extra > 0 ? 0 : length;
    for (; extra > 0; extra--) {
        length = length << 8 | data[head++];
    }
    if ((data[0] & RESERVED) != 0 || (data[1] & MASKED) != 0 || length < least ||
        length > FRAME_BYTES_MAX) {
        return LOAD_WS_BROKEN;
    }
    *out = (struct frame){.opcode = data[0] & 0x0F,
                          .is_final = data[0] & FINAL,
                          .payload = data + head,
                          .length = (size_t)length,
                          .total = head + (size_t)length};
    return length <= count - head ? LOAD_WS_DONE : LOAD_WS_MORE;
}

/* Section 5.4: whether a frame may come now. */
static bool frame_fits(const struct load_ws *ws, const struct frame *frame)
{
    switch (frame->opcode) {
    case OPCODE_CONTINUATION:
        return ws->is_in_message;
    case OPCODE_BINARY:
        return !ws->is_in_message;
    case OPCODE_CLOSE:
    case OPCODE_PING:
    case OPCODE_PONG:
        return frame->is_final && frame->length <= LENGTH_SHORT_MAX;
    default:
        return false;
    }
}

static void frame_take(struct load_ws *ws, const struct frame *frame, struct load_buffer *stream,
                       struct load_buffer *out)
{
    if (frame->opcode == OPCODE_PING) {
        add_frame(out, OPCODE_PONG, frame->payload, frame->length);
    } else if (frame->opcode != OPCODE_PONG) {
        load_buffer_add(stream, frame->payload, frame->length);
        ws->is_in_message = !frame->is_final;
    }
}

enum load_ws_found load_ws_take_frames(struct load_ws *ws, struct load_buffer *in,
                                       struct load_buffer *stream, struct load_buffer *out)
{
    struct frame frame;
    enum load_ws_found found;

    while ((found = frame_find(in, &frame)) == LOAD_WS_DONE) {
        if (!frame_fits(ws, &frame)) {
            return LOAD_WS_BROKEN;
        }
        if (frame.opcode == OPCODE_CLOSE) {
            return LOAD_WS_CLOSED;
        }
        frame_take(ws, &frame, stream, out);
        load_buffer_take(in, frame.total);
    }
    return found;
}
