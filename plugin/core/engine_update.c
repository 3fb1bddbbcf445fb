/* SPDX-License-Identifier: Apache-2.0
 *
 * engine_update.c - see engine.h: messages of the backend, refused or taken, and those on
 * evaluations/{e}/users/{user}. A message is checked and copied before anything changes; then
 * nothing can fail.
 */
#include "engine_private.h"

#include <stdlib.h>

static void engine_log_refused(struct invig_engine *engine,
                               const struct invig_connection *connection, struct invig_text topic,
                               const char *error)
{
    struct invig_logline line;

    if (!invig_engine_begin_line(engine, &engine->refusals, "publish_refused", &line)) {
        return;
    }
    invig_logline_add(&line, "error", invig_text_of(error));
    if (connection != NULL) {
        invig_logline_add(&line, "user", connection->subject.user);
        invig_logline_add(&line, "client", connection->client_id);
    }
    invig_logline_add(&line, "topic", topic);
    invig_engine_log(engine, INVIG_LOG_WARNING, &line);
}

/* Counts, logs and tells the publisher. Without room or memory the log line is all there is. */
static void engine_refuse_message(struct invig_engine *engine,
                                  const struct invig_connection *connection,
                                  struct invig_text topic, const char *error)
{
    const struct invig_notice notice = {
        .type = INVIG_NOTICE_PUBLISH_REFUSED,
        .topic = topic,
        .error = invig_text_of(error),
        .time_s = engine->now.wall_s,
    };

    engine->stats.publishes_refused++;
    engine_log_refused(engine, connection, topic, error);
    if (invig_engine_is_there(connection) && invig_outbox_has_room_to_answer(&engine->outbox)) {
        invig_outbox_add(&engine->outbox, invig_letter_new(&notice, connection));
    }
}

/* What a message says of the session that goes on, where that matters: where the user is neither
 * bound nor blocked by a second login, a member that is only repeated in a later message means
 * nothing. Returns an error text, or NULL. */
static const char *engine_read_lift(const struct invig_engine *engine,
                                    const struct invig_member *member,
                                    const struct invig_update *update, struct invig_lift *out_lift)
{
    bool matters = member != NULL && (member->record.is_blocked || member->record.is_bound ||
                                      member->record.released_serial != 0);

    *out_lift = (struct invig_lift){.by = "message"};
    if (!matters || update->session_said == INVIG_SAID_NOTHING) {
        return NULL;
    }
    out_lift->said = update->session_said;
    if (out_lift->said == INVIG_SAID_NULL) {
        return NULL;
    }
    out_lift->named = invig_engine_find_named(engine, member->user, invig_text_of(update->session));
    if (out_lift->named == NULL) {
        return "sessionId names no session of this user that is known";
    }
    return out_lift->named->record.end == INVIG_END_REVOKED
               ? "sessionId names a session that was revoked"
               : NULL;
}

static void engine_record_access(struct invig_engine *engine, struct invig_member *member,
                                 enum invig_access access)
{
    if (access != member->record.access) {
        member->record.access_since_s = engine->now.wall_s;
    }
    member->record.access = access;
    if (access == INVIG_ACCESS_DENIED) {
        invig_engine_unbind(engine, member);
        member->record.is_blocked = false;
        member->record.has_connected = false; /* whoever is added again begins anew */
    }
}

/* Puts what a message says of access and status into the record. Returns whether it lifts a block.
 */
static bool engine_record_said(struct invig_engine *engine, struct invig_member *member,
                               const struct invig_update *update, struct invig_lift *lift)
{
    bool is_lifting =
        update->access == INVIG_ACCESS_ALLOWED &&
        (lift->said != INVIG_SAID_NOTHING ||
         (update->unblock && (invig_member_is_blocked(member) || member->record.is_bound ||
                              member->record.released_serial != 0)));

    if (update->access != INVIG_ACCESS_UNSAID) {
        engine_record_access(engine, member, update->access);
    }
    if (update->progress != INVIG_PROGRESS_UNSAID) {
        member->record.is_finished = update->progress == INVIG_PROGRESS_FINISHED;
    }
    if (member->record.is_finished) {
        invig_engine_unbind(engine, member);
    }
    if (is_lifting) {
        invig_engine_lift(engine, member, lift);
    }
    return is_lifting;
}

