/* SPDX-License-Identifier: Apache-2.0
 *
 * test_text.c - comparison, UTF-8, the rules for ids, copies and wiping.
 */
#include "invigilator/text.h"

#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

/* A literal with its length, so that it may hold NUL. */
#define LITERAL(string) ((struct invig_text){string, sizeof(string) - 1})

static const struct invig_text ABSENT = {NULL, 0};

static void test_text_of_counts_bytes(void **state)
{
    (void)state;
    assert_int_equal(invig_text_of("").length, 0);
    assert_non_null(invig_text_of("").data);
    assert_int_equal(invig_text_of("anna").length, 4);
    assert_null(invig_text_of(NULL).data);
    assert_int_equal(invig_text_of(NULL).length, 0);
}

static void test_text_equal_compares_bytes(void **state)
{
    (void)state;
    assert_true(invig_text_equal(LITERAL("a\0b"), LITERAL("a\0b")));
    assert_false(invig_text_equal(LITERAL("a\0b"), LITERAL("a\0c")));
    assert_false(invig_text_equal(LITERAL("a"), LITERAL("a\0")));
    assert_false(invig_text_equal(LITERAL("anna"), LITERAL("Anna")));
    assert_false(invig_text_equal(LITERAL("anna"), LITERAL("ann")));
    assert_true(invig_text_equal(LITERAL(""), LITERAL("")));
}

static void test_text_absent_equals_nothing(void **state)
{
    (void)state;
    assert_false(invig_text_equal(ABSENT, ABSENT));
    assert_false(invig_text_equal(ABSENT, LITERAL("")));
    assert_false(invig_text_equal(LITERAL(""), ABSENT));
    assert_false(invig_text_equal_nocase(ABSENT, ABSENT));
    assert_false(invig_text_equal_nocase(ABSENT, LITERAL("")));
    assert_false(invig_text_equal_nocase(LITERAL(""), ABSENT));
    assert_false(invig_text_has_prefix(ABSENT, ABSENT));
    assert_false(invig_text_has_prefix(LITERAL("a"), ABSENT));
    assert_false(invig_text_has_prefix(ABSENT, LITERAL("")));
}

/* Only A..Z and a..z are pairs, of all pairs of bytes. */
static void test_text_equal_nocase_folds_ascii_only(void **state)
{
    (void)state;
    for (int a = 0; a < 256; a++) {
        for (int b = 0; b < 256; b++) {
            char left = (char)a;
            char right = (char)b;
            bool is_pair =
                (a >= 'A' && a <= 'Z' && b == a + 32) || (b >= 'A' && b <= 'Z' && a == b + 32);
            assert_int_equal(invig_text_equal_nocase((struct invig_text){&left, 1},
                                                     (struct invig_text){&right, 1}),
                             a == b || is_pair);
        }
    }
    assert_true(invig_text_equal_nocase(LITERAL("StuDent"), LITERAL("sTUdENT")));
    assert_false(invig_text_equal_nocase(LITERAL("student"), LITERAL("studen")));
}

static void test_text_has_prefix_needs_all_of_it(void **state)
{
    (void)state;
    assert_true(invig_text_has_prefix(LITERAL("anna:1"), LITERAL("anna:")));
    assert_true(invig_text_has_prefix(LITERAL("anna"), LITERAL("anna")));
    assert_true(invig_text_has_prefix(LITERAL("anna"), LITERAL("")));
    assert_false(invig_text_has_prefix(LITERAL("ann"), LITERAL("anna")));
    assert_false(invig_text_has_prefix(LITERAL("Anna"), LITERAL("anna")));
    assert_false(invig_text_has_prefix(LITERAL("xanna"), LITERAL("anna")));
}

/* Writes the sequence of any number up to 0x1FFFFF in `length` bytes, right or overlong. */
static size_t sequence_write(int32_t number, size_t length, char out[4])
{
    static const int leads[] = {0, 0x00, 0xC0, 0xE0, 0xF0};

    for (size_t i = length - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (number & 0x3F));
        number >>= 6;
    }
    out[0] = (char)(leads[length] | number);
    return length;
}

static size_t sequence_length(int32_t code_point)
{
    if (code_point < 0x80) {
        return 1;
    }
    if (code_point < 0x800) {
        return 2;
    }
    return code_point < 0x10000 ? 3 : 4;
}

