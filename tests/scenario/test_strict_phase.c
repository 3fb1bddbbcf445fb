/* SPDX-License-Identifier: Apache-2.0
 *
 * test_strict_phase.c - stories of how strictness begins and ends: phases, "strict":false,
 * FINISHED, and the policies observe and off.
 */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define EVALUATION "evaluations/e1"
#define MINE       "evaluations/e1/users/anna"

static struct world world;

static void assert_no_incident(void)
{
    assert_int_equal(world_count_prefix(&world, "INCIDENT"), 0);
    assert_int_equal(world_count_prefix(&world, "RETAIN"), 0);
}

/* The page of `old` gives way to a new login of anna's, as it does outside strict evaluations. */
static void assert_newest_wins(struct invig_connection *old, const char *session,
                               const char *client_id)
{
    struct invig_connection *page = world_login_again(&world, session, client_id);

    assert_non_null(page);
    assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_ALLOW);
    assert_int_equal(world_deliver(&world, old, EVALUATION), INVIG_DENY);
    assert_int_equal(world_deliver(&world, old, "users/anna"), INVIG_DENY);
    world_pass(&world, 3);
    assert_int_equal(world_count_prefix(&world, "NOTIFY"), 1);
    assert_int_equal(world_count_prefix(&world, "KICK"), 1);
}

static void test_strict_phase_begins_between_two_logins(void **state)
{
    struct invig_connection *page;

    (void)state;
    world_say(&world, "e1", NULL, "'phase':'REGISTRATION'");
    page = world_login(&world, &(struct login){.evaluations = {"e1"}});
    world_say(&world, "e1", NULL, "'phase':'IN_PROGRESS'");
    assert_int_equal(world_stats(&world).evaluations_strict, 1);
    (void)world_login_again(&world, "s2", "anna:2");
    world_tick(&world);
    assert_int_equal(world_deliver(&world, page, MINE), INVIG_ALLOW);
    assert_int_equal(world_count(&world, "NOTIFY anna:2 BLOCKED e1 anna"), 1);
    assert_int_equal(
        world_count_incidents(&world, "e1", "SECOND_LOGIN enforced", "s1", "s2", "192.0.2.2"), 1);
}

static void test_strict_phase_ends_between_two_logins(void **state)
{
    struct invig_connection *page = world_exam(&world);

    (void)state;
    world_say(&world, "e1", NULL, "'phase':'GRADING'");
    assert_int_equal(world_stats(&world).evaluations_strict, 0);
    assert_newest_wins(page, "s2", "anna:2");
    assert_no_incident();
}

static void test_strict_phase_superseded_before_it_stays_superseded(void **state)
{
    struct invig_connection *page;

    (void)state;
    world_say(&world, "e1", NULL, "'phase':'REGISTRATION'");
    world_disconnect(&world, world_login(&world, &(struct login){.evaluations = {"e1"}}));
    page = world_login_again(&world, "s2", "anna:2");
    world_say(&world, "e1", NULL, "'phase':'IN_PROGRESS'");
    (void)world_login(&world, &(struct login){.evaluations = {"e1"}});
    world_pass(&world, 3);
    assert_int_equal(world_count(&world, "NOTIFY anna:1 SUPERSEDED anna s1"), 1);
    assert_no_incident();
    assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_ALLOW);
}

static void test_strict_phase_offline_at_its_begin_first_to_connect_is_bound(void **state)
{
    struct invig_connection *page;

    (void)state;
    world_say(&world, "e1", NULL, "'phase':'REGISTRATION'");
    world_say(&world, "e1", "anna", "'access':'ALLOWED'");
    world_disconnect(&world, world_login(&world, &(struct login){.evaluations = {"e1"}}));
    world_say(&world, "e1", NULL, "'phase':'IN_PROGRESS'");
    /* Nobody is connected, so nobody is bound: the newer login is the first that connects. */
    page = world_login_again(&world, "s2", "anna:2");
    assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_ALLOW);
    world_tick(&world);
    assert_no_incident();
    (void)world_login_again(&world, "s3", "anna:3");
    world_tick(&world);
    assert_int_equal(
        world_count_incidents(&world, "e1", "SECOND_LOGIN enforced", "s2", "s3", "192.0.2.2"), 1);
}

