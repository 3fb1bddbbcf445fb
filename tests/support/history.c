/* SPDX-License-Identifier: Apache-2.0
 *
 * history.c - see history.h: events. What the world looks like after them is in history_probe.c.
 */
#include "history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

const char *history_user(unsigned user)
{
    static const char *const names[HISTORY_USERS] = {"anna", "ben"};

    return names[user];
}

const char *history_session(unsigned session)
{
    static const char *const names[HISTORY_SESSIONS] = {"s0", "s1", "s2", "s3"};

    return names[session];
}

const char *history_evaluation(unsigned evaluation)
{
    static const char *const names[HISTORY_EVALUATIONS] = {"e0", "e1"};

    return names[evaluation];
}

/* -- Chance -- */

static uint32_t random_below(uint64_t *state, uint32_t bound)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33) % bound;
}

static enum history_kind random_kind(uint64_t *state)
{
    static const unsigned weights[HISTORY_KINDS] = {
        [HISTORY_LOGIN] = 30,      [HISTORY_DISCONNECT] = 8, [HISTORY_REVOKE] = 5,
        [HISTORY_REVOKE_USER] = 3, [HISTORY_UNBLOCK] = 12,   [HISTORY_SAY] = 14,
        [HISTORY_SAY_USER] = 14,   [HISTORY_FORGET] = 3,     [HISTORY_FORGET_USER] = 3,
        [HISTORY_TICK] = 12,
    };
    uint32_t left = random_below(state, 104);
    unsigned kind = 0;

    while (left >= weights[kind]) {
        left -= weights[kind++];
    }
    return kind;
}

void history_make(struct history *history, uint64_t seed)
{
    uint64_t state = seed * 2 + 1;

    memset(history, 0, sizeof(*history));
    history->seed = seed;
    (void)random_below(&state, 2);
    for (size_t i = 0; i < HISTORY_EVENTS; i++) {
        history->events[i] = (struct history_event){
            .kind = random_kind(&state),
            .user = random_below(&state, 4) == 0,
            .session = random_below(&state, HISTORY_SESSIONS),
            .evaluation = random_below(&state, 3) == 0,
            .choice = random_below(&state, 3600),
        };
    }
    /* Something is strict from early on, or little happens. */
    history->events[0] = (struct history_event){.kind = HISTORY_SAY, .choice = 2};
}

/* -- What is retained -- */

static void history_name_topics(struct history *history)
{
    struct history_topic *next = history->topics;

    for (unsigned e = 0; e < HISTORY_EVALUATIONS; e++) {
        (void)snprintf((next++)->topic, sizeof(next->topic), "evaluations/e%u", e);
        for (unsigned u = 0; u < HISTORY_USERS; u++) {
            (void)snprintf((next++)->topic, sizeof(next->topic), "evaluations/e%u/users/%s", e,
                           history_user(u));
            (void)snprintf((next++)->topic, sizeof(next->topic), "PRESENCE e%u %s", e,
                           history_user(u));
        }
    }
}

void history_reset(struct history *history)
{
    memset(history->pages, 0, sizeof(history->pages));
    memset(history->topics, 0, sizeof(history->topics));
    history_name_topics(history);
}

static void history_retain(struct history *history, const char *topic, size_t length,
                           const char *text)
{
    for (size_t i = 0; i < HISTORY_TOPICS; i++) {
        struct history_topic *each = &history->topics[i];

        if (strlen(each->topic) == length && strncmp(each->topic, topic, length) == 0) {
            (void)snprintf(each->text, sizeof(each->text), "%s", text);
            return;
        }
    }
    fail_msg("unexpected topic %s", topic);
}

/* Keeps what an effect retains. Of presence only whether the user is there. */
static void history_keep(struct history *history, const char *effect)
{
    const char *rest = strchr(effect, ' ');

    if (strncmp(effect, "CLEAR ", 6) == 0) {
        const char *presence = strstr(rest, "/presence/");
        char topic[64];

        if (presence == NULL) {
            history_retain(history, rest + 1, strlen(rest + 1), "");
            return;
        }
        (void)snprintf(topic, sizeof(topic), "PRESENCE %.2s %s", strstr(rest, "evaluations/") + 12,
                       presence + 10);
        history_retain(history, topic, strlen(topic), "");
    } else if (strncmp(effect, "RETAIN ", 7) == 0) {
        const char *payload = strchr(rest + 1, ' ');

        history_retain(history, rest + 1, (size_t)(payload - rest - 1), payload + 1);
    } else if (strncmp(effect, "PRESENCE ", 9) == 0) {
        const char *what = strstr(effect, " online");

        what = what == NULL ? strstr(effect, " offline") : what;
        history_retain(history, effect, (size_t)(what - effect),
                       what[2] == 'n' ? "online" : "offline");
    }
}

