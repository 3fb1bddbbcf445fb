/* SPDX-License-Identifier: Apache-2.0
 *
 * client.c - see client.h.
 */
#include "client.h"

#include <stdlib.h>

static struct invig_client *client_of_node(struct invig_table_node *node)
{
    return (struct invig_client *)(void *)((char *)node - offsetof(struct invig_client, node));
}

void invig_clients_init(struct invig_clients *clients, struct invig_seed seed)
{
    invig_table_init(&clients->by_context, seed);
    clients->departed = NULL;
}

void invig_clients_deinit(struct invig_clients *clients)
{
    struct invig_table_node *node = invig_table_next(&clients->by_context, NULL);

    while (node != NULL) {
        struct invig_table_node *next = invig_table_next(&clients->by_context, node);
        invig_clients_remove(clients, client_of_node(node));
        node = next;
    }
    clients->departed = NULL;
    invig_table_deinit(&clients->by_context);
}

struct invig_client *invig_clients_find(const struct invig_clients *clients,
                                        const struct mosquitto *context)
{
    struct invig_table_node *node =
        invig_table_find(&clients->by_context, &context, sizeof(context));

    return node == NULL ? NULL : client_of_node(node);
}

struct invig_client *invig_clients_add(struct invig_clients *clients,
                                       const struct mosquitto *context)
{
    struct invig_client *client = calloc(1, sizeof(*client));

    if (client == NULL) {
        return NULL;
    }
    client->context = context;
    if (!invig_table_add(&clients->by_context, &client->node, &client->context,
                         sizeof(client->context))) {
        free(client);
        return NULL;
    }
    return client;
}

void invig_clients_remove(struct invig_clients *clients, struct invig_client *client)
{
    invig_table_remove(&clients->by_context, &client->node);
    free(client);
}

void invig_clients_depart(struct invig_clients *clients, struct invig_client *client)
{
    if (!client->is_departed) {
        client->is_departed = true;
        client->departed_next = clients->departed;
        clients->departed = client;
    }
}

void invig_clients_forget(struct invig_clients *clients, struct invig_client *client)
{
    struct invig_client **link = &clients->departed;

    while (*link != NULL && *link != client) {
        link = &(*link)->departed_next;
    }
    if (*link != NULL) {
        *link = client->departed_next;
    }
    invig_clients_remove(clients, client);
}

void invig_clients_purge(struct invig_clients *clients)
{
    while (clients->departed != NULL) {
        struct invig_client *client = clients->departed;
        clients->departed = client->departed_next;
        invig_clients_remove(clients, client);
    }
}
