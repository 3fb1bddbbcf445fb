/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_engine.c - bytes as a course of events in the engine. After each event what the engine
 * counts, what it answers and what it lets through must fit together; that the course itself is
 * right is what the model tests are for.
 */
#include "course.h"
#include "digest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EVENTS_MAX = 400, START_S = 1800000000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The next number below `bound` (at most 256) out of the input; 0 when it is used up. */
static uint8_t take(struct course *course, unsigned bound)
{
    uint8_t byte = course->size == 0 ? 0 : course->data[0];

    course->data += course->size > 0;
    course->size -= course->size > 0;
    return (uint8_t)(byte % bound);
}

/* -- Connections come and go -- */

static struct slot *slot_free(struct course *course)
{
    for (int i = 0; i < COURSE_SLOTS; i++) {
        if (course->slots[i].real == NULL) {
            return &course->slots[i];
        }
    }
    return NULL;
}

static struct slot *slot_take(struct course *course)
{
    struct slot *slot = &course->slots[take(course, COURSE_SLOTS)];

    return slot->real == NULL ? NULL : slot;
}

static void slot_begin(struct course *course, struct slot *slot, const struct slot *made)
{
    for (int i = 0; i < COURSE_SLOTS; i++) {
        struct slot *other = &course->slots[i];
        if (other->real != NULL && strcmp(other->client_id, made->client_id) == 0) {
            other->is_overtaken = true;
        }
    }
    *slot = *made;
}

static void claims_make(struct course *course, struct slot *made, struct invig_claims *claims)
{
    int64_t now_s = course->now.wall_s;
    uint8_t choice;

    memset(claims, 0, sizeof(*claims));
    made->user = take(course, COURSE_USERS);
    choice = take(course, 2 * COURSE_SESSIONS);
    (void)snprintf(claims->user, sizeof(claims->user), "u%d", made->user);
    claims->role = made->user < COURSE_FIRST_OF_MANY_ROLES ? INVIG_ROLE_STUDENT
                   : made->user == COURSE_SERVICE          ? INVIG_ROLE_SERVICE
                   : choice % COURSE_SESSIONS < 2          ? INVIG_ROLE_PROFESSOR
                                                           : INVIG_ROLE_STUDENT;
    claims->has_session = made->user != COURSE_SERVICE || choice >= COURSE_SESSIONS;
    if (claims->has_session) {
        (void)snprintf(claims->session, sizeof(claims->session), "s%d", choice % COURSE_SESSIONS);
        (void)snprintf(made->session, sizeof(made->session), "s%d", choice % COURSE_SESSIONS);
    }
    claims->login_s = now_s + 8 - take(course, 32);
    claims->issued_s = claims->login_s;
    claims->has_auth_time = claims->login_s % 2 == 0;
    claims->expires_s = now_s + take(course, 256);
    made->ends_s = claims->expires_s + course->policy.jwt_leeway_s;
    for (int e = 0; e < COURSE_EVALUATIONS; e++) {
        if (take(course, 2) == 1) {
            (void)snprintf(claims->evaluations[claims->evaluation_count++],
                           sizeof(claims->evaluations[0]), "e%d", e);
        }
    }
}

static void event_connect(struct course *course)
{
    static const char *const addresses[] = {"192.0.2.1", "192.0.2.2", NULL};
    static struct invig_claims claims;
    struct slot made = {.user = -1};
    struct slot *slot = slot_free(course);
    uint8_t flags = take(course, 128);
    struct invig_connect connect = {
        .protocol_version = (flags & 1) != 0 ? 5 : 4, .is_clean = true, .keepalive_s = 60};
    struct invig_refusal refusal;
    enum invig_verdict verdict;

    if (slot == NULL) {
        return;
    }
    connect.address = invig_text_of(addresses[take(course, 3)]);
    if (flags % 8 != 0) {
        claims_make(course, &made, &claims);
        connect.claims = &claims;
    }
    (void)snprintf(made.client_id, sizeof(made.client_id), made.user < 0 ? "b%d" : "u%d:%d",
                   made.user < 0 ? flags / 32 : made.user, flags / 16 % 4);
    if (flags == 64) {
        (void)snprintf(made.client_id, sizeof(made.client_id), "u0:1"); /* somebody's */
    }
    connect.client_id = invig_text_of(made.client_id);
    verdict = invig_engine_connect(course->engine, course->now, &connect, &made.real, &refusal);
    course_must((verdict == INVIG_DENY) == (made.real == NULL), "connection");
    course_must((verdict == INVIG_DENY) == (refusal.reason != INVIG_REASON_NONE), "reason");
    course_must(verdict == INVIG_DENY || (verdict == INVIG_DEFER) == (made.user < 0), "deferred");
    if (verdict != INVIG_DENY) {
        slot_begin(course, slot, &made);
    }
}

