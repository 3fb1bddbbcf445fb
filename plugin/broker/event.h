/* SPDX-License-Identifier: Apache-2.0
 *
 * event.h - from the broker's events to the engine's, and back to the broker's return codes. One
 * callback an event; each takes the event's struct and the plugin (struct invig_plugin).
 */
#ifndef INVIGILATOR_BROKER_EVENT_H
#define INVIGILATOR_BROKER_EVENT_H

int invig_event_basic_auth(int event, void *event_data, void *userdata);
int invig_event_extended_auth(int event, void *event_data, void *userdata);
int invig_event_acl_check(int event, void *event_data, void *userdata);
int invig_event_disconnect(int event, void *event_data, void *userdata);
int invig_event_reload(int event, void *event_data, void *userdata);
int invig_event_tick(int event, void *event_data, void *userdata);

#endif
