/* SPDX-License-Identifier: Apache-2.0
 *
 * load_mqtt.c - writes packets; see load_mqtt.h. Sections are those of MQTT 3.1.1. What version 5
 * adds to each of these packets is a property length, which is 0 here.
 */
#include "load_mqtt.h"

#include <string.h>

enum {
    HEADER_CONNECT = 0x10,
    HEADER_PUBLISH = 0x30,
    HEADER_PUBACK = 0x40,
    HEADER_SUBSCRIBE = 0x82,
    HEADER_PINGREQ = 0xC0,
    HEADER_DISCONNECT = 0xE0,
    PUBLISH_RETAIN = 0x01,
    CONNECT_FLAGS = 0xC2, /* user name, password, clean session */
    LEVEL_3_1_1 = 4,
    LEVEL_5 = 5,
    CONNECT_HEAD_BYTES = 10
};

/* Section 2.2.3. */
static void add_header(struct load_buffer *out, unsigned header, size_t length)
{
    load_buffer_add_byte(out, header);
    do {
        unsigned digit = length % 128;
        length /= 128;
        load_buffer_add_byte(out, length > 0 ? digit | 0x80 : digit);
    } while (length > 0);
}

static void add_bytes(struct load_buffer *out, const void *bytes, size_t length)
{
    load_buffer_add_number(out, (unsigned)length);
    load_buffer_add(out, bytes, length);
}

static void add_text(struct load_buffer *out, const char *text)
{
    add_bytes(out, text, strlen(text));
}

static size_t properties_length(unsigned version)
{
    return version == 5 ? 1 : 0;
}

static void add_properties(struct load_buffer *out, unsigned version)
{
    if (version == 5) {
        load_buffer_add_byte(out, 0);
    }
}

void load_mqtt_add_connect(struct load_buffer *out, unsigned version,
                           const struct load_login *login, unsigned keepalive_s)
{
    size_t length = CONNECT_HEAD_BYTES + properties_length(version) + 2 + strlen(login->client_id) +
                    2 + strlen(login->username) + 2 + strlen(login->password);

    add_header(out, HEADER_CONNECT, length);
    add_text(out, "MQTT");
    load_buffer_add_byte(out, version == 5 ? LEVEL_5 : LEVEL_3_1_1);
    load_buffer_add_byte(out, CONNECT_FLAGS);
    load_buffer_add_number(out, keepalive_s);
    add_properties(out, version);
    add_text(out, login->client_id);
    add_text(out, login->username);
    add_text(out, login->password);
}

void load_mqtt_add_subscribe(struct load_buffer *out, unsigned version, const char *filter,
                             unsigned qos)
{
    add_header(out, HEADER_SUBSCRIBE, 2 + properties_length(version) + 2 + strlen(filter) + 1);
    load_buffer_add_number(out, 1);
    add_properties(out, version);
    add_text(out, filter);
    load_buffer_add_byte(out, qos);
}

void load_mqtt_add_publish(struct load_buffer *out, unsigned version,
                           const struct load_mqtt_message *message)
{
    unsigned flags = message->qos << 1 | (message->is_retained ? PUBLISH_RETAIN : 0);
    size_t id_length = message->qos > 0 ? 2 : 0;

    add_header(out, HEADER_PUBLISH | flags,
               2 + message->topic_length + id_length + properties_length(version) +
                   message->length);
    add_bytes(out, message->topic, message->topic_length);
    if (id_length > 0) {
        load_buffer_add_number(out, message->packet_id);
    }
    add_properties(out, version);
    load_buffer_add(out, message->payload, message->length);
}

/* The short form of version 5 is that of 3.1.1. */
void load_mqtt_add_puback(struct load_buffer *out, unsigned packet_id)
{
    add_header(out, HEADER_PUBACK, 2);
    load_buffer_add_number(out, packet_id);
}

void load_mqtt_add_ping(struct load_buffer *out)
{
    add_header(out, HEADER_PINGREQ, 0);
}

void load_mqtt_add_disconnect(struct load_buffer *out)
{
    add_header(out, HEADER_DISCONNECT, 0);
}
