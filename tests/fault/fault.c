/* SPDX-License-Identifier: Apache-2.0
 *
 * fault.c - see fault.h.
 */
#include "fault.h"

#include "invigilator/engine.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { SITES_MAX = 2048 };

static struct {
    bool is_armed;
    pthread_t thread;
    size_t count;
    size_t number; /* of the call that fails */
    size_t last;   /* of those that do */
    const char *struck;
    size_t site_count;
    intptr_t sites[SITES_MAX];
} fault;

void fault_arm(size_t number)
{
    fault.thread = pthread_self();
    fault.count = 0;
    fault.number = number;
    fault.last = number;
    fault.struck = NULL;
    fault.is_armed = true;
}

void fault_arm_all(size_t number)
{
    fault_arm(number);
    fault.last = SIZE_MAX;
}

const char *fault_disarm(void)
{
    fault.is_armed = false;
    return fault.struck;
}

bool fault_pause(void)
{
    bool was_armed = fault.is_armed;

    fault.is_armed = false;
    return was_armed;
}

void fault_resume(bool was_armed)
{
    fault.is_armed = was_armed;
}

size_t fault_count(void)
{
    return fault.count;
}

/* The same address in every program: our objects are linked in one piece. */
static void site_add(const void *address)
{
    intptr_t site = (intptr_t)address - (intptr_t)invig_engine_new;

    for (size_t i = 0; i < fault.site_count; i++) {
        if (fault.sites[i] == site) {
            return;
        }
    }
    if (fault.site_count == SITES_MAX) {
        fprintf(stderr, "fault: SITES_MAX is too small\n");
        abort();
    }
    fault.sites[fault.site_count++] = site;
}

bool fault_strikes(const char *name, const void *site)
{
    if (!fault.is_armed || !pthread_equal(fault.thread, pthread_self()) ||
        ++fault.count < fault.number || fault.count > fault.last) {
        return false;
    }
    fault.struck = fault.struck == NULL ? name : fault.struck;
    site_add(site);
    return true;
}

/* There with the address sanitizer alone. */
extern size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

size_t fault_heap_bytes(void)
{
    return __sanitizer_get_current_allocated_bytes == NULL
               ? 0
               : __sanitizer_get_current_allocated_bytes();
}

void fault_write_sites(const char *path)
{
    FILE *file = fopen(path, "w");

    for (size_t i = 0; file != NULL && i < fault.site_count; i++) {
        (void)fprintf(file, "%jd\n", (intmax_t)fault.sites[i]);
    }
    if (file == NULL || fclose(file) != 0) {
        perror(path);
        abort();
    }
}
