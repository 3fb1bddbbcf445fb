/* SPDX-License-Identifier: Apache-2.0
 *
 * load_ws.h - the client's side of WebSockets (RFC 6455), as far as MQTT brokers need it.
 */
#ifndef LOAD_WS_H
#define LOAD_WS_H

#include "load_buffer.h"

#include <stdbool.h>

enum load_ws_found {
    LOAD_WS_MORE,   /* everything whole has been taken */
    LOAD_WS_DONE,   /* the upgrade was granted */
    LOAD_WS_CLOSED, /* the server closes */
    LOAD_WS_BROKEN  /* the upgrade was refused, or a frame makes no sense */
};

/* A connection that was upgraded. Zeros at first. */
struct load_ws {
    bool is_in_message; /* of which more frames are to come */
};

/* Asks for an upgrade to the subprotocol "mqtt". */
void load_ws_add_upgrade(struct load_buffer *out, const char *host, unsigned port,
                         const char *path);

/* Takes the answer to it, once it is there: LOAD_WS_DONE, LOAD_WS_MORE or LOAD_WS_BROKEN. */
enum load_ws_found load_ws_take_upgrade(struct load_buffer *in);

/* One binary frame of `count` bytes. */
void load_ws_add_frame(struct load_buffer *out, const unsigned char *bytes, size_t count);

/* Takes whole frames from `in`; what they carry goes to `stream`, answers to pings to `out`. */
enum load_ws_found load_ws_take_frames(struct load_ws *ws, struct load_buffer *in,
                                       struct load_buffer *stream, struct load_buffer *out);

#endif
