/* SPDX-License-Identifier: Apache-2.0
 *
 * play.h - random events for a pair of engine and reference model, each into both. Failures are
 * cmocka's.
 */
#ifndef INVIGILATOR_TEST_PLAY_H
#define INVIGILATOR_TEST_PLAY_H

#include "compare.h"

/* Something happens; then both sides must agree. */
void play_event(struct pair *pair);

/* Mostly a session that may come in, or nothing would happen. */
int play_choose_session(struct pair *pair, int user);

void play_connect(struct pair *pair);
void play_disconnect(struct pair *pair);
void play_tick(struct pair *pair);

/* Messages: of a user, of all in an evaluation, empty ones. */
void play_say(struct pair *pair);
void play_say_all(struct pair *pair);
void play_forget_user(struct pair *pair);
void play_forget(struct pair *pair);

/* Commands. */
void play_revoke(struct pair *pair);
void play_revoke_user(struct pair *pair);
void play_unblock(struct pair *pair);

#endif
