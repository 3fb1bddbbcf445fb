/* SPDX-License-Identifier: Apache-2.0
 *
 * hot_broker.c - see hot_broker.h.
 */
#include "hot_broker.h"

#include "hot_heap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EVENTS_MAX = MOSQ_EVT_DISCONNECT + 1 }; /* what Mosquitto 2.0 has */

static struct hot_callback callbacks[EVENTS_MAX];
static void *plugin_userdata;
static uint64_t published;

/* -- What the plugin calls -- */

int mosquitto_callback_register(mosquitto_plugin_id_t *identifier, int event,
                                MOSQ_FUNC_generic_callback callback, const void *event_data,
                                void *userdata)
{
    (void)identifier;
    (void)event_data;
    if (event < 0 || event >= EVENTS_MAX) {
        return MOSQ_ERR_NOT_SUPPORTED;
    }
    callbacks[event] = (struct hot_callback){callback, userdata};
    return MOSQ_ERR_SUCCESS;
}

int mosquitto_callback_unregister(mosquitto_plugin_id_t *identifier, int event,
                                  MOSQ_FUNC_generic_callback callback, const void *event_data)
{
    (void)identifier;
    (void)callback;
    (void)event_data;
    if (event >= 0 && event < EVENTS_MAX) {
        callbacks[event] = (struct hot_callback){NULL, NULL};
    }
    return MOSQ_ERR_SUCCESS;
}

/* The broker owns the payload when it succeeds. */
int mosquitto_broker_publish(const char *client_id, const char *topic, int length, void *payload,
                             int qos, bool retain, mosquitto_property *properties)
{
    (void)client_id;
    (void)topic;
    (void)length;
    (void)qos;
    (void)retain;
    (void)properties;
    free(payload);
    published++;
    return MOSQ_ERR_SUCCESS;
}

int mosquitto_kick_client_by_clientid(const char *client_id, bool with_will)
{
    (void)with_will;
    fprintf(stderr, "bench_hot: %s is disconnected, which nothing here asks for\n", client_id);
    exit(EXIT_FAILURE);
}

int mosquitto_set_username(struct mosquitto *client, const char *username)
{
    (void)snprintf(client->username, sizeof(client->username), "%s", username);
    return MOSQ_ERR_SUCCESS;
}

char *mosquitto_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);

    return copy == NULL ? NULL : memcpy(copy, text, size);
}

void mosquitto_free(void *memory)
{
    free(memory);
}

__attribute__((format(printf, 2, 3))) void mosquitto_log_printf(int level, const char *format, ...)
{
    (void)level;
    (void)format;
}

const char *mosquitto_client_address(const struct mosquitto *client)
{
    (void)client;
    return "192.0.2.1";
}

const char *mosquitto_client_id(const struct mosquitto *client)
{
    return client->id;
}

const char *mosquitto_client_username(const struct mosquitto *client)
{
    return client->username[0] == '\0' ? NULL : client->username;
}

/* -- What the benchmark calls -- */

void hot_broker_start(struct mosquitto_opt *options, int option_count)
{
    hot_must(mosquitto_plugin_init(NULL, &plugin_userdata, options, option_count) ==
                 MOSQ_ERR_SUCCESS,
             "starting the plugin");
}

void hot_broker_stop(void)
{
    (void)mosquitto_plugin_cleanup(plugin_userdata, NULL, 0);
}

struct hot_callback hot_broker_callback(int event)
{
    hot_must(callbacks[event].function != NULL, "finding a callback");
    return callbacks[event];
}

static int broker_call(int event, void *event_data)
{
    struct hot_callback callback = hot_broker_callback(event);

    return callback.function(event, event_data, callback.userdata);
}

int hot_broker_connect(struct mosquitto *client, char *password)
{
    struct mosquitto_evt_basic_auth event = {.client = client, .password = password};

    client->username[0] = '\0';
    return broker_call(MOSQ_EVT_BASIC_AUTH, &event);
}

void hot_broker_disconnect(struct mosquitto *client)
{
    struct mosquitto_evt_disconnect event = {.client = client, .reason = -1};

    (void)broker_call(MOSQ_EVT_DISCONNECT, &event);
}

int hot_broker_message(struct mosquitto *client, const char *topic, const char *payload)
{
    struct mosquitto_evt_message event = {.client = client,
                                          .topic = (char *)(uintptr_t)topic,
                                          .payload = (void *)(uintptr_t)payload,
                                          .payloadlen = (uint32_t)strlen(payload),
                                          .retain = true};

    return broker_call(MOSQ_EVT_MESSAGE, &event);
}

void hot_broker_settle(void)
{
    struct mosquitto_evt_tick event = {.future = NULL};
    uint64_t before;

    do {
        before = published;
        (void)broker_call(MOSQ_EVT_TICK, &event);
    } while (published != before);
}

uint64_t hot_broker_published(void)
{
    return published;
}
