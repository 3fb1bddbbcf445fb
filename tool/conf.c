/* SPDX-License-Identifier: Apache-2.0
 *
 * conf.c - see conf.h. Mosquitto 2.0 is followed to the letter, also where it is odd: only blanks
 * separate words, values keep what stands behind them, and each file begins without a plugin.
 */
#include "conf.h"

#include "conf_private.h"
#include "tool.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MODULE_NAME "mosquitto_invigilator.so"

/* One file while it is read. */
struct conf_reader {
    struct tool_conf *conf;
    struct tool_place place;
    bool is_included;
    bool has_plugin; /* a line before loaded one */
    size_t plugin;   /* the place of that one */
};

static enum tool_conf_status conf_refuse(struct conf_reader *reader, enum tool_conf_status status,
                                         const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static enum tool_conf_status conf_refuse(struct conf_reader *reader, enum tool_conf_status status,
                                         const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(reader->conf->error, sizeof reader->conf->error, format, arguments);
    va_end(arguments);
    reader->conf->error_place = reader->place;
    return status;
}

static enum tool_conf_status conf_no_memory(struct conf_reader *reader)
{
    return conf_refuse(reader, TOOL_CONF_UNREADABLE, "out of memory");
}

static enum tool_conf_status conf_empty(struct conf_reader *reader, const char *name)
{
    return conf_refuse(reader, TOOL_CONF_INVALID, "Error: Empty %s value in configuration.",
                       tool_show(invig_text_of(name)).text);
}

static char *text_copy(const char *text)
{
    return invig_text_copy(invig_text_of(text));
}

/* Without the blanks around it. */
static char *text_trim(char *text)
{
    size_t length;

    text += strspn(text, " \t");
    length = strlen(text);
    while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t')) {
        text[--length] = '\0';
    }
    return text;
}

/* Takes the next word off a line; the rest begins behind one blank. */
static char *line_take_word(char **line)
{
    char *word = *line + strspn(*line, " ");
    size_t length = strcspn(word, " ");

    *line = word + length + (word[length] == '\0' ? 0 : 1);
    word[length] = '\0';
    return word;
}

/* plugin, auth_plugin, global_plugin, plugin_load. `name` is NULL or that of the last. */
static enum tool_conf_status conf_add_plugin(struct conf_reader *reader, const char *name,
                                             const char *module)
{
    struct tool_conf *conf = reader->conf;
    struct tool_conf_plugin *grown =
        realloc(conf->plugins, (conf->count + 1) * sizeof *conf->plugins);
    struct tool_conf_plugin *plugin;

    if (grown == NULL) {
        return conf_no_memory(reader);
    }
    conf->plugins = grown;
    plugin = &grown[conf->count];
    *plugin = (struct tool_conf_plugin){.place = reader->place, .module = text_copy(module)};
    reader->plugin = conf->count++;
    reader->has_plugin = true;
    if (name != NULL) {
        plugin->name = text_copy(name);
    }
    return plugin->module == NULL || (name != NULL && plugin->name == NULL) ? conf_no_memory(reader)
                                                                            : TOOL_CONF_OK;
}

static enum tool_conf_status conf_plugin(struct conf_reader *reader, char *rest)
{
    char *module = text_trim(rest);

    return module[0] == '\0' ? conf_empty(reader, "auth_plugin")
                             : conf_add_plugin(reader, NULL, module);
}

/* Mosquitto 2.1 alone has it. */
static enum tool_conf_status conf_plugin_load(struct conf_reader *reader, char *rest)
{
    char *name = line_take_word(&rest);

    if (name[0] == '\0') {
        return conf_empty(reader, "plugin_load");
    }
    if (rest[0] == '\0') {
        return conf_refuse(reader, TOOL_CONF_INVALID,
                           "Error: Missing plugin path for plugin name '%s'.",
                           tool_show(invig_text_of(name)).text);
    }
    return conf_add_plugin(reader, name, rest);
}

/* So does this: options that follow go to the one that it names. */
static enum tool_conf_status conf_plugin_use(struct conf_reader *reader, char *rest)
{
    const char *name = text_trim(rest);

