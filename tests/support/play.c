/* SPDX-License-Identifier: Apache-2.0
 *
 * play.c - see play.h: logins, time, and the dice.
 */
#include "play.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

void play_tick(struct pair *pair)
{
    int64_t milliseconds = pair_chance(pair, 3) ? WORLD_TICK_MS : 1000;

    pair_record(pair, "tick %lld", (long long)milliseconds);
    pair_tick(pair, milliseconds);
}

/* Tokens run out at whole seconds after a CONNECT, so this is when there is one. */
static void wait_for_whole_second(struct pair *pair)
{
    while (pair->world.now.steady_ms % 1000 != 0) {
        pair_tick(pair, WORLD_TICK_MS);
    }
}

/* Mostly sessions that may come in, or nothing would happen. */
int play_choose_session(struct pair *pair, int user)
{
    int current = pair->reference.users[user].current;

    return current != REF_NONE && pair_chance(pair, 2) ? current
                                                       : (int)pair_random(pair, REF_SESSIONS);
}

static struct invig_connection *login(struct pair *pair, const struct ref_attempt *attempt)
{
    struct login login = {
        .user = pair_text("u%d", attempt->user),
        .session = pair_text("s%d", attempt->session),
        .client_id = pair_text("u%d:%d", attempt->user, attempt->id),
        .role = attempt->user < REF_STUDENTS ? INVIG_ROLE_STUDENT : INVIG_ROLE_PROFESSOR,
        .login_s = attempt->login_s,
        .has_auth_time = true,
        .expires_s = attempt->ends_s - pair->world.policy.jwt_leeway_s,
    };
    size_t count = 0;

    for (int e = 0; e < REF_EVALUATIONS; e++) {
        if ((attempt->claims & (1U << e)) != 0) {
            login.evaluations[count++] = pair_text("e%d", e);
        }
    }
    return world_login(&pair->world, &login);
}

void play_connect(struct pair *pair)
{
    int64_t now_s;
    struct ref_attempt attempt = {.user = (int)pair_random(pair, REF_USERS)};
    struct ref_connection *connection = NULL;
    struct invig_connection *real;
    enum invig_reason reason;

    wait_for_whole_second(pair);
    if (reference_place(&pair->reference) == NULL) {
        return;
    }
    now_s = pair->world.now.wall_s;
    attempt.session = play_choose_session(pair, attempt.user);
    attempt.id = (int)pair_random(pair, REF_IDS);
    attempt.login_s = now_s - 5 + (int64_t)pair_random(pair, 8);
    attempt.ends_s = now_s + pair->world.policy.jwt_leeway_s + 1 +
                     (int64_t)pair_random(pair, pair_chance(pair, 4) ? 5 : 200);
    attempt.claims = pair_random(pair, 1U << REF_EVALUATIONS);
    pair_record(pair, "connect u%d:%d s%d login %lld ends %lld claims %x", attempt.user, attempt.id,
                attempt.session, (long long)attempt.login_s, (long long)attempt.ends_s,
                attempt.claims);
    reason = reference_connect(&pair->reference, &attempt, &connection);
    real = login(pair, &attempt);
    if (pair->world.refusal.reason != reason) {
        fail_msg("%s, not %s", invig_reason_word(pair->world.refusal.reason),
                 invig_reason_word(reason));
    }
    if (connection != NULL) {
        connection->real = real;
    }
}

void play_disconnect(struct pair *pair)
{
    struct ref_connection *connection =
        &pair->reference.connections[pair_random(pair, REF_CONNECTIONS)];

    if (connection->state != REF_FREE) {
        pair_record(pair, "disconnect u%d:%d", connection->user, connection->id);
        world_disconnect(&pair->world, connection->real);
        reference_disconnect(&pair->reference, connection);
    }
}

static void play_query(struct pair *pair)
{
    pair_compare_user(pair, (int)pair_random(pair, REF_USERS));
}

/* What happens, and how often in a hundred. */
static const struct {
    uint32_t weight;
    bool may_give_access;
    void (*happen)(struct pair *pair);
} events[] = {
    {30, false, play_connect},   {12, false, play_disconnect}, {16, true, play_say},
    {3, true, play_forget_user}, {8, true, play_say_all},      {1, true, play_forget},
    {3, false, play_revoke},     {3, false, play_revoke_user}, {7, true, play_unblock},
    {14, false, play_tick},      {3, false, play_query},
};

void play_event(struct pair *pair)
{
    uint32_t die = pair_random(pair, 100);
    size_t i = 0;

    while (die >= events[i].weight) {
        die -= events[i++].weight;
    }
    pair_note(pair);
    events[i].happen(pair);
    if (events[i].may_give_access) {
        pair_note_missed(pair);
    }
    reference_settle(&pair->reference);
    pair_compare_rights(pair);
    pair_compare_stats(pair);
}
