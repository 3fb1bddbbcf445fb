/* SPDX-License-Identifier: Apache-2.0
 *
 * fakeshare.c - see fakeshare.h.
 */
#include "fakeshare.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void text_free(struct invig_text *text)
{
    free((void *)(uintptr_t)text->data);
    *text = (struct invig_text){NULL, 0};
}

static void news_free(struct invig_news *news)
{
    text_free(&news->user);
    text_free(&news->evaluation);
    text_free(&news->text);
    text_free(&news->name);
    news->kind = INVIG_NEWS_NONE;
}

/* Not by invig_text_copy, which may be made to fail. */
static char *text_copy(const char *text, size_t length)
{
    char *copy = malloc(length + 1);

    assert_non_null(copy);
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

static struct invig_text text_own(const char *text)
{
    size_t length = text == NULL ? 0 : strlen(text);

    return (struct invig_text){text == NULL ? NULL : text_copy(text, length), length};
}

static void share_tell(struct fakeshare *share, enum invig_news_kind kind, const char *user,
                       const char *text, uint64_t revision, const char *name)
{
    if (share->is_down && kind != INVIG_NEWS_LOST) {
        return;
    }
    assert_true(share->count < FAKESHARE_NEWS);
    share->news[(share->first + share->count++) % FAKESHARE_NEWS] = (struct invig_news){
        .kind = kind,
        .revision = revision,
        .user = text_own(user),
        .text = text_own(text),
        .name = text_own(name),
    };
}

static struct fakeserver_user *server_find(struct fakeserver *server, const char *id)
{
    for (size_t i = 0; i < server->user_count; i++) {
        if (strcmp(server->users[i].id, id) == 0) {
            return &server->users[i];
        }
    }
    assert_true(server->user_count < FAKESHARE_USERS);
    (void)snprintf(server->users[server->user_count].id, INVIG_ID_BYTES_MAX + 1, "%s", id);
    return &server->users[server->user_count++];
}

/* An offer reaches the server. */
static void server_take(struct fakeshare *from, const char *id, char *text, uint64_t revision)
{
    struct fakeserver *server = from->server;
    struct fakeserver_user *user = server_find(server, id);

    server->offers++;
    if (user->revision != revision) {
        server->refusals++;
        share_tell(from, INVIG_NEWS_REFUSED, id, user->text, user->revision, NULL);
        free(text);
        return;
    }
    free(user->text);
    user->text = text;
    user->revision++;
    share_tell(from, INVIG_NEWS_ACCEPTED, id, NULL, user->revision, NULL);
    for (size_t i = 0; i < server->broker_count; i++) {
        if (server->brokers[i] != from) {
            share_tell(server->brokers[i], INVIG_NEWS_USER, id, text, user->revision, NULL);
        }
    }
}

void fakeshare_flush(struct fakeshare *share)
{
    for (size_t i = 0; i < share->waiting_count; i++) {
        server_take(share, share->waiting[i].user, share->waiting[i].text,
                    share->waiting[i].revision);
    }
    share->waiting_count = 0;
}

static bool share_offer(void *context, struct invig_text user, uint64_t revision,
                        struct invig_text text)
{
    struct fakeshare *share = context;

    if (share->is_down) {
        return false;
    }
    for (size_t i = 0; i < share->waiting_count; i++) {
        assert_false(invig_text_equal(invig_text_of(share->waiting[i].user), user));
    }
    assert_true(share->waiting_count < FAKESHARE_USERS);
    (void)snprintf(share->waiting[share->waiting_count].user, INVIG_ID_BYTES_MAX + 1, "%.*s",
                   (int)user.length, user.data);
    share->waiting[share->waiting_count].text =
        text.data == NULL ? NULL : text_copy(text.data, text.length);
    share->waiting[share->waiting_count++].revision = revision;
    return true;
}

static void share_tell_topic(struct fakeshare *share, size_t at)
{
    const char *user = share->server->topics[at].user;

    if (!share->is_down) {
        share_tell(share, INVIG_NEWS_TOPIC, user[0] == '\0' ? NULL : user,
                   share->server->topics[at].text, 0, NULL);
        share->news[(share->first + share->count - 1) % FAKESHARE_NEWS].evaluation =
            text_own(share->server->topics[at].evaluation);
    }
}

static bool share_keep(void *context, struct invig_text evaluation, struct invig_text user,
                       struct invig_text text)
{
    const struct fakeshare *share = context;
    struct fakeserver *server = share->server;
    size_t at = 0;

    if (share->is_down) {
        return false;
    }
    while (
        at < server->topic_count &&
        (!invig_text_equal(invig_text_of(server->topics[at].evaluation), evaluation) ||
         !(user.data == NULL ? server->topics[at].user[0] == '\0'
                             : invig_text_equal(invig_text_of(server->topics[at].user), user)))) {
        at++;
    }
    assert_true(at < FAKESHARE_TOPICS);
    if (at == server->topic_count) {
        server->topic_count++;
        (void)snprintf(server->topics[at].evaluation, INVIG_ID_BYTES_MAX + 1, "%.*s",
                       (int)evaluation.length, evaluation.data);
        (void)snprintf(server->topics[at].user, INVIG_ID_BYTES_MAX + 1, "%.*s", (int)user.length,
                       user.data == NULL ? "" : user.data);
    }
    free(server->topics[at].text);
    server->topics[at].text = text.data == NULL ? NULL : text_copy(text.data, text.length);
    for (size_t i = 0; i < server->broker_count; i++) {
        if (server->brokers[i] != share) {
            share_tell_topic(server->brokers[i], at);
        }
    }
    return true;
}

static bool share_next(void *context, int64_t steady_ms, struct invig_news *out_news)
{
    struct fakeshare *share = context;

    (void)steady_ms;
    news_free(&share->given);
    *out_news = (struct invig_news){.kind = INVIG_NEWS_NONE};
    fakeshare_flush(share);
    if (share->count == 0) {
        return false;
    }
    share->given = share->news[share->first];
    share->first = (share->first + 1) % FAKESHARE_NEWS;
    share->count--;
    *out_news = share->given;
    return true;
}

static void share_watch(void *context, struct invig_text name)
{
    struct fakeshare *share = context;
    char gone[INVIG_SHARE_NAME_BYTES_MAX + 1];

    for (size_t i = 0; i < share->server->broker_count; i++) {
        if (invig_text_equal(invig_text_of(share->server->brokers[i]->name), name)) {
            return;
        }
    }
    (void)snprintf(gone, sizeof(gone), "%.*s", (int)name.length, name.data);
    share_tell(share, INVIG_NEWS_GONE, NULL, NULL, 0, gone);
}

static bool share_is_available(const void *context)
{
    const struct fakeshare *share = context;

    return !share->is_down;
}

static void share_drop_all(struct fakeshare *share)
{
    while (share->count > 0) {
        news_free(&share->news[share->first]);
        share->first = (share->first + 1) % FAKESHARE_NEWS;
        share->count--;
    }
    for (size_t i = 0; i < share->waiting_count; i++) {
        free(share->waiting[i].text);
    }
    share->waiting_count = 0;
}

static void share_close(void *context)
{
    struct fakeshare *share = context;

    share_drop_all(share);
    news_free(&share->given);
}

void fakeserver_init(struct fakeserver *server)
{
    memset(server, 0, sizeof(*server));
}

void fakeserver_forget(struct fakeserver *server)
{
    for (size_t i = 0; i < server->user_count; i++) {
        free(server->users[i].text);
    }
    for (size_t i = 0; i < server->topic_count; i++) {
        free(server->topics[i].text);
    }
    memset(server->users, 0, sizeof(server->users));
    memset(server->topics, 0, sizeof(server->topics));
    server->user_count = 0;
    server->topic_count = 0;
}

void fakeserver_deinit(struct fakeserver *server)
{
    fakeserver_forget(server);
}

static void share_tell_all(struct fakeshare *share)
{
    for (size_t i = 0; i < share->server->user_count; i++) {
        const struct fakeserver_user *user = &share->server->users[i];

        if (user->revision > 0) {
            share_tell(share, INVIG_NEWS_USER, user->id, user->text, user->revision, NULL);
        }
    }
    for (size_t i = 0; i < share->server->topic_count; i++) {
        if (share->server->topics[i].text != NULL) {
            share_tell_topic(share, i);
        }
    }
    share_tell(share, INVIG_NEWS_READY, NULL, NULL, 0, NULL);
}

struct invig_share fakeshare_join(struct fakeshare *share, struct fakeserver *server,
                                  const char *name)
{
    memset(share, 0, sizeof(*share));
    share->server = server;
    (void)snprintf(share->name, sizeof(share->name), "%s", name);
    assert_true(server->broker_count < FAKESHARE_BROKERS);
    server->brokers[server->broker_count++] = share;
    share_tell_all(share);
    return (struct invig_share){
        .context = share,
        .name = invig_text_of(share->name),
        .offer = share_offer,
        .keep = share_keep,
        .watch = share_watch,
        .next = share_next,
        .is_available = share_is_available,
        .close = share_close,
    };
}

void fakeshare_cut(struct fakeshare *share)
{
    share_drop_all(share);
    share->is_down = true;
    share_tell(share, INVIG_NEWS_LOST, NULL, NULL, 0, NULL);
}

void fakeshare_mend(struct fakeshare *share)
{
    share->is_down = false;
    share_tell_all(share);
}

void fakeshare_leave(struct fakeshare *share)
{
    struct fakeserver *server = share->server;
    size_t at = 0;

    while (server->brokers[at] != share) {
        at++;
    }
    server->brokers[at] = server->brokers[--server->broker_count];
    for (size_t i = 0; i < server->broker_count; i++) {
        share_tell(server->brokers[i], INVIG_NEWS_GONE, NULL, NULL, 0, share->name);
    }
}

const char *fakeserver_text(const struct fakeserver *server, const char *user)
{
    for (size_t i = 0; i < server->user_count; i++) {
        if (strcmp(server->users[i].id, user) == 0) {
            return server->users[i].text;
        }
    }
    return NULL;
}

void fakeserver_put(struct fakeserver *server, const char *id, const char *text)
{
    struct fakeserver_user *user = server_find(server, id);

    free(user->text);
    user->text = text_copy(text, strlen(text));
    user->revision++;
    for (size_t i = 0; i < server->broker_count; i++) {
        share_tell(server->brokers[i], INVIG_NEWS_USER, id, text, user->revision, NULL);
    }
}

void fakeserver_put_topic(struct fakeserver *server, const char *evaluation, const char *text)
{
    struct fakeshare *any = server->brokers[0];

    (void)share_keep(any, invig_text_of(evaluation), (struct invig_text){NULL, 0},
                     invig_text_of(text));
}