/* Puts a message into the record. `copy` is its payload, owned from here on. Returns whether it
 * lifts a block. */
static bool engine_record_update(struct invig_engine *engine, struct invig_member *member,
                                 const struct invig_update *update, struct invig_lift *lift,
                                 struct invig_text copy, bool is_retained)
{
    bool was_blocked = invig_member_is_blocked(member);
    bool is_lifting;

    invig_member_watch(member);
    invig_evaluations_set_member_message(&engine->evaluations, member, copy);
    if (update->has_version) {
        member->record.has_version = true;
        member->record.version = update->version;
    }
    is_lifting = engine_record_said(engine, member, update, lift);
    /* It must not hide a block that stands, nor leave one retained that does not. */
    if (member->record.is_blocked || (was_blocked && !is_retained)) {
        member->record.is_copy = true;
    } else if (is_retained) {
        member->record.is_copy = false;
    }
    invig_engine_note_seen(engine, member, NULL);
    invig_engine_bind(engine, member, NULL);
    return is_lifting;
}

/* What is retained on the user's topic changes with a message that passes. */
static void engine_settle_topic(struct invig_engine *engine, struct invig_member *member,
                                bool is_retained)
{
    member->has_topic = member->has_topic || is_retained;
    invig_evaluations_remove_pending(&engine->evaluations, member,
                                     INVIG_MEMBER_CLEAR | INVIG_MEMBER_COPY);
    if (member->record.is_copy) {
        invig_evaluations_add_pending(&engine->evaluations, member, INVIG_MEMBER_COPY);
    }
    invig_engine_check_shared(engine, member->user);
    invig_engine_settle(engine, member);
}

static enum invig_status engine_require_member(struct invig_engine *engine,
                                               const struct invig_topic *topic,
                                               struct invig_member **out_member)
{
    struct invig_evaluation *evaluation = NULL;
    struct invig_user *user = NULL;
    enum invig_status status = invig_engine_reserve_timers(engine);

    if (status == INVIG_OK) {
        status =
            invig_sessions_require_user(&engine->sessions, topic->user, engine->now.wall_s, &user);
    }
    if (status == INVIG_OK) {
        status = invig_evaluations_require(&engine->evaluations, topic->evaluation, &evaluation);
    }
    if (status == INVIG_OK) {
        status =
            invig_evaluations_require_member(&engine->evaluations, evaluation, user, out_member);
        if (status != INVIG_OK) {
            invig_engine_release_evaluation(engine, evaluation);
        }
    }
    return status;
}

static struct invig_member *engine_find_member(const struct invig_engine *engine,
                                               const struct invig_topic *topic)
{
    return invig_evaluations_find_member(
        &engine->evaluations, invig_evaluations_find(&engine->evaluations, topic->evaluation),
        invig_sessions_find_user(&engine->sessions, topic->user));
}

static const char *engine_update_member(struct invig_engine *engine,
                                        const struct invig_topic *topic,
                                        const struct invig_message *message,
                                        const struct invig_update *update)
{
    struct invig_member *member = engine_find_member(engine, topic);
    struct invig_lift lift;
    const char *error = engine_read_lift(engine, member, update, &lift);
    enum invig_status status;
    bool is_lifting;
    char *copy;

    if (error != NULL && update->access == INVIG_ACCESS_ALLOWED) {
        return error;
    }
    if (member != NULL && update->has_version && member->record.has_version &&
        update->version < member->record.version) {
        return "version is lower than that of an earlier message";
    }
    copy = invig_text_copy(message->payload);
    status = copy == NULL ? INVIG_ERR_NO_MEMORY : engine_require_member(engine, topic, &member);
    if (status != INVIG_OK) {
        free(copy);
        return invig_engine_status_error(status);
    }
    is_lifting = engine_record_update(engine, member, update, &lift,
                                      (struct invig_text){copy, message->payload.length},
                                      message->is_retained);
    status = invig_engine_commit_now(engine);
    if (status != INVIG_OK) {
        invig_engine_release_member(engine, member);
        return invig_engine_status_error(status);
    }
    if (is_lifting) {
        invig_engine_settle_lift(engine, member, &lift);
    }
    engine_settle_topic(engine, member, message->is_retained);
    return NULL;
}

