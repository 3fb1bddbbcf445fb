/* SPDX-License-Identifier: Apache-2.0
 *
 * json.c - JSON by json-c, behind a check of our own: json-c takes NaN, comments, half surrogate
 * pairs and more for JSON, and of duplicate members it keeps the last.
 */
#include "json.h"

#include "invigilator/jsontext.h"

#include <json-c/json.h>
#include <json-c/json_object_iterator.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* json-c counts levels otherwise than we do. The limit is jsontext's, this is room for it. */
enum { TOKENER_DEPTH = INVIG_JSON_DEPTH_MAX + 2 };

/* The first character that is no white space, '\0' where there is none. */
static char text_opening(struct invig_text text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] == '\0' || strchr(" \t\r\n", text.data[i]) == NULL) {
            return text.data[i];
        }
    }
    return '\0';
}

/* True when json-c has found fault with the text. It is asked this way round, so that errors of
 * later versions count as none of the text. */
static bool error_is_of_text(enum json_tokener_error error)
{
    switch (error) {
    case json_tokener_continue: /* the text ends too early */
    case json_tokener_error_parse_eof:
    case json_tokener_error_parse_unexpected:
    case json_tokener_error_parse_null:
    case json_tokener_error_parse_boolean:
    case json_tokener_error_parse_number:
    case json_tokener_error_parse_array:
    case json_tokener_error_parse_object_key_name:
    case json_tokener_error_parse_object_key_sep:
    case json_tokener_error_parse_object_value_sep:
    case json_tokener_error_parse_string:
    case json_tokener_error_parse_comment:
    case json_tokener_error_parse_utf8_string:
        return true;
    default:
        return false;
    }
}

/* The value that json-c makes of `text`; NULL on any error. *out_is_unread tells apart that it is
 * nested too deep or memory was out: then nothing is known of the text. */
static struct json_object *text_parse(struct invig_text text, bool *out_is_unread)
{
    struct json_tokener *tokener = json_tokener_new_ex(TOKENER_DEPTH);

    *out_is_unread = true;
    if (tokener == NULL) {
        return NULL;
    }
    struct json_object *value = json_tokener_parse_ex(tokener, text.data, (int)text.length);
    enum json_tokener_error error = json_tokener_get_error(tokener);
    /* Older versions of json-c have no word for a failed allocation: there is no error then, and no
     * value. */
    *out_is_unread = value == NULL && !error_is_of_text(error);
    json_tokener_free(tokener);
    return value;
}

/* Members of all objects in `value`, whose depth is limited already. */
static size_t value_count_members(struct json_object *value)
{
    size_t count = 0;

    if (json_object_is_type(value, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(value); i++) {
            count += value_count_members(json_object_array_get_idx(value, i));
        }
    } else if (json_object_is_type(value, json_type_object)) {
        struct json_object_iterator at = json_object_iter_begin(value);
        struct json_object_iterator end = json_object_iter_end(value);
        for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
            count += 1 + value_count_members(json_object_iter_peek_value(&at));
        }
    }
    return count;
}

/* Reads strict JSON without duplicate members that begins with `opening`, '{' or '['. The caller
 * frees *out_value with json_object_put. */
static enum invig_status text_read(struct invig_text text, char opening,
                                   struct json_object **out_value)
{
    size_t member_count;
    bool is_unread;

    *out_value = NULL;
    if (text.length > INT_MAX || !invig_jsontext_check(text, INVIG_JSON_DEPTH_MAX, &member_count) ||
        text_opening(text) != opening) {
        return INVIG_ERR_FORMAT;
    }
    struct json_object *value = text_parse(text, &is_unread);
    if (value == NULL) {
        return INVIG_ERR_NO_MEMORY; /* nothing else is left that json-c could object to */
    }
    /* A duplicate member has replaced another, so the tree holds fewer of them than the text. */
    if (value_count_members(value) != member_count) {
        json_object_put(value);
        return INVIG_ERR_FORMAT;
    }
    *out_value = value;
    return INVIG_OK;
}

static struct invig_text string_text(struct json_object *string)
{
    return (struct invig_text){json_object_get_string(string),
                               (size_t)json_object_get_string_len(string)};
}

/* Reads the member `name`; anything but a string makes the key malformed. */
static struct invig_text jwk_member(struct json_object *object, const char *name,
                                    struct invig_jwk *jwk)
{
    struct json_object *value;

