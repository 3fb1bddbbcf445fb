/* SPDX-License-Identifier: Apache-2.0
 *
 * load_client.h - one client as a state machine over a non-blocking socket. It waits for nothing:
 * its owner calls it when the socket is ready.
 */
#ifndef LOAD_CLIENT_H
#define LOAD_CLIENT_H

#include "load_buffer.h"
#include "load_http.h"
#include "load_login.h"
#include "load_mqtt.h"
#include "load_round.h"
#include "load_sse.h"
#include "load_ws.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

enum load_transport {
    LOAD_TCP,
    LOAD_WS,
    LOAD_SSE, /* an event stream over HTTP */
    LOAD_POST /* publishes over HTTP */
};

enum load_state {
    LOAD_IDLE,        /* has no socket yet */
    LOAD_CONNECTING,  /* waits for TCP, */
    LOAD_UPGRADING,   /* for WebSockets, */
    LOAD_GREETING,    /* for CONNACK or the head of the event stream, */
    LOAD_SUBSCRIBING, /* for SUBACK or the event "ready" */
    LOAD_READY,
    LOAD_FAILED /* its socket is closed */
};

/* What clients share. */
struct load_settings {
    struct sockaddr_in address;
    const char *host;
    unsigned port;
    enum load_transport transport;
    unsigned version;         /* of MQTT: 3 or 5 */
    const char *path;         /* of HTTP */
    bool has_sources;         /* each 5,000 take an address of their own (127.0.0.0/8) */
    unsigned keepalive_s;     /* > 0 */
    const char *filter;       /* NULL: none; %u stands for the user name, %c for the client id */
    unsigned subscribe_qos;   /* 0 or 1 */
    struct load_round *round; /* what they listen for; NULL: nothing */
};

struct load_kind;

struct load_client {
    const struct load_settings *settings;
    const struct load_kind *kind; /* what it does on its connection, by transport */
    const struct load_login *login;
    size_t index; /* among the clients */
    enum load_state state;
    int fd;              /* -1: none */
    const char *failure; /* NULL: none; a literal without quotes */

    double start_ms;   /* of connect(2); steady */
    double connack_ms; /* of CONNACK or the head of the event stream */
    double ready_ms;
    double alive_ms; /* of the last acknowledgement, and of the last ping */
    double keepalive_ms;
    bool is_ping_due_back; /* a PINGREQ has not been answered */

    uint64_t messages;  /* that were received */
    uint64_t pings;     /* that were sent */
    uint64_t bytes_in;  /* at the socket: with the HTTP upgrade and the framing of WebSockets, */
    uint64_t bytes_out; /* without what TCP and IP add */
    unsigned heard;     /* the number of the last message of the round; 0: none */
    unsigned packet_id; /* of a PUBLISH with QoS 1, or the number of a POST */
    bool is_answer_due; /* to that */

    struct load_buffer out;    /* as it goes onto the wire */
    struct load_buffer raw;    /* WebSocket frames or HTTP as they came */
    struct load_buffer stream; /* MQTT or events as they came */
    struct load_ws ws;
    struct load_http_body body;
    bool is_in_body;
    struct load_sse sse;
};

void load_client_init(struct load_client *client, const struct load_settings *settings,
                      const struct load_login *login, size_t index);

/* Also closes the socket. */
void load_client_deinit(struct load_client *client);

/* Opens the socket; the client has failed where it cannot. One that has failed starts anew. */
void load_client_start(struct load_client *client);

/* The socket can be read from or written to, or is closed. */
void load_client_run(struct load_client *client);

/* Keeps the connection alive; to be called several times a second. */
void load_client_tick(struct load_client *client, double now_ms);

/* Prepares what load_client_flush() sends: a publisher's message. */
void load_client_publish(struct load_client *client, const struct load_mqtt_message *message);
void load_client_flush(struct load_client *client);

/* A good-bye, as far as the socket takes it. */
void load_client_stop(struct load_client *client);

void load_client_fail(struct load_client *client, const char *why);

bool load_client_is_under_way(const struct load_client *client);

/* Whether it waits until the socket can be written to. */
bool load_client_wants_to_write(const struct load_client *client);

#endif
