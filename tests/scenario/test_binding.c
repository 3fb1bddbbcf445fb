/* SPDX-License-Identifier: Apache-2.0
 *
 * test_binding.c - stories of the session that a strict evaluation accepts: what makes it the bound
 * one, what it may do, and what ends that.
 */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define EVALUATION "evaluations/e1"
#define MINE       "evaluations/e1/users/anna"

static struct world world;

static void assert_no_incident(void)
{
    assert_int_equal(world_count_prefix(&world, "INCIDENT"), 0);
    assert_int_equal(world_count_prefix(&world, "RETAIN"), 0);
    assert_int_equal(world_stats(&world).users_blocked, 0);
}

static void test_binding_two_logins_in_one_loop(void **state)
{
    struct invig_connection *first;
    struct invig_connection *second;

    (void)state;
    world_say(&world, "e1", NULL, "'phase':'IN_PROGRESS'");
    world_say(&world, "e1", "anna", "'access':'ALLOWED'");
    first = world_login(&world, &(struct login){0});
    second = world_login(&world, &(struct login){.session = "s2", .client_id = "anna:2"});
    assert_int_equal(world_deliver(&world, first, "users/anna"), INVIG_ALLOW);
    assert_int_equal(world_deliver(&world, second, "users/anna"), INVIG_DENY);
    world_pass(&world, 5);
    assert_int_equal(
        world_count_incidents(&world, "e1", "SECOND_LOGIN enforced", "s1", "s2", "192.0.2.1"), 1);
    assert_int_equal(world_count(&world, "NOTIFY anna:2 BLOCKED e1 anna"), 1);
    assert_int_equal(world_count_prefix(&world, "NOTIFY anna:1"), 0);
    assert_int_equal(world_count_prefix(&world, "KICK"), 1);
}

static void test_binding_second_login_while_the_first_is_offline(void **state)
{
    struct invig_connection *page = world_exam(&world);
    struct invig_connection *second;

    (void)state;
    world_disconnect(&world, page);
    world_pass(&world, 30);
    second = world_login_again(&world, "s2", "anna:2");
    assert_int_equal(world_deliver(&world, second, "users/anna"), INVIG_DENY);
    world_tick(&world);
    assert_int_equal(
        world_count_incidents(&world, "e1", "SECOND_LOGIN enforced", "s1", "s2", "192.0.2.2"), 1);
    assert_int_equal(world_count(&world, "NOTIFY anna:2 BLOCKED e1 anna"), 1);
    /* Even the client id of the bound session may be used by it now, to be told. */
    assert_non_null(world_login_again(&world, "s2", "anna:1"));
    world_tick(&world);
    assert_int_equal(world_count(&world, "NOTIFY anna:1 BLOCKED e1 anna"), 1);
    page = world_login(&world, &(struct login){.client_id = "anna:9", .evaluations = {"e1"}});
    assert_int_equal(world_deliver(&world, page, MINE), INVIG_ALLOW);
    assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_DENY);
}

static void test_binding_reconnect_of_the_bound_session(void **state)
{
    struct invig_connection *page = world_exam(&world);

    (void)state;
    world_disconnect(&world, page);
    world_pass(&world, 3);
    page = world_login(&world, &(struct login){.evaluations = {"e1"}});
    assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_ALLOW);
    /* And while the broker has not noticed that the old connection is dead. */
    page = world_login(&world, &(struct login){.evaluations = {"e1"}});
    assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_ALLOW);
    world_pass(&world, 5);
    assert_no_incident();
    assert_int_equal(world_count_prefix(&world, "NOTIFY"), 0);
    assert_int_equal(world_count_prefix(&world, "KICK"), 0);
}

