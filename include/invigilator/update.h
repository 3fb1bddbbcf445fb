/* SPDX-License-Identifier: Apache-2.0
 *
 * update.h - EVALUATION_UPDATE messages of the backend: what they say, checked, and copies of them
 * with another access. Forms as in README.md, "Messages of the backend".
 * Depends on: text, value, timestamp, topic, policy, jsontext.
 */
#ifndef INVIGILATOR_UPDATE_H
#define INVIGILATOR_UPDATE_H

#include "invigilator/policy.h"
#include "invigilator/timestamp.h"
#include "invigilator/topic.h"
#include "invigilator/value.h"

enum {
    INVIG_UPDATE_BYTES_MAX = 4000, /* of a payload: beyond, Mosquitto 2.0 is slow over WebSockets */
    INVIG_UPDATE_ERROR_BYTES = 200, /* room for an error text, with its NUL */
    INVIG_UPDATE_COPY_BYTES = INVIG_UPDATE_BYTES_MAX + 200 /* room for a copy, with its NUL */
};

/* What the backend says of a user's access to an evaluation. */
enum invig_access {
    INVIG_ACCESS_UNSAID = 0, /* nothing: the token's claim counts */
    INVIG_ACCESS_ALLOWED,
    INVIG_ACCESS_DENIED,
    INVIG_ACCESS_BLOCKED
};

/* A user's own status in an evaluation. */
enum invig_progress {
    INVIG_PROGRESS_UNSAID = 0, /* the member is absent: what was known stays */
    INVIG_PROGRESS_CLEARED,    /* null */
    INVIG_PROGRESS_IN_PROGRESS,
    INVIG_PROGRESS_FINISHED
};

/* Whether a member is there, and whether it is null. */
enum invig_said { INVIG_SAID_NOTHING = 0, INVIG_SAID_NULL, INVIG_SAID_VALUE };

/* One message, read. Members that the topic does not have are zero. */
struct invig_update {
    bool has_version;
    int64_t version; /* 0..INT64_MAX */
    /* On evaluations/{e}: */
    int phase; /* index in policy.phases */
    bool has_strict;
    bool strict;
    enum invig_said end_at_said;
    char end_at[INVIG_TIMESTAMP_BYTES_MAX + 1];
    /* On evaluations/{e}/users/{user}: */
    enum invig_progress progress;
    enum invig_access access;
    bool unblock;
    enum invig_said session_said;
    char session[INVIG_ID_BYTES_MAX + 1];
};

/* Reads the JSON object of a message on `topic` (kind INVIG_TOPIC_EVALUATION or
 * INVIG_TOPIC_EVALUATION_USER) and checks it: type, ids equal to the topic's, phase and access from
 * their lists, times, version, unblock true where present. Unknown members are not looked at.
 *
 *   out_update  filled in when true is returned
 *   error       receives what is wrong, in plain words naming the member, for the publisher; what
 *               came from outside is not repeated in it
 *
 * Returns whether the message is valid. */
bool invig_update_read(const struct invig_value_source *source, const struct invig_topic *topic,
                       const struct invig_policy *policy, struct invig_update *out_update,
                       char error[INVIG_UPDATE_ERROR_BYTES]);

/* Writes a copy of `message`, valid JSON that is an object (checked before by
 * invig_jsontext_check), as the plugin publishes it. Members `access`, `by`, `sessionId` and
 * `unblock` are left out, as are `reason` and `at` when `access` is not BLOCKED or a `reason` is
 * given; all others stay byte for byte, however their names are escaped. Then come "access", and
 * "reason" and "at" where given, and "by":"invigilator".
 *
 *   access  ALLOWED, DENIED or BLOCKED
 *   reason  a static word without anything to escape; NULL for none
 *   at_s    Unix seconds UTC; used with a reason only
 *
 * Returns the length without the NUL; 0 when it does not fit into INVIG_UPDATE_COPY_BYTES. */
size_t invig_update_copy(struct invig_text message, enum invig_access access, const char *reason,
                         int64_t at_s, char out[INVIG_UPDATE_COPY_BYTES]);

/* Returns the static word: "ALLOWED", "DENIED", "BLOCKED"; "NONE" for anything else. */
const char *invig_access_word(enum invig_access access);

#endif
