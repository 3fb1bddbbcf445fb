/* SPDX-License-Identifier: Apache-2.0
 *
 * conf_private.h - what the files of the configuration reader share. Private to conf*.c and tests.
 */
#ifndef INVIGILATOR_TOOL_CONF_PRIVATE_H
#define INVIGILATOR_TOOL_CONF_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>

/* The paths that include_dir means, in the order in which Mosquitto reads them. To be freed with
 * tool_conf_list_free. Returns false when the directory cannot be read, or memory is out. */
bool tool_conf_list(const char *directory, char ***out_paths, size_t *out_count);

void tool_conf_list_free(char **paths, size_t count);

/* Mosquitto's order of file names: letter by letter without regard to case, and with regard to it
 * where two letters differ in nothing else. */
int tool_conf_compare(const char *a, const char *b);

#endif
