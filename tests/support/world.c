/* SPDX-License-Identifier: Apache-2.0
 *
 * world.c - see world.h: clients, time and rights. What a backend says is in world_backend.c, what
 * is written down in world_effect.c.
 */
#include "world.h"

#include "digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void world_write_log(void *context, enum invig_log_level level, const char *line)
{
    struct world *world = context;

    (void)level;
    (void)snprintf(world->logs[world->log_count % WORLD_LOGS_MAX], WORLD_LINE_BYTES, "%s", line);
    world->log_count++;
}

static void world_read_options(struct world *world, va_list options)
{
    char error[INVIG_POLICY_ERROR_BYTES] = "";
    const char *word;

    assert_int_equal(invig_policy_init(&world->policy), INVIG_OK);
    while ((word = va_arg(options, const char *)) != NULL) {
        const char *value = va_arg(options, const char *);
        if (invig_policy_set(&world->policy, word, value, error) != INVIG_OK) {
            fail_msg("%s", error);
        }
    }
}

/* A server with one broker. */
struct world_server {
    struct fakeserver server;
    struct fakeshare share;
};

static void world_share(struct world *world)
{
    if (world->store != NULL || getenv("WORLD_SHARED") == NULL) {
        return;
    }
    world->server = calloc(1, sizeof(*world->server));
    assert_non_null(world->server);
    fakeserver_init(&world->server->server);
    invig_engine_set_share(world->engine,
                           fakeshare_join(&world->server->share, &world->server->server, "W"));
}

static void world_end(struct world *world)
{
    invig_engine_free(world->engine);
    if (world->server != NULL) {
        fakeserver_deinit(&world->server->server);
        free(world->server);
        world->server = NULL;
    }
}

static void world_start(struct world *world)
{
    const struct invig_seed seed = {{1, 2}};

    world->backend = NULL;
    world->engine = invig_engine_new(
        &world->policy, seed, (struct invig_log_sink){world, world_write_log}, invig_digest_sha256,
        world->store == NULL ? invig_store_memory() : fakestore_store(world->store));
    assert_non_null(world->engine);
    assert_int_equal(invig_engine_load(world->engine, world->now), INVIG_OK);
    world_share(world);
}

static void world_begin(struct world *world, struct fakestore *store, va_list options)
{
    memset(world, 0, offsetof(struct world, effects));
    world_clear(world);
    world->store = store;
    world->now = (struct invig_now){WORLD_START_S, 1000000};
    world_read_options(world, options);
    world_start(world);
}

void world_init(struct world *world, ...)
{
    va_list options;

    va_start(options, world);
    world_begin(world, NULL, options);
    va_end(options);
}

void world_init_with(struct world *world, struct fakestore *store, ...)
{
    va_list options;

    va_start(options, store);
    world_begin(world, store, options);
    va_end(options);
}

static bool world_has_died(const struct world *world)
{
    return world->store != NULL && world->store->is_dead;
}

void world_restart(struct world *world)
{
    world_end(world);
    if (world_has_died(world)) {
        fakestore_mend(world->store);
    }
    world_start(world);
}

void world_crash(struct world *world)
{
    world->store->is_dead = true;
    world_restart(world);
}

void world_restart_with(struct world *world, ...)
{
    va_list options;

    world_end(world);
    invig_policy_deinit(&world->policy);
    if (world_has_died(world)) {
        fakestore_mend(world->store);
    }
    va_start(options, world);
    world_read_options(world, options);
    va_end(options);
    world_start(world);
}

void world_deinit(struct world *world)
{
    world_end(world);
    invig_policy_deinit(&world->policy);
}

int world_setup(void **state)
{
    world_init(*state, NULL);
    return 0;
}

int world_teardown(void **state)
{
    world_deinit(*state);
    return 0;
}

static const char *or_default(const char *text, const char *otherwise)
{
    return text == NULL ? otherwise : text;
}

static void world_make_claims(struct world *world, const struct login *login)
{
    struct invig_claims *claims = &world->claims;
    const char *session = or_default(login->session, "s1");

    memset(claims, 0, sizeof(*claims));
    (void)snprintf(claims->user, sizeof(claims->user), "%s", or_default(login->user, "anna"));
    (void)snprintf(claims->session, sizeof(claims->session), "%s", session);
    claims->has_session = session[0] != '\0';
    claims->role = login->role == INVIG_ROLE_NONE ? INVIG_ROLE_STUDENT : login->role;
    claims->login_s = login->login_s == 0 ? WORLD_START_S : login->login_s;
    claims->issued_s = claims->login_s;
    claims->has_auth_time = login->has_auth_time;
    claims->expires_s = login->expires_s == 0 ? world->now.wall_s + 3600 : login->expires_s;
    for (size_t i = 0; i < 4 && login->evaluations[i] != NULL; i++) {
        (void)snprintf(claims->evaluations[i], sizeof(claims->evaluations[i]), "%s",
                       login->evaluations[i]);
        claims->evaluation_count = i + 1;
    }
}

