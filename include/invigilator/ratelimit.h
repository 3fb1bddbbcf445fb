/* SPDX-License-Identifier: Apache-2.0
 *
 * ratelimit.h - how often something may happen: a bucket of `burst` that fills by one every
 * `interval_ms`. Depends on: nothing.
 */
#ifndef INVIGILATOR_RATELIMIT_H
#define INVIGILATOR_RATELIMIT_H

#include <stdbool.h>
#include <stdint.h>

struct invig_ratelimit {
    uint32_t burst;      /* most at once, > 0 */
    uint32_t left;       /* how many may happen now */
    int64_t interval_ms; /* > 0 */
    int64_t filled_ms;   /* steady time up to which it was filled */
    uint64_t suppressed; /* refused since the last one that was let through */
};

void invig_ratelimit_init(struct invig_ratelimit *limit, uint32_t burst, int64_t interval_ms);

/* True when it may happen at `steady_ms`; *out_suppressed then receives how many were refused since
 * the last time. */
bool invig_ratelimit_take(struct invig_ratelimit *limit, int64_t steady_ms,
                          uint64_t *out_suppressed);

#endif
