/* SPDX-License-Identifier: Apache-2.0
 *
 * store.c - the store that keeps nothing.
 */
#include "invigilator/store.h"

static enum invig_status memory_begin(void *context)
{
    (void)context;
    return INVIG_OK;
}

static enum invig_status memory_put_user(void *context, struct invig_text user,
                                         const struct invig_user_record *record)
{
    (void)context;
    (void)user;
    (void)record;
    return INVIG_OK;
}

static enum invig_status memory_put_session(void *context, struct invig_text user,
                                            struct invig_text session,
                                            const struct invig_session_record *record)
{
    (void)context;
    (void)user;
    (void)session;
    (void)record;
    return INVIG_OK;
}

static enum invig_status memory_put_evaluation(void *context, struct invig_text evaluation,
                                               const struct invig_evaluation_record *record)
{
    (void)context;
    (void)evaluation;
    (void)record;
    return INVIG_OK;
}

static enum invig_status memory_put_member(void *context, struct invig_text evaluation,
                                           struct invig_text user,
                                           const struct invig_member_record *record)
{
    (void)context;
    (void)evaluation;
    (void)user;
    (void)record;
    return INVIG_OK;
}

static enum invig_status memory_put_cleared(void *context, struct invig_text evaluation,
                                            struct invig_text user,
                                            const struct invig_cleared_record *record)
{
    (void)context;
    (void)evaluation;
    (void)user;
    (void)record;
    return INVIG_OK;
}

static enum invig_status memory_commit(void *context)
{
    (void)context;
    return INVIG_OK;
}

static void memory_rollback(void *context)
{
    (void)context;
}

static enum invig_status memory_read(void *context, const struct invig_store_reader *reader)
{
    (void)context;
    (void)reader;
    return INVIG_OK;
}

static enum invig_status memory_sweep(void *context, int64_t now_s, int limit, bool *out_is_done)
{
    (void)context;
    (void)now_s;
    (void)limit;
    *out_is_done = true;
    return INVIG_OK;
}

static void memory_close(void *context)
{
    (void)context;
}

struct invig_store invig_store_memory(void)
{
    return (struct invig_store){
        .context = NULL,
        .is_grouping = false,
        .begin = memory_begin,
        .put_user = memory_put_user,
        .put_session = memory_put_session,
        .put_evaluation = memory_put_evaluation,
        .put_member = memory_put_member,
        .put_cleared = memory_put_cleared,
        .commit = memory_commit,
        .rollback = memory_rollback,
        .load = memory_read,
        .sweep = memory_sweep,
        .close = memory_close,
    };
}
