/* SPDX-License-Identifier: Apache-2.0
 *
 * test_ratelimit.c - the burst, the refill and the count of what was suppressed.
 */
#include "invigilator/ratelimit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

/* Takes until it is refused; returns how many were let through. */
static uint32_t take_all(struct invig_ratelimit *limit, int64_t steady_ms)
{
    uint32_t count = 0;
    uint64_t suppressed;

    while (invig_ratelimit_take(limit, steady_ms, &suppressed)) {
        count++;
    }
    return count;
}

static void test_ratelimit_starts_full_at_any_time(void **state)
{
    static const int64_t times[] = {0, 1, 1000000, INT64_MAX, -5};

    (void)state;
    for (size_t i = 0; i < ROWS(times); i++) {
        struct invig_ratelimit limit;
        invig_ratelimit_init(&limit, 5, 1000);
        assert_int_equal(take_all(&limit, times[i]), 5);
    }
}

static void test_ratelimit_fills_by_one_each_interval(void **state)
{
    struct invig_ratelimit limit;

    (void)state;
    invig_ratelimit_init(&limit, 3, 1000);
    assert_int_equal(take_all(&limit, 500), 3);
    assert_int_equal(take_all(&limit, 1499), 0);
    assert_int_equal(take_all(&limit, 1500), 1);
    assert_int_equal(take_all(&limit, 2499), 0);
    assert_int_equal(take_all(&limit, 3500), 2);
}

/* Asking often must not lose the part of an interval that has gone by. */
static void test_ratelimit_keeps_parts_of_an_interval(void **state)
{
    struct invig_ratelimit limit;
    uint32_t count = 0;

    (void)state;
    invig_ratelimit_init(&limit, 2, 1000);
    (void)take_all(&limit, 0);
    for (int64_t now = 1; now <= 10000; now += 7) {
        count += take_all(&limit, now);
    }
    assert_int_equal(count, 9);
}

static void test_ratelimit_never_exceeds_the_burst(void **state)
{
    struct invig_ratelimit limit;

    (void)state;
    invig_ratelimit_init(&limit, 4, 10);
    assert_int_equal(take_all(&limit, 1), 4);
    assert_int_equal(take_all(&limit, 1000000), 4);
    assert_int_equal(take_all(&limit, 1000000), 0);
    assert_int_equal(take_all(&limit, 1000009), 0);
    assert_int_equal(take_all(&limit, 1000010), 1);
    assert_int_equal(take_all(&limit, INT64_MAX), 4);
}

static void test_ratelimit_reports_what_it_suppressed_once(void **state)
{
    struct invig_ratelimit limit;
    uint64_t suppressed = 77;

    (void)state;
    invig_ratelimit_init(&limit, 1, 1000);
    assert_true(invig_ratelimit_take(&limit, 0, &suppressed));
    assert_int_equal(suppressed, 0);
    for (int i = 0; i < 9; i++) {
        assert_false(invig_ratelimit_take(&limit, 999, &suppressed));
    }
    assert_true(invig_ratelimit_take(&limit, 1000, &suppressed));
    assert_int_equal(suppressed, 9);
    assert_true(invig_ratelimit_take(&limit, 2000, &suppressed));
    assert_int_equal(suppressed, 0);
}

static void test_ratelimit_survives_extremes(void **state)
{
    struct invig_ratelimit limit;
    uint64_t suppressed;

    (void)state;
    invig_ratelimit_init(&limit, UINT32_MAX, INT64_MAX);
    assert_true(invig_ratelimit_take(&limit, INT64_MIN, &suppressed));
    assert_true(invig_ratelimit_take(&limit, INT64_MAX, &suppressed));
    assert_int_equal(limit.left, UINT32_MAX - 1);
    invig_ratelimit_init(&limit, 1, 1);
    assert_int_equal(take_all(&limit, INT64_MIN), 1);
    assert_int_equal(take_all(&limit, INT64_MAX), 1);
    limit.suppressed = UINT64_MAX;
    assert_false(invig_ratelimit_take(&limit, INT64_MAX, &suppressed));
    assert_int_equal(limit.suppressed, UINT64_MAX);
}

static void test_ratelimit_time_that_goes_back_fills_nothing(void **state)
{
    struct invig_ratelimit limit;

    (void)state;
    invig_ratelimit_init(&limit, 2, 10);
    assert_int_equal(take_all(&limit, 100), 2);
    assert_int_equal(take_all(&limit, 50), 0);
    assert_int_equal(take_all(&limit, 109), 0);
    assert_int_equal(take_all(&limit, 110), 1);
}

/* Such a limit is a mistake of ours: it must neither divide by zero nor let everything through. */
static void test_ratelimit_without_burst_or_interval_is_bounded(void **state)
{
    struct invig_ratelimit limit;

    (void)state;
    invig_ratelimit_init(&limit, 0, 10);
    assert_int_equal(take_all(&limit, 100), 0);
    assert_int_equal(take_all(&limit, 10000), 0);
    invig_ratelimit_init(&limit, 2, 0);
    assert_int_equal(take_all(&limit, 100), 2);
    assert_int_equal(take_all(&limit, 10000), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ratelimit_starts_full_at_any_time),
        cmocka_unit_test(test_ratelimit_fills_by_one_each_interval),
        cmocka_unit_test(test_ratelimit_keeps_parts_of_an_interval),
        cmocka_unit_test(test_ratelimit_never_exceeds_the_burst),
        cmocka_unit_test(test_ratelimit_reports_what_it_suppressed_once),
        cmocka_unit_test(test_ratelimit_survives_extremes),
        cmocka_unit_test(test_ratelimit_time_that_goes_back_fills_nothing),
        cmocka_unit_test(test_ratelimit_without_burst_or_interval_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
