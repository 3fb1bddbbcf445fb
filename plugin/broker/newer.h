/* SPDX-License-Identifier: Apache-2.0
 *
 * newer.h - what Mosquitto 2.1 has and 2.0 has not. The module is built against either's headers
 * and loads in both, so nothing here is known before it runs.
 */
#ifndef INVIGILATOR_BROKER_NEWER_H
#define INVIGILATOR_BROKER_NEWER_H

#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>
#include <stdbool.h>

enum {
    /* An MQTT session that outlives its connection has lost it; in place of DISCONNECT, with the
     * same data. */
    INVIG_NEWER_CLIENT_OFFLINE = 28,
    /* What BASIC_AUTH may return for CONNACK 136, "server unavailable" (MQTT 5, 3.2.2.2); an MQTT
     * 3.1.1 client gets 5. 2.0 closes without a CONNACK. */
    INVIG_NEWER_SERVER_UNAVAILABLE = 136
};

/* Whether the broker is 2.1 or later. */
bool invig_newer_is_broker(void);

/* Whether the broker has `context` under its client id already, so that a question about it is no
 * CONNECT. 2.0 cannot say: false. */
bool invig_newer_has(const struct mosquitto *context);

/* Tells the broker the plugin's name and version, where it wants to know. */
void invig_newer_introduce(mosquitto_plugin_id_t *identifier);

#endif
