/* SPDX-License-Identifier: Apache-2.0
 *
 * test_cluster.c - sessions across brokers: what one broker decides counts on the others.
 */
#include "fakeshare.h"
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct fakeserver server;
static struct fakeshare share_a;
static struct fakeshare share_b;
static struct world a;
static struct world b;

static int cluster_setup(void **state)
{
    (void)state;
    fakeserver_init(&server);
    world_init(&a, NULL);
    world_init(&b, NULL);
    invig_engine_set_share(a.engine, fakeshare_join(&share_a, &server, "A"));
    invig_engine_set_share(b.engine, fakeshare_join(&share_b, &server, "B"));
    return 0;
}

static int cluster_teardown(void **state)
{
    (void)state;
    world_deinit(&a);
    world_deinit(&b);
    fakeserver_deinit(&server);
    return 0;
}

#define CLUSTER_CASE(name) cmocka_unit_test_setup_teardown(name, cluster_setup, cluster_teardown)

/* Ticks until nothing travels any more, and both have the same. */
static void cluster_settle(void)
{
    size_t before;

    for (int i = 0; i < 20; i++) {
        before = server.offers;
        world_tick(&a);
        world_tick(&b);
        if (before == server.offers && share_a.count == 0 && share_b.count == 0 && i > 2) {
            return;
        }
    }
    fail_msg("it goes to and fro for ever");
}

/* A user's open connections on both. */
static int64_t open_count(void)
{
    return (int64_t)(world_stats(&a).connections_current + world_stats(&b).connections_current);
}

static void both_say(const char *evaluation, const char *user, const char *members)
{
    world_say(&a, evaluation, user, members);
    world_say(&b, evaluation, user, members);
}

static const struct login s1 = {.session = "s1", .client_id = "anna:1", .evaluations = {"e1"}};
static const struct login s2 = {
    .session = "s2", .client_id = "anna:2", .address = "192.0.2.2", .evaluations = {"e1"}};

/* -- Sessions -- */

static void test_cluster_second_login_elsewhere_ends_the_first(void **state)
{
    struct invig_connection *first = world_login(&a, &s1);

    (void)state;
    cluster_settle();
    assert_non_null(world_login(&b, &s2));
    cluster_settle();
    assert_int_equal(world_count(&a, "NOTIFY anna:1 SUPERSEDED anna s1"), 1);
    assert_int_equal(world_deliver(&a, first, "users/anna"), INVIG_DENY);
    world_pass(&a, 2);
    assert_int_equal(world_count(&a, "KICK anna:1"), 1);
    assert_int_equal(world_count_prefix(&b, "NOTIFY"), 0);
    assert_int_equal(open_count(), 1);
}

static void test_cluster_superseded_session_is_told_elsewhere_too(void **state)
{
    (void)state;
    (void)world_login(&a, &s1);
    cluster_settle();
    (void)world_login(&b, &s2);
    cluster_settle();
    (void)world_login(&b, &(struct login){.session = "s1", .client_id = "anna:3"});
    cluster_settle();
    assert_int_equal(world_count(&b, "NOTIFY anna:3 SUPERSEDED anna s1"), 1);
}

static void test_cluster_older_login_elsewhere_is_superseded(void **state)
{
    (void)state;
    (void)world_login(&a, &s1);
    cluster_settle();
    (void)world_login(
        &b, &(struct login){.session = "s0", .client_id = "anna:0", .login_s = WORLD_START_S - 10});
    cluster_settle();
    assert_int_equal(world_count(&b, "NOTIFY anna:0 SUPERSEDED anna s0"), 1);
    assert_int_equal(world_count_prefix(&a, "NOTIFY"), 0);
}

static void test_cluster_same_session_lives_on_both(void **state)
{
    (void)state;
    (void)world_login(&a, &s1);
    cluster_settle();
    (void)world_login(&b, &(struct login){.session = "s1", .client_id = "anna:2"});
    cluster_settle();
    assert_int_equal(open_count(), 2);
    assert_int_equal(world_count_prefix(&a, "NOTIFY") + world_count_prefix(&b, "NOTIFY"), 0);
}

