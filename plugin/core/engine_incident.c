/* SPDX-License-Identifier: Apache-2.0
 *
 * engine_incident.c - what supervisors are told: second logins, and sessions that are shared.
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

/* Puts a new letter about `member` at the front of the chain. */
static enum invig_status engine_chain_incident(struct invig_engine *engine,
                                               const struct invig_member *member,
                                               struct invig_notice *notice,
                                               struct invig_letter **letters)
{
    struct invig_letter *letter;

    notice->type = INVIG_NOTICE_INCIDENT;
    notice->evaluation = invig_text_of(member->evaluation->id);
    notice->user = invig_user_text(member->user);
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
           login->superseded != NULL && login->user->bound_count > 0;
}

/* A session that was turned away before makes an incident only where there is no block yet. */
static bool member_has_incident(const struct invig_member *member, const struct invig_login *login)
{
    return member->record.is_bound && !(member->record.is_blocked && login->session != NULL &&
                                        login->session->record.is_turned_away);
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
    if (login->user->bound_count == 0) {
        return INVIG_OK;
    }
    if (!invig_engine_fingerprint(engine, invig_session_text(login->user->current), bound) ||
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

void invig_engine_log_incident(const struct invig_engine *engine, const char *event,
                               const struct invig_connect *connect,
                               const struct invig_member *member)
{
    struct invig_logline line;

    invig_logline_init(&line, event);
    invig_logline_add(&line, "user", invig_user_text(member->user));
    invig_logline_add(&line, "evaluation", invig_text_of(member->evaluation->id));
    invig_logline_add(&line, "reason", invig_text_of("SECOND_LOGIN"));
    invig_logline_add(&line, "client", connect->client_id);
    invig_logline_add(&line, "address", connect->address);
    invig_engine_log(engine, INVIG_LOG_NOTICE, &line);
}

static uint64_t engine_hash_address(const struct invig_engine *engine,
                                    const struct invig_connection *connection)
{
    return invig_siphash(engine->seed, connection->address.data, connection->address.length) | 1;
}

/* An open connection of a bound session from another address than its first since then; NULL when
 * there is none. */
static const struct invig_connection *engine_find_second_address(const struct invig_engine *engine,
                                                                 struct invig_session *session)
{
    const struct invig_connection *second = NULL;
    const struct invig_connection *first = NULL;
    const struct invig_connection *each = session->user->connections;

    for (; each != NULL; each = each->user_next) {
        if (each->session != session || each->state != INVIG_CONNECTION_OPEN ||
            each->address.data == NULL) {
            continue;
        }
        first = each; /* in the end the oldest */
        if (engine_hash_address(engine, each) != session->address_hash) {
            second = each;
        }
    }
    if (session->address_hash == 0 && first != NULL) {
        session->address_hash = engine_hash_address(engine, first);
        return engine_find_second_address(engine, session);
    }
    return second;
}

void invig_engine_check_shared(struct invig_engine *engine, const struct invig_user *user)
{
    const struct invig_connection *second =
        user->bound_count == 0 ? NULL : engine_find_second_address(engine, user->current);
    char fingerprint[INVIG_FINGERPRINT_BYTES];
    struct invig_notice notice = {.incident = INVIG_INCIDENT_SHARED_SESSION};

    if (second == NULL ||
        !invig_engine_fingerprint(engine, invig_session_text(user->current), fingerprint)) {
        return;
    }
    notice.bound_session = (struct invig_text){fingerprint, INVIG_FINGERPRINT_BYTES - 1};
    notice.refused_session = notice.bound_session;
    notice.address = second->address;
    for (struct invig_member *each = user->members; each != NULL; each = each->user_next) {
        struct invig_letter *letter = NULL;

        /* Nothing is refused for it, so without memory it waits for the next connection. */
        if (each->record.is_bound && !each->record.is_shared_reported &&
            invig_outbox_has_room(&engine->outbox, 1) &&
            engine_chain_incident(engine, each, &notice, &letter) == INVIG_OK) {
            invig_outbox_add(&engine->outbox, letter);
            each->record.is_shared_reported = true;
            invig_evaluations_note(&engine->evaluations, each);
            invig_engine_log_member(engine, "shared_session", each, "fingerprint", fingerprint);
        }
    }
}
