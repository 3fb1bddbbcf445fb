/* SPDX-License-Identifier: Apache-2.0
 *
 * wrap_system.c - memory, files and threads that fail.
 */
#include "fault.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

FAULT_WRAP(void *, malloc, (errno = ENOMEM, NULL), (size_t size), (size))
FAULT_WRAP(void *, calloc, (errno = ENOMEM, NULL), (size_t count, size_t size), (count, size))
FAULT_WRAP(void *, realloc, (errno = ENOMEM, NULL), (void *memory, size_t size), (memory, size))

FAULT_WRAP(int, flock, (errno = ENOLCK, -1), (int fd, int operation), (fd, operation))
FAULT_WRAP(int, fstat, (errno = EIO, -1), (int fd, struct stat *info), (fd, info))
FAULT_WRAP(int, posix_fallocate, ENOSPC, (int fd, off_t offset, off_t length), (fd, offset, length))
FAULT_WRAP(ssize_t, pread, (errno = EIO, -1), (int fd, void *data, size_t size, off_t offset),
           (fd, data, size, offset))
FAULT_WRAP(ssize_t, read, (errno = EIO, -1), (int fd, void *data, size_t size), (fd, data, size))
FAULT_WRAP(ssize_t, getrandom, (errno = ENOSYS, -1), (void *data, size_t size, unsigned flags),
           (data, size, flags))

FAULT_WRAP(int, getaddrinfo, EAI_MEMORY,
           (const char *host, const char *service, const struct addrinfo *hints,
            struct addrinfo **out),
           (host, service, hints, out))
FAULT_WRAP(int, getnameinfo, EAI_MEMORY,
           (const struct sockaddr *address, socklen_t length, char *host, socklen_t host_size,
            char *service, socklen_t service_size, int flags),
           (address, length, host, host_size, service, service_size, flags))

FAULT_WRAP(int, pthread_condattr_init, ENOMEM, (pthread_condattr_t * attributes), (attributes))
FAULT_WRAP(int, pthread_cond_init, ENOMEM,
           (pthread_cond_t * condition, const pthread_condattr_t *attributes),
           (condition, attributes))
FAULT_WRAP(int, pthread_mutex_init, ENOMEM,
           (pthread_mutex_t * mutex, const pthread_mutexattr_t *attributes), (mutex, attributes))
FAULT_WRAP(int, pthread_create, EAGAIN,
           (pthread_t * thread, const pthread_attr_t *attributes, void *(*run)(void *),
            void *context),
           (thread, attributes, run, context))

/* Libraries call these, too. What a disk does is not tested here, so nobody waits for one. */
__attribute__((visibility("default"))) int fsync(int fd)
{
    (void)fd;
    return 0;
}

__attribute__((visibility("default"))) int fdatasync(int fd)
{
    (void)fd;
    return 0;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *out);

/* A clock that stands still, so that each round of a test says the same. */
static int64_t clock_ms;

void fault_pass(int64_t ms)
{
    clock_ms += ms;
}

void fault_go_back(void)
{
    clock_ms = 0;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *out)
{
    out->tv_sec = (clock == CLOCK_REALTIME ? FAULT_START_S : 1000) + clock_ms / 1000;
    out->tv_nsec = clock_ms % 1000 * 1000000;
    return 0;
}

int __wrap_open(const char *path, int flags, ...);

int __wrap_open(const char *path, int flags, ...)
{
    mode_t mode = 0;

    if (fault_strikes("open", __builtin_return_address(0))) {
        errno = EMFILE;
        return -1;
    }
    if ((flags & O_CREAT) != 0) {
        va_list arguments;

        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    return open(path, flags, mode);
}
