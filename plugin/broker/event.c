/* SPDX-License-Identifier: Apache-2.0
 *
 * event.c - see event.h.
 */
#include "event.h"

#include "clock.h"
#include "effect.h"
#include "log.h"
#include "metrics.h"
#include "newer.h"
#include "plugin.h"
#include "token.h"

#include "invigilator/jws.h"

#include <mosquitto.h>
#include <string.h>

/* What the broker is to be answered. For a denial that is MOSQ_ERR_AUTH of BASIC_AUTH, since any
 * other code closes the connection without a CONNACK, and MOSQ_ERR_ACL_DENIED of ACL_CHECK, since
 * any other disconnects somebody, perhaps the publisher. */
static int verdict_code(enum invig_verdict verdict, int denied)
{
    switch (verdict) {
    case INVIG_ALLOW:
        return MOSQ_ERR_SUCCESS;
    case INVIG_DEFER:
        return MOSQ_ERR_PLUGIN_DEFER;
    case INVIG_DENY:
        break;
    }
    return denied;
}

static int auth_code(enum invig_verdict verdict)
{
    return verdict_code(verdict, MOSQ_ERR_AUTH);
}

/* The answer to BASIC_AUTH alone: where the token is not at fault, and the same CONNECT may be let
 * in later, a newer broker says so. */
static int basic_auth_code(enum invig_verdict verdict, enum invig_reason reason)
{
    bool is_ours = reason == INVIG_REASON_INTERNAL || reason == INVIG_REASON_STATE_FAILED;

    return verdict_code(verdict, is_ours && invig_newer_is_broker() ? INVIG_NEWER_SERVER_UNAVAILABLE
                                                                    : MOSQ_ERR_AUTH);
}

static int acl_code(enum invig_verdict verdict)
{
    return verdict_code(verdict, MOSQ_ERR_ACL_DENIED);
}

/* After SIGHUP the broker asks again for each client, also for MQTT sessions that outlived their
 * connection, with the password of the time. A client that is connected is known by its pointer.
 * For the others: between RELOAD and TICK 2.0 handles no packet but those of WebSockets, and an
 * MQTT session without a connection is none of those there. 2.1 keeps saying what it came over. */
static bool event_is_recheck(const struct invig_plugin *plugin, const struct mosquitto *context)
{
    return mosquitto_client_address(context) == NULL ||
           mosquitto_client_protocol_version(context) == 0 ||
           mosquitto_client_sub_count(context) > 0 ||
           (plugin->is_reloading &&
            (mosquitto_client_protocol(context) != mp_websockets || invig_newer_has(context)));
}

/* The answer to such a question: nobody is dropped. Running out and being revoked are found by our
 * own means, and a client without a token is asked about by Mosquitto's own check. Whoever is not
 * known here is an MQTT session without a connection; without a password it has come in by enhanced
 * authentication, or was restored from disk. It can do nothing, and dropping it is what Mosquitto
 * up to 2.0.22 corrupts a list by. */
static int event_answer_recheck(const struct invig_client *client, const char *password)
{
    struct invig_jws jws;

    if (client != NULL) {
        return client->connection->state == INVIG_CONNECTION_DEFERRED ? MOSQ_ERR_PLUGIN_DEFER
                                                                      : MOSQ_ERR_SUCCESS;
    }
    return password == NULL || invig_jws_split(invig_text_of(password), &jws)
               ? MOSQ_ERR_SUCCESS
               : MOSQ_ERR_PLUGIN_DEFER;
}

/* Reads what a CONNECT says. */
static struct invig_connect event_read_connect(const struct mosquitto *context,
                                               const char *username)
{
    return (struct invig_connect){
        .client_id = invig_text_of(mosquitto_client_id(context)),
        .username = invig_text_of(username),
        .address = invig_text_of(mosquitto_client_address(context)),
        .protocol_version = mosquitto_client_protocol_version(context),
        .is_clean = mosquitto_client_clean_session(context),
        .keepalive_s = mosquitto_client_keepalive(context),
    };
}

/* Makes the broker know a token client by its user, and no longer by the name it gave itself. */
static bool event_set_username(struct mosquitto *context, struct invig_connect *connect,
                               char copy[INVIG_ID_BYTES_MAX + 2])
{
    /* The broker frees the name it shows in the event. One byte more than any user id is kept, so
     * that a longer name stays a different one. */
    size_t length = connect->username.length <= INVIG_ID_BYTES_MAX ? connect->username.length
                                                                   : INVIG_ID_BYTES_MAX + 1;

    if (connect->username.data != NULL) {
        memcpy(copy, connect->username.data, length);
        connect->username = (struct invig_text){copy, length};
    }
    return mosquitto_set_username(context, connect->claims->user) == MOSQ_ERR_SUCCESS;
}

/* Asks the engine, with a record for the client made first so that nothing can fail afterwards. */
static enum invig_verdict event_connect(struct invig_plugin *plugin, struct mosquitto *context,
                                        struct invig_connect *connect, struct invig_now now,
                                        struct invig_refusal *out_refusal)
{
    char username[INVIG_ID_BYTES_MAX + 2];
    struct invig_client *client = invig_clients_add(&plugin->clients, context);
    enum invig_verdict verdict = INVIG_DENY;

