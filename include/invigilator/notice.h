/* SPDX-License-Identifier: Apache-2.0
 *
 * notice.h - the JSON messages that the plugin itself sends, as C values, and what members they
 * have. Depends on: text, writer, timestamp.
 */
#ifndef INVIGILATOR_NOTICE_H
#define INVIGILATOR_NOTICE_H

#include "invigilator/timestamp.h"
#include "invigilator/writer.h"

enum invig_notice_type {
    INVIG_NOTICE_SESSION_INVALIDATED = 1,
    INVIG_NOTICE_SESSION_EXPIRING,
    INVIG_NOTICE_EVALUATION_BLOCKED, /* EVALUATION_UPDATE to a page that is turned away */
    INVIG_NOTICE_PRESENCE,
    INVIG_NOTICE_INCIDENT,
    INVIG_NOTICE_PUBLISH_REFUSED
};

/* Why a connection has no rights any more. */
enum invig_end {
    INVIG_END_NONE = 0,   /* it has */
    INVIG_END_SUPERSEDED, /* the user logged in again */
    INVIG_END_REVOKED,    /* by command */
    INVIG_END_EXPIRED,    /* this connection's token */
    INVIG_END_BLOCKED     /* another session is bound to a strict evaluation */
};

/* Why a user came online or went offline. */
enum invig_cause {
    INVIG_CAUSE_UNKNOWN = 0, /* the broker does not say, as 2.0 */
    INVIG_CAUSE_CONNECTED,
    INVIG_CAUSE_CLOSED,  /* the client or the network closed the connection */
    INVIG_CAUSE_TIMEOUT, /* nothing was heard for one and a half times the keepalive */
    INVIG_CAUSE_SUPERSEDED,
    INVIG_CAUSE_REVOKED,
    INVIG_CAUSE_EXPIRED
};

enum invig_incident_kind { INVIG_INCIDENT_SECOND_LOGIN = 1, INVIG_INCIDENT_SHARED_SESSION };

/* Texts are borrowed; those that the type does not have are absent. */
struct invig_notice {
    enum invig_notice_type type;
    struct invig_text user;
    struct invig_text session;
    struct invig_text evaluation;
    int64_t time_s;        /* Unix seconds UTC: "at", "since", or "expiresAt" of SESSION_EXPIRING */
    enum invig_end reason; /* of SESSION_INVALIDATED */
    /* Of PRESENCE: */
    bool is_online;
    size_t connection_count;
    enum invig_cause cause;
    /* Of INCIDENT: */
    enum invig_incident_kind incident;
    bool is_enforced;
    struct invig_text bound_session;   /* fingerprint */
    struct invig_text refused_session; /* fingerprint */
    struct invig_text address;
    /* Of PUBLISH_REFUSED: */
    struct invig_text topic;
    struct invig_text error;
};

/* Writes the notice as a JSON object, members in the order that README.md shows. */
void invig_notice_write(const struct invig_notice *notice, const struct invig_writer *writer);

/* Each returns a static word; "NONE" or "UNKNOWN" for anything else. */
const char *invig_end_word(enum invig_end end);
const char *invig_cause_word(enum invig_cause cause);
const char *invig_incident_word(enum invig_incident_kind kind);

#endif
