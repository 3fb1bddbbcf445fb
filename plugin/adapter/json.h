/* SPDX-License-Identifier: Apache-2.0
 *
 * json.h - JSON that comes in: JWKS files, string lists, messages, commands. What goes out is in
 * jsonwriter.h. Hides: json-c. Nesting is limited to INVIG_JSON_DEPTH_MAX. Not thread-safe.
 */
#ifndef INVIGILATOR_JSON_H
#define INVIGILATOR_JSON_H

#include "invigilator/claims.h"
#include "invigilator/status.h"

enum { INVIG_JSON_DEPTH_MAX = 32 };

/* One member of a JWK that is a string; absent where the key has none. Borrowed for the callback.
 */
struct invig_jwk {
    struct invig_text kty, kid, use, alg;
    struct invig_text crv, x, y; /* EC, RFC 7518 section 6.2 */
    struct invig_text n, e;      /* RSA, RFC 7518 section 6.3 */
    struct invig_text k;         /* oct, RFC 7518 section 6.4 */
    bool has_key_ops;            /* "key_ops" is present */
    bool may_verify;             /* no "key_ops", or one that holds "verify" */
    bool is_malformed;           /* not an object, or one of the members above is no string */
};

/* Reads a JWK Set: strict JSON (RFC 8259), UTF-8, no duplicate member anywhere, an object whose
 * "keys" is an array of at most `keys_max` values. Calls `each` for every member in order. Returns
 * INVIG_OK, INVIG_ERR_FORMAT or INVIG_ERR_NO_MEMORY; `each` was not called then. */
enum invig_status invig_json_read_jwks(struct invig_text text, size_t keys_max,
                                       void (*each)(void *context, size_t index,
                                                    const struct invig_jwk *jwk),
                                       void *context);

/* True when `text` is a JSON object with a member `name`. Duplicates and whatever else json-c puts
 * up with are overlooked. An object that cannot be looked into, for its depth or want of memory,
 * counts as one. It serves to recognise a token header, never to accept one. */
bool invig_json_is_object_with(struct invig_text text, const char *name);

/* The strings of a JSON array. */
struct invig_json_strings;

/* Reads `text`, a JSON value, as an array of nothing but strings without U+0000, at most
 * INVIG_VALUE_STRINGS_MAX of them. out_value receives kind INVIG_VALUE_STRINGS with views that live
 * as long as *out_strings, or INVIG_VALUE_OTHER for any other value, or INVIG_VALUE_ERROR when
 * memory is out. The caller frees *out_strings (NULL unless the kind is INVIG_VALUE_STRINGS) with
 * invig_json_strings_free. */
void invig_json_read_strings(struct invig_text text, struct invig_value *out_value,
                             struct invig_json_strings **out_strings);

void invig_json_strings_free(struct invig_json_strings *strings);

/* A JSON object that was read. */
struct invig_json_object;

/* Reads `text`: strict JSON (RFC 8259), UTF-8, no duplicate member anywhere, an object. The caller
 * frees *out_object with invig_json_object_free. Returns INVIG_OK, INVIG_ERR_FORMAT or
 * INVIG_ERR_NO_MEMORY; *out_object is NULL then. */
enum invig_status invig_json_read_object(struct invig_text text,
                                         struct invig_json_object **out_object);

void invig_json_object_free(struct invig_json_object *object); /* NULL is allowed */

/* The members of `object`, to be read while it lives; texts live as long as the object. Integers
 * from INT64_MAX up are INVIG_VALUE_OTHER: json-c gives that number for all that are larger. */
struct invig_value_source invig_json_object_source(struct invig_json_object *object);

/* Reads {"commands":[...]}: as invig_json_read_object, "commands" the only member and an array of 1
 * to `commands_max` values. Calls `each` for every one in order, with a source of its members; a
 * value that is no object has none. Returns as invig_json_read_object; `each` was not called then.
 */
enum invig_status invig_json_read_commands(struct invig_text text, size_t commands_max,
                                           void (*each)(void *context,
                                                        const struct invig_value_source *source),
                                           void *context);

#endif
