/* SPDX-License-Identifier: Apache-2.0
 *
 * request.c - see request.h.
 */
#include "request.h"

#include "jsonwriter.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define CONTROL_TOPIC  "$CONTROL/invigilator/v1"
#define RESPONSE_TOPIC CONTROL_TOPIC "/response"

enum { CORRELATION_BYTES = 64, ERROR_BYTES_MAX = 1000 };

struct tool_answers {
    struct tool_node *document;
    struct tool_node *responses;
};

struct tool_talk {
    struct tool_link *link;
    uint64_t nonce;  /* so that nobody else's answers are taken for ours */
    unsigned number; /* of the payload that is waited for */
    const struct tool_request *requests;
    size_t count;               /* of them; 0: nothing is waited for */
    struct tool_node *document; /* the answer; NULL: not yet */
};

static void correlation_write(const struct tool_talk *talk, size_t index,
                              char out[CORRELATION_BYTES])
{
    (void)snprintf(out, CORRELATION_BYTES, "%016" PRIx64 "-%u-%zu", talk->nonce, talk->number,
                   index);
}

static bool node_is(const struct tool_node *node, const char *text)
{
    return invig_text_equal(tool_node_text(node), invig_text_of(text));
}

/* Whether all of it is what is waited for. */
static bool responses_are_ours(const struct tool_talk *talk, const struct tool_node *responses)
{
    char correlation[CORRELATION_BYTES];

    if (talk->count == 0 || tool_node_count(responses) != talk->count) {
        return false;
    }
    for (size_t i = 0; i < talk->count; i++) {
        const struct tool_node *response = tool_node_at(responses, i);

        correlation_write(talk, i, correlation);
        if (!node_is(tool_node_member(response, "correlationData"), correlation) ||
            !node_is(tool_node_member(response, "command"), talk->requests[i].command)) {
            return false;
        }
    }
    return true;
}

static void talk_read(void *context, struct invig_text topic, struct invig_text payload,
                      bool is_retained)
{
    struct tool_talk *talk = context;
    struct tool_node *document;

    if (is_retained || talk->document != NULL ||
        !invig_text_equal(topic, invig_text_of(RESPONSE_TOPIC))) {
        return;
    }
    document = tool_document_read(payload);
    if (responses_are_ours(talk, tool_node_member(document, "responses"))) {
        talk->document = document;
    } else {
        tool_document_free(document);
    }
}

enum tool_exit tool_talk_open(const struct tool_login *login, struct tool_talk **out_talk)
{
    struct tool_talk *talk = calloc(1, sizeof *talk);
    enum tool_exit code;

    *out_talk = NULL;
    if (talk == NULL ||
        getrandom(&talk->nonce, sizeof talk->nonce, 0) != (ssize_t)sizeof talk->nonce) {
        free(talk);
        return tool_fail(TOOL_CONNECTION, "out of memory, or without random numbers");
    }
    code = tool_link_open(login, (struct tool_link_reader){talk, talk_read}, &talk->link);
    if (code != TOOL_DONE) {
        free(talk);
        return code;
    }
    *out_talk = talk;
    return TOOL_DONE;
}

void tool_talk_close(struct tool_talk *talk)
{
    if (talk != NULL) {
        tool_link_close(talk->link);
        tool_document_free(talk->document);
        free(talk);
    }
}

static void member_write(const struct tool_member *member, const struct invig_writer *writer)
{
    switch (member->kind) {
    case TOOL_MEMBER_TEXT:
        writer->string(writer->context, member->name, invig_text_of(member->text));
        break;
    case TOOL_MEMBER_NUMBER:
        writer->integer(writer->context, member->name, member->number);
        break;
    case TOOL_MEMBER_TRUE:
        writer->boolean(writer->context, member->name, true);
        break;
    case TOOL_MEMBER_NULL:
        writer->string(writer->context, member->name, (struct invig_text){NULL, 0});
        break;
    }
}

