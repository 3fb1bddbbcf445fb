/* SPDX-License-Identifier: Apache-2.0
 *
 * test_topic_wildcard.c - where '+' and '#' may stand, over all short strings of a small alphabet:
 * core/topic against MQTT 5.0 sections 4.7.1.2 and 4.7.1.3 said once more, naively.
 */
#include "invigilator/topic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { STRING_BYTES = 7 };

static const char ALPHABET[] = "ab+#/$";
static const char ROOT[] = "users/";

static bool naive_filter_is_valid(const char *filter)
{
    for (const char *c = filter; *c != '\0'; c++) {
        bool begins = c == filter || c[-1] == '/';

        if (*c == '#' && (!begins || c[1] != '\0')) {
            return false;
        }
        if (*c == '+' && (!begins || (c[1] != '\0' && c[1] != '/'))) {
            return false;
        }
    }
    return filter[0] != '\0';
}

static enum invig_topic_wildcard naive_wildcard(const char *filter)
{
    const char *first = strpbrk(filter, "+#");

    if (first == NULL || !naive_filter_is_valid(filter)) {
        return INVIG_WILDCARD_NONE;
    }
    if (first[1] != '\0') {
        return INVIG_WILDCARD_ANYWHERE;
    }
    return *first == '#' ? INVIG_WILDCARD_HASH : INVIG_WILDCARD_PLUS;
}

static void expect(const char *what, const char *topic, int actual, int expected)
{
    if (actual != expected) {
        fail_msg("%s '%s': is %d, expected %d", what, topic, actual, expected);
    }
}

static void compare(const char *text)
{
    struct invig_text prefix = invig_text_of("");
    const char *tail = text + strlen(ROOT);
    struct invig_topic topic;

    invig_topic_parse_filter(prefix, invig_text_of(text), &topic);
    expect("filter", text, (int)topic.tree,
           naive_filter_is_valid(text) ? INVIG_TREE_USERS : INVIG_TREE_OTHER);
    expect("wildcard", text, (int)topic.wildcard, (int)naive_wildcard(text));
    invig_topic_parse_name(prefix, invig_text_of(text), &topic);
    expect("name", text, (int)topic.tree,
           strpbrk(text, "+#") == NULL ? INVIG_TREE_USERS : INVIG_TREE_OTHER);
    invig_topic_parse_filter(prefix, invig_text_of(tail), &topic);
    expect("filter alone", tail, (int)topic.tree, INVIG_TREE_OTHER);
    expect("wildcard alone", tail, (int)topic.wildcard, (int)naive_wildcard(tail));
}

static void test_topic_wildcard_places(void **state)
{
    size_t digit[STRING_BYTES] = {0};
    char text[sizeof(ROOT) + STRING_BYTES] = "users/";
    size_t length = 0;
    size_t compared_count = 0;

    (void)state;
    while (length <= STRING_BYTES) {
        size_t i = 0;

        for (size_t j = 0; j < length; j++) {
            text[strlen(ROOT) + j] = ALPHABET[digit[j]];
        }
        compare(text);
        compared_count++;
        while (i < length && ++digit[i] == strlen(ALPHABET)) {
            digit[i++] = 0;
        }
        length += i == length;
    }
    /* 1 + 6 + 36 + ... + 6^7 */
    assert_int_equal(compared_count, 335923);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_topic_wildcard_places),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
