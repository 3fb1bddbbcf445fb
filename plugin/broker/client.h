/* SPDX-License-Identifier: Apache-2.0
 *
 * client.h - which connection of the engine a client of the broker is.
 * The broker's pointer is the only thing that tells two connections apart: client ids change hands.
 * It is never looked into, since a pointer that the broker shows may be to a client that is not
 * known here. Owns: its records, never the connections.  Not thread-safe: broker thread only.
 */
#ifndef INVIGILATOR_BROKER_CLIENT_H
#define INVIGILATOR_BROKER_CLIENT_H

#include "invigilator/connection.h"

struct mosquitto;

struct invig_client {
    struct invig_table_node node;
    const struct mosquitto *context; /* the broker's; its address is the key */
    struct invig_connection *connection;
    bool is_departed;                   /* disconnected; kept until the next tick for its will */
    struct invig_client *departed_next; /* list of those */
};

struct invig_clients {
    struct invig_table by_context;
    struct invig_client *departed;
};

void invig_clients_init(struct invig_clients *clients, struct invig_seed seed);

/* Releases all records. */
void invig_clients_deinit(struct invig_clients *clients);

/* Finds the record of `context`; NULL when it is unknown. */
struct invig_client *invig_clients_find(const struct invig_clients *clients,
                                        const struct mosquitto *context);

/* Makes a record without a connection. `context` must be unknown. Returns NULL when memory is out.
 */
struct invig_client *invig_clients_add(struct invig_clients *clients,
                                       const struct mosquitto *context);

/* Drops a record that is not departed. */
void invig_clients_remove(struct invig_clients *clients, struct invig_client *client);

/* Marks a client as gone; the record stays until invig_clients_purge. */
void invig_clients_depart(struct invig_clients *clients, struct invig_client *client);

/* Drops a departed record before its time, because the broker uses its memory again. */
void invig_clients_forget(struct invig_clients *clients, struct invig_client *client);

/* Drops all departed records. */
void invig_clients_purge(struct invig_clients *clients);

#endif
