/* SPDX-License-Identifier: Apache-2.0
 *
 * engine_report.c - see engine.h: commands that only read.
 */
#include "engine_private.h"

static void write_time(const struct invig_writer *writer, const char *name, int64_t time_s)
{
    char text[INVIG_TIME_TEXT_BYTES];

    invig_time_format(time_s, text);
    writer->string(writer->context, name, invig_text_of(text));
}

static void write_null(const struct invig_writer *writer, const char *name)
{
    writer->string(writer->context, name, (struct invig_text){NULL, 0});
}

/* -- getUser -- */

static void write_connections(const struct invig_session *session,
                              const struct invig_writer *writer)
{
    const struct invig_connection *each = session->user->connections;

    writer->begin_array(writer->context, "connections");
    for (; each != NULL; each = each->user_next) {
        if (each->session == session && each->state == INVIG_CONNECTION_OPEN) {
            writer->begin_object(writer->context, NULL);
            writer->string(writer->context, "clientId", each->client_id);
            writer->string(writer->context, "address", each->address);
            write_time(writer, "since", each->since_s);
            write_time(writer, "expiresAt", each->ends_s);
            writer->end(writer->context);
        }
    }
    writer->end(writer->context);
}

static void write_session(const struct invig_session *session, const struct invig_writer *writer)
{
    writer->begin_object(writer->context, NULL);
    writer->string(writer->context, "sessionId", invig_session_text(session));
    writer->boolean(writer->context, "current",
                    session->record.is_single ? session->user->current == session
                                              : session->open_count > 0);
    if (session->record.has_login) {
        write_time(writer, "loginAt", session->record.login_s);
    } else {
        write_null(writer, "loginAt");
    }
    write_connections(session, writer);
    writer->end(writer->context);
}

static void write_block(const struct invig_member *member, const struct invig_writer *writer)
{
    writer->begin_object(writer->context, NULL);
    writer->string(writer->context, "evaluationId", invig_text_of(member->evaluation->id));
    writer->string(writer->context, "reason",
                   invig_text_of(member->record.is_blocked ? "SECOND_LOGIN" : "BACKEND"));
    write_time(writer, "since",
               member->record.is_blocked ? member->record.blocked_since_s
                                         : member->record.access_since_s);
    writer->end(writer->context);
}

static void write_binding(const struct invig_member *member, const struct invig_writer *writer)
{
    const struct invig_session *bound = member->user->current;

    writer->begin_object(writer->context, NULL);
    writer->string(writer->context, "evaluationId", invig_text_of(member->evaluation->id));
    writer->string(writer->context, "sessionId", invig_session_text(bound));
    writer->end(writer->context);
}

static void write_user(const struct invig_user *user, const struct invig_writer *writer)
{
    const struct invig_session *session = user == NULL ? NULL : user->sessions;
    const struct invig_member *members = user == NULL ? NULL : user->members;

    writer->begin_array(writer->context, "sessions");
    for (; session != NULL; session = session->next) {
        if (session->record.end == INVIG_END_NONE) {
            write_session(session, writer);
        }
    }
    writer->end(writer->context);
    writer->begin_array(writer->context, "bindings");
    for (const struct invig_member *each = members; each != NULL; each = each->user_next) {
        if (each->record.is_bound) {
            write_binding(each, writer);
        }
    }
    writer->end(writer->context);
    writer->begin_array(writer->context, "blocks");
    for (const struct invig_member *each = members; each != NULL; each = each->user_next) {
        if (invig_member_is_blocked(each)) {
            write_block(each, writer);
        }
    }
    writer->end(writer->context);
}

static const char *engine_get_user(const struct invig_engine *engine,
                                   const struct invig_command *command,
                                   const struct invig_writer *writer)
{
    struct invig_text id = invig_text_of(command->user);

    writer->begin_object(writer->context, "data");
    writer->string(writer->context, "userId", id);
    write_user(invig_sessions_find_user(&engine->sessions, id), writer);
    writer->end(writer->context);
    return NULL;
}

/* -- getEvaluation -- */

/* Whom the list names: also those whose token named the evaluation and who are away now. */
static bool member_is_listed(const struct invig_member *member)
{
    return invig_member_is_participant(member) ||
           (member->record.access == INVIG_ACCESS_UNSAID && member->record.was_student);
}

