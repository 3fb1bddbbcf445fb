/* SPDX-License-Identifier: Apache-2.0
 *
 * compare_effect.c - see compare.h: what the broker is told to do in a tick.
 */
#include "compare.h"

#include "invigilator/effect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { STALE_TICKS_MAX = 3, KICK_MS_MAX = INVIG_KICK_DELAY_MS + 200 };

/* An effect, as far as it has these parts. */
struct seen {
    const char *line;
    int user;
    int evaluation;
    struct ref_connection *holder; /* of the client id */
};

/* The effect must be meant for the connection that holds the client id now. */
static struct ref_connection *holder_of(struct pair *pair, const char *line, int user, int id)
{
    struct ref_connection *holder = reference_holder(&pair->reference, user, id);

    if (holder == NULL) {
        fail_msg("to nobody: %s", line);
    }
    return holder;
}

/* Why a connection has no rights, as of now: the block may have been lifted since. */
static enum invig_end end_of(const struct pair *pair, const struct ref_connection *connection)
{
    enum invig_end end = pair->reference.users[connection->user].sessions[connection->session].end;

    return connection->end == INVIG_END_BLOCKED && end != INVIG_END_NONE ? end : connection->end;
}

/* Evaluations in which a page that was turned away has to be told that it is blocked; none where
 * its session has been named since. */
static unsigned blocked_in(const struct pair *pair, const struct ref_connection *connection)
{
    const struct ref_user *user = &pair->reference.users[connection->user];
    bool is_blocked =
        end_of(pair, connection) == INVIG_END_BLOCKED && user->current != connection->session;
    unsigned mask = 0;

    for (int e = 0; e < REF_EVALUATIONS && is_blocked; e++) {
        if (user->members[e].is_blocked || user->members[e].is_bound) {
            mask |= 1U << e;
        }
    }
    return mask;
}

static void see_blocked(struct pair *pair, const char *line)
{
    int user, id, evaluation, other;
    struct ref_connection *holder;

    assert_int_equal(sscanf(line, "NOTIFY u%d:%d BLOCKED e%d u%d", &user, &id, &evaluation, &other),
                     4);
    holder = holder_of(pair, line, user, id);
    if (holder->state != REF_TOLD || other != user ||
        (blocked_in(pair, holder) & (1U << evaluation)) == 0 ||
        (holder->notices & (1U << evaluation)) != 0) {
        fail_msg("not to be told: %s", line);
    }
    holder->notices |= 1U << evaluation;
    holder->told_ms = pair->world.now.steady_ms;
}

static void see_notice(struct pair *pair, const char *line)
{
    char word[16];
    int user, id, other, session;
    struct ref_connection *holder;

    if (strncmp(line, "NOTIFY backend PUBLISH_REFUSED ", 31) == 0) {
        assert_int_not_equal(pair->refused, 0);
        pair->refused--;
        return;
    }
    if (sscanf(line, "NOTIFY u%d:%d %15s u%d s%d", &user, &id, word, &other, &session) != 5) {
        see_blocked(pair, line);
        return;
    }
    holder = holder_of(pair, line, user, id);
    if (other != user || session != holder->session) {
        fail_msg("another's: %s", line);
    }
    if (strcmp(word, "EXPIRING") == 0) {
        assert_int_equal(holder->state, REF_OPEN);
        return;
    }
    if (holder->state != REF_TOLD || strcmp(word, invig_end_word(end_of(pair, holder))) != 0 ||
        holder->told_ms != REF_NONE) {
        fail_msg("not to be told: %s", line);
    }
    holder->told_ms = pair->world.now.steady_ms;
}

static void see_kick(struct pair *pair, const char *line)
{
    int user, id;
    struct ref_connection *holder;

    assert_int_equal(sscanf(line, "KICK u%d:%d", &user, &id), 2);
    holder = holder_of(pair, line, user, id);
    if (holder->state != REF_TOLD || holder->is_kicked) {
        fail_msg("unasked: %s", line);
    }
    holder->is_kicked = true;
    if (holder->told_ms == REF_NONE && end_of(pair, holder) == INVIG_END_BLOCKED &&
        blocked_in(pair, holder) == 0) {
        return; /* there is nothing to tell any more */
    }
    if (holder->told_ms == REF_NONE) {
        fail_msg("not told before: %s", line);
    }
    assert_true(pair->world.now.steady_ms - holder->told_ms >= INVIG_KICK_DELAY_MS);
    assert_true(holder->told_ticks >= INVIG_KICK_TICKS - 1);
}

static void see_send(struct pair *pair, const char *line)
{
    int user, id, evaluation;
    struct ref_connection *holder;

    assert_int_equal(sscanf(line, "SEND u%d:%d evaluations/e%d {", &user, &id, &evaluation), 3);
    holder = holder_of(pair, line, user, id);
    if (!reference_follows(&pair->reference, holder, evaluation)) {
        fail_msg("not to be sent: %s", line);
    }
    holder->missed &= ~(1U << evaluation);
}

static void see_copy(struct pair *pair, const char *line)
{
    const char *access = strstr(line, ",'access':'");
    const struct ref_member *member;
    enum invig_access expected;
    int user, evaluation;

    assert_int_equal(sscanf(line, "RETAIN evaluations/e%d/users/u%d {", &evaluation, &user), 2);
    assert_non_null(access);
    member = &pair->reference.users[user].members[evaluation];
    expected = member->access == INVIG_ACCESS_UNSAID ? INVIG_ACCESS_ALLOWED : member->access;
    expected = member->is_blocked ? INVIG_ACCESS_BLOCKED : expected;
    if (strncmp(access + 11, invig_access_word(expected), strlen(invig_access_word(expected))) !=
        0) {
        fail_msg("wrong access: %s", line);
    }
    pair->retained[user][evaluation] = expected;
}

