/* SPDX-License-Identifier: Apache-2.0
 *
 * hot_world.c - see hot_world.h.
 */
#include "hot_world.h"

#include "hot_heap.h"
#include "mint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SECRET_BYTES = 64, DAY_S = 86400, LOGIN_BEFORE_S = 3600, TICK_EVERY = 64 };

static const char secret[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
static struct mint_key *keys[3]; /* HS256, RS256, ES256 */
static struct mosquitto *clients;
static struct mosquitto second;
static struct mosquitto backend = {.id = "backend"};
static int64_t start_s;

static struct mint_key *key_of(enum invig_algorithm algorithm)
{
    if (algorithm == INVIG_ALGORITHM_HS256) {
        return keys[0];
    }
    return algorithm == INVIG_ALGORITHM_RS256 ? keys[1] : keys[2];
}

static void write_text(const char *path, const char *text)
{
    mint_write_file(path, text, strlen(text), 0600);
}

/* The keys that are public, as a set. */
static void write_jwks(const char *path)
{
    char *rsa = mint_jwk(keys[1], ",\"alg\":\"RS256\"");
    char *ec = mint_jwk(keys[2], ",\"alg\":\"ES256\"");
    char set[4096];

    (void)snprintf(set, sizeof(set), "{\"keys\":[%s,%s]}", rsa, ec);
    write_text(path, set);
    free(rsa);
    free(ec);
}

static void start_plugin(void)
{
    char directory[] = "/tmp/bench_hot_XXXXXX";
    char secret_path[64];
    char jwks_path[64];
    struct mosquitto_opt options[] = {
        {(char[]){"jwt_secret_file"}, secret_path},
        {(char[]){"jwt_jwks_file"}, jwks_path},
    };

    hot_must(mkdtemp(directory) != NULL, "mkdtemp");
    (void)snprintf(secret_path, sizeof(secret_path), "%s/secret", directory);
    (void)snprintf(jwks_path, sizeof(jwks_path), "%s/jwks", directory);
    write_text(secret_path, secret);
    write_jwks(jwks_path);
    hot_broker_start(options, 2);
    (void)unlink(secret_path);
    (void)unlink(jwks_path);
    (void)rmdir(directory);
}

void hot_world_start(size_t user_count)
{
    start_s = (int64_t)time(NULL);
    keys[0] = mint_key_secret(secret, SECRET_BYTES);
    keys[1] = mint_key_rsa(2048);
    keys[2] = mint_key_ec("P-256");
    clients = calloc(user_count, sizeof(*clients));
    hot_must(clients != NULL, "calloc");
    start_plugin();
    hot_must(hot_broker_connect(&backend, (char[]){"password"}) == MOSQ_ERR_PLUGIN_DEFER,
             "the backend's connection");
}

void hot_world_stop(void)
{
    hot_broker_stop();
    free(clients);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        mint_key_free(keys[i]);
    }
}

size_t hot_world_evaluations(size_t user_count)
{
    return (user_count + HOT_USERS_EACH - 1) / HOT_USERS_EACH;
}

void hot_world_begin(size_t count)
{
    char topic[64];
    char payload[160];

    for (size_t i = 0; i < count; i++) {
        (void)snprintf(topic, sizeof(topic), "evaluations/e%zu", i);
        (void)snprintf(payload, sizeof(payload),
                       "{\"type\":\"EVALUATION_UPDATE\",\"evaluationId\":\"e%zu\","
                       "\"phase\":\"IN_PROGRESS\"}",
                       i);
        hot_must(hot_broker_message(&backend, topic, payload) == MOSQ_ERR_SUCCESS, topic);
    }
    hot_broker_settle();
}

char *hot_world_token(size_t user, unsigned login, enum invig_algorithm algorithm)
{
    char header[32];
    char payload[320];
    long long login_s = (long long)start_s - LOGIN_BEFORE_S + login;

    (void)snprintf(header, sizeof(header), "{\"alg\":\"%s\"}", invig_algorithm_name(algorithm));
    (void)snprintf(payload, sizeof(payload),
                   "{\"sub\":\"u%06zu\",\"sid\":\"%08x-5e55-4000-8000-%012zu\","
                   "\"exp\":%lld,\"iat\":%lld,\"auth_time\":%lld,\"evaluations\":[\"e%zu\"]}",
                   user, login, user, (long long)start_s + DAY_S, login_s, login_s,
                   user / HOT_USERS_EACH);
    return mint_token(key_of(algorithm), algorithm, header, payload);
}

static void write_client_id(struct mosquitto *client, size_t user, unsigned login)
{
    (void)snprintf(client->id, sizeof(client->id), "u%06u:%08x-c11e-4000-8000-%012u",
                   (unsigned)user, login, (unsigned)user);
}

struct mosquitto *hot_world_client(size_t user)
{
    return &clients[user];
}

struct mosquitto *hot_world_second(size_t user, unsigned login)
{
    write_client_id(&second, user, login);
    return &second;
}

void hot_world_log_in(size_t first, size_t end)
{
    for (size_t user = first; user < end; user++) {
        char *token = hot_world_token(user, 0, INVIG_ALGORITHM_HS256);

        write_client_id(&clients[user], user, 0);
        hot_must(hot_broker_connect(&clients[user], token) == MOSQ_ERR_SUCCESS, "a login");
        free(token);
        if (user % TICK_EVERY == 0) {
            hot_broker_settle();
        }
    }
    hot_broker_settle();
}

unsigned *hot_world_shuffle(size_t count)
{
    unsigned *order = calloc(count, sizeof(*order));
    uint64_t random = 88172645463325252U; /* xorshift64 of Marsaglia (2003) */

    hot_must(order != NULL, "calloc");
    for (size_t i = 0; i < count; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        size_t other = (size_t)(random % (i + 1));
        order[i] = order[other];
        order[other] = (unsigned)i;
    }
    return order;
}
