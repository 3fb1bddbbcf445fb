/* SPDX-License-Identifier: Apache-2.0
 *
 * sqliterecord.c - records as rows, by one description of the columns for both ways: what is
 * written obeys the same limits as what is read, so that no record of ours is refused at the next
 * start.
 */
#include "sqlitestore_private.h"

#include <stddef.h>
#include <string.h>

/* Times that the engine may add to without a thought: the last one there is, with as much again for
 * leeways and for days to be kept. */
#define TIME_S_MAX (2 * INVIG_TIME_S_MAX)

enum column_type {
    COLUMN_FLAG,      /* bool as 0 or 1 */
    COLUMN_NUMBER,    /* int64_t, 0..maximum */
    COLUMN_OPTIONAL,  /* likewise; NULL where the bool at `has` is false */
    COLUMN_SERIAL,    /* uint64_t; maximum 0: may be 0 */
    COLUMN_TEXT,      /* struct invig_text of 1..maximum bytes; NULL where it is absent */
    COLUMN_TIMESTAMP, /* char[], RFC 3339; NULL where it is empty */
    COLUMN_END,       /* enum invig_end */
    COLUMN_ACCESS     /* enum invig_access */
};

struct column {
    enum column_type type;
    size_t offset;
    int64_t maximum;
    size_t has;
};

#define USER(member)       offsetof(struct invig_user_record, member)
#define SESSION(member)    offsetof(struct invig_session_record, member)
#define EVALUATION(member) offsetof(struct invig_evaluation_record, member)
#define MEMBER(member)     offsetof(struct invig_member_record, member)

/* In the order of the statements in sqlitestore.c. */
static const struct column user_columns[] = {
    {COLUMN_OPTIONAL, USER(newest_login_s), TIME_S_MAX, USER(has_newest_login)},
    {COLUMN_OPTIONAL, USER(revoked_before_s), TIME_S_MAX, USER(has_revoked_before)},
    {COLUMN_NUMBER, USER(kept_until_s), TIME_S_MAX, 0},
};

static const struct column session_columns[] = {
    {COLUMN_SERIAL, SESSION(serial), 1, 0},
    {COLUMN_OPTIONAL, SESSION(login_s), TIME_S_MAX, SESSION(has_login)},
    {COLUMN_FLAG, SESSION(login_is_lasting), 0, 0},
    {COLUMN_FLAG, SESSION(is_single), 0, 0},
    {COLUMN_FLAG, SESSION(is_current), 0, 0},
    {COLUMN_FLAG, SESSION(is_turned_away), 0, 0},
    {COLUMN_END, SESSION(end), 0, 0},
    {COLUMN_NUMBER, SESSION(kept_until_s), TIME_S_MAX, 0},
};

static const struct column evaluation_columns[] = {
    {COLUMN_TEXT, EVALUATION(phase), INVIG_PHASE_BYTES_MAX, 0},
    {COLUMN_FLAG, EVALUATION(is_strict_off), 0, 0},
    {COLUMN_OPTIONAL, EVALUATION(version), INT64_MAX, EVALUATION(has_version)},
    {COLUMN_TIMESTAMP, EVALUATION(end_at), 0, 0},
    {COLUMN_TEXT, EVALUATION(message), INVIG_UPDATE_COPY_BYTES, 0},
};

static const struct column member_columns[] = {
    {COLUMN_ACCESS, MEMBER(access), 0, 0},
    {COLUMN_NUMBER, MEMBER(access_since_s), TIME_S_MAX, 0},
    {COLUMN_FLAG, MEMBER(is_finished), 0, 0},
    {COLUMN_OPTIONAL, MEMBER(version), INT64_MAX, MEMBER(has_version)},
    {COLUMN_TEXT, MEMBER(message), INVIG_UPDATE_COPY_BYTES, 0},
    {COLUMN_FLAG, MEMBER(is_copy), 0, 0},
    {COLUMN_FLAG, MEMBER(is_bound), 0, 0},
    {COLUMN_SERIAL, MEMBER(released_serial), 0, 0},
    {COLUMN_FLAG, MEMBER(is_shared_reported), 0, 0},
    {COLUMN_FLAG, MEMBER(is_blocked), 0, 0},
    {COLUMN_NUMBER, MEMBER(blocked_since_s), TIME_S_MAX, 0},
    {COLUMN_FLAG, MEMBER(was_student), 0, 0},
    {COLUMN_FLAG, MEMBER(has_connected), 0, 0},
};

