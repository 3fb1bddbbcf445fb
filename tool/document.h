/* SPDX-License-Identifier: Apache-2.0
 *
 * document.h - JSON from the broker, read strictly, and looked into without trust: every question
 * says whether there is an answer of that kind.
 * Hides: json-c.
 */
#ifndef INVIGILATOR_TOOL_DOCUMENT_H
#define INVIGILATOR_TOOL_DOCUMENT_H

#include "invigilator/text.h"

#include <stdio.h>

/* A value in a document; borrowed from it. NULL answers every question with no. */
struct tool_node;

/* Reads an object: RFC 8259, UTF-8, no duplicate member, at most 32 levels. To be freed with
 * tool_document_free. Returns NULL when it is anything else, or memory is out. */
struct tool_node *tool_document_read(struct invig_text text);

void tool_document_free(struct tool_node *document); /* NULL is allowed */

/* The member of an object; NULL: none. */
struct tool_node *tool_node_member(const struct tool_node *node, const char *name);

/* The number of an array's values; 0 where it is no array. */
size_t tool_node_count(const struct tool_node *node);
struct tool_node *tool_node_at(const struct tool_node *array, size_t index);
bool tool_node_is_array(const struct tool_node *node);
bool tool_node_is_object(const struct tool_node *node);

/* The text of a string; absent where it is none. */
struct invig_text tool_node_text(const struct tool_node *node);

bool tool_node_integer(const struct tool_node *node, int64_t *out_integer);
bool tool_node_boolean(const struct tool_node *node, bool *out_boolean);
bool tool_node_is_null(const struct tool_node *parent, const char *name);

/* Calls `each` for every member of an object in order. */
void tool_node_each(const struct tool_node *object,
                    void (*each)(void *context, const char *name, const struct tool_node *value),
                    void *context);

/* Moves the values of array `from` behind those of array `to`. Returns false when memory is out. */
bool tool_node_append(struct tool_node *to, struct tool_node *from);

/* Prints it as one line without a newline. ASCII control characters are escaped in JSON; those that
 * change a terminal's direction of writing are escaped besides. */
void tool_node_print(const struct tool_node *node, FILE *stream);

#endif
