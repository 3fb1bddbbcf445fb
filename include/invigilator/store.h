/* SPDX-License-Identifier: Apache-2.0
 *
 * store.h - where records are kept, behind function pointers: in memory alone, or in a file. The
 * engine reaches it through nothing else.
 *
 * What belongs together is put between begin and commit, and is there after a restart as a whole or
 * not at all. Not thread-safe: broker thread only.  Depends on: status, text, record.
 */
#ifndef INVIGILATOR_STORE_H
#define INVIGILATOR_STORE_H

#include "invigilator/record.h"
#include "invigilator/status.h"

/* Who takes records that a store gives. Texts and records are borrowed for the call. Each returns
 * INVIG_OK, or an error that ends the reading and is handed on. */
struct invig_store_reader {
    void *context;
    enum invig_status (*user)(void *context, struct invig_text user,
                              const struct invig_user_record *record);
    enum invig_status (*session)(void *context, struct invig_text user, struct invig_text session,
                                 const struct invig_session_record *record);
    enum invig_status (*evaluation)(void *context, struct invig_text evaluation,
                                    const struct invig_evaluation_record *record);
    enum invig_status (*member)(void *context, struct invig_text evaluation, struct invig_text user,
                                const struct invig_member_record *record);
    enum invig_status (*cleared)(void *context, struct invig_text evaluation,
                                 struct invig_text user, /* absent: the evaluation's own topic */
                                 const struct invig_cleared_record *record);
};

/* Functions that can fail return INVIG_OK, INVIG_ERR_IO (disk full, file gone, locked) or
 * INVIG_ERR_NO_MEMORY; those of a batch also INVIG_ERR_STATE (a batch is open, or none is) and
 * INVIG_ERR_INVALID (a record that could not be read back), and load INVIG_ERR_FORMAT (records that
 * make no sense). */
struct invig_store {
    void *context;
    bool is_grouping; /* commit is slow: one for each turn of the broker's loop, and answers wait
                         for it; false: one for each event */

    /* Begins a batch; none is open. */
    enum invig_status (*begin)(void *context);

    /* Each puts one record in the place of what its key has, inside a batch. `record` is borrowed;
     * NULL drops what the key has, which may be nothing. */
    enum invig_status (*put_user)(void *context, struct invig_text user,
                                  const struct invig_user_record *record);
    enum invig_status (*put_session)(void *context, struct invig_text user,
                                     struct invig_text session,
                                     const struct invig_session_record *record);
    enum invig_status (*put_evaluation)(void *context, struct invig_text evaluation,
                                        const struct invig_evaluation_record *record);
    enum invig_status (*put_member)(void *context, struct invig_text evaluation,
                                    struct invig_text user,
                                    const struct invig_member_record *record);
    enum invig_status (*put_cleared)(void *context, struct invig_text evaluation,
                                     struct invig_text user, /* may be absent */
                                     const struct invig_cleared_record *record);

    /* Makes the batch durable. After an error nothing of it is there, and no batch is open. (Where
     * the disk itself failed to make it durable, nobody can say what a crash leaves of it.) */
    enum invig_status (*commit)(void *context);

    /* Drops the batch; none open is allowed. */
    void (*rollback)(void *context);

    /* Gives all records: users, then their sessions by rising serial, evaluations, members, and
     * topics that were cleared. */
    enum invig_status (*load)(void *context, const struct invig_store_reader *reader);

    /* Looks at the next `limit` records at least, and drops at most so many, that need not be kept
     * at `now_s` any longer: sessions whose kept_until_s is before it, but for the current one of a
     * user who is bound; users likewise who have no session and no member; topics that were
     * cleared. *out_is_done tells whether all have been looked at. */
    enum invig_status (*sweep)(void *context, int64_t now_s, int limit, bool *out_is_done);

    /* Closes the store and frees what `context` holds. */
    void (*close)(void *context);
};

/* A store that keeps nothing: what is in memory is all there is. */
struct invig_store invig_store_memory(void);

#endif