static void event_disconnect(struct course *course)
{
    struct slot *slot = slot_take(course);

    if (slot != NULL) {
        invig_engine_disconnect(course->engine, course->now, slot->real,
                                (enum invig_cause)take(course, 4));
        slot->is_departed = true;
    }
}

/* A token for the connection's own user and session, or for any. */
static void claims_make_newer(struct course *course, const struct slot *slot, struct slot *made,
                              struct invig_claims *claims)
{
    claims_make(course, made, claims);
    if (take(course, 4) == 0) {
        return;
    }
    (void)snprintf(claims->user, sizeof(claims->user), "u%d", slot->user);
    (void)snprintf(claims->session, sizeof(claims->session), "%s", slot->session);
    claims->has_session = slot->session[0] != '\0';
    if (slot->user < COURSE_FIRST_OF_MANY_ROLES) {
        claims->role = INVIG_ROLE_STUDENT;
    } else if (slot->user == COURSE_SERVICE) {
        claims->role = INVIG_ROLE_SERVICE;
    } else if (claims->role == INVIG_ROLE_SERVICE) {
        claims->role = INVIG_ROLE_PROFESSOR;
    }
}

/* The broker disconnects whoever shows a token that is refused. */
static void event_refresh(struct course *course)
{
    static struct invig_claims claims;
    struct slot *slot = slot_take(course);
    struct slot made = {.user = -1};
    struct invig_connect connect = {
        .protocol_version = 5, .is_clean = true, .keepalive_s = 60, .claims = &claims};
    struct invig_connection *real;
    struct invig_refusal refusal;
    enum invig_verdict verdict;

    if (slot == NULL || slot->user < 0 || slot->is_departed || slot->is_overtaken) {
        return;
    }
    claims_make_newer(course, slot, &made, &claims);
    connect.client_id = invig_text_of(slot->client_id);
    real = slot->real;
    verdict = invig_engine_refresh(course->engine, course->now, &connect, &real, &refusal);
    course_must(verdict != INVIG_DEFER, "deferred");
    course_must((verdict == INVIG_DENY) == (refusal.reason != INVIG_REASON_NONE), "reason");
    if (verdict == INVIG_DENY) {
        course_must(real == slot->real, "another connection");
        invig_engine_disconnect(course->engine, course->now, slot->real, INVIG_CAUSE_CLOSED);
        slot->is_departed = true;
    } else if (real != slot->real) {
        course_must(strcmp(claims.user, course_users[slot->user]) == 0, "another user");
        course_must(strcmp(claims.session, slot->session) == 0, "another session");
        slot->real = real;
        slot->ends_s = made.ends_s;
    }
}

static void event_forget(struct course *course)
{
    struct slot *slot = slot_take(course);

    if (slot != NULL && slot->is_departed) {
        invig_engine_forget(course->engine, slot->real);
        *slot = (struct slot){0};
    }
}

/* -- What the backend says -- */

static const char *text_take(struct course *course, const char *const *texts, size_t count)
{
    return texts[take(course, (unsigned)count)];
}

