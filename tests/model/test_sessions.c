/* SPDX-License-Identifier: Apache-2.0
 *
 * test_sessions.c - random events into the engine, beside a small model that says what must come of
 * them. Invariant: nothing is delivered after a session was superseded, revoked or ran out;
 * everything else is. MODEL_EVENTS and MODEL_SEED in the environment change length and course.
 */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { USERS = 3, SESSIONS = 8, IDS = 5, CONNECTIONS = 24, EVENTS_DEFAULT = 200000 };

struct model_session {
    bool is_seen;
    bool is_ended;
    int64_t login_s;
};

struct model_user {
    struct model_session sessions[SESSIONS];
    bool has_newest;
    int64_t newest_s;
    bool has_revoked_before;
    int64_t revoked_before_s;
    int current; /* session; -1: none */
};

struct model_connection {
    struct invig_connection *real; /* NULL: free */
    int user;
    int session;
    int id;
    bool is_replaced;
    bool is_told; /* came in only to be told, or was ended since */
    int64_t ends_s;
};

static struct world world;
static struct model_user users[USERS];
static struct model_connection connections[CONNECTIONS];
static uint64_t random_state;

static uint32_t random_below(uint32_t bound)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(random_state >> 33) % bound;
}

static bool model_is_allowed(const struct model_connection *connection)
{
    return connection->real != NULL && !connection->is_replaced && !connection->is_told &&
           world.now.wall_s < connection->ends_s;
}

static void model_end_session(int user, int session)
{
    users[user].sessions[session].is_ended = true;
    for (int i = 0; i < CONNECTIONS; i++) {
        if (connections[i].real != NULL && connections[i].user == user &&
            connections[i].session == session) {
            connections[i].is_told = true;
        }
    }
    if (users[user].current == session) {
        users[user].current = -1;
    }
}

/* The rules of a login, written down once more. Returns false when it only comes in to be told. */
static bool model_login(int user, int session, int64_t login_s)
{
    struct model_user *who = &users[user];
    struct model_session *what = &who->sessions[session];

    if (!what->is_seen) {
        what->is_seen = true;
        what->login_s = login_s;
        what->is_ended = (who->has_revoked_before && login_s < who->revoked_before_s) ||
                         (who->has_newest && login_s < who->newest_s);
        if (!what->is_ended) {
            if (who->current >= 0) {
                model_end_session(user, who->current);
            }
            who->current = session;
            who->has_newest = true;
            who->newest_s = login_s;
        }
    }
    return !what->is_ended;
}

static struct model_connection *model_holder(int user, int id)
{
    for (int i = 0; i < CONNECTIONS; i++) {
        if (connections[i].real != NULL && !connections[i].is_replaced &&
            connections[i].user == user && connections[i].id == id) {
            return &connections[i];
        }
    }
    return NULL;
}

static bool model_has_ended(int user, int session, int64_t login_s)
{
    const struct model_user *who = &users[user];
    const struct model_session *what = &who->sessions[session];

    if (what->is_seen) {
        return what->is_ended;
    }
    return (who->has_revoked_before && login_s < who->revoked_before_s) ||
           (who->has_newest && login_s < who->newest_s);
}

static void event_connect(void)
{
    int user = (int)random_below(USERS);
    int session = (int)random_below(SESSIONS);
    int id = (int)random_below(IDS);
    char texts[3][32];
    struct login login = {.user = texts[0], .session = texts[1], .client_id = texts[2]};
    struct model_connection *holder = model_holder(user, id);
    struct model_connection *slot = NULL;
    bool has_ended;

    for (int i = 0; i < CONNECTIONS; i++) {
        slot = connections[i].real == NULL ? &connections[i] : slot;
    }
    if (slot == NULL) {
        return;
    }
    (void)snprintf(texts[0], sizeof(texts[0]), "u%d", user);
    (void)snprintf(texts[1], sizeof(texts[1]), "s%d", session);
    (void)snprintf(texts[2], sizeof(texts[2]), "u%d:%d", user, id);
    login.login_s = WORLD_START_S + (int64_t)random_below(20);
    login.expires_s = world.now.wall_s + 1 + (int64_t)random_below(60);
    has_ended = model_has_ended(user, session, login.login_s);
    if (has_ended && holder != NULL && !holder->is_told && world.now.wall_s < holder->ends_s) {
        assert_null(world_login(&world, &login));
        assert_int_equal(world.refusal.reason, INVIG_REASON_SESSION_ENDED);
        return;
    }
    slot->real = world_login(&world, &login);
    if (slot->real == NULL && has_ended && holder != NULL && !holder->is_told) {
        return; /* the holder ran out this second, which the engine finds at its tick */
    }
    assert_non_null(slot->real);
    if (holder != NULL) {
        holder->is_replaced = true;
    }
    *slot = (struct model_connection){slot->real,
                                      user,
                                      session,
                                      id,
                                      false,
                                      !model_login(user, session, login.login_s),
                                      login.expires_s + world.policy.jwt_leeway_s};
}

