/* SPDX-License-Identifier: Apache-2.0
 *
 * test_cluster.c - three brokers, random events on each, cut off from the server now and then: when
 * all is told, they agree, and no user has two sessions.
 */
#include "fakeshare.h"
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    BROKERS = 3,
    USERS = 2,
    SESSIONS = 5,
    PAGES = 24, /* on each broker */
    HISTORIES = 150,
    EVENTS = 60,
    ROUNDS_MAX = 60
};

struct page {
    struct invig_connection *connection; /* NULL: none */
    int user;
    int session;
};

static struct fakeserver server;
static struct fakeshare shares[BROKERS];
static struct world worlds[BROKERS];
static struct page pages[BROKERS][PAGES];
static bool is_revoked[USERS][SESSIONS];
static uint64_t random_state;
static unsigned serial;

static unsigned pick(unsigned bound)
{
    random_state = random_state * 6364136223846793005U + 1442695040888963407U;
    return (unsigned)(random_state >> 33) % bound;
}

static const char *name_of(char letter, int number)
{
    static char names[8][16];
    static size_t next;
    char *name = names[next++ % 8];

    (void)snprintf(name, 16, "%c%d", letter, number);
    return name;
}

static void history_begin(uint64_t seed)
{
    random_state = seed;
    memset(pages, 0, sizeof(pages));
    memset(is_revoked, 0, sizeof(is_revoked));
    fakeserver_init(&server);
    for (int i = 0; i < BROKERS; i++) {
        world_init(&worlds[i], NULL);
        invig_engine_set_share(worlds[i].engine,
                               fakeshare_join(&shares[i], &server, name_of('B', i)));
    }
}

static void history_end(void)
{
    for (int i = 0; i < BROKERS; i++) {
        world_deinit(&worlds[i]);
    }
    fakeserver_deinit(&server);
}

/* The login time goes by the session, but for two that are equal. */
static void page_open(int broker)
{
    struct page *page = &pages[broker][pick(PAGES)];
    char client_id[32];

    if (page->connection != NULL) {
        return;
    }
    page->user = (int)pick(USERS);
    page->session = (int)pick(SESSIONS);
    (void)snprintf(client_id, sizeof(client_id), "u%d:%u", page->user, serial++);
    page->connection =
        world_login(&worlds[broker], &(struct login){.user = name_of('u', page->user),
                                                     .session = name_of('s', page->session),
                                                     .client_id = client_id,
                                                     .login_s = WORLD_START_S + page->session / 2,
                                                     .evaluations = {"e1"}});
}

static void page_close(int broker)
{
    struct page *page = &pages[broker][pick(PAGES)];

    if (page->connection != NULL) {
        world_disconnect(&worlds[broker], page->connection);
        page->connection = NULL;
    }
}

static void session_revoke(int broker)
{
    int user = (int)pick(USERS);
    int session = (int)pick(SESSIONS);

    world_invalidate_session(&worlds[broker], name_of('u', user), name_of('s', session));
    is_revoked[user][session] = true;
}

/* Lifts a block: without a word about the session, with the name of one, or with null. */
static void user_unblock(int broker)
{
    static const char frame[] = "{'command':'unblock','userId':'%s','evaluationId':'e1'%s%s%s}";
    unsigned form = pick(3);
    const char *session = name_of('s', (int)pick(SESSIONS));
    char text[256];

    (void)snprintf(text, sizeof(text), frame, name_of('u', (int)pick(USERS)),
                   form == 0 ? "" : ",'sessionId':",
                   form == 0   ? ""
                   : form == 1 ? "'"
                               : "null",
                   form == 1 ? session : "");
    if (form == 1) {
        text[strlen(text) - 1] = '\'';
        (void)strcat(text, "}");
    }
    (void)world_command(&worlds[broker], text);
}

