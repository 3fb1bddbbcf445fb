/* SPDX-License-Identifier: Apache-2.0
 *
 * hot.c - what a single callback of the plugin costs, and what a student takes from the heap. The
 * plugin's own objects run in a made-up broker (hot_broker.c), in memory, without a state file.
 *
 *   bench_hot [--users N] [--calls K]
 *       N users (1,000) are connected, one session and one connection each, in strict evaluations
 *       of 100 that are in progress. Prints one line of JSON for each callback, called K times
 *       (200,000; a login a hundredth of that, 100 times or more), each time about another user,
 *       in random order but for "read_evaluation_in_order", which goes as a broker does that sends
 *       a message to all:
 *       "ns" the median of the batches (64 calls; a login is a batch of its own), "nsMin", "ns1",
 *       "ns99", "nsMax" their spread (first and last percentile), "allocations" a call (malloc,
 *       calloc and realloc of the plugin; what libraries make themselves is not in it),
 *       "heapGrowth" the bytes by which all that the process holds grew, libraries included.
 *       "none" is an empty callback; "touch" reads one byte of what the broker has of the client,
 *       so it is what one piece of memory costs that is in no cache.
 *   bench_hot --callgrind [--users N] [--calls K]
 *       The same under valgrind, which counts instructions: "instructions" a call, without those of
 *       the loop. K is 2,000 there where it is not given, as the count hardly varies.
 *       By hand: valgrind --tool=callgrind --instr-atstart=no --collect-atstart=no
 *       --callgrind-out-file=OUT bench_hot --users N --calls K
 *       collects nothing but the calls, and dumps OUT.1, OUT.2, ... in the order of the lines;
 *       "totals: I" in such a file, divided by the line's "calls", less the same of "none".
 *   bench_hot --memory [--users N]
 *       Bytes of heap for each of N connected students, messages aside, without a strict
 *       evaluation and in one; libraries and the 8 bytes that each piece costs are in it.
 *   bench_hot --growth [--users N] [--calls K]
 *       N users (2,000) log in one after another until it was K times (100,000) in all: with the
 *       same session each time, then with a new one. What is held then, beyond what was before.
 *       A session that ended is remembered until its token ends or for revocation_ttl, whichever
 *       is later; that is "bytesPerLoginMore".
 */
#include "hot_call.h"
#include "hot_heap.h"
#include "hot_memory.h"
#include "hot_world.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATH_BYTES = 256, LINE_BYTES = 512 };

struct options {
    const char *mode; /* "": the callbacks */
    size_t users;     /* 0: not given */
    size_t calls;
};

static size_t number_or(size_t number, size_t otherwise)
{
    return number == 0 ? otherwise : number;
}

static size_t number_read(const char *text)
{
    char *end = NULL;
    unsigned long number = text == NULL ? 0 : strtoul(text, &end, 10);

    hot_must(number > 0 && number <= 1000000 && *end == '\0', "reading a number");
    return number;
}

static struct options options_read(char **arguments)
{
    struct options options = {.mode = ""};

    for (arguments++; *arguments != NULL; arguments++) {
        if (strcmp(*arguments, "--users") == 0) {
            options.users = number_read(*++arguments);
        } else if (strcmp(*arguments, "--calls") == 0) {
            options.calls = number_read(*++arguments);
        } else {
            options.mode = *arguments;
        }
    }
    return options;
}

static void run_calls(const struct options *options)
{
    size_t users = number_or(options->users, 1000);

    hot_world_start(users);
    hot_world_begin(hot_world_evaluations(users) + 1);
    hot_world_log_in(0, users);
    hot_calls_run(users, number_or(options->calls, 200000));
    hot_world_stop();
}

static void run_memory(const struct options *options)
{
    for (int is_strict = 0; is_strict <= 1; is_strict++) {
        size_t users = number_or(options->users, 1000);

        hot_world_start(users + 1);
        hot_world_begin(is_strict ? hot_world_evaluations(users + 1) : 0);
        hot_memory_users(users, is_strict != 0);
        hot_world_stop();
    }
}