static const struct column cleared_columns[] = {
    {COLUMN_NUMBER, offsetof(struct invig_cleared_record, kept_until_s), TIME_S_MAX, 0},
};

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

static const struct {
    int key_count;
    const struct column *columns;
    int column_count;
} kinds[KIND_COUNT] = {
    [KIND_USER] = {1, user_columns, COUNT_OF(user_columns)},
    [KIND_SESSION] = {2, session_columns, COUNT_OF(session_columns)},
    [KIND_EVALUATION] = {1, evaluation_columns, COUNT_OF(evaluation_columns)},
    [KIND_MEMBER] = {2, member_columns, COUNT_OF(member_columns)},
    [KIND_CLEARED] = {2, cleared_columns, COUNT_OF(cleared_columns)},
};

/* A topic that was cleared may be of no user; a column that is part of a key is never NULL, so an
 * empty text says so. */
static bool key_is_absent(enum sqlite_kind kind, int index, struct invig_text key)
{
    return kind == KIND_CLEARED && index == 1 && key.length == 0;
}

/* The words of enums; NULL stands for the zero of each. */
static const struct {
    enum column_type type;
    unsigned value;
    const char *word;
} words[] = {
    {COLUMN_END, INVIG_END_NONE, NULL},
    {COLUMN_END, INVIG_END_SUPERSEDED, "SUPERSEDED"},
    {COLUMN_END, INVIG_END_REVOKED, "REVOKED"},
    {COLUMN_ACCESS, INVIG_ACCESS_UNSAID, NULL},
    {COLUMN_ACCESS, INVIG_ACCESS_ALLOWED, "ALLOWED"},
    {COLUMN_ACCESS, INVIG_ACCESS_DENIED, "DENIED"},
    {COLUMN_ACCESS, INVIG_ACCESS_BLOCKED, "BLOCKED"},
};

/* The word of a value; false where it has none that may be written. */
static bool word_of(enum column_type type, unsigned value, struct invig_text *out_word)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (words[i].type == type && words[i].value == value) {
            *out_word = invig_text_of(words[i].word);
            return true;
        }
    }
    return false;
}

/* The value of a word; an absent word is that of the zero. */
static bool word_find(enum column_type type, struct invig_text word, unsigned *out_value)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        bool is_it = word.data == NULL ? words[i].word == NULL
                                       : invig_text_equal(invig_text_of(words[i].word), word);
        if (words[i].type == type && is_it) {
            *out_value = words[i].value;
            return true;
        }
    }
    return false;
}

static bool text_fits(const struct column *column, struct invig_text text)
{
    if (text.data == NULL) {
        return true;
    }
    return column->type == COLUMN_TIMESTAMP
               ? invig_timestamp_is_valid(text)
               : text.length > 0 && text.length <= (size_t)column->maximum;
}

static enum invig_status bind_text(sqlite3_stmt *statement, int index, struct invig_text text)
{
    return invig_sqlitestore_status(
        sqlite3_bind_text64(statement, index, text.data, text.length, SQLITE_STATIC, SQLITE_UTF8));
}

static enum invig_status bind_number(sqlite3_stmt *statement, int index,
                                     const struct column *column, int64_t number)
{
    if (number < 0 || number > column->maximum) {
        return INVIG_ERR_INVALID;
    }
    return invig_sqlitestore_status(sqlite3_bind_int64(statement, index, number));
}

