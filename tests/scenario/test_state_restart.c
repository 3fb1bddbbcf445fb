/* SPDX-License-Identifier: Apache-2.0
 *
 * test_state_restart.c - the broker dies and comes back: what was true of sessions and strict
 * evaluations still is. What is published again is in test_state_republish.c.
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
    fakestore_init(&store, false);
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

static struct invig_connection *login_at(const char *session, int64_t login_s)
{
    char client_id[32];

    (void)snprintf(client_id, sizeof(client_id), "anna:%s", session);
    return world_login(&world, &(struct login){.session = session,
                                               .client_id = client_id,
                                               .login_s = login_s,
                                               .evaluations = {"e1", "e2"}});
}

static struct invig_connection *login(const char *session)
{
    return login_at(session, WORLD_START_S);
}

static void crash(void)
{
    world_crash(&world);
    world_clear(&world);
}

/* The session comes in and is told this, "" for nothing: then it has rights. */
static void assert_told_at(const char *session, int64_t login_s, const char *what)
{
    char begin[64];
    struct invig_connection *page;

    world_clear(&world);
    page = login_at(session, login_s);
    assert_non_null(page);
    assert_int_equal(world_deliver(&world, page, "users/anna"),
                     what[0] == '\0' ? INVIG_ALLOW : INVIG_DENY);
    world_tick(&world);
    (void)snprintf(begin, sizeof(begin), "NOTIFY anna:%s %s", session, what);
    if ((world_count_prefix(&world, begin) > 0) != (what[0] != '\0')) {
        fail_msg("%s is not told %s", session, what);
    }
    world_disconnect(&world, page);
    world_tick(&world);
}

static void assert_told(const char *session, const char *what)
{
    assert_told_at(session, WORLD_START_S, what);
}

static bool answers(const char *command, const char *text)
{
    return strstr(world_command(&world, command), text) != NULL;
}

#define USER "{'command':'getUser','userId':'anna'}"
#define EXAM "{'command':'getEvaluation','evaluationId':'e1'}"

static void start_exam(void)
{
    world_say(&world, "e1", NULL, "'phase':'IN_PROGRESS'");
    assert_non_null(login("s1"));
}

static void block(void)
{
    start_exam();
    assert_non_null(login("s2"));
    world_tick(&world);
    assert_true(answers(USER, "'reason':'SECOND_LOGIN'"));
}

static void test_restart_superseded(void **state)
{
    (void)state;
    (void)login("s1");
    (void)login("s2");
    crash();
    assert_told("s1", "SUPERSEDED anna s1");
    assert_told("s2", "");
}

static void test_restart_revoked(void **state)
{
    (void)state;
    (void)login("s1");
    world_invalidate_session(&world, "anna", "s1");
    world_invalidate_session(&world, "anna", "s5");
    crash();
    assert_int_equal(world_stats(&world).sessions_revoked_current, 2);
    assert_told("s1", "REVOKED anna s1");
    assert_told("s5", "REVOKED anna s5");
}

static void test_restart_revoked_before(void **state)
{
    (void)state;
    world_invalidate_user(&world, "anna", "s3", WORLD_START_S - 10);
    crash();
    assert_told_at("s4", WORLD_START_S - 11, "REVOKED anna s4");
    assert_told_at("s3", WORLD_START_S - 11, "");
    assert_told_at("s5", WORLD_START_S - 10, "");
}

static void test_restart_newest_login(void **state)
{
    (void)state;
    (void)login_at("s1", WORLD_START_S);
    world_invalidate_session(&world, "anna", "s1");
    crash();
    assert_told_at("s2", WORLD_START_S - 1, "SUPERSEDED anna s2");
    assert_told_at("s3", WORLD_START_S, "");
}

static void test_restart_current(void **state)
{
    (void)state;
    (void)login("s1");
    crash();
    assert_true(answers(USER, "'sessionId':'s1','current':true"));
    assert_non_null(login("s2"));
    assert_told("s1", "SUPERSEDED anna s1");
}

/* A session that was forgotten may still have its record, which says that it is the current one. */
static void test_restart_forgotten_session_does_not_come_back(void **state)
{
    (void)state;
    world_say(&world, "e1", "anna", "'access':'DENIED'"); /* so that the user stays known */
    world_disconnect(&world, login("old"));
    world_pass(&world,
               7 * 86400 + 1700); /* nobody needs to remember it, and the sweep is to come */
    assert_true(answers(USER, "'sessions':[]"));
    assert_non_null(login("new"));
    crash();
    assert_told("old", "SUPERSEDED anna old");
    assert_told("new", "");
}

