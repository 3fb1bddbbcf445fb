/* SPDX-License-Identifier: Apache-2.0
 *
 * explain_words.c - see explain.h. Nothing is decided here: the engine's answer is given a reason.
 */
#include "explain.h"

#include <stddef.h>

static const char *const reason_texts[INVIG_REASON_COUNT] = {
    [INVIG_REASON_NONE] = "nothing is wrong",
    [INVIG_REASON_INTERNAL] = "memory was out",
    [INVIG_REASON_TOKEN_TOO_LARGE] = "it is longer than jwt_max_size",
    [INVIG_REASON_TOKEN_MALFORMED] =
        "it is no token in compact form, or its base64url is not exact",
    [INVIG_REASON_HEADER_INVALID] =
        "its header is no strict JSON object, or holds what must not be",
    [INVIG_REASON_HEADER_CRITICAL] = "its header has crit, of which nothing is understood",
    [INVIG_REASON_ALGORITHM_NOT_ALLOWED] =
        "its algorithm is not in jwt_algorithms, or no key allows it",
    [INVIG_REASON_KEY_UNKNOWN] = "no key fits its algorithm and key id",
    [INVIG_REASON_SIGNATURE_INVALID] = "its signature is by none of the keys",
    [INVIG_REASON_PAYLOAD_INVALID] = "its claims are no strict JSON object",
    [INVIG_REASON_CLAIM_MISSING] = "a claim that is needed is not there",
    [INVIG_REASON_CLAIM_INVALID] = "a claim has the wrong form",
    [INVIG_REASON_EXPIRED] = "its time (exp) is over",
    [INVIG_REASON_NOT_YET_VALID] = "its time (nbf) has not begun",
    [INVIG_REASON_ISSUED_IN_FUTURE] = "it was made (iat) in the future: clocks differ by more than "
                                      "jwt_leeway",
    [INVIG_REASON_LOGIN_IN_FUTURE] = "its login (auth_time) is in the future: clocks differ by "
                                     "more than jwt_leeway",
    [INVIG_REASON_ISSUER_MISMATCH] = "its iss is not jwt_issuer",
    [INVIG_REASON_AUDIENCE_MISMATCH] = "its aud does not name jwt_audience",
    [INVIG_REASON_ROLE_UNKNOWN] = "its role is none that is known",
    [INVIG_REASON_USERNAME_MISMATCH] = "the username is another than the token's user",
    [INVIG_REASON_CLIENT_ID_INVALID] =
        "the client id is neither the user's id nor begins with it and a colon",
    [INVIG_REASON_CLIENT_ID_IN_USE] = "somebody else holds the client id",
    [INVIG_REASON_CLEAN_SESSION_OFF] = "clean session is off",
    [INVIG_REASON_KEEPALIVE_TOO_LONG] = "the keepalive is off or longer than max_keepalive",
    [INVIG_REASON_TOO_MANY_CONNECTIONS] = "the session has max_connections_per_session",
    [INVIG_REASON_TOO_MANY_SESSIONS] = "too many sessions of the user are remembered",
    [INVIG_REASON_SESSION_ENDED] = "the session has ended",
    [INVIG_REASON_SECOND_LOGIN] = "it is a second login in a strict evaluation",
    [INVIG_REASON_STATE_FAILED] = "it could not be recorded",
    [INVIG_REASON_SUBJECT_CHANGED] = "it is of another user or session",
};

const char *tool_explain_reason(enum invig_reason reason)
{
    return reason >= INVIG_REASON_NONE && reason < INVIG_REASON_COUNT ? reason_texts[reason]
                                                                      : "unknown";
}

static const char *service_rule(enum tool_question_kind kind, bool is_allowed)
{
    if (kind == TOOL_ASK_PUBLISH) {
        return is_allowed ? "a service publishes to users, to the two topics of an evaluation that "
                            "are the backend's, and commands"
                          : "not a topic that a service publishes to";
    }
    return is_allowed ? "a service follows all topics of the plugin"
                      : "no topic of the plugin, or a wildcard that reaches beyond them";
}

