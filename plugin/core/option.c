/* SPDX-License-Identifier: Apache-2.0
 *
 * option.c - the option table and the forms of values.
 */
#include "option.h"

#include <stdlib.h>
#include <string.h>

#define ALGORITHMS_EXPECTED                                                                        \
    "a list without repetition of HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, " \
    "ES256, ES384, ES512"
#define FILE_EXPECTED   "a file name of 1 to 4096 bytes"
#define STRING_EXPECTED "a text of 1 to 4096 bytes"
#define CLAIM_EXPECTED                                                                             \
    "a claim name of 1 to 128 bytes UTF-8, none of exp, iat, nbf, iss, aud, auth_time"
#define PHASES_EXPECTED                                                                            \
    "1 to 32 different words of at most 64 letters, digits, _ and -, commas or blanks between "    \
    "them"
#define PHASES_OF_EXPECTED "words of plugin_opt_phases, none twice, commas or blanks between them"
#define URL_EXPECTED                                                                               \
    "valkey://host[:port][/database], or with redis, valkeys or rediss, of at most 4096 bytes"
#define PREFIX_EXPECTED                                                                            \
    "at most 256 bytes UTF-8 without +, # and control characters, not starting with $"

/* X(word, kind, member, default, minimum, maximum, expected): the one place that knows an option.
 */
#define OPTION_MAP(X)                                                                              \
    X("jwt_public_key_file", STRING, jwt_public_key_file, "", 1, INVIG_OPTION_BYTES_MAX,           \
      FILE_EXPECTED)                                                                               \
    X("jwt_secret_file", STRING, jwt_secret_file, "", 1, INVIG_OPTION_BYTES_MAX, FILE_EXPECTED)    \
    X("jwt_jwks_file", STRING, jwt_jwks_file, "", 1, INVIG_OPTION_BYTES_MAX, FILE_EXPECTED)        \
    X("jwt_algorithms", ALGORITHMS, jwt_algorithms, "", 0, 0, ALGORITHMS_EXPECTED)                 \
    X("jwt_issuer", STRING, jwt_issuer, "", 1, INVIG_OPTION_BYTES_MAX, STRING_EXPECTED)            \
    X("jwt_audience", STRING, jwt_audience, "", 1, INVIG_OPTION_BYTES_MAX, STRING_EXPECTED)        \
    X("jwt_leeway", INTEGER, jwt_leeway_s, "30", 0, INVIG_LEEWAY_S_MAX,                            \
      "an integer from 0 to 300")                                                                  \
    X("jwt_max_size", INTEGER, jwt_max_size_bytes, "8192", INVIG_TOKEN_BYTES_MIN,                  \
      INVIG_TOKEN_BYTES_MAX, "an integer from 512 to 65535")                                       \
    X("claim_user", CLAIM_NAME, claim_user, "sub", 1, INVIG_CLAIM_NAME_BYTES_MAX, CLAIM_EXPECTED)  \
    X("claim_session", CLAIM_NAME, claim_session, "sid", 1, INVIG_CLAIM_NAME_BYTES_MAX,            \
      CLAIM_EXPECTED)                                                                              \
    X("claim_role", CLAIM_NAME, claim_role, "role", 1, INVIG_CLAIM_NAME_BYTES_MAX, CLAIM_EXPECTED) \
    X("claim_evaluations", CLAIM_NAME, claim_evaluations, "evaluations", 1,                        \
      INVIG_CLAIM_NAME_BYTES_MAX, CLAIM_EXPECTED)                                                  \
    X("topic_prefix", TOPIC_PREFIX, topic_prefix, "", 0, INVIG_PREFIX_BYTES_MAX, PREFIX_EXPECTED)  \
    X("single_session_roles", ROLES, single_session_roles, "student", 0, 0,                        \
      "none, or a list without repetition of student, professor, service")                         \
    X("max_connections_per_session", INTEGER, max_connections_per_session, "8",                    \
      INVIG_SESSION_CONNECTIONS_MIN, INVIG_SESSION_CONNECTIONS_MAX, "an integer from 1 to 1000")   \
    X("max_keepalive", INTEGER, max_keepalive_s, "60", INVIG_KEEPALIVE_S_MIN,                      \
      INVIG_KEEPALIVE_S_MAX, "an integer from 1 to 65535")                                         \
    X("expiry_notice", INTEGER, expiry_notice_s, "60", 0, INVIG_EXPIRY_NOTICE_S_MAX,               \
      "an integer from 0 to 86400")                                                                \
    X("require_auth_time", SWITCH, require_auth_time, "off", 0, 0, "on or off")                    \
    X("state_file", STRING, state_file, "", 1, INVIG_OPTION_BYTES_MAX, FILE_EXPECTED)              \
    X("state_sync", SYNC, state_sync, "normal", 0, 0, "normal or full")                            \
    X("state_url", STRING, state_url, "", 1, INVIG_OPTION_BYTES_MAX, URL_EXPECTED)                 \
    X("state_timeout", INTEGER, state_timeout_ms, "20", INVIG_STATE_TIMEOUT_MS_MIN,                \
      INVIG_STATE_TIMEOUT_MS_MAX, "an integer from 1 to 10000")                                    \
    X("state_auth_file", STRING, state_auth_file, "", 1, INVIG_OPTION_BYTES_MAX, FILE_EXPECTED)    \
    X("state_ca_file", STRING, state_ca_file, "", 1, INVIG_OPTION_BYTES_MAX, FILE_EXPECTED)        \
    X("revocation_ttl", INTEGER, revocation_ttl_days, "7", INVIG_REVOCATION_DAYS_MIN,              \
      INVIG_REVOCATION_DAYS_MAX, "an integer from 1 to 3650")                                      \
    X("phases", SET, phases, "NEW SETTINGS COMPOSITION REGISTRATION IN_PROGRESS GRADING FINISHED", \
      1, INVIG_PHASES_MAX, PHASES_EXPECTED)                                                        \
    X("strict_phases", SET, strict_phases, "IN_PROGRESS", 1, INVIG_PHASES_MAX, PHASES_OF_EXPECTED) \
    X("presence_phases", SET, presence_phases, "REGISTRATION IN_PROGRESS", 1, INVIG_PHASES_MAX,    \
      PHASES_OF_EXPECTED)                                                                          \
    X("strict_policy", STRICT, strict_policy, "enforce", 0, 0, "enforce, observe or off")          \
    X("stats_interval", INTEGER, stats_interval_s, "10", 0, INVIG_STATS_INTERVAL_S_MAX,            \
      "an integer from 0 to 86400")

