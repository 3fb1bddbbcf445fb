/* SPDX-License-Identifier: Apache-2.0
 *
 * test_table.c - the hash table, also when memory is out, and SipHash by its published vectors.
 * The build wraps malloc(3) and calloc(3) for this test, so that single allocations can be made to
 * fail.
 */
#include "invigilator/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { NODES = 3000 };

/* The node is not the first member, so that a wrong conversion would show. */
struct item {
    char before[8];
    struct invig_table_node node;
    uint32_t key;
};

static struct item items[NODES];
static const struct invig_seed SEED = {
    {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)}};

static bool memory_is_out;
static size_t memory_asked_count;
static size_t memory_refused_count;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

static bool memory_is_granted(void)
{
    memory_asked_count++;
    memory_refused_count += memory_is_out;
    return !memory_is_out;
}

void *__wrap_malloc(size_t size)
{
    return memory_is_granted() ? __real_malloc(size) : NULL;
}

/* Optimising compilers make one calloc(3) of malloc(3) and memset(3). */
void *__wrap_calloc(size_t count, size_t size)
{
    return memory_is_granted() ? __real_calloc(count, size) : NULL;
}

static int reset(void **state)
{
    (void)state;
    memory_is_out = false;
    memory_asked_count = 0;
    memory_refused_count = 0;
    memset(items, 0, sizeof(items));
    for (uint32_t i = 0; i < NODES; i++) {
        items[i].key = i;
    }
    return 0;
}

static bool add(struct invig_table *table, struct item *item)
{
    return invig_table_add(table, &item->node, &item->key, sizeof(item->key));
}

static struct invig_table_node *find(const struct invig_table *table, uint32_t key)
{
    return invig_table_find(table, &key, sizeof(key));
}

/* Exactly the items from `first` up to `end`, by `step`, are in the table, in this order. */
static void assert_holds(const struct invig_table *table, uint32_t first, uint32_t end,
                         uint32_t step)
{
    const struct invig_table_node *node = NULL;
    size_t count = 0;

    for (uint32_t i = first; i < end; i += step, count++) {
        assert_ptr_equal(find(table, i), &items[i].node);
        node = invig_table_next(table, node);
        assert_ptr_equal(node, &items[i].node);
    }
    assert_int_equal(invig_table_count(table), count);
    assert_null(count == 0 ? table->head : invig_table_next(table, node));
}

static void test_table_empty_has_nothing(void **state)
{
    struct invig_table table;

    (void)state;
    invig_table_init(&table, SEED);
    assert_int_equal(invig_table_count(&table), 0);
    assert_null(find(&table, 1));
    assert_null(invig_table_next(&table, NULL));
    invig_table_deinit(&table);
    invig_table_deinit(&table);
}

static void test_table_finds_what_was_added(void **state)
{
    struct invig_table table;

    (void)state;
    invig_table_init(&table, SEED);
    for (uint32_t i = 0; i < NODES; i++) {
        assert_true(add(&table, &items[i]));
    }
    assert_holds(&table, 0, NODES, 1);
    assert_null(find(&table, NODES));
    for (uint32_t i = 0; i < NODES; i += 2) {
        invig_table_remove(&table, &items[i].node);
        assert_null(find(&table, i));
    }
    assert_holds(&table, 1, NODES, 2);
    for (uint32_t i = 1; i < NODES; i += 2) {
        invig_table_remove(&table, &items[i].node);
    }
    assert_holds(&table, 0, 0, 1);
    assert_true(add(&table, &items[5]));
    assert_holds(&table, 5, 6, 1);
    invig_table_deinit(&table);
    assert_int_equal(invig_table_count(&table), 0);
}

static void test_table_nodes_may_go_during_a_walk(void **state)
{
    struct invig_table table;
    struct invig_table_node *node;
    size_t count = 0;

    (void)state;
    invig_table_init(&table, SEED);
    for (uint32_t i = 0; i < 100; i++) {
        assert_true(add(&table, &items[i]));
    }
    node = invig_table_next(&table, NULL);
    while (node != NULL) {
        struct invig_table_node *next = invig_table_next(&table, node);

        invig_table_remove(&table, node);
        node = next;
        count++;
    }
    assert_int_equal(count, 100);
    assert_int_equal(invig_table_count(&table), 0);
}

