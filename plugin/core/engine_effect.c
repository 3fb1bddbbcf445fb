/* SPDX-License-Identifier: Apache-2.0
 *
 * engine_effect.c - see engine.h: what the broker is to do. What a member publishes is made from
 * its state in this moment, so what was changed twice is sent once, and queueing needs no memory.
 */
#include "engine_private.h"

void invig_engine_release_held(struct invig_engine *engine)
{
    struct invig_member *member = engine->held_member;
    struct invig_evaluation *evaluation = engine->held_evaluation;

    invig_letter_free(engine->held_letter);
    engine->held_letter = NULL;
    engine->held_connection = NULL;
    engine->held_evaluation = NULL;
    engine->held_member = NULL;
    if (evaluation != NULL) {
        invig_engine_release_evaluation(engine, evaluation);
    }
    if (member != NULL) {
        invig_engine_release_member(engine, member);
    }
}

/* -- To one connection: why it has no rights, or that its time runs out -- */

/* The member that the next notice to a page that is turned away is about; NULL when there is none
 * left. */
static const struct invig_member *connection_next_told(const struct invig_connection *connection)
{
    size_t skip = connection->told_count;
    const struct invig_member *each = connection->user->members;

    for (; each != NULL; each = each->user_next) {
        if (invig_member_turns_away(each) && skip-- == 0) {
            return each;
        }
    }
    return NULL;
}

static void effect_set_session_notice(const struct invig_engine *engine,
                                      const struct invig_connection *connection, enum invig_end end,
                                      struct invig_effect *effect)
{
    effect->topic.kind = INVIG_TOPIC_USER_SESSION;
    effect->topic.user = connection->subject.user;
    effect->topic.session = connection->subject.session;
    effect->notice = (struct invig_notice){
        .type = end == INVIG_END_NONE ? INVIG_NOTICE_SESSION_EXPIRING
                                      : INVIG_NOTICE_SESSION_INVALIDATED,
        .user = connection->subject.user,
        .session = connection->subject.session,
        .reason = end,
        .time_s = end == INVIG_END_NONE ? connection->ends_s : engine->now.wall_s,
    };
}

static void effect_set_blocked_notice(const struct invig_engine *engine,
                                      const struct invig_member *member,
                                      struct invig_effect *effect)
{
    effect->topic.kind = INVIG_TOPIC_EVALUATION_USER;
    effect->topic.evaluation = invig_text_of(member->evaluation->id);
    effect->topic.user = invig_user_text(member->user);
    effect->notice = (struct invig_notice){
        .type = INVIG_NOTICE_EVALUATION_BLOCKED,
        .evaluation = effect->topic.evaluation,
        .user = effect->topic.user,
        .time_s = member->record.is_blocked ? member->record.blocked_since_s : engine->now.wall_s,
    };
}

/* Fills in the next notice to a connection. Returns false when there is none to be sent;
 * *out_is_last tells whether it was the last. */
static bool engine_make_notice(struct invig_engine *engine, struct invig_connection *connection,
                               struct invig_effect *effect, bool *out_is_last)
{
    const struct invig_member *member;

    *out_is_last = true;
    if (connection->session == NULL) {
        return false; /* no topic for it */
    }
    if (connection->state != INVIG_CONNECTION_TOLD || connection->end != INVIG_END_BLOCKED) {
        effect_set_session_notice(engine, connection, connection->end, effect);
        return true;
    }
    /* The block may have been lifted since. */
    if (connection->session->record.end != INVIG_END_NONE) {
        effect_set_session_notice(engine, connection, connection->session->record.end, effect);
        return true;
    }
    /* Named since then, it may come in: there is nothing to say, it need only connect again. */
    if (connection->session == connection->user->current) {
        return false;
    }
    member = connection_next_told(connection);
    if (member == NULL) {
        return false;
    }
    effect_set_blocked_notice(engine, member, effect);
    connection->told_count++;
    *out_is_last = connection_next_told(connection) == NULL;
    return true;
}

/* One that has nothing to be told any more is to be disconnected, which is done like all that. */
static struct invig_connection *engine_next_told(struct invig_engine *engine,
                                                 struct invig_effect *effect, bool *out_is_last)
{
    struct invig_connection *connection;

    while ((connection = invig_effects_pop(&engine->effects, INVIG_PENDING_NOTICE)) != NULL &&
           !engine_make_notice(engine, connection, effect, out_is_last)) {
        invig_effects_add(&engine->effects, connection, INVIG_PENDING_DROP);
    }
    return connection;
}

static bool engine_next_notice(struct invig_engine *engine, struct invig_effect *effect)
{
    bool is_last = false;
    struct invig_connection *connection = engine_next_told(engine, effect, &is_last);

    if (connection == NULL) {
        return false;
    }
    engine->held_connection = connection;
    effect->client_id = connection->client_id;
    effect->kind = INVIG_EFFECT_SEND;
    effect->payload = INVIG_PAYLOAD_NOTICE;
    if (connection->state != INVIG_CONNECTION_TOLD) {
        return true;
    }
    if (is_last) {
        invig_effects_add_kick(&engine->effects, connection, engine->tick_count + INVIG_KICK_TICKS,
                               engine->now.steady_ms + INVIG_KICK_DELAY_MS);
    } else {
        invig_effects_add(&engine->effects, connection, INVIG_PENDING_NOTICE);
    }
    return true;
}

