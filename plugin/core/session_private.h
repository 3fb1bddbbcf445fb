/* SPDX-License-Identifier: Apache-2.0
 *
 * session_private.h - what the files that make up session share.
 */
#ifndef INVIGILATOR_SESSION_PRIVATE_H
#define INVIGILATOR_SESSION_PRIVATE_H

#include "invigilator/session.h"

/* Finds or creates a user and, where `session_id` is present, a session of it. Returns INVIG_OK, or
 * with nothing created INVIG_ERR_FULL or INVIG_ERR_NO_MEMORY. */
enum invig_status invig_sessions_require(struct invig_sessions *sessions, struct invig_text user_id,
                                         struct invig_text session_id, int64_t now_s,
                                         struct invig_user **out_user,
                                         struct invig_session **out_session);

#endif