static void test_cluster_logins_at_the_same_instant_leave_one(void **state)
{
    (void)state;
    (void)world_login(&a, &s1);
    (void)world_login(&b, &s2);
    assert_int_equal(open_count(), 2);
    cluster_settle();
    assert_int_equal(open_count(), 1);
    assert_int_equal(server.refusals, 1);
    assert_int_equal(world_count(&a, "NOTIFY anna:1 SUPERSEDED anna s1") +
                         world_count(&b, "NOTIFY anna:2 SUPERSEDED anna s2"),
                     1);
}

static void test_cluster_newer_login_wins_the_same_instant(void **state)
{
    struct login newer = s1;

    (void)state;
    newer.login_s = WORLD_START_S + 5;
    (void)world_login(&b, &s2);
    (void)world_login(&a, &newer);
    cluster_settle();
    assert_int_equal(world_count(&b, "NOTIFY anna:2 SUPERSEDED anna s2"), 1);
    assert_int_equal(world_count_prefix(&a, "NOTIFY"), 0);
}

/* Whoever is second at the server has to decide, and it may be the one that stays. */
static void test_cluster_newer_login_wins_also_as_the_second(void **state)
{
    struct login newer = s2;

    (void)state;
    newer.login_s = WORLD_START_S + 5;
    (void)world_login(&a, &s1);
    (void)world_login(&b, &newer);
    cluster_settle();
    assert_int_equal(world_count(&a, "NOTIFY anna:1 SUPERSEDED anna s1"), 1);
    assert_int_equal(world_count_prefix(&b, "NOTIFY"), 0);
}

/* -- Commands -- */

static void test_cluster_revoked_session_ends_on_all(void **state)
{
    (void)state;
    (void)world_login(&a, &s1);
    cluster_settle();
    world_invalidate_session(&b, "anna", "s1");
    cluster_settle();
    assert_int_equal(world_count(&a, "NOTIFY anna:1 REVOKED anna s1"), 1);
    assert_true(world_has_logged(&a, "revoked user=anna"));
}

static void test_cluster_revoked_user_ends_on_all(void **state)
{
    (void)state;
    (void)world_login(&a, &s1);
    cluster_settle();
    world_invalidate_user(&b, "anna", NULL, WORLD_START_S + 20);
    cluster_settle();
    assert_int_equal(world_count(&a, "NOTIFY anna:1 REVOKED anna s1"), 1);
    (void)world_login(&a, &s2); /* unseen, from before */
    cluster_settle();
    assert_int_equal(world_count(&a, "NOTIFY anna:2 REVOKED anna s2"), 1);
}

static void test_cluster_login_while_it_is_revoked_is_revoked(void **state)
{
    (void)state;
    (void)world_login(&b, &(struct login){.session = "s0", .client_id = "anna:0"});
    cluster_settle();
    (void)world_login(&a, &s1);
    world_invalidate_user(&b, "anna", NULL, WORLD_START_S + 20);
    cluster_settle();
    assert_int_equal(open_count(), 0);
    assert_int_equal(world_count(&a, "NOTIFY anna:1 REVOKED anna s1"), 1);
}

/* The command is first at the server. */
static void test_cluster_login_that_comes_after_the_command_is_revoked(void **state)
{
    (void)state;
    (void)world_login(&a, &(struct login){.session = "s0", .client_id = "anna:0"});
    cluster_settle();
    (void)world_login(&b, &s2);
    world_invalidate_user(&a, "anna", NULL, WORLD_START_S + 20);
    cluster_settle();
    assert_int_equal(world_count(&b, "NOTIFY anna:2 REVOKED anna s2"), 1);
    assert_int_equal(open_count(), 0);
}

