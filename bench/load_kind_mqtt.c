/* SPDX-License-Identifier: Apache-2.0
 *
 * load_kind_mqtt.c - a client that speaks MQTT, over TCP or WebSockets: it subscribes, or it
 * publishes. See load_kind.h.
 */
#include "load_clock.h"
#include "load_kind.h"

#include <stdint.h>

enum { REASON_ERROR = 0x80 };

/* -- Sending -- */

/* Queues a packet, which is emptied. */
static void mqtt_send(struct load_client *client, struct load_buffer *packet)
{
    if (client->settings->transport == LOAD_WS) {
        load_ws_add_frame(&client->out, load_buffer_data(packet), load_buffer_length(packet));
    } else {
        load_buffer_add(&client->out, load_buffer_data(packet), load_buffer_length(packet));
    }
    load_buffer_deinit(packet);
}

static void mqtt_greet(struct load_client *client)
{
    const struct load_settings *settings = client->settings;
    struct load_buffer packet = {.bytes = NULL};

    client->state = LOAD_GREETING;
    load_mqtt_add_connect(&packet, settings->version, client->login, settings->keepalive_s);
    mqtt_send(client, &packet);
}

static void mqtt_on_connected(struct load_client *client)
{
    const struct load_settings *settings = client->settings;

    if (settings->transport == LOAD_WS) {
        client->state = LOAD_UPGRADING;
        load_ws_add_upgrade(&client->out, settings->host, settings->port, settings->path);
    } else {
        mqtt_greet(client);
    }
}

/* The filter with the client's own names in it. */
static void filter_write(const struct load_client *client, struct load_buffer *out)
{
    for (const char *at = client->settings->filter; *at != '\0'; at++) {
        const char *name = at[0] != '%'   ? NULL
                           : at[1] == 'u' ? client->login->username
                           : at[1] == 'c' ? client->login->client_id
                                          : NULL;
        if (name != NULL) {
            load_buffer_add_text(out, name);
            at++;
        } else {
            load_buffer_add(out, at, 1);
        }
    }
    load_buffer_add(out, "", 1);
}

static void mqtt_subscribe(struct load_client *client)
{
    struct load_buffer packet = {.bytes = NULL};
    struct load_buffer filter = {.bytes = NULL};

    client->state = LOAD_SUBSCRIBING;
    filter_write(client, &filter);
    if (load_buffer_length(&filter) > UINT16_MAX) {
        load_client_fail(client, "the filter is too long");
    } else {
        load_mqtt_add_subscribe(&packet, client->settings->version,
                                (const char *)load_buffer_data(&filter),
                                client->settings->subscribe_qos);
        mqtt_send(client, &packet);
    }
    load_buffer_deinit(&filter);
}

/* As MQTT.js does: a whole keepalive after the last acknowledgement; messages in either direction
 * change nothing. Half a keepalive later the server counts as gone. */
static void mqtt_tick(struct load_client *client, double now_ms)
{
    struct load_buffer packet = {.bytes = NULL};
    double quiet_ms = now_ms - client->alive_ms;

    if (client->is_ping_due_back) {
        if (quiet_ms >= client->keepalive_ms / 2) {
            load_client_fail(client, "a ping was not answered");
        }
    } else if (quiet_ms >= client->keepalive_ms) {
        client->is_ping_due_back = true;
        client->alive_ms = now_ms;
        client->pings++;
        load_mqtt_add_ping(&packet);
        mqtt_send(client, &packet);
    }
}

static void mqtt_publish(struct load_client *client, const struct load_mqtt_message *message)
{
    struct load_mqtt_message numbered = *message;
    struct load_buffer packet = {.bytes = NULL};

    if (message->qos > 0) {
        client->packet_id = client->packet_id % UINT16_MAX + 1;
        client->is_answer_due = true;
        numbered.packet_id = client->packet_id;
    }
    load_mqtt_add_publish(&packet, client->settings->version, &numbered);
    mqtt_send(client, &packet);
}

static void mqtt_stop(struct load_client *client)
{
    struct load_buffer packet = {.bytes = NULL};

    load_mqtt_add_disconnect(&packet);
    mqtt_send(client, &packet);
}

/* -- Receiving -- */

static void mqtt_on_connack(struct load_client *client, const struct load_mqtt_packet *packet)
{
    const struct load_settings *settings = client->settings;
    struct load_mqtt_answer answer;

    if (client->state != LOAD_GREETING ||
        !load_mqtt_read_connack(packet, settings->version, &answer)) {
        load_client_fail(client, "a CONNACK makes no sense");
        return;
    }
    if (answer.code != 0) {
        load_client_fail(client, "the login was refused");
        return;
    }
    client->alive_ms = load_now_ms();
    client->connack_ms = client->alive_ms;
    client->keepalive_ms =
        1000.0 * (answer.keepalive_s > 0 ? answer.keepalive_s : settings->keepalive_s);
    if (settings->filter != NULL) {
        mqtt_subscribe(client);
    } else {
        load_client_be_ready(client);
    }
}