static void see_incident(struct pair *pair, const char *line)
{
    const char *kind = pair->reference.policy == INVIG_STRICT_ENFORCE ? " SECOND_LOGIN enforced "
                                                                      : " SECOND_LOGIN observed ";
    int user, evaluation;

    assert_int_equal(sscanf(line, "INCIDENT e%d u%d ", &evaluation, &user), 2);
    if (strstr(line, kind) == NULL || pair->reference.incidents[user][evaluation] == 0) {
        fail_msg("no incident: %s", line);
    }
    pair->reference.incidents[user][evaluation]--;
}

static void see_presence(struct pair *pair, const char *line)
{
    char word[16];
    int user, evaluation, count, open = 0;

    assert_int_equal(sscanf(line, "PRESENCE e%d u%d %15s %d", &evaluation, &user, word, &count), 4);
    for (int s = 0; s < REF_SESSIONS; s++) {
        open += reference_open_count(&pair->reference, user, s);
    }
    if (count != open || (strcmp(word, "online") == 0) != (open > 0) ||
        pair->reference.users[user].members[evaluation].access == INVIG_ACCESS_DENIED) {
        fail_msg("of %d connections: %s", open, line);
    }
}

static void see_clear(struct pair *pair, const char *line)
{
    int user, evaluation;

    if (sscanf(line, "CLEAR evaluations/e%d/users/u%d", &evaluation, &user) == 2) {
        pair->retained[user][evaluation] = INVIG_ACCESS_UNSAID;
    } else {
        assert_int_equal(sscanf(line, "CLEAR evaluations/e%d/presence/u%d", &evaluation, &user), 2);
    }
}

static void see_effect(struct pair *pair, const char *line)
{
    static const struct {
        const char *prefix;
        void (*see)(struct pair *pair, const char *line);
    } rows[] = {
        {"NOTIFY ", see_notice}, {"KICK ", see_kick},         {"SEND ", see_send},
        {"RETAIN ", see_copy},   {"INCIDENT ", see_incident}, {"PRESENCE ", see_presence},
        {"CLEAR ", see_clear},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strncmp(line, rows[i].prefix, strlen(rows[i].prefix)) == 0) {
            rows[i].see(pair, line);
            return;
        }
    }
    fail_msg("unknown: %s", line);
}

/* Whoever is turned away is told, and then disconnected. */
static void check_told(struct pair *pair, struct ref_connection *connection)
{
    unsigned expected = connection->state == REF_TOLD ? blocked_in(pair, connection) : 0;
    bool is_new =
        connection->told_ms == REF_NONE || connection->told_ms == pair->world.now.steady_ms;

    if (connection->state == REF_OPEN && connection->missed != 0) {
        fail_msg("u%d:%d has missed %x", connection->user, connection->id, connection->missed);
    }
    if (connection->state != REF_TOLD) {
        return;
    }
    if (is_new && connection->notices != expected) {
        fail_msg("u%d:%d is told of %x, not of %x", connection->user, connection->id,
                 connection->notices, expected);
    }
    if (connection->told_ms == REF_NONE && !connection->is_kicked) {
        fail_msg("u%d:%d is not told", connection->user, connection->id);
    }
    connection->told_ticks += connection->told_ms != pair->world.now.steady_ms;
    if (!connection->is_kicked && connection->told_ticks > INVIG_KICK_TICKS &&
        pair->world.now.steady_ms - connection->told_ms > KICK_MS_MAX) {
        fail_msg("u%d:%d is not disconnected", connection->user, connection->id);
    }
}

/* A block is what a latecomer sees, and one that is over is not. */
static void check_retained(struct pair *pair, int user, int evaluation)
{
    const struct ref_member *member = &pair->reference.users[user].members[evaluation];
    bool is_seen = pair->retained[user][evaluation] == INVIG_ACCESS_BLOCKED;
    bool is_right = is_seen ? reference_is_blocked(member) : !member->is_blocked;
    int *ticks = &pair->stale_ticks[user][evaluation];

    *ticks = is_right ? 0 : *ticks + 1;
    if (*ticks > (is_seen ? STALE_TICKS_MAX : 0)) {
        fail_msg("e%d u%d: BLOCKED is %s", evaluation, user, is_seen ? "left over" : "hidden");
    }
}

static void check_all(struct pair *pair)
{
    for (int u = 0; u < REF_USERS; u++) {
        for (int e = 0; e < REF_EVALUATIONS; e++) {
            check_retained(pair, u, e);
            if (pair->reference.incidents[u][e] != 0) {
                fail_msg("e%d u%d: an incident is missing", e, u);
            }
        }
    }
    assert_int_equal(pair->refused, 0);
    for (int i = 0; i < REF_CONNECTIONS; i++) {
        struct ref_connection *connection = &pair->reference.connections[i];
        check_told(pair, connection);
        connection->notices = 0;
        if (connection->is_kicked) {
            world_disconnect(&pair->world, connection->real);
            reference_disconnect(&pair->reference, connection);
        }
    }
}

void pair_tick(struct pair *pair, int64_t milliseconds)
{
    struct world *world = &pair->world;

    world->now.steady_ms += milliseconds - WORLD_TICK_MS;
    world->effect_count = 0;
    reference_pass(&pair->reference,
                   WORLD_START_S + (world->now.steady_ms + WORLD_TICK_MS - 1000000) / 1000);
    pair_note(pair);
    pair_note_missed(pair); /* what is out of reach now need not be sent any more */
    world_tick(world);
    for (size_t i = 0; i < world->effect_count; i++) {
        see_effect(pair, world->effects[i]);
    }
    check_all(pair);
}
