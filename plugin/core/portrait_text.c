/* SPDX-License-Identifier: Apache-2.0
 *
 * portrait_text.c - see portrait.h: the text that travels. It comes from a server that is not ours,
 * so nothing is taken that this file would not have written.
 */
#include "invigilator/portrait.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LINE_BYTES_MAX = 512, /* two ids, and what else a line has */
    NUMBER_DIGITS_MAX = 19
};

static const char FORM[] = "1\n";

/* A flag of a record and its letter. */
struct flag {
    size_t offset; /* of a bool in the record */
    char letter;
};

static const struct flag session_flags[] = {
    {offsetof(struct invig_session_record, login_is_lasting), 'l'},
    {offsetof(struct invig_session_record, is_single), 's'},
    {offsetof(struct invig_session_record, is_current), 'c'},
    {offsetof(struct invig_session_record, is_turned_away), 't'},
};

static const struct flag member_flags[] = {
    {offsetof(struct invig_member_record, is_bound), 'b'},
    {offsetof(struct invig_member_record, is_blocked), 'k'},
    {offsetof(struct invig_member_record, is_finished), 'f'},
    {offsetof(struct invig_member_record, is_copy), 'p'},
    {offsetof(struct invig_member_record, is_shared_reported), 'r'},
    {offsetof(struct invig_member_record, was_student), 's'},
    {offsetof(struct invig_member_record, has_connected), 'c'},
};

enum {
    SESSION_FLAG_COUNT = sizeof(session_flags) / sizeof(session_flags[0]),
    MEMBER_FLAG_COUNT = sizeof(member_flags) / sizeof(member_flags[0])
};

/* -- Writing -- */

struct writer {
    char *text; /* with room for all */
    size_t length;
};

/* A field, and what stands behind it. */
static void write_text(struct writer *writer, struct invig_text field, char behind)
{
    if (field.length > 0) {
        memcpy(writer->text + writer->length, field.data, field.length);
        writer->length += field.length;
    }
    writer->text[writer->length++] = behind;
}

static void write_number(struct writer *writer, bool has, int64_t number, char behind)
{
    char digits[NUMBER_DIGITS_MAX + 2];

    (void)snprintf(digits, sizeof(digits), "%" PRId64, number);
    write_text(writer, has ? invig_text_of(digits) : (struct invig_text){NULL, 0}, behind);
}

static void write_flags(struct writer *writer, const struct flag *flags, size_t count,
                        const void *record, char behind)
{
    char letters[MEMBER_FLAG_COUNT];
    size_t length = 0;

    for (size_t i = 0; i < count; i++) {
        if (*(const bool *)((const char *)record + flags[i].offset)) {
            letters[length++] = flags[i].letter;
        }
    }
    write_text(writer, (struct invig_text){letters, length}, behind);
}

static void write_user(struct writer *writer, const struct invig_user_record *record)
{
    write_text(writer, invig_text_of("U"), '\t');
    write_number(writer, record->has_newest_login, record->newest_login_s, '\t');
    write_number(writer, record->has_revoked_before, record->revoked_before_s, '\t');
    write_number(writer, true, record->kept_until_s, '\n');
}

static void write_session(struct writer *writer, const struct invig_portrait_session *session)
{
    const struct invig_session_record *record = &session->record;

    write_text(writer, invig_text_of("S"), '\t');
    write_text(writer, session->id, '\t');
    write_number(writer, record->has_login, record->login_s, '\t');
    write_number(writer, true, record->kept_until_s, '\t');
    write_number(writer, true, (int64_t)record->end, '\t');
    write_flags(writer, session_flags, SESSION_FLAG_COUNT, record, '\n');
}

static void write_member(struct writer *writer, const struct invig_portrait_member *member)
{
    const struct invig_member_record *record = &member->record;

    write_text(writer, invig_text_of("M"), '\t');
    write_text(writer, member->evaluation, '\t');
    write_number(writer, true, (int64_t)record->access, '\t');
    write_number(writer, true, record->access_since_s, '\t');
    write_number(writer, record->has_version, record->version, '\t');
    write_number(writer, true, record->blocked_since_s, '\t');
    write_flags(writer, member_flags, MEMBER_FLAG_COUNT, record, '\t');
    write_text(writer, member->released, '\n');
}

