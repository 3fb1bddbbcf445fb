/* SPDX-License-Identifier: Apache-2.0
 *
 * test_load.c - an engine that is made or takes its records in under a fault says so, and the next
 * one has them all; and tables that grow under one.
 */
#include "fault_run.h"
#include "world.h"

#include "digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct world world;
static struct fakestore store;
static struct invig_engine *engine;
static enum invig_status status;
static size_t close_count;
static char *records;

static void ignore_line(void *context, enum invig_log_level level, const char *line)
{
    (void)context;
    (void)level;
    (void)line;
}

static void act_load(void)
{
    const struct invig_seed seed = {{1, 2}};

    status = INVIG_ERR_NO_MEMORY;
    close_count = store.close_count;
    engine = invig_engine_new(&world.policy, seed, (struct invig_log_sink){NULL, ignore_line},
                              invig_digest_sha256, fakestore_store(&store));
    if (engine != NULL) {
        status = invig_engine_load(engine, world.now);
    }
}

static const char *ask(const char *command)
{
    struct invig_engine *before = world.engine;
    const char *answer;

    world.engine = engine;
    answer = world_command(&world, command);
    world.engine = before;
    return answer;
}

/* What was not loaded is of no use, but harms nothing: the records are as they were. */
static void check_load(const char *struck)
{
    if (struck != NULL && status != INVIG_OK) {
        assert_int_equal(status, INVIG_ERR_NO_MEMORY);
        invig_engine_free(engine);
        assert_int_equal(store.close_count, close_count + 1);
        fakestore_check(&store, records);
        act_load();
    }
    assert_int_equal(status, INVIG_OK);
    assert_non_null(strstr(ask("{'command':'getUser','userId':'anna'}"),
                           "'bindings':[{'evaluationId':'e1','sessionId':'s1'}],"
                           "'blocks':[{'evaluationId':'e1','reason':'SECOND_LOGIN'"));
    assert_non_null(strstr(ask("{'command':'getEvaluation','evaluationId':'e1'}"),
                           "'phase':'IN_PROGRESS','strict':true"));
    invig_engine_free(engine);
    fakestore_check(&store, records);
}

static void test_load(void **state)
{
    (void)state;
    fakestore_init(&store, false);
    world_init_with(&world, &store, NULL);
    (void)world_exam(&world);
    world_say(&world, "e1", "anna", "'access':'ALLOWED','version':3");
    assert_non_null(world_login_again(&world, "s2", "anna:2"));
    world_tick(&world);
    records = fakestore_dump(&store);
    assert_true(fault_run("load", act_load, check_load) > 10);
    free(records);
    world_deinit(&world);
    fakestore_deinit(&store);
}

/* -- Growing -- */

enum { USERS = 600 };

static int user_number;

static void act_user(void)
{
    char user[16];

    (void)snprintf(user, sizeof(user), "u%d", user_number);
    status = world_offer(&world, "e1", user, "'access':'ALLOWED'") == INVIG_ALLOW ? INVIG_OK
                                                                                  : INVIG_ERR_FULL;
}

static size_t count_known(void)
{
    size_t count = 0;

    for (int offset = 0; offset < USERS; offset += 50) {
        char command[128];

        (void)snprintf(command, sizeof(command),
                       "{'command':'getEvaluation','evaluationId':'e1','offset':%d,'count':50}",
                       offset);
        for (const char *at = world_command(&world, command);
             (at = strstr(at, "'userId':'u")) != NULL; at++) {
            count++;
        }
    }
    return count;
}

/* The message that says so is refused, and passes the next time; nobody else is forgotten. */
static void test_growing(void **state)
{
    size_t grown = 0;

    (void)state;
    world_init(&world, NULL);
    for (user_number = 0; user_number < USERS; user_number++) {
        size_t calls = 5; /* without anything that grows */
        const char *struck;

        do {
            fault_arm(calls++);
            act_user();
            struck = fault_disarm();
            grown += struck != NULL && status != INVIG_OK;
        } while (struck != NULL);
        assert_int_equal(status, INVIG_OK);
    }
    assert_true(grown > 3);
    assert_int_equal(count_known(), USERS);
    world_deinit(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_load),
        cmocka_unit_test(test_growing),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    fault_write_sites(FAULT_SITES);
    return failed;
}
