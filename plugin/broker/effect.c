/* SPDX-License-Identifier: Apache-2.0
 *
 * effect.c - see effect.h.
 */
#include "effect.h"

#include "json.h"
#include "log.h"

#include <mosquitto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Writes {prefix}users/{user}/sessions/{sid} into new memory; NULL when that is out. */
static char *effect_topic(const struct invig_plugin *plugin, const struct invig_notice *notice)
{
    size_t bytes = strlen(plugin->policy.topic_prefix) + notice->user.length +
                   notice->session.length + sizeof("users//sessions/");
    char *topic = malloc(bytes);

    if (topic != NULL) {
        (void)snprintf(topic, bytes, "%susers/%.*s/sessions/%.*s", plugin->policy.topic_prefix,
                       (int)notice->user.length, notice->user.data, (int)notice->session.length,
                       notice->session.data);
    }
    return topic;
}

/* Publishes to one client, which needs no subscription for it. QoS 0: it waits for no window, and
 * the client sends nothing back that could turn the following close into a reset. */
static bool effect_notify(const struct invig_plugin *plugin, const struct invig_effect *effect)
{
    char *topic = effect_topic(plugin, &effect->notice);
    char *json = invig_json_write_notice(&effect->notice);
    char *payload = json == NULL ? NULL : mosquitto_strdup(json);
    bool is_sent = topic != NULL && payload != NULL &&
                   mosquitto_broker_publish(effect->client_id.data, topic, (int)strlen(payload),
                                            payload, 0, false, NULL) == MOSQ_ERR_SUCCESS;

    if (!is_sent) {
        mosquitto_free(payload); /* the broker owns it only on success */
    }
    free(json);
    free(topic);
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
        is_done = effect.kind == INVIG_EFFECT_NOTIFY ? effect_notify(plugin, &effect)
                                                     : effect_kick(&effect);
    }
    if (!is_done) {
        invig_log_text(NULL, INVIG_LOG_ERROR, "out of memory: a notice or a disconnect was lost");
    }
}