static const char *session_rule(const struct invig_subject *subject,
                                const struct invig_topic *topic)
{
    if (!invig_text_equal(subject->user, topic->user)) {
        return "the topic is another user's";
    }
    return invig_text_equal(subject->session, topic->session)
               ? "the topic is that of its own session"
               : "the topic is that of another session of the user";
}

static const char *evaluation_rule(enum tool_question_kind kind, bool is_allowed,
                                   enum invig_standing standing)
{
    switch (standing) {
    case INVIG_STANDING_SUPERVISOR:
        return is_allowed ? "the user supervises the evaluation"
                          : "not a filter for those who supervise";
    case INVIG_STANDING_PARTICIPANT:
        return is_allowed ? "the user takes part in the evaluation"
                          : "for those who supervise the evaluation";
    case INVIG_STANDING_BLOCKED:
        if (is_allowed) {
            return "the user takes part, but is blocked: nothing is sent until that ends";
        }
        return kind == TOOL_ASK_RECEIVE ? "the user is blocked in the evaluation"
                                        : "for those who supervise the evaluation";
    case INVIG_STANDING_NONE:
        break;
    }
    return "the user neither takes part in the evaluation nor supervises it";
}

static const char *own_rule(const struct invig_subject *subject, const struct invig_topic *topic,
                            bool is_allowed, enum invig_standing standing)
{
    if (standing == INVIG_STANDING_SUPERVISOR && is_allowed) {
        return "the user supervises the evaluation";
    }
    if (!invig_text_equal(subject->user, topic->user)) {
        return "the topic is another user's";
    }
    return is_allowed ? "the topic is the user's own" : "not a filter that the user has of its own";
}

static const char *member_rule(enum tool_question_kind kind, bool is_allowed,
                               const struct invig_subject *subject, const struct invig_topic *topic,
                               enum invig_standing standing)
{
    switch (topic->kind) {
    case INVIG_TOPIC_USER:
    case INVIG_TOPIC_USER_BELOW:
    case INVIG_TOPIC_USER_SESSIONS:
    case INVIG_TOPIC_EVALUATION_USER:
    case INVIG_TOPIC_EVALUATION_USER_BELOW:
        return own_rule(subject, topic, is_allowed, standing);
    case INVIG_TOPIC_USER_SESSION:
    case INVIG_TOPIC_USER_SESSION_BELOW:
        return session_rule(subject, topic);
    case INVIG_TOPIC_EVALUATION:
    case INVIG_TOPIC_EVALUATION_BELOW:
    case INVIG_TOPIC_EVALUATION_USERS:
    case INVIG_TOPIC_EVALUATION_PRESENCES:
    case INVIG_TOPIC_EVALUATION_PRESENCE:
    case INVIG_TOPIC_EVALUATION_INCIDENTS:
        return evaluation_rule(kind, is_allowed, standing);
    default:
        break;
    }
    if (topic->tree == INVIG_TREE_CONTROL || topic->tree == INVIG_TREE_SYS) {
        return "for services alone";
    }
    return topic->tree == INVIG_TREE_OTHER ? "no topic of the plugin, or a wildcard that reaches "
                                             "beyond them"
                                           : "a wildcard that reaches beyond what is the user's";
}

const char *tool_explain_rule(enum tool_question_kind kind, bool is_allowed,
                              const struct invig_subject *subject, const struct invig_topic *topic,
                              enum invig_standing standing)
{
    if (subject->role == INVIG_ROLE_SERVICE) {
        return service_rule(kind, is_allowed);
    }
    return kind == TOOL_ASK_PUBLISH ? "students and professors publish nothing"
                                    : member_rule(kind, is_allowed, subject, topic, standing);
}