/* Superseded here, revoked there: it cannot be named again. */
static void test_cluster_revoked_wins_over_superseded(void **state)
{
    (void)state;
    (void)world_login(&a, &s1);
    cluster_settle();
    (void)world_login(&b, &s2);
    world_invalidate_session(&a, "anna", "s1");
    cluster_settle();
    (void)world_login(&b, &(struct login){.session = "s1", .client_id = "anna:8"});
    cluster_settle();
    assert_int_equal(world_count(&b, "NOTIFY anna:8 REVOKED anna s1"), 1);
    assert_int_equal(open_count(), 1);
}

/* What one broker forgets, since it need not be kept, the others do not tell it again. */
static void test_cluster_forgets_together(void **state)
{
    (void)state;
    (void)world_login(&a, &s1);
    world_invalidate_session(&a, "anna", "s0");
    cluster_settle();
    assert_non_null(strstr(fakeserver_text(&server, "anna"), "\nS\ts0\t"));
    world_pass(&a, 9 * 86400);
    (void)world_login(&a, &(struct login){.session = "s1", .client_id = "anna:9"});
    cluster_settle();
    assert_null(strstr(fakeserver_text(&server, "anna"), "\nS\ts0\t"));
}

/* -- Strict evaluations -- */

static void test_cluster_second_login_elsewhere_is_blocked(void **state)
{
    struct invig_connection *bound;

    (void)state;
    both_say("e1", NULL, "'phase':'IN_PROGRESS'");
    bound = world_login(&a, &s1);
    cluster_settle();
    (void)world_login(&b, &s2);
    cluster_settle();
    assert_int_equal(world_count(&b, "NOTIFY anna:2 BLOCKED e1 anna"), 1);
    assert_int_equal(
        world_count_incidents(&b, "e1", "SECOND_LOGIN enforced", "s1", "s2", "192.0.2.2"), 1);
    assert_int_equal(world_count_prefix(&a, "INCIDENT"), 0);
    assert_int_equal(world_count_prefix(&a, "NOTIFY"), 0);
    assert_int_equal(world_deliver(&a, bound, "evaluations/e1"), INVIG_DENY);
    assert_int_equal(world_deliver(&a, bound, "users/anna"), INVIG_ALLOW);
    assert_int_equal(world_count_prefix(&a, "RETAIN evaluations/e1/users/anna"), 1);
    assert_int_equal(world_count_prefix(&b, "RETAIN evaluations/e1/users/anna"), 1);
}

static void test_cluster_unblock_on_the_other_broker(void **state)
{
    struct invig_connection *bound;

    (void)state;
    both_say("e1", NULL, "'phase':'IN_PROGRESS'");
    bound = world_login(&a, &s1);
    cluster_settle();
    (void)world_login(&b, &s2);
    cluster_settle();
    (void)world_command(&b, "{'command':'unblock','userId':'anna','evaluationId':'e1'}");
    cluster_settle();
    assert_int_equal(world_deliver(&a, bound, "evaluations/e1"), INVIG_ALLOW);
    assert_int_equal(world_stats(&a).users_blocked, 0);
    (void)world_login(&b, &(struct login){.session = "s2", .client_id = "anna:4"});
    cluster_settle();
    assert_int_equal(world_count(&b, "NOTIFY anna:4 SUPERSEDED anna s2"), 1);
}

static void test_cluster_named_session_is_let_in_elsewhere(void **state)
{
    (void)state;
    both_say("e1", NULL, "'phase':'IN_PROGRESS'");
    (void)world_login(&a, &s1);
    cluster_settle();
    (void)world_login(&b, &s2);
    cluster_settle();
    (void)world_command(
        &a, "{'command':'unblock','userId':'anna','evaluationId':'e1','sessionId':'s2'}");
    cluster_settle();
    assert_int_equal(world_count(&a, "NOTIFY anna:1 SUPERSEDED anna s1"), 1);
    assert_non_null(world_login(
        &b, &(struct login){.session = "s2", .client_id = "anna:5", .evaluations = {"e1"}}));
    cluster_settle();
    assert_int_equal(world_count_prefix(&b, "NOTIFY anna:5"), 0);
    assert_int_equal(open_count(), 1);
}