/* Keys are bytes with a length: a prefix, a NUL and an empty key are keys of their own. */
static void test_table_keys_are_compared_whole(void **state)
{
    const char bytes[] = "ab\0cd";
    const size_t lengths[] = {0, 1, 2, 3, 4, 5};
    struct invig_table table;

    (void)state;
    invig_table_init(&table, SEED);
    for (size_t i = 0; i < 6; i++) {
        assert_null(invig_table_find(&table, bytes, lengths[i]));
        assert_true(invig_table_add(&table, &items[i].node, bytes, lengths[i]));
    }
    for (size_t i = 0; i < 6; i++) {
        assert_ptr_equal(invig_table_find(&table, bytes, lengths[i]), &items[i].node);
    }
    assert_null(invig_table_find(&table, NULL, 0));
    assert_null(invig_table_find(&table, "ab\0ce", 5));
    invig_table_deinit(&table);
}

static void test_table_object_may_be_in_two_tables(void **state)
{
    struct {
        struct invig_table_node by_name;
        struct invig_table_node by_number;
    } object = {{{0}}, {{0}}};
    struct invig_table names;
    struct invig_table numbers;

    (void)state;
    invig_table_init(&names, SEED);
    invig_table_init(&numbers, SEED);
    assert_true(invig_table_add(&names, &object.by_name, "n", 1));
    assert_true(invig_table_add(&numbers, &object.by_number, "7", 1));
    assert_ptr_equal(invig_table_find(&names, "n", 1), &object.by_name);
    assert_ptr_equal(invig_table_find(&numbers, "7", 1), &object.by_number);
    assert_null(invig_table_find(&names, "7", 1));
    invig_table_remove(&names, &object.by_name);
    assert_ptr_equal(invig_table_find(&numbers, "7", 1), &object.by_number);
    invig_table_deinit(&numbers);
}

static void test_table_first_add_without_memory_changes_nothing(void **state)
{
    struct invig_table table;

    (void)state;
    invig_table_init(&table, SEED);
    memory_is_out = true;
    assert_false(add(&table, &items[0]));
    memory_is_out = false;
    assert_int_equal(memory_refused_count, 1);
    assert_holds(&table, 0, 0, 1);
    assert_true(add(&table, &items[0]));
    assert_holds(&table, 0, 1, 1);
    invig_table_deinit(&table);
}

/* Memory is out at each addition, so every growth fails once; then there is memory again. */
static void test_table_growth_without_memory_changes_nothing(void **state)
{
    struct invig_table table;
    size_t failed_count = 0;

    (void)state;
    invig_table_init(&table, SEED);
    for (uint32_t i = 0; i < NODES; i++) {
        memory_is_out = true;
        if (!add(&table, &items[i])) {
            memory_is_out = false;
            failed_count++;
            assert_null(find(&table, i));
            assert_holds(&table, 0, i, 1);
            assert_true(add(&table, &items[i]));
        }
        memory_is_out = false;
    }
    assert_true(failed_count > 3);
    assert_holds(&table, 0, NODES, 1);
    invig_table_deinit(&table);
}

/* Without memory some keys still fit and some do not; what was refused is not there. */
static void test_table_stays_right_while_memory_is_out(void **state)
{
    static bool is_in[NODES];
    struct invig_table table;
    size_t count = 1;

    (void)state;
    invig_table_init(&table, SEED);
    assert_true(add(&table, &items[0]));
    is_in[0] = true;
    memory_is_out = true;
    for (uint32_t i = 1; i < NODES; i++) {
        is_in[i] = add(&table, &items[i]);
        count += is_in[i];
    }
    memory_is_out = false;
    assert_int_equal(invig_table_count(&table), count);
    for (uint32_t i = 0; i < NODES; i++) {
        assert_int_equal(find(&table, i) != NULL, is_in[i]);
        if (is_in[i]) {
            invig_table_remove(&table, &items[i].node);
        }
    }
    assert_int_equal(invig_table_count(&table), 0);
    assert_true(memory_refused_count > 100);
}

