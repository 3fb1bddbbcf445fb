/* SPDX-License-Identifier: Apache-2.0
 *
 * valkeynews.c - answers wait here, and become news one by one. What no broker has written (an id
 * that is none, a text that is too long) is passed over.
 */
#include "valkey_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REVISION_DIGITS_MAX = 16 /* as the script for offers has it */ };

struct invig_text invig_valkeynews_text(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_STRING ? (struct invig_text){reply->str, reply->len}
                                             : (struct invig_text){NULL, 0};
}

bool invig_valkeynews_revision(struct invig_text text, uint64_t *out_revision)
{
    uint64_t number = 0;

    if (text.length == 0 || text.length > REVISION_DIGITS_MAX || text.data[0] == '0') {
        return false;
    }
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
        number = number * 10 + (uint64_t)(text.data[i] - '0');
    }
    *out_revision = number;
    return true;
}

/* ---- The others ---- */

static bool name_is_valid(struct invig_text name)
{
    for (size_t i = 0; i < name.length; i++) {
        char c = name.data[i];
        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z')) {
            return false;
        }
    }
    return name.length > 0 && name.length <= INVIG_SHARE_NAME_BYTES_MAX;
}

static struct valkey_peer *share_find_peer(struct valkey_share *share, struct invig_text name)
{
    for (size_t i = 0; i < share->peer_count; i++) {
        if (invig_text_equal(invig_text_of(share->peers[i].name), name)) {
            return &share->peers[i];
        }
    }
    return NULL;
}

void invig_valkeynews_learn(struct valkey_share *share, struct invig_text name)
{
    if (!name_is_valid(name) || share->peer_count == VALKEY_PEERS_MAX ||
        invig_text_equal(name, invig_text_of(share->name)) ||
        share_find_peer(share, name) != NULL) {
        return;
    }
    struct valkey_peer *peer = &share->peers[share->peer_count++];
    memcpy(peer->name, name.data, name.length);
    peer->name[name.length] = '\0';
}

bool invig_valkeynews_forget(struct valkey_share *share, struct invig_text name)
{
    struct valkey_peer *peer = share_find_peer(share, name);

    if (peer == NULL) {
        return false;
    }
    *peer = share->peers[--share->peer_count];
    return true;
}

/* ---- Single pieces ---- */

/* A text that is there, and has its length. */
static bool text_is_usable(struct invig_text text)
{
    return text.data != NULL && text.length <= INVIG_SHARE_TEXT_BYTES_MAX;
}

static struct invig_text text_or_absent(struct invig_text text)
{
    return text.length == 0 ? (struct invig_text){NULL, 0} : text;
}

static bool user_make(struct invig_text user, struct invig_text revision, struct invig_text text,
                      struct invig_news *out)
{
    if (!invig_text_is_id(user) || !text_is_usable(text) ||
        !invig_valkeynews_revision(revision, &out->revision)) {
        return false;
    }
    out->kind = INVIG_NEWS_USER;
    out->user = user;
    out->text = text_or_absent(text);
    return true;
}

/* "<revision> <text>" */
static bool user_make_of_field(struct invig_text user, struct invig_text value,
                               struct invig_news *out)
{
    const char *blank = value.length == 0 ? NULL : memchr(value.data, ' ', value.length);

    if (blank == NULL) {
        return false;
    }
    size_t digits = (size_t)(blank - value.data);
    return user_make(user, (struct invig_text){value.data, digits},
                     (struct invig_text){blank + 1, value.length - digits - 1}, out);
}

/* `topic` is "<evaluation>" or "<evaluation>/<user>". */
static bool topic_make(struct invig_text topic, struct invig_text text, struct invig_news *out)
{
    const char *slash = topic.length == 0 ? NULL : memchr(topic.data, '/', topic.length);
    size_t length = slash == NULL ? topic.length : (size_t)(slash - topic.data);

    out->evaluation = (struct invig_text){topic.data, length};
    if (slash != NULL) {
        out->user = (struct invig_text){slash + 1, topic.length - length - 1};
    }
    if (!text_is_usable(text) || !invig_text_is_id(out->evaluation) ||
        (slash != NULL && !invig_text_is_id(out->user))) {
        return false;
    }
    out->kind = INVIG_NEWS_TOPIC;
    out->text = text_or_absent(text);
    return true;
}

/* The value of a field in an entry of the stream; absent where there is none. */
static struct invig_text entry_find(const redisReply *entry, const char *field)
{
    for (size_t i = 0; i + 1 < entry->elements; i += 2) {
        if (invig_text_equal(invig_valkeynews_text(entry->element[i]), invig_text_of(field))) {
            return invig_valkeynews_text(entry->element[i + 1]);
        }
    }
    return (struct invig_text){NULL, 0};
}

