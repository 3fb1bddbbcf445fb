/* SPDX-License-Identifier: Apache-2.0
 *
 * test_update.c - stories of messages of the backend that are refused: they reach nobody, change
 * nothing, and only the publisher hears of it. What valid ones do is in test_participants.c,
 * test_strict.c and test_unblock.c.
 */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define EVALUATION "evaluations/e1"
#define MINE       "evaluations/e1/users/anna"
#define OF_E1      "'type':'EVALUATION_UPDATE','evaluationId':'e1'"
#define OF_ANNA    OF_E1 ",'userId':'anna'"

static struct world world;

/* All that can be asked of anna and e1, to see that nothing changed. */
static void write_state(char out[2 * WORLD_LINE_BYTES])
{
    struct invig_stats stats = world_stats(&world);
    int length = snprintf(
        out, WORLD_LINE_BYTES, "%llu %llu %llu %s\n", (unsigned long long)stats.evaluations_strict,
        (unsigned long long)stats.users_blocked, (unsigned long long)stats.connections_current,
        world_command(&world, "{'command':'getUser','userId':'anna'}"));

    (void)snprintf(out + length, WORLD_LINE_BYTES, "%s",
                   world_command(&world, "{'command':'getEvaluation','evaluationId':'e1'}"));
}

/* The payload is refused on the topic: nothing changes, and the publisher alone hears of it. */
static void assert_refused(const char *topic, const char *payload, bool is_retained)
{
    struct invig_connection *backend = world_backend(&world);
    uint64_t refused = world_stats(&world).publishes_refused;
    char before[2 * WORLD_LINE_BYTES];
    char after[2 * WORLD_LINE_BYTES];
    char notice[WORLD_LINE_BYTES];

    world_clear(&world);
    write_state(before);
    if ((is_retained ? world_message(&world, backend, topic, payload)
                     : world_message_once(&world, backend, topic, payload)) != INVIG_DENY) {
        fail_msg("passed: %s %s", topic, payload);
    }
    write_state(after);
    assert_string_equal(before, after);
    world_pass(&world, 1);
    (void)snprintf(notice, sizeof(notice), "NOTIFY backend PUBLISH_REFUSED %s ", topic);
    if (world.effect_count != 1 || world_count_prefix(&world, notice) != 1 ||
        strlen(world.effects[0]) <= strlen(notice)) {
        fail_msg("%s: %s", payload, world.effect_count == 0 ? "nothing" : world.effects[0]);
    }
    assert_int_equal(world_stats(&world).publishes_refused, refused + 1);
    assert_true(world_has_logged(&world, "invigilator: publish_refused "));
}

/* anna is bound and blocked, so that there is something to be changed. */
static void begin(void)
{
    (void)world_exam(&world);
    world_say(&world, "e1", NULL, "'phase':'IN_PROGRESS','version':5");
    world_say(&world, "e1", "anna", "'access':'ALLOWED','version':5");
    world_disconnect(&world, world_login_again(&world, "s2", "anna:2"));
    (void)world_login(&world, &(struct login){.user = "svc",
                                              .role = INVIG_ROLE_SERVICE,
                                              .session = "",
                                              .client_id = "svc:1"});
    (void)world_defer(&world, "other");
    world_tick(&world);
}

static void test_update_refused_on_either_topic(void **state)
{
    static const char *const payloads[] = {
        "x",        "null",   "[]",
        "7",        "{}",     "{'a':1",
        "{'a':1,}", "{\xff}", "{'type':'EVALUATION_UPDATE'}",
    };

    (void)state;
    begin();
    for (size_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++) {
        assert_refused(EVALUATION, payloads[i], true);
        assert_refused(MINE, payloads[i], true);
        assert_refused(EVALUATION, payloads[i], false);
        assert_refused(MINE, payloads[i], false);
    }
    assert_refused(EVALUATION, "", false);
    assert_refused(MINE, "", false);
}

