/* SPDX-License-Identifier: Apache-2.0
 *
 * setup.c - see setup.h.
 */
#include "setup.h"

#include "token.h"

#include <stdio.h>

enum invig_status invig_setup_policy(const struct invig_setup_options *options,
                                     struct invig_policy *out_policy, size_t *out_at,
                                     char error[INVIG_POLICY_ERROR_BYTES])
{
    enum invig_status status = invig_policy_init(out_policy);

    *out_at = options->count;
    if (status != INVIG_OK) {
        snprintf(error, INVIG_POLICY_ERROR_BYTES, "%s", invig_status_text(status));
        return status;
    }
    for (size_t i = 0; i < options->count; i++) {
        const char *word;
        const char *value;

        options->get(options->context, i, &word, &value);
        status = invig_policy_set(out_policy, word, value, error);
        if (status != INVIG_OK) {
            *out_at = i;
            return status;
        }
    }
    return invig_policy_check(out_policy, error);
}

enum invig_status invig_setup_keys(const struct invig_policy *policy,
                                   const struct invig_keyring_report *report,
                                   struct invig_keyring **out_keyring,
                                   char error[INVIG_POLICY_ERROR_BYTES])
{
    if (!invig_token_self_test()) {
        snprintf(error, INVIG_POLICY_ERROR_BYTES,
                 "libjwt does not refuse what it must: this version cannot be used");
        return INVIG_ERR_LIBRARY;
    }
    snprintf(error, INVIG_POLICY_ERROR_BYTES, "%s", invig_status_text(INVIG_ERR_NO_MEMORY));
    return invig_keyring_new(policy, invig_token_algorithms(), report, out_keyring, error);
}

enum invig_status invig_setup_share(const struct invig_policy *policy, struct invig_valkey_log log,
                                    struct invig_share *out_share,
                                    char error[INVIG_POLICY_ERROR_BYTES])
{
    const struct invig_valkey_options options = {
        .url = policy->state_url,
        .auth_file = policy->state_auth_file,
        .ca_file = policy->state_ca_file,
        .timeout_ms = policy->state_timeout_ms,
        .log = log,
    };

    return invig_valkey_open(&options, out_share, error);
}

static void warn(const struct invig_keyring_report *report, const char *line)
{
    report->write(report->context, INVIG_LOG_WARNING, line);
}

void invig_setup_warn(const struct invig_policy *policy, const struct invig_keyring_report *report)
{
    if (policy->jwt_issuer == NULL) {
        warn(report, "plugin_opt_jwt_issuer is not set: tokens of any issuer are accepted");
    }
    if (policy->jwt_audience == NULL) {
        warn(report, "plugin_opt_jwt_audience is not set: tokens for any audience are accepted");
    }
    if (policy->state_file == NULL && policy->state_url == NULL) {
        warn(report, "plugin_opt_state_file is not set: a restart of the broker forgets which "
                     "logins have ended, what is blocked and what the backend has said");
    }
    if (!policy->require_auth_time) {
        warn(report, "plugin_opt_require_auth_time is off: a token without auth_time counts as a "
                     "login at the time it was made");
    }
}
