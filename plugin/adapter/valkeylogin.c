/* SPDX-License-Identifier: Apache-2.0
 *
 * valkeylogin.c - the file with what AUTH says to the server.
 */
#include "valkey_private.h"

#include "keyfile.h"

#include <stdio.h>
#include <string.h>

enum { NAME_BYTES_MAX = 40 /* of the file's name in an error line */ };

#define LOGIN_EXPECTED "one line: a password, or a name, a colon and a password"

static enum invig_status login_refuse(const char *path, enum invig_status status, const char *found,
                                      const char *expected, char error[INVIG_POLICY_ERROR_BYTES])
{
    char name[4 * NAME_BYTES_MAX + 4];

    invig_logline_escape(invig_text_of(path), NAME_BYTES_MAX, name, sizeof name);
    snprintf(error, INVIG_POLICY_ERROR_BYTES,
             "plugin_opt_state_auth_file: found \"%s\", which %s, expected %s", name, found,
             expected);
    return status;
}

/* Without the newline at its end. */
static struct invig_text login_line(const struct invig_keyfile *file)
{
    size_t length = file->length;

    if (length > 0 && file->data[length - 1] == '\n') {
        length--;
        if (length > 0 && file->data[length - 1] == '\r') {
            length--;
        }
    }
    return (struct invig_text){file->data, length};
}

static bool login_split(struct invig_text line, struct valkey_login *login)
{
    const char *colon = line.length == 0 ? NULL : memchr(line.data, ':', line.length);

    login->password = line;
    login->user = (struct invig_text){NULL, 0};
    if (colon != NULL) {
        size_t user_length = (size_t)(colon - line.data);
        login->user = (struct invig_text){line.data, user_length};
        login->password = (struct invig_text){colon + 1, line.length - user_length - 1};
    }
    return login->password.length > 0 && (colon == NULL || login->user.length > 0) &&
           memchr(line.data, '\n', line.length) == NULL &&
           memchr(line.data, '\0', line.length) == NULL;
}

enum invig_status invig_valkeylogin_read(const char *path, struct valkey_login *out_login,
                                         char error[INVIG_POLICY_ERROR_BYTES])
{
    struct invig_keyfile file;
    struct invig_keyfile_fault fault;

    *out_login = (struct valkey_login){0};
    if (path == NULL) {
        return INVIG_OK;
    }
    enum invig_status status =
        invig_keyfile_read(path, INVIG_VALKEY_LOGIN_BYTES_MAX, &file, &fault);
    if (status != INVIG_OK) {
        return login_refuse(path, status, fault.found,
                            status == INVIG_ERR_FORMAT ? LOGIN_EXPECTED : fault.expected, error);
    }
    out_login->data = file.data; /* transferred */
    out_login->length = file.length;
    if (file.is_world_readable) {
        status = login_refuse(path, INVIG_ERR_IO, "can be read by everyone",
                              "a file without read permission for others", error);
    } else if (!login_split(login_line(&file), out_login)) {
        status = login_refuse(path, INVIG_ERR_FORMAT, "does not hold that", LOGIN_EXPECTED, error);
    }
    if (status != INVIG_OK) {
        invig_valkeylogin_deinit(out_login);
    }
    return status;
}

void invig_valkeylogin_deinit(struct valkey_login *login)
{
    struct invig_keyfile file = {.data = login->data, .length = login->length};

    invig_keyfile_deinit(&file);
    *login = (struct valkey_login){0};
}
