/* SPDX-License-Identifier: Apache-2.0
 *
 * portrait.c - see portrait.h: the values. The text is in portrait_text.c.
 */
#include "invigilator/portrait.h"

#include <stdlib.h>
#include <string.h>

enum invig_status invig_portrait_init(struct invig_portrait *portrait, size_t sessions,
                                      size_t members, size_t presences)
{
    *portrait = (struct invig_portrait){
        .sessions = calloc(sessions + 1, sizeof(*portrait->sessions)),
        .members = calloc(members + 1, sizeof(*portrait->members)),
        .presences = calloc(presences + 1, sizeof(*portrait->presences)),
    };
    return portrait->sessions == NULL || portrait->members == NULL || portrait->presences == NULL
               ? INVIG_ERR_NO_MEMORY
               : INVIG_OK;
}

void invig_portrait_deinit(struct invig_portrait *portrait)
{
    free(portrait->sessions);
    free(portrait->members);
    free(portrait->presences);
    *portrait = (struct invig_portrait){.session_count = 0};
}

/* Each of the three begins with its id. */
static int id_compare(const void *left, const void *right)
{
    const struct invig_text *a = left;
    const struct invig_text *b = right;
    size_t shorter = a->length < b->length ? a->length : b->length;
    int order = memcmp(a->data, b->data, shorter);

    return order != 0 ? order : (a->length > b->length) - (a->length < b->length);
}

_Static_assert(offsetof(struct invig_portrait_session, id) == 0 &&
                   offsetof(struct invig_portrait_member, evaluation) == 0 &&
                   offsetof(struct invig_portrait_presence, broker) == 0,
               "what is sorted does not begin with its id");

void invig_portrait_sort(struct invig_portrait *portrait)
{
    qsort(portrait->sessions, portrait->session_count, sizeof(*portrait->sessions), id_compare);
    qsort(portrait->members, portrait->member_count, sizeof(*portrait->members), id_compare);
    qsort(portrait->presences, portrait->presence_count, sizeof(*portrait->presences), id_compare);
}

static bool array_is_sorted(const void *array, size_t count, size_t size)
{
    for (size_t i = 1; i < count; i++) {
        if (id_compare((const char *)array + (i - 1) * size, (const char *)array + i * size) >= 0) {
            return false;
        }
    }
    return true;
}

bool invig_portrait_is_sorted(const struct invig_portrait *portrait)
{
    size_t current = 0;

    for (size_t i = 0; i < portrait->session_count; i++) {
        current += portrait->sessions[i].record.is_current;
    }
    return current <= 1 &&
           array_is_sorted(portrait->sessions, portrait->session_count,
                           sizeof(*portrait->sessions)) &&
           array_is_sorted(portrait->members, portrait->member_count, sizeof(*portrait->members)) &&
           array_is_sorted(portrait->presences, portrait->presence_count,
                           sizeof(*portrait->presences));
}

const struct invig_portrait_session *invig_portrait_find_session(
    const struct invig_portrait *portrait, struct invig_text id)
{
    return portrait->session_count == 0 ? NULL
                                        : bsearch(&id, portrait->sessions, portrait->session_count,
                                                  sizeof(*portrait->sessions), id_compare);
}

const struct invig_portrait_member *invig_portrait_find_member(
    const struct invig_portrait *portrait, struct invig_text evaluation)
{
    return portrait->member_count == 0
               ? NULL
               : bsearch(&evaluation, portrait->members, portrait->member_count,
                         sizeof(*portrait->members), id_compare);
}

const struct invig_portrait_session *invig_portrait_current(const struct invig_portrait *portrait)
{
    for (size_t i = 0; i < portrait->session_count; i++) {
        if (portrait->sessions[i].record.is_current) {
            return &portrait->sessions[i];
        }
    }
    return NULL;
}

bool invig_portrait_is_bound(const struct invig_portrait *portrait)
{
    for (size_t i = 0; i < portrait->member_count; i++) {
        if (portrait->members[i].record.is_bound) {
            return true;
        }
    }
    return false;
}
