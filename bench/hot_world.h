/* SPDX-License-Identifier: Apache-2.0
 *
 * hot_world.h - students for bench_hot: the plugin with keys of all three kinds, a backend, and
 * logins with real tokens. All that it keeps is made at the start.
 */
#ifndef INVIGILATOR_BENCH_HOT_WORLD_H
#define INVIGILATOR_BENCH_HOT_WORLD_H

#include "hot_broker.h"

#include "invigilator/algorithm.h"

#include <stddef.h>

/* One evaluation for so many users: more of them are harder than one for all, since the evaluation
 * too is then a different one from call to call. */
enum { HOT_USERS_EACH = 100 };

/* Starts the plugin; there is room for so many users, each with a second connection for a while. */
void hot_world_start(size_t user_count);
void hot_world_stop(void);

/* How many evaluations the users of it have; one more has none of them in it. */
size_t hot_world_evaluations(size_t user_count);

/* The backend says that the evaluations up to `count` are in progress, which is strict. */
void hot_world_begin(size_t count);

/* A token of `user` in the session number `login` (0, 1, ...), each with a later login time. The
 * caller frees it. */
char *hot_world_token(size_t user, unsigned login, enum invig_algorithm algorithm);

/* The client that `user` has; with `second` one more, under the client id number `login`. */
struct mosquitto *hot_world_client(size_t user);
struct mosquitto *hot_world_second(size_t user, unsigned login);

/* Each user logs in, and what follows is done. */
void hot_world_log_in(size_t first, size_t end);

/* Numbers below `count` in random order, for the caller to free. */
unsigned *hot_world_shuffle(size_t count);

#endif
