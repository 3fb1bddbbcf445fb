/* SPDX-License-Identifier: Apache-2.0
 *
 * wrap_json.c - json-c and libjwt that fail, as they do when memory is out.
 */
#include "fault.h"

#include <errno.h>
#include <json-c/json.h>
#include <jwt.h>

typedef struct json_object *json_value;
typedef struct json_tokener *json_reader;

FAULT_WRAP(json_value, json_object_new_object, NULL, (void), ())
FAULT_WRAP(json_value, json_object_new_array, NULL, (void), ())
FAULT_WRAP(json_value, json_object_new_boolean, NULL, (json_bool boolean), (boolean))
FAULT_WRAP(json_value, json_object_new_int64, NULL, (int64_t integer), (integer))
FAULT_WRAP(json_value, json_object_new_string_len, NULL, (const char *text, const int length),
           (text, length))
FAULT_WRAP(int, json_object_array_add, -1, (json_value array, json_value value), (array, value))
FAULT_WRAP(int, json_object_object_add, -1, (json_value object, const char *name, json_value value),
           (object, name, value))
FAULT_WRAP(const char *, json_object_to_json_string_ext, NULL, (json_value value, int flags),
           (value, flags))
FAULT_WRAP(json_reader, json_tokener_new_ex, NULL, (int depth), (depth))

json_value __wrap_json_tokener_parse_ex(json_reader reader, const char *text, int length);

/* Older versions have no error for a failed allocation: no value, and no error either. */
json_value __wrap_json_tokener_parse_ex(json_reader reader, const char *text, int length)
{
    if (fault_strikes("json_tokener_parse_ex", __builtin_return_address(0))) {
        json_object_put(json_tokener_parse_ex(reader, text, length));
        return NULL;
    }
    return json_tokener_parse_ex(reader, text, length);
}

FAULT_WRAP(int, jwt_new, ENOMEM, (jwt_t * *jwt), (jwt))
FAULT_WRAP(int, jwt_add_headers_json, ENOMEM, (jwt_t * jwt, const char *json), (jwt, json))
FAULT_WRAP(int, jwt_add_grants_json, ENOMEM, (jwt_t * jwt, const char *json), (jwt, json))
FAULT_WRAP(const char *, jwt_get_header, (errno = ENOMEM, NULL), (jwt_t * jwt, const char *name),
           (jwt, name))
FAULT_WRAP(const char *, jwt_get_grant, (errno = ENOMEM, NULL), (jwt_t * jwt, const char *name),
           (jwt, name))
FAULT_WRAP(char *, jwt_get_grants_json, (errno = ENOMEM, NULL), (jwt_t * jwt, const char *name),
           (jwt, name))
