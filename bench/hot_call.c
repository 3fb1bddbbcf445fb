/* SPDX-License-Identifier: Apache-2.0
 *
 * hot_call.c - see hot_call.h.
 *
 * Calls are timed in batches, since reading the clock takes as long as a call. What a batch needs
 * is written before it, into little memory that is used again and again: the topic and the event
 * are in the caches then, as in the broker, which has just made them, and what the plugin knows of
 * the user is not, since each call is about another one.
 */
#include "hot_call.h"

#include "hot_heap.h"
#include "hot_world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#if defined(__has_include)
#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#endif
#endif
#ifndef CALLGRIND_TOGGLE_COLLECT
#define CALLGRIND_START_INSTRUMENTATION
#define CALLGRIND_STOP_INSTRUMENTATION
#define CALLGRIND_TOGGLE_COLLECT
#define CALLGRIND_DUMP_STATS_AT(name) (void)(name)
#endif

/* Callbacks of our own, beside the broker's events. */
enum { HOT_NOTHING = 0, HOT_TOUCH = -1 };

enum { BATCH = 64, TOPIC_BYTES = 64, LOGINS_MIN = 100, LOGINS_EACH = 100 };

/* What is called. `prepare` makes an event about `user`. */
struct hot_case {
    const char *name;
    int event;
    int access;      /* of ACL_CHECK */
    const char *own; /* the topic: %e the user's evaluation, %u the user; %E and %U others */
    int expected;    /* what the plugin answers */
    enum invig_algorithm algorithm;
    bool is_in_order; /* users in the order in which they logged in */
};

#define READ      MOSQ_EVT_ACL_CHECK, MOSQ_ACL_READ
#define SUBSCRIBE MOSQ_EVT_ACL_CHECK, MOSQ_ACL_SUBSCRIBE
#define ALLOWED   MOSQ_ERR_SUCCESS, INVIG_ALGORITHM_NONE, false
#define DENIED    MOSQ_ERR_ACL_DENIED, INVIG_ALGORITHM_NONE, false
#define IN_ORDER  MOSQ_ERR_SUCCESS, INVIG_ALGORITHM_NONE, true

static const struct hot_case cases[] = {
    {"none", HOT_NOTHING, 0, NULL, ALLOWED},
    {"touch", HOT_TOUCH, 0, NULL, ALLOWED},
    {"read_evaluation_in_order", READ, "evaluations/%e", IN_ORDER},
    {"read_evaluation_allowed", READ, "evaluations/%e", ALLOWED},
    {"read_evaluation_denied", READ, "evaluations/%E", DENIED},
    {"read_evaluation_user_allowed", READ, "evaluations/%e/users/%u", ALLOWED},
    {"read_evaluation_user_denied", READ, "evaluations/%e/users/%U", DENIED},
    {"read_user_allowed", READ, "users/%u", ALLOWED},
    {"read_user_denied", READ, "users/%U", DENIED},
    {"subscribe_evaluation_allowed", SUBSCRIBE, "evaluations/%e", ALLOWED},
    {"subscribe_evaluation_denied", SUBSCRIBE, "evaluations/%E", DENIED},
    {"subscribe_evaluation_user_allowed", SUBSCRIBE, "evaluations/%e/users/%u", ALLOWED},
    {"subscribe_evaluation_user_denied", SUBSCRIBE, "evaluations/%e/users/%U", DENIED},
    {"subscribe_user_allowed", SUBSCRIBE, "users/%u", ALLOWED},
    {"subscribe_user_denied", SUBSCRIBE, "users/%U", DENIED},
    {"tick_idle", MOSQ_EVT_TICK, 0, NULL, ALLOWED},
    {"basic_auth_hs256", MOSQ_EVT_BASIC_AUTH, 0, NULL, MOSQ_ERR_SUCCESS, INVIG_ALGORITHM_HS256,
     false},
    {"basic_auth_rs256", MOSQ_EVT_BASIC_AUTH, 0, NULL, MOSQ_ERR_SUCCESS, INVIG_ALGORITHM_RS256,
     false},
    {"basic_auth_es256", MOSQ_EVT_BASIC_AUTH, 0, NULL, MOSQ_ERR_SUCCESS, INVIG_ALGORITHM_ES256,
     false},
};

enum { CASE_COUNT = sizeof(cases) / sizeof(cases[0]) };

/* What one batch is made of. */
static union {
    struct mosquitto_evt_acl_check check;
    struct mosquitto_evt_basic_auth auth;
    struct mosquitto_evt_tick tick;
} events[BATCH];
static char topics[BATCH][TOPIC_BYTES];
static int answers[BATCH];

static struct {
    size_t user_count;
    unsigned *order;
    size_t next;
    double *samples; /* nanoseconds a call, one for each batch */
} run;

