/* SPDX-License-Identifier: Apache-2.0
 *
 * course.c - see course.h.
 */
#include "course.h"

#include "backend.h"
#include "json.h"

#include "invigilator/connection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const course_users[COURSE_USERS] = {"u0", "u1", "u2", "u3"};
const char *const course_evaluations[COURSE_EVALUATIONS] = {"e0", "e1", "e2"};

void course_must(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "course: %s\n", what);
        abort();
    }
}

static enum invig_verdict deliver(const struct course *course, const struct slot *slot,
                                  const char *topic)
{
    return invig_engine_deliver(course->engine, slot->real, invig_text_of(topic));
}

void course_ask(struct course *course, struct madeup *command, struct report *out_report)
{
    const struct invig_value_source source = madeup_source(command);
    const struct invig_writer writer = report_writer(out_report);

    memset(out_report, 0, sizeof(*out_report));
    invig_engine_control(course->engine, course->now, &source, &writer);
    course_must(out_report->depth == 0, "an answer without an end");
}

static void ask_about(struct course *course, const char *command, const char *name,
                      const char *value, struct report *out_report)
{
    struct madeup madeup = {0};

    madeup_add_text(&madeup, "command", command);
    madeup_add_text(&madeup, name, value);
    course_ask(course, &madeup, out_report);
}

static bool report_lists(const struct report *report, const struct slot *slot)
{
    for (size_t i = 0; i < report->connection_count; i++) {
        if (strcmp(report->connections[i].first, slot->session) == 0 &&
            strcmp(report->connections[i].second, slot->client_id) == 0) {
            return true;
        }
    }
    return false;
}

static bool report_blocks(const struct report *report, int evaluation)
{
    for (size_t i = 0; i < report->block_count; i++) {
        if (strcmp(report->blocks[i], course_evaluations[evaluation]) == 0) {
            return true;
        }
    }
    return false;
}

/* What the engine says to be open, it treats so; what it does not, gets nothing. */
static void check_slot(const struct course *course, const struct slot *slot)
{
    const struct report *report = &course->reports[slot->user];
    bool is_open = !slot->is_departed && !slot->is_overtaken && report_lists(report, slot);
    bool has_rights = is_open && course->now.wall_s < slot->ends_s;
    const struct invig_text everything = invig_text_of("users/u3/#");
    char topic[64];

    (void)snprintf(topic, sizeof(topic), "users/u%d", slot->user);
    if (slot->session[0] != '\0') {
        course_must((deliver(course, slot, topic) == INVIG_ALLOW) == has_rights, "own topic");
    }
    for (int e = 0; e < COURSE_EVALUATIONS; e++) {
        bool is_blocked = slot->user < COURSE_FIRST_OF_MANY_ROLES && report_blocks(report, e);
        bool is_sent;
        (void)snprintf(topic, sizeof(topic), "evaluations/e%d", e);
        is_sent = deliver(course, slot, topic) == INVIG_ALLOW;
        course_must(!is_sent || (has_rights && !is_blocked) || slot->session[0] == '\0', topic);
    }
    if (slot->user < COURSE_FIRST_OF_MANY_ROLES || !has_rights) {
        course_must(slot->session[0] == '\0' || invig_engine_subscribe(course->engine, slot->real,
                                                                       everything) == INVIG_DENY,
                    "a filter of others");
    }
}

/* A service without a session is in no list; while its time has not come, its rights tell. */
static size_t count_without_session(const struct course *course, bool *out_is_sure)
{
    size_t count = 0;

    *out_is_sure = true;
    for (int i = 0; i < COURSE_SLOTS; i++) {
        const struct slot *slot = &course->slots[i];
        if (slot->real != NULL && slot->user >= 0 && slot->session[0] == '\0' &&
            !slot->is_departed && !slot->is_overtaken) {
            count += deliver(course, slot, "users/u0") == INVIG_ALLOW;
            *out_is_sure = *out_is_sure && course->now.wall_s < slot->ends_s;
        }
    }
    return count;
}

static void check_counts(struct course *course)
{
    struct invig_stats stats;
    bool is_sure;
    size_t alone = count_without_session(course, &is_sure);
    size_t connections = alone, sessions = 0, users = 0, blocked = 0, strict = 0;

    for (int u = 0; u < COURSE_USERS; u++) {
        const struct report *report = &course->reports[u];
        connections += report->connection_count;
        sessions += report->session_count;
        users += report->connection_count > 0 || (u == COURSE_SERVICE && alone > 0);
        blocked += report->block_count > 0;
    }
    for (int e = 0; e < COURSE_EVALUATIONS; e++) {
        struct report report;
        ask_about(course, "getEvaluation", "evaluationId", course_evaluations[e], &report);
        strict += report.is_strict;
    }
    invig_engine_read_stats(course->engine, &stats);
    course_must(!is_sure || stats.connections_current == connections, "connections/current");
    course_must(stats.sessions_current == sessions, "sessions/current");
    course_must(!is_sure || stats.users_current == users, "users/current");
    course_must(stats.users_blocked == blocked, "users/blocked");
    course_must(stats.evaluations_strict == strict, "evaluations/strict");
}

