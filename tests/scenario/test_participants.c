/* SPDX-License-Identifier: Apache-2.0
 *
 * test_participants.c - stories of who may follow an evaluation: by token, by what the backend
 * says, and what is sent when that changes.
 */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define EVALUATION "evaluations/e1"
#define MINE       "evaluations/e1/users/anna"
#define SENT                                                                                       \
    " evaluations/e1 {'type':'EVALUATION_UPDATE','evaluationId':'e1','phase':'COMPOSITION'}"

static struct world world;

/* What `page` may do with the evaluation. */
static void assert_follows(struct invig_connection *page, bool expected)
{
    enum invig_verdict verdict = expected ? INVIG_ALLOW : INVIG_DENY;

    assert_int_equal(world_deliver(&world, page, EVALUATION), verdict);
    assert_int_equal(world_subscribe(&world, page, EVALUATION), verdict);
    /* Its own topic in it is there in any case. */
    assert_int_equal(world_deliver(&world, page, MINE), INVIG_ALLOW);
    assert_int_equal(world_subscribe(&world, page, MINE), INVIG_ALLOW);
}

static struct invig_connection *login_with_claim(void)
{
    return world_login(&world, &(struct login){.evaluations = {"e1"}});
}

static void test_participants_by_token(void **state)
{
    struct invig_connection *page = login_with_claim();
    struct invig_connection *other =
        world_login(&world, &(struct login){.user = "bob", .client_id = "bob:1"});

    (void)state;
    /* Also of an evaluation that nothing was said of yet. */
    assert_follows(page, true);
    assert_int_equal(world_deliver(&world, other, EVALUATION), INVIG_DENY);
    assert_int_equal(world_subscribe(&world, other, EVALUATION), INVIG_DENY);
    assert_int_equal(world_deliver(&world, page, "evaluations/e2"), INVIG_DENY);
    assert_int_equal(world_deliver(&world, page, "evaluations/e1/users/bob"), INVIG_DENY);
    world_say(&world, "e1", NULL, "'phase':'COMPOSITION'");
    world_say(&world, "e1", "anna", "'access':'ALLOWED'");
    assert_follows(page, true);
    world_pass(&world, 2);
    assert_int_equal(world.effect_count, 0); /* no access began */
}

static void test_participants_by_allowed(void **state)
{
    struct invig_connection *pages[2];

    (void)state;
    world_say(&world, "e1", NULL, "'phase':'COMPOSITION'");
    pages[0] = world_login(&world, &(struct login){0});
    pages[1] = world_login(&world, &(struct login){.client_id = "anna:2"});
    assert_follows(pages[0], false);
    world_say(&world, "e1", "anna", "'access':'ALLOWED'");
    assert_follows(pages[0], true);
    assert_follows(pages[1], true);
    world_pass(&world, 2);
    assert_int_equal(world_count(&world, "SEND anna:1" SENT), 1);
    assert_int_equal(world_count(&world, "SEND anna:2" SENT), 1);
    assert_int_equal(world.effect_count, 2);
    /* Once more: nothing begins. */
    world_say(&world, "e1", "anna", "'access':'ALLOWED','version':1");
    world_say(&world, "e1", "anna", "'status':'IN_PROGRESS'");
    assert_follows(pages[0], true);
    world_pass(&world, 2);
    assert_int_equal(world.effect_count, 2);
}

static void test_participants_allowed_while_nobody_is_there(void **state)
{
    (void)state;
    world_say(&world, "e1", "anna", "'access':'ALLOWED'");
    assert_follows(world_login(&world, &(struct login){0}), true);
    world_pass(&world, 2);
    /* What is retained brings her up to date when she subscribes. */
    assert_int_equal(world.effect_count, 0);
    /* Nor is there anything to send where the evaluation has no message. */
    world_say(&world, "e2", "anna", "'access':'ALLOWED'");
    world_pass(&world, 2);
    assert_int_equal(world.effect_count, 0);
}

