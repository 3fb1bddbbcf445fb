/* SPDX-License-Identifier: Apache-2.0
 *
 * notice.c - see notice.h.
 */
#include "invigilator/notice.h"

static void write_word(const struct invig_writer *writer, const char *name, const char *word)
{
    writer->string(writer->context, name, invig_text_of(word));
}

static void write_text(const struct invig_writer *writer, const char *name, struct invig_text text)
{
    writer->string(writer->context, name, text);
}

static void write_time(const struct invig_writer *writer, const char *name, int64_t time_s)
{
    char text[INVIG_TIME_TEXT_BYTES];

    invig_time_format(time_s, text);
    write_word(writer, name, text);
}

static void write_invalidated(const struct invig_notice *notice, const struct invig_writer *writer)
{
    write_word(writer, "type", "SESSION_INVALIDATED");
    write_text(writer, "userId", notice->user);
    write_text(writer, "sessionId", notice->session);
    write_word(writer, "reason", invig_end_word(notice->reason));
    write_time(writer, "at", notice->time_s);
}

static void write_expiring(const struct invig_notice *notice, const struct invig_writer *writer)
{
    write_word(writer, "type", "SESSION_EXPIRING");
    write_text(writer, "userId", notice->user);
    write_text(writer, "sessionId", notice->session);
    write_time(writer, "expiresAt", notice->time_s);
}

static void write_blocked(const struct invig_notice *notice, const struct invig_writer *writer)
{
    write_word(writer, "type", "EVALUATION_UPDATE");
    write_text(writer, "evaluationId", notice->evaluation);
    write_text(writer, "userId", notice->user);
    write_word(writer, "access", "BLOCKED");
    write_word(writer, "reason", "SECOND_LOGIN");
    write_time(writer, "at", notice->time_s);
}

static void write_presence(const struct invig_notice *notice, const struct invig_writer *writer)
{
    write_word(writer, "type", "PRESENCE");
    write_text(writer, "evaluationId", notice->evaluation);
    write_text(writer, "userId", notice->user);
    writer->boolean(writer->context, "online", notice->is_online);
    writer->integer(writer->context, "connections", (int64_t)notice->connection_count);
    write_time(writer, "since", notice->time_s);
    write_word(writer, "cause", invig_cause_word(notice->cause));
}

static void write_incident(const struct invig_notice *notice, const struct invig_writer *writer)
{
    write_word(writer, "type", "INCIDENT");
    write_word(writer, "kind", invig_incident_word(notice->incident));
    write_text(writer, "evaluationId", notice->evaluation);
    write_text(writer, "userId", notice->user);
    writer->boolean(writer->context, "enforced", notice->is_enforced);
    write_text(writer, "boundSession", notice->bound_session);
    write_text(writer, "refusedSession", notice->refused_session);
    write_text(writer, "address", notice->address);
    write_time(writer, "at", notice->time_s);
}

static void write_refused(const struct invig_notice *notice, const struct invig_writer *writer)
{
    write_word(writer, "type", "PUBLISH_REFUSED");
    write_text(writer, "topic", notice->topic);
    write_text(writer, "error", notice->error);
    write_time(writer, "at", notice->time_s);
}

void invig_notice_write(const struct invig_notice *notice, const struct invig_writer *writer)
{
    writer->begin_object(writer->context, NULL);
    switch (notice->type) {
    case INVIG_NOTICE_SESSION_INVALIDATED:
        write_invalidated(notice, writer);
        break;
    case INVIG_NOTICE_SESSION_EXPIRING:
        write_expiring(notice, writer);
        break;
    case INVIG_NOTICE_EVALUATION_BLOCKED:
        write_blocked(notice, writer);
        break;
    case INVIG_NOTICE_PRESENCE:
        write_presence(notice, writer);
        break;
    case INVIG_NOTICE_INCIDENT:
        write_incident(notice, writer);
        break;
    case INVIG_NOTICE_PUBLISH_REFUSED:
        write_refused(notice, writer);
        break;
    }
    writer->end(writer->context);
}

const char *invig_end_word(enum invig_end end)
{
    switch (end) {
    case INVIG_END_SUPERSEDED:
        return "SUPERSEDED";
    case INVIG_END_REVOKED:
        return "REVOKED";
    case INVIG_END_EXPIRED:
        return "EXPIRED";
    case INVIG_END_BLOCKED:
        return "BLOCKED";
    case INVIG_END_NONE:
        break;
    }
    return "NONE";
}

const char *invig_cause_word(enum invig_cause cause)
{
    switch (cause) {
    case INVIG_CAUSE_CONNECTED:
        return "CONNECTED";
    case INVIG_CAUSE_CLOSED:
        return "CLOSED";
    case INVIG_CAUSE_TIMEOUT:
        return "TIMEOUT";
    case INVIG_CAUSE_SUPERSEDED:
        return "SUPERSEDED";
    case INVIG_CAUSE_REVOKED:
        return "REVOKED";
    case INVIG_CAUSE_EXPIRED:
        return "EXPIRED";
    case INVIG_CAUSE_UNKNOWN:
        break;
    }
    return "UNKNOWN";
}

const char *invig_incident_word(enum invig_incident_kind kind)
{
    switch (kind) {
    case INVIG_INCIDENT_SECOND_LOGIN:
        return "SECOND_LOGIN";
    case INVIG_INCIDENT_SHARED_SESSION:
        return "SHARED_SESSION";
    }
    return "UNKNOWN";
}