/* What the backend says comes to all, over bridges. */
static void backend_say(void)
{
    static const char *const phases[] = {"'phase':'IN_PROGRESS'", "'phase':'GRADING'",
                                         "'phase':'IN_PROGRESS','strict':false"};
    static const char *const said[] = {"'access':'ALLOWED'", "'access':'DENIED'",
                                       "'access':'ALLOWED','unblock':true", "'status':'FINISHED'"};
    bool is_of_all = pick(2) == 0;
    const char *members = is_of_all ? phases[pick(3)] : said[pick(4)];
    const char *user = is_of_all ? NULL : name_of('u', (int)pick(USERS));

    for (int i = 0; i < BROKERS; i++) {
        world_say(&worlds[i], "e1", user, members);
    }
}

static void link_change(int broker)
{
    if (shares[broker].is_down) {
        fakeshare_mend(&shares[broker]);
    } else {
        fakeshare_cut(&shares[broker]);
    }
}

static void history_step(void)
{
    int broker = (int)pick(BROKERS);
    unsigned what = pick(100);

    if (what < 35) {
        page_open(broker);
    } else if (what < 50) {
        page_close(broker);
    } else if (what < 54) {
        session_revoke(broker);
    } else if (what < 60) {
        user_unblock(broker);
    } else if (what < 66) {
        backend_say();
    } else if (what < 70) {
        link_change(broker);
    } else {
        world_tick(&worlds[broker]);
        world_clear(&worlds[broker]);
    }
}

static bool all_are_quiet(void)
{
    for (int i = 0; i < BROKERS; i++) {
        if (shares[i].count > 0 || shares[i].waiting_count > 0) {
            return false;
        }
    }
    return true;
}

/* Ticks until nothing is offered any more. */
static void history_settle(uint64_t seed)
{
    size_t quiet = 0;

    for (int round = 0; round < ROUNDS_MAX; round++) {
        size_t before = server.offers;

        for (int i = 0; i < BROKERS; i++) {
            world_tick(&worlds[i]);
            world_clear(&worlds[i]);
        }
        quiet = before == server.offers && all_are_quiet() ? quiet + 1 : 0;
        if (quiet == 3) {
            return;
        }
    }
    for (int i = 0; i < BROKERS; i++) {
        print_message("%s\n", fakeserver_text(&server, name_of('u', i % USERS)));
    }
    fail_msg("seed %llu: it goes to and fro for ever", (unsigned long long)seed);
}

static bool page_has_rights(int broker, const struct page *page)
{
    char topic[32];

    (void)snprintf(topic, sizeof(topic), "users/u%d", page->user);
    return page->connection != NULL &&
           world_deliver(&worlds[broker], page->connection, topic) == INVIG_ALLOW;
}

/* No user has rights by two sessions, and nobody by one that was revoked. */
static void history_check(uint64_t seed)
{
    for (int user = 0; user < USERS; user++) {
        int current = -1;

        for (int i = 0; i < BROKERS * PAGES; i++) {
            const struct page *page = &pages[i / PAGES][i % PAGES];

            if (page->user != user || !page_has_rights(i / PAGES, page)) {
                continue;
            }
            if (is_revoked[user][page->session]) {
                fail_msg("seed %llu: u%d has rights by s%d, which was revoked",
                         (unsigned long long)seed, user, page->session);
            }
            if (current >= 0 && current != page->session) {
                fail_msg("seed %llu: u%d has rights by s%d and by s%d", (unsigned long long)seed,
                         user, current, page->session);
            }
            current = page->session;
        }
    }
    for (int i = 1; i < BROKERS; i++) {
        assert_int_equal(world_stats(&worlds[i]).users_blocked,
                         world_stats(&worlds[0]).users_blocked);
    }
}

static void test_cluster_agrees_after_random_histories(void **state)
{
    const char *given = getenv("MODEL_SEED");
    uint64_t first = given == NULL ? 1 : strtoull(given, NULL, 10);

    (void)state;
    for (uint64_t seed = first; seed < first + (given == NULL ? HISTORIES : 1); seed++) {
        history_begin(seed);
        for (int i = 0; i < EVENTS; i++) {
            history_step();
        }
        for (int i = 0; i < BROKERS; i++) {
            if (shares[i].is_down) {
                fakeshare_mend(&shares[i]);
            }
        }
        history_settle(seed);
        history_check(seed);
        history_end();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cluster_agrees_after_random_histories),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
