/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_policy.c - core/policy on any words and values. The input is word and value in turn, each
 * ended by NUL.
 */
#include "invigilator/policy.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { UNTOUCHED = '#' };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void require_string(const char *string, size_t least, size_t most)
{
    require(string != NULL && strlen(string) >= least && strlen(string) <= most);
}

static void require_plain(const char *string)
{
    struct invig_text rest = invig_text_of(string);

    while (rest.length > 0) {
        int32_t code_point = invig_text_next_code_point(&rest);
        require(code_point >= 0 && !invig_code_point_is_control(code_point));
    }
}

static void require_claim_name(const char *name)
{
    require_string(name, 1, 128);
    require_plain(name);
    require(strcmp(name, "exp") != 0 && strcmp(name, "auth_time") != 0);
}

static void require_error(const char error[INVIG_POLICY_ERROR_BYTES])
{
    require(memchr(error, '\0', INVIG_POLICY_ERROR_BYTES) != NULL);
    require(strncmp(error, "plugin_opt_", strlen("plugin_opt_")) == 0);
    require(strstr(error, "expected") != NULL);
    require_plain(error);
}

static void require_untouched(const char error[INVIG_POLICY_ERROR_BYTES])
{
    for (size_t i = 0; i < INVIG_POLICY_ERROR_BYTES; i++) {
        require(error[i] == UNTOUCHED);
    }
}

static void require_status(enum invig_status status, const char error[INVIG_POLICY_ERROR_BYTES])
{
    if (status == INVIG_OK) {
        require_untouched(error);
    } else {
        require(status == INVIG_ERR_INVALID);
        require_error(error);
    }
}

static void require_within(int64_t value, int64_t minimum, int64_t maximum)
{
    require(value >= minimum && value <= maximum);
}

/* Words with one blank between them, each of them once. */
static void require_words(const char *words)
{
    struct invig_policy alone = {.phases = (char *)(uintptr_t)words};
    size_t count = 0;

    require_string(words, 1, 32 * 65 - 1);
    for (const char *word = words;; count++) {
        size_t length =
            strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");
        struct invig_text text = {word, length};
        require(length >= 1 && length <= 64);
        require(invig_policy_find_phase(&alone, text) == (int)count);
        require(invig_text_equal(invig_policy_phase(&alone, (int)count), text));
        if (word[length] == '\0') {
            break;
        }
        require(word[length] == ' ');
        word += length + 1;
    }
    require(count < 32);
}

static void require_valid(const struct invig_policy *policy)
{
    require_within(policy->jwt_leeway_s, 0, 300);
    require_within(policy->jwt_max_size_bytes, 512, 65535);
    require_within(policy->max_connections_per_session, 1, 1000);
    require_within(policy->max_keepalive_s, 1, 65535);
    require_within(policy->expiry_notice_s, 0, 86400);
    require_within(policy->revocation_ttl_days, 1, 3650);
    require_within(policy->stats_interval_s, 0, 86400);
    require_within((int64_t)policy->strict_policy, INVIG_STRICT_ENFORCE, INVIG_STRICT_OFF);
    require_within((int64_t)policy->state_sync, INVIG_STATE_NORMAL, INVIG_STATE_FULL);
    require(policy->state_file == NULL || policy->state_file[0] != '\0');
    require(policy->state_url == NULL || policy->state_url[0] != '\0');
    require(policy->state_timeout_ms >= INVIG_STATE_TIMEOUT_MS_MIN &&
            policy->state_timeout_ms <= INVIG_STATE_TIMEOUT_MS_MAX);
    require(policy->state_auth_file == NULL || policy->state_auth_file[0] != '\0');
    require(policy->state_ca_file == NULL || policy->state_ca_file[0] != '\0');
    require_words(policy->phases);
    require_words(policy->strict_phases);
    require_words(policy->presence_phases);
    require((policy->jwt_algorithms & 1) == 0);
    require((policy->jwt_algorithms >> INVIG_ALGORITHM_COUNT) == 0);
    require((policy->single_session_roles & ~0xEU) == 0);
    require_claim_name(policy->claim_user);
    require_claim_name(policy->claim_session);
    require_claim_name(policy->claim_role);
    require_claim_name(policy->claim_evaluations);
    require_string(policy->topic_prefix, 0, 256);
    require_plain(policy->topic_prefix);
    require(strpbrk(policy->topic_prefix, "+#") == NULL && policy->topic_prefix[0] != '$');
}

/* Each word of the list is a phase, and `has` says so of these phases alone. */
static void require_phases(const struct invig_policy *policy, const char *words,
                           bool (*has)(const struct invig_policy *, int))
{
    size_t word_count = 1;
    size_t found = 0;

    for (const char *at = words; *at != '\0'; at++) {
        word_count += *at == ' ';
    }
    for (int phase = 0; invig_policy_phase(policy, phase).data != NULL; phase++) {
        found += has(policy, phase);
    }
    require(found == word_count);
}

static void require_checked(const struct invig_policy *policy)
{
    require(policy->jwt_public_key_file != NULL || policy->jwt_secret_file != NULL ||
            policy->jwt_jwks_file != NULL);
    require(strcmp(policy->claim_user, policy->claim_session) != 0);
    require(strcmp(policy->claim_user, policy->claim_role) != 0);
    require(strcmp(policy->claim_user, policy->claim_evaluations) != 0);
    require(strcmp(policy->claim_session, policy->claim_role) != 0);
    require(strcmp(policy->claim_session, policy->claim_evaluations) != 0);
    require(strcmp(policy->claim_role, policy->claim_evaluations) != 0);
    require_phases(policy, policy->strict_phases, invig_policy_phase_is_strict);
    require_phases(policy, policy->presence_phases, invig_policy_phase_has_presence);
}

static void set_one(struct invig_policy *policy, const char *word, const char *value)
{
    char error[INVIG_POLICY_ERROR_BYTES];
    uint32_t before = policy->options_given;

    memset(error, UNTOUCHED, sizeof error);
    enum invig_status status = invig_policy_set(policy, word, value, error);
    require_status(status, error);
    require((status == INVIG_OK) == (policy->options_given != before));
    require_valid(policy);
    memset(error, UNTOUCHED, sizeof error);
    require(status != INVIG_OK ||
            invig_policy_set(policy, word, value, error) == INVIG_ERR_INVALID);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct invig_policy policy;
    char error[INVIG_POLICY_ERROR_BYTES];
    char *text = malloc(size + 2);
    size_t at = 0;

    if (text == NULL) {
        return 0;
    }
    if (size > 0) {
        memcpy(text, data, size);
    }
    text[size] = '\0';
    text[size + 1] = '\0';
    require(invig_policy_init(&policy) == INVIG_OK);
    while (at < size) {
        const char *word = text + at;
        const char *value = word + strlen(word) + 1;
        set_one(&policy, word, value);
        at = (size_t)(value - text) + strlen(value) + 1;
    }
    memset(error, UNTOUCHED, sizeof error);
    enum invig_status status = invig_policy_check(&policy, error);
    require_status(status, error);
    if (status == INVIG_OK) {
        require_checked(&policy);
    }
    invig_policy_deinit(&policy);
    free(text);
    return 0;
}
