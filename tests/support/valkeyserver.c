/* SPDX-License-Identifier: Apache-2.0
 *
 * valkeyserver.c - see valkeyserver.h.
 */
#include "valkeyserver.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    DEADLINE_MS = 20000,
    CALL_MS_MAX = 1000, /* of one call, on a machine with much else to do, with sanitizers */
    ARGUMENTS_MAX = 40
};

int64_t valkeyclient_now_ms(void)
{
    struct timespec now = {0, 0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void valkeyclient_wait(void)
{
    (void)poll(NULL, 0, 1);
}

int valkeyserver_free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    (void)close(fd);
    return ntohs(address.sin_port);
}

/* Never returns. */
static void server_run(const struct valkeyserver *server, const char *password, int out)
{
    char port[16];
    char tls_port[16];
    char certificate[256];
    char key[256];
    char *arguments[ARGUMENTS_MAX] = {(char[]){INVIG_VALKEY_SERVER},
                                      (char[]){"--port"},
                                      port,
                                      (char[]){"--bind"},
                                      (char[]){"127.0.0.1"},
                                      (char[]){"--save"},
                                      (char[]){""},
                                      (char[]){"--appendonly"},
                                      (char[]){"no"},
                                      (char[]){"--dir"},
                                      (char[]){"/tmp"},
                                      (char[]){"--daemonize"},
                                      (char[]){"no"},
                                      (char[]){"--dbfilename"},
                                      (char[]){"invigilator-none.rdb"}};
    size_t count = 15;

    snprintf(port, sizeof port, "%d", server->port);
    if (password != NULL) {
        arguments[count++] = (char[]){"--requirepass"};
        arguments[count++] = strdup(password);
    }
    if (server->tls_files != NULL) {
        snprintf(tls_port, sizeof tls_port, "%d", server->tls_port);
        snprintf(certificate, sizeof certificate, "%s.pem", server->tls_files);
        snprintf(key, sizeof key, "%s.key", server->tls_files);
        char *const more[] = {(char[]){"--tls-port"},         tls_port,
                              (char[]){"--tls-cert-file"},    certificate,
                              (char[]){"--tls-key-file"},     key,
                              (char[]){"--tls-ca-cert-file"}, certificate,
                              (char[]){"--tls-auth-clients"}, (char[]){"no"}};
        memcpy(arguments + count, more, sizeof more);
    }
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* the test may end by a signal */
    (void)dup2(out, STDOUT_FILENO);
    (void)dup2(out, STDERR_FILENO);
    execv(arguments[0], arguments);
    _exit(127);
}

/* Reads what the server says until it serves. The rest of what it says is dropped. */
static bool server_await(int in)
{
    char said[16384] = "";
    size_t length = 0;
    struct pollfd look = {.fd = in, .events = POLLIN};

    while (strstr(said, "eady to accept connections") == NULL) {
        ssize_t count = 0;
        if (poll(&look, 1, DEADLINE_MS) > 0) {
            count = read(in, said + length, sizeof said - 1 - length);
        }
        if (count <= 0) {
            print_error("the server does not start: %s\n", said);
            return false;
        }
        length += (size_t)count;
        said[length] = '\0';
    }
    return true;
}

static void server_connect(struct valkeyserver *server, const char *password)
{
    server->admin = redisConnect("127.0.0.1", server->port);
    assert_non_null(server->admin);
    assert_int_equal(server->admin->err, 0);
    (void)fcntl(server->admin->fd, F_SETFD, FD_CLOEXEC);
    if (password != NULL) {
        valkeyserver_do(server, "AUTH %s", password);
    }
}

void valkeyserver_start(struct valkeyserver *server, const char *password)
{
    int ends[2];

    (void)signal(SIGPIPE, SIG_IGN); /* as the broker has it */
    if (server->port == 0) {
        server->port = valkeyserver_free_port();
    }
    assert_int_equal(pipe(ends), 0);
    server->pid = fork();
    assert_true(server->pid >= 0);
    if (server->pid == 0) {
        (void)close(ends[0]);
        server_run(server, password, ends[1]);
    }
    (void)close(ends[1]);
    bool is_there = server_await(ends[0]);
    (void)close(ends[0]); /* it ignores SIGPIPE */
    if (!is_there) {
        valkeyserver_stop(server);
    }
    assert_true(is_there);
    server_connect(server, password);
}

void valkeyserver_stop(struct valkeyserver *server)
{
    if (server->admin != NULL) {
        redisFree(server->admin);
        server->admin = NULL;
    }
    if (server->pid > 0) {
        (void)kill(server->pid, SIGKILL);
        while (waitpid(server->pid, NULL, 0) < 0 && errno == EINTR) {
        }
        server->pid = 0;
    }
}

static redisReply *server_ask(struct valkeyserver *server, const char *format, va_list arguments)
{
    redisReply *reply = redisvCommand(server->admin, format, arguments);

    assert_non_null(reply);
    if (reply->type == REDIS_REPLY_ERROR) {
        fail_msg("%s: %s", format, reply->str);
    }
    return reply;
}

redisReply *valkeyserver_ask(struct valkeyserver *server, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    redisReply *reply = server_ask(server, format, arguments);
    va_end(arguments);
    return reply;
}

long long valkeyserver_do(struct valkeyserver *server, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    redisReply *reply = server_ask(server, format, arguments);
    va_end(arguments);
    long long number = reply->type == REDIS_REPLY_INTEGER ? reply->integer : 0;
    freeReplyObject(reply);
    return number;
}

void valkeyserver_settle(struct valkeyserver *server)
{
    /* It has one thread: who asks twice has seen a whole turn of its loop. */
    valkeyserver_do(server, "PING");
    valkeyserver_do(server, "PING");
}

/* ---- Shares ---- */

static void client_log(void *context, enum invig_log_level level, const char *line)
{
    struct valkeyclient *client = context;

    assert_int_equal(level, INVIG_LOG_WARNING);
    client->log_count++;
    snprintf(client->log, sizeof client->log, "%s", line);
}

struct invig_valkey_log valkeyclient_log_of(struct valkeyclient *client)
{
    return (struct invig_valkey_log){client, client_log};
}

void valkeyclient_open(struct valkeyclient *client, int port, const char *auth_file)
{
    char url[64];
    char error[INVIG_POLICY_ERROR_BYTES] = "";

    *client = (struct valkeyclient){0};
    snprintf(url, sizeof url, "valkey://127.0.0.1:%d/3", port);
    const struct invig_valkey_options options = {
        .url = url, .auth_file = auth_file, .timeout_ms = 20, .log = valkeyclient_log_of(client)};
    if (invig_valkey_open(&options, &client->share, error) != INVIG_OK) {
        fail_msg("%s", error);
    }
}

void valkeyclient_close(struct valkeyclient *client)
{
    if (client->share.close != NULL) {
        client->share.close(client->share.context);
    }
    client->share.close = NULL;
}

bool valkeyclient_next(struct valkeyclient *client)
{
    int64_t begin_ms = valkeyclient_now_ms();
    bool has_news =
        client->share.next(client->share.context, begin_ms + client->ahead_ms, &client->news);

    if (valkeyclient_now_ms() - begin_ms > CALL_MS_MAX) {
        fail_msg("a call took %d ms", (int)(valkeyclient_now_ms() - begin_ms));
    }
    assert_int_equal(has_news, client->news.kind != INVIG_NEWS_NONE);
    client->counts[client->news.kind]++;
    return has_news;
}

void valkeyclient_await(struct valkeyclient *client, enum invig_news_kind kind)
{
    int64_t until_ms = valkeyclient_now_ms() + DEADLINE_MS;

    for (;;) {
        if (valkeyclient_next(client)) {
            if (client->news.kind == kind) {
                return;
            }
            continue;
        }
        if (valkeyclient_now_ms() > until_ms) {
            fail_msg("no news of kind %d; log: %s", kind, client->log);
        }
        valkeyclient_wait();
    }
}

void valkeyclient_await_available(struct valkeyclient *client, bool is_there)
{
    int64_t until_ms = valkeyclient_now_ms() + DEADLINE_MS;

    while (client->share.is_available(client->share.context) != is_there) {
        (void)valkeyclient_next(client);
        if (valkeyclient_now_ms() > until_ms) {
            fail_msg("it does not become %savailable", is_there ? "" : "un");
        }
        valkeyclient_wait();
    }
}

void valkeyclient_idle(struct valkeyclient *client, int ms)
{
    int64_t until_ms = valkeyclient_now_ms() + ms;

    while (valkeyclient_now_ms() < until_ms) {
        if (!valkeyclient_next(client)) {
            valkeyclient_wait();
        }
    }
}

void valkeyclient_join(struct valkeyclient *client, const struct valkeyserver *server)
{
    valkeyclient_open(client, server->port, NULL);
    valkeyclient_await(client, INVIG_NEWS_READY);
}

bool valkeyclient_offer(struct valkeyclient *client, const char *user, uint64_t revision,
                        const char *text)
{
    return client->share.offer(client->share.context, invig_text_of(user), revision,
                               invig_text_of(text));
}
