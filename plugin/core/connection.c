/* SPDX-License-Identifier: Apache-2.0
 *
 * connection.c - see connection.h.
 */
#include "invigilator/connection.h"

#include <stdlib.h>
#include <string.h>

static struct invig_connection *connection_of_node(struct invig_table_node *node)
{
    return (struct invig_connection *)(void *)((char *)node -
                                               offsetof(struct invig_connection, by_client_id));
}

void invig_connections_init(struct invig_connections *connections, struct invig_seed seed)
{
    invig_table_init(&connections->by_client_id, seed);
    connections->count = 0;
}

void invig_connections_deinit(struct invig_connections *connections)
{
    invig_table_deinit(&connections->by_client_id);
}

/* Copies `text` with a NUL to *cursor, moves the cursor behind it and returns the copy's view. */
static struct invig_text storage_put(char **cursor, struct invig_text text)
{
    struct invig_text copy = {NULL, 0};

    if (text.data == NULL) {
        return copy;
    }
    copy = (struct invig_text){*cursor, text.length};
    memcpy(*cursor, text.data, text.length);
    (*cursor)[text.length] = '\0';
    *cursor += text.length + 1;
    return copy;
}

struct invig_connection *invig_connection_new(struct invig_text client_id,
                                              struct invig_text address, size_t claim_count_max)
{
    struct invig_connection *connection =
        calloc(1, sizeof(*connection) + claim_count_max * sizeof(struct invig_member *) +
                      client_id.length + address.length + 2);
    char *cursor;

    if (connection == NULL) {
        return NULL;
    }
    cursor = (char *)(connection->claims + claim_count_max);
    connection->client_id = storage_put(&cursor, client_id);
    connection->address = storage_put(&cursor, address);
    connection->timer.kind = INVIG_TIMER_CONNECTION;
    return connection;
}

void invig_connection_free(struct invig_connection *connection)
{
    free(connection);
}

struct invig_connection *invig_connections_holder(const struct invig_connections *connections,
                                                  struct invig_text client_id)
{
    struct invig_table_node *node =
        invig_table_find(&connections->by_client_id, client_id.data, client_id.length);

    return node == NULL ? NULL : connection_of_node(node);
}

enum invig_status invig_connections_hold(struct invig_connections *connections,
                                         struct invig_connection *connection)
{
    struct invig_connection *holder = invig_connections_holder(connections, connection->client_id);
    struct invig_table *table = &connections->by_client_id;
    struct invig_text id = connection->client_id;
    bool is_held = holder == NULL
                       ? invig_table_add(table, &connection->by_client_id, id.data, id.length)
                       : invig_table_replace(table, &holder->by_client_id,
                                             &connection->by_client_id, id.data, id.length);

    if (!is_held) {
        return INVIG_ERR_NO_MEMORY;
    }
    connection->same_client_id = holder;
    return INVIG_OK;
}

void invig_connections_release(struct invig_connections *connections,
                               struct invig_connection *connection)
{
    struct invig_connection *holder = invig_connections_holder(connections, connection->client_id);
    struct invig_connection *older = connection->same_client_id;

    if (holder == connection) {
        if (older == NULL || !invig_table_replace(&connections->by_client_id,
                                                  &connection->by_client_id, &older->by_client_id,
                                                  older->client_id.data, older->client_id.length)) {
            invig_table_remove(&connections->by_client_id, &connection->by_client_id);
        }
    } else {
        while (holder != NULL && holder->same_client_id != connection) {
            holder = holder->same_client_id;
        }
        if (holder != NULL) {
            holder->same_client_id = older;
        }
    }
    connection->same_client_id = NULL;
}

bool invig_client_id_fits(struct invig_text client_id, struct invig_text user)
{
    if (invig_text_has_prefix(client_id, invig_text_of("auto-"))) {
        return true;
    }
    return invig_text_has_prefix(client_id, user) &&
           (client_id.length == user.length || client_id.data[user.length] == ':');
}
