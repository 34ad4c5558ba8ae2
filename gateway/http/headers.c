/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/headers.h"

#include "gateway/http/bytes.h"

_Static_assert(HEADER_COUNT <= 128, "headers.present has a bit for every id");

#define X(id, name) [HEADER_##id] = {name, sizeof(name) - 1},
static const struct gw_str names[HEADER_COUNT] = {HEADER_NAMES(X)};
#undef X

#define NAME_LEN_MAX 28
/* The first name of each length; the list goes on until the length changes. */
static const uint8_t first_of_len[NAME_LEN_MAX + 1] = {
    [2] = HEADER_TE,
    [3] = HEADER_AGE,
    [4] = HEADER_HOST,
    [5] = HEADER_ALLOW,
    [6] = HEADER_COOKIE,
    [7] = HEADER_REFERER,
    [8] = HEADER_LOCATION,
    [9] = HEADER_CACHE_TAG,
    [10] = HEADER_USER_AGENT,
    [11] = HEADER_CONTENT_MD5,
    [12] = HEADER_CONTENT_TYPE,
    [13] = HEADER_CACHE_CONTROL,
    [14] = HEADER_CONTENT_LENGTH,
    [15] = HEADER_ACCEPT_ENCODING,
    [16] = HEADER_CONTENT_ENCODING,
    [17] = HEADER_TRANSFER_ENCODING,
    [18] = HEADER_CF_CONNECTING_IPV6,
    [19] = HEADER_IF_UNMODIFIED_SINCE,
    [20] = HEADER_SEC_WEBSOCKET_ACCEPT,
    [21] = HEADER_SEC_WEBSOCKET_VERSION,
    [22] = HEADER_SEC_WEBSOCKET_PROTOCOL,
    [24] = HEADER_SEC_WEBSOCKET_EXTENSIONS,
    [28] = HEADER_CLOUDFLARE_CDN_CACHE_CONTROL,
};

/* One length has at most a dozen names and the usual one comes first, so that this needs neither a
 * hash of the name nor a generated table.
 *
 * Bits in which two letters may differ: where `name` has a letter (bit 0x40), bit 0x20. So "-" and
 * digits match only themselves, and CR is not "-" with a bit missing. */
static inline uint64_t fold_mask(uint64_t name)
{
    return ~((name >> 1) & BYTES_ALL(0x20));
}

static inline bool same_word(const char *a, const char *name)
{
    uint64_t word = bytes_load(name);
    return ((bytes_load(a) ^ word) & fold_mask(word)) == 0;
}

static inline bool same_half(const char *a, const char *name)
{
    uint32_t left, right;
    memcpy(&left, a, sizeof(left));
    memcpy(&right, name, sizeof(right));
    return ((left ^ right) & (uint32_t)fold_mask(right)) == 0;
}

/* Equal lengths; `name` holds letters, digits and "-" only. Names of one length differ most often
 * near the end (X-Forwarded-..., CF-...), so that is where the comparison begins; pieces overlap.
 */
static inline bool same_name(const char *a, const char *name, size_t len)
{
    if (len >= 8) {
        if (!same_word(a + len - 8, name + len - 8))
            return false;
        for (size_t i = 0; i + 8 < len; i += 8)
            if (!same_word(a + i, name + i))
                return false;
        return true;
    }
    if (len >= 4)
        return same_half(a + len - 4, name + len - 4) && same_half(a, name);
    for (size_t i = 0; i < len; i++)
        if ((uint8_t)(a[i] ^ name[i]) & (uint8_t)fold_mask((uint8_t)name[i]))
            return false;
    return true;
}

enum header_id header_id_of(struct gw_str name)
{
    if (name.len > NAME_LEN_MAX || !first_of_len[name.len])
        return HEADER_OTHER;
    for (enum header_id id = first_of_len[name.len]; id < HEADER_COUNT && names[id].len == name.len;
         id++)
        if (same_name(name.ptr, names[id].ptr, name.len))
            return id;
    return HEADER_OTHER;
}

struct gw_str header_name(enum header_id id)
{
    return names[id];
}

bool header_name_valid(struct gw_str name)
{
    return name.len && bytes_are(name, BYTE_TOKEN);
}

bool header_value_valid(struct gw_str value)
{
    for (size_t at = 0;; at++) {
        at = bytes_find_control(value.ptr, value.len, at);
        if (at == value.len)
            return true;
        if (value.ptr[at] != '\t')
            return false;
    }
}

void headers_init(struct headers *h, struct gw_arena *arena, size_t max)
{
    *h = (struct headers){.arena = arena, .max = max};
}

/* The old array stays in the arena: what headers_get pointed to before is still there. */
bool headers_reserve(struct headers *h, size_t count)
{
    if (count <= h->cap)
        return true;
    if (count > h->max)
        return false;
    struct header *items = gw_arena_alloc(h->arena, count * sizeof(*items));
    if (!items)
        return false;
    if (h->count)
        memcpy(items, h->items, h->count * sizeof(*items));
    h->items = items;
    h->cap = count;
    return true;
}

static bool add(struct headers *h, enum header_id id, struct gw_str name, struct gw_str value)
{
    if (gw_unlikely(h->count == h->cap)) {
        /* For lists that are made up field by field; a parser of text knows the number and reserves
         * it. */
        size_t want = gw_min_size(h->cap ? h->cap * 2 : 16, h->max);
        if (h->count == h->max || !headers_reserve(h, want))
            return false;
    }
    h->items[h->count++] = (struct header){name, value, id};
    if (id != HEADER_OTHER)
        h->present[id >> 6] |= (uint64_t)1 << (id & 63);
    return true;
}

bool headers_add(struct headers *h, struct gw_str name, struct gw_str value)
{
    return add(h, header_id_of(name), name, value);
}

bool headers_add_id(struct headers *h, enum header_id id, struct gw_str value)
{
    return add(h, id, names[id], value);
}

const struct gw_str *headers_first(const struct headers *h, enum header_id id)
{
    size_t at = 0;
    return headers_next(h, id, &at);
}

const struct gw_str *headers_next(const struct headers *h, enum header_id id, size_t *at)
{
    while (*at < h->count) {
        const struct header *item = &h->items[(*at)++];
        if (item->id == id)
            return &item->value;
    }
    return NULL;
}

const struct gw_str *headers_find(const struct headers *h, struct gw_str name)
{
    size_t at = 0;
    return headers_find_next(h, name, &at);
}

const struct gw_str *headers_find_next(const struct headers *h, struct gw_str name, size_t *at)
{
    enum header_id id = header_id_of(name);
    if (id != HEADER_OTHER)
        return headers_has(h, id) ? headers_next(h, id, at) : NULL;
    while (*at < h->count) {
        const struct header *item = &h->items[(*at)++];
        if (item->id == HEADER_OTHER && gw_str_ieq(item->name, name))
            return &item->value;
    }
    return NULL;
}
