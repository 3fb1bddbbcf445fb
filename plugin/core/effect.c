/* SPDX-License-Identifier: Apache-2.0
 *
 * effect.c - see effect.h.
 */
#include "invigilator/effect.h"

void invig_effects_remove(struct invig_effects *effects, struct invig_connection *connection)
{
    struct invig_pending_list *list = &effects->lists[connection->pending];

    if (connection->pending == INVIG_PENDING_NONE) {
        return;
    }
    if (connection->pending_previous == NULL) {
        list->first = connection->pending_next;
    } else {
        connection->pending_previous->pending_next = connection->pending_next;
    }
    if (connection->pending_next == NULL) {
        list->last = connection->pending_previous;
    } else {
        connection->pending_next->pending_previous = connection->pending_previous;
    }
    connection->pending_previous = NULL;
    connection->pending_next = NULL;
    connection->pending = INVIG_PENDING_NONE;
}

void invig_effects_add(struct invig_effects *effects, struct invig_connection *connection,
                       enum invig_pending pending)
{
    struct invig_pending_list *list = &effects->lists[pending];

    invig_effects_remove(effects, connection);
    connection->pending = pending;
    connection->pending_previous = list->last;
    if (list->last == NULL) {
        list->first = connection;
    } else {
        list->last->pending_next = connection;
    }
    list->last = connection;
}

struct invig_connection *invig_effects_pop(struct invig_effects *effects,
                                           enum invig_pending pending)
{
    struct invig_connection *connection = effects->lists[pending].first;

    if (connection != NULL) {
        invig_effects_remove(effects, connection);
    }
    return connection;
}

void invig_effects_add_kick(struct invig_effects *effects, struct invig_connection *connection,
                            uint64_t tick, int64_t steady_ms)
{
    invig_effects_add(effects, connection, INVIG_PENDING_KICK);
    connection->kick_tick = tick;
    connection->kick_ms = steady_ms;
}

struct invig_connection *invig_effects_pop_kick(struct invig_effects *effects, uint64_t tick,
                                                int64_t steady_ms)
{
    const struct invig_connection *first = effects->lists[INVIG_PENDING_KICK].first;

    if (first == NULL || first->kick_tick > tick || first->kick_ms > steady_ms) {
        return NULL;
    }
    return invig_effects_pop(effects, INVIG_PENDING_KICK);
}
