/* SPDX-License-Identifier: Apache-2.0
 *
 * engine_strict.c - strict evaluations: which session is bound, who is turned away and blocked,
 * what is reported, and how a block is lifted.
 *
 * All bindings of a user are to its current session: under the policy enforce no other comes in
 * while there is one, and under observe they move with it.
 */
#include "engine_private.h"

void invig_engine_log_member(const struct invig_engine *engine, const char *event,
                             const struct invig_member *member, const char *key, const char *word)
{
    struct invig_logline line;

    invig_logline_init(&line, event);
    invig_logline_add(&line, "user", invig_user_text(member->user));
    invig_logline_add(&line, "evaluation", invig_text_of(member->evaluation->id));
    invig_logline_add(&line, key, invig_text_of(word));
    invig_engine_log(engine, INVIG_LOG_NOTICE, &line);
}

/* -- Bindings -- */

static bool engine_may_bind(const struct invig_engine *engine, const struct invig_member *member,
                            const struct invig_entry *entry)
{
    const struct invig_session *session = member->user->current;

    return engine->policy->strict_policy != INVIG_STRICT_OFF && member->evaluation->is_strict &&
           !member->record.is_bound && !member->record.is_finished && session != NULL &&
           session->record.is_single && (session->open_count > 0 || entry != NULL) &&
           invig_engine_takes_part(member, entry) &&
           member->record.released_serial != session->record.serial;
}

/* Binds to the user's current session. The first binding makes its address the one that counts. */
static void engine_bind_member(struct invig_engine *engine, struct invig_member *member)
{
    struct invig_user *user = member->user;

    if (user->bound_count == 0) {
        user->current->address_hash = 0;
    }
    invig_evaluations_note(&engine->evaluations, member);
    user->bound_count += !member->record.is_bound;
    member->record.is_bound = true;
    member->record.released_serial = 0;
    member->record.is_shared_reported = false;
}

void invig_engine_bind(struct invig_engine *engine, struct invig_member *member,
                       const struct invig_entry *entry)
{
    if (engine_may_bind(engine, member, entry)) {
        engine_bind_member(engine, member);
    }
}

void invig_engine_unbind(struct invig_engine *engine, struct invig_member *member)
{
    if (member->record.is_bound) {
        invig_evaluations_note(&engine->evaluations, member);
        member->record.is_bound = false;
        member->user->bound_count--;
    }
}

void invig_engine_unbind_ended(struct invig_engine *engine, struct invig_user *user)
{
    if (user->current != NULL) {
        return;
    }
    for (struct invig_member *each = user->members; each != NULL; each = each->user_next) {
        invig_engine_unbind(engine, each);
    }
}

/* -- Second logins -- */

bool invig_member_turns_away(const struct invig_member *member)
{
    return member->record.is_bound || member->record.is_blocked;
}

static bool user_has_block(const struct invig_user *user)
{
    for (const struct invig_member *each = user->members; each != NULL; each = each->user_next) {
        if (each->record.is_blocked) {
            return true;
        }
    }
    return false;
}

bool invig_engine_is_second_login(const struct invig_engine *engine,
                                  const struct invig_claims *claims,
                                  const struct invig_login *login)
{
    const struct invig_user *user = login->user;

    if (engine->policy->strict_policy != INVIG_STRICT_ENFORCE || user == NULL ||
        !claims->has_session || login->end != INVIG_END_NONE ||
        !invig_policy_role_is_single(engine->policy, claims->role)) {
        return false;
    }
    if (user->bound_count > 0) {
        return login->session != user->current;
    }
    return login->session != NULL && login->session->record.is_turned_away && user_has_block(user);
}

void invig_engine_block(struct invig_engine *engine, struct invig_user *user)
{
    for (struct invig_member *each = user->members; each != NULL; each = each->user_next) {
        invig_member_watch(each);
        if (each->record.is_bound && !each->record.is_blocked) {
            invig_evaluations_note(&engine->evaluations, each);
            each->record.is_blocked = true;
            each->record.blocked_since_s = engine->now.wall_s;
            each->record.is_copy = true;
            each->is_new_block = true;
        }
    }
}

