/* SPDX-License-Identifier: Apache-2.0
 *
 * world.h - an engine with a made-up clock and a broker that only writes down what it is told, for
 * scenario and model tests. Failures are cmocka's.
 */
#ifndef INVIGILATOR_TEST_WORLD_H
#define INVIGILATOR_TEST_WORLD_H

#include "invigilator/engine.h"

enum {
    WORLD_EFFECTS_MAX = 512,
    WORLD_LINE_BYTES = 1024,
    WORLD_LOGS_MAX = 64,
    WORLD_TICK_MS = 100,
    WORLD_START_S = 1800000000 /* in 2027; a round number reads well in a failure */
};

struct world {
    struct invig_policy policy;
    struct invig_engine *engine;
    struct invig_now now;
    size_t effect_count; /* since world_clear */
    char effects[WORLD_EFFECTS_MAX][WORLD_LINE_BYTES];
    size_t log_count; /* since world_clear; the last WORLD_LOGS_MAX are kept */
    char logs[WORLD_LOGS_MAX][WORLD_LINE_BYTES];
    struct invig_refusal refusal; /* of the last CONNECT */
    enum invig_verdict verdict;   /* of the last CONNECT */
    struct invig_claims claims;
};

/* A CONNECT. What is zero or NULL is as a well-behaved page has it. */
struct login {
    const char *user;      /* "anna" */
    const char *session;   /* "s1"; "" for none */
    const char *client_id; /* "anna:1" */
    const char *username;  /* none */
    const char *address;   /* "192.0.2.1" */
    enum invig_role role;  /* INVIG_ROLE_STUDENT */
    int64_t login_s;       /* WORLD_START_S */
    bool has_auth_time;    /* true where login_s is given by auth_time */
    int64_t expires_s;     /* an hour from now */
    int version;           /* 4 */
    bool is_durable;       /* clean session or clean start off */
    int64_t keepalive_s;   /* 30; negative: 0 */
    const char *evaluations[4];
};

/* Starts a world with the options given as word, value, ..., NULL. */
void world_init(struct world *world, ...);
void world_deinit(struct world *world);

/* A CONNECT with a token. Returns the connection, NULL when it was denied. */
struct invig_connection *world_login(struct world *world, const struct login *login);

/* A CONNECT without one. */
struct invig_connection *world_defer(struct world *world, const char *client_id);

/* One tick of the broker, WORLD_TICK_MS later; effects are written down as "NOTIFY <client id>
 * <notice>" and "KICK <client id>". */
void world_tick(struct world *world);

/* Ticks until `seconds` have passed. */
void world_pass(struct world *world, int64_t seconds);

void world_disconnect(struct world *world, struct invig_connection *connection);

/* Forgets effects and log lines. */
void world_clear(struct world *world);

/* How often the effect was written down. */
size_t world_count(const struct world *world, const char *effect);

/* Place of the effect among those written down; -1 when it is not there. */
int world_find(const struct world *world, const char *effect);

/* True when a log line contains `text`. */
bool world_has_logged(const struct world *world, const char *text);

enum invig_verdict world_subscribe(struct world *world, const struct invig_connection *connection,
                                   const char *filter);
enum invig_verdict world_deliver(struct world *world, const struct invig_connection *connection,
                                 const char *topic);
enum invig_verdict world_publish(struct world *world, const struct invig_connection *connection,
                                 const char *topic);

#endif
