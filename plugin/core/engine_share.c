/* SPDX-License-Identifier: Apache-2.0
 *
 * engine_share.c - other brokers: what changes here is offered to them, what has changed there is
 * taken. What a user's two truths come to is in engine_merge.c.
 */
#include "engine_private.h"

#include <stdlib.h>

enum { NEWS_PER_TICK = 256, OFFERS_PER_TICK = 256 };

static bool engine_has_share(const struct invig_engine *engine)
{
    return engine->share.next != NULL;
}

void invig_engine_set_share(struct invig_engine *engine, struct invig_share share)
{
    engine->share = share;
}

void invig_engine_share_user(struct invig_engine *engine, struct invig_user *user)
{
    struct invig_shared *shared;

    if (!engine_has_share(engine)) {
        return;
    }
    shared = invig_shared_require(&user->shared, user);
    if (shared == NULL) {
        engine->has_unshared = true;
    } else {
        invig_shares_add(&engine->sessions.shares, shared);
    }
}

/* -- The portrait of a user -- */

static void portrait_add_sessions(const struct invig_user *user, struct invig_portrait *portrait)
{
    for (const struct invig_session *each = user->sessions; each != NULL; each = each->next) {
        struct invig_portrait_session *session = &portrait->sessions[portrait->session_count++];

        session->id = invig_session_text(each);
        session->record = each->stored;
        session->record.serial = 0;
    }
}

static struct invig_text user_session_of_serial(const struct invig_user *user, uint64_t serial)
{
    const struct invig_session *each = serial == 0 ? NULL : user->sessions;

    while (each != NULL && each->record.serial != serial) {
        each = each->next;
    }
    return each == NULL ? (struct invig_text){NULL, 0} : invig_session_text(each);
}

static size_t user_count_members(const struct invig_user *user)
{
    size_t count = 0;

    for (const struct invig_member *each = user->members; each != NULL; each = each->user_next) {
        count++;
    }
    return count;
}

static void portrait_add_members(const struct invig_user *user, struct invig_portrait *portrait)
{
    for (const struct invig_member *each = user->members; each != NULL; each = each->user_next) {
        struct invig_portrait_member *member = &portrait->members[portrait->member_count];

        if (invig_member_record_is_blank(&each->stored)) {
            continue; /* a token names it, and no more */
        }
        portrait->member_count++;
        member->evaluation = invig_text_of(each->evaluation->id);
        member->record = each->stored;
        member->released = user_session_of_serial(user, each->stored.released_serial);
    }
}

static size_t shared_count_elsewhere(const struct invig_shared *shared)
{
    size_t count = 0;

    for (const struct invig_elsewhere *each = shared->elsewhere; each != NULL; each = each->next) {
        count++;
    }
    return count;
}

static void portrait_add_presences(const struct invig_engine *engine, const struct invig_user *user,
                                   struct invig_portrait *portrait)
{
    const struct invig_elsewhere *each = user->shared->elsewhere;

    for (; each != NULL; each = each->next) {
        portrait->presences[portrait->presence_count++] = each->presence;
    }
    if (user->open_count > 0 && user->members != NULL) {
        portrait->presences[portrait->presence_count++] = (struct invig_portrait_presence){
            .broker = engine->share.name,
            .count = user->open_count,
            .since_s = user->presence_since_s,
        };
    }
}

/* What this broker knows of a user, as text of malloc(3). Absent when memory is out. */
static struct invig_text engine_draw(const struct invig_engine *engine,
                                     const struct invig_user *user)
{
    struct invig_portrait portrait;
    struct invig_text text = {NULL, 0};

    if (invig_portrait_init(&portrait, user->session_count, user_count_members(user),
                            shared_count_elsewhere(user->shared) + 1) == INVIG_OK) {
        portrait.user = user->stored;
        portrait_add_sessions(user, &portrait);
        portrait_add_members(user, &portrait);
        portrait_add_presences(engine, user, &portrait);
        invig_portrait_sort(&portrait);
        text = invig_portrait_write(&portrait);
    }
    invig_portrait_deinit(&portrait);
    return text;
}

/* -- Offers -- */

/* Nothing need be known of the user any more. */
static bool engine_has_forgotten(const struct invig_engine *engine, const struct invig_user *user)
{
    return user->session_count == 0 && user->members == NULL && user->connections == NULL &&
           user->stored.kept_until_s < engine->now.wall_s;
}

