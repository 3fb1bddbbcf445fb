/* SPDX-License-Identifier: Apache-2.0
 *
 * table.c - see table.h.
 */
#define _DEFAULT_SOURCE /* the size of a terminal */

#include "table.h"

#include "invigilator/logline.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { CELL_BYTES_MAX = 1024, GAP = 2 };

void tool_table_init(struct tool_table *table, const char *const *titles, size_t columns,
                     unsigned right)
{
    *table = (struct tool_table){.columns = columns, .right = right};
    for (size_t i = 0; i < columns; i++) {
        tool_table_add(table, invig_text_of(titles[i]));
    }
}

void tool_table_deinit(struct tool_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        free(table->cells[i]);
    }
    free(table->cells);
    *table = (struct tool_table){0};
}

/* Grows by doubling, at powers of two. */
static bool table_reserve(struct tool_table *table)
{
    char **grown;

    if ((table->count & (table->count - 1)) != 0) {
        return true;
    }
    grown = realloc(table->cells, (table->count == 0 ? 1 : 2 * table->count) * sizeof *grown);
    if (grown != NULL) {
        table->cells = grown;
    }
    return grown != NULL;
}

void tool_table_add(struct tool_table *table, struct invig_text text)
{
    struct invig_text shown = text.data == NULL ? invig_text_of("-") : text;
    size_t length = shown.length < CELL_BYTES_MAX ? shown.length : CELL_BYTES_MAX;
    size_t size = 4 * length + 4;
    char *cell = table->is_incomplete ? NULL : malloc(size);

    if (cell == NULL || !table_reserve(table)) {
        table->is_incomplete = true;
        free(cell);
        return;
    }
    (void)invig_logline_escape(shown, CELL_BYTES_MAX, cell, size);
    table->cells[table->count++] = cell;
}

void tool_table_add_number(struct tool_table *table, int64_t number)
{
    char text[24];

    (void)snprintf(text, sizeof text, "%" PRId64, number);
    tool_table_add(table, invig_text_of(text));
}

void tool_table_add_flag(struct tool_table *table, bool flag)
{
    tool_table_add(table, invig_text_of(flag ? "yes" : "-"));
}

static size_t code_point_width(int32_t code)
{
    static const struct {
        int32_t first, last;
        size_t width;
    } ranges[] = {
        {0x0300, 0x036F, 0}, {0x1AB0, 0x1AFF, 0},   {0x1DC0, 0x1DFF, 0},   {0x20D0, 0x20FF, 0},
        {0xFE00, 0xFE0F, 0}, {0xFE20, 0xFE2F, 0},   {0x1100, 0x115F, 2},   {0x2E80, 0xA4CF, 2},
        {0xAC00, 0xD7A3, 2}, {0xF900, 0xFAFF, 2},   {0xFE30, 0xFE6F, 2},   {0xFF00, 0xFF60, 2},
        {0xFFE0, 0xFFE6, 2}, {0x1F300, 0x1F64F, 2}, {0x1F900, 0x1F9FF, 2}, {0x20000, 0x3FFFD, 2},
    };

    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        if (code >= ranges[i].first && code <= ranges[i].last) {
            return ranges[i].width;
        }
    }
    return 1;
}

size_t tool_text_width(const char *text)
{
    struct invig_text rest = invig_text_of(text);
    size_t width = 0;
    int32_t code;

    while ((code = invig_text_next_code_point(&rest)) >= 0) {
        width += code_point_width(code);
    }
    return width + rest.length; /* nothing is left of an escaped text */
}

/* The bytes of `text` that take at most `width` columns. */
static size_t text_fit(const char *text, size_t width, size_t *out_used)
{
    struct invig_text rest = invig_text_of(text);
    size_t used = 0;

    for (;;) {
        struct invig_text next = rest;
        int32_t code = invig_text_next_code_point(&next);

        if (code < 0 || used + code_point_width(code) > width) {
            *out_used = used;
            return (size_t)(rest.data - text);
        }
        used += code_point_width(code);
        rest = next;
    }
}

static void print_blanks(size_t count, FILE *stream)
{
    for (; count > 0; count--) {
        (void)fputc(' ', stream);
    }
}

static void print_cell(const char *cell, size_t width, bool is_right, bool is_last, FILE *stream)
{
    size_t used = tool_text_width(cell);

    if (used > width) {
        int bytes = (int)text_fit(cell, width - 3, &used);

        (void)fprintf(stream, "%.*s...", bytes, cell);
        print_blanks(is_last ? 0 : width - used - 3, stream);
        return;
    }
    print_blanks(is_right ? width - used : 0, stream);
    (void)fputs(cell, stream);
    print_blanks(is_right || is_last ? 0 : width - used, stream);
}

/* Takes columns off the widest until all fit. */
static void widths_shrink(size_t *widths, size_t columns, size_t limit)
{
    for (;;) {
        size_t total = (columns - 1) * GAP;
        size_t widest = 0;

        for (size_t i = 0; i < columns; i++) {
            total += widths[i];
            widest = widths[i] > widths[widest] ? i : widest;
        }
        if (total <= limit || widths[widest] <= TOOL_COLUMN_WIDTH_MIN) {
            return;
        }
        widths[widest]--;
    }
}

void tool_table_print(const struct tool_table *table, size_t width, FILE *stream)
{
    size_t widths[TOOL_COLUMNS_MAX] = {0};

    for (size_t i = 0; i < table->count; i++) {
        size_t cell = tool_text_width(table->cells[i]);
        size_t *column = &widths[i % table->columns];

        *column = cell > *column ? cell : *column;
    }
    if (width > 0) {
        widths_shrink(widths, table->columns, width);
    }
    for (size_t i = 0; i < table->count; i++) {
        size_t column = i % table->columns;
        bool is_last = column + 1 == table->columns;

        print_cell(table->cells[i], widths[column], (table->right & (1U << column)) != 0, is_last,
                   stream);
        if (is_last) {
            (void)fputc('\n', stream);
        } else {
            print_blanks(GAP, stream);
        }
    }
}

size_t tool_screen_width(void)
{
    struct winsize size = {0};

    return isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}
