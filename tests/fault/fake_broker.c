/* SPDX-License-Identifier: Apache-2.0
 *
 * fake_broker.c - see fake_broker.h.
 */
#include "fake_broker.h"

#include "fault.h"

#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CALLBACKS_MAX = 16 };

struct fake_broker fake_broker;

static struct {
    int event;
    MOSQ_FUNC_generic_callback callback;
    void *userdata;
} callbacks[CALLBACKS_MAX];

/* -- What the plugin calls -- */

int __wrap_mosquitto_callback_register(mosquitto_plugin_id_t *identifier, int event,
                                       MOSQ_FUNC_generic_callback callback, const void *event_data,
                                       void *userdata);
int __wrap_mosquitto_broker_publish(const char *client_id, const char *topic, int length,
                                    void *payload, int qos, bool retain,
                                    mosquitto_property *properties);
int __wrap_mosquitto_set_username(struct mosquitto *client, const char *username);
char *__wrap_mosquitto_strdup(const char *text);

int __wrap_mosquitto_callback_register(mosquitto_plugin_id_t *identifier, int event,
                                       MOSQ_FUNC_generic_callback callback, const void *event_data,
                                       void *userdata)
{
    size_t place = 0;

    (void)identifier;
    (void)event_data;
    if (fault_strikes("mosquitto_callback_register", __builtin_return_address(0))) {
        return MOSQ_ERR_NOMEM;
    }
    while (callbacks[place].callback != NULL) {
        assert_int_not_equal(callbacks[place].event, event);
        place++;
    }
    assert_true(place < CALLBACKS_MAX - 1);
    callbacks[place].event = event;
    callbacks[place].callback = callback;
    callbacks[place].userdata = userdata;
    return MOSQ_ERR_SUCCESS;
}

int mosquitto_callback_unregister(mosquitto_plugin_id_t *identifier, int event,
                                  MOSQ_FUNC_generic_callback callback, const void *event_data)
{
    (void)identifier;
    (void)event_data;
    for (size_t i = 0; i < CALLBACKS_MAX - 1; i++) {
        if (callbacks[i].event == event && callbacks[i].callback == callback) {
            memmove(&callbacks[i], &callbacks[i + 1],
                    (CALLBACKS_MAX - 1 - i) * sizeof(callbacks[0]));
            return MOSQ_ERR_SUCCESS;
        }
    }
    fail_msg("not registered: %d", event);
    return MOSQ_ERR_NOT_FOUND;
}

