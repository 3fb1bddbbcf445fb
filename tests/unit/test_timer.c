/* SPDX-License-Identifier: Apache-2.0
 *
 * test_timer.c - the heap of timers, by hand and against a plain list.
 */
#include "invigilator/timer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { TIMERS = 60, STEPS = 200000 };

static void test_timer_pops_in_order_of_time(void **state)
{
    struct invig_timers timers = {0};
    struct invig_timer timer[5] = {{0}};
    const int64_t due_s[5] = {30, -10, 50, INT64_MIN, INT64_MAX};
    const int order[5] = {3, 1, 0, 2, 4};

    (void)state;
    assert_int_equal(invig_timers_reserve(&timers, 5), INVIG_OK);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(invig_timers_set(&timers, &timer[i], due_s[i]), INVIG_OK);
    }
    for (int i = 0; i < 5; i++) {
        assert_ptr_equal(invig_timers_pop(&timers, INT64_MAX), &timer[order[i]]);
        assert_int_equal(timer[order[i]].place, 0);
    }
    assert_null(invig_timers_pop(&timers, INT64_MAX));
    invig_timers_deinit(&timers);
}

static void test_timer_is_due_at_its_time_and_not_before(void **state)
{
    struct invig_timers timers = {0};
    struct invig_timer timer = {.kind = 7};

    (void)state;
    assert_int_equal(invig_timers_reserve(&timers, 1), INVIG_OK);
    assert_int_equal(invig_timers_set(&timers, &timer, 100), INVIG_OK);
    assert_null(invig_timers_pop(&timers, 99));
    assert_ptr_equal(invig_timers_pop(&timers, 100), &timer);
    assert_null(invig_timers_pop(&timers, 100));
    assert_int_equal(timer.kind, 7);
    invig_timers_deinit(&timers);
}

static void test_timer_without_room_is_refused(void **state)
{
    struct invig_timers timers = {0};
    struct invig_timer timer[2] = {{0}};
    size_t capacity;

    (void)state;
    assert_int_equal(invig_timers_set(&timers, &timer[0], 1), INVIG_ERR_FULL);
    assert_int_equal(timer[0].place, 0);
    assert_int_equal(invig_timers_reserve(&timers, SIZE_MAX), INVIG_ERR_NO_MEMORY);
    assert_int_equal(invig_timers_reserve(&timers, 1), INVIG_OK);
    capacity = timers.capacity;
    timers.capacity = 1;
    assert_int_equal(invig_timers_set(&timers, &timer[0], 1), INVIG_OK);
    assert_int_equal(invig_timers_set(&timers, &timer[1], 0), INVIG_ERR_FULL);
    assert_int_equal(timer[1].place, 0);
    assert_int_equal(timer[1].due_s, 0);
    /* One that is set needs no room. */
    assert_int_equal(invig_timers_set(&timers, &timer[0], 5), INVIG_OK);
    assert_null(invig_timers_pop(&timers, 4));
    timers.capacity = capacity;
    invig_timers_deinit(&timers);
}

static void test_timer_cancel_of_one_not_set_is_allowed(void **state)
{
    struct invig_timers timers = {0};
    struct invig_timer timer = {0};

    (void)state;
    invig_timers_cancel(&timers, &timer);
    assert_int_equal(timers.count, 0);
}

static void test_timer_deinit_unsets_all(void **state)
{
    struct invig_timers timers = {0};
    struct invig_timer timer[3] = {{0}};

    (void)state;
    assert_int_equal(invig_timers_reserve(&timers, 3), INVIG_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(invig_timers_set(&timers, &timer[i], i), INVIG_OK);
    }
    invig_timers_deinit(&timers);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(timer[i].place, 0);
    }
    assert_int_equal(timers.count, 0);
    invig_timers_deinit(&timers);
}

/* A fixed sequence, so that a failure comes again: xorshift64. */
static uint64_t random_next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* The plain list: which timers are set, and for when. */
struct model {
    bool is_set[TIMERS];
    int64_t due_s[TIMERS];
};

static int64_t model_first(const struct model *model)
{
    int64_t first_s = INT64_MAX;

    for (size_t i = 0; i < TIMERS; i++) {
        if (model->is_set[i] && model->due_s[i] < first_s) {
            first_s = model->due_s[i];
        }
    }
    return first_s;
}

static void assert_heap(const struct model *model, const struct invig_timers *timers,
                        const struct invig_timer *timer)
{
    size_t count = 0;

    for (size_t i = 0; i < TIMERS; i++) {
        count += model->is_set[i];
        assert_int_equal(timer[i].place != 0, model->is_set[i]);
        if (model->is_set[i]) {
            assert_int_equal(timer[i].due_s, model->due_s[i]);
            assert_ptr_equal(timers->heap[timer[i].place - 1], &timer[i]);
        }
    }
    assert_int_equal(timers->count, count);
}

static void pop_and_compare(struct model *model, struct invig_timers *timers,
                            struct invig_timer *timer, int64_t now_s)
{
    int64_t first_s = model_first(model);
    struct invig_timer *popped = invig_timers_pop(timers, now_s);

    if (first_s > now_s) {
        assert_null(popped);
        return;
    }
    assert_non_null(popped);
    assert_int_equal(popped->due_s, first_s);
    assert_true(model->is_set[popped - timer]);
    model->is_set[popped - timer] = false;
}

static void test_timer_does_as_a_plain_list(void **state)
{
    static struct invig_timer timer[TIMERS];
    struct invig_timers timers = {0};
    struct model model = {0};
    uint64_t seed = 20240229;

    (void)state;
    for (int step = 0; step < STEPS; step++) {
        size_t which = random_next(&seed) % TIMERS;
        int64_t time_s = (int64_t)(random_next(&seed) % 200);
        uint64_t choice = random_next(&seed) % 8;

        if (choice < 4) {
            assert_int_equal(invig_timers_reserve(&timers, timers.count + 1), INVIG_OK);
            assert_int_equal(invig_timers_set(&timers, &timer[which], time_s), INVIG_OK);
            model.is_set[which] = true;
            model.due_s[which] = time_s;
        } else if (choice < 6) {
            invig_timers_cancel(&timers, &timer[which]);
            model.is_set[which] = false;
        } else {
            pop_and_compare(&model, &timers, timer, time_s);
        }
        if (step % 16 == 0) {
            assert_heap(&model, &timers, timer);
        }
    }
    invig_timers_deinit(&timers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_timer_pops_in_order_of_time),
        cmocka_unit_test(test_timer_is_due_at_its_time_and_not_before),
        cmocka_unit_test(test_timer_without_room_is_refused),
        cmocka_unit_test(test_timer_cancel_of_one_not_set_is_allowed),
        cmocka_unit_test(test_timer_deinit_unsets_all),
        cmocka_unit_test(test_timer_does_as_a_plain_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