static void test_update_refused_of_an_evaluation(void **state)
{
    static const char *const payloads[] = {
        "{" OF_E1 "}",
        "{" OF_E1 ",'phase':null}",
        "{" OF_E1 ",'phase':'NOON'}",
        "{" OF_E1 ",'phase':'grading'}",
        "{" OF_E1 ",'phase':['GRADING']}",
        "{'evaluationId':'e1','phase':'GRADING'}",
        "{'type':'PRESENCE','evaluationId':'e1','phase':'GRADING'}",
        "{'type':'EVALUATION_UPDATE','phase':'GRADING'}",
        "{'type':'EVALUATION_UPDATE','evaluationId':'e2','phase':'GRADING'}",
        "{'type':'EVALUATION_UPDATE','evaluationId':1,'phase':'GRADING'}",
        "{" OF_E1 ",'phase':'GRADING','phase':'GRADING'}",
        "{" OF_E1 ",'phase':'GRADING','x':{'y':1,'y':2}}",
        "{" OF_E1 ",'phase':'GRADING','strict':'false'}",
        "{" OF_E1 ",'phase':'GRADING','strict':null}",
        "{" OF_E1 ",'phase':'GRADING','strict':0}",
        "{" OF_E1 ",'phase':'GRADING','endAt':'tomorrow'}",
        "{" OF_E1 ",'phase':'GRADING','endAt':'2027-01-15T10:00:00+01:00'}",
        "{" OF_E1 ",'phase':'GRADING','endAt':1800000000}",
        "{" OF_E1 ",'phase':'GRADING','startAt':'2027-02-30T10:00:00Z'}",
        "{" OF_E1 ",'phase':'GRADING','version':'6'}",
        "{" OF_E1 ",'phase':'GRADING','version':6.0}",
        "{" OF_E1 ",'phase':'GRADING','version':-1}",
        "{" OF_E1 ",'phase':'GRADING','version':null}",
        "{" OF_E1 ",'phase':'GRADING','version':4}",
        "{" OF_E1 ",'phase':'GRADING','version':99999999999999999999}",
    };

    (void)state;
    begin();
    for (size_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++) {
        assert_refused(EVALUATION, payloads[i], true);
    }
    world_say(&world, "e1", NULL, "'phase':'GRADING','version':6,'startAt':null,'endAt':null");
}

static void test_update_refused_of_a_user(void **state)
{
    static const char *const payloads[] = {
        "{" OF_E1 ",'access':'ALLOWED','unblock':true}",
        "{" OF_E1 ",'userId':'bob','access':'ALLOWED','unblock':true}",
        "{" OF_E1 ",'userId':['anna'],'access':'ALLOWED','unblock':true}",
        "{'type':'EVALUATION_UPDATE','evaluationId':'e2','userId':'anna','access':'ALLOWED',"
        "'unblock':true}",
        "{'type':'update','evaluationId':'e1','userId':'anna','access':'DENIED'}",
        "{" OF_ANNA ",'access':'allowed','unblock':true}",
        "{" OF_ANNA ",'access':null,'unblock':true}",
        "{" OF_ANNA ",'access':true}",
        "{" OF_ANNA ",'access':'ALLOWED','unblock':false}",
        "{" OF_ANNA ",'access':'ALLOWED','unblock':null}",
        "{" OF_ANNA ",'access':'ALLOWED','unblock':1}",
        "{" OF_ANNA ",'access':'ALLOWED','unblock':'true'}",
        "{" OF_ANNA ",'access':'ALLOWED','sessionId':''}",
        "{" OF_ANNA ",'access':'ALLOWED','sessionId':7}",
        "{" OF_ANNA ",'access':'ALLOWED','sessionId':'s/1'}",
        "{" OF_ANNA ",'access':'ALLOWED','sessionId':'unknown'}",
        "{" OF_ANNA ",'status':'DONE','access':'DENIED'}",
        "{" OF_ANNA ",'status':7,'access':'DENIED'}",
        "{" OF_ANNA ",'access':'DENIED','endAt':'2027-01-15'}",
        "{" OF_ANNA ",'access':'DENIED','version':4}",
        "{" OF_ANNA ",'access':'DENIED','version':true}",
        "{" OF_ANNA ",'access':'DENIED','access':'ALLOWED'}",
    };

    (void)state;
    begin();
    for (size_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++) {
        assert_refused(MINE, payloads[i], true);
    }
    world_say(&world, "e1", "anna", "'access':'ALLOWED','version':5,'unblock':true,'endAt':null");
}

/* A message for e1 with a member that makes it `bytes` long. */
static char *make_message(size_t bytes)
{
    static const char start[] = "{" OF_E1 ",'phase':'GRADING','x':'";
    char *payload = malloc(bytes + 1);

    assert_non_null(payload);
    memset(payload, 'x', bytes);
    memcpy(payload, start, sizeof(start) - 1);
    memcpy(payload + bytes - 2, "'}", 3);
    return payload;
}

static void test_update_refused_where_it_is_too_large(void **state)
{
    char *payload = make_message(INVIG_UPDATE_BYTES_MAX + 1);

    (void)state;
    begin();
    assert_refused(EVALUATION, payload, true);
    free(payload);
    payload = make_message(INVIG_UPDATE_BYTES_MAX);
    assert_int_equal(world_message(&world, world_backend(&world), EVALUATION, payload),
                     INVIG_ALLOW);
    free(payload);
}

