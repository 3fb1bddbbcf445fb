/* SPDX-License-Identifier: Apache-2.0
 *
 * engine_private.h - the engine's state, for the files that make up the engine and for no other.
 */
#ifndef INVIGILATOR_ENGINE_PRIVATE_H
#define INVIGILATOR_ENGINE_PRIVATE_H

#include "invigilator/effect.h"
#include "invigilator/engine.h"
#include "invigilator/evaluation.h"
#include "invigilator/merge.h"
#include "invigilator/ratelimit.h"

enum {
    INVIG_DENIAL_LINES_BURST = 20, /* lines at once of each kind that anybody can cause */
    INVIG_DENIAL_LINE_MS = 1000,   /* then one more each */
    INVIG_LOGIN_LINES_BURST = 200, /* likewise of logins, whose lines are looked for one by one */
    INVIG_LOGIN_LINE_MS = 100,
    INVIG_FINGERPRINT_BYTES = 13 /* 12 hexadecimal digits and the NUL */
};

struct invig_entry;

struct invig_engine {
    const struct invig_policy *policy; /* borrowed */
    struct invig_log_sink log;
    invig_digest *digest;
    struct invig_seed seed;
    struct invig_text topic_prefix; /* of the policy */
    struct invig_now now;           /* of the last event that told it */
    uint64_t tick_count;
    int effects_left; /* that may still be handed out in this tick */
    struct invig_timers timers;
    struct invig_sessions sessions;
    struct invig_connections connections;
    struct invig_evaluations evaluations;
    struct invig_journal journal;
    struct invig_store store;       /* owned */
    struct invig_share share;       /* owned; next NULL: there are no other brokers */
    bool is_share_there;            /* it was available in the last tick */
    bool has_unshared;              /* memory was out for noting a user who is to be offered */
    bool has_unkept;                /* the last message of a topic is to be kept there */
    bool is_share_loaded;           /* all that the server has was given */
    bool is_stuck;                  /* a group could not be recorded: nobody may learn of it yet */
    int64_t store_ms;               /* steady time of the next attempt to store what failed */
    int64_t sweep_ms;               /* steady time of the next sweep */
    uint64_t recorded_serial;       /* connections up to this one are not undone by a failure */
    struct invig_connection *first; /* all connections */
    uint64_t newest_serial;         /* of a connection */
    struct invig_effects effects;
    struct invig_outbox outbox;
    struct invig_letter *held_letter;         /* its texts are in the effect that was given last */
    struct invig_evaluation *held_evaluation; /* likewise */
    struct invig_member *held_member; /* likewise; to be let go where nothing is left of it */
    struct invig_connection *held_connection; /* whom that effect disconnects or tells */
    bool holds_kicks;                         /* nobody is disconnected for now */
    size_t leaving_count; /* connections that were handed out to be disconnected, and are there */
    struct invig_ratelimit denials;
    struct invig_ratelimit refusals; /* publish_refused lines */
    struct invig_ratelimit refused;  /* refused lines */
    struct invig_ratelimit told;     /* told lines */
    struct invig_ratelimit failures; /* state_failed lines */
    struct invig_stats stats;        /* those that are counted as they happen */
    /* A connection without a token whose client id another such connection asked for in the last
     * event: if it publishes now, that is its will. NULL: none. */
    const struct invig_connection *overtaken;
};

/* -- engine.c: connections begin and end -- */

/* Begins an event that changes something. */
void invig_engine_begin(struct invig_engine *engine, struct invig_now now);

/* Counts a linked connection of a user as OPEN. */
void invig_engine_open(struct invig_engine *engine, struct invig_connection *connection);

/* True for a connection that can be written to and acts by itself: OPEN or DEFERRED. */
bool invig_engine_is_there(const struct invig_connection *connection);

/* Takes all rights from an open connection and queues that it is told why and disconnected. Does
 * nothing to a connection in any other state. Returns whether it did something. */
bool invig_engine_tell(struct invig_engine *engine, struct invig_connection *connection,
                       enum invig_end end);

/* Tells all open connections of a session that has ended. Returns how many. */
int64_t invig_engine_tell_session(struct invig_engine *engine, const struct invig_session *session);

/* Tells all of a session that was superseded, or revoked by another broker, and logs it. */
void invig_engine_end_session(struct invig_engine *engine, const struct invig_session *session);

