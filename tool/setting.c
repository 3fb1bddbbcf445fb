/* SPDX-License-Identifier: Apache-2.0
 *
 * setting.c - see setting.h.
 */
#include "setting.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Mosquitto's own, where the configuration names none. */
#define BROKER_USER "mosquitto"

void tool_setting_say(struct tool_place place, const char *kind, const char *line)
{
    (void)fflush(stdout);
    (void)fputs(tool_show(invig_text_of(place.file)).text, stderr);
    if (place.line > 0) {
        (void)fprintf(stderr, ":%u", place.line);
    }
    (void)fprintf(stderr, ": %s%s\n", kind, line);
}

static void option_get(void *context, size_t index, const char **out_word, const char **out_value)
{
    const struct tool_conf_plugin *plugin = context;

    *out_word = plugin->options[index].word;
    *out_value = plugin->options[index].value;
}

/* What reading keys reports on the way. */
static void setting_report(void *context, enum invig_log_level level, const char *line)
{
    const struct tool_setting *setting = context;

    tool_setting_say(tool_conf_find_place(setting->plugin, line),
                     level == INVIG_LOG_ERROR ? "error: " : "warning: ", line);
}

static void setting_report_nothing(void *context, enum invig_log_level level, const char *line)
{
    (void)context;
    (void)level;
    (void)line;
}

/* The first is the one that counts; the broker ends at a second. */
static void setting_choose(struct tool_setting *setting)
{
    for (size_t i = setting->conf.count; i > 0; i--) {
        if (tool_conf_is_ours(&setting->conf.plugins[i - 1])) {
            setting->second = setting->plugin;
            setting->plugin = &setting->conf.plugins[i - 1];
        }
    }
}

static enum tool_exit setting_make_policy(struct tool_setting *setting)
{
    struct tool_conf_plugin plugin = *setting->plugin; /* a context is no constant */
    const struct invig_setup_options options = {&plugin, plugin.count, option_get};
    char error[INVIG_POLICY_ERROR_BYTES];
    size_t at;

    if (invig_setup_policy(&options, &setting->policy, &at, error) == INVIG_OK) {
        return TOOL_DONE;
    }
    tool_setting_say(at < plugin.count ? plugin.options[at].place
                                       : tool_conf_find_place(&plugin, error),
                     "", error);
    return TOOL_REFUSED;
}

static enum tool_exit setting_read_keys(struct tool_setting *setting, bool is_quiet)
{
    const struct invig_keyring_report report = {setting,
                                                is_quiet ? setting_report_nothing : setting_report};
    const char *user = setting->conf.user == NULL ? BROKER_USER : setting->conf.user;
    char error[INVIG_POLICY_ERROR_BYTES];

    if (!tool_setting_become(user) && !is_quiet) {
        (void)tool_fail(TOOL_DONE, "note: no user %s here: files are read with the rights of root",
                        tool_show(invig_text_of(user)).text);
    }
    if (invig_setup_keys(&setting->policy, &report, &setting->keyring, error) != INVIG_OK) {
        tool_setting_say(tool_conf_find_place(setting->plugin, error), "", error);
        return TOOL_REFUSED;
    }
    return TOOL_DONE;
}

enum tool_exit tool_setting_read(const char *path, bool is_quiet, struct tool_setting *out_setting)
{
    enum tool_conf_status status;
    enum tool_exit code;

    *out_setting = (struct tool_setting){0};
    status = tool_conf_read(path, &out_setting->conf);
    if (status != TOOL_CONF_OK) {
        tool_setting_say(out_setting->conf.error_place, "", out_setting->conf.error);
        return status == TOOL_CONF_INVALID ? TOOL_REFUSED : TOOL_USAGE;
    }
    setting_choose(out_setting);
    if (out_setting->plugin == NULL) {
        tool_setting_say((struct tool_place){path, 0}, "",
                         "no plugin line loads mosquitto_invigilator.so");
        return TOOL_REFUSED;
    }
    code = setting_make_policy(out_setting);
    return code == TOOL_DONE ? setting_read_keys(out_setting, is_quiet) : code;
}

void tool_setting_deinit(struct tool_setting *setting)
{
    invig_keyring_free(setting->keyring);
    invig_policy_deinit(&setting->policy);
    tool_conf_deinit(&setting->conf);
    *setting = (struct tool_setting){0};
}
