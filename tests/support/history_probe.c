/* SPDX-License-Identifier: Apache-2.0
 *
 * history_probe.c - see history.h: what the world looks like. Lists whose order means nothing are
 * written in an order of their own.
 */
#include "history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    PROBE_S = 1000,  /* when everything is tried: late enough for all that was going on */
    PROBE_TICKS = 4, /* that nothing is left to be done after */
    VERSIONS_MAX = 9
};

/* Writes the object of a list that begins with `begin`, between the two places. */
static void print_object(FILE *out, const char *from, const char *to, const char *begin)
{
    const char *found = from == NULL ? NULL : strstr(from, begin);

    if (found != NULL && (to == NULL || found < to)) {
        (void)fprintf(out, " %.*s", (int)strcspn(found, "}") + 1, found);
    }
}

static void print_user(FILE *out, struct world *world, unsigned user)
{
    char command[128];
    const char *answer;
    const char *bindings;
    const char *blocks;

    (void)snprintf(command, sizeof(command), "{'command':'getUser','userId':'%s'}",
                   history_user(user));
    answer = world_command(world, command);
    bindings = strstr(answer, "'bindings':");
    blocks = strstr(answer, "'blocks':");
    assert_non_null(bindings);
    assert_non_null(blocks);
    (void)fprintf(out, "%.*s", (int)(bindings - answer), answer);
    for (unsigned e = 0; e < HISTORY_EVALUATIONS; e++) {
        char begin[64];

        (void)snprintf(begin, sizeof(begin), "{'evaluationId':'%s'", history_evaluation(e));
        print_object(out, bindings, blocks, begin);
        print_object(out, blocks, NULL, begin);
    }
    (void)fprintf(out, "\n");
}

static void print_evaluation(FILE *out, struct world *world, unsigned evaluation)
{
    char command[128];
    const char *answer;
    const char *participants;

    (void)snprintf(command, sizeof(command), "{'command':'getEvaluation','evaluationId':'%s'}",
                   history_evaluation(evaluation));
    answer = world_command(world, command);
    participants = strstr(answer, "'participants':");
    if (participants == NULL) {
        (void)fprintf(out, "%s unknown\n", history_evaluation(evaluation));
        return;
    }
    (void)fprintf(out, "%.*s", (int)(participants - answer), answer);
    for (unsigned u = 0; u < HISTORY_USERS; u++) {
        char begin[64];

        (void)snprintf(begin, sizeof(begin), "{'userId':'%s'", history_user(u));
        print_object(out, participants, NULL, begin);
    }
    (void)fprintf(out, "\n");
}

static void print_rights(FILE *out, struct world *world, const struct invig_connection *page,
                         unsigned user)
{
    char topic[64];

    (void)snprintf(topic, sizeof(topic), "users/%s", history_user(user));
    (void)fprintf(out, " %d", world_deliver(world, page, topic));
    for (unsigned e = 0; e < HISTORY_EVALUATIONS; e++) {
        (void)snprintf(topic, sizeof(topic), "evaluations/%s", history_evaluation(e));
        (void)fprintf(out, "%d", world_deliver(world, page, topic));
    }
}

static void print_topics(FILE *out, const struct history *history)
{
    for (size_t i = 0; i < HISTORY_TOPICS; i++) {
        (void)fprintf(out, "%s: %s\n", history->topics[i].topic, history->topics[i].text);
    }
}

static void print_answers(FILE *out, struct world *world)
{
    for (unsigned u = 0; u < HISTORY_USERS; u++) {
        print_user(out, world, u);
    }
    for (unsigned e = 0; e < HISTORY_EVALUATIONS; e++) {
        print_evaluation(out, world, e);
    }
}

char *history_look(const struct history *history, struct world *world)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    struct invig_stats stats = world_stats(world);

    assert_non_null(out);
    print_answers(out, world);
    for (size_t i = 0; i < HISTORY_PAGES; i++) {
        if (history->pages[i] != NULL) {
            (void)fprintf(out, "page %zu", i);
            print_rights(out, world, history->pages[i], (unsigned)(i / (HISTORY_SESSIONS + 1)));
            (void)fprintf(out, "\n");
        }
    }
    (void)fprintf(
        out, "stats %llu %llu %llu %llu %llu %llu %llu %llu\n",
        (unsigned long long)stats.connections_current, (unsigned long long)stats.sessions_current,
        (unsigned long long)stats.users_current, (unsigned long long)stats.users_blocked,
        (unsigned long long)stats.sessions_invalidated,
        (unsigned long long)stats.sessions_revoked_current,
        (unsigned long long)stats.evaluations_strict, (unsigned long long)stats.auth_accepted);
    assert_int_equal(fclose(out), 0);
    return text;
}

/* -- Trying -- */