/* Notes when a user came online or went offline, and why, where it did. */
void invig_engine_note_online(struct invig_engine *engine, struct invig_user *user, bool was_online,
                              enum invig_cause cause);

/* Takes client id, timer and waiting effects from a connection that is over, and leaves it in
 * `state`. */
void invig_engine_detach(struct invig_engine *engine, struct invig_connection *connection,
                         enum invig_connection_state state, enum invig_cause cause);

/* Puts a new connection into the engine's list and, where it has a user, into the user's. */
void invig_engine_link(struct invig_engine *engine, struct invig_connection *connection);

/* Takes a detached connection out of all lists and frees it. */
void invig_engine_discard(struct invig_engine *engine, struct invig_connection *connection);

/* Makes room for the timers of one more user and one more connection. */
enum invig_status invig_engine_reserve_timers(struct invig_engine *engine);

/* Begins a line of a kind that is limited. Returns false when it is to be left out. */
bool invig_engine_begin_line(const struct invig_engine *engine, struct invig_ratelimit *limit,
                             const char *event, struct invig_logline *out_line);

/* Writes a finished line. */
void invig_engine_log(const struct invig_engine *engine, enum invig_log_level level,
                      const struct invig_logline *line);

/* -- engine_admit.c: logins that come in -- */

/* A login on its way in. */
struct invig_entry {
    const struct invig_connect *connect;
    struct invig_login login;
    enum invig_end end;               /* why it comes in only to be told; NONE: it has rights */
    bool is_observed;                 /* it is a second login that is only reported */
    struct invig_connection *holder;  /* of its client id; NULL: none */
    bool is_refresh;                  /* the holder itself shows a newer token */
    struct invig_letter *incidents;   /* to be sent when it is in */
    struct invig_connection *created; /* its connection */
};

/* Carries out a login that was judged and checked. */
enum invig_reason invig_engine_admit(struct invig_engine *engine, struct invig_entry *entry);

/* Records a second login under the very client id of a live connection: it cannot be told, so it is
 * refused, and its user blocked all the same. Returns INVIG_REASON_SECOND_LOGIN, or why that could
 * not be done. */
enum invig_reason invig_engine_refuse_second(struct invig_engine *engine,
                                             struct invig_entry *entry);

/* -- engine_member.c: users in evaluations -- */

/* Makes `connection` count in the evaluations that `claims` names. Returns INVIG_OK, or with
 * nothing counted INVIG_ERR_FULL or INVIG_ERR_NO_MEMORY. */
enum invig_status invig_engine_claim(struct invig_engine *engine,
                                     struct invig_connection *connection, struct invig_user *user,
                                     const struct invig_claims *claims);

/* Takes that back. */
void invig_engine_unclaim(struct invig_engine *engine, struct invig_connection *connection);

/* Whether the token of `connection` names the evaluation. */
bool invig_engine_claims(const struct invig_connection *connection,
                         const struct invig_member *member);

/* Lets an evaluation go where nothing is left of it. */
void invig_engine_release_evaluation(struct invig_engine *engine,
                                     struct invig_evaluation *evaluation);

/* Lets a member go where nothing is left of it, and then its evaluation likewise. */
void invig_engine_release_member(struct invig_engine *engine, struct invig_member *member);

/* What `connection` is to `evaluation` (may be absent). */
enum invig_standing invig_engine_standing(const struct invig_engine *engine,
                                          const struct invig_connection *connection,
                                          struct invig_text evaluation);

/* A change goes in these steps: watch, change records, bind, commit, settle. Only then does anybody
 * outside learn of it. Notes what `member` is before a change. */
void invig_member_watch(struct invig_member *member);

/* Whether the user is a participant with a connection that is open. `entry` is a login whose
 * connection is not open yet, while those that it ends still are: it is judged by what will be;
 * NULL: none. */
bool invig_engine_takes_part(const struct invig_member *member, const struct invig_entry *entry);

/* Notes in the record that the user takes part. */
void invig_engine_note_seen(struct invig_engine *engine, struct invig_member *member,
                            const struct invig_entry *entry);

/* Draws the consequences of a change that is recorded: counts, what was missed, what is retained,
 * presence. */
void invig_engine_settle(struct invig_engine *engine, struct invig_member *member);

/* The number of a user's connections has changed. */
void invig_engine_mark_presence(struct invig_engine *engine, struct invig_user *user);

