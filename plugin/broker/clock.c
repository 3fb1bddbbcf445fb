/* SPDX-License-Identifier: Apache-2.0
 *
 * clock.c - see clock.h.
 */
#include "clock.h"

#include <sys/random.h>
#include <time.h>

struct invig_now invig_clock_now(void)
{
    struct timespec wall = {0, 0};
    struct timespec steady = {0, 0};

    (void)clock_gettime(CLOCK_REALTIME, &wall);
    (void)clock_gettime(CLOCK_MONOTONIC, &steady);
    return (struct invig_now){
        .wall_s = wall.tv_sec,
        .steady_ms = (int64_t)steady.tv_sec * 1000 + steady.tv_nsec / 1000000,
    };
}

bool invig_clock_seed(struct invig_seed *out_seed)
{
    return getrandom(out_seed, sizeof(*out_seed), 0) == (ssize_t)sizeof(*out_seed);
}
