/* SPDX-License-Identifier: Apache-2.0
 *
 * test_conf.c - how a mosquitto.conf is read: which options go to which plugin, and where they
 * stand.
 */
#include "conf.h"
#include "conf_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[64];
static char path[128];
static struct tool_conf conf;

static int setup(void **state)
{
    (void)state;
    (void)snprintf(directory, sizeof directory, "/tmp/invigilator-conf-XXXXXX");
    assert_non_null(mkdtemp(directory));
    (void)snprintf(path, sizeof path, "%s/main", directory);
    return 0;
}

static void write_file(const char *name, const char *text, size_t length)
{
    char place[256];
    FILE *stream;

    (void)snprintf(place, sizeof place, "%s/%s", directory, name);
    stream = fopen(place, "w");
    assert_non_null(stream);
    assert_int_equal(fwrite(text, 1, length, stream), length);
    assert_int_equal(fclose(stream), 0);
}

static int teardown(void **state)
{
    static const char *const names[] = {"main",    "d/b.conf", "d/A.conf", "d/B.conf",
                                        "d/x.txt", "d/.conf",  "d",        ""};
    char place[256];

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)snprintf(place, sizeof place, "%s/%s", directory, names[i]);
        (void)remove(place);
    }
    return 0;
}

static enum tool_conf_status read_text(const char *text)
{
    write_file("main", text, strlen(text));
    return tool_conf_read(path, &conf);
}

static void expect_option(size_t plugin, size_t option, const char *word, const char *value,
                          unsigned line)
{
    const struct tool_conf_option *found = &conf.plugins[plugin].options[option];

    assert_true(conf.count > plugin && conf.plugins[plugin].count > option);
    assert_string_equal(found->word, word);
    assert_string_equal(found->value, value);
    assert_int_equal(found->place.line, line);
}

static void test_conf_options(void **state)
{
    (void)state;
    assert_int_equal(read_text("# plugin /no\n\r\n"
                               "   plugin   /a/mosquitto_invigilator.so \t\r\n"
                               "plugin_opt_one 1\n"
                               "auth_opt_two \t a b  \n"
                               "log_type all\n"
                               "auth_plugin other.so\n"
                               "plugin_opt_three x\n"
                               "user  me \n"
                               "global_plugin mosquitto_invigilator.so\n"
                               "plugin_opt_last y"),
                     TOOL_CONF_OK);
    assert_int_equal(conf.count, 3);
    assert_string_equal(conf.plugins[0].module, "/a/mosquitto_invigilator.so");
    assert_int_equal(conf.plugins[0].place.line, 3);
    assert_string_equal(conf.plugins[0].place.file, path);
    assert_int_equal(conf.plugins[0].count, 2);
    expect_option(0, 0, "one", "1", 4);
    expect_option(0, 1, "two", "a b  ", 5);
    expect_option(1, 0, "three", "x", 8);
    expect_option(2, 0, "last", "y", 11);
    assert_true(tool_conf_is_ours(&conf.plugins[0]));
    assert_false(tool_conf_is_ours(&conf.plugins[1]));
    assert_true(tool_conf_is_ours(&conf.plugins[2]));
    assert_string_equal(conf.user, "me");
    tool_conf_deinit(&conf);
}

static void test_conf_named(void **state)
{
    (void)state;
    assert_int_equal(read_text("plugin_load one a.so\nplugin_opt_aaa 1\nplugin_load two b.so\n"
                               "plugin_opt_bbb 2\nplugin_use one\nplugin_opt_ccc 3\n"),
                     TOOL_CONF_OK);
    assert_int_equal(conf.count, 2);
    expect_option(0, 1, "ccc", "3", 6);
    expect_option(1, 0, "bbb", "2", 4);
    tool_conf_deinit(&conf);
}