/* -- engine_strict.c: bindings and blocks -- */

/* Binds the member to its user's current session where that is due. `entry` is a login that is on
 * its way in, as of invig_engine_takes_part. */
void invig_engine_bind(struct invig_engine *engine, struct invig_member *member,
                       const struct invig_entry *entry);

void invig_engine_unbind(struct invig_engine *engine, struct invig_member *member);

/* Ends all bindings of a user whose bound session has ended. */
void invig_engine_unbind_ended(struct invig_engine *engine, struct invig_user *user);

/* Whether a login that was judged acceptable is a second one: another session of its user is bound,
 * or a block by its own earlier attempt stands. */
bool invig_engine_is_second_login(const struct invig_engine *engine,
                                  const struct invig_claims *claims,
                                  const struct invig_login *login);

/* Whether a page that is turned away is to be told of this evaluation. */
bool invig_member_turns_away(const struct invig_member *member);

/* Blocks the user, in the records, in all evaluations that are bound. */
void invig_engine_block(struct invig_engine *engine, struct invig_user *user);

/* What follows from that when it is recorded. */
void invig_engine_settle_block(struct invig_engine *engine, const struct invig_connect *connect,
                               struct invig_user *user);

/* How a block is lifted. */
struct invig_lift {
    enum invig_said said;             /* of sessionId: NOTHING keeps the binding, NULL clears it */
    struct invig_session *named;      /* with VALUE: the session that becomes the bound one */
    struct invig_session *superseded; /* receives the one that was; NULL: none */
    const char *by;                   /* for the log */
};

/* Finds the session that `text` names: by id, or else by fingerprint. NULL when there is none. */
struct invig_session *invig_engine_find_named(const struct invig_engine *engine,
                                              const struct invig_user *user,
                                              struct invig_text text);

/* Lifts the block of a second login and settles which session is bound, in the records. */
void invig_engine_lift(struct invig_engine *engine, struct invig_member *member,
                       struct invig_lift *lift);

/* What follows from that when it is recorded. */
void invig_engine_settle_lift(struct invig_engine *engine, const struct invig_member *member,
                              const struct invig_lift *lift);

/* Writes a line about a user in an evaluation. */
void invig_engine_log_member(const struct invig_engine *engine, const char *event,
                             const struct invig_member *member, const char *key, const char *word);

/* -- engine_incident.c: what supervisors are told -- */

/* Writes the fingerprint of a session id. Returns false when it cannot be computed. */
bool invig_engine_fingerprint(const struct invig_engine *engine, struct invig_text session,
                              char out[INVIG_FINGERPRINT_BYTES]);

/* Whether a login that was judged, and comes in with `end`, is a second one that is to be reported.
 */
bool invig_engine_makes_incidents(const struct invig_engine *engine,
                                  const struct invig_login *login, enum invig_end end);

/* Makes the incidents of a second login, chained in *out_letters. Returns INVIG_OK, INVIG_ERR_FULL
 * or INVIG_ERR_NO_MEMORY; *out_letters is NULL then. */
enum invig_status invig_engine_make_incidents(struct invig_engine *engine,
                                              const struct invig_connect *connect,
                                              const struct invig_login *login,
                                              struct invig_letter **out_letters);

/* Writes a line about a second login. */
void invig_engine_log_incident(const struct invig_engine *engine, const char *event,
                               const struct invig_connect *connect,
                               const struct invig_member *member);

/* Reports a bound session that is used from a second address, once for each binding. */
void invig_engine_check_shared(struct invig_engine *engine, const struct invig_user *user);

/* -- engine_report.c: commands that only read -- */

/* Writes the "data" of a command that only reads. Returns NULL, or with nothing written a static
 * error text. */
const char *invig_engine_report(const struct invig_engine *engine,
                                const struct invig_command *command,
                                const struct invig_writer *writer);

/* -- engine_phase.c: messages about everybody in an evaluation -- */

/* Takes a valid message. Returns NULL, or with nothing changed a static text that says why it is
 * refused. */
const char *invig_engine_update_evaluation(struct invig_engine *engine,
                                           const struct invig_topic *topic,
                                           const struct invig_message *message,
                                           const struct invig_update *update);

/* Forgets an evaluation; its users' topics and presence will be cleared. Returns as the above. */
const char *invig_engine_forget_evaluation(struct invig_engine *engine, struct invig_text id);