static void test_strict_phase_finished_and_then_a_login_from_home(void **state)
{
    struct invig_connection *page = world_exam(&world);

    (void)state;
    world_say(&world, "e1", "anna", "'access':'ALLOWED','status':'FINISHED'");
    assert_newest_wins(page, "s2", "anna:2");
    assert_no_incident();
    /* Nor is the login from home bound, until she goes on. */
    world_say(&world, "e1", "anna", "'access':'ALLOWED','endAt':null");
    (void)world_login_again(&world, "s3", "anna:3");
    world_tick(&world);
    assert_int_equal(world_count(&world, "NOTIFY anna:2 SUPERSEDED anna s2"), 1);
    assert_no_incident();
    world_say(&world, "e1", "anna", "'access':'ALLOWED','status':'IN_PROGRESS'");
    (void)world_login_again(&world, "s4", "anna:4");
    world_tick(&world);
    assert_int_equal(
        world_count_incidents(&world, "e1", "SECOND_LOGIN enforced", "s3", "s4", "192.0.2.2"), 1);
}

static void test_strict_phase_finished_leaves_the_block(void **state)
{
    struct invig_connection *page = world_exam(&world);

    (void)state;
    (void)world_login_again(&world, "s2", "anna:2");
    world_say(&world, "e1", "anna", "'access':'ALLOWED','status':'FINISHED'");
    assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_DENY);
    assert_int_equal(world_stats(&world).users_blocked, 1);
    /* Her status is taken back: she is bound again. */
    world_say(&world, "e1", "anna", "'access':'ALLOWED','unblock':true,'status':null");
    assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_ALLOW);
    (void)world_login_again(&world, "s3", "anna:3");
    world_tick(&world);
    assert_int_equal(
        world_count_incidents(&world, "e1", "SECOND_LOGIN enforced", "s1", "s3", "192.0.2.2"), 1);
}

static void test_strict_phase_end_lifts_the_block(void **state)
{
    struct invig_connection *page = world_exam(&world);

    (void)state;
    world_say(&world, "e1", "anna", "'access':'ALLOWED','version':3");
    world_say(&world, "e1", "bob", "'access':'ALLOWED'");
    (void)world_login_again(&world, "s2", "anna:2");
    world_pass(&world, 3);
    world_clear(&world);
    world_say(&world, "e1", NULL, "'phase':'GRADING'");
    assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_ALLOW);
    assert_int_equal(world_stats(&world).users_blocked, 0);
    world_pass(&world, 3);
    assert_int_equal(world_count(&world,
                                 "RETAIN " MINE " {'type':'EVALUATION_UPDATE','evaluationId':'e1',"
                                 "'userId':'anna','version':3,'access':'ALLOWED',"
                                 "'by':'invigilator'}"),
                     1);
    assert_int_equal(world_count_prefix(&world, "RETAIN"), 1);
    /* Access returns, so she is sent what she missed. */
    assert_int_equal(world_count(&world, "SEND anna:1 " EVALUATION
                                         " {'type':'EVALUATION_UPDATE','evaluationId':'e1',"
                                         "'phase':'GRADING'}"),
                     1);
}

/* The page that was turned away is a login like any other then: the newest wins, and one lives. */
static void test_strict_phase_end_lets_the_page_in_that_was_turned_away(void **state)
{
    struct invig_connection *page = world_exam(&world);

    (void)state;
    world_disconnect(&world, world_login_again(&world, "s2", "anna:2"));
    world_say(&world, "e1", NULL, "'phase':'GRADING'");
    world_tick(&world);
    world_clear(&world);
    assert_newest_wins(page, "s2", "anna:2");
    /* And is bound like any other, when the phase comes back. */
    world_say(&world, "e1", NULL, "'phase':'IN_PROGRESS'");
    (void)world_login_again(&world, "s3", "anna:3");
    world_tick(&world);
    assert_int_equal(
        world_count_incidents(&world, "e1", "SECOND_LOGIN enforced", "s2", "s3", "192.0.2.2"), 1);
}

