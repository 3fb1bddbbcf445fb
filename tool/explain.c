/* SPDX-License-Identifier: Apache-2.0
 *
 * explain.c - what a broker with a configuration would do with a token, and why: the plugin's own
 * engine decides, without a broker and without a state file.
 */
#include "command.h"

#include "explain.h"
#include "explain_private.h"
#include "jsonwriter.h"
#include "link.h"
#include "report.h"

#include <stdlib.h>
#include <string.h>

/* -- What is said -- */

static void print_refused(const struct explain *explain)
{
    (void)printf("refused reason=%s", invig_reason_word(explain->refusal.reason));
    if (explain->refusal.claim != NULL) {
        (void)printf(" claim=%s", tool_show(invig_text_of(explain->refusal.claim)).text);
    }
    (void)printf(" (%s)\n", tool_explain_reason(explain->refusal.reason));
}

static void print_accepted(const struct explain *explain)
{
    const struct invig_claims *claims = &explain->claims;
    char fingerprint[TOOL_FINGERPRINT_BYTES] = "-";
    char until[INVIG_TIME_TEXT_BYTES];

    if (claims->has_session) {
        tool_fingerprint(invig_text_of(claims->session), fingerprint);
    }
    invig_time_format(explain->connection->ends_s, until);
    (void)printf("accepted user=%s role=%s session=%s until=%s\n",
                 tool_show(invig_text_of(claims->user)).text, invig_role_word(claims->role),
                 fingerprint, until);
}

static void print_token(const struct explain *explain)
{
    switch (explain->verdict) {
    case INVIG_ALLOW:
        print_accepted(explain);
        break;
    case INVIG_DEFER:
        (void)puts("deferred (" TOOL_EXPLAIN_DEFERRED ")");
        break;
    case INVIG_DENY:
        print_refused(explain);
        break;
    }
}

static const char *question_word(enum tool_question_kind kind)
{
    switch (kind) {
    case TOOL_ASK_SUBSCRIBE:
        return "subscribe";
    case TOOL_ASK_RECEIVE:
        return "receive";
    case TOOL_ASK_PUBLISH:
        break;
    }
    return "publish";
}

static void print_answer(const struct tool_question *question, const struct explain_answer *answer)
{
    char masked[TOOL_NAME_BYTES_MAX +
                1]; /* a session id in a topic is shown no more than in a log */

    invig_topic_mask(invig_text_of(question->topic), masked, sizeof masked);
    (void)printf("%s %s: %s: %s\n", question_word(question->kind),
                 tool_show(invig_text_of(masked)).text, answer->is_allowed ? "allowed" : "refused",
                 answer->why);
}

/* -- The same as JSON -- */

static void write_token(const struct explain *explain, const struct invig_writer *writer)
{
    static const char *const words[] = {
        [INVIG_DENY] = "refused", [INVIG_ALLOW] = "accepted", [INVIG_DEFER] = "deferred"};
    char fingerprint[TOOL_FINGERPRINT_BYTES];
    char until[INVIG_TIME_TEXT_BYTES];

    writer->string(writer->context, "verdict", invig_text_of(words[explain->verdict]));
    if (explain->verdict == INVIG_DENY) {
        writer->string(writer->context, "reason",
                       invig_text_of(invig_reason_word(explain->refusal.reason)));
        writer->string(writer->context, "claim", invig_text_of(explain->refusal.claim));
        writer->string(writer->context, "why",
                       invig_text_of(tool_explain_reason(explain->refusal.reason)));
    }
    if (explain->verdict == INVIG_ALLOW) {
        tool_fingerprint(invig_text_of(explain->claims.session), fingerprint);
        invig_time_format(explain->connection->ends_s, until);
        writer->string(writer->context, "user", invig_text_of(explain->claims.user));
        writer->string(writer->context, "role",
                       invig_text_of(invig_role_word(explain->claims.role)));
        writer->string(writer->context, "session",
                       invig_text_of(explain->claims.has_session ? fingerprint : NULL));
        writer->string(writer->context, "until", invig_text_of(until));
    }
}

