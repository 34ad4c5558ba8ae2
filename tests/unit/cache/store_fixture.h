/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* For tests of the store and its fills: places by name, heads, and bodies whose bytes tell whose
 * they are. */
#include "cache/purge.h"
#include "cache/reader.h"
#include "gateway/base/err.h"
#include "tests/unit/cache/fixture.h"

#define KIB ((uint64_t)1024)
#define MIB (1024 * KIB)

struct world {
    struct cache_store *store;
    struct cache_space *space;
};

static inline void world_init(struct world *w, uint64_t max_size)
{
    struct config_cache limits = {.max_size = max_size, .max_object_size = 512 * MIB};
    w->store = cache_store_new(&limits);
    w->space = cache_store_space(w->store, GW_STR("zone"), GW_STR("FRA"));
}

/* Nothing may be left: every test ends here. */
static inline void world_release(struct world *w)
{
    struct cache_stats stats;
    cache_purge_match(w->store, &(struct cache_match){0}, CACHE_PURGE_REMOVE, NOW_MS);
    for (int i = 0; i < 1000; i++)
        cache_store_tick(w->store);
    cache_store_stats(w->store, &stats);
    assert_int_equal(stats.objects, 0);
    assert_int_equal(stats.bytes, 0);
    assert_int_equal(stats.memory, 0);
    cache_store_free(w->store);
}

static inline struct cache_place place_named(const struct world *w, const char *name)
{
    return (struct cache_place){.hash = gw_hash128(gw_str_z(name)),
                                .space = w->space,
                                .host = GW_STR("example.com"),
                                .target = gw_str_z(name)};
}

/* The parts of a 200; *text is to be released after use. body_len -1: not announced. */
static inline struct cache_object_parts parts_with(const char *fields, int64_t body_len,
                                                   struct cache_lifetime life, struct gw_buf *text)
{
    struct gw_arena arena;
    gw_arena_init(&arena, NULL, 0, 0);
    struct headers headers = fixture_headers(&arena, fields);
    struct cache_response response = {.status = 200,
                                      .headers = &headers,
                                      .length_known = body_len >= 0,
                                      .body_len = body_len >= 0 ? (uint64_t)body_len : 0};
    struct cache_decision decision = {.store = true, .life = life, .browser.no_store = true};
    struct cache_object_parts parts = {.status = 200,
                                       .life = life,
                                       .now_ms = NOW_MS,
                                       .body_len = response.body_len,
                                       .length_known = response.length_known,
                                       .body_max = 64 * MIB};
    gw_buf_init(text, CACHE_TEXT_MAX);
    assert_true(cache_head_write(&response, &decision, NOW_MS, text, &parts.head));
    parts.text = gw_buf_str(text);
    gw_arena_clear(&arena);
    return parts;
}

static inline void head_of(struct cache_fill *fill, const char *fields, int64_t body_len,
                           uint32_t ttl_s)
{
    struct gw_buf text;
    struct cache_lifetime life = {.ttl_s = ttl_s, .sie_s = CACHE_SIE_UNLIMITED};
    struct cache_object_parts parts = parts_with(fields, body_len, life, &text);
    cache_fill_head(fill, &parts);
    gw_buf_release(&text);
}

static inline char byte_at(uint64_t seed, uint64_t offset)
{
    return (char)(seed + offset + offset / 251);
}

/* Appends bytes [from, to) of the body that `seed` stands for. */
static inline enum cache_append feed(struct cache_fill *fill, uint64_t seed, uint64_t from,
                                     uint64_t to)
{
    char data[8192];
    enum cache_append answer = CACHE_APPEND_OK;
    while (from < to) {
        size_t n = (size_t)gw_min_u64(to - from, sizeof(data));
        for (size_t i = 0; i < n; i++)
            data[i] = byte_at(seed, from + i);
        answer = cache_fill_append(fill, gw_str(data, n));
        from += n;
    }
    return answer;
}

static inline void check_bytes(struct gw_str piece, uint64_t seed, uint64_t offset)
{
    for (size_t i = 0; i < piece.len; i++)
        if (piece.ptr[i] != byte_at(seed, offset + i))
            fail_msg("byte %zu is wrong", (size_t)offset + i);
}

static inline void check_object(const struct cache_object *o, uint64_t seed, uint64_t body_len)
{
    struct cache_cursor at = {0};
    struct gw_str pieces[3];
    size_t count;
    assert_int_equal(o->body_len, body_len);
    while ((count = cache_object_read(o, &at, UINT64_MAX, pieces, 3)) != 0) {
        for (size_t i = 0; i < count; i++) {
            check_bytes(pieces[i], seed, at.offset);
            cache_object_advance(o, &at, pieces[i].len);
        }
    }
    assert_int_equal(at.offset, body_len);
}

/* Stores a whole object. */
static inline void store_whole(struct world *w, const char *name, const char *fields,
                               uint64_t body_len, uint32_t ttl_s)
{
    struct cache_place place = place_named(w, name);
    struct cache_lookup found;
    assert_int_equal(cache_store_begin(w->store, &place, NOW_MS, &found), CACHE_LEADER);
    head_of(found.fill, fields, (int64_t)body_len, ttl_s);
    feed(found.fill, body_len, 0, body_len);
    assert_int_equal(cache_fill_finish(found.fill), 0);
    cache_fill_unref(found.fill);
    cache_object_unref(found.object);
}

static inline bool is_stored(struct world *w, const char *name)
{
    struct cache_place place = place_named(w, name);
    struct cache_object *o = cache_store_peek(w->store, &place);
    cache_object_unref(o);
    return o != NULL;
}