/* A user in thousands of evaluations: the others do not hear of it, and of everybody else they do.
 */
static void engine_log_too_large(struct invig_engine *engine, const struct invig_user *user)
{
    struct invig_logline line;

    if (invig_engine_begin_line(engine, &engine->failures, "share_too_large", &line)) {
        invig_logline_add(&line, "user", invig_user_text(user));
        invig_engine_log(engine, INVIG_LOG_ERROR, &line);
    }
}

static bool text_is_same(struct invig_text a, struct invig_text b)
{
    return invig_text_equal(a, b) || (a.data == NULL && b.data == NULL);
}

/* Offers the portrait of a user where it is another one than all have. Returns false when nothing
 * can be offered now. */
static bool engine_offer(struct invig_engine *engine, struct invig_shared *shared)
{
    bool is_forgotten = engine_has_forgotten(engine, shared->user);
    struct invig_text text = {NULL, 0};
    bool is_sent;

    if (!is_forgotten) {
        text = engine_draw(engine, shared->user);
        if (text.data == NULL) {
            return false;
        }
    }
    if (text.length > INVIG_SHARE_TEXT_BYTES_MAX) {
        engine_log_too_large(engine, shared->user);
        invig_shares_remove(&engine->sessions.shares, shared);
        free((void *)(uintptr_t)text.data);
        return true;
    }
    if (text_is_same(text, shared->agreed) && !shared->is_stale) {
        invig_shares_remove(&engine->sessions.shares, shared);
        free((void *)(uintptr_t)text.data);
        return true;
    }
    invig_shared_offer(shared, text);
    is_sent = engine->share.offer(engine->share.context, invig_user_text(shared->user),
                                  shared->revision, text);
    if (is_sent) {
        invig_shares_remove(&engine->sessions.shares, shared);
    } else {
        invig_shared_withdraw(shared);
    }
    return is_sent;
}

/* Whoever has an offer waiting stays in the list for the next one. */
static void engine_offer_all(struct invig_engine *engine)
{
    struct invig_shared *each = engine->sessions.shares.first;

    for (int i = 0; each != NULL && i < OFFERS_PER_TICK; i++) {
        struct invig_shared *next = each->next;

        if (!each->is_offered && !engine_offer(engine, each)) {
            return;
        }
        each = next;
    }
}

/* Those for whom memory was out. */
static void engine_note_unshared(struct invig_engine *engine)
{
    struct invig_user *user = NULL;

    engine->has_unshared = false;
    while ((user = invig_sessions_next_user(&engine->sessions, user)) != NULL) {
        if (user->shared == NULL) {
            invig_engine_share_user(engine, user);
        }
    }
}

/* -- News -- */

static void engine_log_share(const struct invig_engine *engine, enum invig_log_level level,
                             const char *event)
{
    struct invig_logline line;

    invig_logline_init(&line, event);
    invig_engine_log(engine, level, &line);
}

static void engine_log_malformed(struct invig_engine *engine)
{
    struct invig_logline line;

    if (invig_engine_begin_line(engine, &engine->failures, "share_malformed", &line)) {
        invig_engine_log(engine, INVIG_LOG_ERROR, &line);
    }
}

static struct invig_shared *engine_require_shared(struct invig_engine *engine, struct invig_text id)
{
    struct invig_user *user = NULL;

    if (invig_engine_reserve_timers(engine) != INVIG_OK ||
        invig_sessions_require_user(&engine->sessions, id, engine->now.wall_s, &user) != INVIG_OK) {
        return NULL;
    }
    if (user->presence_since_s == 0) {
        user->presence_since_s = engine->now.wall_s; /* that it is away is all we know */
    }
    return invig_shared_require(&user->shared, user);
}

/* What the server has of a user. One for whom there is no memory at all has no session here that it
 * could end. */
static void engine_take_user(struct invig_engine *engine, const struct invig_news *news)
{
    struct invig_shared *shared = engine_require_shared(engine, news->user);
    bool is_refused = news->kind == INVIG_NEWS_REFUSED;
    uint64_t round = engine->sessions.shares.round;
    enum invig_status status;

    if (shared == NULL) {
        engine->has_unshared = true;
        return;
    }
    if (is_refused) {
        invig_shared_withdraw(shared);
    } else if (shared->is_offered ||
               (news->revision <= shared->revision && shared->round == round)) {
        return; /* the offer will be refused, and say the same or more; or it is late */
    }
    shared->round = round;
    status = invig_engine_merge(engine, shared, news->text, news->revision);
    if (status == INVIG_ERR_FORMAT) {
        engine_log_malformed(engine); /* perhaps of a newer version: it is left alone */
        return;
    }
    shared->is_stale = status != INVIG_OK;
    invig_shares_add(&engine->sessions.shares, shared);
}

