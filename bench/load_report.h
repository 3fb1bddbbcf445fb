/* SPDX-License-Identifier: Apache-2.0
 *
 * load_report.h - a phase as one line of JSON on stdout, written member by member.
 */
#ifndef LOAD_REPORT_H
#define LOAD_REPORT_H

#include "load_pool.h"

/* What had been counted when a phase began. */
struct load_mark {
    double start_ms;
    double cpu_ms; /* of this process */
    uint64_t messages;
    uint64_t pings;
    uint64_t bytes_in;
    uint64_t bytes_out;
};

void load_mark_take(struct load_mark *mark, const struct load_pool *pool);

/* {"phase":...,"count":...,"failures":...,"reasons":{...}: all clients that are not ready now, in
 * whichever phase they were lost. */
void load_report_begin(const char *phase, const struct load_pool *pool);

/* <name>p50_ms, <name>p99_ms and <name>max_ms, 0 without any. Sorts. */
void load_report_delays(const char *name, double *delays_ms, size_t count);
void load_report_number(const char *name, size_t value);
void load_report_ms(const char *name, double value_ms);

/* A literal without quotes, or null. */
void load_report_text(const char *name, const char *text);

/* What has been counted since `mark`, and the end of the line. */
void load_report_end(const struct load_mark *mark, const struct load_pool *pool);

#endif
