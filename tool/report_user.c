/* SPDX-License-Identifier: Apache-2.0
 *
 * report_user.c - one user, one evaluation.
 */
#include "report.h"

#include <stdlib.h>

/* A line above a table; what is absent or null is left out. */
static void print_line(const char *title, struct invig_text text)
{
    if (text.data != NULL) {
        (void)printf("%-12s%s\n", title, tool_show(text).text);
    }
}

/* Every member of these names is a text, or null where it may be. */
static bool table_add_texts(struct tool_table *table, const struct tool_node *node,
                            const char *const *names, size_t count)
{
    bool is_sound = true;

    for (size_t i = 0; i < count; i++) {
        struct invig_text text = tool_node_text(tool_node_member(node, names[i]));

        is_sound = is_sound && (text.data != NULL || tool_node_is_null(node, names[i]));
        tool_table_add(table, text);
    }
    return is_sound;
}

/* -- user -- */

static bool session_add(struct tool_table *table, const struct tool_node *session, bool shows_id)
{
    static const char *const names[] = {"clientId", "address", "since", "expiresAt"};
    const struct tool_node *connections = tool_node_member(session, "connections");
    struct invig_text id = tool_node_text(tool_node_member(session, "sessionId"));
    bool is_current = false;
    bool is_sound = id.data != NULL && tool_node_is_array(connections) &&
                    tool_node_boolean(tool_node_member(session, "current"), &is_current);
    size_t count = tool_node_count(connections);

    for (size_t i = 0; i < (count == 0 ? 1 : count); i++) {
        tool_table_add_session(table, id, shows_id);
        tool_table_add_flag(table, is_current);
        tool_table_add(table, tool_node_text(tool_node_member(session, "loginAt")));
        if (count > 0) {
            is_sound = table_add_texts(table, tool_node_at(connections, i), names, 4) && is_sound;
            continue;
        }
        for (int k = 0; k < 4; k++) {
            tool_table_add(table, (struct invig_text){NULL, 0});
        }
    }
    return is_sound;
}

static bool sessions_print(const struct tool_args *args, const struct tool_node *sessions)
{
    static const char *const titles[] = {"SESSION", "CURRENT", "LOGIN",  "CLIENT",
                                         "ADDRESS", "SINCE",   "EXPIRES"};
    struct tool_table table;
    bool is_sound = tool_node_is_array(sessions);

    tool_table_init(&table, titles, 7, 0);
    for (size_t i = 0; is_sound && i < tool_node_count(sessions); i++) {
        is_sound = session_add(&table, tool_node_at(sessions, i), args->show_ids);
    }
    if (is_sound) {
        return tool_report_table(&table);
    }
    tool_table_deinit(&table);
    return false;
}

static bool bindings_print(const struct tool_args *args, const struct tool_node *bindings)
{
    static const char *const titles[] = {"BOUND IN", "SESSION"};
    struct tool_table table;

    if (!tool_node_is_array(bindings) || tool_node_count(bindings) == 0) {
        return tool_node_is_array(bindings);
    }
    tool_table_init(&table, titles, 2, 0);
    for (size_t i = 0; i < tool_node_count(bindings); i++) {
        const struct tool_node *binding = tool_node_at(bindings, i);

        tool_table_add(&table, tool_node_text(tool_node_member(binding, "evaluationId")));
        tool_table_add_session(&table, tool_node_text(tool_node_member(binding, "sessionId")),
                               args->show_ids);
    }
    (void)putchar('\n');
    return tool_report_table(&table);
}

static bool blocks_print(const struct tool_node *blocks)
{
    static const char *const titles[] = {"BLOCKED IN", "REASON", "SINCE"};
    static const char *const names[] = {"evaluationId", "reason", "since"};
    struct tool_table table;
    bool is_sound = tool_node_is_array(blocks);

    if (!is_sound || tool_node_count(blocks) == 0) {
        return is_sound;
    }
    tool_table_init(&table, titles, 3, 0);
    for (size_t i = 0; i < tool_node_count(blocks); i++) {
        is_sound = table_add_texts(&table, tool_node_at(blocks, i), names, 3) && is_sound;
    }
    (void)putchar('\n');
    return tool_report_table(&table) && is_sound;
}

static bool user_print(const struct tool_args *args, const struct tool_node *data)
{
    if (args->is_json) {
        return tool_report_json(data);
    }
    return sessions_print(args, tool_node_member(data, "sessions")) &&
           bindings_print(args, tool_node_member(data, "bindings")) &&
           blocks_print(tool_node_member(data, "blocks"));
}

enum tool_exit tool_user_run(const struct tool_args *args)
{
    const struct tool_request request = {
        .command = "getUser",
        .members = {{"userId", TOOL_MEMBER_TEXT, args->words[0], 0}},
        .count = 1,
    };

    return tool_report(args, &request, NULL, user_print);
}

/* -- evaluation -- */

static bool participant_add(struct tool_table *table, const struct tool_node *participant)
{
    struct invig_text user = tool_node_text(tool_node_member(participant, "userId"));
    struct invig_text access = tool_node_text(tool_node_member(participant, "access"));
    bool is_online = false;
    bool is_bound = false;
    bool is_sound = user.data != NULL && access.data != NULL &&
                    tool_node_boolean(tool_node_member(participant, "online"), &is_online) &&
                    tool_node_boolean(tool_node_member(participant, "bound"), &is_bound);

    tool_table_add(table, user);
    tool_table_add(table, access);
    tool_table_add_flag(table, is_online);
    tool_table_add_flag(table, is_bound);
    return is_sound;
}

static bool evaluation_head(const struct tool_node *data)
{
    bool is_strict = false;
    int64_t version;

    if (!tool_node_boolean(tool_node_member(data, "strict"), &is_strict) ||
        tool_node_text(tool_node_member(data, "evaluationId")).data == NULL) {
        return false;
    }
    print_line("evaluation", tool_node_text(tool_node_member(data, "evaluationId")));
    print_line("phase", tool_node_text(tool_node_member(data, "phase")));
    print_line("strict", invig_text_of(is_strict ? "yes" : "no"));
    print_line("ends", tool_node_text(tool_node_member(data, "endAt")));
    if (tool_node_integer(tool_node_member(data, "version"), &version)) {
        (void)printf("%-12s%lld\n", "version", (long long)version);
    }
    (void)putchar('\n');
    return true;
}

static bool evaluation_print(const struct tool_args *args, const struct tool_node *data)
{
    static const char *const titles[] = {"USER", "ACCESS", "ONLINE", "BOUND"};
    const struct tool_node *participants = tool_node_member(data, "participants");
    struct tool_table table;
    bool is_sound = true;

    if (args->is_json) {
        return tool_report_json(data);
    }
    tool_table_init(&table, titles, 4, 0);
    for (size_t i = 0; is_sound && i < tool_node_count(participants); i++) {
        is_sound = participant_add(&table, tool_node_at(participants, i));
    }
    if (is_sound && evaluation_head(data)) {
        return tool_report_table(&table);
    }
    tool_table_deinit(&table);
    return false;
}

enum tool_exit tool_evaluation_run(const struct tool_args *args)
{
    const struct tool_request request = {
        .command = "getEvaluation",
        .members = {{"evaluationId", TOOL_MEMBER_TEXT, args->words[0], 0}},
        .count = 1,
    };

    return tool_report(args, &request, "participants", evaluation_print);
}