/* A block must be published, whatever the last message is. */
static void test_update_largest_is_copied(void **state)
{
    char members[INVIG_UPDATE_BYTES_MAX];
    const int fixed = (int)strlen("{" OF_ANNA ",'x':''}");

    (void)state;
    (void)world_exam(&world);
    (void)snprintf(members, sizeof(members), "'x':'%0*d'", INVIG_UPDATE_BYTES_MAX - fixed, 7);
    world_say(&world, "e1", "anna", members);
    (void)world_login_again(&world, "s2", "anna:2");
    world_tick(&world);
    assert_int_equal(world_count_prefix(&world, "RETAIN " MINE " {" OF_ANNA ",'x':'000"), 1);
    assert_non_null(strstr(world_last(&world, "RETAIN"), "7','access':'BLOCKED',"));
}

static void test_update_refused_is_told_to_the_publisher(void **state)
{
    struct invig_connection *service;

    (void)state;
    begin();
    service = world_login(&world, &(struct login){.user = "svc",
                                                  .role = INVIG_ROLE_SERVICE,
                                                  .session = "",
                                                  .client_id = "svc:2"});
    world_tick(&world);
    world_clear(&world);
    assert_int_equal(world_message(&world, service, MINE, "x"), INVIG_DENY);
    world_pass(&world, 1);
    assert_int_equal(world_count_prefix(&world, "NOTIFY svc:2 PUBLISH_REFUSED " MINE " "), 1);
    assert_int_equal(world.effect_count, 1);
    /* Where it has gone, nobody is told. */
    assert_int_equal(world_message(&world, service, MINE, "x"), INVIG_DENY);
    world_disconnect(&world, service);
    world_pass(&world, 1);
    assert_int_equal(world.effect_count, 1);
}

static void test_update_of_others_is_no_message(void **state)
{
    static const char payload[] = "{" OF_ANNA ",'access':'DENIED'}";
    struct invig_connection *page;
    char before[2 * WORLD_LINE_BYTES];
    char after[2 * WORLD_LINE_BYTES];

    (void)state;
    begin();
    page = world_login(&world, &(struct login){.client_id = "anna:8", .evaluations = {"e1"}});
    world_tick(&world);
    world_clear(&world);
    write_state(before);
    assert_int_equal(world_message(&world, page, MINE, payload), INVIG_DENY);
    assert_int_equal(world_message(&world, page, MINE, ""), INVIG_DENY);
    /* A publisher that is not known: a will that comes late, a client that was let in by others. */
    assert_int_equal(world_message(&world, NULL, MINE, payload), INVIG_DENY);
    assert_int_equal(world_message(&world, NULL, EVALUATION, ""), INVIG_DENY);
    write_state(after);
    assert_string_equal(before, after);
    world_pass(&world, 1);
    assert_int_equal(world_count_prefix(&world, "NOTIFY"), 0);
    assert_int_equal(world.effect_count, 0);
}

static void test_update_of_other_topics_is_not_read(void **state)
{
    static const char *const topics[] = {
        "users/anna",           "users/anna/sessions/s1",      "evaluations/e1/chat",
        "evaluations/e1/users", "evaluations/e1/users/anna/x", "chat",
    };

    (void)state;
    begin();
    for (size_t i = 0; i < sizeof(topics) / sizeof(topics[0]); i++) {
        assert_int_not_equal(world_message(&world, world_backend(&world), topics[i], "x"),
                             INVIG_DENY);
    }
}

static void test_update_tells_no_session_id_to_the_log(void **state)
{
    (void)state;
    world_say(&world, "e1", NULL, "'phase':'IN_PROGRESS'");
    (void)world_login(&world, &(struct login){.session = "secret-1", .evaluations = {"e1"}});
    (void)world_login_again(&world, "secret-2", "anna:2");
    (void)world_login_again(&world, "secret-3", "anna:1");
    (void)world_offer(&world, "e1", "anna", "'access':'ALLOWED','sessionId':'secret-9'");
    (void)world_offer(&world, "e1", "anna", "'access':'ALLOWED','sessionId':'secret-2','x':'y'");
    (void)world_login(&world, &(struct login){.session = "secret-2", .client_id = "anna:3"});
    (void)world_login(&world, &(struct login){.session = "secret-4", .client_id = "anna:4"});
    world_invalidate_session(&world, "anna", "secret-2");
    world_pass(&world, 3);
    assert_in_range(world.log_count, 8, WORLD_LOGS_MAX);
    assert_false(world_has_logged(&world, "secret"));
    assert_false(world_has_logged(&world, "'x'"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_CASE(test_update_refused_on_either_topic),
        WORLD_CASE(test_update_refused_of_an_evaluation),
        WORLD_CASE(test_update_refused_of_a_user),
        WORLD_CASE(test_update_refused_where_it_is_too_large),
        WORLD_CASE(test_update_largest_is_copied),
        WORLD_CASE(test_update_refused_is_told_to_the_publisher),
        WORLD_CASE(test_update_of_others_is_no_message),
        WORLD_CASE(test_update_of_other_topics_is_not_read),
        WORLD_CASE(test_update_tells_no_session_id_to_the_log),
    };
    return cmocka_run_group_tests_name("scenario update", tests, NULL, NULL);
}
