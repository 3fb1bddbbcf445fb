/* SPDX-License-Identifier: Apache-2.0
 *
 * valkey_private.h - what the files of the share share. Private to plugin/adapter/valkey*.c and
 * their tests.
 */
#ifndef INVIGILATOR_VALKEY_PRIVATE_H
#define INVIGILATOR_VALKEY_PRIVATE_H

#include "valkey.h"

#include <sys/time.h>

#include <hiredis/async.h>
#include <hiredis/hiredis.h>

/* ---- valkeyurl.c: where the server is ---- */

enum {
    VALKEY_HOST_BYTES_MAX = 253,
    VALKEY_ADDRESS_BYTES = 64, /* of an IP address as text, with its NUL */
    VALKEY_ADDRESSES_MAX = 8,
    VALKEY_DATABASE_MAX = 65535
};

struct valkey_url {
    bool is_tls;
    char host[VALKEY_HOST_BYTES_MAX + 1]; /* a name, or an address without brackets */
    int port;
    int database;
};

struct valkey_addresses {
    char texts[VALKEY_ADDRESSES_MAX][VALKEY_ADDRESS_BYTES];
    size_t count;
};

/* Returns INVIG_OK or INVIG_ERR_INVALID. The error text never holds what may be a password. */
enum invig_status invig_valkeyurl_parse(const char *url, struct valkey_url *out_url,
                                        char error[INVIG_POLICY_ERROR_BYTES]);

/* Asks for the addresses of the host, and waits for the answer. */
enum invig_status invig_valkeyurl_resolve(const struct valkey_url *url,
                                          struct valkey_addresses *out_addresses,
                                          char error[INVIG_POLICY_ERROR_BYTES]);

/* ---- valkeylogin.c: what AUTH says ---- */

struct valkey_login {
    char *data; /* of both; NULL: no AUTH */
    size_t length;
    struct invig_text user; /* absent: the server's default user */
    struct invig_text password;
};

/* `path` NULL gives an empty login. To be released with invig_valkeylogin_deinit. */
enum invig_status invig_valkeylogin_read(const char *path, struct valkey_login *out_login,
                                         char error[INVIG_POLICY_ERROR_BYTES]);

/* Wipes and frees it. A zeroed login is allowed. */
void invig_valkeylogin_deinit(struct valkey_login *login);

/* ---- valkeytls.c: TLS, where hiredis has it ---- */

struct valkey_tls; /* what all connections share */

/* `ca_file` may be NULL. Returns INVIG_OK, or as of invig_valkey_open. */
enum invig_status invig_valkeytls_new(const char *ca_file, struct valkey_tls **out_tls,
                                      char error[INVIG_POLICY_ERROR_BYTES]);

void invig_valkeytls_free(struct valkey_tls *tls);

/* Begins TLS on a new connection. The server's certificate must be for `host`. */
bool invig_valkeytls_start(const struct valkey_tls *tls, redisAsyncContext *async,
                           const char *host);

/* ---- valkeylink.c: one connection after the other, and nothing that waits ---- */

enum {
    VALKEY_FAULT_BYTES = 240,
    VALKEY_REPLY_BYTES_MAX = 64 << 20, /* of memory for one reply */
    VALKEY_LINE_BYTES_MAX = 64 << 10,  /* of one line of the protocol */
    VALKEY_DEPTH_MAX = 4               /* of arrays in arrays */
};

/* What a command without an answer is, and so what the answer must be. */
enum valkey_kind {
    VALKEY_PLAIN = 0, /* "OK" */
    VALKEY_SCRIPT,
    VALKEY_HELLO, /* the id of our first entry in the stream */
    VALKEY_OFFER,
    VALKEY_KEEP,
    VALKEY_SCAN, /* of users or topics */
    VALKEY_POLL,
    VALKEY_NAMES,
    VALKEY_EXISTS,
    VALKEY_READY, /* no command: all was given */
    VALKEY_LOST   /* no command: the connection is */
};

