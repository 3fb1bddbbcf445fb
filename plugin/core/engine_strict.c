/* SPDX-License-Identifier: Apache-2.0
 *
 * engine_strict.c - strict evaluations: which session is bound, who is turned away and blocked,
 * what is reported, and how a block is lifted.
 *
 * All bindings of a user are to one session, user->bound: under the policy enforce it is the
 * current one, since no other comes in while there is a binding.
 */
#include "engine_private.h"

#include <string.h>

bool invig_engine_fingerprint(const struct invig_engine *engine, struct invig_text session,
                              char out[INVIG_FINGERPRINT_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char digest[INVIG_DIGEST_BYTES];

    memset(out, 0, INVIG_FINGERPRINT_BYTES);
    if (!engine->digest(session.data, session.length, digest)) {
        return false;
    }
    for (size_t i = 0; i < (INVIG_FINGERPRINT_BYTES - 1) / 2; i++) {
        out[2 * i] = digits[digest[i] >> 4];
        out[2 * i + 1] = digits[digest[i] & 15];
    }
    return true;
}

static struct invig_text session_text(const struct invig_session *session)
{
    return (struct invig_text){session->id, session->id_bytes};
}

static struct invig_text user_text(const struct invig_user *user)
{
    return (struct invig_text){user->id, user->id_bytes};
}

void invig_engine_log_member(const struct invig_engine *engine, const char *event,
                             const struct invig_member *member, const char *key, const char *word)
{
    struct invig_logline line;

    invig_logline_init(&line, event);
    invig_logline_add(&line, "user", user_text(member->user));
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
        login->end != INVIG_END_NONE ||
        !invig_policy_role_is_single(engine->policy, claims->role)) {
        return false;
    }
    if (user->bound != NULL) {
        return login->session != user->bound;
    }
    return login->session != NULL && login->session->is_turned_away && user_has_block(user);
}

/* -- Incidents -- */

/* Puts a new letter about `member` at the front of the chain. */
static enum invig_status engine_chain_incident(struct invig_engine *engine,
                                               const struct invig_member *member,
                                               struct invig_notice *notice,
                                               struct invig_letter **letters)
{
    struct invig_letter *letter;

    notice->type = INVIG_NOTICE_INCIDENT;
    notice->evaluation = invig_text_of(member->evaluation->id);
    notice->user = user_text(member->user);
    notice->time_s = engine->now.wall_s;
    letter = invig_letter_new(notice, NULL);
    if (letter == NULL) {
        return INVIG_ERR_NO_MEMORY;
    }
    letter->next = *letters;
    *letters = letter;
    return INVIG_OK;
}

bool invig_engine_makes_incidents(const struct invig_engine *engine,
                                  const struct invig_login *login, enum invig_end end)
{
    if (end == INVIG_END_BLOCKED) {
        return true;
    }
    return engine->policy->strict_policy == INVIG_STRICT_OBSERVE && end == INVIG_END_NONE &&
           login->superseded != NULL && login->user->bound == login->superseded;
}

/* A session that was turned away before makes an incident only where there is no block yet. */
static bool member_has_incident(const struct invig_member *member, const struct invig_login *login)
{
    return member->is_bound &&
           !(member->is_blocked && login->session != NULL && login->session->is_turned_away);
}

enum invig_status invig_engine_make_incidents(struct invig_engine *engine,
                                              const struct invig_connect *connect,
                                              const struct invig_login *login,
                                              struct invig_letter **out_letters)
{
    char bound[INVIG_FINGERPRINT_BYTES];
    char refused[INVIG_FINGERPRINT_BYTES];
    struct invig_notice notice = {
        .incident = INVIG_INCIDENT_SECOND_LOGIN,
        .is_enforced = engine->policy->strict_policy == INVIG_STRICT_ENFORCE,
        .bound_session = {bound, INVIG_FINGERPRINT_BYTES - 1},
        .refused_session = {refused, INVIG_FINGERPRINT_BYTES - 1},
        .address = connect->address,
    };
    enum invig_status status = INVIG_OK;
    size_t count = 0;

