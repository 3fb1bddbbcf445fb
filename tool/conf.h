/* SPDX-License-Identifier: Apache-2.0
 *
 * conf.h - reads a mosquitto.conf as Mosquitto does, for the lines that load the plugin and the
 * options that belong to them.
 * Owns: copies of all that it keeps.
 */
#ifndef INVIGILATOR_TOOL_CONF_H
#define INVIGILATOR_TOOL_CONF_H

#include <stdbool.h>
#include <stddef.h>

/* Where a line stands. */
struct tool_place {
    const char *file; /* lives as long as the conf */
    unsigned line;    /* counted from 1 */
};

/* One plugin_opt_ or auth_opt_ line. */
struct tool_conf_option {
    char *word; /* behind the prefix */
    char *value;
    struct tool_place place;
};

/* One line that loads a module, with its options. */
struct tool_conf_plugin {
    char *module;
    char *name; /* of plugin_load; NULL: none */
    struct tool_place place;
    struct tool_conf_option *options;
    size_t count;
};

enum tool_conf_status {
    TOOL_CONF_OK = 0,
    TOOL_CONF_UNREADABLE, /* a file or directory, or memory is out */
    TOOL_CONF_INVALID     /* Mosquitto would not take it */
};

enum { TOOL_CONF_ERROR_BYTES = 512 };

struct tool_conf {
    struct tool_conf_plugin *plugins; /* in order; all modules, not ours alone */
    size_t count;
    char *user; /* as whom the broker runs; NULL: not said */
    char **files;
    size_t file_count;
    char error[TOOL_CONF_ERROR_BYTES]; /* in Mosquitto's words where it is INVALID */
    struct tool_place error_place;     /* line 0 where no line is at fault */
};

/* Reads `path`, and what its include_dir names. *out_conf is to be released in any case. */
enum tool_conf_status tool_conf_read(const char *path, struct tool_conf *out_conf);

void tool_conf_deinit(struct tool_conf *conf);

/* Whether this is our module, by the name of its file. */
bool tool_conf_is_ours(const struct tool_conf_plugin *plugin);

/* The place of the option that a line of the plugin speaks of ("plugin_opt_<word>..."); that of the
 * plugin where it is none of the options. */
struct tool_place tool_conf_find_place(const struct tool_conf_plugin *plugin, const char *line);

#endif
