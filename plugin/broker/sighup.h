/* SPDX-License-Identifier: Apache-2.0
 *
 * sighup.h - keeps SIGHUP away from disconnects that are under way.
 *
 * On SIGHUP Mosquitto makes its list of keepalives anew from the sockets that it knows. A WebSocket
 * client that is being disconnected has none any more, but still points into the old list, and is
 * taken out of it when it closes: Mosquitto up to 2.0.21 crashes then. So the signal stays blocked
 * in the broker's thread, and is let through in a tick in which nobody is leaving.
 */
#ifndef INVIGILATOR_BROKER_SIGHUP_H
#define INVIGILATOR_BROKER_SIGHUP_H

#include <stdbool.h>
#include <stdint.h>

struct invig_sighup {
    bool is_held;     /* it was not blocked before */
    int64_t look_ms;  /* steady time from which it is looked again whether one waits */
    int waited_looks; /* how often one was found waiting */
};

/* Blocks the signal, where the broker is one that crashes. */
void invig_sighup_hold(struct invig_sighup *sighup);

/* To be called in each tick at steady time `now_ms`, before anybody is disconnected. Returns
 * whether a signal is waiting or was let through: nobody may be disconnected in this tick then.
 * `is_leaving`: somebody was disconnected and is not gone yet. Looking takes a system call, which
 * is most of a tick with nothing to do, so it looks ten times a second; while one waits, in each
 * tick. */
bool invig_sighup_pass(struct invig_sighup *sighup, int64_t now_ms, bool is_leaving);

/* Gives the signal back to the broker. */
void invig_sighup_release(struct invig_sighup *sighup);

#endif
