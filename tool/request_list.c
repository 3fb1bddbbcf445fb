/* SPDX-License-Identifier: Apache-2.0
 *
 * request_list.c - lists that come in pages. The commands of one payload see one moment, so all
 * pages are asked for in one; how many there are is not known before, so first few, then all.
 */
#include "request.h"

enum { PAGE_ENTRIES = 1000 };

static void request_add_page(struct tool_request *request, size_t page)
{
    request->members[request->count++] =
        (struct tool_member){"offset", TOOL_MEMBER_NUMBER, NULL, (int64_t)page * PAGE_ENTRIES};
    request->members[request->count++] =
        (struct tool_member){"count", TOOL_MEMBER_NUMBER, NULL, PAGE_ENTRIES};
}

/* Asks for `count` pages from the page `first` on. */
static enum tool_exit list_ask(struct tool_talk *talk, const struct tool_request *request,
                               size_t first, size_t count, struct tool_answers **out_answers)
{
    struct tool_request requests[TOOL_REQUESTS_MAX];

    for (size_t i = 0; i < count; i++) {
        requests[i] = *request;
        request_add_page(&requests[i], first + i);
    }
    return tool_talk_ask(talk, requests, count, out_answers);
}

/* The pages of one answer: whether each is a list that is not too long, and the last has room. */
static bool list_is_sound(const struct tool_answers *answers, const char *list, size_t count,
                          bool *out_is_whole)
{
    for (size_t i = 0; i < count; i++) {
        const struct tool_node *page = tool_node_member(tool_answers_data(answers, i), list);

        if (!tool_node_is_array(page) || tool_node_count(page) > PAGE_ENTRIES) {
            return false;
        }
        *out_is_whole = tool_node_count(page) < PAGE_ENTRIES;
    }
    return true;
}

/* Puts the pages of `from`, from the page `first` on, behind the first page of `to`. */
static bool list_join(const struct tool_answers *to, const struct tool_answers *from, size_t first,
                      size_t count, const char *list)
{
    struct tool_node *whole = tool_node_member(tool_answers_data(to, 0), list);
    bool is_joined = true;

    for (size_t i = first; is_joined && i < count; i++) {
        is_joined = tool_node_append(whole, tool_node_member(tool_answers_data(from, i), list));
    }
    return is_joined;
}

/* What one payload cannot hold comes in further ones, each of its own moment. */
static enum tool_exit list_ask_rest(struct tool_talk *talk, const struct tool_request *request,
                                    const char *list, struct tool_answers *answers)
{
    enum tool_exit code = TOOL_DONE;
    bool is_whole = false;

    for (size_t first = TOOL_REQUESTS_MAX; code == TOOL_DONE && !is_whole;
         first += TOOL_REQUESTS_MAX) {
        struct tool_answers *more = NULL;

        code = list_ask(talk, request, first, TOOL_REQUESTS_MAX, &more);
        if (code == TOOL_DONE && (!list_is_sound(more, list, TOOL_REQUESTS_MAX, &is_whole) ||
                                  !list_join(answers, more, 0, TOOL_REQUESTS_MAX, list))) {
            code = tool_request_is_senseless();
        }
        tool_answers_free(more);
    }
    return code;
}

enum tool_exit tool_talk_ask_list(struct tool_talk *talk, const struct tool_request *request,
                                  const char *list, struct tool_answers **out_answers)
{
    static const size_t pages[] = {1, 8, TOOL_REQUESTS_MAX};
    enum tool_exit code = TOOL_DONE;
    bool is_whole = false;
    size_t count = 0;

    *out_answers = NULL;
    for (size_t i = 0; code == TOOL_DONE && !is_whole && i < 3; i++) {
        tool_answers_free(*out_answers);
        count = pages[i];
        code = list_ask(talk, request, 0, count, out_answers);
        if (code == TOOL_DONE && !list_is_sound(*out_answers, list, count, &is_whole)) {
            code = tool_request_is_senseless();
        }
    }
    if (code == TOOL_DONE && !list_join(*out_answers, *out_answers, 1, count, list)) {
        code = tool_fail(TOOL_CONNECTION, "out of memory");
    }
    if (code == TOOL_DONE && !is_whole) {
        code = list_ask_rest(talk, request, list, *out_answers);
    }
    if (code != TOOL_DONE) {
        tool_answers_free(*out_answers);
        *out_answers = NULL;
    }
    return code;
}
