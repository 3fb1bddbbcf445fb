/* SPDX-License-Identifier: Apache-2.0
 *
 * topic.c - takes topic names and filters apart, and puts names together. Each byte is looked at a
 * fixed number of times, and of the levels behind the root only as many are kept as can change the
 * kind.
 */
#include "invigilator/topic.h"

#include <string.h>

enum {
    TOPIC_BYTES_MAX = 65535, /* MQTT 5.0 section 1.5.4 */
    TOPIC_LEVELS_MAX = 4     /* what a fourth level says is never asked, only whether it is there */
};

struct levels {
    size_t count; /* 0..TOPIC_LEVELS_MAX, the last of which stands for all that follow */
    struct invig_text level[TOPIC_LEVELS_MAX];
};

static const struct {
    enum invig_topic_tree tree;
    bool is_prefixed;
    const char *root;
} TREES[] = {
    {INVIG_TREE_USERS, true, "users/"},
    {INVIG_TREE_EVALUATIONS, true, "evaluations/"},
    {INVIG_TREE_CONTROL, false, "$CONTROL/invigilator/"},
    {INVIG_TREE_SYS, false, "$SYS/broker/invigilator/"},
};

static bool text_is(struct invig_text text, const char *word)
{
    return invig_text_equal(text, invig_text_of(word));
}

static struct invig_text text_behind(struct invig_text text, size_t bytes)
{
    return (struct invig_text){text.data + bytes, text.length - bytes};
}

/* The bytes up to the next '/', or all where there is none. */
static struct invig_text level_first(struct invig_text text)
{
    const char *slash = text.length == 0 ? NULL : memchr(text.data, '/', text.length);

    return (struct invig_text){text.data,
                               slash == NULL ? text.length : (size_t)(slash - text.data)};
}

static void levels_split(struct invig_text text, struct levels *out_levels)
{
    for (out_levels->count = 0; out_levels->count < TOPIC_LEVELS_MAX;) {
        struct invig_text level = level_first(text);

        out_levels->level[out_levels->count++] = level;
        if (level.length == text.length) {
            break;
        }
        text = text_behind(text, level.length + 1);
    }
}

/* The rules that both names and filters keep: MQTT 5.0 section 4.7.3. */
static bool text_is_topic(struct invig_text text)
{
    return text.data != NULL && text.length > 0 && text.length <= TOPIC_BYTES_MAX &&
           memchr(text.data, '\0', text.length) == NULL;
}

static bool text_has_wildcard(struct invig_text text)
{
    return memchr(text.data, '+', text.length) != NULL ||
           memchr(text.data, '#', text.length) != NULL;
}

/* True when the byte at `at` is a level of its own. */
static bool is_whole_level(struct invig_text text, size_t at)
{
    return (at == 0 || text.data[at - 1] == '/') &&
           (at + 1 == text.length || text.data[at + 1] == '/');
}

/* MQTT 5.0 sections 4.7.1.2 and 4.7.1.3. Returns false for a wildcard in a wrong place. */
static bool filter_find_wildcard(struct invig_text filter, enum invig_topic_wildcard *out_wildcard)
{
    size_t last = filter.length - 1;
    size_t plus_count = 0;
    bool has_hash = filter.data[last] == '#';

    for (size_t i = 0; i < filter.length; i++) {
        char byte = filter.data[i];

        if (byte != '+' && byte != '#') {
            continue;
        }
        if (!is_whole_level(filter, i) || (byte == '#' && i != last)) {
            return false;
        }
        plus_count += byte == '+';
    }
    if (plus_count == 0) {
        *out_wildcard = has_hash ? INVIG_WILDCARD_HASH : INVIG_WILDCARD_NONE;
    } else {
        bool is_last = plus_count == 1 && filter.data[last] == '+';

        *out_wildcard = is_last ? INVIG_WILDCARD_PLUS : INVIG_WILDCARD_ANYWHERE;
    }
    return true;
}

/* Finds the tree that `text` is in, and moves the view behind the root. */
static enum invig_topic_tree tree_find(struct invig_text prefix, struct invig_text *text)
{
    struct invig_text behind_prefix = {NULL, 0};

    if (prefix.length == 0) {
        behind_prefix = *text;
    } else if (invig_text_has_prefix(*text, prefix)) {
        behind_prefix = text_behind(*text, prefix.length);
    }
    for (size_t i = 0; i < sizeof(TREES) / sizeof(TREES[0]); i++) {
        struct invig_text root = invig_text_of(TREES[i].root);
        struct invig_text from = TREES[i].is_prefixed ? behind_prefix : *text;

        if (invig_text_has_prefix(from, root)) {
            *text = text_behind(from, root.length);
            return TREES[i].tree;
        }
    }
    return INVIG_TREE_OTHER;
}

