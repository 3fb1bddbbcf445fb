/* SPDX-License-Identifier: Apache-2.0
 *
 * explain_time.c - a time as text to seconds.
 */
#include "explain_private.h"

#include "invigilator/timestamp.h"

#include <stdlib.h>
#include <string.h>

/* Days from 1970-01-01, of the proleptic Gregorian calendar; years begin in March, so that the day
 * that may be missing is the last. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    int64_t from_march = (month + 9) % 12;
    int64_t years = month <= 2 ? year - 1 : year;

    return 365 * years + years / 4 - years / 100 + years / 400 + (153 * from_march + 2) / 5 + day -
           1 - 719468;
}

static int64_t number_at(const char *text, size_t at, size_t digits)
{
    int64_t number = 0;

    for (size_t i = at; i < at + digits; i++) {
        number = number * 10 + (text[i] - '0');
    }
    return number;
}

bool tool_time_read(const char *text, int64_t *out_time_s)
{
    if (!invig_timestamp_is_valid(invig_text_of(text))) {
        return false;
    }
    *out_time_s =
        days_of(number_at(text, 0, 4), number_at(text, 5, 2), number_at(text, 8, 2)) * 86400 +
        number_at(text, 11, 2) * 3600 + number_at(text, 14, 2) * 60 + number_at(text, 17, 2);
    return *out_time_s >= 0;
}
