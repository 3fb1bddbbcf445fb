/* SPDX-License-Identifier: Apache-2.0
 *
 * merge.h - one record of two: what this broker has (`mine`), and what the others have (`theirs`),
 * both gone on from what all had agreed on (`base`; all zero: nothing). A value that was not
 * changed here is theirs, one that was changed here stays; revoked wins over all, and what only
 * grows is the greater of the two. Depends on: record.
 */
#ifndef INVIGILATOR_MERGE_H
#define INVIGILATOR_MERGE_H

#include "invigilator/record.h"

enum {
    INVIG_KEPT_SLACK_S = 3600 /* by which a stored kept_until_s is late, so that it is seldom
                                 written; `theirs` is stored */
};

/* Login times and how long the user is kept. */
void invig_merge_user(struct invig_user_record *mine, const struct invig_user_record *theirs);

/* Whether unseen logins were revoked by one side since both agreed. */
bool invig_merge_has_revoked(const struct invig_user_record *now,
                             const struct invig_user_record *base);

/* Revokes a session that the side that has revoked had not seen. */
void invig_merge_revoke_unseen(struct invig_session_record *record,
                               const struct invig_user_record *user);

/* All but who is current, and the serial, which is each broker's own. */
void invig_merge_session(struct invig_session_record *mine, const struct invig_session_record *base,
                         const struct invig_session_record *theirs);

/* All but the message and the session that was released. */
void invig_merge_member(struct invig_member_record *mine, const struct invig_member_record *base,
                        const struct invig_member_record *theirs);

#endif
