/* SPDX-License-Identifier: Apache-2.0
 *
 * backend.c - see backend.h.
 */
#include "backend.h"

#include "json.h"
#include "jsonwriter.h"

#include <stdlib.h>

enum invig_verdict invig_backend_message(struct invig_engine *engine, struct invig_now now,
                                         const struct invig_connection *connection,
                                         struct invig_text topic, struct invig_text payload,
                                         bool is_retained)
{
    struct invig_message message = {.topic = topic, .payload = payload, .is_retained = is_retained};
    struct invig_json_object *object = NULL;
    struct invig_value_source source;
    enum invig_verdict verdict;

    if (!invig_engine_reads(engine, connection, topic)) {
        return INVIG_ALLOW;
    }
    /* What is too large is refused unread. */
    if (payload.length <= INVIG_UPDATE_BYTES_MAX) {
        message.is_unread = invig_json_read_object(payload, &object) == INVIG_ERR_NO_MEMORY;
    }
    if (object != NULL) {
        source = invig_json_object_source(object);
        message.object = &source;
    }
    verdict = invig_engine_message(engine, now, connection, &message);
    invig_json_object_free(object);
    return verdict;
}

/* What the commands of one payload are answered with. */
struct answer {
    struct invig_engine *engine;
    struct invig_now now;
    const struct invig_writer *writer;
};

static void answer_run(void *context, const struct invig_value_source *command)
{
    const struct answer *answer = context;

    invig_engine_control(answer->engine, answer->now, command, answer->writer);
}

static const char *payload_error(enum invig_status status)
{
    return status == INVIG_ERR_NO_MEMORY
               ? "out of memory"
               : "not a JSON object with an array \"commands\" of 1 to 64 commands (RFC 8259, in "
                 "UTF-8, without duplicate members, at most 65536 bytes and 32 levels)";
}

static void answer_write(struct answer *answer, struct invig_text payload)
{
    const struct invig_writer *writer = answer->writer;
    enum invig_status status = INVIG_ERR_FORMAT;

    writer->begin_object(writer->context, NULL);
    writer->begin_array(writer->context, "responses");
    if (payload.length <= INVIG_CONTROL_BYTES_MAX) {
        status = invig_json_read_commands(payload, INVIG_CONTROL_COMMANDS_MAX, answer_run, answer);
    }
    if (status != INVIG_OK) {
        writer->begin_object(writer->context, NULL);
        writer->string(writer->context, "error", invig_text_of(payload_error(status)));
        writer->end(writer->context);
    }
    writer->end(writer->context);
    writer->end(writer->context);
}

bool invig_backend_control(struct invig_engine *engine, struct invig_now now,
                           const struct invig_connection *connection, struct invig_text payload)
{
    struct invig_jsonwriter *document = invig_jsonwriter_new();
    struct answer answer = {engine, now, NULL};
    char *json;

    if (document == NULL) {
        return false;
    }
    answer.writer = invig_jsonwriter_writer(document);
    answer_write(&answer, payload);
    json = invig_jsonwriter_finish(document);
    invig_jsonwriter_free(document);
    return invig_engine_reply(engine, connection, json);
}

static char *notice_text(const struct invig_notice *notice)
{
    struct invig_jsonwriter *document = invig_jsonwriter_new();
    char *json;

    if (document == NULL) {
        return NULL;
    }
    invig_notice_write(notice, invig_jsonwriter_writer(document));
    json = invig_jsonwriter_finish(document);
    invig_jsonwriter_free(document);
    return json;
}

/* The message that a copy is made of where the backend has sent none. */
static char *base_text(const struct invig_topic *topic)
{
    struct invig_jsonwriter *document = invig_jsonwriter_new();
    const struct invig_writer *writer;
    char *json;

    if (document == NULL) {
        return NULL;
    }
    writer = invig_jsonwriter_writer(document);
    writer->begin_object(writer->context, NULL);
    writer->string(writer->context, "type", invig_text_of("EVALUATION_UPDATE"));
    writer->string(writer->context, "evaluationId", topic->evaluation);
    writer->string(writer->context, "userId", topic->user);
    writer->end(writer->context);
    json = invig_jsonwriter_finish(document);
    invig_jsonwriter_free(document);
    return json;
}

static char *copy_text(const struct invig_effect *effect)
{
    char *base = effect->text.data == NULL ? base_text(&effect->topic) : NULL;
    struct invig_text message = effect->text.data == NULL ? invig_text_of(base) : effect->text;
    char copy[INVIG_UPDATE_COPY_BYTES];
    size_t length = message.data == NULL ? 0
                                         : invig_update_copy(message, effect->access,
                                                             effect->reason, effect->at_s, copy);

    free(base);
    return length == 0 ? NULL : invig_text_copy((struct invig_text){copy, length});
}

char *invig_backend_payload(const struct invig_effect *effect)
{
    switch (effect->payload) {
    case INVIG_PAYLOAD_EMPTY:
        return invig_text_copy(invig_text_of(""));
    case INVIG_PAYLOAD_NOTICE:
        return notice_text(&effect->notice);
    case INVIG_PAYLOAD_TEXT:
        return invig_text_copy(effect->text);
    case INVIG_PAYLOAD_COPY:
        return copy_text(effect);
    }
    return NULL;
}
