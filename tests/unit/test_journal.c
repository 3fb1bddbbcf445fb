/* SPDX-License-Identifier: Apache-2.0
 *
 * test_journal.c - the list of what has changed, and the mark in it.
 */
#include "invigilator/journal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct invig_journal journal;
static struct invig_journal_node nodes[3];

static int setup(void **state)
{
    (void)state;
    memset(&journal, 0, sizeof(journal));
    memset(nodes, 0, sizeof(nodes));
    return 0;
}

/* The journal holds nodes[order[0]], ..., and nothing else. */
static void assert_holds(const int *order, size_t count)
{
    const struct invig_journal_node *each = journal.first;
    const struct invig_journal_node *previous = NULL;

    for (size_t i = 0; i < count; i++) {
        assert_ptr_equal(each, &nodes[order[i]]);
        assert_true(each->is_noted);
        assert_ptr_equal(each->previous, previous);
        previous = each;
        each = each->next;
    }
    assert_null(each);
    assert_ptr_equal(journal.last, previous);
    assert_int_equal(journal.count, count);
}

static void test_journal_notes_in_order(void **state)
{
    (void)state;
    assert_holds(NULL, 0);
    for (size_t i = 0; i < 3; i++) {
        invig_journal_note(&journal, &nodes[i]);
    }
    assert_holds((const int[]){0, 1, 2}, 3);
    invig_journal_note(&journal, &nodes[1]);
    assert_holds((const int[]){0, 2, 1}, 3);
    invig_journal_remove(&journal, &nodes[0]);
    invig_journal_remove(&journal, &nodes[0]);
    assert_holds((const int[]){2, 1}, 2);
    invig_journal_remove(&journal, &nodes[1]);
    invig_journal_remove(&journal, &nodes[2]);
    assert_holds(NULL, 0);
}

static void test_journal_mark(void **state)
{
    (void)state;
    assert_null(invig_journal_behind_mark(&journal));
    invig_journal_note(&journal, &nodes[0]);
    assert_ptr_equal(invig_journal_behind_mark(&journal), &nodes[0]);
    invig_journal_note(&journal, &nodes[1]);
    invig_journal_set_mark(&journal);
    assert_null(invig_journal_behind_mark(&journal));
    invig_journal_note(&journal, &nodes[2]);
    assert_ptr_equal(invig_journal_behind_mark(&journal), &nodes[2]);
    /* What the mark stood on goes behind it when it changes again. */
    invig_journal_note(&journal, &nodes[1]);
    assert_ptr_equal(invig_journal_behind_mark(&journal), &nodes[2]);
    assert_holds((const int[]){0, 2, 1}, 3);
    invig_journal_remove(&journal, &nodes[0]);
    assert_ptr_equal(invig_journal_behind_mark(&journal), &nodes[2]);
    invig_journal_set_mark(&journal);
    invig_journal_remove(&journal, &nodes[1]);
    assert_null(invig_journal_behind_mark(&journal));
    invig_journal_remove(&journal, &nodes[2]);
    invig_journal_note(&journal, &nodes[0]);
    assert_ptr_equal(invig_journal_behind_mark(&journal), &nodes[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_journal_notes_in_order, setup),
        cmocka_unit_test_setup(test_journal_mark, setup),
    };

    return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