/* Every number that four bytes can hold, in its right form. */
static void test_text_code_points_are_read_and_others_not(void **state)
{
    char bytes[4];

    (void)state;
    for (int32_t number = 0; number <= 0x1FFFFF; number++) {
        size_t length = sequence_write(number, sequence_length(number), bytes);
        struct invig_text text = {bytes, length};
        bool is_valid = number <= 0x10FFFF && (number < 0xD800 || number > 0xDFFF);
        int32_t found = invig_text_next_code_point(&text);
        if (found != (is_valid ? number : -1) || text.length != (is_valid ? 0 : length) ||
            text.data != bytes + (is_valid ? length : 0)) {
            fail_msg("U+%04X", (unsigned)number);
        }
    }
}

static void test_text_overlong_forms_are_refused(void **state)
{
    static const int32_t limits[] = {0, 0, 0x80, 0x800, 0x10000};
    char bytes[4];

    (void)state;
    for (size_t length = 2; length <= 4; length++) {
        for (int32_t number = 0; number < limits[length]; number++) {
            struct invig_text text = {bytes, sequence_write(number, length, bytes)};
            assert_int_equal(invig_text_next_code_point(&text), -1);
            assert_int_equal(text.length, length);
        }
    }
}

static void test_text_broken_sequences_are_refused(void **state)
{
    static const struct invig_text rows[] = {
        {NULL, 0},
        {"", 0},
        {"\x80", 1},
        {"\xBF", 1},
        {"\xC3", 1},
        {"\xC3(", 2},
        {"\xC3\xC3", 2},
        {"\xE2\x82", 2},
        {"\xE2\x82(", 3},
        {"\xE2(\xA1", 3},
        {"\xF0\x9F\x98", 3},
        {"\xF0\x9F\x98(", 4},
        {"\xF0(\x98\x80", 4},
        {"\xF5\x80\x80\x80", 4},
        {"\xF8\x88\x80\x80\x80", 5},
        {"\xFE", 1},
        {"\xFF", 1},
        {"\xC3\xA4", 1}, /* the second byte is there, but not of the view */
        {"\xF0\x9F\x98\x80", 3},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct invig_text text = rows[i];
        assert_int_equal(invig_text_next_code_point(&text), -1);
        assert_ptr_equal(text.data, rows[i].data);
        assert_int_equal(text.length, rows[i].length);
    }
}

static void test_text_code_points_follow_each_other(void **state)
{
    struct invig_text text = LITERAL("a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\0z");
    static const int32_t expected[] = {'a', 0xE4, 0x20AC, 0x1F600, 0, 'z', -1};

    (void)state;
    for (size_t i = 0; i < ROWS(expected); i++) {
        assert_int_equal(invig_text_next_code_point(&text), expected[i]);
    }
}

static void test_text_control_code_points(void **state)
{
    (void)state;
    for (int32_t c = -2; c < 0x3000; c++) {
        bool expected = (c >= 0 && c < 0x20) || (c >= 0x7F && c < 0xA0);
        assert_int_equal(invig_code_point_is_control(c), expected);
    }
}

static void test_text_noncharacters(void **state)
{
    int count = 0;

    (void)state;
    for (int32_t c = -2; c <= 0x120000; c++) {
        count += invig_code_point_is_noncharacter(c);
    }
    assert_int_equal(count, 66); /* as the Unicode Standard says, section 23.7 */
    assert_true(invig_code_point_is_noncharacter(0xFDD0));
    assert_true(invig_code_point_is_noncharacter(0xFDEF));
    assert_false(invig_code_point_is_noncharacter(0xFDCF));
    assert_false(invig_code_point_is_noncharacter(0xFDF0));
    assert_true(invig_code_point_is_noncharacter(0xFFFE));
    assert_true(invig_code_point_is_noncharacter(0x10FFFF));
    assert_false(invig_code_point_is_noncharacter(0xFFFD));
    assert_false(invig_code_point_is_noncharacter(-1));
}

