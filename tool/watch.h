/* SPDX-License-Identifier: Apache-2.0
 *
 * watch.h - what the files of `watch` share: an event as a line.
 */
#ifndef INVIGILATOR_TOOL_WATCH_H
#define INVIGILATOR_TOOL_WATCH_H

#include "document.h"

#include "invigilator/topic.h"

/* What was retained when the watching began. */
struct tool_watch_summary {
    size_t seen;     /* participants whose presence is kept */
    size_t online;   /* of them */
    size_t blocked;  /* users */
    char phase[256]; /* escaped; empty: not known */
};

struct tool_watch_event {
    struct invig_text topic;         /* as it came */
    struct invig_topic parsed;       /* of the evaluation that is watched */
    const struct tool_node *message; /* NULL: nothing, or no JSON object */
    bool is_empty;                   /* no payload: what was retained is cleared */
    bool is_retained;
};

void tool_watch_count(struct tool_watch_summary *summary, const struct tool_watch_event *event);

/* Print one line each, and see to it that it is out. */
void tool_watch_print(const struct tool_watch_event *event, bool is_coloured);
void tool_watch_print_json(const struct tool_watch_event *event);
void tool_watch_print_summary(const struct tool_watch_summary *summary, const char *evaluation);

#endif
