/* SPDX-License-Identifier: Apache-2.0
 *
 * engine_control.c - see engine.h: commands that change something, and the frame of every answer.
 * What is only read is in engine_report.c.
 */
#include "engine_private.h"

static struct invig_text text_or_absent(const char *text, bool is_there)
{
    return is_there ? invig_text_of(text) : (struct invig_text){NULL, 0};
}

/* Begins the answer's "data", which is a list of members. */
static void data_begin(const struct invig_writer *writer)
{
    writer->begin_object(writer->context, "data");
}

static void data_end(const struct invig_writer *writer)
{
    writer->end(writer->context);
}

/* -- invalidateSession, invalidateUser -- */

static void engine_log_revoked(const struct invig_engine *engine, const struct invig_user *user,
                               const char *scope, int64_t connections)
{
    struct invig_logline line;

    invig_logline_init(&line, "revoked");
    invig_logline_add(&line, "user", invig_user_text(user));
    invig_logline_add(&line, "scope", invig_text_of(scope));
    invig_logline_add_number(&line, "connections", connections);
    invig_engine_log(engine, INVIG_LOG_NOTICE, &line);
}

static const char *record_error(enum invig_status status)
{
    switch (status) {
    case INVIG_ERR_FULL:
        return "too many sessions of this user are known";
    case INVIG_ERR_IO:
        return "it could not be recorded";
    default:
        return "out of memory";
    }
}

/* Records that sessions of a user are revoked, tells their connections, and answers how many there
 * were. */
static const char *engine_finish_revoke(struct invig_engine *engine, struct invig_user *user,
                                        const char *scope, const struct invig_writer *writer)
{
    enum invig_status status;
    int64_t told = 0;

    invig_engine_unbind_ended(engine, user);
    status = invig_engine_commit(engine);
    if (status != INVIG_OK) {
        return record_error(status);
    }

    for (struct invig_session *each = user->sessions; each != NULL; each = each->next) {
        if (each->record.end == INVIG_END_REVOKED) {
            told += invig_engine_tell_session(engine, each);
        }
    }
    engine_log_revoked(engine, user, scope, told);
    data_begin(writer);
    writer->integer(writer->context, "connections", told);
    data_end(writer);
    return NULL;
}

static const char *engine_invalidate_session(struct invig_engine *engine,
                                             const struct invig_command *command,
                                             const struct invig_writer *writer)
{
    struct invig_session *revoked = NULL;
    enum invig_status status = invig_engine_reserve_timers(engine);

    if (status == INVIG_OK) {
        status =
            invig_sessions_revoke(&engine->sessions, invig_text_of(command->user),
                                  invig_text_of(command->session), engine->now.wall_s, &revoked);
    }
    if (status != INVIG_OK) {
        return record_error(status);
    }
    return engine_finish_revoke(engine, revoked->user, "session", writer);
}

/* Answers in which strict evaluations the user is bound. Returns false when it is in none. */
static bool engine_write_bound(const struct invig_engine *engine, const struct invig_user *user,
                               const struct invig_writer *writer)
{
    if (user == NULL || user->bound_count == 0 ||
        engine->policy->strict_policy != INVIG_STRICT_ENFORCE) {
        return false;
    }
    data_begin(writer);
    writer->begin_array(writer->context, "bound");
    for (const struct invig_member *each = user->members; each != NULL; each = each->user_next) {
        if (each->record.is_bound) {
            writer->string(writer->context, NULL, invig_text_of(each->evaluation->id));
        }
    }
    writer->end(writer->context);
    data_end(writer);
    return true;
}

static const char *engine_invalidate_user(struct invig_engine *engine,
                                          const struct invig_command *command,
                                          const struct invig_writer *writer)
{
    struct invig_text user = invig_text_of(command->user);
    struct invig_text except = text_or_absent(command->except_session, command->has_except);
    struct invig_user *revoked = NULL;
    int64_t before_s = command->has_before ? command->before_s : engine->now.wall_s;
    enum invig_status status;

    if (before_s > engine->now.wall_s + engine->policy->jwt_leeway_s) {
        return "before is in the future";
    }
    if (command->unless_bound &&
        engine_write_bound(engine, invig_sessions_find_user(&engine->sessions, user), writer)) {
        return NULL;
    }
    status = invig_engine_reserve_timers(engine);
    if (status == INVIG_OK) {
        status = invig_sessions_revoke_user(&engine->sessions, user, except, before_s,
                                            engine->now.wall_s, &revoked);
    }
    if (status != INVIG_OK) {
        return record_error(status);
    }
    return engine_finish_revoke(engine, revoked, "user", writer);
}

/* -- unblock -- */

