/* SPDX-License-Identifier: Apache-2.0
 *
 * test_full.c - a record fails. Random histories, each run again with single calls of the store
 * failing: the event is refused and everything is as before it, in the engine and in the store;
 * offered again it is answered as in a history without the failure, and so is all that follows.
 * CRASH_HISTORIES and CRASH_SEED in the environment change number and course.
 */
#include "history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { HISTORIES_DEFAULT = 200 };

static struct world world;
static struct fakestore store;
static struct history history;

/* The history without a failure. */
static size_t calls_after[HISTORY_EVENTS];
static char outcomes[HISTORY_EVENTS][HISTORY_OUTCOME_BYTES];
static char *last_look;

static uint64_t number_of(const char *name, uint64_t otherwise)
{
    const char *value = getenv(name);

    return value == NULL ? otherwise : strtoull(value, NULL, 10);
}

static void begin(void)
{
    fakestore_init(&store, false);
    history_reset(&history);
    world_init_with(&world, &store, "strict_policy", history.seed % 8 == 7 ? "observe" : "enforce",
                    NULL);
}

static void end(void)
{
    world_deinit(&world);
    fakestore_deinit(&store);
}

static void run_without_failure(void)
{
    begin();
    for (size_t i = 0; i < HISTORY_EVENTS; i++) {
        history_step(&history, &world, i);
        assert_false(history.is_refused);
        calls_after[i] = store.calls[FAKESTORE_ANY];
        memcpy(outcomes[i], history.outcome, sizeof(outcomes[i]));
    }
    last_look = history_probe(&history, &world);
    end();
}

static void check_same(const char *what, const char *now, const char *before, size_t index)
{
    size_t at = 0;

    if (strcmp(now, before) == 0) {
        return;
    }
    while (now[at] == before[at]) {
        at++;
    }
    at -= at < 60 ? at : 60;
    fail_msg("history %llu, event %zu (kind %d): %s\n%.300s\ninstead of\n%.300s",
             (unsigned long long)history.seed, index, (int)history.events[index].kind, what,
             now + at, before + at);
}

/* Lets event `index` happen while it cannot be recorded. */
static void fail_event(size_t index)
{
    char *look = history_look(&history, &world);
    char *dump = fakestore_dump(&store);
    char *now;

    history_step(&history, &world, index);
    if (history.events[index].kind == HISTORY_TICK) {
        free(look); /* nobody asked for it, so nobody is refused */
        free(dump);
        return;
    }
    if (!history.is_refused) {
        fail_msg("history %llu, event %zu (kind %d) is not refused: %s",
                 (unsigned long long)history.seed, index, (int)history.events[index].kind,
                 history.outcome);
    }
    now = history_look(&history, &world);
    check_same("what can be asked", now, look, index);
    free(now);
    fakestore_check(&store, dump);
    free(look);
    free(dump);
}

static void run_failing(size_t index, size_t number)
{
    char *look;

    begin();
    for (size_t i = 0; i < HISTORY_EVENTS; i++) {
        bool is_tick = history.events[i].kind == HISTORY_TICK;

        if (i == index) {
            fakestore_arm(&store, FAKESTORE_FAILS_ONCE, FAKESTORE_ANY, number);
            fail_event(i);
        }
        if (i != index || !is_tick) {
            history_step(&history, &world, i);
        }
        if (strcmp(history.outcome, outcomes[i]) != 0) {
            check_same("the answer", history.outcome, outcomes[i], i);
        }
    }
    look = history_probe(&history, &world);
    check_same("in the end", look, last_look, index);
    free(look);
    end();
}

static void test_every_failure(void **state)
{
    uint64_t first = number_of("CRASH_SEED", 0);
    uint64_t count = number_of("CRASH_HISTORIES", HISTORIES_DEFAULT);
    size_t failures = 0;

    (void)state;
    for (uint64_t seed = first; seed < first + count; seed++) {
        history_make(&history, seed);
        run_without_failure();
        for (size_t i = 0, before = 0; i < HISTORY_EVENTS; before = calls_after[i++]) {
            for (size_t n = 1; n <= calls_after[i] - before; n++) {
                run_failing(i, n);
                failures++;
            }
        }
        free(last_look);
    }
    print_message("%zu failures\n", failures);
    assert_true(count < HISTORIES_DEFAULT || failures > 4 * count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_failure)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