static void write_presence(struct writer *writer, const struct invig_portrait_presence *presence)
{
    write_text(writer, invig_text_of("B"), '\t');
    write_text(writer, presence->broker, '\t');
    write_number(writer, true, (int64_t)presence->count, '\t');
    write_number(writer, true, presence->since_s, '\n');
}

struct invig_text invig_portrait_write(const struct invig_portrait *portrait)
{
    size_t lines = 2 + portrait->session_count + portrait->member_count + portrait->presence_count;
    struct writer writer = {malloc(lines * LINE_BYTES_MAX), 0};

    if (writer.text == NULL) {
        return (struct invig_text){NULL, 0};
    }
    memcpy(writer.text, FORM, sizeof(FORM) - 1);
    writer.length = sizeof(FORM) - 1;
    write_user(&writer, &portrait->user);
    for (size_t i = 0; i < portrait->session_count; i++) {
        write_session(&writer, &portrait->sessions[i]);
    }
    for (size_t i = 0; i < portrait->member_count; i++) {
        write_member(&writer, &portrait->members[i]);
    }
    for (size_t i = 0; i < portrait->presence_count; i++) {
        write_presence(&writer, &portrait->presences[i]);
    }
    return (struct invig_text){writer.text, writer.length};
}

/* -- Reading -- */

/* Takes a field, which ends at a tab or at the end of the line. */
static bool take_field(struct invig_text *rest, struct invig_text *out_field)
{
    size_t length = 0;

    while (length < rest->length && rest->data[length] != '\t' && rest->data[length] != '\n') {
        length++;
    }
    if (length == rest->length) {
        return false;
    }
    *out_field = (struct invig_text){rest->data, length};
    rest->data += length + 1;
    rest->length -= length + 1;
    return true;
}

/* As write_number writes it, and in no other way. */
static bool number_parse(struct invig_text text, int64_t *out_number)
{
    bool is_negative = text.length > 1 && text.data[0] == '-';
    char again[NUMBER_DIGITS_MAX + 2];
    int64_t number = 0;

    if (text.length == 0 || text.length > NUMBER_DIGITS_MAX + 1) {
        return false;
    }
    for (size_t i = is_negative; i < text.length; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' ||
            number > (INT64_MAX - (text.data[i] - '0')) / 10) {
            return false;
        }
        number = number * 10 + (text.data[i] - '0');
    }
    *out_number = is_negative ? -number : number;
    (void)snprintf(again, sizeof(again), "%" PRId64, *out_number);
    return invig_text_equal(text, invig_text_of(again));
}

/* An empty field is none. */
static bool take_optional(struct invig_text *line, bool *out_has, int64_t *out_number)
{
    struct invig_text field;

    *out_number = 0;
    if (!take_field(line, &field)) {
        return false;
    }
    *out_has = field.length > 0;
    return !*out_has || number_parse(field, out_number);
}

static bool take_number(struct invig_text *line, int64_t *out_number)
{
    bool has = false;

    return take_optional(line, &has, out_number) && has;
}

/* A number from 0 to `maximum`. */
static bool take_choice(struct invig_text *line, int64_t maximum, unsigned *out_number)
{
    int64_t number;

    if (!take_number(line, &number) || number < 0 || number > maximum) {
        return false;
    }
    *out_number = (unsigned)number;
    return true;
}

static bool take_flags(struct invig_text *line, const struct flag *flags, size_t count,
                       void *record)
{
    struct invig_text field;
    size_t at = 0;

    if (!take_field(line, &field)) {
        return false;
    }
    for (size_t i = 0; i < count && at < field.length; i++) {
        if (flags[i].letter == field.data[at]) {
            *(bool *)((char *)record + flags[i].offset) = true;
            at++;
        }
    }
    return at == field.length;
}

static bool take_id(struct invig_text *line, struct invig_text *out_id)
{
    return take_field(line, out_id) && invig_text_is_id(*out_id);
}

static bool read_user(struct invig_text *line, struct invig_portrait *portrait)
{
    struct invig_user_record *user = &portrait->user;

    return take_optional(line, &user->has_newest_login, &user->newest_login_s) &&
           take_optional(line, &user->has_revoked_before, &user->revoked_before_s) &&
           take_number(line, &user->kept_until_s);
}

