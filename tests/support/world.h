/* SPDX-License-Identifier: Apache-2.0
 *
 * world.h - an engine with a made-up clock and a broker that only writes down what it is told, for
 * scenario and model tests. Failures are cmocka's. JSON stands here with ' for ", in what is handed
 * in and in what is written down: it reads better in C.
 */
#ifndef INVIGILATOR_TEST_WORLD_H
#define INVIGILATOR_TEST_WORLD_H

#include "backend.h"
#include "fakeshare.h"
#include "fakestore.h"

enum {
    WORLD_EFFECTS_MAX = 512,
    WORLD_LINE_BYTES = 8192,
    WORLD_LOGS_MAX = 64,
    WORLD_TICK_MS = 100,
    WORLD_START_S = 1800000000 /* in 2027; a round number reads well in a failure */
};

struct world {
    struct invig_policy policy;
    struct invig_engine *engine;
    struct fakestore *store;     /* borrowed; NULL: the one that keeps nothing */
    struct world_server *server; /* what it shares with nobody; NULL: nothing. See world_init */
    struct invig_now now;
    size_t effect_count;          /* since world_clear */
    size_t log_count;             /* since world_clear; the last WORLD_LOGS_MAX are kept */
    struct invig_refusal refusal; /* of the last CONNECT */
    enum invig_verdict verdict;   /* of the last CONNECT */
    struct invig_claims claims;
    struct invig_connection *backend; /* of world_backend; NULL: not yet */
    char answer[WORLD_LINE_BYTES];    /* of the last world_command */
    /* From here on not cleared when a world begins: it takes longer than a short history. */
    char effects[WORLD_EFFECTS_MAX][WORLD_LINE_BYTES];
    char logs[WORLD_LOGS_MAX][WORLD_LINE_BYTES];
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

/* Starts a world with the options given as word, value, ..., NULL. With WORLD_SHARED in the
 * environment a world without a store has a server for what brokers share, all for itself: every
 * story must go as it does without. */
void world_init(struct world *world, ...);
void world_deinit(struct world *world);

/* The same with records in `store`, which is borrowed: what it has is loaded. */
void world_init_with(struct world *world, struct fakestore *store, ...);

/* The broker stops and starts again with the records that its store has: connections are gone, and
 * time has not moved. A store that died works again, a full one stays full. world_restart_with does
 * so with other options. */
void world_restart(struct world *world);
void world_restart_with(struct world *world, ...);

/* Likewise, but it dies in this moment: it records nothing more. */
void world_crash(struct world *world);

/* The same for cmocka, with default options: a test file has a `static struct world world` and
 * lists its tests as WORLD_CASE(name). */
int world_setup(void **state);
int world_teardown(void **state);
#define WORLD_CASE(name)                                                                           \
    cmocka_unit_test_prestate_setup_teardown(name, world_setup, world_teardown, &world)

/* A CONNECT with a token. Returns the connection, NULL when it was denied. */
struct invig_connection *world_login(struct world *world, const struct login *login);

/* `connection`, which is over or goes on as another one, shows a newer token: user, session, role,
 * times and evaluations of `login`. Returns the connection that stands for it from here on; the old
 * one where it was denied (world->verdict). */
struct invig_connection *world_refresh(struct world *world, struct invig_connection *connection,
                                       const struct login *login);

/* A CONNECT without one. */
struct invig_connection *world_defer(struct world *world, const char *client_id);

/* The backend: a connection without a token under the client id "backend", made at first use. */
struct invig_connection *world_backend(struct world *world);

/* One tick of the broker, WORLD_TICK_MS later; where the store dies in it, nothing else comes of
 * it. Effects are written down as
 *
 *   KICK <client id>
 *   NOTIFY <client id> SUPERSEDED|REVOKED|EXPIRED|EXPIRING <user> <session>
 *   NOTIFY <client id> BLOCKED <evaluation> <user>
 *   NOTIFY <client id> PUBLISH_REFUSED <topic> <error>
 *   REPLY <client id> <json>                          an answer to a command
 *   SEND <client id> <topic> <payload>                the evaluation's last message once more
 *   RETAIN <topic> <payload>                          a copy, as it is published
 *   CLEAR <topic>                                     an empty retained message
 *   PRESENCE <evaluation> <user> online|offline <connections> <cause>
 *   INCIDENT <evaluation> <user> <kind> enforced|observed <bound> <refused> <address>
 *
 * with fingerprints as world_fingerprint makes them. What an effect must be like whatever the story
 * is checked on the way: its topic, whether it is retained, that its payload is a JSON object. */
void world_tick(struct world *world);

/* Ticks until `seconds` have passed. */
void world_pass(struct world *world, int64_t seconds);

/* The connection ends; the broker does not say why. */
void world_disconnect(struct world *world, struct invig_connection *connection);
void world_disconnect_by(struct world *world, struct invig_connection *connection,
                         enum invig_cause cause);

/* A PUBLISH with a retained payload: asks invig_engine_publish, then invig_backend_message.
 * `connection` may be NULL: a publisher that is not known. An empty payload is "". */
enum invig_verdict world_message(struct world *world, const struct invig_connection *connection,
                                 const char *topic, const char *payload);

/* As world_message, not retained. */
enum invig_verdict world_message_once(struct world *world,
                                      const struct invig_connection *connection, const char *topic,
                                      const char *payload);

/* The backend publishes, retained, on evaluations/{evaluation}, or on
 * evaluations/{evaluation}/users
 * /{user} where `user` is not NULL, an EVALUATION_UPDATE that names these ids and has the `members`
 * ("'phase':'NEW'"; "" for none). world_offer returns what becomes of it, world_say insists that it
 * passes. */
enum invig_verdict world_offer(struct world *world, const char *evaluation, const char *user,
                               const char *members);
void world_say(struct world *world, const char *evaluation, const char *user, const char *members);

/* The evaluation e1 is IN_PROGRESS, and anna has come in under session s1 and client id anna:1,
 * from 192.0.2.1, with a token that names e1 and e2: s1 is bound. Effects and log lines so far are
 * forgotten. Returns her connection. */
struct invig_connection *world_exam(struct world *world);

/* anna logs in under `session`, from 192.0.2.2, with such a token. The broker has not ticked yet.
 */
struct invig_connection *world_login_again(struct world *world, const char *session,
                                           const char *client_id);

/* Runs one command without a connection that gets the answer; returns the answer, which stays valid
 * until the next call. */
const char *world_command(struct world *world, const char *command);

/* Revokes by command: a session; all sessions of a user but `except` (NULL: none), unseen ones with
 * a login before `before_s` (0: before this second) included. */
void world_invalidate_session(struct world *world, const char *user, const char *session);
void world_invalidate_user(struct world *world, const char *user, const char *except,
                           int64_t before_s);

/* A payload on the control topic. The answer is sent in the next tick. */
void world_control(struct world *world, const struct invig_connection *connection,
                   const char *payload);

/* First 12 hex digits of the SHA-256 of `session`; valid until the fourth call after. */
const char *world_fingerprint(const char *session);

/* Writes an effect down, as world_tick does. */
void world_write_effect(struct world *world, const struct invig_effect *effect);

/* Forgets effects and log lines. */
void world_clear(struct world *world);

/* How often the effect was written down. */
size_t world_count(const struct world *world, const char *effect);

/* How many effects begin with `prefix`. */
size_t world_count_prefix(const struct world *world, const char *prefix);

/* How many incidents of anna's were written down: `kind` as "SECOND_LOGIN enforced", `bound` and
 * `refused` session ids. */
size_t world_count_incidents(const struct world *world, const char *evaluation, const char *kind,
                             const char *bound, const char *refused, const char *address);

/* Place of the effect among those written down; -1 when it is not there. */
int world_find(const struct world *world, const char *effect);

/* The last effect that begins with `prefix`; NULL when there is none. */
const char *world_last(const struct world *world, const char *prefix);

/* True when a log line contains `text`. */
bool world_has_logged(const struct world *world, const char *text);

/* The counters of now. */
struct invig_stats world_stats(const struct world *world);

enum invig_verdict world_subscribe(struct world *world, const struct invig_connection *connection,
                                   const char *filter);
enum invig_verdict world_deliver(struct world *world, const struct invig_connection *connection,
                                 const char *topic);
enum invig_verdict world_publish(struct world *world, const struct invig_connection *connection,
                                 const char *topic);

#endif
