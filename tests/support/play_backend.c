/* SPDX-License-Identifier: Apache-2.0
 *
 * play_backend.c - see play.h: what the backend says and commands.
 */
#include "play.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Appends one member, now and then. */
static void add_member(char members[HISTORY_LINE_BYTES], const char *member)
{
    size_t length = strlen(members);

    (void)snprintf(members + length, HISTORY_LINE_BYTES - length, "%s%s", length == 0 ? "" : ",",
                   member);
}

/* A member that names a session by its id or fingerprint, nobody's, or null. */
static const char *choose_name(struct pair *pair, int user, enum invig_said *out_said,
                               int *out_session)
{
    const struct ref_session *session;

    *out_session = play_choose_session(pair, user);
    session = &pair->reference.users[user].sessions[*out_session];
    *out_said = INVIG_SAID_VALUE;
    /* Nobody knows of a session that was only excepted from a command whether it will be single. */
    switch (user >= REF_STUDENTS && !session->has_login ? 1 : pair_random(pair, 8)) {
    case 0:
        *out_said = INVIG_SAID_NULL;
        return "'sessionId':null";
    case 1:
        *out_session = REF_NONE;
        return "'sessionId':'nobody'";
    case 2:
        return pair_text("'sessionId':'%s'", world_fingerprint(pair_text("s%d", *out_session)));
    default:
        return pair_text("'sessionId':'s%d'", *out_session);
    }
}

static void choose_access(struct pair *pair, struct ref_message *message,
                          char members[HISTORY_LINE_BYTES])
{
    static const enum invig_access accesses[] = {
        INVIG_ACCESS_UNSAID,  INVIG_ACCESS_ALLOWED, INVIG_ACCESS_ALLOWED, INVIG_ACCESS_ALLOWED,
        INVIG_ACCESS_ALLOWED, INVIG_ACCESS_ALLOWED, INVIG_ACCESS_DENIED,  INVIG_ACCESS_BLOCKED};
    static const enum invig_progress progresses[] = {
        INVIG_PROGRESS_CLEARED, INVIG_PROGRESS_IN_PROGRESS, INVIG_PROGRESS_FINISHED};
    static const char *const words[] = {"'status':null", "'status':'IN_PROGRESS'",
                                        "'status':'FINISHED'"};

    message->access = accesses[pair_random(pair, 8)];
    if (message->access != INVIG_ACCESS_UNSAID) {
        add_member(members, pair_text("'access':'%s'", invig_access_word(message->access)));
    }
    if (pair_chance(pair, 3)) {
        uint32_t which = pair_random(pair, 3);
        message->progress = progresses[which];
        add_member(members, words[which]);
    }
}

static int64_t choose_version(struct pair *pair, char members[HISTORY_LINE_BYTES])
{
    int version = (int)pair_random(pair, 5);

    if (!pair_chance(pair, 5)) {
        return REF_NONE;
    }
    add_member(members, pair_text("'version':%d", version));
    return version;
}

static void expect_verdict(struct pair *pair, enum invig_verdict verdict, bool is_accepted)
{
    if ((verdict == INVIG_ALLOW) != is_accepted) {
        fail_msg("the message is %s", is_accepted ? "refused" : "accepted");
    }
    pair->refused += !is_accepted;
}

void play_say(struct pair *pair)
{
    int user = (int)pair_random(pair, REF_USERS);
    int evaluation = (int)pair_random(pair, REF_EVALUATIONS);
    char members[HISTORY_LINE_BYTES] = "";
    struct ref_message message = {.version = REF_NONE};
    bool is_accepted;

    choose_access(pair, &message, members);
    message.version = choose_version(pair, members);
    if (pair_chance(pair, 4)) {
        message.unblock = true;
        add_member(members, "'unblock':true");
    }
    if (pair_chance(pair, 3)) {
        add_member(members, choose_name(pair, user, &message.said, &message.session));
    }
    pair_record(pair, "say e%d u%d %s", evaluation, user, members);
    is_accepted = reference_say(&pair->reference, user, evaluation, &message);
    expect_verdict(
        pair,
        world_offer(&pair->world, pair_text("e%d", evaluation), pair_text("u%d", user), members),
        is_accepted);
    if (is_accepted) {
        pair->retained[user][evaluation] = message.access;
    }
}

void play_forget_user(struct pair *pair)
{
    int user = (int)pair_random(pair, REF_USERS);
    int evaluation = (int)pair_random(pair, REF_EVALUATIONS);
    const char *topic = pair_text("evaluations/e%d/users/u%d", evaluation, user);

    pair_record(pair, "forget e%d u%d", evaluation, user);
    reference_forget_user(&pair->reference, user, evaluation);
    expect_verdict(pair, world_message(&pair->world, world_backend(&pair->world), topic, ""), true);
    pair->retained[user][evaluation] = INVIG_ACCESS_UNSAID;
}

