/* SPDX-License-Identifier: Apache-2.0
 *
 * explain_engine.c - see explain_private.h.
 */
#include "explain_private.h"

#include "backend.h"
#include "digest.h"
#include "explain.h"
#include "token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

enum { TOKEN_BYTES_MAX = 1024 * 1024, MESSAGE_BYTES_MAX = 65536, KEEPALIVE_S = 1, VERSION = 5 };

static void log_nothing(void *context, enum invig_log_level level, const char *line)
{
    (void)context;
    (void)level;
    (void)line;
}

static enum tool_exit explain_set_time(struct explain *explain)
{
    explain->now.wall_s = (int64_t)time(NULL);
    if (explain->args->at != NULL && !tool_time_read(explain->args->at, &explain->now.wall_s)) {
        return tool_fail(TOOL_USAGE, "--at: expected a time as 2026-11-24T09:30:00Z");
    }
    return TOOL_DONE;
}

/* A connection that may say what a backend says: Mosquitto's own rules let it. No user id, and so
 * no client id of a token, begins with '$'. */
static bool explain_connect_backend(struct explain *explain)
{
    const struct invig_connect connect = {
        .client_id = invig_text_of("$backend"),
        .protocol_version = VERSION,
        .is_clean = true,
        .keepalive_s = KEEPALIVE_S,
    };
    struct invig_refusal refusal;

    return invig_engine_connect(explain->engine, explain->now, &connect, &explain->backend,
                                &refusal) == INVIG_DEFER;
}

static enum tool_exit explain_make_engine(struct explain *explain)
{
    const struct invig_log_sink sink = {NULL, log_nothing};
    struct invig_seed seed;

    if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed) {
        return tool_fail(TOOL_USAGE, "the system gives no random numbers");
    }
    explain->engine = invig_engine_new(&explain->setting.policy, seed, sink, invig_digest_sha256,
                                       invig_store_memory());
    return explain->engine != NULL &&
                   invig_engine_load(explain->engine, explain->now) == INVIG_OK &&
                   explain_connect_backend(explain)
               ? TOOL_DONE
               : tool_fail(TOOL_USAGE, "out of memory");
}

/* The error that the engine answers a message with; to be freed. NULL: none. */
static char *backend_error(struct explain *explain)
{
    struct invig_effect effect;
    char *text = NULL;

    invig_engine_tick(explain->engine, explain->now);
    while (invig_engine_next_effect(explain->engine, explain->now, &effect)) {
        if (effect.kind == INVIG_EFFECT_SEND && text == NULL) {
            text = invig_backend_payload(&effect);
        }
    }
    return text;
}

static enum tool_exit explain_say_message(struct explain *explain, const char *topic)
{
    char *error = backend_error(explain);

    (void)tool_fail(TOOL_USAGE, "--message %s: the plugin refuses this message: %s",
                    tool_show(invig_text_of(topic)).text, tool_show(invig_text_of(error)).text);
    free(error);
    return TOOL_USAGE;
}

/* One TOPIC=FILE. */
static enum tool_exit explain_replay(struct explain *explain, const char *message)
{
    const char *equals = strrchr(message, '=');
    char *topic = invig_text_copy((struct invig_text){message, (size_t)(equals - message)});
    enum tool_exit code = TOOL_USAGE;
    char *payload;
    size_t length;

    if (topic != NULL && tool_read_file(equals + 1, MESSAGE_BYTES_MAX, &payload, &length)) {
        code = invig_backend_message(explain->engine, explain->now, explain->backend,
                                     invig_text_of(topic), (struct invig_text){payload, length},
                                     true) == INVIG_ALLOW
                   ? TOOL_DONE
                   : explain_say_message(explain, topic);
        free(payload);
    }
    free(topic);
    return code;
}

static void explain_login(struct explain *explain)
{
    const char *username = explain->args->login.username;
    const char *client_id = explain->args->login.client_id;
    const struct invig_connect connect = {
        .client_id = invig_text_of(client_id == NULL ? explain->claims.user : client_id),
        .username = invig_text_of(username),
        .protocol_version = VERSION,
        .is_clean = true,
        .keepalive_s = KEEPALIVE_S,
        .claims = &explain->claims,
    };

    explain->verdict = invig_engine_connect(explain->engine, explain->now, &connect,
                                            &explain->connection, &explain->refusal);
}

static enum tool_exit explain_read_token(struct explain *explain)
{
    char *token;
    size_t length;

