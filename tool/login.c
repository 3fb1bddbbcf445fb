/* SPDX-License-Identifier: Apache-2.0
 *
 * login.c - who the tool is to the broker, and over what.
 */
#include "link_private.h"

#include <mqtt_protocol.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PASSWORD_BYTES_MAX = 65535, PORT = 1883, PORT_TLS = 8883 };

static bool login_has_files(const struct tool_login *login)
{
    return login->cafile != NULL || login->capath != NULL || login->cert != NULL ||
           login->key != NULL;
}

static bool login_has_tls(const struct tool_login *login)
{
    return login_has_files(login) || login->use_os_certs;
}

int tool_login_port(const struct tool_login *login)
{
    if (login->port > 0) {
        return (int)login->port;
    }
    return login_has_tls(login) ? PORT_TLS : PORT;
}

static enum tool_exit login_set_version(const struct tool_login *login, struct mosquitto *client)
{
    const char *version = login->version == NULL ? "mqttv5" : login->version;
    int number = 0;

    if (strcmp(version, "mqttv5") == 0 || strcmp(version, "5") == 0) {
        number = MQTT_PROTOCOL_V5;
    } else if (strcmp(version, "mqttv311") == 0 || strcmp(version, "311") == 0) {
        number = MQTT_PROTOCOL_V311;
    }
    if (number == 0) {
        return tool_fail(TOOL_USAGE, "-V: expected mqttv5 or mqttv311");
    }
    return mosquitto_int_option(client, MOSQ_OPT_PROTOCOL_VERSION, number) == MOSQ_ERR_SUCCESS
               ? TOOL_DONE
               : tool_fail(TOOL_USAGE, "-V: libmosquitto does not know this version");
}

static enum tool_exit login_set_tls(const struct tool_login *login, struct mosquitto *client)
{
    int code = MOSQ_ERR_SUCCESS;

    if (!login_has_tls(login)) {
        return login->is_insecure || login->tls_version != NULL
                   ? tool_fail(TOOL_USAGE, "--insecure and --tls-version are of use only with "
                                           "--cafile, --capath or --tls-use-os-certs")
                   : TOOL_DONE;
    }
    if (login->use_os_certs) {
        code = mosquitto_int_option(client, MOSQ_OPT_TLS_USE_OS_CERTS, 1);
    }
    if (code == MOSQ_ERR_SUCCESS && login_has_files(login)) {
        code =
            mosquitto_tls_set(client, login->cafile, login->capath, login->cert, login->key, NULL);
    }
    if (code == MOSQ_ERR_SUCCESS && login->tls_version != NULL) {
        code = mosquitto_tls_opts_set(client, 1, login->tls_version, NULL);
    }
    if (code == MOSQ_ERR_SUCCESS && login->is_insecure) {
        code = mosquitto_tls_insecure_set(client, true);
    }
    return code == MOSQ_ERR_SUCCESS
               ? TOOL_DONE
               : tool_fail(TOOL_USAGE, "TLS: the files cannot be read, or the settings do not fit");
}

static enum tool_exit login_set_name(const struct tool_login *login, const char *password,
                                     struct mosquitto *client)
{
    if (login->username == NULL && password == NULL) {
        return TOOL_DONE;
    }
    if (login->username == NULL && login->version != NULL &&
        strstr(login->version, "311") != NULL) {
        return tool_fail(TOOL_USAGE, "-V mqttv311: a password needs a username (-u)");
    }
    return mosquitto_username_pw_set(client, login->username, password) == MOSQ_ERR_SUCCESS
               ? TOOL_DONE
               : tool_fail(TOOL_USAGE, "the username or the password cannot be sent");
}

/* The first line of the file. */
static enum tool_exit login_set_from_file(const struct tool_login *login, struct mosquitto *client)
{
    enum tool_exit code;
    char *text;
    size_t length;

    if (!tool_read_file(login->password_file, PASSWORD_BYTES_MAX, &text, &length)) {
        return TOOL_USAGE;
    }
    text[strcspn(text, "\r\n")] = '\0';
    code = login_set_name(login, text, client);
    invig_text_wipe(text, length);
    free(text);
    return code;
}

enum tool_exit tool_login_apply(const struct tool_login *login, struct mosquitto *client)
{
    enum tool_exit code = login_set_version(login, client);

    if (code == TOOL_DONE && login->password != NULL && login->password_file != NULL) {
        code = tool_fail(TOOL_USAGE, "-P and --password-file: expected one of them");
    }
    if (code == TOOL_DONE) {
        code = login->password_file != NULL ? login_set_from_file(login, client)
                                            : login_set_name(login, login->password, client);
    }
    return code == TOOL_DONE ? login_set_tls(login, client) : code;
}

/* Only what a signal handler may call. */
static void guard_end(int number)
{
    static const char text[] = "invigilator: the broker could not be reached in time\n";
    ssize_t written = write(STDERR_FILENO, text, sizeof text - 1);

    (void)number;
    (void)written;
    _exit(TOOL_TIMEOUT);
}

void tool_login_guard(int64_t timeout_s)
{
    struct sigaction action = {.sa_handler = guard_end};

    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGALRM, &action, NULL);
    (void)alarm(timeout_s == 0 ? 0 : (unsigned)timeout_s + 1);
}