static void test_cluster_two_first_logins_bind_one(void **state)
{
    (void)state;
    both_say("e1", NULL, "'phase':'IN_PROGRESS'");
    (void)world_login(&a, &s1);
    (void)world_login(&b, &s2);
    cluster_settle();
    assert_int_equal(open_count(), 1);
    assert_int_equal(world_count(&b, "NOTIFY anna:2 BLOCKED e1 anna"), 1); /* the other was first */
    assert_int_equal(world_count_prefix(&a, "INCIDENT e1 anna SECOND_LOGIN") +
                         world_count_prefix(&b, "INCIDENT e1 anna SECOND_LOGIN"),
                     1);
    assert_int_equal(world_stats(&a).users_blocked, 1);
    assert_int_equal(world_stats(&b).users_blocked, 1);
}

/* The other broker has something to say of the user in the same instant. */
static void test_cluster_block_stays_beside_other_news(void **state)
{
    (void)state;
    both_say("e1", NULL, "'phase':'IN_PROGRESS'");
    (void)world_login(&a, &s1);
    cluster_settle();
    (void)world_login(&a, &(struct login){.client_id = "anna:3", .evaluations = {"e1"}});
    (void)world_login(&b, &s2);
    cluster_settle();
    assert_true(server.refusals > 0);
    assert_int_equal(world_stats(&a).users_blocked, 1);
    (void)world_login(&a, &(struct login){.session = "s2", .client_id = "anna:4"});
    cluster_settle();
    assert_int_equal(world_count(&a, "NOTIFY anna:4 BLOCKED e1 anna"), 1);
    assert_int_equal(world_count_prefix(&a, "INCIDENT") + world_count_prefix(&b, "INCIDENT"), 1);
}

static void test_cluster_binding_that_ends_here_ends_there(void **state)
{
    (void)state;
    both_say("e1", NULL, "'phase':'IN_PROGRESS'");
    (void)world_login(&a, &s1);
    cluster_settle();
    world_say(&a, "e1", "anna", "'status':'FINISHED'"); /* it is still on the bridge */
    cluster_settle();
    (void)world_login(&b, &s2);
    cluster_settle();
    assert_int_equal(world_count(&a, "NOTIFY anna:1 SUPERSEDED anna s1"), 1);
}

static void test_cluster_end_of_the_exam_ends_bindings_on_all(void **state)
{
    (void)state;
    both_say("e1", NULL, "'phase':'IN_PROGRESS'");
    (void)world_login(&a, &s1);
    cluster_settle();
    both_say("e1", NULL, "'phase':'GRADING'");
    cluster_settle();
    (void)world_login(&b, &s2);
    cluster_settle();
    assert_int_equal(world_count(&a, "NOTIFY anna:1 SUPERSEDED anna s1"), 1);
}

/* -- Bridges -- */

static void test_cluster_copy_of_another_broker_is_left_out(void **state)
{
    static const char copy[] =
        "{'type':'EVALUATION_UPDATE','evaluationId':'e1','userId':'anna','access':'BLOCKED',"
        "'reason':'SECOND_LOGIN','at':'2027-01-15T08:00:00Z','by':'invigilator'}";

    (void)state;
    both_say("e1", NULL, "'phase':'IN_PROGRESS'");
    assert_int_equal(world_message(&b, world_backend(&b), "evaluations/e1/users/anna", copy),
                     INVIG_DENY);
    cluster_settle();
    assert_int_equal(world_stats(&b).users_blocked, 0);
    assert_int_equal(world_count_prefix(&b, "NOTIFY"), 0); /* nobody is told that it was refused */
    assert_int_equal(world_stats(&b).publishes_refused, 0);
}

