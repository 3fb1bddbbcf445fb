/* SPDX-License-Identifier: Apache-2.0
 *
 * plugin.c - what Mosquitto calls first and last: version, init, cleanup.
 */
#include "plugin.h"

#include "clock.h"
#include "digest.h"
#include "event.h"
#include "log.h"
#include "message.h"
#include "newer.h"
#include "setup.h"
#include "sqlitestore.h"

#include <mosquitto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The broker finds these three by name; everything else stays hidden, as 2.0 loads a plugin's
 * symbols for all. */
#define EXPORT __attribute__((visibility("default")))

/* One table both registers and unregisters. */
static const struct {
    int event;
    MOSQ_FUNC_generic_callback callback;
    const char *topic; /* of CONTROL alone */
    bool is_newer;     /* a broker that does not know it does without */
} plugin_callbacks[] = {
    {MOSQ_EVT_RELOAD, invig_event_reload, NULL, false},
    {MOSQ_EVT_BASIC_AUTH, invig_event_basic_auth, NULL, false},
    {MOSQ_EVT_EXT_AUTH_START, invig_event_extended_auth, NULL, false},
    {MOSQ_EVT_ACL_CHECK, invig_event_acl_check, NULL, false},
    {MOSQ_EVT_MESSAGE, invig_event_message, NULL, false},
    {MOSQ_EVT_CONTROL, invig_event_control, "$CONTROL/invigilator/v1", false},
    {MOSQ_EVT_TICK, invig_event_tick, NULL, false},
    {MOSQ_EVT_DISCONNECT, invig_event_disconnect, NULL, false},
    {INVIG_NEWER_CLIENT_OFFLINE, invig_event_disconnect, NULL, true},
};

enum { CALLBACK_COUNT = sizeof(plugin_callbacks) / sizeof(plugin_callbacks[0]) };

/* The broker runs one instance a process; a second would share nothing with the first and guard
 * nothing. */
static bool plugin_is_loaded;

static const struct invig_keyring_report plugin_report = {NULL, invig_log_text};

static void plugin_free(struct invig_plugin *plugin)
{
    if (plugin == NULL) {
        return;
    }
    invig_engine_free(plugin->engine);
    invig_clients_deinit(&plugin->clients);
    invig_keyring_free(plugin->keyring);
    invig_policy_deinit(&plugin->policy);
    free(plugin);
}

static void option_get(void *context, size_t index, const char **out_word, const char **out_value)
{
    const struct mosquitto_opt *options = context;

    *out_word = options[index].key;
    *out_value = options[index].value;
}

static bool plugin_read_options(struct invig_plugin *plugin, struct mosquitto_opt *options,
                                int option_count)
{
    const struct invig_setup_options given = {
        .context = options,
        .count = option_count > 0 ? (size_t)option_count : 0,
        .get = option_get,
    };
    char error[INVIG_POLICY_ERROR_BYTES];
    size_t at;

    if (invig_setup_policy(&given, &plugin->policy, &at, error) != INVIG_OK) {
        invig_log_text(NULL, INVIG_LOG_ERROR, error);
        return false;
    }
    return true;
}

static bool plugin_read_keys(struct invig_plugin *plugin)
{
    char error[INVIG_POLICY_ERROR_BYTES];

    if (invig_setup_keys(&plugin->policy, &plugin_report, &plugin->keyring, error) != INVIG_OK) {
        invig_log_text(NULL, INVIG_LOG_ERROR, error);
        return false;
    }
    return true;
}

static void plugin_unregister(const struct invig_plugin *plugin, int count)
{
    for (int i = 0; i < count; i++) {
        (void)mosquitto_callback_unregister(plugin->identifier, plugin_callbacks[i].event,
                                            plugin_callbacks[i].callback,
                                            plugin_callbacks[i].topic);
    }
}

static int plugin_register(struct invig_plugin *plugin)
{
    for (int i = 0; i < CALLBACK_COUNT; i++) {
        int rc = mosquitto_callback_register(plugin->identifier, plugin_callbacks[i].event,
                                             plugin_callbacks[i].callback,
                                             plugin_callbacks[i].topic, plugin);
        if (rc != MOSQ_ERR_SUCCESS &&
            !(rc == MOSQ_ERR_NOT_SUPPORTED && plugin_callbacks[i].is_newer)) {
            plugin_unregister(plugin, i);
            return rc;
        }
    }
    return MOSQ_ERR_SUCCESS;
}

EXPORT int mosquitto_plugin_version(int supported_version_count, const int *supported_versions)
{
    for (int i = 0; i < supported_version_count; i++) {
        if (supported_versions[i] == MOSQ_PLUGIN_VERSION) {
            return MOSQ_PLUGIN_VERSION;
        }
    }
    return -1;
}