/* Which session the command names. Returns an error text, or NULL. */
static const char *engine_read_unblock(const struct invig_engine *engine,
                                       const struct invig_command *command,
                                       const struct invig_member *member,
                                       struct invig_lift *out_lift)
{
    *out_lift = (struct invig_lift){.said = command->session_said, .by = "command"};
    if (member == NULL || (!invig_member_is_blocked(member) && !member->record.is_bound)) {
        return "the user is neither blocked nor bound in this evaluation";
    }
    if (command->session_said != INVIG_SAID_VALUE) {
        return NULL;
    }
    out_lift->named =
        invig_engine_find_named(engine, member->user, invig_text_of(command->session));
    if (out_lift->named == NULL) {
        return "sessionId names no session of this user that is known";
    }
    return out_lift->named->record.end == INVIG_END_REVOKED
               ? "sessionId names a session that was revoked"
               : NULL;
}

static const char *engine_unblock(struct invig_engine *engine, const struct invig_command *command,
                                  const struct invig_writer *writer)
{
    struct invig_member *member = invig_evaluations_find_member(
        &engine->evaluations,
        invig_evaluations_find(&engine->evaluations, invig_text_of(command->evaluation)),
        invig_sessions_find_user(&engine->sessions, invig_text_of(command->user)));
    struct invig_lift lift;
    enum invig_status status;
    const char *error = engine_read_unblock(engine, command, member, &lift);

    if (error != NULL) {
        return error;
    }
    invig_member_watch(member);
    /* As if the backend had published it. */
    member->record.access_since_s = member->record.access == INVIG_ACCESS_ALLOWED
                                        ? member->record.access_since_s
                                        : engine->now.wall_s;
    member->record.access = INVIG_ACCESS_ALLOWED;
    member->record.is_copy = true;
    invig_engine_lift(engine, member, &lift);
    invig_engine_note_seen(engine, member, NULL);
    invig_engine_bind(engine, member, NULL);
    status = invig_engine_commit(engine);
    if (status != INVIG_OK) {
        return record_error(status);
    }
    member->is_lifted = true;
    invig_engine_settle_lift(engine, member, &lift);
    invig_engine_check_shared(engine, member->user);
    invig_engine_settle(engine, member);
    data_begin(writer);
    data_end(writer);
    return NULL;
}

/* -- The frame -- */

/* Writes "data", or returns an error text. */
static const char *engine_run(struct invig_engine *engine, const struct invig_command *command,
                              const struct invig_writer *writer)
{
    switch (command->kind) {
    case INVIG_COMMAND_INVALIDATE_SESSION:
        return engine_invalidate_session(engine, command, writer);
    case INVIG_COMMAND_INVALIDATE_USER:
        return engine_invalidate_user(engine, command, writer);
    case INVIG_COMMAND_UNBLOCK:
        return engine_unblock(engine, command, writer);
    case INVIG_COMMAND_GET_USER:
    case INVIG_COMMAND_GET_EVALUATION:
    case INVIG_COMMAND_LIST_SESSIONS:
    case INVIG_COMMAND_GET_STATS:
        return invig_engine_report(engine, command, writer);
    case INVIG_COMMAND_NONE:
        break;
    }
    return "unknown command";
}

/* Repeats a member of the command where it is a text of reasonable length. */
static void answer_repeat(const struct invig_value_source *command, const char *name,
                          const struct invig_writer *writer)
{
    struct invig_value value;

    command->get(command->context, name, &value);
    if (value.kind == INVIG_VALUE_STRING && value.string.length <= INVIG_CORRELATION_BYTES_MAX) {
        writer->string(writer->context, name, value.string);
    }
}

void invig_engine_control(struct invig_engine *engine, struct invig_now now,
                          const struct invig_value_source *command,
                          const struct invig_writer *writer)
{
    char text[INVIG_CONTROL_ERROR_BYTES];
    const char *error = text;
    struct invig_command read;

    invig_engine_begin(engine, now);
    writer->begin_object(writer->context, NULL);
    answer_repeat(command, "command", writer);
    answer_repeat(command, "correlationData", writer);
    if (invig_command_read(command, &read, text)) {
        error = engine_run(engine, &read, writer);
    }
    if (error != NULL) {
        writer->string(writer->context, "error", invig_text_of(error));
    }
    writer->end(writer->context);
}

bool invig_engine_reply(struct invig_engine *engine, const struct invig_connection *connection,
                        char *json)
{
    struct invig_letter *letter = invig_letter_new_json(json, connection);

    if (letter == NULL || !invig_engine_is_there(connection) ||
        !invig_outbox_has_room_to_answer(&engine->outbox)) {
        invig_letter_free(letter);
        return false;
    }
    invig_outbox_add(&engine->outbox, letter);
    return true;
}
