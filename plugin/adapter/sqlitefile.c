/* SPDX-License-Identifier: Apache-2.0
 *
 * sqlitefile.c - the file, before SQLite sees it: SQLite would write to some files by merely
 * opening them, and would wait for nobody to tell a file of another program from ours.
 *
 * The descriptor that is kept holds the lock that refuses a second broker. It is one of flock(2),
 * of the file itself: SQLite's own locks are of fcntl(2), which does not know of it, so that
 * sqlite3(1) can look into the file and back it up while the broker runs. (SQLite's locking_mode
 * EXCLUSIVE could not allow that, nor the checkpoint's own connection.)
 */
#include "sqlitestore_private.h"

#include "invigilator/logline.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    HEADER_BYTES = 100, /* https://www.sqlite.org/fileformat.html section 1.3 */
    HEADER_VERSION_AT = 60,
    HEADER_ID_AT = 68,
    ROOM_BYTES = 1024 * 1024, /* for what a start writes, and for some hundred logins */
    NAME_BYTES_MAX = 64,      /* of the file's name in an error line */
    FOUND_BYTES = 128         /* of what was found */
};

static const char header_magic[] = "SQLite format 3"; /* with its NUL */

enum invig_status invig_sqlitefile_refuse(const struct sqlite_file *file, enum invig_status status,
                                          const char *found, const char *expected,
                                          char error[INVIG_STORE_ERROR_BYTES])
{
    char name[4 * NAME_BYTES_MAX + 4];
    char escaped[FOUND_BYTES];

    invig_logline_escape(invig_text_of(file->name), NAME_BYTES_MAX, name, sizeof name);
    /* SQLite's texts may hold names of tables, and lines. */
    if (!invig_logline_escape(invig_text_of(found), FOUND_BYTES - 4, escaped, sizeof escaped)) {
        snprintf(escaped, sizeof escaped, "which cannot be used");
    }
    snprintf(error, INVIG_STORE_ERROR_BYTES, "plugin_opt_state_file: found \"%s\", %s, expected %s",
             name, escaped, expected);
    return status;
}

static enum invig_status file_refuse_errno(const struct sqlite_file *file, const char *what,
                                           int number, const char *expected,
                                           char error[INVIG_STORE_ERROR_BYTES])
{
    char found[FOUND_BYTES];

    snprintf(found, sizeof found, "%s (%s)", what, strerror(number));
    return invig_sqlitefile_refuse(file, INVIG_ERR_IO, found, expected, error);
}

static enum invig_status file_refuse_open(const struct sqlite_file *file, int number,
                                          char error[INVIG_STORE_ERROR_BYTES])
{
    return file_refuse_errno(file, "which cannot be opened", number,
                             "a file that the broker may write to", error);
}

static enum invig_status file_refuse_kind(const struct sqlite_file *file,
                                          char error[INVIG_STORE_ERROR_BYTES])
{
    return invig_sqlitefile_refuse(file, INVIG_ERR_IO, "which is no regular file",
                                   "a file, or none in a directory that there is", error);
}

static enum invig_status file_refuse_directory(const struct sqlite_file *file, int number,
                                               char error[INVIG_STORE_ERROR_BYTES])
{
    return file_refuse_errno(file, "in whose directory nothing can be written", number,
                             "a directory that the broker may write to", error);
}

/* The path with something behind it. */
static void path_of(const struct sqlite_file *file, const char *suffix,
                    char out[INVIG_STORE_PATH_BYTES])
{
    snprintf(out, INVIG_STORE_PATH_BYTES, "%.*s%s", INVIG_STORE_PATH_BYTES - 16, file->path,
             suffix);
}

static bool beside_exists(const struct sqlite_file *file, const char *suffix, off_t *out_bytes)
{
    char path[INVIG_STORE_PATH_BYTES];
    struct stat info;

    path_of(file, suffix, path);
    bool exists = stat(path, &info) == 0;
    *out_bytes = exists ? info.st_size : 0;
    return exists;
}

static void beside_remove(const struct sqlite_file *file, const char *suffix)
{
    char path[INVIG_STORE_PATH_BYTES];

    path_of(file, suffix, path);
    (void)unlink(path);
}

