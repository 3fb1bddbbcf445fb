/* SPDX-License-Identifier: Apache-2.0
 *
 * valkey.c - the share: a connection that comes and goes, and what is done in each call.
 */
#include "valkey_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum {
    PAUSE_MS_MIN = 100, /* before connecting again; each failure doubles it */
    PAUSE_MS_MAX = 2000,
    SILENCE_MS = 5000, /* without any answer to what was asked: the connection is dropped */
    PIECES_MAX = 128,  /* of 16 KiB that one call reads at most */
    SCAN_CUT = 8,      /* a reading that failed goes on in smaller steps: it may be their size */
    NAME_RANDOM_BYTES = 8,
    SERVER_BYTES = VALKEY_HOST_BYTES_MAX + 16
};

/* ---- The connection ---- */

static void share_log_lost(struct valkey_share *share)
{
    struct invig_logline line;
    char server[SERVER_BYTES];

    if (share->is_logged || share->log.write == NULL) {
        return;
    }
    share->is_logged = true;
    snprintf(server, sizeof server, "%s:%d", share->url.host, share->url.port);
    invig_logline_init(&line, "share_lost");
    invig_logline_add(&line, "server", invig_text_of(server));
    invig_logline_add(&line, "reason", invig_text_of(share->link.fault));
    share->log.write(share->log.context, INVIG_LOG_WARNING, line.text);
}

static void share_connect(struct valkey_share *share)
{
    share->phase = VALKEY_GREETING;
    share->link_number++;
    share->answered_ms = share->now_ms;
    share->looked_ms = share->now_ms;
    share->is_late = false;
    share->is_asking = false;
    invig_valkeylink_open(&share->link, share->addresses.texts[share->address], &share->url,
                          share->tls);
    if (share->link.fault[0] == '\0') {
        invig_valkeycommand_greet(share);
        invig_valkeylink_stamp(&share->link, share->now_ms);
    }
}

/* Ends a connection with a fault. Memory for LOST was set aside: it must not be forgotten. */
static void share_drop(struct valkey_share *share)
{
    bool was_given = share->phase >= VALKEY_USERS;

    share_log_lost(share);
    invig_valkeylink_close(&share->link);
    if (share->is_asking && (share->phase == VALKEY_USERS || share->phase == VALKEY_TOPICS)) {
        share->scan_count = share->scan_count / SCAN_CUT < VALKEY_SCAN_COUNT_MIN
                                ? VALKEY_SCAN_COUNT_MIN
                                : share->scan_count / SCAN_CUT;
    }
    if (share->phase != VALKEY_LIVE) {
        share->address = (share->address + 1) % share->addresses.count;
    }
    share->phase = VALKEY_CLOSED;
    share->is_ready = false;
    share->retry_ms = share->now_ms + share->pause_ms;
    share->pause_ms = share->pause_ms * 2 > PAUSE_MS_MAX ? PAUSE_MS_MAX : share->pause_ms * 2;
    if (was_given) {
        invig_valkeynews_add(share, share->lost);
        share->lost = NULL;
    }
}

/* Without memory for the next LOST there is no connection. */
static bool share_reserve_lost(struct valkey_share *share)
{
    if (share->lost == NULL) {
        share->lost = invig_valkeylink_command(VALKEY_LOST, invig_text_of(""));
    }
    return share->lost != NULL;
}

/* What time asks for. */
static void share_attend(struct valkey_share *share)
{
    if (share->phase == VALKEY_CLOSED) {
        if (share->now_ms >= share->retry_ms && share->news == NULL && share_reserve_lost(share)) {
            share_connect(share);
        }
    } else if (share->phase > VALKEY_GREETING && share->now_ms >= share->beat_ms) {
        if (share->is_ready) {
            share->pause_ms = PAUSE_MS_MIN; /* it has held for a while */
        }
        invig_valkeycommand_beat(share);
    }
}

/* All that was there has been read: what is not there is late, or will not come. */
static void share_judge(struct valkey_share *share)
{
    const struct valkey_command *oldest = share->link.first;
    int64_t since_ms;

    share->looked_ms = share->now_ms;
    if (oldest == NULL || oldest->sent_ms < 0) {
        return;
    }
    if (share->now_ms - oldest->sent_ms > share->timeout_ms) {
        share->is_late = true;
    }
    since_ms = oldest->sent_ms > share->answered_ms ? oldest->sent_ms : share->answered_ms;
    if (share->now_ms - since_ms >= SILENCE_MS) {
        invig_valkeylink_fail(&share->link, "no answer for 5 s", "");
    }
}

/* ---- What the engine calls ---- */

/* Reads until there is news, or no more to read, or enough was read. */
static bool share_read(struct valkey_share *share, struct invig_news *out_news)
{
    for (int i = 0; i < PIECES_MAX; i++) {
        if (invig_valkeynews_take(share, out_news)) {
            return true;
        }
        invig_valkeycommand_step(share);
        invig_valkeylink_stamp(&share->link, share->now_ms);
        if (!invig_valkeylink_exchange(&share->link)) {
            if (share->news == NULL) {
                share_judge(share);
            }
            break;
        }
    }
    if (share->phase != VALKEY_CLOSED && share->link.fault[0] != '\0') {
        share_drop(share);
    }
    return invig_valkeynews_take(share, out_news);
}