static void mqtt_on_suback(struct load_client *client, const struct load_mqtt_packet *packet)
{
    struct load_mqtt_answer answer;

    if (client->state != LOAD_SUBSCRIBING ||
        !load_mqtt_read_suback(packet, client->settings->version, &answer)) {
        load_client_fail(client, "a SUBACK makes no sense");
    } else if (answer.code != client->settings->subscribe_qos) {
        load_client_fail(client, "the subscription was refused");
    } else {
        client->alive_ms = load_now_ms();
        load_client_be_ready(client);
    }
}

static void mqtt_on_puback(struct load_client *client, const struct load_mqtt_packet *packet)
{
    struct load_mqtt_answer answer;

    if (!client->is_answer_due ||
        !load_mqtt_read_puback(packet, client->settings->version, client->packet_id, &answer)) {
        load_client_fail(client, "a PUBACK makes no sense");
    } else if (answer.code >= REASON_ERROR) {
        load_client_fail(client, "the message was refused");
    } else {
        client->is_answer_due = false;
        client->alive_ms = load_now_ms();
    }
}

static void mqtt_on_publish(struct load_client *client, const struct load_mqtt_packet *packet)
{
    const struct load_settings *settings = client->settings;
    struct load_mqtt_message message;
    struct load_buffer answer = {.bytes = NULL};

    if (client->state < LOAD_SUBSCRIBING ||
        !load_mqtt_read_publish(packet, settings->version, &message) ||
        message.qos > settings->subscribe_qos) {
        load_client_fail(client, "a PUBLISH makes no sense");
        return;
    }
    load_client_hear(client, message.payload, message.length);
    if (message.qos > 0) {
        load_mqtt_add_puback(&answer, message.packet_id);
        mqtt_send(client, &answer);
    }
}

static void mqtt_on_pingresp(struct load_client *client, const struct load_mqtt_packet *packet)
{
    if (!client->is_ping_due_back || packet->flags != 0 || packet->length != 0) {
        load_client_fail(client, "a PINGRESP makes no sense");
        return;
    }
    client->is_ping_due_back = false;
    client->alive_ms = load_now_ms();
}

static void mqtt_on_packet(struct load_client *client, const struct load_mqtt_packet *packet)
{
    switch (packet->type) {
    case LOAD_MQTT_CONNACK:
        mqtt_on_connack(client, packet);
        break;
    case LOAD_MQTT_SUBACK:
        mqtt_on_suback(client, packet);
        break;
    case LOAD_MQTT_PUBACK:
        mqtt_on_puback(client, packet);
        break;
    case LOAD_MQTT_PUBLISH:
        mqtt_on_publish(client, packet);
        break;
    case LOAD_MQTT_PINGRESP:
        mqtt_on_pingresp(client, packet);
        break;
    case LOAD_MQTT_DISCONNECT:
        load_client_fail(client, "the server sent DISCONNECT");
        break;
    default:
        load_client_fail(client, "a packet came that nobody asked for");
    }
}

static void mqtt_take_packets(struct load_client *client)
{
    struct load_mqtt_packet packet;
    enum load_mqtt_found found = LOAD_MQTT_PART;

    while (client->state != LOAD_FAILED &&
           (found = load_mqtt_find(&client->stream, &packet)) == LOAD_MQTT_WHOLE) {
        mqtt_on_packet(client, &packet);
        load_buffer_take(&client->stream, packet.total);
    }
    if (client->state != LOAD_FAILED && found == LOAD_MQTT_BROKEN) {
        load_client_fail(client, "what came is no MQTT");
    }
}

/* What came before a close is still read. */
static void ws_on_bytes(struct load_client *client)
{
    enum load_ws_found found = LOAD_WS_DONE;

    if (client->state == LOAD_UPGRADING) {
        found = load_ws_take_upgrade(&client->raw);
        if (found == LOAD_WS_DONE) {
            mqtt_greet(client);
        } else if (found == LOAD_WS_BROKEN) {
            load_client_fail(client, "WebSockets were refused");
        }
    }
    if (found == LOAD_WS_DONE) {
        found = load_ws_take_frames(&client->ws, &client->raw, &client->stream, &client->out);
        mqtt_take_packets(client);
    }
    if (client->state != LOAD_FAILED && found == LOAD_WS_CLOSED) {
        load_client_fail(client, "the server closed the connection");
    } else if (client->state != LOAD_FAILED && found == LOAD_WS_BROKEN) {
        load_client_fail(client, "a WebSocket frame makes no sense");
    }
}

const struct load_kind *load_kind_mqtt(enum load_transport transport)
{
    static const struct load_kind tcp = {.reads_raw = false,
                                         .on_connected = mqtt_on_connected,
                                         .on_bytes = mqtt_take_packets,
                                         .tick = mqtt_tick,
                                         .publish = mqtt_publish,
                                         .stop = mqtt_stop};
    static const struct load_kind ws = {.reads_raw = true,
                                        .on_connected = mqtt_on_connected,
                                        .on_bytes = ws_on_bytes,
                                        .tick = mqtt_tick,
                                        .publish = mqtt_publish,
                                        .stop = mqtt_stop};

    return transport == LOAD_WS ? &ws : &tcp;
}
