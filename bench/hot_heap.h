/* SPDX-License-Identifier: Apache-2.0
 *
 * hot_heap.h - what is on the heap. The calls that the plugin's objects make themselves are counted
 * by wrappers (-Wl,--wrap=malloc and so on); what is held is what the allocator says, since some of
 * it is made by libraries and freed by the plugin.
 */
#ifndef INVIGILATOR_BENCH_HOT_HEAP_H
#define INVIGILATOR_BENCH_HOT_HEAP_H

#include <stdbool.h>
#include <stdint.h>

/* Bytes that the process holds, with the 8 bytes that each piece costs besides. */
int64_t hot_heap_bytes(void);

/* Calls of malloc, calloc and realloc so far. */
uint64_t hot_heap_calls(void);

/* Ends the program where `condition` is false. */
void hot_must(bool condition, const char *what);

#endif