/* Below users/. */
static void levels_find_user(const struct levels *levels, struct invig_topic *out)
{
    size_t count = levels->count;
    bool is_session = count >= 2 && text_is(levels->level[1], "sessions");

    if (!invig_text_is_id(levels->level[0]) ||
        (is_session && count >= 3 && !invig_text_is_id(levels->level[2]))) {
        return;
    }
    out->user = levels->level[0];
    if (count == 1) {
        out->kind = INVIG_TOPIC_USER;
    } else if (!is_session) {
        out->kind = INVIG_TOPIC_USER_BELOW;
    } else if (count == 2) {
        out->kind = INVIG_TOPIC_USER_SESSIONS;
    } else {
        out->kind = count == 3 ? INVIG_TOPIC_USER_SESSION : INVIG_TOPIC_USER_SESSION_BELOW;
        out->session = levels->level[2];
    }
}

/* Below evaluations/{e}/users. */
static void levels_find_evaluation_user(const struct levels *levels, struct invig_topic *out)
{
    if (levels->count == 2) {
        out->kind = INVIG_TOPIC_EVALUATION_USERS;
        return;
    }
    out->kind =
        levels->count == 3 ? INVIG_TOPIC_EVALUATION_USER : INVIG_TOPIC_EVALUATION_USER_BELOW;
    out->user = levels->level[2];
}

/* Below evaluations/{e}/presence. */
static void levels_find_presence(const struct levels *levels, struct invig_topic *out)
{
    if (levels->count == 2) {
        out->kind = INVIG_TOPIC_EVALUATION_PRESENCES;
    } else if (levels->count == 3) {
        out->kind = INVIG_TOPIC_EVALUATION_PRESENCE;
        out->user = levels->level[2];
    } else {
        out->kind = INVIG_TOPIC_EVALUATION_BELOW;
    }
}

/* Below evaluations/. */
static void levels_find_evaluation(const struct levels *levels, struct invig_topic *out)
{
    size_t count = levels->count;
    bool is_users = count >= 2 && text_is(levels->level[1], "users");
    bool is_presence = count >= 2 && text_is(levels->level[1], "presence");

    if (!invig_text_is_id(levels->level[0]) ||
        ((is_users || is_presence) && count >= 3 && !invig_text_is_id(levels->level[2]))) {
        return;
    }
    out->evaluation = levels->level[0];
    if (count == 1) {
        out->kind = INVIG_TOPIC_EVALUATION;
    } else if (is_users) {
        levels_find_evaluation_user(levels, out);
    } else if (is_presence) {
        levels_find_presence(levels, out);
    } else if (count == 2 && text_is(levels->level[1], "incidents")) {
        out->kind = INVIG_TOPIC_EVALUATION_INCIDENTS;
    } else {
        out->kind = INVIG_TOPIC_EVALUATION_BELOW;
    }
}

/* Fills in the kind and the texts; `below` is what stands behind the root of the tree, without
 * wildcards. */
static void topic_find_kind(struct invig_text below, struct invig_topic *out)
{
    struct levels levels;

    if (out->tree == INVIG_TREE_CONTROL) {
        out->kind = text_is(below, "v1")            ? INVIG_TOPIC_CONTROL
                    : text_is(below, "v1/response") ? INVIG_TOPIC_CONTROL_RESPONSE
                                                    : INVIG_TOPIC_OTHER;
        return;
    }
    levels_split(below, &levels);
    if (out->tree == INVIG_TREE_USERS) {
        levels_find_user(&levels, out);
    } else if (out->tree == INVIG_TREE_EVALUATIONS) {
        levels_find_evaluation(&levels, out);
    }
}

void invig_topic_parse_name(struct invig_text prefix, struct invig_text name,
                            struct invig_topic *out_topic)
{
    *out_topic = (struct invig_topic){0};
    if (!text_is_topic(name) || text_has_wildcard(name)) {
        return;
    }
    out_topic->tree = tree_find(prefix, &name);
    topic_find_kind(name, out_topic);
}

void invig_topic_parse_filter(struct invig_text prefix, struct invig_text filter,
                              struct invig_topic *out_topic)
{
    *out_topic = (struct invig_topic){0};
    if (!text_is_topic(filter) || invig_text_has_prefix(filter, invig_text_of("$share/")) ||
        !filter_find_wildcard(filter, &out_topic->wildcard)) {
        return;
    }
    out_topic->tree = tree_find(prefix, &filter);
    if (out_topic->wildcard == INVIG_WILDCARD_PLUS || out_topic->wildcard == INVIG_WILDCARD_HASH) {
        if (filter.length < 2) {
            return; /* the wildcard is the very level that would have been the id */
        }
        filter.length -= 2; /* the wildcard and the '/' before it */
    }
    if (out_topic->wildcard != INVIG_WILDCARD_ANYWHERE) {
        topic_find_kind(filter, out_topic);
    }
}

static bool text_is_wildcard(struct invig_text level)
{
    return text_is(level, "+") || text_is(level, "#");
}

