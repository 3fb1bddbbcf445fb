/* SPDX-License-Identifier: Apache-2.0
 *
 * fakestore.c - see fakestore.h. Records as text are in fakestore_row.c.
 */
#include "fakestore_row.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct invig_text no_text = {NULL, 0};

/* Whether the call that was just counted is the one at which the fault comes, or behind it. */
static bool store_is_due(const struct fakestore *store)
{
    size_t count = store->calls[store->fault_call];

    return store->fault == FAKESTORE_FAILS_ONCE ? count == store->fault_at
                                                : count >= store->fault_at;
}

/* Counts a call. Returns what it comes to. *out_is_done: it does what it should all the same. */
static enum invig_status store_call(struct fakestore *store, enum fakestore_call call,
                                    bool *out_is_done)
{
    store->calls[call]++;
    store->calls[FAKESTORE_ANY]++;
    *out_is_done = !store->is_dead;
    if (store->is_dead) {
        return INVIG_ERR_IO;
    }
    if (store->fault == FAKESTORE_WORKS || !store_is_due(store) ||
        (store->fault == FAKESTORE_FAILS_ONCE && store->fault_call != FAKESTORE_ANY &&
         store->fault_call != call)) {
        return INVIG_OK;
    }
    store->is_dead = store->fault == FAKESTORE_DIES || store->fault == FAKESTORE_DIES_AFTER;
    *out_is_done = store->fault == FAKESTORE_DIES_AFTER;
    return INVIG_ERR_IO;
}

static enum invig_status store_begin(void *context)
{
    struct fakestore *store = context;
    bool is_done;
    enum invig_status status = store_call(store, FAKESTORE_BEGIN, &is_done);

    assert_false(store->is_open);
    store->is_open = status == INVIG_OK;
    return status;
}

static enum invig_status store_put(struct fakestore *store, enum fakestore_kind kind,
                                   struct invig_text first, struct invig_text second,
                                   const void *record)
{
    bool is_done;
    enum invig_status status = store_call(store, FAKESTORE_PUT, &is_done);

    assert_true(store->is_open);
    if (status == INVIG_OK) {
        fakestore_rows_add(&store->batch, fakestore_row_copy(kind, first, second, record));
    }
    return status;
}

static enum invig_status store_put_user(void *context, struct invig_text user,
                                        const struct invig_user_record *record)
{
    return store_put(context, FAKESTORE_USER, user, no_text, record);
}

static enum invig_status store_put_session(void *context, struct invig_text user,
                                           struct invig_text session,
                                           const struct invig_session_record *record)
{
    assert_true(record == NULL || record->serial > 0);
    return store_put(context, FAKESTORE_SESSION, user, session, record);
}

static enum invig_status store_put_evaluation(void *context, struct invig_text evaluation,
                                              const struct invig_evaluation_record *record)
{
    return store_put(context, FAKESTORE_EVALUATION, evaluation, no_text, record);
}

static enum invig_status store_put_member(void *context, struct invig_text evaluation,
                                          struct invig_text user,
                                          const struct invig_member_record *record)
{
    return store_put(context, FAKESTORE_MEMBER, evaluation, user, record);
}

static enum invig_status store_put_cleared(void *context, struct invig_text evaluation,
                                           struct invig_text user,
                                           const struct invig_cleared_record *record)
{
    return store_put(context, FAKESTORE_CLEARED, evaluation, user, record);
}

/* Puts a row of the batch, which is taken over, in the place of what its key has. */
static void store_apply(struct fakestore *store, struct fakestore_row row)
{
    size_t index = 0;

    while (index < store->kept.count &&
           !fakestore_row_is_same_key(&store->kept.rows[index], &row)) {
        index++;
    }
    if (index < store->kept.count && !row.is_drop) {
        fakestore_row_free(&store->kept.rows[index]);
        store->kept.rows[index] = row;
    } else if (!row.is_drop) {
        fakestore_rows_add(&store->kept, row);
    } else {
        if (index < store->kept.count) {
            fakestore_rows_remove(&store->kept, index);
        }
        fakestore_row_free(&row);
    }
}

static void store_rollback(void *context)
{
    struct fakestore *store = context;

    fakestore_rows_clear(&store->batch);
    store->is_open = false;
}

static enum invig_status store_commit(void *context)
{
    struct fakestore *store = context;
    bool is_done;
    enum invig_status status = store_call(store, FAKESTORE_COMMIT, &is_done);

    assert_true(store->is_open);
    store->is_open = false;
    if (!is_done) {
        store_rollback(store);
        return status;
    }
    for (size_t i = 0; i < store->batch.count; i++) {
        store_apply(store, store->batch.rows[i]);
    }
    store->batch.count = 0; /* all taken over */
    store->batch_count++;
    return status;
}

/* -- Reading -- */