static void test_conf_invalid(void **state)
{
    static const struct {
        const char *text, *error;
        unsigned line;
    } cases[] = {
        {"\nplugin_opt_aaa 1\n",
         "Error: An auth_opt_ option exists in the config file without an auth_plugin.", 2},
        {"plugin a.so\nplugin_opt_aa 1\n", "Error: Invalid auth_opt_ config option.", 2},
        {"plugin a.so\nplugin_opt_aaa\n", "Error: Empty aaa value in configuration.", 2},
        {"plugin a.so\nplugin_opt_aaa \t \n", "Error: Empty aaa value in configuration.", 2},
        {"plugin\n", "Error: Empty auth_plugin value in configuration.", 1},
        {"plugin  \t\n", "Error: Empty auth_plugin value in configuration.", 1},
        {"include_dir\n", "Error: Empty include_dir value in configuration.", 1},
        {"plugin_load\n", "Error: Empty plugin_load value in configuration.", 1},
        {"plugin_load x\n", "Error: Missing plugin path for plugin name 'x'.", 1},
        {"plugin_use x\n", "Error: Plugin 'x' not previously loaded.", 1},
        {"plugin a.so\nplugin_opt_a\033b\n", "Error: Empty a\\x1bb value in configuration.", 2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(read_text(cases[i].text), TOOL_CONF_INVALID);
        assert_string_equal(conf.error, cases[i].error);
        assert_int_equal(conf.error_place.line, cases[i].line);
        tool_conf_deinit(&conf);
    }
}

static void test_conf_include(void **state)
{
    char text[512];

    (void)state;
    (void)snprintf(text, sizeof text, "%s/d", directory);
    assert_int_equal(mkdir(text, 0700), 0);
    write_file("d/b.conf", "plugin b.so\nplugin_opt_bbb 1\n", 29);
    write_file("d/A.conf", "plugin a.so\ninclude_dir /nowhere\n", 33);
    write_file("d/B.conf", "plugin B.so\n", 12);
    write_file("d/x.txt", "plugin_opt_no 1\n", 16);
    write_file("d/.conf", "plugin_opt_no 1\n", 16);
    (void)snprintf(text, sizeof text, "plugin m.so\ninclude_dir %s/d\nplugin_opt_mmm 1\n",
                   directory);
    assert_int_equal(read_text(text), TOOL_CONF_OK);
    assert_int_equal(conf.count, 4);
    assert_string_equal(conf.plugins[1].module, "a.so");
    assert_string_equal(conf.plugins[2].module, "B.so");
    assert_string_equal(conf.plugins[3].module, "b.so");
    expect_option(3, 0, "bbb", "1", 2);
    expect_option(0, 0, "mmm", "1", 3);
    (void)snprintf(text, sizeof text, "%s/d/b.conf", directory);
    assert_string_equal(conf.plugins[3].options[0].place.file, text);
    tool_conf_deinit(&conf);
}

/* A file begins without a plugin, whatever was before it. */
static void test_conf_include_begins_anew(void **state)
{
    char text[512];

    (void)state;
    (void)snprintf(text, sizeof text, "%s/d", directory);
    assert_int_equal(mkdir(text, 0700), 0);
    write_file("d/b.conf", "\nplugin_opt_bbb 1\n", 18);
    (void)snprintf(text, sizeof text, "plugin m.so\ninclude_dir %s/d\n", directory);
    assert_int_equal(read_text(text), TOOL_CONF_INVALID);
    assert_int_equal(conf.error_place.line, 2);
    (void)snprintf(text, sizeof text, "%s/d/b.conf", directory);
    assert_string_equal(conf.error_place.file, text);
    tool_conf_deinit(&conf);
}

static void test_conf_unreadable(void **state)
{
    (void)state;
    assert_int_equal(tool_conf_read("/nowhere", &conf), TOOL_CONF_UNREADABLE);
    tool_conf_deinit(&conf);
    assert_int_equal(tool_conf_read(directory, &conf), TOOL_CONF_UNREADABLE);
    tool_conf_deinit(&conf);
    assert_int_equal(read_text("include_dir /nowhere\n"), TOOL_CONF_UNREADABLE);
    assert_string_equal(conf.error, "Error: Unable to open include_dir '/nowhere'.");
    tool_conf_deinit(&conf);
}

/* Bytes behind a NUL are none of the line's; what is longer than any buffer is one line. */
static void test_conf_odd_lines(void **state)
{
    static const char text[] = "plugin a.so\nplugin_opt_aaa 1\0 2\n\0\nplugin_opt_bbb ";
    char *all = malloc(sizeof text + 100000);

    (void)state;
    assert_non_null(all);
    memcpy(all, text, sizeof text - 1);
    memset(all + sizeof text - 1, 'x', 100000);
    write_file("main", all, sizeof text - 1 + 100000);
    free(all);
    assert_int_equal(tool_conf_read(path, &conf), TOOL_CONF_OK);
    expect_option(0, 0, "aaa", "1", 2);
    assert_int_equal(strlen(conf.plugins[0].options[1].value), 100000);
    assert_int_equal(conf.plugins[0].options[1].place.line, 4);
    tool_conf_deinit(&conf);
}

static void test_conf_place(void **state)
{
    (void)state;
    assert_int_equal(read_text("plugin a.so\nplugin_opt_aaa 1\nplugin_opt_aaa_b 1\n"),
                     TOOL_CONF_OK);
    assert_int_equal(tool_conf_find_place(&conf.plugins[0], "plugin_opt_aaa: no").line, 2);
    assert_int_equal(tool_conf_find_place(&conf.plugins[0], "plugin_opt_aaa_b is").line, 3);
    assert_int_equal(tool_conf_find_place(&conf.plugins[0], "plugin_opt_aa: no").line, 1);
    assert_int_equal(tool_conf_find_place(&conf.plugins[0], "something").line, 1);
    tool_conf_deinit(&conf);
}

static void test_conf_order(void **state)
{
    (void)state;
    assert_true(tool_conf_compare("a.conf", "B.conf") < 0);
    assert_true(tool_conf_compare("B.conf", "b.conf") < 0);
    assert_true(tool_conf_compare("a", "ab") < 0);
    assert_true(tool_conf_compare("10", "9") < 0);
    assert_true(tool_conf_compare("a_", "aB") > 0);
    assert_int_equal(tool_conf_compare("x", "x"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define CONF_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        CONF_TEST(test_conf_options),
        CONF_TEST(test_conf_named),
        CONF_TEST(test_conf_invalid),
        CONF_TEST(test_conf_include),
        CONF_TEST(test_conf_include_begins_anew),
        CONF_TEST(test_conf_unreadable),
        CONF_TEST(test_conf_odd_lines),
        CONF_TEST(test_conf_place),
        cmocka_unit_test(test_conf_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
