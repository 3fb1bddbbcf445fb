/* SPDX-License-Identifier: Apache-2.0
 *
 * base64url.c - base64url decoding, strict and loose.
 */
#include "invigilator/base64url.h"

enum { DIGIT_INVALID = 64 };

/* The value of each ASCII character (RFC 4648 table 2); 64 is no digit. A table, because a token is
 * a thousand characters that no branch predictor can guess. */
static const unsigned char digits[128] = {
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 62, 64, 64, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 64, 64, 64, 64, 64, 64, 64, 0,
    1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22,
    23, 24, 25, 64, 64, 64, 64, 63, 64, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38,
    39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 64, 64, 64, 64, 64};

static unsigned digit_value(char c)
{
    unsigned char byte = (unsigned char)c;

    return byte < sizeof digits ? digits[byte] : DIGIT_INVALID;
}

/* Bits that wait to become bytes. Fewer than 8 wait between two digits. */
struct bits {
    uint32_t value;
    unsigned count;
};

/* Adds a digit. Returns the number of bytes, 0 or 1, that became whole and were written to `out`.
 */
static size_t bits_add(struct bits *bits, unsigned digit, unsigned char *out)
{
    bits->value = (bits->value << 6 | digit) & 0x3FFF;
    bits->count += 6;
    if (bits->count < 8) {
        return 0;
    }
    bits->count -= 8;
    *out = (unsigned char)(bits->value >> bits->count);
    return 1;
}

ptrdiff_t invig_base64url_decode(struct invig_text encoded, unsigned char *out, size_t out_capacity)
{
    size_t rest = encoded.length % 4;
    size_t size = encoded.length / 4 * 3 + (rest == 0 ? 0 : rest - 1);
    struct bits bits = {0, 0};
    size_t written = 0;

    if (encoded.data == NULL || rest == 1 || size > out_capacity) {
        return -1;
    }
    for (size_t i = 0; i < encoded.length; i++) {
        unsigned digit = digit_value(encoded.data[i]);
        if (digit == DIGIT_INVALID) {
            return -1;
        }
        written += bits_add(&bits, digit, out + written);
    }
    /* RFC 4648 section 3.5: bits that are left over and not zero would give one token two
     * spellings. */
    if ((bits.value & ((1U << bits.count) - 1U)) != 0) {
        return -1;
    }
    return (ptrdiff_t)written;
}

static unsigned digit_value_loose(char c)
{
    if (c == '+') {
        return 62;
    }
    return c == '/' ? 63 : digit_value(c);
}

ptrdiff_t invig_base64url_decode_loose(struct invig_text encoded, unsigned char *out,
                                       size_t out_capacity)
{
    struct bits bits = {0, 0};
    size_t written = 0;

    if (encoded.data == NULL) {
        return -1;
    }
    for (size_t i = 0; i < encoded.length; i++) {
        unsigned digit = digit_value_loose(encoded.data[i]);
        if (encoded.data[i] == '=') {
            continue;
        }
        /* The check is one byte early at worst: this digit may not complete a byte. */
        if (digit == DIGIT_INVALID || written == out_capacity) {
            return -1;
        }
        written += bits_add(&bits, digit, out + written);
    }
    return (ptrdiff_t)written;
}
