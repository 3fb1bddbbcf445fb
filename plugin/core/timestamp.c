/* SPDX-License-Identifier: Apache-2.0
 *
 * timestamp.c - see timestamp.h.
 */
#include "invigilator/timestamp.h"

enum {
    SECONDS_PER_DAY = 86400,
    EPOCH_YEAR = 1970,
    DAYS_PER_LEAP_YEAR = 366,
    FRACTION_DIGITS_MAX = 9
};

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

static int month_days(int64_t year, int month)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return lengths[month - 1] + (month == 2 && year_is_leap(year) ? 1 : 0);
}

/* The month, 1..12, of a day of `year`; *days becomes the day of the month, from 0. */
static int days_take_month(int64_t *days, int64_t year)
{
    int month = 1;

    while (*days >= month_days(year, month)) {
        *days -= month_days(year, month);
        month++;
    }
    return month;
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
    int month = days_take_month(&days, year);

    out = digits_write(out, 4, year, '-');
    out = digits_write(out, 2, month, '-');
    out = digits_write(out, 2, days + 1, 'T');
    out = digits_write(out, 2, second / 3600, ':');
    out = digits_write(out, 2, second / 60 % 60, ':');
    out = digits_write(out, 2, second % 60, 'Z');
    *out = '\0';
}

/* A time as it is written, each field within the digits that it has. */
struct fields {
    int year;
    int month;
    int day;
    int hour;
    int minute;
    int second;
};

/* Takes `width` digits off the text. */
static bool digits_take(struct invig_text *text, size_t width, int *out)
{
    int number = 0;

    if (text->length < width) {
        return false;
    }
    for (size_t i = 0; i < width; i++) {
        char byte = text->data[i];
        if (byte < '0' || byte > '9') {
            return false;
        }
        number = number * 10 + (byte - '0');
    }
    text->data += width;
    text->length -= width;
    *out = number;
    return true;
}

static bool byte_take(struct invig_text *text, char byte)
{
    if (text->length == 0 || text->data[0] != byte) {
        return false;
    }
    text->data++;
    text->length--;
    return true;
}

static bool fields_take(struct invig_text *text, struct fields *out)
{
    return digits_take(text, 4, &out->year) && byte_take(text, '-') &&
           digits_take(text, 2, &out->month) && byte_take(text, '-') &&
           digits_take(text, 2, &out->day) && byte_take(text, 'T') &&
           digits_take(text, 2, &out->hour) && byte_take(text, ':') &&
           digits_take(text, 2, &out->minute) && byte_take(text, ':') &&
           digits_take(text, 2, &out->second);
}

/* Takes a fraction off; that there is none is right as well. */
static bool fraction_take(struct invig_text *text)
{
    size_t count = 0;
    int digit;

    if (!byte_take(text, '.')) {
        return true;
    }
    while (digits_take(text, 1, &digit)) {
        count++;
    }
    return count >= 1 && count <= FRACTION_DIGITS_MAX;
}

static bool fields_are_valid(const struct fields *fields)
{
    if (fields->month < 1 || fields->month > 12 || fields->day < 1 ||
        fields->day > month_days(fields->year, fields->month)) {
        return false;
    }
    /* Leap seconds are announced too late to know them, but they end a month. */
    bool may_leap = fields->day == month_days(fields->year, fields->month) && fields->hour == 23 &&
                    fields->minute == 59;
    return fields->hour <= 23 && fields->minute <= 59 && fields->second <= (may_leap ? 60 : 59);
}

bool invig_timestamp_is_valid(struct invig_text text)
{
    struct fields fields;

    return fields_take(&text, &fields) && fraction_take(&text) &&
           invig_text_equal(text, invig_text_of("Z")) && fields_are_valid(&fields);
}
