/* SPDX-License-Identifier: Apache-2.0
 *
 * valkey.h - the state that several brokers share, in a Valkey or Redis server (5.0 or later).
 * Hides: hiredis, and OpenSSL for TLS.  Not thread-safe: broker thread only.
 *
 * Kept there, in the database that the URL names:
 *
 *   invigilator:users          hash: user -> "<revision> <text>"
 *                              (no text: nothing is known any more)
 *   invigilator:topics         hash: "<evaluation>" or "<evaluation>/<user>" -> text
 *   invigilator:news           stream of what has changed, about 100,000 entries
 *   invigilator:broker:<name>  there as long as the broker is, and 15 s more
 */
#ifndef INVIGILATOR_VALKEY_H
#define INVIGILATOR_VALKEY_H

#include "invigilator/logline.h"
#include "invigilator/policy.h"
#include "invigilator/share.h"

enum {
    INVIG_VALKEY_LOGIN_BYTES_MAX = 4096,    /* of the file with the password */
    INVIG_VALKEY_OFFERS_MAX = 16384,        /* commands without an answer; beyond, none is sent */
    INVIG_VALKEY_OUTPUT_BYTES_MAX = 8 << 20 /* that the network has not taken; likewise */
};

/* Where the one line of each outage goes. */
struct invig_valkey_log {
    void *context;
    void (*write)(void *context, enum invig_log_level level, const char *line);
};

struct invig_valkey_options {
    const char *url;       /* valkey://host[:port][/database]; redis:// is the same; valkeys:// and
                              rediss:// with TLS */
    const char *auth_file; /* one line: a password, or a name, a colon and a password; NULL: none */
    const char *ca_file;   /* PEM, for TLS; NULL: what the system trusts */
    int64_t timeout_ms;    /* what answers later is not available */
    struct invig_valkey_log log;
};

/* Reads the files and looks up the host's addresses, once and for all. Does not wait for the
 * server: the connection is made, and made again, from next(). The options are not needed
 * afterwards.
 *
 * The share does more than share.h asks:
 *   - LOST comes for each connection on which anything was given or may have been sent, also before
 *     READY; nothing is sent but between READY and LOST.
 *   - A text of length 0 counts as absent. One that is longer than INVIG_SHARE_TEXT_BYTES_MAX, of a
 *     user or a topic, is not sent.
 *   - Revisions are microseconds of the server's clock, or one more than the last: none
 *     comes again, even when the server has lost what it had.
 *   - News of one user come by rising revision but for those that it was told with ACCEPTED and
 *     REFUSED already.
 *
 *   out_share  to be closed
 *   error      receives one line that names the option, what was found and what is expected
 *
 * Returns INVIG_OK, or
 *   INVIG_ERR_INVALID    the URL is none, asks for TLS where this build has none,
 *                        or the host has no address
 *   INVIG_ERR_IO         a file cannot be read, or by too many
 *   INVIG_ERR_FORMAT     a file does not hold what it should
 *   INVIG_ERR_NO_MEMORY  memory is out
 */
enum invig_status invig_valkey_open(const struct invig_valkey_options *options,
                                    struct invig_share *out_share,
                                    char error[INVIG_POLICY_ERROR_BYTES]);

#endif
