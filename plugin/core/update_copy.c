/* SPDX-License-Identifier: Apache-2.0
 *
 * update_copy.c - see update.h. Copies of a message. Its text is spliced, not read and written
 * again, so that numbers, escapes and what else a member holds stay as the backend wrote them.
 */
#include "invigilator/update.h"

#include "invigilator/jsontext.h"

#include <string.h>

/* The copy as far as it is written. */
struct copy {
    char *out;
    size_t length;
    size_t member_count;
    bool is_full; /* something did not fit */
};

static void copy_add(struct copy *copy, struct invig_text text)
{
    size_t room = INVIG_UPDATE_COPY_BYTES - 1 - copy->length;

    if (text.length > room) {
        copy->is_full = true;
        return;
    }
    memcpy(copy->out + copy->length, text.data, text.length);
    copy->length += text.length;
}

static void copy_add_word(struct copy *copy, const char *word)
{
    copy_add(copy, invig_text_of(word));
}

/* Adds what stands between the member before and the one that comes now. */
static void copy_begin_member(struct copy *copy)
{
    copy_add_word(copy, copy->member_count == 0 ? "{" : ",");
    copy->member_count++;
}

/* Neither needs an escape. */
static void copy_add_member(struct copy *copy, const char *name, const char *value)
{
    copy_begin_member(copy);
    copy_add_word(copy, "\"");
    copy_add_word(copy, name);
    copy_add_word(copy, "\":\"");
    copy_add_word(copy, value);
    copy_add_word(copy, "\"");
}

static bool name_is_one_of(struct invig_text name, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (invig_jsontext_name_is(name, words[i])) {
            return true;
        }
    }
    return false;
}

/* True for a member that the copy does not take over. A reason for a block is none for anything
 * else, and a new one replaces it. */
static bool name_is_dropped(struct invig_text name, bool keeps_reason)
{
    static const char *const always[] = {"access", "by", "sessionId", "unblock"};
    static const char *const of_block[] = {"reason", "at"};

    return name_is_one_of(name, always, sizeof always / sizeof always[0]) ||
           (!keeps_reason && name_is_one_of(name, of_block, sizeof of_block / sizeof of_block[0]));
}

static void copy_add_others(struct copy *copy, struct invig_text message, bool keeps_reason)
{
    struct invig_text name;
    struct invig_text value;

    while (invig_jsontext_take_member(&message, &name, &value)) {
        if (!name_is_dropped(name, keeps_reason)) {
            size_t length = (size_t)(value.data - name.data) + value.length;
            copy_begin_member(copy);
            copy_add(copy, (struct invig_text){name.data, length});
        }
    }
}

size_t invig_update_copy(struct invig_text message, enum invig_access access, const char *reason,
                         int64_t at_s, char out[INVIG_UPDATE_COPY_BYTES])
{
    struct copy copy = {.out = out};

    copy_add_others(&copy, message, access == INVIG_ACCESS_BLOCKED && reason == NULL);
    copy_add_member(&copy, "access", invig_access_word(access));
    if (reason != NULL) {
        char at[INVIG_TIME_TEXT_BYTES];
        invig_time_format(at_s, at);
        copy_add_member(&copy, "reason", reason);
        copy_add_member(&copy, "at", at);
    }
    copy_add_member(&copy, "by", "invigilator");
    copy_add_word(&copy, "}");
    if (copy.is_full) {
        copy.length = 0;
    }
    out[copy.length] = '\0';
    return copy.length;
}
