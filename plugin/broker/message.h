/* SPDX-License-Identifier: Apache-2.0
 *
 * message.h - what the broker shows of messages that are on their way.
 */
#ifndef INVIGILATOR_BROKER_MESSAGE_H
#define INVIGILATOR_BROKER_MESSAGE_H

/* Callbacks; `userdata` is the struct invig_plugin. */
int invig_event_message(int event, void *event_data, void *userdata);
int invig_event_control(int event, void *event_data, void *userdata);

#endif