    if (client == NULL ||
        (connect->claims != NULL && !event_set_username(context, connect, username))) {
        *out_refusal = (struct invig_refusal){INVIG_REASON_INTERNAL, NULL};
        invig_engine_refuse(plugin->engine, now, connect, *out_refusal);
    } else {
        verdict =
            invig_engine_connect(plugin->engine, now, connect, &client->connection, out_refusal);
    }
    if (verdict == INVIG_DENY && client != NULL) {
        invig_clients_remove(&plugin->clients, client);
    }
    return verdict;
}

/* Checks a token, and makes its claims those of `connect`. DEFER: it is none. A refusal is logged.
 */
static enum invig_verdict event_check_token(struct invig_plugin *plugin, struct invig_now now,
                                            struct invig_text token, bool is_required,
                                            struct invig_connect *connect,
                                            struct invig_refusal *out_refusal)
{
    enum invig_verdict verdict = INVIG_DEFER;

    if (token.data != NULL) {
        verdict = invig_token_check(plugin->keyring, &plugin->policy, token, now.wall_s,
                                    &plugin->claims, out_refusal);
    }
    if (verdict == INVIG_DEFER && is_required) {
        *out_refusal = (struct invig_refusal){INVIG_REASON_TOKEN_MALFORMED, NULL};
        verdict = INVIG_DENY;
    }
    if (verdict == INVIG_DENY) {
        invig_engine_refuse(plugin->engine, now, connect, *out_refusal);
    }
    connect->claims = verdict == INVIG_ALLOW ? &plugin->claims : NULL;
    return verdict;
}

/* A client that is not known asks to come in. */
static enum invig_verdict event_enter(struct invig_plugin *plugin, struct mosquitto *context,
                                      const char *username, struct invig_text token,
                                      bool is_required, struct invig_refusal *out_refusal)
{
    struct invig_now now = invig_clock_now();
    struct invig_connect connect = event_read_connect(context, username);
    enum invig_verdict verdict =
        event_check_token(plugin, now, token, is_required, &connect, out_refusal);

    return verdict == INVIG_DENY ? verdict
                                 : event_connect(plugin, context, &connect, now, out_refusal);
}

/* The record of a client that is connected. One that has departed is dropped: the broker uses its
 * memory again. NULL: it is not known. */
static struct invig_client *event_find_present(struct invig_plugin *plugin,
                                               const struct mosquitto *context)
{
    struct invig_client *client = invig_clients_find(&plugin->clients, context);

    if (client != NULL && client->is_departed) {
        invig_engine_forget(plugin->engine, client->connection);
        invig_clients_forget(&plugin->clients, client);
        client = NULL;
    }
    return client;
}

int invig_event_basic_auth(int event, void *event_data, void *userdata)
{
    const struct mosquitto_evt_basic_auth *auth = event_data;
    struct invig_plugin *plugin = userdata;
    struct invig_client *client = invig_clients_find(&plugin->clients, auth->client);
    struct invig_refusal refusal = {INVIG_REASON_NONE, NULL};
    enum invig_verdict verdict;

    (void)event;
    if ((client != NULL && !client->is_departed) || event_is_recheck(plugin, auth->client)) {
        return event_answer_recheck(client != NULL && !client->is_departed ? client : NULL,
                                    auth->password);
    }
    (void)event_find_present(plugin, auth->client);
    verdict = event_enter(plugin, auth->client, auth->username, invig_text_of(auth->password),
                          false, &refusal);
    return basic_auth_code(verdict, refusal.reason);
}

/* A client that is in shows a newer token. */
static enum invig_verdict event_refresh(struct invig_plugin *plugin, struct invig_client *client,
                                        struct mosquitto *context, struct invig_text token)
{
    struct invig_now now = invig_clock_now();
    struct invig_connect connect = event_read_connect(context, NULL);
    struct invig_refusal refusal;

    if (event_check_token(plugin, now, token, true, &connect, &refusal) != INVIG_ALLOW) {
        return INVIG_DENY;
    }
    return invig_engine_refresh(plugin->engine, now, &connect, &client->connection, &refusal);
}

/* Enhanced authentication (MQTT 5, section 4.12) in one step; no flag tells the first from those
 * that follow. Here the token has a length, and is never deferred. */
int invig_event_extended_auth(int event, void *event_data, void *userdata)
{
    const struct mosquitto_evt_extended_auth *auth = event_data;
    struct invig_plugin *plugin = userdata;
    struct invig_text token = {auth->data_in == NULL ? "" : auth->data_in,
                               auth->data_in == NULL ? 0 : auth->data_in_len};
    struct invig_refusal refusal;
    struct invig_client *client;

    (void)event;
    if (!invig_text_equal(invig_text_of(auth->auth_method), invig_text_of("JWT"))) {
        return MOSQ_ERR_PLUGIN_DEFER;
    }
    client = event_find_present(plugin, auth->client);
    return auth_code(client != NULL ? event_refresh(plugin, client, auth->client, token)
                                    : event_enter(plugin, auth->client,
                                                  mosquitto_client_username(auth->client), token,
                                                  true, &refusal));
}