static bool read_session(struct invig_text *line, struct invig_portrait *portrait)
{
    struct invig_portrait_session *session = &portrait->sessions[portrait->session_count++];
    struct invig_session_record *record = &session->record;
    unsigned end = 0;
    bool is_read =
        take_id(line, &session->id) && take_optional(line, &record->has_login, &record->login_s) &&
        take_number(line, &record->kept_until_s) && take_choice(line, INVIG_END_REVOKED, &end) &&
        take_flags(line, session_flags, SESSION_FLAG_COUNT, record);

    record->end = (enum invig_end)end;
    return is_read && (!record->is_current || (record->end == INVIG_END_NONE &&
                                               !record->is_turned_away && record->is_single));
}

static bool read_member(struct invig_text *line, struct invig_portrait *portrait)
{
    struct invig_portrait_member *member = &portrait->members[portrait->member_count++];
    struct invig_member_record *record = &member->record;
    unsigned access = 0;
    bool is_read = take_id(line, &member->evaluation) &&
                   take_choice(line, INVIG_ACCESS_BLOCKED, &access) &&
                   take_number(line, &record->access_since_s) &&
                   take_optional(line, &record->has_version, &record->version) &&
                   record->version >= 0 && take_number(line, &record->blocked_since_s) &&
                   take_flags(line, member_flags, MEMBER_FLAG_COUNT, record) &&
                   take_field(line, &member->released);

    record->access = (enum invig_access)access;
    if (is_read && member->released.length == 0) {
        member->released.data = NULL;
        return true;
    }
    return is_read && invig_text_is_id(member->released);
}

static bool read_presence(struct invig_text *line, struct invig_portrait *portrait)
{
    struct invig_portrait_presence *presence = &portrait->presences[portrait->presence_count++];

    return take_id(line, &presence->broker) && take_choice(line, INT32_MAX, &presence->count) &&
           presence->count > 0 && take_number(line, &presence->since_s);
}

/* Lines of a kind come together, in this order. */
static const struct {
    const char *kind;
    bool (*read)(struct invig_text *line, struct invig_portrait *portrait);
} kinds[] = {{"U", read_user}, {"S", read_session}, {"M", read_member}, {"B", read_presence}};

enum { KIND_COUNT = sizeof(kinds) / sizeof(kinds[0]) };

/* Takes a line. *at is the kind of the one before. */
static bool read_line(struct invig_text *rest, size_t *at, struct invig_portrait *portrait)
{
    const char *end = memchr(rest->data, '\n', rest->length);
    struct invig_text line;
    struct invig_text kind;

    if (end == NULL) {
        return false;
    }
    line = (struct invig_text){rest->data, (size_t)(end - rest->data) + 1};
    rest->data += line.length;
    rest->length -= line.length;
    if (!take_field(&line, &kind)) {
        return false;
    }
    while (*at < KIND_COUNT && !invig_text_equal(kind, invig_text_of(kinds[*at].kind))) {
        (*at)++;
    }
    return *at < KIND_COUNT && kinds[*at].read(&line, portrait) && line.length == 0;
}

/* How many lines begin with `kind`. */
static size_t text_count(struct invig_text text, char kind)
{
    size_t count = 0;

    for (size_t i = 1; i < text.length; i++) {
        count += text.data[i - 1] == '\n' && text.data[i] == kind;
    }
    return count;
}

enum invig_status invig_portrait_read(struct invig_text text, struct invig_portrait *out_portrait)
{
    enum invig_status status = invig_portrait_init(out_portrait, text_count(text, 'S'),
                                                   text_count(text, 'M'), text_count(text, 'B'));
    struct invig_text form = {FORM, sizeof(FORM) - 1};
    struct invig_text rest = text;
    size_t at = 0;

    if (status != INVIG_OK || text.length == 0) {
        return status;
    }
    if (!invig_text_has_prefix(text, form) || text_count(text, 'U') != 1) {
        return INVIG_ERR_FORMAT;
    }
    rest.data += form.length;
    rest.length -= form.length;
    while (rest.length > 0) {
        if (!read_line(&rest, &at, out_portrait)) {
            return INVIG_ERR_FORMAT;
        }
    }
    return invig_portrait_is_sorted(out_portrait) ? INVIG_OK : INVIG_ERR_FORMAT;
}
