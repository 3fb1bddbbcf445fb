/* SPDX-License-Identifier: Apache-2.0
 *
 * record.h - what outlives a restart, as plain values: one struct for each kind of record.
 * Depends on: text, timestamp, notice (enum invig_end), update (enum invig_access).
 */
#ifndef INVIGILATOR_RECORD_H
#define INVIGILATOR_RECORD_H

#include "invigilator/notice.h"
#include "invigilator/update.h"

/* Of a user. Key: the user id. */
struct invig_user_record {
    int64_t newest_login_s;   /* of any session that was ever current; Unix seconds UTC */
    int64_t revoked_before_s; /* unseen sessions with an earlier login time count as revoked */
    int64_t kept_until_s;     /* the two times above are kept at least until then */
    bool has_newest_login;
    bool has_revoked_before;
};

/* Of a session. Key: user id and session id. */
struct invig_session_record {
    uint64_t serial;       /* unique, > 0; never used again */
    int64_t login_s;       /* first auth_time (or iat) it was seen with; Unix seconds UTC */
    int64_t kept_until_s;  /* forgotten after it, when it has no connection and no binding */
    enum invig_end end;    /* INVIG_END_NONE, INVIG_END_SUPERSEDED or INVIG_END_REVOKED */
    bool has_login;        /* false: only known from a command */
    bool login_is_lasting; /* login_s came from auth_time, so a newer token says the same */
    bool is_single;        /* was opened under a single-session role */
    bool is_current;       /* the one session of its user */
    bool is_turned_away;   /* came while another session was bound, and was not named since */
};

/* Of an evaluation. Key: the evaluation id. */
struct invig_evaluation_record {
    struct invig_text phase; /* its word; absent: not known, and nothing else is either */
    bool is_strict_off;      /* "strict": false was said */
    bool has_version;
    int64_t version;                            /* 0..INT64_MAX */
    char end_at[INVIG_TIMESTAMP_BYTES_MAX + 1]; /* empty: none */
    struct invig_text message;                  /* the last accepted one; absent: none */
};

/* Of a topic on which something was retained, and is not any more: after a crash the broker may
 * have it again, and it is cleared again. Key: evaluation id and user id; without user id it is the
 * evaluation's own topic, with it those of the user in it: message and presence. */
struct invig_cleared_record {
    int64_t kept_until_s; /* Unix seconds UTC; forgotten after it */
};

/* Of a user in an evaluation. Key: evaluation id and user id. */
struct invig_member_record {
    enum invig_access access;
    bool is_blocked;  /* SECOND_LOGIN */
    bool is_finished; /* status FINISHED */
    bool has_version;
    bool is_copy;              /* a copy of the plugin's own, with another access, is retained */
    bool is_bound;             /* to the user's current session */
    bool is_shared_reported;   /* SHARED_SESSION was, for this binding */
    bool was_student;          /* a token of a student named the evaluation */
    bool has_connected;        /* the user had a connection while a participant */
    int64_t access_since_s;    /* Unix seconds UTC */
    int64_t blocked_since_s;   /* likewise */
    int64_t version;           /* 0..INT64_MAX */
    uint64_t released_serial;  /* session that binds again only when it is named; 0: none */
    struct invig_text message; /* the last accepted one; absent: none */
};

#endif
