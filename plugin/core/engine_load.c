/* SPDX-License-Identifier: Apache-2.0
 *
 * engine_load.c - records that come in: after a restart, all of them.
 */
#include "engine_private.h"

#include <stdlib.h>
#include <string.h>

/* A message of a record as memory of our own. Returns false when that is out. */
static bool message_own(struct invig_text message, struct invig_text *out_message)
{
    *out_message = (struct invig_text){NULL, 0};
    if (message.data == NULL) {
        return true;
    }
    *out_message = (struct invig_text){invig_text_copy(message), message.length};
    return out_message->data != NULL;
}

static enum invig_status load_user(void *context, struct invig_text id,
                                   const struct invig_user_record *record)
{
    struct invig_engine *engine = context;
    struct invig_user *user = NULL;
    enum invig_status status = invig_engine_reserve_timers(engine);

    if (status == INVIG_OK) {
        status = invig_sessions_require_user(&engine->sessions, id, engine->now.wall_s, &user);
    }
    if (status == INVIG_OK) {
        user->record = *record;
        user->stored = *record;
        /* Looked at in the first ticks: what is old is forgotten then. */
        (void)invig_timers_set(&engine->timers, &user->timer, engine->now.wall_s);
    }
    return status;
}

static enum invig_status load_session(void *context, struct invig_text user, struct invig_text id,
                                      const struct invig_session_record *record)
{
    struct invig_engine *engine = context;
    enum invig_status status = invig_engine_reserve_timers(engine);

    if (status == INVIG_OK) {
        status = invig_sessions_load(&engine->sessions, user, id, record, engine->now.wall_s);
    }
    return status == INVIG_ERR_FULL ? INVIG_OK : status; /* the oldest are left out */
}

static void engine_log_phase(const struct invig_engine *engine, struct invig_text id,
                             struct invig_text phase)
{
    struct invig_logline line;

    invig_logline_init(&line, "phase_unknown");
    invig_logline_add(&line, "evaluation", id);
    invig_logline_add(&line, "phase", phase);
    invig_engine_log(engine, INVIG_LOG_WARNING, &line);
}

static enum invig_status load_evaluation(void *context, struct invig_text id,
                                         const struct invig_evaluation_record *record)
{
    struct invig_engine *engine = context;
    struct invig_evaluation *evaluation = NULL;
    int phase = invig_policy_find_phase(engine->policy, record->phase);
    struct invig_text message;
    enum invig_status status;

    if (phase < 0) { /* the option has changed since: the next message says what phase it is in */
        engine_log_phase(engine, id, record->phase);
        return INVIG_OK;
    }
    status = invig_evaluations_require(&engine->evaluations, id, &evaluation);
    if (status == INVIG_OK && !message_own(record->message, &message)) {
        status = INVIG_ERR_NO_MEMORY;
    }
    if (status != INVIG_OK) {
        return status;
    }
    evaluation->record = *record;
    evaluation->record.message = message;
    invig_evaluations_set_phase(&engine->evaluations, evaluation, phase, record->is_strict_off);
    evaluation->stored = evaluation->record;
    invig_journal_remove(&engine->journal, &evaluation->journal);
    if (message.data != NULL) {
        invig_evaluations_add_republish(&engine->evaluations, evaluation);
    }
    return INVIG_OK;
}

enum invig_status invig_engine_require_member(struct invig_engine *engine,
                                              struct invig_text evaluation_id,
                                              struct invig_text user_id,
                                              struct invig_member **out_member)
{
    struct invig_evaluation *evaluation = NULL;
    struct invig_user *user = NULL;
    enum invig_status status = invig_engine_reserve_timers(engine);

    if (status == INVIG_OK) {
        status = invig_evaluations_require(&engine->evaluations, evaluation_id, &evaluation);
    }
    if (status == INVIG_OK) {
        status = invig_sessions_require_user(&engine->sessions, user_id, engine->now.wall_s, &user);
    }
    if (status == INVIG_OK) {
        status =
            invig_evaluations_require_member(&engine->evaluations, evaluation, user, out_member);
    }
    return status;
}

