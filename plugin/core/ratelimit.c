/* SPDX-License-Identifier: Apache-2.0
 *
 * ratelimit.c - a bucket that fills with time.
 */
#include "invigilator/ratelimit.h"

void invig_ratelimit_init(struct invig_ratelimit *limit, uint32_t burst, int64_t interval_ms)
{
    limit->burst = burst;
    limit->left = burst;
    limit->interval_ms = interval_ms;
    limit->filled_ms = 0; /* no matter what time it is: the bucket is full */
    limit->suppressed = 0;
}

static void ratelimit_fill(struct invig_ratelimit *limit, int64_t steady_ms)
{
    /* A full bucket gains nothing by waiting. */
    if (limit->left >= limit->burst) {
        limit->filled_ms = steady_ms;
        return;
    }
    if (steady_ms <= limit->filled_ms || limit->interval_ms <= 0) {
        return;
    }
    /* Unsigned, since the difference of two int64_t may be larger than INT64_MAX. */
    uint64_t elapsed_ms = (uint64_t)steady_ms - (uint64_t)limit->filled_ms;
    uint64_t gained = elapsed_ms / (uint64_t)limit->interval_ms;
    if (gained >= limit->burst - limit->left) {
        limit->left = limit->burst;
        limit->filled_ms = steady_ms;
        return;
    }
    /* gained is below burst here, and gained * interval_ms is at most elapsed_ms, so the sum is at
     * most steady_ms; what is left of an interval counts for the next one. */
    limit->left += (uint32_t)gained;
    limit->filled_ms =
        (int64_t)((uint64_t)limit->filled_ms + gained * (uint64_t)limit->interval_ms);
}

bool invig_ratelimit_take(struct invig_ratelimit *limit, int64_t steady_ms,
                          uint64_t *out_suppressed)
{
    ratelimit_fill(limit, steady_ms);
    if (limit->left == 0) {
        if (limit->suppressed < UINT64_MAX) {
            limit->suppressed++;
        }
        return false;
    }
    limit->left--;
    *out_suppressed = limit->suppressed;
    limit->suppressed = 0;
    return true;
}
