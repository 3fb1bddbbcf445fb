/* SPDX-License-Identifier: Apache-2.0
 *
 * test_valkey_login.c - the files of the shared state, and what is refused before anything is
 * connected.
 */
#include "policy_assert.h"

#include "valkey_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[64];

static void file_write(const char *bytes, size_t length, mode_t mode)
{
    strcpy(path, "/tmp/invigilator-login-XXXXXX");
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, length), length);
    assert_int_equal(fchmod(fd, mode), 0);
    (void)close(fd);
}

#define BYTES(string) (string), sizeof(string) - 1

static void test_valkey_login_is_read(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
        const char *user; /* NULL: none */
        const char *password;
    } rows[] = {
        {BYTES("secret"), NULL, "secret"},          {BYTES("secret\n"), NULL, "secret"},
        {BYTES("secret\r\n"), NULL, "secret"},      {BYTES(" a b \t\n"), NULL, " a b \t"},
        {BYTES("anna:secret\n"), "anna", "secret"}, {BYTES("anna::a:b:\n"), "anna", ":a:b:"},
        {BYTES("\xff\x01\n"), NULL, "\xff\x01"},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct valkey_login login;
        char error[INVIG_POLICY_ERROR_BYTES] = "";
        file_write(rows[i].bytes, rows[i].length, 0640);
        enum invig_status status = invig_valkeylogin_read(path, &login, error);
        (void)unlink(path);
        if (status != INVIG_OK) {
            fail_msg("%s", error);
        }
        assert_true(invig_text_equal(login.password, invig_text_of(rows[i].password)));
        assert_true(rows[i].user == NULL
                        ? login.user.data == NULL
                        : invig_text_equal(login.user, invig_text_of(rows[i].user)));
        invig_valkeylogin_deinit(&login);
        assert_null(login.data);
        assert_null(login.password.data);
    }
}

static void assert_file_refused(enum invig_status expected, const char *found)
{
    struct valkey_login login;
    char error[INVIG_POLICY_ERROR_BYTES] = "";

    assert_int_equal(invig_valkeylogin_read(path, &login, error), expected);
    assert_error_is_whole(error);
    assert_memory_equal(error, "plugin_opt_state_auth_file: found \"", 35);
    if (strstr(error, found) == NULL) {
        fail_msg("%s: %s", found, error);
    }
    assert_null(strstr(error, "secret"));
    assert_null(login.data);
}

static void test_valkey_login_is_refused(void **state)
{
    static char long_line[INVIG_VALKEY_LOGIN_BYTES_MAX + 1];
    const struct {
        const char *bytes;
        size_t length;
        mode_t mode;
        enum invig_status status;
        const char *found;
    } rows[] = {
        {BYTES(""), 0600, INVIG_ERR_FORMAT, "does not hold that, expected one line"},
        {BYTES("\n"), 0600, INVIG_ERR_FORMAT, "does not hold that"},
        {BYTES("secret\n\n"), 0600, INVIG_ERR_FORMAT, "does not hold that"},
        {BYTES("secret\nmore\n"), 0600, INVIG_ERR_FORMAT, "does not hold that"},
        {BYTES(":secret\n"), 0600, INVIG_ERR_FORMAT, "does not hold that"},
        {BYTES("anna:\n"), 0600, INVIG_ERR_FORMAT, "does not hold that"},
        {BYTES("sec\0ret\n"), 0600, INVIG_ERR_FORMAT, "does not hold that"},
        {BYTES("secret\n"), 0644, INVIG_ERR_IO, "can be read by everyone"},
        {BYTES("secret\n"), 0602, INVIG_ERR_IO, "can be written by everyone"},
        {long_line, sizeof long_line, 0600, INVIG_ERR_FORMAT, "is longer than 4096 bytes"},
    };

    (void)state;
    memset(long_line, 'x', sizeof long_line);
    for (size_t i = 0; i < ROWS(rows); i++) {
        file_write(rows[i].bytes, rows[i].length, rows[i].mode);
        assert_file_refused(rows[i].status, rows[i].found);
        (void)unlink(path);
    }
    assert_file_refused(INVIG_ERR_IO, "cannot be opened");
    strcpy(path, "/");
    assert_file_refused(INVIG_ERR_IO, "is no regular file");
}

static void test_valkey_login_may_be_as_long_as_a_file(void **state)
{
    static char line[INVIG_VALKEY_LOGIN_BYTES_MAX];
    struct valkey_login login;
    char error[INVIG_POLICY_ERROR_BYTES];

    (void)state;
    memset(line, 'x', sizeof line);
    file_write(line, sizeof line, 0600);
    assert_int_equal(invig_valkeylogin_read(path, &login, error), INVIG_OK);
    assert_int_equal(login.password.length, sizeof line);
    invig_valkeylogin_deinit(&login);
    (void)unlink(path);
    assert_int_equal(invig_valkeylogin_read(NULL, &login, error), INVIG_OK);
    assert_null(login.data);
}

#ifdef INVIG_HAS_HIREDIS_SSL
#define TLS_FOUND "plugin_opt_state_ca_file: found \"/\", which cannot be read"
#else
#define TLS_FOUND "this build has no TLS for it"
#endif

static void test_valkey_open_is_refused(void **state)
{
    static const struct {
        struct invig_valkey_options options;
        const char *found;
    } rows[] = {
        {{.url = "http://127.0.0.1"}, "plugin_opt_state_url: found \"http://127.0.0.1\""},
        {{.url = "valkey://name.invalid"}, "plugin_opt_state_url: found \"name.invalid\""},
        {{.url = "valkey://127.0.0.1", .auth_file = "/"},
         "plugin_opt_state_auth_file: found \"/\""},
        {{.url = "valkey://127.0.0.1", .ca_file = "/"}, "plugin_opt_state_ca_file: found it with"},
        {{.url = "valkeys://127.0.0.1", .ca_file = "/"}, TLS_FOUND},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct invig_share share = {0};
        char error[INVIG_POLICY_ERROR_BYTES] = "";
        assert_int_not_equal(invig_valkey_open(&rows[i].options, &share, error), INVIG_OK);
        assert_error_is_whole(error);
        if (strstr(error, rows[i].found) == NULL) {
            fail_msg("%s", error);
        }
        assert_null(share.context);
    }
}

static void test_valkey_open_makes_a_name_for_each(void **state)
{
    const struct invig_valkey_options options = {.url = "valkey://127.0.0.1:1", .timeout_ms = 20};
    struct invig_share shares[2];
    char error[INVIG_POLICY_ERROR_BYTES];

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(invig_valkey_open(&options, &shares[i], error), INVIG_OK);
        assert_int_equal(shares[i].name.length, 16);
        assert_int_equal(strspn(shares[i].name.data, "0123456789abcdef"), 16);
        assert_false(shares[i].is_available(shares[i].context));
    }
    assert_false(invig_text_equal(shares[0].name, shares[1].name));
    shares[0].close(shares[0].context);
    shares[1].close(shares[1].context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valkey_login_is_read),
        cmocka_unit_test(test_valkey_login_is_refused),
        cmocka_unit_test(test_valkey_login_may_be_as_long_as_a_file),
        cmocka_unit_test(test_valkey_open_is_refused),
        cmocka_unit_test(test_valkey_open_makes_a_name_for_each),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