/* -- Letters -- */

/* Whoever asked may have lost the client id to another connection without a token since. */
static bool engine_may_deliver(const struct invig_engine *engine, const struct invig_letter *letter)
{
    return letter->connection == NULL ||
           invig_connections_holder(&engine->connections, letter->connection->client_id) ==
               letter->connection;
}

static bool engine_next_letter(struct invig_engine *engine, struct invig_effect *effect)
{
    struct invig_letter *letter;

    while ((letter = invig_outbox_pop(&engine->outbox)) != NULL &&
           !engine_may_deliver(engine, letter)) {
        invig_letter_free(letter);
    }
    if (letter == NULL) {
        return false;
    }
    engine->held_letter = letter;
    effect->notice = letter->notice;
    effect->payload = INVIG_PAYLOAD_NOTICE;
    if (letter->json != NULL) {
        effect->payload = INVIG_PAYLOAD_TEXT;
        effect->text = invig_text_of(letter->json);
    }
    if (letter->connection == NULL) {
        effect->kind = INVIG_EFFECT_PUBLISH;
        effect->topic.kind = INVIG_TOPIC_EVALUATION_INCIDENTS;
        effect->topic.evaluation = letter->notice.evaluation;
    } else {
        effect->kind = INVIG_EFFECT_SEND;
        effect->topic.kind = INVIG_TOPIC_CONTROL_RESPONSE;
        effect->client_id = letter->connection->client_id;
    }
    return true;
}

/* -- Members -- */

/* What stands retained on the user's topic: the backend's last message with the access that counts.
 */
static bool member_make_copy(struct invig_member *member, struct invig_effect *effect)
{
    member->has_topic = true;
    effect->topic.kind = INVIG_TOPIC_EVALUATION_USER;
    effect->payload = INVIG_PAYLOAD_COPY;
    effect->text = member->record.message;
    if (member->record.is_blocked) {
        effect->access = INVIG_ACCESS_BLOCKED;
        effect->reason = "SECOND_LOGIN";
        effect->at_s = member->record.blocked_since_s;
    } else {
        effect->access = member->record.access == INVIG_ACCESS_UNSAID ? INVIG_ACCESS_ALLOWED
                                                                      : member->record.access;
    }
    return true;
}

/* The backend's last message once more, as it was. */
static bool member_make_message(const struct invig_member *member, struct invig_effect *effect)
{
    effect->topic.kind = INVIG_TOPIC_EVALUATION_USER;
    effect->payload = INVIG_PAYLOAD_TEXT;
    effect->text = member->record.message;
    return effect->text.data != NULL;
}

static bool member_make_clear(struct invig_member *member, struct invig_effect *effect)
{
    member->has_topic = false;
    effect->topic.kind = INVIG_TOPIC_EVALUATION_USER;
    return true;
}

static bool member_make_presence(const struct invig_evaluations *evaluations,
                                 struct invig_member *member, struct invig_effect *effect)
{
    const struct invig_user *user = member->user;
    size_t count = invig_user_connections(user);
    bool is_online = count > 0;

    effect->topic.kind = INVIG_TOPIC_EVALUATION_PRESENCE;
    if (!invig_member_has_presence(evaluations, member)) {
        bool has_presence = member->has_presence;
        member->has_presence = false;
        return has_presence;
    }
    if (member->has_presence && member->was_online == is_online && member->was_count == count) {
        return false;
    }
    member->has_presence = true;
    member->was_online = is_online;
    member->was_count = count;
    effect->payload = INVIG_PAYLOAD_NOTICE;
    effect->notice = (struct invig_notice){
        .type = INVIG_NOTICE_PRESENCE,
        .evaluation = invig_text_of(member->evaluation->id),
        .user = invig_user_text(user),
        .time_s = user->presence_since_s,
        .is_online = is_online,
        .connection_count = count,
        .cause = user->presence_cause,
    };
    return true;
}

/* The newest open connection of the user that has not had the message yet. */
static const struct invig_connection *member_next_resend(const struct invig_member *member)
{
    const struct invig_connection *each = member->user->connections;

    while (each != NULL &&
           (each->serial >= member->resend_below || each->state != INVIG_CONNECTION_OPEN)) {
        each = each->user_next;
    }
    return each;
}

/* Sends the evaluation's last message to one connection; the member stays pending while there are
 * more. */
static bool engine_make_resend(struct invig_engine *engine, struct invig_member *member,
                               struct invig_effect *effect)
{
    const struct invig_connection *connection = member_next_resend(member);
    struct invig_text evaluation = invig_text_of(member->evaluation->id);