static void test_binding_token_refresh_of_the_bound_session(void **state)
{
    struct invig_connection *old = world_exam(&world);
    struct invig_connection *page;

    (void)state;
    world_pass(&world, 60);
    page = world_login(
        &world,
        &(struct login){.client_id = "anna:2", .login_s = world.now.wall_s, .evaluations = {"e1"}});
    assert_int_equal(world_deliver(&world, old, EVALUATION), INVIG_ALLOW);
    assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_ALLOW);
    world_disconnect(&world, old);
    world_pass(&world, 5);
    assert_no_incident();
    (void)world_login_again(&world, "s2", "anna:3");
    world_tick(&world);
    assert_int_equal(
        world_count_incidents(&world, "e1", "SECOND_LOGIN enforced", "s1", "s2", "192.0.2.2"), 1);
}

static void test_binding_older_second_login_is_no_incident(void **state)
{
    const struct login older = {.session = "s0",
                                .client_id = "anna:2",
                                .login_s = WORLD_START_S - 10,
                                .evaluations = {"e1"}};
    struct login same_id = older;
    struct invig_connection *page = world_exam(&world);

    (void)state;
    assert_non_null(world_login(&world, &older));
    same_id.client_id = "anna:1";
    assert_null(world_login(&world, &same_id));
    assert_int_equal(world.refusal.reason, INVIG_REASON_SESSION_ENDED);
    world_pass(&world, 5);
    assert_int_equal(world_count(&world, "NOTIFY anna:2 SUPERSEDED anna s0"), 1);
    assert_int_equal(world_count(&world, "KICK anna:2"), 1);
    assert_int_equal(world.effect_count, 2);
    assert_no_incident();
    assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_ALLOW);
}

static void test_binding_revoking_the_bound_session_ends_its_bindings(void **state)
{
    struct invig_connection *page = world_exam(&world);

    (void)state;
    world_invalidate_session(&world, "anna", "s1");
    assert_int_equal(world_deliver(&world, page, MINE), INVIG_DENY);
    world_pass(&world, 2);
    assert_int_equal(world_count(&world, "NOTIFY anna:1 REVOKED anna s1"), 1);
    world_disconnect(&world, page);
    page = world_login_again(&world, "s2", "anna:2");
    assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_ALLOW);
    world_tick(&world);
    assert_no_incident();
    /* And that one is bound now. */
    (void)world_login_again(&world, "s3", "anna:3");
    world_tick(&world);
    assert_int_equal(
        world_count_incidents(&world, "e1", "SECOND_LOGIN enforced", "s2", "s3", "192.0.2.2"), 1);
}

/* A block outlasts the bound session; whoever lifts it decides who goes on. */
static void test_binding_revoked_while_a_block_stands(void **state)
{
    struct invig_connection *page;

    (void)state;
    for (int is_named = 0; is_named < 2; is_named++) {
        world_deinit(&world);
        world_init(&world, NULL);
        (void)world_exam(&world);
        world_disconnect(&world, world_login_again(&world, "s2", "anna:2"));
        world_invalidate_session(&world, "anna", "s1");
        page = world_login_again(&world, "s2", "anna:2");
        assert_int_equal(world_deliver(&world, page, "users/anna"), INVIG_DENY);
        world_tick(&world);
        assert_int_equal(world_count(&world, "NOTIFY anna:2 BLOCKED e1 anna"), 1);
        assert_int_equal(world_count_prefix(&world, "INCIDENT"), 1);
        world_disconnect(&world, page);
        world_say(&world, "e1", "anna",
                  is_named ? "'access':'ALLOWED','sessionId':'s2'"
                           : "'access':'ALLOWED','unblock':true");
        page = world_login_again(&world, is_named ? "s2" : "s3", "anna:3");
        assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_ALLOW);
        (void)world_login_again(&world, "s4", "anna:4");
        world_tick(&world);
        assert_int_equal(world_count(&world, "NOTIFY anna:4 BLOCKED e1 anna"), 1);
        assert_int_equal(world_count_incidents(&world, "e1", "SECOND_LOGIN enforced",
                                               is_named ? "s2" : "s3", "s4", "192.0.2.2"),
                         1);
    }
}

