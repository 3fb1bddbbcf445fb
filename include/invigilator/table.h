/* SPDX-License-Identifier: Apache-2.0
 *
 * table.h - hash table whose nodes live inside the caller's objects; the only user of uthash.
 * Keyed by SipHash with a secret seed, so chosen keys cannot flood it. Out of memory is returned.
 * Owns: its buckets, never the nodes or keys.  Not thread-safe.  Depends on: text.
 */
#ifndef INVIGILATOR_TABLE_H
#define INVIGILATOR_TABLE_H

#include "invigilator/text.h"

enum { INVIG_TABLE_NODE_WORDS = 7 };

/* Put this into an object that goes into a table. An object may have several, one per table.
 * Content is the table's. */
struct invig_table_node {
    void *opaque[INVIG_TABLE_NODE_WORDS];
};

/* 128 secret bits; make them once with a random generator. */
struct invig_seed {
    uint64_t word[2];
};

struct invig_table {
    struct invig_table_node *head;
    struct invig_seed seed;
};

void invig_table_init(struct invig_table *table, struct invig_seed seed);

/* Forgets all nodes without touching the objects and releases the buckets. */
void invig_table_deinit(struct invig_table *table);

size_t invig_table_count(const struct invig_table *table);

/* Finds the node that was added under the same bytes. Returns NULL when there is none. */
struct invig_table_node *invig_table_find(const struct invig_table *table, const void *key,
                                          size_t key_bytes);

/* Adds `node` under `key`, which must not be in the table and must stay in place while the node is.
 * Returns false, with nothing changed, when memory is out (or the key is longer than UINT_MAX). */
bool invig_table_add(struct invig_table *table, struct invig_table_node *node, const void *key,
                     size_t key_bytes);

/* Takes `node`, which must be in the table, out of it. Needs no memory. */
void invig_table_remove(struct invig_table *table, struct invig_table_node *node);

/* Puts `node` under `key` in the place of `old`, which is in the table under the same bytes.
 * Needs no memory. Returns false, with nothing changed, only for a key that cannot be added. */
bool invig_table_replace(struct invig_table *table, struct invig_table_node *old,
                         struct invig_table_node *node, const void *key, size_t key_bytes);

/* Walks the nodes in the order in which they were added: NULL gives the first, the last gives NULL.
 * A node may be removed once its successor was asked for. */
struct invig_table_node *invig_table_next(const struct invig_table *table,
                                          const struct invig_table_node *node);

/* SipHash-2-4 of Aumasson and Bernstein (2012). */
uint64_t invig_siphash(struct invig_seed seed, const void *data, size_t bytes);

#endif
