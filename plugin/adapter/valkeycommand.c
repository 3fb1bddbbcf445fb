/* SPDX-License-Identifier: Apache-2.0
 *
 * valkeycommand.c - what is sent to the server, and when.
 */
#include "valkey_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    POLL_MS = 20,  /* between two questions for news */
    BEAT_MS = 5000 /* between two signs of life; the key lives three times as long */
};

#define KEY_USERS    "invigilator:users"
#define KEY_TOPICS   "invigilator:topics"
#define KEY_NEWS     "invigilator:news"
#define KEY_BROKER   "invigilator:broker:"
#define KEY_LIFE_MS  "15000"
#define NAMES_COUNT  "1000"
#define NEWS_ABOUT   "100000"
#define WORD(string) ((struct invig_text){(string), sizeof(string) - 1})

enum { NUMBER_BYTES = 24, KEY_BYTES = sizeof KEY_BROKER + INVIG_SHARE_NAME_BYTES_MAX };

static struct invig_text number_text(uint64_t number, char out[NUMBER_BYTES])
{
    snprintf(out, NUMBER_BYTES, "%" PRIu64, number);
    return invig_text_of(out);
}

static struct invig_text broker_key(const char *name, char out[KEY_BYTES])
{
    snprintf(out, KEY_BYTES, "%s%s", KEY_BROKER, name);
    return invig_text_of(out);
}

static bool share_send(struct valkey_share *share, enum valkey_kind kind, struct invig_text subject,
                       const struct invig_text *words, size_t count)
{
    return invig_valkeylink_send(&share->link, invig_valkeylink_command(kind, subject), words,
                                 count);
}

#define SEND(share, kind, ...)                                                                     \
    ((void)share_send((share), (kind), WORD(""), (const struct invig_text[]){__VA_ARGS__},         \
                      sizeof((const struct invig_text[]){__VA_ARGS__}) /                           \
                          sizeof(struct invig_text)))

/* ---- Greeting ---- */

static void share_send_login(struct valkey_share *share)
{
    char number[NUMBER_BYTES];

    if (share->login.data != NULL && share->login.user.data != NULL) {
        SEND(share, VALKEY_PLAIN, WORD("AUTH"), share->login.user, share->login.password);
    } else if (share->login.data != NULL) {
        SEND(share, VALKEY_PLAIN, WORD("AUTH"), share->login.password);
    }
    if (share->url.database != 0) {
        SEND(share, VALKEY_PLAIN, WORD("SELECT"),
             number_text((uint64_t)share->url.database, number));
    }
}

static void share_send_scripts(struct valkey_share *share)
{
    for (int i = 0; i < VALKEY_SCRIPTS; i++) {
        struct valkey_command *command = invig_valkeylink_command(VALKEY_SCRIPT, WORD(""));
        const struct invig_text words[] = {WORD("SCRIPT"), WORD("LOAD"),
                                           invig_text_of(invig_valkeyscript((size_t)i))};
        if (command != NULL) {
            command->number = i;
        }
        (void)invig_valkeylink_send(&share->link, command, words, 3);
    }
}

static void share_send_key(struct valkey_share *share)
{
    char key[KEY_BYTES];

    SEND(share, VALKEY_PLAIN, WORD("SET"), broker_key(share->name, key), WORD("1"), WORD("PX"),
         WORD(KEY_LIFE_MS));
    share->beat_ms = share->now_ms + BEAT_MS;
}

/* The entry tells the others that we are here, and is where the stream is read from: what is read
 * of the hashes afterwards is as new, and there is an entry to find the place again. */
void invig_valkeycommand_greet(struct valkey_share *share)
{
    char number[NUMBER_BYTES];

    share_send_login(share);
    share_send_scripts(share);
    share_send_key(share);
    SEND(share, VALKEY_HELLO, WORD("XADD"), WORD(KEY_NEWS), WORD("MAXLEN"), WORD("~"),
         WORD(NEWS_ABOUT), WORD("*"), WORD("from"), invig_text_of(share->name), WORD("link"),
         number_text(share->link_number, number));
}

/* ---- Reading ---- */

static void share_send_scan(struct valkey_share *share)
{
    char number[NUMBER_BYTES];
    struct invig_text key = share->phase == VALKEY_USERS ? WORD(KEY_USERS) : WORD(KEY_TOPICS);

    const struct invig_text words[] = {WORD("HSCAN"), key, invig_text_of(share->cursor),
                                       WORD("COUNT"),
                                       number_text((uint64_t)share->scan_count, number)};
    struct valkey_command *command = invig_valkeylink_command(VALKEY_SCAN, WORD(""));

    if (command != NULL) {
        command->number = (int)share->phase;
    }
    share->is_asking = true;
    (void)invig_valkeylink_send(&share->link, command, words, sizeof words / sizeof words[0]);
}