static struct invig_connect world_connect(struct world *world, const struct login *login)
{
    world_make_claims(world, login);
    return (struct invig_connect){
        .client_id = invig_text_of(or_default(login->client_id, "anna:1")),
        .username = invig_text_of(login->username),
        .address = invig_text_of(or_default(login->address, "192.0.2.1")),
        .protocol_version = login->version == 0 ? 4 : login->version,
        .is_clean = !login->is_durable,
        .keepalive_s = login->keepalive_s == 0  ? 30
                       : login->keepalive_s < 0 ? 0
                                                : login->keepalive_s,
        .claims = &world->claims,
    };
}

struct invig_connection *world_refresh(struct world *world, struct invig_connection *connection,
                                       const struct login *login)
{
    struct invig_connect connect = world_connect(world, login);

    connect.client_id = connection->client_id;
    connect.protocol_version = 5;
    world->verdict =
        invig_engine_refresh(world->engine, world->now, &connect, &connection, &world->refusal);
    assert_int_not_equal(world->verdict, INVIG_DEFER);
    return connection;
}

struct invig_connection *world_login(struct world *world, const struct login *login)
{
    struct invig_connection *connection = NULL;
    const struct invig_connect connect = world_connect(world, login);

    world->verdict =
        invig_engine_connect(world->engine, world->now, &connect, &connection, &world->refusal);
    assert_int_not_equal(world->verdict, INVIG_DEFER);
    assert_int_equal(world->verdict == INVIG_ALLOW, connection != NULL);
    return connection;
}

struct invig_connection *world_defer(struct world *world, const char *client_id)
{
    struct invig_connection *connection = NULL;
    const struct invig_connect connect = {
        .client_id = invig_text_of(client_id),
        .username = invig_text_of("backend"),
        .address = invig_text_of("127.0.0.1"),
        .protocol_version = 4,
        .keepalive_s = 60,
    };

    world->verdict =
        invig_engine_connect(world->engine, world->now, &connect, &connection, &world->refusal);
    assert_int_not_equal(world->verdict, INVIG_ALLOW);
    assert_int_equal(world->verdict == INVIG_DEFER, connection != NULL);
    return connection;
}

void world_tick(struct world *world)
{
    struct invig_effect effect;

    world->now.steady_ms += WORLD_TICK_MS;
    world->now.wall_s = WORLD_START_S + (world->now.steady_ms - 1000000) / 1000;
    invig_engine_tick(world->engine, world->now);
    while (!world_has_died(world) && invig_engine_next_effect(world->engine, world->now, &effect)) {
        world_write_effect(world, &effect);
    }
}

void world_pass(struct world *world, int64_t seconds)
{
    int64_t until_ms = world->now.steady_ms + seconds * 1000;

    /* Long times are crossed in one step before the last second, whose ticks are all made. */
    if (seconds > 60) {
        world->now.steady_ms = until_ms - 1000;
    }
    while (world->now.steady_ms < until_ms) {
        world_tick(world);
    }
}

void world_disconnect(struct world *world, struct invig_connection *connection)
{
    world_disconnect_by(world, connection, INVIG_CAUSE_UNKNOWN);
}

void world_disconnect_by(struct world *world, struct invig_connection *connection,
                         enum invig_cause cause)
{
    invig_engine_disconnect(world->engine, world->now, connection, cause);
    if (world->backend == connection) {
        world->backend = NULL;
    }
}

struct invig_stats world_stats(const struct world *world)
{
    struct invig_stats stats;

    invig_engine_read_stats(world->engine, &stats);
    return stats;
}

enum invig_verdict world_subscribe(struct world *world, const struct invig_connection *connection,
                                   const char *filter)
{
    return invig_engine_subscribe(world->engine, connection, invig_text_of(filter));
}

enum invig_verdict world_deliver(struct world *world, const struct invig_connection *connection,
                                 const char *topic)
{
    return invig_engine_deliver(world->engine, connection, invig_text_of(topic));
}

enum invig_verdict world_publish(struct world *world, const struct invig_connection *connection,
                                 const char *topic)
{
    return invig_engine_publish(world->engine, connection, invig_text_of(topic));
}