static void requests_write(const struct tool_talk *talk, const struct invig_writer *writer)
{
    char correlation[CORRELATION_BYTES];

    writer->begin_object(writer->context, NULL);
    writer->begin_array(writer->context, "commands");
    for (size_t i = 0; i < talk->count; i++) {
        const struct tool_request *request = &talk->requests[i];

        writer->begin_object(writer->context, NULL);
        writer->string(writer->context, "command", invig_text_of(request->command));
        for (size_t k = 0; k < request->count; k++) {
            member_write(&request->members[k], writer);
        }
        correlation_write(talk, i, correlation);
        writer->string(writer->context, "correlationData", invig_text_of(correlation));
        writer->end(writer->context);
    }
    writer->end(writer->context);
    writer->end(writer->context);
}

static enum tool_exit talk_send(struct tool_talk *talk)
{
    struct invig_jsonwriter *writer = invig_jsonwriter_new();
    char *json = NULL;
    bool is_sent;

    if (writer != NULL) {
        requests_write(talk, invig_jsonwriter_writer(writer));
        json = invig_jsonwriter_finish(writer);
        invig_jsonwriter_free(writer);
    }
    is_sent = json != NULL && tool_link_publish(talk->link, CONTROL_TOPIC, json);
    free(json);
    return is_sent ? TOOL_DONE : tool_link_fail(talk->link);
}

static enum tool_exit talk_wait(struct tool_talk *talk)
{
    int64_t until_ms = tool_link_deadline(talk->link);

    while (talk->document == NULL) {
        if (tool_link_refusal(talk->link) != NULL) {
            return tool_fail(TOOL_REFUSED, "the broker takes no commands from this login: %s",
                             tool_link_refusal(talk->link));
        }
        if (tool_now_ms() >= until_ms) {
            return tool_fail(TOOL_TIMEOUT,
                             "no answer in time: is the plugin loaded, and may this login write to "
                             "" CONTROL_TOPIC "?");
        }
        if (!tool_link_step(talk->link, until_ms)) {
            return tool_link_fail(talk->link);
        }
    }
    return TOOL_DONE;
}

enum tool_exit tool_request_is_senseless(void)
{
    return tool_fail(TOOL_REFUSED, "the broker's answer makes no sense");
}

/* Every answer has data, or says why not. */
static enum tool_exit answers_check(const struct tool_answers *answers)
{
    size_t count = tool_node_count(answers->responses);

    for (size_t i = 0; i < count; i++) {
        const struct tool_node *response = tool_node_at(answers->responses, i);
        struct invig_text error = tool_node_text(tool_node_member(response, "error"));

        if (error.data != NULL) {
            return tool_fail(TOOL_REFUSED, "the broker answers: %s", tool_show(error).text);
        }
        if (!tool_node_is_object(tool_node_member(response, "data"))) {
            return tool_request_is_senseless();
        }
    }
    return TOOL_DONE;
}

static enum tool_exit talk_take(struct tool_talk *talk, struct tool_answers **out_answers)
{
    struct tool_answers *answers = calloc(1, sizeof *answers);
    enum tool_exit code;

    if (answers == NULL) {
        return tool_fail(TOOL_CONNECTION, "out of memory");
    }
    answers->document = talk->document;
    talk->document = NULL;
    answers->responses = tool_node_member(answers->document, "responses");
    code = answers_check(answers);
    if (code != TOOL_DONE) {
        tool_answers_free(answers);
        return code;
    }
    *out_answers = answers;
    return TOOL_DONE;
}

enum tool_exit tool_talk_ask(struct tool_talk *talk, const struct tool_request *requests,
                             size_t count, struct tool_answers **out_answers)
{
    enum tool_exit code;

    *out_answers = NULL;
    talk->number++;
    talk->requests = requests;
    talk->count = count;
    code = talk_send(talk);
    if (code == TOOL_DONE) {
        code = talk_wait(talk);
    }
    if (code == TOOL_DONE) {
        code = talk_take(talk, out_answers);
    }
    talk->count = 0;
    return code;
}

struct tool_node *tool_answers_data(const struct tool_answers *answers, size_t index)
{
    return tool_node_member(tool_node_at(answers->responses, index), "data");
}

void tool_answers_free(struct tool_answers *answers)
{
    if (answers != NULL) {
        tool_document_free(answers->document);
        free(answers);
    }
}
