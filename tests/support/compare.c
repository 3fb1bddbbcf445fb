/* SPDX-License-Identifier: Apache-2.0
 *
 * compare.c - see compare.h: rights, counters, the answer to getUser.
 */
#include "compare.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

void pair_init(struct pair *pair, enum invig_strict_policy policy)
{
    static const char *const words[] = {"enforce", "observe", "off"};
    uint64_t random_state = pair->random_state;

    memset(pair, 0, sizeof(*pair));
    pair->random_state = random_state;
    world_init(&pair->world, "strict_policy", words[policy], "max_connections_per_session", "3",
               NULL);
    reference_init(&pair->reference, policy);
    pair->reference.now_s = pair->world.now.wall_s;
}

void pair_deinit(struct pair *pair)
{
    world_deinit(&pair->world);
}

uint32_t pair_random(struct pair *pair, uint32_t bound)
{
    pair->random_state =
        pair->random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(pair->random_state >> 33) % bound;
}

bool pair_chance(struct pair *pair, uint32_t bound)
{
    return pair_random(pair, bound) == 0;
}

const char *pair_text(const char *format, ...)
{
    static char texts[8][COMPARE_TEXT_BYTES];
    static size_t next;
    char *text = texts[next++ % 8];
    va_list arguments;

    va_start(arguments, format);
    assert_in_range(vsnprintf(text, COMPARE_TEXT_BYTES, format, arguments), 0,
                    COMPARE_TEXT_BYTES - 1);
    va_end(arguments);
    return text;
}

void pair_record(struct pair *pair, const char *format, ...)
{
    char *line = pair->history[pair->history_length % HISTORY_LINES];
    va_list arguments;
    int length = snprintf(line, HISTORY_LINE_BYTES, "%lld.%03d ", (long long)pair->world.now.wall_s,
                          (int)(pair->world.now.steady_ms % 1000));

    va_start(arguments, format);
    (void)vsnprintf(line + length, HISTORY_LINE_BYTES - (size_t)length, format, arguments);
    va_end(arguments);
    pair->history_length++;
}

/* What the model and then the engine know of a user. */
static void pair_tell_user(struct pair *pair, int user)
{
    const struct ref_user *who = &pair->reference.users[user];

    (void)fprintf(stderr, "u%d: current s%d bound s%d newest %lld:", user, who->current, who->bound,
                  (long long)who->newest_s);
    for (int s = 0; s < REF_SESSIONS; s++) {
        const struct ref_session *session = &who->sessions[s];
        if (session->is_known) {
            (void)fprintf(stderr, " s%d %s%s", s, invig_end_word(session->end),
                          session->is_turned_away ? " turned away" : "");
        }
    }
    (void)fprintf(stderr, "\n");
    for (int e = 0; e < REF_EVALUATIONS; e++) {
        const struct ref_member *member = &who->members[e];
        (void)fprintf(stderr, "  e%d %s%s%s%s released s%d\n", e, invig_access_word(member->access),
                      member->is_finished ? " finished" : "", member->is_bound ? " bound" : "",
                      member->is_blocked ? " blocked" : "", member->released);
    }
    (void)fprintf(
        stderr, "%s\n",
        world_command(&pair->world, pair_text("{'command':'getUser','userId':'u%d'}", user)));
}

void pair_tell(struct pair *pair)
{
    size_t first = pair->history_length > HISTORY_LINES ? pair->history_length - HISTORY_LINES : 0;

    for (int u = 0; u < REF_USERS; u++) {
        pair_tell_user(pair, u);
    }
    for (size_t i = first; i < pair->history_length; i++) {
        (void)fprintf(stderr, "%s\n", pair->history[i % HISTORY_LINES]);
    }
}

void pair_note(struct pair *pair)
{
    const struct reference *reference = &pair->reference;

    for (int i = 0; i < REF_CONNECTIONS; i++) {
        const struct ref_connection *connection = &reference->connections[i];
        pair->was_open[i] = connection->state == REF_OPEN;
        pair->follows[i] = 0;
        for (int e = 0; e < REF_EVALUATIONS && pair->was_open[i]; e++) {
            if (reference_follows(reference, connection, e)) {
                pair->follows[i] |= 1U << e;
            }
        }
    }
}

