/* SPDX-License-Identifier: Apache-2.0
 *
 * clock.h - the time, and random bits.
 */
#ifndef INVIGILATOR_BROKER_CLOCK_H
#define INVIGILATOR_BROKER_CLOCK_H

#include "invigilator/engine.h"

/* Reads both clocks. The TICK event's own time is zero in Mosquitto 2.0. */
struct invig_now invig_clock_now(void);

/* Draws a seed for hash tables. Returns false when the system has no randomness to give. */
bool invig_clock_seed(struct invig_seed *out_seed);

#endif