/* An empty message: the token's claim counts again. A block stands, and is published again. */
static const char *engine_clear_member(struct invig_engine *engine, struct invig_member *member)
{
    enum invig_status status;

    if (member == NULL) {
        return NULL;
    }
    invig_member_watch(member);
    invig_engine_forget_said(engine, member);
    invig_engine_bind(engine, member, NULL);
    status = invig_engine_commit_now(engine);
    if (status != INVIG_OK) {
        return invig_engine_status_error(status);
    }
    member->has_topic = false;
    engine_settle_topic(engine, member, false);
    invig_engine_release_member(engine, member);
    return NULL;
}

static bool topic_is_state(const struct invig_topic *topic)
{
    return topic->kind == INVIG_TOPIC_EVALUATION || topic->kind == INVIG_TOPIC_EVALUATION_USER;
}

bool invig_engine_reads(const struct invig_engine *engine,
                        const struct invig_connection *connection, struct invig_text topic)
{
    struct invig_topic name;

    invig_topic_parse_name(engine->topic_prefix, topic, &name);
    return topic_is_state(&name) || (connection == NULL && name.tree != INVIG_TREE_OTHER);
}

static const char *engine_forget_said(struct invig_engine *engine, const struct invig_topic *topic,
                                      bool is_retained)
{
    if (!is_retained) {
        return "an empty message must be retained: it forgets what was said";
    }
    return topic->kind == INVIG_TOPIC_EVALUATION
               ? invig_engine_forget_evaluation(engine, topic->evaluation)
               : engine_clear_member(engine, engine_find_member(engine, topic));
}

/* A copy that the plugin of another broker has published, and a bridge brought here: this one
 * publishes its own, of what all brokers know. */
static bool engine_is_foreign_copy(const struct invig_engine *engine,
                                   const struct invig_topic *topic,
                                   const struct invig_message *message)
{
    struct invig_value by;

    if (engine->share.next == NULL || topic->kind != INVIG_TOPIC_EVALUATION_USER ||
        message->object == NULL) {
        return false;
    }
    message->object->get(message->object->context, "by", &by);
    return by.kind == INVIG_VALUE_STRING &&
           invig_text_equal(by.string, invig_text_of("invigilator"));
}

/* Returns why the message is refused, NULL when it is not. `error` is room for a text. */
static const char *engine_take_message(struct invig_engine *engine, const struct invig_topic *topic,
                                       const struct invig_message *message,
                                       char error[INVIG_UPDATE_ERROR_BYTES])
{
    struct invig_update update;

    if (message->payload.length == 0) {
        return engine_forget_said(engine, topic, message->is_retained);
    }
    if (message->payload.length > INVIG_UPDATE_BYTES_MAX) {
        return "more than 4000 bytes";
    }
    if (message->is_unread) {
        return invig_engine_status_error(INVIG_ERR_NO_MEMORY);
    }
    if (message->object == NULL) {
        return "not a JSON object (RFC 8259, in UTF-8, without duplicate members)";
    }
    if (!invig_update_read(message->object, topic, engine->policy, &update, error)) {
        return error;
    }
    return topic->kind == INVIG_TOPIC_EVALUATION
               ? invig_engine_update_evaluation(engine, topic, message, &update)
               : engine_update_member(engine, topic, message, &update);
}

enum invig_verdict invig_engine_message(struct invig_engine *engine, struct invig_now now,
                                        const struct invig_connection *connection,
                                        const struct invig_message *message)
{
    char text[INVIG_UPDATE_ERROR_BYTES];
    const char *error = NULL;
    struct invig_topic topic;

    invig_engine_begin(engine, now);
    invig_topic_parse_name(engine->topic_prefix, message->topic, &topic);
    if (engine_is_foreign_copy(engine, &topic, message)) {
        return INVIG_DENY;
    }
    /* Whoever comes here without being known is a bridge of this broker's, or was let in by its
     * certificate; ACL_CHECK, which a bridge is not asked, has refused the latter. */
    if (connection == NULL && topic.tree != INVIG_TREE_OTHER && engine->share.next == NULL) {
        error = "the publisher is not known";
    } else if (topic_is_state(&topic)) {
        error = engine_take_message(engine, &topic, message, text);
    }
    if (error != NULL) {
        engine_refuse_message(engine, connection, message->topic, error);
        return INVIG_DENY;
    }
    return INVIG_ALLOW;
}
