/* SPDX-License-Identifier: Apache-2.0
 *
 * policy.c - the settings: defaults, one option after the other, the whole.
 */
#include "invigilator/policy.h"

#include "invigilator/logline.h"
#include "option.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FOUND_BYTES_MAX = 64, /* of a value or an unknown word, in an error text */
    FOUND_TEXT_BYTES = 4 * FOUND_BYTES_MAX + 4
};

/* Writes `plugin_opt_<word>: found "<value>", expected <expected>`. */
static void error_found(char error[INVIG_POLICY_ERROR_BYTES], const char *word,
                        struct invig_text value, const char *expected)
{
    char found[FOUND_TEXT_BYTES];

    invig_logline_escape(value, FOUND_BYTES_MAX, found, sizeof found);
    snprintf(error, INVIG_POLICY_ERROR_BYTES, "plugin_opt_%s: found \"%s\", expected %s", word,
             found, expected);
}

static void error_unknown(char error[INVIG_POLICY_ERROR_BYTES], struct invig_text word)
{
    char found[FOUND_TEXT_BYTES];

    invig_logline_escape(word, FOUND_BYTES_MAX, found, sizeof found);
    snprintf(error, INVIG_POLICY_ERROR_BYTES,
             "plugin_opt_%s: unknown option, expected one of those in mosquitto.conf.example",
             found);
}

enum invig_status invig_policy_init(struct invig_policy *policy)
{
    const struct invig_option *option;

    memset(policy, 0, sizeof *policy);
    for (size_t i = 0; (option = invig_policy_option(i)) != NULL; i++) {
        const struct option_rule *rule = invig_option_rule(i);
        struct invig_text value = invig_text_of(option->default_value);
        /* Without a default value there is none, but where empty is a value. */
        if (value.length == 0 && rule->kind != OPTION_TOPIC_PREFIX) {
            continue;
        }
        enum invig_status status = invig_option_apply(rule, value, policy);
        if (status != INVIG_OK) {
            invig_policy_deinit(policy);
            return status;
        }
    }
    return INVIG_OK;
}

void invig_policy_deinit(struct invig_policy *policy)
{
    free(policy->jwt_public_key_file);
    free(policy->jwt_secret_file);
    free(policy->jwt_jwks_file);
    free(policy->jwt_issuer);
    free(policy->jwt_audience);
    free(policy->claim_user);
    free(policy->claim_session);
    free(policy->claim_role);
    free(policy->claim_evaluations);
    free(policy->topic_prefix);
    free(policy->phases);
    free(policy->strict_phases);
    free(policy->presence_phases);
    free(policy->state_file);
    free(policy->state_url);
    free(policy->state_auth_file);
    free(policy->state_ca_file);
    memset(policy, 0, sizeof *policy);
}

/* The row of the option, NULL where there is none; *out_index receives its number. */
static const struct invig_option *option_find(struct invig_text word, size_t *out_index)
{
    const struct invig_option *option;

    for (size_t i = 0; (option = invig_policy_option(i)) != NULL; i++) {
        if (invig_text_equal(invig_text_of(option->word), word)) {
            *out_index = i;
            return option;
        }
    }
    return NULL;
}

enum invig_status invig_policy_set(struct invig_policy *policy, const char *word, const char *value,
                                   char error[INVIG_POLICY_ERROR_BYTES])
{
    size_t index;
    const struct invig_option *option = option_find(invig_text_of(word), &index);
    struct invig_text text = invig_text_of(value == NULL ? "" : value);

    if (option == NULL) {
        error_unknown(error, invig_text_of(word));
        return INVIG_ERR_INVALID;
    }
    uint32_t given = UINT32_C(1) << index;
    if ((policy->options_given & given) != 0) {
        snprintf(error, INVIG_POLICY_ERROR_BYTES, "plugin_opt_%s: given twice, expected once",
                 option->word);
        return INVIG_ERR_INVALID;
    }
    enum invig_status status = invig_option_apply(invig_option_rule(index), text, policy);
    if (status == INVIG_OK) {
        policy->options_given |= given;
    } else if (status == INVIG_ERR_INVALID) {
        error_found(error, option->word, text, option->expected);
    } else {
        snprintf(error, INVIG_POLICY_ERROR_BYTES, "plugin_opt_%s: %s", option->word,
                 invig_status_text(status));
    }
    return status;
}