/* Opens the store that the options name. */
static bool plugin_open_store(const struct invig_policy *policy, struct invig_store *out_store)
{
    char error[INVIG_STORE_ERROR_BYTES] = "out of memory";

    if (policy->state_file == NULL) {
        *out_store = invig_store_memory();
        return true;
    }
    if (invig_sqlitestore_open(policy->state_file, policy->state_sync == INVIG_STATE_FULL,
                               out_store, error) != INVIG_OK) {
        invig_log_text(NULL, INVIG_LOG_ERROR, error);
        return false;
    }
    return true;
}

/* Where the options name a server, what the engine knows is shared through it. */
static bool plugin_open_share(const struct invig_plugin *plugin)
{
    const struct invig_valkey_log log = {NULL, invig_log_line};
    char error[INVIG_POLICY_ERROR_BYTES];
    struct invig_share share;

    if (plugin->policy.state_url == NULL) {
        return true;
    }
    if (invig_setup_share(&plugin->policy, log, &share, error) != INVIG_OK) {
        invig_log_text(NULL, INVIG_LOG_ERROR, error);
        return false;
    }
    invig_engine_set_share(plugin->engine, share);
    return true;
}

/* Makes the engine, with all that the store has. */
static bool plugin_make_engine(struct invig_plugin *plugin, struct invig_seed seed)
{
    const struct invig_log_sink sink = {NULL, invig_log_line};
    struct invig_store store;
    enum invig_status status = INVIG_ERR_NO_MEMORY;

    if (!plugin_open_store(&plugin->policy, &store)) {
        return false;
    }
    plugin->engine = invig_engine_new(&plugin->policy, seed, sink, invig_digest_sha256, store);
    if (plugin->engine != NULL) {
        status = invig_engine_load(plugin->engine, invig_clock_now());
    }
    if (status == INVIG_ERR_FORMAT) {
        invig_log_text(NULL, INVIG_LOG_ERROR,
                       "plugin_opt_state_file: found a record that makes no sense, expected a file "
                       "that this plugin has written and nobody has changed");
    } else if (status != INVIG_OK) {
        invig_log_text(NULL, INVIG_LOG_ERROR, invig_status_text(status));
    }
    return status == INVIG_OK && plugin_open_share(plugin);
}

/* Reads options and keys and makes the engine. Logs why when it cannot. */
static int plugin_start(struct invig_plugin *plugin, struct mosquitto_opt *options,
                        int option_count)
{
    struct invig_seed seed;

    if (!invig_clock_seed(&seed)) {
        invig_log_text(NULL, INVIG_LOG_ERROR, "the system gives no random numbers");
        return MOSQ_ERR_UNKNOWN;
    }
    invig_clients_init(&plugin->clients, seed);
    if (!plugin_read_options(plugin, options, option_count) || !plugin_read_keys(plugin)) {
        return MOSQ_ERR_INVAL;
    }
    if (!plugin_make_engine(plugin, seed)) {
        return MOSQ_ERR_INVAL;
    }
    invig_setup_warn(&plugin->policy, &plugin_report);
    invig_newer_introduce(plugin->identifier);
    return plugin_register(plugin);
}

EXPORT int mosquitto_plugin_init(mosquitto_plugin_id_t *identifier, void **userdata,
                                 struct mosquitto_opt *options, int option_count)
{
    struct invig_plugin *plugin;
    int rc;

    if (plugin_is_loaded) {
        invig_log_text(NULL, INVIG_LOG_ERROR, INVIG_SETUP_TWICE);
        return MOSQ_ERR_INVAL;
    }
    plugin = calloc(1, sizeof(*plugin));
    if (plugin == NULL) {
        return MOSQ_ERR_NOMEM;
    }
    plugin->identifier = identifier;
    rc = plugin_start(plugin, options, option_count);
    if (rc != MOSQ_ERR_SUCCESS) {
        plugin_free(plugin);
        return rc;
    }
    invig_sighup_hold(&plugin->sighup);
    plugin_is_loaded = true;
    *userdata = plugin;
    return MOSQ_ERR_SUCCESS;
}

EXPORT int mosquitto_plugin_cleanup(void *userdata, struct mosquitto_opt *options, int option_count)
{
    struct invig_plugin *plugin = userdata;

    (void)options;
    (void)option_count;
    if (plugin != NULL) {
        plugin_unregister(plugin, CALLBACK_COUNT);
        invig_sighup_release(&plugin->sighup);
        plugin_free(plugin);
        plugin_is_loaded = false;
    }
    return MOSQ_ERR_SUCCESS;
}
