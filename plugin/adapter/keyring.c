/* SPDX-License-Identifier: Apache-2.0
 *
 * keyring.c - the keys in force, and which of them a token may be verified with.
 */
#include "keyring.h"

#include "key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct invig_keyring {
    const struct invig_policy *policy;
    invig_algorithm_set available;
    struct invig_key_list sources[INVIG_SOURCE_COUNT];
};

static const char *source_path(const struct invig_policy *policy, size_t source)
{
    switch (source) {
    case INVIG_SOURCE_JWKS:
        return policy->jwt_jwks_file;
    case INVIG_SOURCE_PEM:
        return policy->jwt_public_key_file;
    default:
        return policy->jwt_secret_file;
    }
}

/* Reads one file and puts its keys in the place of the old ones; after an error these stay. */
static enum invig_status keyring_read(struct invig_keyring *keyring, size_t source,
                                      const struct invig_keyring_report *report,
                                      char error[INVIG_POLICY_ERROR_BYTES])
{
    struct invig_key_list keys;
    enum invig_status status = invig_key_list_read(source, source_path(keyring->policy, source),
                                                   keyring->available, report, &keys, error);

    if (status == INVIG_OK) {
        invig_key_list_free(&keyring->sources[source]);
        keyring->sources[source] = keys;
    }
    return status;
}

/* What the keys in force can verify. */
static invig_algorithm_set keyring_fits(const struct invig_keyring *keyring)
{
    invig_algorithm_set set = 0;

    for (size_t i = 0; i < INVIG_SOURCE_COUNT; i++) {
        for (const struct invig_key *key = keyring->sources[i].first; key != NULL;
             key = key->next) {
            set |= key->algorithms;
        }
    }
    return set;
}

/* Says which listed algorithms no key fits. Returns false where there is none such. */
static bool keyring_name_unfit(const struct invig_keyring *keyring, char *line, size_t size)
{
    invig_algorithm_set unfit = keyring->policy->jwt_algorithms & ~keyring_fits(keyring);
    char names[INVIG_ALGORITHM_COUNT * 8] = "";

    if (unfit == 0) {
        return false;
    }
    for (int i = INVIG_ALGORITHM_NONE + 1; i < INVIG_ALGORITHM_COUNT; i++) {
        if (invig_algorithm_set_has(unfit, (enum invig_algorithm)i)) {
            size_t length = strlen(names);
            snprintf(names + length, sizeof names - length, "%s%s", length == 0 ? "" : ", ",
                     invig_algorithm_name((enum invig_algorithm)i));
        }
    }
    snprintf(line, size,
             "plugin_opt_jwt_algorithms: found %s, which no key fits%s, expected algorithms that "
             "the key files have a key for",
             names, (unfit & ~keyring->available) != 0 ? " or this libjwt does not know" : "");
    return true;
}

enum invig_status invig_keyring_new(const struct invig_policy *policy,
                                    invig_algorithm_set available,
                                    const struct invig_keyring_report *report,
                                    struct invig_keyring **out_keyring,
                                    char error[INVIG_POLICY_ERROR_BYTES])
{
    struct invig_keyring *keyring = calloc(1, sizeof *keyring);
    enum invig_status status = INVIG_OK;

    *out_keyring = NULL;
    if (keyring == NULL) {
        snprintf(error, INVIG_POLICY_ERROR_BYTES, "out of memory");
        return INVIG_ERR_NO_MEMORY;
    }
    keyring->policy = policy;
    keyring->available = available;
    for (size_t i = 0; i < INVIG_SOURCE_COUNT && status == INVIG_OK; i++) {
        if (source_path(policy, i) != NULL) {
            status = keyring_read(keyring, i, report, error);
        }
    }
    if (status == INVIG_OK && keyring_name_unfit(keyring, error, INVIG_POLICY_ERROR_BYTES)) {
        status = INVIG_ERR_INVALID;
    }
    if (status != INVIG_OK) {
        invig_keyring_free(keyring);
        return status;
    }
    *out_keyring = keyring;
    return INVIG_OK;
}

void invig_keyring_free(struct invig_keyring *keyring)
{
    if (keyring == NULL) {
        return;
    }
    for (size_t i = 0; i < INVIG_SOURCE_COUNT; i++) {
        invig_key_list_free(&keyring->sources[i]);
    }
    free(keyring);
}

size_t invig_keyring_reload(struct invig_keyring *keyring,
                            const struct invig_keyring_report *report, size_t *out_failed)
{
    char error[INVIG_POLICY_ERROR_BYTES];
    char line[INVIG_POLICY_ERROR_BYTES + 64];

    *out_failed = 0;
    for (size_t i = 0; i < INVIG_SOURCE_COUNT; i++) {
        if (source_path(keyring->policy, i) != NULL &&
            keyring_read(keyring, i, report, error) != INVIG_OK) {
            snprintf(line, sizeof line, "%s; its old keys stay in force", error);
            invig_keyring_report_write(report, INVIG_LOG_ERROR, line);
            (*out_failed)++;
        }
    }
    if (keyring_name_unfit(keyring, error, sizeof error)) {
        invig_keyring_report_write(report, INVIG_LOG_WARNING, error);
    }
    return invig_keyring_count(keyring);
}

size_t invig_keyring_count(const struct invig_keyring *keyring)
{
    size_t count = 0;

    for (size_t i = 0; i < INVIG_SOURCE_COUNT; i++) {
        count += keyring->sources[i].count;
    }
    return count;
}

invig_algorithm_set invig_keyring_algorithms(const struct invig_keyring *keyring)
{
    invig_algorithm_set listed = keyring->policy->jwt_algorithms;

    return listed != 0 ? listed & keyring->available : keyring_fits(keyring);
}

static bool key_has_kid(const struct invig_key *key, struct invig_text kid)
{
    const struct invig_text own = {key->kid, key->kid_length};

    return kid.data == NULL || key->source != INVIG_SOURCE_JWKS || invig_text_equal(own, kid);
}

const struct invig_key *invig_keyring_next(const struct invig_keyring *keyring,
                                           const struct invig_key *previous,
                                           enum invig_algorithm algorithm, struct invig_text kid)
{
    size_t source = previous == NULL ? 0 : previous->source;
    const struct invig_key *key = previous == NULL ? keyring->sources[0].first : previous->next;

    for (;;) {
        for (; key != NULL; key = key->next) {
            if (invig_algorithm_set_has(key->algorithms, algorithm) && key_has_kid(key, kid)) {
                return key;
            }
        }
        if (++source >= INVIG_SOURCE_COUNT) {
            return NULL;
        }
        key = keyring->sources[source].first;
    }
}