    if (!tool_read_file(explain->args->token_file, TOKEN_BYTES_MAX, &token, &length)) {
        return TOOL_USAGE;
    }
    token[strcspn(token, "\r\n")] = '\0';
    explain->verdict =
        invig_token_check(explain->setting.keyring, &explain->setting.policy, invig_text_of(token),
                          explain->now.wall_s, &explain->claims, &explain->refusal);
    invig_text_wipe(token, length);
    free(token);
    if (explain->verdict == INVIG_ALLOW) {
        explain_login(explain);
    }
    return TOOL_DONE;
}

enum tool_exit tool_explain_begin(struct explain *explain)
{
    enum tool_exit code = explain_set_time(explain);

    if (code == TOOL_DONE) {
        code = tool_setting_read(explain->args->config, true, &explain->setting);
        code = code == TOOL_REFUSED ? TOOL_USAGE : code; /* it is not the token that is refused */
    }
    if (code == TOOL_DONE) {
        code = explain_make_engine(explain);
    }
    for (size_t i = 0; code == TOOL_DONE && i < explain->args->message_count; i++) {
        code = explain_replay(explain, explain->args->messages[i]);
    }
    return code == TOOL_DONE ? explain_read_token(explain) : code;
}

void tool_explain_end(struct explain *explain)
{
    invig_engine_free(explain->engine);
    tool_setting_deinit(&explain->setting);
    invig_text_wipe(&explain->claims, sizeof explain->claims);
}

static bool may_subscribe(struct explain *explain, const char *name, const char *below)
{
    char filter[INVIG_TOPIC_BYTES + 2];

    (void)snprintf(filter, sizeof filter, "%.*s%s", INVIG_TOPIC_BYTES - 1, name, below);
    return invig_engine_subscribe(explain->engine, explain->connection, invig_text_of(filter)) ==
           INVIG_ALLOW;
}

/* What the user is to the evaluation of a topic, found by asking the engine what follows from it.
 */
static enum invig_standing explain_standing(struct explain *explain, struct invig_text evaluation)
{
    const struct invig_topic topic = {.kind = INVIG_TOPIC_EVALUATION, .evaluation = evaluation};
    char name[INVIG_TOPIC_BYTES];

    if (evaluation.data == NULL ||
        invig_topic_write(invig_text_of(explain->setting.policy.topic_prefix), &topic, name) == 0) {
        return INVIG_STANDING_NONE;
    }
    if (may_subscribe(explain, name, "/#")) {
        return INVIG_STANDING_SUPERVISOR;
    }
    if (invig_engine_deliver(explain->engine, explain->connection, invig_text_of(name)) ==
        INVIG_ALLOW) {
        return INVIG_STANDING_PARTICIPANT;
    }
    return may_subscribe(explain, name, "") ? INVIG_STANDING_BLOCKED : INVIG_STANDING_NONE;
}

static bool explain_ask(struct explain *explain, enum tool_question_kind kind,
                        struct invig_text topic)
{
    switch (kind) {
    case TOOL_ASK_SUBSCRIBE:
        return invig_engine_subscribe(explain->engine, explain->connection, topic) == INVIG_ALLOW;
    case TOOL_ASK_RECEIVE:
        return invig_engine_deliver(explain->engine, explain->connection, topic) == INVIG_ALLOW;
    case TOOL_ASK_PUBLISH:
        break;
    }
    return invig_engine_publish(explain->engine, explain->connection, topic) == INVIG_ALLOW;
}

struct explain_answer tool_explain_answer(struct explain *explain,
                                          const struct tool_question *question)
{
    struct invig_text prefix = invig_text_of(explain->setting.policy.topic_prefix);
    struct invig_text text = invig_text_of(question->topic);
    struct explain_answer answer = {false, "the login is not accepted"};
    struct invig_topic topic;

    if (explain->verdict == INVIG_DEFER) {
        answer.why = "Mosquitto's own rules decide";
    }
    if (explain->verdict != INVIG_ALLOW) {
        return answer;
    }
    if (question->kind == TOOL_ASK_SUBSCRIBE) {
        invig_topic_parse_filter(prefix, text, &topic);
    } else {
        invig_topic_parse_name(prefix, text, &topic);
    }
    answer.is_allowed = explain_ask(explain, question->kind, text);
    answer.why =
        explain->connection->state == INVIG_CONNECTION_OPEN
            ? tool_explain_rule(question->kind, answer.is_allowed, &explain->connection->subject,
                                &topic, explain_standing(explain, topic.evaluation))
            : "the session has ended, or is turned away";
    return answer;
}