    *out_letters = NULL;
    if (login->user->bound == NULL) {
        return INVIG_OK;
    }
    if (!invig_engine_fingerprint(engine, session_text(login->user->bound), bound) ||
        !invig_engine_fingerprint(engine, invig_text_of(connect->claims->session), refused)) {
        return INVIG_ERR_NO_MEMORY;
    }
    for (struct invig_member *each = login->user->members; each != NULL && status == INVIG_OK;
         each = each->user_next) {
        if (member_has_incident(each, login)) {
            count++;
            status = engine_chain_incident(engine, each, &notice, out_letters);
        }
    }
    if (status == INVIG_OK && !invig_outbox_has_room(&engine->outbox, count)) {
        status = INVIG_ERR_FULL;
    }
    if (status != INVIG_OK) {
        invig_letters_free(*out_letters);
        *out_letters = NULL;
    }
    return status;
}

static void engine_log_incident(const struct invig_engine *engine, const char *event,
                                const struct invig_connect *connect,
                                const struct invig_member *member)
{
    struct invig_logline line;

    invig_logline_init(&line, event);
    invig_logline_add(&line, "user", user_text(member->user));
    invig_logline_add(&line, "evaluation", invig_text_of(member->evaluation->id));
    invig_logline_add(&line, "reason", invig_text_of("SECOND_LOGIN"));
    invig_logline_add(&line, "client", connect->client_id);
    invig_logline_add(&line, "address", connect->address);
    invig_engine_log(engine, INVIG_LOG_NOTICE, &line);
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
        engine_log_incident(engine, "blocked", connect, each);
    }
}

void invig_engine_observe(struct invig_engine *engine, const struct invig_connect *connect,
                          struct invig_user *user)
{
    for (struct invig_member *each = user->members; each != NULL; each = each->user_next) {
        if (each->is_bound) {
            engine_log_incident(engine, "observed", connect, each);
            member_bind(each, user->current);
        }
    }
}

/* -- Shared sessions -- */

/* An open connection of `session` from another address than its first; NULL when there is none. */
static const struct invig_connection *engine_find_second_address(
    const struct invig_engine *engine, const struct invig_session *session)
{
    const struct invig_connection *each = session->user->connections;

    for (; each != NULL; each = each->user_next) {
        if (each->session == session && each->state == INVIG_CONNECTION_OPEN &&
            each->address.data != NULL &&
            (invig_siphash(engine->seed, each->address.data, each->address.length) | 1) !=
                session->address_hash) {
            return each;
        }
    }
    return NULL;
}

void invig_engine_check_shared(struct invig_engine *engine, const struct invig_user *user)
{
    const struct invig_connection *second =
        user->bound == NULL ? NULL : engine_find_second_address(engine, user->bound);
    char fingerprint[INVIG_FINGERPRINT_BYTES];
    struct invig_notice notice = {.incident = INVIG_INCIDENT_SHARED_SESSION};

    if (second == NULL ||
        !invig_engine_fingerprint(engine, session_text(user->bound), fingerprint)) {
        return;
    }
    notice.bound_session = (struct invig_text){fingerprint, INVIG_FINGERPRINT_BYTES - 1};
    notice.refused_session = notice.bound_session;
    notice.address = second->address;
    for (struct invig_member *each = user->members; each != NULL; each = each->user_next) {
        struct invig_letter *letter = NULL;

        /* Nothing is refused for it, so without memory it waits for the next connection. */
        if (each->is_bound && !each->is_shared_reported &&
            invig_outbox_has_room(&engine->outbox, 1) &&
            engine_chain_incident(engine, each, &notice, &letter) == INVIG_OK) {
            invig_outbox_add(&engine->outbox, letter);
            each->is_shared_reported = true;
            invig_engine_log_member(engine, "shared_session", each, "fingerprint", fingerprint);
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
        if (invig_engine_fingerprint(engine, session_text(session), fingerprint) &&
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
