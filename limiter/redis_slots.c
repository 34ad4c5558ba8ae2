/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter/redis_slots.h"

#include "limiter/crc16.h"

unsigned redis_slot_of(struct gw_str key)
{
    size_t open = gw_str_chr(key, '{');
    struct gw_str behind = open == GW_NPOS ? GW_STR_EMPTY : gw_str_from(key, open + 1);
    size_t close = gw_str_chr(behind, '}');
    bool tagged = close != GW_NPOS && close > 0;
    return crc16(tagged ? gw_str_first(behind, close) : key) % REDIS_SLOTS;
}

/* ---- tags ---- */

/* Where the logical key begins: behind the second ':' (names and edges hold none). */
static size_t logical_at(struct gw_str key)
{
    size_t first = gw_str_chr(key, ':');
    if (first == GW_NPOS)
        return GW_NPOS;
    size_t second = gw_str_chr(gw_str_from(key, first + 1), ':');
    return second == GW_NPOS ? GW_NPOS : first + second + 2;
}

static struct gw_str copy(struct gw_str key, char *out)
{
    if (key.len)
        memcpy(out, key.ptr, key.len);
    return gw_str(out, key.len);
}

struct gw_str redis_tag(struct gw_str key, char *out)
{
    size_t at = logical_at(key);
    if (at == GW_NPOS)
        return copy(key, out);
    memcpy(out, key.ptr, at);
    out[at] = '{';
    memcpy(out + at + 1, key.ptr + at, key.len - at);
    out[key.len + 1] = '}';
    return gw_str(out, key.len + 2);
}

struct gw_str redis_untag(struct gw_str key, char *out)
{
    size_t at = logical_at(key);
    if (at == GW_NPOS || key.len < at + 2 || key.ptr[at] != '{' || key.ptr[key.len - 1] != '}')
        return copy(key, out);
    memcpy(out, key.ptr, at);
    memcpy(out + at, key.ptr + at + 1, key.len - at - 2);
    return gw_str(out, key.len - 2);
}

/* ---- the map ---- */

void redis_slots_clear(struct redis_slots *slots)
{
    memset(slots->owner, REDIS_NO_NODE, sizeof(slots->owner));
}

bool redis_slots_give(struct redis_slots *slots, uint64_t first, uint64_t last, uint8_t node)
{
    if (first > last || last >= REDIS_SLOTS)
        return false;
    memset(slots->owner + first, node, last - first + 1);
    return true;
}

bool redis_slots_has(const struct redis_slots *slots, uint8_t node)
{
    return memchr(slots->owner, node, sizeof(slots->owner)) != NULL;
}

void redis_slots_take(struct redis_slots *slots, uint8_t node)
{
    for (size_t i = 0; i < REDIS_SLOTS; i++)
        if (slots->owner[i] == node)
            slots->owner[i] = REDIS_NO_NODE;
}

/* ---- redirections ---- */

bool redis_redirect_read(struct gw_str error, struct redis_redirect *out)
{
    struct gw_str rest = error, kind, slot;
    uint64_t number, port;
    bool known = gw_str_next(&rest, ' ', &kind) &&
                 (gw_str_eq(kind, GW_STR("MOVED")) || gw_str_eq(kind, GW_STR("ASK")));
    if (!known || !gw_str_next(&rest, ' ', &slot) || !gw_str_u64(slot, REDIS_SLOTS - 1, &number))
        return false;
    /* The last colon divides: IPv6 addresses stand there without brackets. */
    size_t colon = gw_str_rchr(rest, ':');
    if (colon == GW_NPOS || !gw_str_u64(gw_str_from(rest, colon + 1), UINT16_MAX, &port) || !port)
        return false;
    *out = (struct redis_redirect){.ask = kind.len == 3,
                                   .slot = (unsigned)number,
                                   .host = gw_str_first(rest, colon),
                                   .port = (uint16_t)port};
    return true;
}
