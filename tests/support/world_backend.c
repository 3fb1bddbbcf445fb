/* SPDX-License-Identifier: Apache-2.0
 *
 * world_backend.c - see world.h: what the backend says and commands.
 */
#include "world.h"

#include "json.h"
#include "jsonwriter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CONTROL_TOPIC "$CONTROL/invigilator/v1"

/* A copy of `text` with one quotation mark for the other, to be freed by the caller. */
static char *requote(const char *text, char from, char to)
{
    char *copy = strdup(text);

    assert_non_null(copy);
    for (char *at = copy; (at = strchr(at, from)) != NULL;) {
        *at = to;
    }
    return copy;
}

struct invig_connection *world_backend(struct world *world)
{
    if (world->backend == NULL) {
        world->backend = world_defer(world, "backend");
        assert_non_null(world->backend);
    }
    return world->backend;
}

static enum invig_verdict world_route(struct world *world,
                                      const struct invig_connection *connection, const char *topic,
                                      const char *payload, bool is_retained)
{
    const struct invig_text name = invig_text_of(topic);
    enum invig_verdict verdict = connection == NULL
                                     ? invig_engine_unknown(world->engine, INVIG_OPERATION_PUBLISH,
                                                            (struct invig_text){NULL, 0}, name)
                                     : invig_engine_publish(world->engine, connection, name);
    char *json;

    if (verdict == INVIG_DENY) {
        return INVIG_DENY;
    }
    json = requote(payload, '\'', '"');
    verdict = invig_backend_message(world->engine, world->now, connection, name,
                                    invig_text_of(json), is_retained);
    free(json);
    return verdict;
}

enum invig_verdict world_message(struct world *world, const struct invig_connection *connection,
                                 const char *topic, const char *payload)
{
    return world_route(world, connection, topic, payload, true);
}

enum invig_verdict world_message_once(struct world *world,
                                      const struct invig_connection *connection, const char *topic,
                                      const char *payload)
{
    return world_route(world, connection, topic, payload, false);
}

enum invig_verdict world_offer(struct world *world, const char *evaluation, const char *user,
                               const char *members)
{
    char topic[INVIG_TOPIC_BYTES];
    char payload[WORLD_LINE_BYTES];
    const char *comma = members[0] == '\0' ? "" : ",";

    if (user == NULL) {
        (void)snprintf(topic, sizeof(topic), "%sevaluations/%s", world->policy.topic_prefix,
                       evaluation);
        (void)snprintf(payload, sizeof(payload),
                       "{'type':'EVALUATION_UPDATE','evaluationId':'%s'%s%s}", evaluation, comma,
                       members);
    } else {
        (void)snprintf(topic, sizeof(topic), "%sevaluations/%s/users/%s",
                       world->policy.topic_prefix, evaluation, user);
        (void)snprintf(payload, sizeof(payload),
                       "{'type':'EVALUATION_UPDATE','evaluationId':'%s','userId':'%s'%s%s}",
                       evaluation, user, comma, members);
    }
    return world_message(world, world_backend(world), topic, payload);
}

void world_say(struct world *world, const char *evaluation, const char *user, const char *members)
{
    if (world_offer(world, evaluation, user, members) != INVIG_ALLOW) {
        fail_msg("refused: %s %s %s", evaluation, user == NULL ? "" : user, members);
    }
}

struct invig_connection *world_exam(struct world *world)
{
    struct invig_connection *page;

    world_say(world, "e1", NULL, "'phase':'IN_PROGRESS'");
    page = world_login(world, &(struct login){.evaluations = {"e1", "e2"}});
    assert_non_null(page);
    world_tick(world);
    world_clear(world);
    return page;
}

struct invig_connection *world_login_again(struct world *world, const char *session,
                                           const char *client_id)
{
    return world_login(world, &(struct login){.session = session,
                                              .client_id = client_id,
                                              .address = "192.0.2.2",
                                              .evaluations = {"e1", "e2"}});
}

const char *world_command(struct world *world, const char *command)
{
    struct invig_jsonwriter *writer = invig_jsonwriter_new();
    char *json = requote(command, '\'', '"');
    struct invig_json_object *object;
    struct invig_value_source source;
    char *answer;

    assert_int_equal(invig_json_read_object(invig_text_of(json), &object), INVIG_OK);
    assert_non_null(writer);
    source = invig_json_object_source(object);
    invig_engine_control(world->engine, world->now, &source, invig_jsonwriter_writer(writer));
    invig_json_object_free(object);
    free(json);
    answer = invig_jsonwriter_finish(writer);
    invig_jsonwriter_free(writer);
    assert_non_null(answer);
    json = requote(answer, '"', '\'');
    free(answer);
    assert_true(strlen(json) < sizeof(world->answer));
    (void)snprintf(world->answer, sizeof(world->answer), "%s", json);
    free(json);
    return world->answer;
}

static void world_command_surely(struct world *world, const char *command)
{
    const char *answer = world_command(world, command);

    if (strstr(answer, "'data':") == NULL) {
        fail_msg("%s: %s", command, answer);
    }
}

void world_invalidate_session(struct world *world, const char *user, const char *session)
{
    char command[WORLD_LINE_BYTES];

    (void)snprintf(command, sizeof(command),
                   "{'command':'invalidateSession','userId':'%s','sessionId':'%s'}", user, session);
    world_command_surely(world, command);
}

void world_invalidate_user(struct world *world, const char *user, const char *except,
                           int64_t before_s)
{
    char command[WORLD_LINE_BYTES];
    char before[INVIG_TIME_TEXT_BYTES] = "";

    if (before_s != 0) {
        (void)snprintf(before, sizeof(before), ",'before':%lld", (long long)before_s);
    }
    (void)snprintf(command, sizeof(command), "{'command':'invalidateUser','userId':'%s'%s%s%s%s}",
                   user, except == NULL ? "" : ",'exceptSessionId':'", except == NULL ? "" : except,
                   except == NULL ? "" : "'", before);
    world_command_surely(world, command);
}

void world_control(struct world *world, const struct invig_connection *connection,
                   const char *payload)
{
    char *json = requote(payload, '\'', '"');

    assert_int_not_equal(world_publish(world, connection, CONTROL_TOPIC), INVIG_DENY);
    assert_true(invig_backend_control(world->engine, world->now, connection, invig_text_of(json)));
    free(json);
}
