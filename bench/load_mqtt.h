/* SPDX-License-Identifier: Apache-2.0
 *
 * load_mqtt.h - the few packets of MQTT 3.1.1 and 5 that the load generator writes and reads.
 * `version` is 3 or 5. What is read is taken for hostile: every length is checked.
 */
#ifndef LOAD_MQTT_H
#define LOAD_MQTT_H

#include "load_buffer.h"
#include "load_login.h"

#include <stdbool.h>

enum { LOAD_MQTT_PACKET_MAX = 65536 }; /* bytes; a longer one is taken for broken */

enum load_mqtt_type { /* section 2.2.1 */
                      LOAD_MQTT_CONNACK = 2,
                      LOAD_MQTT_PUBLISH = 3,
                      LOAD_MQTT_PUBACK = 4,
                      LOAD_MQTT_SUBACK = 9,
                      LOAD_MQTT_PINGRESP = 13,
                      LOAD_MQTT_DISCONNECT = 14
};

enum load_mqtt_found { LOAD_MQTT_WHOLE, LOAD_MQTT_PART, LOAD_MQTT_BROKEN };

struct load_mqtt_packet {
    unsigned type;             /* enum load_mqtt_type, among others */
    unsigned flags;            /* of the fixed header */
    const unsigned char *body; /* behind the fixed header; points into the buffer */
    size_t length;             /* of the body */
    size_t total;              /* with the fixed header: what to take from the buffer */
};

/* A message, to be published or as received. */
struct load_mqtt_message {
    const void *topic; /* no NUL behind it */
    size_t topic_length;
    const unsigned char *payload;
    size_t length;
    unsigned qos; /* 0 or 1 */
    bool is_retained;
    unsigned packet_id; /* 0 with QoS 0 */
};

/* An answer: to CONNECT, SUBSCRIBE or PUBLISH. */
struct load_mqtt_answer {
    unsigned code;        /* return or reason code */
    unsigned keepalive_s; /* of CONNACK: what the server asks for; 0: nothing */
};

/* With clean session. */
void load_mqtt_add_connect(struct load_buffer *out, unsigned version,
                           const struct load_login *login, unsigned keepalive_s);
/* Packet id 1. */
void load_mqtt_add_subscribe(struct load_buffer *out, unsigned version, const char *filter,
                             unsigned qos);
void load_mqtt_add_publish(struct load_buffer *out, unsigned version,
                           const struct load_mqtt_message *message);
void load_mqtt_add_puback(struct load_buffer *out, unsigned packet_id);
void load_mqtt_add_ping(struct load_buffer *out);
void load_mqtt_add_disconnect(struct load_buffer *out);

/* Looks at the first packet in the buffer; takes nothing. */
enum load_mqtt_found load_mqtt_find(const struct load_buffer *in,
                                    struct load_mqtt_packet *out_packet);

/* These return false where the packet makes no sense. The type has been looked at before. */
bool load_mqtt_read_connack(const struct load_mqtt_packet *packet, unsigned version,
                            struct load_mqtt_answer *out);
bool load_mqtt_read_suback(const struct load_mqtt_packet *packet, unsigned version,
                           struct load_mqtt_answer *out);
/* The id must be this. */
bool load_mqtt_read_puback(const struct load_mqtt_packet *packet, unsigned version,
                           unsigned packet_id, struct load_mqtt_answer *out);
bool load_mqtt_read_publish(const struct load_mqtt_packet *packet, unsigned version,
                            struct load_mqtt_message *out);

#endif