static const struct invig_option option_table[] = {
#define OPTION_ROW(word, kind, member, default_value, minimum, maximum, expected)                  \
    {word, default_value, expected},
    OPTION_MAP(OPTION_ROW)
#undef OPTION_ROW
};

static const struct option_rule option_rules[] = {
#define OPTION_RULE(word, kind, member, default_value, minimum, maximum, expected)                 \
    {OPTION_##kind, offsetof(struct invig_policy, member), minimum, maximum},
    OPTION_MAP(OPTION_RULE)
#undef OPTION_RULE
};

enum { OPTION_COUNT = sizeof option_table / sizeof option_table[0] };

_Static_assert(OPTION_COUNT <= 32, "policy.options_given has a bit for each option");

const struct invig_option *invig_policy_option(size_t index)
{
    return index < OPTION_COUNT ? &option_table[index] : NULL;
}

const struct option_rule *invig_option_rule(size_t index)
{
    return &option_rules[index];
}

/* The readers below write to *out only when the value is valid. */

/* Decimal digits and nothing else: strtoll(3) would take blanks, signs and more. */
static bool integer_read(struct invig_text value, const struct option_rule *rule, int64_t *out)
{
    int64_t number = 0;

    for (size_t i = 0; i < value.length; i++) {
        if (value.data[i] < '0' || value.data[i] > '9') {
            return false;
        }
        number = number * 10 + (value.data[i] - '0');
        if (number > rule->maximum) { /* in time: it is far below INT64_MAX / 10 */
            return false;
        }
    }
    if (value.length == 0 || number < rule->minimum) {
        return false;
    }
    *out = number;
    return true;
}

static bool switch_read(struct invig_text value, bool *out)
{
    bool is_on = invig_text_equal(value, invig_text_of("on"));

    if (!is_on && !invig_text_equal(value, invig_text_of("off"))) {
        return false;
    }
    *out = is_on;
    return true;
}

static bool byte_is_separator(char byte)
{
    return byte == ',' || byte == ' ';
}

bool invig_option_take_word(struct invig_text *list, struct invig_text *out_word)
{
    size_t start = 0;
    size_t end;

    while (start < list->length && byte_is_separator(list->data[start])) {
        start++;
    }
    end = start;
    while (end < list->length && !byte_is_separator(list->data[end])) {
        end++;
    }
    if (start == end) { /* perhaps an absent list */
        return false;
    }
    *out_word = (struct invig_text){list->data + start, end - start};
    *list = (struct invig_text){list->data + end, list->length - end};
    return true;
}

int invig_option_find_word(struct invig_text list, struct invig_text word)
{
    struct invig_text member;

    for (int i = 0; invig_option_take_word(&list, &member); i++) {
        if (invig_text_equal(member, word)) {
            return i;
        }
    }
    return -1;
}

/* Reads a list of words into a set of bits; `find` gives a word's bit, 0 for an unknown word. */
static bool list_read(struct invig_text list, uint32_t (*find)(struct invig_text), uint32_t *out)
{
    struct invig_text member;
    uint32_t bits = 0;

    while (invig_option_take_word(&list, &member)) {
        uint32_t bit = find(member);
        if (bit == 0 || (bits & bit) != 0) {
            return false;
        }
        bits |= bit;
    }
    if (bits == 0) {
        return false;
    }
    *out = bits;
    return true;
}

static uint32_t algorithm_bit(struct invig_text name)
{
    enum invig_algorithm algorithm = invig_algorithm_find(name);

    return algorithm == INVIG_ALGORITHM_NONE ? 0 : UINT32_C(1) << algorithm;
}

static uint32_t role_bit(struct invig_text word)
{
    enum invig_role role = invig_role_find(word);

    return role == INVIG_ROLE_NONE ? 0 : UINT32_C(1) << role;
}

static bool roles_read(struct invig_text list, unsigned *out)
{
    struct invig_text rest = list;
    struct invig_text member;
    uint32_t bits = 0;

    if (invig_option_take_word(&rest, &member) &&
        invig_text_equal_nocase(member, invig_text_of("none"))) {
        if (invig_option_take_word(&rest, &member)) {
            return false;
        }
    } else if (!list_read(list, role_bit, &bits)) {
        return false;
    }
    *out = bits;
    return true;
}

static bool strict_read(struct invig_text value, enum invig_strict_policy *out)
{
    static const struct {
        const char *word;
        enum invig_strict_policy policy;
    } words[] = {
        {"enforce", INVIG_STRICT_ENFORCE},
        {"observe", INVIG_STRICT_OBSERVE},
        {"off", INVIG_STRICT_OFF},
    };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (invig_text_equal(value, invig_text_of(words[i].word))) {
            *out = words[i].policy;
            return true;
        }
    }
    return false;
}

