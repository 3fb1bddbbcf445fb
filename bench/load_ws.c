/* SPDX-License-Identifier: Apache-2.0
 *
 * load_ws.c - see load_ws.h. Sections are those of RFC 6455.
 *
 * A client must mask what it sends by a number nobody can foresee (5.3), for the sake of proxies.
 * There is none between the load generator and the broker, so the number is always the same; so is
 * the key of the upgrade, and the answer to it is not checked.
 */
#include "load_ws.h"

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
    HEAD_BYTES_MAX = 16384
};

static const unsigned char mask[4] = {0x37, 0xfa, 0x21, 0x3d};

struct frame {
    unsigned opcode;
    const unsigned char *payload;
    size_t length;
    size_t total;
};

void load_ws_add_upgrade(struct load_buffer *out, const char *host, unsigned port)
{
    char text[512];
    int length = snprintf(text, sizeof text,
                          "GET /mqtt HTTP/1.1\r\n"
                          "Host: %s:%u\r\n"
                          "Upgrade: websocket\r\n"
                          "Connection: Upgrade\r\n"
                          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                          "Sec-WebSocket-Version: 13\r\n"
                          "Sec-WebSocket-Protocol: mqtt\r\n\r\n",
                          host, port);

    load_buffer_add(out, text, (size_t)length);
}

/* Where the empty line ends, or 0. */
static size_t head_length(const struct load_buffer *in)
{
    const unsigned char *data = load_buffer_data(in);
    size_t count = load_buffer_length(in);

    for (size_t i = 4; i <= count; i++) {
        if (memcmp(data + i - 4, "\r\n\r\n", 4) == 0) {
            return i;
        }
    }
    return 0;
}

enum load_ws_found load_ws_take_upgrade(struct load_buffer *in)
{
    static const char granted[] = "HTTP/1.1 101";
    size_t length = head_length(in);

    if (length == 0) {
        return load_buffer_length(in) > HEAD_BYTES_MAX ? LOAD_WS_BROKEN : LOAD_WS_MORE;
    }
    if (memcmp(load_buffer_data(in), granted, sizeof granted - 1) != 0) {
        return LOAD_WS_BROKEN;
    }
    load_buffer_take(in, length);
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

/* Section 5.2. Returns false when the frame is not whole. A server does not mask; one that did
 * would send an opcode that makes no sense sooner or later. */
static bool frame_find(const struct load_buffer *in, struct frame *out)
{
    const unsigned char *data = load_buffer_data(in);
    size_t count = load_buffer_length(in);
    size_t head = 2;

    if (count < head) {
        return false;
    }
    uint64_t length = data[1] & 0x7F;
    size_t extra = length == LENGTH_64 ? 8 : length == LENGTH_16 ? 2 : 0;
    if (count < head + extra) {
        return false;
    }
    if (extra > 0) {
        length = 0;
    }
    for (; extra > 0; extra--) {
        length = length << 8 | data[head++];
    }
    *out = (struct frame){data[0] & 0x0F, data + head, (size_t)length, head + (size_t)length};
    return length <= count - head;
}

enum load_ws_found load_ws_take_frames(struct load_buffer *in, struct load_buffer *stream,
                                       struct load_buffer *out)
{
    struct frame frame;

    while (frame_find(in, &frame)) {
        switch (frame.opcode) {
        case OPCODE_CONTINUATION:
        case OPCODE_BINARY:
            load_buffer_add(stream, frame.payload, frame.length);
            break;
        case OPCODE_PING:
            add_frame(out, OPCODE_PONG, frame.payload, frame.length);
            break;
        case OPCODE_PONG:
            break;
        case OPCODE_CLOSE:
            return LOAD_WS_CLOSED;
        default:
            return LOAD_WS_BROKEN;
        }
        load_buffer_take(in, frame.total);
    }
    return LOAD_WS_MORE;
}
