/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_topic.c - core/topic and core/rights on any bytes. The input is up to three lines: prefix,
 * filter, name; the last takes what is left, newlines included.
 */
#include "invigilator/rights.h"
#include "invigilator/topic.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MASK_BYTES = 300 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

static struct invig_text line_take(struct invig_text *rest)
{
    const char *end = rest->length == 0 ? NULL : memchr(rest->data, '\n', rest->length);
    struct invig_text line = {rest->data, end == NULL ? rest->length : (size_t)(end - rest->data)};
    size_t used = line.length + (end != NULL);

    *rest = (struct invig_text){rest->data + used, rest->length - used};
    return line;
}

static bool text_has(struct invig_text text, char byte)
{
    return text.length > 0 && memchr(text.data, byte, text.length) != NULL;
}

static void require_view(struct invig_text whole, struct invig_text view, bool is_expected)
{
    require((view.data != NULL) == is_expected);
    if (is_expected) {
        require(view.data >= whole.data && view.length <= whole.length);
        require((size_t)(view.data - whole.data) <= whole.length - view.length);
        require(invig_text_is_id(view));
    } else {
        require(view.length == 0);
    }
}

/* The texts are there exactly where the kind has them, and lie within the input. */
static void require_views(struct invig_text whole, const struct invig_topic *topic)
{
    enum invig_topic_kind kind = topic->kind;
    bool is_user = kind >= INVIG_TOPIC_USER && kind <= INVIG_TOPIC_USER_SESSION_BELOW;
    bool is_session = kind == INVIG_TOPIC_USER_SESSION || kind == INVIG_TOPIC_USER_SESSION_BELOW;
    bool is_evaluation = kind >= INVIG_TOPIC_EVALUATION && kind <= INVIG_TOPIC_EVALUATION_INCIDENTS;
    bool is_control = kind == INVIG_TOPIC_CONTROL || kind == INVIG_TOPIC_CONTROL_RESPONSE;
    bool is_member = kind == INVIG_TOPIC_EVALUATION_USER ||
                     kind == INVIG_TOPIC_EVALUATION_USER_BELOW ||
                     kind == INVIG_TOPIC_EVALUATION_PRESENCE;

    require(!is_user || topic->tree == INVIG_TREE_USERS);
    require(!is_evaluation || topic->tree == INVIG_TREE_EVALUATIONS);
    require(!is_control || topic->tree == INVIG_TREE_CONTROL);
    require(is_user || is_evaluation || is_control || kind == INVIG_TOPIC_OTHER);
    require_view(whole, topic->user, is_user || is_member);
    require_view(whole, topic->session, is_session);
    require_view(whole, topic->evaluation, is_evaluation);
}

static size_t level_length(struct invig_text text)
{
    const char *slash = text.length == 0 ? NULL : memchr(text.data, '/', text.length);

    return slash == NULL ? text.length : (size_t)(slash - text.data);
}

static struct invig_text text_behind(struct invig_text text, size_t bytes)
{
    return (struct invig_text){text.data + bytes, text.length - bytes};
}

static bool level_is(struct invig_text text, size_t length, const char *word)
{
    return length == strlen(word) && memcmp(text.data, word, length) == 0;
}

/* Level by level, as MQTT 5.0 section 4.7 has it; both valid. */
static bool filter_matches(struct invig_text filter, struct invig_text name)
{
    for (;;) {
        size_t filter_level = level_length(filter);
        size_t name_level = level_length(name);
        bool is_filter_end = filter_level == filter.length;
        bool is_name_end = name_level == name.length;

        if (level_is(filter, filter_level, "#")) {
            return true;
        }
        if (!level_is(filter, filter_level, "+") &&
            (filter_level != name_level || memcmp(filter.data, name.data, name_level) != 0)) {
            return false;
        }
        if (is_name_end) {
            return is_filter_end ||
                   invig_text_equal(text_behind(filter, filter_level), invig_text_of("/#"));
        }
        if (is_filter_end) {
            return false;
        }
        filter = text_behind(filter, filter_level + 1);
        name = text_behind(name, name_level + 1);
    }
}

