/* SPDX-License-Identifier: Apache-2.0
 *
 * staterow.c - see staterow.h.
 */
#include "staterow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 15, WORDS_MAX = 10, LONG_BYTES_MIN = INVIG_ID_BYTES_MAX + 1 };

/* What a column's byte says. */
enum content {
    CONTENT_USUAL,    /* and all below CONTENT_WORD: what a sound row has */
    CONTENT_WORD = 6, /* a byte: one of the column's words */
    CONTENT_SMALL,    /* a byte */
    CONTENT_NEAR,     /* two bytes: seconds from now, or behind it */
    CONTENT_INTEGER,  /* eight bytes */
    CONTENT_REAL,     /* a byte: its half */
    CONTENT_TEXT,     /* a byte of length, the bytes */
    CONTENT_LONG,     /* two bytes: a text longer than any id */
    CONTENT_BLOB,     /* a byte: its length */
    CONTENT_NULL,
    CONTENT_COUNT
};

/* The words of a column; the first is the usual one. A number is one if it begins with '='. */
struct column {
    const char *words[WORDS_MAX];
};

#define USER                                                                                       \
    {                                                                                              \
        {                                                                                          \
            "u0", "u1", "u2", "u3", "", "a/b", "$x", "\xFF"                                        \
        }                                                                                          \
    }
#define EVALUATION                                                                                 \
    {                                                                                              \
        {                                                                                          \
            "e0", "e1", "e2", "", "+", "#"                                                         \
        }                                                                                          \
    }
#define SESSION                                                                                    \
    {                                                                                              \
        {                                                                                          \
            "s0", "s1", "s2", "s3", "s4", "", "a/b", "\x01"                                        \
        }                                                                                          \
    }
#define PHASE                                                                                      \
    {                                                                                              \
        {                                                                                          \
            "IN_PROGRESS", "REGISTRATION", "NEW", "GONE", "", "in_progress"                        \
        }                                                                                          \
    }
#define END                                                                                        \
    {                                                                                              \
        {                                                                                          \
            NULL, "SUPERSEDED", "REVOKED", "EXPIRED", ""                                           \
        }                                                                                          \
    }
#define ACCESS                                                                                     \
    {                                                                                              \
        {                                                                                          \
            "ALLOWED", NULL, "BLOCKED", "DENIED", "", "allowed"                                    \
        }                                                                                          \
    }
#define END_AT                                                                                     \
    {                                                                                              \
        {                                                                                          \
            NULL, "2026-11-24T09:30:00Z", "2026-11-24T09:30:00", "2027-13-01T00:00:00Z"            \
        }                                                                                          \
    }
#define MESSAGE                                                                                    \
    {                                                                                              \
        {                                                                                          \
            "{\"type\":\"EVALUATION_UPDATE\"}", NULL, "{}", "[]", "{", ""                          \
        }                                                                                          \
    }
#define TIME                                                                                       \
    {                                                                                              \
        {                                                                                          \
            "=1800000000", "=0", "=1799999999", "=1900000000", "=253402300800", NULL               \
        }                                                                                          \
    }
#define SERIAL                                                                                     \
    {                                                                                              \
        {                                                                                          \
            "=1", "=2", "=3", "=4", "=0", "=-1", "=-2", "=9223372036854775807"                     \
        }                                                                                          \
    }
#define RELEASED                                                                                   \
    {                                                                                              \
        {                                                                                          \
            "=0", "=1", "=2", "=-1", "=-9223372036854775808"                                       \
        }                                                                                          \
    }
#define VERSION                                                                                    \
    {                                                                                              \
        {                                                                                          \
            NULL, "=0", "=5", "=9223372036854775807", "=-1"                                        \
        }                                                                                          \
    }
#define NO                                                                                         \
    {                                                                                              \
        {                                                                                          \
            "=0", "=1", "=2"                                                                       \
        }                                                                                          \
    }
#define YES                                                                                        \
    {                                                                                              \
        {                                                                                          \
            "=1", "=0", "=-1"                                                                      \
        }                                                                                          \
    }