/* Writes what the page was told, and what was reported. */
static void print_told(FILE *out, const struct world *world, unsigned user)
{
    static const char *const ends[] = {"SUPERSEDED", "REVOKED"};
    char begin[64];

    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(begin, sizeof(begin), "NOTIFY %s:p %s", history_user(user), ends[i]);
        if (world_count_prefix(world, begin) > 0) {
            (void)fprintf(out, " %s", ends[i]);
        }
    }
    for (unsigned e = 0; e < HISTORY_EVALUATIONS; e++) {
        (void)snprintf(begin, sizeof(begin), "NOTIFY %s:p BLOCKED %s", history_user(user),
                       history_evaluation(e));
        if (world_count_prefix(world, begin) > 0) {
            (void)fprintf(out, " BLOCKED %s", history_evaluation(e));
        }
        (void)snprintf(begin, sizeof(begin), "INCIDENT %s", history_evaluation(e));
        if (world_count_prefix(world, begin) > 0) {
            (void)fprintf(out, " %s", world_last(world, begin));
        }
    }
}

static void probe_login(FILE *out, struct history *history, struct world *world, unsigned user,
                        const char *session, int64_t login_s)
{
    char client_id[32];
    char address[32];
    struct invig_connection *page;

    (void)snprintf(client_id, sizeof(client_id), "%s:p", history_user(user));
    (void)snprintf(address, sizeof(address), "192.0.2.%s", session + 1);
    page = world_login(world, &(struct login){.user = history_user(user),
                                              .session = session,
                                              .client_id = client_id,
                                              .address = address,
                                              .login_s = login_s,
                                              .has_auth_time = true,
                                              .evaluations = {"e0", "e1"}});
    (void)fprintf(out, "%s %s: %d %s", history_user(user), session, world->verdict,
                  invig_reason_word(world->refusal.reason));
    if (page != NULL) {
        print_rights(out, world, page, user);
        history_tick(history, world);
        print_told(out, world, user);
        world_disconnect(world, page);
    }
    (void)fprintf(out, "\n");
    print_user(out, world, user);
    history_tick(history, world);
}

/* Whichever session comes first; before or after all of them one with an old login that nobody has
 * seen. */
static void probe_logins(FILE *out, struct history *history, struct world *world, unsigned user)
{
    unsigned first = (unsigned)(history->seed % HISTORY_SESSIONS);
    unsigned step = history->seed / HISTORY_SESSIONS % 2 == 0 ? 1 : HISTORY_SESSIONS - 1;
    bool is_old_first = history->seed / 8 % 2 == 0;

    if (is_old_first) {
        probe_login(out, history, world, user, "s9", WORLD_START_S - 95);
    }
    for (unsigned i = 0; i < HISTORY_SESSIONS; i++) {
        unsigned session = (first + i * step) % HISTORY_SESSIONS;

        probe_login(out, history, world, user, history_session(session),
                    WORLD_START_S - 100 + 10 * (int64_t)session);
    }
    if (!is_old_first) {
        probe_login(out, history, world, user, "s9", WORLD_START_S - 75);
    }
}

/* Writes the lowest version that passes. */
static void probe_version(FILE *out, struct world *world, const char *evaluation, const char *user)
{
    char members[64];
    int version = -1;

    do {
        version++;
        (void)snprintf(members, sizeof(members), "%s'version':%d",
                       user == NULL ? "'phase':'GRADING'," : "", version);
    } while (version < VERSIONS_MAX && world_offer(world, evaluation, user, members) == INVIG_DENY);
    (void)fprintf(out, "%s %s version %d\n", evaluation, user == NULL ? "" : user, version);
}

static void probe_everything(FILE *out, struct history *history, struct world *world)
{
    print_topics(out, history);
    print_answers(out, world);
    for (unsigned u = 0; u < HISTORY_USERS; u++) {
        probe_logins(out, history, world, u);
    }
    for (unsigned e = 0; e < HISTORY_EVALUATIONS; e++) {
        for (unsigned u = 0; u < HISTORY_USERS; u++) {
            probe_version(out, world, history_evaluation(e), history_user(u));
        }
        probe_version(out, world, history_evaluation(e), NULL);
    }
    print_answers(out, world);
}

char *history_probe(struct history *history, struct world *world)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    assert_non_null(out);
    for (size_t i = 0; i < HISTORY_PAGES; i++) {
        if (history->pages[i] != NULL) {
            world_disconnect(world, history->pages[i]);
            history->pages[i] = NULL;
        }
    }
    history_tick(history, world);
    world->now.steady_ms = 1000000 + PROBE_S * 1000;
    for (int i = 0; i < PROBE_TICKS; i++) {
        history_tick(history, world);
    }
    probe_everything(out, history, world);
    assert_int_equal(fclose(out), 0);
    return text;
}
