/* SPDX-License-Identifier: Apache-2.0
 *
 * engine_return.c - see engine.h: effects that the broker could not carry out. What is to be told
 * runs through the records, so giving it back needs no memory.
 */
#include "engine_private.h"

#include <limits.h>

static void return_to_connection(struct invig_engine *engine, const struct invig_effect *effect)
{
    struct invig_connection *connection = engine->held_connection;

    if (effect->kind == INVIG_EFFECT_KICK) {
        connection->is_leaving = false;
        engine->leaving_count--;
        invig_effects_add(&engine->effects, connection, INVIG_PENDING_DROP); /* it was due */
        return;
    }
    if (effect->notice.type == INVIG_NOTICE_EVALUATION_BLOCKED) {
        connection->told_count--;
    }
    /* In the place of its disconnect, which follows it again. */
    invig_effects_add(&engine->effects, connection, INVIG_PENDING_NOTICE);
}

static void return_to_member(struct invig_engine *engine, const struct invig_effect *effect)
{
    struct invig_member *member = engine->held_member;
    enum invig_member_pending pending = INVIG_MEMBER_COPY;

    if (effect->topic.kind == INVIG_TOPIC_EVALUATION_PRESENCE) {
        pending = INVIG_MEMBER_PRESENCE;
        member->has_presence = true;
        member->was_count = UINT_MAX; /* whatever it is then is new */
    } else if (effect->topic.kind == INVIG_TOPIC_EVALUATION) {
        pending = INVIG_MEMBER_RESEND;
        member->resend_below++; /* the same connection again */
    } else if (effect->payload == INVIG_PAYLOAD_EMPTY) {
        pending = INVIG_MEMBER_CLEAR;
        member->has_topic = true;
    } else if (effect->payload == INVIG_PAYLOAD_TEXT) {
        pending = INVIG_MEMBER_MESSAGE;
    }
    invig_evaluations_add_pending(&engine->evaluations, member, pending);
}

void invig_engine_return_effect(struct invig_engine *engine, const struct invig_effect *effect)
{
    if (engine->held_connection != NULL) {
        return_to_connection(engine, effect);
    } else if (engine->held_letter != NULL) {
        invig_outbox_return(&engine->outbox, engine->held_letter);
        engine->held_letter = NULL;
    } else if (engine->held_evaluation != NULL) {
        invig_evaluations_add_republish(&engine->evaluations, engine->held_evaluation);
    } else if (engine->held_member != NULL) {
        return_to_member(engine, effect);
    }
    invig_engine_release_held(engine);
}
