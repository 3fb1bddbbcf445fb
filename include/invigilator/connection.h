/* SPDX-License-Identifier: Apache-2.0
 *
 * connection.h - MQTT client connections: who is at the other end and who holds which client id.
 * Owns: copies of every string it stores.  Not thread-safe: broker thread only.
 * Depends on: status, text, table, timer, rights, session, notice.
 */
#ifndef INVIGILATOR_CONNECTION_H
#define INVIGILATOR_CONNECTION_H

#include "invigilator/rights.h"
#include "invigilator/session.h"

/* Connections of a user that are there without rights, at a time. */
enum { INVIG_USER_CONNECTIONS_TOLD_MAX = 1000 };

enum invig_connection_state {
    INVIG_CONNECTION_CLOSED = 0, /* zeroed memory: no right */
    INVIG_CONNECTION_DEFERRED,   /* no token: Mosquitto's own checks decide */
    INVIG_CONNECTION_OPEN,       /* a token client with the rights of its role */
    INVIG_CONNECTION_TOLD,       /* its session is over: no right, told why, then disconnected */
    INVIG_CONNECTION_REPLACED,   /* another connection took its client id; the broker closes it */
    INVIG_CONNECTION_DEPARTED    /* disconnected; only its will may still be on its way */
};

/* Which list of effect.h a connection is in. */
enum invig_pending {
    INVIG_PENDING_NONE = 0,
    INVIG_PENDING_NOTICE,
    INVIG_PENDING_KICK,
    INVIG_PENDING_DEPARTED,
    INVIG_PENDING_DROP, /* to be disconnected at once */
    INVIG_PENDING_COUNT
};

/* What a delivery is decided by stands first. */
struct invig_connection {
    enum invig_connection_state state;
    unsigned claim_count;         /* evaluations that its token names; 0 unless it is OPEN */
    int64_t ends_s;               /* exp plus leeway: nothing is allowed after it */
    struct invig_user *user;      /* NULL: no token */
    struct invig_subject subject; /* what rights are decided by; role NONE without a token */
    struct invig_table_node by_client_id;
    struct invig_connection *same_client_id; /* older holder of the id; only among DEFERRED ones */
    struct invig_session *session;           /* NULL: no token, or a service without a session */
    struct invig_connection *user_previous;  /* list of the user's connections */
    struct invig_connection *user_next;
    int64_t since_s;     /* when it connected; Unix seconds UTC */
    uint64_t serial;     /* rises from connection to connection; never used again */
    enum invig_end end;  /* why it is TOLD */
    unsigned told_count; /* TOLD with INVIG_END_BLOCKED: notices that it was sent */
    bool was_open;       /* of REPLACED and DEPARTED: it was OPEN or DEFERRED before */
    bool is_leaving;     /* it was handed out to be disconnected */
    bool is_unrecorded;  /* its login rests on records that were not stored then */
    enum invig_pending pending;
    struct invig_timer timer;
    struct invig_connection *previous; /* list of all connections of the engine */
    struct invig_connection *next;
    struct invig_connection *pending_previous;
    struct invig_connection *pending_next;
    uint64_t kick_tick;            /* tick count from which it may be disconnected */
    int64_t kick_ms;               /* steady time from which it may be disconnected */
    struct invig_text client_id;   /* NUL-terminated, present */
    struct invig_text address;     /* absent where the broker gives none */
    struct invig_member *claims[]; /* what is known of its user in each of them */
    /* Behind them, in the same memory: the texts above. */
};

struct invig_connections {
    struct invig_table by_client_id;
    size_t count; /* connections of the engine, those that hold no client id included */
};

void invig_connections_init(struct invig_connections *connections, struct invig_seed seed);

/* Releases the table; every connection must have been freed. */
void invig_connections_deinit(struct invig_connections *connections);

/* Makes a connection that holds no client id yet and is in state CLOSED.
 *
 *   address          may be absent
 *   claim_count_max  how many `claims` there is room for
 *
 * Returns NULL when memory is out. The caller frees it with invig_connection_free. */
struct invig_connection *invig_connection_new(struct invig_text client_id,
                                              struct invig_text address, size_t claim_count_max);

/* Frees a connection that holds no client id, waits for nothing and is in no list. NULL is allowed.
 */
void invig_connection_free(struct invig_connection *connection);

/* The newest connection that holds `client_id`; NULL when there is none. */
struct invig_connection *invig_connections_holder(const struct invig_connections *connections,
                                                  struct invig_text client_id);

/* Makes `connection` the newest holder of its client id. Where the id is held already, the holder
 * steps behind it. Returns INVIG_OK, or with nothing changed INVIG_ERR_NO_MEMORY. */
enum invig_status invig_connections_hold(struct invig_connections *connections,
                                         struct invig_connection *connection);

/* Takes the client id from `connection`; not holding it is allowed. Needs no memory when it is the
 * only holder. */
void invig_connections_release(struct invig_connections *connections,
                               struct invig_connection *connection);

/* True when `client_id` may be that of a token client of `user`: the user id, or the user id and
 * ':' and anything, or one that the broker made up ("auto-..."). */
bool invig_client_id_fits(struct invig_text client_id, struct invig_text user);

#endif
