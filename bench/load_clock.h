/* SPDX-License-Identifier: Apache-2.0
 *
 * load_clock.h - time as the load generator counts it.
 */
#ifndef LOAD_CLOCK_H
#define LOAD_CLOCK_H

/* Steady (CLOCK_MONOTONIC), in milliseconds with their fraction. */
double load_now_ms(void);

/* What this process has used of the processors so far, in user and kernel mode. */
double load_cpu_ms(void);

#endif