/* Tables with their columns in the order of sqliteschema.c. */
static const struct {
    const char *name;
    const char *keys;
    const char *columns;
    int column_count;
    struct column words[COLUMNS_MAX];
} tables[KIND_COUNT] = {
    [KIND_USER] = {"users",
                   "user",
                   "user, newest_login, revoked_before, kept_until",
                   4,
                   {USER, TIME, {{NULL, "=1800000000", "=0", "=1900000000"}}, TIME}},
    [KIND_SESSION] = {"sessions",
                      "user, session",
                      "user, session, serial, login, login_is_lasting, is_single, is_current,"
                      " is_turned_away, ended, kept_until",
                      10,
                      {USER, SESSION, SERIAL, TIME, NO, YES, YES, NO, END, TIME}},
    [KIND_EVALUATION] = {"evaluations",
                         "evaluation",
                         "evaluation, phase, is_strict_off, version, end_at, message",
                         6,
                         {EVALUATION, PHASE, NO, VERSION, END_AT, MESSAGE}},
    [KIND_MEMBER] = {"members",
                     "user, evaluation",
                     "user, evaluation, access, access_since, is_finished, version, message,"
                     " is_copy, is_bound, released_serial, is_shared_reported, is_blocked,"
                     " blocked_since, was_student, has_connected",
                     15,
                     {USER, EVALUATION, ACCESS, TIME, NO, VERSION, MESSAGE, NO, YES, RELEASED, NO,
                      NO, TIME, YES, YES}},
    [KIND_CLEARED] = {"cleared",
                      "evaluation, user",
                      "evaluation, user, kept_until",
                      3,
                      {EVALUATION, USER, TIME}},
};

uint8_t staterow_take_byte(struct course *course)
{
    uint8_t byte = course->size == 0 ? 0 : course->data[0];

    course->data += course->size > 0;
    course->size -= course->size > 0;
    return byte;
}

/* -- The database -- */

static void run(sqlite3 *db, const char *sql)
{
    course_must(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, sql);
}

/* As a hand that edits the schema leaves them: any column takes anything. */
static void tables_loosen(sqlite3 *db)
{
    char sql[512];

    for (int kind = 0; kind < KIND_COUNT; kind++) {
        (void)snprintf(sql, sizeof(sql), "DROP TABLE %s; CREATE TABLE %s(%s, UNIQUE(%s))",
                       tables[kind].name, tables[kind].name, tables[kind].columns,
                       tables[kind].keys);
        run(db, sql);
    }
}

static void insert_prepare(struct database *database, int kind)
{
    char sql[128] = "?";

    for (int i = 1; i < tables[kind].column_count; i++) {
        strcat(sql, ",?");
    }
    char *insert = sqlite3_mprintf("INSERT OR REPLACE INTO %s VALUES(%s)", tables[kind].name, sql);
    course_must(insert != NULL && sqlite3_prepare_v2(database->store.db, insert, -1,
                                                     &database->inserts[kind], NULL) == SQLITE_OK,
                "insert");
    sqlite3_free(insert);
}

static void database_make(struct database *database, bool is_loose)
{
    course_must(sqlite3_open(":memory:", &database->store.db) == SQLITE_OK, "database");
    course_must(invig_sqliteschema_update(database->store.db, 0) == SQLITE_OK, "schema");
    if (is_loose) {
        tables_loosen(database->store.db);
    }
    course_must(invig_sqlitestore_prepare(&database->store) == SQLITE_OK, "statements");
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        insert_prepare(database, kind);
    }
}

struct database *staterow_database(bool is_loose)
{
    static struct database databases[2];
    struct database *database = &databases[is_loose];

    if (database->store.db == NULL) {
        database_make(database, is_loose);
    }
    run(database->store.db, "DELETE FROM users; DELETE FROM sessions; DELETE FROM evaluations;"
                            " DELETE FROM members; DELETE FROM cleared");
    database->store.sweep = (struct sqlite_sweep){.kind = KIND_SESSION};
    return database;
}

