/* SPDX-License-Identifier: Apache-2.0
 *
 * notice.c - words and times of the notices.
 */
#include "invigilator/notice.h"

#include "invigilator/claims.h"

enum { SECONDS_PER_DAY = 86400, EPOCH_YEAR = 1970, DAYS_PER_LEAP_YEAR = 366 };

/* The calendar is computed here: gmtime_r reads the TZ variable and may open the zone file, and the
 * core does neither. */

static bool year_is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Leap days in the years 1..year. */
static int64_t leap_days_until(int64_t year)
{
    return year / 4 - year / 100 + year / 400;
}

/* Days from 1970-01-01 to the first of January of `year`. */
static int64_t days_before_year(int64_t year)
{
    return (year - EPOCH_YEAR) * 365 + leap_days_until(year - 1) - leap_days_until(EPOCH_YEAR - 1);
}

/* The year that the day is in; *days becomes the day of that year, from 0. The guess is never too
 * late, and too early by 17 years at most in the year 9999. */
static int64_t days_take_year(int64_t *days)
{
    int64_t year = EPOCH_YEAR + *days / DAYS_PER_LEAP_YEAR;

    while (days_before_year(year + 1) <= *days) {
        year++;
    }
    *days -= days_before_year(year);
    return year;
}

/* The month, 1..12, of a day of `year`; *days becomes the day of the month, from 0. */
static int64_t days_take_month(int64_t *days, int64_t year)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    size_t month = 0;

    while (month < 11) {
        int64_t length = lengths[month] + (month == 1 && year_is_leap(year) ? 1 : 0);
        if (*days < length) {
            break;
        }
        *days -= length;
        month++;
    }
    return (int64_t)month + 1;
}

/* Writes `width` digits and the character `end` behind them; returns where to go on. */
static char *digits_write(char *out, int width, int64_t value, char end)
{
    for (int i = width - 1; i >= 0; i--) {
        out[i] = (char)('0' + value % 10);
        value /= 10;
    }
    out[width] = end;
    return out + width + 1;
}

void invig_time_format(int64_t time_s, char out[INVIG_TIME_TEXT_BYTES])
{
    if (time_s < 0) {
        time_s = 0;
    }
    if (time_s > INVIG_TIME_S_MAX) {
        time_s = INVIG_TIME_S_MAX;
    }
    int64_t days = time_s / SECONDS_PER_DAY;
    int64_t second = time_s % SECONDS_PER_DAY;
    int64_t year = days_take_year(&days);
    int64_t month = days_take_month(&days, year);

    out = digits_write(out, 4, year, '-');
    out = digits_write(out, 2, month, '-');
    out = digits_write(out, 2, days + 1, 'T');
    out = digits_write(out, 2, second / 3600, ':');
    out = digits_write(out, 2, second / 60 % 60, ':');
    out = digits_write(out, 2, second % 60, 'Z');
    *out = '\0';
}

const char *invig_end_word(enum invig_end end)
{
    switch (end) {
    case INVIG_END_SUPERSEDED:
        return "SUPERSEDED";
    case INVIG_END_REVOKED:
        return "REVOKED";
    case INVIG_END_EXPIRED:
        return "EXPIRED";
    case INVIG_END_NONE:
        break;
    }
    return "NONE";
}
