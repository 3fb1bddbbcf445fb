/* SPDX-License-Identifier: Apache-2.0
 *
 * test_state.c - what cannot be recorded does not happen: the event is refused, everything is as
 * before it, and when the store works again the same event succeeds.
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
static struct invig_connection *page; /* anna's, of session s1, bound in e1 */

/* All that can be asked; to be freed. */
static char *look(void)
{
    static const char *const commands[] = {
        "{'command':'getUser','userId':'anna'}",
        "{'command':'getUser','userId':'ben'}",
        "{'command':'getEvaluation','evaluationId':'e1'}",
        "{'command':'getEvaluation','evaluationId':'e2'}",
        "{'command':'getEvaluation','evaluationId':'e3'}",
    };
    struct invig_stats stats = world_stats(&world);
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    assert_non_null(out);
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        (void)fprintf(out, "%s\n", world_command(&world, commands[i]));
    }
    stats.auth_refused = 0;
    stats.publishes_refused = 0;
    memset(stats.refused, 0, sizeof(stats.refused));
    for (size_t i = 0; i < sizeof(stats); i++) {
        (void)fprintf(out, "%02x", ((const unsigned char *)&stats)[i]);
    }
    (void)fprintf(out, "\npage %d %d %d\n", world_deliver(&world, page, "users/anna"),
                  world_deliver(&world, page, EVALUATION),
                  world_deliver(&world, page, "evaluations/e2"));
    assert_int_equal(fclose(out), 0);
    return text;
}

/* -- Events: each returns whether it was taken -- */

static bool login(const char *user, const char *session, const char *client_id, int64_t login_s)
{
    bool is_in = world_login(&world, &(struct login){.user = user,
                                                     .session = session,
                                                     .client_id = client_id,
                                                     .login_s = login_s,
                                                     .address = "192.0.2.2",
                                                     .evaluations = {"e1", "e2"}}) != NULL;

    if (!is_in && world.refusal.reason != INVIG_REASON_SECOND_LOGIN) {
        assert_int_equal(world.refusal.reason, INVIG_REASON_STATE_FAILED);
        assert_true(world_has_logged(&world, "reason=state_failed"));
    }
    return is_in;
}

static bool first_login(void)
{
    return login("ben", "s7", "ben:1", WORLD_START_S);
}

static bool second_login(void)
{
    return login("anna", "s2", "anna:2", WORLD_START_S);
}

static bool second_login_under_the_same_id(void)
{
    (void)login("anna", "s2", "anna:1", WORLD_START_S);
    return world.refusal.reason == INVIG_REASON_SECOND_LOGIN;
}

static bool third_login_under_the_same_id(void)
{
    (void)login("anna", "s3", "anna:1", WORLD_START_S);
    return world.refusal.reason == INVIG_REASON_SECOND_LOGIN;
}

static bool older_login(void)
{
    return login("anna", "s0", "anna:0", WORLD_START_S - 60);
}

static bool command(const char *text)
{
    const char *answer = world_command(&world, text);
    bool is_done = strstr(answer, "'data':") != NULL;

    if (!is_done) {
        assert_non_null(strstr(answer, "'error':'it could not be recorded'"));
    }
    return is_done;
}

static bool revocation(void)
{
    return command("{'command':'invalidateSession','userId':'anna','sessionId':'s1'}");
}

static bool revocation_of_an_unknown_session(void)
{
    return command("{'command':'invalidateSession','userId':'ben','sessionId':'s8'}");
}

static bool revocation_of_the_user(void)
{
    return command("{'command':'invalidateUser','userId':'anna'}");
}

#define UNBLOCK "{'command':'unblock','userId':'anna','evaluationId':'e1'"

static bool unblock(void)
{
    return command(UNBLOCK "}");
}

static bool unblock_with_null(void)
{
    return command(UNBLOCK ",'sessionId':null}");
}

static bool unblock_with_the_other(void)
{
    return command(UNBLOCK ",'sessionId':'s2'}");
}

static bool say(const char *evaluation, const char *user, const char *members)
{
    return world_offer(&world, evaluation, user, members) == INVIG_ALLOW;
}

static bool unblock_by_message(void)
{
    return say("e1", "anna", "'access':'ALLOWED','unblock':true");
}