static void run_growth(const struct options *options)
{
    for (int is_new = 0; is_new <= 1; is_new++) {
        hot_world_start(1);
        hot_memory_logins(number_or(options->users, 2000), number_or(options->calls, 100000),
                          is_new != 0);
        hot_world_stop();
    }
}

/* -- Under valgrind -- */

/* Runs this program again, its lines into the file `lines`. */
static void callgrind_run(const char *program, const struct options *options, const char *directory,
                          const char *lines)
{
    char out[PATH_BYTES + 32];
    char users[24];
    char calls[24];
    int status = -1;
    pid_t child;

    (void)snprintf(out, sizeof(out), "--callgrind-out-file=%s/out", directory);
    (void)snprintf(users, sizeof(users), "%zu", number_or(options->users, 1000));
    (void)snprintf(calls, sizeof(calls), "%zu", number_or(options->calls, 2000));
    child = fork();
    if (child == 0) {
        hot_must(freopen(lines, "w", stdout) != NULL, lines);
        (void)execlp("valgrind", "valgrind", "-q", "--tool=callgrind", "--instr-atstart=no",
                     "--collect-atstart=no", out, program, "--users", users, "--calls", calls,
                     (char *)NULL);
        hot_must(false, "starting valgrind");
    }
    hot_must(child > 0 && waitpid(child, &status, 0) == child && status == 0, "valgrind");
}

/* Instructions in the dump number `number`. */
static double callgrind_total(const char *directory, size_t number)
{
    char path[PATH_BYTES + 32];
    char line[LINE_BYTES];
    double total = -1;

    (void)snprintf(path, sizeof(path), "%s/out.%zu", directory, number);
    FILE *file = fopen(path, "r");
    hot_must(file != NULL, path);
    while (fgets(line, sizeof(line), file) != NULL) {
        (void)sscanf(line, "totals: %lf", &total);
    }
    (void)fclose(file);
    (void)unlink(path);
    hot_must(total >= 0, path);
    return total;
}

/* The number that stands behind `key` in a line of ours. */
static double line_number(const char *line, const char *key)
{
    const char *found = strstr(line, key);

    hot_must(found != NULL, key);
    return strtod(found + strlen(key), NULL);
}

static void callgrind_print(const char *directory, const char *lines)
{
    char line[LINE_BYTES];
    double empty = 0;
    FILE *file = fopen(lines, "r");

    hot_must(file != NULL, lines);
    for (size_t i = 0; hot_calls_name(i) != NULL; i++) {
        hot_must(fgets(line, sizeof(line), file) != NULL, "reading a line");
        double calls = line_number(line, "\"calls\":");
        double each = callgrind_total(directory, i + 1) / calls;

        empty = i == 0 ? each : empty;
        printf("{\"callback\":\"%s\",\"users\":%.0f,\"calls\":%.0f,\"instructions\":%.1f}\n",
               hot_calls_name(i), line_number(line, "\"users\":"), calls, each - empty);
    }
    (void)fclose(file);
}

static void run_callgrind(const char *program, const struct options *options)
{
    char directory[] = "/tmp/bench_hot_callgrind_XXXXXX";
    char lines[PATH_BYTES];
    char out[PATH_BYTES];

    hot_must(mkdtemp(directory) != NULL, "mkdtemp");
    (void)snprintf(lines, sizeof(lines), "%s/lines", directory);
    (void)snprintf(out, sizeof(out), "%s/out", directory);
    callgrind_run(program, options, directory, lines);
    callgrind_print(directory, lines);
    (void)unlink(lines);
    (void)unlink(out);
    (void)rmdir(directory);
}

int main(int argc, char **argv)
{
    (void)argc;
    struct options options = options_read(argv);

    if (strcmp(options.mode, "") == 0) {
        run_calls(&options);
    } else if (strcmp(options.mode, "--callgrind") == 0) {
        run_callgrind(argv[0], &options);
    } else if (strcmp(options.mode, "--memory") == 0) {
        run_memory(&options);
    } else if (strcmp(options.mode, "--growth") == 0) {
        run_growth(&options);
    } else {
        fprintf(stderr, "bench_hot: see the head of bench/hot.c\n");
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