/* A connection that was there before and may follow an evaluation since is sent what it missed. */
void pair_note_missed(struct pair *pair)
{
    const struct reference *reference = &pair->reference;

    for (int i = 0; i < REF_CONNECTIONS; i++) {
        struct ref_connection *connection = &pair->reference.connections[i];
        for (int e = 0; e < REF_EVALUATIONS; e++) {
            if (!reference->evaluations[e].has_message || connection->state != REF_OPEN ||
                !reference_follows(reference, connection, e)) {
                connection->missed &= ~(1U << e);
            } else if (pair->was_open[i] && (pair->follows[i] & (1U << e)) == 0) {
                connection->missed |= 1U << e;
            }
        }
    }
}

static void expect_delivery(struct pair *pair, const struct ref_connection *connection,
                            const char *topic, bool is_allowed)
{
    if ((world_deliver(&pair->world, connection->real, topic) == INVIG_ALLOW) != is_allowed) {
        fail_msg("%s is %s u%d:%d (s%d)", topic, is_allowed ? "kept from" : "delivered to",
                 connection->user, connection->id, connection->session);
    }
}

/* An evaluation has the same name in every topic, so topics are written once. */
static const char *const evaluation_topics[REF_EVALUATIONS] = {"evaluations/e0", "evaluations/e1",
                                                               "evaluations/e2"};

static void compare_connection(struct pair *pair, const struct ref_connection *connection)
{
    const struct reference *reference = &pair->reference;
    bool is_open = connection->state == REF_OPEN;
    int e = (int)pair_random(pair, REF_EVALUATIONS);
    int u = (int)pair_random(pair, REF_USERS);
    bool supervises = reference_supervises(reference, connection, e);

    for (int i = 0; i < REF_EVALUATIONS; i++) {
        expect_delivery(pair, connection, evaluation_topics[i],
                        reference_follows(reference, connection, i));
    }
    expect_delivery(pair, connection, pair_text("evaluations/e%d/users/u%d", e, u),
                    is_open && (u == connection->user || supervises));
    expect_delivery(pair, connection, pair_text("evaluations/e%d/presence/u%d", e, u), supervises);
    expect_delivery(pair, connection, pair_text("evaluations/e%d/incidents", e), supervises);
    expect_delivery(pair, connection, pair_text("users/u%d", u), is_open && u == connection->user);
    expect_delivery(pair, connection,
                    pair_text("users/u%d/sessions/s%d", connection->user, connection->session),
                    is_open);
}

static void compare_subscription(struct pair *pair, const struct ref_connection *connection)
{
    int e = (int)pair_random(pair, REF_EVALUATIONS);
    const char *filters[] = {evaluation_topics[e], pair_text("evaluations/e%d/#", e),
                             pair_text("evaluations/e%d/users/u%d", e, connection->user)};
    const bool may[] = {reference_may_subscribe(&pair->reference, connection, e),
                        reference_supervises(&pair->reference, connection, e),
                        connection->state == REF_OPEN};

    for (int i = 0; i < 3; i++) {
        if ((world_subscribe(&pair->world, connection->real, filters[i]) == INVIG_ALLOW) !=
            may[i]) {
            fail_msg("%s may %ssubscribe to %s", pair_text("u%d", connection->user),
                     may[i] ? "not " : "", filters[i]);
        }
    }
}

void pair_compare_rights(struct pair *pair)
{
    int chosen = (int)pair_random(pair, REF_CONNECTIONS);

    for (int i = 0; i < REF_CONNECTIONS; i++) {
        const struct ref_connection *connection = &pair->reference.connections[i];
        if (connection->state == REF_FREE) {
            continue;
        }
        compare_connection(pair, connection);
        if (i == chosen) {
            compare_subscription(pair, connection);
        }
    }
}

