/* SPDX-License-Identifier: Apache-2.0
 *
 * fake_broker.h - Mosquitto as the plugin sees it: clients that have what a test gives them,
 * callbacks that are called when a test says so, and publishes and disconnects that are only
 * written down. Those of its functions that can fail, fail as fault.h says.
 */
#ifndef INVIGILATOR_TEST_FAKE_BROKER_H
#define INVIGILATOR_TEST_FAKE_BROKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FAKE_CLIENT_NAME_BYTES = 160, FAKE_LINES_MAX = 256, FAKE_LINE_BYTES = 4096 };

/* What the broker knows of a client. */
struct mosquitto {
    const char *id;
    const char *address;
    char username[FAKE_CLIENT_NAME_BYTES]; /* empty: none */
    bool is_connected;
};

struct fake_broker {
    size_t line_count; /* what was done, as "KICK <client id>" and
                          "SEND|PUBLISH|RETAIN [<client id>] <topic> <payload>" */
    char lines[FAKE_LINES_MAX][FAKE_LINE_BYTES];
    size_t error_count; /* log lines that are errors */
    char error[FAKE_LINE_BYTES];
};
extern struct fake_broker fake_broker;

/* Forgets what was done and logged. */
void fake_broker_clear(void);

/* How many callbacks are registered; whether any of an event is. */
size_t fake_broker_callbacks(void);

/* Calls the callback of an event, and returns its answer. */
int fake_broker_call(int event, void *event_data);

/* Events. The first returns the answer to BASIC_AUTH, and the client is connected when it comes
 * in; the second that to enhanced authentication, first or later. */
int fake_broker_connect(struct mosquitto *client, const char *username, const char *password);
int fake_broker_authenticate(struct mosquitto *client, const char *token);
void fake_broker_disconnect(struct mosquitto *client);
int fake_broker_message(struct mosquitto *client, const char *topic, const char *payload);
int fake_broker_control(struct mosquitto *client, const char *payload);
int fake_broker_deliver(struct mosquitto *client, const char *topic);
void fake_broker_reload(void);
void fake_broker_tick(void);

/* How many lines begin with `prefix`. */
size_t fake_broker_count(const char *prefix);

#endif
