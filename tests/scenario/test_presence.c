/* SPDX-License-Identifier: Apache-2.0
 *
 * test_presence.c - stories of who is said to be there.
 */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct world world;

static struct invig_connection *login(const char *session, const char *client_id)
{
    struct invig_connection *page = world_login(
        &world, &(struct login){.session = session, .client_id = client_id, .evaluations = {"e1"}});

    assert_non_null(page);
    return page;
}

/* The next tick says this of anna in e1, and nothing else of anybody's presence; "" for nothing. */
static void assert_presence(const char *expected)
{
    char line[WORLD_LINE_BYTES];

    world_clear(&world);
    world_tick(&world);
    (void)snprintf(line, sizeof(line), "PRESENCE e1 anna %s", expected);
    if (world_count(&world, line) != (expected[0] != '\0') ||
        world_count_prefix(&world, "PRESENCE") != (expected[0] != '\0')) {
        fail_msg("%s: %s", expected, world.effect_count == 0 ? "nothing" : world.effects[0]);
    }
}

static void test_presence_comes_and_goes(void **state)
{
    struct invig_connection *pages[2];

    (void)state;
    world_say(&world, "e1", NULL, "'phase':'REGISTRATION'");
    assert_presence("");
    pages[0] = login("s1", "anna:1");
    assert_presence("online 1 CONNECTED");
    assert_presence("");
    pages[1] = login("s1", "anna:2");
    assert_presence("online 2 CONNECTED");
    world_disconnect(&world, pages[0]);
    world_clear(&world);
    world_tick(&world);
    assert_int_equal(world_count_prefix(&world, "PRESENCE e1 anna online 1 "), 1);
    world_disconnect(&world, pages[1]);
    assert_presence("offline 0 UNKNOWN");
    assert_presence("");
}

static void test_presence_tells_why(void **state)
{
    static const struct {
        enum invig_cause cause;
        const char *expected;
    } rows[] = {
        {INVIG_CAUSE_UNKNOWN, "offline 0 UNKNOWN"},
        {INVIG_CAUSE_CLOSED, "offline 0 CLOSED"},
        {INVIG_CAUSE_TIMEOUT, "offline 0 TIMEOUT"},
    };

    (void)state;
    world_say(&world, "e1", NULL, "'phase':'IN_PROGRESS'");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct invig_connection *page = login("s1", "anna:1");
        assert_presence("online 1 CONNECTED");
        world_disconnect_by(&world, page, rows[i].cause);
        assert_presence(rows[i].expected);
    }
}

static void test_presence_ended_by_the_plugin(void **state)
{
    struct invig_connection *page;

    (void)state;
    world_say(&world, "e1", NULL, "'phase':'IN_PROGRESS'");
    page = login("s1", "anna:1");
    assert_presence("online 1 CONNECTED");
    world_invalidate_session(&world, "anna", "s1");
    assert_presence("offline 0 REVOKED");
    /* What the broker says when it is disconnected then changes nothing. */
    world_disconnect_by(&world, page, INVIG_CAUSE_CLOSED);
    assert_presence("");

    page = world_login(
        &world,
        &(struct login){.session = "s2", .expires_s = world.now.wall_s + 5, .evaluations = {"e1"}});
    assert_presence("online 1 CONNECTED");
    world_pass(&world, 34);
    world_clear(&world);
    world_pass(&world, 3);
    assert_int_equal(world_count(&world, "PRESENCE e1 anna offline 0 EXPIRED"), 1);
    assert_int_equal(world_count_prefix(&world, "PRESENCE"), 1);
    world_disconnect(&world, page);

    /* Superseded by an unblock that names a session which is not there. */
    page = login("s2", "anna:1");
    world_disconnect(&world, login("s3", "anna:2"));
    assert_presence("online 1 CONNECTED");
    world_say(&world, "e1", "anna", "'access':'ALLOWED','sessionId':'s3'");
    assert_presence("offline 0 SUPERSEDED");
    world_disconnect(&world, page);
    assert_presence("");
}

static void test_presence_does_not_show_a_quick_reload(void **state)
{
    struct invig_connection *page;

    (void)state;
    world_say(&world, "e1", NULL, "'phase':'IN_PROGRESS'");
    page = login("s1", "anna:1");
    assert_presence("online 1 CONNECTED");
    world_disconnect(&world, page);
    page = login("s1", "anna:2");
    assert_presence("");
    /* One that takes longer is shown. */
    world_disconnect(&world, page);
    assert_presence("offline 0 UNKNOWN");
    page = login("s1", "anna:3");
    assert_presence("online 1 CONNECTED");
    /* Nor does a takeover of the client id show, or a newer login. */
    (void)login("s1", "anna:3");
    world_disconnect(&world, page);
    assert_presence("");
    world_say(&world, "e1", NULL, "'phase':'REGISTRATION'");
    (void)login("s2", "anna:4");
    assert_presence("");
}

static void test_presence_does_not_count_those_told(void **state)
{
    struct invig_connection *page;

    (void)state;
    world_say(&world, "e1", NULL, "'phase':'IN_PROGRESS'");
    page = login("s1", "anna:1");
    assert_presence("online 1 CONNECTED");
    (void)login("s2", "anna:2"); /* turned away */
    assert_presence("");
    world_disconnect(&world, page);
    assert_presence("offline 0 UNKNOWN");
    (void)login("s2", "anna:3");
    assert_presence("");
}

