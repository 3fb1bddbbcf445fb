/* SPDX-License-Identifier: Apache-2.0
 *
 * test_evaluations.c - random logins, messages, commands and time into the engine, beside the
 * reference model of reference.h. After each event every connection may do the same on both sides,
 * and the same is counted; in each tick everybody is told who is to be told, and nobody else.
 * MODEL_EVENTS and MODEL_SEED in the environment change length and course.
 */
#include "play.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* Sessions end for good, so a long course would only see dead ones. */
enum { EVENTS_DEFAULT = 40000, EPISODE_EVENTS = 300 };

static struct pair pair;
static bool is_playing;

static long number_of_environment(const char *name, long otherwise)
{
    const char *text = getenv(name);

    return text == NULL ? otherwise : strtol(text, NULL, 10);
}

static void play(enum invig_strict_policy policy)
{
    long count = number_of_environment("MODEL_EVENTS", EVENTS_DEFAULT);

    pair.random_state = (uint64_t)number_of_environment("MODEL_SEED", 1) + (uint64_t)policy * 1000;
    for (long i = 0; i < count; i += EPISODE_EVENTS) {
        pair_init(&pair, policy);
        is_playing = true;
        for (int j = 0; j < EPISODE_EVENTS; j++) {
            play_event(&pair);
        }
        is_playing = false;
        pair_deinit(&pair);
    }
}

/* After a failure: how it came to it, and what is known then. */
static int play_end(void **state)
{
    (void)state;
    if (is_playing) {
        is_playing = false;
        pair_tell(&pair);
        pair_deinit(&pair);
    }
    return 0;
}

static void test_evaluations_enforced(void **state)
{
    (void)state;
    play(INVIG_STRICT_ENFORCE);
}

static void test_evaluations_observed(void **state)
{
    (void)state;
    play(INVIG_STRICT_OBSERVE);
}

static void test_evaluations_off(void **state)
{
    (void)state;
    play(INVIG_STRICT_OFF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_evaluations_enforced, play_end),
        cmocka_unit_test_teardown(test_evaluations_observed, play_end),
        cmocka_unit_test_teardown(test_evaluations_off, play_end),
    };

    return cmocka_run_group_tests_name("model evaluations", tests, NULL, NULL);
}