static bool sync_read(struct invig_text value, enum invig_state_sync *out)
{
    bool is_full = invig_text_equal(value, invig_text_of("full"));

    if (!is_full && !invig_text_equal(value, invig_text_of("normal"))) {
        return false;
    }
    *out = is_full ? INVIG_STATE_FULL : INVIG_STATE_NORMAL;
    return true;
}

static bool phase_is_valid(struct invig_text word)
{
    for (size_t i = 0; i < word.length; i++) {
        char c = word.data[i];
        if (!(c >= '0' && c <= '9') && !(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') &&
            c != '_' && c != '-') {
            return false;
        }
    }
    return word.length <= INVIG_PHASE_BYTES_MAX;
}

/* Writes the words of `list` with one blank between them; `out` has room for the list and a NUL. */
static bool set_write(struct invig_text list, const struct option_rule *rule, char *out)
{
    struct invig_text word;
    size_t length = 0;
    int64_t count = 0;

    while (invig_option_take_word(&list, &word)) {
        if (count == rule->maximum || !phase_is_valid(word) ||
            invig_option_find_word((struct invig_text){out, length}, word) >= 0) {
            return false;
        }
        if (length > 0) {
            out[length++] = ' ';
        }
        memcpy(out + length, word.data, word.length);
        length += word.length;
        count++;
    }
    out[length] = '\0';
    return count >= rule->minimum;
}

static enum invig_status set_apply(const struct option_rule *rule, struct invig_text list,
                                   char **member)
{
    char *words = malloc(list.length + 1);

    if (words == NULL) {
        return INVIG_ERR_NO_MEMORY;
    }
    if (!set_write(list, rule, words)) {
        free(words);
        return INVIG_ERR_INVALID;
    }
    free(*member);
    *member = words;
    return INVIG_OK;
}

static bool text_is_plain(struct invig_text text)
{
    while (text.length > 0) {
        int32_t code_point = invig_text_next_code_point(&text);
        if (code_point < 0 || invig_code_point_is_control(code_point)) {
            return false;
        }
    }
    return true;
}

static bool claim_name_is_valid(struct invig_text name)
{
    /* These are read under their registered names (RFC 7519 section 4.1, OpenID Connect Core 1.0
     * section 2), and have other forms. */
    static const char *const taken[] = {"exp", "iat", "nbf", "iss", "aud", "auth_time"};

    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++) {
        if (invig_text_equal(name, invig_text_of(taken[i]))) {
            return false;
        }
    }
    return text_is_plain(name);
}