static void write_answers(const struct explain *explain, const struct explain_answer *answers,
                          const struct invig_writer *writer)
{
    const struct tool_args *args = explain->args;
    char masked[TOOL_NAME_BYTES_MAX + 1];

    writer->begin_array(writer->context, "answers");
    for (size_t i = 0; i < args->question_count; i++) {
        invig_topic_mask(invig_text_of(args->questions[i].topic), masked, sizeof masked);
        writer->begin_object(writer->context, NULL);
        writer->string(writer->context, "question",
                       invig_text_of(question_word(args->questions[i].kind)));
        writer->string(writer->context, "topic", invig_text_of(masked));
        writer->boolean(writer->context, "allowed", answers[i].is_allowed);
        writer->string(writer->context, "why", invig_text_of(answers[i].why));
        writer->end(writer->context);
    }
    writer->end(writer->context);
}

static bool print_json(const struct explain *explain, const struct explain_answer *answers)
{
    struct invig_jsonwriter *document = invig_jsonwriter_new();
    const struct invig_writer *writer;
    char *json;

    if (document == NULL) {
        return false;
    }
    writer = invig_jsonwriter_writer(document);
    writer->begin_object(writer->context, NULL);
    write_token(explain, writer);
    write_answers(explain, answers, writer);
    writer->end(writer->context);
    json = invig_jsonwriter_finish(document);
    invig_jsonwriter_free(document);
    struct tool_node *node = json == NULL ? NULL : tool_document_read(invig_text_of(json));
    if (node != NULL) {
        (void)tool_report_json(node);
    }
    tool_document_free(node);
    free(json);
    return node != NULL;
}

/* -- The whole -- */

static enum tool_exit explain_say(struct explain *explain)
{
    const struct tool_args *args = explain->args;
    struct explain_answer answers[TOOL_QUESTIONS_MAX];
    enum tool_exit code = explain->verdict == INVIG_ALLOW ? TOOL_DONE : TOOL_REFUSED;

    for (size_t i = 0; i < args->question_count; i++) {
        answers[i] = tool_explain_answer(explain, &args->questions[i]);
        code = answers[i].is_allowed ? code : TOOL_REFUSED;
    }
    if (args->is_json) {
        return print_json(explain, answers) ? code : tool_fail(TOOL_USAGE, "out of memory");
    }
    print_token(explain);
    for (size_t i = 0; i < args->question_count; i++) {
        print_answer(&args->questions[i], &answers[i]);
    }
    return code;
}

static enum tool_exit explain_check_args(const struct tool_args *args)
{
    if (args->config == NULL || args->token_file == NULL) {
        return tool_fail(TOOL_USAGE, "explain: --config and --token-file are needed");
    }
    for (size_t i = 0; i < args->question_count; i++) {
        const struct tool_question *question = &args->questions[i];

        if (question->kind == TOOL_ASK_SUBSCRIBE ? !tool_link_is_filter(question->topic)
                                                 : !tool_link_is_topic(question->topic)) {
            return tool_fail(TOOL_USAGE, "%s: no %s",
                             tool_show(invig_text_of(question->topic)).text,
                             question->kind == TOOL_ASK_SUBSCRIBE ? "topic filter" : "topic name");
        }
    }
    return TOOL_DONE;
}

enum tool_exit tool_explain_run(const struct tool_args *args)
{
    struct explain *explain;
    enum tool_exit code = explain_check_args(args);

    if (code != TOOL_DONE) {
        return code;
    }
    explain = calloc(1, sizeof *explain);
    if (explain == NULL) {
        return tool_fail(TOOL_USAGE, "out of memory");
    }
    explain->args = args;
    code = tool_explain_begin(explain);
    if (code == TOOL_DONE) {
        code = explain_say(explain);
    }
    tool_explain_end(explain);
    free(explain);
    return code;
}