/* -- Pages -- */

static size_t page_of(const char *client_id)
{
    for (size_t i = 0; i < HISTORY_PAGES; i++) {
        char name[32];

        (void)snprintf(name, sizeof(name), "%s:%zu",
                       history_user((unsigned)(i / (HISTORY_SESSIONS + 1))),
                       i % (HISTORY_SESSIONS + 1));
        if (strcmp(name, client_id) == 0) {
            return i;
        }
    }
    return HISTORY_PAGES;
}

static void history_drop(struct history *history, struct world *world, size_t page)
{
    if (page < HISTORY_PAGES && history->pages[page] != NULL) {
        world_disconnect(world, history->pages[page]);
        history->pages[page] = NULL;
    }
}

void history_tick(struct history *history, struct world *world)
{
    world_clear(world);
    world_tick(world);
    for (size_t i = 0; i < world->effect_count; i++) {
        if (strncmp(world->effects[i], "KICK ", 5) == 0) {
            history_drop(history, world, page_of(world->effects[i] + 5));
        } else {
            history_keep(history, world->effects[i]);
        }
    }
}

/* A page has the client id of its session, or one that all pages of its user may have. */
static void history_login(struct history *history, struct world *world,
                          const struct history_event *event)
{
    size_t place = event->choice % 5 == 0 ? HISTORY_SESSIONS : event->session;
    size_t page = event->user * (HISTORY_SESSIONS + 1) + place;
    char client_id[32];
    char address[32];
    struct login login = {
        .user = history_user(event->user),
        .session = history_session(event->session),
        .client_id = client_id,
        .address = address,
        .login_s = WORLD_START_S - 100 + 10 * (int64_t)(event->session),
        .has_auth_time = event->session % 2 == 0,
        .evaluations = {event->choice % 7 == 0 ? NULL : "e0", event->choice % 3 == 0 ? "e1" : NULL},
    };
    struct invig_connection *connection;

    (void)snprintf(client_id, sizeof(client_id), "%s:%zu", history_user(event->user), place);
    (void)snprintf(address, sizeof(address), "192.0.2.%u", event->session);
    connection = world_login(world, &login);
    history->is_refused = world->refusal.reason == INVIG_REASON_STATE_FAILED;
    (void)snprintf(history->outcome, sizeof(history->outcome), "login %d %s %d", world->verdict,
                   invig_reason_word(world->refusal.reason),
                   connection != NULL && world_deliver(world, connection, "users/anna") +
                                                 world_deliver(world, connection, "users/ben") !=
                                             0);
    if (connection != NULL) {
        history_drop(history, world, page);
        history->pages[page] = connection;
    }
}

static void history_command(struct history *history, struct world *world, const char *command)
{
    const char *answer = world_command(world, command);

    history->is_refused = strstr(answer, "it could not be recorded") != NULL;
    (void)snprintf(history->outcome, sizeof(history->outcome), "%.500s", answer);
}

static void history_revoke_user(struct history *history, struct world *world,
                                const struct history_event *event)
{
    char command[HISTORY_TEXT_BYTES];
    char except[64] = "";

    if (event->choice % 2 == 0) {
        (void)snprintf(except, sizeof(except), ",'exceptSessionId':'%s'",
                       history_session(event->session));
    }
    (void)snprintf(command, sizeof(command),
                   "{'command':'invalidateUser','userId':'%s'%s,'before':%lld%s}",
                   history_user(event->user), except,
                   (long long)(WORLD_START_S - 100 + 10 * (int64_t)(event->choice % 5)),
                   event->choice % 7 == 0 ? ",'unlessBound':true" : "");
    history_command(history, world, command);
}

/* The member sessionId in one of its forms. */
static void print_named(char *text, size_t size, const struct history_event *event)
{
    switch (event->choice % 4) {
    case 0:
        text[0] = '\0';
        break;
    case 1:
        (void)snprintf(text, size, ",'sessionId':null");
        break;
    case 2:
        (void)snprintf(text, size, ",'sessionId':'%s'", history_session(event->session));
        break;
    default:
        (void)snprintf(text, size, ",'sessionId':'%s'",
                       world_fingerprint(history_session(event->session)));
        break;
    }
}

static void history_unblock(struct history *history, struct world *world,
                            const struct history_event *event)
{
    char command[HISTORY_TEXT_BYTES];
    char named[64];

    print_named(named, sizeof(named), event);
    (void)snprintf(command, sizeof(command),
                   "{'command':'unblock','userId':'%s','evaluationId':'%s'%s}",
                   history_user(event->user), history_evaluation(event->evaluation), named);
    history_command(history, world, command);
}