/* True where a session id may stand: behind "sessions", or behind a '+' in its place, where the
 * level two before that is users or may be. `before` holds the last three levels, newest first. */
static bool level_is_secret(const struct invig_text before[3])
{
    struct invig_text users = before[2];

    if (text_is(before[0], "sessions")) {
        return true;
    }
    if (!text_is(before[0], "+") || users.data == NULL) {
        return false;
    }
    return text_is(users, "+") ||
           (users.length >= 5 && text_is(text_behind(users, users.length - 5), "users"));
}

/* Appends as much of `text` as fits and leaves room for the NUL. */
static size_t text_append(char *out, size_t capacity, size_t used, struct invig_text text)
{
    size_t room = capacity - 1 - used;
    size_t bytes = text.length < room ? text.length : room;

    if (bytes > 0) {
        memcpy(out + used, text.data, bytes);
    }
    return used + bytes;
}

void invig_topic_mask(struct invig_text topic, char *out, size_t capacity)
{
    struct invig_text before[3] = {{NULL, 0}, {NULL, 0}, {NULL, 0}};
    size_t used = 0;
    bool is_behind = false; /* of a place for a session id: whatever follows may be one */

    if (capacity == 0) {
        return;
    }
    while (topic.data != NULL && used + 1 < capacity) {
        struct invig_text level = level_first(topic);
        is_behind = is_behind || level_is_secret(before);
        bool is_secret = is_behind && !text_is_wildcard(level);

        used = text_append(out, capacity, used, is_secret ? invig_text_of("***") : level);
        if (level.length == topic.length) {
            break;
        }
        used = text_append(out, capacity, used, invig_text_of("/"));
        topic = text_behind(topic, level.length + 1);
        before[2] = before[1];
        before[1] = before[0];
        before[0] = level;
    }
    out[used] = '\0';
}

/* The name of each kind that can be written; U, S and E stand for the ids. */
static const char *const FORMS[] = {
    [INVIG_TOPIC_USER] = "users/U",
    [INVIG_TOPIC_USER_SESSIONS] = "users/U/sessions",
    [INVIG_TOPIC_USER_SESSION] = "users/U/sessions/S",
    [INVIG_TOPIC_EVALUATION] = "evaluations/E",
    [INVIG_TOPIC_EVALUATION_USERS] = "evaluations/E/users",
    [INVIG_TOPIC_EVALUATION_USER] = "evaluations/E/users/U",
    [INVIG_TOPIC_EVALUATION_PRESENCES] = "evaluations/E/presence",
    [INVIG_TOPIC_EVALUATION_PRESENCE] = "evaluations/E/presence/U",
    [INVIG_TOPIC_EVALUATION_INCIDENTS] = "evaluations/E/incidents",
    [INVIG_TOPIC_CONTROL] = "$CONTROL/invigilator/v1",
    [INVIG_TOPIC_CONTROL_RESPONSE] = "$CONTROL/invigilator/v1/response",
};

/* What a level of a form stands for; absent for an id that is none, which no name may hold. */
static struct invig_text form_level(struct invig_text level, const struct invig_topic *topic)
{
    struct invig_text id;

    if (text_is(level, "U")) {
        id = topic->user;
    } else if (text_is(level, "S")) {
        id = topic->session;
    } else if (text_is(level, "E")) {
        id = topic->evaluation;
    } else {
        return level;
    }
    return invig_text_is_id(id) ? id : (struct invig_text){NULL, 0};
}

/* Appends `text`; returns false where it does not fit with a NUL behind it, or is absent. */
static bool name_append(char *out, size_t *used, struct invig_text text)
{
    if (text.data == NULL || text.length > INVIG_TOPIC_BYTES - 1 - *used) {
        return false;
    }
    *used = text_append(out, INVIG_TOPIC_BYTES, *used, text);
    return true;
}

static bool form_write(struct invig_text form, const struct invig_topic *topic, char *out,
                       size_t *used)
{
    for (;;) {
        struct invig_text level = level_first(form);

        if (!name_append(out, used, form_level(level, topic))) {
            return false;
        }
        if (level.length == form.length) {
            return true;
        }
        if (!name_append(out, used, invig_text_of("/"))) {
            return false;
        }
        form = text_behind(form, level.length + 1);
    }
}

size_t invig_topic_write(struct invig_text prefix, const struct invig_topic *topic,
                         char out[INVIG_TOPIC_BYTES])
{
    size_t kind = (size_t)topic->kind;
    const char *form = kind < sizeof(FORMS) / sizeof(FORMS[0]) ? FORMS[kind] : NULL;
    size_t used = 0;
    bool is_written = form != NULL;

    if (is_written && form[0] != '$' && prefix.length > 0) {
        is_written = name_append(out, &used, prefix);
    }
    is_written = is_written && form_write(invig_text_of(form), topic, out, &used);
    used = is_written ? used : 0;
    out[used] = '\0';
    return used;
}
