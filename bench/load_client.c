/* SPDX-License-Identifier: Apache-2.0
 *
 * load_client.c - see load_client.h.
 */
#include "load_client.h"

#include "load_mqtt.h"
#include "load_ws.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_BYTES = 4096 };

static const double ping_share = 0.5; /* of the keepalive */

void load_client_init(struct load_client *client, const struct load_settings *settings,
                      const struct load_login *login)
{
    *client = (struct load_client){.settings = settings, .login = login, .fd = -1};
}

static void client_close(struct load_client *client)
{
    if (client->fd >= 0) {
        (void)close(client->fd); /* epoll forgets it by itself */
        client->fd = -1;
    }
}

void load_client_deinit(struct load_client *client)
{
    client_close(client);
    load_buffer_deinit(&client->out);
    load_buffer_deinit(&client->raw);
    load_buffer_deinit(&client->stream);
}

void load_client_fail(struct load_client *client, const char *why)
{
    client_close(client);
    client->failure = why;
    client->state = LOAD_FAILED;
}

bool load_client_is_under_way(const struct load_client *client)
{
    return client->state > LOAD_IDLE && client->state < LOAD_READY;
}

bool load_client_wants_to_write(const struct load_client *client)
{
    return client->state == LOAD_CONNECTING || load_buffer_length(&client->out) > 0;
}

/* -- Sending -- */

static void client_flush(struct load_client *client)
{
    size_t length;

    while (client->fd >= 0 && (length = load_buffer_length(&client->out)) > 0) {
        ssize_t count = send(client->fd, load_buffer_data(&client->out), length, MSG_NOSIGNAL);
        if (count > 0) {
            load_buffer_take(&client->out, (size_t)count);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return;
        } else if (errno != EINTR) {
            load_client_fail(client, "the connection broke while sending");
        }
    }
}

/* Sends a packet, which is emptied. */
static void client_send(struct load_client *client, struct load_buffer *packet, double now_ms)
{
    if (client->settings->is_ws) {
        load_ws_add_frame(&client->out, load_buffer_data(packet), load_buffer_length(packet));
    } else {
        load_buffer_add(&client->out, load_buffer_data(packet), load_buffer_length(packet));
    }
    load_buffer_deinit(packet);
    client->sent_ms = now_ms;
    client_flush(client);
}

static void client_greet(struct load_client *client, double now_ms)
{
    struct load_buffer packet = {.bytes = NULL};

    client->state = LOAD_GREETING;
    load_mqtt_add_connect(&packet, client->login, client->settings->keepalive_s);
    client_send(client, &packet, now_ms);
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
            load_buffer_add(out, name, strlen(name));
            at++;
        } else {
            load_buffer_add(out, at, 1);
        }
    }
    load_buffer_add(out, "", 1);
}

static void client_subscribe(struct load_client *client, double now_ms)
{
    struct load_buffer packet = {.bytes = NULL};
    struct load_buffer filter = {.bytes = NULL};

    client->state = LOAD_SUBSCRIBING;
    filter_write(client, &filter);
    load_mqtt_add_subscribe(&packet, (const char *)load_buffer_data(&filter));
    load_buffer_deinit(&filter);
    client_send(client, &packet, now_ms);
}

/* -- Receiving -- */

static void client_on_connack(struct load_client *client, const struct load_mqtt_packet *packet,
                              double now_ms)
{
    if (client->state != LOAD_GREETING || packet->length != 2 || packet->body[1] != 0) {
        load_client_fail(client, "the login was refused");
        return;
    }
    client->connack_ms = now_ms;
    if (client->settings->filter != NULL) {
        client_subscribe(client, now_ms);
    } else {
        client->ready_ms = now_ms;
        client->state = LOAD_READY;
    }
}

static void client_on_suback(struct load_client *client, const struct load_mqtt_packet *packet,
                             double now_ms)
{
    if (client->state != LOAD_SUBSCRIBING || packet->length != 3 || packet->body[2] > 2) {
        load_client_fail(client, "the subscription was refused");
        return;
    }
    client->ready_ms = now_ms;
    client->state = LOAD_READY;
}

