/* SPDX-License-Identifier: Apache-2.0
 *
 * timestamp.h - times as text: RFC 3339 in UTC. The proleptic Gregorian calendar, computed here.
 * Depends on: text.
 */
#ifndef INVIGILATOR_TIMESTAMP_H
#define INVIGILATOR_TIMESTAMP_H

#include "invigilator/text.h"

/* Latest time that is written or read as a number: 9999-12-31T23:59:59Z. The earliest is 0,
 * 1970-01-01T00:00:00Z. */
#define INVIG_TIME_S_MAX INT64_C(253402300799)

enum {
    INVIG_TIME_TEXT_BYTES = 24,    /* of what invig_time_format writes, with its NUL */
    INVIG_TIMESTAMP_BYTES_MAX = 30 /* of what invig_timestamp_is_valid takes, without a NUL */
};

/* Writes `time_s` (0..INVIG_TIME_S_MAX, clamped) as RFC 3339 in UTC: 2026-11-24T09:30:00Z. */
void invig_time_format(int64_t time_s, char out[INVIG_TIME_TEXT_BYTES]);

/* True when `text` is a time as RFC 3339 section 5.6 has it, in UTC, with upper-case T and Z:
 * 2026-11-24T09:30:00Z or 2026-11-24T09:30:00.123Z. Years 0000 to 9999, a day that the month has
 * in that year, a fraction of 1 to 9 digits; second 60 only in the last minute of a month's last
 * day (section 5.7). */
bool invig_timestamp_is_valid(struct invig_text text);

#endif
