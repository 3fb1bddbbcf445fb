/* SPDX-License-Identifier: Apache-2.0
 *
 * test_valkey.c - a share on a real server, in which single calls fail: it is opened or says why
 * not, loses its connection and comes back, and all that was asked of it is done in the end.
 */
#include "fault_run.h"
#include "valkeyserver.h"

#include <stdio.h>
#include <string.h>

enum {
    TRIES_MAX = 150, /* without any progress, where all fails */
    IDLE_MAX = 1000, /* milliseconds without news and without a fault that shows */
    BEAT_MS = 5000,
    POLL_MS = 20,
    PAUSE_MS = 100
};

static struct valkeyserver server;
static struct invig_share share;
static enum invig_status status;
static char error[INVIG_POLICY_ERROR_BYTES];
static char url[64];
static int64_t steady_ms; /* stands still unless something failed */
static int log_count;
static int tries;
static bool is_done;

static void count_line(void *context, enum invig_log_level level, const char *line)
{
    (void)context;
    (void)level;
    (void)line;
    log_count++;
}

/* Takes news until one of `kind`; false where the connection is lost, or nothing helps. */
static bool stage_await(enum invig_news_kind kind)
{
    struct invig_news news;

    for (int idle = 0; tries < TRIES_MAX && idle < IDLE_MAX; idle++) {
        if (share.next(share.context, steady_ms, &news)) {
            if (news.kind == kind || news.kind == INVIG_NEWS_LOST) {
                return news.kind == kind;
            }
            continue;
        }
        if (log_count > 0) {
            steady_ms += PAUSE_MS;
            tries++;
        }
        valkeyclient_wait();
    }
    tries = TRIES_MAX;
    return false;
}

static bool stage_keep(void)
{
    return share.keep(share.context, invig_text_of("exam"), invig_text_of("anna"),
                      invig_text_of("{}"));
}

static bool stages_run(void)
{
    if (!stage_await(INVIG_NEWS_READY)) {
        return false;
    }
    valkeyserver_do(&server, "XADD invigilator:news * from peer link 1 topic exam text {}");
    steady_ms += POLL_MS;
    if (!stage_await(INVIG_NEWS_TOPIC)) {
        return false;
    }
    if (!share.offer(share.context, invig_text_of("anna"), 0, invig_text_of("x")) ||
        !stage_await(INVIG_NEWS_ACCEPTED) || !stage_keep()) {
        return false;
    }
    steady_ms += BEAT_MS;
    return stage_await(INVIG_NEWS_GONE);
}

static void share_use(void)
{
    const struct invig_valkey_options options = {
        .url = url, .timeout_ms = 20, .log = {NULL, count_line}};

    error[0] = '\0';
    is_done = false;
    steady_ms = 0;
    log_count = 0;
    status = invig_valkey_open(&options, &share, error);
    if (status != INVIG_OK) {
        return;
    }
    server.admin = redisConnect("127.0.0.1", server.port); /* its buffers are not to be counted */
    for (tries = 0; !is_done && tries < TRIES_MAX; tries++) {
        valkeyserver_do(&server, "FLUSHALL");
        is_done = stages_run();
    }
    redisFree(server.admin);
    server.admin = NULL;
    share.close(share.context);
}

/* In the rounds in which one call fails all is done; in those in which all fail it need not be. */
static void check_used(const char *struck)
{
    static bool was_struck;
    static bool is_all;

    if (struck == NULL || (!is_all && status == INVIG_OK)) {
        assert_int_equal(status, INVIG_OK);
        assert_true(is_done);
    } else if (status != INVIG_OK) {
        assert_string_not_equal(error, "");
        assert_false(is_done);
    }
    is_all = is_all || (was_struck && struck == NULL);
    was_struck = struck != NULL;
}

static void test_valkey_share(void **state)
{
    (void)state;
    valkeyserver_start(&server, NULL);
    redisFree(server.admin);
    server.admin = NULL;
    snprintf(url, sizeof url, "valkey://127.0.0.1:%d", server.port);
    assert_true(fault_run("share", share_use, check_used) > 20);
}

static int group_teardown(void **state)
{
    (void)state;
    valkeyserver_stop(&server);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valkey_share),
    };
    int failed = cmocka_run_group_tests(tests, NULL, group_teardown);

    fault_write_sites(FAULT_SITES);
    return failed;
}
