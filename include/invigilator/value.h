/* SPDX-License-Identifier: Apache-2.0
 *
 * value.h - the members of a JSON object as C values, wherever they are read from: the claims of a
 * token, a message, a command. Exact types: nothing is converted.  Depends on: text.
 */
#ifndef INVIGILATOR_VALUE_H
#define INVIGILATOR_VALUE_H

#include "invigilator/text.h"

/* What a member holds. */
enum invig_value_kind {
    INVIG_VALUE_ABSENT = 0,
    INVIG_VALUE_STRING,  /* a JSON string without U+0000 */
    INVIG_VALUE_INTEGER, /* a JSON number without fraction and exponent, within int64_t */
    INVIG_VALUE_STRINGS, /* an array of nothing but such strings, possibly empty */
    INVIG_VALUE_BOOLEAN, /* true or false */
    INVIG_VALUE_NULL,    /* null */
    INVIG_VALUE_OTHER,   /* any other JSON value */
    INVIG_VALUE_ERROR    /* could not be read, as when memory is out */
};

/* Strings that invig_value can list: more make the value INVIG_VALUE_OTHER. */
enum { INVIG_VALUE_STRINGS_MAX = 64 };

/* One member. Texts are borrowed until the next call of the source that gave them. */
struct invig_value {
    enum invig_value_kind kind;
    struct invig_text string;
    int64_t integer;
    bool boolean;
    size_t string_count;
    struct invig_text strings[INVIG_VALUE_STRINGS_MAX];
};

/* Where members are read from. */
struct invig_value_source {
    void *context;
    size_t member_count; /* of the object; 0 where the source does not say */
    /* Finds the member `name`; fills in *out_value, whatever the answer is. */
    void (*get)(void *context, const char *name, struct invig_value *out_value);
};

#endif
