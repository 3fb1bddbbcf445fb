/* SPDX-License-Identifier: Apache-2.0
 *
 * watch_print.c - see watch.h.
 */
#include "watch.h"

#include "jsonwriter.h"
#include "tool.h"

#include "invigilator/timestamp.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RED    "\033[31m"
#define GREEN  "\033[32m"
#define YELLOW "\033[33m"
#define PLAIN  "\033[0m"

static struct invig_text member_text(const struct tool_watch_event *event, const char *name)
{
    return tool_node_text(tool_node_member(event->message, name));
}

static bool member_is(const struct tool_watch_event *event, const char *name, const char *text)
{
    return invig_text_equal(member_text(event, name), invig_text_of(text));
}

static bool event_is_online(const struct tool_watch_event *event)
{
    bool is_online = false;

    return tool_node_boolean(tool_node_member(event->message, "online"), &is_online) && is_online;
}

void tool_watch_count(struct tool_watch_summary *summary, const struct tool_watch_event *event)
{
    struct invig_text phase = member_text(event, "phase");

    if (event->message == NULL) {
        return;
    }
    switch (event->parsed.kind) {
    case INVIG_TOPIC_EVALUATION_PRESENCE:
        summary->seen++;
        summary->online += event_is_online(event) ? 1 : 0;
        break;
    case INVIG_TOPIC_EVALUATION_USER:
        summary->blocked += member_is(event, "access", "BLOCKED") ? 1 : 0;
        break;
    default:
        (void)snprintf(summary->phase, sizeof summary->phase, "%.200s",
                       phase.data == NULL ? "" : tool_show(phase).text);
        break;
    }
}

static void now_write(char out[INVIG_TIME_TEXT_BYTES])
{
    invig_time_format((int64_t)time(NULL), out);
}

/* ` name=value`, where there is such a member. */
static void print_member(const struct tool_watch_event *event, const char *name)
{
    struct invig_text text = member_text(event, name);
    bool flag;

    if (text.data != NULL) {
        (void)printf(" %s=%s", name, tool_show(text).text);
    } else if (tool_node_boolean(tool_node_member(event->message, name), &flag)) {
        (void)printf(" %s=%s", name, flag ? "yes" : "no");
    }
}

static void print_members(const struct tool_watch_event *event, const char *const *names)
{
    for (; *names != NULL; names++) {
        print_member(event, *names);
    }
}

static void print_presence(const struct tool_watch_event *event)
{
    static const char *const names[] = {"cause", "since", NULL};
    int64_t connections = 0;

    (void)printf("%-9s%s", event_is_online(event) ? "online" : "offline",
                 tool_show(event->parsed.user).text);
    if (tool_node_integer(tool_node_member(event->message, "connections"), &connections)) {
        (void)printf(" connections=%" PRId64, connections);
    }
    print_members(event, names);
}

static void print_user(const struct tool_watch_event *event)
{
    static const char *const names[] = {"access", "reason", "status", "endAt", "by", NULL};

    (void)printf("%-9s%s", "user", tool_show(event->parsed.user).text);
    print_members(event, names);
}

static void print_incident(const struct tool_watch_event *event)
{
    static const char *const names[] = {"kind",           "enforced", "boundSession",
                                        "refusedSession", "address",  NULL};

    (void)printf("%-9s%s", "incident", tool_show(member_text(event, "userId")).text);
    print_members(event, names);
}

static void print_evaluation(const struct tool_watch_event *event)
{
    static const char *const names[] = {"phase", "strict", "startAt", "endAt", NULL};

    (void)printf("%-9s%s", "exam", tool_show(event->parsed.evaluation).text);
    print_members(event, names);
}

static void print_body(const struct tool_watch_event *event)
{
    if (event->message == NULL) {
        (void)printf("%-9s%s", event->is_empty ? "cleared" : "unread",
                     tool_show(event->topic).text);
        return;
    }
    switch (event->parsed.kind) {
    case INVIG_TOPIC_EVALUATION_PRESENCE:
        print_presence(event);
        break;
    case INVIG_TOPIC_EVALUATION_USER:
        print_user(event);
        break;
    case INVIG_TOPIC_EVALUATION_INCIDENTS:
        print_incident(event);
        break;
    default:
        print_evaluation(event);
        break;
    }
}

static const char *event_colour(const struct tool_watch_event *event)
{
    if (event->parsed.kind == INVIG_TOPIC_EVALUATION_INCIDENTS ||
        member_is(event, "access", "BLOCKED")) {
        return RED;
    }
    if (event->parsed.kind != INVIG_TOPIC_EVALUATION_PRESENCE) {
        return "";
    }
    return event_is_online(event) ? GREEN : YELLOW;
}

void tool_watch_print(const struct tool_watch_event *event, bool is_coloured)
{
    char now[INVIG_TIME_TEXT_BYTES];

    now_write(now);
    (void)printf("%s  %s", now, is_coloured ? event_colour(event) : "");
    print_body(event);
    (void)printf("%s\n", is_coloured ? PLAIN : "");
    (void)fflush(stdout);
}

/* What stands before the message; the caller frees it. */
static char *head_text(const struct tool_watch_event *event)
{
    struct invig_jsonwriter *document = invig_jsonwriter_new();
    const struct invig_writer *writer;
    char now[INVIG_TIME_TEXT_BYTES];
    char *json;

    if (document == NULL) {
        return NULL;
    }
    now_write(now);
    writer = invig_jsonwriter_writer(document);
    writer->begin_object(writer->context, NULL);
    writer->string(writer->context, "receivedAt", invig_text_of(now));
    writer->string(writer->context, "topic", event->topic);
    writer->boolean(writer->context, "retained", event->is_retained);
    writer->end(writer->context);
    json = invig_jsonwriter_finish(document);
    invig_jsonwriter_free(document);
    return json;
}

void tool_watch_print_json(const struct tool_watch_event *event)
{
    char *head = head_text(event);

    if (head != NULL) {
        head[strlen(head) - 1] = '\0'; /* the closing brace: the message comes before it */
        (void)printf("%s,\"message\":", head);
        tool_node_print(event->message, stdout);
        (void)puts("}");
        (void)fflush(stdout);
    }
    free(head);
}

void tool_watch_print_summary(const struct tool_watch_summary *summary, const char *evaluation)
{
    char now[INVIG_TIME_TEXT_BYTES];

    now_write(now);
    (void)printf("%s  watching %s: phase %s, %zu seen, %zu online, %zu blocked\n", now,
                 tool_show(invig_text_of(evaluation)).text,
                 summary->phase[0] == '\0' ? "unknown" : summary->phase, summary->seen,
                 summary->online, summary->blocked);
    (void)fflush(stdout);
}