void play_say_all(struct pair *pair)
{
    static const char *const phases[] = {"REGISTRATION", "IN_PROGRESS", "IN_PROGRESS",
                                         "IN_PROGRESS", "GRADING"};
    int evaluation = (int)pair_random(pair, REF_EVALUATIONS);
    const char *phase = phases[pair_random(pair, 5)];
    char members[HISTORY_LINE_BYTES] = "";
    bool is_strict = !pair_chance(pair, 3);
    bool says_strict = pair_chance(pair, 3);
    int64_t version = choose_version(pair, members);

    if (says_strict) {
        add_member(members, is_strict ? "'strict':true" : "'strict':false");
    }
    if (pair_chance(pair, 20)) {
        pair_record(pair, "say e%d without a phase", evaluation);
        expect_verdict(pair, world_offer(&pair->world, pair_text("e%d", evaluation), NULL, members),
                       false);
        return;
    }
    add_member(members, pair_text("'phase':'%s'", phase));
    pair_record(pair, "say e%d %s", evaluation, members);
    expect_verdict(pair, world_offer(&pair->world, pair_text("e%d", evaluation), NULL, members),
                   reference_say_all(&pair->reference, evaluation, phase[0] == 'I',
                                     says_strict ? &is_strict : NULL, version));
}

void play_forget(struct pair *pair)
{
    int evaluation = (int)pair_random(pair, REF_EVALUATIONS);

    pair_record(pair, "forget e%d", evaluation);
    reference_forget(&pair->reference, evaluation);
    expect_verdict(pair,
                   world_message(&pair->world, world_backend(&pair->world),
                                 pair_text("evaluations/e%d", evaluation), ""),
                   true);
}

static void run(struct pair *pair, const char *command, const char *expected)
{
    const char *answer;

    pair_record(pair, "%s", command);
    answer = world_command(&pair->world, command);
    if (strstr(answer, expected) == NULL) {
        fail_msg("%s: %s in place of %s", command, answer, expected);
    }
}

void play_revoke(struct pair *pair)
{
    int user = (int)pair_random(pair, REF_USERS);
    int session = play_choose_session(pair, user);
    char command[HISTORY_LINE_BYTES];
    int count = reference_revoke(&pair->reference, user, session);

    (void)snprintf(command, sizeof(command),
                   "{'command':'invalidateSession','userId':'u%d','sessionId':'s%d'}", user,
                   session);
    run(pair, command, pair_text("'data':{'connections':%d}", count));
}

void play_revoke_user(struct pair *pair)
{
    int user = (int)pair_random(pair, REF_USERS);
    int except = pair_chance(pair, 2) ? play_choose_session(pair, user) : REF_NONE;
    bool unless_bound = pair_chance(pair, 2);
    int64_t before_s = pair->world.now.wall_s;
    char command[HISTORY_LINE_BYTES];
    size_t length =
        (size_t)snprintf(command, sizeof(command), "{'command':'invalidateUser','userId':'u%d'%s",
                         user, unless_bound ? ",'unlessBound':true" : "");

    if (except != REF_NONE) {
        length += (size_t)snprintf(command + length, sizeof(command) - length,
                                   ",'exceptSessionId':'s%d'", except);
    }
    if (pair_chance(pair, 2)) {
        before_s += (int64_t)pair_random(pair, 6) - 3;
        length += (size_t)snprintf(command + length, sizeof(command) - length, ",'before':%lld",
                                   (long long)before_s);
    }
    (void)snprintf(command + length, sizeof(command) - length, "}");
    if (unless_bound && pair->reference.policy == INVIG_STRICT_ENFORCE &&
        pair->reference.users[user].bound != REF_NONE) {
        run(pair, command, "'data':{'bound':['e");
        return;
    }
    run(pair, command,
        pair_text("'data':{'connections':%d}",
                  reference_revoke_user(&pair->reference, user, except, before_s)));
}

void play_unblock(struct pair *pair)
{
    int user = (int)pair_random(pair, REF_USERS);
    int evaluation = (int)pair_random(pair, REF_EVALUATIONS);
    enum invig_said said = INVIG_SAID_NOTHING;
    int session = REF_NONE;
    char command[HISTORY_LINE_BYTES];
    const char *name = pair_chance(pair, 2) ? choose_name(pair, user, &said, &session) : "";

    (void)snprintf(command, sizeof(command),
                   "{'command':'unblock','userId':'u%d','evaluationId':'e%d'%s%s}", user,
                   evaluation, name[0] == '\0' ? "" : ",", name);
    run(pair, command,
        reference_unblock(&pair->reference, user, evaluation, said, session) ? "'data':{}"
                                                                             : "'error':'");
}
