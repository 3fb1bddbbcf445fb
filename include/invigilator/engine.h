/* SPDX-License-Identifier: Apache-2.0
 *
 * engine.h - the core as one piece: takes what happens in the broker, says what is allowed, and
 * queues what is to be done. It has no clock, no socket and no thread; every call is told the time.
 * Owns: users, sessions, connections.  Not thread-safe: broker thread only.
 * Depends on: every other core module.
 */
#ifndef INVIGILATOR_ENGINE_H
#define INVIGILATOR_ENGINE_H

#include "invigilator/connection.h"
#include "invigilator/control.h"
#include "invigilator/logline.h"
#include "invigilator/outbox.h"
#include "invigilator/share.h"
#include "invigilator/stats.h"
#include "invigilator/store.h"

struct invig_engine;

/* The time of an event. */
struct invig_now {
    int64_t wall_s;    /* Unix seconds UTC */
    int64_t steady_ms; /* milliseconds; never decreases from call to call */
};

/* Where log lines go. `line` has no newline and is borrowed for the call. */
struct invig_log_sink {
    void *context;
    void (*write)(void *context, enum invig_log_level level, const char *line);
};

/* Most effects that invig_engine_next_effect gives, and timers that invig_engine_tick handles, per
 * tick. */
enum { INVIG_TICK_WORK_MAX = 256 };

/* A CONNECT. All texts are borrowed for the call. */
struct invig_connect {
    struct invig_text client_id; /* present; the broker makes one up where the client sends none */
    struct invig_text username;  /* absent or empty: the client sent none */
    struct invig_text address;   /* absent where the broker gives none */
    int protocol_version;        /* 3 (MQTT 3.1), 4 (3.1.1) or 5 */
    bool is_clean;               /* clean session or clean start */
    int64_t keepalive_s;         /* 0: switched off */
    const struct invig_claims
        *claims; /* accepted by invig_claims_read; NULL: the password is no token */
};

enum { INVIG_DIGEST_BYTES = 32 };

/* SHA-256; returns false when it cannot be computed. */
typedef bool invig_digest(const void *data, size_t length, unsigned char out[INVIG_DIGEST_BYTES]);

/* Makes an engine. `policy` is borrowed and must outlive it; `store` is taken over, also on
 * failure, and closed with the engine. Returns NULL when memory is out. */
struct invig_engine *invig_engine_new(const struct invig_policy *policy, struct invig_seed seed,
                                      struct invig_log_sink log, invig_digest *digest,
                                      struct invig_store store);

/* Makes the engine share what it knows with other brokers; before its first event. `share` is taken
 * over, and closed with the engine. */
void invig_engine_set_share(struct invig_engine *engine, struct invig_share share);

/* Takes all records of the store into an engine that has seen no event yet. What they say is
 * published in the ticks that follow. Returns INVIG_OK, or an error of the store or of memory: the
 * engine is then of no use. */
enum invig_status invig_engine_load(struct invig_engine *engine, struct invig_now now);

/* Frees the engine with all its connections. NULL is allowed. */
void invig_engine_free(struct invig_engine *engine);

/* A client asks to come in.
 *
 *   out_connection  receives the connection for ALLOW and DEFER, to be handed to every later call
 * about it and to be ended by invig_engine_disconnect; NULL for DENY out_refusal     why it was
 * denied; reason NONE otherwise
 *
 * ALLOW is also the answer to a client whose session has ended: it comes in without any right, is
 * told and disconnected. DENY changes nothing. Out of memory denies. */
enum invig_verdict invig_engine_connect(struct invig_engine *engine, struct invig_now now,
                                        const struct invig_connect *connect,
                                        struct invig_connection **out_connection,
                                        struct invig_refusal *out_refusal);

/* A connection that is there shows a newer token (MQTT 5, section 4.12.1); parameters as of
 * invig_engine_connect.
 *
 *   connection       in/out; with ALLOW it may be another one, which stands for the client from
 * here on: the old one is not to be used any more
 *
 * DENY: it is of another user or session, or would not be let in; nothing was changed. A connection
 * that is being told why it has no rights is allowed and goes on being told, since a refusal would
 * cut it off before. */
enum invig_verdict invig_engine_refresh(struct invig_engine *engine, struct invig_now now,
                                        const struct invig_connect *connect,
                                        struct invig_connection **connection,
                                        struct invig_refusal *out_refusal);

/* Logs a client whose token was refused before it came to a CONNECT decision. `connect->claims` is
 * ignored. */
void invig_engine_refuse(struct invig_engine *engine, struct invig_now now,
                         const struct invig_connect *connect, struct invig_refusal refusal);

/* A connection has ended; `cause` is what the broker says of it. Its will may still be asked about
 * until the next tick; after that `connection` is gone. Calling it again for the same connection
 * does nothing. */
void invig_engine_disconnect(struct invig_engine *engine, struct invig_now now,
                             struct invig_connection *connection, enum invig_cause cause);

/* Forgets a departed connection at once, because the broker uses its memory again. */
void invig_engine_forget(struct invig_engine *engine, struct invig_connection *connection);

/* May `connection` subscribe to the filter? Denials are logged, within a rate limit. */
enum invig_verdict invig_engine_subscribe(struct invig_engine *engine,
                                          const struct invig_connection *connection,
                                          struct invig_text filter);