static void test_cluster_takes_what_its_own_bridge_brings(void **state)
{
    static const char message[] = "{\"type\":\"EVALUATION_UPDATE\",\"evaluationId\":\"e1\","
                                  "\"phase\":\"IN_PROGRESS\"}";

    (void)state; /* the broker does not ask whether a bridge may publish */
    assert_int_equal(invig_backend_message(b.engine, b.now, NULL, invig_text_of("evaluations/e1"),
                                           invig_text_of(message), true),
                     INVIG_ALLOW);
    assert_int_equal(world_stats(&b).evaluations_strict, 1);
}

/* -- The server is away -- */

static void test_cluster_outage_is_said_once_and_logins_go_on(void **state)
{
    (void)state;
    cluster_settle();
    fakeshare_cut(&share_a);
    cluster_settle();
    cluster_settle();
    assert_int_equal(a.log_count, 1); /* that it was there; why it is not, the share says */
    assert_int_equal(world_stats(&a).state_available, 0);
    assert_int_equal(world_stats(&b).state_available, 1);
    assert_non_null(world_login(&a, &s1));
    assert_true(world_has_logged(&a, "shared=no"));
    assert_int_equal(open_count(), 1);
    fakeshare_mend(&share_a);
    cluster_settle();
    assert_true(world_has_logged(&a, "share_available"));
    assert_int_equal(open_count(), 1);
    assert_non_null(fakeserver_text(&server, "anna"));
}

static void test_cluster_outage_is_settled_with_one_session(void **state)
{
    (void)state;
    (void)world_login(&a, &(struct login){.session = "s0", .client_id = "anna:0"});
    cluster_settle();
    fakeshare_cut(&share_a);
    fakeshare_cut(&share_b);
    (void)world_login(&a, &s1);
    (void)world_login(&b, &s2);
    cluster_settle();
    assert_int_equal(open_count(), 2);
    fakeshare_mend(&share_a);
    fakeshare_mend(&share_b);
    cluster_settle();
    assert_int_equal(open_count(), 1);
}

static void test_cluster_bound_session_survives_an_outage(void **state)
{
    struct login newer = s2;

    (void)state;
    newer.login_s = WORLD_START_S + 60;
    both_say("e2", NULL, "'phase':'REGISTRATION'");
    world_say(&a, "e1", NULL, "'phase':'IN_PROGRESS'");
    fakeshare_cut(&share_a);
    fakeshare_cut(&share_b);
    cluster_settle();
    (void)world_login(&a, &s1);    /* bound: this broker knows that the exam runs */
    (void)world_login(&b, &newer); /* not bound: this one does not yet */
    fakeshare_mend(&share_b);
    cluster_settle();
    fakeshare_mend(&share_a);
    cluster_settle();
    assert_int_equal(world_stats(&a).connections_current, 1);
    assert_int_equal(world_stats(&b).connections_current, 0);
}

/* A login from before that of the bound session is no second login, here as there. */
static void test_cluster_older_login_of_an_outage_is_superseded(void **state)
{
    struct login older = s2;

    (void)state;
    older.login_s = WORLD_START_S - 60;
    both_say("e1", NULL, "'phase':'IN_PROGRESS'");
    fakeshare_cut(&share_b);
    (void)world_login(&a, &s1);
    (void)world_login(&b, &older);
    cluster_settle();
    fakeshare_mend(&share_b);
    cluster_settle();
    assert_int_equal(world_count(&b, "NOTIFY anna:2 SUPERSEDED anna s2"), 1);
    assert_int_equal(world_stats(&a).users_blocked, 0);
}

/* The server has lost everything: the brokers tell it what they know. */
static void test_cluster_empty_server_is_filled_again(void **state)
{
    (void)state;
    (void)world_login(&a, &s1);
    cluster_settle();
    world_invalidate_session(&a, "anna", "s9");
    cluster_settle();
    fakeshare_cut(&share_a);
    fakeshare_cut(&share_b);
    fakeserver_forget(&server);
    fakeshare_mend(&share_a);
    fakeshare_mend(&share_b);
    cluster_settle();
    assert_non_null(fakeserver_text(&server, "anna"));
    assert_non_null(strstr(fakeserver_text(&server, "anna"), "\nS\ts9\t"));
    assert_int_equal(open_count(), 1);
}

