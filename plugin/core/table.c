/* SPDX-License-Identifier: Apache-2.0
 *
 * table.c - the only file that includes uthash. It hashes by SipHash, because uthash's own hash has
 * no seed, and without HASH_NONFATAL_OOM uthash ends the process when memory is out.
 */
#include "invigilator/table.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM        1
#define uthash_nonfatal_oom(obj) (is_added = false)

#include <uthash.h>

/* What a node really is. */
struct table_entry {
    UT_hash_handle hh;
};

_Static_assert(sizeof(struct table_entry) <= sizeof(struct invig_table_node), "node is too small");
_Static_assert(_Alignof(struct table_entry) <= _Alignof(struct invig_table_node),
               "node misaligned");

static struct table_entry *entry_of(struct invig_table_node *node)
{
    return (struct table_entry *)(void *)node;
}

static struct invig_table_node *node_of(struct table_entry *entry)
{
    return (struct invig_table_node *)(void *)entry;
}

/* uthash wants 32 bits, and compares them before the keys. */
static unsigned table_hash(const struct invig_table *table, const void *key, size_t key_bytes)
{
    return (unsigned)(invig_siphash(table->seed, key, key_bytes) & UINT_MAX);
}

void invig_table_init(struct invig_table *table, struct invig_seed seed)
{
    table->head = NULL;
    table->seed = seed;
}

void invig_table_deinit(struct invig_table *table)
{
    struct table_entry *head = entry_of(table->head);

    HASH_CLEAR(hh, head);
    table->head = NULL;
}

size_t invig_table_count(const struct invig_table *table)
{
    struct table_entry *head = entry_of(table->head);

    return HASH_COUNT(head);
}

struct invig_table_node *invig_table_find(const struct invig_table *table, const void *key,
                                          size_t key_bytes)
{
    struct table_entry *head = entry_of(table->head);
    struct table_entry *found = NULL;
    unsigned hash;

    if (head == NULL || key == NULL || key_bytes > UINT_MAX) {
        return NULL;
    }
    hash = table_hash(table, key, key_bytes);
    HASH_FIND_BYHASHVALUE(hh, head, key, (unsigned)key_bytes, hash, found);
    return node_of(found);
}

bool invig_table_add(struct invig_table *table, struct invig_table_node *node, const void *key,
                     size_t key_bytes)
{
    struct table_entry *head = entry_of(table->head);
    struct table_entry *entry = entry_of(node);
    bool is_added = true;
    unsigned hash;

    if (key == NULL || key_bytes > UINT_MAX) {
        return false;
    }
    hash = table_hash(table, key, key_bytes);
    HASH_ADD_KEYPTR_BYHASHVALUE(hh, head, key, key_bytes, hash, entry);
    table->head = node_of(head);
    return is_added;
}

void invig_table_remove(struct invig_table *table, struct invig_table_node *node)
{
    struct table_entry *head = entry_of(table->head);
    struct table_entry *entry = entry_of(node);

    HASH_DELETE(hh, head, entry);
    table->head = node_of(head);
}

bool invig_table_replace(struct invig_table *table, struct invig_table_node *old,
                         struct invig_table_node *node, const void *key, size_t key_bytes)
{
    UT_hash_table *buckets = entry_of(old)->hh.tbl;
    unsigned noexpand = buckets->noexpand;
    bool is_added;

    /* Both are in the table for a moment, so the last node never goes and takes the buckets along.
     * Growing, the only other thing that needs memory, can wait for the next addition. */
    buckets->noexpand = 1;
    is_added = invig_table_add(table, node, key, key_bytes);
    buckets->noexpand = noexpand;
    if (is_added) {
        invig_table_remove(table, old);
    }
    return is_added;
}

struct invig_table_node *invig_table_next(const struct invig_table *table,
                                          const struct invig_table_node *node)
{
    const struct table_entry *entry = (const struct table_entry *)(const void *)node;

    return node == NULL ? table->head : node_of(entry->hh.next);
}

static inline uint64_t rotate_left(uint64_t word, unsigned bits)
{
    return (word << bits) | (word >> (64 - bits));
}

/* Little-endian; compilers make one load of it. */
static inline uint64_t word_read_whole(const unsigned char *data)
{
    return (uint64_t)data[0] | (uint64_t)data[1] << 8 | (uint64_t)data[2] << 16 |
           (uint64_t)data[3] << 24 | (uint64_t)data[4] << 32 | (uint64_t)data[5] << 40 |
           (uint64_t)data[6] << 48 | (uint64_t)data[7] << 56;
}

/* The same of `bytes` 0..7. */
static uint64_t word_read_rest(const unsigned char *data, size_t bytes)
{
    uint64_t word = 0;

    for (size_t i = 0; i < bytes; i++) {
        word |= (uint64_t)data[i] << (8 * i);
    }
    return word;
}

static inline void siphash_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate_left(v[1], 13) ^ v[0];
    v[3] = rotate_left(v[3], 16) ^ v[2];
    v[0] = rotate_left(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotate_left(v[1], 17) ^ v[2];
    v[3] = rotate_left(v[3], 21) ^ v[0];
    v[2] = rotate_left(v[2], 32);
}

static inline void siphash_absorb(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    siphash_round(v);
    siphash_round(v);
    v[0] ^= word;
}

uint64_t invig_siphash(struct invig_seed seed, const void *data, size_t bytes)
{
    /* The constants spell "somepseudorandomlygeneratedbytes", as the paper has it. */
    uint64_t v[4] = {
        seed.word[0] ^ UINT64_C(0x736f6d6570736575), seed.word[1] ^ UINT64_C(0x646f72616e646f6d),
        seed.word[0] ^ UINT64_C(0x6c7967656e657261), seed.word[1] ^ UINT64_C(0x7465646279746573)};
    const unsigned char *next = data;
    size_t left = bytes;

    for (; left >= 8; left -= 8, next += 8) {
        siphash_absorb(v, word_read_whole(next));
    }
    siphash_absorb(v, (uint64_t)bytes << 56 | word_read_rest(next, left));
    v[2] ^= 0xff;
    for (int i = 0; i < 4; i++) {
        siphash_round(v);
    }
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
