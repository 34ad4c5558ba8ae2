/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What runs inside Redis. Numbers stay exact: Lua's doubles hold milliseconds since the epoch, and
 * Redis writes whole doubles as integers. */

/* KEYS: counter. ARGV: limit, window_ms, cost, now_ms or "" (Redis's clock), cleaning margin in ms.
 * Answers {granted, count, reset, now}. window_take is the same in C. The expiry is relative, so
 * that a virtual clock, or one that steps, cannot delete a live counter. */
#define REDIS_SCRIPT_TAKE                                                                          \
    "local now = tonumber(ARGV[4])\n"                                                              \
    "if not now then\n"                                                                            \
    "  local t = redis.call('TIME')\n"                                                             \
    "  now = t[1] * 1000 + math.floor(t[2] / 1000)\n"                                              \
    "end\n"                                                                                        \
    "local window = tonumber(ARGV[2])\n"                                                           \
    "local state = redis.call('HMGET', KEYS[1], 'c', 'r')\n"                                       \
    "local c, r = tonumber(state[1]), tonumber(state[2])\n"                                        \
    "local opens = not c or not r or r <= now\n"                                                   \
    "if opens then c, r = 0, now + window end\n"                                                   \
    "local granted = math.min(tonumber(ARGV[3]), tonumber(ARGV[1]) - c)\n"                         \
    "if granted <= 0 then return {0, c, r, now} end\n"                                             \
    "redis.call('HSET', KEYS[1], 'c', c + granted, 'r', r)\n"                                      \
    "if opens then redis.call('PEXPIRE', KEYS[1], window + tonumber(ARGV[5])) end\n"               \
    "return {granted, c + granted, r, now}\n"

/* ARGV: cursor, pattern. Answers {cursor, {key, count, reset, ...}}. Keys of another type are none
 * of ours. */
#define REDIS_SCRIPT_SCAN                                                                          \
    "local page = redis.call('SCAN', ARGV[1], 'MATCH', ARGV[2], 'COUNT', 1000, 'TYPE', 'hash')\n"  \
    "local out = {}\n"                                                                             \
    "for _, key in ipairs(page[2]) do\n"                                                           \
    "  local state = redis.call('HMGET', key, 'c', 'r')\n"                                         \
    "  local c, r = tonumber(state[1]), tonumber(state[2])\n"                                      \
    "  if c and r then\n"                                                                          \
    "    out[#out + 1], out[#out + 2], out[#out + 3] = key, c, r\n"                                \
    "  end\n"                                                                                      \
    "end\n"                                                                                        \
    "return {page[1], out}\n"

/* ARGV: key, channel. Answers {"0", removed}. Told even when nothing was there: a process may
 * remember a refusal for a counter that has expired here. */
#define REDIS_SCRIPT_RESET                                                                         \
    "local removed = redis.call('DEL', ARGV[1])\n"                                                 \
    "redis.call('PUBLISH', ARGV[2], ARGV[1])\n"                                                    \
    "return {'0', removed}\n"

/* ARGV: pattern, channel, cursor. Answers {cursor, removed}. */
#define REDIS_SCRIPT_RESET_PAGE                                                                    \
    "local page = redis.call('SCAN', ARGV[3], 'MATCH', ARGV[1], 'COUNT', 1000, 'TYPE', 'hash')\n"  \
    "local removed = 0\n"                                                                          \
    "for _, key in ipairs(page[2]) do\n"                                                           \
    "  removed = removed + redis.call('DEL', key)\n"                                               \
    "  redis.call('PUBLISH', ARGV[2], key)\n"                                                      \
    "end\n"                                                                                        \
    "return {page[1], removed}\n"
