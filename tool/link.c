/* SPDX-License-Identifier: Apache-2.0
 *
 * link.c - see link.h.
 */
#include "link.h"

#include "link_private.h"

#include <errno.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <stdlib.h>
#include <string.h>

enum { STEP_MS = 1000, KEEPALIVE_S = 30 };

static void on_connect(struct mosquitto *client, void *context, int code, int flags,
                       const mosquitto_property *properties)
{
    struct tool_link *link = context;

    (void)client;
    (void)flags;
    (void)properties;
    link->has_answer = true;
    link->connack = code;
    link->is_open = code == 0;
}

static void on_disconnect(struct mosquitto *client, void *context, int code,
                          const mosquitto_property *properties)
{
    struct tool_link *link = context;

    (void)client;
    (void)properties;
    link->is_open = false;
    link->error = code;
}

static void on_message(struct mosquitto *client, void *context,
                       const struct mosquitto_message *message,
                       const mosquitto_property *properties)
{
    struct tool_link *link = context;

    (void)client;
    (void)properties;
    if (message->payloadlen >= 0 && (size_t)message->payloadlen <= TOOL_PAYLOAD_BYTES_MAX) {
        struct invig_text payload = {message->payloadlen == 0 ? "" : message->payload,
                                     (size_t)message->payloadlen};

        link->reader.message(link->reader.context, invig_text_of(message->topic), payload,
                             message->retain);
    }
}

static void on_publish(struct mosquitto *client, void *context, int id, int code,
                       const mosquitto_property *properties)
{
    struct tool_link *link = context;

    (void)client;
    (void)properties;
    if (id == link->publish_id && code >= MQTT_RC_UNSPECIFIED) {
        link->puback = code;
    }
}

/* QoS 128 and above are refusals. */
static void on_subscribe(struct mosquitto *client, void *context, int id, int count,
                         const int *granted, const mosquitto_property *properties)
{
    struct tool_link *link = context;

    (void)client;
    (void)properties;
    if (id == link->subscribe_id) {
        link->has_suback = true;
        link->is_granted = count > 0 && granted[0] < MQTT_RC_UNSPECIFIED;
    }
}

static struct tool_link *link_new(const struct tool_login *login, struct tool_link_reader reader)
{
    struct tool_link *link = calloc(1, sizeof *link);

    if (link == NULL) {
        return NULL;
    }
    link->reader = reader;
    link->login = *login;
    link->client = mosquitto_new(login->client_id, true, link);
    if (link->client == NULL) {
        free(link);
        return NULL;
    }
    mosquitto_connect_v5_callback_set(link->client, on_connect);
    mosquitto_disconnect_v5_callback_set(link->client, on_disconnect);
    mosquitto_message_v5_callback_set(link->client, on_message);
    mosquitto_publish_v5_callback_set(link->client, on_publish);
    mosquitto_subscribe_v5_callback_set(link->client, on_subscribe);
    return link;
}

int64_t tool_link_deadline(const struct tool_link *link)
{
    return tool_now_ms() + link->login.timeout_s * 1000;
}

enum tool_exit tool_link_fail(const struct tool_link *link)
{
    const char *text = link->error == MOSQ_ERR_ERRNO        ? strerror(link->saved_errno)
                       : link->error >= MQTT_RC_UNSPECIFIED ? mosquitto_reason_string(link->error)
                                                            : mosquitto_strerror(link->error);

    return tool_fail(TOOL_CONNECTION, "the connection was lost: %s", text);
}

bool tool_link_step(struct tool_link *link, int64_t until_ms)
{
    int64_t left_ms = until_ms - tool_now_ms();
    int wait_ms = (int)(left_ms < 0 ? 0 : left_ms > STEP_MS ? STEP_MS : left_ms);

    link->error = MOSQ_ERR_SUCCESS;
    errno = 0;
    int code = mosquitto_loop(link->client, wait_ms, 1);
    if (code != MOSQ_ERR_SUCCESS) {
        link->saved_errno = errno;
        link->error = link->error != MOSQ_ERR_SUCCESS ? link->error : code;
    }
    return code == MOSQ_ERR_SUCCESS;
}

/* Waits for CONNACK. */
static enum tool_exit link_wait(struct tool_link *link, int64_t until_ms)
{
    bool is_there = true;

    while (is_there && !link->has_answer && tool_now_ms() < until_ms) {
        is_there = tool_link_step(link, until_ms);
    }
    if (link->has_answer) {
        return link->is_open ? TOOL_DONE : TOOL_CONNECTION;
    }
    return is_there ? TOOL_TIMEOUT : TOOL_CONNECTION;
}

static enum tool_exit link_connect(struct tool_link *link, int64_t until_ms)
{
    const struct tool_login *login = &link->login;
    int code;