    if (!json_object_object_get_ex(object, name, &value)) {
        return (struct invig_text){0};
    }
    if (!json_object_is_type(value, json_type_string)) {
        jwk->is_malformed = true;
        return (struct invig_text){0};
    }
    return string_text(value);
}

static bool array_has_string(struct json_object *array, const char *word)
{
    for (size_t i = 0; i < json_object_array_length(array); i++) {
        struct json_object *item = json_object_array_get_idx(array, i);
        if (json_object_is_type(item, json_type_string) &&
            invig_text_equal(string_text(item), invig_text_of(word))) {
            return true;
        }
    }
    return false;
}

static void jwk_read_key_ops(struct json_object *object, struct invig_jwk *jwk)
{
    struct json_object *value;

    jwk->has_key_ops = json_object_object_get_ex(object, "key_ops", &value);
    jwk->may_verify = !jwk->has_key_ops || (json_object_is_type(value, json_type_array) &&
                                            array_has_string(value, "verify"));
}

static void jwk_read(struct json_object *object, struct invig_jwk *jwk)
{
    *jwk = (struct invig_jwk){0};
    if (!json_object_is_type(object, json_type_object)) {
        jwk->is_malformed = true;
        return;
    }
    jwk->kty = jwk_member(object, "kty", jwk);
    jwk->kid = jwk_member(object, "kid", jwk);
    jwk->use = jwk_member(object, "use", jwk);
    jwk->alg = jwk_member(object, "alg", jwk);
    jwk->crv = jwk_member(object, "crv", jwk);
    jwk->x = jwk_member(object, "x", jwk);
    jwk->y = jwk_member(object, "y", jwk);
    jwk->n = jwk_member(object, "n", jwk);
    jwk->e = jwk_member(object, "e", jwk);
    jwk->k = jwk_member(object, "k", jwk);
    jwk_read_key_ops(object, jwk);
}

enum invig_status invig_json_read_jwks(struct invig_text text, size_t keys_max,
                                       void (*each)(void *context, size_t index,
                                                    const struct invig_jwk *jwk),
                                       void *context)
{
    struct json_object *set;
    struct json_object *keys;
    enum invig_status status = text_read(text, '{', &set);

    if (status != INVIG_OK) {
        return status;
    }
    if (!json_object_object_get_ex(set, "keys", &keys) ||
        !json_object_is_type(keys, json_type_array) || json_object_array_length(keys) > keys_max) {
        json_object_put(set);
        return INVIG_ERR_FORMAT;
    }
    for (size_t i = 0; i < json_object_array_length(keys); i++) {
        struct invig_jwk jwk;
        jwk_read(json_object_array_get_idx(keys, i), &jwk);
        each(context, i, &jwk);
    }
    json_object_put(set);
    return INVIG_OK;
}

bool invig_json_is_object_with(struct invig_text text, const char *name)
{
    bool is_unread;

    if (text.data == NULL || text.length > INT_MAX || text_opening(text) != '{') {
        return false;
    }
    struct json_object *value = text_parse(text, &is_unread);
    bool has_name = json_object_is_type(value, json_type_object) &&
                    json_object_object_get_ex(value, name, NULL);
    json_object_put(value);
    return has_name || is_unread;
}

static bool text_has_nul(struct invig_text text)
{
    return memchr(text.data, '\0', text.length) != NULL;
}

static bool array_read_strings(struct json_object *array, struct invig_value *out_value)
{
    size_t count = json_object_array_length(array);

    if (count > INVIG_VALUE_STRINGS_MAX) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        struct json_object *item = json_object_array_get_idx(array, i);
        if (!json_object_is_type(item, json_type_string)) {
            return false;
        }
        out_value->strings[i] = string_text(item);
        if (text_has_nul(out_value->strings[i])) {
            return false;
        }
    }
    out_value->string_count = count;
    return true;
}

void invig_json_read_strings(struct invig_text text, struct invig_value *out_value,
                             struct invig_json_strings **out_strings)
{
    struct json_object *array;
    enum invig_status status = text_read(text, '[', &array);

    *out_strings = NULL;
    out_value->string_count = 0;
    if (status == INVIG_OK && array_read_strings(array, out_value)) {
        out_value->kind = INVIG_VALUE_STRINGS;
        /* The array goes out under a name of ours; nobody but json-c looks into it. */
        *out_strings = (struct invig_json_strings *)array;
        return;
    }
    out_value->kind = status == INVIG_ERR_NO_MEMORY ? INVIG_VALUE_ERROR : INVIG_VALUE_OTHER;
    json_object_put(array);
}