static void test_restart_records_that_cannot_be(void **state)
{
    static const struct invig_session_record records[] = {
        {.serial = 1, .is_single = true, .is_current = true, .end = INVIG_END_REVOKED},
        {.serial = 1, .is_single = true, .is_current = true, .is_turned_away = true},
        {.serial = 1, .is_current = true},
        {.serial = UINT64_MAX},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
        const struct invig_text anna = invig_text_of("anna");
        struct invig_sessions sessions = {0};
        struct invig_timers timers = {0};
        struct invig_journal journal = {0};

        invig_sessions_init(&sessions, &world.policy, (struct invig_seed){{1, 2}}, &timers,
                            &journal);
        assert_int_equal(invig_timers_reserve(&timers, 1), INVIG_OK);
        assert_int_equal(
            invig_sessions_load(&sessions, anna, invig_text_of("s"), &records[i], WORLD_START_S),
            INVIG_ERR_FORMAT);
        invig_sessions_deinit(&sessions);
        invig_timers_deinit(&timers);
    }
}

/* The first login time counts, not the one of the token that comes later. */
static void test_restart_login_time(void **state)
{
    (void)state;
    (void)login_at("s1", WORLD_START_S - 100);
    crash();
    (void)login_at("s1", WORLD_START_S);
    assert_true(answers(USER, "'loginAt':'2027-01-15T07:58:20Z'"));
    assert_told_at("s2", WORLD_START_S - 50, "");
}

static void test_restart_turned_away_is_one_incident(void **state)
{
    (void)state;
    block();
    crash();
    assert_told("s2", "BLOCKED e1 anna");
    assert_int_equal(world_count_prefix(&world, "INCIDENT"), 0);
    assert_told("s3", "BLOCKED e1 anna");
    assert_int_equal(world_count_prefix(&world, "INCIDENT"), 1);
    /* An unblock that does not name it ends it. */
    crash();
    assert_true(answers("{'command':'unblock','userId':'anna','evaluationId':'e1'}", "'data':"));
    assert_told("s2", "SUPERSEDED anna s2");
}

static void test_restart_binding(void **state)
{
    (void)state;
    for (int bound_first = 0; bound_first < 2; bound_first++) {
        start_exam();
        crash();
        assert_true(answers(USER, "'bindings':[{'evaluationId':'e1','sessionId':'s1'}]"));
        if (bound_first) {
            assert_told("s1", "");
        }
        assert_told("s2", "BLOCKED e1 anna");
        assert_told("s1", "");
        (void)teardown(NULL);
        (void)setup(NULL);
    }
}

static void test_restart_released_by_null(void **state)
{
    (void)state;
    block();
    assert_true(answers(
        "{'command':'unblock','userId':'anna','evaluationId':'e1','sessionId':null}", "'data':"));
    crash();
    assert_told("s1", "");
    assert_true(answers(USER, "'bindings':[]"));
    assert_told("s3", "");
    assert_true(answers(USER, "'bindings':[{'evaluationId':'e1','sessionId':'s3'}]"));
    assert_told("s1", "SUPERSEDED anna s1");
}

/* Serials go on behind all that are known, that of a session which is forgotten included. */
static void test_restart_named(void **state)
{
    (void)state;
    block();
    assert_true(answers(
        "{'command':'unblock','userId':'anna','evaluationId':'e1','sessionId':'s2'}", "'data':"));
    crash();
    assert_told("s1", "SUPERSEDED anna s1");
    assert_told("s2", "");
    assert_told("s3", "BLOCKED e1 anna");
}

static void test_restart_block(void **state)
{
    struct invig_connection *page;

    (void)state;
    block();
    crash();
    assert_int_equal(world_stats(&world).users_blocked, 1);
    page = login("s1");
    assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_DENY);
    assert_int_equal(world_deliver(&world, page, EVALUATION "/users/anna"), INVIG_ALLOW);
    world_say(&world, "e1", "anna", "'access':'ALLOWED'");
    assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_DENY);
}

static void test_restart_unblocked(void **state)
{
    struct invig_connection *page;

    (void)state;
    block();
    assert_true(answers("{'command':'unblock','userId':'anna','evaluationId':'e1'}", "'data':"));
    crash();
    assert_int_equal(world_stats(&world).users_blocked, 0);
    page = login("s1");
    assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_ALLOW);
}

static void test_restart_denied(void **state)
{
    struct invig_connection *page;

    (void)state;
    start_exam();
    world_say(&world, "e1", "anna", "'access':'DENIED'");
    crash();
    page = login("s1");
    assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_DENY);
    assert_true(answers(USER, "'bindings':[]"));
}

static void test_restart_allowed(void **state)
{
    struct invig_connection *page;

    (void)state;
    world_say(&world, "e1", NULL, "'phase':'REGISTRATION'");
    world_say(&world, "e1", "anna", "'access':'ALLOWED'");
    crash();
    page = world_login(&world, &(struct login){.session = "s1"});
    assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_ALLOW);
}

