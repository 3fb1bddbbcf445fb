/* SPDX-License-Identifier: Apache-2.0
 *
 * plugin.h - the one instance of the plugin, for the files of plugin/broker.
 */
#ifndef INVIGILATOR_BROKER_PLUGIN_H
#define INVIGILATOR_BROKER_PLUGIN_H

#include "client.h"
#include "keyring.h"
#include "sighup.h"

#include "invigilator/engine.h"

#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>

/* What was published of the counters. */
struct invig_metrics {
    struct invig_stats last;
    bool has_last;
    int64_t next_ms; /* steady time of the next publish */
};

struct invig_plugin {
    mosquitto_plugin_id_t *identifier;
    struct invig_policy policy;
    struct invig_keyring *keyring;
    struct invig_engine *engine;
    struct invig_clients clients;
    struct invig_metrics metrics;
    struct invig_sighup sighup;
    int failed_ticks;           /* in a row, in which an effect could not be carried out */
    bool is_reloading;          /* between a RELOAD and the next TICK */
    struct invig_claims claims; /* of the CONNECT that is being decided */
};

#endif