    for (size_t i = 0; i < reader->conf->count; i++) {
        if (reader->conf->plugins[i].name != NULL &&
            strcmp(reader->conf->plugins[i].name, name) == 0) {
            reader->plugin = i;
            reader->has_plugin = true;
            return TOOL_CONF_OK;
        }
    }
    return conf_refuse(reader, TOOL_CONF_INVALID, "Error: Plugin '%s' not previously loaded.",
                       tool_show(invig_text_of(name)).text);
}

static enum tool_conf_status conf_add_option(struct conf_reader *reader, const char *word,
                                             const char *value)
{
    struct tool_conf_plugin *plugin = &reader->conf->plugins[reader->plugin];
    struct tool_conf_option *grown =
        realloc(plugin->options, (plugin->count + 1) * sizeof *plugin->options);
    struct tool_conf_option *option;

    if (grown == NULL) {
        return conf_no_memory(reader);
    }
    plugin->options = grown;
    option = &grown[plugin->count++];
    *option = (struct tool_conf_option){text_copy(word), text_copy(value), reader->place};
    return option->word == NULL || option->value == NULL ? conf_no_memory(reader) : TOOL_CONF_OK;
}

static enum tool_conf_status conf_option(struct conf_reader *reader, const char *word, char *rest)
{
    if (!reader->has_plugin) {
        return conf_refuse(reader, TOOL_CONF_INVALID,
                           "Error: An auth_opt_ option exists in the config file without an "
                           "auth_plugin.");
    }
    if (strlen(word) < 3) { /* of Mosquitto's own making */
        return conf_refuse(reader, TOOL_CONF_INVALID, "Error: Invalid auth_opt_ config option.");
    }
    rest += strspn(rest, " \t");
    return rest[0] == '\0' ? conf_empty(reader, word) : conf_add_option(reader, word, rest);
}

static enum tool_conf_status conf_user(struct conf_reader *reader, char *rest)
{
    free(reader->conf->user);
    reader->conf->user = text_copy(text_trim(rest));
    return reader->conf->user == NULL ? conf_no_memory(reader) : TOOL_CONF_OK;
}

static enum tool_conf_status conf_read_file(struct tool_conf *conf, const char *path,
                                            bool is_included);

static enum tool_conf_status conf_include(struct conf_reader *reader, const char *directory)
{
    enum tool_conf_status status = TOOL_CONF_OK;
    char **paths;
    size_t count;

    if (reader->is_included) { /* Mosquitto passes over it */
        return TOOL_CONF_OK;
    }
    if (directory[0] == '\0') {
        return conf_empty(reader, "include_dir");
    }
    if (!tool_conf_list(directory, &paths, &count)) {
        return conf_refuse(reader, TOOL_CONF_UNREADABLE, "Error: Unable to open include_dir '%s'.",
                           tool_show(invig_text_of(directory)).text);
    }
    for (size_t i = 0; status == TOOL_CONF_OK && i < count; i++) {
        status = conf_read_file(reader->conf, paths[i], true);
    }
    tool_conf_list_free(paths, count);
    return status;
}

static bool word_is_option(const char *word, const char **out_rest)
{
    static const char *const prefixes[] = {"plugin_opt_", "auth_opt_"};

    for (size_t i = 0; i < 2; i++) {
        if (strncmp(word, prefixes[i], strlen(prefixes[i])) == 0) {
            *out_rest = word + strlen(prefixes[i]);
            return true;
        }
    }
    return false;
}

/* `line` has no end of line. Lines that are not about plugins are Mosquitto's to judge. */
static enum tool_conf_status conf_read_line(struct conf_reader *reader, char *line)
{
    const char *word = line_take_word(&line);
    const char *option;

