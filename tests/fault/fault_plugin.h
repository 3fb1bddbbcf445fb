/* SPDX-License-Identifier: Apache-2.0
 *
 * fault_plugin.h - the whole plugin in a made-up broker, with a secret and a state file, and events
 * of it that meet a fault.
 */
#ifndef INVIGILATOR_TEST_FAULT_PLUGIN_H
#define INVIGILATOR_TEST_FAULT_PLUGIN_H

#include "fake_broker.h"
#include "fault_run.h"

enum { FAULT_CLIENTS = 3 };

extern void *fault_userdata; /* the plugin's, NULL where it did not start */
extern struct mosquitto fault_admin;
extern struct mosquitto fault_pages[FAULT_CLIENTS];

/* Makes and removes the files; for a group of tests. */
int fault_plugin_setup(void **state);
int fault_plugin_teardown(void **state);

/* Returns what the plugin says to its start. */
int fault_plugin_start(void);

/* And removes the state file. */
void fault_plugin_stop(void);

/* An event, and what goes before it. */
struct fault_broker_event {
    const char *name;
    void (*prepare)(void); /* NULL: nothing */
    int (*act)(void);      /* returns the plugin's answer */
    int refused;           /* the answer where it fails */
};

/* Starts the plugin, with what goes before the event. */
void fault_broker_begin(const struct fault_broker_event *event);

/* Lets the event happen with the first, second, ... call failing, until none does. Each time it is
 * done or left undone as a whole, and in the end all is told and published that is without a fault.
 */
void fault_broker_check(const struct fault_broker_event *event);

/* anna logs in, from page to page under a later session. */
int fault_page_connect(size_t page);

/* She shows the token of her first page once more, in place or to come in. */
int fault_page_authenticate(void);

/* Her first page is there; an exam has begun; both. */
void fault_prepare_page(void);
void fault_prepare_strict(void);
void fault_prepare_exam(void);

/* The backend says what access she has. */
int fault_say_of_anna(const char *access);

#endif