/* -- A broker starts again -- */

static void restart(struct world *world, struct fakeshare *share, const char *name)
{
    fakeshare_leave(share);
    world_deinit(world);
    world_init(world, NULL);
    invig_engine_set_share(world->engine, fakeshare_join(share, &server, name));
}

static void test_cluster_broker_that_starts_again_knows_all(void **state)
{
    (void)state;
    both_say("e1", NULL, "'phase':'IN_PROGRESS','version':3,'endAt':'2027-01-15T10:00:00Z'");
    both_say("e1", "anna", "'access':'ALLOWED','room':'A'");
    (void)world_login(&a, &s1);
    cluster_settle();
    restart(&b, &share_b, "B2");
    cluster_settle();
    assert_int_equal(world_count_prefix(&b, "RETAIN evaluations/e1 "), 1);
    assert_non_null(strstr(world_last(&b, "RETAIN evaluations/e1/users/anna"), "'room':'A'"));
    (void)world_login(&b, &s2);
    cluster_settle();
    assert_int_equal(world_count(&b, "NOTIFY anna:2 BLOCKED e1 anna"), 1);
    assert_int_equal(world_offer(&b, "e1", NULL, "'phase':'GRADING','version':2"), INVIG_DENY);
}

static void test_cluster_that_starts_again_as_a_whole_knows_all(void **state)
{
    (void)state;
    both_say("e1", NULL, "'phase':'IN_PROGRESS'");
    (void)world_login(&a, &s1);
    cluster_settle();
    (void)world_login(&b, &s2);
    cluster_settle();
    restart(&a, &share_a, "A2");
    restart(&b, &share_b, "B2");
    cluster_settle();
    assert_int_equal(world_stats(&a).users_blocked, 1);
    (void)world_login(&b, &(struct login){.session = "s2", .client_id = "anna:6"});
    (void)world_login(&b, &(struct login){.session = "s1", .client_id = "anna:7"});
    cluster_settle();
    assert_int_equal(world_count(&b, "NOTIFY anna:6 BLOCKED e1 anna"), 1);
    assert_int_equal(world_count_prefix(&b, "NOTIFY anna:7"), 0);
    assert_int_equal(world_count_prefix(&b, "INCIDENT"), 0);
}

/* While a broker runs, the bridge brings messages, and only that: else pages got them twice. */
static void test_cluster_kept_message_counts_at_the_start_alone(void **state)
{
    (void)state;
    cluster_settle();
    world_say(&a, "e1", NULL, "'phase':'IN_PROGRESS'");
    cluster_settle();
    assert_int_equal(world_stats(&b).evaluations_strict, 0);
    assert_int_equal(world_count_prefix(&b, "RETAIN"), 0);
}

static void test_cluster_forgotten_evaluation_stays_forgotten(void **state)
{
    (void)state;
    both_say("e1", NULL, "'phase':'IN_PROGRESS'");
    both_say("e1", "anna", "'access':'ALLOWED'");
    (void)world_login(&a, &s1);
    cluster_settle();
    assert_int_equal(world_message(&a, world_backend(&a), "evaluations/e1", ""), INVIG_ALLOW);
    cluster_settle();
    assert_int_equal(world_message(&b, world_backend(&b), "evaluations/e1", ""), INVIG_ALLOW);
    cluster_settle();
    restart(&b, &share_b, "B2");
    cluster_settle();
    assert_int_equal(world_count_prefix(&b, "RETAIN"), 0);
    assert_int_equal(world_stats(&b).evaluations_strict, 0);
    assert_null(strstr(fakeserver_text(&server, "anna"), "e1"));
}

/* -- What is none of ours -- */

