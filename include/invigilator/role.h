/* SPDX-License-Identifier: Apache-2.0
 *
 * role.h - what a token may be used for.
 * Depends on: text.
 */
#ifndef INVIGILATOR_ROLE_H
#define INVIGILATOR_ROLE_H

#include "invigilator/text.h"

/* In the order of their power. NONE is that of a connection without a token: it has no right of its
 * own. */
enum invig_role {
    INVIG_ROLE_NONE = 0,
    INVIG_ROLE_STUDENT,
    INVIG_ROLE_PROFESSOR,
    INVIG_ROLE_SERVICE
};

/* Finds a role by its word, letter case ignored: "student", "professor", "service".
 * Returns INVIG_ROLE_NONE for any other text. */
enum invig_role invig_role_find(struct invig_text word);

/* Returns the static word, "none" for INVIG_ROLE_NONE or a number that is no role. */
const char *invig_role_word(enum invig_role role);

#endif
