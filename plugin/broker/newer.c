/* SPDX-License-Identifier: Apache-2.0
 *
 * newer.c - see newer.h.
 */
#include "newer.h"

#include <dlfcn.h>
#include <string.h>

typedef struct mosquitto *(*newer_client)(const char *);
typedef int (*newer_set_info)(mosquitto_plugin_id_t *, const char *, const char *);

static void *newer_find(const char *name)
{
    return dlsym(RTLD_DEFAULT, name);
}

bool invig_newer_is_broker(void)
{
    return newer_find("mosquitto_persistence_location") != NULL;
}

bool invig_newer_has(const struct mosquitto *context)
{
    void *found = newer_find("mosquitto_client");
    const char *client_id = mosquitto_client_id(context);
    newer_client find_client;

    if (found == NULL || client_id == NULL) {
        return false;
    }
    memcpy(&find_client, &found, sizeof(find_client)); /* C knows no cast between the two */
    return find_client(client_id) == context;
}

void invig_newer_introduce(mosquitto_plugin_id_t *identifier)
{
    void *found = newer_find("mosquitto_plugin_set_info");
    newer_set_info set_info;

    if (found != NULL) {
        memcpy(&set_info, &found, sizeof(set_info));
        (void)set_info(identifier, "invigilator", INVIG_VERSION);
    }
}
