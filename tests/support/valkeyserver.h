/* SPDX-License-Identifier: Apache-2.0
 *
 * valkeyserver.h - a real Valkey or Redis server for a test, on a port of loopback, that keeps
 * nothing on the disk and ends with the test, however that ends; and shares on it.
 */
#ifndef VALKEYSERVER_H
#define VALKEYSERVER_H

#include "valkey.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/time.h>
#include <sys/types.h>

#include <cmocka.h>

#include <hiredis/hiredis.h>

struct valkeyserver {
    pid_t pid; /* 0: none */
    int port;
    redisContext *admin;   /* NULL: none */
    const char *tls_files; /* beginning of the names of a .pem and a .key file; NULL: no TLS */
    int tls_port;          /* beside the other */
};

/* A port of loopback that nobody has. */
int valkeyserver_free_port(void);

/* Starts one on server->port, or on a free one where that is 0, and waits until it serves.
 * `password` may be NULL. */
void valkeyserver_start(struct valkeyserver *server, const char *password);

/* Kills it, if it runs, and waits for its end. The port stays. */
void valkeyserver_stop(struct valkeyserver *server);

/* Asks the server, which must not answer with an error. The answer is to be freed. */
redisReply *valkeyserver_ask(struct valkeyserver *server, const char *format, ...);

/* As above, for the effect alone; the number that was answered, or 0. */
long long valkeyserver_do(struct valkeyserver *server, const char *format, ...);

/* Waits until the server has answered all that it was asked so far, by anybody. */
void valkeyserver_settle(struct valkeyserver *server);

/* ---- Shares ---- */

struct valkeyclient {
    struct invig_share share;
    int64_t ahead_ms; /* how far this broker's clock is before the true one */
    int log_count;
    char log[1024];                  /* the last line */
    struct invig_news news;          /* the last piece; its texts are only good until the next */
    int counts[INVIG_NEWS_GONE + 1]; /* of each kind so far */
};

/* A log that notes the lines in `client`. */
struct invig_valkey_log valkeyclient_log_of(struct valkeyclient *client);

/* Opens a share on `port`; `auth_file` may be NULL. */
void valkeyclient_open(struct valkeyclient *client, int port, const char *auth_file);

/* Closes it, if it is open. */
void valkeyclient_close(struct valkeyclient *client);

/* One call of next(), which must not take long. Whether there was news. */
bool valkeyclient_next(struct valkeyclient *client);

/* Takes news until one of `kind` comes, and fails after some seconds. */
void valkeyclient_await(struct valkeyclient *client, enum invig_news_kind kind);

/* Takes news until `is_there` is what the share says of itself. */
void valkeyclient_await_available(struct valkeyclient *client, bool is_there);

/* Takes news for `ms`, and drops it. */
void valkeyclient_idle(struct valkeyclient *client, int ms);

/* Opens and waits for READY. */
void valkeyclient_join(struct valkeyclient *client, const struct valkeyserver *server);

bool valkeyclient_offer(struct valkeyclient *client, const char *user, uint64_t revision,
                        const char *text);

int64_t valkeyclient_now_ms(void);

/* Lets a millisecond go by. */
void valkeyclient_wait(void);

#define assert_text(text, string)                                                                  \
    do {                                                                                           \
        assert_int_equal((text).length, strlen(string));                                           \
        assert_memory_equal((text).data, (string), (text).length);                                 \
    } while (0)

#endif
