/* SPDX-License-Identifier: Apache-2.0
 *
 * status.c - names of errors and of refusals, from the lists in status.h.
 */
#include "invigilator/status.h"

/* The switches have no default label, so that the compiler asks for a new member of a list; what
 * is no member falls out of them. */

const char *invig_status_text(enum invig_status status)
{
    switch (status) {
#define STATUS_CASE(word, number, text)                                                            \
    case INVIG_##word:                                                                             \
        return text;
        INVIG_STATUS_MAP(STATUS_CASE)
#undef STATUS_CASE
    }
    return "unknown status";
}

const char *invig_reason_word(enum invig_reason reason)
{
    switch (reason) {
#define REASON_CASE(name, word)                                                                    \
    case INVIG_REASON_##name:                                                                      \
        return word;
        INVIG_REASON_MAP(REASON_CASE)
#undef REASON_CASE
    case INVIG_REASON_COUNT:
        break;
    }
    return "unknown_reason";
}