static double clock_ns(void)
{
    struct timespec time = {0, 0};

    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static size_t next_user(bool is_in_order)
{
    size_t user = is_in_order ? run.next : run.order[run.next];

    run.next = (run.next + 1) % run.user_count;
    return user;
}

static int call_nothing(int event, void *event_data, void *userdata)
{
    (void)event;
    (void)event_data;
    (void)userdata;
    return MOSQ_ERR_SUCCESS;
}

/* Reads what the broker has of a client, which it needs for each delivery. */
static int call_touch(int event, void *event_data, void *userdata)
{
    const struct mosquitto_evt_acl_check *check = event_data;

    (void)event;
    (void)userdata;
    return check->client->id[0] == 'u' ? MOSQ_ERR_SUCCESS : MOSQ_ERR_UNKNOWN;
}

static struct hot_callback case_callback(const struct hot_case *what)
{
    switch (what->event) {
    case HOT_NOTHING:
        return (struct hot_callback){call_nothing, NULL};
    case HOT_TOUCH:
        return (struct hot_callback){call_touch, NULL};
    default:
        return hot_broker_callback(what->event);
    }
}

static void write_topic(char out[TOPIC_BYTES], const char *form, size_t user)
{
    size_t used = 0;

    for (; *form != '\0'; form++) {
        if (*form != '%') {
            out[used++] = *form;
            continue;
        }
        form++;
        bool is_other = *form == 'E' || *form == 'U';
        bool is_user = *form == 'u' || *form == 'U';
        used += (size_t)snprintf(out + used, TOPIC_BYTES - used, is_user ? "u%06zu" : "e%zu",
                                 (is_user ? user : user / HOT_USERS_EACH) + is_other);
    }
    out[used] = '\0';
}

static void prepare(const struct hot_case *what, size_t place)
{
    size_t user = next_user(what->is_in_order);

    if (what->event == HOT_TOUCH) {
        events[place].check.client = hot_world_client(user);
    } else if (what->event == MOSQ_EVT_ACL_CHECK) {
        write_topic(topics[place], what->own, user);
        events[place].check = (struct mosquitto_evt_acl_check){
            .client = hot_world_client(user), .topic = topics[place], .access = what->access};
    } else if (what->event == MOSQ_EVT_BASIC_AUTH) {
        events[place].auth = (struct mosquitto_evt_basic_auth){
            .client = hot_world_second(user, 1),
            .password = hot_world_token(user, 0, what->algorithm)};
        events[place].auth.client->username[0] = '\0';
    }
}

static void finish(const struct hot_case *what, size_t place)
{
    hot_must(answers[place] == what->expected, what->name);
    if (what->event == MOSQ_EVT_BASIC_AUTH) {
        hot_broker_disconnect(events[place].auth.client);
        free(events[place].auth.password);
        hot_broker_settle();
    }
}

/* The calls themselves; returns the nanoseconds of one. */
static double call_batch(struct hot_callback callback, int event, size_t count)
{
    double begin = clock_ns();

    CALLGRIND_TOGGLE_COLLECT;
    for (size_t i = 0; i < count; i++) {
        answers[i] = callback.function(event, &events[i], callback.userdata);
    }
    CALLGRIND_TOGGLE_COLLECT;
    return (clock_ns() - begin) / (double)count;
}

static int compare_samples(const void *a, const void *b)
{
    const double *left = a;
    const double *right = b;

    return (*left > *right) - (*left < *right);
}

/* Spread: from the first to the last percentile of the batches, since on a machine that does other
 * things the slowest one says how long those took. */
static void print_case(const struct hot_case *what, size_t calls, size_t batches,
                       uint64_t allocations, int64_t growth)
{
    qsort(run.samples, batches, sizeof(*run.samples), compare_samples);
    printf("{\"callback\":\"%s\",\"users\":%zu,\"calls\":%zu,\"ns\":%.1f,\"nsMin\":%.1f,"
           "\"ns1\":%.1f,\"ns99\":%.1f,\"nsMax\":%.1f,\"allocations\":%.3f,\"heapGrowth\":%" PRId64
           "}\n",
           what->name, run.user_count, calls, run.samples[batches / 2], run.samples[0],
           run.samples[batches / 100], run.samples[batches - 1 - batches / 100],
           run.samples[batches - 1], (double)allocations / (double)calls, growth);
    (void)fflush(stdout);
}

static void run_case(const struct hot_case *what, size_t calls)
{
    struct hot_callback callback = case_callback(what);
    size_t batch = what->event == MOSQ_EVT_BASIC_AUTH ? 1 : BATCH;
    size_t batches = (calls + batch - 1) / batch;
    uint64_t allocations = 0;
    int64_t heap = hot_heap_bytes();

    for (size_t i = 0; i < batches; i++) {
        for (size_t place = 0; place < batch; place++) {
            prepare(what, place);
        }
        uint64_t before = hot_heap_calls();
        run.samples[i] = call_batch(callback, what->event, batch);
        allocations += hot_heap_calls() - before;
        for (size_t place = 0; place < batch; place++) {
            finish(what, place);
        }
    }
    CALLGRIND_DUMP_STATS_AT(what->name);
    print_case(what, batches * batch, batches, allocations, hot_heap_bytes() - heap);
}

const char *hot_calls_name(size_t number)
{
    return number < CASE_COUNT ? cases[number].name : NULL;
}

/* A login takes a hundred times as long as the others. */
static size_t case_calls(const struct hot_case *what, size_t calls)
{
    size_t logins = calls / LOGINS_EACH > LOGINS_MIN ? calls / LOGINS_EACH : LOGINS_MIN;

    return what->event == MOSQ_EVT_BASIC_AUTH ? logins : calls;
}

void hot_calls_run(size_t user_count, size_t calls)
{
    run.user_count = user_count;
    run.order = hot_world_shuffle(user_count);
    run.samples = calloc(calls + BATCH + LOGINS_MIN, sizeof(*run.samples));
    hot_must(run.samples != NULL, "calloc");
    CALLGRIND_START_INSTRUMENTATION;
    for (size_t i = 0; i < CASE_COUNT; i++) {
        run_case(&cases[i], case_calls(&cases[i], calls));
    }
    CALLGRIND_STOP_INSTRUMENTATION;
    free(run.samples);
    free(run.order);
}
