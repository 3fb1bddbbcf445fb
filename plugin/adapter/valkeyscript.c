/* SPDX-License-Identifier: Apache-2.0
 *
 * valkeyscript.c - the scripts that run in the server, each as one step that nothing comes between.
 *
 * What is in a hash and was not put there by the first script (no revision, too long a text) counts
 * as nothing, and is overwritten by the next offer: one bad field shall not stop all brokers.
 */
#include "valkey_private.h"

#define STREAM_MAX "'MAXLEN', '~', '100000', '*'"

static const char *const script_texts[VALKEY_SCRIPTS] = {
    /* KEYS: users, news. ARGV: user, the revision that is to be there, text, name, connection.
     * A text that is empty stays in the hash with its revision, so that none comes again. */
    "local old = redis.call('HGET', KEYS[1], ARGV[1])\n"
    "local revision, text = '0', ''\n"
    "if old then\n"
    "  local digits = string.match(old, '^([1-9]%d*) ')\n"
    "  if digits and #digits <= 16 and tonumber(digits) < 9e15 and #old - #digits - 1 <= 262144\n"
    "  then\n"
    "    revision, text = digits, string.sub(old, #digits + 2)\n"
    "  end\n"
    "end\n"
    "if revision ~= ARGV[2] then return {0, revision, text} end\n"
    "local time = redis.call('TIME')\n"
    "local now = tonumber(time[1]) * 1000000 + tonumber(time[2])\n"
    "local new = string.format('%.0f', math.max(tonumber(revision) + 1, now))\n"
    "redis.call('HSET', KEYS[1], ARGV[1], new .. ' ' .. ARGV[3])\n"
    "redis.call('XADD', KEYS[2], " STREAM_MAX ", 'from', ARGV[4], 'link', ARGV[5],\n"
    "  'user', ARGV[1], 'revision', new, 'text', ARGV[3])\n"
    "return {1, new, ''}\n",

    /* KEYS: topics, news. ARGV: topic, text (empty: none), name, connection. */
    "if ARGV[2] == '' then redis.call('HDEL', KEYS[1], ARGV[1])\n"
    "else redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) end\n"
    "redis.call('XADD', KEYS[2], " STREAM_MAX ", 'from', ARGV[3], 'link', ARGV[4],\n"
    "  'topic', ARGV[1], 'text', ARGV[2])\n"
    "return 1\n",

    /* KEYS: news. ARGV: id of the entry that was read last, count, name, connection. Gives nothing
     * where that entry is not there any more: others behind it may be missing too, or the stream is
     * another one. Else the id that was read last now, whether there may be more, and the entries
     * but for those of this connection. */
    "local found = redis.call('XRANGE', KEYS[1], ARGV[1], '+', 'COUNT', ARGV[2])\n"
    "if not found[1] or found[1][1] ~= ARGV[1] then return false end\n"
    "local news = {found[#found][1], #found == tonumber(ARGV[2]) and 1 or 0}\n"
    "for i = 2, #found do\n"
    "  local entry = found[i][2]\n"
    "  if entry[2] ~= ARGV[3] or entry[4] ~= ARGV[4] then news[#news + 1] = entry end\n"
    "end\n"
    "return news\n",
};

_Static_assert(INVIG_SHARE_TEXT_BYTES_MAX == 262144, "the first script has the number");

const char *invig_valkeyscript(size_t index)
{
    return index < VALKEY_SCRIPTS ? script_texts[index] : NULL;
}