static void share_send_poll(struct valkey_share *share)
{
    char count[NUMBER_BYTES];
    char number[NUMBER_BYTES];

    share->is_asking = true;
    share->poll_ms = share->now_ms + POLL_MS;
    SEND(share, VALKEY_POLL, WORD("EVALSHA"), invig_text_of(share->shas[VALKEY_SCRIPT_POLL]),
         WORD("1"), WORD(KEY_NEWS), invig_text_of(share->last_id),
         number_text(VALKEY_POLL_COUNT, count), invig_text_of(share->name),
         number_text(share->link_number, number));
}

/* Those who were here before us. Other keys of the database are passed over, at the pace of polls.
 */
static void share_send_names(struct valkey_share *share)
{
    SEND(share, VALKEY_NAMES, WORD("SCAN"), invig_text_of(share->names_cursor), WORD("MATCH"),
         WORD(KEY_BROKER "*"), WORD("COUNT"), WORD(NAMES_COUNT));
}

void invig_valkeycommand_step(struct valkey_share *share)
{
    if (share->is_asking || share->phase < VALKEY_USERS || share->link.fault[0] != '\0') {
        return;
    }
    if (share->phase == VALKEY_USERS || share->phase == VALKEY_TOPICS) {
        share_send_scan(share);
    } else if (share->has_more || share->now_ms >= share->poll_ms) {
        if (share->phase == VALKEY_LIVE && !share->has_names) {
            share_send_names(share);
        }
        share_send_poll(share);
    }
}

void invig_valkeycommand_beat(struct valkey_share *share)
{
    char key[KEY_BYTES];

    share_send_key(share);
    for (size_t i = 0; share->is_ready && i < share->peer_count; i++) {
        const char *name = share->peers[i].name;
        const struct invig_text words[] = {WORD("EXISTS"), broker_key(name, key)};
        (void)share_send(share, VALKEY_EXISTS, invig_text_of(name), words, 2);
    }
}

void invig_valkeycommand_leave(struct valkey_share *share)
{
    char key[KEY_BYTES];

    if (share->phase >= VALKEY_USERS) {
        SEND(share, VALKEY_PLAIN, WORD("DEL"), broker_key(share->name, key));
        invig_valkeylink_write(&share->link);
    }
}

/* ---- Writing ---- */

/* Whether a command with `text` may be sent now. */
static bool share_has_room(const struct valkey_share *share, struct invig_text text)
{
    return share->is_ready && share->link.fault[0] == '\0' && share->link.async != NULL &&
           text.length <= INVIG_SHARE_TEXT_BYTES_MAX &&
           share->link.count < INVIG_VALKEY_OFFERS_MAX &&
           invig_valkeylink_output(&share->link) + text.length < INVIG_VALKEY_OUTPUT_BYTES_MAX;
}

static bool share_send_now(struct valkey_share *share, enum valkey_kind kind,
                           struct invig_text subject, const struct invig_text *words, size_t count)
{
    bool is_sent = share_send(share, kind, subject, words, count);

    if (is_sent) {
        invig_valkeylink_write(&share->link);
    }
    return is_sent;
}

bool invig_valkeycommand_offer(struct valkey_share *share, struct invig_text user,
                               uint64_t revision, struct invig_text text)
{
    char number[NUMBER_BYTES];
    char link_number[NUMBER_BYTES];
    const struct invig_text words[] = {
        WORD("EVALSHA"),
        invig_text_of(share->shas[VALKEY_SCRIPT_OFFER]),
        WORD("2"),
        WORD(KEY_USERS),
        WORD(KEY_NEWS),
        user,
        number_text(revision, number),
        text,
        invig_text_of(share->name),
        number_text(share->link_number, link_number),
    };

    return invig_text_is_id(user) && share_has_room(share, text) &&
           share_send_now(share, VALKEY_OFFER, user, words, sizeof words / sizeof words[0]);
}

bool invig_valkeycommand_keep(struct valkey_share *share, struct invig_text evaluation,
                              struct invig_text user, struct invig_text text)
{
    char topic[2 * INVIG_ID_BYTES_MAX + 2];
    char link_number[NUMBER_BYTES];
    bool has_user = user.data != NULL;

    if (!invig_text_is_id(evaluation) || (has_user && !invig_text_is_id(user)) ||
        !share_has_room(share, text)) {
        return false;
    }
    /* An id holds neither NUL nor '/'. */
    snprintf(topic, sizeof topic, "%.*s%s%.*s", (int)evaluation.length, evaluation.data,
             has_user ? "/" : "", (int)user.length, has_user ? user.data : "");
    const struct invig_text words[] = {
        WORD("EVALSHA"),
        invig_text_of(share->shas[VALKEY_SCRIPT_KEEP]),
        WORD("2"),
        WORD(KEY_TOPICS),
        WORD(KEY_NEWS),
        invig_text_of(topic),
        text,
        invig_text_of(share->name),
        number_text(share->link_number, link_number),
    };
    return share_send_now(share, VALKEY_KEEP, WORD(""), words, sizeof words / sizeof words[0]);
}
