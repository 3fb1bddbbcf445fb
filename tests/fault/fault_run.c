/* SPDX-License-Identifier: Apache-2.0
 *
 * fault_run.c - see fault_run.h.
 */
#include "fault_run.h"

#include <openssl/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct thing {
    const char *name;
    void (*act)(void);
    void (*check)(const char *struck);
};

static const char *round_run(const struct thing *thing, size_t number, bool is_all)
{
    const char *struck;

    if (is_all) {
        fault_arm_all(number);
    } else {
        fault_arm(number);
    }
    thing->act();
    struck = fault_disarm();
    if (ERR_peek_error() != 0) {
        fail_msg("%s, call %zu (%s): an error is left in OpenSSL's queue", thing->name, number,
                 struck == NULL ? "none failed" : struck);
    }
    thing->check(struck);
    return struck;
}

/* Returns the number of calls. */
static size_t rounds_run(const struct thing *thing, bool is_all)
{
    size_t heap = fault_heap_bytes();
    const char *struck;
    size_t number = 0;

    do {
        struck = round_run(thing, ++number, is_all);
        if (fault_heap_bytes() != heap) {
            fail_msg("%s, call %zu (%s): memory was lost", thing->name, number,
                     struck == NULL ? "none failed" : struck);
        }
    } while (struck != NULL);
    return number - 1;
}

size_t fault_run(const char *name, void (*act)(void), void (*check)(const char *struck))
{
    const struct thing thing = {name, act, check};
    size_t count;

    ERR_clear_error(); /* makes the queue at its first use */
    (void)round_run(&thing, 0, false);
    (void)round_run(&thing, 0, false); /* what libraries keep is made by now */
    count = rounds_run(&thing, false);
    assert_int_equal(rounds_run(&thing, true), count);
    print_message("%s: %zu calls\n", name, count);
    return count;
}
