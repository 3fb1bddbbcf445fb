/* SPDX-License-Identifier: Apache-2.0
 *
 * test_connect.c - stories of who may come in under which name, and of those who come without a
 * token.
 */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct world world;

static void test_connect_form(void **state)
{
    static const struct {
        const char *name;
        struct login login;
        enum invig_reason expected;
    } rows[] = {
        {"plain", {0}, INVIG_REASON_NONE},
        {"username is the user", {.username = "anna"}, INVIG_REASON_NONE},
        {"empty username", {.username = ""}, INVIG_REASON_NONE},
        {"username of another", {.username = "bob"}, INVIG_REASON_USERNAME_MISMATCH},
        {"username in other case", {.username = "Anna"}, INVIG_REASON_USERNAME_MISMATCH},
        {"client id is the user", {.client_id = "anna"}, INVIG_REASON_NONE},
        {"made-up client id", {.client_id = "auto-7F3C"}, INVIG_REASON_NONE},
        {"client id of another", {.client_id = "bob:1"}, INVIG_REASON_CLIENT_ID_INVALID},
        {"client id goes on", {.client_id = "annabel"}, INVIG_REASON_CLIENT_ID_INVALID},
        {"client id is shorter", {.client_id = "ann"}, INVIG_REASON_CLIENT_ID_INVALID},
        {"3.1.1 without clean session", {.is_durable = true}, INVIG_REASON_CLEAN_SESSION_OFF},
        {"3.1 without it", {.is_durable = true, .version = 3}, INVIG_REASON_CLEAN_SESSION_OFF},
        {"5 without clean start", {.is_durable = true, .version = 5}, INVIG_REASON_NONE},
        {"keepalive at the limit", {.keepalive_s = 60}, INVIG_REASON_NONE},
        {"keepalive above it", {.keepalive_s = 61}, INVIG_REASON_KEEPALIVE_TOO_LONG},
        {"keepalive off", {.keepalive_s = -1}, INVIG_REASON_KEEPALIVE_TOO_LONG},
        {"keepalive off, professor",
         {.keepalive_s = -1, .role = INVIG_ROLE_PROFESSOR},
         INVIG_REASON_KEEPALIVE_TOO_LONG},
        {"keepalive off, service",
         {.keepalive_s = -1, .role = INVIG_ROLE_SERVICE, .session = ""},
         INVIG_REASON_NONE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct invig_connection *connection = world_login(&world, &rows[i].login);
        if (world.refusal.reason != rows[i].expected) {
            fail_msg("%s: %s", rows[i].name, invig_reason_word(world.refusal.reason));
        }
        if (connection != NULL) {
            world_disconnect(&world, connection);
        } else {
            assert_true(world_has_logged(&world, invig_reason_word(rows[i].expected)));
        }
        world_tick(&world);
        world_clear(&world);
    }
}

static void test_connect_refusal_changes_nothing(void **state)
{
    struct invig_connection *page = world_login(&world, &(struct login){0});

    (void)state;
    assert_null(world_login(&world, &(struct login){.session = "s2", .client_id = "bob:1"}));
    assert_null(world_login(&world, &(struct login){.session = "s2", .keepalive_s = 9999}));
    world_pass(&world, 3);
    assert_int_equal(world.effect_count, 0);
    assert_int_equal(world_deliver(&world, page, "users/anna"), INVIG_ALLOW);
}

static void test_connect_client_id_of_another_user(void **state)
{
    struct invig_connection *page = world_login(&world, &(struct login){.client_id = "auto-1"});
    const struct login bob = {.user = "bob", .session = "b1", .client_id = "auto-1"};

    (void)state;
    assert_null(world_login(&world, &bob));
    assert_int_equal(world.refusal.reason, INVIG_REASON_CLIENT_ID_IN_USE);
    assert_int_equal(world_deliver(&world, page, "users/anna"), INVIG_ALLOW);
    world_disconnect(&world, page);
    assert_non_null(world_login(&world, &bob));
}

static void test_connect_deferred_and_token_do_not_share_ids(void **state)
{
    struct invig_connection *backend = world_defer(&world, "anna:backend");
    struct invig_connection *page;

    (void)state;
    assert_non_null(backend);
    assert_null(world_login(&world, &(struct login){.client_id = "anna:backend"}));
    assert_int_equal(world.refusal.reason, INVIG_REASON_CLIENT_ID_IN_USE);
    page = world_login(&world, &(struct login){0});
    assert_null(world_defer(&world, "anna:1"));
    assert_int_equal(world.refusal.reason, INVIG_REASON_CLIENT_ID_IN_USE);
    world_disconnect(&world, page);
    assert_non_null(world_defer(&world, "anna:1"));
}

static void test_connect_deferred_is_left_to_the_broker(void **state)
{
    struct invig_connection *backend = world_defer(&world, "backend");

    (void)state;
    assert_int_equal(world_subscribe(&world, backend, "#"), INVIG_DEFER);
    assert_int_equal(world_deliver(&world, backend, "users/anna"), INVIG_DEFER);
    assert_int_equal(world_publish(&world, backend, "evaluations/e1"), INVIG_DEFER);
    world_pass(&world, 100);
    assert_int_equal(world.effect_count, 0);
}

static void test_connect_deferred_takes_over_deferred(void **state)
{
    struct invig_connection *old = world_defer(&world, "backend");
    struct invig_connection *refused = world_defer(&world, "backend");
    struct invig_connection *next;

    (void)state;
    /* The password file refuses the second: the first still holds the id. */
    world_disconnect(&world, refused);
    assert_null(world_login(&world, &(struct login){.user = "backend", .client_id = "backend"}));
    /* The third is let in; the broker sends the will of the first, then says that it is gone. */
    next = world_defer(&world, "backend");
    assert_int_equal(world_publish(&world, old, "evaluations/e1"), INVIG_DENY);
    world_disconnect(&world, old);
    assert_int_equal(world_publish(&world, next, "evaluations/e1"), INVIG_DEFER);
    world_tick(&world);
    assert_null(world_login(&world, &(struct login){.user = "backend", .client_id = "backend"}));
    world_disconnect(&world, next);
    assert_non_null(
        world_login(&world, &(struct login){.user = "backend", .client_id = "backend"}));
}

static void test_connect_deferred_leave_in_any_order(void **state)
{
    const struct login token = {.user = "backend", .client_id = "backend"};
    struct invig_connection *chain[3];

    (void)state;
    for (int i = 0; i < 3; i++) {
        chain[i] = world_defer(&world, "backend");
    }
    world_disconnect(&world, chain[1]);
    world_disconnect(&world, chain[0]);
    world_tick(&world);
    assert_null(world_login(&world, &token));
    world_disconnect(&world, chain[2]);
    world_disconnect(&world, chain[2]); /* the broker says so twice of some */
    assert_non_null(world_login(&world, &token));
}

static void test_connect_memory_is_used_again(void **state)
{
    struct invig_connection *page = world_login(&world, &(struct login){0});
    struct invig_connection *backend = world_defer(&world, "backend");

    (void)state;
    (void)world_defer(&world, "backend"); /* `backend` is overtaken by it */
    world_disconnect(&world, page);
    invig_engine_forget(world.engine, page);
    invig_engine_forget(world.engine, backend);
    world_pass(&world, 3);
    assert_int_equal(world.effect_count, 0);
    assert_non_null(world_login(&world, &(struct login){0}));
}

static void test_connect_refused_token_is_logged_without_claims(void **state)
{
    const struct invig_connect connect = {.client_id = invig_text_of("a\nb"),
                                          .address = invig_text_of("192.0.2.1"),
                                          .claims = &world.claims};

    (void)state;
    invig_engine_refuse(world.engine, world.now, &connect,
                        (struct invig_refusal){INVIG_REASON_CLAIM_INVALID, "exp"});
    assert_true(world_has_logged(
        &world, "invigilator: refused reason=claim_invalid claim=exp client=a\\x0ab address="));
}

static void test_connect_wills(void **state)
{
    struct invig_connection *student = world_login(&world, &(struct login){0});
    struct invig_connection *service = world_login(
        &world,
        &(struct login){
            .user = "eval", .session = "", .client_id = "eval:1", .role = INVIG_ROLE_SERVICE});
    struct invig_connection *backend = world_defer(&world, "backend");

    (void)state;
    assert_int_equal(world_publish(&world, service, "evaluations/e1"), INVIG_ALLOW);
    world_disconnect(&world, student);
    world_disconnect(&world, service);
    world_disconnect(&world, backend);
    assert_int_equal(world_publish(&world, student, "users/anna"), INVIG_DENY);
    assert_int_equal(world_publish(&world, student, "chat"), INVIG_DENY);
    assert_int_equal(world_publish(&world, service, "users/anna"), INVIG_ALLOW);
    assert_int_equal(world_publish(&world, service, "evaluations/e1"), INVIG_DENY);
    assert_int_equal(world_publish(&world, service, "evaluations/e1/users/anna"), INVIG_DENY);
    assert_int_equal(world_publish(&world, backend, "evaluations/e1"), INVIG_DENY);
    assert_int_equal(world_publish(&world, backend, "users/anna"), INVIG_DEFER);
    /* A departed connection receives nothing. */
    assert_int_equal(world_deliver(&world, student, "users/anna"), INVIG_DENY);
    assert_int_equal(world_subscribe(&world, service, "users/#"), INVIG_DENY);
}

static void test_connect_unknown_clients(void **state)
{
    const struct invig_text anna = invig_text_of("anna");
    const struct invig_text other = invig_text_of("bridge");
    const struct invig_text topic = invig_text_of("users/anna");
    struct invig_connection *page = world_login(&world, &(struct login){.version = 5});

    (void)state;
    world_disconnect(&world, page);
    world_tick(&world);
    /* anna's MQTT session is still there: it queues nothing, and her late will is not sent. */
    assert_int_equal(invig_engine_unknown(world.engine, INVIG_OPERATION_DELIVER, anna, topic),
                     INVIG_DENY);
    assert_int_equal(
        invig_engine_unknown(world.engine, INVIG_OPERATION_PUBLISH, anna, invig_text_of("chat")),
        INVIG_DENY);
    assert_int_equal(invig_engine_unknown(world.engine, INVIG_OPERATION_DELIVER, other, topic),
                     INVIG_DEFER);
    assert_int_equal(invig_engine_unknown(world.engine, INVIG_OPERATION_PUBLISH, other, topic),
                     INVIG_DENY);
    assert_int_equal(
        invig_engine_unknown(world.engine, INVIG_OPERATION_PUBLISH, other, invig_text_of("chat")),
        INVIG_DEFER);
}

static void test_connect_denials_are_logged_within_a_limit(void **state)
{
    struct invig_connection *page = world_login(&world, &(struct login){0});

    (void)state;
    world_clear(&world);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(world_subscribe(&world, page, "users/bob/sessions/secret-sid"),
                         INVIG_DENY);
    }
    assert_true(world.log_count > 0 && world.log_count < 50);
    assert_true(world_has_logged(&world, "acl_denied access=subscribe user=anna"));
    assert_false(world_has_logged(&world, "secret-sid"));
    world_pass(&world, 2);
    assert_int_equal(world_publish(&world, page, "users/bob"), INVIG_DENY);
    assert_true(world_has_logged(&world, "suppressed=980"));
}

