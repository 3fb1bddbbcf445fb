/* SPDX-License-Identifier: Apache-2.0
 *
 * load_phase.c - see load_phase.h, and load_round.h for what the latencies say.
 */
#include "load_phase.h"

#include "load_clock.h"
#include "load_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A phase in which messages are published. */
struct course {
    struct load_run *run;
    struct load_mark mark;
    size_t ready;        /* clients when it began */
    size_t planned;      /* messages */
    size_t sent;         /* of these */
    double *complete_ms; /* of messages that all those clients had, until the last had it */
    size_t complete_count;
    double slip_ms; /* how late a message was sent at most */
};

static void *memory_get(size_t count, size_t size)
{
    void *memory = calloc(count + 1, size);

    if (memory == NULL) {
        fputs("bench_load: out of memory\n", stderr);
        exit(EXIT_FAILURE);
    }
    return memory;
}

/* -- The storm -- */

/* The first failure, for who looks on. */
static void failure_print(const struct load_pool *pool)
{
    for (size_t i = 0; i < pool->count; i++) {
        const struct load_client *client = &pool->clients[i];
        if (client->state != LOAD_READY) {
            fprintf(stderr, "bench_load: %s: %s\n", client->login->client_id, client->failure);
            return;
        }
    }
}

/* Reports from connect(2) to CONNACK, and to the client that has subscribed. The first in the list
 * is the first that was started. */
static void storm_report(const struct load_pool *pool, const struct load_mark *mark)
{
    double *connack_ms = memory_get(pool->count, sizeof *connack_ms);
    double *ready_ms = memory_get(pool->count, sizeof *ready_ms);
    double end_ms = 0;
    size_t ready = 0;

    for (size_t i = 0; i < pool->count; i++) {
        const struct load_client *client = &pool->clients[i];
        if (client->state == LOAD_READY) {
            connack_ms[ready] = client->connack_ms - client->start_ms;
            ready_ms[ready++] = client->ready_ms - client->start_ms;
            end_ms = client->ready_ms > end_ms ? client->ready_ms : end_ms;
        }
    }
    load_report_begin("storm", pool);
    load_report_ms("wall_ms", ready > 0 ? end_ms - pool->clients[0].start_ms : 0);
    load_report_delays("", connack_ms, ready);
    load_report_delays("ready_", ready_ms, ready);
    load_report_end(mark, pool);
    free(connack_ms);
    free(ready_ms);
}

/* The publisher connects when the clients have, so that its login is in no later phase. */
static void storm_run(struct load_run *run)
{
    struct load_pool *pool = &run->pool;
    double limit_ms = run->options->limit_s * 1000.0;
    struct load_mark mark;

    load_mark_take(&mark, pool);
    load_pool_connect(pool, limit_ms);
    if (pool->publisher != NULL) {
        load_pool_connect_publisher(pool, limit_ms);
    }
    storm_report(pool, &mark);
    failure_print(pool);
}

/* -- Messages -- */

static void course_begin(struct course *course, struct load_run *run, size_t planned)
{
    *course =
        (struct course){.run = run, .ready = load_pool_count_ready(&run->pool), .planned = planned};
    course->complete_ms = memory_get(planned, sizeof *course->complete_ms);
    load_round_clear(&run->round);
    load_mark_take(&course->mark, &run->pool);
}

/* A server may close a connection for posts between two of them, and the next post opens another.
 * Returns whether the publisher is there. */
static bool course_has_publisher(struct course *course)
{
    struct load_pool *pool = &course->run->pool;
    struct load_client *publisher = pool->publisher;

    if (publisher->state == LOAD_FAILED && publisher->settings->transport == LOAD_POST &&
        !publisher->is_answer_due && publisher->ready_ms > 0) {
        load_pool_connect_publisher(pool, course->run->options->limit_s * 1000.0);
    }
    return publisher->state == LOAD_READY;
}

static void course_publish(struct course *course)
{
    struct load_run *run = course->run;
    struct load_round *round = &run->round;

    load_round_begin(round, &run->template, load_pool_count_ready(&run->pool));
    struct load_mqtt_message message = {.topic = run->options->topic,
                                        .topic_length = strlen(run->options->topic),
                                        .payload = load_buffer_data(&round->payload),
                                        .length = load_buffer_length(&round->payload),
                                        .qos = run->options->qos,
                                        .is_retained = run->options->is_retained};
    round->written_ms = load_pool_publish(&run->pool, &message);
    course->sent++;
}

/* The message under way is over; deliveries that come later do not count. */
static void course_close(struct course *course, size_t received_before)
{
    struct load_round *round = &course->run->round;

    if (course->ready > 0 && round->received - received_before == course->ready) {
        course->complete_ms[course->complete_count++] = round->last_ms - round->written_ms;
    }
    round->missing = 0;
}

