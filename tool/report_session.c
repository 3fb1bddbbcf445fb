/* SPDX-License-Identifier: Apache-2.0
 *
 * report_session.c - sessions and users: who is connected.
 */
#include "report.h"

#include "jsonwriter.h"

#include <stdlib.h>
#include <string.h>

/* One entry of listSessions. */
struct entry {
    struct invig_text user;
    struct invig_text session;
    int64_t connections;
};

static bool entry_read(const struct tool_node *node, struct entry *out_entry)
{
    out_entry->user = tool_node_text(tool_node_member(node, "userId"));
    out_entry->session = tool_node_text(tool_node_member(node, "sessionId"));
    return out_entry->user.data != NULL && out_entry->session.data != NULL &&
           tool_node_integer(tool_node_member(node, "connections"), &out_entry->connections) &&
           out_entry->connections >= 0 && out_entry->connections <= INT32_MAX;
}

static int text_compare(struct invig_text a, struct invig_text b)
{
    int order = memcmp(a.data, b.data, a.length < b.length ? a.length : b.length);

    return order != 0 ? order : (a.length > b.length) - (a.length < b.length);
}

static int entry_compare(const void *a, const void *b)
{
    const struct entry *first = a;
    const struct entry *second = b;
    int order = text_compare(first->user, second->user);

    return order != 0 ? order : text_compare(first->session, second->session);
}

/* The entries by user, to be freed. Returns NULL where one makes no sense. */
static struct entry *entries_read(const struct tool_node *data, size_t *out_count)
{
    const struct tool_node *list = tool_node_member(data, "sessions");
    size_t count = tool_node_count(list);
    struct entry *entries = malloc((count + 1) * sizeof *entries);

    for (size_t i = 0; entries != NULL && i < count; i++) {
        if (!entry_read(tool_node_at(list, i), &entries[i])) {
            free(entries);
            entries = NULL;
        }
    }
    if (entries != NULL) {
        qsort(entries, count, sizeof *entries, entry_compare);
    }
    *out_count = count;
    return entries;
}

/* -- sessions -- */

static bool sessions_print(const struct tool_args *args, const struct tool_node *data)
{
    static const char *const titles[] = {"USER", "SESSION", "CONNECTIONS"};
    struct tool_table table;
    size_t count;
    struct entry *entries;

    if (args->is_json) {
        return tool_report_json(data);
    }
    entries = entries_read(data, &count);
    if (entries == NULL) {
        return false;
    }
    tool_table_init(&table, titles, 3, 1U << 2);
    for (size_t i = 0; i < count; i++) {
        tool_table_add(&table, entries[i].user);
        tool_table_add_session(&table, entries[i].session, args->show_ids);
        tool_table_add_number(&table, entries[i].connections);
    }
    free(entries);
    return tool_report_table(&table);
}

enum tool_exit tool_sessions_run(const struct tool_args *args)
{
    const struct tool_request request = {.command = "listSessions"};

    return tool_report(args, &request, "sessions", sessions_print);
}

/* -- users -- */

/* Sums up the entries of the user at `first`. Returns how many they are. */
static size_t user_sum(const struct entry *entries, size_t count, size_t first,
                       int64_t *out_connections)
{
    size_t next = first;

    *out_connections = 0;
    while (next < count && invig_text_equal(entries[next].user, entries[first].user)) {
        *out_connections += entries[next++].connections;
    }
    return next - first;
}

static bool users_print_table(const struct entry *entries, size_t count)
{
    static const char *const titles[] = {"USER", "SESSIONS", "CONNECTIONS"};
    struct tool_table table;
    int64_t connections;

    tool_table_init(&table, titles, 3, 1U << 1 | 1U << 2);
    for (size_t i = 0, sessions; i < count; i += sessions) {
        sessions = user_sum(entries, count, i, &connections);
        tool_table_add(&table, entries[i].user);
        tool_table_add_number(&table, (int64_t)sessions);
        tool_table_add_number(&table, connections);
    }
    return tool_report_table(&table);
}

static void users_write(const struct entry *entries, size_t count,
                        const struct invig_writer *writer)
{
    int64_t connections;

    writer->begin_object(writer->context, NULL);
    writer->begin_array(writer->context, "users");
    for (size_t i = 0, sessions; i < count; i += sessions) {
        sessions = user_sum(entries, count, i, &connections);
        writer->begin_object(writer->context, NULL);
        writer->string(writer->context, "userId", entries[i].user);
        writer->integer(writer->context, "sessions", (int64_t)sessions);
        writer->integer(writer->context, "connections", connections);
        writer->end(writer->context);
    }
    writer->end(writer->context);
    writer->end(writer->context);
}

static bool users_print_json(const struct entry *entries, size_t count)
{
    struct invig_jsonwriter *writer = invig_jsonwriter_new();
    struct tool_node *document = NULL;
    char *json = NULL;

    if (writer != NULL) {
        users_write(entries, count, invig_jsonwriter_writer(writer));
        json = invig_jsonwriter_finish(writer);
        invig_jsonwriter_free(writer);
        document = json == NULL ? NULL : tool_document_read(invig_text_of(json));
    }
    if (document != NULL) { /* by the way that makes it fit for a terminal */
        tool_node_print(document, stdout);
        (void)putchar('\n');
    }
    tool_document_free(document);
    free(json);
    return document != NULL;
}

static bool users_print(const struct tool_args *args, const struct tool_node *data)
{
    size_t count;
    struct entry *entries = entries_read(data, &count);
    bool is_printed;

    if (entries == NULL) {
        return false;
    }
    is_printed =
        args->is_json ? users_print_json(entries, count) : users_print_table(entries, count);
    free(entries);
    return is_printed;
}

enum tool_exit tool_users_run(const struct tool_args *args)
{
    const struct tool_request request = {.command = "listSessions"};

    return tool_report(args, &request, "sessions", users_print);
}