static void test_table_replace_needs_no_memory(void **state)
{
    static struct item others[NODES];
    struct invig_table table;

    (void)state;
    invig_table_init(&table, SEED);
    for (uint32_t i = 0; i < NODES; i++) {
        assert_true(add(&table, &items[i]));
        memory_is_out = true;
        for (uint32_t j = i > 40 ? i - 40 : 0; j <= i; j++) {
            struct item *old = find(&table, j) == &items[j].node ? &items[j] : &others[j];
            struct item *new = old == &items[j] ? &others[j] : &items[j];

            new->key = j;
            assert_true(
                invig_table_replace(&table, &old->node, &new->node, &new->key, sizeof(new->key)));
            memset(&old->node, 0xa5, sizeof(old->node));
            assert_ptr_equal(find(&table, j), &new->node);
        }
        memory_is_out = false;
        assert_int_equal(invig_table_count(&table), i + 1);
    }
    assert_int_equal(memory_refused_count, 0);
    assert_true(memory_asked_count > 5); /* the table still grows where it may */
    invig_table_deinit(&table);
}

/* Hashes of the messages 00 01 02 ... of 0 to 63 bytes under the key 00 01 ... 0f, from the
 * reference implementation's vectors; the one of 15 bytes is also in the paper's appendix. */
static void test_table_siphash_gives_the_published_values(void **state)
{
    static const struct {
        size_t bytes;
        uint64_t hash;
    } VECTORS[] = {
        {0, UINT64_C(0x726fdb47dd0e0e31)},  {1, UINT64_C(0x74f839c593dc67fd)},
        {2, UINT64_C(0x0d6c8009d9a94f5a)},  {3, UINT64_C(0x85676696d7fb7e2d)},
        {4, UINT64_C(0xcf2794e0277187b7)},  {5, UINT64_C(0x18765564cd99a68d)},
        {6, UINT64_C(0xcbc9466e58fee3ce)},  {7, UINT64_C(0xab0200f58b01d137)},
        {8, UINT64_C(0x93f5f5799a932462)},  {9, UINT64_C(0x9e0082df0ba9e4b0)},
        {10, UINT64_C(0x7a5dbbc594ddb9f3)}, {11, UINT64_C(0xf4b32f46226bada7)},
        {12, UINT64_C(0x751e8fbc860ee5fb)}, {13, UINT64_C(0x14ea5627c0843d90)},
        {14, UINT64_C(0xf723ca908e7af2ee)}, {15, UINT64_C(0xa129ca6149be45e5)},
        {63, UINT64_C(0x958a324ceb064572)},
    };
    unsigned char message[64];

    (void)state;
    for (unsigned char i = 0; i < sizeof(message); i++) {
        message[i] = i;
    }
    for (size_t i = 0; i < sizeof(VECTORS) / sizeof(VECTORS[0]); i++) {
        assert_true(invig_siphash(SEED, message, VECTORS[i].bytes) == VECTORS[i].hash);
    }
    assert_true(invig_siphash(SEED, NULL, 0) == VECTORS[0].hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_table_empty_has_nothing, reset),
        cmocka_unit_test_setup(test_table_finds_what_was_added, reset),
        cmocka_unit_test_setup(test_table_nodes_may_go_during_a_walk, reset),
        cmocka_unit_test_setup(test_table_keys_are_compared_whole, reset),
        cmocka_unit_test_setup(test_table_object_may_be_in_two_tables, reset),
        cmocka_unit_test_setup(test_table_first_add_without_memory_changes_nothing, reset),
        cmocka_unit_test_setup(test_table_growth_without_memory_changes_nothing, reset),
        cmocka_unit_test_setup(test_table_stays_right_while_memory_is_out, reset),
        cmocka_unit_test_setup(test_table_replace_needs_no_memory, reset),
        cmocka_unit_test_setup(test_table_siphash_gives_the_published_values, reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
