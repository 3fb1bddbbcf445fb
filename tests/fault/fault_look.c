/* SPDX-License-Identifier: Apache-2.0
 *
 * fault_look.c - see fault_world.h: what can be seen of a world, and what becomes of it.
 */
#include "fault_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { DRAIN_TICKS = 4, DRAIN_S = 1 };

static const char *const users[] = {"anna", "ben", "prof"};
static const char *const evaluations[] = {"e1", "e2", "e3"};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* -- What can be seen -- */

static void print_answer(FILE *out, struct fault_world *fault, const char *command,
                         const char *member, const char *id)
{
    char text[160];

    (void)snprintf(text, sizeof(text), "{'command':'%s','%s':'%s'}", command, member, id);
    (void)fprintf(out, "%s\n", world_command(&fault->world, text));
}

static void print_rights(FILE *out, struct world *world, const struct invig_connection *page)
{
    static const char *const topics[] = {"users/anna",
                                         "users/ben",
                                         "users/anna/sessions/s1",
                                         "users/anna/sessions/s2",
                                         "evaluations/e1",
                                         "evaluations/e2",
                                         "evaluations/e3",
                                         "evaluations/e1/users/anna",
                                         "evaluations/e1/incidents",
                                         "$CONTROL/invigilator/v1/response"};

    (void)fprintf(out, "page %.*s:", (int)page->client_id.length, page->client_id.data);
    for (size_t i = 0; i < COUNT(topics); i++) {
        (void)fprintf(out, " %d%d", world_deliver(world, page, topics[i]),
                      invig_engine_subscribe(world->engine, page, invig_text_of(topics[i])));
    }
    (void)fprintf(out, "\n");
}

/* Those counters that no refusal moves. */
static void print_stats(FILE *out, const struct world *world)
{
    struct invig_stats stats = world_stats(world);
    char name[INVIG_STATS_NAME_BYTES];
    uint64_t value;

    for (size_t i = 0; invig_stats_get(&stats, i, name, &value); i++) {
        if (strstr(name, "refused") == NULL && strstr(name, "denied") == NULL) {
            (void)fprintf(out, "%s %llu\n", name, (unsigned long long)value);
        }
    }
}

char *fault_look(struct fault_world *fault)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    char *dump = fakestore_dump(&fault->store);

    assert_non_null(out);
    for (size_t i = 0; i < COUNT(users); i++) {
        print_answer(out, fault, "getUser", "userId", users[i]);
    }
    for (size_t i = 0; i < COUNT(evaluations); i++) {
        print_answer(out, fault, "getEvaluation", "evaluationId", evaluations[i]);
    }
    (void)fprintf(out, "%s\n", world_command(&fault->world, "{'command':'listSessions'}"));
    for (size_t i = 0; i < FAULT_PAGES; i++) {
        if (fault->pages[i] != NULL) {
            print_rights(out, &fault->world, fault->pages[i]);
        }
    }
    print_stats(out, &fault->world);
    (void)fprintf(out, "%s", dump);
    free(dump);
    assert_int_equal(fclose(out), 0);
    return text;
}

/* -- What becomes of it -- */

void fault_end_kicked(struct fault_world *fault)
{
    for (size_t i = 0; i < FAULT_PAGES; i++) {
        char line[160];

        if (fault->pages[i] != NULL) {
            (void)snprintf(line, sizeof(line), "KICK %s", fault->pages[i]->client_id.data);
            if (world_find(&fault->world, line) >= 0) {
                world_disconnect(&fault->world, fault->pages[i]);
                fault->pages[i] = NULL;
            }
        }
    }
}

/* Writes down the effects that there are, but for what a publisher or a sender of commands is told:
 * of the fault, or again. */
static void print_effects(FILE *out, struct fault_world *fault)
{
    const struct world *world = &fault->world;

    for (size_t i = 0; i < world->effect_count; i++) {
        const char *line = world->effects[i];

        if (strncmp(line, "NOTIFY backend PUBLISH_REFUSED", 30) != 0 &&
            strncmp(line, "REPLY ", 6) != 0) {
            (void)fprintf(out, "%s\n", line);
        }
    }
    fault_end_kicked(fault);
    world_clear(&fault->world);
}

static void print_drained(FILE *out, struct fault_world *fault)
{
    for (int i = 0; i < DRAIN_TICKS; i++) {
        world_tick(&fault->world);
    }
    world_pass(&fault->world, DRAIN_S);
    print_effects(out, fault);
}

/* Which sessions come in from now on, one after the other. */
static void print_logins(FILE *out, struct fault_world *fault)
{
    static const char *const sessions[] = {"s2", "s1", "s3"};

    for (size_t i = 0; i < COUNT(sessions); i++) {
        struct invig_connection *page = world_login_again(&fault->world, sessions[i], "anna:probe");

        (void)fprintf(out, "%s: %d %s\n", sessions[i], fault->world.verdict,
                      invig_reason_word(fault->world.refusal.reason));
        print_drained(out, fault);
        if (page != NULL) {
            world_disconnect(&fault->world, page);
        }
        print_drained(out, fault);
    }
}

static void print_look(FILE *out, struct fault_world *fault)
{
    char *look = fault_look(fault);

    (void)fprintf(out, "%s", look);
    free(look);
}

char *fault_follow(struct fault_world *fault)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    assert_non_null(out);
    print_drained(out, fault);
    print_look(out, fault);
    print_logins(out, fault);
    print_look(out, fault);
    world_restart(&fault->world);
    memset(fault->pages, 0, sizeof(fault->pages));
    print_look(out, fault);
    print_drained(out, fault);
    print_logins(out, fault);
    assert_int_equal(fclose(out), 0);
    return text;
}
