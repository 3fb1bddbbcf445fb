/* SPDX-License-Identifier: Apache-2.0
 *
 * role.c - the words of the roles.
 */
#include "invigilator/role.h"

const char *invig_role_word(enum invig_role role)
{
    switch (role) {
    case INVIG_ROLE_STUDENT:
        return "student";
    case INVIG_ROLE_PROFESSOR:
        return "professor";
    case INVIG_ROLE_SERVICE:
        return "service";
    case INVIG_ROLE_NONE:
        break;
    }
    return "none";
}

enum invig_role invig_role_find(struct invig_text word)
{
    static const enum invig_role roles[] = {INVIG_ROLE_STUDENT, INVIG_ROLE_PROFESSOR,
                                            INVIG_ROLE_SERVICE};

    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++) {
        if (invig_text_equal_nocase(word, invig_text_of(invig_role_word(roles[i])))) {
            return roles[i];
        }
    }
    return INVIG_ROLE_NONE;
}
