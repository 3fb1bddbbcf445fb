/* SPDX-License-Identifier: Apache-2.0
 *
 * valkeylink.c - a connection through hiredis' asynchronous functions, with its hooks for an event
 * loop set to note what it wants, and poll(2) that does not wait in the place of the loop.
 *
 * The server is not trusted: hiredis asserts that an answer has a question, and would make room for
 * as many elements as an answer says it has. So all objects of an answer are made by functions of
 * ours, which refuse it in time.
 */
#include "valkey_private.h"

#include <hiredis/sds.h>

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void invig_valkeylink_fail(struct valkey_link *link, const char *what, const char *detail)
{
    if (link->fault[0] != '\0') {
        return;
    }
    snprintf(link->fault, sizeof link->fault, "%s%s%s", what, detail[0] == '\0' ? "" : ": ",
             detail);
}

/* ---- Commands without an answer ---- */

struct valkey_command *invig_valkeylink_command(enum valkey_kind kind, struct invig_text subject)
{
    struct valkey_command *command = calloc(1, sizeof *command + subject.length + 1);

    if (command != NULL) {
        command->kind = kind;
        command->sent_ms = -1;
        command->subject_length = subject.length;
        if (subject.length > 0) {
            memcpy(command->subject, subject.data, subject.length);
        }
    }
    return command;
}

void invig_valkeylink_command_free(struct valkey_command *command)
{
    if (command != NULL && command->reply != NULL) {
        freeReplyObject(command->reply);
    }
    free(command);
}

static void link_push(struct valkey_link *link, struct valkey_command *command)
{
    if (link->last == NULL) {
        link->first = command;
    } else {
        link->last->next = command;
    }
    link->last = command;
    link->count++;
}

static struct valkey_command *link_pop(struct valkey_link *link)
{
    struct valkey_command *command = link->first;

    link->first = command->next;
    if (link->first == NULL) {
        link->last = NULL;
    }
    link->count--;
    command->next = NULL;
    return command;
}

void invig_valkeylink_stamp(struct valkey_link *link, int64_t now_ms)
{
    struct valkey_command *each = link->last;

    if (each == NULL || each->sent_ms >= 0) {
        return; /* they are sent in this order */
    }
    for (each = link->first; each != NULL; each = each->next) {
        if (each->sent_ms < 0) {
            each->sent_ms = now_ms;
        }
    }
}

/* ---- Answers ---- */

/* hiredis frees `reply` behind this: what is in it is moved. */
static redisReply *reply_take(redisReply *reply)
{
    redisReply *taken = malloc(sizeof *taken);

    if (taken != NULL) {
        *taken = *reply;
        *reply = (redisReply){.type = REDIS_REPLY_NIL};
    }
    return taken;
}

static void link_answered(redisAsyncContext *async, void *reply, void *context)
{
    struct valkey_link *link = context;
    struct valkey_command *command = link->first == NULL ? NULL : link_pop(link);

    (void)async;
    if (command == NULL) {
        return;
    }
    if (reply != NULL && link->fault[0] == '\0') {
        command->reply = reply_take(reply);
        if (command->reply != NULL) {
            link->answer(link->context, command);
            return;
        }
        invig_valkeylink_fail(link, "out of memory", "");
    }
    invig_valkeylink_command_free(command); /* the connection is ending */
}

/* Asked before each object of an answer is made. */
static bool link_may_make(const redisReadTask *task, size_t bytes)
{
    struct valkey_link *link = task->privdata;
    int depth = 0;

    if (task->parent == NULL) {
        link->reply_bytes = 0;
    }
    for (const redisReadTask *each = task->parent; each != NULL && depth <= VALKEY_DEPTH_MAX;
         each = each->parent) {
        depth++;
    }
    link->reply_bytes += sizeof(redisReply) + bytes;
    if (link->first == NULL) {
        invig_valkeylink_fail(link, "found an answer to nothing", "");
    } else if (depth > VALKEY_DEPTH_MAX || task->type > REDIS_REPLY_ERROR) {
        invig_valkeylink_fail(link, "found an answer of another kind", "");
    } else if (link->reply_bytes > VALKEY_REPLY_BYTES_MAX) {
        invig_valkeylink_fail(link, "found too long an answer", "");
    }
    return link->fault[0] == '\0';
}