static enum invig_status bind_serial(sqlite3_stmt *statement, int index,
                                     const struct column *column, const uint64_t *serial)
{
    int64_t bits;

    memcpy(&bits, serial, sizeof bits);
    if (*serial == 0 && column->maximum != 0) {
        return INVIG_ERR_INVALID;
    }
    return invig_sqlitestore_status(sqlite3_bind_int64(statement, index, bits));
}

static enum invig_status bind_checked_text(sqlite3_stmt *statement, int index,
                                           const struct column *column, struct invig_text text)
{
    return text_fits(column, text) ? bind_text(statement, index, text) : INVIG_ERR_INVALID;
}

static enum invig_status bind_word(sqlite3_stmt *statement, int index, enum column_type type,
                                   unsigned value)
{
    struct invig_text word;

    return word_of(type, value, &word) ? bind_text(statement, index, word) : INVIG_ERR_INVALID;
}

static struct invig_text timestamp_text(const char *timestamp)
{
    return invig_text_of(timestamp[0] == '\0' ? NULL : timestamp);
}

static enum invig_status bind_column(sqlite3_stmt *statement, int index,
                                     const struct column *column, const char *record)
{
    const void *member = record + column->offset;

    switch (column->type) {
    case COLUMN_FLAG:
        return invig_sqlitestore_status(sqlite3_bind_int(statement, index, *(const bool *)member));
    case COLUMN_NUMBER:
        return bind_number(statement, index, column, *(const int64_t *)member);
    case COLUMN_OPTIONAL:
        return *(const bool *)(const void *)(record + column->has)
                   ? bind_number(statement, index, column, *(const int64_t *)member)
                   : bind_text(statement, index, (struct invig_text){NULL, 0});
    case COLUMN_SERIAL:
        return bind_serial(statement, index, column, member);
    case COLUMN_TEXT:
        return bind_checked_text(statement, index, column, *(const struct invig_text *)member);
    case COLUMN_TIMESTAMP:
        return bind_checked_text(statement, index, column, timestamp_text(member));
    case COLUMN_END:
        return bind_word(statement, index, column->type, *(const enum invig_end *)member);
    case COLUMN_ACCESS:
        return bind_word(statement, index, column->type, *(const enum invig_access *)member);
    }
    return INVIG_ERR_INVALID;
}

enum invig_status invig_sqliterecord_bind(sqlite3_stmt *statement, enum sqlite_kind kind,
                                          const struct invig_text keys[2], const void *record)
{
    enum invig_status status = INVIG_OK;
    int key_count = kinds[kind].key_count;

    for (int i = 0; i < key_count && status == INVIG_OK; i++) {
        if (key_is_absent(kind, i, keys[i])) {
            status = bind_text(statement, i + 1, invig_text_of(""));
        } else {
            status = invig_text_is_id(keys[i]) ? bind_text(statement, i + 1, keys[i])
                                               : INVIG_ERR_INVALID;
        }
    }
    for (int i = 0; record != NULL && i < kinds[kind].column_count && status == INVIG_OK; i++) {
        status = bind_column(statement, key_count + i + 1, &kinds[kind].columns[i], record);
    }
    return status;
}

/* The readers below return false for what cannot be. The tables are STRICT; a hand that edits the
 * schema can change that, so types are looked at. */

static bool read_number(sqlite3_stmt *statement, int index, int64_t maximum, int64_t *out)
{
    *out = sqlite3_column_int64(statement, index);
    return sqlite3_column_type(statement, index) == SQLITE_INTEGER && *out >= 0 && *out <= maximum;
}

static bool read_flag(sqlite3_stmt *statement, int index, bool *out)
{
    int64_t number;
    bool is_flag = read_number(statement, index, 1, &number);

    *out = number != 0;
    return is_flag;
}

static bool read_optional(sqlite3_stmt *statement, int index, int64_t maximum, bool *out_has,
                          int64_t *out)
{
    *out_has = sqlite3_column_type(statement, index) != SQLITE_NULL;
    return !*out_has || read_number(statement, index, maximum, out);
}