static bool user_is_blocked(const struct reference *reference, int user)
{
    for (int e = 0; e < REF_EVALUATIONS; e++) {
        if (reference_is_blocked(&reference->users[user].members[e])) {
            return true;
        }
    }
    return false;
}

void pair_compare_stats(struct pair *pair)
{
    const struct reference *reference = &pair->reference;
    struct invig_stats stats = world_stats(&pair->world);
    size_t connections = 0, sessions = 0, users = 0, blocked = 0, strict = 0;

    for (int u = 0; u < REF_USERS; u++) {
        size_t before = connections;
        for (int s = 0; s < REF_SESSIONS; s++) {
            int count = reference_open_count(reference, u, s);
            connections += (size_t)count;
            sessions += count > 0;
        }
        users += connections > before;
        blocked += user_is_blocked(reference, u);
    }
    for (int e = 0; e < REF_EVALUATIONS; e++) {
        strict += reference_is_strict(reference, e);
    }
    assert_int_equal(stats.connections_current, connections);
    assert_int_equal(stats.sessions_current, sessions);
    assert_int_equal(stats.users_current, users);
    assert_int_equal(stats.users_blocked, blocked);
    assert_int_equal(stats.evaluations_strict, strict);
}

static void expect_text(const char *answer, const char *text, bool is_there)
{
    if ((strstr(answer, text) != NULL) != is_there) {
        fail_msg("%s %s in %s", text, is_there ? "is missing" : "is wrong", answer);
    }
}

/* Who may do something is listed, and nobody else. */
static void compare_connections(const struct pair *pair, const char *answer, int user)
{
    size_t count = 0;
    size_t listed = 0;

    for (int i = 0; i < REF_CONNECTIONS; i++) {
        const struct ref_connection *connection = &pair->reference.connections[i];
        if (connection->state == REF_OPEN && connection->user == user) {
            expect_text(answer, pair_text("{'clientId':'u%d:%d',", user, connection->id), true);
            count++;
        }
    }
    for (const char *at = answer; (at = strstr(at, "{'clientId':")) != NULL; at++) {
        listed++;
    }
    assert_int_equal(listed, count);
}

static void compare_member(const struct pair *pair, const char *answer, int user, int evaluation)
{
    const struct ref_user *who = &pair->reference.users[user];
    const struct ref_member *member = &who->members[evaluation];

    /* Under `observe` a binding is an inner matter. */
    for (int s = 0; s < REF_SESSIONS && pair->reference.policy != INVIG_STRICT_OBSERVE; s++) {
        expect_text(answer, pair_text("{'evaluationId':'e%d','sessionId':'s%d'}", evaluation, s),
                    member->is_bound && who->bound == s);
    }
    expect_text(answer, pair_text("{'evaluationId':'e%d','reason':'SECOND_LOGIN'", evaluation),
                member->is_blocked);
    if (!member->is_blocked) {
        expect_text(answer, pair_text("{'evaluationId':'e%d','reason':'BACKEND'", evaluation),
                    member->access == INVIG_ACCESS_BLOCKED);
    }
}

void pair_compare_user(struct pair *pair, int user)
{
    const struct ref_user *who = &pair->reference.users[user];
    const char *answer =
        world_command(&pair->world, pair_text("{'command':'getUser','userId':'u%d'}", user));

    for (int s = 0; s < REF_SESSIONS; s++) {
        const struct ref_session *session = &who->sessions[s];
        bool is_alive = session->is_known && session->end == INVIG_END_NONE;
        bool is_current = user < REF_STUDENTS ? who->current == s
                                              : reference_open_count(&pair->reference, user, s) > 0;
        expect_text(answer, pair_text("{'sessionId':'s%d','current':true,", s),
                    is_alive && is_current);
        expect_text(answer, pair_text("{'sessionId':'s%d','current':false,", s),
                    is_alive && !is_current);
    }
    compare_connections(pair, answer, user);
    for (int e = 0; e < REF_EVALUATIONS; e++) {
        compare_member(pair, answer, user, e);
    }
}