/* -- Rows -- */

static int64_t take_integer(struct course *course, int bytes)
{
    uint64_t number = 0;

    for (int i = 0; i < bytes; i++) {
        number = number << 8 | staterow_take_byte(course);
    }
    return (int64_t)number;
}

static int bind_word(sqlite3_stmt *insert, int index, const char *word)
{
    if (word == NULL) {
        return sqlite3_bind_null(insert, index);
    }
    return word[0] == '=' ? sqlite3_bind_int64(insert, index, strtoll(word + 1, NULL, 10))
                          : sqlite3_bind_text(insert, index, word, -1, SQLITE_STATIC);
}

static const char *word_choose(const struct column *column, uint8_t choice)
{
    size_t count = WORDS_MAX;

    while (count > 1 && column->words[count - 1] == NULL) {
        count--;
    }
    return column->words[choice % (count + 1) % WORDS_MAX]; /* and NULL */
}

static int bind_text(struct course *course, sqlite3_stmt *insert, int index)
{
    size_t length = staterow_take_byte(course);
    const char *bytes;

    length = length < course->size ? length : course->size;
    bytes = length == 0 ? "" : (const char *)course->data;
    course->data += length;
    course->size -= length;
    return sqlite3_bind_text(insert, index, bytes, (int)length, SQLITE_TRANSIENT);
}

static int bind_long(sqlite3_stmt *insert, int index, int length)
{
    static char text[LONG_BYTES_MIN + 65535];

    memset(text, 'x', sizeof(text));
    return sqlite3_bind_text(insert, index, text, length, SQLITE_STATIC);
}

/* Ids of users and evaluations are words, or none at all: what is checked asks about those alone.
 */
static uint8_t take_content(struct course *course, const struct column *column)
{
    uint8_t content = staterow_take_byte(course) % CONTENT_COUNT;
    char first = column->words[0] == NULL ? '\0' : column->words[0][0];

    return (first == 'u' || first == 'e') && content >= CONTENT_SMALL && content <= CONTENT_TEXT
               ? CONTENT_WORD
               : content;
}

static int bind_column(struct course *course, sqlite3_stmt *insert, int index,
                       const struct column *column)
{
    switch (take_content(course, column)) {
    case CONTENT_WORD:
        return bind_word(insert, index, word_choose(column, staterow_take_byte(course)));
    case CONTENT_SMALL:
        return sqlite3_bind_int(insert, index, staterow_take_byte(course));
    case CONTENT_NEAR:
        return sqlite3_bind_int64(insert, index, STATEROW_NOW_S + (int16_t)take_integer(course, 2));
    case CONTENT_INTEGER:
        return sqlite3_bind_int64(insert, index, take_integer(course, 8));
    case CONTENT_REAL:
        return sqlite3_bind_double(insert, index, staterow_take_byte(course) / 2.0);
    case CONTENT_TEXT:
        return bind_text(course, insert, index);
    case CONTENT_LONG:
        return bind_long(insert, index, LONG_BYTES_MIN + (int)take_integer(course, 2));
    case CONTENT_BLOB:
        return sqlite3_bind_zeroblob(insert, index, staterow_take_byte(course));
    case CONTENT_NULL:
        return sqlite3_bind_null(insert, index);
    default:
        return bind_word(insert, index, column->words[0]);
    }
}

/* A table that does not take the row is as good as one without it. */
void staterow_insert(struct database *database, struct course *course)
{
    int kind = staterow_take_byte(course) % KIND_COUNT;
    sqlite3_stmt *insert = database->inserts[kind];

    for (int i = 0; i < tables[kind].column_count; i++) {
        course_must(bind_column(course, insert, i + 1, &tables[kind].words[i]) == SQLITE_OK,
                    "bind");
    }
    (void)sqlite3_step(insert);
    (void)sqlite3_reset(insert);
    (void)sqlite3_clear_bindings(insert);
}
