/* SPDX-License-Identifier: Apache-2.0
 *
 * load_mqtt_read.c - reads packets; see load_mqtt.h. Sections are those of MQTT 5.
 */
#include "load_mqtt.h"

#include <string.h>

enum { LENGTH_BYTES_MAX = 4, SERVER_KEEP_ALIVE = 0x13 };

/* What is left of a body. */
struct rest {
    const unsigned char *at;
    size_t count;
};

static bool rest_skip(struct rest *rest, size_t count)
{
    if (count > rest->count) {
        return false;
    }
    rest->at += count;
    rest->count -= count;
    return true;
}

static bool rest_take_byte(struct rest *rest, unsigned *out)
{
    *out = rest->count > 0 ? rest->at[0] : 0;
    return rest_skip(rest, 1);
}

static bool rest_take_number(struct rest *rest, unsigned *out)
{
    *out = rest->count > 1 ? (unsigned)rest->at[0] << 8 | rest->at[1] : 0;
    return rest_skip(rest, 2);
}

/* A text or binary data. */
static bool rest_take_bytes(struct rest *rest, struct rest *out)
{
    unsigned length = 0;

    if (!rest_take_number(rest, &length)) {
        return false;
    }
    *out = (struct rest){rest->at, length};
    return rest_skip(rest, length);
}

/* Section 1.5.5. Only the shortest form is allowed. */
static enum load_mqtt_found length_find(const unsigned char *data, size_t count, size_t *out_length,
                                        size_t *out_bytes)
{
    *out_length = 0;
    for (size_t i = 0; i < LENGTH_BYTES_MAX; i++) {
        if (i >= count) {
            return LOAD_MQTT_PART;
        }
        *out_length |= (size_t)(data[i] & 0x7F) << 7 * i;
        if ((data[i] & 0x80) == 0) {
            *out_bytes = i + 1;
            return i > 0 && data[i] == 0 ? LOAD_MQTT_BROKEN : LOAD_MQTT_WHOLE;
        }
    }
    return LOAD_MQTT_BROKEN;
}

static bool rest_take_length(struct rest *rest, size_t *out)
{
    size_t bytes = 0;

    return length_find(rest->at, rest->count, out, &bytes) == LOAD_MQTT_WHOLE &&
           rest_skip(rest, bytes);
}

enum load_mqtt_found load_mqtt_find(const struct load_buffer *in,
                                    struct load_mqtt_packet *out_packet)
{
    const unsigned char *data = load_buffer_data(in);
    size_t count = load_buffer_length(in);
    size_t length = 0;
    size_t bytes = 0;

    if (count < 2) {
        return LOAD_MQTT_PART;
    }
    enum load_mqtt_found found = length_find(data + 1, count - 1, &length, &bytes);
    if (found != LOAD_MQTT_WHOLE) {
        return found;
    }
    size_t total = 1 + bytes + length;
    *out_packet =
        (struct load_mqtt_packet){data[0] >> 4, data[0] & 0x0F, data + 1 + bytes, length, total};
    return total > LOAD_MQTT_PACKET_MAX ? LOAD_MQTT_BROKEN
           : total > count              ? LOAD_MQTT_PART
                                        : LOAD_MQTT_WHOLE;
}

/* -- Properties, section 2.2.2 -- */

enum property_form { NONE, BYTE, TWO_BYTES, FOUR_BYTES, LENGTH, BYTES, PAIR };

static const unsigned char property_forms[] = {
    [0x01] = BYTE,       [0x02] = FOUR_BYTES, [0x03] = BYTES,      [0x08] = BYTES,
    [0x09] = BYTES,      [0x0B] = LENGTH,     [0x11] = FOUR_BYTES, [0x12] = BYTES,
    [0x13] = TWO_BYTES,  [0x15] = BYTES,      [0x16] = BYTES,      [0x17] = BYTE,
    [0x18] = FOUR_BYTES, [0x19] = BYTE,       [0x1A] = BYTES,      [0x1C] = BYTES,
    [0x1F] = BYTES,      [0x21] = TWO_BYTES,  [0x22] = TWO_BYTES,  [0x23] = TWO_BYTES,
    [0x24] = BYTE,       [0x25] = BYTE,       [0x26] = PAIR,       [0x27] = FOUR_BYTES,
    [0x28] = BYTE,       [0x29] = BYTE,       [0x2A] = BYTE};

