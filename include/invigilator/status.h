/* SPDX-License-Identifier: Apache-2.0
 *
 * status.h - what a function reports back: errors of the program, and reasons for refusing a
 * client. A refusal is a normal answer, not an error, so the two are separate lists. Depends on:
 * nothing.
 */
#ifndef INVIGILATOR_STATUS_H
#define INVIGILATOR_STATUS_H

/* X(word, number, text): 0 is success, errors are negative. */
#define INVIG_STATUS_MAP(X)                                                                        \
    X(OK, 0, "success")                                                                            \
    X(ERR_NO_MEMORY, -1, "out of memory")                                                          \
    X(ERR_FULL, -2, "a limit is reached")                                                          \
    X(ERR_STATE, -3, "not allowed in the present state")                                           \
    X(ERR_INVALID, -4, "invalid argument")                                                         \
    X(ERR_FORMAT, -5, "malformed data")                                                            \
    X(ERR_IO, -6, "input or output failed")                                                        \
    X(ERR_LIBRARY, -7, "a library call failed")

enum invig_status {
#define INVIG_STATUS_ENUM(word, number, text) INVIG_##word = (number),
    INVIG_STATUS_MAP(INVIG_STATUS_ENUM)
#undef INVIG_STATUS_ENUM
};

/* Why a client was refused. The word is what the log line and the metric auth/refused/{word} say.
 * X(NAME, word). */
#define INVIG_REASON_MAP(X)                                                                        \
    X(NONE, "none")                                                                                \
    X(INTERNAL, "internal_error")                                                                  \
    X(TOKEN_TOO_LARGE, "token_too_large")                                                          \
    X(TOKEN_MALFORMED, "token_malformed")                                                          \
    X(HEADER_INVALID, "header_invalid")                                                            \
    X(HEADER_CRITICAL, "critical_header")                                                          \
    X(ALGORITHM_NOT_ALLOWED, "algorithm_not_allowed")                                              \
    X(KEY_UNKNOWN, "key_unknown")                                                                  \
    X(SIGNATURE_INVALID, "signature_invalid")                                                      \
    X(PAYLOAD_INVALID, "payload_invalid")                                                          \
    X(CLAIM_MISSING, "claim_missing")                                                              \
    X(CLAIM_INVALID, "claim_invalid")                                                              \
    X(EXPIRED, "expired")                                                                          \
    X(NOT_YET_VALID, "not_yet_valid")                                                              \
    X(ISSUED_IN_FUTURE, "issued_in_future")                                                        \
    X(LOGIN_IN_FUTURE, "login_in_future")                                                          \
    X(ISSUER_MISMATCH, "issuer_mismatch")                                                          \
    X(AUDIENCE_MISMATCH, "audience_mismatch")                                                      \
    X(ROLE_UNKNOWN, "role_unknown")                                                                \
    X(USERNAME_MISMATCH, "username_mismatch")                                                      \
    X(CLIENT_ID_INVALID, "client_id_invalid")                                                      \
    X(CLIENT_ID_IN_USE, "client_id_in_use")                                                        \
    X(CLEAN_SESSION_OFF, "clean_session_off")                                                      \
    X(KEEPALIVE_TOO_LONG, "keepalive_too_long")                                                    \
    X(TOO_MANY_CONNECTIONS, "too_many_connections")                                                \
    X(TOO_MANY_SESSIONS, "too_many_sessions")                                                      \
    X(SESSION_ENDED, "session_ended")                                                              \
    X(SECOND_LOGIN, "second_login")                                                                \
    X(STATE_FAILED, "state_failed")                                                                \
    X(SUBJECT_CHANGED, "subject_changed")

enum invig_reason {
#define INVIG_REASON_ENUM(name, word) INVIG_REASON_##name,
    INVIG_REASON_MAP(INVIG_REASON_ENUM)
#undef INVIG_REASON_ENUM
        INVIG_REASON_COUNT
};

/* A refusal and, where a claim is at fault, the name of that claim.
 * `claim` is a static or configured string, NULL where no single claim is meant. */
struct invig_refusal {
    enum invig_reason reason;
    const char *claim;
};

/* What to answer to a request. Zeroed memory denies. */
enum invig_verdict {
    INVIG_DENY = 0,
    INVIG_ALLOW,
    INVIG_DEFER /* not ours to decide: Mosquitto's own checks or another plugin do */
};

/* Returns a static English text; never NULL, also for a number that is no status. */
const char *invig_status_text(enum invig_status status);

/* Returns the static word of a reason; never NULL, also for a number that is no reason. */
const char *invig_reason_word(enum invig_reason reason);

#endif
