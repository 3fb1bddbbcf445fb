/* SPDX-License-Identifier: Apache-2.0
 *
 * outbox.c - see outbox.h.
 */
#include "invigilator/outbox.h"

#include <stdlib.h>
#include <string.h>

/* The texts of a notice; all of them, so that a copy owns every one. */
enum { NOTICE_TEXTS = 8 };

static void notice_list_texts(struct invig_notice *notice, struct invig_text *out[NOTICE_TEXTS])
{
    out[0] = &notice->user;
    out[1] = &notice->session;
    out[2] = &notice->evaluation;
    out[3] = &notice->bound_session;
    out[4] = &notice->refused_session;
    out[5] = &notice->address;
    out[6] = &notice->topic;
    out[7] = &notice->error;
}

struct invig_letter *invig_letter_new(const struct invig_notice *notice,
                                      const struct invig_connection *connection)
{
    struct invig_notice copy = *notice;
    struct invig_text *texts[NOTICE_TEXTS];
    struct invig_letter *letter;
    size_t bytes = 0;
    char *cursor;

    notice_list_texts(&copy, texts);
    for (size_t i = 0; i < NOTICE_TEXTS; i++) {
        bytes += texts[i]->length;
    }
    letter = calloc(1, sizeof(*letter) + bytes);
    if (letter == NULL) {
        return NULL;
    }
    cursor = (char *)(letter + 1);
    for (size_t i = 0; i < NOTICE_TEXTS; i++) {
        if (texts[i]->data != NULL) {
            memcpy(cursor, texts[i]->data, texts[i]->length);
            texts[i]->data = cursor;
            cursor += texts[i]->length;
        }
    }
    letter->notice = copy;
    letter->connection = connection;
    return letter;
}

struct invig_letter *invig_letter_new_json(char *json, const struct invig_connection *connection)
{
    struct invig_letter *letter = json == NULL ? NULL : calloc(1, sizeof(*letter));

    if (letter == NULL) {
        free(json);
        return NULL;
    }
    letter->json = json;
    letter->connection = connection;
    return letter;
}

void invig_letter_free(struct invig_letter *letter)
{
    if (letter != NULL) {
        free(letter->json);
        free(letter);
    }
}

void invig_letters_free(struct invig_letter *chain)
{
    while (chain != NULL) {
        struct invig_letter *next = chain->next;
        invig_letter_free(chain);
        chain = next;
    }
}

bool invig_outbox_has_room(const struct invig_outbox *outbox, size_t count)
{
    return outbox->count + count <= INVIG_OUTBOX_MAX;
}

bool invig_outbox_has_room_to_answer(const struct invig_outbox *outbox)
{
    return invig_outbox_has_room(outbox, 1 + INVIG_OUTBOX_INCIDENTS);
}

void invig_outbox_add(struct invig_outbox *outbox, struct invig_letter *letter)
{
    if (letter == NULL) {
        return;
    }
    if (outbox->last == NULL) {
        outbox->first = letter;
    } else {
        outbox->last->next = letter;
    }
    while (letter->next != NULL) {
        outbox->count++;
        letter = letter->next;
    }
    outbox->count++;
    outbox->last = letter;
}

struct invig_letter *invig_outbox_pop(struct invig_outbox *outbox)
{
    struct invig_letter *letter = outbox->first;

    if (letter != NULL) {
        outbox->first = letter->next;
        outbox->last = outbox->first == NULL ? NULL : outbox->last;
        outbox->count--;
        letter->next = NULL;
    }
    return letter;
}

void invig_outbox_readdress(struct invig_outbox *outbox, const struct invig_connection *from,
                            const struct invig_connection *to)
{
    for (struct invig_letter *each = outbox->first; each != NULL; each = each->next) {
        if (each->connection == from) {
            each->connection = to;
        }
    }
}

void invig_outbox_return(struct invig_outbox *outbox, struct invig_letter *letter)
{
    letter->next = outbox->first;
    outbox->first = letter;
    outbox->last = outbox->last == NULL ? letter : outbox->last;
    outbox->count++;
}

void invig_outbox_drop(struct invig_outbox *outbox, const struct invig_connection *connection)
{
    struct invig_letter **link = &outbox->first;

    outbox->last = NULL;
    while (*link != NULL) {
        struct invig_letter *letter = *link;
        if (letter->connection == connection) {
            *link = letter->next;
            outbox->count--;
            invig_letter_free(letter);
        } else {
            outbox->last = letter;
            link = &letter->next;
        }
    }
}

void invig_outbox_deinit(struct invig_outbox *outbox)
{
    struct invig_letter *letter;

    while ((letter = invig_outbox_pop(outbox)) != NULL) {
        invig_letter_free(letter);
    }
}