static bool entry_make(struct valkey_share *share, const redisReply *entry, struct invig_news *out)
{
    if (entry->type != REDIS_REPLY_ARRAY) {
        return false;
    }
    struct invig_text user = entry_find(entry, "user");
    struct invig_text topic = entry_find(entry, "topic");
    struct invig_text text = entry_find(entry, "text");
    invig_valkeynews_learn(share, entry_find(entry, "from"));
    if (user.data != NULL) {
        return user_make(user, entry_find(entry, "revision"), text, out);
    }
    return topic.data != NULL && topic_make(topic, text, out);
}

/* ---- Answers ---- */

static struct invig_text command_subject(const struct valkey_command *command)
{
    return (struct invig_text){command->subject, command->subject_length};
}

/* Its form was checked when it came. */
static bool offer_make(struct valkey_command *command, struct invig_news *out)
{
    redisReply *const *element = command->reply->element;

    if (command->at++ > 0) {
        return false;
    }
    out->kind = element[0]->integer == 1 ? INVIG_NEWS_ACCEPTED : INVIG_NEWS_REFUSED;
    out->user = command_subject(command);
    if (!invig_valkeynews_revision(invig_valkeynews_text(element[1]), &out->revision)) {
        out->revision = 0;
    } else if (out->kind == INVIG_NEWS_REFUSED) {
        out->text = text_or_absent(invig_valkeynews_text(element[2]));
    }
    return true;
}

static bool scan_make(struct valkey_command *command, struct invig_news *out)
{
    const redisReply *fields = command->reply->element[1];

    while (command->at + 1 < fields->elements) {
        struct invig_text field = invig_valkeynews_text(fields->element[command->at]);
        struct invig_text value = invig_valkeynews_text(fields->element[command->at + 1]);
        command->at += 2;
        *out = (struct invig_news){.kind = INVIG_NEWS_NONE};
        /* A user's topic in the place of a user would be no id, but an evaluation's could be one.
         */
        if (command->number == VALKEY_USERS ? user_make_of_field(field, value, out)
                                            : topic_make(field, value, out)) {
            return true;
        }
    }
    return false;
}

static bool poll_make(struct valkey_share *share, struct valkey_command *command,
                      struct invig_news *out)
{
    enum { ENTRIES_AT = 2 };
    const redisReply *reply = command->reply;

    while (command->at + ENTRIES_AT < reply->elements) {
        const redisReply *entry = reply->element[ENTRIES_AT + command->at++];
        *out = (struct invig_news){.kind = INVIG_NEWS_NONE};
        if (entry_make(share, entry, out)) {
            return true;
        }
    }
    return false;
}

static bool state_make(struct valkey_share *share, struct valkey_command *command,
                       enum invig_news_kind kind, struct invig_news *out)
{
    if (command->at++ > 0) {
        return false;
    }
    share->is_ready = kind == INVIG_NEWS_READY;
    if (share->is_ready) {
        share->is_logged = false;
    }
    out->kind = kind;
    return true;
}

static bool gone_make(struct valkey_share *share, struct valkey_command *command,
                      struct invig_news *out)
{
    if (command->at++ > 0 || !invig_valkeynews_forget(share, command_subject(command))) {
        return false;
    }
    out->kind = INVIG_NEWS_GONE;
    out->name = command_subject(command);
    return true;
}

static bool news_make(struct valkey_share *share, struct valkey_command *command,
                      struct invig_news *out)
{
    switch (command->kind) {
    case VALKEY_OFFER:
        return offer_make(command, out);
    case VALKEY_SCAN:
        return scan_make(command, out);
    case VALKEY_POLL:
        return poll_make(share, command, out);
    case VALKEY_EXISTS:
        return gone_make(share, command, out);
    case VALKEY_READY:
        return state_make(share, command, INVIG_NEWS_READY, out);
    case VALKEY_LOST:
        return state_make(share, command, INVIG_NEWS_LOST, out);
    default:
        return false;
    }
}

/* ---- The queue ---- */

void invig_valkeynews_add(struct valkey_share *share, struct valkey_command *command)
{
    if (share->news_last == NULL) {
        share->news = command;
    } else {
        share->news_last->next = command;
    }
    share->news_last = command;
}

static void news_drop_first(struct valkey_share *share)
{
    struct valkey_command *command = share->news;

    share->news = command->next;
    if (share->news == NULL) {
        share->news_last = NULL;
    }
    invig_valkeylink_command_free(command);
}

bool invig_valkeynews_take(struct valkey_share *share, struct invig_news *out_news)
{
    while (share->news != NULL) {
        *out_news = (struct invig_news){.kind = INVIG_NEWS_NONE};
        if (news_make(share, share->news, out_news)) {
            return true; /* the texts are in the answer: it stays until all of it was given */
        }
        news_drop_first(share);
    }
    *out_news = (struct invig_news){.kind = INVIG_NEWS_NONE};
    return false;
}

void invig_valkeynews_clear(struct valkey_share *share)
{
    while (share->news != NULL) {
        news_drop_first(share);
    }
}
