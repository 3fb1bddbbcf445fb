/* SPDX-License-Identifier: Apache-2.0
 *
 * message.c - see message.h.
 */
#include "message.h"

#include "backend.h"
#include "clock.h"
#include "log.h"
#include "plugin.h"

#include <mosquitto.h>

/* The connection behind a client of the broker; NULL when it is not known or has departed. */
static const struct invig_connection *message_connection(const struct invig_plugin *plugin,
                                                         const struct mosquitto *context)
{
    const struct invig_client *client = invig_clients_find(&plugin->clients, context);

    return client == NULL || client->is_departed ? NULL : client->connection;
}

static struct invig_text payload_text(const void *payload, uint32_t length)
{
    return (struct invig_text){payload == NULL ? "" : payload, payload == NULL ? 0 : length};
}

/* Any answer but these two disconnects the publisher. */
int invig_event_message(int event, void *event_data, void *userdata)
{
    const struct mosquitto_evt_message *message = event_data;
    struct invig_plugin *plugin = userdata;
    enum invig_verdict verdict = invig_backend_message(
        plugin->engine, invig_clock_now(), message_connection(plugin, message->client),
        invig_text_of(message->topic), payload_text(message->payload, message->payloadlen),
        message->retain);

    (void)event;
    return verdict == INVIG_ALLOW ? MOSQ_ERR_SUCCESS : MOSQ_ERR_ACL_DENIED;
}

/* Who may send commands was decided by the ACL check before. Any other answer may disconnect the
 * sender: errors are told in the response. */
int invig_event_control(int event, void *event_data, void *userdata)
{
    const struct mosquitto_evt_control *control = event_data;
    struct invig_plugin *plugin = userdata;
    const struct invig_connection *connection = message_connection(plugin, control->client);

    (void)event;
    if (connection != NULL &&
        !invig_backend_control(plugin->engine, invig_clock_now(), connection,
                               payload_text(control->payload, control->payloadlen))) {
        invig_log_text(NULL, INVIG_LOG_ERROR, "out of memory or room: an answer was lost");
    }
    return MOSQ_ERR_SUCCESS;
}
