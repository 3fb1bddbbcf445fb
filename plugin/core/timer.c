/* SPDX-License-Identifier: Apache-2.0
 *
 * timer.c - binary heap of timers. Places are 1-based, so that a zeroed timer is one that is not
 * set; the timer at place p has its parent at p / 2.
 */
#include "invigilator/timer.h"

#include <limits.h>
#include <stdlib.h>

enum { TIMERS_CAPACITY_MIN = 16, TIMERS_MAX = INT_MAX / 16 };

static void timers_put(struct invig_timers *timers, size_t place, struct invig_timer *timer)
{
    timers->heap[place - 1] = timer;
    timer->place = (unsigned)place;
}

/* Moves parents down until `timer` may stand at the free place. */
static size_t timers_rise(struct invig_timers *timers, size_t place, int64_t due_s)
{
    while (place > 1 && timers->heap[place / 2 - 1]->due_s > due_s) {
        timers_put(timers, place, timers->heap[place / 2 - 1]);
        place /= 2;
    }
    return place;
}

/* Moves the earlier child up until a timer due at `due_s` may stand at the free place. */
static size_t timers_sink(struct invig_timers *timers, size_t place, int64_t due_s)
{
    while (place <= timers->count / 2) {
        size_t child = place * 2;

        if (child < timers->count && timers->heap[child]->due_s < timers->heap[child - 1]->due_s) {
            child++;
        }
        if (timers->heap[child - 1]->due_s >= due_s) {
            break;
        }
        timers_put(timers, place, timers->heap[child - 1]);
        place = child;
    }
    return place;
}

/* Puts `timer` into the free place, or where the order wants it from there. */
static void timers_settle(struct invig_timers *timers, size_t place, struct invig_timer *timer)
{
    place = timers_rise(timers, place, timer->due_s);
    place = timers_sink(timers, place, timer->due_s);
    timers_put(timers, place, timer);
}

void invig_timers_deinit(struct invig_timers *timers)
{
    for (size_t i = 0; i < timers->count; i++) {
        timers->heap[i]->place = 0;
    }
    free(timers->heap);
    *timers = (struct invig_timers){0};
}

enum invig_status invig_timers_reserve(struct invig_timers *timers, size_t count)
{
    struct invig_timer **heap;
    size_t capacity = timers->capacity;

    if (count <= capacity) {
        return INVIG_OK;
    }
    if (count > TIMERS_MAX) {
        return INVIG_ERR_NO_MEMORY;
    }
    /* Doubling keeps the cost of growing one by one linear. */
    capacity = capacity * 2 > TIMERS_CAPACITY_MIN ? capacity * 2 : TIMERS_CAPACITY_MIN;
    capacity = capacity > count ? capacity : count;
    heap = realloc(timers->heap, capacity * sizeof(struct invig_timer *));
    if (heap == NULL) {
        return INVIG_ERR_NO_MEMORY;
    }
    timers->heap = heap;
    timers->capacity = capacity;
    return INVIG_OK;
}

enum invig_status invig_timers_set(struct invig_timers *timers, struct invig_timer *timer,
                                   int64_t due_s)
{
    size_t place = timer->place;

    if (place == 0) {
        if (timers->count == timers->capacity) {
            return INVIG_ERR_FULL;
        }
        place = ++timers->count;
    }
    timer->due_s = due_s;
    timers_settle(timers, place, timer);
    return INVIG_OK;
}

void invig_timers_cancel(struct invig_timers *timers, struct invig_timer *timer)
{
    size_t place = timer->place;
    struct invig_timer *last;

    if (place == 0) {
        return;
    }
    last = timers->heap[timers->count - 1];
    timers->count--;
    if (last != timer) {
        timers_settle(timers, place, last);
    }
    timer->place = 0;
}

struct invig_timer *invig_timers_pop(struct invig_timers *timers, int64_t now_s)
{
    struct invig_timer *first;

    if (timers->count == 0 || timers->heap[0]->due_s > now_s) {
        return NULL;
    }
    first = timers->heap[0];
    invig_timers_cancel(timers, first);
    return first;
}
