/* SPDX-License-Identifier: Apache-2.0
 *
 * engine_merged.c - what follows when engine_merge.c has made one truth of two: who is told, and
 * what is published.
 */
#include "engine_private.h"

#include <string.h>

static void engine_tell_turned_away(struct invig_engine *engine,
                                    const struct invig_session *session)
{
    struct invig_connection *each = session->user->connections;

    for (; each != NULL; each = each->user_next) {
        if (each->session == session) {
            (void)invig_engine_tell(engine, each, INVIG_END_BLOCKED);
        }
    }
}

static void user_settle_sessions(struct invig_engine *engine, struct invig_user *user)
{
    for (struct invig_session *each = user->sessions; each != NULL; each = each->next) {
        if (each->open_count == 0) {
            continue;
        }
        if (each->record.end != INVIG_END_NONE) {
            invig_engine_end_session(engine, each);
        } else if (each->record.is_turned_away) {
            engine_tell_turned_away(engine, each);
        }
    }
}

static void user_settle_members(struct invig_engine *engine, struct invig_user *user)
{
    for (struct invig_member *each = user->members, *next; each != NULL; each = next) {
        next = each->user_next;
        if (each->is_new_block) {
            invig_engine_log_member(engine, "blocked", each, "reason", "SECOND_LOGIN");
        } else if (each->is_lifted) {
            invig_engine_log_member(engine, "unblocked", each, "by", "another_broker");
        }
        invig_engine_settle(engine, each);
        invig_engine_release_member(engine, each);
    }
    invig_engine_check_shared(engine, user);
}

/* Supervisors are told of the second login, once. Without memory the log has it alone. */
void invig_engine_report_second(struct invig_engine *engine, struct invig_session *loser)
{
    struct invig_text id = invig_session_text(loser);
    const struct invig_connection *page = loser->user->connections;
    struct invig_claims claims = {.has_session = true};
    struct invig_connect connect = {.claims = &claims};
    struct invig_login login = {.user = loser->user, .session = loser};
    struct invig_letter *letters = NULL;

    while (page != NULL && page->session != loser) {
        page = page->user_next;
    }
    if (page != NULL) {
        connect.address = page->address;
    }
    memcpy(claims.session, id.data, id.length);
    if (invig_engine_make_incidents(engine, &connect, &login, &letters) == INVIG_OK) {
        invig_outbox_add(&engine->outbox, letters);
    }
}

/* Notes what a member was before, as it is stored. */
void invig_engine_note_blocks(struct invig_user *user)
{
    for (struct invig_member *each = user->members; each != NULL; each = each->user_next) {
        each->is_new_block = each->record.is_blocked && !each->stored.is_blocked;
        each->is_lifted = !each->record.is_blocked && each->stored.is_blocked;
        each->record.is_copy = each->record.is_copy || each->is_new_block;
    }
}

void invig_engine_settle_merged(struct invig_engine *engine, struct invig_user *user)
{
    user_settle_sessions(engine, user);
    user_settle_members(engine, user);
}