/* Two claims of one name would read one value as two things. */
static enum invig_status check_claim_names(const struct invig_policy *policy,
                                           char error[INVIG_POLICY_ERROR_BYTES])
{
    static const char *const words[] = {"claim_user", "claim_session", "claim_role",
                                        "claim_evaluations"};
    const char *const names[] = {policy->claim_user, policy->claim_session, policy->claim_role,
                                 policy->claim_evaluations};
    char expected[64];

    for (size_t i = 1; i < sizeof names / sizeof names[0]; i++) {
        for (size_t k = 0; k < i; k++) {
            if (invig_text_equal(invig_text_of(names[i]), invig_text_of(names[k]))) {
                snprintf(expected, sizeof expected, "another name than that of plugin_opt_%s",
                         words[k]);
                error_found(error, words[i], invig_text_of(names[i]), expected);
                return INVIG_ERR_INVALID;
            }
        }
    }
    return INVIG_OK;
}

/* A phase that there is not would never come. */
static enum invig_status check_phases(const struct invig_policy *policy, const char *option,
                                      const char *words, char error[INVIG_POLICY_ERROR_BYTES])
{
    struct invig_text rest = invig_text_of(words);
    struct invig_text word;

    while (invig_option_take_word(&rest, &word)) {
        if (invig_policy_find_phase(policy, word) < 0) {
            error_found(error, option, word, "nothing but words of plugin_opt_phases");
            return INVIG_ERR_INVALID;
        }
    }
    return INVIG_OK;
}

/* Two truths would be one too many. The URL is not shown: it may hold a password. */
static enum invig_status check_state(const struct invig_policy *policy,
                                     char error[INVIG_POLICY_ERROR_BYTES])
{
    if (policy->state_url == NULL || policy->state_file == NULL) {
        return INVIG_OK;
    }
    error_found(error, "state_file", invig_text_of(policy->state_file),
                "none beside plugin_opt_state_url");
    return INVIG_ERR_INVALID;
}

enum invig_status invig_policy_check(const struct invig_policy *policy,
                                     char error[INVIG_POLICY_ERROR_BYTES])
{
    if (policy->jwt_public_key_file == NULL && policy->jwt_secret_file == NULL &&
        policy->jwt_jwks_file == NULL) {
        snprintf(error, INVIG_POLICY_ERROR_BYTES,
                 "plugin_opt_jwt_public_key_file, plugin_opt_jwt_secret_file or "
                 "plugin_opt_jwt_jwks_file: found none, expected at least one");
        return INVIG_ERR_INVALID;
    }
    enum invig_status status = check_claim_names(policy, error);
    if (status == INVIG_OK) {
        status = check_phases(policy, "strict_phases", policy->strict_phases, error);
    }
    if (status == INVIG_OK) {
        status = check_phases(policy, "presence_phases", policy->presence_phases, error);
    }
    if (status == INVIG_OK) {
        status = check_state(policy, error);
    }
    return status;
}

bool invig_policy_role_is_single(const struct invig_policy *policy, enum invig_role role)
{
    /* The range also keeps the shift within the width of the set. */
    if (role < INVIG_ROLE_STUDENT || role > INVIG_ROLE_SERVICE) {
        return false;
    }
    return (policy->single_session_roles & (1U << role)) != 0;
}

int invig_policy_find_phase(const struct invig_policy *policy, struct invig_text word)
{
    return invig_option_find_word(invig_text_of(policy->phases), word);
}

struct invig_text invig_policy_phase(const struct invig_policy *policy, int phase)
{
    struct invig_text rest = invig_text_of(policy->phases);
    struct invig_text word;

    for (int i = 0; invig_option_take_word(&rest, &word); i++) {
        if (i == phase) {
            return word;
        }
    }
    return (struct invig_text){NULL, 0};
}

/* The absent word of what is no phase is in no list. */
static bool phase_is_among(const struct invig_policy *policy, int phase, const char *words)
{
    return invig_option_find_word(invig_text_of(words), invig_policy_phase(policy, phase)) >= 0;
}

bool invig_policy_phase_is_strict(const struct invig_policy *policy, int phase)
{
    return phase_is_among(policy, phase, policy->strict_phases);
}

bool invig_policy_phase_has_presence(const struct invig_policy *policy, int phase)
{
    return phase_is_among(policy, phase, policy->presence_phases);
}
