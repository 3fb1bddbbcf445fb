/* SPDX-License-Identifier: Apache-2.0
 *
 * hot_call.h - single callbacks, called many times.
 */
#ifndef INVIGILATOR_BENCH_HOT_CALL_H
#define INVIGILATOR_BENCH_HOT_CALL_H

#include <stddef.h>

/* Calls each callback `calls` times, with `user_count` users that are logged in, and prints a line
 * for each. Where valgrind runs the program, it collects the calls and nothing else, and dumps what
 * it has under the name of the callback. */
void hot_calls_run(size_t user_count, size_t calls);

/* The names in the order in which they are called and dumped; NULL behind the last. */
const char *hot_calls_name(size_t number);

#endif
