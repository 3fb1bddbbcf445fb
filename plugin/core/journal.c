/* SPDX-License-Identifier: Apache-2.0
 *
 * journal.c - see journal.h.
 */
#include "invigilator/journal.h"

void invig_journal_note(struct invig_journal *journal, struct invig_journal_node *node)
{
    invig_journal_remove(journal, node);
    node->is_noted = true;
    node->previous = journal->last;
    *(journal->last == NULL ? &journal->first : &journal->last->next) = node;
    journal->last = node;
    journal->count++;
}

void invig_journal_remove(struct invig_journal *journal, struct invig_journal_node *node)
{
    if (!node->is_noted) {
        return;
    }
    if (journal->mark == node) {
        journal->mark = node->previous;
    }
    *(node->previous == NULL ? &journal->first : &node->previous->next) = node->next;
    *(node->next == NULL ? &journal->last : &node->next->previous) = node->previous;
    node->previous = NULL;
    node->next = NULL;
    node->is_noted = false;
    journal->count--;
}

void invig_journal_set_mark(struct invig_journal *journal)
{
    journal->mark = journal->last;
}

struct invig_journal_node *invig_journal_behind_mark(const struct invig_journal *journal)
{
    return journal->mark == NULL ? journal->first : journal->mark->next;
}
