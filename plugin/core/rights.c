/* SPDX-License-Identifier: Apache-2.0
 *
 * rights.c - the rights table. Each function lists what is allowed; what is not listed is not.
 */
#include "invigilator/rights.h"

static bool subject_may_anything(const struct invig_subject *subject)
{
    return subject->role != INVIG_ROLE_NONE && subject->user.data != NULL;
}

/* A participant who is blocked keeps his subscription, so that it goes on when the block ends. */
static bool standing_may_subscribe(enum invig_standing standing)
{
    return standing == INVIG_STANDING_PARTICIPANT || standing == INVIG_STANDING_BLOCKED;
}

/* True when all of the evaluation that the topic is about may be seen. Only kinds with an
 * evaluation have the text. */
static bool topic_is_supervised(enum invig_standing standing, const struct invig_topic *topic)
{
    return standing == INVIG_STANDING_SUPERVISOR && topic->evaluation.data != NULL;
}

static bool topic_is_own(const struct invig_subject *subject, const struct invig_topic *topic)
{
    return invig_text_equal(subject->user, topic->user);
}

static bool topic_is_own_session(const struct invig_subject *subject,
                                 const struct invig_topic *topic)
{
    return topic_is_own(subject, topic) && invig_text_equal(subject->session, topic->session);
}

/* Filters of a student, which a professor has too. */
static bool member_may_subscribe(const struct invig_subject *subject, enum invig_standing standing,
                                 const struct invig_topic *filter)
{
    bool is_none = filter->wildcard == INVIG_WILDCARD_NONE;
    bool is_plus = filter->wildcard == INVIG_WILDCARD_PLUS;
    bool is_hash = filter->wildcard == INVIG_WILDCARD_HASH;

    switch (filter->kind) {
    case INVIG_TOPIC_USER:
        return (is_none || is_plus || is_hash) && topic_is_own(subject, filter);
    case INVIG_TOPIC_USER_SESSIONS:
        return is_plus && topic_is_own(subject, filter);
    case INVIG_TOPIC_USER_SESSION:
        return is_none && topic_is_own_session(subject, filter);
    case INVIG_TOPIC_EVALUATION:
        return is_none && standing_may_subscribe(standing);
    case INVIG_TOPIC_EVALUATION_USER:
        return (is_none || is_hash) && topic_is_own(subject, filter);
    default:
        return false;
    }
}

/* Filters that a professor has besides, in evaluations of his. */
static bool supervisor_may_subscribe(enum invig_standing standing, const struct invig_topic *filter)
{
    if (!topic_is_supervised(standing, filter)) {
        return false;
    }
    switch (filter->kind) {
    case INVIG_TOPIC_EVALUATION:
        return filter->wildcard == INVIG_WILDCARD_NONE || filter->wildcard == INVIG_WILDCARD_HASH;
    case INVIG_TOPIC_EVALUATION_USERS:
    case INVIG_TOPIC_EVALUATION_PRESENCES:
        return filter->wildcard == INVIG_WILDCARD_PLUS;
    case INVIG_TOPIC_EVALUATION_USER:
    case INVIG_TOPIC_EVALUATION_PRESENCE:
    case INVIG_TOPIC_EVALUATION_INCIDENTS:
        return filter->wildcard == INVIG_WILDCARD_NONE;
    default:
        return false;
    }
}

/* A literal id that is none reaches nothing, so only a wildcard makes kind OTHER of use. */
static bool service_may_subscribe(const struct invig_topic *filter)
{
    switch (filter->tree) {
    case INVIG_TREE_USERS:
    case INVIG_TREE_EVALUATIONS:
        return filter->wildcard != INVIG_WILDCARD_NONE || filter->kind != INVIG_TOPIC_OTHER;
    case INVIG_TREE_CONTROL:
    case INVIG_TREE_SYS:
        return true;
    default:
        return false;
    }
}

bool invig_rights_may_subscribe(const struct invig_subject *subject, enum invig_standing standing,
                                const struct invig_topic *filter)
{
    if (!subject_may_anything(subject)) {
        return false;
    }
    switch (subject->role) {
    case INVIG_ROLE_STUDENT:
        return member_may_subscribe(subject, standing, filter);
    case INVIG_ROLE_PROFESSOR:
        return member_may_subscribe(subject, standing, filter) ||
               supervisor_may_subscribe(standing, filter);
    case INVIG_ROLE_SERVICE:
        return service_may_subscribe(filter);
    default:
        return false;
    }
}

/* Names that reach a student, and a professor too. */
static bool member_may_receive(const struct invig_subject *subject, enum invig_standing standing,
                               const struct invig_topic *name)
{
    switch (name->kind) {
    case INVIG_TOPIC_USER:
    case INVIG_TOPIC_USER_BELOW:
    case INVIG_TOPIC_USER_SESSIONS:
    case INVIG_TOPIC_EVALUATION_USER:
    case INVIG_TOPIC_EVALUATION_USER_BELOW:
        return topic_is_own(subject, name);
    case INVIG_TOPIC_USER_SESSION:
    case INVIG_TOPIC_USER_SESSION_BELOW:
        return topic_is_own_session(subject, name);
    case INVIG_TOPIC_EVALUATION:
        return standing == INVIG_STANDING_PARTICIPANT;
    default:
        return false;
    }
}

bool invig_rights_may_receive(const struct invig_subject *subject, enum invig_standing standing,
                              const struct invig_topic *name)
{
    if (!subject_may_anything(subject) || name->wildcard != INVIG_WILDCARD_NONE) {
        return false;
    }
    switch (subject->role) {
    case INVIG_ROLE_STUDENT:
        return member_may_receive(subject, standing, name);
    case INVIG_ROLE_PROFESSOR:
        return member_may_receive(subject, standing, name) || topic_is_supervised(standing, name);
    case INVIG_ROLE_SERVICE:
        return name->tree != INVIG_TREE_OTHER;
    default:
        return false;
    }
}

bool invig_rights_may_publish(const struct invig_subject *subject, const struct invig_topic *name)
{
    if (!subject_may_anything(subject) || subject->role != INVIG_ROLE_SERVICE ||
        name->wildcard != INVIG_WILDCARD_NONE) {
        return false;
    }
    switch (name->kind) {
    case INVIG_TOPIC_EVALUATION:
    case INVIG_TOPIC_EVALUATION_USER:
    case INVIG_TOPIC_CONTROL:
        return true;
    default:
        return name->tree == INVIG_TREE_USERS && name->kind != INVIG_TOPIC_OTHER;
    }
}
