/* SPDX-License-Identifier: Apache-2.0
 *
 * sighup.c - see sighup.h.
 */
#include "sighup.h"

#include "log.h"
#include "newer.h"

#include <pthread.h>
#include <signal.h>

enum { LOOK_EVERY_MS = 100, WARN_AFTER_LOOKS = 100 }; /* some ten seconds on an idle broker */

static sigset_t sighup_set(void)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGHUP);
    return set;
}

void invig_sighup_hold(struct invig_sighup *sighup)
{
    const sigset_t set = sighup_set();
    sigset_t before;

    /* 2.1 does not crash. */
    *sighup = (struct invig_sighup){0};
    (void)sigemptyset(&before);
    sighup->is_held = !invig_newer_is_broker() && pthread_sigmask(SIG_BLOCK, &set, &before) == 0 &&
                      sigismember(&before, SIGHUP) == 0;
}

static bool sighup_is_waiting(void)
{
    sigset_t pending;

    return sigpending(&pending) == 0 && sigismember(&pending, SIGHUP) == 1;
}

bool invig_sighup_pass(struct invig_sighup *sighup, int64_t now_ms, bool is_leaving)
{
    const sigset_t set = sighup_set();

    if (!sighup->is_held || now_ms < sighup->look_ms) {
        return false;
    }
    if (!sighup_is_waiting()) {
        sighup->look_ms = now_ms + LOOK_EVERY_MS;
        return false;
    }
    if (is_leaving) {
        if (++sighup->waited_looks == WARN_AFTER_LOOKS) {
            invig_log_text(NULL, INVIG_LOG_WARNING,
                           "a reload waits for a client that was disconnected and does not close");
        }
        return true;
    }
    sighup->waited_looks = 0;
    /* The broker's handler runs in between, and the broker reloads in its next turn. */
    (void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    return true;
}

void invig_sighup_release(struct invig_sighup *sighup)
{
    const sigset_t set = sighup_set();

    if (sighup->is_held) {
        (void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
        sighup->is_held = false;
    }
}
