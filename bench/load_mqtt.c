/* SPDX-License-Identifier: Apache-2.0
 *
 * load_mqtt.c - see load_mqtt.h. Sections are those of MQTT 3.1.1.
 */
#include "load_mqtt.h"

#include <string.h>

enum {
    HEADER_CONNECT = 0x10,
    HEADER_SUBSCRIBE = 0x82,
    HEADER_PINGREQ = 0xC0,
    HEADER_DISCONNECT = 0xE0,
    CONNECT_FLAGS = 0xC2, /* user name, password, clean session */
    PROTOCOL_LEVEL = 4,
    CONNECT_HEAD_BYTES = 10,
    LENGTH_BYTES_MAX = 4
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

static void add_text(struct load_buffer *out, const char *text)
{
    size_t length = strlen(text);

    load_buffer_add_number(out, (unsigned)length);
    load_buffer_add(out, text, length);
}

void load_mqtt_add_connect(struct load_buffer *out, const struct load_login *login,
                           unsigned keepalive_s)
{
    size_t length = CONNECT_HEAD_BYTES + 2 + strlen(login->client_id) + 2 +
                    strlen(login->username) + 2 + strlen(login->password);

    add_header(out, HEADER_CONNECT, length);
    add_text(out, "MQTT");
    load_buffer_add_byte(out, PROTOCOL_LEVEL);
    load_buffer_add_byte(out, CONNECT_FLAGS);
    load_buffer_add_number(out, keepalive_s);
    add_text(out, login->client_id);
    add_text(out, login->username);
    add_text(out, login->password);
}

void load_mqtt_add_subscribe(struct load_buffer *out, const char *filter)
{
    add_header(out, HEADER_SUBSCRIBE, 2 + 2 + strlen(filter) + 1);
    load_buffer_add_number(out, 1);
    add_text(out, filter);
    load_buffer_add_byte(out, 0);
}

void load_mqtt_add_ping(struct load_buffer *out)
{
    add_header(out, HEADER_PINGREQ, 0);
}

void load_mqtt_add_disconnect(struct load_buffer *out)
{
    add_header(out, HEADER_DISCONNECT, 0);
}

enum load_mqtt_found load_mqtt_find(const struct load_buffer *in,
                                    struct load_mqtt_packet *out_packet)
{
    const unsigned char *data = load_buffer_data(in);
    size_t count = load_buffer_length(in);
    size_t length = 0;

    for (size_t i = 0; i < LENGTH_BYTES_MAX; i++) {
        if (i + 2 > count) {
            return LOAD_MQTT_PART;
        }
        length |= (size_t)(data[i + 1] & 0x7F) << 7 * i;
        if ((data[i + 1] & 0x80) == 0) {
            *out_packet = (struct load_mqtt_packet){.type = data[0] >> 4,
                                                    .flags = data[0] & 0x0F,
                                                    .body = data + i + 2,
                                                    .length = length,
                                                    .total = i + 2 + length};
            return count < out_packet->total ? LOAD_MQTT_PART : LOAD_MQTT_WHOLE;
        }
    }
    return LOAD_MQTT_BROKEN;
}
