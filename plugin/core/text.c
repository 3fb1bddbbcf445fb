/* SPDX-License-Identifier: Apache-2.0
 *
 * text.c - borrowed strings, UTF-8 and the rules for ids.
 */
#include "invigilator/text.h"

#include <stdlib.h>
#include <string.h>

struct invig_text invig_text_of(const char *string)
{
    struct invig_text text = {string, string == NULL ? 0 : strlen(string)};

    return text;
}

bool invig_text_equal(struct invig_text a, struct invig_text b)
{
    if (a.data == NULL || b.data == NULL || a.length != b.length) {
        return false;
    }
    return memcmp(a.data, b.data, a.length) == 0;
}

/* tolower(3) follows the locale of the host program, so it is not used. */
static unsigned char ascii_lower(char c)
{
    unsigned char byte = (unsigned char)c;

    return byte >= 'A' && byte <= 'Z' ? (unsigned char)(byte - 'A' + 'a') : byte;
}

bool invig_text_equal_nocase(struct invig_text a, struct invig_text b)
{
    if (a.data == NULL || b.data == NULL || a.length != b.length) {
        return false;
    }
    for (size_t i = 0; i < a.length; i++) {
        if (ascii_lower(a.data[i]) != ascii_lower(b.data[i])) {
            return false;
        }
    }
    return true;
}

bool invig_text_has_prefix(struct invig_text text, struct invig_text prefix)
{
    if (text.data == NULL || prefix.data == NULL || text.length < prefix.length) {
        return false;
    }
    return memcmp(text.data, prefix.data, prefix.length) == 0;
}

/* What the first byte of a sequence says (RFC 3629 section 3). */
struct utf8_lead {
    size_t length;   /* bytes of the sequence, 0 where the byte cannot begin one */
    int32_t bits;    /* of the code point, from the first byte */
    int32_t minimum; /* a smaller code point would be an overlong form */
};

static struct utf8_lead utf8_lead_read(unsigned char byte)
{
    if (byte < 0x80) {
        return (struct utf8_lead){1, byte, 0};
    }
    if (byte >= 0xC2 && byte <= 0xDF) {
        return (struct utf8_lead){2, byte & 0x1F, 0x80};
    }
    if (byte >= 0xE0 && byte <= 0xEF) {
        return (struct utf8_lead){3, byte & 0x0F, 0x800};
    }
    if (byte >= 0xF0 && byte <= 0xF4) {
        return (struct utf8_lead){4, byte & 0x07, 0x10000};
    }
    return (struct utf8_lead){0, 0, 0};
}

int32_t invig_text_next_code_point(struct invig_text *text)
{
    if (text->data == NULL || text->length == 0) {
        return -1;
    }
    struct utf8_lead lead = utf8_lead_read((unsigned char)text->data[0]);
    if (lead.length == 0 || lead.length > text->length) {
        return -1;
    }
    int32_t code_point = lead.bits;
    for (size_t i = 1; i < lead.length; i++) {
        unsigned char byte = (unsigned char)text->data[i];
        if ((byte & 0xC0) != 0x80) {
            return -1;
        }
        code_point = code_point * 64 + (byte & 0x3F);
    }
    if (code_point < lead.minimum || code_point > 0x10FFFF ||
        (code_point >= 0xD800 && code_point <= 0xDFFF)) {
        return -1;
    }
    text->data += lead.length;
    text->length -= lead.length;
    return code_point;
}

bool invig_code_point_is_control(int32_t code_point)
{
    return (code_point >= 0 && code_point <= 0x1F) || (code_point >= 0x7F && code_point <= 0x9F);
}

bool invig_code_point_is_noncharacter(int32_t code_point)
{
    if (code_point < 0 || code_point > 0x10FFFF) {
        return false;
    }
    return (code_point >= 0xFDD0 && code_point <= 0xFDEF) || (code_point & 0xFFFE) == 0xFFFE;
}

static bool code_point_is_topic_syntax(int32_t code_point)
{
    return code_point == '/' || code_point == '+' || code_point == '#';
}

/* Moves the view behind the plain ASCII that an id may have, which most have alone. */
static void text_skip_plain(struct invig_text *text)
{
    while (text->length > 0 && text->data[0] >= ' ' && text->data[0] <= '~' &&
           !code_point_is_topic_syntax(text->data[0])) {
        text->data++;
        text->length--;
    }
}

bool invig_text_is_id(struct invig_text text)
{
    if (text.data == NULL || text.length == 0 || text.length > INVIG_ID_BYTES_MAX ||
        text.data[0] == '$') {
        return false;
    }
    for (text_skip_plain(&text); text.length > 0; text_skip_plain(&text)) {
        int32_t code_point = invig_text_next_code_point(&text);
        if (code_point < 0 || invig_code_point_is_control(code_point) ||
            invig_code_point_is_noncharacter(code_point) ||
            code_point_is_topic_syntax(code_point)) {
            return false;
        }
    }
    return true;
}

char *invig_text_copy(struct invig_text text)
{
    if (text.data == NULL || text.length == SIZE_MAX) {
        return NULL;
    }
    char *copy = malloc(text.length + 1);
    if (copy == NULL) {
        return NULL;
    }
    memcpy(copy, text.data, text.length);
    copy[text.length] = '\0';
    return copy;
}

void invig_text_wipe(void *data, size_t length)
{
    /* A plain memset before free(3) is a dead store, which the compiler may drop. */
    volatile unsigned char *byte = data;

    for (size_t i = 0; i < length; i++) {
        byte[i] = 0;
    }
}