static void client_on_packet(struct load_client *client, const struct load_mqtt_packet *packet,
                             double now_ms)
{
    switch (packet->type) {
    case LOAD_MQTT_CONNACK:
        client_on_connack(client, packet, now_ms);
        break;
    case LOAD_MQTT_SUBACK:
        client_on_suback(client, packet, now_ms);
        break;
    case LOAD_MQTT_PUBLISH: /* of QoS 0, as subscribed, so there is nothing to answer */
        client->messages++;
        break;
    case LOAD_MQTT_PINGRESP:
        break;
    default:
        load_client_fail(client, "a packet came that nobody asked for");
    }
}

static void client_take_packets(struct load_client *client, double now_ms)
{
    struct load_mqtt_packet packet;
    enum load_mqtt_found found = LOAD_MQTT_PART;

    while (client->state != LOAD_FAILED &&
           (found = load_mqtt_find(&client->stream, &packet)) == LOAD_MQTT_WHOLE) {
        client_on_packet(client, &packet, now_ms);
        load_buffer_take(&client->stream, packet.total);
    }
    if (client->state != LOAD_FAILED && found == LOAD_MQTT_BROKEN) {
        load_client_fail(client, "what came is no MQTT");
    }
}

static void client_take_raw(struct load_client *client, double now_ms)
{
    enum load_ws_found found = LOAD_WS_DONE;

    if (client->state == LOAD_UPGRADING) {
        found = load_ws_take_upgrade(&client->raw);
        if (found == LOAD_WS_DONE) {
            client_greet(client, now_ms);
        }
    }
    if (found == LOAD_WS_DONE) {
        found = load_ws_take_frames(&client->raw, &client->stream, &client->out);
        client_flush(client);
    }
    if (found == LOAD_WS_CLOSED || found == LOAD_WS_BROKEN) {
        load_client_fail(client, found == LOAD_WS_CLOSED ? "the broker closed the connection"
                                                         : "WebSockets were refused");
    }
}

static void client_read(struct load_client *client, double now_ms)
{
    struct load_buffer *in = client->settings->is_ws ? &client->raw : &client->stream;
    ssize_t count = READ_BYTES;

    while (count == READ_BYTES) { /* less: there is no more */
        count = recv(client->fd, load_buffer_reserve(in, READ_BYTES), READ_BYTES, 0);
        if (count > 0) {
            load_buffer_grow(in, (size_t)count);
        }
    }
    bool is_open = count > 0 || (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK));
    if (client->settings->is_ws) {
        client_take_raw(client, now_ms);
    }
    client_take_packets(client, now_ms);
    if (!is_open && client->state != LOAD_FAILED) {
        load_client_fail(client, "the broker closed the connection");
    }
}

/* -- Its course -- */

static void client_upgrade(struct load_client *client)
{
    client->state = LOAD_UPGRADING;
    load_ws_add_upgrade(&client->out, client->settings->host, client->settings->port);
    client_flush(client);
}

void load_client_start(struct load_client *client, double now_ms)
{
    const struct sockaddr_in *address = &client->settings->address;
    int on = 1;

    client->start_ms = now_ms;
    client->state = LOAD_CONNECTING;
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (client->fd < 0) {
        load_client_fail(client, "no more sockets");
        return;
    }
    (void)setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    int code = connect(client->fd, (const struct sockaddr *)address, sizeof *address);
    if (code != 0 && errno != EINPROGRESS) {
        load_client_fail(client, "nobody listens");
    }
}

static void client_on_connected(struct load_client *client, double now_ms)
{
    int error = 0;
    socklen_t length = sizeof error;

    if (getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0 || error != 0) {
        load_client_fail(client, "nobody listens");
    } else if (client->settings->is_ws) {
        client_upgrade(client);
    } else {
        client_greet(client, now_ms);
    }
}

void load_client_run(struct load_client *client, double now_ms)
{
    if (client->state == LOAD_CONNECTING) {
        client_on_connected(client, now_ms);
        return;
    }
    client_flush(client);
    if (client->state != LOAD_FAILED) {
        client_read(client, now_ms);
    }
}

void load_client_tick(struct load_client *client, double now_ms)
{
    struct load_buffer packet = {.bytes = NULL};
    double pause_ms = client->settings->keepalive_s * 1000.0 * ping_share;

    if (client->state == LOAD_READY && now_ms - client->sent_ms >= pause_ms) {
        load_mqtt_add_ping(&packet);
        client_send(client, &packet, now_ms);
    }
}

void load_client_stop(struct load_client *client)
{
    struct load_buffer packet = {.bytes = NULL};

    if (client->state == LOAD_READY) {
        load_mqtt_add_disconnect(&packet);
        client_send(client, &packet, 0);
    }
}