/* What the phase of its evaluation changes in the record of a member. `was_strict`: it may be bound
 * or blocked from before. */
void invig_engine_record_phase(struct invig_engine *engine, struct invig_member *member,
                               bool was_strict);

/* What follows from that when it is recorded. */
void invig_engine_settle_phase(struct invig_engine *engine, struct invig_member *member);

/* Forgets, in the record, what was said of a member, but for what only a forgotten evaluation makes
 * forgotten. */
void invig_engine_forget_said(struct invig_engine *engine, struct invig_member *member);

/* Forgets, in the record, all of a member whose evaluation is forgotten. */
void invig_engine_record_forgotten(struct invig_engine *engine, struct invig_member *member);

/* What a publisher is told of an error of ours. */
const char *invig_engine_status_error(enum invig_status status);

/* -- engine_store.c: records -- */

/* Records all changes of this event. A store that groups does it at the next tick. Returns
 * INVIG_OK, or an error: every record is again what it was before the event. */
enum invig_status invig_engine_commit(struct invig_engine *engine);

/* The same, at once for every store: the broker acknowledges a message and hands it on right after
 * the event, and neither can be held back. */
enum invig_status invig_engine_commit_now(struct invig_engine *engine);

/* Takes back all changes of this event: every record is again what it was before. */
void invig_engine_undo(struct invig_engine *engine);

/* Records what is left, and forgets in the store what is old. To be called in each tick. */
void invig_engine_tick_store(struct invig_engine *engine);

/* The engine ends: records what is left, where that is possible. */
void invig_engine_store_last(struct invig_engine *engine);

/* Notes whether a login that was let in rests on records that are not stored yet. */
void invig_engine_mark_unrecorded(struct invig_engine *engine, struct invig_connection *connection);

/* -- engine_share.c: other brokers -- */

/* Notes that what is known of a user may be news to other brokers. */
void invig_engine_share_user(struct invig_engine *engine, struct invig_user *user);

/* Takes the news of the others, and offers them ours. To be called in each tick. */
void invig_engine_tick_share(struct invig_engine *engine);

/* -- engine_keep.c: the last messages about evaluations -- */

/* Keeps the last message of an evaluation, or of a member, as it is stored; where that cannot be
 * now, it is noted. */
void invig_engine_keep_evaluation(struct invig_engine *engine, struct invig_evaluation *evaluation);
void invig_engine_keep_member(struct invig_engine *engine, struct invig_member *member);

/* Keeps all that were noted. */
void invig_engine_keep_all(struct invig_engine *engine);

/* Takes a message that was kept by another broker, or before the start. */
void invig_engine_take_topic(struct invig_engine *engine, const struct invig_news *news);

/* -- engine_merge.c: what other brokers know -- */

/* Takes `theirs`, the text that the server has of a user, over what is known here: what this broker
 * has changed since they agreed stays, where it can. All agree on it from then on. Returns
 * INVIG_OK, INVIG_ERR_FORMAT, or with nothing changed INVIG_ERR_NO_MEMORY. */
enum invig_status invig_engine_merge(struct invig_engine *engine, struct invig_shared *shared,
                                     struct invig_text theirs, uint64_t revision);

/* -- engine_merged.c: what follows from a merge -- */

/* Makes the incidents of a second login that was let in, at another broker or here. To be called
 * while its user is bound and not blocked yet. */
void invig_engine_report_second(struct invig_engine *engine, struct invig_session *loser);

/* Notes which blocks are new or have ended, compared with what is stored. */
void invig_engine_note_blocks(struct invig_user *user);

/* Tells the pages whose sessions have no rights any more, and draws the consequences for members.
 */
void invig_engine_settle_merged(struct invig_engine *engine, struct invig_user *user);

/* -- engine_load.c: records that come in -- */

/* Finds or makes what is known of a user in an evaluation; both are made where they are unknown.
 * Returns INVIG_OK, INVIG_ERR_FULL or INVIG_ERR_NO_MEMORY. */
enum invig_status invig_engine_require_member(struct invig_engine *engine,
                                              struct invig_text evaluation, struct invig_text user,
                                              struct invig_member **out_member);

/* -- engine_effect.c: what the broker is to do -- */

/* Lets go what the last effect borrowed. */
void invig_engine_release_held(struct invig_engine *engine);

#endif
