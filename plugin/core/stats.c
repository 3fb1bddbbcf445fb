/* SPDX-License-Identifier: Apache-2.0
 *
 * stats.c - see stats.h.
 */
#include "invigilator/stats.h"

#include <stdio.h>

static const struct {
    const char *name;
    size_t offset; /* of the member in struct invig_stats */
} stats_table[] = {
#define STATS_ROW(member, name) {name, offsetof(struct invig_stats, member)},
    INVIG_STATS_MAP(STATS_ROW)
#undef STATS_ROW
};

enum {
    STATS_COUNT = sizeof(stats_table) / sizeof(stats_table[0]),
    REFUSED_COUNT = INVIG_REASON_COUNT - 1 /* all but NONE, which is the first */
};

bool invig_stats_get(const struct invig_stats *stats, size_t index,
                     char out_name[INVIG_STATS_NAME_BYTES], uint64_t *out_value)
{
    if (index < STATS_COUNT) {
        const char *member = (const char *)stats + stats_table[index].offset;
        (void)snprintf(out_name, INVIG_STATS_NAME_BYTES, "%s", stats_table[index].name);
        *out_value = *(const uint64_t *)(const void *)member;
        return true;
    }
    size_t reason = index - STATS_COUNT + 1;
    if (reason > REFUSED_COUNT) {
        return false;
    }
    (void)snprintf(out_name, INVIG_STATS_NAME_BYTES, "auth/refused/%s",
                   invig_reason_word((enum invig_reason)reason));
    *out_value = stats->refused[reason];
    return true;
}
