/* SPDX-License-Identifier: Apache-2.0
 *
 * test_engine.c - CONNECTs and messages that meet a fault: the engine refuses and is as it was, or
 * lets in and has done all of it.
 */
#include "fault_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* -- What goes before -- */

static const struct login anna_1 = {.evaluations = {"e1", "e2"}};
static const struct login anna_2 = {.session = "s2",
                                    .client_id = "anna:2",
                                    .address = "192.0.2.2",
                                    .login_s = WORLD_START_S + 1,
                                    .evaluations = {"e1", "e2"}};

static void prepare_page(struct fault_world *fault)
{
    fault_login(fault, 0, &anna_1);
}

static void prepare_superseded(struct fault_world *fault)
{
    fault_login(fault, 0, &anna_1);
    fault_login(fault, 1, &anna_2);
    world_tick(&fault->world);
    world_pass(&fault->world, 3);
    world_disconnect(&fault->world, fault->pages[0]);
    fault->pages[0] = NULL;
}

/* s1 is bound in e1. */
static void prepare_exam(struct fault_world *fault)
{
    world_say(&fault->world, "e1", NULL, "'phase':'IN_PROGRESS','endAt':'2027-01-15T10:00:00Z'");
    world_say(&fault->world, "e1", "anna", "'access':'ALLOWED','version':3,'room':'A'");
    fault_login(fault, 0, &anna_1);
}

/* And s2 was turned away. */
static void prepare_blocked(struct fault_world *fault)
{
    prepare_exam(fault);
    fault_login(fault, 1, &anna_2);
}

static void prepare_unbound(struct fault_world *fault)
{
    prepare_blocked(fault);
    world_tick(&fault->world);
    world_say(&fault->world, "e1", "anna", "'access':'ALLOWED','sessionId':null");
}

static void prepare_registration(struct fault_world *fault)
{
    world_say(&fault->world, "e1", NULL, "'phase':'REGISTRATION'");
    fault_login(fault, 0, &anna_1);
}

static void prepare_professor(struct fault_world *fault)
{
    prepare_exam(fault);
    fault_login(fault, 2,
                &(struct login){.user = "prof",
                                .session = "p1",
                                .client_id = "prof:1",
                                .role = INVIG_ROLE_PROFESSOR,
                                .evaluations = {"e1", "e3"}});
}

/* -- CONNECTs -- */

static void login_1(struct fault_world *fault)
{
    fault_login(fault, 0, &anna_1);
}

static void login_2(struct fault_world *fault)
{
    fault_login(fault, 1, &anna_2);
}

static void login_plain(struct fault_world *fault)
{
    fault_login(fault, 0, &(struct login){.session = "s1", .has_auth_time = true});
}

static void login_1_again(struct fault_world *fault)
{
    fault_login(fault, 2,
                &(struct login){
                    .client_id = "anna:3", .address = "192.0.2.3", .evaluations = {"e1", "e2"}});
}

static void login_takeover(struct fault_world *fault)
{
    fault_login(fault, 2, &anna_1);
}

static void login_2_on_bound_id(struct fault_world *fault)
{
    fault_login(fault, 1,
                &(struct login){.session = "s2", .client_id = "anna:1", .evaluations = {"e1"}});
}

static void login_2_again(struct fault_world *fault)
{
    fault_login(fault, 2,
                &(struct login){.session = "s2",
                                .client_id = "anna:3",
                                .address = "192.0.2.3",
                                .login_s = WORLD_START_S + 1,
                                .evaluations = {"e1", "e2"}});
}

static void login_old(struct fault_world *fault)
{
    fault_login(fault, 2,
                &(struct login){.session = "s0",
                                .client_id = "anna:0",
                                .has_auth_time = true,
                                .login_s = WORLD_START_S - 500});
}

static void login_durable(struct fault_world *fault)
{
    fault_login(fault, 0, &(struct login){.version = 5, .is_durable = true});
}

