/* SPDX-License-Identifier: Apache-2.0
 *
 * load_login.c - see load_login.h.
 */
#include "load_login.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *load_file_read(const char *path, size_t *out_length)
{
    FILE *file = fopen(path, "rb");
    char *text = NULL;
    long length = -1;

    if (file != NULL && fseek(file, 0, SEEK_END) == 0) {
        length = ftell(file);
    }
    if (length >= 0 && fseek(file, 0, SEEK_SET) == 0) {
        text = calloc(1, (size_t)length + 1);
    }
    if (text != NULL && fread(text, 1, (size_t)length, file) != (size_t)length) {
        free(text);
        text = NULL;
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    if (text == NULL) {
        fprintf(stderr, "bench_load: %s cannot be read\n", path);
        return NULL;
    }
    *out_length = (size_t)length;
    return text;
}

static size_t lines_count(const char *text)
{
    size_t count = 0;

    for (const char *at = text; *at != '\0'; count++) {
        at += strcspn(at, "\n");
        at += *at == '\n';
    }
    return count;
}

/* It fits into MQTT and into a line of HTTP. */
static bool field_is_sound(const char *text)
{
    size_t length = strlen(text);

    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)text[i] < ' ') {
            return false;
        }
    }
    return length <= UINT16_MAX;
}

/* Cuts a line at its tabs. */
static bool login_cut(char *line, struct load_login *login)
{
    char *first = strchr(line, '\t');
    char *second = first == NULL ? NULL : strchr(first + 1, '\t');

    if (second == NULL) {
        return false;
    }
    *first = '\0';
    *second = '\0';
    *login = (struct load_login){line, first + 1, second + 1};
    return field_is_sound(line) && field_is_sound(first + 1) && field_is_sound(second + 1);
}

static bool logins_cut(struct load_logins *logins)
{
    char *at = logins->text;

    for (size_t i = 0; i < logins->count; i++) {
        char *end = at + strcspn(at, "\n");
        bool is_last = *end == '\0';
        *end = '\0';
        if (!login_cut(at, &logins->all[i])) {
            fprintf(stderr, "bench_load: line %zu of the logins has not three sound fields\n",
                    i + 1);
            return false;
        }
        at = is_last ? end : end + 1;
    }
    return true;
}

bool load_logins_read(struct load_logins *logins, const char *path)
{
    size_t length = 0;

    *logins = (struct load_logins){.text = load_file_read(path, &length)};
    if (logins->text == NULL) {
        return false;
    }
    logins->count = lines_count(logins->text);
    logins->all = calloc(logins->count + 1, sizeof *logins->all);
    if (logins->all == NULL || !logins_cut(logins)) {
        load_logins_deinit(logins);
        return false;
    }
    return true;
}

void load_logins_deinit(struct load_logins *logins)
{
    free(logins->all);
    free(logins->text);
    *logins = (struct load_logins){.all = NULL};
}