static bool topic_prefix_is_valid(struct invig_text prefix)
{
    for (size_t i = 0; i < prefix.length; i++) {
        if (prefix.data[i] == '+' || prefix.data[i] == '#') {
            return false;
        }
    }
    return !invig_text_has_prefix(prefix, invig_text_of("$")) && text_is_plain(prefix);
}

static enum invig_status string_apply(const struct option_rule *rule, struct invig_text value,
                                      char **member)
{
    if (value.length < (size_t)rule->minimum || value.length > (size_t)rule->maximum ||
        (rule->kind == OPTION_CLAIM_NAME && !claim_name_is_valid(value)) ||
        (rule->kind == OPTION_TOPIC_PREFIX && !topic_prefix_is_valid(value))) {
        return INVIG_ERR_INVALID;
    }
    char *copy = invig_text_copy(value);
    if (copy == NULL) {
        return INVIG_ERR_NO_MEMORY;
    }
    free(*member);
    *member = copy;
    return INVIG_OK;
}

enum invig_status invig_option_apply(const struct option_rule *rule, struct invig_text value,
                                     struct invig_policy *policy)
{
    void *member = (char *)policy + rule->offset;
    bool is_valid = false;

    switch (rule->kind) {
    case OPTION_STRING:
    case OPTION_CLAIM_NAME:
    case OPTION_TOPIC_PREFIX:
        return string_apply(rule, value, member);
    case OPTION_SET:
        return set_apply(rule, value, member);
    case OPTION_INTEGER:
        is_valid = integer_read(value, rule, member);
        break;
    case OPTION_SWITCH:
        is_valid = switch_read(value, member);
        break;
    case OPTION_ALGORITHMS:
        is_valid = list_read(value, algorithm_bit, member);
        break;
    case OPTION_ROLES:
        is_valid = roles_read(value, member);
        break;
    case OPTION_STRICT:
        is_valid = strict_read(value, member);
        break;
    case OPTION_SYNC:
        is_valid = sync_read(value, member);
        break;
    }
    return is_valid ? INVIG_OK : INVIG_ERR_INVALID;
}
