/* SPDX-License-Identifier: Apache-2.0
 *
 * setting.h - from one plugin line of a configuration to a policy and keys, as the plugin itself
 * makes them, with the place of what is wrong.
 */
#ifndef INVIGILATOR_TOOL_SETTING_H
#define INVIGILATOR_TOOL_SETTING_H

#include "conf.h"
#include "setup.h"
#include "tool.h"

/* A configuration and what comes of the first line in it that loads the plugin. */
struct tool_setting {
    struct tool_conf conf;
    const struct tool_conf_plugin *plugin; /* NULL: none */
    const struct tool_conf_plugin *second; /* a second one, which is never allowed; NULL: none */
    struct invig_policy policy;
    struct invig_keyring *keyring;
};

/* Reads the configuration at `path`; says what is wrong with it, with file and line. The keys are
 * read with the rights of the user that the broker takes on, where the caller is root.
 *
 *   is_quiet     warnings are kept back
 *   out_setting  to be released with tool_setting_deinit in any case
 *
 * Returns TOOL_DONE, TOOL_REFUSED or TOOL_USAGE. */
enum tool_exit tool_setting_read(const char *path, bool is_quiet, struct tool_setting *out_setting);

void tool_setting_deinit(struct tool_setting *setting);

/* Says `FILE:LINE: ` and a line about it. */
void tool_setting_say(struct tool_place place, const char *kind, const char *line);

/* Takes on the rights of the user, where the caller is root. Returns false where that user is not
 * known. */
bool tool_setting_become(const char *user);

#endif
