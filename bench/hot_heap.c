/* SPDX-License-Identifier: Apache-2.0
 *
 * hot_heap.c - see hot_heap.h.
 */
#include "hot_heap.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

static uint64_t calls;

void *__wrap_malloc(size_t size)
{
    calls++;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    calls++;
    return __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    calls++;
    return __real_realloc(memory, size);
}

int64_t hot_heap_bytes(void)
{
    struct mallinfo2 info = mallinfo2();

    return (int64_t)(info.uordblks + info.hblkhd);
}

uint64_t hot_heap_calls(void)
{
    return calls;
}

void hot_must(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "bench_hot: %s failed\n", what);
        exit(EXIT_FAILURE);
    }
}