static void test_text_ids(void **state)
{
    static const struct {
        struct invig_text text;
        bool expected;
    } rows[] = {
        {{"a", 1}, true},
        {{"anna", 4}, true},
        {{"Anna Huber", 10}, true},
        {{"a$b", 3}, true},
        {{"anna@example.org:7", 18}, true},
        {{"\xC3\xA4", 2}, true},
        {{"\xF0\x9F\x98\x80", 4}, true},
        {{"\xE2\x80\xAE", 3}, true}, /* U+202E is no control character in the sense of the rule */
        {{"\xC2\xA0", 2}, true},     /* U+00A0, just behind the controls */
        {{"\xEF\xBF\xBD", 3}, true}, /* U+FFFD, just before the noncharacters */
        {{NULL, 0}, false},
        {{"", 0}, false},
        {{"$", 1}, false},
        {{"$SYS", 4}, false},
        {{"/", 1}, false},
        {{"a/b", 3}, false},
        {{"+", 1}, false},
        {{"a+", 2}, false},
        {{"#", 1}, false},
        {{"a#", 2}, false},
        {{"\0", 1}, false},
        {{"anna\0", 5}, false},
        {{"a\nb", 3}, false},
        {{"\x1F", 1}, false},
        {{"\x7F", 1}, false},
        {{"\xC2\x80", 2}, false},         /* U+0080 */
        {{"\xC2\x9F", 2}, false},         /* U+009F */
        {{"\xEF\xB7\x90", 3}, false},     /* U+FDD0 */
        {{"\xEF\xBF\xBF", 3}, false},     /* U+FFFF */
        {{"\xF4\x8F\xBF\xBF", 4}, false}, /* U+10FFFF */
        {{"a\xFF", 2}, false},
        {{"\xC0\xAF", 2}, false},     /* overlong '/' */
        {{"\xED\xA0\x80", 3}, false}, /* a surrogate */
        {{"a\xC3", 2}, false},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        if (invig_text_is_id(rows[i].text) != rows[i].expected) {
            fail_msg("row %zu", i);
        }
    }
}

static void test_text_id_has_1_to_128_bytes(void **state)
{
    char bytes[INVIG_ID_BYTES_MAX + 2];

    (void)state;
    memset(bytes, 'x', sizeof bytes);
    for (size_t length = 0; length <= sizeof bytes; length++) {
        assert_int_equal(invig_text_is_id((struct invig_text){bytes, length}),
                         length >= 1 && length <= 128);
    }
}

static void test_text_copy_owns_and_ends_in_nul(void **state)
{
    char bytes[] = {'a', '\0', 'b', 'c'};
    char *copy = invig_text_copy((struct invig_text){bytes, 3});

    (void)state;
    assert_non_null(copy);
    bytes[0] = 'x';
    assert_memory_equal(copy, "a\0b\0", 4);
    free(copy);
    copy = invig_text_copy(LITERAL(""));
    assert_string_equal(copy, "");
    free(copy);
    assert_null(invig_text_copy(ABSENT));
    assert_null(invig_text_copy((struct invig_text){bytes, SIZE_MAX}));
}

static void test_text_wipe_overwrites_all_and_no_more(void **state)
{
    char bytes[] = "secret";

    (void)state;
    invig_text_wipe(bytes + 1, 4);
    assert_memory_equal(bytes, "s\0\0\0\0t", 7);
    invig_text_wipe(bytes, 0);
    assert_int_equal(bytes[0], 's');
    invig_text_wipe(NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_of_counts_bytes),
        cmocka_unit_test(test_text_equal_compares_bytes),
        cmocka_unit_test(test_text_absent_equals_nothing),
        cmocka_unit_test(test_text_equal_nocase_folds_ascii_only),
        cmocka_unit_test(test_text_has_prefix_needs_all_of_it),
        cmocka_unit_test(test_text_code_points_are_read_and_others_not),
        cmocka_unit_test(test_text_overlong_forms_are_refused),
        cmocka_unit_test(test_text_broken_sequences_are_refused),
        cmocka_unit_test(test_text_code_points_follow_each_other),
        cmocka_unit_test(test_text_control_code_points),
        cmocka_unit_test(test_text_noncharacters),
        cmocka_unit_test(test_text_ids),
        cmocka_unit_test(test_text_id_has_1_to_128_bytes),
        cmocka_unit_test(test_text_copy_owns_and_ends_in_nul),
        cmocka_unit_test(test_text_wipe_overwrites_all_and_no_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