static enum invig_status row_give(const struct fakestore_row *row,
                                  const struct invig_store_reader *reader)
{
    const struct invig_text first = invig_text_of(row->first);
    const struct invig_text second = invig_text_of(row->second);

    switch (row->kind) {
    case FAKESTORE_USER:
        return reader->user(reader->context, first, &row->user);
    case FAKESTORE_SESSION:
        return reader->session(reader->context, first, second, &row->session);
    case FAKESTORE_EVALUATION:
        return reader->evaluation(reader->context, first, &row->evaluation);
    case FAKESTORE_MEMBER:
        return reader->member(reader->context, first, second, &row->member);
    case FAKESTORE_CLEARED:
        return reader->cleared(reader->context, first, second.length == 0 ? no_text : second,
                               &row->cleared);
    case FAKESTORE_KINDS:
        break;
    }
    return INVIG_ERR_INVALID;
}

/* Each row is a copy of its own for the call, so that borrowing it for longer is found out. */
static enum invig_status store_load(void *context, const struct invig_store_reader *reader)
{
    struct fakestore *store = context;
    enum invig_status status = store->is_dead ? INVIG_ERR_IO : INVIG_OK;

    if (store->kept.count > 0) {
        qsort(store->kept.rows, store->kept.count, sizeof(*store->kept.rows),
              fakestore_row_compare);
    }
    for (size_t i = 0; i < store->kept.count && status == INVIG_OK; i++) {
        const struct fakestore_row *row = &store->kept.rows[i];
        struct fakestore_row copy = fakestore_row_copy(row->kind, invig_text_of(row->first),
                                                       invig_text_of(row->second), &row->user);

        status = row_give(&copy, reader);
        fakestore_row_free(&copy);
    }
    return status;
}

/* -- What is old -- */

static bool store_has(const struct fakestore *store, enum fakestore_kind kind, const char *user,
                      bool is_bound)
{
    for (size_t i = 0; i < store->kept.count; i++) {
        const struct fakestore_row *row = &store->kept.rows[i];
        const char *of = kind == FAKESTORE_MEMBER ? row->second : row->first;

        if (row->kind == kind && strcmp(of, user) == 0 && (!is_bound || row->member.is_bound)) {
            return true;
        }
    }
    return false;
}

static bool store_is_old(const struct fakestore *store, const struct fakestore_row *row,
                         int64_t now_s)
{
    if (row->kind == FAKESTORE_SESSION) {
        return row->session.kept_until_s < now_s &&
               !(row->session.is_current && store_has(store, FAKESTORE_MEMBER, row->first, true));
    }
    if (row->kind == FAKESTORE_CLEARED) {
        return row->cleared.kept_until_s < now_s;
    }
    return row->kind == FAKESTORE_USER && row->user.kept_until_s < now_s &&
           !store_has(store, FAKESTORE_SESSION, row->first, false) &&
           !store_has(store, FAKESTORE_MEMBER, row->first, false);
}

static enum invig_status store_sweep(void *context, int64_t now_s, int limit, bool *out_is_done)
{
    struct fakestore *store = context;

    *out_is_done = true;
    if (store->is_dead || (store->fault == FAKESTORE_FAILS && store_is_due(store))) {
        return INVIG_ERR_IO;
    }
    assert_false(store->is_open);
    for (size_t i = 0; i < store->kept.count;) {
        if (!store_is_old(store, &store->kept.rows[i], now_s)) {
            i++;
        } else if (limit-- > 0) {
            fakestore_rows_remove(&store->kept, i);
        } else {
            *out_is_done = false;
            break;
        }
    }
    return INVIG_OK;
}

static void store_close(void *context)
{
    struct fakestore *store = context;

    store_rollback(store);
    store->close_count++;
}

/* -- For the test -- */

void fakestore_init(struct fakestore *store, bool is_grouping)
{
    *store = (struct fakestore){.is_grouping = is_grouping};
}

void fakestore_deinit(struct fakestore *store)
{
    fakestore_rows_clear(&store->kept);
    fakestore_rows_clear(&store->batch);
}

struct invig_store fakestore_store(struct fakestore *store)
{
    return (struct invig_store){
        .context = store,
        .is_grouping = store->is_grouping,
        .begin = store_begin,
        .put_user = store_put_user,
        .put_session = store_put_session,
        .put_evaluation = store_put_evaluation,
        .put_member = store_put_member,
        .put_cleared = store_put_cleared,
        .commit = store_commit,
        .rollback = store_rollback,
        .load = store_load,
        .sweep = store_sweep,
        .close = store_close,
    };
}

void fakestore_arm(struct fakestore *store, enum fakestore_fault fault, enum fakestore_call call,
                   size_t number)
{
    store->fault = fault;
    store->fault_call = call;
    store->fault_at = store->calls[call] + number;
}

void fakestore_fill(struct fakestore *store)
{
    fakestore_arm(store, FAKESTORE_FAILS, FAKESTORE_ANY, 0);
}

void fakestore_mend(struct fakestore *store)
{
    store->fault = FAKESTORE_WORKS;
    store->is_dead = false;
}
