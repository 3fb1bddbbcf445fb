/* SPDX-License-Identifier: Apache-2.0
 *
 * test_valkey_url.c - where the server of the shared state is: the URL and the host's addresses.
 */
#include "policy_assert.h"

#include "valkey_private.h"

#include <stdio.h>

static const struct {
    const char *url;
    bool is_tls;
    const char *host;
    int port;
    int database;
} TAKEN[] = {
    {"valkey://localhost", false, "localhost", 6379, 0},
    {"redis://localhost", false, "localhost", 6379, 0},
    {"valkeys://localhost", true, "localhost", 6379, 0},
    {"rediss://localhost", true, "localhost", 6379, 0},
    {"VALKEY://localhost/", false, "localhost", 6379, 0},
    {"valkey://localhost:1", false, "localhost", 1, 0},
    {"valkey://localhost:65535/65535", false, "localhost", 65535, 65535},
    {"valkey://10.0.0.1:7000/15", false, "10.0.0.1", 7000, 15},
    {"valkey://a_b-c.Example.org/007", false, "a_b-c.Example.org", 6379, 7},
    {"valkey://[::1]", false, "::1", 6379, 0},
    {"valkey://[2001:db8::1]:7000/2", false, "2001:db8::1", 7000, 2},
    {"valkey://[::ffff:10.0.0.1]", false, "::ffff:10.0.0.1", 6379, 0},
};

static const struct {
    const char *url;
    const char *found; /* in the error text */
} REFUSED[] = {
    {"", "whose scheme"},
    {"localhost", "whose scheme"},
    {"localhost:6379", "whose scheme"},
    {"http://localhost", "whose scheme"},
    {"valkey:/localhost", "whose scheme"},
    {"unix:///run/valkey.sock", "whose scheme"},
    {" valkey://localhost", "whose scheme"},
    {"valkey://", "names no host"},
    {"valkey:///1", "names no host"},
    {"valkey://:6379", "names no host"},
    {"valkey://a b", "names no host"},
    {"valkey://a\nb", "names no host"},
    {"valkey://a,b", "names no host"},
    {"valkey://[]", "names no host"},
    {"valkey://[::1", "names no host"},
    {"valkey://[localhost]", "names no host"},
    {"valkey://[10.0.0.1]", "names no host"},
    {"valkey://[fe80::1%eth0]", "names no host"},
    {"valkey://::1", "names no host"},
    {"valkey://localhost:", "whose port"},
    {"valkey://localhost:0", "whose port"},
    {"valkey://localhost:65536", "whose port"},
    {"valkey://localhost:6379x", "whose port"},
    {"valkey://localhost:-1", "whose port"},
    {"valkey://localhost:99999999999999999999", "whose port"},
    {"valkey://[::1]6379", "whose database"},
    {"valkey://localhost/x", "whose database"},
    {"valkey://localhost/65536", "whose database"},
    {"valkey://localhost/1/2", "whose database"},
    {"valkey://localhost//", "whose database"},
    {"valkey://localhost/-1", "whose database"},
    {"valkey://localhost?a=b", "a query or a fragment"},
    {"valkey://localhost#a", "a query or a fragment"},
    {"valkey://user:secret@localhost", "a user or a password"},
    {"valkey://:secret@localhost", "a user or a password"},
    {"http://:secret@localhost", "a user or a password"},
    {":secret@", "a user or a password"},
    {"valkey://:secret?@localhost", "a user or a password"},
};

static void test_valkey_url_is_taken(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(TAKEN); i++) {
        struct valkey_url url;
        char error[INVIG_POLICY_ERROR_BYTES] = "untouched";
        if (invig_valkeyurl_parse(TAKEN[i].url, &url, error) != INVIG_OK) {
            fail_msg("%s", error);
        }
        assert_string_equal(error, UNTOUCHED);
        assert_int_equal(url.is_tls, TAKEN[i].is_tls);
        assert_string_equal(url.host, TAKEN[i].host);
        assert_int_equal(url.port, TAKEN[i].port);
        assert_int_equal(url.database, TAKEN[i].database);
    }
}

static void test_valkey_url_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(REFUSED); i++) {
        struct valkey_url url;
        char error[INVIG_POLICY_ERROR_BYTES] = "";
        assert_int_equal(invig_valkeyurl_parse(REFUSED[i].url, &url, error), INVIG_ERR_INVALID);
        assert_error_is_whole(error);
        assert_memory_equal(error, "plugin_opt_state_url: found ", 28);
        if (strstr(error, REFUSED[i].found) == NULL) {
            fail_msg("%s: %s", REFUSED[i].url, error);
        }
        assert_non_null(strstr(error, ", expected "));
        assert_null(strstr(error, "secret"));
    }
}

static void test_valkey_url_has_bounds(void **state)
{
    static char text[5000];
    struct valkey_url url;
    char error[INVIG_POLICY_ERROR_BYTES];

    (void)state;
    for (size_t length = 250; length < 4000; length += length < 256 ? 1 : 1000) {
        snprintf(text, sizeof text, "valkey://%0*d", (int)length, 0);
        assert_int_equal(invig_valkeyurl_parse(text, &url, error) == INVIG_OK, length <= 253);
    }
    memset(text, '\n', sizeof text - 1);
    assert_int_equal(invig_valkeyurl_parse(text, &url, error), INVIG_ERR_INVALID);
    assert_error_is_whole(error);
}

static void test_valkey_url_is_resolved(void **state)
{
    static const struct {
        const char *host;
        const char *address; /* NULL: there is none */
    } rows[] = {
        {"127.0.0.1", "127.0.0.1"},
        {"::1", "::1"},
        {"::ffff:10.0.0.1", "::ffff:10.0.0.1"},
        {"name.invalid", NULL}, /* RFC 6761 section 6.4 */
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct valkey_url url = {.port = 6379};
        struct valkey_addresses addresses;
        char error[INVIG_POLICY_ERROR_BYTES] = "untouched";
        snprintf(url.host, sizeof url.host, "%s", rows[i].host);
        enum invig_status status = invig_valkeyurl_resolve(&url, &addresses, error);
        if (rows[i].address != NULL) {
            assert_int_equal(status, INVIG_OK);
            assert_int_equal(addresses.count, 1);
            assert_string_equal(addresses.texts[0], rows[i].address);
        } else {
            assert_int_equal(status, INVIG_ERR_INVALID);
            assert_error_is_whole(error);
            assert_non_null(strstr(error, "found \"name.invalid\", which has no address"));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valkey_url_is_taken),
        cmocka_unit_test(test_valkey_url_is_refused),
        cmocka_unit_test(test_valkey_url_has_bounds),
        cmocka_unit_test(test_valkey_url_is_resolved),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