static void login_refused(struct fault_world *fault)
{
    fault_login(fault, 0, &(struct login){.client_id = "ben:1"});
}

static void login_professor(struct fault_world *fault)
{
    fault_login(fault, 2,
                &(struct login){.user = "prof",
                                .session = "p1",
                                .client_id = "prof:1",
                                .role = INVIG_ROLE_PROFESSOR,
                                .evaluations = {"e1", "e3"}});
}

static void login_service(struct fault_world *fault)
{
    fault_login(
        fault, 3,
        &(struct login){
            .user = "svc", .session = "", .client_id = "svc:1", .role = INVIG_ROLE_SERVICE});
}

static void defer_other(struct fault_world *fault)
{
    fault_defer(fault, 3, "bridge");
}

static void defer_takeover(struct fault_world *fault)
{
    fault_defer(fault, 3, "admin");
}

static void defer_refused(struct fault_world *fault)
{
    fault_defer(fault, 3, "anna:1");
}

static const struct fault_event connects[] = {
    {.name = "first login", .act = login_1},
    {.name = "first login without evaluations", .act = login_plain},
    {.name = "login of an evaluation with presence",
     .prepare = prepare_registration,
     .act = login_2},
    {.name = "second login", .prepare = prepare_page, .act = login_2},
    {.name = "second connection", .prepare = prepare_page, .act = login_1_again},
    {.name = "connection that takes over", .prepare = prepare_page, .act = login_takeover},
    {.name = "login that binds", .prepare = prepare_unbound, .act = login_2},
    {.name = "second login while bound", .prepare = prepare_exam, .act = login_2},
    {.name = "second login under the bound id",
     .prepare = prepare_exam,
     .act = login_2_on_bound_id},
    {.name = "turned away again", .prepare = prepare_blocked, .act = login_2_again},
    {.name = "shared session",
     .prepare = prepare_exam,
     .act = login_1_again,
     .may_defer_incident = true},
    {.name = "old login while bound", .prepare = prepare_exam, .act = login_old},
    {.name = "superseded session comes back", .prepare = prepare_superseded, .act = login_1_again},
    {.name = "old login", .prepare = prepare_page, .act = login_old},
    {.name = "second login observed",
     .option = "strict_policy",
     .value = "observe",
     .prepare = prepare_exam,
     .act = login_2},
    {.name = "second login where nothing is strict",
     .option = "strict_policy",
     .value = "off",
     .prepare = prepare_exam,
     .act = login_2},
    {.name = "durable session", .act = login_durable},
    {.name = "login that is refused", .act = login_refused},
    {.name = "login of a professor", .prepare = prepare_exam, .act = login_professor},
    {.name = "login of a service", .act = login_service},
    {.name = "no token", .act = defer_other},
    {.name = "no token, takes over", .act = defer_takeover},
    {.name = "no token, refused", .prepare = prepare_page, .act = defer_refused},
};

/* -- Messages -- */

static void say_new(struct fault_world *fault)
{
    fault_offer(fault, "e3", NULL, "'phase':'NEW','version':1,'startAt':'2027-01-15T08:00:00Z'");
}

static void say_progress(struct fault_world *fault)
{
    fault_offer(fault, "e1", NULL, "'phase':'IN_PROGRESS','version':2");
}

static void say_grading(struct fault_world *fault)
{
    fault_offer(fault, "e1", NULL, "'phase':'GRADING'");
}

static void say_lenient(struct fault_world *fault)
{
    fault_offer(fault, "e1", NULL, "'phase':'IN_PROGRESS','strict':false");
}

static void say_ben_allowed(struct fault_world *fault)
{
    fault_offer(fault, "e3", "ben", "'access':'ALLOWED','version':1");
}

static void say_allowed(struct fault_world *fault)
{
    fault_offer(fault, "e1", "anna", "'access':'ALLOWED','version':9");
}