/* A text of a newer version, say: it is neither taken nor written over. */
static void test_cluster_malformed_text_is_left_alone(void **state)
{
    static const char newer[] = "2\nX\n";

    (void)state;
    (void)world_login(&a, &s1);
    cluster_settle();
    fakeserver_put(&server, "anna", newer);
    cluster_settle();
    assert_true(world_has_logged(&a, "share_malformed"));
    (void)world_login(&a, &(struct login){.client_id = "anna:2", .evaluations = {"e2"}});
    cluster_settle();
    assert_string_equal(fakeserver_text(&server, "anna"), newer);
    assert_int_equal(open_count(), 2);
}

/* So many evaluations that the server would not take what there is to say of the user. */
static void test_cluster_user_that_is_too_large_holds_up_nobody(void **state)
{
    enum { EVALUATIONS = 2000, ID_BYTES = 120 };
    char id[ID_BYTES + 1];

    (void)state;
    for (int i = 0; i < EVALUATIONS; i++) {
        (void)snprintf(id, sizeof(id), "%0*d", ID_BYTES, i);
        world_say(&a, id, "ben", "'access':'ALLOWED'");
        if (i % 50 == 0) {
            world_tick(&a);
            world_tick(&b);
            world_clear(&a);
        }
    }
    (void)world_login(&a, &s1);
    cluster_settle();
    assert_true(world_has_logged(&a, "share_too_large user=ben"));
    assert_non_null(strstr(fakeserver_text(&server, "anna"), "\nS\ts1\t"));
}

static void test_cluster_malformed_topics_are_left_out(void **state)
{
    static const char *const texts[] = {
        "",
        "1",
        "2\tIN_PROGRESS\t\t\t\n{}",
        "1\tNOON\t\t\t\n{}",
        "1\tIN_PROGRESS\t\tx\t\n{}",
        "1\tIN_PROGRESS\t\t99999999999999999999\t\n{}",
        "1\tIN_PROGRESS\t\t\t2027-01-15T10:00:00.000000000000000000000000Z\n{}",
        "1\tIN_PROGRESS\t\t\t{}",
    };

    (void)state;
    cluster_settle();
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        fakeserver_put_topic(&server, "e1", texts[i]);
        fakeshare_cut(&share_b);
        fakeshare_mend(&share_b);
        cluster_settle();
        if (world_stats(&b).evaluations_strict != 0 || world_count_prefix(&b, "RETAIN") != 0) {
            fail_msg("it was taken: %s", texts[i]);
        }
    }
}

/* What has a higher version than what is known counts also here: the bridge was down. */
static void test_cluster_kept_message_of_a_higher_version_counts(void **state)
{
    (void)state;
    world_say(&b, "e1", NULL, "'phase':'REGISTRATION','version':1");
    fakeshare_cut(&share_b);
    world_say(&a, "e1", NULL, "'phase':'IN_PROGRESS','version':2");
    cluster_settle();
    fakeshare_mend(&share_b);
    cluster_settle();
    assert_int_equal(world_stats(&b).evaluations_strict, 1);
    assert_int_equal(world_count_prefix(&b, "RETAIN evaluations/e1 "), 1);
}

static void test_cluster_version_of_a_user_counts_on_all(void **state)
{
    (void)state;
    both_say("e1", NULL, "'phase':'IN_PROGRESS'");
    world_say(&a, "e1", "anna", "'access':'ALLOWED','version':5");
    cluster_settle();
    assert_int_equal(world_offer(&b, "e1", "anna", "'access':'DENIED','version':4"), INVIG_DENY);
}

/* -- Presence -- */

static void test_cluster_presence_counts_all_brokers(void **state)
{
    (void)state;
    both_say("e1", NULL, "'phase':'IN_PROGRESS'");
    (void)world_login(&a, &s1);
    cluster_settle();
    assert_int_equal(world_count(&b, "PRESENCE e1 anna online 1 CONNECTED"), 1);
    (void)world_login(
        &b, &(struct login){.session = "s1", .client_id = "anna:2", .evaluations = {"e1"}});
    cluster_settle();
    assert_string_equal(world_last(&a, "PRESENCE e1 anna"), "PRESENCE e1 anna online 2 CONNECTED");
    assert_string_equal(world_last(&b, "PRESENCE e1 anna"), "PRESENCE e1 anna online 2 CONNECTED");
}