static void line_add(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void line_add(const char *format, ...)
{
    va_list arguments;
    int length;

    assert_true(fake_broker.line_count < FAKE_LINES_MAX);
    va_start(arguments, format);
    length =
        vsnprintf(fake_broker.lines[fake_broker.line_count], FAKE_LINE_BYTES, format, arguments);
    va_end(arguments);
    assert_in_range(length, 1, FAKE_LINE_BYTES - 1);
    fake_broker.line_count++;
}

/* The broker owns the payload when it succeeds. */
int __wrap_mosquitto_broker_publish(const char *client_id, const char *topic, int length,
                                    void *payload, int qos, bool retain,
                                    mosquitto_property *properties)
{
    assert_non_null(topic);
    assert_null(properties);
    assert_in_range(qos, 0, 1);
    assert_int_equal(strlen(payload), length);
    if (fault_strikes("mosquitto_broker_publish", __builtin_return_address(0))) {
        return MOSQ_ERR_NOMEM;
    }
    if (client_id != NULL) {
        line_add("SEND %s %s %s", client_id, topic, (const char *)payload);
    } else {
        line_add("%s %s %s", retain ? "RETAIN" : "PUBLISH", topic, (const char *)payload);
    }
    free(payload);
    return MOSQ_ERR_SUCCESS;
}

int mosquitto_kick_client_by_clientid(const char *client_id, bool with_will)
{
    assert_false(with_will);
    assert_string_not_equal(client_id, "");
    line_add("KICK %s", client_id);
    return MOSQ_ERR_SUCCESS;
}

int __wrap_mosquitto_set_username(struct mosquitto *client, const char *username)
{
    if (fault_strikes("mosquitto_set_username", __builtin_return_address(0))) {
        return MOSQ_ERR_NOMEM;
    }
    (void)snprintf(client->username, sizeof(client->username), "%s", username);
    return MOSQ_ERR_SUCCESS;
}

char *__wrap_mosquitto_strdup(const char *text)
{
    return fault_strikes("mosquitto_strdup", __builtin_return_address(0)) ? NULL : strdup(text);
}

void mosquitto_free(void *memory)
{
    free(memory);
}

__attribute__((format(printf, 2, 3))) void mosquitto_log_printf(int level, const char *format, ...)
{
    va_list arguments;

    if (level == MOSQ_LOG_ERR) {
        fake_broker.error_count++;
        va_start(arguments, format);
        (void)vsnprintf(fake_broker.error, sizeof(fake_broker.error), format, arguments);
        va_end(arguments);
    }
}

const char *mosquitto_client_address(const struct mosquitto *client)
{
    return client->address;
}

const char *mosquitto_client_id(const struct mosquitto *client)
{
    return client->id;
}

const char *mosquitto_client_username(const struct mosquitto *client)
{
    return client->username[0] == '\0' ? NULL : client->username;
}

/* -- What a test calls -- */

void fake_broker_clear(void)
{
    fake_broker.line_count = 0;
    fake_broker.error_count = 0;
    fake_broker.error[0] = '\0';
}

size_t fake_broker_callbacks(void)
{
    size_t count = 0;

    while (callbacks[count].callback != NULL) {
        count++;
    }
    return count;
}

int fake_broker_call(int event, void *event_data)
{
    for (size_t i = 0; callbacks[i].callback != NULL; i++) {
        if (callbacks[i].event == event) {
            return callbacks[i].callback(event, event_data, callbacks[i].userdata);
        }
    }
    fail_msg("no callback for %d", event);
    return MOSQ_ERR_NOT_FOUND;
}

int fake_broker_connect(struct mosquitto *client, const char *username, const char *password)
{
    char *copies[2] = {username == NULL ? NULL : strdup(username),
                       password == NULL ? NULL : strdup(password)};
    struct mosquitto_evt_basic_auth event = {
        .client = client, .username = copies[0], .password = copies[1]};
    int code = fake_broker_call(MOSQ_EVT_BASIC_AUTH, &event);

    client->is_connected = code == MOSQ_ERR_SUCCESS || code == MOSQ_ERR_PLUGIN_DEFER;
    free(copies[0]);
    free(copies[1]);
    return code;
}

int fake_broker_authenticate(struct mosquitto *client, const char *token)
{
    struct mosquitto_evt_extended_auth event = {.client = client,
                                                .auth_method = "JWT",
                                                .data_in = token,
                                                .data_in_len = (uint16_t)strlen(token)};
    int code = fake_broker_call(MOSQ_EVT_EXT_AUTH_START, &event);

    client->is_connected = client->is_connected || code == MOSQ_ERR_SUCCESS;
    return code;
}

void fake_broker_disconnect(struct mosquitto *client)
{
    struct mosquitto_evt_disconnect event = {.client = client, .reason = -1};

    client->is_connected = false;
    (void)fake_broker_call(MOSQ_EVT_DISCONNECT, &event);
}

int fake_broker_message(struct mosquitto *client, const char *topic, const char *payload)
{
    char *copies[2] = {strdup(topic), strdup(payload)};
    struct mosquitto_evt_message event = {.client = client,
                                          .topic = copies[0],
                                          .payload = copies[1],
                                          .payloadlen = (uint32_t)strlen(payload),
                                          .retain = true};
    int code = fake_broker_call(MOSQ_EVT_MESSAGE, &event);

    free(copies[0]);
    free(copies[1]);
    return code;
}

int fake_broker_control(struct mosquitto *client, const char *payload)
{
    struct mosquitto_evt_control event = {.client = client,
                                          .topic = "$CONTROL/invigilator/v1",
                                          .payload = payload,
                                          .payloadlen = (uint32_t)strlen(payload)};

    return fake_broker_call(MOSQ_EVT_CONTROL, &event);
}

int fake_broker_deliver(struct mosquitto *client, const char *topic)
{
    struct mosquitto_evt_acl_check event = {
        .client = client, .topic = topic, .access = MOSQ_ACL_READ};

    return fake_broker_call(MOSQ_EVT_ACL_CHECK, &event);
}

void fake_broker_reload(void)
{
    struct mosquitto_evt_reload event = {.options = NULL};

    assert_int_equal(fake_broker_call(MOSQ_EVT_RELOAD, &event), MOSQ_ERR_SUCCESS);
}

void fake_broker_tick(void)
{
    struct mosquitto_evt_tick event = {.future = NULL};

    assert_int_equal(fake_broker_call(MOSQ_EVT_TICK, &event), MOSQ_ERR_SUCCESS);
}

size_t fake_broker_count(const char *prefix)
{
    size_t count = 0;

    for (size_t i = 0; i < fake_broker.line_count; i++) {
        count += strncmp(fake_broker.lines[i], prefix, strlen(prefix)) == 0;
    }
    return count;
}
