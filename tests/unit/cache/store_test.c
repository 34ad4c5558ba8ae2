/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/store.h"

#include <stdio.h>

#include "tests/unit/cache/store_fixture.h"

static struct cache_stats stats_of(const struct world *w)
{
    struct cache_stats stats;
    cache_store_stats(w->store, &stats);
    return stats;
}

static void test_counts(void **state)
{
    (void)state;
    struct world w;
    struct cache_stats stats;
    world_init(&w, 16 * MIB);
    store_whole(&w, "/a", "", 1000, 60);
    store_whole(&w, "/b", "", 2000, 60);
    stats = stats_of(&w);
    assert_int_equal(stats.objects, 2);
    assert_int_equal(stats.inserted, 2);
    assert_int_equal(stats.lookups, 2);
    assert_true(stats.bytes >= 3000 && stats.bytes < 5000);
    assert_int_equal(stats.memory, stats.bytes);
    struct cache_place place = place_named(&w, "/a");
    struct cache_lookup found;
    assert_int_equal(cache_store_begin(w.store, &place, NOW_MS, &found), CACHE_HIT);
    cache_object_unref(found.object);
    assert_int_equal(stats_of(&w).hits, 1);
    cache_space_stats(w.space, &stats);
    assert_int_equal(stats.objects, 2);
    assert_int_equal(stats.bytes, stats_of(&w).bytes);
    assert_ptr_equal(cache_store_space(w.store, GW_STR("zone"), GW_STR("FRA")), w.space);
    assert_ptr_not_equal(cache_store_space(w.store, GW_STR("zone"), GW_STR("AMS")), w.space);
    world_release(&w);
}

static void test_memory_is_bounded(void **state)
{
    (void)state;
    struct world w;
    char name[32];
    world_init(&w, 8 * MIB);
    struct gw_rng rng = {1};
    for (int i = 0; i < 5000; i++) {
        uint64_t body_len =
            i % 100 == 0 ? MIB + gw_rng_below(&rng, MIB) : gw_rng_below(&rng, 20000);
        snprintf(name, sizeof(name), "/%d", i);
        store_whole(&w, name, "", body_len, 60);
        assert_true(stats_of(&w).memory <= 8 * MIB);
    }
    struct cache_stats stats = stats_of(&w);
    assert_true(stats.evicted > 1000);
    print_message("%.1f of 8 MiB live\n", (double)stats.memory / (double)MIB);
    assert_true(stats.memory > 5 * MIB);
    world_release(&w);
}

/* What a slow reader holds counts, and is his until he lets go. */
static void test_readers_keep_what_is_evicted(void **state)
{
    (void)state;
    struct world w;
    char name[32];
    world_init(&w, 4 * MIB);
    store_whole(&w, "/held", "", 900 * KIB, 60);
    struct cache_place place = place_named(&w, "/held");
    struct cache_object *held = cache_store_peek(w.store, &place);
    assert_non_null(held);
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), "/%d", i);
        store_whole(&w, name, "", 20000, 60);
    }
    assert_false(is_stored(&w, "/held"));
    check_object(held, 900 * KIB, 900 * KIB);
    assert_true(stats_of(&w).memory > 900 * KIB);
    cache_object_unref(held);
    world_release(&w);
}

static void test_object_limit(void **state)
{
    (void)state;
    struct config_cache limits = {.max_size = 4000 * MIB, .max_object_size = 800 * 1000 * 1000};
    struct cache_store *store = cache_store_new(&limits);
    assert_int_equal(cache_store_object_max(store, CONFIG_PLAN_FREE), 512 * 1000 * 1000);
    assert_int_equal(cache_store_object_max(store, CONFIG_PLAN_ENTERPRISE), 800 * 1000 * 1000);
    cache_store_free(store);
    limits.max_size = 8 * MIB;
    store = cache_store_new(&limits);
    assert_int_equal(cache_store_object_max(store, CONFIG_PLAN_FREE), 2 * MIB);
    cache_store_free(store);
}

static void store_tagged(struct world *w)
{
    store_whole(w, "/dir", "Cache-Tag: A, b", 10, 60);
    store_whole(w, "/dir/x", "Cache-Tag: c", 10, 60);
    store_whole(w, "/dir?y", "", 10, 60);
    store_whole(w, "/dirt", "Cache-Tag: ab", 10, 60);
}