static bool unblock_by_message_with_the_other(void)
{
    return say("e1", "anna", "'access':'ALLOWED','sessionId':'s2'");
}

static bool denial(void)
{
    return say("e1", "anna", "'access':'DENIED'");
}

static bool block_of_the_backend(void)
{
    return say("e1", "anna", "'access':'BLOCKED','version':4");
}

static bool finish(void)
{
    return say("e1", "anna", "'status':'FINISHED'");
}

static bool message_to_a_new_user(void)
{
    return say("e1", "ben", "'access':'ALLOWED'");
}

static bool phase_that_is_not_strict(void)
{
    return say("e1", NULL, "'phase':'GRADING','endAt':'2027-02-01T12:00:00Z','version':7");
}

static bool phase_that_binds(void)
{
    return say("e2", NULL, "'phase':'IN_PROGRESS'");
}

static bool message_about_a_new_evaluation(void)
{
    return say("e3", NULL, "'phase':'NEW'");
}

static bool publish_nothing(const char *topic)
{
    return world_message(&world, world_backend(&world), topic, "") == INVIG_ALLOW;
}

static bool forgetting_the_evaluation(void)
{
    return publish_nothing(EVALUATION);
}

static bool forgetting_the_user(void)
{
    return publish_nothing("evaluations/e1/users/anna");
}

/* -- Each of them, at each fault -- */

/* How the world is before the event. */
enum stage { BOUND, BLOCKED, NOT_STRICT, SAID };

struct refused {
    const char *name;
    enum stage stage;
    bool (*event)(void);
};

static const struct refused events[] = {
    {"first login", BOUND, first_login},
    {"second login", BOUND, second_login},
    {"second login under the same id", BOUND, second_login_under_the_same_id},
    {"third login while blocked under the same id", BLOCKED, third_login_under_the_same_id},
    {"newer login", NOT_STRICT, second_login},
    {"older login", NOT_STRICT, older_login},
    {"revocation", BOUND, revocation},
    {"revocation while blocked", BLOCKED, revocation},
    {"revocation of an unknown session", BOUND, revocation_of_an_unknown_session},
    {"revocation of the user", BLOCKED, revocation_of_the_user},
    {"unblock", BLOCKED, unblock},
    {"unblock with null", BLOCKED, unblock_with_null},
    {"unblock with the other", BLOCKED, unblock_with_the_other},
    {"unblock by message", BLOCKED, unblock_by_message},
    {"unblock by message with the other", BLOCKED, unblock_by_message_with_the_other},
    {"denial", BLOCKED, denial},
    {"block of the backend", BOUND, block_of_the_backend},
    {"finish", BOUND, finish},
    {"message to a new user", BOUND, message_to_a_new_user},
    {"phase that is not strict", BLOCKED, phase_that_is_not_strict},
    {"phase that binds", BOUND, phase_that_binds},
    {"phase that binds who was not", NOT_STRICT, phase_that_binds},
    {"message about a new evaluation", BOUND, message_about_a_new_evaluation},
    {"forgetting the evaluation", BLOCKED, forgetting_the_evaluation},
    {"forgetting the user", SAID, forgetting_the_user},
};

struct fault {
    enum fakestore_fault fault;
    enum fakestore_call call;
};

static const struct fault faults[] = {
    {FAKESTORE_FAILS_ONCE, FAKESTORE_BEGIN},
    {FAKESTORE_FAILS_ONCE, FAKESTORE_PUT},
    {FAKESTORE_FAILS_ONCE, FAKESTORE_COMMIT},
    {FAKESTORE_FAILS, FAKESTORE_ANY},
};

static void begin(enum stage stage)
{
    fakestore_init(&store, false);
    world_init_with(&world, &store, NULL);
    page = world_exam(&world);
    if (stage == BLOCKED) {
        assert_non_null(world_login_again(&world, "s2", "anna:2"));
        if (world_deliver(&world, page, EVALUATION) != INVIG_DENY) {
            fail();
        }
    } else if (stage == NOT_STRICT) {
        world_say(&world, "e1", NULL, "'phase':'REGISTRATION'");
    } else if (stage == SAID) {
        world_say(&world, "e1", "anna", "'access':'BLOCKED','version':3");
    }
    world_pass(&world, 3);
    world_clear(&world);
}

