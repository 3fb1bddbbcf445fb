/* SPDX-License-Identifier: Apache-2.0
 *
 * explain_private.h - the engine that explain asks. Private to explain*.c.
 */
#ifndef INVIGILATOR_TOOL_EXPLAIN_PRIVATE_H
#define INVIGILATOR_TOOL_EXPLAIN_PRIVATE_H

#include "args.h"
#include "setting.h"

#include "invigilator/engine.h"

#define TOOL_EXPLAIN_DEFERRED                                                                      \
    "no token: Mosquitto's password file, certificates or another plugin decide"

struct explain {
    const struct tool_args *args;
    struct tool_setting setting;
    struct invig_engine *engine;
    struct invig_now now;
    struct invig_connection *backend;    /* whose messages were replayed */
    struct invig_connection *connection; /* of the token; NULL: it was not let in */
    struct invig_claims claims;
    enum invig_verdict verdict; /* on the token */
    struct invig_refusal refusal;
};

struct explain_answer {
    bool is_allowed;
    const char *why; /* static */
};

/* Reads configuration, messages and token, and has the engine decide about the login. Says what is
 * wrong with what was given. To be ended with tool_explain_end in any case. */
enum tool_exit tool_explain_begin(struct explain *explain);

void tool_explain_end(struct explain *explain);

struct explain_answer tool_explain_answer(struct explain *explain,
                                          const struct tool_question *question);

/* The seconds of a time as RFC 3339 has it, in UTC. Returns false when it is none. */
bool tool_time_read(const char *text, int64_t *out_time_s);

#endif
