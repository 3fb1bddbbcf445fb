/* SPDX-License-Identifier: Apache-2.0
 *
 * load_client.h - one MQTT client as a state machine over a non-blocking socket. It waits for
 * nothing: its owner calls it when the socket is ready.
 */
#ifndef LOAD_CLIENT_H
#define LOAD_CLIENT_H

#include "load_buffer.h"
#include "load_login.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

enum load_state {
    LOAD_IDLE,        /* has no socket yet */
    LOAD_CONNECTING,  /* waits for TCP, */
    LOAD_UPGRADING,   /* for WebSockets, */
    LOAD_GREETING,    /* for CONNACK, */
    LOAD_SUBSCRIBING, /* for SUBACK */
    LOAD_READY,
    LOAD_FAILED /* its socket is closed */
};

/* What all clients share. */
struct load_settings {
    struct sockaddr_in address;
    const char *host;
    unsigned port;
    bool is_ws;
    unsigned keepalive_s;
    const char *filter; /* NULL: none; %u stands for the user name, %c for the client id */
};

struct load_client {
    const struct load_settings *settings;
    const struct load_login *login;
    enum load_state state;
    int fd;              /* -1: none */
    const char *failure; /* NULL: none */
    double start_ms;     /* of connect(2); steady */
    double connack_ms;
    double ready_ms;
    double sent_ms;            /* when it last had something to send */
    uint64_t messages;         /* that were received */
    struct load_buffer out;    /* as it goes onto the wire */
    struct load_buffer raw;    /* WebSocket frames as they came */
    struct load_buffer stream; /* MQTT as it came */
};

void load_client_init(struct load_client *client, const struct load_settings *settings,
                      const struct load_login *login);

/* Also closes the socket. */
void load_client_deinit(struct load_client *client);

/* Opens the socket; the client has failed where it cannot. */
void load_client_start(struct load_client *client, double now_ms);

/* The socket can be read from or written to, or is closed. */
void load_client_run(struct load_client *client, double now_ms);

/* Keeps the connection alive; to be called every second or so. */
void load_client_tick(struct load_client *client, double now_ms);

/* A good-bye, as far as the socket takes it. */
void load_client_stop(struct load_client *client);

void load_client_fail(struct load_client *client, const char *why);

bool load_client_is_under_way(const struct load_client *client);

/* Whether it waits until the socket can be written to. */
bool load_client_wants_to_write(const struct load_client *client);

#endif