/* Vectors 131 to 136, section 5.2. */
static void test_purge_matching(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        struct cache_match match;
        size_t found;
        bool left[4]; /* /dir /dir/x /dir?y /dirt */
    } cases[] = {
        {"prefix", {.prefix = GW_STR("/dir")}, 3, {false, false, false, true}},
        {"prefix/", {.prefix = GW_STR("/dir/")}, 1, {true, false, true, true}},
        {"host", {.host = GW_STR("example.com")}, 4, {false, false, false, false}},
        {"other host", {.host = GW_STR("www.example.com")}, 0, {true, true, true, true}},
        {"tag", {.tag = GW_STR("B")}, 1, {false, true, true, true}},
        {"whole tag", {.tag = GW_STR("a")}, 1, {false, true, true, true}},
        {"zone", {.zone = GW_STR("zone")}, 4, {false, false, false, false}},
        {"other zone", {.zone = GW_STR("other")}, 0, {true, true, true, true}},
        {"other edge", {.edge = GW_STR("AMS")}, 0, {true, true, true, true}},
    };
    static const char *const names[] = {"/dir", "/dir/x", "/dir?y", "/dirt"};
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        struct world w;
        struct cache_object *listed[10];
        world_init(&w, 4 * MIB);
        store_tagged(&w);
        size_t count = cache_store_list(w.store, &cases[i].match, listed, 10);
        assert_int_equal(count, cases[i].found);
        while (count)
            cache_object_unref(listed[--count]);
        assert_int_equal(cache_purge_match(w.store, &cases[i].match, CACHE_PURGE_REMOVE, NOW_MS),
                         cases[i].found);
        for (size_t j = 0; j < GW_COUNT(names); j++)
            if (is_stored(&w, names[j]) != cases[i].left[j])
                fail_msg("%s: %s", cases[i].what, names[j]);
        world_release(&w);
    }
}

static void test_purge_everything(void **state)
{
    (void)state;
    struct world w;
    struct cache_lookup found;
    world_init(&w, 4 * MIB);
    store_tagged(&w);
    cache_purge_everything(w.store, GW_STR("other"));
    assert_true(is_stored(&w, "/dir"));
    cache_purge_everything(w.store, GW_STR("zone"));
    assert_false(is_stored(&w, "/dir"));
    struct cache_place place = place_named(&w, "/dir");
    assert_int_equal(cache_store_begin(w.store, &place, NOW_MS, &found), CACHE_LEADER);
    assert_null(found.object);
    cache_fill_abort(found.fill, GW_ECANCELLED);
    cache_fill_unref(found.fill);
    store_whole(&w, "/dir/x", "", 10, 60);
    assert_true(is_stored(&w, "/dir/x"));
    world_release(&w);
}

/* Vector 139. */
static void test_invalidate(void **state)
{
    (void)state;
    struct world w;
    struct cache_lookup found;
    world_init(&w, 4 * MIB);
    store_tagged(&w);
    struct cache_place place = place_named(&w, "/dir");
    assert_true(cache_purge_key(w.store, &place, CACHE_PURGE_INVALIDATE, NOW_MS));
    assert_int_equal(cache_store_begin(w.store, &place, NOW_MS, &found), CACHE_LEADER);
    assert_non_null(found.object);
    cache_fill_abort(found.fill, GW_ECANCELLED);
    cache_fill_unref(found.fill);
    cache_object_unref(found.object);
    assert_true(cache_purge_key(w.store, &place, CACHE_PURGE_REMOVE, NOW_MS));
    assert_false(cache_purge_key(w.store, &place, CACHE_PURGE_REMOVE, NOW_MS));
    world_release(&w);
}

static void test_stored_fields(void **state)
{
    (void)state;
    struct world w;
    struct gw_arena arena;
    struct headers fields;
    world_init(&w, 4 * MIB);
    gw_arena_init(&arena, NULL, 0, 0);
    store_whole(&w, "/a", "ETag: \"x\"\nX-Empty:\nDate: d\nCache-Control: max-age=60", 10, 60);
    struct cache_place place = place_named(&w, "/a");
    struct cache_object *o = cache_store_peek(w.store, &place);
    headers_init(&fields, &arena, 10);
    assert_true(cache_object_fields(o, &fields));
    assert_int_equal(fields.count, 5);
    assert_true(gw_str_eq(*headers_get(&fields, HEADER_CONTENT_LENGTH), GW_STR("10")));
    assert_int_equal(headers_find(&fields, GW_STR("x-empty"))->len, 0);
    cache_object_unref(o);
    gw_arena_clear(&arena);
    world_release(&w);
}

static void test_seek(void **state)
{
    (void)state;
    static const uint64_t lengths[] = {5000, 700000};
    for (size_t i = 0; i < GW_COUNT(lengths); i++) {
        struct world w;
        struct gw_str pieces[8];
        world_init(&w, 64 * MIB);
        store_whole(&w, "/a", "", lengths[i], 60);
        struct cache_place place = place_named(&w, "/a");
        struct cache_object *o = cache_store_peek(w.store, &place);
        for (uint64_t from = 0; from <= lengths[i]; from += lengths[i] / 10) {
            struct cache_cursor at;
            uint64_t left = 3000;
            cache_object_seek(o, &at, from);
            size_t count = cache_object_read(o, &at, left, pieces, 8);
            for (size_t j = 0; j < count; j++) {
                check_bytes(pieces[j], lengths[i], at.offset);
                left -= pieces[j].len;
                cache_object_advance(o, &at, pieces[j].len);
            }
            assert_int_equal(left, from + 3000 > lengths[i] ? from + 3000 - lengths[i] : 0);
        }
        cache_object_unref(o);
        world_release(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_memory_is_bounded),
        cmocka_unit_test(test_readers_keep_what_is_evicted),
        cmocka_unit_test(test_object_limit),
        cmocka_unit_test(test_purge_matching),
        cmocka_unit_test(test_purge_everything),
        cmocka_unit_test(test_invalidate),
        cmocka_unit_test(test_stored_fields),
        cmocka_unit_test(test_seek),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
