/* SPDX-License-Identifier: Apache-2.0
 *
 * request.h - commands of the control API and their answers, matched by correlationData. Whatever
 * else comes on the topic of the answers is passed over.
 */
#ifndef INVIGILATOR_TOOL_REQUEST_H
#define INVIGILATOR_TOOL_REQUEST_H

#include "document.h"
#include "link.h"

enum { TOOL_REQUEST_MEMBERS_MAX = 4, TOOL_REQUESTS_MAX = 64 /* in one payload */ };

enum tool_member_kind { TOOL_MEMBER_TEXT, TOOL_MEMBER_NUMBER, TOOL_MEMBER_TRUE, TOOL_MEMBER_NULL };

struct tool_member {
    const char *name;
    enum tool_member_kind kind;
    const char *text;
    int64_t number;
};

/* One command. */
struct tool_request {
    const char *command;
    struct tool_member members[TOOL_REQUEST_MEMBERS_MAX];
    size_t count;
};

/* A conversation with a broker. */
struct tool_talk;

/* Answers that came together. */
struct tool_answers;

/* As tool_link_open. */
enum tool_exit tool_talk_open(const struct tool_login *login, struct tool_talk **out_talk);

void tool_talk_close(struct tool_talk *talk); /* NULL is allowed */

/* Sends commands in one payload, which the broker carries out in one step, and waits for their
 * answers. Says what is wrong.
 *
 *   out_answers  receives "responses", to be freed with tool_answers_free; NULL unless TOOL_DONE
 *
 * Returns TOOL_DONE when every command has "data"; TOOL_REFUSED where one has an error, or the
 * broker does not take commands; TOOL_CONNECTION, TOOL_TIMEOUT. */
enum tool_exit tool_talk_ask(struct tool_talk *talk, const struct tool_request *requests,
                             size_t count, struct tool_answers **out_answers);

/* The "data" of the answer at `index`. */
struct tool_node *tool_answers_data(const struct tool_answers *answers, size_t index);

void tool_answers_free(struct tool_answers *answers); /* NULL is allowed */

/* Asks for a list that comes in pages (`request` has neither offset nor count), as one moment shows
 * it where it has at most 64,000 entries. All of `list` is in the data of *out_answers' first. */
enum tool_exit tool_talk_ask_list(struct tool_talk *talk, const struct tool_request *request,
                                  const char *list, struct tool_answers **out_answers);

/* Says that an answer makes no sense; returns TOOL_REFUSED. */
enum tool_exit tool_request_is_senseless(void);

#endif