struct valkey_command {
    struct valkey_command *next;
    enum valkey_kind kind;
    int64_t sent_ms;   /* steady; -1: since the last call of next() */
    int number;        /* the place of VALKEY_SCRIPT; the phase of VALKEY_SCAN */
    redisReply *reply; /* once it is there */
    size_t at;         /* how much of it was given */
    size_t subject_length;
    char subject[]; /* the user of an offer, the name of a broker; with a NUL */
};

struct valkey_link {
    redisAsyncContext *async; /* NULL: none */
    bool wants_read;
    bool wants_write;
    struct valkey_command *first; /* without an answer, oldest first */
    struct valkey_command *last;
    size_t count;
    size_t reply_bytes;             /* of the reply that is being read */
    char fault[VALKEY_FAULT_BYTES]; /* why it is to be closed; empty: it is sound */
    void *context;
    /* Takes an answer and owns both; not once there is a fault. */
    void (*answer)(void *context, struct valkey_command *command);
};

/* Begins to connect; where that fails at once there is a fault. */
void invig_valkeylink_open(struct valkey_link *link, const char *address,
                           const struct valkey_url *url, const struct valkey_tls *tls);

/* Drops the connection and all that waits. The fault stays. */
void invig_valkeylink_close(struct valkey_link *link);

/* Notes why the connection is to be closed; only the first reason counts. */
void invig_valkeylink_fail(struct valkey_link *link, const char *what, const char *detail);

/* Makes a command of malloc(3); NULL when memory is out. */
struct valkey_command *invig_valkeylink_command(enum valkey_kind kind, struct invig_text subject);
void invig_valkeylink_command_free(struct valkey_command *command);

/* Queues a command, which it takes over in any case; NULL is a fault. Returns false with a fault.
 */
bool invig_valkeylink_send(struct valkey_link *link, struct valkey_command *command,
                           const struct invig_text *words, size_t count);

/* Gives all commands that were sent since the last call the time `now_ms`. */
void invig_valkeylink_stamp(struct valkey_link *link, int64_t now_ms);

/* Writes what the network takes. */
void invig_valkeylink_write(struct valkey_link *link);

/* Writes, and reads a piece of what is there; returns whether it read any. */
bool invig_valkeylink_exchange(struct valkey_link *link);

/* Bytes that the network has not taken. */
size_t invig_valkeylink_output(const struct valkey_link *link);

/* ---- valkeyscript.c: what runs in the server ---- */

enum valkey_script { VALKEY_SCRIPT_OFFER = 0, VALKEY_SCRIPT_KEEP, VALKEY_SCRIPT_POLL };
enum { VALKEY_SCRIPTS = 3, VALKEY_SHA_BYTES = 40, VALKEY_POLL_COUNT = 100 };

/* The text of a script; NULL behind the last. */
const char *invig_valkeyscript(size_t index);

/* ---- The share ---- */

enum {
    VALKEY_ID_BYTES_MAX = 41,     /* of the id of an entry in a stream */
    VALKEY_CURSOR_BYTES_MAX = 20, /* of a cursor of SCAN */
    VALKEY_PEERS_MAX = 64,
    VALKEY_SCAN_COUNT = 250, /* what a step of reading begins with */
    VALKEY_SCAN_COUNT_MIN = 8
};

enum valkey_phase {
    VALKEY_CLOSED = 0,  /* no connection */
    VALKEY_GREETING,    /* what a connection begins with was sent */
    VALKEY_USERS,       /* the users are being read */
    VALKEY_TOPICS,      /* the topics */
    VALKEY_CATCHING_UP, /* what has changed in the meantime */
    VALKEY_LIVE         /* READY is among the news, or was given */
};

struct valkey_peer {
    char name[INVIG_SHARE_NAME_BYTES_MAX + 1];
};

