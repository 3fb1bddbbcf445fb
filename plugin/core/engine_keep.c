/* SPDX-License-Identifier: Apache-2.0
 *
 * engine_keep.c - the last messages about evaluations, kept where all brokers can find them: a
 * broker that starts knows in which phase an evaluation is. While it runs, messages come over
 * bridges.
 *
 * What is kept of a user's topic is the message. Of an evaluation it is what was read in it, so
 * that nobody has to read JSON here, and the message behind it:
 *
 *   1 phase strict_off version end_at       a tab between, a newline behind; "off" or nothing
 */
#include "engine_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD_BYTES = 256, VERSION_BYTES = 24 };

/* -- Keeping -- */

static bool engine_keep_text(struct invig_engine *engine, const struct invig_evaluation *evaluation,
                             struct invig_text user, struct invig_text text)
{
    return engine->share.keep(engine->share.context, invig_text_of(evaluation->id), user, text);
}

static int head_write(const struct invig_evaluation_record *record, char out[HEAD_BYTES])
{
    char version[VERSION_BYTES] = "";

    if (record->has_version) {
        (void)snprintf(version, sizeof(version), "%" PRId64, record->version);
    }
    return snprintf(out, HEAD_BYTES, "1\t%.*s\t%s\t%s\t%s\n", (int)record->phase.length,
                    record->phase.data, record->is_strict_off ? "off" : "", version,
                    record->end_at);
}

/* Returns whether it is kept. */
static bool engine_keep_evaluation(struct invig_engine *engine,
                                   const struct invig_evaluation *evaluation)
{
    const struct invig_evaluation_record *record = &evaluation->stored;
    const struct invig_text nothing = {NULL, 0};
    char head[HEAD_BYTES];
    bool is_kept;
    char *text;
    int length;

    if (record->message.data == NULL || record->phase.data == NULL) {
        return engine_keep_text(engine, evaluation, nothing, nothing);
    }
    length = head_write(record, head);
    text = malloc((size_t)length + record->message.length);
    if (text == NULL) {
        return false;
    }
    memcpy(text, head, (size_t)length);
    memcpy(text + length, record->message.data, record->message.length);
    is_kept = engine_keep_text(engine, evaluation, nothing,
                               (struct invig_text){text, (size_t)length + record->message.length});
    free(text);
    return is_kept;
}

static bool engine_keep_member(struct invig_engine *engine, const struct invig_member *member)
{
    return engine_keep_text(engine, member->evaluation, invig_user_text(member->user),
                            member->stored.message);
}

void invig_engine_keep_evaluation(struct invig_engine *engine, struct invig_evaluation *evaluation)
{
    if (engine->share.next != NULL) {
        evaluation->is_unkept =
            !engine->is_share_loaded || !engine_keep_evaluation(engine, evaluation);
        engine->has_unkept = engine->has_unkept || evaluation->is_unkept;
    }
}

void invig_engine_keep_member(struct invig_engine *engine, struct invig_member *member)
{
    if (engine->share.next != NULL) {
        member->is_unkept = !engine->is_share_loaded || !engine_keep_member(engine, member);
        engine->has_unkept = engine->has_unkept || member->is_unkept;
    }
}

/* Returns false when nothing can be kept now. */
static bool engine_keep_members(struct invig_engine *engine, const struct invig_evaluation *of)
{
    for (struct invig_member *each = of->first, *next; each != NULL; each = next) {
        next = each->evaluation_next;
        if (each->is_unkept) {
            if (!engine_keep_member(engine, each)) {
                return false;
            }
            each->is_unkept = false;
            if (invig_evaluations_release_member(&engine->evaluations, each)) {
                engine->held_member = engine->held_member == each ? NULL : engine->held_member;
            }
        }
    }
    return true;
}

void invig_engine_keep_all(struct invig_engine *engine)
{
    struct invig_evaluation *each = NULL;
    struct invig_evaluation *next;

    if (engine->has_unkept && engine->is_share_loaded) {
        each = invig_evaluations_next(&engine->evaluations, NULL);
    }
    for (; each != NULL; each = next) {
        next = invig_evaluations_next(&engine->evaluations, each);
        if (each->is_unkept && !engine_keep_evaluation(engine, each)) {
            return;
        }
        each->is_unkept = false;
        if (!engine_keep_members(engine, each)) {
            return;
        }
        invig_engine_release_evaluation(engine, each);
    }
    engine->has_unkept = engine->has_unkept && !engine->is_share_loaded;
}

/* -- What is found -- */

/* Takes a field of the head, up to `end`, into `out`. */
static bool head_take(struct invig_text *rest, char end, struct invig_text *out)
{
    const char *at = rest->length == 0 ? NULL : memchr(rest->data, end, rest->length);

    if (at == NULL) {
        return false;
    }
    *out = (struct invig_text){rest->data, (size_t)(at - rest->data)};
    rest->data = at + 1;
    rest->length -= out->length + 1;
    return true;
}

