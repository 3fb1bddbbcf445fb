/* SPDX-License-Identifier: Apache-2.0
 *
 * load.c - a load generator: connects many clients, each with credentials of its own, publishes to
 * them, and lets them be idle; prints for each such phase what it took. load_options.c says how it
 * is called, load_round.h what its latencies are.
 */
#include "load_phase.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* A socket for each client. */
static void files_allow_all(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* The payload must name the message's number, or one that is late could not be told from the next.
 * In an event stream it is one line. */
static bool template_read(struct load_buffer *out, const struct load_options *options)
{
    size_t length = 0;
    char *text = load_file_read(options->payload_file, &length);

    if (text == NULL) {
        return false;
    }
    bool is_sse = options->settings.transport == LOAD_SSE;
    bool is_sound = length <= LOAD_PAYLOAD_MAX && strlen(text) == length &&
                    strstr(text, "%n") != NULL && !(is_sse && strpbrk(text, "\r\n") != NULL);
    if (is_sound) {
        load_buffer_add(out, text, length);
    } else {
        fprintf(stderr, "bench_load: %s is no payload: at most %d bytes, with %%n, without NUL%s\n",
                options->payload_file, LOAD_PAYLOAD_MAX, is_sse ? " and line ends" : "");
    }
    free(text);
    return is_sound;
}

/* Each phase but the first begins with a line of the input. */
static void phases_run(struct load_run *run)
{
    struct load_input input = {.fd = STDIN_FILENO};
    const struct load_options *options = run->options;

    for (size_t i = 0; i < options->phase_count; i++) {
        if (i > 0 && !load_pool_wait_line(&run->pool, &input)) {
            return;
        }
        load_phase_run(run, options->phases[i]);
    }
    while (options->is_holding && load_pool_wait_line(&run->pool, &input)) {
    }
}

static bool run_all(struct load_options *options, const struct load_logins *logins,
                    const struct load_logins *publishers)
{
    struct load_run run = {.options = options, .is_whole = true};
    struct load_client publisher;

    if (publishers != NULL && !template_read(&run.template, options)) {
        return false;
    }
    options->settings.round = &run.round;
    load_pool_init(&run.pool, &options->settings, logins, options->in_flight);
    if (publishers != NULL) {
        load_client_init(&publisher, &options->publisher, &publishers->all[0], 0);
        run.pool.publisher = &publisher;
    }
    phases_run(&run);
    load_pool_stop(&run.pool);
    if (publishers != NULL) {
        load_client_deinit(&publisher);
    }
    load_pool_deinit(&run.pool);
    load_round_deinit(&run.round);
    load_buffer_deinit(&run.template);
    return run.is_whole;
}

static bool publishers_run(struct load_options *options, const struct load_logins *logins)
{
    struct load_logins publishers;

    if (options->publisher_file == NULL) {
        return run_all(options, logins, NULL);
    }
    if (!load_logins_read(&publishers, options->publisher_file)) {
        return false;
    }
    bool is_whole = false;
    if (publishers.count == 1) {
        is_whole = run_all(options, logins, &publishers);
    } else {
        fprintf(stderr, "bench_load: %s has not one line\n", options->publisher_file);
    }
    load_logins_deinit(&publishers);
    return is_whole;
}

int main(int argc, char **argv)
{
    struct load_options options;
    struct load_logins logins;

    (void)argc;
    if (!load_options_read(&options, argv + 1)) {
        fputs(load_options_usage, stderr);
        return 2;
    }
    if (!load_logins_read(&logins, options.file)) {
        return EXIT_FAILURE;
    }
    files_allow_all();
    bool is_whole = publishers_run(&options, &logins);
    load_logins_deinit(&logins);
    return is_whole ? EXIT_SUCCESS : EXIT_FAILURE;
}