struct valkey_share {
    char name[INVIG_SHARE_NAME_BYTES_MAX + 1];
    struct valkey_url url;
    struct valkey_addresses addresses;
    struct valkey_login login;
    struct valkey_tls *tls; /* NULL: none */
    struct invig_valkey_log log;
    int64_t timeout_ms;

    struct valkey_link link;
    enum valkey_phase phase;
    char shas[VALKEY_SCRIPTS][VALKEY_SHA_BYTES + 1];
    uint64_t link_number; /* of the connection: entries of an earlier one are news */
    size_t address;       /* which one is tried */
    int64_t now_ms;       /* of the last call of next() */
    int64_t retry_ms;     /* when to connect again */
    int64_t pause_ms;     /* after the next failure */
    int64_t beat_ms;      /* when to say again that we are there */
    int64_t poll_ms;      /* when to ask for news again */
    int64_t answered_ms;  /* when the last answer was there, or the connection was begun */
    int64_t looked_ms;    /* when all that was there had been read */
    bool is_ready;        /* READY was given, and not LOST */
    bool is_late;         /* an answer is not there in time, and none came in time since */
    bool is_logged;       /* this outage has had its line */
    bool is_asking;       /* a SCAN, HSCAN or poll is without an answer */
    bool has_names;       /* the names of the other brokers were asked for, all of them */
    bool has_more;        /* the last poll may have left something */
    char cursor[VALKEY_CURSOR_BYTES_MAX + 1]; /* of the hash that is being read */
    char names_cursor[VALKEY_CURSOR_BYTES_MAX + 1];
    int scan_count;                        /* to ask for in one step */
    char last_id[VALKEY_ID_BYTES_MAX + 1]; /* of the stream's entries, the last one read */

    struct valkey_command *news; /* answers that hold news, oldest first */
    struct valkey_command *news_last;
    struct valkey_command *lost;                /* set aside, so that LOST needs no memory */
    struct valkey_peer peers[VALKEY_PEERS_MAX]; /* the other brokers */
    size_t peer_count;
};

/* ---- valkeycommand.c: what is sent ---- */

/* What a new connection begins with. */
void invig_valkeycommand_greet(struct valkey_share *share);

/* The next step of what is to be read, where none is under way and it is time. */
void invig_valkeycommand_step(struct valkey_share *share);

/* Says that we are there, and asks whether the others are. */
void invig_valkeycommand_beat(struct valkey_share *share);

/* Takes back that we are there. */
void invig_valkeycommand_leave(struct valkey_share *share);

/* As of share.h. */
bool invig_valkeycommand_offer(struct valkey_share *share, struct invig_text user,
                               uint64_t revision, struct invig_text text);
bool invig_valkeycommand_keep(struct valkey_share *share, struct invig_text evaluation,
                              struct invig_text user, struct invig_text text);

/* ---- valkeyanswer.c: what comes back ---- */

/* Checks an answer and draws its consequences, or notes a fault. Owns `command`. */
void invig_valkeyanswer_take(void *share, struct valkey_command *command);

/* ---- valkeynews.c: news, one by one ---- */

/* Puts an answer, or what is no command, behind the news. */
void invig_valkeynews_add(struct valkey_share *share, struct valkey_command *command);

/* Takes the next piece; what was given before it is no longer needed. */
bool invig_valkeynews_take(struct valkey_share *share, struct invig_news *out_news);

void invig_valkeynews_clear(struct valkey_share *share);

/* Remembers the name of another broker. */
void invig_valkeynews_learn(struct valkey_share *share, struct invig_text name);

/* Forgets it; false when it was not known. */
bool invig_valkeynews_forget(struct valkey_share *share, struct invig_text name);

/* Reads a revision: decimal digits without a zero in front, above 0. */
bool invig_valkeynews_revision(struct invig_text text, uint64_t *out_revision);

struct invig_text invig_valkeynews_text(const redisReply *reply); /* absent: no string */

#endif
