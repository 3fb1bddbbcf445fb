/* SPDX-License-Identifier: Apache-2.0
 *
 * link_private.h - what the files of the connection share. Private to link*.c and login.c.
 */
#ifndef INVIGILATOR_TOOL_LINK_PRIVATE_H
#define INVIGILATOR_TOOL_LINK_PRIVATE_H

#include "link.h"

#include <mosquitto.h>

enum { TOOL_PAYLOAD_BYTES_MAX = 64 * 1024 * 1024 }; /* what is longer is passed over */

struct tool_link {
    struct mosquitto *client;
    struct tool_login login;
    struct tool_link_reader reader;
    bool has_answer; /* to CONNECT */
    bool is_open;
    int connack; /* 0: accepted */
    int error;   /* of libmosquitto, or an MQTT reason code */
    int saved_errno;
    int publish_id, puback;
    int subscribe_id;
    bool has_suback, is_granted;
};

/* Name, password, version and TLS. Says what is wrong; TOOL_DONE or TOOL_USAGE. */
enum tool_exit tool_login_apply(const struct tool_login *login, struct mosquitto *client);

int tool_login_port(const struct tool_login *login);

/* Ends the process, with TOOL_TIMEOUT, a little after so many seconds; 0: not any more. */
void tool_login_guard(int64_t timeout_s);

#endif