    link->has_answer = link->is_open = false;
    link->connack = 0;
    link->error = MOSQ_ERR_SUCCESS;
    errno = 0;
    /* Not mosquitto_connect_async, which tries but the first address of a name. */
    code = login->unix_path != NULL
               ? mosquitto_connect(link->client, login->unix_path, 0, KEEPALIVE_S)
               : mosquitto_connect(link->client, login->host == NULL ? "localhost" : login->host,
                                   tool_login_port(login), KEEPALIVE_S);
    if (code != MOSQ_ERR_SUCCESS) {
        link->saved_errno = errno;
        link->error = code;
        return TOOL_CONNECTION;
    }
    return link_wait(link, until_ms);
}

/* What became of a CONNECT, in words. */
static enum tool_exit link_say(const struct tool_link *link, enum tool_exit code)
{
    if (code == TOOL_TIMEOUT) {
        return tool_fail(code, "the broker did not answer within %d s", (int)link->login.timeout_s);
    }
    if (link->connack != 0) {
        return tool_fail(code, "the broker refuses the login: %s",
                         link->connack < MQTT_RC_UNSPECIFIED
                             ? mosquitto_connack_string(link->connack)
                             : mosquitto_reason_string(link->connack));
    }
    return tool_fail(code, "no connection: %s",
                     link->error == MOSQ_ERR_ERRNO && link->saved_errno != 0
                         ? strerror(link->saved_errno)
                         : mosquitto_strerror(link->error));
}

enum tool_exit tool_link_open(const struct tool_login *login, struct tool_link_reader reader,
                              struct tool_link **out_link)
{
    struct tool_link *link;
    enum tool_exit code;

    *out_link = NULL;
    (void)mosquitto_lib_init();
    link = link_new(login, reader);
    if (link == NULL) {
        return tool_fail(TOOL_CONNECTION, "out of memory, or the client id is none");
    }
    code = tool_login_apply(login, link->client);
    if (code == TOOL_DONE) {
        tool_login_guard(login->timeout_s); /* names and addresses take their own time */
        code = link_connect(link, tool_link_deadline(link));
        tool_login_guard(0);
        if (code != TOOL_DONE) {
            code = link_say(link, code);
        }
    }
    if (code != TOOL_DONE) {
        tool_link_close(link);
        return code;
    }
    *out_link = link;
    return TOOL_DONE;
}

enum tool_exit tool_link_reopen(struct tool_link *link)
{
    enum tool_exit code = tool_login_apply(&link->login, link->client);

    return code == TOOL_DONE ? link_connect(link, tool_link_deadline(link)) : code;
}

bool tool_link_is_refused(const struct tool_link *link)
{
    return link->connack != 0;
}

void tool_link_close(struct tool_link *link)
{
    if (link == NULL) {
        return;
    }
    if (link->is_open) {
        (void)mosquitto_disconnect(link->client);
        (void)mosquitto_loop(link->client, 0, 1); /* it may have to be written */
    }
    mosquitto_destroy(link->client);
    (void)mosquitto_lib_cleanup();
    free(link);
}

bool tool_link_publish(struct tool_link *link, const char *topic, const char *payload)
{
    size_t length = strlen(payload);

    link->puback = 0;
    link->error = length > TOOL_PAYLOAD_BYTES_MAX
                      ? MOSQ_ERR_PAYLOAD_SIZE
                      : mosquitto_publish_v5(link->client, &link->publish_id, topic, (int)length,
                                             payload, 1, false, NULL);
    return link->error == MOSQ_ERR_SUCCESS;
}

const char *tool_link_refusal(const struct tool_link *link)
{
    return link->puback == 0 ? NULL : mosquitto_reason_string(link->puback);
}

static enum tool_exit link_subscribe(struct tool_link *link, const char *filter)
{
    int64_t until_ms = tool_link_deadline(link);

    link->has_suback = false;
    link->error = mosquitto_subscribe_v5(link->client, &link->subscribe_id, filter, 1, 0, NULL);
    if (link->error != MOSQ_ERR_SUCCESS) {
        return TOOL_CONNECTION;
    }
    while (!link->has_suback) {
        if (tool_now_ms() >= until_ms) {
            return TOOL_TIMEOUT;
        }
        if (!tool_link_step(link, until_ms)) {
            return TOOL_CONNECTION;
        }
    }
    return link->is_granted ? TOOL_DONE : TOOL_REFUSED;
}

enum tool_exit tool_link_subscribe(struct tool_link *link, const char *const *filters, size_t count,
                                   const char **out_refused)
{
    enum tool_exit code = TOOL_DONE;

    for (size_t i = 0; code == TOOL_DONE && i < count; i++) {
        *out_refused = filters[i];
        code = link_subscribe(link, filters[i]);
    }
    return code;
}

bool tool_link_is_filter(const char *filter)
{
    return mosquitto_sub_topic_check(filter) == MOSQ_ERR_SUCCESS &&
           mosquitto_validate_utf8(filter, (int)strlen(filter)) == MOSQ_ERR_SUCCESS;
}

bool tool_link_is_topic(const char *topic)
{
    return mosquitto_pub_topic_check(topic) == MOSQ_ERR_SUCCESS &&
           mosquitto_validate_utf8(topic, (int)strlen(topic)) == MOSQ_ERR_SUCCESS;
}
