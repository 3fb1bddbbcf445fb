/* SPDX-License-Identifier: Apache-2.0
 *
 * setup.h - what the options of a configuration come to, step by step as the plugin starts: a
 * policy, its keys, and what an administrator may have forgotten. One piece for the plugin and for
 * the command-line tool, so that both refuse the same with the same words.
 * Owns: nothing.  Not thread-safe.
 */
#ifndef INVIGILATOR_SETUP_H
#define INVIGILATOR_SETUP_H

#include "keyring.h"
#include "valkey.h"

/* What is said where a configuration names the plugin a second time. */
#define INVIG_SETUP_TWICE                                                                          \
    "the plugin is named twice in the configuration: one global instance serves all listeners"

/* Options in the order in which they are given. */
struct invig_setup_options {
    void *context;
    size_t count;
    /* Gives the option at `index`, counted from 0: its word without "plugin_opt_", and its value,
     * which may be NULL. Both live as long as the options. */
    void (*get)(void *context, size_t index, const char **out_word, const char **out_value);
};

/* Makes a policy of the options.
 *
 *   out_policy  filled in, to be released with invig_policy_deinit; also after an error
 *   out_at      receives the place of the option at fault; options->count where it is the whole
 *   error       receives one line, as invig_policy_set has it
 *
 * Returns INVIG_OK, INVIG_ERR_INVALID or INVIG_ERR_NO_MEMORY. */
enum invig_status invig_setup_policy(const struct invig_setup_options *options,
                                     struct invig_policy *out_policy, size_t *out_at,
                                     char error[INVIG_POLICY_ERROR_BYTES]);

/* Checks libjwt and reads the keys; parameters and result as of invig_keyring_new. A libjwt that
 * cannot be used is INVIG_ERR_LIBRARY. */
enum invig_status invig_setup_keys(const struct invig_policy *policy,
                                   const struct invig_keyring_report *report,
                                   struct invig_keyring **out_keyring,
                                   char error[INVIG_POLICY_ERROR_BYTES]);

/* Opens what brokers share, where the policy names a server (state_url). Parameters and result as
 * of invig_valkey_open. */
enum invig_status invig_setup_share(const struct invig_policy *policy, struct invig_valkey_log log,
                                    struct invig_share *out_share,
                                    char error[INVIG_POLICY_ERROR_BYTES]);

/* Says what an administrator may have forgotten. */
void invig_setup_warn(const struct invig_policy *policy, const struct invig_keyring_report *report);

#endif
