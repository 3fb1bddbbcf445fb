/* SPDX-License-Identifier: Apache-2.0
 *
 * option.h - how the value of each option is read. Private to policy.c and option.c.
 */
#ifndef INVIGILATOR_CORE_OPTION_H
#define INVIGILATOR_CORE_OPTION_H

#include "invigilator/policy.h"

/* The form of a value, and with it the type of the member that holds it. */
enum option_kind {
    OPTION_STRING,       /* char *: any bytes, minimum..maximum of them */
    OPTION_CLAIM_NAME,   /* char *: UTF-8 without control characters, no registered claim */
    OPTION_TOPIC_PREFIX, /* char *: the beginning of a topic name */
    OPTION_INTEGER,      /* int64_t: minimum..maximum */
    OPTION_SWITCH,       /* bool: on or off */
    OPTION_ALGORITHMS,   /* invig_algorithm_set */
    OPTION_ROLES,        /* unsigned: bit (1u << role) */
    OPTION_SET,          /* char *: minimum..maximum different words, one blank between them */
    OPTION_STRICT,       /* enum invig_strict_policy */
    OPTION_SYNC          /* enum invig_state_sync */
};

struct option_rule {
    enum option_kind kind;
    size_t offset;   /* of the member in struct invig_policy */
    int64_t minimum; /* of an integer, of the bytes of a string, of the words of a set */
    int64_t maximum;
};

enum {
    INVIG_OPTION_BYTES_MAX = 4096,
    INVIG_CLAIM_NAME_BYTES_MAX = 128,
    INVIG_PREFIX_BYTES_MAX = 256
};

/* The rule of the row that invig_policy_option gives for `index`, which must have one. */
const struct option_rule *invig_option_rule(size_t index);

/* Reads `value` by `rule` into the member of `policy`; what the member owned is released. Returns
 * INVIG_OK, or with nothing changed INVIG_ERR_INVALID or INVIG_ERR_NO_MEMORY. */
enum invig_status invig_option_apply(const struct option_rule *rule, struct invig_text value,
                                     struct invig_policy *policy);

/* Takes the next word off a list; false when there is none left. */
bool invig_option_take_word(struct invig_text *list, struct invig_text *out_word);

/* The place of `word` in a list, from 0; -1 where it is not there. */
int invig_option_find_word(struct invig_text list, struct invig_text word);

#endif
