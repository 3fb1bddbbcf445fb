/* SPDX-License-Identifier: Apache-2.0
 *
 * engine_strict.c - strict evaluations: which session is bound, who is turned away and blocked,
 * what is reported, and how a block is lifted.
 *
 * All bindings of a user are to one session, user->bound: under the policy enforce it is the
 * current one, since no other comes in while there is a binding.
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

static bool engine_may_bind(const struct invig_engine *engine, const struct invig_member *member)
{
    const struct invig_session *session = member->user->current;

    return engine->policy->strict_policy != INVIG_STRICT_OFF && member->evaluation->is_strict &&
           !member->is_bound && !member->is_finished && invig_member_is_participant(member) &&
           session != NULL && session->is_single && session->open_count > 0 &&
           member->released_serial != session->serial;
}

static void member_bind(struct invig_member *member, struct invig_session *session)
{
    if (!member->is_bound) {
        member->is_bound = true;
        member->user->bound_count++;
    }
    if (member->user->bound != session) {
        session->address_hash = 0; /* where it was before it was bound does not matter */
    }
    member->user->bound = session;
    member->released_serial = 0;
    member->is_shared_reported = false;
}

void invig_engine_bind(struct invig_engine *engine, struct invig_member *member)
{
    struct invig_user *user = member->user;

    if (engine_may_bind(engine, member) && (user->bound == NULL || user->bound == user->current)) {
        member_bind(member, user->current);
        invig_engine_check_shared(engine, user);
    }
}

void invig_engine_unbind(struct invig_member *member)
{
    if (member->is_bound) {
        member->is_bound = false;
        if (--member->user->bound_count == 0) {
            member->user->bound = NULL;
        }
    }
}

void invig_engine_unbind_ended(struct invig_user *user)
{
    if (user->bound == NULL || user->bound->end == INVIG_END_NONE) {
        return;
    }
    for (struct invig_member *each = user->members; each != NULL; each = each->user_next) {
        invig_engine_unbind(each);
    }
}

/* -- Second logins -- */

bool invig_member_turns_away(const struct invig_member *member)
{
    return member->is_bound || member->is_blocked;
}

static bool user_has_block(const struct invig_user *user)
{
    for (const struct invig_member *each = user->members; each != NULL; each = each->user_next) {
        if (each->is_blocked) {
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
    if (user->bound != NULL) {
        return login->session != user->bound;
    }
    return login->session != NULL && login->session->is_turned_away && user_has_block(user);
}

void invig_engine_block(struct invig_engine *engine, const struct invig_connect *connect,
                        struct invig_user *user)
{
    for (struct invig_member *each = user->members; each != NULL; each = each->user_next) {
        struct invig_member_before before = invig_member_before(each);

        if (!each->is_bound || each->is_blocked) {
            continue;
        }
        each->is_blocked = true;
        each->blocked_since_s = engine->now.wall_s;
        invig_evaluations_remove_pending(&engine->evaluations, each, INVIG_MEMBER_CLEAR);
        invig_evaluations_add_pending(&engine->evaluations, each, INVIG_MEMBER_COPY);
        invig_engine_member_changed(engine, each, before);
        invig_engine_log_incident(engine, "blocked", connect, each);
    }
}

void invig_engine_observe(struct invig_engine *engine, const struct invig_connect *connect,
                          struct invig_user *user)
{
    for (struct invig_member *each = user->members; each != NULL; each = each->user_next) {
        if (each->is_bound) {
            invig_engine_log_incident(engine, "observed", connect, each);
            member_bind(each, user->current);
        }
    }
}

/* -- Lifting -- */

struct invig_session *invig_engine_find_named(const struct invig_engine *engine,
                                              const struct invig_user *user, struct invig_text text)
{
    struct invig_session *session = invig_user_find_session(user, text);
    char fingerprint[INVIG_FINGERPRINT_BYTES];

    if (session != NULL || user == NULL || text.length != INVIG_FINGERPRINT_BYTES - 1) {
        return session;
    }
    for (session = user->sessions; session != NULL; session = session->next) {
        if (invig_engine_fingerprint(engine, invig_session_text(session), fingerprint) &&
            invig_text_equal(invig_text_of(fingerprint), text)) {
            break;
        }
    }
    return session;
}

/* The named session takes the place of the bound one, everywhere. */
static void engine_name(struct invig_engine *engine, struct invig_member *member,
                        struct invig_session *named)
{
    struct invig_user *user = member->user;
    struct invig_session *superseded = NULL;

    invig_sessions_name(&engine->sessions, named, engine->now.wall_s, &superseded);
    for (struct invig_member *each = user->members; each != NULL; each = each->user_next) {
        if (each->is_bound && user->bound != named) {
            each->is_shared_reported = false;
        }
    }
    if (user->bound_count > 0) {
        user->bound = named;
    }
    if (!member->is_bound && member->evaluation->is_strict && !member->is_finished &&
        engine->policy->strict_policy != INVIG_STRICT_OFF && invig_member_is_participant(member)) {
        member_bind(member, named);
    }
    if (superseded != NULL) {
        invig_engine_supersede(engine, superseded);
    }
}

/* Clears the binding; the session that it was to binds again only when it is named. */
static void member_clear(struct invig_member *member)
{
    const struct invig_session *session =
        member->is_bound ? member->user->bound : member->user->current;

    member->released_serial = session == NULL ? 0 : session->serial;
    invig_engine_unbind(member);
}

void invig_engine_lift(struct invig_engine *engine, struct invig_member *member,
                       const struct invig_lift *lift)
{
    struct invig_session *each = member->user->sessions;

    member->is_blocked = false;
    if (lift->said == INVIG_SAID_NULL) {
        member_clear(member);
    } else if (lift->said == INVIG_SAID_VALUE) {
        engine_name(engine, member, lift->named);
    }
    for (; each != NULL; each = each->next) {
        if (each->is_turned_away && each != lift->named) {
            invig_sessions_supersede(&engine->sessions, each, engine->now.wall_s);
        }
    }
    invig_engine_log_member(engine, "unblocked", member, "by", lift->by);
}
