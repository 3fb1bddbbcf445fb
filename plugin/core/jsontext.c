/* SPDX-License-Identifier: Apache-2.0
 *
 * jsontext.c - the grammar of RFC 8259, by recursive descent. The depth limit bounds the stack.
 */
#include "invigilator/jsontext.h"

#include <string.h>

/* What is still to be read. */
struct scanner {
    struct invig_text rest;
    size_t depth_left;
    size_t member_count;
};

static bool scan_value(struct scanner *scanner);

static void scanner_skip(struct scanner *scanner, size_t length)
{
    scanner->rest.data += length;
    scanner->rest.length -= length;
}

/* The next character, '\0' at the end; a NUL in the text fits no rule either. */
static char scanner_peek(const struct scanner *scanner)
{
    return scanner->rest.length == 0 ? '\0' : scanner->rest.data[0];
}

static bool scanner_take(struct scanner *scanner, char c)
{
    if (scanner->rest.length == 0 || scanner->rest.data[0] != c) {
        return false;
    }
    scanner_skip(scanner, 1);
    return true;
}

/* White space is these four and no other (section 2). */
static void scan_space(struct scanner *scanner)
{
    for (;;) {
        char c = scanner_peek(scanner);
        if (c != ' ' && c != '\t' && c != '\n' && c != '\r') {
            return;
        }
        scanner_skip(scanner, 1);
    }
}

static bool scan_word(struct scanner *scanner, const char *word)
{
    if (!invig_text_has_prefix(scanner->rest, invig_text_of(word))) {
        return false;
    }
    scanner_skip(scanner, strlen(word));
    return true;
}

/* Reads digits; returns false where there is none. */
static bool scan_digits(struct scanner *scanner)
{
    size_t count = 0;

    while (scanner_peek(scanner) >= '0' && scanner_peek(scanner) <= '9') {
        scanner_skip(scanner, 1);
        count++;
    }
    return count > 0;
}