static void write_participant(const struct invig_member *member, const struct invig_writer *writer)
{
    enum invig_access access =
        invig_member_is_blocked(member) ? INVIG_ACCESS_BLOCKED : INVIG_ACCESS_ALLOWED;

    writer->begin_object(writer->context, NULL);
    writer->string(writer->context, "userId", invig_user_text(member->user));
    writer->string(writer->context, "access", invig_text_of(invig_access_word(access)));
    writer->boolean(writer->context, "online", member->user->open_count > 0);
    writer->boolean(writer->context, "bound", member->record.is_bound);
    writer->end(writer->context);
}

static void write_participants(const struct invig_evaluation *evaluation,
                               const struct invig_command *command,
                               const struct invig_writer *writer)
{
    int64_t place = 0;

    writer->begin_array(writer->context, "participants");
    for (const struct invig_member *each = evaluation->first; each != NULL;
         each = each->evaluation_next) {
        if (!member_is_listed(each)) {
            continue;
        }
        if (place >= command->offset && place - command->offset < command->count) {
            write_participant(each, writer);
        }
        place++;
    }
    writer->end(writer->context);
}

static const char *engine_get_evaluation(const struct invig_engine *engine,
                                         const struct invig_command *command,
                                         const struct invig_writer *writer)
{
    const struct invig_evaluation *evaluation =
        invig_evaluations_find(&engine->evaluations, invig_text_of(command->evaluation));

    if (evaluation == NULL) {
        return "unknown evaluation";
    }
    writer->begin_object(writer->context, "data");
    writer->string(writer->context, "evaluationId", invig_text_of(evaluation->id));
    writer->string(writer->context, "phase", invig_policy_phase(engine->policy, evaluation->phase));
    writer->boolean(writer->context, "strict", evaluation->is_strict);
    writer->string(
        writer->context, "endAt",
        invig_text_of(evaluation->record.end_at[0] == '\0' ? NULL : evaluation->record.end_at));
    if (evaluation->record.has_version) {
        writer->integer(writer->context, "version", evaluation->record.version);
    } else {
        write_null(writer, "version");
    }
    write_participants(evaluation, command, writer);
    writer->end(writer->context);
    return NULL;
}

/* -- listSessions -- */

static void write_listed_session(const struct invig_session *session,
                                 const struct invig_writer *writer)
{
    writer->begin_object(writer->context, NULL);
    writer->string(writer->context, "userId", invig_user_text(session->user));
    writer->string(writer->context, "sessionId", invig_session_text(session));
    writer->integer(writer->context, "connections", (int64_t)session->open_count);
    writer->end(writer->context);
}

static const char *engine_list_sessions(const struct invig_engine *engine,
                                        const struct invig_command *command,
                                        const struct invig_writer *writer)
{
    const struct invig_user *user = NULL;
    int64_t place = 0;

    writer->begin_object(writer->context, "data");
    writer->integer(writer->context, "total", (int64_t)engine->stats.sessions_current);
    writer->begin_array(writer->context, "sessions");
    while ((user = invig_sessions_next_user(&engine->sessions, user)) != NULL) {
        const struct invig_session *each = user->open_count > 0 ? user->sessions : NULL;

        for (; each != NULL; each = each->next) {
            if (each->open_count == 0) {
                continue;
            }
            if (place >= command->offset && place - command->offset < command->count) {
                write_listed_session(each, writer);
            }
            place++;
        }
    }
    writer->end(writer->context);
    writer->end(writer->context);
    return NULL;
}

/* -- getStats -- */

static const char *engine_get_stats(const struct invig_engine *engine,
                                    const struct invig_writer *writer)
{
    char name[INVIG_STATS_NAME_BYTES];
    struct invig_stats stats;
    uint64_t value = 0;

    invig_engine_read_stats(engine, &stats);
    writer->begin_object(writer->context, "data");
    for (size_t i = 0; invig_stats_get(&stats, i, name, &value); i++) {
        writer->integer(writer->context, name, (int64_t)value);
    }
    writer->end(writer->context);
    return NULL;
}

const char *invig_engine_report(const struct invig_engine *engine,
                                const struct invig_command *command,
                                const struct invig_writer *writer)
{
    switch (command->kind) {
    case INVIG_COMMAND_GET_USER:
        return engine_get_user(engine, command, writer);
    case INVIG_COMMAND_GET_EVALUATION:
        return engine_get_evaluation(engine, command, writer);
    case INVIG_COMMAND_LIST_SESSIONS:
        return engine_list_sessions(engine, command, writer);
    default:
        return engine_get_stats(engine, writer);
    }
}
