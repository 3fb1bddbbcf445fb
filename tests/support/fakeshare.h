/* SPDX-License-Identifier: Apache-2.0
 *
 * fakeshare.h - a server that several worlds share, in memory: what one offers it takes or refuses,
 * and it tells the others in their next tick. A world can be cut off from it.
 */
#ifndef INVIGILATOR_TEST_FAKESHARE_H
#define INVIGILATOR_TEST_FAKESHARE_H

#include "invigilator/share.h"

enum {
    FAKESHARE_USERS = 2048,
    FAKESHARE_TOPICS = 4096,
    FAKESHARE_BROKERS = 4,
    FAKESHARE_NEWS = 4096
};

struct fakeserver_user {
    char id[INVIG_ID_BYTES_MAX + 1];
    char *text; /* NULL: none */
    uint64_t revision;
};

struct fakeserver {
    struct fakeserver_user users[FAKESHARE_USERS];
    size_t user_count;
    struct {
        char evaluation[INVIG_ID_BYTES_MAX + 1];
        char user[INVIG_ID_BYTES_MAX + 1]; /* empty: of all in it */
        char *text;
    } topics[FAKESHARE_TOPICS];
    size_t topic_count;
    struct fakeshare *brokers[FAKESHARE_BROKERS];
    size_t broker_count;
    size_t offers;   /* that reached it */
    size_t refusals; /* of them */
};

struct fakeshare {
    struct fakeserver *server;
    char name[INVIG_SHARE_NAME_BYTES_MAX + 1];
    bool is_down;                           /* cut off */
    struct invig_news news[FAKESHARE_NEWS]; /* the texts are owned */
    size_t first;
    size_t count;
    struct invig_news given; /* the last one; its texts are owned */
    struct {
        char user[INVIG_ID_BYTES_MAX + 1];
        char *text;
        uint64_t revision;
    } waiting[FAKESHARE_USERS]; /* offers that have not reached the server */
    size_t waiting_count;
};

void fakeserver_init(struct fakeserver *server);
void fakeserver_deinit(struct fakeserver *server);

/* It has lost all that it had. */
void fakeserver_forget(struct fakeserver *server);

/* A broker that is called `name` comes to the server; the memory is the caller's. */
struct invig_share fakeshare_join(struct fakeshare *share, struct fakeserver *server,
                                  const char *name);

/* The broker is cut off: what it has offered, and what it was to be told, is lost. */
void fakeshare_cut(struct fakeshare *share);

/* It is there again, and is told all. */
void fakeshare_mend(struct fakeshare *share);

/* Its offers reach the server. Without it they do in its next call of `next`. */
void fakeshare_flush(struct fakeshare *share);

/* The broker is no more: the others hear of it. */
void fakeshare_leave(struct fakeshare *share);

/* Somebody else writes there, and all brokers hear of it; of a topic they hear when they are
 * mended. */
void fakeserver_put(struct fakeserver *server, const char *user, const char *text);
void fakeserver_put_topic(struct fakeserver *server, const char *evaluation, const char *text);

/* What the server has of a user; NULL: nothing. */
const char *fakeserver_text(const struct fakeserver *server, const char *user);

#endif
