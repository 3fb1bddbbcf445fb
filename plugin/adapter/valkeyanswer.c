/* SPDX-License-Identifier: Apache-2.0
 *
 * valkeyanswer.c - what comes back: each answer has the form that its command asks for, or the
 * connection ends. What is inside of texts is looked at where they become news.
 */
#include "valkey_private.h"

#include <stdio.h>
#include <string.h>

enum {
    SCAN_COUNT_MAX = 1000,
    SCAN_BYTES_FEW = 1 << 20, /* an answer that is smaller leaves room for more at once */
    SCAN_BYTES_MANY = 4 << 20,
    DETAIL_BYTES_MAX = 120 /* of the server's words, in a fault */
};

#define KEY_BROKER "invigilator:broker:"

static bool reply_is_array(const redisReply *reply, size_t least)
{
    return reply->type == REDIS_REPLY_ARRAY && reply->elements >= least;
}

/* Copies a string of at most `size` - 1 of the bytes in `bytes`, and at least one. */
static bool reply_copy(const redisReply *reply, const char *bytes, char *out, size_t size)
{
    struct invig_text text = invig_valkeynews_text(reply);

    if (text.length == 0 || text.length >= size) {
        return false;
    }
    memcpy(out, text.data, text.length);
    out[text.length] = '\0';
    return strspn(out, bytes) == text.length;
}

static bool answer_is_ok(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_STATUS && strcmp(reply->str, "OK") == 0;
}

static bool answer_take_script(struct valkey_share *share, const struct valkey_command *command)
{
    char *sha = share->shas[command->number];

    return reply_copy(command->reply, "0123456789abcdef", sha, sizeof share->shas[0]) &&
           strlen(sha) == VALKEY_SHA_BYTES;
}

/* The last of what a connection begins with: all before it was as it should be. */
static bool answer_take_hello(struct valkey_share *share, const redisReply *reply)
{
    if (!reply_copy(reply, "0123456789-", share->last_id, sizeof share->last_id)) {
        return false;
    }
    share->phase = VALKEY_USERS;
    strcpy(share->cursor, "0");
    strcpy(share->names_cursor, "0");
    share->has_names = false;
    share->has_more = true;
    return true;
}

static bool answer_is_offer(const redisReply *reply)
{
    uint64_t revision;

    if (!reply_is_array(reply, 3) || reply->element[0]->type != REDIS_REPLY_INTEGER) {
        return false;
    }
    struct invig_text number = invig_valkeynews_text(reply->element[1]);
    struct invig_text text = invig_valkeynews_text(reply->element[2]);
    bool is_accepted = reply->element[0]->integer == 1;
    bool has_revision = invig_valkeynews_revision(number, &revision);
    /* What was accepted has one; what was refused may meet nothing. */
    return (has_revision || (!is_accepted && invig_text_equal(number, invig_text_of("0")))) &&
           text.data != NULL && text.length <= INVIG_SHARE_TEXT_BYTES_MAX;
}

static void scan_adapt(struct valkey_share *share)
{
    size_t bytes = share->link.reply_bytes;

    if (bytes < SCAN_BYTES_FEW && share->scan_count * 2 <= SCAN_COUNT_MAX) {
        share->scan_count *= 2;
    } else if (bytes > SCAN_BYTES_MANY && share->scan_count > VALKEY_SCAN_COUNT_MIN) {
        share->scan_count /= 2;
    }
}

static bool answer_is_scan(const redisReply *reply)
{
    return reply_is_array(reply, 2) && reply->element[1]->type == REDIS_REPLY_ARRAY;
}

/* A step of the hash that is being read; behind the last the next one comes, or what has changed.
 */
static bool answer_take_scan(struct valkey_share *share, const redisReply *reply)
{
    share->is_asking = false;
    if (!answer_is_scan(reply) || reply->element[1]->elements % 2 != 0 ||
        !reply_copy(reply->element[0], "0123456789", share->cursor, sizeof share->cursor)) {
        return false;
    }
    if (strcmp(share->cursor, "0") == 0) {
        share->phase = share->phase == VALKEY_USERS ? VALKEY_TOPICS : VALKEY_CATCHING_UP;
    }
    scan_adapt(share);
    return true;
}

