/* SPDX-License-Identifier: Apache-2.0
 *
 * test_crash.c - the broker dies while it records. Random histories, each run again with the store
 * dying at each of its calls: after the restart everything is as after the last event that was
 * answered, or as after the one that was under way, and never anything between. "As after" means
 * that every session that logs in again, every command and every topic gives what it gives in an
 * engine that lived on. CRASH_HISTORIES and CRASH_SEED in the environment change number and course.
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

enum { HISTORIES_DEFAULT = 300, GROUPING_EVERY = 3 };

static struct world world;
static struct fakestore store;
static struct history history;

/* What was retained after each event; a broker that dies has again what it saved at some time. */
static struct history_topic saved[HISTORY_EVENTS + 1][HISTORY_TOPICS];

/* What the world looks like after so many events; NULL: not asked yet. */
static char *looks[HISTORY_EVENTS + 1];

static uint64_t number_of(const char *name, uint64_t otherwise)
{
    const char *value = getenv(name);

    return value == NULL ? otherwise : strtoull(value, NULL, 10);
}

static bool history_is_grouping(void)
{
    return history.seed % GROUPING_EVERY == 0;
}

static void begin(void)
{
    fakestore_init(&store, history_is_grouping());
    history_reset(&history);
    world_init_with(&world, &store, "strict_policy", history.seed % 8 == 7 ? "observe" : "enforce",
                    NULL);
}

static void end(void)
{
    world_deinit(&world);
    fakestore_deinit(&store);
}

/* What the world looks like after the first `count` events, without a crash. */
static const char *look_after(size_t count)
{
    if (looks[count] == NULL) {
        begin();
        for (size_t i = 0; i < count; i++) {
            history_step(&history, &world, i);
        }
        looks[count] = history_probe(&history, &world);
        end();
    }
    return looks[count];
}

/* Whether everything up to this event is recorded, now that it has happened: always, but with a
 * store that groups only after a tick and after a message that was recorded at once. */
static bool is_certain(size_t index, size_t batches_before)
{
    return !history_is_grouping() || history.events[index].kind == HISTORY_TICK ||
           store.batch_count != batches_before;
}

/* The first line that differs, to be shown. */
static const char *difference(const char *a, const char *b)
{
    const char *line = a;

    for (; *a != '\0' && *a == *b; a++, b++) {
        line = *a == '\n' ? a + 1 : line;
    }
    return line;
}

/* `certain`: so many events are recorded. */
static void check_after_crash(size_t index, size_t certain, const char *how)
{
    char *now;
    const char *before;
    const char *after;

    history_reset(&history);
    memcpy(history.topics, saved[history.seed % (index + 1)], sizeof(history.topics));
    world_restart(&world);
    now = history_probe(&history, &world);
    end();
    before = look_after(certain);
    after = look_after(index + 1);
    if (strcmp(now, before) != 0 && strcmp(now, after) != 0) {
        fail_msg(
            "history %llu, %s in event %zu (kind %d):\n%.300s\nis neither\n%.300s\nnor\n%.300s",
            (unsigned long long)history.seed, how, index, (int)history.events[index].kind,
            difference(now, before), difference(before, now), difference(after, now));
    }
    free(now);
}

/* Runs the history with a store that dies. Returns false when it came to its end alive. */
static bool run_dying(enum fakestore_fault fault, enum fakestore_call call, size_t number)
{
    size_t certain = 0;

    begin();
    fakestore_arm(&store, fault, call, number);
    for (size_t i = 0; i < HISTORY_EVENTS; i++) {
        size_t batches = store.batch_count;

        memcpy(saved[i], history.topics, sizeof(saved[i]));
        history_step(&history, &world, i);
        if (!store.is_dead && is_certain(i, batches)) {
            certain = i + 1;
        }
        if (store.is_dead) {
            check_after_crash(i, certain,
                              fault == FAKESTORE_DIES ? "dying" : "dying after the commit");
            return true;
        }
    }
    end();
    return false;
}

static void forget_looks(void)
{
    for (size_t i = 0; i <= HISTORY_EVENTS; i++) {
        free(looks[i]);
        looks[i] = NULL;
    }
}

static void test_every_crash(void **state)
{
    uint64_t first = number_of("CRASH_SEED", 0);
    uint64_t count = number_of("CRASH_HISTORIES", HISTORIES_DEFAULT);
    size_t crashes = 0;

    (void)state;
    for (uint64_t seed = first; seed < first + count; seed++) {
        history_make(&history, seed);
        for (size_t n = 1; run_dying(FAKESTORE_DIES, FAKESTORE_ANY, n); n++) {
            crashes++;
        }
        for (size_t n = 1; run_dying(FAKESTORE_DIES_AFTER, FAKESTORE_COMMIT, n); n++) {
            crashes++;
        }
        forget_looks();
    }
    print_message("%zu crashes\n", crashes);
    assert_true(count < HISTORIES_DEFAULT || crashes > 10 * count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_crash)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
