/* SPDX-License-Identifier: Apache-2.0
 *
 * wrap_hiredis.c - a client of Valkey that fails.
 */
#include "fault.h"

#include <hiredis/async.h>
#include <hiredis/hiredis.h>

FAULT_WRAP(redisAsyncContext *, redisAsyncConnect, NULL, (const char *address, int port),
           (address, port))
FAULT_WRAP(int, redisAsyncCommandArgv, REDIS_ERR,
           (redisAsyncContext * async, redisCallbackFn *answer, void *context, int count,
            const char **words, const size_t *lengths),
           (async, answer, context, count, words, lengths))
