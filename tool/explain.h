/* SPDX-License-Identifier: Apache-2.0
 *
 * explain.h - what the files of `explain` share: why, in plain words.
 */
#ifndef INVIGILATOR_TOOL_EXPLAIN_H
#define INVIGILATOR_TOOL_EXPLAIN_H

#include "args.h"

#include "invigilator/rights.h"
#include "invigilator/status.h"

/* Why a token was refused. Static, never NULL. */
const char *tool_explain_reason(enum invig_reason reason);

/* The rule that an answer of the engine follows from: it was asked before, this only says why.
 *
 *   topic     the filter or name, taken apart
 *   standing  that in topic->evaluation
 *
 * Static, never NULL. */
const char *tool_explain_rule(enum tool_question_kind kind, bool is_allowed,
                              const struct invig_subject *subject, const struct invig_topic *topic,
                              enum invig_standing standing);

#endif
