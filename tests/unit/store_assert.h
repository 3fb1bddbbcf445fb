/* SPDX-License-Identifier: Apache-2.0
 *
 * store_assert.h - what tests of the store in a file share: a directory of their own, what is in
 * it, and all records of a store as one text.
 */
#ifndef STORE_ASSERT_H
#define STORE_ASSERT_H

#include "sqlitestore.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

enum { DUMP_BYTES = 8388608, LISTING_BYTES = 4096, FILE_BYTES = 320 };

static char directory[32];
static char path[64];

static inline struct invig_text text(const char *string)
{
    return invig_text_of(string);
}

static inline int directory_make(void **state)
{
    (void)state;
    snprintf(directory, sizeof directory, "/tmp/invig_store_XXXXXX");
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/state.db", directory);
    return 0;
}

static inline int name_compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* The names in the directory, in order. Returns their number. */
static inline size_t directory_names(char names[16][256])
{
    DIR *dir = opendir(directory);
    size_t count = 0;

    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] != '.') {
            assert_true(count < 16);
            snprintf(names[count++], 256, "%s", entry->d_name);
        }
    }
    closedir(dir);
    qsort(names, count, 256, name_compare);
    return count;
}

/* The path of a file in the directory. */
static inline void file_path(char out[FILE_BYTES], const char *name)
{
    int length = snprintf(out, FILE_BYTES, "%s/%s", directory, name);

    assert_true(length > 0 && length < FILE_BYTES);
}

static inline int directory_remove(void **state)
{
    char names[16][256];
    char file[FILE_BYTES];
    size_t count = directory_names(names);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        file_path(file, names[i]);
        (void)remove(file);
    }
    return rmdir(directory);
}

/* Name, kind and permissions, length and a hash (FNV-1a) of every file; of a -shm, which is no more
 * than a shared cache, its name alone. */
static inline void directory_list(char out[LISTING_BYTES])
{
    char names[16][256];
    char file[FILE_BYTES];
    size_t count = directory_names(names);
    size_t at = 0;

    out[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        struct stat info;
        uint64_t hash = UINT64_C(14695981039346656037);
        file_path(file, names[i]);
        assert_int_equal(stat(file, &info), 0);
        FILE *stream = S_ISREG(info.st_mode) ? fopen(file, "rb") : NULL;
        for (int byte; stream != NULL && (byte = getc(stream)) != EOF;) {
            hash = (hash ^ (uint64_t)byte) * UINT64_C(1099511628211);
        }
        if (stream != NULL) {
            fclose(stream);
        }
        bool is_cache = strstr(names[i], "-shm") != NULL;
        at += (size_t)snprintf(out + at, LISTING_BYTES - at, "%s %o %lld %016" PRIx64 "\n",
                               names[i], info.st_mode, is_cache ? 0 : (long long)info.st_size,
                               is_cache ? 0 : hash);
    }
}

static inline struct invig_store store_open(void)
{
    struct invig_store store;
    char error[INVIG_STORE_ERROR_BYTES] = "untouched";

    if (invig_sqlitestore_open(path, false, &store, error) != INVIG_OK) {
        fail_msg("%s", error);
    }
    assert_string_equal(error, "untouched");
    return store;
}

/* The directory is then as it was before. */
static inline void assert_open_refused(enum invig_status expected, const char *part)
{
    struct invig_store store;
    char error[INVIG_STORE_ERROR_BYTES] = "";
    char before[LISTING_BYTES];
    char after[LISTING_BYTES];
    enum invig_status status;

    directory_list(before);
    status = invig_sqlitestore_open(path, false, &store, error);
    directory_list(after);
    if (status != expected) {
        fail_msg("%d instead of %d: %s", status, expected, error);
    }
    assert_string_equal(before, after);
    assert_memory_equal(error, "plugin_opt_state_file: found \"", 30);
    assert_non_null(strstr(error, ", expected "));
    assert_null(strpbrk(error, "\n\r\033"));
    if (strstr(error, part) == NULL) {
        fail_msg("no \"%s\" in: %s", part, error);
    }
}

struct dump {
    char text[DUMP_BYTES];
    size_t length;
    size_t stop_after; /* rows; 0: never */
    size_t count;
};