static void test_cluster_presence_forgets_a_broker_that_is_gone(void **state)
{
    (void)state;
    both_say("e1", NULL, "'phase':'IN_PROGRESS'");
    (void)world_login(&a, &s1);
    cluster_settle();
    fakeshare_leave(&share_a);
    fakeshare_cut(&share_a);
    cluster_settle();
    assert_string_equal(world_last(&b, "PRESENCE e1 anna"), "PRESENCE e1 anna offline 0 UNKNOWN");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLUSTER_CASE(test_cluster_second_login_elsewhere_ends_the_first),
        CLUSTER_CASE(test_cluster_superseded_session_is_told_elsewhere_too),
        CLUSTER_CASE(test_cluster_older_login_elsewhere_is_superseded),
        CLUSTER_CASE(test_cluster_same_session_lives_on_both),
        CLUSTER_CASE(test_cluster_logins_at_the_same_instant_leave_one),
        CLUSTER_CASE(test_cluster_newer_login_wins_the_same_instant),
        CLUSTER_CASE(test_cluster_newer_login_wins_also_as_the_second),
        CLUSTER_CASE(test_cluster_login_that_comes_after_the_command_is_revoked),
        CLUSTER_CASE(test_cluster_revoked_wins_over_superseded),
        CLUSTER_CASE(test_cluster_forgets_together),
        CLUSTER_CASE(test_cluster_block_stays_beside_other_news),
        CLUSTER_CASE(test_cluster_binding_that_ends_here_ends_there),
        CLUSTER_CASE(test_cluster_older_login_of_an_outage_is_superseded),
        CLUSTER_CASE(test_cluster_kept_message_counts_at_the_start_alone),
        CLUSTER_CASE(test_cluster_revoked_session_ends_on_all),
        CLUSTER_CASE(test_cluster_revoked_user_ends_on_all),
        CLUSTER_CASE(test_cluster_login_while_it_is_revoked_is_revoked),
        CLUSTER_CASE(test_cluster_second_login_elsewhere_is_blocked),
        CLUSTER_CASE(test_cluster_unblock_on_the_other_broker),
        CLUSTER_CASE(test_cluster_named_session_is_let_in_elsewhere),
        CLUSTER_CASE(test_cluster_two_first_logins_bind_one),
        CLUSTER_CASE(test_cluster_end_of_the_exam_ends_bindings_on_all),
        CLUSTER_CASE(test_cluster_copy_of_another_broker_is_left_out),
        CLUSTER_CASE(test_cluster_takes_what_its_own_bridge_brings),
        CLUSTER_CASE(test_cluster_outage_is_said_once_and_logins_go_on),
        CLUSTER_CASE(test_cluster_outage_is_settled_with_one_session),
        CLUSTER_CASE(test_cluster_bound_session_survives_an_outage),
        CLUSTER_CASE(test_cluster_empty_server_is_filled_again),
        CLUSTER_CASE(test_cluster_broker_that_starts_again_knows_all),
        CLUSTER_CASE(test_cluster_that_starts_again_as_a_whole_knows_all),
        CLUSTER_CASE(test_cluster_forgotten_evaluation_stays_forgotten),
        CLUSTER_CASE(test_cluster_malformed_text_is_left_alone),
        CLUSTER_CASE(test_cluster_user_that_is_too_large_holds_up_nobody),
        CLUSTER_CASE(test_cluster_malformed_topics_are_left_out),
        CLUSTER_CASE(test_cluster_kept_message_of_a_higher_version_counts),
        CLUSTER_CASE(test_cluster_version_of_a_user_counts_on_all),
        CLUSTER_CASE(test_cluster_presence_counts_all_brokers),
        CLUSTER_CASE(test_cluster_presence_forgets_a_broker_that_is_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
