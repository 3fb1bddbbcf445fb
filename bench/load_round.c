/* SPDX-License-Identifier: Apache-2.0
 *
 * load_round.c - see load_round.h.
 */
#include "load_round.h"

#include "load_clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void load_round_deinit(struct load_round *round)
{
    load_buffer_deinit(&round->payload);
    free(round->delays_ms);
    *round = (struct load_round){.number = 0};
}

void load_round_clear(struct load_round *round)
{
    round->received = 0;
    round->missing = 0;
}

static void payload_write(struct load_buffer *out, const struct load_buffer *template,
                          unsigned number)
{
    const unsigned char *bytes = load_buffer_data(template);
    size_t length = load_buffer_length(template);
    char digits[16];
    int count = snprintf(digits, sizeof digits, "%u", number);

    for (size_t i = 0; i < length; i++) {
        if (i + 1 < length && bytes[i] == '%' && bytes[i + 1] == 'n') {
            load_buffer_add(out, digits, (size_t)count);
            i++;
        } else {
            load_buffer_add_byte(out, bytes[i]);
        }
    }
}

void load_round_begin(struct load_round *round, const struct load_buffer *template, size_t count)
{
    size_t room = round->received + count;

    if (room > round->room) {
        double *delays_ms = realloc(round->delays_ms, room * sizeof *delays_ms);
        if (delays_ms == NULL) {
            fputs("bench_load: out of memory\n", stderr);
            exit(EXIT_FAILURE);
        }
        round->delays_ms = delays_ms;
        round->room = room;
    }
    round->number++;
    round->missing = count;
    load_buffer_take(&round->payload, load_buffer_length(&round->payload));
    payload_write(&round->payload, template, round->number);
}

void load_round_hear(struct load_round *round, unsigned *heard, const unsigned char *payload,
                     size_t length)
{
    if (round->missing == 0 || *heard == round->number ||
        length != load_buffer_length(&round->payload) ||
        memcmp(payload, load_buffer_data(&round->payload), length) != 0) {
        return;
    }
    *heard = round->number;
    round->last_ms = load_now_ms();
    round->delays_ms[round->received++] = round->last_ms - round->written_ms;
    round->missing--;
}

void load_round_lose(struct load_round *round, unsigned heard)
{
    if (round->missing > 0 && heard != round->number) {
        round->missing--;
    }
}
