/* SPDX-License-Identifier: Apache-2.0
 *
 * test_share.c - news of other brokers, and offers to them, while memory is out: they come again,
 * and in the end all brokers agree.
 */
#include "fakeshare.h"
#include "fault.h"
#include "fault_run.h"
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { BROKERS = 2, TICKS = 3, SETTLING_TICKS = 12 };

static struct fakeserver server;
static struct fakeshare shares[BROKERS];
static struct world worlds[BROKERS];
static void (*story)(void); /* before calls fail */

static void tick_all(int times)
{
    for (int i = 0; i < times; i++) {
        world_tick(&worlds[0]);
        world_tick(&worlds[1]);
    }
}

static void login(int broker, const char *session, const char *client_id)
{
    (void)world_login(&worlds[broker], &(struct login){.session = session,
                                                       .client_id = client_id,
                                                       .address = "192.0.2.2",
                                                       .evaluations = {"e1"}});
}

static void say_all(const char *user, const char *members)
{
    world_say(&worlds[0], "e1", user, members);
    world_say(&worlds[1], "e1", user, members);
}

static void setup(void)
{
    static const char *const names[BROKERS] = {"A", "B"};

    fakeserver_init(&server);
    for (int i = 0; i < BROKERS; i++) {
        world_init(&worlds[i], NULL);
        invig_engine_set_share(worlds[i].engine, fakeshare_join(&shares[i], &server, names[i]));
    }
    story();
}

/* Effects wait: what becomes of them when memory is out is test_tick.c's. */
static void act(void)
{
    bool was_armed = fault_pause();

    setup();
    fault_resume(was_armed);
    for (int i = 0; i < TICKS * BROKERS; i++) {
        struct world *world = &worlds[i % BROKERS];

        world->now.steady_ms += WORLD_TICK_MS;
        invig_engine_tick(world->engine, world->now);
    }
}

/* One session has rights, on either broker. */
static void check(const char *struck)
{
    uint64_t open;

    (void)struck;
    tick_all(SETTLING_TICKS);
    open =
        world_stats(&worlds[0]).connections_current + world_stats(&worlds[1]).connections_current;
    if (open != 1) {
        fail_msg("%s failed: %d connections are open", struck, (int)open);
    }
    assert_int_equal(world_stats(&worlds[0]).users_blocked, world_stats(&worlds[1]).users_blocked);
    for (int i = 0; i < BROKERS; i++) {
        world_deinit(&worlds[i]);
    }
    fakeserver_deinit(&server);
}

static void story_first(void)
{
    login(0, "s1", "anna:1");
}

static void story_both(void)
{
    login(0, "s1", "anna:1");
    login(1, "s2", "anna:2");
}

static void story_exam(void)
{
    say_all(NULL, "'phase':'IN_PROGRESS'");
    say_all("anna", "'access':'ALLOWED'");
    login(0, "s1", "anna:1");
    tick_all(TICKS);
    login(1, "s2", "anna:2");
}

/* They could not tell each other. */
static void story_apart(void)
{
    say_all(NULL, "'phase':'IN_PROGRESS'");
    fakeshare_cut(&shares[0]);
    fakeshare_cut(&shares[1]);
    login(0, "s1", "anna:1");
    login(1, "s2", "anna:2");
    tick_all(TICKS);
    fakeshare_mend(&shares[0]);
    fakeshare_mend(&shares[1]);
}

static void run(const char *name, void (*before)(void))
{
    story = before;
    (void)fault_run(name, act, check);
}

static void test_share_agrees_after_faults(void **state)
{
    (void)state;
    run("first login", story_first);
    run("logins on two brokers", story_both);
    run("second login in an exam", story_exam);
    run("outage", story_apart);
    fault_write_sites(FAULT_SITES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_share_agrees_after_faults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
