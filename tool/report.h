/* SPDX-License-Identifier: Apache-2.0
 *
 * report.h - what the commands that ask a broker have in common.
 */
#ifndef INVIGILATOR_TOOL_REPORT_H
#define INVIGILATOR_TOOL_REPORT_H

#include "command.h"
#include "request.h"
#include "table.h"

enum { TOOL_FINGERPRINT_BYTES = 13 };

/* The first 12 hex digits of the SHA-256 of a session id; "?" where it cannot be computed. */
void tool_fingerprint(struct invig_text session, char out[TOOL_FINGERPRINT_BYTES]);

/* Adds a cell: the session id where `shows_id`, else its fingerprint; absent is "-". */
void tool_table_add_session(struct tool_table *table, struct invig_text session, bool shows_id);

/* Connects, asks, has `print` show the first answer's data, and goes. With `list`, as
 * tool_talk_ask_list. `print` returns false where the data makes no sense. */
enum tool_exit tool_report(const struct tool_args *args, const struct tool_request *request,
                           const char *list,
                           bool (*print)(const struct tool_args *args,
                                         const struct tool_node *data));

/* Prints data as it came; returns true. */
bool tool_report_json(const struct tool_node *data);

/* Prints a table and releases it; returns false where it is incomplete. */
bool tool_report_table(struct tool_table *table);

#endif