/* What reaches anna, in session s1 and evaluation e1, is hers or her evaluation's. */
static void require_own(const struct invig_topic *name)
{
    if (name->tree == INVIG_TREE_USERS) {
        require(invig_text_equal(name->user, invig_text_of("anna")));
        require(name->session.data == NULL || invig_text_equal(name->session, invig_text_of("s1")));
    } else {
        require(name->tree == INVIG_TREE_EVALUATIONS);
        require(invig_text_equal(name->evaluation, invig_text_of("e1")) ||
                invig_text_equal(name->user, invig_text_of("anna")));
    }
}

static enum invig_standing standing_of(struct invig_text own, struct invig_text evaluation)
{
    return invig_text_equal(own, evaluation) ? INVIG_STANDING_PARTICIPANT : INVIG_STANDING_NONE;
}

static void check_rights(struct invig_text filter_text, const struct invig_topic *filter,
                         struct invig_text name_text, const struct invig_topic *name)
{
    const struct invig_text evaluation = invig_text_of("e1");
    struct invig_subject anna = {INVIG_ROLE_STUDENT, invig_text_of("anna"), invig_text_of("s1")};
    bool may_subscribe =
        invig_rights_may_subscribe(&anna, standing_of(evaluation, filter->evaluation), filter);
    bool may_receive =
        invig_rights_may_receive(&anna, standing_of(evaluation, name->evaluation), name);

    require(!invig_rights_may_publish(&anna, name));
    if (may_receive) {
        require_own(name);
    }
    if (may_subscribe && name->tree != INVIG_TREE_OTHER && filter_matches(filter_text, name_text)) {
        require(name->tree == filter->tree);
        require(!may_receive || invig_text_equal(name->user, anna.user) ||
                invig_text_equal(name->evaluation, evaluation));
        /* But for other sessions of hers, and ids that are none, it is all delivered. */
        require(may_receive || name->session.data != NULL || name->kind == INVIG_TOPIC_OTHER);
    }
}

/* The marker stands behind sessions/, so it must not be in what a log would show. */
static void check_mask(struct invig_text topic)
{
    static const char TAIL[] = "/sessions/\x02secret\x02";
    char out[MASK_BYTES];
    char *joined = malloc(topic.length + sizeof(TAIL));

    invig_topic_mask(topic, out, topic.length < sizeof(out) ? topic.length : sizeof(out));
    if (joined == NULL || text_has(topic, '\x02')) {
        free(joined);
        return;
    }
    if (topic.length > 0) {
        memcpy(joined, topic.data, topic.length);
    }
    memcpy(joined + topic.length, TAIL, sizeof(TAIL));
    memset(out, 'x', sizeof(out));
    invig_topic_mask((struct invig_text){joined, topic.length + sizeof(TAIL) - 1}, out,
                     sizeof(out));
    require(memchr(out, '\0', sizeof(out)) != NULL);
    require(memchr(out, '\x02', sizeof(out)) == NULL);
    free(joined);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct invig_text rest = {(const char *)data, size};
    struct invig_text prefix;
    struct invig_text filter_text;
    struct invig_topic filter;
    struct invig_topic name;

    if (data == NULL) {
        return 0;
    }
    prefix = line_take(&rest);
    if (text_has(prefix, '+') || text_has(prefix, '#') || text_has(prefix, '\0') ||
        (prefix.length > 0 && prefix.data[0] == '$')) {
        prefix.length = 0; /* the option does not allow these */
    }
    filter_text = line_take(&rest);
    invig_topic_parse_filter(prefix, filter_text, &filter);
    require_views(filter_text, &filter);
    require(filter.wildcard != INVIG_WILDCARD_ANYWHERE || filter.kind == INVIG_TOPIC_OTHER);
    invig_topic_parse_name(prefix, rest, &name);
    require_views(rest, &name);
    require(name.wildcard == INVIG_WILDCARD_NONE);
    require(name.tree == INVIG_TREE_OTHER || !(text_has(rest, '+') || text_has(rest, '#')));
    check_rights(filter_text, &filter, rest, &name);
    check_mask(filter_text);
    check_mask(rest);
    return 0;
}
