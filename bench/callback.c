/* SPDX-License-Identifier: Apache-2.0
 *
 * callback.c - the longest that one event keeps the broker's thread: logins one by one, an
 * evaluation whose strict phase begins and ends for all that are in it, the ticks that follow, a
 * restart. With the store in a file.
 *
 * bench_callback [users [directory]]: 10,000 users, in /tmp.
 */
#include "backend.h"
#include "digest.h"
#include "sqlitestore.h"

#include "invigilator/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { USERS_DEFAULT = 10000, NOW_S = 1800000000 };

static struct invig_policy policy;
static struct invig_now now = {NOW_S, 1000};
static struct invig_connection *backend;

static void must(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "bench_callback: %s failed\n", what);
        exit(EXIT_FAILURE);
    }
}

static double now_ms(void)
{
    struct timespec time;

    must(clock_gettime(CLOCK_MONOTONIC, &time) == 0, "clock_gettime");
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static void drop_line(void *context, enum invig_log_level level, const char *line)
{
    (void)context;
    (void)level;
    (void)line;
}

static struct invig_engine *engine_open(const char *path)
{
    const struct invig_log_sink sink = {NULL, drop_line};
    char error[INVIG_STORE_ERROR_BYTES];
    struct invig_store store;
    struct invig_engine *engine;

    must(invig_sqlitestore_open(path, false, &store, error) == INVIG_OK, error);
    engine =
        invig_engine_new(&policy, (struct invig_seed){{1, 2}}, sink, invig_digest_sha256, store);
    must(engine != NULL && invig_engine_load(engine, now) == INVIG_OK, "load");
    return engine;
}

static void log_in(struct invig_engine *engine, int number)
{
    static struct invig_claims claims = {.has_session = true,
                                         .role = INVIG_ROLE_STUDENT,
                                         .expires_s = NOW_S + 3600,
                                         .issued_s = NOW_S,
                                         .login_s = NOW_S,
                                         .evaluation_count = 1,
                                         .evaluations = {"exam"}};
    struct invig_connect connect = {.protocol_version = 4,
                                    .is_clean = true,
                                    .keepalive_s = 30,
                                    .address = invig_text_of("192.0.2.1"),
                                    .claims = &claims};
    struct invig_connection *connection;
    struct invig_refusal refusal;
    unsigned spread = (unsigned)number * 2654435761U; /* in no order */

    snprintf(claims.user, sizeof claims.user, "%08x-4000-8000-%06d", spread, number);
    snprintf(claims.session, sizeof claims.session, "%08x-5e55-4000-8000-%06d", spread, number);
    connect.client_id = invig_text_of(claims.user);
    must(invig_engine_connect(engine, now, &connect, &connection, &refusal) == INVIG_ALLOW,
         "login");
}

static void say_phase(struct invig_engine *engine, const char *phase)
{
    char payload[128];

    snprintf(payload, sizeof payload,
             "{\"type\":\"EVALUATION_UPDATE\",\"evaluationId\":\"exam\",\"phase\":\"%s\"}", phase);
    must(invig_backend_message(engine, now, backend, invig_text_of("evaluations/exam"),
                               invig_text_of(payload), true) == INVIG_ALLOW,
         "message");
}

/* One tick with all its effects, as the broker has them made. Returns how many there were. */
static int run_tick(struct invig_engine *engine)
{
    struct invig_effect effect;
    int count = 0;

    now.steady_ms += 100;
    invig_engine_tick(engine, now);
    while (invig_engine_next_effect(engine, now, &effect)) {
        free(invig_backend_payload(&effect));
        count++;
    }
    return count;
}

static void print_ticks(struct invig_engine *engine, const char *what)
{
    double longest = 0;
    int ticks = 0;

    for (int count = 1; count > 0; ticks++) {
        double begin = now_ms();
        count = run_tick(engine);
        double taken = now_ms() - begin;
        longest = taken > longest ? taken : longest;
    }
    printf("%-44s %9.3f ms at most, in %d ticks\n", what, longest, ticks);
}

static void print_logins(struct invig_engine *engine, int users)
{
    double longest = 0;
    double begin = now_ms();

    for (int i = 0; i < users; i++) {
        double start = now_ms();
        log_in(engine, i);
        double taken = now_ms() - start;
        longest = taken > longest ? taken : longest;
    }
    printf("%-44s %9.3f ms at most, %.3f on average\n", "a first login", longest,
           (now_ms() - begin) / users);
}

static void print_phase(struct invig_engine *engine, const char *phase, const char *what)
{
    double begin = now_ms();

    say_phase(engine, phase);
    printf("%-44s %9.3f ms\n", what, now_ms() - begin);
}

static void run(const char *path, int users)
{
    const struct invig_connect connect = {.client_id = invig_text_of("backend"),
                                          .protocol_version = 4};
    struct invig_engine *engine = engine_open(path);
    struct invig_refusal refusal;

    must(invig_engine_connect(engine, now, &connect, &backend, &refusal) == INVIG_DEFER, "backend");
    say_phase(engine, "REGISTRATION");
    print_logins(engine, users);
    print_ticks(engine, "the ticks that follow");
    print_phase(engine, "IN_PROGRESS", "the strict phase begins, all are bound");
    print_ticks(engine, "the ticks that follow");
    print_phase(engine, "GRADING", "the strict phase ends");
    print_ticks(engine, "the ticks that follow");
    invig_engine_free(engine);
    double begin = now_ms();
    engine = engine_open(path);
    printf("%-44s %9.3f ms\n", "a start with all of that", now_ms() - begin);
    print_ticks(engine, "the ticks that follow");
    invig_engine_free(engine);
}

int main(int argc, char **argv)
{
    int users = argc > 1 ? atoi(argv[1]) : USERS_DEFAULT;
    char directory[256];
    char path[300];
    char extra[310];

    must(users > 0, "reading the number of users");
    snprintf(directory, sizeof directory, "%s/bench_callback_XXXXXX", argc > 2 ? argv[2] : "/tmp");
    must(mkdtemp(directory) != NULL, "mkdtemp");
    snprintf(path, sizeof path, "%s/state.db", directory);
    must(invig_policy_init(&policy) == INVIG_OK, "policy");
    printf("%d users\n", users);
    run(path, users);
    invig_policy_deinit(&policy);
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        snprintf(extra, sizeof extra, "%s%s", path, suffixes[i]);
        (void)unlink(extra);
    }
    (void)rmdir(directory);
    return EXIT_SUCCESS;
}
