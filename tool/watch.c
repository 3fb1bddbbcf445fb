/* SPDX-License-Identifier: Apache-2.0
 *
 * watch.c - what happens in an evaluation, as it happens: a line for each event, until a signal.
 */
#include "command.h"

#include "link.h"
#include "watch.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    QUIET_MS = 300, /* without a retained message: then all of them have come */
    PAUSE_S_MAX = 30,
    FILTER_COUNT = 4
};

struct watch {
    const struct tool_args *args;
    struct invig_text prefix;
    struct tool_link *link;
    char filters[FILTER_COUNT][INVIG_TOPIC_BYTES + 2];
    struct tool_watch_summary summary;
    bool has_summary;
    int64_t quiet_ms; /* when the last retained message came */
    bool is_coloured;
};

static volatile sig_atomic_t watch_is_over;

static void signal_end(int number)
{
    (void)number;
    watch_is_over = 1;
}

/* Without SA_RESTART: whatever waits is to come back. */
static void watch_catch_signals(void)
{
    struct sigaction action = {.sa_handler = signal_end};

    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

static void watch_begin(struct watch *watch)
{
    watch->summary = (struct tool_watch_summary){0};
    watch->has_summary = false;
    watch->quiet_ms = tool_now_ms();
}

static void watch_end_summary(struct watch *watch)
{
    if (!watch->has_summary) {
        watch->has_summary = true;
        if (!watch->args->is_json) {
            tool_watch_print_summary(&watch->summary, watch->args->words[0]);
        }
    }
}

static void watch_show(struct watch *watch, const struct tool_watch_event *event)
{
    if (!watch->has_summary && event->is_retained) {
        watch->quiet_ms = tool_now_ms();
        tool_watch_count(&watch->summary, event);
        if (!watch->args->is_json) {
            return;
        }
    } else {
        watch_end_summary(watch);
    }
    if (watch->args->is_json) {
        tool_watch_print_json(event);
    } else {
        tool_watch_print(event, watch->is_coloured);
    }
}

/* What is of another evaluation, or no topic that was asked for, is passed over. */
static void watch_read(void *context, struct invig_text topic, struct invig_text payload,
                       bool is_retained)
{
    struct watch *watch = context;
    struct tool_watch_event event = {.topic = topic, .is_retained = is_retained};
    struct tool_node *message;

    invig_topic_parse_name(watch->prefix, topic, &event.parsed);
    if (!invig_text_equal(event.parsed.evaluation, invig_text_of(watch->args->words[0]))) {
        return;
    }
    message = tool_document_read(payload);
    event.message = message;
    event.is_empty = payload.length == 0;
    watch_show(watch, &event);
    tool_document_free(message);
}

static bool watch_make_filters(struct watch *watch)
{
    static const struct {
        enum invig_topic_kind kind;
        const char *below;
    } forms[FILTER_COUNT] = {
        {INVIG_TOPIC_EVALUATION, ""},
        {INVIG_TOPIC_EVALUATION, "/users/+"},
        {INVIG_TOPIC_EVALUATION, "/presence/+"},
        {INVIG_TOPIC_EVALUATION, "/incidents"},
    };
    struct invig_topic topic = {.evaluation = invig_text_of(watch->args->words[0])};
    char name[INVIG_TOPIC_BYTES];

    for (size_t i = 0; i < FILTER_COUNT; i++) {
        topic.kind = forms[i].kind;
        if (!invig_text_is_id(topic.evaluation) ||
            invig_topic_write(watch->prefix, &topic, name) == 0) {
            return false;
        }
        (void)snprintf(watch->filters[i], sizeof watch->filters[i], "%.700s%s", name,
                       forms[i].below);
    }
    return true;
}

static enum tool_exit watch_subscribe(struct watch *watch)
{
    const char *filters[FILTER_COUNT];
    const char *refused = NULL;
    enum tool_exit code;

    for (size_t i = 0; i < FILTER_COUNT; i++) {
        filters[i] = watch->filters[i];
    }
    watch_begin(watch);
    code = tool_link_subscribe(watch->link, filters, FILTER_COUNT, &refused);
    watch->quiet_ms = tool_now_ms();
    if (code == TOOL_REFUSED) {
        return tool_fail(code, "the broker refuses %s to this login",
                         tool_show(invig_text_of(refused)).text);
    }
    return code;
}

/* Waits, unless a signal comes. */
static void watch_pause(int seconds)
{
    struct timespec left = {seconds, 0};

    if (watch_is_over == 0) {
        (void)nanosleep(&left, NULL);
    }
}

/* Comes back to the broker, as long as it takes; only a refusal ends it. */
static enum tool_exit watch_return(struct watch *watch)
{
    for (int pause_s = 1; watch_is_over == 0;
         pause_s = pause_s * 2 < PAUSE_S_MAX ? pause_s * 2 : PAUSE_S_MAX) {
        (void)tool_fail(TOOL_DONE, "the connection was lost, trying again");
        watch_pause(pause_s);
        if (watch_is_over != 0) {
            break;
        }
        if (tool_link_reopen(watch->link) == TOOL_DONE) {
            enum tool_exit code = watch_subscribe(watch);

            if (code == TOOL_DONE || code == TOOL_REFUSED) {
                return code;
            }
        } else if (tool_link_is_refused(watch->link)) {
            return tool_fail(TOOL_CONNECTION, "the broker refuses the login");
        }
    }
    return TOOL_DONE;
}

static enum tool_exit watch_run(struct watch *watch)
{
    enum tool_exit code = watch_subscribe(watch);

    if (code == TOOL_CONNECTION) { /* it was let in, so it may come back */
        code = watch_return(watch);
    }
    if (code == TOOL_TIMEOUT) {
        return tool_fail(code, "no answer in time");
    }
    while (code == TOOL_DONE && watch_is_over == 0 && !ferror(stdout)) {
        int64_t now_ms = tool_now_ms();

        if (!watch->has_summary && now_ms >= watch->quiet_ms + QUIET_MS) {
            watch_end_summary(watch);
        }
        if (!tool_link_step(watch->link,
                            watch->has_summary ? now_ms + 1000 : watch->quiet_ms + QUIET_MS)) {
            code = watch_return(watch);
        }
    }
    return code;
}

enum tool_exit tool_watch_run(const struct tool_args *args)
{
    struct watch *watch = calloc(1, sizeof *watch);
    enum tool_exit code;

    if (watch == NULL) {
        return tool_fail(TOOL_CONNECTION, "out of memory");
    }
    watch->args = args;
    watch->prefix = invig_text_of(args->prefix == NULL ? "" : args->prefix);
    watch->is_coloured = isatty(STDOUT_FILENO) != 0 && getenv("NO_COLOR") == NULL;
    if (!watch_make_filters(watch)) {
        free(watch);
        return tool_fail(TOOL_USAGE, "the evaluation is no id, or the prefix is too long");
    }
    watch_catch_signals();
    code = tool_link_open(&args->login, (struct tool_link_reader){watch, watch_read}, &watch->link);
    if (code == TOOL_DONE) {
        code = watch_run(watch);
    }
    tool_link_close(watch->link);
    free(watch);
    return code;
}
