/* SPDX-License-Identifier: Apache-2.0
 *
 * hot_memory.h - what the plugin takes from the heap.
 */
#ifndef INVIGILATOR_BENCH_HOT_MEMORY_H
#define INVIGILATOR_BENCH_HOT_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* Prints what a connected student takes: `user_count` of them in one evaluation, which is in
 * progress and binds them, or of which the backend has said nothing. */
void hot_memory_users(size_t user_count, bool is_strict);

/* Prints what the heap holds while `user_count` users log in again and again, `logins` in all. Each
 * time it is the same session that comes and goes, or a new one. */
void hot_memory_logins(size_t user_count, size_t logins, bool is_new_session);

#endif
