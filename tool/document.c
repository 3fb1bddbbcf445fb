/* SPDX-License-Identifier: Apache-2.0
 *
 * document.c - see document.h. The adapter reads, so that what is strict is decided in one place;
 * what it gives out under a name of its own is json-c's.
 */
#include "document.h"

#include "json.h"

#include <json-c/json.h>
#include <string.h>

/* Under the name that others know it by. */
static struct json_object *object_of(const struct tool_node *node)
{
    union {
        const struct tool_node *node;
        struct json_object *object;
    } same = {.node = node};

    return same.object;
}

static struct tool_node *node_of(struct json_object *object)
{
    return (struct tool_node *)object;
}

struct tool_node *tool_document_read(struct invig_text text)
{
    struct invig_json_object *object = NULL;

    return invig_json_read_object(text, &object) == INVIG_OK ? (struct tool_node *)object : NULL;
}

void tool_document_free(struct tool_node *document)
{
    json_object_put(object_of(document));
}

struct tool_node *tool_node_member(const struct tool_node *node, const char *name)
{
    struct json_object *value = NULL;

    return tool_node_is_object(node) && json_object_object_get_ex(object_of(node), name, &value)
               ? node_of(value)
               : NULL;
}

bool tool_node_is_array(const struct tool_node *node)
{
    return json_object_is_type(object_of(node), json_type_array) != 0 && node != NULL;
}

bool tool_node_is_object(const struct tool_node *node)
{
    return json_object_is_type(object_of(node), json_type_object) != 0 && node != NULL;
}

size_t tool_node_count(const struct tool_node *node)
{
    return tool_node_is_array(node) ? json_object_array_length(object_of(node)) : 0;
}

struct tool_node *tool_node_at(const struct tool_node *array, size_t index)
{
    return index < tool_node_count(array)
               ? node_of(json_object_array_get_idx(object_of(array), index))
               : NULL;
}

struct invig_text tool_node_text(const struct tool_node *node)
{
    struct json_object *object = object_of(node);

    if (node == NULL || !json_object_is_type(object, json_type_string)) {
        return (struct invig_text){NULL, 0};
    }
    return (struct invig_text){json_object_get_string(object),
                               (size_t)json_object_get_string_len(object)};
}

bool tool_node_integer(const struct tool_node *node, int64_t *out_integer)
{
    if (node == NULL || !json_object_is_type(object_of(node), json_type_int)) {
        return false;
    }
    *out_integer = json_object_get_int64(object_of(node));
    return true;
}

bool tool_node_boolean(const struct tool_node *node, bool *out_boolean)
{
    if (node == NULL || !json_object_is_type(object_of(node), json_type_boolean)) {
        return false;
    }
    *out_boolean = json_object_get_boolean(object_of(node)) != 0;
    return true;
}

/* json-c has null for a null, too. */
bool tool_node_is_null(const struct tool_node *parent, const char *name)
{
    struct json_object *value = NULL;

    return tool_node_is_object(parent) &&
           json_object_object_get_ex(object_of(parent), name, &value) && value == NULL;
}

void tool_node_each(const struct tool_node *object,
                    void (*each)(void *context, const char *name, const struct tool_node *value),
                    void *context)
{
    struct json_object_iterator at;
    struct json_object_iterator end;

    if (!tool_node_is_object(object)) {
        return;
    }
    at = json_object_iter_begin(object_of(object));
    end = json_object_iter_end(object_of(object));
    for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
        each(context, json_object_iter_peek_name(&at), node_of(json_object_iter_peek_value(&at)));
    }
}

bool tool_node_append(struct tool_node *to, struct tool_node *from)
{
    size_t count = tool_node_count(from);

    for (size_t i = 0; i < count; i++) {
        struct json_object *value = json_object_array_get_idx(object_of(from), i);

        if (json_object_array_add(object_of(to), json_object_get(value)) != 0) {
            json_object_put(value);
            return false;
        }
    }
    return true;
}

/* Characters that JSON lets stand and a terminal obeys: C1 controls, and those that turn the
 * direction of writing. */
static bool code_point_is_unsafe(int32_t code)
{
    return invig_code_point_is_control(code) || code == 0x061C ||
           (code >= 0x200B && code <= 0x200F) || (code >= 0x2028 && code <= 0x202E) ||
           (code >= 0x2060 && code <= 0x206F) || code == 0xFEFF;
}

void tool_node_print(const struct tool_node *node, FILE *stream)
{
    const char *json =
        json_object_to_json_string_ext(object_of(node), JSON_C_TO_STRING_NOSLASHESCAPE);
    struct invig_text rest = invig_text_of(json == NULL ? "null" : json);

    while (rest.length > 0) {
        const char *at = rest.data;
        int32_t code = invig_text_next_code_point(&rest);

        if (code < 0) { /* not in what was read strictly */
            return;
        }
        if (code_point_is_unsafe(code)) {
            (void)fprintf(stream, "\\u%04x", (unsigned)code);
        } else {
            (void)fwrite(at, 1, (size_t)(rest.data - at), stream);
        }
    }
}
