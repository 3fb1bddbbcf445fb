/* SPDX-License-Identifier: Apache-2.0
 *
 * fault_store.c - the store of fakestore.h, which is no part of what is tested, but uses functions
 * of ours: while it works no call is counted. Programs are linked with --wrap=fakestore_store.
 */
#include "fakestore.h"
#include "fault.h"

struct invig_store __real_fakestore_store(struct fakestore *store);
struct invig_store __wrap_fakestore_store(struct fakestore *store);

static struct invig_store inner;

/* Returns `call`, made while nothing is counted. */
#define PAUSED(call)                                                                               \
    bool was_armed = fault_pause();                                                                \
    enum invig_status status = call;                                                               \
    fault_resume(was_armed);                                                                       \
    return status

static enum invig_status outer_begin(void *context)
{
    PAUSED(inner.begin(context));
}

static enum invig_status outer_put_user(void *context, struct invig_text user,
                                        const struct invig_user_record *record)
{
    PAUSED(inner.put_user(context, user, record));
}

static enum invig_status outer_put_session(void *context, struct invig_text user,
                                           struct invig_text session,
                                           const struct invig_session_record *record)
{
    PAUSED(inner.put_session(context, user, session, record));
}

static enum invig_status outer_put_evaluation(void *context, struct invig_text evaluation,
                                              const struct invig_evaluation_record *record)
{
    PAUSED(inner.put_evaluation(context, evaluation, record));
}

static enum invig_status outer_put_member(void *context, struct invig_text evaluation,
                                          struct invig_text user,
                                          const struct invig_member_record *record)
{
    PAUSED(inner.put_member(context, evaluation, user, record));
}

static enum invig_status outer_put_cleared(void *context, struct invig_text evaluation,
                                           struct invig_text user,
                                           const struct invig_cleared_record *record)
{
    PAUSED(inner.put_cleared(context, evaluation, user, record));
}

static enum invig_status outer_commit(void *context)
{
    PAUSED(inner.commit(context));
}

/* -- Reading: what takes the records is counted again -- */

static const struct invig_store_reader *reader;
static bool reader_is_armed;

#define RESUMED(call)                                                                              \
    fault_resume(reader_is_armed);                                                                 \
    enum invig_status status = call;                                                               \
    (void)fault_pause();                                                                           \
    return status

static enum invig_status read_user(void *context, struct invig_text user,
                                   const struct invig_user_record *record)
{
    RESUMED(reader->user(context, user, record));
}

static enum invig_status read_session(void *context, struct invig_text user,
                                      struct invig_text session,
                                      const struct invig_session_record *record)
{
    RESUMED(reader->session(context, user, session, record));
}

static enum invig_status read_evaluation(void *context, struct invig_text evaluation,
                                         const struct invig_evaluation_record *record)
{
    RESUMED(reader->evaluation(context, evaluation, record));
}

static enum invig_status read_member(void *context, struct invig_text evaluation,
                                     struct invig_text user,
                                     const struct invig_member_record *record)
{
    RESUMED(reader->member(context, evaluation, user, record));
}

static enum invig_status read_cleared(void *context, struct invig_text evaluation,
                                      struct invig_text user,
                                      const struct invig_cleared_record *record)
{
    RESUMED(reader->cleared(context, evaluation, user, record));
}

static enum invig_status outer_load(void *context, const struct invig_store_reader *into)
{
    const struct invig_store_reader between = {
        .context = into->context,
        .user = read_user,
        .session = read_session,
        .evaluation = read_evaluation,
        .member = read_member,
        .cleared = read_cleared,
    };

    reader = into;
    reader_is_armed = fault_pause();
    enum invig_status status = inner.load(context, &between);
    fault_resume(reader_is_armed);
    return status;
}

struct invig_store __wrap_fakestore_store(struct fakestore *store)
{
    struct invig_store outer = __real_fakestore_store(store);

    inner = outer;
    outer.begin = outer_begin;
    outer.put_user = outer_put_user;
    outer.put_session = outer_put_session;
    outer.put_evaluation = outer_put_evaluation;
    outer.put_member = outer_put_member;
    outer.put_cleared = outer_put_cleared;
    outer.commit = outer_commit;
    outer.load = outer_load;
    return outer;
}