__attribute__((format(printf, 2, 3))) static inline enum invig_status dump_add(struct dump *dump,
                                                                               const char *format,
                                                                               ...)
{
    va_list arguments;

    va_start(arguments, format);
    dump->length +=
        (size_t)vsnprintf(dump->text + dump->length, DUMP_BYTES - dump->length, format, arguments);
    va_end(arguments);
    assert_true(dump->length < DUMP_BYTES);
    dump->count++;
    return dump->count == dump->stop_after ? INVIG_ERR_FULL : INVIG_OK;
}

#define T(text) (int)(text).length, (text).data == NULL ? "" : (text).data

static inline enum invig_status dump_user(void *context, struct invig_text user,
                                          const struct invig_user_record *r)
{
    return dump_add(context, "user %.*s %d:%" PRId64 " %d:%" PRId64 " %" PRId64 "\n", T(user),
                    r->has_newest_login, r->newest_login_s, r->has_revoked_before,
                    r->revoked_before_s, r->kept_until_s);
}

static inline enum invig_status dump_session(void *context, struct invig_text user,
                                             struct invig_text session,
                                             const struct invig_session_record *r)
{
    return dump_add(context,
                    "session %.*s %.*s #%" PRIu64 " %d:%" PRId64 " %d%d%d%d end %d %" PRId64 "\n",
                    T(user), T(session), r->serial, r->has_login, r->login_s, r->login_is_lasting,
                    r->is_single, r->is_current, r->is_turned_away, (int)r->end, r->kept_until_s);
}

static inline enum invig_status dump_evaluation(void *context, struct invig_text evaluation,
                                                const struct invig_evaluation_record *r)
{
    return dump_add(context, "evaluation %.*s %d[%.*s] %d %d:%" PRId64 " [%s] %d[%.*s]\n",
                    T(evaluation), r->phase.data != NULL, T(r->phase), r->is_strict_off,
                    r->has_version, r->version, r->end_at, r->message.data != NULL, T(r->message));
}

static inline enum invig_status dump_member(void *context, struct invig_text evaluation,
                                            struct invig_text user,
                                            const struct invig_member_record *r)
{
    return dump_add(context,
                    "member %.*s %.*s access %d %" PRId64 " %d %d:%" PRId64
                    " %d[%.*s] %d%d #%" PRIu64 " %d%d %" PRId64 " %d%d\n",
                    T(evaluation), T(user), (int)r->access, r->access_since_s, r->is_finished,
                    r->has_version, r->version, r->message.data != NULL, T(r->message), r->is_copy,
                    r->is_bound, r->released_serial, r->is_shared_reported, r->is_blocked,
                    r->blocked_since_s, r->was_student, r->has_connected);
}

static inline enum invig_status dump_cleared(void *context, struct invig_text evaluation,
                                             struct invig_text user,
                                             const struct invig_cleared_record *r)
{
    return dump_add(context, "cleared %.*s %d[%.*s] %" PRId64 "\n", T(evaluation),
                    user.data != NULL, T(user), r->kept_until_s);
}

static inline struct invig_store_reader dump_reader(struct dump *dump)
{
    dump->length = 0;
    dump->count = 0;
    dump->stop_after = 0;
    dump->text[0] = '\0';
    return (struct invig_store_reader){dump,        dump_user,   dump_session, dump_evaluation,
                                       dump_member, dump_cleared};
}

/* All that the store has. */
static inline const char *store_dump(const struct invig_store *store)
{
    static struct dump dump;
    struct invig_store_reader reader = dump_reader(&dump);

    assert_int_equal(store->load(store->context, &reader), INVIG_OK);
    return dump.text;
}

static inline void store_begin(const struct invig_store *store)
{
    assert_int_equal(store->begin(store->context), INVIG_OK);
}

static inline void store_commit(const struct invig_store *store)
{
    assert_int_equal(store->commit(store->context), INVIG_OK);
}

static inline enum invig_status put_user(const struct invig_store *store, const char *user,
                                         int64_t kept_until_s)
{
    const struct invig_user_record record = {.kept_until_s = kept_until_s};

    return store->put_user(store->context, text(user), &record);
}

static inline enum invig_status put_session(const struct invig_store *store, const char *user,
                                            const char *session, uint64_t serial,
                                            int64_t kept_until_s)
{
    const struct invig_session_record record = {.serial = serial, .kept_until_s = kept_until_s};

    return store->put_session(store->context, text(user), text(session), &record);
}

/* A store with a record in it; afterwards no other file is there. */
static inline void make_store(void)
{
    struct invig_store store = store_open();

    store_begin(&store);
    assert_int_equal(put_user(&store, "anna", 1), INVIG_OK);
    store_commit(&store);
    store.close(store.context);
}

#endif