static bool answer_take_poll(struct valkey_share *share, const redisReply *reply)
{
    share->is_asking = false;
    if (reply->type == REDIS_REPLY_NIL) {
        invig_valkeylink_fail(&share->link, "the stream has lost what was read last", "");
        return false;
    }
    if (!reply_is_array(reply, 2) || reply->element[1]->type != REDIS_REPLY_INTEGER ||
        !reply_copy(reply->element[0], "0123456789-", share->last_id, sizeof share->last_id)) {
        return false;
    }
    share->has_more = reply->element[1]->integer == 1;
    return true;
}

static bool answer_take_names(struct valkey_share *share, const redisReply *reply)
{
    struct invig_text prefix = invig_text_of(KEY_BROKER);

    if (!answer_is_scan(reply) || !reply_copy(reply->element[0], "0123456789", share->names_cursor,
                                              sizeof share->names_cursor)) {
        return false;
    }
    share->has_names = strcmp(share->names_cursor, "0") == 0;
    for (size_t i = 0; i < reply->element[1]->elements; i++) {
        struct invig_text key = invig_valkeynews_text(reply->element[1]->element[i]);
        if (invig_text_has_prefix(key, prefix)) {
            invig_valkeynews_learn(
                share, (struct invig_text){key.data + prefix.length, key.length - prefix.length});
        }
    }
    return true;
}

/* What has changed while the hashes were read is behind them: then all is as of one time. */
static void answer_end_catching_up(struct valkey_share *share)
{
    struct valkey_command *ready;

    if (share->phase != VALKEY_CATCHING_UP || share->has_more) {
        return;
    }
    ready = invig_valkeylink_command(VALKEY_READY, invig_text_of(""));
    if (ready == NULL) {
        invig_valkeylink_fail(&share->link, "out of memory", "");
        return;
    }
    share->phase = VALKEY_LIVE;
    invig_valkeynews_add(share, ready);
}

static bool answer_check(struct valkey_share *share, const struct valkey_command *command)
{
    const redisReply *reply = command->reply;

    switch (command->kind) {
    case VALKEY_PLAIN:
        return answer_is_ok(reply);
    case VALKEY_SCRIPT:
        return answer_take_script(share, command);
    case VALKEY_HELLO:
        return answer_take_hello(share, reply);
    case VALKEY_OFFER:
        return answer_is_offer(reply);
    case VALKEY_SCAN:
        return answer_take_scan(share, reply);
    case VALKEY_POLL:
        return answer_take_poll(share, reply);
    case VALKEY_NAMES:
        return answer_take_names(share, reply);
    case VALKEY_KEEP:
    case VALKEY_EXISTS:
        return reply->type == REDIS_REPLY_INTEGER;
    case VALKEY_READY:
    case VALKEY_LOST:
        break;
    }
    return false;
}

/* The first answer in time ends a time of late ones. One that is there at the first look is. */
static void answer_time(struct valkey_share *share, const struct valkey_command *command)
{
    share->answered_ms = share->now_ms;
    if (command->sent_ms < 0 || share->looked_ms <= command->sent_ms + share->timeout_ms) {
        share->is_late = false;
    }
}

static bool command_has_news(const struct valkey_command *command)
{
    return command->kind == VALKEY_OFFER || command->kind == VALKEY_SCAN ||
           command->kind == VALKEY_POLL ||
           (command->kind == VALKEY_EXISTS && command->reply->integer == 0);
}

void invig_valkeyanswer_take(void *context, struct valkey_command *command)
{
    struct valkey_share *share = context;
    const redisReply *reply = command->reply;
    char detail[4 * DETAIL_BYTES_MAX + 4];

    answer_time(share, command);
    if (reply->type == REDIS_REPLY_ERROR) {
        invig_logline_escape((struct invig_text){reply->str, reply->len}, DETAIL_BYTES_MAX, detail,
                             sizeof detail);
        invig_valkeylink_fail(&share->link, "the server says", detail);
    } else if (!answer_check(share, command)) {
        invig_valkeylink_fail(&share->link, "found an answer of another form", "");
    }
    if (share->link.fault[0] != '\0' || !command_has_news(command)) {
        invig_valkeylink_command_free(command);
        return;
    }
    bool is_poll = command->kind == VALKEY_POLL;
    invig_valkeynews_add(share, command);
    if (is_poll) {
        answer_end_catching_up(share);
    }
}
