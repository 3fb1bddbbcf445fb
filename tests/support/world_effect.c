/* SPDX-License-Identifier: Apache-2.0
 *
 * world_effect.c - see world.h: what is written down of effects, and what was.
 */
#include "world.h"

#include "digest.h"
#include "json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FINGERPRINT_BYTES = 6, FINGERPRINTS = 4 };

static void write_line(char *line, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void write_line(char *line, const char *format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(line, WORLD_LINE_BYTES, format, arguments);
    va_end(arguments);
    assert_in_range(length, 1, WORLD_LINE_BYTES - 1);
}

/* The payload as an effect gives it, checked to be nothing or an object, with ' for ". */
static char *effect_payload(const struct invig_effect *effect)
{
    char *payload = invig_backend_payload(effect);
    struct invig_json_object *object;

    assert_non_null(payload);
    if (effect->payload == INVIG_PAYLOAD_EMPTY) {
        assert_string_equal(payload, "");
        return payload;
    }
    if (invig_json_read_object(invig_text_of(payload), &object) != INVIG_OK) {
        fail_msg("no object: %s", payload);
    }
    invig_json_object_free(object);
    for (char *at = payload; (at = strchr(at, '"')) != NULL;) {
        *at = '\'';
    }
    return payload;
}

/* The topic that a notice belongs on. */
static struct invig_topic notice_topic(const struct invig_notice *notice)
{
    struct invig_topic topic = {
        .user = notice->user, .session = notice->session, .evaluation = notice->evaluation};

    switch (notice->type) {
    case INVIG_NOTICE_SESSION_INVALIDATED:
    case INVIG_NOTICE_SESSION_EXPIRING:
        topic.kind = INVIG_TOPIC_USER_SESSION;
        break;
    case INVIG_NOTICE_EVALUATION_BLOCKED:
        topic.kind = INVIG_TOPIC_EVALUATION_USER;
        break;
    case INVIG_NOTICE_PRESENCE:
        topic.kind = INVIG_TOPIC_EVALUATION_PRESENCE;
        break;
    case INVIG_NOTICE_INCIDENT:
        topic.kind = INVIG_TOPIC_EVALUATION_INCIDENTS;
        break;
    case INVIG_NOTICE_PUBLISH_REFUSED:
        topic.kind = INVIG_TOPIC_CONTROL_RESPONSE;
        break;
    }
    return topic;
}

static void effect_check_notice(const struct world *world, const struct invig_effect *effect,
                                const char *topic)
{
    const struct invig_text prefix = invig_text_of(world->policy.topic_prefix);
    const struct invig_topic expected = notice_topic(&effect->notice);
    bool is_public = effect->notice.type == INVIG_NOTICE_PRESENCE ||
                     effect->notice.type == INVIG_NOTICE_INCIDENT;
    char text[INVIG_TOPIC_BYTES];

    assert_int_not_equal(invig_topic_write(prefix, &expected, text), 0);
    assert_string_equal(topic, text);
    assert_int_equal(effect->kind, is_public ? INVIG_EFFECT_PUBLISH : INVIG_EFFECT_SEND);
    if (is_public) {
        assert_int_equal(effect->is_retained, effect->notice.type == INVIG_NOTICE_PRESENCE);
    }
    assert_true(effect->notice.time_s >= WORLD_START_S);
}

#define TEXT(text) (int)(text).length, (text).data == NULL ? "" : (text).data

static void effect_write_public(char *line, const struct invig_notice *notice)
{
    if (notice->type == INVIG_NOTICE_PRESENCE) {
        write_line(line, "PRESENCE %.*s %.*s %s %zu %s", TEXT(notice->evaluation),
                   TEXT(notice->user), notice->is_online ? "online" : "offline",
                   notice->connection_count, invig_cause_word(notice->cause));
    } else {
        write_line(line, "INCIDENT %.*s %.*s %s %s %.*s %.*s %.*s", TEXT(notice->evaluation),
                   TEXT(notice->user), invig_incident_word(notice->incident),
                   notice->is_enforced ? "enforced" : "observed", TEXT(notice->bound_session),
                   TEXT(notice->refused_session), TEXT(notice->address));
    }
}

static void effect_write_notice(char *line, const struct invig_effect *effect)
{
    const struct invig_notice *notice = &effect->notice;
    const char *client_id = effect->client_id.data;

    switch (notice->type) {
    case INVIG_NOTICE_SESSION_INVALIDATED:
    case INVIG_NOTICE_SESSION_EXPIRING:
        write_line(line, "NOTIFY %s %s %.*s %.*s", client_id,
                   notice->type == INVIG_NOTICE_SESSION_EXPIRING ? "EXPIRING"
                                                                 : invig_end_word(notice->reason),
                   TEXT(notice->user), TEXT(notice->session));
        break;
    case INVIG_NOTICE_EVALUATION_BLOCKED:
        write_line(line, "NOTIFY %s BLOCKED %.*s %.*s", client_id, TEXT(notice->evaluation),
                   TEXT(notice->user));
        break;
    case INVIG_NOTICE_PUBLISH_REFUSED:
        write_line(line, "NOTIFY %s PUBLISH_REFUSED %.*s %.*s", client_id, TEXT(notice->topic),
                   TEXT(notice->error));
        break;
    case INVIG_NOTICE_PRESENCE:
    case INVIG_NOTICE_INCIDENT:
        effect_write_public(line, notice);
        break;
    }
}

/* A payload that is no notice. */
static void effect_write_payload(char *line, const struct invig_effect *effect, const char *topic,
                                 const char *payload)
{
    if (effect->kind == INVIG_EFFECT_PUBLISH) {
        assert_true(effect->is_retained);
        if (effect->payload == INVIG_PAYLOAD_EMPTY) {
            write_line(line, "CLEAR %s", topic);
        } else {
            write_line(line, "RETAIN %s %s", topic, payload);
        }
    } else if (effect->topic.kind == INVIG_TOPIC_CONTROL_RESPONSE) {
        write_line(line, "REPLY %s %s", effect->client_id.data, payload);
    } else {
        assert_int_not_equal(effect->payload, INVIG_PAYLOAD_EMPTY);
        write_line(line, "SEND %s %s %s", effect->client_id.data, topic, payload);
    }
}

void world_write_effect(struct world *world, const struct invig_effect *effect)
{
    char *line = world->effects[world->effect_count];
    char topic[INVIG_TOPIC_BYTES];
    char *payload;

    assert_true(world->effect_count < WORLD_EFFECTS_MAX);
    world->effect_count++;
    if (effect->kind == INVIG_EFFECT_KICK) {
        write_line(line, "KICK %s", effect->client_id.data);
        return;
    }
    payload = effect_payload(effect);
    assert_int_not_equal(
        invig_topic_write(invig_text_of(world->policy.topic_prefix), &effect->topic, topic), 0);
    if (effect->payload == INVIG_PAYLOAD_NOTICE) {
        effect_check_notice(world, effect, topic);
        effect_write_notice(line, effect);
    } else {
        effect_write_payload(line, effect, topic, payload);
    }
    free(payload);
}

const char *world_fingerprint(const char *session)
{
    static char texts[FINGERPRINTS][2 * FINGERPRINT_BYTES + 1];
    static size_t next;
    unsigned char digest[INVIG_SHA256_BYTES];
    char *text = texts[next++ % FINGERPRINTS];

    assert_true(invig_digest_sha256(session, strlen(session), digest));
    for (size_t i = 0; i < FINGERPRINT_BYTES; i++) {
        (void)snprintf(text + 2 * i, 3, "%02x", digest[i]);
    }
    return text;
}

void world_clear(struct world *world)
{
    world->effect_count = 0;
    world->log_count = 0;
    for (size_t i = 0; i < WORLD_LOGS_MAX; i++) {
        world->logs[i][0] = '\0';
    }
}

size_t world_count(const struct world *world, const char *effect)
{
    size_t count = 0;

    for (size_t i = 0; i < world->effect_count; i++) {
        count += strcmp(world->effects[i], effect) == 0;
    }
    return count;
}

size_t world_count_prefix(const struct world *world, const char *prefix)
{
    size_t count = 0;

    for (size_t i = 0; i < world->effect_count; i++) {
        count += strncmp(world->effects[i], prefix, strlen(prefix)) == 0;
    }
    return count;
}

size_t world_count_incidents(const struct world *world, const char *evaluation, const char *kind,
                             const char *bound, const char *refused, const char *address)
{
    char line[WORLD_LINE_BYTES];

    write_line(line, "INCIDENT %s anna %s %s %s %s", evaluation, kind, world_fingerprint(bound),
               world_fingerprint(refused), address);
    return world_count(world, line);
}

int world_find(const struct world *world, const char *effect)
{
    for (size_t i = 0; i < world->effect_count; i++) {
        if (strcmp(world->effects[i], effect) == 0) {
            return (int)i;
        }
    }
    return -1;
}

const char *world_last(const struct world *world, const char *prefix)
{
    for (size_t i = world->effect_count; i > 0; i--) {
        if (strncmp(world->effects[i - 1], prefix, strlen(prefix)) == 0) {
            return world->effects[i - 1];
        }
    }
    return NULL;
}

bool world_has_logged(const struct world *world, const char *text)
{
    for (size_t i = 0; i < WORLD_LOGS_MAX; i++) {
        if (strstr(world->logs[i], text) != NULL) {
            return true;
        }
    }
    return false;
}
