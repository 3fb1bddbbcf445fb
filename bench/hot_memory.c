/* SPDX-License-Identifier: Apache-2.0
 *
 * hot_memory.c - see hot_memory.h. All users are in the evaluation e0, so that it is not counted.
 */
#include "hot_memory.h"

#include "hot_heap.h"
#include "hot_world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { TICK_EVERY = 64 };

void hot_memory_users(size_t user_count, bool is_strict)
{
    /* The first has libraries make what they keep. */
    hot_world_log_in(0, 1);
    int64_t before = hot_heap_bytes();
    hot_world_log_in(1, user_count + 1);
    int64_t after = hot_heap_bytes();

    printf("{\"memory\":\"user\",\"strict\":%s,\"users\":%zu,\"bytes\":%.1f}\n",
           is_strict ? "true" : "false", user_count, (double)(after - before) / (double)user_count);
}

static void log_in_again(size_t user, unsigned login, bool is_new_session)
{
    char *token = hot_world_token(user, is_new_session ? login : 0, INVIG_ALGORITHM_HS256);
    struct mosquitto *client = hot_world_second(user, login);

    hot_must(hot_broker_connect(client, token) == MOSQ_ERR_SUCCESS, "a login");
    hot_broker_disconnect(client);
    free(token);
    hot_broker_settle();
}

static bool is_to_be_said(size_t logins, size_t user_count, size_t last)
{
    return logins == user_count || logins == last || logins == last / 2 || logins == last / 10;
}

void hot_memory_logins(size_t user_count, size_t logins, bool is_new_session)
{
    int64_t before = hot_heap_bytes();
    int64_t first = before;

    for (size_t i = 1; i <= logins; i++) {
        log_in_again((i - 1) % user_count, (unsigned)((i - 1) / user_count), is_new_session);
        if (!is_to_be_said(i, user_count, logins)) {
            continue;
        }
        int64_t now = hot_heap_bytes();
        first = i == user_count ? now : first;
        printf("{\"memory\":\"logins\",\"newSession\":%s,\"users\":%zu,\"logins\":%zu,"
               "\"heap\":%" PRId64 ",\"bytesPerLoginMore\":%.1f}\n",
               is_new_session ? "true" : "false", user_count, i, now - before,
               i == user_count ? 0.0 : (double)(now - first) / (double)(i - user_count));
        (void)fflush(stdout);
    }
}
