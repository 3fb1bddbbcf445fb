/* SPDX-License-Identifier: Apache-2.0
 *
 * load_login.h - the clients' credentials, read from a file: one line a client, with client id,
 * user name and password separated by tabs.
 */
#ifndef LOAD_LOGIN_H
#define LOAD_LOGIN_H

#include <stdbool.h>
#include <stddef.h>

struct load_login {
    const char *client_id;
    const char *username;
    const char *password;
};

struct load_logins {
    struct load_login *all;
    size_t count;
    char *text; /* what they point into */
};

/* Says on stderr what is wrong where it returns false. */
bool load_logins_read(struct load_logins *logins, const char *path);
void load_logins_deinit(struct load_logins *logins);

/* A whole file, with a NUL behind it; to be freed. NULL, said on stderr, where it cannot be read.
 */
char *load_file_read(const char *path, size_t *out_length);

#endif
