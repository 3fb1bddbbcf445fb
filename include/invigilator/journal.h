/* SPDX-License-Identifier: Apache-2.0
 *
 * journal.h - which records have changed since they were last stored. A list that runs through what
 * holds the records, so that noting a change needs no memory.
 * Owns: nothing.  Depends on: nothing.
 */
#ifndef INVIGILATOR_JOURNAL_H
#define INVIGILATOR_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>

enum invig_journal_kind {
    INVIG_JOURNAL_USER = 1,
    INVIG_JOURNAL_SESSION,
    INVIG_JOURNAL_EVALUATION,
    INVIG_JOURNAL_MEMBER
};

/* Put this into an object that holds a record. Zeroed memory, but for the kind, is in no journal.
 */
struct invig_journal_node {
    struct invig_journal_node *previous;
    struct invig_journal_node *next;
    bool is_noted;
    enum invig_journal_kind kind; /* what the node is part of */
};

/* Zeroed memory is an empty journal. */
struct invig_journal {
    struct invig_journal_node *first; /* in the order in which they were noted */
    struct invig_journal_node *last;
    struct invig_journal_node *mark; /* the last that was noted before it was set; NULL: none */
    size_t count;
};

/* Notes that a record changes. One that is noted already goes to the end. */
void invig_journal_note(struct invig_journal *journal, struct invig_journal_node *node);

/* Takes it out; not noted is allowed. */
void invig_journal_remove(struct invig_journal *journal, struct invig_journal_node *node);

/* Sets the mark: what is noted from here on stands behind it. */
void invig_journal_set_mark(struct invig_journal *journal);

/* The first node behind the mark; NULL when there is none. */
struct invig_journal_node *invig_journal_behind_mark(const struct invig_journal *journal);

#endif
