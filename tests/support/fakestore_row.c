/* SPDX-License-Identifier: Apache-2.0
 *
 * fakestore_row.c - see fakestore_row.h; and records as text, see fakestore.h.
 */
#include "fakestore_row.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *text_dup(struct invig_text text)
{
    char *copy = invig_text_copy(text.data == NULL ? invig_text_of("") : text);

    assert_non_null(copy);
    return copy;
}

/* Makes the text of a record its own. */
static void text_own(struct invig_text *text)
{
    text->data = text->data == NULL ? NULL : text_dup(*text);
}

static void text_disown(struct invig_text *text)
{
    free((void *)(uintptr_t)text->data);
}

static void row_set(struct fakestore_row *row, const void *record)
{
    switch (row->kind) {
    case FAKESTORE_USER:
        row->user = *(const struct invig_user_record *)record;
        break;
    case FAKESTORE_SESSION:
        row->session = *(const struct invig_session_record *)record;
        break;
    case FAKESTORE_EVALUATION:
        row->evaluation = *(const struct invig_evaluation_record *)record;
        text_own(&row->evaluation.phase);
        text_own(&row->evaluation.message);
        break;
    case FAKESTORE_MEMBER:
        row->member = *(const struct invig_member_record *)record;
        text_own(&row->member.message);
        break;
    case FAKESTORE_CLEARED:
        row->cleared = *(const struct invig_cleared_record *)record;
        break;
    case FAKESTORE_KINDS:
        fail();
    }
}

struct fakestore_row fakestore_row_copy(enum fakestore_kind kind, struct invig_text first,
                                        struct invig_text second, const void *record)
{
    struct fakestore_row row = {
        .kind = kind,
        .first = text_dup(first),
        .second = text_dup(second),
        .is_drop = record == NULL,
    };

    if (record != NULL) {
        row_set(&row, record);
    }
    return row;
}

void fakestore_row_free(struct fakestore_row *row)
{
    free(row->first);
    free(row->second);
    if (!row->is_drop && row->kind == FAKESTORE_EVALUATION) {
        text_disown(&row->evaluation.phase);
        text_disown(&row->evaluation.message);
    } else if (!row->is_drop && row->kind == FAKESTORE_MEMBER) {
        text_disown(&row->member.message);
    }
}

int fakestore_row_compare(const void *a, const void *b)
{
    const struct fakestore_row *x = a;
    const struct fakestore_row *y = b;
    int order;

    if (x->kind != y->kind) {
        return x->kind < y->kind ? -1 : 1;
    }
    if (x->kind == FAKESTORE_SESSION && x->session.serial != y->session.serial) {
        return x->session.serial < y->session.serial ? -1 : 1;
    }
    order = strcmp(x->first, y->first);
    return order != 0 ? order : strcmp(x->second, y->second);
}

bool fakestore_row_is_same_key(const struct fakestore_row *a, const struct fakestore_row *b)
{
    return a->kind == b->kind && strcmp(a->first, b->first) == 0 &&
           strcmp(a->second, b->second) == 0;
}

void fakestore_rows_add(struct fakestore_rows *rows, struct fakestore_row row)
{
    if (rows->count == rows->room) {
        rows->room = rows->room == 0 ? 16 : 2 * rows->room;
        rows->rows = realloc(rows->rows, rows->room * sizeof(*rows->rows));
        assert_non_null(rows->rows);
    }
    rows->rows[rows->count++] = row;
}

void fakestore_rows_remove(struct fakestore_rows *rows, size_t index)
{
    fakestore_row_free(&rows->rows[index]);
    rows->count--;
    memmove(&rows->rows[index], &rows->rows[index + 1],
            (rows->count - index) * sizeof(*rows->rows));
}

void fakestore_rows_clear(struct fakestore_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        fakestore_row_free(&rows->rows[i]);
    }
    free(rows->rows);
    *rows = (struct fakestore_rows){NULL, 0, 0};
}

/* -- As text -- */

