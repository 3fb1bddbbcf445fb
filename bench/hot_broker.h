/* SPDX-License-Identifier: Apache-2.0
 *
 * hot_broker.h - Mosquitto as the plugin sees it, for bench_hot: it keeps what is registered, knows
 * of its clients what a CONNECT says, and throws away what is published. The made-up broker of
 * tests/fault writes down all that is done, for tests to compare; a hundred thousand clients are
 * too many for that, and writing it down would be measured too.
 */
#ifndef INVIGILATOR_BENCH_HOT_BROKER_H
#define INVIGILATOR_BENCH_HOT_BROKER_H

#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>
#include <stdint.h>

enum { HOT_NAME_BYTES = 16, HOT_CLIENT_ID_BYTES = 52 };

/* What the broker knows of a client. */
struct mosquitto {
    char id[HOT_CLIENT_ID_BYTES];
    char username[HOT_NAME_BYTES]; /* empty: none */
};

/* A callback as the plugin has registered it. */
struct hot_callback {
    MOSQ_FUNC_generic_callback function;
    void *userdata;
};

/* Starts the plugin with these options; ends the program when it does not start. */
void hot_broker_start(struct mosquitto_opt *options, int option_count);
void hot_broker_stop(void);

/* The callback of an event. */
struct hot_callback hot_broker_callback(int event);

/* Events. */
int hot_broker_connect(struct mosquitto *client, char *password);
void hot_broker_disconnect(struct mosquitto *client);
int hot_broker_message(struct mosquitto *client, const char *topic, const char *payload);

/* Lets ticks pass until one does nothing. */
void hot_broker_settle(void);

/* Messages that were published or sent so far. */
uint64_t hot_broker_published(void);

#endif
