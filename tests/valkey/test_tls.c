/* SPDX-License-Identifier: Apache-2.0
 *
 * test_tls.c - a real server with TLS, where hiredis has it: the certificate must be vouched for,
 * and be for the host that the URL names.
 */
#include "valkeyserver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef INVIG_HAS_HIREDIS_SSL

static struct valkeyserver server;
static struct valkeyclient one;
static char folder[] = "/tmp/invigilator-tls-XXXXXX";
static char files[2][64]; /* for 127.0.0.1, and for another host */

static void run(const char *command)
{
    if (system(command) != 0) {
        fail_msg("%s", command);
    }
}

static int group_setup(void **state)
{
    static const char *const names[] = {"IP:127.0.0.1", "DNS:other.example.org"};
    char command[512];

    (void)state;
    assert_non_null(mkdtemp(folder));
    for (int i = 0; i < 2; i++) {
        snprintf(files[i], sizeof files[i], "%s/%d", folder, i);
        snprintf(command, sizeof command,
                 "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
                 "-subj /CN=%d -addext subjectAltName=%s -keyout %s.key -out %s.pem 2> /dev/null",
                 i, names[i], files[i], files[i]);
        run(command);
    }
    return 0;
}

static int group_teardown(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", folder);
    run(command);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    valkeyclient_close(&one);
    valkeyserver_stop(&server);
    return 0;
}

static void serve(int which)
{
    server = (struct valkeyserver){.tls_files = files[which], .tls_port = valkeyserver_free_port()};
    valkeyserver_start(&server, NULL);
}

/* `trusted` is the certificate that is believed. */
static void client_open(const char *host, int port, int trusted)
{
    char ca_file[80];
    char url[80];
    char error[INVIG_POLICY_ERROR_BYTES] = "";

    one = (struct valkeyclient){0};
    snprintf(ca_file, sizeof ca_file, "%s.pem", files[trusted]);
    snprintf(url, sizeof url, "valkeys://%s:%d", host, port);
    const struct invig_valkey_options options = {
        .url = url, .ca_file = ca_file, .timeout_ms = 20, .log = valkeyclient_log_of(&one)};
    if (invig_valkey_open(&options, &one.share, error) != INVIG_OK) {
        fail_msg("%s", error);
    }
}

static void test_tls_carries_all(void **state)
{
    char *text = calloc(1, INVIG_SHARE_TEXT_BYTES_MAX + 1);

    (void)state;
    assert_non_null(text);
    memset(text, 'x', INVIG_SHARE_TEXT_BYTES_MAX);
    serve(0);
    client_open("127.0.0.1", server.tls_port, 0);
    valkeyclient_await(&one, INVIG_NEWS_READY);
    for (int i = 0; i < 20; i++) {
        char user[16];
        snprintf(user, sizeof user, "u%d", i);
        assert_true(valkeyclient_offer(&one, user, 0, text));
    }
    while (one.counts[INVIG_NEWS_ACCEPTED] < 20) {
        valkeyclient_await(&one, INVIG_NEWS_ACCEPTED);
    }
    valkeyclient_close(&one);
    client_open("127.0.0.1", server.tls_port, 0);
    valkeyclient_await(&one, INVIG_NEWS_READY);
    assert_int_equal(one.counts[INVIG_NEWS_USER], 20);
    assert_int_equal(one.log_count, 0);
    free(text);
}

static void assert_refused(const char *host, int port, int trusted)
{
    client_open(host, port, trusted);
    for (int i = 0; i < 5000 && one.log_count == 0; i++) {
        (void)valkeyclient_next(&one);
        valkeyclient_wait();
    }
    assert_int_equal(one.log_count, 1);
    valkeyclient_idle(&one, 300);
    assert_int_equal(one.counts[INVIG_NEWS_READY] + one.counts[INVIG_NEWS_LOST], 0);
    valkeyclient_close(&one);
}

static void test_tls_refuses_others(void **state)
{
    (void)state;
    serve(0);
    assert_refused("127.0.0.1", server.tls_port, 1); /* nobody vouches for it */
    assert_refused("localhost", server.tls_port, 0); /* it is for the address, not for the name */
    valkeyserver_stop(&server);
    serve(1);
    assert_refused("127.0.0.1", server.tls_port, 1); /* it is another host's */
    assert_refused("127.0.0.1", server.port, 1);     /* no TLS there */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_tls_carries_all, NULL, tear_down),
        cmocka_unit_test_setup_teardown(test_tls_refuses_others, NULL, tear_down),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}

#else

int main(void)
{
    puts("skipped: hiredis has no TLS here");
    return 77;
}

#endif