static void test_binding_shared_session_from_a_second_address(void **state)
{
    const char *const ids[] = {"anna:2", "anna:3", "anna:4"};
    const char *const addresses[] = {"192.0.2.1", "198.51.100.9", "203.0.113.5"};
    struct invig_connection *pages[3];

    (void)state;
    (void)world_exam(&world);
    for (int i = 0; i < 3; i++) {
        pages[i] = world_login(
            &world,
            &(struct login){.client_id = ids[i], .address = addresses[i], .evaluations = {"e1"}});
        world_tick(&world);
        assert_int_equal(world_count_prefix(&world, "INCIDENT"), i > 0);
    }
    assert_int_equal(
        world_count_incidents(&world, "e1", "SHARED_SESSION observed", "s1", "s1", "198.51.100.9"),
        1);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(world_deliver(&world, pages[i], EVALUATION), INVIG_ALLOW);
    }
    world_pass(&world, 3);
    assert_int_equal(world_count_prefix(&world, "RETAIN"), 0);
    assert_int_equal(world_count_prefix(&world, "NOTIFY"), 0);
}

static void test_binding_of_one_who_becomes_a_participant(void **state)
{
    struct invig_connection *page = world_login(&world, &(struct login){0});

    (void)state;
    world_say(&world, "e1", NULL, "'phase':'IN_PROGRESS'");
    world_say(&world, "e1", "anna", "'access':'ALLOWED'");
    (void)world_login(&world, &(struct login){.session = "s2", .client_id = "anna:2"});
    world_tick(&world);
    assert_int_equal(world_count(&world, "NOTIFY anna:2 BLOCKED e1 anna"), 1);
    assert_int_equal(
        world_count_incidents(&world, "e1", "SECOND_LOGIN enforced", "s1", "s2", "192.0.2.1"), 1);
    /* Who is taken out is not bound any longer. */
    world_say(&world, "e1", "anna", "'access':'DENIED'");
    world_clear(&world);
    (void)world_login(&world, &(struct login){.session = "s3", .client_id = "anna:3"});
    assert_int_equal(world_deliver(&world, page, "users/anna"), INVIG_DENY);
    world_pass(&world, 3);
    assert_int_equal(world_count(&world, "NOTIFY anna:1 SUPERSEDED anna s1"), 1);
    assert_no_incident();
}

static void test_binding_unless_bound_holds(void **state)
{
    static const char command[] = "{'command':'invalidateUser','userId':'anna','unlessBound':true}";
    struct invig_connection *page = world_exam(&world);

    (void)state;
    assert_string_equal(world_command(&world, command),
                        "{'command':'invalidateUser','data':{'bound':['e1']}}");
    world_pass(&world, 2);
    assert_int_equal(world.effect_count, 0);
    assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_ALLOW);
    /* Offline it is bound all the same. */
    world_disconnect(&world, page);
    assert_string_equal(world_command(&world, command),
                        "{'command':'invalidateUser','data':{'bound':['e1']}}");
    page = world_login(&world, &(struct login){.evaluations = {"e1"}});
    world_say(&world, "e1", NULL, "'phase':'GRADING'");
    assert_string_equal(world_command(&world, command),
                        "{'command':'invalidateUser','data':{'connections':1}}");
    assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_DENY);
}