static void event_disconnect(void)
{
    struct model_connection *connection = &connections[random_below(CONNECTIONS)];

    if (connection->real != NULL) {
        world_disconnect(&world, connection->real);
        connection->real = NULL;
    }
}

static void event_revoke_session(void)
{
    int user = (int)random_below(USERS);
    int session = (int)random_below(SESSIONS);
    char texts[2][32];

    (void)snprintf(texts[0], sizeof(texts[0]), "u%d", user);
    (void)snprintf(texts[1], sizeof(texts[1]), "s%d", session);
    world_invalidate_session(&world, texts[0], texts[1]);
    users[user].sessions[session].is_seen = true;
    model_end_session(user, session);
}

static void event_revoke_user(void)
{
    int user = (int)random_below(USERS);
    int64_t before_s = WORLD_START_S + (int64_t)random_below(20);
    char text[32];

    (void)snprintf(text, sizeof(text), "u%d", user);
    world_invalidate_user(&world, text, NULL, before_s);
    for (int i = 0; i < SESSIONS; i++) {
        if (users[user].sessions[i].is_seen) {
            model_end_session(user, i);
        }
    }
    if (!users[user].has_revoked_before || before_s > users[user].revoked_before_s) {
        users[user].has_revoked_before = true;
        users[user].revoked_before_s = before_s;
    }
}

/* An effect must fit the connection that holds the client id now. */
static void check_effect(const char *effect)
{
    char kind[16];
    char reason[16] = "";
    int user;
    int id;
    int notified_user;
    int session;
    int fields = sscanf(effect, "%15s u%d:%d %15s u%d s%d", kind, &user, &id, reason,
                        &notified_user, &session);
    const struct model_connection *holder;

    assert_true(fields == 3 || fields == 6);
    holder = model_holder(user, id);
    assert_non_null(holder);
    if (strcmp(reason, "EXPIRING") != 0) {
        assert_false(model_is_allowed(holder));
    }
    if (fields == 6) {
        assert_int_equal(notified_user, holder->user);
        assert_int_equal(session, holder->session);
    }
}

static void event_tick(void)
{
    world_tick(&world);
    for (size_t i = 0; i < world.effect_count; i++) {
        check_effect(world.effects[i]);
    }
    world_clear(&world);
}

static void check_deliveries(void)
{
    for (int i = 0; i < CONNECTIONS; i++) {
        char topic[64];

        if (connections[i].real == NULL) {
            continue;
        }
        (void)snprintf(topic, sizeof(topic), "users/u%d/sessions/s%d", connections[i].user,
                       connections[i].session);
        assert_int_equal(world_deliver(&world, connections[i].real, topic),
                         model_is_allowed(&connections[i]) ? INVIG_ALLOW : INVIG_DENY);
        (void)snprintf(topic, sizeof(topic), "users/u%d", (connections[i].user + 1) % USERS);
        assert_int_equal(world_deliver(&world, connections[i].real, topic), INVIG_DENY);
    }
}

static void forget_everything(void)
{
    world_deinit(&world);
    world_init(&world, "max_connections_per_session", "1000", NULL);
    memset(connections, 0, sizeof(connections));
    memset(users, 0, sizeof(users));
    for (int i = 0; i < USERS; i++) {
        users[i].current = -1;
    }
}

static long number_of_environment(const char *name, long otherwise)
{
    const char *text = getenv(name);

    return text == NULL ? otherwise : strtol(text, NULL, 10);
}

static void test_sessions_follow_the_model(void **state)
{
    long events = number_of_environment("MODEL_EVENTS", EVENTS_DEFAULT);

    (void)state;
    random_state = (uint64_t)number_of_environment("MODEL_SEED", 1);
    world_init(&world, NULL);
    forget_everything();
    for (long i = 0; i < events; i++) {
        uint32_t die = random_below(100);

        if (die < 45) {
            event_connect();
        } else if (die < 65) {
            event_disconnect();
        } else if (die < 68) {
            event_revoke_session();
        } else if (die < 69) {
            event_revoke_user();
        } else {
            event_tick();
        }
        check_deliveries();
        if (i % 500 == 499) {
            forget_everything(); /* sessions end for good, so a long run would only see dead ones */
        }
    }
    world_deinit(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sessions_follow_the_model)};

    return cmocka_run_group_tests_name("model sessions", tests, NULL, NULL);
}