    if (word_is_option(word, &option)) {
        return conf_option(reader, option, line);
    }
    if (strcmp(word, "plugin") == 0 || strcmp(word, "auth_plugin") == 0 ||
        strcmp(word, "global_plugin") == 0) {
        return conf_plugin(reader, line);
    }
    if (strcmp(word, "plugin_load") == 0) {
        return conf_plugin_load(reader, line);
    }
    if (strcmp(word, "plugin_use") == 0) {
        return conf_plugin_use(reader, line);
    }
    if (strcmp(word, "include_dir") == 0) {
        return conf_include(reader, line);
    }
    return strcmp(word, "user") == 0 ? conf_user(reader, line) : TOOL_CONF_OK;
}

static enum tool_conf_status conf_read_stream(struct conf_reader *reader, FILE *stream)
{
    enum tool_conf_status status = TOOL_CONF_OK;
    char *line = NULL;
    size_t size = 0;

    while (status == TOOL_CONF_OK && getline(&line, &size, stream) >= 0) {
        size_t length = strlen(line);

        reader->place.line++;
        if (strchr("#\n\r", line[0]) != NULL) { /* or nothing at all */
            continue;
        }
        while (length > 0 && (line[length - 1] == '\n' || line[length - 1] == '\r')) {
            line[--length] = '\0';
        }
        status = conf_read_line(reader, line);
    }
    free(line);
    if (status == TOOL_CONF_OK && ferror(stream)) {
        reader->place.line = 0;
        status = conf_refuse(reader, TOOL_CONF_UNREADABLE, "%s", strerror(errno));
    }
    return status;
}

/* The name is kept as long as the conf: places point to it. */
static const char *conf_keep_name(struct tool_conf *conf, const char *path)
{
    char **grown = realloc(conf->files, (conf->file_count + 1) * sizeof *conf->files);
    char *name = text_copy(path);

    if (grown != NULL) {
        conf->files = grown;
    }
    if (grown == NULL || name == NULL) {
        free(name);
        return NULL;
    }
    conf->files[conf->file_count++] = name;
    return name;
}

static enum tool_conf_status conf_read_file(struct tool_conf *conf, const char *path,
                                            bool is_included)
{
    struct conf_reader reader = {.conf = conf, .is_included = is_included};
    enum tool_conf_status status;
    FILE *stream;

    reader.place.file = conf_keep_name(conf, path);
    if (reader.place.file == NULL) {
        reader.place.file = "";
        return conf_no_memory(&reader);
    }
    stream = fopen(path, "re");
    if (stream == NULL) {
        return conf_refuse(&reader, TOOL_CONF_UNREADABLE, "%s", strerror(errno));
    }
    status = conf_read_stream(&reader, stream);
    (void)fclose(stream);
    return status;
}

enum tool_conf_status tool_conf_read(const char *path, struct tool_conf *out_conf)
{
    *out_conf = (struct tool_conf){0};
    return conf_read_file(out_conf, path, false);
}

static void plugin_deinit(struct tool_conf_plugin *plugin)
{
    for (size_t i = 0; i < plugin->count; i++) {
        free(plugin->options[i].word);
        free(plugin->options[i].value);
    }
    free(plugin->options);
    free(plugin->module);
    free(plugin->name);
}

void tool_conf_deinit(struct tool_conf *conf)
{
    for (size_t i = 0; i < conf->count; i++) {
        plugin_deinit(&conf->plugins[i]);
    }
    free(conf->plugins);
    free(conf->user);
    tool_conf_list_free(conf->files, conf->file_count);
    *conf = (struct tool_conf){0};
}

bool tool_conf_is_ours(const struct tool_conf_plugin *plugin)
{
    const char *slash = strrchr(plugin->module, '/');

    return strcmp(slash == NULL ? plugin->module : slash + 1, MODULE_NAME) == 0;
}

struct tool_place tool_conf_find_place(const struct tool_conf_plugin *plugin, const char *line)
{
    const char *word;

    if (word_is_option(line, &word)) {
        size_t length = strspn(word, "abcdefghijklmnopqrstuvwxyz_");

        for (size_t i = 0; i < plugin->count; i++) {
            if (strlen(plugin->options[i].word) == length &&
                memcmp(plugin->options[i].word, word, length) == 0) {
                return plugin->options[i].place;
            }
        }
    }
    return plugin->place;
}
