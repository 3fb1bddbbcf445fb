/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_state.c - rows of any bytes, as a state file may have them that somebody else wrote: an
 * engine loads them or refuses them, and works on with what it has loaded. The input is a byte of
 * options, the number of rows, the rows and what happens then.
 */
#include "backend.h"
#include "digest.h"
#include "json.h"
#include "staterow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_MAX = 24, EVENTS_MAX = 24 };

enum option {
    OPTION_LOOSE = 1, /* the columns take anything */
    OPTION_OBSERVE = 2
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* -- The engine -- */

static void close_nothing(void *context)
{
    (void)context;
}

static void write_nothing(void *context, enum invig_log_level level, const char *line)
{
    (void)context;
    (void)level;
    course_must(strpbrk(line, "\n\r\033") == NULL, "log line");
}

static bool course_load(struct course *course, struct database *database)
{
    struct invig_store store = invig_sqlitestore_of(&database->store, false);
    enum invig_status status;

    store.close = close_nothing;
    course->engine =
        invig_engine_new(&course->policy, (struct invig_seed){{1, 2}},
                         (struct invig_log_sink){NULL, write_nothing}, invig_digest_sha256, store);
    course_must(course->engine != NULL, "engine");
    status = invig_engine_load(course->engine, course->now);
    course_must(status == INVIG_OK || status == INVIG_ERR_FORMAT || status == INVIG_ERR_FULL,
                "status");
    return status == INVIG_OK;
}

static void event_connect(struct course *course)
{
    static struct invig_claims claims;
    uint8_t who = staterow_take_byte(course);
    struct slot *slot = &course->slots[staterow_take_byte(course) % COURSE_SLOTS];
    struct slot made = {.user = who % COURSE_FIRST_OF_MANY_ROLES,
                        .ends_s = STATEROW_NOW_S + 100000};
    struct invig_refusal refusal;
    struct invig_connect connect = {.address = invig_text_of("192.0.2.1"),
                                    .protocol_version = 5,
                                    .is_clean = true,
                                    .keepalive_s = 60,
                                    .claims = &claims};

    if (slot->real != NULL) {
        return;
    }
    memset(&claims, 0, sizeof(claims));
    (void)snprintf(claims.user, sizeof(claims.user), "u%d", made.user);
    (void)snprintf(claims.session, sizeof(claims.session), "s%d", who / 2 % COURSE_SESSIONS);
    memcpy(made.session, claims.session, sizeof(made.session));
    (void)snprintf(made.client_id, sizeof(made.client_id), "u%d:%d", made.user,
                   (int)(slot - course->slots));
    connect.client_id = invig_text_of(made.client_id);
    claims.has_session = true;
    claims.role = INVIG_ROLE_STUDENT;
    claims.login_s = STATEROW_NOW_S - staterow_take_byte(course) % 4;
    claims.issued_s = claims.login_s;
    claims.has_auth_time = claims.login_s % 2 == 0;
    claims.expires_s = made.ends_s - course->policy.jwt_leeway_s;
    (void)snprintf(claims.evaluations[0], sizeof(claims.evaluations[0]), "e%d", who / 16 % 3);
    claims.evaluation_count = who >= 128;
    if (invig_engine_connect(course->engine, course->now, &connect, &made.real, &refusal) ==
        INVIG_ALLOW) {
        *slot = made;
    }
}

static void event_disconnect(struct course *course)
{
    struct slot *slot = &course->slots[staterow_take_byte(course) % COURSE_SLOTS];

    if (slot->real != NULL && !slot->is_departed) {
        invig_engine_disconnect(course->engine, course->now, slot->real, INVIG_CAUSE_CLOSED);
        slot->is_departed = true;
    }
}

static void event_command(struct course *course)
{
    uint8_t choice = staterow_take_byte(course);
    struct madeup command = {0};
    struct report report;

    madeup_add_text(&command, "command", choice % 2 == 0 ? "unblock" : "invalidateUser");
    madeup_add_text(&command, "userId", course_users[choice / 2 % COURSE_USERS]);
    if (choice % 2 == 0) {
        madeup_add_text(&command, "evaluationId", course_evaluations[choice / 8 % 3]);
        if (choice >= 128) {
            madeup_add_text(&command, "sessionId", choice / 32 % 2 == 0 ? "s0" : NULL);
        }
    }
    course_ask(course, &command, &report);
}

/* A message of the file need not be JSON; it is published as it is, and a copy of it is made. */
static bool effect_is_hostile(const struct invig_effect *effect)
{
    struct invig_json_object *object = NULL;
    bool is_object =
        effect->text.data == NULL || invig_json_read_object(effect->text, &object) == INVIG_OK;

    invig_json_object_free(object);
    return !is_object &&
           (effect->payload == INVIG_PAYLOAD_TEXT || effect->payload == INVIG_PAYLOAD_COPY);
}

static void effect_check(const struct course *course, const struct invig_effect *effect)
{
    if (effect_is_hostile(effect)) {
        char *payload = invig_backend_payload(effect);
        course_must(payload != NULL, "payload");
        free(payload);
    } else {
        course_check_effect(course, effect);
    }
}

static void event_tick(struct course *course)
{
    static const int64_t steps_ms[] = {0, 100, 1000, 1000, 60000, 400000, 700000000, 0};
    struct invig_effect effect;

    course->now.steady_ms += steps_ms[staterow_take_byte(course) % 8];
    course->now.wall_s = STATEROW_NOW_S + course->now.steady_ms / 1000;
    invig_engine_tick(course->engine, course->now);
    for (int i = 0; i < COURSE_SLOTS; i++) {
        if (course->slots[i].real != NULL && course->slots[i].is_departed) {
            course->slots[i] = (struct slot){0};
        }
    }
    while (invig_engine_next_effect(course->engine, course->now, &effect)) {
        effect_check(course, &effect);
    }
}

static void event(struct course *course)
{
    static void (*const events[])(struct course * course) = {event_tick, event_connect,
                                                             event_disconnect, event_command};

    events[staterow_take_byte(course) % 4](course);
}

/* -- All of it -- */

static void course_begin(struct course *course, const char *strict_policy)
{
    char error[INVIG_POLICY_ERROR_BYTES];

    course->now = (struct invig_now){STATEROW_NOW_S, 0};
    course_must(invig_policy_init(&course->policy) == INVIG_OK, "policy");
    course_must(invig_policy_set(&course->policy, "strict_policy", strict_policy, error) ==
                    INVIG_OK,
                "policy");
}

/* False where the file says what the plugin never stores, and the engine believes all the same: two
 * sessions of a user that count, one that counts and is not the current one, a current one that
 * does not count; or serials that leave no room. */
static bool file_is_sound(const struct database *database)
{
    static const char sql[] =
        "SELECT 1 FROM sessions WHERE ended IS NULL GROUP BY user HAVING count(*) > 1"
        " UNION SELECT 1 FROM sessions WHERE is_current = (ended IS NOT NULL) OR serial < 0"
        " OR (is_current AND (is_turned_away OR NOT is_single))"
        " UNION SELECT 1 FROM members WHERE released_serial < 0";
    sqlite3_stmt *statement = NULL;
    bool is_sound;

    course_must(sqlite3_prepare_v2(database->store.db, sql, -1, &statement, NULL) == SQLITE_OK,
                "question");
    is_sound = sqlite3_step(statement) == SQLITE_DONE;
    (void)sqlite3_finalize(statement);
    return is_sound;
}

static void course_play(struct course *course, bool is_sound)
{
    for (int i = 0; i < EVENTS_MAX && course->size > 0; i++) {
        event(course);
        if (is_sound) {
            course_check(course);
        }
    }
    event_tick(course); /* stores what waits for it */
}

/* What an engine has stored, another one can load. */
static void must_load_again(struct course *course, struct database *database)
{
    invig_engine_free(course->engine);
    memset(course->slots, 0, sizeof(course->slots));
    course_must(course_load(course, database), "its own records are refused");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct course course;
    uint8_t options, row_count;

    course = (struct course){.data = data, .size = size};
    options = staterow_take_byte(&course);
    row_count = staterow_take_byte(&course) % (ROWS_MAX + 1);
    struct database *database = staterow_database((options & OPTION_LOOSE) != 0);
    course_begin(&course, (options & OPTION_OBSERVE) != 0 ? "observe" : "enforce");
    for (int i = 0; i < row_count; i++) {
        staterow_insert(database, &course);
    }
    bool is_sound = file_is_sound(database);
    if (course_load(&course, database)) {
        course_play(&course, is_sound);
        if (is_sound && (options & OPTION_LOOSE) == 0) {
            must_load_again(&course, database);
        }
    }
    invig_engine_free(course.engine);
    invig_policy_deinit(&course.policy);
    return 0;
}
