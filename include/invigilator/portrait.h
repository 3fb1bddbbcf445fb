/* SPDX-License-Identifier: Apache-2.0
 *
 * portrait.h - what brokers tell each other of one user: its login times, its sessions, what it is
 * in each evaluation, and how many connections each broker has of it. As values, and as the text
 * that travels.
 *
 * The text is lines of fields, a tab between two of them; ids hold neither:
 *
 *   1                                                       the form of what follows
 *   U newest_login revoked_before kept_until
 *   S id login kept_until end flags
 *   M evaluation access since version blocked_since flags released
 *   B broker count since
 *
 * Numbers are decimal, flags are letters; what is not known is an empty field.
 * Each kind is sorted by its id, so that equal portraits have equal texts.
 * Depends on: text, record.
 */
#ifndef INVIGILATOR_PORTRAIT_H
#define INVIGILATOR_PORTRAIT_H

#include "invigilator/record.h"

struct invig_portrait_session {
    struct invig_text id;
    struct invig_session_record record; /* serial is not told: 0 */
};

struct invig_portrait_member {
    struct invig_text evaluation;
    struct invig_member_record record; /* message and released_serial are not told */
    struct invig_text released;        /* session that binds again only when it is named; absent:
                                          none */
};

/* The connections that one broker has of the user. */
struct invig_portrait_presence {
    struct invig_text broker;
    uint32_t count;  /* > 0 */
    int64_t since_s; /* Unix seconds UTC */
};

/* Texts are borrowed from where it was made of. */
struct invig_portrait {
    struct invig_user_record user;
    struct invig_portrait_session
        *sessions; /* owned, as the two below; sorted by id, all different */
    size_t session_count;
    struct invig_portrait_member *members;
    size_t member_count;
    struct invig_portrait_presence *presences;
    size_t presence_count;
};

/* Makes an empty portrait with room for so many; the counts are 0. Returns INVIG_OK or
 * INVIG_ERR_NO_MEMORY. To be released with invig_portrait_deinit, also after an error. */
enum invig_status invig_portrait_init(struct invig_portrait *portrait, size_t sessions,
                                      size_t members, size_t presences);

/* Frees what it owns. Zeroed memory is allowed. */
void invig_portrait_deinit(struct invig_portrait *portrait);

/* Sorts each kind by its id. */
void invig_portrait_sort(struct invig_portrait *portrait);

/* True when each kind is sorted by its id, without the same id twice, and at most one session is
 * current. */
bool invig_portrait_is_sorted(const struct invig_portrait *portrait);

/* Reads a text, which must outlive the portrait. An absent or empty text gives an empty portrait.
 * Returns INVIG_OK, INVIG_ERR_FORMAT or INVIG_ERR_NO_MEMORY. To be released in any case. */
enum invig_status invig_portrait_read(struct invig_text text, struct invig_portrait *out_portrait);

/* Writes a sorted portrait as text, in memory of malloc(3) that the caller frees. Returns the
 * absent text when memory is out. */
struct invig_text invig_portrait_write(const struct invig_portrait *portrait);

/* What it has of a session, of an evaluation, of a broker; NULL when nothing. */
const struct invig_portrait_session *invig_portrait_find_session(
    const struct invig_portrait *portrait, struct invig_text id);
const struct invig_portrait_member *invig_portrait_find_member(
    const struct invig_portrait *portrait, struct invig_text evaluation);

/* The session that is current; NULL when none is. */
const struct invig_portrait_session *invig_portrait_current(const struct invig_portrait *portrait);

/* Whether the user is bound in any evaluation. */
bool invig_portrait_is_bound(const struct invig_portrait *portrait);

#endif