static bool read_serial(sqlite3_stmt *statement, int index, const struct column *column,
                        uint64_t *out)
{
    int64_t bits = sqlite3_column_int64(statement, index);

    memcpy(out, &bits, sizeof *out);
    return sqlite3_column_type(statement, index) == SQLITE_INTEGER &&
           (*out != 0 || column->maximum == 0);
}

static bool read_text(sqlite3_stmt *statement, int index, struct invig_text *out)
{
    int type = sqlite3_column_type(statement, index);

    *out = (struct invig_text){NULL, 0};
    if (type == SQLITE_TEXT) {
        out->data = (const char *)sqlite3_column_text(statement, index);
        out->length = (size_t)sqlite3_column_bytes(statement, index);
    }
    return type == SQLITE_NULL || out->data != NULL;
}

static bool read_timestamp(sqlite3_stmt *statement, int index, const struct column *column,
                           char out[INVIG_TIMESTAMP_BYTES_MAX + 1])
{
    struct invig_text text;

    if (!read_text(statement, index, &text) || !text_fits(column, text)) {
        return false;
    }
    if (text.data != NULL) { /* no longer than INVIG_TIMESTAMP_BYTES_MAX, being valid */
        memcpy(out, text.data, text.length);
    }
    out[text.length] = '\0';
    return true;
}

static bool read_word(sqlite3_stmt *statement, int index, enum column_type type, unsigned *out)
{
    struct invig_text word;

    return read_text(statement, index, &word) && word_find(type, word, out);
}

static bool read_column(sqlite3_stmt *statement, int index, const struct column *column,
                        char *record)
{
    void *member = record + column->offset;
    unsigned value = 0;
    bool is_sound = false;

    switch (column->type) {
    case COLUMN_FLAG:
        return read_flag(statement, index, member);
    case COLUMN_NUMBER:
        return read_number(statement, index, column->maximum, member);
    case COLUMN_OPTIONAL:
        return read_optional(statement, index, column->maximum,
                             (bool *)(void *)(record + column->has), member);
    case COLUMN_SERIAL:
        return read_serial(statement, index, column, member);
    case COLUMN_TEXT:
        return read_text(statement, index, member) &&
               text_fits(column, *(struct invig_text *)member);
    case COLUMN_TIMESTAMP:
        return read_timestamp(statement, index, column, member);
    case COLUMN_END:
        is_sound = read_word(statement, index, column->type, &value);
        *(enum invig_end *)member = (enum invig_end)value;
        break;
    case COLUMN_ACCESS:
        is_sound = read_word(statement, index, column->type, &value);
        *(enum invig_access *)member = (enum invig_access)value;
        break;
    }
    return is_sound;
}

static bool read_row(sqlite3_stmt *statement, enum sqlite_kind kind, struct sqlite_row *row)
{
    int key_count = kinds[kind].key_count;

    for (int i = 0; i < key_count; i++) {
        if (!read_text(statement, i, &row->keys[i])) {
            return false;
        }
        if (row->keys[i].data != NULL && key_is_absent(kind, i, row->keys[i])) {
            row->keys[i] = (struct invig_text){NULL, 0};
        } else if (!invig_text_is_id(row->keys[i])) {
            return false;
        }
    }
    for (int i = 0; i < kinds[kind].column_count; i++) {
        if (!read_column(statement, key_count + i, &kinds[kind].columns[i], (char *)&row->record)) {
            return false;
        }
    }
    return true;
}

enum invig_status invig_sqliterecord_read(sqlite3_stmt *statement, enum sqlite_kind kind,
                                          struct sqlite_row *out_row)
{
    memset(out_row, 0, sizeof *out_row);
    if (read_row(statement, kind, out_row)) {
        return INVIG_OK;
    }
    /* A text is absent, too, when there is no memory to end it with a NUL. */
    return sqlite3_errcode(sqlite3_db_handle(statement)) == SQLITE_NOMEM ? INVIG_ERR_NO_MEMORY
                                                                         : INVIG_ERR_FORMAT;
}
