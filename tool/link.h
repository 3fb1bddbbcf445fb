/* SPDX-License-Identifier: Apache-2.0
 *
 * link.h - a connection to the broker that never waits longer than it is told.
 * Hides: libmosquitto.  One at a time; not thread-safe.
 */
#ifndef INVIGILATOR_TOOL_LINK_H
#define INVIGILATOR_TOOL_LINK_H

#include "args.h"
#include "tool.h"

struct tool_link;

/* Who is told of messages. Texts are borrowed for the call. */
struct tool_link_reader {
    void *context;
    void (*message)(void *context, struct invig_text topic, struct invig_text payload,
                    bool is_retained);
};

/* Connects and waits for the broker's answer. Says what is wrong. *out_link is NULL unless
 * TOOL_DONE is returned; else to be freed with tool_link_close. */
enum tool_exit tool_link_open(const struct tool_login *login, struct tool_link_reader reader,
                              struct tool_link **out_link);

/* Connects again after the connection was lost, with the password file as it is now. Says nothing
 * of the connection. */
enum tool_exit tool_link_reopen(struct tool_link *link);

/* Whether the broker has answered the last login with no. */
bool tool_link_is_refused(const struct tool_link *link);

/* Says goodbye. NULL is allowed. */
void tool_link_close(struct tool_link *link);

/* Goes on until a message has come, an answer has come, or `until_ms` of tool_now_ms is reached, or
 * a signal came. Returns false when the connection is lost. */
bool tool_link_step(struct tool_link *link, int64_t until_ms);

/* Sends with QoS 1. Returns false when it cannot be sent. */
bool tool_link_publish(struct tool_link *link, const char *topic, const char *payload);

/* Why the broker did not take the last publish; NULL: it took it, or has not said. */
const char *tool_link_refusal(const struct tool_link *link);

/* Subscribes with QoS 1 and waits. TOOL_REFUSED: the broker refuses one of them, *out_refused. */
enum tool_exit tool_link_subscribe(struct tool_link *link, const char *const *filters, size_t count,
                                   const char **out_refused);

/* Says why the connection ended; returns TOOL_CONNECTION. */
enum tool_exit tool_link_fail(const struct tool_link *link);

/* Milliseconds of tool_now_ms at which patience ends, from now on. */
int64_t tool_link_deadline(const struct tool_link *link);

/* Whether `filter`, `topic` is one that MQTT allows. */
bool tool_link_is_filter(const char *filter);
bool tool_link_is_topic(const char *topic);

#endif