static bool version_read(struct invig_text text, struct invig_evaluation_record *record)
{
    record->version = 0;
    record->has_version = text.length > 0;
    for (size_t i = 0; i < text.length; i++) {
        int digit = text.data[i] - '0';

        if (digit < 0 || digit > 9 || record->version > (INT64_MAX - digit) / 10) {
            return false;
        }
        record->version = record->version * 10 + digit;
    }
    return true;
}

/* Reads what is kept of an evaluation; the message is what is left of `text`. */
static bool head_read(struct invig_text *text, struct invig_evaluation_record *out_record)
{
    struct invig_text form;
    struct invig_text off;
    struct invig_text version;
    struct invig_text end_at;
    bool is_read = head_take(text, '\t', &form) && head_take(text, '\t', &out_record->phase) &&
                   head_take(text, '\t', &off) && head_take(text, '\t', &version) &&
                   head_take(text, '\n', &end_at);

    if (!is_read || !invig_text_equal(form, invig_text_of("1")) ||
        !version_read(version, out_record) || end_at.length > INVIG_TIMESTAMP_BYTES_MAX ||
        text->length > INVIG_UPDATE_BYTES_MAX) {
        return false;
    }
    memset(out_record->end_at, 0, sizeof(out_record->end_at));
    memcpy(out_record->end_at, end_at.data, end_at.length);
    out_record->is_strict_off = off.length > 0;
    return true;
}

/* Whether what was found is newer than what is known. Without a version, what is known is. */
static bool evaluation_is_older(const struct invig_evaluation *evaluation,
                                const struct invig_evaluation_record *found)
{
    return evaluation->record.message.data == NULL ||
           (found->has_version && evaluation->record.has_version &&
            found->version > evaluation->record.version);
}

static void engine_set_evaluation(struct invig_engine *engine, struct invig_evaluation *evaluation,
                                  const struct invig_evaluation_record *found, int phase,
                                  struct invig_text message)
{
    bool was_strict = evaluation->is_strict;

    invig_evaluations_set_message(&engine->evaluations, evaluation, message);
    evaluation->record.has_version = found->has_version;
    evaluation->record.version = found->version;
    memcpy(evaluation->record.end_at, found->end_at, sizeof(found->end_at));
    invig_evaluations_set_phase(&engine->evaluations, evaluation, phase, found->is_strict_off);
    for (struct invig_member *each = evaluation->first; each != NULL;
         each = each->evaluation_next) {
        invig_engine_record_phase(engine, each, was_strict);
    }
    if (invig_engine_commit_now(engine) != INVIG_OK) {
        return;
    }
    for (struct invig_member *each = evaluation->first; each != NULL;
         each = each->evaluation_next) {
        invig_engine_settle_phase(engine, each);
    }
    evaluation->is_unkept = false; /* it comes from there */
    invig_evaluations_add_republish(&engine->evaluations, evaluation);
}

static void engine_take_evaluation(struct invig_engine *engine, struct invig_text id,
                                   struct invig_text text)
{
    struct invig_evaluation_record found = {.has_version = false};
    struct invig_evaluation *evaluation = NULL;
    int phase =
        head_read(&text, &found) ? invig_policy_find_phase(engine->policy, found.phase) : -1;
    char *copy;

    if (phase < 0 || invig_evaluations_require(&engine->evaluations, id, &evaluation) != INVIG_OK) {
        return;
    }
    copy = evaluation_is_older(evaluation, &found) ? invig_text_copy(text) : NULL;
    if (copy != NULL) {
        engine_set_evaluation(engine, evaluation, &found, phase,
                              (struct invig_text){copy, text.length});
    }
    invig_engine_release_evaluation(engine, evaluation);
}

static void engine_take_member(struct invig_engine *engine, const struct invig_news *news)
{
    struct invig_member *member = NULL;
    char *copy;

    if (news->text.length > INVIG_UPDATE_BYTES_MAX ||
        invig_engine_require_member(engine, news->evaluation, news->user, &member) != INVIG_OK) {
        return;
    }
    copy = member->record.message.data == NULL ? invig_text_copy(news->text) : NULL;
    if (copy != NULL) {
        invig_evaluations_set_member_message(&engine->evaluations, member,
                                             (struct invig_text){copy, news->text.length});
        (void)invig_engine_commit_now(engine);
        member->is_unkept = false;
        member->has_topic = true;
        invig_evaluations_add_pending(&engine->evaluations, member,
                                      member->record.is_copy ? INVIG_MEMBER_COPY
                                                             : INVIG_MEMBER_MESSAGE);
    }
    invig_engine_release_member(engine, member);
}

void invig_engine_take_topic(struct invig_engine *engine, const struct invig_news *news)
{
    if (engine->is_share_loaded || news->text.length == 0) {
        return; /* what is said now comes over bridges */
    }
    invig_journal_set_mark(&engine->journal);
    if (news->user.data == NULL) {
        engine_take_evaluation(engine, news->evaluation, news->text);
    } else {
        engine_take_member(engine, news);
    }
}