/* May a message on `topic` be delivered to `connection`? No allocation, no log; O(1) in users and
 * sessions. */
enum invig_verdict invig_engine_deliver(const struct invig_engine *engine,
                                        const struct invig_connection *connection,
                                        struct invig_text topic);

/* May `connection` publish to `topic`? Also asked for its will, when it is about to be sent: a will
 * is recognised by the connection being replaced or departed. Denials are logged, within a rate
 * limit. */
enum invig_verdict invig_engine_publish(struct invig_engine *engine,
                                        const struct invig_connection *connection,
                                        struct invig_text topic);

/* What a client does that no connection is known for: an MQTT session that outlived its connection,
 * a late will, a client that the broker let in by its certificate. `username` is absent where it
 * has none. */
enum invig_operation {
    INVIG_OPERATION_SUBSCRIBE,
    INVIG_OPERATION_DELIVER,
    INVIG_OPERATION_PUBLISH
};
enum invig_verdict invig_engine_unknown(const struct invig_engine *engine,
                                        enum invig_operation operation, struct invig_text username,
                                        struct invig_text topic);

/* Time passes. Ends connections whose token has run out, queues expiry notices, forgets what is
 * old. At most INVIG_TICK_WORK_MAX timers a call; the rest waits for the next. */
void invig_engine_tick(struct invig_engine *engine, struct invig_now now);

/* What becomes of a PUBLISH that invig_engine_publish let pass. */
struct invig_message {
    struct invig_text topic;
    struct invig_text payload; /* absent or empty: none */
    bool is_retained;
    const struct invig_value_source *object; /* the payload's members; NULL: no JSON object */
    bool is_unread;                          /* memory was out for finding that out */
};

/* Whether invig_engine_message has anything to say of `topic`: the two topics of the backend's
 * EVALUATION_UPDATE, and for a `connection` that is not known (NULL) all of ours. */
bool invig_engine_reads(const struct invig_engine *engine,
                        const struct invig_connection *connection, struct invig_text topic);

/* A message is about to be routed. ALLOW: it passes, and what it says counts from now on. DENY: it
 * must reach nobody and not be retained; nothing was changed, and the publisher will be told. */
enum invig_verdict invig_engine_message(struct invig_engine *engine, struct invig_now now,
                                        const struct invig_connection *connection,
                                        const struct invig_message *message);

/* Runs one command of the control API and writes its answer as an object: "command",
 * "correlationData" where given, and "data" or "error". An error changes nothing. */
void invig_engine_control(struct invig_engine *engine, struct invig_now now,
                          const struct invig_value_source *command,
                          const struct invig_writer *writer);

/* Queues `json`, which is taken over, for `connection` on the response topic. Returns false when
 * there is no room, or `json` is NULL. */
bool invig_engine_reply(struct invig_engine *engine, const struct invig_connection *connection,
                        char *json);

/* Reads all counters. O(1). */
void invig_engine_read_stats(const struct invig_engine *engine, struct invig_stats *out_stats);

/* What is to be done. */
enum invig_effect_kind {
    INVIG_EFFECT_KICK = 1, /* disconnect a client without sending its will */
    INVIG_EFFECT_SEND,     /* send to one client, subscribed or not */
    INVIG_EFFECT_PUBLISH   /* publish to everybody */
};

enum invig_payload_kind {
    INVIG_PAYLOAD_EMPTY = 0, /* clears what is retained */
    INVIG_PAYLOAD_NOTICE,    /* `notice` as JSON */
    INVIG_PAYLOAD_TEXT,      /* `text` as it is */
    INVIG_PAYLOAD_COPY       /* `text` as invig_update_copy changes it */
};

/* One thing for the broker to do. Texts are borrowed until the next call of the engine. */
struct invig_effect {
    enum invig_effect_kind kind;
    struct invig_text client_id; /* of KICK and SEND; NUL-terminated; held by the connection that
                                    is meant, and by no newer one */
    struct invig_topic topic;    /* of SEND and PUBLISH: kind and ids, for invig_topic_write */
    bool is_retained;            /* of PUBLISH */
    enum invig_payload_kind payload;
    struct invig_notice notice;
    struct invig_text text;   /* of COPY absent where there was no message before: then the copy is
                                 of one that holds type, evaluationId and userId alone */
    enum invig_access access; /* of COPY */
    const char *reason;       /* of COPY; NULL: none */
    int64_t at_s;             /* of COPY with a reason */
};

/* Takes the next effect, to be called after invig_engine_tick until it returns false. A disconnect
 * comes INVIG_KICK_TICKS ticks and INVIG_KICK_DELAY_MS after the notice that explains it. */
bool invig_engine_next_effect(struct invig_engine *engine, struct invig_now now,
                              struct invig_effect *out_effect);

/* True while a client was handed out to be disconnected and has not ended. */
bool invig_engine_is_leaving(const struct invig_engine *engine);

/* Until told otherwise nobody is handed out to be disconnected; whoever is due stays so. */
void invig_engine_hold_kicks(struct invig_engine *engine, bool is_held);

/* Gives back the effect that was taken last, because memory was out for it: it, or what has become
 * of it by then, comes again in a later tick. To be called before anything else of the engine. */
void invig_engine_return_effect(struct invig_engine *engine, const struct invig_effect *effect);

#endif
