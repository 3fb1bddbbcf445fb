/* SPDX-License-Identifier: Apache-2.0
 *
 * newer.c - see newer.h.
 */
#include "newer.h"

#include <dlfcn.h>
#include <string.h>

typedef int (*newer_set_info)(mosquitto_plugin_id_t *, const char *, const char *);

static void *newer_find(const char *name)
{
    return dlsym(RTLD_DEFAULT, name);
}

bool invig_newer_is_broker(void)
{
    return newer_find("mosquitto_persistence_location") != NULL;
}

void invig_newer_introduce(mosquitto_plugin_id_t *identifier)
{
    void *found = newer_find("mosquitto_plugin_set_info");
    newer_set_info set_info;

    if (found != NULL) {
        memcpy(&set_info, &found, sizeof(set_info)); /* C knows no cast between the two */
        (void)set_info(identifier, "invigilator", INVIG_VERSION);
    }
}
