/* SPDX-License-Identifier: Apache-2.0
 *
 * madeup.c - see madeup.h.
 */
#include "madeup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void madeup_add(struct madeup *madeup, const char *name, struct invig_value value)
{
    if (madeup->count == MADEUP_MEMBERS_MAX) {
        abort();
    }
    madeup->names[madeup->count] = name;
    madeup->values[madeup->count++] = value;
}

void madeup_add_text(struct madeup *madeup, const char *name, const char *text)
{
    madeup_add(madeup, name,
               (struct invig_value){.kind = text == NULL ? INVIG_VALUE_NULL : INVIG_VALUE_STRING,
                                    .string = invig_text_of(text)});
}

void madeup_add_integer(struct madeup *madeup, const char *name, int64_t integer)
{
    madeup_add(madeup, name, (struct invig_value){.kind = INVIG_VALUE_INTEGER, .integer = integer});
}

void madeup_add_boolean(struct madeup *madeup, const char *name, bool boolean)
{
    madeup_add(madeup, name, (struct invig_value){.kind = INVIG_VALUE_BOOLEAN, .boolean = boolean});
}

void madeup_spoil(struct madeup *madeup, enum invig_value_kind kind)
{
    madeup->values[madeup->count - 1].kind = kind;
    if (kind == INVIG_VALUE_STRING && madeup->values[madeup->count - 1].string.data == NULL) {
        madeup->values[madeup->count - 1].string = invig_text_of("");
    }
}

static void madeup_get(void *context, const char *name, struct invig_value *out_value)
{
    const struct madeup *madeup = context;

    memset(out_value, 0, sizeof(*out_value));
    for (size_t i = 0; i < madeup->count; i++) {
        if (strcmp(madeup->names[i], name) == 0) {
            *out_value = madeup->values[i];
            return;
        }
    }
}

struct invig_value_source madeup_source(struct madeup *madeup)
{
    return (struct invig_value_source){
        .context = madeup, .member_count = madeup->count, .get = madeup_get};
}

static void text_keep(char out[REPORT_TEXT_BYTES], struct invig_text text)
{
    (void)snprintf(out, REPORT_TEXT_BYTES, "%.*s", (int)text.length,
                   text.data == NULL ? "" : text.data);
}

/* The name of the array that the object at hand is in. */
static const char *report_list(const struct report *report)
{
    const char *name = report->depth < 2 ? NULL : report->path[report->depth - 2];

    return name == NULL ? "" : name;
}

static void report_begin(void *context, const char *name)
{
    struct report *report = context;

    if (report->depth == REPORT_DEPTH_MAX) {
        abort();
    }
    report->path[report->depth++] = name;
}

static void report_end(void *context)
{
    struct report *report = context;

    if (report->depth-- == 0) {
        abort();
    }
}

static void report_add_connection(struct report *report, struct invig_text client_id)
{
    struct report_pair *pair = &report->connections[report->connection_count++ % REPORT_MAX];

    memcpy(pair->first, report->session, sizeof(pair->first));
    text_keep(pair->second, client_id);
    report->session_count += !report->has_counted;
    report->has_counted = true;
}

static void report_add_session(struct report *report, struct invig_text session)
{
    struct report_pair *pair;

    text_keep(report->session, session);
    report->has_counted = false;
    if (strcmp(report_list(report), "bindings") == 0) {
        pair = &report->bindings[report->binding_count++ % REPORT_MAX];
        memcpy(pair->first, report->evaluation, sizeof(pair->first));
        memcpy(pair->second, report->session, sizeof(pair->second));
    }
}

static void report_string(void *context, const char *name, struct invig_text value)
{
    struct report *report = context;

    if (name == NULL) {
        return;
    }
    if (strcmp(name, "error") == 0) {
        report->is_error = true;
    } else if (strcmp(name, "clientId") == 0) {
        report_add_connection(report, value);
    } else if (strcmp(name, "sessionId") == 0) {
        report_add_session(report, value);
    } else if (strcmp(name, "evaluationId") == 0) {
        text_keep(report->evaluation, value);
        if (strcmp(report_list(report), "blocks") == 0) {
            text_keep(report->blocks[report->block_count++ % REPORT_MAX], value);
        }
    }
}

static void report_integer(void *context, const char *name, int64_t value)
{
    struct report *report = context;

    if (name != NULL && strcmp(name, "connections") == 0) {
        report->connections_told = value;
    }
}

static void report_boolean(void *context, const char *name, bool value)
{
    struct report *report = context;

    if (name != NULL && strcmp(name, "strict") == 0) {
        report->is_strict = value;
    }
}

struct invig_writer report_writer(struct report *report)
{
    return (struct invig_writer){
        .context = report,
        .begin_object = report_begin,
        .begin_array = report_begin,
        .end = report_end,
        .string = report_string,
        .integer = report_integer,
        .boolean = report_boolean,
    };
}