static bool share_next(void *context, int64_t steady_ms, struct invig_news *out_news)
{
    struct valkey_share *share = context;

    share->now_ms = steady_ms;
    invig_valkeylink_stamp(&share->link, steady_ms); /* what was sent since the last call */
    share_attend(share);
    return share_read(share, out_news);
}

static bool share_offer(void *context, struct invig_text user, uint64_t revision,
                        struct invig_text text)
{
    return invig_valkeycommand_offer(context, user, revision, text);
}

static bool share_keep(void *context, struct invig_text evaluation, struct invig_text user,
                       struct invig_text text)
{
    return invig_valkeycommand_keep(context, evaluation, user, text);
}

static void share_watch(void *context, struct invig_text name)
{
    invig_valkeynews_learn(context, name);
}

static bool share_is_available(const void *context)
{
    const struct valkey_share *share = context;

    return share->phase == VALKEY_LIVE && share->is_ready && !share->is_late &&
           share->link.fault[0] == '\0' && share->link.async != NULL;
}

static void share_close(void *context)
{
    struct valkey_share *share = context;

    invig_valkeycommand_leave(share);
    invig_valkeylink_close(&share->link);
    invig_valkeynews_clear(share);
    invig_valkeylink_command_free(share->lost);
    invig_valkeytls_free(share->tls);
    invig_valkeylogin_deinit(&share->login);
    free(share);
}

/* ---- Opening ---- */

static bool share_make_name(struct valkey_share *share)
{
    unsigned char bytes[NAME_RANDOM_BYTES];
    ssize_t count;

    do {
        count = getrandom(bytes, sizeof bytes, 0);
    } while (count < 0 && errno == EINTR);
    if (count != (ssize_t)sizeof bytes) {
        return false;
    }
    for (size_t i = 0; i < sizeof bytes; i++) {
        snprintf(share->name + 2 * i, 3, "%02x", bytes[i]);
    }
    return true;
}

static enum invig_status share_open_tls(struct valkey_share *share, const char *ca_file,
                                        char error[INVIG_POLICY_ERROR_BYTES])
{
    if (share->url.is_tls) {
        return invig_valkeytls_new(ca_file, &share->tls, error);
    }
    if (ca_file != NULL) {
        snprintf(error, INVIG_POLICY_ERROR_BYTES,
                 "plugin_opt_state_ca_file: found it with a plugin_opt_state_url without TLS, "
                 "expected valkeys:// or rediss:// there");
        return INVIG_ERR_INVALID;
    }
    return INVIG_OK;
}

static enum invig_status share_open(struct valkey_share *share,
                                    const struct invig_valkey_options *options,
                                    char error[INVIG_POLICY_ERROR_BYTES])
{
    enum invig_status status = invig_valkeyurl_parse(options->url, &share->url, error);

    if (status == INVIG_OK) {
        status = share_open_tls(share, options->ca_file, error);
    }
    if (status == INVIG_OK) {
        status = invig_valkeylogin_read(options->auth_file, &share->login, error);
    }
    if (status == INVIG_OK) {
        status = invig_valkeyurl_resolve(&share->url, &share->addresses, error);
    }
    if (status == INVIG_OK && !share_make_name(share)) {
        snprintf(error, INVIG_POLICY_ERROR_BYTES,
                 "plugin_opt_state_url: no random numbers for the broker's name");
        status = INVIG_ERR_IO;
    }
    return status;
}

enum invig_status invig_valkey_open(const struct invig_valkey_options *options,
                                    struct invig_share *out_share,
                                    char error[INVIG_POLICY_ERROR_BYTES])
{
    struct valkey_share *share = calloc(1, sizeof *share);

    if (share == NULL) {
        snprintf(error, INVIG_POLICY_ERROR_BYTES, "plugin_opt_state_url: out of memory");
        return INVIG_ERR_NO_MEMORY;
    }
    share->log = options->log;
    share->timeout_ms = options->timeout_ms;
    share->pause_ms = PAUSE_MS_MIN;
    share->retry_ms = INT64_MIN; /* at the first call */
    share->scan_count = VALKEY_SCAN_COUNT;
    share->link.context = share;
    share->link.answer = invig_valkeyanswer_take;
    enum invig_status status = share_open(share, options, error);
    if (status != INVIG_OK) {
        share_close(share);
        return status;
    }
    *out_share = (struct invig_share){.context = share,
                                      .name = invig_text_of(share->name),
                                      .offer = share_offer,
                                      .keep = share_keep,
                                      .watch = share_watch,
                                      .next = share_next,
                                      .is_available = share_is_available,
                                      .close = share_close};
    return INVIG_OK;
}
