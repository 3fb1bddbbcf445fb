/* SPDX-License-Identifier: Apache-2.0
 *
 * load_pool.c - see load_pool.h.
 */
#include "load_pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 256, WAIT_MS = 100, TICK_MS = 1000 };

static void must(bool condition, const char *what)
{
    if (!condition) {
        perror(what);
        exit(EXIT_FAILURE);
    }
}

double load_now_ms(void)
{
    struct timespec time;

    must(clock_gettime(CLOCK_MONOTONIC, &time) == 0, "clock_gettime");
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

void load_pool_init(struct load_pool *pool, const struct load_settings *settings,
                    const struct load_logins *logins, size_t in_flight)
{
    *pool = (struct load_pool){.count = logins->count, .in_flight = in_flight};
    pool->clients = calloc(pool->count + 1, sizeof *pool->clients);
    must(pool->clients != NULL, "calloc");
    pool->epoll = epoll_create1(EPOLL_CLOEXEC);
    must(pool->epoll >= 0, "epoll_create1");
    for (size_t i = 0; i < pool->count; i++) {
        load_client_init(&pool->clients[i], settings, &logins->all[i]);
    }
}

void load_pool_deinit(struct load_pool *pool)
{
    for (size_t i = 0; i < pool->count; i++) {
        load_client_deinit(&pool->clients[i]);
    }
    free(pool->clients);
    (void)close(pool->epoll);
}

static void pool_watch(struct load_pool *pool, struct load_client *client, int operation)
{
    unsigned write = load_client_wants_to_write(client) ? EPOLLOUT : 0;
    struct epoll_event event = {.events = EPOLLIN | write, .data = {.ptr = client}};

    must(epoll_ctl(pool->epoll, operation, client->fd, &event) == 0, "epoll_ctl");
}

static void pool_start_some(struct load_pool *pool)
{
    while (pool->started < pool->count && pool->under_way < pool->in_flight) {
        struct load_client *client = &pool->clients[pool->started++];
        load_client_start(client, load_now_ms());
        if (client->state != LOAD_FAILED) {
            pool->under_way++;
            pool_watch(pool, client, EPOLL_CTL_ADD);
        }
    }
}

/* After each call of a client: whether it is through, and what its socket is to be watched for. */
static void pool_follow(struct load_pool *pool, struct load_client *client, bool was_under_way,
                        bool wanted_to_write)
{
    if (was_under_way && !load_client_is_under_way(client)) {
        pool->under_way--;
    }
    if (client->fd >= 0 && wanted_to_write != load_client_wants_to_write(client)) {
        pool_watch(pool, client, EPOLL_CTL_MOD);
    }
}

static void pool_run_client(struct load_pool *pool, struct load_client *client, double now_ms)
{
    bool was_under_way = load_client_is_under_way(client);
    bool wanted_to_write = load_client_wants_to_write(client);

    load_client_run(client, now_ms);
    pool_follow(pool, client, was_under_way, wanted_to_write);
}

static void pool_tick(struct load_pool *pool, double now_ms)
{
    if (now_ms < pool->tick_ms) {
        return;
    }
    pool->tick_ms = now_ms + TICK_MS;
    for (size_t i = 0; i < pool->started; i++) {
        struct load_client *client = &pool->clients[i];
        bool wanted_to_write = load_client_wants_to_write(client);
        load_client_tick(client, now_ms);
        pool_follow(pool, client, load_client_is_under_way(client), wanted_to_write);
    }
}

/* One turn. Returns true when what is no client has something to say. */
static bool pool_turn(struct load_pool *pool)
{
    struct epoll_event events[EVENTS];
    bool is_called = false;
    int count = epoll_wait(pool->epoll, events, EVENTS, WAIT_MS);

    for (int i = 0; i < count; i++) {
        struct load_client *client = events[i].data.ptr;
        is_called = is_called || client == NULL;
        if (client != NULL && client->fd >= 0) {
            pool_run_client(pool, client, load_now_ms());
        }
    }
    pool_tick(pool, load_now_ms());
    return is_called;
}

static void pool_give_up(struct load_pool *pool)
{
    for (size_t i = 0; i < pool->count; i++) {
        if (pool->clients[i].state < LOAD_READY) {
            load_client_fail(&pool->clients[i], "time is up");
        }
    }
    pool->started = pool->count;
    pool->under_way = 0;
}

void load_pool_connect(struct load_pool *pool, double limit_ms)
{
    double end_ms = load_now_ms() + limit_ms;

    pool_start_some(pool);
    while (pool->under_way > 0) {
        (void)pool_turn(pool);
        pool_start_some(pool);
        if (load_now_ms() > end_ms) {
            pool_give_up(pool);
        }
    }
}

void load_pool_hold(struct load_pool *pool, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = NULL}};
    char bytes[64];

    if (epoll_ctl(pool->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        return; /* a file, which is at its end at once */
    }
    while (!pool_turn(pool) || read(fd, bytes, sizeof bytes) > 0) {
    }
    (void)epoll_ctl(pool->epoll, EPOLL_CTL_DEL, fd, NULL);
}

void load_pool_stop(struct load_pool *pool)
{
    for (size_t i = 0; i < pool->count; i++) {
        load_client_stop(&pool->clients[i]);
    }
}

void load_pool_report(const struct load_pool *pool, struct load_report *out_report)
{
    double end_ms = 0;

    *out_report = (struct load_report){.delays_ms = calloc(pool->count + 1, sizeof(double))};
    must(out_report->delays_ms != NULL, "calloc");
    for (size_t i = 0; i < pool->count; i++) {
        const struct load_client *client = &pool->clients[i];
        if (client->state != LOAD_READY) {
            out_report->failed++;
            continue;
        }
        out_report->delays_ms[out_report->ready++] = client->connack_ms - client->start_ms;
        end_ms = client->ready_ms > end_ms ? client->ready_ms : end_ms;
    }
    if (out_report->ready > 0) { /* the first in the list is the first that was started */
        out_report->wall_ms = end_ms - pool->clients[0].start_ms;
    }
}

void load_report_deinit(struct load_report *report)
{
    free(report->delays_ms);
    *report = (struct load_report){.delays_ms = NULL};
}
