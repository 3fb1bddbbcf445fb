/* SPDX-License-Identifier: Apache-2.0
 *
 * fault_world.h - a world in which one event meets a fault: what can be seen of it before and
 * after, and what becomes of it in the end. Uses world.h, and JSON stands with ' for " as there.
 */
#ifndef INVIGILATOR_TEST_FAULT_WORLD_H
#define INVIGILATOR_TEST_FAULT_WORLD_H

#include "fault.h"
#include "world.h"

enum { FAULT_PAGES = 6, FAULT_RESULT_BYTES = WORLD_LINE_BYTES };

struct fault_world {
    struct fakestore store;
    struct invig_connection *pages[FAULT_PAGES]; /* NULL: not connected */
    char result[FAULT_RESULT_BYTES];             /* what the last event was answered */
    struct world world;
};

/* An event, and what goes before it. */
struct fault_event {
    const char *name;
    const char *option; /* NULL: none; else with its value */
    const char *value;
    void (*prepare)(struct fault_world *fault); /* NULL: nothing */
    void (*act)(struct fault_world *fault);     /* writes the result */
    bool may_lose_answer;    /* it may be done although nothing can be answered: "lost" */
    bool may_defer_incident; /* that a session is shared may be reported later */
};

/* Lets the event happen with the first, the second, ... call of a library failing, until it happens
 * without one that fails. Each time either nothing is changed, and the same event happens again as
 * if nothing had been, or everything. */
void fault_event_check(const struct fault_event *event, bool is_grouping);

/* All that can be seen without changing anything; to be freed by the caller. */
char *fault_look(struct fault_world *fault);

/* All that comes of it from now on, with a restart in between; to be freed by the caller. */
char *fault_follow(struct fault_world *fault);

/* Ends the pages that were disconnected. */
void fault_end_kicked(struct fault_world *fault);

/* Parts of events; each writes the result. The page of place `page` is connected or ended. */
void fault_login(struct fault_world *fault, size_t page, const struct login *login);
void fault_defer(struct fault_world *fault, size_t page, const char *client_id);
void fault_offer(struct fault_world *fault, const char *evaluation, const char *user,
                 const char *members);
void fault_message(struct fault_world *fault, const char *topic, const char *payload);

/* A command as the engine takes it, whose result is its answer, and as the broker hands it over by
 * page 5, whose result is whether there will be an answer. */
void fault_ask(struct fault_world *fault, const char *command);
void fault_control(struct fault_world *fault, const char *payload);

#endif