void invig_engine_settle_block(struct invig_engine *engine, const struct invig_connect *connect,
                               struct invig_user *user)
{
    for (struct invig_member *each = user->members; each != NULL; each = each->user_next) {
        if (each->is_new_block) {
            invig_engine_log_incident(engine, "blocked", connect, each);
        }
        invig_engine_settle(engine, each);
    }
}

/* -- Lifting -- */

/* A session under a role that may have many is none that can be bound. */
static bool session_may_be_named(const struct invig_session *session)
{
    return session->record.is_single || session->record.is_turned_away ||
           session->record.end != INVIG_END_NONE || !session->record.has_login;
}

struct invig_session *invig_engine_find_named(const struct invig_engine *engine,
                                              const struct invig_user *user, struct invig_text text)
{
    struct invig_session *session = invig_user_find_session(user, text);
    char fingerprint[INVIG_FINGERPRINT_BYTES];

    if (session == NULL && user != NULL && text.length == INVIG_FINGERPRINT_BYTES - 1) {
        for (session = user->sessions; session != NULL; session = session->next) {
            if (invig_engine_fingerprint(engine, invig_session_text(session), fingerprint) &&
                invig_text_equal(invig_text_of(fingerprint), text)) {
                break;
            }
        }
    }
    return session != NULL && session_may_be_named(session) ? session : NULL;
}

/* The named session takes the place of the bound one, everywhere. */
static void engine_name(struct invig_engine *engine, struct invig_member *member,
                        struct invig_lift *lift)
{
    struct invig_user *user = member->user;

    invig_sessions_name(&engine->sessions, lift->named, engine->now.wall_s, &lift->superseded);
    for (struct invig_member *each = user->members; each != NULL && lift->superseded != NULL;
         each = each->user_next) {
        if (each->record.is_bound) {
            invig_evaluations_note(&engine->evaluations, each);
            each->record.is_shared_reported = false;
        }
    }
    lift->named->address_hash = lift->superseded == NULL ? lift->named->address_hash : 0;
    if (!member->record.is_bound && member->evaluation->is_strict && !member->record.is_finished &&
        engine->policy->strict_policy != INVIG_STRICT_OFF && invig_member_is_participant(member)) {
        engine_bind_member(engine, member);
    }
}

/* Clears the binding; the session that it was to binds again only when it is named. */
static void engine_clear(struct invig_engine *engine, struct invig_member *member)
{
    const struct invig_session *session = member->user->current;

    invig_engine_unbind(engine, member);
    member->record.released_serial =
        session == NULL || !member->evaluation->is_strict ? 0 : session->record.serial;
}

void invig_engine_lift(struct invig_engine *engine, struct invig_member *member,
                       struct invig_lift *lift)
{
    struct invig_session *each = member->record.is_blocked ? member->user->sessions : NULL;

    lift->superseded = NULL;
    invig_evaluations_note(&engine->evaluations, member);
    member->record.is_blocked = false;
    if (lift->said == INVIG_SAID_NULL) {
        engine_clear(engine, member);
    } else if (lift->said == INVIG_SAID_VALUE) {
        engine_name(engine, member, lift);
    }
    for (; each != NULL; each = each->next) {
        if (each->record.is_turned_away && each != lift->named) {
            invig_sessions_supersede(&engine->sessions, each, engine->now.wall_s);
        }
    }
}

void invig_engine_settle_lift(struct invig_engine *engine, const struct invig_member *member,
                              const struct invig_lift *lift)
{
    if (lift->superseded != NULL) {
        invig_engine_end_session(engine, lift->superseded);
    }
    invig_engine_log_member(engine, "unblocked", member, "by", lift->by);
}
