/* SPDX-License-Identifier: Apache-2.0
 *
 * control.h - commands of the control API as C values, and whether their form is right. What they
 * do is the engine's.  Depends on: text, value, timestamp, update (enum invig_said).
 */
#ifndef INVIGILATOR_CONTROL_H
#define INVIGILATOR_CONTROL_H

#include "invigilator/update.h"

enum {
    INVIG_CONTROL_BYTES_MAX = 65536,  /* of a payload */
    INVIG_CONTROL_COMMANDS_MAX = 64,  /* in one payload */
    INVIG_CONTROL_ERROR_BYTES = 200,  /* room for an error text, with its NUL */
    INVIG_CONTROL_COUNT_MAX = 1000,   /* of a list's `count`, and its default */
    INVIG_CORRELATION_BYTES_MAX = 256 /* of correlationData */
};

/* X(NAME, word). */
#define INVIG_COMMAND_MAP(X)                                                                       \
    X(INVALIDATE_SESSION, "invalidateSession")                                                     \
    X(INVALIDATE_USER, "invalidateUser")                                                           \
    X(UNBLOCK, "unblock")                                                                          \
    X(GET_USER, "getUser")                                                                         \
    X(GET_EVALUATION, "getEvaluation")                                                             \
    X(LIST_SESSIONS, "listSessions")                                                               \
    X(GET_STATS, "getStats")

enum invig_command_kind {
    INVIG_COMMAND_NONE = 0,
#define INVIG_COMMAND_ENUM(name, word) INVIG_COMMAND_##name,
    INVIG_COMMAND_MAP(INVIG_COMMAND_ENUM)
#undef INVIG_COMMAND_ENUM
};

/* One command. Members that it does not have are zero. */
struct invig_command {
    enum invig_command_kind kind;
    char user[INVIG_ID_BYTES_MAX + 1];
    char evaluation[INVIG_ID_BYTES_MAX + 1];
    enum invig_said session_said; /* null is there for unblock alone */
    char session[INVIG_ID_BYTES_MAX + 1];
    bool has_except;
    char except_session[INVIG_ID_BYTES_MAX + 1];
    bool unless_bound;
    bool has_before;
    int64_t before_s; /* 0..INVIG_TIME_S_MAX, Unix seconds UTC */
    int64_t offset;   /* 0..INT64_MAX */
    int64_t count;    /* 1..INVIG_CONTROL_COUNT_MAX; the default where it is absent */
};

/* Reads one command and checks its form: the members that it needs, their exact types, ids as
 * invig_text_is_id has them, ranges; correlationData, where present, a string of at most
 * INVIG_CORRELATION_BYTES_MAX bytes. A member that the command does not have makes it malformed
 * (source->member_count tells): a misspelt "unlessBound" must not revoke anybody.
 *
 *   out_command  filled in when true is returned
 *   error        receives what is wrong, in plain words naming the member; what came from outside
 *                is not repeated in it
 *
 * Returns whether the command is well-formed. */
bool invig_command_read(const struct invig_value_source *source, struct invig_command *out_command,
                        char error[INVIG_CONTROL_ERROR_BYTES]);

#endif