static void test_binding_others_are_not_bound(void **state)
{
    struct invig_connection *pages[2];

    (void)state;
    (void)world_exam(&world);
    /* bob is no participant: newest login wins. */
    (void)world_login(&world, &(struct login){.user = "bob", .client_id = "bob:1"});
    (void)world_login(&world,
                      &(struct login){.user = "bob", .client_id = "bob:2", .session = "s2"});
    world_tick(&world);
    assert_int_equal(world_count(&world, "NOTIFY bob:1 SUPERSEDED bob s1"), 1);
    /* A professor may log in as often as he likes, participant or not. */
    world_say(&world, "e1", "prof", "'access':'ALLOWED'");
    for (int i = 0; i < 2; i++) {
        pages[i] = world_login(&world, &(struct login){.user = "prof",
                                                       .role = INVIG_ROLE_PROFESSOR,
                                                       .session = i == 0 ? "p1" : "p2",
                                                       .client_id = i == 0 ? "prof:1" : "prof:2"});
    }
    assert_int_equal(world_deliver(&world, pages[0], EVALUATION), INVIG_ALLOW);
    assert_int_equal(world_deliver(&world, pages[1], EVALUATION), INVIG_ALLOW);
    world_tick(&world);
    assert_no_incident();
}

static void test_binding_address_before_the_exam_does_not_matter(void **state)
{
    struct login login = {.evaluations = {"e1"}, .address = "198.51.100.1"};

    (void)state;
    /* At home in the evening, in the hall in the morning: nothing was copied. */
    world_disconnect(&world, world_login(&world, &login));
    world_say(&world, "e1", NULL, "'phase':'IN_PROGRESS'");
    login.address = "192.0.2.1";
    (void)world_login(&world, &login);
    world_tick(&world);
    assert_no_incident();
    login.address = "198.51.100.1";
    login.client_id = "anna:2";
    (void)world_login(&world, &login);
    world_tick(&world);
    assert_int_equal(
        world_count_incidents(&world, "e1", "SHARED_SESSION observed", "s1", "s1", "198.51.100.1"),
        1);
}

static void test_binding_two_addresses_when_it_begins(void **state)
{
    struct login login = {.evaluations = {"e1"}, .address = "192.0.2.1"};

    (void)state;
    (void)world_login(&world, &login);
    login.address = "198.51.100.1";
    login.client_id = "anna:2";
    (void)world_login(&world, &login);
    world_tick(&world);
    assert_no_incident();
    world_say(&world, "e1", NULL, "'phase':'IN_PROGRESS'");
    world_tick(&world);
    assert_int_equal(
        world_count_incidents(&world, "e1", "SHARED_SESSION observed", "s1", "s1", "198.51.100.1"),
        1);
}

/* One who turns up with the user's role of service, and so without a session, binds nothing and is
 * turned away by nothing. */
static void test_binding_service_of_the_same_user(void **state)
{
    (void)state;
    world_deinit(&world);
    world_init(&world, "single_session_roles", "student service", NULL);
    (void)world_exam(&world);
    assert_non_null(world_login(
        &world, &(struct login){.role = INVIG_ROLE_SERVICE, .session = "", .client_id = "anna:2"}));
    world_tick(&world);
    assert_no_incident();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_CASE(test_binding_two_logins_in_one_loop),
        WORLD_CASE(test_binding_second_login_while_the_first_is_offline),
        WORLD_CASE(test_binding_reconnect_of_the_bound_session),
        WORLD_CASE(test_binding_token_refresh_of_the_bound_session),
        WORLD_CASE(test_binding_older_second_login_is_no_incident),
        WORLD_CASE(test_binding_revoking_the_bound_session_ends_its_bindings),
        WORLD_CASE(test_binding_revoked_while_a_block_stands),
        WORLD_CASE(test_binding_shared_session_from_a_second_address),
        WORLD_CASE(test_binding_of_one_who_becomes_a_participant),
        WORLD_CASE(test_binding_unless_bound_holds),
        WORLD_CASE(test_binding_others_are_not_bound),
        WORLD_CASE(test_binding_address_before_the_exam_does_not_matter),
        WORLD_CASE(test_binding_two_addresses_when_it_begins),
        WORLD_CASE(test_binding_service_of_the_same_user),
    };
    return cmocka_run_group_tests_name("scenario binding", tests, NULL, NULL);
}