#define TEXT_TAKE(course, ...)                                                                     \
    text_take(course, (const char *const[]){__VA_ARGS__},                                          \
              sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

static void update_add(struct course *course, struct madeup *update, bool is_of_user)
{
    uint8_t mask = take(course, 256);

    if (!is_of_user) {
        madeup_add_text(update, "phase",
                        TEXT_TAKE(course, "IN_PROGRESS", "IN_PROGRESS", "REGISTRATION", "x"));
        if ((mask & 1) != 0) {
            madeup_add_boolean(update, "strict", (mask & 2) != 0);
        }
    }
    if ((mask & 4) != 0) {
        madeup_add_integer(update, "version", (int8_t)take(course, 256));
    }
    if (is_of_user && (mask & 8) != 0) {
        madeup_add_text(update, "access",
                        TEXT_TAKE(course, "ALLOWED", "ALLOWED", "DENIED", "BLOCKED"));
    }
    if (is_of_user && (mask & 16) != 0) {
        madeup_add_boolean(update, "unblock", true);
    }
    if (is_of_user && (mask & 32) != 0) {
        madeup_add_text(update, "sessionId", TEXT_TAKE(course, NULL, "s0", "s1", "s2", "s3", "s9"));
    }
    if (is_of_user && (mask & 64) != 0) {
        madeup_add_text(update, "status", TEXT_TAKE(course, NULL, "FINISHED", "IN_PROGRESS"));
    }
    if ((mask & 128) != 0 && take(course, 8) == 0) {
        madeup_spoil(update, (enum invig_value_kind)take(course, INVIG_VALUE_ERROR + 1));
    }
}

static void event_message(struct course *course)
{
    const struct slot *slot = slot_take(course);
    const char *evaluation = course_evaluations[take(course, COURSE_EVALUATIONS)];
    uint8_t choice = take(course, 64);
    const char *user = choice % 4 == 0 ? NULL : course_users[choice / 4 % COURSE_USERS];
    const char *payload =
        choice == 63 ? "" : "{\"type\":\"EVALUATION_UPDATE\",\"sessionId\":\"s\"}";
    struct madeup update = {0};
    struct invig_value_source source;
    char topic[64];
    struct invig_message message = {.is_retained = choice != 62};
    struct invig_stats before, after;
    enum invig_verdict verdict;

    (void)snprintf(topic, sizeof(topic),
                   user == NULL ? "evaluations/%s" : "evaluations/%s/users/%s", evaluation, user);
    if (slot != NULL &&
        invig_engine_publish(course->engine, slot->real, invig_text_of(topic)) == INVIG_DENY) {
        return;
    }
    madeup_add_text(&update, "type", "EVALUATION_UPDATE");
    madeup_add_text(&update, "evaluationId", evaluation);
    if (user != NULL) {
        madeup_add_text(&update, "userId", user);
    }
    update_add(course, &update, user != NULL);
    source = madeup_source(&update);
    message.topic = invig_text_of(topic);
    message.payload = invig_text_of(payload);
    message.object = choice == 61 ? NULL : &source;
    invig_engine_read_stats(course->engine, &before);
    verdict = invig_engine_message(course->engine, course->now, slot == NULL ? NULL : slot->real,
                                   &message);
    invig_engine_read_stats(course->engine, &after);
    course_must(after.publishes_refused == before.publishes_refused + (verdict == INVIG_DENY),
                "publishes/refused");
    course_must(slot != NULL || verdict == INVIG_DENY, "a publisher that is not known");
}

static void event_command(struct course *course)
{
    const char *kind = TEXT_TAKE(course, "unblock", "invalidateSession", "invalidateUser",
                                 "unblock", "listSessions", "getStats", "getEvaluation", "x");
    uint8_t mask = take(course, 128);
    struct madeup command = {0};
    struct report report;

    madeup_add_text(&command, "command", kind);
    if (strcmp(kind, "unblock") == 0 || strncmp(kind, "inv", 3) == 0) {
        madeup_add_text(&command, "userId", course_users[take(course, COURSE_USERS)]);
    }
    if (strcmp(kind, "unblock") == 0 || strcmp(kind, "getEvaluation") == 0) {
        madeup_add_text(&command, "evaluationId",
                        course_evaluations[take(course, COURSE_EVALUATIONS)]);
    }
    if ((mask & 1) != 0 || strcmp(kind, "invalidateSession") == 0) {
        madeup_add_text(&command, "sessionId",
                        TEXT_TAKE(course, "s0", "s1", "s2", "s3", "s4", "s9", NULL));
    }
    if (strcmp(kind, "invalidateUser") == 0 && (mask & 2) != 0) {
        madeup_add_boolean(&command, "unlessBound", (mask & 4) != 0);
    }
    if (strcmp(kind, "invalidateUser") == 0 && (mask & 8) != 0) {
        madeup_add_text(&command, "exceptSessionId",
                        TEXT_TAKE(course, "s0", "s1", "s2", "s3", "s4"));
    }
    if ((mask & 16) != 0) {
        madeup_add_integer(&command, (mask & 32) != 0 ? "before" : "count",
                           course->now.wall_s + (int8_t)take(course, 256));
    }
    if (mask > 120) {
        madeup_spoil(&command, (enum invig_value_kind)take(course, INVIG_VALUE_ERROR + 1));
    }
    course_ask(course, &command, &report);
    if (strcmp(kind, "x") == 0) {
        course_must(report.is_error, "unknown command");
    }
}

/* A reply to anybody who could have sent a command. */
static void event_reply(struct course *course)
{
    const struct slot *slot = slot_take(course);

    if (slot != NULL && !slot->is_departed && !slot->is_overtaken) {
        (void)invig_engine_reply(course->engine, slot->real,
                                 invig_text_copy(invig_text_of("{\"responses\":[]}")));
    }
}

/* -- Topics of any kind -- */

static void event_topic(struct course *course)
{
    const struct slot *slot = slot_take(course);
    const struct invig_text topic = invig_text_of(TEXT_TAKE(
        course, "users/u0", "users/u1/sessions/s1", "evaluations/e0", "evaluations/e1/users/u0",
        "evaluations/e2/presence/u1", "evaluations/e0/incidents", "$CONTROL/invigilator/v1",
        "$SYS/broker/invigilator/x", "evaluations/e1/#", "users/+/sessions/#", "x", ""));
    const struct invig_text user = invig_text_of(TEXT_TAKE(course, NULL, "u0", "u2", "u3", "x"));

    (void)invig_engine_unknown(course->engine, (enum invig_operation)take(course, 3), user, topic);
    if (slot != NULL) {
        (void)invig_engine_subscribe(course->engine, slot->real, topic);
        (void)invig_engine_deliver(course->engine, slot->real, topic);
        (void)invig_engine_publish(course->engine, slot->real, topic);
    }
}

/* -- Time -- */

/* After a tick the engine has no departed connection any more. */
static void slots_sweep(struct course *course)
{
    for (int i = 0; i < COURSE_SLOTS; i++) {
        if (course->slots[i].real != NULL && course->slots[i].is_departed) {
            course->slots[i] = (struct slot){0};
        }
    }
}

static void event_tick(struct course *course)
{
    static const int64_t steps_ms[] = {0, 100, 100, 1000, 1000, 30000, 400000, 700000000};
    struct invig_effect effect;
    uint8_t effects_max = take(course, 16);

    course->now.steady_ms += steps_ms[take(course, 8)];
    course->now.wall_s = START_S + course->now.steady_ms / 1000;
    invig_engine_tick(course->engine, course->now);
    slots_sweep(course);
    for (int i = 0; effects_max >= 8 || i < effects_max; i++) {
        if (!invig_engine_next_effect(course->engine, course->now, &effect)) {
            break;
        }
        course_check_effect(course, &effect);
    }
}

static void event(struct course *course)
{
    static void (*const events[])(struct course * course) = {
        event_connect,    event_connect, event_connect, event_message, event_message,
        event_message,    event_command, event_tick,    event_tick,    event_tick,
        event_disconnect, event_forget,  event_topic,   event_reply,   event_refresh};

    events[take(course, sizeof(events) / sizeof(events[0]))](course);
}

static void write_nothing(void *context, enum invig_log_level level, const char *line)
{
    (void)context;
    (void)level;
    course_must(strchr(line, '\n') == NULL, "log line");
}

/* The settings that matter here, by the first byte. */
static void course_begin(struct course *course)
{
    static const char *const policies[] = {"enforce", "enforce", "observe", "off"};
    char error[INVIG_POLICY_ERROR_BYTES];
    uint8_t choice = take(course, 16);

    course->now = (struct invig_now){START_S, 0};
    course_must(invig_policy_init(&course->policy) == INVIG_OK, "policy");
    course_must(invig_policy_set(&course->policy, "strict_policy", policies[choice % 4], error) ==
                    INVIG_OK,
                "policy");
    course_must(invig_policy_set(&course->policy, "max_connections_per_session",
                                 choice / 4 % 2 == 0 ? "2" : "8", error) == INVIG_OK,
                "policy");
    course_must(invig_policy_set(&course->policy, "expiry_notice", choice < 8 ? "60" : "0",
                                 error) == INVIG_OK,
                "policy");
    course->engine = invig_engine_new(&course->policy, (struct invig_seed){{1, 2}},
                                      (struct invig_log_sink){NULL, write_nothing},
                                      invig_digest_sha256, invig_store_memory());
    course_must(course->engine != NULL, "engine");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct course course;

    course = (struct course){.data = data, .size = size};
    course_begin(&course);
    for (int i = 0; i < EVENTS_MAX && course.size > 0; i++) {
        event(&course);
        course_check(&course);
    }
    invig_engine_free(course.engine);
    invig_policy_deinit(&course.policy);
    return 0;
}
