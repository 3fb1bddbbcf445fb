/* SPDX-License-Identifier: Apache-2.0
 *
 * keylist.c - the keys of one file, and what is said of a file that has none.
 */
#include "key.h"
#include "keyfile.h"

#include <stdio.h>
#include <string.h>

static const char *const source_options[INVIG_SOURCE_COUNT] = {
    "plugin_opt_jwt_jwks_file", "plugin_opt_jwt_public_key_file", "plugin_opt_jwt_secret_file"};

static const char *source_expected(size_t source)
{
    switch (source) {
    case INVIG_SOURCE_JWKS:
        return "a JSON Web Key Set of at most 64 keys with a usable one (RSA of 2048 bits or more, "
               "EC P-256, P-384, P-521, oct of 32 bytes or more)";
    case INVIG_SOURCE_PEM:
        return "one PEM public key (RSA of 2048 bits or more, or EC P-256, P-384, P-521)";
    default:
        return "a secret of 32 bytes or more";
    }
}

/* What one reading of one file needs at hand. */
struct reading {
    size_t source;
    invig_algorithm_set available;
    const struct invig_keyring_report *report;
    char path[224]; /* escaped */
    struct invig_key_list keys;
    bool is_out_of_memory;
    char *error; /* INVIG_POLICY_ERROR_BYTES */
};

static void list_add(struct invig_key_list *list, struct invig_key *key)
{
    if (list->last == NULL) {
        list->first = key;
    } else {
        list->last->next = key;
    }
    list->last = key;
    list->count++;
}

void invig_key_list_free(struct invig_key_list *list)
{
    while (list->first != NULL) {
        struct invig_key *key = list->first;
        list->first = key->next;
        invig_key_free(key);
    }
    *list = (struct invig_key_list){0};
}

void invig_keyring_report_write(const struct invig_keyring_report *report,
                                enum invig_log_level level, const char *line)
{
    if (report != NULL && report->write != NULL) {
        report->write(report->context, level, line);
    }
}

static enum invig_status reading_fail(struct reading *reading, enum invig_status status,
                                      const char *found, const char *expected)
{
    snprintf(reading->error, INVIG_POLICY_ERROR_BYTES, "%s: \"%s\" %s, expected %s",
             source_options[reading->source], reading->path, found, expected);
    return status;
}

static enum invig_status reading_fail_content(struct reading *reading, const char *found)
{
    char text[120];

    if (found == NULL) {
        return reading_fail(reading, INVIG_ERR_NO_MEMORY, "cannot be used (out of memory)",
                            "memory for it");
    }
    snprintf(text, sizeof text, "holds %s", found);
    return reading_fail(reading, INVIG_ERR_FORMAT, text, source_expected(reading->source));
}

/* Takes `key` over, with what is available of its algorithms. */
static void reading_add(struct reading *reading, struct invig_key *key)
{
    key->source = reading->source;
    key->algorithms &= reading->available;
    list_add(&reading->keys, key);
}

static void reading_skip(struct reading *reading, size_t index, const struct invig_jwk *jwk,
                         const char *found)
{
    char kid[260] = "";
    char line[INVIG_POLICY_ERROR_BYTES];
    bool has_kid = jwk->kid.data != NULL && invig_logline_escape(jwk->kid, 64, kid, sizeof kid);

    snprintf(line, sizeof line, "%s: keys[%zu]%s%s%s is skipped: %s",
             source_options[reading->source], index, has_kid ? " (kid \"" : "", kid,
             has_kid ? "\")" : "", found);
    invig_keyring_report_write(reading->report, INVIG_LOG_WARNING, line);
}

static void reading_add_jwk(void *context, size_t index, const struct invig_jwk *jwk)
{
    struct reading *reading = context;
    const char *found;
    struct invig_key *key = invig_key_from_jwk(jwk, &found);

    if (key != NULL && (key->algorithms & reading->available) == 0) {
        found = "an \"alg\" that this libjwt does not know";
        invig_key_free(key);
        key = NULL;
    }
    if (key != NULL) {
        reading_add(reading, key);
    } else if (found != NULL) {
        reading_skip(reading, index, jwk, found);
    } else {
        reading->is_out_of_memory = true;
    }
}

static enum invig_status reading_parse_jwks(struct reading *reading, struct invig_text content)
{
    enum invig_status status =
        invig_json_read_jwks(content, INVIG_JWKS_KEYS_MAX, reading_add_jwk, reading);

    if (status == INVIG_ERR_NO_MEMORY || reading->is_out_of_memory) {
        return reading_fail_content(reading, NULL);
    }
    if (status != INVIG_OK) {
        return reading_fail_content(reading, "no such set");
    }
    return reading->keys.count > 0 ? INVIG_OK : reading_fail_content(reading, "no usable key");
}

/* The content of a secret file: raw bytes, but for the newline that an editor puts at the end. */
static struct invig_text secret_trim(struct invig_text content)
{
    if (content.length > 0 && content.data[content.length - 1] == '\n') {
        content.length--;
    }
    return content;
}

static enum invig_status reading_parse(struct reading *reading, struct invig_text content)
{
    const char *found;
    struct invig_key *key;

    if (reading->source == INVIG_SOURCE_JWKS) {
        return reading_parse_jwks(reading, content);
    }
    key = reading->source == INVIG_SOURCE_PEM ? invig_key_from_pem(content, &found)
                                              : invig_key_from_secret(secret_trim(content), &found);
    if (key == NULL) {
        return reading_fail_content(reading, found);
    }
    reading_add(reading, key);
    return INVIG_OK;
}

static void reading_warn(const struct reading *reading, const struct invig_keyfile *file)
{
    char line[INVIG_POLICY_ERROR_BYTES];

    if (reading->source != INVIG_SOURCE_SECRET || !file->is_world_readable) {
        return;
    }
    snprintf(line, sizeof line, "%s: \"%s\" can be read by everyone",
             source_options[reading->source], reading->path);
    invig_keyring_report_write(reading->report, INVIG_LOG_WARNING, line);
}

/* Reads the file of one source into reading->keys, which are empty after an error. */
static enum invig_status reading_run(struct reading *reading, const char *path)
{
    struct invig_keyfile file;
    struct invig_keyfile_fault fault;

    /* A path full of control characters is shown in part: the line has to end somewhere. */
    if (!invig_logline_escape(invig_text_of(path), 200, reading->path, sizeof reading->path)) {
        (void)invig_logline_escape(invig_text_of(path), 50, reading->path, sizeof reading->path);
    }
    enum invig_status status = invig_keyfile_read(path, INVIG_KEY_FILE_BYTES_MAX, &file, &fault);
    if (status != INVIG_OK) {
        return reading_fail(reading, status, fault.found, fault.expected);
    }
    reading_warn(reading, &file);
    status = reading_parse(reading, (struct invig_text){file.data, file.length});
    invig_keyfile_deinit(&file);
    if (status != INVIG_OK) {
        invig_key_list_free(&reading->keys);
    }
    return status;
}

enum invig_status invig_key_list_read(size_t source, const char *path,
                                      invig_algorithm_set available,
                                      const struct invig_keyring_report *report,
                                      struct invig_key_list *out_keys,
                                      char error[INVIG_POLICY_ERROR_BYTES])
{
    struct reading reading = {
        .source = source, .available = available, .report = report, .error = error};
    enum invig_status status = reading_run(&reading, path);

    *out_keys = reading.keys;
    return status;
}
