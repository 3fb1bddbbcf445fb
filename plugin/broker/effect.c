/* SPDX-License-Identifier: Apache-2.0
 *
 * effect.c - see effect.h.
 */
#include "effect.h"

#include "backend.h"
#include "log.h"

#include <mosquitto.h>
#include <stdlib.h>
#include <string.h>

/* A topic that many are told on waits for nobody: QoS 0 needs no window, and a client that is told
 * and disconnected sends nothing back that could turn the close into a reset. What is retained is
 * for those who want to be sure, so it has QoS 1. */
enum { QOS_ONE_CLIENT = 0, QOS_EVERYBODY = 1 };

/* After that many ticks in which something failed it is not for want of memory. */
enum { FAILED_TICKS_MAX = 50 };

/* Sends to one client, which needs no subscription for it, or publishes to all. */
static bool effect_publish(const struct invig_plugin *plugin, const struct invig_effect *effect)
{
    bool is_to_one = effect->kind == INVIG_EFFECT_SEND;
    char *json = invig_backend_payload(effect);
    char topic[INVIG_TOPIC_BYTES];
    char *payload = json == NULL ? NULL : mosquitto_strdup(json);
    bool is_sent =
        payload != NULL &&
        invig_topic_write(invig_text_of(plugin->policy.topic_prefix), &effect->topic, topic) > 0 &&
        mosquitto_broker_publish(is_to_one ? effect->client_id.data : NULL, topic,
                                 (int)strlen(payload), payload,
                                 is_to_one ? QOS_ONE_CLIENT : QOS_EVERYBODY, effect->is_retained,
                                 NULL) == MOSQ_ERR_SUCCESS;

    if (!is_sent) {
        mosquitto_free(payload); /* the broker owns it only on success */
    }
    free(json);
    return is_sent;
}

/* Disconnects a client without sending its will. The broker calls back into the plugin meanwhile,
 * so the id must not be the engine's own. An empty or absent id would mean everybody. */
static bool effect_kick(const struct invig_effect *effect)
{
    char *client_id = invig_text_copy(effect->client_id);
    bool is_done = client_id != NULL && client_id[0] != '\0';

    if (is_done) {
        (void)mosquitto_kick_client_by_clientid(client_id, false);
    }
    free(client_id);
    return is_done;
}

void invig_effects_run(struct invig_plugin *plugin, struct invig_now now)
{
    struct invig_effect effect;
    bool is_done = true;

    while (is_done && invig_engine_next_effect(plugin->engine, now, &effect)) {
        is_done = effect.kind == INVIG_EFFECT_KICK ? effect_kick(&effect)
                                                   : effect_publish(plugin, &effect);
    }
    plugin->failed_ticks = is_done ? 0 : plugin->failed_ticks + 1;
    if (is_done) {
        return;
    }
    if (plugin->failed_ticks < FAILED_TICKS_MAX) {
        invig_engine_return_effect(plugin->engine, &effect);
    } else {
        plugin->failed_ticks = 0;
    }
    if (plugin->failed_ticks <= 1) {
        invig_log_text(NULL, INVIG_LOG_ERROR,
                       plugin->failed_ticks == 0
                           ? "a message or a disconnect was lost"
                           : "out of memory: a message or a disconnect waits");
    }
}
