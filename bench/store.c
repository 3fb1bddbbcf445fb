/* SPDX-License-Identifier: Apache-2.0
 *
 * store.c - what a record costs on the broker's thread: the batch of a first login into a strict
 * evaluation, as fast as they come, with both values of state_sync.
 *
 * bench_store [directory]: the file is made there, in /tmp without it. Where that is in memory, the
 * figures say nothing.
 */
#include "sqlitestore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BATCHES_NORMAL = 20000, BATCHES_FULL = 2000, EVALUATIONS = 20, NOW_S = 1800000000 };

static const double median_limit_us = 100; /* of state_sync normal */

static void must(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "bench_store: %s failed\n", what);
        exit(EXIT_FAILURE);
    }
}

static double now_us(void)
{
    struct timespec time;

    must(clock_gettime(CLOCK_MONOTONIC, &time) == 0, "clock_gettime");
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

/* Ids as they are: in no order (the step is prime), and as long as a UUID. */
static void id_write(char out[64], const char *kind, int number)
{
    unsigned spread = (unsigned)number * 2654435761U;

    snprintf(out, 64, "%08x-%s-4000-8000-%012d", spread, kind, number);
}

static void batch_run(const struct invig_store *store, int number)
{
    const struct invig_user_record user = {
        .has_newest_login = true, .newest_login_s = NOW_S, .kept_until_s = NOW_S + 604800};
    const struct invig_session_record session = {.serial = (uint64_t)number + 1,
                                                 .has_login = true,
                                                 .login_s = NOW_S,
                                                 .login_is_lasting = true,
                                                 .is_single = true,
                                                 .is_current = true,
                                                 .kept_until_s = NOW_S + 3630};
    const struct invig_member_record member = {
        .access_since_s = NOW_S, .is_bound = true, .was_student = true, .has_connected = true};
    char user_id[64];
    char session_id[64];
    char evaluation_id[64];

    id_write(user_id, "anna", number);
    id_write(session_id, "5e55", number);
    id_write(evaluation_id, "exam", number % EVALUATIONS);
    struct invig_text u = invig_text_of(user_id);
    must(store->begin(store->context) == INVIG_OK, "begin");
    must(store->put_user(store->context, u, &user) == INVIG_OK, "put_user");
    must(store->put_session(store->context, u, invig_text_of(session_id), &session) == INVIG_OK,
         "put_session");
    must(store->put_member(store->context, invig_text_of(evaluation_id), u, &member) == INVIG_OK,
         "put_member");
    must(store->commit(store->context) == INVIG_OK, "commit");
}

static int double_compare(const void *a, const void *b)
{
    const double *left = a;
    const double *right = b;

    return *left < *right ? -1 : *left > *right;
}

static void path_remove(const char *path)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    char name[4200];

    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
        (void)unlink(name);
    }
}

/* Measures, prints, and returns the median. */
static double sync_run(const char *path, bool is_full, int count)
{
    static double costs_us[BATCHES_NORMAL];
    char error[INVIG_STORE_ERROR_BYTES];
    struct invig_store store;

    path_remove(path);
    must(invig_sqlitestore_open(path, is_full, &store, error) == INVIG_OK,
         "invig_sqlitestore_open");
    for (int i = 0; i < count; i++) {
        double start_us = now_us();
        batch_run(&store, i);
        costs_us[i] = now_us() - start_us;
    }
    double start_us = now_us();
    store.close(store.context);
    double close_ms = (now_us() - start_us) / 1e3;
    path_remove(path);
    qsort(costs_us, (size_t)count, sizeof *costs_us, double_compare);
    double median = costs_us[count / 2];
    printf("%-7s %7d %9.1f %9.1f %9.1f %10.1f   %6.0f\n", is_full ? "full" : "normal", count,
           median, costs_us[count * 99 / 100], costs_us[count * 999 / 1000], costs_us[count - 1],
           close_ms);
    return median;
}

int main(int argc, char **argv)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/invig_bench_%ld.db", argc > 1 ? argv[1] : "/tmp",
             (long)getpid());
    printf("a batch in microseconds, and the closing in milliseconds\n"
           "sync    batches    median       p99     p99.9        max    close\n");
    double median = sync_run(path, false, BATCHES_NORMAL);
    (void)sync_run(path, true, BATCHES_FULL);
    bool is_met = median <= median_limit_us;
    printf("%s (median of normal at most %.0f)\n", is_met ? "pass" : "fail", median_limit_us);
    return is_met ? EXIT_SUCCESS : EXIT_FAILURE;
}
