/* SPDX-License-Identifier: Apache-2.0
 *
 * shared.c - see shared.h.
 */
#include "invigilator/shared.h"

#include <stdlib.h>
#include <string.h>

static void text_free(struct invig_text *text)
{
    free((void *)(uintptr_t)text->data); /* it is ours, whatever the view says */
    *text = (struct invig_text){NULL, 0};
}

struct invig_shared *invig_shared_require(struct invig_shared **slot, struct invig_user *user)
{
    if (*slot == NULL) {
        *slot = calloc(1, sizeof(**slot));
        if (*slot != NULL) {
            (*slot)->user = user;
        }
    }
    return *slot;
}

static void elsewhere_free(struct invig_elsewhere *first)
{
    while (first != NULL) {
        struct invig_elsewhere *next = first->next;

        free(first);
        first = next;
    }
}

void invig_shared_free(struct invig_shares *shares, struct invig_shared *shared)
{
    if (shared == NULL) {
        return;
    }
    invig_shares_remove(shares, shared);
    text_free(&shared->agreed);
    text_free(&shared->offered);
    elsewhere_free(shared->elsewhere);
    free(shared);
}

void invig_shares_add(struct invig_shares *shares, struct invig_shared *shared)
{
    if (shared->is_listed) {
        return;
    }
    shared->is_listed = true;
    shared->next = NULL;
    shared->previous = shares->last;
    if (shares->last == NULL) {
        shares->first = shared;
    } else {
        shares->last->next = shared;
    }
    shares->last = shared;
}

void invig_shares_remove(struct invig_shares *shares, struct invig_shared *shared)
{
    if (!shared->is_listed) {
        return;
    }
    shared->is_listed = false;
    if (shared->previous == NULL) {
        shares->first = shared->next;
    } else {
        shared->previous->next = shared->next;
    }
    if (shared->next == NULL) {
        shares->last = shared->previous;
    } else {
        shared->next->previous = shared->previous;
    }
}

void invig_shared_agree(struct invig_shared *shared, struct invig_text text, uint64_t revision)
{
    text_free(&shared->agreed);
    shared->agreed = text;
    shared->revision = revision;
    shared->is_stale = false;
}

void invig_shared_offer(struct invig_shared *shared, struct invig_text text)
{
    shared->offered = text;
    shared->is_offered = true;
}

void invig_shared_accept(struct invig_shared *shared, uint64_t revision)
{
    invig_shared_agree(shared, shared->offered, revision);
    shared->offered = (struct invig_text){NULL, 0};
    shared->is_offered = false;
}

void invig_shared_withdraw(struct invig_shared *shared)
{
    text_free(&shared->offered);
    shared->is_offered = false;
}

static struct invig_elsewhere *elsewhere_new(const struct invig_portrait_presence *presence)
{
    struct invig_elsewhere *made = malloc(sizeof(*made) + presence->broker.length);
    char *name = (char *)(made + 1);

    if (made != NULL) {
        memcpy(name, presence->broker.data, presence->broker.length);
        made->next = NULL;
        made->presence = *presence;
        made->presence.broker.data = name;
    }
    return made;
}

bool invig_shared_set_elsewhere(struct invig_shared *shared, const struct invig_portrait *portrait,
                                struct invig_text self)
{
    struct invig_elsewhere *first = NULL;
    size_t count = 0;

    for (size_t i = 0; i < portrait->presence_count; i++) {
        const struct invig_portrait_presence *presence = &portrait->presences[i];
        struct invig_elsewhere *made;

        if (invig_text_equal(presence->broker, self)) {
            continue;
        }
        made = elsewhere_new(presence);
        if (made == NULL) {
            elsewhere_free(first);
            return false;
        }
        made->next = first;
        first = made;
        count += presence->count;
    }
    elsewhere_free(shared->elsewhere);
    shared->elsewhere = first;
    shared->elsewhere_count = count;
    return true;
}

bool invig_shared_forget_broker(struct invig_shared *shared, struct invig_text broker)
{
    struct invig_elsewhere **link = &shared->elsewhere;
    struct invig_elsewhere *gone;

    while (*link != NULL && !invig_text_equal((*link)->presence.broker, broker)) {
        link = &(*link)->next;
    }
    gone = *link;
    if (gone == NULL) {
        return false;
    }
    *link = gone->next;
    shared->elsewhere_count -= gone->presence.count;
    free(gone);
    return true;
}