static void test_restart_blocked_by_the_backend(void **state)
{
    (void)state;
    start_exam();
    world_say(&world, "e1", "anna", "'access':'BLOCKED'");
    world_pass(&world, 10);
    crash();
    assert_true(answers(USER, "'blocks':[{'evaluationId':'e1','reason':'BACKEND','since':"
                              "'2027-01-15T08:00:00Z'}]"));
}

static void test_restart_finished(void **state)
{
    (void)state;
    start_exam();
    world_say(&world, "e1", "anna", "'status':'FINISHED'");
    crash();
    assert_told("s2", "");
    assert_true(answers(USER, "'bindings':[]"));
    world_say(&world, "e1", "anna", "'status':null");
    assert_told("s2", "");
    assert_true(answers(USER, "'sessionId':'s2'}]"));
}

static void test_restart_versions(void **state)
{
    (void)state;
    world_say(&world, "e1", NULL, "'phase':'NEW','version':7");
    world_say(&world, "e1", "anna", "'version':9");
    crash();
    assert_int_equal(world_offer(&world, "e1", NULL, "'phase':'NEW','version':6"), INVIG_DENY);
    assert_int_equal(world_offer(&world, "e1", "anna", "'version':8"), INVIG_DENY);
    world_say(&world, "e1", NULL, "'phase':'NEW','version':7");
    world_say(&world, "e1", "anna", "'version':9");
    world_say(&world, "e1", NULL, "'phase':'NEW'");
    assert_true(answers(EXAM, "'version':7"));
}

static void test_restart_strict_off_and_end(void **state)
{
    (void)state;
    world_say(&world, "e1", NULL,
              "'phase':'IN_PROGRESS','strict':false,'endAt':'2027-02-01T12:00:00Z'");
    crash();
    assert_true(answers(EXAM, "'phase':'IN_PROGRESS','strict':false,"
                              "'endAt':'2027-02-01T12:00:00Z','version':null"));
    assert_told("s1", "");
    assert_told("s2", "");
    world_say(&world, "e1", NULL, "'phase':'IN_PROGRESS'");
    assert_true(answers(EXAM, "'strict':false"));
}

/* Those whose token named it are listed while they are away. */
static void test_restart_participants(void **state)
{
    (void)state;
    start_exam();
    crash();
    assert_true(answers(EXAM, "'participants':[{'userId':'anna','access':'ALLOWED',"
                              "'online':false,'bound':true}]"));
}

static void test_restart_phase_unknown(void **state)
{
    (void)state;
    block();
    world_restart_with(&world, "phases", "NEW EXAM", "strict_phases", "EXAM", "presence_phases",
                       "EXAM", NULL);
    assert_true(world_has_logged(&world, "phase_unknown evaluation=e1 phase=IN_PROGRESS"));
    assert_int_equal(world_stats(&world).evaluations_strict, 0);
    assert_told("s1", "");
    assert_true(answers(USER, "'bindings':[],'blocks':[]"));
    world_say(&world, "e1", NULL, "'phase':'EXAM'");
    assert_int_equal(world_stats(&world).evaluations_strict, 1);
}

static void test_restart_strict_phases_changed(void **state)
{
    (void)state;
    block();
    world_clear(&world);
    world_restart_with(&world, "strict_phases", "GRADING", NULL);
    assert_true(answers(USER, "'bindings':[],'blocks':[]"));
    world_tick(&world);
    assert_int_equal(world_count_prefix(&world, "RETAIN evaluations/e1/users/anna "), 1);
    assert_non_null(strstr(world_last(&world, "RETAIN evaluations/e1/users/anna"),
                           "'access':'ALLOWED','by':'invigilator'"));
    /* And stays lifted when the option is as it was. */
    world_restart_with(&world, NULL);
    assert_true(answers(USER, "'blocks':[]"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STATE_CASE(test_restart_superseded),
        STATE_CASE(test_restart_revoked),
        STATE_CASE(test_restart_revoked_before),
        STATE_CASE(test_restart_newest_login),
        STATE_CASE(test_restart_current),
        STATE_CASE(test_restart_login_time),
        STATE_CASE(test_restart_forgotten_session_does_not_come_back),
        STATE_CASE(test_restart_records_that_cannot_be),
        STATE_CASE(test_restart_turned_away_is_one_incident),
        STATE_CASE(test_restart_binding),
        STATE_CASE(test_restart_released_by_null),
        STATE_CASE(test_restart_named),
        STATE_CASE(test_restart_block),
        STATE_CASE(test_restart_unblocked),
        STATE_CASE(test_restart_denied),
        STATE_CASE(test_restart_allowed),
        STATE_CASE(test_restart_blocked_by_the_backend),
        STATE_CASE(test_restart_finished),
        STATE_CASE(test_restart_versions),
        STATE_CASE(test_restart_strict_off_and_end),
        STATE_CASE(test_restart_participants),
        STATE_CASE(test_restart_phase_unknown),
        STATE_CASE(test_restart_strict_phases_changed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