static void test_strict_phase_comes_back_after_a_name(void **state)
{
    (void)state;
    (void)world_exam(&world);
    world_disconnect(&world, world_login_again(&world, "s2", "anna:2"));
    world_say(&world, "e1", "anna", "'access':'ALLOWED','sessionId':'s2'");
    (void)world_login_again(&world, "s2", "anna:3");
    world_say(&world, "e1", NULL, "'phase':'GRADING'");
    world_say(&world, "e1", NULL, "'phase':'IN_PROGRESS'");
    world_clear(&world);
    (void)world_login_again(&world, "s3", "anna:4");
    world_tick(&world);
    assert_int_equal(
        world_count_incidents(&world, "e1", "SECOND_LOGIN enforced", "s2", "s3", "192.0.2.2"), 1);
}

static void test_strict_phase_end_allows_where_nothing_was_said(void **state)
{
    (void)state;
    (void)world_exam(&world);
    (void)world_login_again(&world, "s2", "anna:2");
    world_tick(&world);
    world_clear(&world);
    world_say(&world, "e1", NULL, "'phase':'FINISHED'");
    world_tick(&world);
    assert_int_equal(world_count(&world,
                                 "RETAIN " MINE " {'type':'EVALUATION_UPDATE','evaluationId':'e1',"
                                 "'userId':'anna','access':'ALLOWED',"
                                 "'by':'invigilator'}"),
                     1);
}

static void test_strict_phase_end_leaves_a_block_of_the_backend(void **state)
{
    struct invig_connection *page = world_exam(&world);

    (void)state;
    (void)world_login_again(&world, "s2", "anna:2");
    world_say(&world, "e1", "anna", "'access':'BLOCKED','reason':'PHONE','at':'x'");
    world_pass(&world, 3);
    world_clear(&world);
    world_say(&world, "e1", NULL, "'phase':'GRADING'");
    world_pass(&world, 3);
    assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_DENY);
    assert_int_equal(world_count(&world,
                                 "RETAIN " MINE " {'type':'EVALUATION_UPDATE','evaluationId':'e1',"
                                 "'userId':'anna','reason':'PHONE','at':'x',"
                                 "'access':'BLOCKED','by':'invigilator'}"),
                     1);
    assert_int_equal(world_count_prefix(&world, "RETAIN"), 1);
    assert_int_equal(world_count_prefix(&world, "SEND"), 0);
    assert_int_equal(world_stats(&world).users_blocked, 1);
}

/* A user of many, who logs in twice. Returns the bound connection. */
static struct invig_connection *block_user(const char *user)
{
    char ids[2][32];
    struct invig_connection *page;

    (void)snprintf(ids[0], sizeof(ids[0]), "%s:1", user);
    (void)snprintf(ids[1], sizeof(ids[1]), "%s:2", user);
    page = world_login(&world,
                       &(struct login){.user = user, .client_id = ids[0], .evaluations = {"e1"}});
    world_disconnect(&world, world_login(&world, &(struct login){.user = user,
                                                                 .session = "s2",
                                                                 .client_id = ids[1],
                                                                 .evaluations = {"e1"}}));
    world_tick(&world);
    world_clear(&world);
    return page;
}