    if (connection == NULL || member->evaluation->record.message.data == NULL) {
        return false;
    }
    member->resend_below = connection->serial;
    invig_evaluations_add_pending(&engine->evaluations, member, INVIG_MEMBER_RESEND);
    if (invig_engine_standing(engine, connection, evaluation) < INVIG_STANDING_PARTICIPANT) {
        return false;
    }
    effect->kind = INVIG_EFFECT_SEND;
    effect->client_id = connection->client_id;
    effect->topic.kind = INVIG_TOPIC_EVALUATION;
    effect->payload = INVIG_PAYLOAD_TEXT;
    effect->text = member->evaluation->record.message;
    return true;
}

/* Takes the first thing that is pending of the first member. Returns false when it came to nothing.
 */
static bool engine_make_pending(struct invig_engine *engine, struct invig_member *member,
                                struct invig_effect *effect)
{
    static const enum invig_member_pending order[] = {INVIG_MEMBER_CLEAR, INVIG_MEMBER_MESSAGE,
                                                      INVIG_MEMBER_COPY, INVIG_MEMBER_PRESENCE,
                                                      INVIG_MEMBER_RESEND};
    size_t next = 0;

    while ((member->pending & order[next]) == 0) {
        next++;
    }
    invig_evaluations_remove_pending(&engine->evaluations, member, order[next]);
    *effect = (struct invig_effect){
        .kind = INVIG_EFFECT_PUBLISH,
        .is_retained = true,
        .topic = {.evaluation = invig_text_of(member->evaluation->id),
                  .user = invig_user_text(member->user)},
    };
    switch (order[next]) {
    case INVIG_MEMBER_CLEAR:
        return member_make_clear(member, effect);
    case INVIG_MEMBER_MESSAGE:
        return member_make_message(member, effect);
    case INVIG_MEMBER_COPY:
        return member_make_copy(member, effect);
    case INVIG_MEMBER_PRESENCE:
        return member_make_presence(&engine->evaluations, member, effect);
    case INVIG_MEMBER_RESEND:
        return engine_make_resend(engine, member, effect);
    }
    return false;
}

static bool engine_next_pending(struct invig_engine *engine, struct invig_effect *effect)
{
    struct invig_member *member;

    while ((member = engine->evaluations.pending_first) != NULL) {
        bool is_made = engine_make_pending(engine, member, effect);

        if (is_made) {
            engine->held_member = member;
            return true;
        }
        invig_engine_release_member(engine, member);
        if (engine->effects_left == 0) {
            return false;
        }
        engine->effects_left--;
    }
    return false;
}

/* After a restart: an evaluation's last message, or that there is none, since what the broker has
 * retained may be older. */
static bool engine_next_evaluation(struct invig_engine *engine, struct invig_effect *effect)
{
    struct invig_evaluation *evaluation = invig_evaluations_take_republish(&engine->evaluations);

    if (evaluation == NULL) {
        return false;
    }
    effect->kind = INVIG_EFFECT_PUBLISH;
    effect->is_retained = true;
    effect->topic.kind = INVIG_TOPIC_EVALUATION;
    effect->topic.evaluation = invig_text_of(evaluation->id);
    effect->payload =
        evaluation->record.message.data == NULL ? INVIG_PAYLOAD_EMPTY : INVIG_PAYLOAD_TEXT;
    effect->text = evaluation->record.message;
    engine->held_evaluation = evaluation;
    return true;
}

/* Takes out who is to be disconnected now; NULL: nobody. */
static struct invig_connection *engine_next_kick(struct invig_engine *engine)
{
    struct invig_connection *connection;

    if (engine->holds_kicks) {
        return NULL;
    }
    connection = invig_effects_pop(&engine->effects, INVIG_PENDING_DROP);
    if (connection == NULL && !engine->is_stuck) {
        connection =
            invig_effects_pop_kick(&engine->effects, engine->tick_count, engine->now.steady_ms);
    }
    return connection;
}

bool invig_engine_is_leaving(const struct invig_engine *engine)
{
    return engine->leaving_count > 0;
}

void invig_engine_hold_kicks(struct invig_engine *engine, bool is_held)
{
    engine->holds_kicks = is_held;
}

bool invig_engine_next_effect(struct invig_engine *engine, struct invig_now now,
                              struct invig_effect *out_effect)
{
    struct invig_connection *connection;

    engine->now = now;
    invig_engine_release_held(engine);
    *out_effect = (struct invig_effect){.kind = INVIG_EFFECT_KICK};
    if (engine->effects_left == 0) {
        return false;
    }
    engine->effects_left--;
    connection = engine_next_kick(engine);
    if (connection != NULL) {
        connection->is_leaving = true;
        engine->leaving_count++;
        engine->held_connection = connection;
        out_effect->client_id = connection->client_id;
        return true;
    }
    if (engine->is_stuck) {
        return false;
    }
    return engine_next_notice(engine, out_effect) || engine_next_letter(engine, out_effect) ||
           engine_next_evaluation(engine, out_effect) || engine_next_pending(engine, out_effect);
}
