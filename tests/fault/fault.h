/* SPDX-License-Identifier: Apache-2.0
 *
 * fault.h - makes single calls fail that our objects make into libraries. All of them are linked
 * into one object file whose calls go to the wrappers of wrap_*.c, and those ask here. Calls that a
 * test or a library makes itself are not touched.
 */
#ifndef INVIGILATOR_TEST_FAULT_H
#define INVIGILATOR_TEST_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* From now on calls are counted, and the `number`-th fails, 1 being the next; 0: none does. Only
 * calls of this thread are. With fault_arm_all all that follow fail, too. */
void fault_arm(size_t number);
void fault_arm_all(size_t number);

/* Ends the counting. Returns the name of the function that failed first, NULL where none did. */
const char *fault_disarm(void);

/* Stops counting for a while; to be ended by fault_resume with what it returned. */
bool fault_pause(void);
void fault_resume(bool was_armed);

/* How many calls were counted since the last fault_arm. */
size_t fault_count(void);

/* Asked by a wrapper on behalf of the place in our objects that called it. */
bool fault_strikes(const char *name, const void *site);

/* Bytes of the heap that are in use; 0 where nobody counts them. */
size_t fault_heap_bytes(void);

/* Time for our objects begins at FAULT_START_S, and goes on and back to it by these alone. */
enum { FAULT_START_S = 1800000000 };
void fault_pass(int64_t ms);
void fault_go_back(void);

/* Writes all places that were made to fail to `path`, as distances from invig_engine_new, for
 * check-sites. */
void fault_write_sites(const char *path);

/* A wrapper: __wrap_<name>, which fails with the value of `failure` or calls <name>. */
#define FAULT_WRAP(result, name, failure, parameters, arguments)                                   \
    result __wrap_##name parameters;                                                               \
    result __wrap_##name parameters                                                                \
    {                                                                                              \
        if (fault_strikes(#name, __builtin_return_address(0))) {                                   \
            return failure;                                                                        \
        }                                                                                          \
        return name arguments;                                                                     \
    }

#endif