/* SQLite takes "file:..." for a URI and ":memory:" for no file. */
static void file_name(struct sqlite_file *file, const char *name)
{
    off_t bytes;

    *file = (struct sqlite_file){.name = name, .fd = -1};
    snprintf(file->path, sizeof file->path, "%s%s", name[0] == '/' ? "" : "./", name);
    file->had_wal = beside_exists(file, "-wal", &bytes) && bytes > 0;
    file->had_shm = beside_exists(file, "-shm", &bytes);
}

/* How the file is opened, but for making it. */
#define FILE_FLAGS (O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)

/* Never follows a link to a file that is not there, so that what was made can be removed again. */
static void file_open(struct sqlite_file *file, bool *out_is_created)
{
    *out_is_created = false;
    file->fd = open(file->path, FILE_FLAGS);
    if (file->fd < 0 && errno == ENOENT) {
        file->fd = open(file->path, FILE_FLAGS | O_CREAT | O_EXCL, S_IRUSR | S_IWUSR);
        *out_is_created = file->fd >= 0;
    }
}

/* The lock is of the file that the path names, not of one that was removed in the meantime. */
static bool file_is_at_path(const struct sqlite_file *file, const struct stat *info,
                            struct stat *out_found)
{
    return stat(file->path, out_found) == 0 && out_found->st_dev == info->st_dev &&
           out_found->st_ino == info->st_ino;
}

/* Of a file that was only just made nothing is left. */
static enum invig_status file_unmake(const struct sqlite_file *file, bool is_created,
                                     const char *what, char error[INVIG_STORE_ERROR_BYTES])
{
    int number = errno;

    if (is_created) {
        (void)unlink(file->path);
    }
    return file_refuse_errno(file, what, number, "a file system with locks", error);
}

static enum invig_status file_lock(struct sqlite_file *file, bool is_created,
                                   char error[INVIG_STORE_ERROR_BYTES])
{
    struct stat found;
    struct stat info;

    if (fstat(file->fd, &info) != 0) {
        return file_unmake(file, is_created, "which cannot be examined", error);
    }
    if (!S_ISREG(info.st_mode)) {
        return file_refuse_kind(file, error);
    }
    bool is_free = flock(file->fd, LOCK_EX | LOCK_NB) == 0;
    if (!is_free && errno != EWOULDBLOCK) {
        return file_unmake(file, is_created, "which cannot be locked", error);
    }
    if (!is_free || !file_is_at_path(file, &info, &found)) {
        return invig_sqlitefile_refuse(file, INVIG_ERR_IO, "which another broker has open",
                                       "a file for this broker alone", error);
    }
    file->is_locked = true;
    file->is_empty = found.st_size == 0; /* under the lock: another broker may have filled it */
    file->is_created = is_created && file->is_empty;
    return INVIG_OK;
}

