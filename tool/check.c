/* SPDX-License-Identifier: Apache-2.0
 *
 * check.c - check-config: whether the broker would start with a configuration, as far as the plugin
 * is concerned, and with which settings.
 */
#include "command.h"

#include "setting.h"
#include "sqlitestore.h"
#include "table.h"

#include "invigilator/algorithm.h"

#include <string.h>
#include <unistd.h>

/* The value that an option was given; NULL: none. */
static const char *option_given(const struct tool_conf_plugin *plugin, const char *word)
{
    for (size_t i = 0; i < plugin->count; i++) {
        if (strcmp(plugin->options[i].word, word) == 0) {
            return plugin->options[i].value;
        }
    }
    return NULL;
}

/* The algorithms that tokens may use: those of the option, or what the keys allow. */
static void table_add_algorithms(struct tool_table *table, const struct invig_keyring *keyring)
{
    invig_algorithm_set set = invig_keyring_algorithms(keyring);
    char text[INVIG_ALGORITHM_COUNT * 8] = "";

    for (int i = INVIG_ALGORITHM_NONE + 1; i < INVIG_ALGORITHM_COUNT; i++) {
        if ((set & ((invig_algorithm_set)1U << i)) != 0) {
            size_t length = strlen(text);

            (void)snprintf(text + length, sizeof text - length, "%s%s", length > 0 ? " " : "",
                           invig_algorithm_name((enum invig_algorithm)i));
        }
    }
    tool_table_add(table, invig_text_of(text));
}

static void table_add_option(struct tool_table *table, const struct tool_setting *setting,
                             const struct invig_option *option)
{
    const char *given = option_given(setting->plugin, option->word);
    const char *text = given;

    if (given == NULL) {
        text = option->default_value[0] != '\0' ? option->default_value : NULL;
    }
    tool_table_add(table, invig_text_of(option->word));
    if (given == NULL && strcmp(option->word, "jwt_algorithms") == 0) {
        table_add_algorithms(table, setting->keyring);
        tool_table_add(table, invig_text_of("what the keys allow"));
        return;
    }
    tool_table_add(table, invig_text_of(text));
    tool_table_add(table, invig_text_of(given == NULL ? "default" : "set"));
}

static enum tool_exit check_print(const struct tool_setting *setting)
{
    static const char *const titles[] = {"OPTION", "VALUE", "FROM"};
    const struct invig_option *option;
    struct tool_table table;
    bool is_incomplete;

    tool_table_init(&table, titles, 3, 0);
    for (size_t i = 0; (option = invig_policy_option(i)) != NULL; i++) {
        table_add_option(&table, setting, option);
    }
    is_incomplete = table.is_incomplete;
    if (!is_incomplete) {
        tool_table_print(&table, tool_screen_width(), stdout);
        (void)printf("\n%zu keys\n", invig_keyring_count(setting->keyring));
    }
    tool_table_deinit(&table);
    return is_incomplete ? tool_fail(TOOL_USAGE, "out of memory") : TOOL_DONE;
}

static void check_report(void *context, enum invig_log_level level, const char *line)
{
    const struct tool_setting *setting = context;

    (void)level;
    tool_setting_say(tool_conf_find_place(setting->plugin, line), "warning: ", line);
}

/* Whether what the options name to keep state in can be used, as far as that shows from here: a
 * server is not asked. */
static bool check_state(const struct tool_setting *setting, char error[INVIG_STORE_ERROR_BYTES])
{
    const struct invig_policy *policy = &setting->policy;
    struct invig_share share;

    if (policy->state_url != NULL) {
        if (invig_setup_share(policy, (struct invig_valkey_log){NULL, NULL}, &share, error) !=
            INVIG_OK) {
            return false;
        }
        share.close(share.context);
    }
    return policy->state_file == NULL ||
           invig_sqlitestore_examine(policy->state_file, error) == INVIG_OK;
}

static enum tool_exit check_rest(struct tool_setting *setting)
{
    const struct invig_keyring_report report = {setting, check_report};
    char error[INVIG_STORE_ERROR_BYTES];

    if (access(setting->plugin->module, R_OK) != 0) {
        tool_setting_say(setting->plugin->place, "warning: ", "the module cannot be read");
    }
    if (!check_state(setting, error)) {
        tool_setting_say(tool_conf_find_place(setting->plugin, error), "", error);
        return TOOL_REFUSED;
    }
    invig_setup_warn(&setting->policy, &report);
    if (setting->second != NULL) {
        tool_setting_say(setting->second->place, "", INVIG_SETUP_TWICE);
        return TOOL_REFUSED;
    }
    return check_print(setting);
}

enum tool_exit tool_check_run(const struct tool_args *args)
{
    struct tool_setting setting;
    enum tool_exit code = tool_setting_read(args->words[0], false, &setting);

    if (code == TOOL_DONE) {
        code = check_rest(&setting);
    }
    tool_setting_deinit(&setting);
    return code;
}
