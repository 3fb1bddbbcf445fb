/* SPDX-License-Identifier: Apache-2.0
 *
 * algorithm.c - the table of signature algorithms.
 */
#include "invigilator/algorithm.h"

struct algorithm {
    const char *name;
    enum invig_key_type key_type;
    size_t hash_bytes;
};

static const struct algorithm algorithms[INVIG_ALGORITHM_COUNT] = {
    [INVIG_ALGORITHM_NONE] = {"none", INVIG_KEY_NONE, 0},
#define ALGORITHM_ROW(name, type, hash) [INVIG_ALGORITHM_##name] = {#name, INVIG_KEY_##type, hash},
    INVIG_ALGORITHM_MAP(ALGORITHM_ROW)
#undef ALGORITHM_ROW
};

/* The row of `algorithm`, that of "none" for a number that is no algorithm. */
static const struct algorithm *algorithm_row(enum invig_algorithm algorithm)
{
    size_t index = (size_t)algorithm;

    return &algorithms[index < INVIG_ALGORITHM_COUNT ? index : INVIG_ALGORITHM_NONE];
}

enum invig_algorithm invig_algorithm_find(struct invig_text name)
{
    for (int i = INVIG_ALGORITHM_NONE + 1; i < INVIG_ALGORITHM_COUNT; i++) {
        if (invig_text_equal(name, invig_text_of(algorithms[i].name))) {
            return (enum invig_algorithm)i;
        }
    }
    return INVIG_ALGORITHM_NONE;
}

const char *invig_algorithm_name(enum invig_algorithm algorithm)
{
    return algorithm_row(algorithm)->name;
}

enum invig_key_type invig_algorithm_key_type(enum invig_algorithm algorithm)
{
    return algorithm_row(algorithm)->key_type;
}

size_t invig_algorithm_hash_bytes(enum invig_algorithm algorithm)
{
    return algorithm_row(algorithm)->hash_bytes;
}

bool invig_algorithm_set_has(invig_algorithm_set set, enum invig_algorithm algorithm)
{
    int index = (int)algorithm;

    if (index <= INVIG_ALGORITHM_NONE || index >= INVIG_ALGORITHM_COUNT) {
        return false;
    }
    return (set >> index & 1U) != 0;
}

invig_algorithm_set invig_algorithm_set_for(enum invig_key_type type, size_t secret_bytes)
{
    invig_algorithm_set set = 0;

    for (int i = INVIG_ALGORITHM_NONE + 1; i < INVIG_ALGORITHM_COUNT; i++) {
        const struct algorithm *row = &algorithms[i];
        bool is_long_enough = type != INVIG_KEY_SECRET || secret_bytes >= row->hash_bytes;
        if (row->key_type == type && is_long_enough) {
            set |= (invig_algorithm_set)1U << i;
        }
    }
    return set;
}