static void test_presence_is_of_participants(void **state)
{
    struct invig_connection *page;

    (void)state;
    world_say(&world, "e1", NULL, "'phase':'REGISTRATION'");
    /* One who was never there has none. */
    world_say(&world, "e1", "bob", "'access':'ALLOWED'");
    assert_presence("");
    page = world_login(&world, &(struct login){0});
    assert_presence("");
    world_say(&world, "e1", "anna", "'access':'ALLOWED'");
    assert_presence("online 1 CONNECTED");
    world_say(&world, "e1", "anna", "'access':'BLOCKED'");
    assert_presence("");
    world_say(&world, "e1", "anna", "'access':'DENIED'");
    assert_presence("");
    assert_int_equal(world_count(&world, "CLEAR evaluations/e1/presence/anna"), 1);
    world_say(&world, "e1", "anna", "'access':'ALLOWED'");
    assert_presence("online 1 CONNECTED");
    /* Whoever is taken out and added again begins anew. */
    world_say(&world, "e1", "anna", "'access':'DENIED'");
    assert_presence("");
    world_disconnect(&world, page);
    world_say(&world, "e1", "anna", "'access':'ALLOWED'");
    assert_presence("");
    (void)world_login(&world, &(struct login){0});
    assert_presence("online 1 CONNECTED");
}

static void test_presence_is_of_some_phases(void **state)
{
    struct invig_connection *page;

    (void)state;
    world_say(&world, "e1", NULL, "'phase':'COMPOSITION'");
    page = login("s1", "anna:1");
    assert_presence("");
    world_say(&world, "e1", NULL, "'phase':'REGISTRATION'");
    assert_presence("online 1 CONNECTED");
    world_say(&world, "e1", NULL, "'phase':'IN_PROGRESS'");
    assert_presence("");
    world_disconnect(&world, page);
    assert_presence("offline 0 UNKNOWN");
    world_say(&world, "e1", NULL, "'phase':'GRADING'");
    assert_presence("");
    assert_int_equal(world_count(&world, "CLEAR evaluations/e1/presence/anna"), 1);
    (void)login("s1", "anna:1");
    assert_presence("");
    world_pass(&world, 2);
    assert_int_equal(world.effect_count, 0);

    world_deinit(&world);
    world_init(&world, "presence_phases", "GRADING", NULL);
    world_say(&world, "e1", NULL, "'phase':'IN_PROGRESS'");
    (void)login("s1", "anna:1");
    assert_presence("");
    world_say(&world, "e1", NULL, "'phase':'GRADING'");
    assert_presence("online 1 CONNECTED");
}

static void test_presence_of_several_evaluations(void **state)
{
    struct invig_connection *page;

    (void)state;
    world_say(&world, "e1", NULL, "'phase':'IN_PROGRESS'");
    world_say(&world, "e2", NULL, "'phase':'REGISTRATION'");
    world_say(&world, "e3", NULL, "'phase':'COMPOSITION'");
    page = world_login(&world, &(struct login){.evaluations = {"e1", "e2", "e3"}});
    world_tick(&world);
    assert_int_equal(world_count(&world, "PRESENCE e1 anna online 1 CONNECTED"), 1);
    assert_int_equal(world_count(&world, "PRESENCE e2 anna online 1 CONNECTED"), 1);
    assert_int_equal(world_count_prefix(&world, "PRESENCE"), 2);
    world_disconnect_by(&world, page, INVIG_CAUSE_TIMEOUT);
    world_tick(&world);
    assert_int_equal(world_count(&world, "PRESENCE e1 anna offline 0 TIMEOUT"), 1);
    assert_int_equal(world_count(&world, "PRESENCE e2 anna offline 0 TIMEOUT"), 1);
    assert_int_equal(world_count_prefix(&world, "PRESENCE"), 4);
}

static void test_presence_of_many_is_spread_over_ticks(void **state)
{
    enum { USERS = INVIG_TICK_WORK_MAX + 44 };

    (void)state;
    world_say(&world, "e1", NULL, "'phase':'REGISTRATION'");
    for (int i = 0; i < USERS; i++) {
        char user[16];
        (void)snprintf(user, sizeof(user), "u%d", i);
        assert_non_null(world_login(
            &world, &(struct login){.user = user, .client_id = user, .evaluations = {"e1"}}));
    }
    world_tick(&world);
    assert_true(world.effect_count <= INVIG_TICK_WORK_MAX);
    world_pass(&world, 2);
    assert_int_equal(world_count_prefix(&world, "PRESENCE e1 u"), USERS);
    assert_int_equal(world.effect_count, USERS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_CASE(test_presence_comes_and_goes),
        WORLD_CASE(test_presence_tells_why),
        WORLD_CASE(test_presence_ended_by_the_plugin),
        WORLD_CASE(test_presence_does_not_show_a_quick_reload),
        WORLD_CASE(test_presence_does_not_count_those_told),
        WORLD_CASE(test_presence_is_of_participants),
        WORLD_CASE(test_presence_is_of_some_phases),
        WORLD_CASE(test_presence_of_several_evaluations),
        WORLD_CASE(test_presence_of_many_is_spread_over_ticks),
    };
    return cmocka_run_group_tests_name("scenario presence", tests, NULL, NULL);
}
