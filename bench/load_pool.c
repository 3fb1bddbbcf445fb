/* SPDX-License-Identifier: Apache-2.0
 *
 * load_pool.c - see load_pool.h.
 */
#include "load_pool.h"

#include "load_clock.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

/* A tick is short enough for a keepalive of a second. */
enum { EVENTS = 256, WAIT_MS = 100, TICK_MS = 250 };

static void must(bool condition, const char *what)
{
    if (!condition) {
        perror(what);
        exit(EXIT_FAILURE);
    }
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
        load_client_init(&pool->clients[i], settings, &logins->all[i], i);
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
        load_client_start(client);
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
    if (was_under_way && client != pool->publisher && !load_client_is_under_way(client)) {
        pool->under_way--;
    }
    if (client->fd >= 0 && wanted_to_write != load_client_wants_to_write(client)) {
        pool_watch(pool, client, EPOLL_CTL_MOD);
    }
}

static void pool_run_client(struct load_pool *pool, struct load_client *client)
{
    bool was_under_way = load_client_is_under_way(client);
    bool wanted_to_write = load_client_wants_to_write(client);

    load_client_run(client);
    pool_follow(pool, client, was_under_way, wanted_to_write);
}

static void pool_tick_client(struct load_pool *pool, struct load_client *client, double now_ms)
{
    bool wanted_to_write = load_client_wants_to_write(client);

    load_client_tick(client, now_ms);
    pool_follow(pool, client, false, wanted_to_write);
}

static void pool_tick(struct load_pool *pool)
{
    double now_ms = load_now_ms();

    if (now_ms < pool->tick_ms) {
        return;
    }
    pool->tick_ms = now_ms + TICK_MS;
    for (size_t i = 0; i < pool->started; i++) {
        pool_tick_client(pool, &pool->clients[i], now_ms);
    }
    if (pool->publisher != NULL) {
        pool_tick_client(pool, pool->publisher, now_ms);
    }
}

/* Returns true when what is no client has something to say. */
static bool pool_turn(struct load_pool *pool, int wait_ms)
{
    struct epoll_event events[EVENTS];
    bool is_called = false;
    int count = epoll_wait(pool->epoll, events, EVENTS, wait_ms);

    for (int i = 0; i < count; i++) {
        struct load_client *client = events[i].data.ptr;
        is_called = is_called || client == NULL;
        if (client != NULL && client->fd >= 0) {
            pool_run_client(pool, client);
        }
    }
    pool_tick(pool);
    return is_called;
}

void load_pool_turn(struct load_pool *pool, double until_ms)
{
    double wait_ms = ceil(until_ms - load_now_ms());

    (void)pool_turn(pool, wait_ms <= 0 ? 0 : wait_ms < WAIT_MS ? (int)wait_ms : WAIT_MS);
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
        load_pool_turn(pool, end_ms);
        pool_start_some(pool);
        if (load_now_ms() > end_ms) {
            pool_give_up(pool);
        }
    }
}

void load_pool_connect_publisher(struct load_pool *pool, double limit_ms)
{
    struct load_client *publisher = pool->publisher;
    double end_ms = load_now_ms() + limit_ms;

    load_client_start(publisher);
    if (publisher->state != LOAD_FAILED) {
        pool_watch(pool, publisher, EPOLL_CTL_ADD);
    }
    while (load_client_is_under_way(publisher)) {
        load_pool_turn(pool, end_ms);
        if (load_now_ms() > end_ms && load_client_is_under_way(publisher)) {
            load_client_fail(publisher, "time is up");
        }
    }
}

double load_pool_publish(struct load_pool *pool, const struct load_mqtt_message *message)
{
    struct load_client *publisher = pool->publisher;
    bool wanted_to_write = load_client_wants_to_write(publisher);

    load_client_publish(publisher, message);
    double now_ms = load_now_ms();
    load_client_flush(publisher);
    pool_follow(pool, publisher, false, wanted_to_write);
    return now_ms;
}

/* -- Lines -- */

static void input_read(struct load_input *input)
{
    char bytes[64];
    ssize_t count = read(input->fd, bytes, sizeof bytes);

    input->is_ended = count <= 0;
    for (ssize_t i = 0; i < count; i++) {
        input->lines += bytes[i] == '\n';
    }
}

bool load_pool_wait_line(struct load_pool *pool, struct load_input *input)
{
    struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = NULL}};
    /* A file cannot be waited for, and need not. */
    bool is_watched = epoll_ctl(pool->epoll, EPOLL_CTL_ADD, input->fd, &event) == 0;

    while (input->lines == 0 && !input->is_ended) {
        if (!is_watched || pool_turn(pool, WAIT_MS)) {
            input_read(input);
        }
    }
    if (is_watched) {
        (void)epoll_ctl(pool->epoll, EPOLL_CTL_DEL, input->fd, NULL);
    }
    if (input->lines == 0) {
        return false;
    }
    input->lines--;
    return true;
}

void load_pool_stop(struct load_pool *pool)
{
    for (size_t i = 0; i < pool->count; i++) {
        load_client_stop(&pool->clients[i]);
    }
    if (pool->publisher != NULL) {
        load_client_stop(pool->publisher);
    }
}

size_t load_pool_count_ready(const struct load_pool *pool)
{
    size_t count = 0;

    for (size_t i = 0; i < pool->count; i++) {
        count += pool->clients[i].state == LOAD_READY;
    }
    return count;
}
