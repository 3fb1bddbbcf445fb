/* SPDX-License-Identifier: Apache-2.0
 *
 * jsonwriter.c - builds a tree of json-c's and lets it write the text at the end.
 */
#include "jsonwriter.h"

#include "invigilator/jsontext.h"

#include <json-c/json.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Containers in each other. The deepest answer has eight. */
enum { DEPTH_MAX = 16 };

static const char REPLACEMENT[] = "\xEF\xBF\xBD"; /* U+FFFD */

struct invig_jsonwriter {
    struct invig_writer writer;
    struct json_object *root;
    bool has_root; /* a root that is null is NULL to json-c */
    bool is_failed;
    size_t depth;
    struct json_object *open[DEPTH_MAX]; /* containers without an end, the innermost last */
};

static bool container_has_room(struct json_object *container, const char *name)
{
    if (json_object_is_type(container, json_type_array)) {
        return name == NULL;
    }
    /* json-c would put the new value in the place of the old. */
    return name != NULL && !json_object_object_get_ex(container, name, NULL);
}

/* Returns false when memory is out; `value` is still the caller's then. */
static bool container_add(struct json_object *container, const char *name,
                          struct json_object *value)
{
    if (name == NULL) {
        return json_object_array_add(container, value) == 0;
    }
    return json_object_object_add(container, name, value) == 0;
}

/* True when a value may be written here under this name; else the document has failed. */
static bool writer_has_room(struct invig_jsonwriter *writer, const char *name)
{
    bool has_room = writer->depth > 0 ? container_has_room(writer->open[writer->depth - 1], name)
                                      : !writer->has_root && name == NULL;

    writer->is_failed = writer->is_failed || !has_room;
    return !writer->is_failed;
}

/* Takes `value` over. Goes behind writer_has_room. */
static void writer_put(struct invig_jsonwriter *writer, const char *name, struct json_object *value)
{
    if (writer->depth == 0) {
        writer->root = value;
        writer->has_root = true;
    } else if (!container_add(writer->open[writer->depth - 1], name, value)) {
        json_object_put(value);
        writer->is_failed = true;
    }
}

/* Takes over a value that was just made: NULL says that memory is out. */
static void writer_put_new(struct invig_jsonwriter *writer, const char *name,
                           struct json_object *value)
{
    if (value == NULL) {
        writer->is_failed = true;
        return;
    }
    writer_put(writer, name, value);
}

/* Opens a container that was just made. */
static void writer_open(struct invig_jsonwriter *writer, const char *name,
                        struct json_object *container)
{
    if (writer->depth == DEPTH_MAX) {
        json_object_put(container);
        writer->is_failed = true;
        return;
    }
    writer_put_new(writer, name, container);
    if (!writer->is_failed) {
        writer->open[writer->depth++] = container;
    }
}

static void writer_begin_object(void *context, const char *name)
{
    if (writer_has_room(context, name)) {
        writer_open(context, name, json_object_new_object());
    }
}

static void writer_begin_array(void *context, const char *name)
{
    if (writer_has_room(context, name)) {
        writer_open(context, name, json_object_new_array());
    }
}

static void writer_end(void *context)
{
    struct invig_jsonwriter *writer = context;

    if (writer->depth == 0) {
        writer->is_failed = true;
        return;
    }
    writer->depth--;
}

static bool text_is_utf8(struct invig_text text)
{
    while (text.length > 0) {
        if (invig_text_next_code_point(&text) < 0) {
            return false;
        }
    }
    return true;
}

/* Copies `text` into `out`, each byte that is no UTF-8 as U+FFFD; returns the length. */
static size_t text_replace_bytes(struct invig_text text, char *out)
{
    size_t length = 0;

    while (text.length > 0) {
        const char *from = text.data;
        if (invig_text_next_code_point(&text) < 0) {
            memcpy(out + length, REPLACEMENT, sizeof REPLACEMENT - 1);
            length += sizeof REPLACEMENT - 1;
            text.data++;
            text.length--;
        } else {
            memcpy(out + length, from, (size_t)(text.data - from));
            length += (size_t)(text.data - from);
        }
    }
    return length;
}

/* Returns NULL when memory is out. */
static struct json_object *string_new(struct invig_text text)
{
    if (text.length > INT_MAX / (sizeof REPLACEMENT - 1)) {
        return NULL;
    }
    if (text_is_utf8(text)) {
        return json_object_new_string_len(text.data, (int)text.length);
    }
    char *copy = malloc(text.length * (sizeof REPLACEMENT - 1));
    if (copy == NULL) {
        return NULL;
    }
    struct json_object *string =
        json_object_new_string_len(copy, (int)text_replace_bytes(text, copy));
    free(copy);
    return string;
}

static void writer_string(void *context, const char *name, struct invig_text value)
{
    if (!writer_has_room(context, name)) {
        return;
    }
    if (value.data == NULL) {
        writer_put(context, name, NULL);
    } else {
        writer_put_new(context, name, string_new(value));
    }
}

static void writer_integer(void *context, const char *name, int64_t value)
{
    if (writer_has_room(context, name)) {
        writer_put_new(context, name, json_object_new_int64(value));
    }
}

static void writer_boolean(void *context, const char *name, bool value)
{
    if (writer_has_room(context, name)) {
        writer_put_new(context, name, json_object_new_boolean(value));
    }
}

struct invig_jsonwriter *invig_jsonwriter_new(void)
{
    struct invig_jsonwriter *writer = calloc(1, sizeof *writer);

    if (writer == NULL) {
        return NULL;
    }
    writer->writer = (struct invig_writer){
        .context = writer,
        .begin_object = writer_begin_object,
        .begin_array = writer_begin_array,
        .end = writer_end,
        .string = writer_string,
        .integer = writer_integer,
        .boolean = writer_boolean,
    };
    return writer;
}

void invig_jsonwriter_free(struct invig_jsonwriter *writer)
{
    if (writer != NULL) {
        json_object_put(writer->root);
        free(writer);
    }
}

const struct invig_writer *invig_jsonwriter_writer(struct invig_jsonwriter *writer)
{
    return &writer->writer;
}

/* True when `text` says all that the tree holds. When memory is out json-c leaves pieces out of the
 * text and does not say so, hence the way back. */
static bool text_is_whole(struct invig_text text, struct json_object *root)
{
    size_t member_count;
    struct json_tokener *tokener = NULL;
    bool is_whole = false;

    if (text.length < INT_MAX && invig_jsontext_check(text, DEPTH_MAX, &member_count)) {
        /* json-c counts levels otherwise than we do; this is room for it. */
        tokener = json_tokener_new_ex(DEPTH_MAX + 2);
    }
    if (tokener != NULL) {
        /* With its NUL: json-c waits for what comes behind a bare number. */
        struct json_object *same = json_tokener_parse_ex(tokener, text.data, (int)text.length + 1);
        is_whole = json_object_equal(root, same) != 0;
        json_object_put(same);
        json_tokener_free(tokener);
    }
    return is_whole;
}

char *invig_jsonwriter_finish(struct invig_jsonwriter *writer)
{
    if (writer->is_failed || !writer->has_root || writer->depth > 0) {
        return NULL;
    }
    const struct invig_text text = invig_text_of(json_object_to_json_string_ext(
        writer->root, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
    return text_is_whole(text, writer->root) ? invig_text_copy(text) : NULL;
}