/* hiredis' own functions, which make the objects that freeReplyObject frees; set once by
 * link_functions, always to the same. */
static redisReplyObjectFunctions link_defaults;

static void *link_make_string(const redisReadTask *task, char *bytes, size_t length)
{
    return link_may_make(task, length) ? link_defaults.createString(task, bytes, length) : NULL;
}

#if HIREDIS_MAJOR >= 1
typedef size_t link_elements;
#else
typedef int link_elements;
#endif

static void *link_make_array(const redisReadTask *task, link_elements count)
{
    /* Compared as what cannot overflow. */
    size_t elements = (size_t)count;
    size_t bytes = elements > VALKEY_REPLY_BYTES_MAX ? VALKEY_REPLY_BYTES_MAX
                                                     : elements * sizeof(redisReply *);

    return link_may_make(task, bytes) ? link_defaults.createArray(task, count) : NULL;
}

static void *link_make_integer(const redisReadTask *task, long long value)
{
    return link_may_make(task, 0) ? link_defaults.createInteger(task, value) : NULL;
}

static void *link_make_nil(const redisReadTask *task)
{
    return link_may_make(task, 0) ? link_defaults.createNil(task) : NULL;
}

#if HIREDIS_MAJOR >= 1
static void *link_make_double(const redisReadTask *task, double value, char *text, size_t length)
{
    (void)value;
    (void)text;
    (void)link_may_make(task, length); /* never: its kind is not one of ours */
    return NULL;
}

static void *link_make_bool(const redisReadTask *task, int value)
{
    (void)value;
    (void)link_may_make(task, 0);
    return NULL;
}
#endif

static redisReplyObjectFunctions *link_functions(redisReader *reader)
{
    static redisReplyObjectFunctions functions = {
        .createString = link_make_string,
        .createArray = link_make_array,
        .createInteger = link_make_integer,
        .createNil = link_make_nil,
        .freeObject = freeReplyObject,
#if HIREDIS_MAJOR >= 1
        .createDouble = link_make_double,
        .createBool = link_make_bool,
#endif
    };

    link_defaults = *reader->fn;
    return &functions;
}

/* ---- The connection ---- */

static void hook_add_read(void *context)
{
    ((struct valkey_link *)context)->wants_read = true;
}

static void hook_delete_read(void *context)
{
    ((struct valkey_link *)context)->wants_read = false;
}

static void hook_add_write(void *context)
{
    ((struct valkey_link *)context)->wants_write = true;
}

static void hook_delete_write(void *context)
{
    ((struct valkey_link *)context)->wants_write = false;
}

/* hiredis frees the connection now, for whatever reason. */
static void hook_cleanup(void *context)
{
    struct valkey_link *link = context;

    if (link->async->err != 0) {
        invig_valkeylink_fail(link, "the connection failed",
                              link->async->errstr == NULL ? "" : link->async->errstr);
    }
    link->async = NULL;
}

static void link_hook(struct valkey_link *link, redisAsyncContext *async)
{
    link->async = async;
    link->wants_read = true;
    link->wants_write = false;
    async->ev.data = link;
    async->ev.addRead = hook_add_read;
    async->ev.delRead = hook_delete_read;
    async->ev.addWrite = hook_add_write;
    async->ev.delWrite = hook_delete_write;
    async->ev.cleanup = hook_cleanup;
    async->c.reader->fn = link_functions(async->c.reader);
    (void)redisReaderSetPrivdata(async->c.reader, link);
    (void)fcntl(async->c.fd, F_SETFD, FD_CLOEXEC);
}

