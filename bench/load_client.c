/* SPDX-License-Identifier: Apache-2.0
 *
 * load_client.c - the socket of a client; see load_client.h.
 */
#include "load_client.h"

#include "load_clock.h"
#include "load_kind.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    READ_BYTES = 16384,
    READS_MAX = 4,              /* at a time, so that nobody keeps the others waiting */
    WAITING_BYTES_MAX = 262144, /* in any buffer */
    CLIENTS_PER_SOURCE = 5000
};

void load_client_init(struct load_client *client, const struct load_settings *settings,
                      const struct load_login *login, size_t index)
{
    bool is_http = settings->transport == LOAD_SSE || settings->transport == LOAD_POST;

    *client = (struct load_client){.settings = settings,
                                   .kind = is_http ? load_kind_http(settings->transport)
                                                   : load_kind_mqtt(settings->transport),
                                   .login = login,
                                   .index = index,
                                   .fd = -1};
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
    load_sse_deinit(&client->sse);
}

void load_client_fail(struct load_client *client, const char *why)
{
    if (client->state == LOAD_READY && client->settings->round != NULL) {
        load_round_lose(client->settings->round, client->heard);
    }
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

void load_client_hear(struct load_client *client, const unsigned char *payload, size_t length)
{
    client->messages++;
    if (client->state == LOAD_READY && client->settings->round != NULL) {
        load_round_hear(client->settings->round, &client->heard, payload, length);
    }
}

void load_client_be_ready(struct load_client *client)
{
    client->ready_ms = load_now_ms();
    client->state = LOAD_READY;
}

/* -- Sending -- */

void load_client_flush(struct load_client *client)
{
    size_t length;

    while (client->fd >= 0 && (length = load_buffer_length(&client->out)) > 0) {
        ssize_t count = send(client->fd, load_buffer_data(&client->out), length, MSG_NOSIGNAL);
        if (count > 0) {
            load_buffer_take(&client->out, (size_t)count);
            client->bytes_out += (uint64_t)count;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            break;
        } else if (errno != EINTR) {
            load_client_fail(client, "the connection broke while sending");
        }
    }
    if (client->fd >= 0 && load_buffer_length(&client->out) > WAITING_BYTES_MAX) {
        load_client_fail(client, "the server takes nothing");
    }
}

/* -- Receiving -- */

/* Returns what recv(2) does. */
static ssize_t client_receive(struct load_client *client)
{
    static unsigned char bytes[READ_BYTES];
    struct load_buffer *in = client->kind->reads_raw ? &client->raw : &client->stream;
    ssize_t count = recv(client->fd, bytes, sizeof bytes, 0);

    if (count > 0) {
        client->bytes_in += (uint64_t)count;
        load_buffer_add(in, bytes, (size_t)count);
    }
    return count;
}

static void client_read(struct load_client *client)
{
    ssize_t count = READ_BYTES;

    /* Less than asked for: there is no more. */
    for (int i = 0; i < READS_MAX && count == READ_BYTES && client->fd >= 0; i++) {
        count = client_receive(client);
        bool is_open =
            count > 0 || (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR));
        if (count > 0) {
            client->kind->on_bytes(client);
            load_client_flush(client);
        }
        if (!is_open && client->state != LOAD_FAILED) {
            load_client_fail(client, "the server closed the connection");
        }
    }
    if (client->state != LOAD_FAILED && (load_buffer_length(&client->raw) > WAITING_BYTES_MAX ||
                                         load_buffer_length(&client->stream) > WAITING_BYTES_MAX)) {
        load_client_fail(client, "the server sends without an end");
    }
}

/* -- Its course -- */

/* A port of an address is not to be had again for a minute after its connection (TIME_WAIT), and
 * there are some 28,000. So clients come from many addresses, and those of another process from
 * others. */
static bool client_bind(const struct load_client *client)
{
    unsigned number = (unsigned)(client->index / CLIENTS_PER_SOURCE);
    unsigned process = (unsigned)getpid() % 250;
    struct sockaddr_in source = {.sin_family = AF_INET};

    source.sin_addr.s_addr = htonl(INADDR_LOOPBACK | process << 8 | (2 + number % 250));
    return bind(client->fd, (const struct sockaddr *)&source, sizeof source) == 0;
}

static void client_clear(struct load_client *client)
{
    load_buffer_deinit(&client->out);
    load_buffer_deinit(&client->raw);
    load_buffer_deinit(&client->stream);
    client->ws = (struct load_ws){.is_in_message = false};
    client->is_in_body = false;
    client->is_answer_due = false;
    client->is_ping_due_back = false;
}

void load_client_start(struct load_client *client)
{
    const struct sockaddr_in *address = &client->settings->address;
    int on = 1;

    client_clear(client);
    client->start_ms = load_now_ms();
    client->state = LOAD_CONNECTING;
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (client->fd < 0) {
        load_client_fail(client, "no more sockets");
        return;
    }
    (void)setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (client->settings->has_sources && !client_bind(client)) {
        load_client_fail(client, "no more ports");
        return;
    }
    int code = connect(client->fd, (const struct sockaddr *)address, sizeof *address);
    if (code != 0 && errno != EINPROGRESS) {
        load_client_fail(client, "nobody listens");
    }
}

static void client_on_connected(struct load_client *client)
{
    int error = 0;
    socklen_t length = sizeof error;

    if (getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0 || error != 0) {
        load_client_fail(client, "nobody listens");
        return;
    }
    client->kind->on_connected(client);
    load_client_flush(client);
}

void load_client_run(struct load_client *client)
{
    if (client->state == LOAD_CONNECTING) {
        client_on_connected(client);
        return;
    }
    load_client_flush(client);
    if (client->state != LOAD_FAILED) {
        client_read(client);
    }
}

void load_client_tick(struct load_client *client, double now_ms)
{
    if (client->state == LOAD_READY && client->kind->tick != NULL) {
        client->kind->tick(client, now_ms);
        load_client_flush(client);
    }
}

void load_client_publish(struct load_client *client, const struct load_mqtt_message *message)
{
    if (client->state == LOAD_READY) {
        client->kind->publish(client, message);
    }
}

void load_client_stop(struct load_client *client)
{
    if (client->state == LOAD_READY && client->kind->stop != NULL) {
        client->kind->stop(client);
        load_client_flush(client);
    }
}
