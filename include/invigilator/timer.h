/* SPDX-License-Identifier: Apache-2.0
 *
 * timer.h - what is due next: a binary heap of timers that live inside the caller's objects.
 * Owns: its array, never the timers.  Not thread-safe.  Depends on: status.
 * Cost: set and cancel O(log n), looking at the next one O(1).
 */
#ifndef INVIGILATOR_TIMER_H
#define INVIGILATOR_TIMER_H

#include "invigilator/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Put this into an object that waits for a time. Zeroed memory is a timer that is not set. */
struct invig_timer {
    int64_t due_s;  /* Unix seconds UTC */
    unsigned place; /* 1-based place in the heap; 0: not set */
    int kind;       /* the caller's, to tell what the timer is part of */
};

/* Zeroed memory is an empty list. */
struct invig_timers {
    struct invig_timer **heap;
    size_t count;
    size_t capacity;
};

void invig_timers_deinit(struct invig_timers *timers);

/* Makes room, so that `count` timers in all can be set without memory. Returns INVIG_OK or
 * INVIG_ERR_NO_MEMORY. */
enum invig_status invig_timers_reserve(struct invig_timers *timers, size_t count);

/* Sets `timer`, or moves it when it is set. Room must have been reserved: returns INVIG_ERR_FULL,
 * with nothing changed, when it was not. */
enum invig_status invig_timers_set(struct invig_timers *timers, struct invig_timer *timer,
                                   int64_t due_s);

/* Takes `timer` out; not set is allowed. */
void invig_timers_cancel(struct invig_timers *timers, struct invig_timer *timer);

/* Takes out and returns the timer that is due first, when it is due at `now_s` or before; else
 * NULL. */
struct invig_timer *invig_timers_pop(struct invig_timers *timers, int64_t now_s);

#endif
