/* SPDX-License-Identifier: Apache-2.0
 *
 * load.c - a load generator: connects many clients, each with credentials of its own, with so many
 * under way at a time, and prints as one line of JSON how long it took. Exits 1 when a client was
 * refused.
 */
#include "load_pool.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const char usage[] =
    "usage: bench_load --port N --file FILE [options]\n"
    "\n"
    "  --file FILE       a line for each client: client id, user name, password, between tabs\n"
    "  --host ADDRESS    IPv4; default 127.0.0.1\n"
    "  --ws              WebSockets instead of plain TCP\n"
    "  --in-flight N     the most that are connecting at a time; default 100\n"
    "  --subscribe TEXT  a filter that each subscribes to; %u is its user name, %c its client id\n"
    "  --keepalive N     seconds; default 60\n"
    "  --limit N         seconds after which the rest has failed; default 120\n"
    "  --hold            keep the connections until the standard input ends\n";

struct options {
    struct load_settings settings;
    const char *file;
    unsigned in_flight;
    unsigned limit_s;
    bool is_holding;
};

static bool number_read(const char *text, unsigned maximum, unsigned *out)
{
    char *end = NULL;
    unsigned long number = strtoul(text, &end, 10);

    *out = (unsigned)number;
    return end != text && *end == '\0' && number > 0 && number <= maximum;
}

/* An option that has a value. */
static bool option_take(struct options *options, const char *word, const char *value)
{
    struct load_settings *settings = &options->settings;

    if (strcmp(word, "--file") == 0) {
        options->file = value;
    } else if (strcmp(word, "--host") == 0) {
        settings->host = value;
    } else if (strcmp(word, "--subscribe") == 0) {
        settings->filter = value;
    } else if (strcmp(word, "--port") == 0) {
        return number_read(value, UINT16_MAX, &settings->port);
    } else if (strcmp(word, "--keepalive") == 0) {
        return number_read(value, UINT16_MAX, &settings->keepalive_s);
    } else if (strcmp(word, "--in-flight") == 0) {
        return number_read(value, 1000000, &options->in_flight);
    } else if (strcmp(word, "--limit") == 0) {
        return number_read(value, 86400, &options->limit_s);
    } else {
        return false;
    }
    return true;
}

static bool options_read(struct options *options, char **words)
{
    struct load_settings *settings = &options->settings;

    for (; *words != NULL; words++) {
        if (strcmp(*words, "--ws") == 0) {
            settings->is_ws = true;
        } else if (strcmp(*words, "--hold") == 0) {
            options->is_holding = true;
        } else if (words[1] == NULL || !option_take(options, words[0], words[1])) {
            return false;
        } else {
            words++;
        }
    }
    settings->address.sin_family = AF_INET;
    settings->address.sin_port = htons((uint16_t)settings->port);
    return options->file != NULL && settings->port > 0 &&
           inet_pton(AF_INET, settings->host, &settings->address.sin_addr) == 1;
}

/* A socket for each client. */
static void files_allow_all(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int double_compare(const void *a, const void *b)
{
    const double *left = a;
    const double *right = b;

    return *left < *right ? -1 : *left > *right;
}

static double delay_at(const struct load_report *report, size_t percent)
{
    return report->ready == 0 ? 0 : report->delays_ms[(report->ready - 1) * percent / 100];
}

/* Prints, and returns whether all are ready. The first failure goes to stderr. */
static bool pool_print(const struct load_pool *pool)
{
    struct load_report report;

    load_pool_report(pool, &report);
    qsort(report.delays_ms, report.ready, sizeof *report.delays_ms, double_compare);
    printf("{\"count\":%zu,\"failures\":%zu,\"wall_ms\":%.1f,\"p50_ms\":%.2f,\"p99_ms\":%.2f}\n",
           pool->count, report.failed, report.wall_ms, delay_at(&report, 50),
           delay_at(&report, 99));
    (void)fflush(stdout);
    for (size_t i = 0; i < pool->count; i++) {
        if (pool->clients[i].state != LOAD_READY) {
            fprintf(stderr, "bench_load: %s: %s\n", pool->clients[i].login->client_id,
                    pool->clients[i].failure);
            break;
        }
    }
    bool is_whole = report.failed == 0;
    load_report_deinit(&report);
    return is_whole;
}

static bool pool_run(const struct options *options, const struct load_logins *logins)
{
    struct load_pool pool;

    load_pool_init(&pool, &options->settings, logins, options->in_flight);
    load_pool_connect(&pool, options->limit_s * 1000.0);
    bool is_whole = pool_print(&pool);
    if (options->is_holding) {
        load_pool_hold(&pool, STDIN_FILENO);
    }
    load_pool_stop(&pool);
    load_pool_deinit(&pool);
    return is_whole;
}

int main(int argc, char **argv)
{
    struct options options = {
        .settings = {.host = "127.0.0.1", .keepalive_s = 60}, .in_flight = 100, .limit_s = 120};
    struct load_logins logins;

    (void)argc;
    if (!options_read(&options, argv + 1)) {
        fputs(usage, stderr);
        return 2;
    }
    if (!load_logins_read(&logins, options.file)) {
        return EXIT_FAILURE;
    }
    files_allow_all();
    bool is_whole = pool_run(&options, &logins);
    load_logins_deinit(&logins);
    return is_whole ? EXIT_SUCCESS : EXIT_FAILURE;
}