void invig_json_strings_free(struct invig_json_strings *strings)
{
    json_object_put((struct json_object *)strings);
}

/* Of a number that does not fit, json-c makes the nearest that does, so neither end of the range
 * can be told from what is beyond it. */
static bool value_read_integer(struct json_object *value, struct invig_value *out_value)
{
    int64_t integer = json_object_get_int64(value);

    if (integer == INT64_MAX || integer == INT64_MIN) {
        return false;
    }
    out_value->integer = integer;
    return true;
}

static bool value_read_string(struct json_object *value, struct invig_value *out_value)
{
    struct invig_text string = string_text(value);

    if (text_has_nul(string)) {
        return false;
    }
    out_value->string = string;
    return true;
}

/* json-c converts a value to whatever it is asked for, so its type is asked first. */
static enum invig_value_kind value_read(struct json_object *value, struct invig_value *out_value)
{
    switch (json_object_get_type(value)) {
    case json_type_null:
        return INVIG_VALUE_NULL;
    case json_type_boolean:
        out_value->boolean = json_object_get_boolean(value) != 0;
        return INVIG_VALUE_BOOLEAN;
    case json_type_int:
        return value_read_integer(value, out_value) ? INVIG_VALUE_INTEGER : INVIG_VALUE_OTHER;
    case json_type_string:
        return value_read_string(value, out_value) ? INVIG_VALUE_STRING : INVIG_VALUE_OTHER;
    case json_type_array:
        return array_read_strings(value, out_value) ? INVIG_VALUE_STRINGS : INVIG_VALUE_OTHER;
    default:
        return INVIG_VALUE_OTHER;
    }
}

/* struct invig_value_source's get. What is no object has no member. */
static void object_get(void *context, const char *name, struct invig_value *out_value)
{
    struct json_object *value;

    out_value->string = (struct invig_text){0};
    out_value->integer = 0;
    out_value->boolean = false;
    out_value->string_count = 0;
    out_value->kind = json_object_object_get_ex(context, name, &value)
                          ? value_read(value, out_value)
                          : INVIG_VALUE_ABSENT;
}

static struct invig_value_source value_source(struct json_object *value)
{
    bool is_object = json_object_is_type(value, json_type_object);

    return (struct invig_value_source){
        .context = value,
        .member_count = is_object ? (size_t)json_object_object_length(value) : 0,
        .get = object_get,
    };
}

enum invig_status invig_json_read_object(struct invig_text text,
                                         struct invig_json_object **out_object)
{
    struct json_object *value;
    enum invig_status status = text_read(text, '{', &value);

    *out_object = (struct invig_json_object *)value; /* as the strings above */
    return status;
}

void invig_json_object_free(struct invig_json_object *object)
{
    json_object_put((struct json_object *)object);
}

struct invig_value_source invig_json_object_source(struct invig_json_object *object)
{
    return value_source((struct json_object *)object);
}

/* The array of commands, NULL when `object` is anything but {"commands":[...]} of that size. */
static struct json_object *object_commands(struct json_object *object, size_t commands_max)
{
    struct json_object *commands;

    if (json_object_object_length(object) != 1 ||
        !json_object_object_get_ex(object, "commands", &commands) ||
        !json_object_is_type(commands, json_type_array)) {
        return NULL;
    }
    size_t count = json_object_array_length(commands);
    return count >= 1 && count <= commands_max ? commands : NULL;
}

enum invig_status invig_json_read_commands(struct invig_text text, size_t commands_max,
                                           void (*each)(void *context,
                                                        const struct invig_value_source *source),
                                           void *context)
{
    struct json_object *object;
    enum invig_status status = text_read(text, '{', &object);

    if (status != INVIG_OK) {
        return status;
    }
    struct json_object *commands = object_commands(object, commands_max);
    for (size_t i = 0; commands != NULL && i < json_object_array_length(commands); i++) {
        const struct invig_value_source source =
            value_source(json_object_array_get_idx(commands, i));
        each(context, &source);
    }
    json_object_put(object);
    return commands != NULL ? INVIG_OK : INVIG_ERR_FORMAT;
}
