/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What runs inside Redis. Numbers stay exact: Lua's doubles hold milliseconds since the epoch, and
 * Redis writes whole doubles as integers. Thread: static text. */

/* The scripts of decisions: ARGV[1] is now_ms, or "" for Redis's clock. They answer four integers,
 * the last of which is now. */
#define REDIS_SCRIPT_NOW                                                                           \
    "local now = tonumber(ARGV[1])\n"                                                              \
    "if not now then\n"                                                                            \
    "  local t = redis.call('TIME')\n"                                                             \
    "  now = t[1] * 1000 + math.floor(t[2] / 1000)\n"                                              \
    "end\n"

/* KEYS: counter. ARGV: now, limit, window_ms, cost, cleaning margin in ms. Answers {granted, count,
 * reset, now}. window_take is the same in C. The expiry is relative, so that a virtual clock, or
 * one that steps, cannot delete a live counter. */
#define REDIS_SCRIPT_TAKE                                                                          \
    REDIS_SCRIPT_NOW                                                                               \
    "local window = tonumber(ARGV[3])\n"                                                           \
    "local state = redis.call('HMGET', KEYS[1], 'c', 'r')\n"                                       \
    "local c, r = tonumber(state[1]), tonumber(state[2])\n"                                        \
    "local opens = not c or not r or r <= now\n"                                                   \
    "if opens then c, r = 0, now + window end\n"                                                   \
    "local granted = math.min(tonumber(ARGV[4]), tonumber(ARGV[2]) - c)\n"                         \
    "if granted <= 0 then return {0, c, r, now} end\n"                                             \
    "redis.call('HSET', KEYS[1], 'c', c + granted, 'r', r)\n"                                      \
    "if opens then redis.call('PEXPIRE', KEYS[1], window + tonumber(ARGV[5])) end\n"               \
    "return {granted, c + granted, r, now}\n"

/* A value of Workers KV: the hash holds `v`, its versions (each {place, visible, count, reset,
 * opened}, oldest first), what limits writes (`s` and `n`: the second and its writes, `b`: when the
 * bucket is full), and the newest value as c and r, for lists. kv_key.c is the same in C. */
#define REDIS_SCRIPT_KV_VERSIONS                                                                   \
    "local function unpacked(packed)\n"                                                            \
    "  local good, list = pcall(cmsgpack.unpack, packed)\n"                                        \
    "  return good and type(list) == 'table' and list or {}\n"                                     \
    "end\n"

/* KEYS: value. ARGV: now, place. Answers {found, count, reset, now}. */
#define REDIS_SCRIPT_KV_READ                                                                       \
    REDIS_SCRIPT_NOW REDIS_SCRIPT_KV_VERSIONS                                                      \
        "local v = unpacked(redis.call('HGET', KEYS[1], 'v'))\n"                                   \
        "for i = #v, 1, -1 do\n"                                                                   \
        "  if v[i][1] == ARGV[2] or v[i][2] <= now then return {1, v[i][3], v[i][4], now} end\n"   \
        "end\n"                                                                                    \
        "return {0, 0, 0, now}\n"

/* KEYS: value. ARGV: now, place, write limit, rate, delay, count, reset, expiry in ms, span that
 * shares a version, most versions, microseconds of burst. Answers {taken, 0, next, now}. */
#define REDIS_SCRIPT_KV_WRITE                                                                      \
    REDIS_SCRIPT_NOW REDIS_SCRIPT_KV_VERSIONS                                                      \
        "local n = {}\n"                                                                           \
        "for i = 2, #ARGV do n[i] = tonumber(ARGV[i]) end\n"                                       \
        "local state = redis.call('HMGET', KEYS[1], 'v', 's', 'n', 'b')\n"                         \
        "if n[3] == 0 then\n"                                                                      \
        "  local reset, writes = tonumber(state[2]) or 0, tonumber(state[3]) or 0\n"               \
        "  if reset <= now then reset, writes = now + 1000, 0 end\n"                               \
        "  if writes >= n[4] then return {0, 0, reset, now} end\n"                                 \
        "  redis.call('HSET', KEYS[1], 's', reset, 'n', writes + 1)\n"                             \
        "elseif n[3] == 1 then\n"                                                                  \
        "  local full = math.max(tonumber(state[4]) or 0, now * 1000) + math.floor(1000000 / "     \
        "n[4])\n"                                                                                  \
        "  if full > now * 1000 + n[11] then\n"                                                    \
        "    return {0, 0, math.ceil((full - n[11]) / 1000), now}\n"                               \
        "  end\n"                                                                                  \
        "  redis.call('HSET', KEYS[1], 'b', full)\n"                                               \
        "end\n"                                                                                    \
        "local old, v = unpacked(state[1]), {}\n"                                                  \
        "local first = #old\n"                                                                     \
        "while first > 1 and old[first][2] > now do first = first - 1 end\n"                       \
        "for i = first, #old do v[#v + 1] = old[i] end\n"                                          \
        "local last = v[#v]\n"                                                                     \
        "local opened = now\n"                                                                     \
        "if last and ((now >= last[5] and now - last[5] < n[9]) or #v >= n[10]) then\n"            \
        "  opened = last[5]\n"                                                                     \
        "  v[#v] = nil\n"                                                                          \
        "end\n"                                                                                    \
        "v[#v + 1] = {ARGV[2], now + n[5], n[6], n[7], opened}\n"                                  \
        "redis.call('HSET', KEYS[1], 'v', cmsgpack.pack(v), 'c', n[6], 'r', n[7])\n"               \
        "redis.call('PEXPIRE', KEYS[1], n[8])\n"                                                   \
        "return {1, 0, now, now}\n"

/* KEYS: counter. ARGV: now. What it holds, for lists, changed by nobody's looking: {found, count,
 * reset, now}. */
#define REDIS_SCRIPT_PEEK                                                                          \
    REDIS_SCRIPT_NOW "local state = redis.call('HMGET', KEYS[1], 'c', 'r')\n"                      \
                     "local c, r = tonumber(state[1]), tonumber(state[2])\n"                       \
                     "if not c or not r then return {0, 0, 0, now} end\n"                          \
                     "return {1, math.min(c, 4294967295), r, now}\n"

/* Channels are not divided by database: its number follows. */
#define REDIS_RESET_CHANNEL "nearedge:reset:"

/* KEYS: counter. ARGV: now, database. Answers {removed, 0, 0, now}. Told even when nothing was
 * there: a process may remember a refusal for a counter that has expired here. */
#define REDIS_SCRIPT_RESET                                                                         \
    REDIS_SCRIPT_NOW "local removed = redis.call('DEL', KEYS[1])\n"                                \
                     "redis.call('PUBLISH', '" REDIS_RESET_CHANNEL "' .. ARGV[2], KEYS[1])\n"      \
                     "return {removed, 0, 0, now}\n"
