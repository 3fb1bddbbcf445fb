/* SPDX-License-Identifier: Apache-2.0
 *
 * test_state_grouping.c - a store that makes one commit of what a turn of the broker's loop wants
 * recorded: nobody learns of it before, and a failure takes back those who were let in.
 */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define EVALUATION "evaluations/e1"

static struct world world;
static struct fakestore store;

static int setup(void **state)
{
    (void)state;
    fakestore_init(&store, true);
    world_init_with(&world, &store, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    world_deinit(&world);
    fakestore_deinit(&store);
    return 0;
}

#define STATE_CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static struct invig_connection *login(const char *session, const char *client_id)
{
    return world_login(
        &world, &(struct login){.session = session, .client_id = client_id, .evaluations = {"e1"}});
}

/* The broker does what KICK says. */
static void kicked(const char *client_id, struct invig_connection *connection)
{
    char line[64];

    (void)snprintf(line, sizeof(line), "KICK %s", client_id);
    assert_int_equal(world_count(&world, line), 1);
    world_disconnect(&world, connection);
}

static void test_grouping_makes_one_batch_of_a_turn(void **state)
{
    size_t batches;

    (void)state;
    world_say(&world, "e1", NULL, "'phase':'IN_PROGRESS'");
    world_tick(&world);
    batches = store.batch_count;
    (void)login("s1", "anna:1");
    (void)login("s2", "anna:2");
    world_invalidate_session(&world, "anna", "s7");
    assert_int_equal(store.batch_count, batches);
    world_tick(&world);
    assert_int_equal(store.batch_count, batches + 1);
    world_tick(&world);
    assert_int_equal(store.batch_count, batches + 1);
}

/* It is acknowledged right after the event, so it cannot wait; what came before goes with it. */
static void test_grouping_commits_a_message_at_once(void **state)
{
    size_t batches;

    (void)state;
    (void)login("s1", "anna:1");
    world_tick(&world);
    (void)login("s2", "anna:2");
    batches = store.batch_count;
    world_say(&world, "e1", NULL, "'phase':'IN_PROGRESS'");
    assert_int_equal(store.batch_count, batches + 1);
    world_say(&world, "e1", "anna", "'access':'ALLOWED'");
    assert_int_equal(store.batch_count, batches + 2);
    world_crash(&world);
    world_clear(&world);
    (void)login("s1", "anna:1");
    world_tick(&world);
    assert_int_equal(world_count(&world, "NOTIFY anna:1 SUPERSEDED anna s1"), 1);
    assert_int_equal(world_stats(&world).evaluations_strict, 1);
}

static void test_grouping_refuses_a_message_with_a_full_disk(void **state)
{
    (void)state;
    fakestore_fill(&store);
    assert_int_equal(world_message(&world, world_backend(&world), "evaluations/e1",
                                   "{'type':'EVALUATION_UPDATE','evaluationId':'e1',"
                                   "'phase':'IN_PROGRESS'}"),
                     INVIG_DENY);
    assert_int_equal(world_stats(&world).evaluations_strict, 0);
}

/* The commit of a tick comes before what follows from it. */
static void test_grouping_commits_before_it_tells(void **state)
{
    (void)state;
    (void)login("s1", "anna:1");
    world_tick(&world);
    (void)login("s2", "anna:2");
    fakestore_arm(&store, FAKESTORE_DIES, FAKESTORE_COMMIT, 1);
    world_clear(&world);
    world_tick(&world);
    assert_true(store.is_dead);
    assert_int_equal(world.effect_count, 0);
    world_restart(&world);
    /* Nobody was told, so the old session goes on; the new one is a login like any other. */
    (void)login("s1", "anna:1");
    world_tick(&world);
    assert_int_equal(world_count_prefix(&world, "NOTIFY"), 0);
}

static void test_grouping_keeps_what_was_told(void **state)
{
    (void)state;
    (void)login("s1", "anna:1");
    (void)login("s2", "anna:2");
    world_tick(&world);
    assert_int_equal(world_count(&world, "NOTIFY anna:1 SUPERSEDED anna s1"), 1);
    world_crash(&world);
    world_clear(&world);
    (void)login("s1", "anna:1");
    world_tick(&world);
    assert_int_equal(world_count(&world, "NOTIFY anna:1 SUPERSEDED anna s1"), 1);
}

static void test_grouping_failure_lets_nobody_stay(void **state)
{
    struct invig_connection *old = login("s1", "anna:1");
    struct invig_connection *first;

    (void)state;
    world_tick(&world);
    first = login("s2", "anna:2");
    assert_int_equal(world_deliver(&world, first, "users/anna"), INVIG_ALLOW);
    fakestore_fill(&store);
    world_clear(&world);
    world_tick(&world);
    /* Out at once, untold, and the old one is not told either; nor is it let go. */
    assert_int_equal(world.effect_count, 1);
    assert_int_equal(world_deliver(&world, first, "users/anna"), INVIG_DENY);
    kicked("anna:2", first);
    assert_true(world_has_logged(&world, "state_failed"));
    world_pass(&world, 10);
    assert_int_equal(world.effect_count, 1);
    assert_int_equal(world_deliver(&world, old, "users/anna"), INVIG_DENY);
    fakestore_mend(&store);
    world_pass(&world, 2);
    assert_int_equal(world_count(&world, "NOTIFY anna:1 SUPERSEDED anna s1"), 1);
    assert_non_null(login("s2", "anna:2"));
    world_crash(&world);
    world_clear(&world);
    assert_non_null(login("s1", "anna:1"));
    world_tick(&world);
    assert_int_equal(world_count(&world, "NOTIFY anna:1 SUPERSEDED anna s1"), 1);
}

/* Whoever is let in while the disk is full is out at the next attempt. */
static void test_grouping_failure_goes_on(void **state)
{
    (void)state;
    world_tick(&world);
    fakestore_fill(&store);
    for (int i = 0; i < 3; i++) {
        struct invig_connection *page = login("s1", "anna:1");

        assert_non_null(page);
        world_clear(&world);
        world_pass(&world, 2);
        kicked("anna:1", page);
    }
}

static void test_grouping_failure_holds_answers_and_notices(void **state)
{
    struct invig_connection *service;
    struct invig_connection *page;

    (void)state;
    world_say(&world, "e1", NULL, "'phase':'IN_PROGRESS'");
    page = login("s1", "anna:1");
    service = world_login(
        &world, &(struct login){
                    .user = "api", .session = "", .client_id = "api", .role = INVIG_ROLE_SERVICE});
    assert_non_null(service);
    world_pass(&world, 2);
    world_clear(&world);
    fakestore_fill(&store);
    assert_non_null(login("s2", "anna:2"));
    world_control(&world, service,
                  "{'commands':[{'command':'invalidateSession','userId':'ben','sessionId':'b'}]}");
    assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_DENY);
    world_pass(&world, 5);
    assert_int_equal(world.effect_count, world_count(&world, "KICK anna:2"));
    fakestore_mend(&store);
    world_pass(&world, 3);
    assert_int_equal(world_count_prefix(&world, "REPLY api "), 1);
    assert_int_equal(world_count_prefix(&world, "INCIDENT e1 anna SECOND_LOGIN"), 1);
    assert_int_equal(world_count_prefix(&world, "RETAIN evaluations/e1/users/anna"), 1);
}

