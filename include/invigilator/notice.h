/* SPDX-License-Identifier: Apache-2.0
 *
 * notice.h - the JSON messages that the plugin itself sends, as C values. Turning them into JSON is
 * an adapter's. Depends on: text, claims (for INVIG_TIME_S_MAX).
 */
#ifndef INVIGILATOR_NOTICE_H
#define INVIGILATOR_NOTICE_H

#include "invigilator/text.h"

enum invig_notice_type { INVIG_NOTICE_SESSION_INVALIDATED = 1, INVIG_NOTICE_SESSION_EXPIRING };

/* Why a session is over for a connection. */
enum invig_end {
    INVIG_END_NONE = 0,   /* it is not */
    INVIG_END_SUPERSEDED, /* the user logged in again */
    INVIG_END_REVOKED,    /* by command */
    INVIG_END_EXPIRED     /* this connection's token */
};

struct invig_notice {
    enum invig_notice_type type;
    struct invig_text user;
    struct invig_text session;
    enum invig_end reason; /* of SESSION_INVALIDATED */
    int64_t time_s;        /* Unix seconds UTC: "at", or "expiresAt" of SESSION_EXPIRING */
};

enum { INVIG_TIME_TEXT_BYTES = 24 };

/* Writes `time_s` (0..INVIG_TIME_S_MAX, clamped) as RFC 3339 in UTC: 2026-11-24T09:30:00Z. */
void invig_time_format(int64_t time_s, char out[INVIG_TIME_TEXT_BYTES]);

/* Returns the static word: "SUPERSEDED", "REVOKED", "EXPIRED"; "NONE" for anything else. */
const char *invig_end_word(enum invig_end end);

#endif