static void print_text(FILE *out, const char *name, struct invig_text text)
{
    if (text.data == NULL) {
        (void)fprintf(out, " %s=none", name);
    } else {
        (void)fprintf(out, " %s=\"%.*s\"", name, (int)text.length, text.data);
    }
}

static void print_user(FILE *out, const struct invig_user_record *record)
{
    (void)fprintf(out, " newest=%d/%" PRId64 " revoked_before=%d/%" PRId64 " kept=%" PRId64,
                  record->has_newest_login, record->newest_login_s, record->has_revoked_before,
                  record->revoked_before_s, record->kept_until_s);
}

static void print_session(FILE *out, const struct invig_session_record *record)
{
    (void)fprintf(out,
                  " serial=%" PRIu64 " login=%d/%" PRId64
                  " lasting=%d single=%d current=%d turned_away=%d end=%s kept=%" PRId64,
                  record->serial, record->has_login, record->login_s, record->login_is_lasting,
                  record->is_single, record->is_current, record->is_turned_away,
                  invig_end_word(record->end), record->kept_until_s);
}

static void print_evaluation(FILE *out, const struct invig_evaluation_record *record)
{
    print_text(out, "phase", record->phase);
    (void)fprintf(out, " strict_off=%d version=%d/%" PRId64 " end_at=%s", record->is_strict_off,
                  record->has_version, record->version, record->end_at);
    print_text(out, "message", record->message);
}

static void print_member(FILE *out, const struct invig_member_record *record)
{
    (void)fprintf(out,
                  " access=%s/%" PRId64 " finished=%d version=%d/%" PRId64
                  " copy=%d bound=%d released=%" PRIu64 " shared=%d blocked=%d/%" PRId64
                  " student=%d connected=%d",
                  invig_access_word(record->access), record->access_since_s, record->is_finished,
                  record->has_version, record->version, record->is_copy, record->is_bound,
                  record->released_serial, record->is_shared_reported, record->is_blocked,
                  record->blocked_since_s, record->was_student, record->has_connected);
    print_text(out, "message", record->message);
}

static void print_row(FILE *out, const struct fakestore_row *row)
{
    static const char *const words[FAKESTORE_KINDS] = {"user", "session", "evaluation", "member",
                                                       "cleared"};

    (void)fprintf(out, "%s %s %s", words[row->kind], row->first, row->second);
    switch (row->kind) {
    case FAKESTORE_USER:
        print_user(out, &row->user);
        break;
    case FAKESTORE_SESSION:
        print_session(out, &row->session);
        break;
    case FAKESTORE_EVALUATION:
        print_evaluation(out, &row->evaluation);
        break;
    case FAKESTORE_MEMBER:
        print_member(out, &row->member);
        break;
    case FAKESTORE_CLEARED:
        (void)fprintf(out, " kept=%" PRId64, row->cleared.kept_until_s);
        break;
    case FAKESTORE_KINDS:
        break;
    }
    (void)fprintf(out, "\n");
}

char *fakestore_dump(const struct fakestore *store)
{
    struct fakestore_row *rows = calloc(store->kept.count + 1, sizeof(*rows));
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    assert_non_null(rows);
    assert_non_null(out);
    for (size_t i = 0; i < store->kept.count; i++) {
        rows[i] = store->kept.rows[i];
    }
    qsort(rows, store->kept.count, sizeof(*rows), fakestore_row_compare);
    for (size_t i = 0; i < store->kept.count; i++) {
        print_row(out, &rows[i]);
    }
    assert_int_equal(fclose(out), 0);
    free(rows);
    return text;
}

void fakestore_check(const struct fakestore *store, const char *dump)
{
    char *now = fakestore_dump(store);

    if (strcmp(now, dump) != 0) {
        fail_msg("records are\n%sinstead of\n%s", now, dump);
    }
    free(now);
}

size_t fakestore_count(const struct fakestore *store, enum fakestore_kind kind)
{
    size_t count = 0;

    for (size_t i = 0; i < store->kept.count; i++) {
        count += store->kept.rows[i].kind == kind;
    }
    return count;
}