static void test_participants_by_message_that_is_not_retained(void **state)
{
    struct invig_connection *page = world_login(&world, &(struct login){0});

    (void)state;
    assert_int_equal(world_message_once(&world, world_backend(&world), MINE,
                                        "{'type':'EVALUATION_UPDATE','evaluationId':'e1',"
                                        "'userId':'anna','access':'ALLOWED'}"),
                     INVIG_ALLOW);
    assert_follows(page, true);
}

static void test_participants_denied_whatever_the_token_says(void **state)
{
    struct invig_connection *page = login_with_claim();

    (void)state;
    world_say(&world, "e1", NULL, "'phase':'COMPOSITION'");
    world_say(&world, "e1", "anna", "'access':'DENIED'");
    assert_follows(page, false);
    assert_int_equal(world_deliver(&world, page, "users/anna"), INVIG_ALLOW);
    world_disconnect(&world, page);
    world_tick(&world);
    page = login_with_claim();
    assert_follows(page, false);
    world_pass(&world, 2);
    assert_int_equal(world.effect_count, 0);
    world_say(&world, "e1", "anna", "'access':'ALLOWED'");
    assert_follows(page, true);
    world_tick(&world);
    assert_int_equal(world_count(&world, "SEND anna:1" SENT), 1);
}

static void test_participants_what_was_said_is_forgotten(void **state)
{
    struct invig_connection *page;

    (void)state;
    world_say(&world, "e1", NULL, "'phase':'COMPOSITION'");
    world_say(&world, "e1", "anna", "'access':'ALLOWED'");
    page = world_login(&world, &(struct login){0});
    assert_follows(page, true);
    assert_int_equal(world_message(&world, world_backend(&world), MINE, ""), INVIG_ALLOW);
    assert_follows(page, false);
    /* The token's claim counts again. */
    page = login_with_claim();
    world_say(&world, "e1", "anna", "'access':'DENIED'");
    assert_follows(page, false);
    world_tick(&world);
    world_clear(&world);
    assert_int_equal(world_message(&world, world_backend(&world), MINE, ""), INVIG_ALLOW);
    assert_follows(page, true);
    world_pass(&world, 2);
    assert_int_equal(world_count(&world, "SEND anna:1" SENT), 1);
    assert_int_equal(world.effect_count, 1);
}

/* Each connection has what its own token says, and no more. */
static void test_participants_token_counts_for_its_connection(void **state)
{
    struct invig_connection *with = login_with_claim();
    struct invig_connection *without = world_login(&world, &(struct login){.client_id = "anna:2"});

    (void)state;
    assert_follows(with, true);
    assert_follows(without, false);
    /* What the backend says is about the user. */
    world_say(&world, "e1", "anna", "'access':'ALLOWED'");
    assert_follows(without, true);
}

static void test_participants_version_does_not_go_back(void **state)
{
    struct invig_connection *page = world_login(&world, &(struct login){0});

    (void)state;
    world_say(&world, "e1", "anna", "'access':'ALLOWED','version':5");
    assert_int_equal(world_offer(&world, "e1", "anna", "'access':'DENIED','version':4"),
                     INVIG_DENY);
    assert_follows(page, true);
    world_tick(&world);
    assert_int_equal(world_count_prefix(&world, "NOTIFY backend PUBLISH_REFUSED " MINE " "), 1);
    world_say(&world, "e1", "anna", "'access':'DENIED','version':5");
    assert_follows(page, false);
    world_say(&world, "e1", "anna", "'access':'ALLOWED'"); /* without one it passes */
    assert_int_equal(world_offer(&world, "e1", "anna", "'access':'DENIED','version':4"),
                     INVIG_DENY);
    /* Each topic counts for itself. */
    world_say(&world, "e1", NULL, "'phase':'COMPOSITION','version':1");
    world_say(&world, "e1", "bob", "'access':'ALLOWED','version':1");
    world_say(&world, "e2", "anna", "'access':'ALLOWED','version':1");
    world_say(&world, "e1", NULL, "'phase':'REGISTRATION','version':2");
    assert_int_equal(world_offer(&world, "e1", NULL, "'phase':'COMPOSITION','version':1"),
                     INVIG_DENY);
    assert_int_equal(world_offer(&world, "e1", NULL, "'phase':'COMPOSITION','version':0"),
                     INVIG_DENY);
    world_say(&world, "e1", NULL, "'phase':'REGISTRATION','version':9223372036854775806");
}

