/* SPDX-License-Identifier: Apache-2.0
 *
 * load_clock.c - see load_clock.h.
 */
#include "load_clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

double load_now_ms(void)
{
    struct timespec time;

    if (clock_gettime(CLOCK_MONOTONIC, &time) != 0) {
        perror("clock_gettime");
        exit(EXIT_FAILURE);
    }
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static double timeval_ms(struct timeval time)
{
    return (double)time.tv_sec * 1e3 + (double)time.tv_usec / 1e3;
}

double load_cpu_ms(void)
{
    struct rusage usage;

    if (getrusage(RUSAGE_SELF, &usage) != 0) {
        perror("getrusage");
        exit(EXIT_FAILURE);
    }
    return timeval_ms(usage.ru_utime) + timeval_ms(usage.ru_stime);
}
