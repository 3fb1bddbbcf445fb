/* SPDX-License-Identifier: Apache-2.0
 *
 * load_pool.h - all clients together, the publisher, and the loop that waits for their sockets.
 */
#ifndef LOAD_POOL_H
#define LOAD_POOL_H

#include "load_client.h"

struct load_pool {
    struct load_client *clients;
    size_t count;
    size_t started;                /* the first so many have been started */
    size_t under_way;              /* of these, neither ready nor failed */
    size_t in_flight;              /* the most that may be under way */
    struct load_client *publisher; /* is none of the clients; NULL: none */
    int epoll;
    double tick_ms;
};

/* Where the lines come from that begin the phases. */
struct load_input {
    int fd;
    size_t lines; /* that have come and were not asked for */
    bool is_ended;
};

/* Ends the program where the system has no room. */
void load_pool_init(struct load_pool *pool, const struct load_settings *settings,
                    const struct load_logins *logins, size_t in_flight);
void load_pool_deinit(struct load_pool *pool);

/* Connects all; what has not become ready after `limit_ms` has failed. */
void load_pool_connect(struct load_pool *pool, double limit_ms);

/* Connects the publisher, anew where it was before. It may have failed then. */
void load_pool_connect_publisher(struct load_pool *pool, double limit_ms);

/* The publisher writes a message; returns when that was, right before send(2). */
double load_pool_publish(struct load_pool *pool, const struct load_mqtt_message *message);

/* Serves the connections for one turn, at most until then. */
void load_pool_turn(struct load_pool *pool, double until_ms);

/* Serves the connections until a line has come; returns false at the end of the input. */
bool load_pool_wait_line(struct load_pool *pool, struct load_input *input);

/* Says good-bye; load_pool_deinit() closes. */
void load_pool_stop(struct load_pool *pool);

size_t load_pool_count_ready(const struct load_pool *pool);

#endif
