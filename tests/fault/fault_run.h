/* SPDX-License-Identifier: Apache-2.0
 *
 * fault_run.h - the same thing done again and again, each time with another call failing.
 */
#ifndef INVIGILATOR_TEST_FAULT_RUN_H
#define INVIGILATOR_TEST_FAULT_RUN_H

#include "fault.h"

/* First acts and checks without a fault, to learn what there is to compare with. Then acts with the
 * first, second, ... call failing, and lets `check` look at what came of it: `struck` is the name
 * of the function that failed, NULL where none did, which ends it. Then the same with all calls
 * that follow failing, too. Each round must give back all memory and leave no error in OpenSSL's
 * queue, where the broker's TLS would find it. Returns the number of calls. */
size_t fault_run(const char *name, void (*act)(void), void (*check)(const char *struck));

#endif
