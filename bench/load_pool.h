/* SPDX-License-Identifier: Apache-2.0
 *
 * load_pool.h - all clients together, and the loop that waits for their sockets.
 */
#ifndef LOAD_POOL_H
#define LOAD_POOL_H

#include "load_client.h"

struct load_pool {
    struct load_client *clients;
    size_t count;
    size_t started;   /* the first so many have been started */
    size_t under_way; /* of these, neither ready nor failed */
    size_t in_flight; /* the most that may be under way */
    int epoll;
    double tick_ms;
};

struct load_report {
    size_t ready;
    size_t failed;
    double wall_ms;    /* from the first connect(2) to the last client that became ready */
    double *delays_ms; /* of those that are ready, from connect(2) to CONNACK; in no order */
};

double load_now_ms(void);

/* Ends the program where the system has no room. */
void load_pool_init(struct load_pool *pool, const struct load_settings *settings,
                    const struct load_logins *logins, size_t in_flight);
void load_pool_deinit(struct load_pool *pool);

/* Connects all; what has not become ready after `limit_ms` has failed. */
void load_pool_connect(struct load_pool *pool, double limit_ms);

/* Keeps the connections until `fd` is at its end. */
void load_pool_hold(struct load_pool *pool, int fd);

/* Says good-bye and closes. */
void load_pool_stop(struct load_pool *pool);

void load_pool_report(const struct load_pool *pool, struct load_report *out_report);
void load_report_deinit(struct load_report *report);

#endif
