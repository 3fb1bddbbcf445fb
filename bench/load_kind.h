/* SPDX-License-Identifier: Apache-2.0
 *
 * load_kind.h - what a client does on its connection: one set of functions for MQTT, and two for
 * HTTP. Only load_client.c calls them.
 */
#ifndef LOAD_KIND_H
#define LOAD_KIND_H

#include "load_client.h"

struct load_kind {
    bool reads_raw; /* what comes goes to `raw`, not to `stream` */
    void (*on_connected)(struct load_client *client);
    /* Something was received, and lies in the buffer. */
    void (*on_bytes)(struct load_client *client);
    void (*tick)(struct load_client *client, double now_ms);
    void (*publish)(struct load_client *client, const struct load_mqtt_message *message);
    void (*stop)(struct load_client *client);
};

/* By transport. */
const struct load_kind *load_kind_mqtt(enum load_transport transport);
const struct load_kind *load_kind_http(enum load_transport transport);

/* The client has received a message. */
void load_client_hear(struct load_client *client, const unsigned char *payload, size_t length);

/* The client has what it came for. */
void load_client_be_ready(struct load_client *client);

#endif