static void engine_take_accepted(struct invig_engine *engine, const struct invig_news *news)
{
    struct invig_user *user = invig_sessions_find_user(&engine->sessions, news->user);

    if (user != NULL && user->shared != NULL && user->shared->is_offered) {
        user->shared->round = engine->sessions.shares.round;
        invig_shared_accept(user->shared, news->revision);
        if (user->shared->agreed.data == NULL) { /* all have forgotten the user: here it can go */
            (void)invig_timers_set(&engine->timers, &user->timer, engine->now.wall_s);
        }
    }
}

/* All that the server has was given: of those that it did not have it has nothing, and is to. */
static void engine_take_ready(struct invig_engine *engine)
{
    struct invig_user *user = NULL;

    engine->is_share_loaded = true;
    while ((user = invig_sessions_next_user(&engine->sessions, user)) != NULL) {
        if (user->shared != NULL && user->shared->round != engine->sessions.shares.round) {
            invig_shared_agree(user->shared, (struct invig_text){NULL, 0}, 0);
            invig_shares_add(&engine->sessions.shares, user->shared);
        }
    }
}

/* What was offered may have arrived or not: it is offered again, and refused if it has. */
static void engine_take_lost(struct invig_engine *engine)
{
    struct invig_user *user = NULL;

    engine->is_share_loaded = false;
    engine->sessions.shares.round++;
    while ((user = invig_sessions_next_user(&engine->sessions, user)) != NULL) {
        if (user->shared != NULL && user->shared->is_offered) {
            invig_shared_withdraw(user->shared);
            invig_shares_add(&engine->sessions.shares, user->shared);
        }
    }
}

static void engine_take_gone(struct invig_engine *engine, struct invig_text broker)
{
    struct invig_user *user = NULL;

    while ((user = invig_sessions_next_user(&engine->sessions, user)) != NULL) {
        bool was_online = invig_user_connections(user) > 0;

        if (user->shared != NULL && invig_shared_forget_broker(user->shared, broker)) {
            invig_engine_note_online(engine, user, was_online, INVIG_CAUSE_UNKNOWN);
            invig_engine_mark_presence(engine, user);
        }
    }
}

static void engine_take_news(struct invig_engine *engine, const struct invig_news *news)
{
    switch (news->kind) {
    case INVIG_NEWS_USER:
    case INVIG_NEWS_REFUSED:
        engine_take_user(engine, news);
        break;
    case INVIG_NEWS_ACCEPTED:
        engine_take_accepted(engine, news);
        break;
    case INVIG_NEWS_READY:
        engine_take_ready(engine);
        break;
    case INVIG_NEWS_LOST:
        engine_take_lost(engine);
        break;
    case INVIG_NEWS_GONE:
        engine_take_gone(engine, news->name);
        break;
    case INVIG_NEWS_TOPIC:
        invig_engine_take_topic(engine, news);
        break;
    case INVIG_NEWS_NONE:
        break;
    }
}

void invig_engine_tick_share(struct invig_engine *engine)
{
    struct invig_news news;
    bool is_there;

    if (!engine_has_share(engine)) {
        return;
    }
    for (int i = 0; i < NEWS_PER_TICK &&
                    engine->share.next(engine->share.context, engine->now.steady_ms, &news);
         i++) {
        engine_take_news(engine, &news);
    }
    if (engine->has_unshared) {
        engine_note_unshared(engine);
    }
    engine_offer_all(engine);
    invig_engine_keep_all(engine);
    is_there = engine->share.is_available(engine->share.context);
    if (is_there && !engine->is_share_there) {
        engine_log_share(engine, INVIG_LOG_NOTICE, "share_available");
    } else if (!is_there && engine->is_share_there && engine->is_share_loaded) {
        engine_log_share(engine, INVIG_LOG_WARNING, "share_late"); /* else it has said why */
    }
    engine->is_share_there = is_there;
}