static void test_grouping_lets_the_bound_session_in_with_a_full_disk(void **state)
{
    struct invig_connection *page;

    (void)state;
    world_say(&world, "e1", NULL, "'phase':'IN_PROGRESS'");
    page = login("s1", "anna:1");
    world_pass(&world, 2);
    world_disconnect(&world, page);
    fakestore_fill(&store);
    page = login("s1", "anna:1");
    world_clear(&world);
    world_pass(&world, 5);
    assert_int_equal(world_count_prefix(&world, "KICK"), 0);
    assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_ALLOW);
}

/* A refusal needs no record. */
static void test_grouping_refuses_at_once(void **state)
{
    (void)state;
    world_say(&world, "e1", NULL, "'phase':'IN_PROGRESS'");
    (void)login("s1", "anna:1");
    world_tick(&world);
    assert_null(login("s2", "anna:1"));
    assert_int_equal(world.refusal.reason, INVIG_REASON_SECOND_LOGIN);
    world_clear(&world);
    fakestore_arm(&store, FAKESTORE_FAILS_ONCE, FAKESTORE_ANY, 1);
    world_tick(&world);
    assert_int_equal(world.effect_count, 0);
    world_pass(&world, 2);
    assert_int_equal(world_count_prefix(&world, "INCIDENT e1 anna SECOND_LOGIN"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STATE_CASE(test_grouping_makes_one_batch_of_a_turn),
        STATE_CASE(test_grouping_commits_a_message_at_once),
        STATE_CASE(test_grouping_refuses_a_message_with_a_full_disk),
        STATE_CASE(test_grouping_commits_before_it_tells),
        STATE_CASE(test_grouping_keeps_what_was_told),
        STATE_CASE(test_grouping_failure_lets_nobody_stay),
        STATE_CASE(test_grouping_failure_goes_on),
        STATE_CASE(test_grouping_failure_holds_answers_and_notices),
        STATE_CASE(test_grouping_lets_the_bound_session_in_with_a_full_disk),
        STATE_CASE(test_grouping_refuses_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
