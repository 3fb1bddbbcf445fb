/* SPDX-License-Identifier: Apache-2.0
 *
 * policy.h - the settings that an administrator makes, from one table of options.
 * Owns: copies of every string it stores.  Not thread-safe.  Depends on: status, text, algorithm,
 * role, logline (how a value is escaped).
 */
#ifndef INVIGILATOR_POLICY_H
#define INVIGILATOR_POLICY_H

#include "invigilator/algorithm.h"
#include "invigilator/role.h"
#include "invigilator/status.h"
#include "invigilator/text.h"

enum {
    INVIG_POLICY_ERROR_BYTES = 512, /* room for one line of error text, with its NUL */
    INVIG_LEEWAY_S_DEFAULT = 30,
    INVIG_LEEWAY_S_MAX = 300,
    INVIG_TOKEN_BYTES_DEFAULT = 8192,
    INVIG_TOKEN_BYTES_MIN = 512,
    INVIG_TOKEN_BYTES_MAX = 65535,
    INVIG_SESSION_CONNECTIONS_DEFAULT = 8,
    INVIG_SESSION_CONNECTIONS_MIN = 1,
    INVIG_SESSION_CONNECTIONS_MAX = 1000,
    INVIG_KEEPALIVE_S_DEFAULT = 60,
    INVIG_KEEPALIVE_S_MIN = 1,
    INVIG_KEEPALIVE_S_MAX = 65535,
    INVIG_EXPIRY_NOTICE_S_DEFAULT = 60,
    INVIG_EXPIRY_NOTICE_S_MAX = 86400,
    INVIG_STATE_TIMEOUT_MS_DEFAULT = 20,
    INVIG_STATE_TIMEOUT_MS_MIN = 1,
    INVIG_STATE_TIMEOUT_MS_MAX = 10000,
    INVIG_REVOCATION_DAYS_DEFAULT = 7,
    INVIG_REVOCATION_DAYS_MIN = 1,
    INVIG_REVOCATION_DAYS_MAX = 3650,
    INVIG_PHASES_MAX = 32,      /* words in the option phases */
    INVIG_PHASE_BYTES_MAX = 64, /* of a word: letters, digits, '_' and '-' */
    INVIG_STATS_INTERVAL_S_DEFAULT = 10,
    INVIG_STATS_INTERVAL_S_MAX = 86400
};

/* What a second login during a strict evaluation means. */
enum invig_strict_policy {
    INVIG_STRICT_ENFORCE = 0, /* it is turned away */
    INVIG_STRICT_OBSERVE,     /* it is reported */
    INVIG_STRICT_OFF          /* nothing special */
};

/* What a record in the state file outlives. */
enum invig_state_sync {
    INVIG_STATE_NORMAL = 0, /* a crash of the broker */
    INVIG_STATE_FULL        /* a power cut too */
};

/* All settings. Strings are NUL-terminated and owned by the policy; NULL where an option has no
 * default and was not given. */
struct invig_policy {
    char *jwt_public_key_file;
    char *jwt_secret_file;
    char *jwt_jwks_file;
    invig_algorithm_set jwt_algorithms; /* 0: not given, what the keys allow */
    char *jwt_issuer;                   /* NULL: not checked */
    char *jwt_audience;                 /* NULL: not checked */
    int64_t jwt_leeway_s;               /* 0..INVIG_LEEWAY_S_MAX */
    int64_t jwt_max_size_bytes;         /* INVIG_TOKEN_BYTES_MIN..INVIG_TOKEN_BYTES_MAX */
    char *claim_user;
    char *claim_session;
    char *claim_role;
    char *claim_evaluations;
    char *topic_prefix;                  /* empty: none */
    unsigned single_session_roles;       /* bit (1u << role) for each enum invig_role; 0 for none */
    int64_t max_connections_per_session; /* 1..INVIG_SESSION_CONNECTIONS_MAX */
    int64_t max_keepalive_s;             /* 1..INVIG_KEEPALIVE_S_MAX */
    int64_t expiry_notice_s;             /* 0..INVIG_EXPIRY_NOTICE_S_MAX; 0: no notice */
    char *state_file;                    /* NULL: what is in memory is all there is */
    enum invig_state_sync state_sync;
    char *state_url;          /* NULL: this broker is alone */
    int64_t state_timeout_ms; /* INVIG_STATE_TIMEOUT_MS_MIN..INVIG_STATE_TIMEOUT_MS_MAX */
    char *state_auth_file;    /* NULL: no password */
    char *state_ca_file;      /* NULL: what the system trusts */
    bool require_auth_time;
    int64_t revocation_ttl_days; /* INVIG_REVOCATION_DAYS_MIN..INVIG_REVOCATION_DAYS_MAX */
    char *phases;                /* the words, separated by one blank each */
    char *strict_phases;         /* likewise; each of them in phases */
    char *presence_phases;       /* likewise */
    enum invig_strict_policy strict_policy;
    int64_t stats_interval_s; /* 0..INVIG_STATS_INTERVAL_S_MAX; 0: no metrics */
    uint32_t options_given;   /* bit (1u << index in the option table): which options were set */
};

/* One row of the option table, for documentation and checks. */
struct invig_option {
    const char *word;          /* as after "plugin_opt_" */
    const char *default_value; /* as an administrator would write it; "" where there is none */
    const char *expected;      /* what a value must be, as error texts say it */
};

/* Fills in the defaults. Returns INVIG_OK or INVIG_ERR_NO_MEMORY; after an error the policy is
 * empty and invig_policy_deinit need not be called. */
enum invig_status invig_policy_init(struct invig_policy *policy);

/* Releases what the policy owns. A zeroed policy is allowed. */
void invig_policy_deinit(struct invig_policy *policy);

/* Sets one option.
 *
 *   word, value  borrowed; value NULL counts as empty
 *   error        receives one line that names the option, what was found and what is expected, with
 *                control characters of the value escaped; untouched on success
 *
 * Returns INVIG_OK, or with nothing changed
 *   INVIG_ERR_INVALID    unknown or repeated option, or a value out of range
 *   INVIG_ERR_NO_MEMORY  allocation failed */
enum invig_status invig_policy_set(struct invig_policy *policy, const char *word, const char *value,
                                   char error[INVIG_POLICY_ERROR_BYTES]);

/* Checks what only the whole can show: at least one key file is named, no two claims have the same
 * name, strict_phases and presence_phases name only phases (also where one of the three was left at
 * its default), and the state is in a file or in a server, not in both. Returns as
 * invig_policy_set. */
enum invig_status invig_policy_check(const struct invig_policy *policy,
                                     char error[INVIG_POLICY_ERROR_BYTES]);

/* The row of the option table at `index`, counted from 0; NULL behind the last. Rows are static. */
const struct invig_option *invig_policy_option(size_t index);

/* True when sessions of `role` are single: a newer login ends them. */
bool invig_policy_role_is_single(const struct invig_policy *policy, enum invig_role role);

/* The place of `word` in phases, from 0; -1 where it is none. Letter case counts. */
int invig_policy_find_phase(const struct invig_policy *policy, struct invig_text word);

/* The word of a phase; absent where `phase` is the place of none. */
struct invig_text invig_policy_phase(const struct invig_policy *policy, int phase);

/* Whether `phase` is one of strict_phases, of presence_phases; false where it is no phase. */
bool invig_policy_phase_is_strict(const struct invig_policy *policy, int phase);
bool invig_policy_phase_has_presence(const struct invig_policy *policy, int phase);

#endif