static void end(void)
{
    world_deinit(&world);
    fakestore_deinit(&store);
}

static void check_refused(const struct refused *refused, const struct fault *fault)
{
    char *before = look();
    char *dump = fakestore_dump(&store);
    char *after;

    fakestore_arm(&store, fault->fault, fault->call, 1);
    if (refused->event()) {
        fail_msg("%s is taken", refused->name);
    }
    after = look();
    if (strcmp(before, after) != 0) {
        fail_msg("%s:\n%s\ninstead of\n%s", refused->name, after, before);
    }
    fakestore_check(&store, dump);
    assert_true(world_has_logged(&world, "invigilator: state_failed "));
    world_tick(&world);
    if (world.effect_count != world_count_prefix(&world, "NOTIFY backend PUBLISH_REFUSED")) {
        fail_msg("%s: %s", refused->name, world.effects[0]);
    }
    free(after);
    free(dump);
    free(before);
}

static void check_taken(const struct refused *refused)
{
    char *before = look();
    char *after;

    fakestore_mend(&store);
    if (!refused->event()) {
        fail_msg("%s is refused", refused->name);
    }
    after = look();
    if (strcmp(before, after) == 0 && refused->event != older_login &&
        refused->event != revocation_of_an_unknown_session) {
        fail_msg("%s changes nothing", refused->name);
    }
    free(after);
    free(before);
}

static void test_state_refuses_what_is_not_recorded(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        for (size_t j = 0; j < sizeof(faults) / sizeof(faults[0]); j++) {
            begin(events[i].stage);
            check_refused(&events[i], &faults[j]);
            check_taken(&events[i]);
            end();
        }
    }
}

/* Whoever publishes learns of it. */
static void test_state_tells_the_publisher(void **state)
{
    (void)state;
    begin(BOUND);
    fakestore_fill(&store);
    assert_int_equal(world_offer(&world, "e1", NULL, "'phase':'GRADING'"), INVIG_DENY);
    world_tick(&world);
    assert_int_equal(
        world_count(&world,
                    "NOTIFY backend PUBLISH_REFUSED evaluations/e1 it could not be recorded"),
        1);
    end();
}

/* -- What changes no record needs no store -- */

static struct invig_connection *come_back(const char *client_id, const char *address)
{
    return world_login(
        &world,
        &(struct login){.client_id = client_id, .address = address, .evaluations = {"e1", "e2"}});
}

static void test_state_lets_the_bound_session_in_with_a_full_disk(void **state)
{
    (void)state;
    begin(BOUND);
    fakestore_fill(&store);
    world_disconnect(&world, page);
    for (int i = 0; i < 5; i++) {
        /* It is kept longer each time, which waits. */
        world_pass(&world, i == 3 ? 4000 : 2);
        page = come_back("anna:1", "192.0.2.1");
        assert_non_null(page);
        assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_ALLOW);
        world_disconnect(&world, page);
    }
    end();
}

static void test_state_lets_a_shared_session_in_with_a_full_disk(void **state)
{
    (void)state;
    begin(BOUND);
    fakestore_fill(&store);
    for (int i = 0; i < 3; i++) {
        struct invig_connection *other = come_back("anna:2", "192.0.2.9");

        assert_non_null(other);
        world_tick(&world);
        assert_int_equal(world_count_prefix(&world, "INCIDENT e1 anna SHARED_SESSION"), 1);
        world_disconnect(&world, other);
        world_pass(&world, 2);
    }
    /* What was reported is recorded when that is possible, and not reported again. */
    fakestore_mend(&store);
    world_pass(&world, 2);
    world_crash(&world);
    world_clear(&world);
    assert_non_null(come_back("anna:1", "192.0.2.1"));
    assert_non_null(come_back("anna:2", "192.0.2.9"));
    world_tick(&world);
    assert_int_equal(world_count_prefix(&world, "INCIDENT"), 0);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_state_refuses_what_is_not_recorded),
        cmocka_unit_test(test_state_tells_the_publisher),
        cmocka_unit_test(test_state_lets_the_bound_session_in_with_a_full_disk),
        cmocka_unit_test(test_state_lets_a_shared_session_in_with_a_full_disk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
