/* SPDX-License-Identifier: Apache-2.0
 *
 * merge.c - see merge.h.
 */
#include "invigilator/merge.h"

static int64_t time_max(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

void invig_merge_user(struct invig_user_record *mine, const struct invig_user_record *theirs)
{
    if (theirs->has_newest_login &&
        (!mine->has_newest_login || theirs->newest_login_s > mine->newest_login_s)) {
        mine->has_newest_login = true;
        mine->newest_login_s = theirs->newest_login_s;
    }
    if (theirs->has_revoked_before &&
        (!mine->has_revoked_before || theirs->revoked_before_s > mine->revoked_before_s)) {
        mine->has_revoked_before = true;
        mine->revoked_before_s = theirs->revoked_before_s;
    }
    mine->kept_until_s = time_max(mine->kept_until_s, theirs->kept_until_s - INVIG_KEPT_SLACK_S);
}

bool invig_merge_has_revoked(const struct invig_user_record *now,
                             const struct invig_user_record *base)
{
    return now->has_revoked_before &&
           (!base->has_revoked_before || now->revoked_before_s > base->revoked_before_s);
}

void invig_merge_revoke_unseen(struct invig_session_record *record,
                               const struct invig_user_record *user)
{
    if (record->has_login && record->end != INVIG_END_REVOKED &&
        record->login_s < user->revoked_before_s) {
        record->end = INVIG_END_REVOKED;
        record->is_turned_away = false;
    }
}

/* The first login time that anybody saw. */
static void record_merge_login(struct invig_session_record *mine,
                               const struct invig_session_record *theirs)
{
    if (theirs->has_login && (!mine->has_login || theirs->login_s < mine->login_s)) {
        mine->has_login = true;
        mine->login_s = theirs->login_s;
    }
    mine->login_is_lasting = mine->login_is_lasting || theirs->login_is_lasting;
    mine->is_single = mine->is_single || theirs->is_single;
    mine->kept_until_s = time_max(mine->kept_until_s, theirs->kept_until_s - INVIG_KEPT_SLACK_S);
}

void invig_merge_session(struct invig_session_record *mine, const struct invig_session_record *base,
                         const struct invig_session_record *theirs)
{
    bool is_mine_changed = mine->end != base->end;

    record_merge_login(mine, theirs);
    if (mine->end == INVIG_END_REVOKED || theirs->end == INVIG_END_REVOKED) {
        mine->end = INVIG_END_REVOKED; /* for good, whoever said it */
    } else if (!is_mine_changed) {
        mine->end = theirs->end;
    }
    if (mine->is_turned_away == base->is_turned_away) {
        mine->is_turned_away = theirs->is_turned_away;
    }
    mine->is_turned_away = mine->is_turned_away && mine->end == INVIG_END_NONE;
}

/* A value that was not changed here is theirs. */
#define MERGE_FIELD(mine, base, theirs, field)                                                     \
    ((mine)->field = (mine)->field != (base)->field ? (mine)->field : (theirs)->field)

void invig_merge_member(struct invig_member_record *mine, const struct invig_member_record *base,
                        const struct invig_member_record *theirs)
{
    if (mine->access == base->access) {
        mine->access = theirs->access;
        mine->access_since_s = theirs->access_since_s;
    }
    if (mine->is_blocked == base->is_blocked) {
        mine->is_blocked = theirs->is_blocked;
        mine->blocked_since_s = theirs->blocked_since_s;
    }
    MERGE_FIELD(mine, base, theirs, is_finished);
    MERGE_FIELD(mine, base, theirs, is_copy);
    MERGE_FIELD(mine, base, theirs, has_connected);
    MERGE_FIELD(mine, base, theirs, is_bound);
    mine->was_student = mine->was_student || theirs->was_student;
    mine->is_shared_reported = mine->is_shared_reported || theirs->is_shared_reported;
    if (theirs->has_version && (!mine->has_version || theirs->version > mine->version)) {
        mine->has_version = true;
        mine->version = theirs->version;
    }
}