static bool property_skip(struct rest *rest, enum property_form form)
{
    struct rest bytes;
    size_t length = 0;

    switch (form) {
    case BYTE:
        return rest_skip(rest, 1);
    case TWO_BYTES:
        return rest_skip(rest, 2);
    case FOUR_BYTES:
        return rest_skip(rest, 4);
    case LENGTH:
        return rest_take_length(rest, &length);
    case BYTES:
        return rest_take_bytes(rest, &bytes);
    case PAIR:
        return rest_take_bytes(rest, &bytes) && rest_take_bytes(rest, &bytes);
    case NONE:
    default:
        return false;
    }
}

/* Takes the properties, of which one may matter. Without any in version 3. */
static bool rest_take_properties(struct rest *rest, unsigned version, unsigned *out_keepalive_s)
{
    size_t length = 0;

    if (version != 5) {
        return true;
    }
    if (!rest_take_length(rest, &length) || length > rest->count) {
        return false;
    }
    struct rest properties = {rest->at, length};
    while (properties.count > 0) {
        unsigned id = 0;
        (void)rest_take_byte(&properties, &id);
        struct rest value = properties;
        if (id >= sizeof property_forms ||
            !property_skip(&properties, (enum property_form)property_forms[id])) {
            return false;
        }
        if (id == SERVER_KEEP_ALIVE && out_keepalive_s != NULL) {
            (void)rest_take_number(&value, out_keepalive_s);
        }
    }
    return rest_skip(rest, length);
}

/* -- Packets -- */

/* A clean session is never there before. */
bool load_mqtt_read_connack(const struct load_mqtt_packet *packet, unsigned version,
                            struct load_mqtt_answer *out)
{
    struct rest rest = {packet->body, packet->length};
    unsigned flags = 0;

    *out = (struct load_mqtt_answer){.code = 0};
    return packet->flags == 0 && rest_take_byte(&rest, &flags) && flags == 0 &&
           rest_take_byte(&rest, &out->code) &&
           rest_take_properties(&rest, version, &out->keepalive_s) && rest.count == 0;
}

bool load_mqtt_read_suback(const struct load_mqtt_packet *packet, unsigned version,
                           struct load_mqtt_answer *out)
{
    struct rest rest = {packet->body, packet->length};
    unsigned id = 0;

    *out = (struct load_mqtt_answer){.code = 0};
    return packet->flags == 0 && rest_take_number(&rest, &id) && id == 1 &&
           rest_take_properties(&rest, version, NULL) && rest_take_byte(&rest, &out->code) &&
           rest.count == 0;
}

/* Version 5 may leave out the properties, and the reason before them (section 3.4.2.1). */
bool load_mqtt_read_puback(const struct load_mqtt_packet *packet, unsigned version,
                           unsigned packet_id, struct load_mqtt_answer *out)
{
    struct rest rest = {packet->body, packet->length};
    unsigned id = 0;

    *out = (struct load_mqtt_answer){.code = 0};
    if (packet->flags != 0 || !rest_take_number(&rest, &id) || id != packet_id) {
        return false;
    }
    if (version == 5 && rest.count > 0) {
        (void)rest_take_byte(&rest, &out->code);
    }
    return (rest.count == 0 || rest_take_properties(&rest, version, NULL)) && rest.count == 0;
}

bool load_mqtt_read_publish(const struct load_mqtt_packet *packet, unsigned version,
                            struct load_mqtt_message *out)
{
    struct rest rest = {packet->body, packet->length};
    struct rest topic = {NULL, 0};
    unsigned qos = packet->flags >> 1 & 3;

    *out = (struct load_mqtt_message){.qos = qos, .is_retained = packet->flags & 1};
    if (qos > 1 || !rest_take_bytes(&rest, &topic) || topic.count == 0) {
        return false;
    }
    if (qos == 1 && (!rest_take_number(&rest, &out->packet_id) || out->packet_id == 0)) {
        return false;
    }
    if (!rest_take_properties(&rest, version, NULL)) {
        return false;
    }
    out->topic = topic.at;
    out->topic_length = topic.count;
    out->payload = rest.at;
    out->length = rest.count;
    return true;
}