static void test_participants_evaluation_is_forgotten(void **state)
{
    struct invig_connection *page = world_exam(&world);
    struct invig_connection *second;

    (void)state;
    world_say(&world, "e1", NULL, "'phase':'IN_PROGRESS','version':8");
    world_say(&world, "e1", "anna", "'access':'ALLOWED','version':8");
    world_say(&world, "e1", "bob", "'access':'ALLOWED'");
    world_say(&world, "e1", "carl", "'access':'ALLOWED'");
    (void)world_login_again(&world, "s2", "anna:2");
    world_pass(&world, 3);
    world_clear(&world);
    assert_int_equal(world_message(&world, world_backend(&world), EVALUATION, ""), INVIG_ALLOW);
    assert_int_equal(world_stats(&world).evaluations_strict, 0);
    assert_int_equal(world_stats(&world).users_blocked, 0);
    assert_follows(page, true); /* by her token */
    /* One of them is spoken of anew before the clearing came to it. */
    world_say(&world, "e1", "carl", "'access':'ALLOWED'");
    world_pass(&world, 3);
    assert_int_equal(world_count(&world, "CLEAR " MINE), 1);
    assert_int_equal(world_count(&world, "CLEAR evaluations/e1/presence/anna"), 1);
    assert_int_equal(world_count(&world, "CLEAR evaluations/e1/users/bob"), 1);
    assert_int_equal(world_count(&world, "CLEAR evaluations/e1/users/carl"), 0);
    assert_int_equal(world_count_prefix(&world, "RETAIN"), 0);
    assert_int_equal(world_count_prefix(&world, "SEND"), 0);
    /* The binding is gone, versions begin anew. */
    second = world_login_again(&world, "s3", "anna:3");
    assert_follows(second, true);
    assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_DENY);
    world_say(&world, "e1", NULL, "'phase':'COMPOSITION','version':1");
    world_say(&world, "e1", "anna", "'access':'ALLOWED','version':1");
    second = world_login(&world, &(struct login){.user = "bob", .client_id = "bob:1"});
    assert_int_equal(world_deliver(&world, second, EVALUATION), INVIG_DENY);
    /* What was never said can be forgotten as well. */
    assert_int_equal(world_message(&world, world_backend(&world), "evaluations/e9", ""),
                     INVIG_ALLOW);
    assert_int_equal(world_message(&world, world_backend(&world), "evaluations/e9/users/u", ""),
                     INVIG_ALLOW);
}

/* Also what only the plugin published. */
static void test_participants_own_copies_are_cleared(void **state)
{
    (void)state;
    (void)world_exam(&world);
    (void)world_login_again(&world, "s2", "anna:2");
    world_tick(&world);
    world_say(&world, "e1", NULL, "'phase':'GRADING'");
    world_pass(&world, 3);
    assert_int_equal(world_count_prefix(&world, "RETAIN " MINE), 2); /* blocked, and no longer */
    assert_int_equal(world_message(&world, world_backend(&world), EVALUATION, ""), INVIG_ALLOW);
    world_pass(&world, 3);
    assert_int_equal(world_count(&world, "CLEAR " MINE), 1);
    /* Once is enough. */
    world_clear(&world);
    assert_int_equal(world_message(&world, world_backend(&world), EVALUATION, ""), INVIG_ALLOW);
    world_pass(&world, 3);
    assert_int_equal(world.effect_count, 0);
}

static void test_participants_topics_with_a_prefix(void **state)
{
    struct invig_connection *page;

    (void)state;
    world_deinit(&world);
    world_init(&world, "topic_prefix", "eval/", NULL);
    page = world_exam(&world);
    assert_int_equal(world_deliver(&world, page, "eval/evaluations/e1"), INVIG_ALLOW);
    assert_int_equal(world_deliver(&world, page, EVALUATION), INVIG_DENY);
    (void)world_login_again(&world, "s2", "anna:2");
    world_tick(&world);
    assert_int_equal(world_count_prefix(&world, "RETAIN eval/evaluations/e1/users/anna {"), 1);
    assert_int_equal(world_deliver(&world, page, "eval/evaluations/e1"), INVIG_DENY);
    /* Without the prefix it is no message of ours. */
    assert_int_not_equal(world_message(&world, world_backend(&world), EVALUATION, "nonsense"),
                         INVIG_DENY);
}

