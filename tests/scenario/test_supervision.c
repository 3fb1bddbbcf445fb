/* SPDX-License-Identifier: Apache-2.0
 *
 * test_supervision.c - stories of professors: what they see of what they supervise, and that who
 * takes part does not supervise.
 */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SUBSCRIBE_ALL "evaluations/e1/#"

static struct world world;

static struct invig_connection *login_professor(void)
{
    return world_login(&world, &(struct login){.user = "prof",
                                               .role = INVIG_ROLE_PROFESSOR,
                                               .session = "p1",
                                               .client_id = "prof:1",
                                               .evaluations = {"e1"}});
}

static void assert_delivered(const struct invig_connection *page, const char *topic, bool expected)
{
    if ((world_deliver(&world, page, topic) == INVIG_ALLOW) != expected) {
        fail_msg("%s", topic);
    }
}

/* `page` sees of e1 what a supervisor sees; a participant; or only its own topic. */
enum standing { NOTHING, PARTICIPANT, SUPERVISOR };

static void assert_sees(const struct invig_connection *page, enum standing standing)
{
    bool is_supervisor = standing == SUPERVISOR;

    assert_delivered(page, "evaluations/e1", standing != NOTHING);
    assert_delivered(page, "evaluations/e1/users/prof", true);
    assert_delivered(page, "evaluations/e1/users/anna", is_supervisor);
    assert_delivered(page, "evaluations/e1/presence/anna", is_supervisor);
    assert_delivered(page, "evaluations/e1/incidents", is_supervisor);
    assert_int_equal(world_subscribe(&world, page, SUBSCRIBE_ALL),
                     is_supervisor ? INVIG_ALLOW : INVIG_DENY);
    assert_int_equal(world_subscribe(&world, page, "evaluations/e1/users/+"),
                     is_supervisor ? INVIG_ALLOW : INVIG_DENY);
    assert_int_equal(world_subscribe(&world, page, "evaluations/e1/presence/+"),
                     is_supervisor ? INVIG_ALLOW : INVIG_DENY);
    assert_int_equal(world_subscribe(&world, page, "evaluations/e1/incidents"),
                     is_supervisor ? INVIG_ALLOW : INVIG_DENY);
    assert_int_equal(world_subscribe(&world, page, "evaluations/e1"),
                     standing != NOTHING ? INVIG_ALLOW : INVIG_DENY);
}

static void test_supervision_by_token(void **state)
{
    struct invig_connection *page = login_professor();

    (void)state;
    assert_sees(page, SUPERVISOR);
    assert_delivered(page, "evaluations/e2", false);
    assert_delivered(page, "evaluations/e2/incidents", false);
    assert_int_equal(world_subscribe(&world, page, "evaluations/+"), INVIG_DENY);
    assert_int_equal(world_subscribe(&world, page, "evaluations/e2/#"), INVIG_DENY);
    assert_int_equal(world_publish(&world, page, "evaluations/e1"), INVIG_DENY);
    assert_int_equal(world_publish(&world, page, "evaluations/e1/users/anna"), INVIG_DENY);
}

static void test_supervision_ends_where_participation_begins(void **state)
{
    struct invig_connection *page = login_professor();

    (void)state;
    world_say(&world, "e1", NULL, "'phase':'IN_PROGRESS'");
    world_say(&world, "e1", "prof", "'access':'ALLOWED'");
    assert_sees(page, PARTICIPANT);
    world_say(&world, "e1", "prof", "'access':'BLOCKED'");
    assert_delivered(page, "evaluations/e1", false);
    assert_delivered(page, "evaluations/e1/incidents", false);
    world_say(&world, "e1", "prof", "'access':'DENIED'");
    assert_sees(page, NOTHING);
    assert_int_equal(world_message(&world, world_backend(&world), "evaluations/e1/users/prof", ""),
                     INVIG_ALLOW);
    assert_sees(page, SUPERVISOR);
}

static void test_supervision_is_no_participation(void **state)
{
    struct invig_connection *page;

    (void)state;
    world_deinit(&world);
    world_init(&world, "single_session_roles", "student professor", NULL);
    world_say(&world, "e1", NULL, "'phase':'IN_PROGRESS'");
    page = login_professor();
    /* He is not bound, so his next login wins, and he has no presence. */
    assert_non_null(world_login(&world, &(struct login){.user = "prof",
                                                        .role = INVIG_ROLE_PROFESSOR,
                                                        .session = "p2",
                                                        .client_id = "prof:2",
                                                        .evaluations = {"e1"}}));
    world_tick(&world);
    assert_int_equal(world_count(&world, "NOTIFY prof:1 SUPERSEDED prof p1"), 1);
    assert_int_equal(world.effect_count, 1);
    assert_delivered(page, "evaluations/e1/incidents", false);
}

static void test_supervision_sees_incidents_and_blocks(void **state)
{
    struct invig_connection *page = login_professor();

    (void)state;
    (void)world_exam(&world);
    (void)world_login_again(&world, "s2", "anna:2");
    assert_sees(page, SUPERVISOR);
    world_tick(&world);
    assert_int_equal(
        world_count_incidents(&world, "e1", "SECOND_LOGIN enforced", "s1", "s2", "192.0.2.2"), 1);
}

static void test_supervision_of_a_service_is_of_everything(void **state)
{
    static const char *const filters[] = {"evaluations/#", "evaluations/+/users/+",
                                          "evaluations/+/incidents", "users/+/sessions/+",
                                          "$SYS/broker/invigilator/#"};
    struct invig_connection *page = world_login(&world, &(struct login){.user = "svc",
                                                                        .role = INVIG_ROLE_SERVICE,
                                                                        .session = "",
                                                                        .client_id = "svc:1"});

    (void)state;
    for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
        assert_int_equal(world_subscribe(&world, page, filters[i]), INVIG_ALLOW);
    }
    assert_delivered(page, "evaluations/e1", true);
    assert_delivered(page, "evaluations/e1/incidents", true);
    assert_delivered(page, "evaluations/e1/users/anna", true);
    assert_int_equal(world_message(&world, page, "evaluations/e1/users/anna",
                                   "{'type':'EVALUATION_UPDATE','evaluationId':'e1',"
                                   "'userId':'anna','access':'ALLOWED'}"),
                     INVIG_ALLOW);
    assert_delivered(world_login(&world, &(struct login){0}), "evaluations/e1", true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_CASE(test_supervision_by_token),
        WORLD_CASE(test_supervision_ends_where_participation_begins),
        WORLD_CASE(test_supervision_is_no_participation),
        WORLD_CASE(test_supervision_sees_incidents_and_blocks),
        WORLD_CASE(test_supervision_of_a_service_is_of_everything),
    };
    return cmocka_run_group_tests_name("scenario supervision", tests, NULL, NULL);
}
