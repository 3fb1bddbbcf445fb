/* SPDX-License-Identifier: Apache-2.0
 *
 * report.c - see report.h; and stats.
 */
#include "report.h"

#include "digest.h"

void tool_fingerprint(struct invig_text session, char out[TOOL_FINGERPRINT_BYTES])
{
    unsigned char digest[INVIG_SHA256_BYTES];

    (void)snprintf(out, TOOL_FINGERPRINT_BYTES, "?");
    if (session.data != NULL && invig_digest_sha256(session.data, session.length, digest)) {
        for (size_t i = 0; i < 6; i++) {
            (void)snprintf(out + 2 * i, 3, "%02x", digest[i]);
        }
    }
}

void tool_table_add_session(struct tool_table *table, struct invig_text session, bool shows_id)
{
    char fingerprint[TOOL_FINGERPRINT_BYTES];

    if (session.data == NULL || shows_id) {
        tool_table_add(table, session);
        return;
    }
    tool_fingerprint(session, fingerprint);
    tool_table_add(table, invig_text_of(fingerprint));
}

bool tool_report_table(struct tool_table *table)
{
    bool is_complete = !table->is_incomplete;

    if (is_complete) {
        tool_table_print(table, tool_screen_width(), stdout);
    }
    tool_table_deinit(table);
    return is_complete;
}

bool tool_report_json(const struct tool_node *data)
{
    tool_node_print(data, stdout);
    (void)putchar('\n');
    return true;
}

enum tool_exit tool_report(const struct tool_args *args, const struct tool_request *request,
                           const char *list,
                           bool (*print)(const struct tool_args *args,
                                         const struct tool_node *data))
{
    struct tool_answers *answers = NULL;
    struct tool_talk *talk;
    enum tool_exit code = tool_talk_open(&args->login, &talk);

    if (code == TOOL_DONE) {
        code = list != NULL ? tool_talk_ask_list(talk, request, list, &answers)
                            : tool_talk_ask(talk, request, 1, &answers);
    }
    if (code == TOOL_DONE && !print(args, tool_answers_data(answers, 0))) {
        code = tool_request_is_senseless();
    }
    tool_answers_free(answers);
    tool_talk_close(talk);
    return code;
}

/* -- stats -- */

struct stats_print {
    struct tool_table *table;
    bool is_sound;
};

static void stats_add(void *context, const char *name, const struct tool_node *value)
{
    struct stats_print *print = context;
    int64_t number = 0;

    print->is_sound = print->is_sound && tool_node_integer(value, &number);
    tool_table_add(print->table, invig_text_of(name));
    tool_table_add_number(print->table, number);
}

static bool stats_print(const struct tool_args *args, const struct tool_node *data)
{
    static const char *const titles[] = {"COUNTER", "VALUE"};
    struct tool_table table;
    struct stats_print print = {&table, true};

    if (args->is_json) {
        return tool_report_json(data);
    }
    tool_table_init(&table, titles, 2, 1U << 1);
    tool_node_each(data, stats_add, &print);
    if (!print.is_sound) {
        tool_table_deinit(&table);
        return false;
    }
    return tool_report_table(&table);
}

enum tool_exit tool_stats_run(const struct tool_args *args)
{
    const struct tool_request request = {.command = "getStats"};

    return tool_report(args, &request, NULL, stats_print);
}
