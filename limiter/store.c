/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter/store.h"

#include "gateway/base/buf.h"

/* Cut rather than written past the end; what comes from files was bounded when it was read. */
static char *add(char *at, struct gw_str s, size_t max)
{
    size_t len = gw_min_size(s.len, max);
    if (len)
        memcpy(at, s.ptr, len);
    return at + len;
}

struct gw_str storage_key_of(struct gw_str name, const struct limiter_place *place,
                             struct gw_str key, char out[STORAGE_KEY_MAX])
{
    char *at = add(out, GW_STR("rl:"), 3);
    at = add(at, name, STORAGE_NAME_MAX);
    if (place) {
        *at++ = '@';
        at = add(at, place->edge, STORAGE_EDGE_MAX);
        *at++ = '.';
        at += gw_u64_digits(at, place->isolate);
    }
    *at++ = ':';
    at = add(at, key, LIMITER_KEY_MAX);
    return gw_str(out, (size_t)(at - out));
}

struct gw_str storage_key(const struct limiter_ask *ask, char out[STORAGE_KEY_MAX])
{
    const struct limiter *limiter = ask->limiter;
    const struct limiter_place edge = {ask->place.edge, 0};
    const struct limiter_place *place = limiter->store == LIMITER_MEMORY    ? &ask->place
                                        : limiter->store == LIMITER_BINDING ? &edge
                                                                            : NULL;
    return storage_key_of(limiter->name, place, ask->key, out);
}

struct gw_str load_key(const struct limiter_ask *ask, char out[STORAGE_KEY_MAX])
{
    struct gw_str key = storage_key_of(ask->limiter->name, NULL, ask->key, out);
    memcpy(out, "do", 2); /* over the "rl" */
    return key;
}

/* "~" is in no limiter's name (policy_load.c): what a store would have said never mixes with what
 * the limiter has counted. */
struct gw_str shadow_name(struct gw_str name, enum limiter_store store, char out[STORAGE_NAME_MAX])
{
    char *at = add(out, name, LIMITER_NAME_MAX);
    *at++ = '~';
    *at++ = limiter_store_name(store)[0];
    return gw_str(out, (size_t)(at - out));
}

bool storage_key_split(struct gw_str storage, struct gw_str name, struct limiter_place *place,
                       struct gw_str *key)
{
    if (!gw_str_starts(storage, GW_STR("rl:")))
        return false;
    struct gw_str rest = gw_str_from(storage, 3);
    /* "api" is how "api2" begins: what follows the name must be a place or the key. */
    if (!gw_str_starts(rest, name) || rest.len == name.len)
        return false;
    rest = gw_str_from(rest, name.len);
    struct limiter_place found = {0};
    if (rest.ptr[0] == '@') {
        size_t colon = gw_str_chr(rest, ':');
        struct gw_str where = gw_str_from(gw_str_first(rest, gw_min_size(colon, rest.len)), 1);
        size_t dot = gw_str_rchr(where, '.');
        uint64_t isolate;
        if (colon == GW_NPOS || dot == GW_NPOS ||
            !gw_str_u64(gw_str_from(where, dot + 1), UINT32_MAX, &isolate))
            return false;
        found = (struct limiter_place){gw_str_first(where, dot), (uint32_t)isolate};
        rest = gw_str_from(rest, colon);
    }
    if (rest.ptr[0] != ':')
        return false;
    *place = found;
    *key = gw_str_from(rest, 1);
    return true;
}
