/* SPDX-License-Identifier: Apache-2.0
 *
 * topic.h - what a topic name or a topic filter is about. Bounded cost, no allocation.
 * Levels and wildcards as in MQTT 5.0 section 4.7.  Depends on: text.
 */
#ifndef INVIGILATOR_TOPIC_H
#define INVIGILATOR_TOPIC_H

#include "invigilator/text.h"

/* The tree that a topic belongs to. */
enum invig_topic_tree {
    INVIG_TREE_OTHER = 0,   /* not ours */
    INVIG_TREE_USERS,       /* below {prefix}users/ */
    INVIG_TREE_EVALUATIONS, /* below {prefix}evaluations/ */
    INVIG_TREE_CONTROL,     /* below $CONTROL/invigilator/ */
    INVIG_TREE_SYS          /* below $SYS/broker/invigilator/ */
};

enum invig_topic_kind {
    INVIG_TOPIC_OTHER = 0,             /* no form below, or an id in it that is none */
    INVIG_TOPIC_USER,                  /* users/{user} */
    INVIG_TOPIC_USER_BELOW,            /* users/{user}/..., anything but the next two */
    INVIG_TOPIC_USER_SESSIONS,         /* users/{user}/sessions */
    INVIG_TOPIC_USER_SESSION,          /* users/{user}/sessions/{sid} */
    INVIG_TOPIC_USER_SESSION_BELOW,    /* users/{user}/sessions/{sid}/... */
    INVIG_TOPIC_EVALUATION,            /* evaluations/{e} */
    INVIG_TOPIC_EVALUATION_BELOW,      /* evaluations/{e}/..., anything but the following */
    INVIG_TOPIC_EVALUATION_USERS,      /* evaluations/{e}/users */
    INVIG_TOPIC_EVALUATION_USER,       /* evaluations/{e}/users/{user} */
    INVIG_TOPIC_EVALUATION_USER_BELOW, /* evaluations/{e}/users/{user}/... */
    INVIG_TOPIC_EVALUATION_PRESENCES,  /* evaluations/{e}/presence */
    INVIG_TOPIC_EVALUATION_PRESENCE,   /* evaluations/{e}/presence/{user} */
    INVIG_TOPIC_EVALUATION_INCIDENTS,  /* evaluations/{e}/incidents */
    INVIG_TOPIC_CONTROL,               /* $CONTROL/invigilator/v1 */
    INVIG_TOPIC_CONTROL_RESPONSE       /* $CONTROL/invigilator/v1/response */
};

/* Where the wildcards of a filter are. */
enum invig_topic_wildcard {
    INVIG_WILDCARD_NONE = 0,
    INVIG_WILDCARD_PLUS, /* one '+' as the last level; kind says what is before it */
    INVIG_WILDCARD_HASH, /* one '#' as the last level, no '+' anywhere; kind says what is before it
                          */
    INVIG_WILDCARD_ANYWHERE /* any other valid place; kind is INVIG_TOPIC_OTHER */
};

/* A topic name or filter, taken apart. The texts are views into it, absent where the kind has none.
 */
struct invig_topic {
    enum invig_topic_tree tree;
    enum invig_topic_kind kind;
    enum invig_topic_wildcard wildcard;
    struct invig_text user;
    struct invig_text session;
    struct invig_text evaluation;
};

/* Takes a topic name apart. A name with '+' or '#' in it is INVIG_TREE_OTHER.
 *
 *   prefix     what stands before users/ and evaluations/; may be empty
 *   out_topic  always filled in
 *
 * Returns nothing: a name that is not ours is no error. */
void invig_topic_parse_name(struct invig_text prefix, struct invig_text name,
                            struct invig_topic *out_topic);

/* Takes a topic filter apart, as invig_topic_parse_name. The tree is ours only when the levels that
 * make it one stand there literally, with a level behind them: users/# is, users, # and +/x are
 * not; nor is anything that begins with $share/. A filter with a wildcard in a wrong place (a#,
 * a/#/b, +x) is INVIG_TREE_OTHER. Examples, with an empty prefix:
 *
 *   users/anna/#             USERS, kind USER, HASH
 *   users/+                  USERS, kind OTHER, PLUS
 *   users/anna/sessions/+    USERS, kind USER_SESSIONS, PLUS
 *   users/+/sessions/x       USERS, kind OTHER, ANYWHERE
 *   evaluations/e1/users/+   EVALUATIONS, kind EVALUATION_USERS, PLUS
 */
void invig_topic_parse_filter(struct invig_text prefix, struct invig_text filter,
                              struct invig_topic *out_topic);

/* Hides session ids in a topic name or filter that goes to a log: every level behind "sessions", or
 * behind a '+' that may stand for it, becomes "***" where it is no wildcard. The
 * prefix does not matter; a level that is no session id may be hidden too. Writes at most
 * `capacity` bytes with a closing NUL, cut where it does not fit. */
void invig_topic_mask(struct invig_text topic, char *out, size_t capacity);

/* Room for any topic that invig_topic_write makes, with its NUL: prefix and three ids. */
enum { INVIG_TOPIC_BYTES = 768 };

/* Writes the topic name that invig_topic_parse_name would take apart into `topic`: its kind and
 * the ids that the kind has; tree and wildcard are ignored. Kinds ending in _BELOW and OTHER are
 * none that can be written. Returns the length without the NUL; 0, with an empty string, for a kind
 * that cannot be written or a name that does not fit. */
size_t invig_topic_write(struct invig_text prefix, const struct invig_topic *topic,
                         char out[INVIG_TOPIC_BYTES]);

#endif
