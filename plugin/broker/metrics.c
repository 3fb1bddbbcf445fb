/* SPDX-License-Identifier: Apache-2.0
 *
 * metrics.c - see metrics.h.
 */
#include "metrics.h"

#include <inttypes.h>
#include <mosquitto.h>
#include <stdio.h>
#include <string.h>

enum { TOPIC_BYTES = 128, NUMBER_BYTES = 24 };

/* What is lost for want of memory comes with the next change. */
static void metric_publish(const char *name, uint64_t value)
{
    char topic[TOPIC_BYTES];
    char number[NUMBER_BYTES];
    char *payload;

    (void)snprintf(topic, sizeof(topic), "$SYS/broker/invigilator/%s", name);
    (void)snprintf(number, sizeof(number), "%" PRIu64, value);
    payload = mosquitto_strdup(number);
    if (payload != NULL && mosquitto_broker_publish(NULL, topic, (int)strlen(payload), payload, 0,
                                                    true, NULL) != MOSQ_ERR_SUCCESS) {
        mosquitto_free(payload);
    }
}

void invig_metrics_run(struct invig_plugin *plugin, struct invig_now now)
{
    struct invig_metrics *metrics = &plugin->metrics;
    char name[INVIG_STATS_NAME_BYTES];
    struct invig_stats stats;
    uint64_t value = 0;
    uint64_t before = 0;

    if (plugin->policy.stats_interval_s == 0 || now.steady_ms < metrics->next_ms) {
        return;
    }
    metrics->next_ms = now.steady_ms + plugin->policy.stats_interval_s * 1000;
    invig_engine_read_stats(plugin->engine, &stats);
    for (size_t i = 0; invig_stats_get(&stats, i, name, &value); i++) {
        (void)invig_stats_get(&metrics->last, i, name, &before);
        if (!metrics->has_last || value != before) {
            metric_publish(name, value);
        }
    }
    metrics->last = stats;
    metrics->has_last = true;
}