/* Whoever has lost an evaluation gets nothing more of evaluations/{e}, subscribed or not. */
static void test_participants_nothing_reaches_those_who_lost_it(void **state)
{
    static const struct {
        const char *name;
        const char *says;    /* of anna, by the backend; NULL: nothing */
        const char *revoked; /* session; NULL: none */
        const char *again;   /* session that logs in then; NULL: none */
        bool is_strict;
        bool is_again; /* it is the one that lost, not s1 */
        bool has_own;  /* its own topic in the evaluation still reaches it */
    } rows[] = {
        {"denied", "'access':'DENIED'", NULL, NULL, true, false, true},
        {"blocked by the backend", "'access':'BLOCKED'", NULL, NULL, true, false, true},
        {"blocked outside", "'access':'BLOCKED'", NULL, NULL, false, false, true},
        {"blocked after a second login", NULL, NULL, "s2", true, false, true},
        {"superseded", NULL, NULL, "s2", false, false, false},
        {"superseded by name", "'access':'ALLOWED','sessionId':'s2'", NULL, "s2", true, false,
         false},
        {"revoked", NULL, "s1", NULL, true, false, false},
        {"turned away", NULL, NULL, "s2", true, true, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct invig_connection *page;
        struct invig_connection *again = NULL;

        world_deinit(&world);
        world_init(&world, NULL);
        page = world_exam(&world);
        assert_int_equal(world_subscribe(&world, page, EVALUATION), INVIG_ALLOW);
        if (!rows[i].is_strict) {
            world_say(&world, "e1", NULL, "'phase':'COMPOSITION'");
        }
        if (rows[i].again != NULL) {
            again = world_login_again(&world, rows[i].again, "anna:2");
        }
        if (rows[i].says != NULL) {
            world_say(&world, "e1", "anna", rows[i].says);
        }
        if (rows[i].revoked != NULL) {
            world_invalidate_session(&world, "anna", rows[i].revoked);
        }
        page = rows[i].is_again ? again : page;
        world_say(&world, "e1", NULL,
                  rows[i].is_strict ? "'phase':'IN_PROGRESS'" : "'phase':'GRADING'");
        if (world_deliver(&world, page, EVALUATION) != INVIG_DENY ||
            (world_deliver(&world, page, MINE) == INVIG_ALLOW) != rows[i].has_own ||
            world_deliver(&world, page, "evaluations/e1/incidents") != INVIG_DENY ||
            world_deliver(&world, page, "evaluations/e1/presence/anna") != INVIG_DENY ||
            world_deliver(&world, page, "evaluations/e1/users/bob") != INVIG_DENY) {
            fail_msg("%s", rows[i].name);
        }
        world_pass(&world, 2);
        assert_int_equal(world_count_prefix(&world, "SEND anna:1"), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_CASE(test_participants_by_token),
        WORLD_CASE(test_participants_by_allowed),
        WORLD_CASE(test_participants_allowed_while_nobody_is_there),
        WORLD_CASE(test_participants_by_message_that_is_not_retained),
        WORLD_CASE(test_participants_denied_whatever_the_token_says),
        WORLD_CASE(test_participants_what_was_said_is_forgotten),
        WORLD_CASE(test_participants_token_counts_for_its_connection),
        WORLD_CASE(test_participants_version_does_not_go_back),
        WORLD_CASE(test_participants_evaluation_is_forgotten),
        WORLD_CASE(test_participants_own_copies_are_cleared),
        WORLD_CASE(test_participants_topics_with_a_prefix),
        WORLD_CASE(test_participants_nothing_reaches_those_who_lost_it),
    };
    return cmocka_run_group_tests_name("scenario participants", tests, NULL, NULL);
}
