/* SPDX-License-Identifier: Apache-2.0
 *
 * rights.h - may this token client subscribe to, receive, publish this topic?
 * The table in README.md, "Topics". Pure, no allocation.
 * Depends on: role, text, topic.
 */
#ifndef INVIGILATOR_RIGHTS_H
#define INVIGILATOR_RIGHTS_H

#include "invigilator/role.h"
#include "invigilator/topic.h"

/* Who asks. All borrowed. */
struct invig_subject {
    enum invig_role role;      /* INVIG_ROLE_NONE has no right at all */
    struct invig_text user;    /* present */
    struct invig_text session; /* absent for a service token without a session */
};

/* What a student or professor is to the evaluation that a topic is about. */
enum invig_standing {
    INVIG_STANDING_NONE = 0,    /* nothing, or removed: only its own topic in it is left */
    INVIG_STANDING_BLOCKED,     /* a participant who may subscribe, but is sent nothing of
                                   evaluations/{e} itself */
    INVIG_STANDING_PARTICIPANT, /* follows it */
    INVIG_STANDING_SUPERVISOR   /* of a professor alone: sees all of it */
};

/* True when `subject` may subscribe to `filter` (from invig_topic_parse_filter). `standing` is that
 * in filter->evaluation; NONE where it has none. */
bool invig_rights_may_subscribe(const struct invig_subject *subject, enum invig_standing standing,
                                const struct invig_topic *filter);

/* True when a message on `name` (from invig_topic_parse_name) may be delivered to `subject`, whose
 * standing in name->evaluation is given. */
bool invig_rights_may_receive(const struct invig_subject *subject, enum invig_standing standing,
                              const struct invig_topic *name);

/* True when `subject` may publish to `name` (from invig_topic_parse_name). */
bool invig_rights_may_publish(const struct invig_subject *subject, const struct invig_topic *name);

#endif