/* A student has one session, and is bound to one. */
static void check_single(const struct report *report)
{
    course_must(report->session_count <= 1, "two sessions side by side");
    for (size_t i = 1; i < report->binding_count; i++) {
        course_must(strcmp(report->bindings[i].second, report->bindings[0].second) == 0,
                    "bound to two sessions");
        for (size_t j = 0; j < i; j++) {
            course_must(strcmp(report->bindings[i].first, report->bindings[j].first) != 0,
                        "bound twice");
        }
    }
}

void course_check(struct course *course)
{
    for (int u = 0; u < COURSE_USERS; u++) {
        ask_about(course, "getUser", "userId", course_users[u], &course->reports[u]);
        if (u < COURSE_FIRST_OF_MANY_ROLES) {
            check_single(&course->reports[u]);
        }
    }
    for (int i = 0; i < COURSE_SLOTS; i++) {
        if (course->slots[i].real != NULL && course->slots[i].user >= 0) {
            check_slot(course, &course->slots[i]);
        }
    }
    check_counts(course);
}

/* -- Effects -- */

/* The connection whose client id an effect borrows. */
static const struct slot *effect_slot(const struct course *course,
                                      const struct invig_effect *effect)
{
    const struct slot *meant = NULL;

    for (int i = 0; i < COURSE_SLOTS; i++) {
        const struct slot *slot = &course->slots[i];
        if (slot->real != NULL && slot->real->client_id.data == effect->client_id.data) {
            meant = slot;
        }
    }
    course_must(meant != NULL, "an effect on nobody");
    /* Of two without a token the broker has not said yet which one it keeps. */
    course_must(!meant->is_departed && (!meant->is_overtaken || meant->user < 0),
                "an effect on one who left the client id");
    course_must(strcmp(effect->client_id.data, meant->client_id) == 0, "client id");
    return meant;
}

static void check_kick(const struct course *course, const struct slot *slot)
{
    course_must(slot->user >= 0, "a kick without a token");
    course_must(deliver(course, slot, "users/u0") == INVIG_DENY &&
                    deliver(course, slot, "users/u1") == INVIG_DENY &&
                    deliver(course, slot, "users/u2") == INVIG_DENY,
                "a kick of one with rights");
}

static void check_send(const struct course *course, const struct slot *slot,
                       const struct invig_effect *effect)
{
    const char *user = slot->user < 0 ? "" : course_users[slot->user];
    bool is_own = invig_text_equal(effect->topic.user, invig_text_of(user));
    char topic[INVIG_TOPIC_BYTES];

    course_must(invig_topic_write(invig_text_of(""), &effect->topic, topic) > 0, "topic");
    switch (effect->topic.kind) {
    case INVIG_TOPIC_USER_SESSION:
        course_must(is_own && invig_text_equal(effect->topic.session, invig_text_of(slot->session)),
                    "a notice of another session");
        break;
    case INVIG_TOPIC_EVALUATION_USER:
        course_must(is_own && deliver(course, slot, topic) == INVIG_DENY,
                    "a notice to be turned away");
        break;
    case INVIG_TOPIC_EVALUATION:
        course_must(deliver(course, slot, topic) == INVIG_ALLOW, "sent to one who has no right");
        break;
    default:
        course_must(effect->topic.kind == INVIG_TOPIC_CONTROL_RESPONSE, "sent on another topic");
    }
}

static void check_payload(const struct invig_effect *effect)
{
    char *payload = invig_backend_payload(effect);
    struct invig_json_object *object = NULL;

    course_must(payload != NULL, "payload");
    if (effect->payload != INVIG_PAYLOAD_EMPTY) {
        course_must(invig_json_read_object(invig_text_of(payload), &object) == INVIG_OK, payload);
    }
    invig_json_object_free(object);
    free(payload);
}

void course_check_effect(const struct course *course, const struct invig_effect *effect)
{
    char topic[INVIG_TOPIC_BYTES];

    if (effect->kind == INVIG_EFFECT_PUBLISH) {
        course_must(invig_topic_write(invig_text_of(""), &effect->topic, topic) > 0, "topic");
        check_payload(effect);
    } else if (effect->kind == INVIG_EFFECT_KICK) {
        check_kick(course, effect_slot(course, effect));
    } else {
        check_send(course, effect_slot(course, effect), effect);
        check_payload(effect);
    }
}
