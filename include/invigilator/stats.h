/* SPDX-License-Identifier: Apache-2.0
 *
 * stats.h - what is counted, and under which names.
 * Depends on: status, text.
 */
#ifndef INVIGILATOR_STATS_H
#define INVIGILATOR_STATS_H

#include "invigilator/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* X(member, name): the name stands below $SYS/broker/invigilator/ and in the answer to getStats.
 * `current` ones go up and down, the others count since the start. */
#define INVIG_STATS_MAP(X)                                                                         \
    X(connections_current, "connections/current")           /* open token connections */           \
    X(sessions_current, "sessions/current")                 /* sessions that have one */           \
    X(users_current, "users/current")                       /* users that have one */              \
    X(sessions_invalidated, "sessions/invalidated")         /* superseded or revoked */            \
    X(sessions_revoked_current, "sessions/revoked/current") /* revoked and still remembered */     \
    X(auth_accepted, "auth/accepted")                       /* tokens that were let in */          \
    X(auth_refused, "auth/refused")                         /* tokens that were not */             \
    X(acl_denied, "acl/denied")                             /* subscriptions and publishes */      \
    X(evaluations_strict, "evaluations/strict")             /* that are strict now */              \
    X(users_blocked, "users/blocked")                       /* blocked in some evaluation now */   \
    X(publishes_refused, "publishes/refused")               /* bad evaluation messages */          \
    X(state_available, "state/available")                   /* 1, or 0: what brokers share is not */

struct invig_stats {
#define INVIG_STATS_MEMBER(member, name) uint64_t member;
    INVIG_STATS_MAP(INVIG_STATS_MEMBER)
#undef INVIG_STATS_MEMBER
    uint64_t refused[INVIG_REASON_COUNT]; /* auth/refused/{word of the reason} */
};

enum { INVIG_STATS_NAME_BYTES = 64 };

/* The name and value at `index`, counted from 0, all of the above and then one for each reason but
 * NONE. Returns false behind the last. */
bool invig_stats_get(const struct invig_stats *stats, size_t index,
                     char out_name[INVIG_STATS_NAME_BYTES], uint64_t *out_value);

#endif
