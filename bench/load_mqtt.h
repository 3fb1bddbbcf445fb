/* SPDX-License-Identifier: Apache-2.0
 *
 * load_mqtt.h - the few MQTT 3.1.1 packets that the load generator writes and reads.
 */
#ifndef LOAD_MQTT_H
#define LOAD_MQTT_H

#include "load_buffer.h"
#include "load_login.h"

enum load_mqtt_type { /* section 2.2.1 */
                      LOAD_MQTT_CONNACK = 2,
                      LOAD_MQTT_PUBLISH = 3,
                      LOAD_MQTT_SUBACK = 9,
                      LOAD_MQTT_PINGRESP = 13
};

enum load_mqtt_found { LOAD_MQTT_WHOLE, LOAD_MQTT_PART, LOAD_MQTT_BROKEN };

struct load_mqtt_packet {
    unsigned type;             /* enum load_mqtt_type, among others */
    unsigned flags;            /* of the fixed header */
    const unsigned char *body; /* behind the fixed header; points into the buffer */
    size_t length;             /* of the body */
    size_t total;              /* with the fixed header: what to take from the buffer */
};

/* With clean session. */
void load_mqtt_add_connect(struct load_buffer *out, const struct load_login *login,
                           unsigned keepalive_s);
/* QoS 0, packet id 1. */
void load_mqtt_add_subscribe(struct load_buffer *out, const char *filter);
void load_mqtt_add_ping(struct load_buffer *out);
void load_mqtt_add_disconnect(struct load_buffer *out);

/* Looks at the first packet in the buffer; takes nothing. */
enum load_mqtt_found load_mqtt_find(const struct load_buffer *in,
                                    struct load_mqtt_packet *out_packet);

#endif
