/* SPDX-License-Identifier: Apache-2.0
 *
 * change.c - unblock and invalidate: what changes who may do what.
 */
#include "report.h"

#include <stdlib.h>
#include <string.h>

static void request_add_text(struct tool_request *request, const char *name, const char *text)
{
    if (text != NULL) {
        request->members[request->count++] = (struct tool_member){name, TOOL_MEMBER_TEXT, text, 0};
    }
}

/* Prints where JSON is asked for, or says it in words. */
static void change_say(const struct tool_args *args, const struct tool_node *data, const char *text)
{
    if (args->is_json) {
        (void)tool_report_json(data);
    } else {
        (void)puts(text);
    }
}

/* -- unblock -- */

static bool unblock_print(const struct tool_args *args, const struct tool_node *data)
{
    change_say(args, data, "unblocked");
    return true;
}

enum tool_exit tool_unblock_run(const struct tool_args *args)
{
    struct tool_request request = {.command = "unblock"};

    if (args->session != NULL && args->has_null) {
        return tool_fail(TOOL_USAGE, "--session and --null: expected one of them");
    }
    request_add_text(&request, "userId", args->words[0]);
    request_add_text(&request, "evaluationId", args->words[1]);
    request_add_text(&request, "sessionId", args->session);
    if (args->has_null) {
        request.members[request.count++] =
            (struct tool_member){"sessionId", TOOL_MEMBER_NULL, NULL, 0};
    }
    return tool_report(args, &request, NULL, unblock_print);
}

/* -- invalidate -- */

/* The id of the session among those in `data` that has the fingerprint; to be freed. NULL: there is
 * none, or an id is named itself. */
static char *fingerprint_find(const struct tool_node *data, const char *named)
{
    const struct tool_node *sessions = tool_node_member(data, "sessions");
    char fingerprint[TOOL_FINGERPRINT_BYTES];
    struct invig_text found = {NULL, 0};

    for (size_t i = 0; i < tool_node_count(sessions); i++) {
        struct invig_text id =
            tool_node_text(tool_node_member(tool_node_at(sessions, i), "sessionId"));

        tool_fingerprint(id, fingerprint);
        if (invig_text_equal(id, invig_text_of(named))) {
            return NULL;
        }
        found = strcmp(fingerprint, named) == 0 ? id : found;
    }
    return invig_text_copy(found);
}

/* Where a session is named by something that may be a fingerprint, looks for it. *out_id is NULL
 * where there is no other name for it. */
static enum tool_exit session_resolve(struct tool_talk *talk, const char *user, const char *named,
                                      char **out_id)
{
    struct tool_request request = {.command = "getUser"};
    struct tool_answers *answers;
    enum tool_exit code;

    *out_id = NULL;
    if (named == NULL || strlen(named) != TOOL_FINGERPRINT_BYTES - 1 ||
        strspn(named, "0123456789abcdef") != strlen(named)) {
        return TOOL_DONE;
    }
    request_add_text(&request, "userId", user);
    code = tool_talk_ask(talk, &request, 1, &answers);
    if (code == TOOL_DONE) {
        *out_id = fingerprint_find(tool_answers_data(answers, 0), named);
    }
    tool_answers_free(answers);
    return code;
}

/* Nothing was revoked, because the user is bound. */
static enum tool_exit invalidate_say_bound(const struct tool_args *args,
                                           const struct tool_node *data)
{
    const struct tool_node *bound = tool_node_member(data, "bound");

    if (args->is_json) {
        (void)tool_report_json(data);
        return TOOL_REFUSED;
    }
    for (size_t i = 0; i < tool_node_count(bound); i++) {
        (void)tool_fail(TOOL_REFUSED, "nothing is revoked: the user is bound in %s",
                        tool_show(tool_node_text(tool_node_at(bound, i))).text);
    }
    return TOOL_REFUSED;
}

static enum tool_exit invalidate_print(const struct tool_args *args, const struct tool_node *data)
{
    int64_t connections;
    char text[64];

    if (tool_node_is_array(tool_node_member(data, "bound"))) {
        return invalidate_say_bound(args, data);
    }
    if (!tool_node_integer(tool_node_member(data, "connections"), &connections)) {
        return tool_request_is_senseless();
    }
    (void)snprintf(text, sizeof text, "revoked, %lld connections", (long long)connections);
    change_say(args, data, text);
    return TOOL_DONE;
}

/* The names that the sessions have to the broker. */
struct invalidate_names {
    char *session;
    char *except;
};

static enum tool_exit invalidate_ask(struct tool_talk *talk, const struct tool_args *args,
                                     const struct invalidate_names *names)
{
    struct tool_request request = {.command = "invalidateUser"};
    struct tool_answers *answers;
    enum tool_exit code;

    request_add_text(&request, "userId", args->words[0]);
    if (args->word_count > 1) {
        request.command = "invalidateSession";
        request_add_text(&request, "sessionId",
                         names->session == NULL ? args->words[1] : names->session);
    }
    request_add_text(&request, "exceptSessionId",
                     names->except == NULL ? args->except : names->except);
    if (args->unless_bound) {
        request.members[request.count++] =
            (struct tool_member){"unlessBound", TOOL_MEMBER_TRUE, NULL, 0};
    }
    code = tool_talk_ask(talk, &request, 1, &answers);
    if (code == TOOL_DONE) {
        code = invalidate_print(args, tool_answers_data(answers, 0));
    }
    tool_answers_free(answers);
    return code;
}

enum tool_exit tool_invalidate_run(const struct tool_args *args)
{
    struct invalidate_names names = {NULL, NULL};
    struct tool_talk *talk;
    enum tool_exit code;

    if (args->word_count > 1 && (args->except != NULL || args->unless_bound)) {
        return tool_fail(TOOL_USAGE, "--except and --unless-bound go with all sessions of a user");
    }
    code = tool_talk_open(&args->login, &talk);
    if (code == TOOL_DONE && args->word_count > 1) {
        code = session_resolve(talk, args->words[0], args->words[1], &names.session);
    }
    if (code == TOOL_DONE) {
        code = session_resolve(talk, args->words[0], args->except, &names.except);
    }
    if (code == TOOL_DONE) {
        code = invalidate_ask(talk, args, &names);
    }
    free(names.session);
    free(names.except);
    tool_talk_close(talk);
    return code;
}