static uint32_t header_number(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static enum invig_status file_check_header(const struct sqlite_file *file,
                                           char error[INVIG_STORE_ERROR_BYTES])
{
    unsigned char header[HEADER_BYTES] = {0};
    ssize_t count = pread(file->fd, header, sizeof header, 0);

    if (file->is_empty) {
        return INVIG_OK;
    }
    if (count < 0) {
        return file_refuse_errno(file, "which cannot be read", errno, "a readable file", error);
    }
    if (count < HEADER_BYTES || memcmp(header, header_magic, sizeof header_magic) != 0) {
        return invig_sqlitefile_refuse(file, INVIG_ERR_FORMAT, "which is no SQLite database",
                                       "a file of this plugin's, or none", error);
    }
    if (header_number(header + HEADER_ID_AT) != INVIG_STORE_APPLICATION_ID) {
        return invig_sqlitefile_refuse(file, INVIG_ERR_FORMAT,
                                       "which is a database of another program",
                                       "a file of this plugin's, or none", error);
    }
    return invig_sqlitefile_check_version(file, header_number(header + HEADER_VERSION_AT), error);
}

enum invig_status invig_sqlitefile_check_version(const struct sqlite_file *file, uint32_t version,
                                                 char error[INVIG_STORE_ERROR_BYTES])
{
    char found[FOUND_BYTES];

    if (version <= INVIG_STORE_VERSION) {
        return INVIG_OK;
    }
    snprintf(found, sizeof found, "which a newer version of the plugin wrote (schema %lu)",
             (unsigned long)version);
    char expected[64];
    snprintf(expected, sizeof expected, "schema %d or an older one", INVIG_STORE_VERSION);
    return invig_sqlitefile_refuse(file, INVIG_ERR_FORMAT, found, expected, error);
}

/* Reserves room in a file beside it for a moment. So a full disk and a directory that cannot be
 * written are found before anything is touched. */
static enum invig_status file_check_room(const struct sqlite_file *file,
                                         char error[INVIG_STORE_ERROR_BYTES])
{
    char path[INVIG_STORE_PATH_BYTES];

    path_of(file, "-room", path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
    if (fd < 0) {
        return file_refuse_directory(file, errno, error);
    }
    int number = posix_fallocate(fd, 0, ROOM_BYTES);
    (void)close(fd);
    (void)unlink(path);
    if (number == 0 || number == EOPNOTSUPP || number == EINVAL) { /* not by every file system */
        return INVIG_OK;
    }
    return file_refuse_errno(file, "for which there is no room", number, "1 MiB of free space",
                             error);
}

enum invig_status invig_sqlitefile_open(struct sqlite_file *file, const char *name,
                                        char error[INVIG_STORE_ERROR_BYTES])
{
    bool is_created;

    file_name(file, name);
    file_open(file, &is_created);
    if (file->fd < 0) {
        return file_refuse_open(file, errno, error);
    }
    enum invig_status status = file_lock(file, is_created, error);
    if (status == INVIG_OK) {
        status = file_check_header(file, error);
    }
    if (status == INVIG_OK) {
        status = file_check_room(file, error);
    }
    return status;
}

/* What would be made in the file's directory, by the rights of the one who asks. */
static int directory_error(const struct sqlite_file *file)
{
    char path[INVIG_STORE_PATH_BYTES];
    char *slash;

    path_of(file, "", path);
    slash = strrchr(path, '/'); /* there is one: the path begins with it or with "./" */
    slash[slash == path ? 1 : 0] = '\0';
    return faccessat(AT_FDCWD, path, W_OK | X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

/* The file is there and open. */
static enum invig_status file_examine(struct sqlite_file *file, char error[INVIG_STORE_ERROR_BYTES])
{
    struct stat info;
    int number;

    if (fstat(file->fd, &info) != 0) {
        return file_refuse_errno(file, "which cannot be examined", errno,
                                 "a file system with locks", error);
    }
    if (!S_ISREG(info.st_mode)) {
        return file_refuse_kind(file, error);
    }
    file->is_empty = info.st_size == 0;
    enum invig_status status = file_check_header(file, error);
    if (status != INVIG_OK) {
        return status;
    }
    number = directory_error(file);
    return number == 0 ? INVIG_OK : file_refuse_directory(file, number, error);
}

enum invig_status invig_sqlitestore_examine(const char *name, char error[INVIG_STORE_ERROR_BYTES])
{
    struct sqlite_file file;
    int number = 0;

    file_name(&file, name);
    file.fd = open(file.path, FILE_FLAGS);
    if (file.fd >= 0) {
        enum invig_status status = file_examine(&file, error);
        invig_sqlitefile_close(&file);
        return status;
    }
    number = errno;
    if (number == ENOENT) { /* it would be made */
        number = directory_error(&file);
    }
    return number == 0 ? INVIG_OK : file_refuse_open(&file, number, error);
}

void invig_sqlitefile_restore(const struct sqlite_file *file)
{
    if (!file->is_locked) { /* it is another's */
        return;
    }
    if (file->is_empty) {
        beside_remove(file, "-wal");
        beside_remove(file, "-shm");
        beside_remove(file, "-journal");
    } else if (file->had_wal && !file->had_shm) { /* without a log, SQLite has removed it itself */
        beside_remove(file, "-shm");
    }
    if (file->is_created) {
        (void)unlink(file->path);
    } else if (file->is_empty && ftruncate(file->fd, 0) != 0) {
        return; /* as well as can be */
    }
}

void invig_sqlitefile_close(struct sqlite_file *file)
{
    if (file->fd >= 0) {
        (void)close(file->fd);
    }
    file->fd = -1;
}