static int event_check_unknown(const struct invig_plugin *plugin,
                               const struct mosquitto_evt_acl_check *check, struct invig_text topic)
{
    struct invig_text username = invig_text_of(mosquitto_client_username(check->client));
    enum invig_operation operation = INVIG_OPERATION_SUBSCRIBE;

    if (check->access == MOSQ_ACL_READ) {
        operation = INVIG_OPERATION_DELIVER;
    } else if (check->access == MOSQ_ACL_WRITE) {
        operation = INVIG_OPERATION_PUBLISH;
    }
    return acl_code(invig_engine_unknown(plugin->engine, operation, username, topic));
}

int invig_event_acl_check(int event, void *event_data, void *userdata)
{
    const struct mosquitto_evt_acl_check *check = event_data;
    struct invig_plugin *plugin = userdata;
    const struct invig_client *client = invig_clients_find(&plugin->clients, check->client);
    struct invig_text topic = invig_text_of(check->topic);

    (void)event;
    if (client == NULL) {
        return event_check_unknown(plugin, check, topic);
    }
    switch (check->access) {
    case MOSQ_ACL_READ:
        return acl_code(invig_engine_deliver(plugin->engine, client->connection, topic));
    case MOSQ_ACL_WRITE:
        return acl_code(invig_engine_publish(plugin->engine, client->connection, topic));
    case MOSQ_ACL_SUBSCRIBE:
        return acl_code(invig_engine_subscribe(plugin->engine, client->connection, topic));
    case MOSQ_ACL_UNSUBSCRIBE:
        /* Taking less is allowed to everyone whom we know. */
        return client->connection->state == INVIG_CONNECTION_DEFERRED ? MOSQ_ERR_PLUGIN_DEFER
                                                                      : MOSQ_ERR_SUCCESS;
    default:
        return MOSQ_ERR_ACL_DENIED;
    }
}

/* Why a connection ended: 2.1 says it, 2.0 says -1 always. Its numbers are those of the MQTT 5
 * reason codes where there is one for it, and of its own errors where not. */
static enum invig_cause event_cause(int reason)
{
    switch (reason) {
    case MOSQ_ERR_SUCCESS:
    case MOSQ_ERR_CONN_LOST:
    case MOSQ_ERR_PROTOCOL:
    case MOSQ_ERR_ERRNO:
        return INVIG_CAUSE_CLOSED;
    case MOSQ_ERR_KEEPALIVE:
        return INVIG_CAUSE_TIMEOUT;
    default:
        return INVIG_CAUSE_UNKNOWN;
    }
}

int invig_event_disconnect(int event, void *event_data, void *userdata)
{
    const struct mosquitto_evt_disconnect *disconnect = event_data;
    struct invig_plugin *plugin = userdata;
    struct invig_client *client = invig_clients_find(&plugin->clients, disconnect->client);

    (void)event;
    /* It also comes for clients that never logged in, and more than once for some. */
    if (client != NULL) {
        invig_engine_disconnect(plugin->engine, invig_clock_now(), client->connection,
                                event_cause(disconnect->reason));
        invig_clients_depart(&plugin->clients, client);
    }
    return MOSQ_ERR_SUCCESS;
}

int invig_event_reload(int event, void *event_data, void *userdata)
{
    struct invig_plugin *plugin = userdata;
    const struct invig_keyring_report report = {NULL, invig_log_text};
    struct invig_logline line;
    size_t failed = 0;
    size_t keys;

    (void)event;
    (void)event_data; /* options are not passed again */
    plugin->is_reloading = true;
    keys = invig_keyring_reload(plugin->keyring, &report, &failed);
    invig_logline_init(&line, "reloaded");
    invig_logline_add_number(&line, "keys", (int64_t)keys);
    invig_logline_add_number(&line, "failed_files", (int64_t)failed);
    invig_log_line(NULL, failed == 0 ? INVIG_LOG_NOTICE : INVIG_LOG_ERROR, line.text);
    /* Any other answer leads to a crash on 2.0 and ends the broker on 2.1. */
    return MOSQ_ERR_SUCCESS;
}

int invig_event_tick(int event, void *event_data, void *userdata)
{
    struct invig_plugin *plugin = userdata;
    struct invig_now now = invig_clock_now();

    (void)event;
    (void)event_data;
    plugin->is_reloading = false;
    invig_clients_purge(&plugin->clients);
    invig_engine_hold_kicks(
        plugin->engine,
        invig_sighup_pass(&plugin->sighup, now.steady_ms, invig_engine_is_leaving(plugin->engine)));
    invig_engine_tick(plugin->engine, now);
    invig_effects_run(plugin, now);
    invig_metrics_run(plugin, now);
    return MOSQ_ERR_SUCCESS;
}
