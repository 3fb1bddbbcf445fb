/* SPDX-License-Identifier: Apache-2.0
 *
 * load_report.c - see load_report.h.
 */
#include "load_report.h"

#include "load_clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REASONS_MAX = 32 }; /* more than there are in the program */

void load_mark_take(struct load_mark *mark, const struct load_pool *pool)
{
    *mark = (struct load_mark){.start_ms = load_now_ms(), .cpu_ms = load_cpu_ms()};
    for (size_t i = 0; i < pool->count; i++) {
        const struct load_client *client = &pool->clients[i];
        mark->messages += client->messages;
        mark->pings += client->pings;
        mark->bytes_in += client->bytes_in;
        mark->bytes_out += client->bytes_out;
    }
}

struct reason {
    const char *text;
    size_t count;
};

static void reason_count(struct reason *reasons, const char *text)
{
    size_t i = 0;

    while (i < REASONS_MAX - 1 && reasons[i].text != NULL && strcmp(reasons[i].text, text) != 0) {
        i++;
    }
    reasons[i].text = text;
    reasons[i].count++;
}

void load_report_begin(const char *phase, const struct load_pool *pool)
{
    struct reason reasons[REASONS_MAX] = {{NULL, 0}};

    for (size_t i = 0; i < pool->count; i++) {
        if (pool->clients[i].state != LOAD_READY) {
            reason_count(reasons, pool->clients[i].failure);
        }
    }
    printf("{\"phase\":\"%s\",\"count\":%zu,\"failures\":%zu,\"reasons\":{", phase, pool->count,
           pool->count - load_pool_count_ready(pool));
    for (size_t i = 0; i < REASONS_MAX && reasons[i].text != NULL; i++) {
        printf("%s\"%s\":%zu", i == 0 ? "" : ",", reasons[i].text, reasons[i].count);
    }
    printf("}");
}

static int double_compare(const void *a, const void *b)
{
    const double *left = a;
    const double *right = b;

    return *left < *right ? -1 : *left > *right;
}

void load_report_delays(const char *name, double *delays_ms, size_t count)
{
    static const struct {
        const char *name;
        size_t percent;
    } columns[] = {{"p50", 50}, {"p99", 99}, {"max", 100}};

    if (count > 0) {
        qsort(delays_ms, count, sizeof *delays_ms, double_compare);
    }
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        double value = count == 0 ? 0 : delays_ms[(count - 1) * columns[i].percent / 100];
        printf(",\"%s%s_ms\":%.3f", name, columns[i].name, value);
    }
}

void load_report_number(const char *name, size_t value)
{
    printf(",\"%s\":%zu", name, value);
}

void load_report_ms(const char *name, double value_ms)
{
    printf(",\"%s\":%.3f", name, value_ms);
}

void load_report_text(const char *name, const char *text)
{
    if (text == NULL) {
        printf(",\"%s\":null", name);
    } else {
        printf(",\"%s\":\"%s\"", name, text);
    }
}

void load_report_end(const struct load_mark *mark, const struct load_pool *pool)
{
    struct load_mark now;

    load_mark_take(&now, pool);
    printf(",\"messages\":%" PRIu64 ",\"pings\":%" PRIu64, now.messages - mark->messages,
           now.pings - mark->pings);
    printf(",\"bytes_in\":%" PRIu64 ",\"bytes_out\":%" PRIu64, now.bytes_in - mark->bytes_in,
           now.bytes_out - mark->bytes_out);
    printf(",\"cpu_ms\":%.3f}\n", now.cpu_ms - mark->cpu_ms);
    (void)fflush(stdout);
}