void invig_valkeylink_open(struct valkey_link *link, const char *address,
                           const struct valkey_url *url, const struct valkey_tls *tls)
{
    redisAsyncContext *async = redisAsyncConnect(address, url->port);

    link->fault[0] = '\0';
    if (async == NULL) {
        invig_valkeylink_fail(link, "out of memory", "");
    } else if (async->err != 0) {
        invig_valkeylink_fail(link, "cannot be reached",
                              async->errstr == NULL ? "" : async->errstr);
        redisAsyncFree(async);
    } else {
        link_hook(link, async);
        if (tls != NULL && !invig_valkeytls_start(tls, async, url->host)) {
            invig_valkeylink_fail(link, "TLS failed", async->c.errstr);
        }
    }
}

void invig_valkeylink_close(struct valkey_link *link)
{
    redisAsyncContext *async = link->async;

    if (async != NULL) {
        link->async = NULL; /* nothing is learnt from what comes */
        async->ev.cleanup = NULL;
        redisAsyncFree(async);
    }
    while (link->first != NULL) {
        invig_valkeylink_command_free(link_pop(link));
    }
}

bool invig_valkeylink_send(struct valkey_link *link, struct valkey_command *command,
                           const struct invig_text *words, size_t count)
{
    enum { WORDS_MAX = 12 };
    const char *data[WORDS_MAX];
    size_t lengths[WORDS_MAX];

    if (command == NULL) {
        invig_valkeylink_fail(link, "out of memory", "");
    }
    if (link->fault[0] != '\0' || link->async == NULL) {
        invig_valkeylink_command_free(command);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        data[i] = words[i].data == NULL ? "" : words[i].data;
        lengths[i] = words[i].length;
    }
    link_push(link, command);
    if (redisAsyncCommandArgv(link->async, link_answered, link, (int)count, data, lengths) !=
        REDIS_OK) {
        invig_valkeylink_fail(link, "out of memory", ""); /* with it, the command goes */
        return false;
    }
    return true;
}

void invig_valkeylink_write(struct valkey_link *link)
{
    /* Before it is connected, hiredis would take it for connected. */
    if (link->async != NULL && link->wants_write && (link->async->c.flags & REDIS_CONNECTED) != 0) {
        redisAsyncHandleWrite(link->async);
    }
}

/* What hiredis holds of an answer that has not ended. */
static void link_check_input(struct valkey_link *link)
{
    const redisReader *reader = link->async->c.reader;
    size_t length = reader->len - reader->pos;

    if (length > VALKEY_REPLY_BYTES_MAX) {
        invig_valkeylink_fail(link, "found too long an answer", "");
    } else if (length > VALKEY_LINE_BYTES_MAX &&
               memchr(reader->buf + reader->pos, '\n', VALKEY_LINE_BYTES_MAX) == NULL) {
        invig_valkeylink_fail(link, "found too long a line", "");
    }
}

bool invig_valkeylink_exchange(struct valkey_link *link)
{
    struct pollfd look = {.fd = -1};

    if (link->async == NULL || link->fault[0] != '\0') {
        return false;
    }
    look.fd = link->async->c.fd;
    look.events = (short)((link->wants_read ? POLLIN : 0) | (link->wants_write ? POLLOUT : 0));
    if (poll(&look, 1, 0) <= 0) {
        return false;
    }
    if (link->wants_write && (look.revents & (POLLOUT | POLLERR | POLLHUP)) != 0) {
        redisAsyncHandleWrite(link->async);
    }
    if (link->async == NULL || (look.revents & (POLLIN | POLLERR | POLLHUP)) == 0) {
        return false;
    }
    redisAsyncHandleRead(link->async);
    if (link->async != NULL) {
        link_check_input(link);
    }
    return true;
}

size_t invig_valkeylink_output(const struct valkey_link *link)
{
    return link->async == NULL ? 0 : sdslen(link->async->c.obuf);
}