/* Section 6: no leading zero, no plus sign, digits on both sides of the point. */
static bool scan_number(struct scanner *scanner)
{
    (void)scanner_take(scanner, '-');
    if (!scanner_take(scanner, '0') && !scan_digits(scanner)) {
        return false;
    }
    if (scanner_take(scanner, '.') && !scan_digits(scanner)) {
        return false;
    }
    if (scanner_take(scanner, 'e') || scanner_take(scanner, 'E')) {
        if (!scanner_take(scanner, '+')) {
            (void)scanner_take(scanner, '-');
        }
        return scan_digits(scanner);
    }
    return true;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Reads four hexadecimal digits; returns -1 where there are not four. */
static int32_t scan_hex4(struct scanner *scanner)
{
    int32_t unit = 0;

    for (int i = 0; i < 4; i++) {
        int digit = hex_value(scanner_peek(scanner));
        if (digit < 0) {
            return -1;
        }
        scanner_skip(scanner, 1);
        unit = unit * 16 + digit;
    }
    return unit;
}

/* Reads what stands behind a \u; a high surrogate must have its low one next to it. Returns the
 * first unit, or -1. */
static int32_t scan_unicode_escape(struct scanner *scanner)
{
    int32_t unit = scan_hex4(scanner);

    if (unit < 0xD800 || unit > 0xDFFF) {
        return unit;
    }
    if (unit > 0xDBFF || !scan_word(scanner, "\\u")) {
        return -1;
    }
    int32_t low = scan_hex4(scanner);
    return low >= 0xDC00 && low <= 0xDFFF ? unit : -1;
}

static bool scan_escape(struct scanner *scanner, bool is_name)
{
    char c = scanner_peek(scanner);

    if (c == '\0' || strchr("\"\\/bfnrtu", c) == NULL) {
        return false;
    }
    scanner_skip(scanner, 1);
    if (c != 'u') {
        return true;
    }
    int32_t unit = scan_unicode_escape(scanner);
    /* Libraries that keep names as C strings cut them at U+0000, so that two names become one. */
    return unit > 0 || (unit == 0 && !is_name);
}

static bool scan_string(struct scanner *scanner, bool is_name)
{
    if (!scanner_take(scanner, '"')) {
        return false;
    }
    while (!scanner_take(scanner, '"')) {
        unsigned char byte = (unsigned char)scanner_peek(scanner);
        if (byte < 0x20) { /* section 7: control characters must be escaped; also the end */
            return false;
        }
        if (byte == '\\') {
            scanner_skip(scanner, 1);
            if (!scan_escape(scanner, is_name)) {
                return false;
            }
        } else if (invig_text_next_code_point(&scanner->rest) < 0) {
            return false;
        }
    }
    return true;
}

static bool scan_member(struct scanner *scanner)
{
    scan_space(scanner);
    if (!scan_string(scanner, true)) {
        return false;
    }
    scan_space(scanner);
    if (!scanner_take(scanner, ':')) {
        return false;
    }
    scanner->member_count++;
    return scan_value(scanner);
}

/* Reads an object or array behind its opening character: `item` after `item`, commas between. */
static bool scan_items(struct scanner *scanner, bool (*item)(struct scanner *), char close)
{
    if (scanner->depth_left == 0) {
        return false;
    }
    scanner->depth_left--;
    scan_space(scanner);
    if (!scanner_take(scanner, close)) {
        do {
            if (!item(scanner)) {
                return false;
            }
        } while (scanner_take(scanner, ','));
        if (!scanner_take(scanner, close)) {
            return false;
        }
    }
    scanner->depth_left++;
    return true;
}

static bool scan_bare_value(struct scanner *scanner)
{
    switch (scanner_peek(scanner)) {
    case '{':
        scanner_skip(scanner, 1);
        return scan_items(scanner, scan_member, '}');
    case '[':
        scanner_skip(scanner, 1);
        return scan_items(scanner, scan_value, ']');
    case '"':
        return scan_string(scanner, false);
    case 't':
        return scan_word(scanner, "true");
    case 'f':
        return scan_word(scanner, "false");
    case 'n':
        return scan_word(scanner, "null");
    default:
        return scan_number(scanner);
    }
}

/* A value and the white space around it. */
static bool scan_value(struct scanner *scanner)
{
    scan_space(scanner);
    if (!scan_bare_value(scanner)) {
        return false;
    }
    scan_space(scanner);
    return true;
}

bool invig_jsontext_check(struct invig_text text, size_t depth_max, size_t *out_member_count)
{
    struct scanner scanner = {text, depth_max, 0};
    bool is_json = text.data != NULL && scan_value(&scanner) && scanner.rest.length == 0;

    *out_member_count = is_json ? scanner.member_count : 0;
    return is_json;
}

/* What the scanner has read since `start`. */
static struct invig_text scanner_span(const struct scanner *scanner, const char *start)
{
    return (struct invig_text){start, (size_t)(scanner->rest.data - start)};
}

bool invig_jsontext_take_member(struct invig_text *rest, struct invig_text *out_name,
                                struct invig_text *out_value)
{
    struct scanner scanner = {*rest, SIZE_MAX, 0}; /* the depth was checked before */

    scan_space(&scanner);
    if (!scanner_take(&scanner, '{') && !scanner_take(&scanner, ',')) {
        return false;
    }
    scan_space(&scanner);
    const char *start = scanner.rest.data;
    if (!scan_string(&scanner, true)) {
        return false; /* the end of an empty object */
    }
    *out_name = scanner_span(&scanner, start);
    scan_space(&scanner);
    if (!scanner_take(&scanner, ':')) {
        return false;
    }
    scan_space(&scanner);
    start = scanner.rest.data;
    if (!scan_bare_value(&scanner)) {
        return false;
    }
    *out_value = scanner_span(&scanner, start);
    *rest = scanner.rest;
    return true;
}

/* Reads one character of a string as what it stands for; -1 where there is none. A surrogate pair
 * gives its first half. */
static int32_t scan_character(struct scanner *scanner)
{
    static const char written[] = "\"\\/bfnrt";
    static const char meant[] = "\"\\/\b\f\n\r\t";

    if (!scanner_take(scanner, '\\')) {
        return invig_text_next_code_point(&scanner->rest);
    }
    if (scanner_take(scanner, 'u')) {
        return scan_unicode_escape(scanner);
    }
    char c = scanner_peek(scanner);
    const char *found = c == '\0' ? NULL : strchr(written, c);
    if (found == NULL) {
        return -1;
    }
    scanner_skip(scanner, 1);
    return meant[found - written];
}

bool invig_jsontext_name_is(struct invig_text name, const char *word)
{
    struct scanner scanner = {name, 0, 0};

    if (!scanner_take(&scanner, '"')) {
        return false;
    }
    for (; *word != '\0'; word++) {
        if (scan_character(&scanner) != (unsigned char)*word) {
            return false;
        }
    }
    return scanner_take(&scanner, '"') && scanner.rest.length == 0;
}