/* The backend publishes; `user` is NULL for a message about everybody, `payload` "" to forget. */
static void history_publish(struct history *history, struct world *world, const char *evaluation,
                            const char *user, const char *payload)
{
    char topic[64];
    enum invig_verdict verdict;

    (void)snprintf(topic, sizeof(topic), "evaluations/%s%s%s", evaluation,
                   user == NULL ? "" : "/users/", user == NULL ? "" : user);
    world_clear(world);
    verdict = world_message(world, world_backend(world), topic, payload);
    history->is_refused =
        verdict == INVIG_DENY && world_has_logged(world, "it could not be recorded");
    (void)snprintf(history->outcome, sizeof(history->outcome), "message %d", verdict);
    if (verdict == INVIG_ALLOW) {
        history_retain(history, topic, strlen(topic), payload);
    }
}

static void print_version(char *text, size_t size, const struct history_event *event)
{
    text[0] = '\0';
    if (event->choice / 60 % 2 == 0) {
        (void)snprintf(text, size, ",'version':%u", event->choice / 120 % 8);
    }
}

static void history_say(struct history *history, struct world *world,
                        const struct history_event *event)
{
    static const char *const forms[] = {
        "'phase':'REGISTRATION'",
        "'phase':'GRADING','endAt':null",
        "'phase':'IN_PROGRESS','endAt':'2027-02-01T12:00:00Z'",
        "'phase':'IN_PROGRESS','strict':true",
        "'phase':'IN_PROGRESS','strict':false",
        "'phase':'IN_PROGRESS'",
    };
    const char *evaluation = history_evaluation(event->evaluation);
    char payload[HISTORY_TEXT_BYTES];
    char version[32];

    print_version(version, sizeof(version), event);
    (void)snprintf(payload, sizeof(payload),
                   "{'type':'EVALUATION_UPDATE','evaluationId':'%s',%s%s}", evaluation,
                   forms[event->choice % 6], version);
    history_publish(history, world, evaluation, NULL, payload);
}

static void history_say_user(struct history *history, struct world *world,
                             const struct history_event *event)
{
    static const char *const forms[] = {
        ",'access':'ALLOWED'",
        ",'access':'ALLOWED','unblock':true",
        ",'access':'DENIED'",
        ",'access':'BLOCKED','reason':'BREAK'",
        ",'status':'FINISHED'",
        ",'status':null",
        ",'status':'IN_PROGRESS','access':'ALLOWED'",
        ",'access':'ALLOWED'%s",
        ",'access':'ALLOWED'%s",
        ",'endAt':'2027-02-01T13:00:00Z'",
    };
    const char *form = forms[event->choice % 10];
    const char *evaluation = history_evaluation(event->evaluation);
    char payload[HISTORY_TEXT_BYTES];
    char version[32];
    char named[64] = "";

    if (strchr(form, '%') != NULL) {
        form = ",'access':'ALLOWED'";
        print_named(named, sizeof(named), event);
    }
    print_version(version, sizeof(version), event);
    (void)snprintf(payload, sizeof(payload),
                   "{'type':'EVALUATION_UPDATE','evaluationId':'%s','userId':'%s'%s%s%s}",
                   evaluation, history_user(event->user), form, named, version);
    history_publish(history, world, evaluation, history_user(event->user), payload);
}

void history_step(struct history *history, struct world *world, size_t index)
{
    const struct history_event *event = &history->events[index];
    const char *evaluation = history_evaluation(event->evaluation);
    const char *user = history_user(event->user);
    char command[HISTORY_TEXT_BYTES];

    history->outcome[0] = '\0';
    history->is_refused = false;
    switch (event->kind) {
    case HISTORY_LOGIN:
        history_login(history, world, event);
        break;
    case HISTORY_DISCONNECT:
        history_drop(history, world, event->choice % HISTORY_PAGES);
        break;
    case HISTORY_REVOKE:
        (void)snprintf(command, sizeof(command),
                       "{'command':'invalidateSession','userId':'%s','sessionId':'%s'}", user,
                       history_session(event->session));
        history_command(history, world, command);
        break;
    case HISTORY_REVOKE_USER:
        history_revoke_user(history, world, event);
        break;
    case HISTORY_UNBLOCK:
        history_unblock(history, world, event);
        break;
    case HISTORY_SAY:
        history_say(history, world, event);
        break;
    case HISTORY_SAY_USER:
        history_say_user(history, world, event);
        break;
    case HISTORY_FORGET:
        history_publish(history, world, evaluation, NULL, "");
        break;
    case HISTORY_FORGET_USER:
        history_publish(history, world, evaluation, user, "");
        break;
    case HISTORY_TICK:
    case HISTORY_KINDS:
        history_tick(history, world);
        break;
    }
}