static void test_connect_session_id_is_in_no_log_line(void **state)
{
    const struct login pages[] = {
        {.session = "secret-1"},
        {.session = "secret-2", .client_id = "anna:2"},
        {.session = "secret-1", .client_id = "anna:3"},
        {.session = "secret-2", .client_id = "bob:3"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        (void)world_login(&world, &pages[i]);
    }
    world_invalidate_user(&world, "anna", NULL, 0);
    world_pass(&world, 4000);
    assert_true(world.log_count >= 5);
    assert_false(world_has_logged(&world, "secret"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_CASE(test_connect_form),
        WORLD_CASE(test_connect_refusal_changes_nothing),
        WORLD_CASE(test_connect_client_id_of_another_user),
        WORLD_CASE(test_connect_deferred_and_token_do_not_share_ids),
        WORLD_CASE(test_connect_deferred_is_left_to_the_broker),
        WORLD_CASE(test_connect_deferred_takes_over_deferred),
        WORLD_CASE(test_connect_deferred_leave_in_any_order),
        WORLD_CASE(test_connect_memory_is_used_again),
        WORLD_CASE(test_connect_refused_token_is_logged_without_claims),
        WORLD_CASE(test_connect_wills),
        WORLD_CASE(test_connect_unknown_clients),
        WORLD_CASE(test_connect_denials_are_logged_within_a_limit),
        WORLD_CASE(test_connect_session_id_is_in_no_log_line),
    };
    return cmocka_run_group_tests_name("scenario connect", tests, NULL, NULL);
}
