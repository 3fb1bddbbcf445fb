/* SPDX-License-Identifier: Apache-2.0
 *
 * table.h - columns for people: as wide as what stands in them, fitted to a terminal.
 * Owns: copies of what is added, with control characters and the like escaped.
 */
#ifndef INVIGILATOR_TOOL_TABLE_H
#define INVIGILATOR_TOOL_TABLE_H

#include "invigilator/text.h"

#include <stdio.h>

enum { TOOL_COLUMNS_MAX = 8, TOOL_COLUMN_WIDTH_MIN = 6 };

struct tool_table {
    size_t columns;
    unsigned right;     /* bit (1u << column): numbers, which stand to the right */
    char **cells;       /* row by row, the titles first */
    size_t count;       /* of cells */
    bool is_incomplete; /* memory was out */
};

/* Makes a table of at most TOOL_COLUMNS_MAX columns with these titles. */
void tool_table_init(struct tool_table *table, const char *const *titles, size_t columns,
                     unsigned right);

void tool_table_deinit(struct tool_table *table);

/* Adds the next cell of a row; an absent text is shown as "-". */
void tool_table_add(struct tool_table *table, struct invig_text text);
void tool_table_add_number(struct tool_table *table, int64_t number);
void tool_table_add_flag(struct tool_table *table, bool flag); /* "yes" or "-" */

/* Prints it, two blanks between columns and none at the end of a line. Where it would be wider than
 * `width`, the widest columns give way and what is cut ends in "..."; 0: no limit. */
void tool_table_print(const struct tool_table *table, size_t width, FILE *stream);

/* The columns that a terminal takes for UTF-8 text: none for combining marks, two for wide ones. */
size_t tool_text_width(const char *text);

/* The width of the terminal on stdout; 0 where it is none. */
size_t tool_screen_width(void);

#endif