static enum invig_status load_member(void *context, struct invig_text evaluation,
                                     struct invig_text user,
                                     const struct invig_member_record *record)
{
    struct invig_engine *engine = context;
    struct invig_member *member = NULL;
    struct invig_text message;
    enum invig_status status = record->released_serial > INVIG_SERIAL_MAX
                                   ? INVIG_ERR_FORMAT
                                   : invig_engine_require_member(engine, evaluation, user, &member);

    if (status == INVIG_OK && !message_own(record->message, &message)) {
        status = INVIG_ERR_NO_MEMORY;
    }
    if (status != INVIG_OK) {
        return status;
    }
    member->record = *record;
    member->record.message = message;
    member->stored = member->record;
    member->user->bound_count += record->is_bound;
    invig_sessions_raise_serial(&engine->sessions, record->released_serial);
    member->has_topic = message.data != NULL || record->is_copy;
    member->has_presence = record->has_connected;
    return INVIG_OK;
}

/* What stands on a topic again where nothing should. The topics of a user are cleared by what is
 * to be published of the member. */
static enum invig_status load_cleared(void *context, struct invig_text evaluation_id,
                                      struct invig_text user,
                                      const struct invig_cleared_record *record)
{
    struct invig_engine *engine = context;
    struct invig_evaluation *evaluation = NULL;
    struct invig_member *member = NULL;
    enum invig_status status = INVIG_OK;

    if (record->kept_until_s < engine->now.wall_s) {
        return INVIG_OK;
    }
    if (user.data == NULL) {
        status = invig_evaluations_require(&engine->evaluations, evaluation_id, &evaluation);
        if (status == INVIG_OK) {
            invig_evaluations_add_republish(&engine->evaluations, evaluation);
        }
    } else {
        status = invig_engine_require_member(engine, evaluation_id, user, &member);
        if (status == INVIG_OK) {
            member->has_topic = true;
            member->has_presence = true;
        }
    }
    return status == INVIG_ERR_FULL ? INVIG_OK : status;
}

/* What the broker has retained of a member may be older than the records, or be there again after
 * it was cleared. */
static void engine_republish(struct invig_engine *engine, struct invig_member *member)
{
    unsigned what = member->has_topic ? INVIG_MEMBER_CLEAR : 0;

    if (member->record.is_copy) {
        what = INVIG_MEMBER_COPY;
    } else if (member->record.message.data != NULL) {
        what = INVIG_MEMBER_MESSAGE;
    }
    member->was_count = SIZE_MAX; /* nobody knows what it says */
    invig_evaluations_add_pending(&engine->evaluations, member,
                                  what | (member->has_presence ? INVIG_MEMBER_PRESENCE : 0));
}

/* What the records say of a member must fit what is known of its user and evaluation now: options
 * may have changed since, and what need not be kept is not there. */
static void engine_check_loaded(struct invig_engine *engine, struct invig_member *member)
{
    invig_engine_record_phase(engine, member, true);
    if (member->user->current == NULL) {
        invig_engine_unbind(engine, member);
    }
    invig_engine_settle_phase(engine, member);
    engine_republish(engine, member);
}

static bool evaluation_is_running(const struct invig_engine *engine,
                                  const struct invig_evaluation *evaluation)
{
    return evaluation->is_strict ||
           invig_policy_phase_has_presence(engine->policy, evaluation->phase);
}

/* Those of evaluations that are running, which are published first, or those of the others. */
static void engine_check_all_loaded(struct invig_engine *engine, bool is_running)
{
    struct invig_user *user = NULL;

    while ((user = invig_sessions_next_user(&engine->sessions, user)) != NULL) {
        user->presence_since_s = engine->now.wall_s; /* it is away now: that is all we know */
        for (struct invig_member *each = user->members; each != NULL; each = each->user_next) {
            if (evaluation_is_running(engine, each->evaluation) == is_running) {
                engine_check_loaded(engine, each);
            }
        }
    }
}

static struct invig_store_reader engine_reader(struct invig_engine *engine)
{
    return (struct invig_store_reader){engine,          load_user,   load_session,
                                       load_evaluation, load_member, load_cleared};
}

enum invig_status invig_engine_load(struct invig_engine *engine, struct invig_now now)
{
    const struct invig_store_reader reader = engine_reader(engine);
    enum invig_status status;

    invig_engine_begin(engine, now);
    status = engine->store.load(engine->store.context, &reader);
    if (status == INVIG_OK) {
        engine_check_all_loaded(engine, true);
        engine_check_all_loaded(engine, false);
    }
    return status;
}
