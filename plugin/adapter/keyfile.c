/* SPDX-License-Identifier: Apache-2.0
 *
 * keyfile.c - reads key files by POSIX calls: stdio would leave copies of secrets in its buffers.
 */
#include "keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum invig_status fault_set(struct invig_keyfile_fault *fault, enum invig_status status,
                                   const char *found, const char *expected)
{
    snprintf(fault->found, sizeof fault->found, "%s", found);
    fault->expected = expected;
    return status;
}

static enum invig_status fault_set_errno(struct invig_keyfile_fault *fault, const char *what)
{
    int error = errno;

    snprintf(fault->found, sizeof fault->found, "%s (%s)", what, strerror(error));
    fault->expected = "a file that the broker can read";
    return INVIG_ERR_IO;
}

/* Asked of the open file, so that it cannot be exchanged between question and reading. */
static enum invig_status file_check(int fd, struct invig_keyfile *file,
                                    struct invig_keyfile_fault *fault)
{
    struct stat info;

    if (fstat(fd, &info) != 0) {
        return fault_set_errno(fault, "cannot be examined");
    }
    if (!S_ISREG(info.st_mode)) {
        return fault_set(fault, INVIG_ERR_IO, "is no regular file", "a regular file");
    }
    if ((info.st_mode & S_IWOTH) != 0) {
        return fault_set(fault, INVIG_ERR_IO, "can be written by everyone",
                         "a file without write permission for others");
    }
    file->is_world_readable = (info.st_mode & S_IROTH) != 0;
    return INVIG_OK;
}

/* Fills file->data up to `capacity` bytes or the end of the file. */
static enum invig_status file_fill(int fd, struct invig_keyfile *file, size_t capacity,
                                   struct invig_keyfile_fault *fault)
{
    while (file->length < capacity) {
        ssize_t count = read(fd, file->data + file->length, capacity - file->length);
        if (count == 0) {
            return INVIG_OK;
        }
        if (count > 0) {
            file->length += (size_t)count;
        } else if (errno != EINTR) {
            return fault_set_errno(fault, "cannot be read");
        }
    }
    return INVIG_OK;
}

static enum invig_status file_load(int fd, size_t bytes_max, struct invig_keyfile *file,
                                   struct invig_keyfile_fault *fault)
{
    size_t capacity = bytes_max + 1; /* one more, to see that there is more */
    enum invig_status status = file_check(fd, file, fault);

    if (status != INVIG_OK) {
        return status;
    }
    file->data = malloc(capacity);
    if (file->data == NULL) {
        return fault_set(fault, INVIG_ERR_NO_MEMORY, "cannot be read (out of memory)",
                         "memory for it");
    }
    status = file_fill(fd, file, capacity, fault);
    if (status == INVIG_OK && file->length > bytes_max) {
        snprintf(fault->found, sizeof fault->found, "is longer than %zu bytes", bytes_max);
        fault->expected = "a key file";
        status = INVIG_ERR_FORMAT;
    }
    return status;
}

enum invig_status invig_keyfile_read(const char *path, size_t bytes_max,
                                     struct invig_keyfile *out_file,
                                     struct invig_keyfile_fault *out_fault)
{
    /* O_NONBLOCK: opening a FIFO would wait for a writer. */
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

    *out_file = (struct invig_keyfile){0};
    if (fd < 0) {
        return fault_set_errno(out_fault, "cannot be opened");
    }
    enum invig_status status = file_load(fd, bytes_max, out_file, out_fault);
    if (status != INVIG_OK) {
        invig_keyfile_deinit(out_file);
    }
    (void)close(fd);
    return status;
}

void invig_keyfile_deinit(struct invig_keyfile *file)
{
    invig_text_wipe(file->data, file->length);
    free(file->data);
    *file = (struct invig_keyfile){0};
}
