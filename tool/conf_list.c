/* SPDX-License-Identifier: Apache-2.0
 *
 * conf_list.c - the files of an include_dir.
 */
#include "conf_private.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int tool_conf_compare(const char *a, const char *b)
{
    for (; *a != '\0' && *b != '\0'; a++, b++) {
        int difference = toupper((unsigned char)*a) - toupper((unsigned char)*b);

        if (difference == 0) {
            difference = *a - *b;
        }
        if (difference != 0) {
            return difference;
        }
    }
    return *a - *b;
}

static int path_compare(const void *a, const void *b)
{
    return tool_conf_compare(*(char *const *)a, *(char *const *)b);
}

static bool name_is_conf(const char *name)
{
    size_t length = strlen(name);

    return length > 5 && strcmp(name + length - 5, ".conf") == 0;
}

static bool list_add(char ***paths, size_t *count, const char *directory, const char *name)
{
    size_t size = strlen(directory) + strlen(name) + 2;
    char **grown = realloc(*paths, (*count + 1) * sizeof **paths);
    char *path = malloc(size);

    if (grown != NULL) {
        *paths = grown;
    }
    if (grown == NULL || path == NULL) {
        free(path);
        return false;
    }
    (void)snprintf(path, size, "%s/%s", directory, name);
    (*paths)[(*count)++] = path;
    return true;
}

bool tool_conf_list(const char *directory, char ***out_paths, size_t *out_count)
{
    DIR *stream = opendir(directory);
    const struct dirent *entry;
    bool is_done = stream != NULL;

    *out_paths = NULL;
    *out_count = 0;
    while (is_done && (entry = readdir(stream)) != NULL) {
        if (name_is_conf(entry->d_name)) {
            is_done = list_add(out_paths, out_count, directory, entry->d_name);
        }
    }
    if (stream != NULL) {
        (void)closedir(stream);
    }
    if (!is_done) {
        tool_conf_list_free(*out_paths, *out_count);
        return false;
    }
    if (*out_count > 1) {
        qsort(*out_paths, *out_count, sizeof **out_paths, path_compare);
    }
    return true;
}

void tool_conf_list_free(char **paths, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(paths[i]);
    }
    free(paths);
}