static void say_denied(struct fault_world *fault)
{
    fault_offer(fault, "e1", "anna", "'access':'DENIED'");
}

static void say_blocked(struct fault_world *fault)
{
    fault_offer(fault, "e1", "anna", "'access':'BLOCKED'");
}

static void say_unblock(struct fault_world *fault)
{
    fault_offer(fault, "e1", "anna", "'access':'ALLOWED','unblock':true");
}

static void say_unblock_2(struct fault_world *fault)
{
    fault_offer(fault, "e1", "anna", "'access':'ALLOWED','sessionId':'s2'");
}

static void say_unblock_unseen(struct fault_world *fault)
{
    fault_offer(fault, "e1", "anna", "'access':'ALLOWED','sessionId':'s7'");
}

static void say_unbind(struct fault_world *fault)
{
    fault_offer(fault, "e1", "anna", "'access':'ALLOWED','sessionId':null");
}

static void say_finished(struct fault_world *fault)
{
    fault_offer(fault, "e1", "anna", "'status':'FINISHED'");
}

static void say_once(struct fault_world *fault)
{
    (void)world_message_once(&fault->world, world_backend(&fault->world), "evaluations/e1/users/x",
                             "");
    fault_offer(fault, "e1", "anna", "'access':'DENIED','version':1");
}

static void say_nothing_of_anna(struct fault_world *fault)
{
    fault_message(fault, "evaluations/e1/users/anna", "");
}

static void say_nothing(struct fault_world *fault)
{
    fault_message(fault, "evaluations/e1", "");
}

static void say_nonsense(struct fault_world *fault)
{
    fault_message(fault, "evaluations/e1", "{'type':'EVALUATION_UPDATE'}");
}

static const struct fault_event messages[] = {
    {.name = "new evaluation", .act = say_new},
    {.name = "an exam begins", .prepare = prepare_registration, .act = say_progress},
    {.name = "an exam ends", .prepare = prepare_blocked, .act = say_grading},
    {.name = "an exam is strict no longer", .prepare = prepare_blocked, .act = say_lenient},
    {.name = "an exam with a professor ends", .prepare = prepare_professor, .act = say_grading},
    {.name = "a new member", .prepare = prepare_exam, .act = say_ben_allowed},
    {.name = "allowed", .prepare = prepare_exam, .act = say_allowed},
    {.name = "allowed, stays blocked", .prepare = prepare_blocked, .act = say_allowed},
    {.name = "denied", .prepare = prepare_blocked, .act = say_denied},
    {.name = "blocked", .prepare = prepare_exam, .act = say_blocked},
    {.name = "unblocked", .prepare = prepare_blocked, .act = say_unblock},
    {.name = "unblocked for the second login", .prepare = prepare_blocked, .act = say_unblock_2},
    {.name = "unblocked for nobody known", .prepare = prepare_blocked, .act = say_unblock_unseen},
    {.name = "unbound", .prepare = prepare_blocked, .act = say_unbind},
    {.name = "finished", .prepare = prepare_exam, .act = say_finished},
    {.name = "an old version", .prepare = prepare_exam, .act = say_once},
    {.name = "a member's message goes", .prepare = prepare_exam, .act = say_nothing_of_anna},
    {.name = "a blocked member's message goes",
     .prepare = prepare_blocked,
     .act = say_nothing_of_anna},
    {.name = "an evaluation goes", .prepare = prepare_blocked, .act = say_nothing},
    {.name = "no update", .act = say_nonsense},
};

static void test_connects_meet_faults(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(connects); i++) {
        fault_event_check(&connects[i], false);
        fault_event_check(&connects[i], true);
    }
}

static void test_messages_meet_faults(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(messages); i++) {
        fault_event_check(&messages[i], false);
        fault_event_check(&messages[i], true);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_connects_meet_faults),
        cmocka_unit_test(test_messages_meet_faults),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    fault_write_sites(FAULT_SITES);
    return failed;
}