static void test_strict_phase_end_is_spread_over_ticks(void **state)
{
    enum { USERS = 300, TICKS = 100 };
    struct invig_connection *pages[USERS];
    size_t total = 0;
    size_t most = 0;

    (void)state;
    world_say(&world, "e1", NULL, "'phase':'IN_PROGRESS'");
    for (int i = 0; i < USERS; i++) {
        char user[16];
        (void)snprintf(user, sizeof(user), "u%d", i);
        pages[i] = block_user(user);
    }
    assert_int_equal(world_stats(&world).users_blocked, USERS);
    world_say(&world, "e1", NULL, "'phase':'GRADING'");
    for (int i = 0; i < USERS; i++) {
        assert_int_equal(world_deliver(&world, pages[i], EVALUATION), INVIG_ALLOW);
    }
    for (int i = 0; i < TICKS; i++) {
        world_tick(&world);
        size_t now = world_count_prefix(&world, "RETAIN evaluations/e1/users/u");
        most = now > most ? now : most;
        total += now;
        world_clear(&world);
    }
    assert_int_equal(total, USERS);
    assert_true(most < USERS);
}

static void test_strict_phase_switched_off_by_the_message(void **state)
{
    struct invig_connection *page = world_exam(&world);

    (void)state;
    (void)world_login_again(&world, "s2", "anna:2");
    world_pass(&world, 3);
    world_clear(&world);
    world_say(&world, "e1", NULL, "'phase':'IN_PROGRESS','strict':false");
    assert_int_equal(world_stats(&world).evaluations_strict, 0);
    assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_ALLOW);
    world_tick(&world);
    assert_int_equal(world_count_prefix(&world, "RETAIN " MINE), 1);
    world_clear(&world);
    assert_newest_wins(page, "s3", "anna:3");
    assert_no_incident();
    /* An absent member leaves what was known. */
    world_say(&world, "e1", NULL, "'phase':'IN_PROGRESS'");
    assert_int_equal(world_stats(&world).evaluations_strict, 0);
    world_say(&world, "e1", NULL, "'phase':'IN_PROGRESS','strict':true");
    assert_int_equal(world_stats(&world).evaluations_strict, 1);
    (void)world_login_again(&world, "s4", "anna:4");
    world_tick(&world);
    assert_int_equal(
        world_count_incidents(&world, "e1", "SECOND_LOGIN enforced", "s3", "s4", "192.0.2.2"), 1);
}

static void test_strict_phase_is_an_option(void **state)
{
    struct invig_connection *page;

    (void)state;
    world_deinit(&world);
    world_init(&world, "strict_phases", "REGISTRATION,GRADING", NULL);
    world_say(&world, "e1", NULL, "'phase':'GRADING'");
    page = world_login(&world, &(struct login){.evaluations = {"e1"}});
    (void)world_login_again(&world, "s2", "anna:2");
    world_tick(&world);
    assert_int_equal(world_count(&world, "NOTIFY anna:2 BLOCKED e1 anna"), 1);
    world_clear(&world);
    /* From one strict phase to another nothing ends. */
    world_say(&world, "e1", NULL, "'phase':'REGISTRATION'");
    assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_DENY);
    world_say(&world, "e1", NULL, "'phase':'IN_PROGRESS'");
    assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_ALLOW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_CASE(test_strict_phase_begins_between_two_logins),
        WORLD_CASE(test_strict_phase_ends_between_two_logins),
        WORLD_CASE(test_strict_phase_superseded_before_it_stays_superseded),
        WORLD_CASE(test_strict_phase_offline_at_its_begin_first_to_connect_is_bound),
        WORLD_CASE(test_strict_phase_finished_and_then_a_login_from_home),
        WORLD_CASE(test_strict_phase_finished_leaves_the_block),
        WORLD_CASE(test_strict_phase_end_lifts_the_block),
        WORLD_CASE(test_strict_phase_end_lets_the_page_in_that_was_turned_away),
        WORLD_CASE(test_strict_phase_comes_back_after_a_name),
        WORLD_CASE(test_strict_phase_end_allows_where_nothing_was_said),
        WORLD_CASE(test_strict_phase_end_leaves_a_block_of_the_backend),
        WORLD_CASE(test_strict_phase_end_is_spread_over_ticks),
        WORLD_CASE(test_strict_phase_switched_off_by_the_message),
        WORLD_CASE(test_strict_phase_is_an_option),
    };
    return cmocka_run_group_tests_name("scenario strict_phase", tests, NULL, NULL);
}
