/* SPDX-License-Identifier: Apache-2.0
 *
 * rights.h - may this token client subscribe to, receive, publish this topic?
 * The table in README.md, "Topics". Pure, no allocation, cost bounded by INVIG_EVALUATIONS_MAX.
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
    size_t evaluation_count;
    const struct invig_text *evaluations; /* what the token's evaluations claim names */
};

/* True when `subject` may subscribe to `filter` (from invig_topic_parse_filter). */
bool invig_rights_may_subscribe(const struct invig_subject *subject,
                                const struct invig_topic *filter);

/* True when a message on `name` (from invig_topic_parse_name) may be delivered to `subject`. */
bool invig_rights_may_receive(const struct invig_subject *subject, const struct invig_topic *name);

/* True when `subject` may publish to `name` (from invig_topic_parse_name). */
bool invig_rights_may_publish(const struct invig_subject *subject, const struct invig_topic *name);

#endif