static bool message_is_under_way(const struct load_run *run)
{
    const struct load_client *publisher = run->pool.publisher;
    bool is_post = publisher->settings->transport == LOAD_POST;

    if (publisher->state == LOAD_FAILED && (!is_post || publisher->is_answer_due)) {
        return false; /* who knows whether the message was sent */
    }
    return run->round.missing > 0 || publisher->is_answer_due;
}

static void serve_until(struct load_pool *pool, double until_ms)
{
    while (load_now_ms() < until_ms) {
        load_pool_turn(pool, until_ms);
    }
}

static void course_report(struct course *course, const char *phase, double wall_ms)
{
    struct load_run *run = course->run;
    struct load_round *round = &run->round;
    const struct load_client *publisher = run->pool.publisher;
    size_t expected = course->ready * course->planned;
    bool has_failed = course->planned > 0 && publisher->state != LOAD_READY &&
                      !(publisher->settings->transport == LOAD_POST && !publisher->is_answer_due &&
                        course->sent == course->planned);

    load_report_begin(phase, &run->pool);
    load_report_ms("wall_ms", wall_ms);
    load_report_text("publisher", has_failed ? publisher->failure : NULL);
    load_report_number("sent", course->sent);
    load_report_number("expected", expected);
    load_report_number("received", round->received);
    run->is_whole = run->is_whole && !has_failed && round->received == expected;
    load_report_delays("", round->delays_ms, round->received);
    load_report_delays("complete_", course->complete_ms, course->complete_count);
    load_report_ms("slip_ms", course->slip_ms);
    load_report_end(&course->mark, &run->pool);
    free(course->complete_ms);
}

/* -- Fan-out -- */

static void message_run(struct course *course)
{
    struct load_run *run = course->run;
    size_t received_before = run->round.received;

    course_publish(course);
    double end_ms = run->round.written_ms + run->options->limit_s * 1000.0;
    while (message_is_under_way(run) && load_now_ms() < end_ms) {
        load_pool_turn(&run->pool, end_ms);
    }
    course_close(course, received_before);
    if (run->pool.publisher->state == LOAD_READY && run->pool.publisher->is_answer_due) {
        load_client_fail(run->pool.publisher, "a message was not answered");
    }
}

static void fanout_run(struct load_run *run)
{
    struct course course;

    course_begin(&course, run, run->options->messages);
    double start_ms = load_now_ms();
    for (size_t i = 0; i < course.planned && course_has_publisher(&course); i++) {
        message_run(&course);
        if (i + 1 < course.planned) {
            serve_until(&run->pool, load_now_ms() + run->options->interval_ms);
        }
    }
    course_report(&course, "fanout", load_now_ms() - start_ms);
}

/* -- Idle -- */

/* The middle of the message's part of the time, so that the last has time to arrive. */
static double due_at(const struct course *course, double start_ms, double length_ms)
{
    return course->sent < course->planned
               ? start_ms + ((double)course->sent + 0.5) * length_ms / (double)course->planned
               : start_ms + length_ms;
}

static void idle_run(struct load_run *run)
{
    struct course course;
    double length_ms = run->options->seconds * 1000.0;
    size_t received_before = 0;

    course_begin(&course, run, run->options->idle_messages);
    double start_ms = load_now_ms();
    while (load_now_ms() < start_ms + length_ms) {
        double due_ms = due_at(&course, start_ms, length_ms);
        serve_until(&run->pool, due_ms);
        if (course.sent == course.planned || !course_has_publisher(&course)) {
            serve_until(&run->pool, start_ms + length_ms);
            break;
        }
        while (run->pool.publisher->is_answer_due && load_now_ms() < start_ms + length_ms) {
            load_pool_turn(&run->pool, start_ms + length_ms);
        }
        course_close(&course, received_before);
        received_before = run->round.received;
        course_publish(&course);
        double slip_ms = run->round.written_ms - due_ms;
        course.slip_ms = slip_ms > course.slip_ms ? slip_ms : course.slip_ms;
    }
    course_close(&course, received_before);
    course_report(&course, "idle", load_now_ms() - start_ms);
}

void load_phase_run(struct load_run *run, enum load_phase phase)
{
    switch (phase) {
    case LOAD_STORM:
        storm_run(run);
        break;
    case LOAD_FANOUT:
        fanout_run(run);
        break;
    case LOAD_IDLING:
    default:
        idle_run(run);
    }
    run->is_whole = run->is_whole && load_pool_count_ready(&run->pool) == run->pool.count;
}
